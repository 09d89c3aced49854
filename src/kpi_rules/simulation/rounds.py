"""Rounds of visits: how much of what waits is confirmed in a month is drawn once for everybody (M14).

Site visits are made in rounds that confirm for many units in the same weeks. A month to come is therefore like one
seen, or like one to come that is drawn already, or like none of them: each month seen weighs one, each drawn before it
one, and one weighs what is made up, half no visit at all, half any share alike. That is a Polya urn (Blackwell and
MacQueen, "Ferguson distributions via Polya urn schemes", Annals of Statistics 1973), the predictive distribution of a
Dirichlet process: with few months seen it is wide, and stays so over the sum of months, as a future that begins with
few visits is likely to go on so.
"""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import define, evolve

from kpi_rules.forecasts.credibility import LITTLE, Groups
from kpi_rules.simulation.keys import bases, slot_words, stream_keys

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.simulation.visited import Visited

    Real = NDArray[np.float64]
    Rows = NDArray[np.int64]
    Words = NDArray[np.uint64]

LEVELS: Final = 32
"""Shares that a round confirms are told apart in as many steps."""

MADE_UP: Final = 1
"""Months seen that what is made up weighs as much as."""

ENOUGH: Final = 6
"""Months of a kind below which they say little of the rounds to come."""

MONTHS: Final = 3
"""Months without which nothing says whether visits come in rounds."""

_APART: Final = 4.0
"""How many times as much as by chance months have to differ for visits to come in rounds."""

_WORTH: Final = 4.0  # months that a group's ease is worth beside a unit's own, and all beside a group's
_MOST_EASE: Final = 8  # quarters of a doubling
_HALF: Final = np.uint64(31)


@define(frozen=True, eq=False)
class Rounds:
    """How rounds are drawn.

    Attributes:
        seen: for each kind of month the levels of those seen.
        kind: of each month to come its kind.
        slot: of each month to come its number.
        month: of each tick the month to come that it is in.
        ease: of each unit the row of `steps`.
        steps: eases x levels: the row of the shares' mean for a unit at a level.
        key: the one key of the stream.
    """

    seen: tuple[Rows, ...]
    kind: Rows
    slot: Rows
    month: Rows
    ease: Rows
    steps: Rows
    key: Words

    def of(self, units: Rows) -> Rounds:
        """Return the same of some units, any of them any number of times."""
        return evolve(self, ease=self.ease[units])

    def levels(self, draws: Words) -> Rows:
        """Return months to come x draws: the level of each month."""
        found = np.empty((len(self.kind), len(draws)), dtype=np.int64)
        size = (1, len(draws))
        based, words, scratch = (np.empty(size, dtype=np.uint64) for _each in range(3))
        bases(self.key, draws, based, scratch)
        everyone = np.arange(len(draws))
        for here, (kind, slot) in enumerate(zip(self.kind.tolist(), self.slot.tolist(), strict=True)):
            word = slot_words(based, slot, words, scratch)[0]
            seen, drawn = self.seen[kind], np.flatnonzero(self.kind[:here] == kind)
            known = len(seen) + len(drawn)
            which = ((word >> np.uint64(32)).view(np.int64) * (known + MADE_UP)) >> 32
            made_up = ((word & np.uint64(2**31 - 1)).view(np.int64) * LEVELS >> 31) + 1
            level = np.where((word >> _HALF) & np.uint64(1), made_up, 0)
            if len(seen):
                level = np.where(which < len(seen), seen[np.minimum(which, len(seen) - 1)], level)
            if len(drawn):
                of_drawn = found[drawn[np.clip(which - len(seen), 0, len(drawn) - 1)], everyone]
                level = np.where((which >= len(seen)) & (which < known), of_drawn, level)
            found[here] = level
        return found

    def expected(self, kind: int) -> float:
        """Return the mean share of a month of a kind, of a unit like most."""
        made_up = MADE_UP * (LEVELS + 1) / 4
        return (float(self.seen[kind].sum()) + made_up) / (len(self.seen[kind]) + MADE_UP) / LEVELS


def in_rounds(seen: Visited) -> bool:
    """Say whether visits come in rounds, or may: months differ by more than units within them do, or there are too few
    of them to tell.
    """
    months = len(seen.kind)
    if months < MONTHS or int((seen.share > 0).sum()) < LITTLE or len(seen.share) - months < LITTLE:
        return True
    number, mean = _by_month(seen)
    within = float(((seen.share - mean[seen.month]) ** 2).sum()) / (len(seen.share) - months)
    between = float((number * (mean - seen.share.mean()) ** 2).sum()) / (months - 1)
    return between > _APART * within


def _by_month(seen: Visited) -> tuple[Real, Real]:
    """Return the number of units and their mean share, by month."""
    months = len(seen.kind)
    number = np.bincount(seen.month, minlength=months).astype(np.float64)
    return number, np.bincount(seen.month, seen.share, minlength=months) / np.maximum(number, 1.0)


def rounds_of(
    seen: Visited, groups: Groups, units: int, ticks: Sequence[date], kinds: Sequence[int], seed: int
) -> Rounds:
    """Fit rounds to the months seen.

    Args:
        seen: the months.
        groups: peer groups of the units.
        units: how many there are.
        ticks: the days to come.
        kinds: of each the kind of its month.
        seed: what draws depend on.
    """
    _number, mean = _by_month(seen)
    level = np.rint(mean * LEVELS).astype(np.int64)
    slots, month = np.unique([tick.year * 12 + tick.month for tick in ticks], return_inverse=True)
    kind = np.zeros(len(slots), dtype=np.int64)
    kind[month] = kinds
    eases, ease = np.unique(_eases(seen, mean, groups, units), return_inverse=True)
    return Rounds(
        seen=tuple(level[seen.kind == each] for each in range(2)),
        kind=kind,
        slot=slots,
        month=month,
        ease=ease,
        steps=np.array([[_step(at, int(each)) for at in range(LEVELS + 1)] for each in eases]),
        key=stream_keys(seed, "rounds of visits", [""]),
    )


def _eases(seen: Visited, mean: Real, groups: Groups, units: int) -> Rows:
    """Return by how much visits confirm more for a unit than for others in the same months: quarters of a doubling of
    the odds, shrunk to its group and that to none.
    """
    rows = (mean > 0)[seen.month]
    unit, share, expected = seen.unit[rows], seen.share[rows], mean[seen.month[rows]]
    overall = (float(share.sum()) + 0.5) / (len(share) + 1.0)
    number, own, usual = (
        np.bincount(unit, each, minlength=units).astype(np.float64) for each in (np.ones(len(unit)), share, expected)
    )
    of_group = [(groups.sums(each) + _WORTH * overall) / (groups.sums(number) + _WORTH) for each in (own, usual)]
    found = [
        (each + _WORTH * group[groups.of]) / (number + _WORTH)
        for each, group in zip((own, usual), of_group, strict=True)
    ]
    odds = [np.clip(each, 0.02, 0.98) for each in found]
    ratio = (odds[0] / (1.0 - odds[0])) / (odds[1] / (1.0 - odds[1]))
    quarters = [round(4.0 * log2(each)) for each in ratio.tolist()]
    return np.clip(np.array(quarters, dtype=np.int64), -_MOST_EASE, _MOST_EASE)


def _step(level: int, ease: int) -> int:
    """Return the mean share, in steps of `LEVELS`, of a unit of an ease in a month of a level."""
    if level in {0, LEVELS}:
        return level
    odds: float = level / (LEVELS - level) * 2.0 ** (ease / 4)
    return round(LEVELS * odds / (1.0 + odds))
