"""The numeric analysis of a table: gaps, overlaps, rows that nothing reaches, cliffs, each with an example.

The bounds that a table names cut every column into elementary cells: a bound itself, what lies between two bounds, what
lies beyond the last. No condition tells two values of one cell apart, so a value of each cell stands for it, and the
product of the columns' cells is every case there is. Nothing is sampled and nothing is guessed.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product
from math import ceil, floor, prod
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from attrs import define

from kpi_scorecard.texts import _, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from kpi_scorecard.columns import Column
    from kpi_scorecard.conditions import Example, Term

MOST_CELLS: Final = 1_000_000
"""More cases than this are not analysed: a table that large is one problem."""

NEAR: Final = Fraction(1, 10**9)
"""How close below or above a bound an example for a cliff lies where a column has no steps of its own."""


@define(frozen=True)
class Cell:
    """An elementary part of a column: a value that stands for all of it, and how it is written.

    `low` and `high` are its ends, equal for a single value, None where there is no end; words have neither.
    """

    example: Example
    low: Fraction | None = None
    high: Fraction | None = None

    @property
    def single(self) -> bool:
        """Whether it is a single number."""
        return self.low is not None and self.low == self.high


@define(frozen=True)
class Axis:
    """A column with its cells, in order. `step` is the distance of its values, None where there is any number."""

    column: Column
    cells: tuple[Cell, ...]
    step: Fraction | None = None


@define(frozen=True)
class Box:
    """A region of cases: for each axis a first and a last cell, both inclusive."""

    spans: tuple[tuple[int, int], ...]


@define(frozen=True)
class Finding:
    """What the analysis found: of which row (counted from 0; None for the whole table), against which other row, and
    where. `region` is written for people; `example` is one case of it by column.
    """

    kind: Literal["gap", "overlap", "unreachable", "impossible", "cliff"]
    row: int | None
    other: int | None
    region: str
    example: Mapping[str, Example]


class TooManyCellsError(Exception):
    """A table with more cases than are analysed."""


def axes_of(
    rows: Sequence[Sequence[Term]],
    domain: Sequence[Term],
    steps: Mapping[str, Fraction],
    floors: Mapping[str, Fraction],
) -> tuple[Axis, ...]:
    """Cut the columns of a table into cells.

    Args:
        rows: the terms of each row.
        domain: what the inputs can be; cells outside are left out.
        steps: the distance of a column's values, of those that have one.
        floors: the least value of a column, of those that have one.
    """
    terms: dict[str, list[Term]] = {}
    for term in (*(term for row in rows for term in row), *domain):
        terms.setdefault(term.column.name, []).append(term)
    limits: dict[str, list[Term]] = {}
    for term in domain:
        limits.setdefault(term.column.name, []).append(term)
    found = []
    for name, of_column in terms.items():
        step, least = steps.get(name), floors.get(name)
        cells = [
            cell
            for cell in _cells(of_column, step, least)
            if all(term.holds(cell.example) for term in limits.get(name, ()))
        ]
        found.append(Axis(of_column[0].column, tuple(cells), step))
    return tuple(found)


def _cells(terms: Sequence[Term], step: Fraction | None, least: Fraction | None) -> list[Cell]:
    if any(isinstance(term.value, frozenset) for term in terms):
        words = sorted({word for term in terms if isinstance(term.value, frozenset) for word in term.value})
        return [*map(Cell, words), Cell(None)]
    if any(isinstance(term.value, bool) for term in terms):
        return [Cell(example=False), Cell(example=True)]
    named = {term.value for term in terms if isinstance(term.value, Fraction)}
    bounds = sorted(named if least is None else named | {least})
    found: list[Cell | None] = [] if least is not None else [_open(None, bounds[0], step)]
    for low, high in pairwise((*bounds, None)):
        if low is not None:
            on_step = step is None or low % step == 0
            found += [Cell(low, low, low) if on_step else None, _open(low, high, step)]
    return [cell for cell in found if cell is not None and (least is None or cell.low is None or cell.low >= least)]


def _open(low: Fraction | None, high: Fraction | None, step: Fraction | None) -> Cell | None:
    """Return the cell between two bounds, both excluded, or None where no value lies there."""
    apart = step or Fraction(1)
    if low is not None and (high is None or step is not None):
        example = (floor(low / apart) + 1) * apart
        return Cell(example, low, high) if high is None or example < high else None
    if low is None:
        assert high is not None  # noqa: S101 (there is at least one bound)
        return Cell((ceil(high / apart) - 1) * apart, low, high)
    assert high is not None  # noqa: S101 (as above)
    return Cell(_short_between(low, high), low, high)


def _short_between(low: Fraction, high: Fraction) -> Fraction:
    """Return a decimal between two others, of as few places as there is one, near the middle."""
    middle = (low + high) / 2
    places = 0
    while True:
        near = Fraction(round(middle * 10**places), 10**places)
        if low < near < high:
            return near
        places += 1


def masks(axes: Sequence[Axis], terms: Sequence[Term]) -> list[NDArray[np.bool_]]:
    """Return for each axis which of its cells the terms allow."""
    found = []
    for axis in axes:
        mine = [term for term in terms if term.column.name == axis.column.name]
        found.append(np.array([all(term.holds(cell.example) for term in mine) for cell in axis.cells]))
    return found


def _outer(parts: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    grid: NDArray[np.bool_] = np.ones((), dtype=bool)
    for part in parts:
        grid = grid[..., np.newaxis] & part
    return grid


@define(frozen=True, eq=False)
class Analysis:
    """A table taken apart: its axes, which row counts in each case (0 for none, else from 1), and what was found."""

    axes: tuple[Axis, ...]
    winner: NDArray[np.int64]
    findings: tuple[Finding, ...]


def analyse(
    axes: Sequence[Axis], rows: Sequence[Sequence[Term]], results: Sequence[object], *, first: bool = False
) -> Analysis:
    """Find what is wrong with a table.

    Args:
        axes: its columns, from `axes_of`.
        rows: the terms of each row.
        results: what each row gives; rows that overlap and give the same do not contradict each other.
        first: whether of several rows that hold the first counts, so that overlaps are meant.

    Raises:
        TooManyCellsError: there are more than `MOST_CELLS` cases.
    """
    if prod(len(axis.cells) for axis in axes) > MOST_CELLS:
        raise TooManyCellsError
    winner = np.zeros([len(axis.cells) for axis in axes], dtype=np.int64)
    findings: list[Finding] = []
    for number, row in enumerate(rows):
        here = _outer(masks(axes, row))
        free = here & (winner == 0)
        taken = np.unique(winner[here & (winner > 0)]).tolist()
        if not here.any():
            findings.append(Finding("impossible", number, None, _written(row), {}))
        elif not first and (others := [each for each in taken if results[each - 1] != results[number]]):
            for other in others:
                cases = here & (winner == other)
                box = next(boxes(cases))
                findings.append(Finding("overlap", number, other - 1, region(axes, box), example(axes, box)))
        elif not free.any():
            text = region(axes, next(boxes(here)))
            case = example(axes, next(boxes(here & (winner == taken[0]))))
            findings.append(Finding("unreachable", number, taken[0] - 1, text, case))
        winner[free] = number + 1
    findings += [Finding("gap", None, None, region(axes, box), example(axes, box)) for box in boxes(winner == 0)]
    return Analysis(tuple(axes), winner, tuple(findings))


def cliffs(analysis: Analysis, points: Sequence[Fraction], more_than: Fraction) -> Iterator[Finding]:
    """Give the greatest jump at each bound between neighbouring cases of different rows.

    `row` is the row on the upper side, `other` the one on the lower; the example is the case on the upper side, and the
    region says both.
    """
    base = len(points) + 1
    for place, axis in enumerate(analysis.axes):
        if not axis.column.numeric:
            continue
        for here in range(len(axis.cells) - 1):
            below, above = (np.asarray(np.take(analysis.winner, cell, axis=place)) for cell in (here, here + 1))
            pairs = np.unique((below * base + above)[(below > 0) & (above > 0)]).tolist()
            jumps = [(abs(points[pair % base - 1] - points[pair // base - 1]), -pair) for pair in pairs]
            size, pair = max(jumps, default=(Fraction(0), 0))
            if size > more_than:
                (at, *_rest) = np.argwhere(below * base + above == -pair)
                yield _cliff(analysis, place, here, tuple(int(part) for part in at), points)


def _cliff(analysis: Analysis, place: int, here: int, at: tuple[int, ...], points: Sequence[Fraction]) -> Finding:
    axis = analysis.axes[place]
    around = list(at)
    cases = []
    for cell in (here, here + 1):
        index = (*around[:place], cell, *around[place:])
        cases.append((index, int(analysis.winner[index])))
    sides = _sides(axis, here)
    name = axis.column.name
    at_value = _("{points} points at {name} = {value}")
    told = [
        at_value.format(points=shown(points[row - 1]), name=name, value=write(axis, side))
        for side, (_index, row) in zip(sides, cases, strict=True)
    ]
    others = {
        other.column.name: other.cells[part].example
        for other, part in zip(analysis.axes, cases[1][0], strict=True)
        if other is not axis
    }
    text = "; ".join(told) + "".join(f", {written(analysis.axes, key, value)}" for key, value in others.items())
    return Finding("cliff", cases[1][1] - 1, cases[0][1] - 1, text, {**others, name: sides[1]})


def _sides(axis: Axis, here: int) -> tuple[Fraction, Fraction]:
    """Return a value on each side of the border between a cell and the next, as close as the column allows."""
    low, high = axis.cells[here], axis.cells[here + 1]
    assert isinstance(low.example, Fraction)  # noqa: S101 (a numeric axis)
    assert isinstance(high.example, Fraction)  # noqa: S101 (as above)
    if axis.step is not None:
        below = low.example if low.single else (ceil((low.high or high.example) / axis.step) - 1) * axis.step
        return below, high.example
    if high.single:
        room = high.example - (low.low if low.low is not None else high.example - 1)
        return high.example - min(NEAR, room / 2), high.example
    room = (high.high if high.high is not None else low.example + 1) - low.example
    return low.example, low.example + min(NEAR, room / 2)


def boxes(cases: NDArray[np.bool_]) -> Iterator[Box]:
    """Cut a set of cases into boxes that do not overlap: along the first axis, neighbours that are alike together."""
    if cases.ndim == 0:
        if cases:
            yield Box(())
        return
    start = 0
    for here in range(1, len(cases) + 1):
        if here == len(cases) or not np.array_equal(cases[here], cases[start]):
            yield from (Box(((start, here - 1), *box.spans)) for box in boxes(cases[start]))
            start = here


def example(axes: Sequence[Axis], box: Box) -> dict[str, Example]:
    """Return one case of a region, by column."""
    return {axis.column.name: axis.cells[low].example for axis, (low, _high) in zip(axes, box.spans, strict=True)}


def region(axes: Sequence[Axis], box: Box) -> str:
    """Write a region: `0.8 < completion < 0.9, kind = department`; columns that are in it as a whole are left out."""
    parts = [
        _span(axis, low, high)
        for axis, (low, high) in zip(axes, box.spans, strict=True)
        if (low, high) != (0, len(axis.cells) - 1)
    ]
    return ", ".join(parts) or _("any case")


def _span(axis: Axis, first: int, last: int) -> str:
    name, low, high = axis.column.name, axis.cells[first], axis.cells[last]
    if not axis.column.numeric:
        return f"{name} = " + _(" or ").join(write(axis, cell.example) for cell in axis.cells[first : last + 1])
    if low.single and first == last:
        return f"{name} = {write(axis, low.low)}"
    least = None if low.low is None else write(axis, low.low)
    most = None if high.high is None else write(axis, high.high)
    if most is None:
        return f"{name} {'>=' if low.single else '>'} {least}"
    upper = f"{name} {'<=' if high.single else '<'} {most}"
    return upper if least is None else f"{least} {'<=' if low.single else '<'} {upper}"


def write(axis: Axis, value: Example) -> str:
    """Write a value of a column for people: money as an amount, words as they are."""
    if value is None:
        return _("any other")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return f"{shown(value / 100)}元" if axis.column.sort == "money" else shown(value)


def written(axes: Sequence[Axis], name: str, value: Example) -> str:
    """Write a value of a column with its name."""
    (axis,) = (each for each in axes if each.column.name == name)
    return f"{name} = {write(axis, value)}"


def _written(row: Sequence[Term]) -> str:
    names = dict.fromkeys(term.column.name for term in row)
    return ", ".join(names)


def cases_of(analysis: Analysis) -> Iterator[tuple[dict[str, Example], int]]:
    """Give every elementary case with the row that counts there (0 for none, else from 1)."""
    for index in product(*(range(len(axis.cells)) for axis in analysis.axes)):
        values = {axis.column.name: axis.cells[part].example for axis, part in zip(analysis.axes, index, strict=True)}
        yield values, int(analysis.winner[index])
