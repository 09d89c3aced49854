"""Charts of text: horizontal bars, a histogram, and a median with its band over days.

Each fills the room that there is. Labels take the cells they take, two for a Chinese character. What a chart shows is
written as a number or a word beside it; without colours (NO_COLOR) it is drawn in ASCII.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Final

import rich.cells
from attrs import define
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from kpi_rules_tui.texts import _, plain
from kpi_rules_tui.widgets.bars import EIGHTHS
from kpi_rules_tui.widgets.columns import fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray
    from textual import events

Piece = tuple[str, str]
"""A text of a line, and how it looks: the name of a component class of `Chart`, or an empty text."""

Line = list[Piece]

LEAST_BAR: Final = 4
"""Cells of the shortest bar worth drawing; where there is less room the numbers stand alone."""


class Chart(Widget):
    """What charts have in common: lines that are worked out once for a size, and drawn in the theme of now."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chart--title",
        "chart--dim",
        "chart--a",
        "chart--b",
        "chart--band",
        "chart--over",
        "chart--other",
        "chart--known",
        "chart--pace",
    }

    DEFAULT_CSS = """
    Chart {
        height: 1fr; background: $background; color: $foreground;
        & > .chart--title { color: $primary; text-style: bold; }
        & > .chart--dim { color: $text-muted; }
        & > .chart--a { color: $primary; }
        & > .chart--b { color: $accent; }
        & > .chart--band { color: $primary-muted; }
        & > .chart--over { color: $foreground; background: $primary-muted; text-style: bold; }
        & > .chart--other { color: $accent; text-style: bold; }
        & > .chart--known { color: $success; text-style: bold; }
        & > .chart--pace { color: $warning; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Textual's name)
        """Make an empty chart."""
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] | None = None

    def lines(self, width: int, height: int) -> list[Line]:
        """Return what is drawn in so many cells and lines."""
        raise NotImplementedError

    @property
    def ascii(self) -> bool:
        """Whether nothing but ASCII is drawn."""
        return self.app.no_color

    def again(self) -> None:
        """Draw anew."""
        self._lines = None
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Fill the room that there is now."""
        del event
        self.again()

    def render_line(self, y: int) -> Strip:
        """Draw a line."""
        base, width = self.rich_style, self.size.width
        if self._lines is None:
            self._lines = self.lines(width, self.size.height) if width and self.size.height else []
        if y >= len(self._lines):
            return Strip.blank(width, base)
        segments = [Segment(text, base + self._toned(tone)) for text, tone in self._lines[y]]
        return Strip(segments).crop_extend(0, width, base)

    def _toned(self, tone: str) -> Style:
        return self.get_component_rich_style(f"chart--{tone}", partial=True) if tone else Style.null()


# -- bars ------------------------------------------------------------------------------------------------------------


@define(frozen=True)
class Bar:
    """A row of bars: its label, and of each series the value and how it is written."""

    label: str
    values: Sequence[float]
    texts: Sequence[str]


SERIES: Final = ("a", "b")
"""How the series look, in their order."""


class Bars(Chart):
    """Rows of bars, one for each series and all on one scale."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Textual's name)
        """Make an empty chart."""
        super().__init__(id=id, classes=classes)
        self.title = ""
        self.series: tuple[str, ...] = ()
        self.rows: tuple[Bar, ...] = ()

    def show(self, title: str, series: Sequence[str], rows: Sequence[Bar]) -> None:
        """Show rows; with more than one series each is named above its bars."""
        self.title, self.series, self.rows = title, tuple(series), tuple(rows)
        self.again()

    def rows_in(self, count: int) -> Sequence[Bar]:
        """Return the rows that are drawn in so many lines."""
        del count
        return self.rows

    def lines(self, width: int, height: int) -> list[Line]:
        """Draw the title, the names of the series, and as many rows as fit."""
        found: list[Line] = [[(fit(plain(self.title), width, right=False), "title")]]
        named = len(self.series) > 1
        room = height - 1 - named
        rows = self.rows_in(room)
        if not rows:
            return found
        label = min(max(rich.cells.cell_len(plain(row.label)) for row in rows), width * 2 // 5)
        text = max(rich.cells.cell_len(each) for row in rows for each in row.texts)
        each = (width - label) // max(len(self.series), 1) - 2
        bar = each - text - 1
        if bar < LEAST_BAR:
            bar, each = 0, max(min(text, each), 0)
        most = max((value for row in rows for value in row.values), default=0)
        if named:
            heads = [
                ("  " + fit(name, each, right=False), tone) for name, tone in zip(self.series, SERIES, strict=False)
            ]
            found.append([(" " * label, ""), *heads])
        cut = len(rows) > room
        for row in rows[: max(room - cut, 0)]:
            line: Line = [(fit(plain(row.label), label, right=False), "")]
            for value, written, tone in zip(row.values, row.texts, SERIES, strict=False):
                if bar:
                    line.append(("  " + self._bar(value / most if most else 0, bar), tone))
                    line.append((" " + fit(written, text, right=True), ""))
                else:
                    line.append(("  " + fit(written, each, right=True), ""))
            found.append(line)
        if cut:
            found.append([(_("and {count} more").format(count=len(rows) - max(room - 1, 0)), "dim")])
        return found

    def _bar(self, share: float, width: int) -> str:
        """Draw a share of the longest bar; whatever is not nothing can be seen."""
        if self.ascii:
            filled = max(round(share * width), 1 if share > 0 else 0)
            return "#" * filled + " " * (width - filled)
        eighths = max(round(share * width * 8), 1 if share > 0 else 0)
        return "".join(EIGHTHS[max(0, min(8, eighths - 8 * place))] for place in range(width))


@define(frozen=True, eq=False)
class Counts:
    """How often whole numbers came: `values` ascending, each once, and their `times`; as arrays, since of a million
    draws a dictionary would keep every key waiting.
    """

    values: NDArray[np.int64]
    times: NDArray[np.int64]

    @classmethod
    def of(cls, numbers: ArrayLike) -> Counts:
        """Count whole numbers; it may take a while, and holds nobody up in another thread."""
        import numpy as np

        values, times = np.unique(np.asarray(numbers, dtype=np.int64), return_counts=True)
        return cls(values, times.astype(np.int64))


class Histogram(Bars):
    """How often values come, in as many bins as there are lines; of two series the bins and the scale are the same."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Textual's name)
        """Make an empty chart."""
        super().__init__(id=id, classes=classes)
        self.counts: tuple[Counts, ...] = ()
        self.write: Callable[[int], str] = str

    def count(self, title: str, counts: Sequence[tuple[str, Counts]], write: Callable[[int], str] = str) -> None:
        """Show by series how often each whole number came."""
        self.title, self.write = title, write
        self.series = tuple(name for name, _counts in counts)
        self.counts = tuple(each for _name, each in counts)
        self.again()

    def rows_in(self, count: int) -> Sequence[Bar]:
        """Return a row for each bin, with the share of draws in it."""
        ends = [int(each.values[place]) for each in self.counts if len(each.values) for place in (0, -1)]
        if not ends or count < 1:
            return ()
        step = step_of(min(ends), max(ends), count)
        first, last = min(ends) // step, max(ends) // step
        wholes = [max(int(each.times.sum()), 1) for each in self.counts]
        sums = [_in_bins(each, range(first, last + 1), step) for each in self.counts]
        rows = []
        for place in range(first, last + 1):
            shares = [bins[place - first] / whole for bins, whole in zip(sums, wholes, strict=True)]
            low = self.write(place * step)
            label = low if step == 1 else _("from {low}").format(low=low)
            rows.append(Bar(label, shares, [f"{share:.1%}" for share in shares]))
        return rows


def _in_bins(counts: Counts, bins: range, step: int) -> list[int]:
    """Return how often numbers came in each bin, which has those from its own number times `step` on."""
    edges = counts.values.searchsorted([place * step for place in (*bins, bins.stop)])
    return [int(counts.times[begin:end].sum()) for begin, end in pairwise(edges.tolist())]


def step_of(low: int, high: int, bins: int) -> int:
    """Return the width of bins, 1, 2 or 5 with zeros, of which so many hold all from `low` to `high`."""
    if bins < 1:
        return max(high - low + 1, 1)
    power = 1
    while power <= 10 * (abs(high) + abs(low) + 1):
        for step in (power, 2 * power, 5 * power):
            if high // step - low // step < bins:
                return step
        power *= 10
    return power  # one bin on each side of zero is as few as there are


# -- a band over days ------------------------------------------------------------------------------------------------

Point = tuple[int, float]
"""A day, as days are numbered, and a share."""

LOWER: Final = " ▁▂▃▄▅▆▇█"

TOP: Final = 2.0
"""The highest share that is drawn; what is above is drawn at the edge, and said in words."""

TALL: Final = 10
"""From so many lines on the scale has twice as many numbers."""

LEFT: Final = 6
"""Cells of the scale."""


@define(frozen=True)
class Fan:
    """What is drawn over days, each as points in order: what is known, what is expected, what may come.

    `low`, `median` and `high` are those of A; `other` is the median of B where it differs.
    """

    known: Sequence[Point] = ()
    pace: Sequence[Point] = ()
    low: Sequence[Point] = ()
    median: Sequence[Point] = ()
    high: Sequence[Point] = ()
    other: Sequence[Point] = ()

    @property
    def every(self) -> list[Point]:
        """All points."""
        return [*self.known, *self.pace, *self.low, *self.median, *self.high, *self.other]


MARKS: Final = {
    "known": ("●", "o"),
    "median": ("━", "="),
    "other": ("╍", "B"),
    "pace": ("╌", "-"),
    "band": ("█", ":"),
}
"""What each is drawn with: with colours, and in ASCII."""


class Band(Chart):
    """A median with its band of 80% over days, what is known up to the first of them, and the pace expected."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Textual's name)
        """Make an empty chart."""
        super().__init__(id=id, classes=classes)
        self.title, self.said = "", ""
        self.fan = Fan()
        self.labels: tuple[tuple[int, str], ...] = ()

    def show(self, title: str, said: str, fan: Fan, labels: Sequence[tuple[int, str]]) -> None:
        """Show a fan; `said` is its end in words, `labels` are written below their days."""
        self.title, self.said, self.fan, self.labels = title, said, fan, tuple(labels)
        self.again()

    def lines(self, width: int, height: int) -> list[Line]:
        """Draw the title, what it says, the plot with its scale, the days, and what is what."""
        found: list[Line] = [[(fit(plain(self.title), width, right=False), "title")]]
        if self.said:
            found.append([(fit(plain(self.said), width, right=False), "")])
        rows, columns = height - len(found) - 2, width - LEFT
        if not self.fan.every or rows < 2 or columns < 2 * LEAST_BAR:  # noqa: PLR2004 (two lines are no plot)
            return found
        plot = _Plot(self.fan, columns, rows, ascii=self.ascii)
        found += [[(_scale(plot, row), "dim"), *plot.line(row)] for row in range(rows)]
        return [*found, self._days(plot), self._legend(width)]

    def _days(self, plot: _Plot) -> Line:
        text, end = " " * LEFT, LEFT
        for day, label in self.labels:
            column = LEFT + plot.column(day)
            if column >= end and column + len(label) <= LEFT + plot.columns:
                text = text.ljust(column) + label
                end = column + len(label) + 1
        return [(text, "dim")]

    def _legend(self, width: int) -> Line:
        here = self.fan
        named = [
            ("known", _("known"), here.known),
            ("median", _("median"), here.median),
            ("band", _("80% band"), here.low),
            ("other", _("median of B"), here.other),
            ("pace", _("expected"), here.pace),
        ]
        line: Line = []
        left = width
        for name, word, points in named:
            mark = MARKS[name][self.ascii]
            taken = rich.cells.cell_len(word) + 4
            if points and taken <= left:
                line += [(mark, "" if name == "median" else name), (f" {word}  ", "dim")]
                left -= taken
        return line


def _scale(plot: _Plot, row: int) -> str:
    """Write the share that lies in a line of the plot, where it is a whole number of steps of the scale."""
    step = 0.5 if plot.rows < TALL else 0.25
    low, high = (plot.top * (plot.rows - row - side) / plot.rows for side in (1, 0))
    ticks = [number * step for number in range(int(plot.top / step) + 1) if low <= number * step < high]
    return (f"{ticks[0]:.0%} " if ticks else "").rjust(LEFT)


class _Plot:
    """Where points are, in cells of a plot."""

    def __init__(self, fan: Fan, columns: int, rows: int, *, ascii: bool) -> None:  # noqa: A002 (what it is)
        days = [day for day, _share in fan.every]
        self.fan, self.columns, self.rows, self.ascii = fan, columns, rows, ascii
        self.first, self.last = min(days), max(*days, min(days) + 1)
        top = max(1.0, *(share for _day, share in fan.every)) * 1.02
        self.top = min(top, TOP)

    def column(self, day: int) -> int:
        """Return the column of a day."""
        return round((day - self.first) / (self.last - self.first) * (self.columns - 1))

    def height(self, share: float) -> float:
        """Return how many lines above the bottom a share is."""
        return max(0.0, min(share, self.top)) / self.top * self.rows

    def line(self, row: int) -> Iterator[Piece]:
        """Draw a line, counted from above."""
        bottom = self.rows - 1 - row
        return (self._cell(column, bottom) for column in range(self.columns))

    def _at(self, points: Sequence[Point], column: int) -> float | None:
        """Return how high the line through points is in a column; None before its first and after its last."""
        if not points or not self.column(points[0][0]) <= column <= self.column(points[-1][0]):
            return None
        day = self.first + column / max(self.columns - 1, 1) * (self.last - self.first)
        before = points[0]
        for each in points:
            if each[0] >= day:
                span = each[0] - before[0]
                share = each[1] if not span else before[1] + (each[1] - before[1]) * (day - before[0]) / span
                return self.height(share)
            before = each
        return self.height(before[1])

    def _on(self, points: Sequence[Point], column: int, bottom: int) -> bool:
        height = self._at(points, column)
        return height is not None and min(int(height), self.rows - 1) == bottom

    def _cell(self, column: int, bottom: int) -> Piece:
        """Draw a cell: what is known first, then medians, then the pace, and the band below them."""
        low, high = self._at(self.fan.low, column), self._at(self.fan.high, column)
        covered = (0.0, 0.0)
        if low is not None and high is not None:
            covered = (max(low - bottom, 0.0), min(high - bottom, 1.0))
        inside = covered[1] - covered[0] >= 0.5  # noqa: PLR2004 (half a cell or more)
        for name in ("known", "median", "other", "pace"):
            points = getattr(self.fan, name)
            if name == "known" and not any(self.column(day) == column for day, _share in points):
                continue
            if self._on(points, column, bottom):
                mark = MARKS[name][self.ascii]
                return mark, "over" if name == "median" and inside else "" if name == "median" else name
        return self._shade(*covered, inside=inside)

    def _shade(self, low: float, high: float, *, inside: bool) -> Piece:
        """Draw a cell of the band: whole, or from its bottom up to an eighth, or its upper half."""
        if self.ascii:
            return (MARKS["band"][1] if inside else " "), "band"
        if high <= low:
            return " ", ""
        if low <= 0:
            return LOWER[max(0, min(8, round(high * 8)))], "band"
        return ("▀" if inside else " "), "band"


def points(pairs: Sequence[tuple[Any, float | None]]) -> list[Point]:
    """Return dates and shares as points; where nothing is known there is none."""
    return [(day.toordinal(), share) for day, share in pairs if share is not None]
