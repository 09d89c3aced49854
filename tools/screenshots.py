"""Pictures of the terminal UI for the README: `uv run python -m tools.screenshots`, into `docs/pictures/`.

Each is drawn from the cells that the terminal would get, as an SVG of its own: every run of text has the width of its
cells, so that Chinese characters take two of them whatever font the reader has.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import define

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.style import Style
    from textual.pilot import Pilot

    from kpi_rules_tui.app import Office

ROOT: Final = Path(__file__).resolve().parent.parent
PICTURES: Final = ROOT / "docs" / "pictures"
WORKSPACE: Final = ROOT / "examples" / "hundred-days"

CELL_WIDTH, CELL_HEIGHT, BASE = 8.4, 18.0, 13.5
"""A cell in pixels, and how far below its top letters stand."""

FONT: Final = (
    "ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', 'Noto Sans Mono CJK SC', 'Noto Sans CJK SC', monospace"
)


@define(frozen=True)
class Shot:
    """A picture: its name, the size of the terminal, the keys pressed before, the language and the theme."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...]
    language: str = "en"
    theme: str = "kpi-dark"


SHOTS: Final = (
    Shot("overview", (130, 34), ("j",)),
    Shot("unit", (150, 42), ("j", "enter")),
    Shot("policies", (140, 36), ("3", *["j"] * 4, "enter", *"0.90")),
    Shot("quotas-zh", (120, 34), ("2", "j", "enter", *"3000万"), "zh", "kpi-light"),
    Shot("profile", (130, 30), ("j", "3", "f")),
    Shot("simulate", (160, 40), ("2", "x", *"0.80", "tab", *"lean", "enter", "right", "enter", "4", "ctrl+r")),
)


def main() -> None:
    """Draw the pictures named on the command line, or all."""
    wanted = set(sys.argv[1:])
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = os.environ["XDG_CONFIG_HOME"] = folder
        for shot in SHOTS:
            if not wanted or shot.name in wanted:
                picture = asyncio.run(_taken(shot))
                (PICTURES / f"{shot.name}.svg").write_text(picture, encoding="utf-8")
                sys.stderr.write(f"{shot.name}\n")


async def _taken(shot: Shot) -> str:
    """Run the application, press the keys and draw what is there then."""
    import kpi_rules as kr
    from kpi_rules_tui.app import Office
    from kpi_rules_tui.desk import Desk
    from kpi_rules_tui.remembered import Remembered

    kr.set_language(shot.language)
    office = Office(Desk(WORKSPACE.relative_to(Path.cwd())), remembered=Remembered(), theme=shot.theme)
    async with office.run_test(size=shot.size) as pilot:
        await _settled(office, pilot)
        for key in shot.keys:
            await pilot.press(key)
            await _settled(office, pilot)
        await pilot.pause(1.0)
        await _settled(office, pilot)
        return "".join(_svg(office, shot.size))


async def _settled(office: Office, pilot: Pilot[int]) -> None:
    """Wait until nothing is being worked out."""
    await pilot.pause(0.1)
    while office.desk.workspace is None or any(worker.is_running for worker in office.workers):
        await pilot.pause(0.1)


def _svg(office: Office, size: tuple[int, int]) -> Iterator[str]:
    """Draw the screen."""
    columns, lines = size
    width, height = columns * CELL_WIDTH, lines * CELL_HEIGHT
    background = office.screen.styles.background.rgb
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" font-family="{FONT}" '
    yield f'font-size="14"><rect width="100%" height="100%" rx="6" fill="{_colour(background)}"/>\n'
    for number, strip in enumerate(office.screen._compositor.render_strips(office.size)):  # noqa: SLF001 (the cells as the terminal gets them)
        x = 0
        for segment in strip:
            if segment.style is not None and segment.text:
                yield from _run(segment.text, segment.style, x, number)
            x += segment.cell_length
    yield "</svg>\n"


def _run(text: str, style: Style, column: int, line: int) -> Iterator[str]:
    """Draw a run of cells of one style: what is behind them, then words, each with the width of its cells."""
    from rich.cells import cell_len

    x, y = column * CELL_WIDTH, line * CELL_HEIGHT
    front, behind = style.color, style.bgcolor
    if behind is not None and behind.triplet is not None:
        box = (
            f'x="{x:.1f}" y="{y:.1f}" width="{cell_len(text) * CELL_WIDTH + 0.3:.1f}" height="{CELL_HEIGHT + 0.3:.1f}"'
        )
        yield f'<rect {box} fill="{behind.triplet.hex}"/>\n'
    colour = front.triplet.hex if front is not None and front.triplet is not None else "#ffffff"
    weight = ' font-weight="bold"' if style.bold else ""
    for start, word in _words(text):
        left = x + cell_len(text[:start]) * CELL_WIDTH
        wide = cell_len(word) * CELL_WIDTH
        place = f'x="{left:.1f}" y="{y + BASE:.1f}" textLength="{wide:.1f}" lengthAdjust="spacingAndGlyphs"'
        yield f'<text {place} fill="{colour}"{weight}>{escape(word)}</text>\n'


def _words(text: str) -> Iterator[tuple[int, str]]:
    """Give the parts of a text between its spaces, with where they begin."""
    start = 0
    for part in text.split(" "):
        if part:
            yield start, part
        start += len(part) + 1


def _colour(rgb: Sequence[int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in rgb)


if __name__ == "__main__":
    main()
