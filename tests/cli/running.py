"""What the tests of the command line share besides fixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


class Run(Protocol):
    """Runs `kpi-rules` with arguments and returns what it said and how it ended."""

    def __call__(self, *arguments: str | Path) -> Result: ...


HOSTILE = {"red": "[red]", "close": "[/b]", "escape": "\x1b[31mX", "bidi": "\u202eX", "formula": '=HYPERLINK("x")'}
"""Names of units by id: markup, escape sequences, direction marks, formulas."""
