"""The first frame, drawn before Textual is imported: which workspace is being read, on the screen that Textual takes
over. Importing Textual takes longer than a person should wait for a sign of life.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Final

import kpi_rules as kr

if TYPE_CHECKING:
    from pathlib import Path

ALTERNATE, MAIN = "\x1b[?1049h\x1b[H\x1b[2J\x1b[?25l", "\x1b[?25h\x1b[?1049l"
"""Go to the terminal's other screen, cleared and without a cursor; and back."""

REVERSE, PLAIN = "\x1b[7m", "\x1b[0m"

TABS: Final = ("Overview", "Quotas", "Policies", "Simulate", "Evidence")


def draw(folder: Path) -> None:
    """Draw the frame; nothing where the output is no terminal."""
    if not sys.stdout.isatty():
        return
    width = shutil.get_terminal_size().columns
    title = f" kpi-rules  {kr.safe(folder.resolve().name)}  │  {kr.translate('reading', 'kpi_rules_tui')}"
    tabs = "  " + "   ".join(f"{key} {kr.translate(name, 'kpi_rules_tui')}" for key, name in enumerate(TABS, 1))
    emphasis = "" if "NO_COLOR" in os.environ else REVERSE
    sys.stdout.write(f"{ALTERNATE}{emphasis}{title[:width]}{PLAIN}\r\n{tabs[:width]}")
    sys.stdout.flush()


def clear() -> None:
    """Give the terminal back, where Textual never came to it."""
    if sys.stdout.isatty():
        sys.stdout.write(MAIN)
        sys.stdout.flush()
