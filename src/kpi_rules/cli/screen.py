"""Tables and remarks for people, drawn by rich. Data is never parsed as markup, and what is piped is never cut."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import date
from io import StringIO
from shutil import get_terminal_size
from threading import Timer
from typing import TYPE_CHECKING, Final

from kpi_rules.cli.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from rich.status import Status
    from rich.table import Table

PATIENCE: Final = 1.0
"""Seconds of silence before work is said to be going on."""

WIDE: Final = 1_000_000
"""A width that nothing reaches."""


class Page:
    """What a command shows on standard output, or writes to a file: collected first, written at once."""

    def __init__(self, path: Path | None = None) -> None:
        """Draw for the screen, if that is where it goes."""
        from rich.console import Console

        self.path = path
        self.screen = path is None and sys.stdout.isatty()
        self.width = get_terminal_size().columns if self.screen else WIDE
        self._buffer = StringIO()
        self._console = Console(
            file=self._buffer,
            force_terminal=self.screen,
            width=self.width,
            markup=False,
            highlight=False,
            emoji=False,
            legacy_windows=False,
        )

    def line(self, text: str = "", style: str = "") -> None:
        """Add a line of text."""
        from rich.text import Text

        self._console.print(Text(safe(text), style=style), soft_wrap=True)

    def lines(self, text: str) -> None:
        """Add text of several lines."""
        for line in text.split("\n"):
            self.line(line)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], right: Iterable[str] = ()) -> None:
        """Add a table. Columns named in `right` hold numbers; they are never broken, other cells may be, over several lines.

        A table that does not even fit so is written in full width, for the terminal to wrap.
        """
        from rich.box import SIMPLE
        from rich.measure import Measurement
        from rich.table import Table
        from rich.text import Text

        numbers = set(right)
        table = Table(box=SIMPLE, pad_edge=False, show_edge=False)
        for column in columns:
            table.add_column(
                Text(safe(column)),
                justify="right" if column in numbers else "left",
                no_wrap=column in numbers,
                overflow="fold",
            )
        for row in rows:
            table.add_row(*(Text(safe(shown(value))) for value in row))
        self._print(table, Measurement.get(self._console, self._console.options.update(width=WIDE), table).maximum)

    def _print(self, table: Table, natural: int) -> None:
        if natural > self.width and len(table.columns) * 12 > self.width:
            self._console.print(table, width=natural, crop=False, soft_wrap=True)
        else:
            self._console.print(table)

    def write(self) -> None:
        """Write what was collected."""
        from kpi_rules.cli.output import write

        text = self._buffer.getvalue()
        write("".join(line.rstrip(" ") + "\n" for line in text.split("\n")[:-1]), self.path)


def shown(value: object) -> str:
    """Write a value for people: nothing for none, days as ISO, lists joined."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return ", ".join(str(each) for each in value)
    return str(value)


@contextmanager
def working(message: str) -> Iterator[None]:
    """Say on a terminal's standard error that work is going on, once it has taken longer than a second."""
    if not sys.stderr.isatty():
        yield
        return
    stops: list[Status] = []

    def begin() -> None:
        from rich.console import Console
        from rich.text import Text

        status = Console(stderr=True, markup=False, highlight=False, emoji=False).status(Text(safe(message)))
        status.start()
        stops.append(status)

    timer = Timer(PATIENCE, begin)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for status in stops:
            status.stop()
