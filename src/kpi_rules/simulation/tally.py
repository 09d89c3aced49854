"""Counts and sums over draws: whole numbers alone, so that the order in which chunks come in changes nothing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import define, evolve

from kpi_rules.simulation.bins import BINS, Bins, blocks, counted
from kpi_rules.simulation.traces import MONEY

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from kpi_rules.simulation.traces import Traces

    Whole = NDArray[np.int64]

TOTALS: Final = ("met", *MONEY)
"""What is known of every draw as a whole: how many units met the task at the last tick, and fen over all units."""


@define(frozen=True)
class Extent:
    """How much is kept: whether completion is binned at every tick or at the last alone, and whether the last tick's
    amounts are kept as they are.
    """

    every_tick: bool
    exact: bool

    @classmethod
    def of(cls, units: int, ticks: int, draws: int) -> Extent:
        """Return what fits: bins up to some 20 million cells, amounts up to 10,000 draws."""
        return cls(units * ticks * BINS <= MOST_CELLS, draws <= EXACT_DRAWS and units * draws <= MOST_CELLS)


EXACT_DRAWS: Final = 10_000
"""Up to so many draws quantiles are those of the amounts themselves; beyond, of the bins."""

MOST_CELLS: Final = 20_000_000
"""The most numbers of one kind that are kept, some 160 MB."""


@define(eq=False)
class Tally:
    """What is known of some draws. Arrays by tick, unit or rule; `rules` are all, in code-point order.

    Attributes:
        draws: which, as ranges that do not overlap.
        met: ticks x units, draws in which the task was met.
        amounts: ticks x units, sums of the primary indicator.
        binned: completion at each tick, or at the last alone.
        last: units x draws of the last tick's primary indicator, where it is kept.
        hit: by rule, draws in which its measure was in force or issued, per unit.
        months: by rule with a state, units x months: draws in which the measure lasted so many months.
        money: by kind, sums per unit.
        totals: by name (`TOTALS`), one number a draw.
    """

    draws: list[tuple[int, int]]
    met: Whole
    amounts: Whole
    binned: Bins
    last: list[Whole]
    hit: dict[str, Whole]
    months: dict[str, Whole]
    money: dict[str, Whole]
    totals: dict[str, list[Whole]]

    @classmethod
    def of(cls, traces: Traces, months: int, extent: Extent) -> Tally:
        """Count what became of the draws of one chunk; `months` is how many month-ends there are."""
        ticks = range(len(traces.primary))
        met = [traces.met(here) for here in ticks]
        binned = ticks if extent.every_tick else ticks[-1:]
        return cls(
            [traces.draws],
            np.stack([_true(each, 1) for each in met]),
            np.stack([each.sum(axis=1) for each in traces.primary]),
            Bins.of([traces.primary[here] for here in binned], [traces.quota[here] for here in binned]),
            [traces.primary[-1].copy()] if extent.exact else [],  # it is a part of what all ticks have
            {name: _true(each, 1) for name, each in sorted(traces.hit.items())},
            {name: _months(each, months) for name, each in sorted(traces.months.items())},
            {name: each.sum(axis=1) for name, each in traces.money.items()},
            {"met": [_true(met[-1], 0)]} | {name: [each.sum(axis=0)] for name, each in traces.money.items()},
        )

    @property
    def bins(self) -> NDArray[np.int32]:
        """How many draws fall into each bin: ticks x units x `BINS`, or the last tick alone."""
        return self.binned.counts

    def replaced(self, part: RuleTally) -> Tally:
        """Return the same draws with what is counted of some rules replaced."""
        return evolve(
            self,
            hit=self.hit | part.hit,
            months=self.months | part.months,
            money=self.money | part.money,
            totals=self.totals | part.ordered_totals(),
        )

    def add(self, other: Tally) -> None:
        """Take in other draws."""
        self.draws += other.draws
        self.met += other.met
        self.amounts += other.amounts
        self.binned.add(other.binned)
        self.last += other.last
        _add_up(self, other)

    def ordered(self) -> Tally:
        """Return the same with what is kept of each draw in the order of draws."""
        order = sorted(range(len(self.draws)), key=self.draws.__getitem__)
        last = [np.concatenate([self.last[place] for place in order], axis=1)] if self.last else []
        totals = {name: [np.concatenate([parts[place] for place in order])] for name, parts in self.totals.items()}
        span = (self.draws[order[0]][0], self.draws[order[-1]][1])
        return Tally([span], self.met, self.amounts, self.binned, last, self.hit, self.months, self.money, totals)

    def digest(self) -> str:
        """Return the SHA-256 of all of it, the same for any chunks, workers and machines."""
        found = hashlib.sha256(repr(self.draws).encode())
        for name, array in self._arrays():
            found.update(f"{name} {array.shape}".encode())
            found.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
        return found.hexdigest()

    def _arrays(self) -> Sequence[tuple[str, NDArray[np.integer]]]:
        by_name: Mapping[str, Mapping[str, Whole]] = {"hit": self.hit, "months": self.months, "money": self.money}
        return [
            ("met", self.met),
            ("amounts", self.amounts),
            ("bins", self.bins),
            *(("last", each) for each in self.last),
            *((f"{kind} {name}", each) for kind, arrays in by_name.items() for name, each in sorted(arrays.items())),
            *((name, each) for name, parts in sorted(self.totals.items()) for each in parts),
        ]


@define(eq=False)
class RuleTally:
    """What a tally says of some rules, and of some kinds of money, over some draws."""

    draws: list[tuple[int, int]]
    hit: dict[str, Whole]
    months: dict[str, Whole]
    money: dict[str, Whole]
    totals: dict[str, list[Whole]]

    @classmethod
    def of(cls, traces: Traces, months: int, kinds: Collection[str]) -> RuleTally:
        """Count what became of the draws of one chunk; `kinds` are those of money that the rules are all of."""
        return cls(
            [traces.draws],
            {name: _true(each, 1) for name, each in traces.hit.items()},
            {name: _months(each, months) for name, each in traces.months.items()},
            {name: traces.money[name].sum(axis=1) for name in kinds},
            {name: [traces.money[name].sum(axis=0)] for name in kinds},
        )

    def add(self, other: RuleTally) -> None:
        """Take in other draws."""
        self.draws += other.draws
        _add_up(self, other)

    def ordered_totals(self) -> dict[str, list[Whole]]:
        """Return the totals in the order of draws."""
        order = sorted(range(len(self.draws)), key=self.draws.__getitem__)
        return {name: [np.concatenate([parts[place] for place in order])] for name, parts in self.totals.items()}


def _add_up(mine: Tally | RuleTally, theirs: Tally | RuleTally) -> None:
    """Add what is counted by name."""
    for own, other in ((mine.hit, theirs.hit), (mine.months, theirs.months), (mine.money, theirs.money)):
        for name, each in other.items():
            own[name] += each
    for name, parts in theirs.totals.items():
        mine.totals[name] += parts


def _true(flags: NDArray[np.bool_], axis: int) -> Whole:
    """Count along an axis what is true; as the bytes they are, they are added up twice as fast."""
    found: Whole = np.add.reduce(flags.view(np.uint8), axis=axis, dtype=np.uint32).astype(np.int64)
    return found


def _months(months: NDArray[np.unsignedinteger], most: int) -> Whole:
    """Count for each unit the draws by months; 0 to `most`, both inclusive."""
    units, draws = months.shape
    return np.concatenate([counted(months[rows].astype(np.intp), most + 1) for rows in blocks(units, draws)])
