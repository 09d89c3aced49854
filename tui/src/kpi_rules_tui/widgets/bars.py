"""Bars of text: completion with the pace that is expected."""

from __future__ import annotations

from typing import Final

EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


def bar(share: float | None, expected: float | None = None, width: int = 12) -> str:
    """Draw a share of one as a bar, with a stroke where it is expected to be; `+` after what is above one."""
    if share is None:
        return " " * (width + 1)
    filled = round(max(0.0, min(share, 1.0)) * width * 8)
    cells = [EIGHTHS[max(0, min(8, filled - 8 * place))] for place in range(width)]
    cells = ["·" if cell == " " else cell for cell in cells]
    if expected is not None:
        place = min(max(int(expected * width), 0), width - 1)
        if cells[place] != "█" or expected < 1:
            cells[place] = "┃"
    return "".join(cells) + ("+" if share > 1 else " ")
