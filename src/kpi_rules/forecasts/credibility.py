"""Credibility: what a unit's own history says, shrunk to its peer group, and that to all (empirical Bayes).

Rates follow the gamma-Poisson model with moments over units (Robbins 1956; Morris, "Parametric empirical Bayes
inference", JASA 1983), mean sizes the model of Buehlmann and Straub (1970). Everything is over all units at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import define

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Real = NDArray[np.float64]
    Rows = NDArray[np.int64]

LITTLE: Final = 10
"""Observations of a group below which it says little."""

VAGUE: Final = 0.5
"""Squared variation between units where nothing is known of it."""

_PRIOR: Final = 20.0  # expected observations that the vague value weighs as much as


@define(frozen=True, eq=False)
class Groups:
    """Peer groups by number; units without one are a group of their own, the last."""

    of: Rows
    count: int

    @classmethod
    def make(cls, group: Rows, groups: int) -> Groups:
        """Number the groups."""
        return cls(np.where(group >= 0, group, groups), groups + 1)

    def sums(self, values: Real) -> Real:
        """Add up values of units by group."""
        return np.bincount(self.of, values, minlength=self.count).astype(np.float64)


@define(frozen=True, eq=False)
class Shrunk:
    """What is expected of each unit and how sure that is.

    Attributes:
        mean: the expected value for each unit.
        variation: its squared coefficient of variation: what is not known of it.
        group: the expected value for each group.
        number: the observations of each group.
        overall: the expected value for all.
    """

    mean: Real
    variation: Real
    group: Real
    number: Real
    overall: float


def dispersion(counts: Real, shares: Real) -> float:
    """Return how much more the counts of a unit's months vary than by chance, 1 or more.

    Args:
        counts: units x months.
        shares: what part of a unit's counts is expected in each month.
    """
    total = counts.sum(axis=1, keepdims=True)
    chance = float((total * shares * (1 - shares)).sum())
    found = float(((counts - total * shares) ** 2).sum())
    return float(np.clip((found + 1.5 * _PRIOR) / (chance + _PRIOR), 1.0, 10.0))


def rates(number: Real, exposure: float, groups: Groups, active: NDArray[np.bool_], dispersed: float) -> Shrunk:
    """Return the rate of each unit for an exposure of 1.

    Counts that vary `dispersed` times as much as by chance tell as much as so many times fewer.
    """
    units = groups.sums(active.astype(np.float64))
    seen = groups.sums(np.where(active, number, 0.0))
    overall = (float(seen.sum()) + 0.5) / max(float(units.sum()) * exposure, 1e-9)
    told, spent = seen / dispersed, units * exposure / dispersed
    group = (told + 1.0) / (spent + 1.0 / overall)
    expected = np.where(active, group[groups.of] * exposure, 0.0)
    fewer = np.where(units > 1, units / np.maximum(units - 1, 1), 0.0)[groups.of]
    apart = np.where(active, (number - expected) ** 2 * fewer - dispersed * expected * (fewer > 0), 0.0)
    between = float(np.clip(_vague(apart.sum(), (expected**2 * (fewer > 0)).sum()), 0.01, 4.0))
    shape = 1.0 / between + number / dispersed
    mean = shape / (1.0 / (between * group[groups.of]) + exposure / dispersed)
    trust = 1.0 / (1.0 + exposure / dispersed * between * group[groups.of])
    of_group = dispersed / (seen + 0.5) + between / np.maximum(units, 1.0)
    return Shrunk(mean, 1.0 / shape + trust**2 * of_group[groups.of], group, seen, overall)


def _vague(apart: float, expected: float) -> float:
    return (float(apart) + VAGUE * _PRIOR) / (float(expected) + _PRIOR)


def sizes(amount: Real, squares: Real, number: Real, groups: Groups) -> tuple[Shrunk, Real]:
    """Return the mean size of each unit, and of each group the squared variation of single sizes.

    Args:
        amount: of each unit the sum of its sizes.
        squares: of each unit the sum of their squares.
        number: how many there are.
        groups: the peer groups.
    """
    total = float(number.sum())
    overall = float(amount.sum()) / total
    seen = groups.sums(number)
    variation_overall = max(float(squares.sum()) / total / overall**2 - 1.0, 0.0) if total > 1 else 1.0
    variation_overall = (variation_overall * total + LITTLE) / (total + LITTLE)
    of_group = (groups.sums(amount) + LITTLE * overall) / (seen + LITTLE)
    raw = np.where(seen > 0, groups.sums(squares) / np.maximum(seen, 1) / of_group**2 - 1.0, 0.0)
    variation = (np.maximum(raw, 0.0) * seen + 2 * LITTLE * variation_overall) / (seen + 2 * LITTLE)
    own = amount / np.maximum(number, 1.0)
    expected = of_group[groups.of]
    apart = np.where(number > 0, number * (own / expected - 1.0) ** 2 - variation[groups.of], 0.0)
    between = float(np.clip((apart.sum() + 0.1 * _PRIOR) / (total + _PRIOR), 0.005, 4.0))
    worth = variation[groups.of] / between
    mean = (amount + worth * expected) / (number + worth)
    unsure = variation[groups.of] / (number + worth)
    unsure = unsure + (worth / (number + worth)) ** 2 * (variation / (seen + 1.0))[groups.of]
    return Shrunk(mean, unsure, of_group, seen, overall), variation
