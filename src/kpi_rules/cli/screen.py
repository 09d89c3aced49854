"""Tables and remarks for people. Data is never parsed as markup, and what is piped is never cut.

Tables are drawn here, in the cell widths of rich: rich itself takes a fifth of a second to be imported and to draw a
hundred rows, and breaks words that would fit on a line. It shows that work goes on.
"""

from __future__ import annotations

import os
import re
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

HEAD: Final = 2
"""Lines of a folded table that a block does not have: its columns and the line below them."""

INDENT: Final = "  "
"""Before the lines of a block; twice before what is left of one of them."""

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

        On a screen too narrow for it cells are folded over several lines between words, or, where that takes fewer
        lines, each row is a block of lines. Of tables of many columns, or of numbers, the terminal wraps the lines.
        """
        from rich.cells import cell_len

        cells = [[safe(column) for column in columns], *([safe(shown(value)) for value in row] for row in rows)]
        wide = [[cell_len(cell) for cell in row] for row in cells]
        widths = [max(column) for column in zip(*wide, strict=True)]
        numbers = [column in right for column in columns]
        total = sum(widths) + len(GAP) * (len(widths) - 1)
        if self.width is not None and total > self.width and len(cells) <= MOST_FOLDED:
            is_firm = [column in {*right, *firm} for column in columns]
            folded = _folded(cells, widths, numbers, is_firm, self.width)
            names = [column in firm for column in columns] if firm else [True] + [False] * (len(columns) - 1)
            blocks = _blocks(cells, names, self.width) if 2 * sum(numbers) <= len(columns) else None
            if folded is not None and (blocks is None or len(folded) - HEAD <= len(blocks)):
                self._lines += folded
                return
            if blocks is not None:
                self._lines += blocks
                return
        for number, (row, lengths) in enumerate(zip(cells, wide, strict=True)):
            padded = (
                " " * (width - length) + cell if is_number else cell + " " * (width - length)
                for cell, length, width, is_number in zip(row, lengths, widths, numbers, strict=True)
            )
            self._lines.append(GAP.join(padded).rstrip())
            if not number:
                self._lines.append("─" * total)

    def block(self, head: str, lines: Iterable[tuple[str, str]]) -> None:
        """Add a line, and indented below it texts with their titles, folded between words on a screen."""
        self._lines += _block(safe(head), [(safe(title), safe(text)) for title, text in lines], self.width)

    def write(self) -> None:
        """Write what was collected."""
        from kpi_rules.cli.output import write

        write("".join(f"{line}\n" for line in self._lines), self.path)


def _folded(
    cells: Sequence[Sequence[str]], widths: Sequence[int], numbers: Sequence[bool], firm: Sequence[bool], width: int
) -> list[str] | None:
    """Draw a table within a width, cells folded between words; None where it is too narrow for that.

    What is firm is never broken. The room that is left over the longest words goes to the columns that need it, none
    of them made wider than another that needs more.
    """
    from rich.cells import cell_len

    room = width - len(GAP) * (len(widths) - 1)
    columns = list(zip(*cells, strict=True))
    least = [
        natural if is_firm else max(cell_len(word) for cell in column for word in ["", *_words(cell)])
        for column, natural, is_firm in zip(columns, widths, firm, strict=True)
    ]
    if width < NARROWEST * len(widths) or sum(least) > room:
        return None
    levels = range(max(widths), 0, -1)
    drawn = next(
        fitting
        for level in levels
        if sum(fitting := [max(low, min(high, level)) for low, high in zip(least, widths, strict=True)]) <= room
    )
    lines = []
    for number, row in enumerate(cells):
        folded = [_wrapped(cell, column) for cell, column in zip(row, drawn, strict=True)]
        for at in range(max(map(len, folded))):
            parts = [each[at] if at < len(each) else "" for each in folded]
            pads = [" " * (column - cell_len(part)) for column, part in zip(drawn, parts, strict=True)]
            padded = (
                pad + part if is_number else part + pad
                for part, pad, is_number in zip(parts, pads, numbers, strict=True)
            )
            lines.append(GAP.join(padded).rstrip())
        if not number:
            lines.append("─" * (sum(drawn) + len(GAP) * (len(drawn) - 1)))
    return lines


def _blocks(cells: Sequence[Sequence[str]], names: Sequence[bool], width: int) -> list[str]:
    """Draw each row of a table as a block: what names it on a line, and below it what is not empty with its title."""
    titles, *rows = cells
    lines: list[str] = []
    for row in rows:
        head = GAP.join(cell for cell, is_name in zip(row, names, strict=True) if is_name and cell)
        told = [(title, cell) for title, cell, is_name in zip(titles, row, names, strict=True) if not is_name and cell]
        lines += _block(head, told, width)
    return lines


def _block(head: str, lines: Iterable[tuple[str, str]], width: int | None) -> list[str]:
    found = [head]
    for title, text in lines:
        line = _("{title}: {text}").format(title=title, text=text)
        if width is None:
            found.append(INDENT + line)
            continue
        first, *more = _wrapped(line, max(NARROWEST, width - 2 * len(INDENT)))
        found += [INDENT + first, *(2 * INDENT + each for each in more)]
    return found


_PIECE: Final = re.compile(r"\s+|[⺀-\uffee][，。；：、）”》]*|[^\s⺀-\uffee]+")
"""Space, a character of a script without spaces between words and what may not begin a line, or a word."""


def _words(text: str) -> list[str]:
    """Return the pieces of a text between which a line may be broken."""
    return [piece for piece in _PIECE.findall(text) if not piece.isspace()]


def _wrapped(text: str, width: int) -> list[str]:
    """Break a text into lines, between words; only a word longer than a line is broken itself."""
    from rich.cells import cell_len, chop_cells

    lines: list[str] = []
    line = space = ""
    for piece in _PIECE.findall(text):
        if piece.isspace():
            space = piece
            continue
        if line and cell_len(line + space + piece) <= width:
            line += space + piece
        else:
            lines += [line] if line else []
            *full, line = chop_cells(piece, width)
            lines += full
        space = ""
    return [*lines, line]


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
