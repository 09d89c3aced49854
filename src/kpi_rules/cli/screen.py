"""Tables and remarks for people. Data is never parsed as markup, and what is piped is never cut.

Tables that fit, and all that are piped, are drawn here, in the cell widths of rich: rich itself takes a fifth of a
second to be imported and to draw a hundred rows. It folds the cells of tables wider than the screen, and shows that
work goes on.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from datetime import date
from shutil import get_terminal_size
from signal import SIGINT, signal
from threading import Timer, current_thread, main_thread
from typing import TYPE_CHECKING, Final, NoReturn

import click

from kpi_rules.cli import failures
from kpi_rules.locale import _
from kpi_rules.model.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.status import Status

    import kpi_rules as kr

PATIENCE: Final = 1.0
"""Seconds of silence before work is said to be going on."""

GAP: Final = "   "
"""Between columns."""

NARROWEST: Final = 12
"""Cells per column below which folding makes a table unreadable."""

MOST_FOLDED: Final = 1_000
"""Rows of a table whose cells are folded; longer ones are written in full width."""


class Page:
    """What a command shows on standard output, or writes to a file: collected first, written at once."""

    def __init__(self, path: Path | None = None) -> None:
        """Draw for the screen, if that is where it goes."""
        self.path = path
        self.width = get_terminal_size().columns if path is None and sys.stdout.isatty() else None
        self._styled = self.width is not None and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._lines: list[str] = []

    def line(self, text: str = "") -> None:
        """Add a line of text."""
        self._lines.append(safe(text))

    def title(self, text: str) -> None:
        """Add a line that stands out on a screen."""
        self._lines.append(click.style(safe(text), bold=True) if self._styled else safe(text))

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        right: Collection[str] = (),
        firm: Collection[str] = (),
    ) -> None:
        """Add a table; columns named in `right` hold numbers. These, and those named in `firm`, are never broken.

        On a screen too narrow for it cells are folded over several lines, unless there are too many columns for
        that: then the terminal wraps its lines.
        """
        from rich.cells import cell_len

        cells = [[safe(column) for column in columns], *([safe(shown(value)) for value in row] for row in rows)]
        wide = [[cell_len(cell) for cell in row] for row in cells]
        widths = [max(column) for column in zip(*wide, strict=True)]
        numbers = [column in right for column in columns]
        total = sum(widths) + len(GAP) * (len(widths) - 1)
        if self.width is not None and total > self.width >= NARROWEST * len(widths) and len(cells) <= MOST_FOLDED:
            self._lines += _folded(cells, numbers, [column in {*right, *firm} for column in columns], self.width)
            return
        for number, (row, lengths) in enumerate(zip(cells, wide, strict=True)):
            padded = (
                " " * (width - length) + cell if is_number else cell + " " * (width - length)
                for cell, length, width, is_number in zip(row, lengths, widths, numbers, strict=True)
            )
            self._lines.append(GAP.join(padded).rstrip())
            if not number:
                self._lines.append("─" * total)

    def write(self) -> None:
        """Write what was collected."""
        from kpi_rules.cli.output import write

        write("".join(f"{line}\n" for line in self._lines), self.path)


def _folded(cells: Sequence[Sequence[str]], numbers: Sequence[bool], firm: Sequence[bool], width: int) -> list[str]:
    """Draw a table within a width; what is firm is never broken."""
    from io import StringIO

    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title, is_number, is_firm in zip(cells[0], numbers, firm, strict=True):
        justify = "right" if is_number else "left"
        table.add_column(Text(title), justify=justify, no_wrap=is_firm, overflow="fold", header_style="none")  # type: ignore[arg-type]  # a literal
    for row in cells[1:]:
        table.add_row(*(Text(cell) for cell in row))
    drawn = StringIO()
    Console(file=drawn, width=width, force_terminal=False, markup=False, highlight=False, emoji=False).print(table)
    return [line.rstrip() for line in drawn.getvalue().split("\n")[:-1]]


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

    def begin() -> Status:
        from rich.text import Text

        status = _terminal().status(Text(safe(message)))
        status.start()
        return status

    with _patiently(begin):
        yield


@contextmanager
def counting(message: str) -> Iterator[Callable[[kr.Progress], None]]:
    """Show on a terminal's standard error how many draws are done and how long the others take, once the work has
    taken longer than a second; what is given is to be called with each `Progress`.
    """
    last: list[kr.Progress] = []
    bars: list[Bar] = []

    def tell(progress: kr.Progress) -> None:
        last[:] = [progress]
        for bar in bars:
            _advance(bar, progress)

    def begin() -> Bar:
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        said = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[of]}", markup=False),
        )
        bar = Bar(*said, console=_terminal(), transient=True)
        bar.add_task(safe(message), total=None, of="")
        for progress in last:
            _advance(bar, progress)
        bar.start()
        bars.append(bar)
        return bar

    with _patiently(begin), _ended_at_once(bars):
        yield tell


@contextmanager
def _ended_at_once(bars: Sequence[Bar]) -> Iterator[None]:
    """Have an interrupt end the program without waiting for the chunks that are being done: worker processes are
    ended, a thread cannot be stopped, and nothing is written before all is done.
    """
    if current_thread() is not main_thread():  # where no signal arrives
        yield
        return

    def end(_signal: int, _frame: object) -> NoReturn:
        from multiprocessing import active_children

        if workers := active_children():
            for worker in workers:
                worker.terminate()
            raise KeyboardInterrupt
        for bar in bars:
            bar.stop()
        failures.say(_("interrupted"))
        os._exit(failures.INTERRUPTED)

    before = signal(SIGINT, end)
    try:
        yield
    finally:
        signal(SIGINT, before)


def _advance(bar: Bar, progress: kr.Progress) -> None:
    of = _("{done} of {draws} draws").format(done=progress.done, draws=progress.draws)
    if progress.remaining is not None:
        minutes, seconds = divmod(round(progress.remaining), 60)
        of += ", " + _("{time} to go").format(time=f"{minutes}:{seconds:02}")
    bar.update(bar.task_ids[0], total=progress.draws, completed=progress.done, of=of)


def _terminal() -> Console:
    from rich.console import Console

    return Console(stderr=True, markup=False, highlight=False, emoji=False)


@contextmanager
def _patiently(begin: Callable[[], Status | Bar]) -> Iterator[None]:
    """Begin to show something on a terminal's standard error after a second, and stop it in the end."""
    if not sys.stderr.isatty():
        yield
        return
    running: list[Status | Bar] = []
    timer = Timer(PATIENCE, lambda: running.append(begin()))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for shown in running:
            shown.stop()
