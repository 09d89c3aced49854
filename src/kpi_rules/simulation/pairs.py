"""Two policies on the same futures: what differs, draw by draw, in whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define, field

from kpi_rules.simulation.traces import MONEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from typing import Any

    from numpy.typing import NDArray

    from kpi_rules.simulation.job import Job
    from kpi_rules.simulation.traces import Traces

    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Exact = NDArray[np.object_]

_LOW = 20  # bits of a number's lower part
_AT_ONCE = 2048  # numbers whose squares are summed before they become Python's


@define(eq=False)
class Switched:
    """In how many draws something holds for one variant alone, one number per unit."""

    a_only: Whole
    b_only: Whole

    @classmethod
    def of(cls, a: Flags, b: Flags) -> Switched:
        """Count over draws (units x draws)."""
        return cls((a & ~b).sum(axis=1), (b & ~a).sum(axis=1))

    def add(self, other: Switched) -> None:
        """Take in other draws."""
        self.a_only += other.a_only
        self.b_only += other.b_only


@define(eq=False)
class Moved:
    """What a number differs by, B less A, summed over draws, one per unit: the differences, and their squares exactly,
    as Python's whole numbers.
    """

    sums: Whole
    squares: Exact

    @classmethod
    def of(cls, a: NDArray[Any], b: NDArray[Any]) -> Moved:
        """Sum over draws (units x draws)."""
        difference = b.astype(np.int64) - a
        return cls(difference.sum(axis=1), _squares(difference))

    def add(self, other: Moved) -> None:
        """Take in other draws."""
        self.sums += other.sums
        self.squares += other.squares


def _squares(values: Whole) -> Exact:
    """Return the sums of squares along the last axis, exactly.

    Of a difference of two amounts a square has up to 92 bits; its parts have 52, and the sums of so many at once no 64.
    """
    total = np.zeros(len(values), dtype=object)
    for begin in range(0, values.shape[1], _AT_ONCE):
        some = values[:, begin : begin + _AT_ONCE]
        high, low = some >> _LOW, some & ((1 << _LOW) - 1)
        parts = ((high * high).sum(axis=1), (high * low).sum(axis=1), (low * low).sum(axis=1))
        first, second, third = (each.astype(object) for each in parts)
        total += (first << 2 * _LOW) + (second << _LOW + 1) + third
    return total


@define(eq=False)
class PairTally:
    """What differs between two variants over some draws.

    Attributes:
        draws: ranges that do not overlap.
        met: by day of a tick that both have, whether the task is met.
        hit: by rule of either, whether its measure was in force or issued.
        months: by rule with a state, how long it lasted.
        money: by kind, fen.
        totals: by name, the difference over all units, one number a draw.
    """

    draws: list[tuple[int, int]]
    met: dict[date, Switched]
    hit: dict[str, Switched]
    months: dict[str, Moved]
    money: dict[str, Moved]
    totals: dict[str, list[Whole]]

    def add(self, other: PairTally) -> None:
        """Take in other draws."""
        self.draws += other.draws
        for day, each in other.met.items():
            self.met[day].add(each)
        for rule, switched in other.hit.items():
            self.hit[rule].add(switched)
        for mine, theirs in ((self.months, other.months), (self.money, other.money)):
            for name, moved in theirs.items():
                mine[name].add(moved)
        for name, parts in other.totals.items():
            self.totals[name] += parts

    def total(self, name: str) -> Whole:
        """Return the differences over all units in the order of draws."""
        order = sorted(range(len(self.draws)), key=self.draws.__getitem__)
        return np.concatenate([self.totals[name][place] for place in order])


@define(frozen=True, eq=False)
class Pairing:
    """Work for `run`: two jobs on the same draws. `a_rows` and `b_rows` are the units that both have, in one order."""

    a: Job
    b: Job
    a_rows: Whole
    b_rows: Whole
    days: tuple[date, ...] = field(init=False)

    @days.default
    def _of_both(self) -> tuple[date, ...]:
        theirs = {tick.on for tick in self.b.ahead.ticks}
        return tuple(tick.on for tick in self.a.ahead.ticks if tick.on in theirs)

    @property
    def units(self) -> int:
        """How many units each draw has, in both variants together."""
        return self.a.units + self.b.units

    def run(self, low: int, high: int) -> PairTally:
        """Compare some draws."""
        a, b = self.a.run(low, high), self.b.run(low, high)
        nothing = np.zeros((len(self.a_rows), high - low), dtype=np.uint8)
        never = nothing.view(np.bool_)
        a_days, b_days = _numbered(self.a), _numbered(self.b)
        return PairTally(
            [(low, high)],
            {day: Switched.of(a.met(a_days[day])[self.a_rows], b.met(b_days[day])[self.b_rows]) for day in self.days},
            {
                rule: Switched.of(_rows(a.hit, rule, self.a_rows, never), _rows(b.hit, rule, self.b_rows, never))
                for rule in _either(a.hit, b.hit)
            },
            {
                rule: Moved.of(_rows(a.months, rule, self.a_rows, nothing), _rows(b.months, rule, self.b_rows, nothing))
                for rule in _either(a.months, b.months)
            },
            {kind: Moved.of(a.money[kind][self.a_rows], b.money[kind][self.b_rows]) for kind in MONEY},
            {"met": [_met(b) - _met(a)]}
            | {kind: [b.money[kind].sum(axis=0) - a.money[kind].sum(axis=0)] for kind in MONEY},
        )


def _met(traces: Traces) -> Whole:
    met: Whole = traces.met(len(traces.primary) - 1).sum(axis=0)
    return met


def _numbered(job: Job) -> dict[date, int]:
    return {tick.on: here for here, tick in enumerate(job.ahead.ticks)}


def _either(a: Iterable[str], b: Iterable[str]) -> list[str]:
    return sorted({*a, *b})


def _rows(arrays: Mapping[str, NDArray[Any]], rule: str, rows: Whole, none: NDArray[Any]) -> NDArray[Any]:
    """Return what is known of a rule for some units; of a rule that the variant lacks, that it never was."""
    return arrays[rule][rows] if rule in arrays else none
