"""Three ways to lay a total on units for the year to come: by what they grew to, by equal chance, by capacity (M22).

Each gives weights whose proportion is that of the quotas; largest remainders make them whole, so that nothing is lost.
"""

from __future__ import annotations

from fractions import Fraction
from math import fsum
from typing import TYPE_CHECKING, Protocol

from attrs import define

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

PLACES = 10**6
"""Millionths: what a capacity, which is an estimate, is rounded to, in parts of a fen or one of a count."""


@define(frozen=True, eq=False)
class Laid:
    """What each unit is to bring before it is made whole: weights that add up to the total where they can, and the
    common rate: growth as a share, the chance, or nothing for capacity, of which there is one for each unit.
    """

    weights: tuple[Fraction, ...]
    rate: float | None


class Way(Protocol):
    """How a total, or a common rate, is laid on units."""

    def of_total(self, total: int) -> Laid | None:
        """Lay a total on the units; None where it is out of reach."""
        ...

    def of_rate(self, rate: Fraction) -> Laid:
        """Give every unit the same rate."""
        ...


@define(frozen=True, eq=False)
class ByGrowth:
    """What each unit was credited with last year, times one factor for all."""

    last: Whole

    def of_total(self, total: int) -> Laid | None:
        """Grow all alike to the total."""
        return self.of_rate(Fraction(total, int(self.last.sum())) - 1)

    def of_rate(self, rate: Fraction) -> Laid:
        """Grow all by a share."""
        return Laid(tuple(int(each) * (1 + rate) for each in self.last), float(rate))


@define(frozen=True, eq=False)
class ByChance:
    """What each unit brings in the same share of its futures. `ordered` is units x draws, descending."""

    ordered: Whole

    def of_total(self, total: int) -> Laid | None:
        """Find the one chance by bisection over the draws: the most of them in which all together bring the total.

        Between that number of draws and one more the quotas go on in a straight line, so that they add up; the chance
        of each is thus within one draw of that of the others, where no draws are equal.
        """
        draws = self.ordered.shape[1]
        low, high = 0, draws - 1  # the sum at `low` reaches the total, that at `high` does not
        if self._sum(low) < total:
            return None
        if self._sum(high) >= total:  # so little that it is met in every draw
            return Laid(tuple(Fraction(int(each)) for each in self.ordered[:, high]), 1.0)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._sum(middle) >= total else (low, middle)
        return self._between(low, Fraction(self._sum(low) - total, self._sum(low) - self._sum(high)))

    def of_rate(self, rate: Fraction) -> Laid:
        """Give all the quota that they meet with a chance."""
        place = max(rate * self.ordered.shape[1] - 1, Fraction(0))
        low = min(int(place), self.ordered.shape[1] - 2)
        return self._between(low, place - low)

    def _between(self, low: int, part: Fraction) -> Laid:
        """Return the quotas at a part of the way from a place to the next."""
        here, then = (self.ordered[:, place].tolist() for place in (low, low + 1))
        weights = tuple(a + (b - a) * part for a, b in zip(here, then, strict=True))
        return Laid(weights, float((low + 1 + part) / self.ordered.shape[1]))

    def _sum(self, place: int) -> int:
        return int(self.ordered[:, place].sum())


@define(frozen=True, eq=False)
class ByCapacity:
    """What each unit has, times what one of its kind brings in a year. `each` is that rate; `there` what units have."""

    each: Sequence[Fraction]
    there: Whole

    def of_total(self, total: int) -> Laid | None:
        """Lay the total in proportion to capacity."""
        of_all = self.of_rate(Fraction(0)).weights
        factor = Fraction(total) / sum(of_all)
        return Laid(tuple(each * factor for each in of_all), float(factor - 1))

    def of_rate(self, rate: Fraction) -> Laid:
        """Ask all for their capacity and a share more."""
        weights = (rate_of * int(there) for rate_of, there in zip(self.each, self.there, strict=True))
        return Laid(tuple(each * (1 + rate) for each in weights), float(rate))


def shrunk(last: Whole, there: Whole, variance: Sequence[float], group: Sequence[str | None]) -> tuple[Fraction, ...]:
    """Return what one of what a unit has brings in a year: its own figure, shrunk to that of its peer group.

    The figure of unit i is r(i) = last(i) / there(i), with variance s(i)^2 = variance(i) / there(i)^2; that of its
    group of n is m = sum last / sum there. How much its units truly differ is what their figures spread beyond those
    variances, t^2 = sum ((r(i) - m)^2 - s(i)^2) / (n - 1), 0 at the least. Then r(i) counts with weight
    t^2 / (t^2 + s(i)^2) and m with the rest (Morris, "Parametric empirical Bayes inference", JASA 1983; Buehlmann and
    Straub 1970). Units without a group are one group.

    Args:
        last: what units were credited with last year.
        there: what they have, such as staff; each above 0.
        variance: of a year of each unit, from its sampled futures.
        group: the peer group of each.

    Returns:
        Rates in whole millionths of a fen, or of one of a count.
    """
    found = [Fraction(0)] * len(last)
    for name in set(group):
        rows = [at for at, each in enumerate(group) if each == name]
        middle = int(last[rows].sum()) / int(there[rows].sum())
        own = {at: int(last[at]) / int(there[at]) for at in rows}
        noise = {at: variance[at] / int(there[at]) ** 2 for at in rows}
        spread = fsum((own[at] - middle) ** 2 - noise[at] for at in rows) / max(len(rows) - 1, 1)
        for at in rows:
            weight = spread / (spread + noise[at]) if spread > 0 else 0.0
            found[at] = Fraction(round((middle + weight * (own[at] - middle)) * PLACES), PLACES)
    return tuple(found)
