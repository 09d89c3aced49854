"""How good forecasts were: sampled distributions held against what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import define

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Real = NDArray[np.float64]

LEVELS: Final = (50, 80, 95)
"""Bands in percent: from the quantile of half of what is left out to that of one less it."""

_LOW: Final = 24  # bits of a number's lower part


@define(frozen=True, eq=False)
class Verdict:
    """Sampled distributions against what came, one number for each case.

    Attributes:
        mean: of the draws.
        median: the least draw that half of them do not exceed.
        low, high: by level (`LEVELS`) the ends of the band, each of them one of the draws.
        crps: the continuous ranked probability score.
        below, up_to: the shares of the draws below what came, and not above it.
    """

    mean: Real
    median: Whole
    low: dict[int, Whole]
    high: dict[int, Whole]
    crps: Real
    below: Real
    up_to: Real


def judged(draws: Whole, came: Whole) -> Verdict:
    """Judge sampled distributions.

    Args:
        draws: cases x draws.
        came: what came, one number for each case.
    """
    ordered = np.sort(draws, axis=1)
    many = draws.shape[1]
    low = {level: ordered[:, _place(1000 - 10 * level, 2000, many)] for level in LEVELS}
    high = {level: ordered[:, _place(1000 + 10 * level, 2000, many)] for level in LEVELS}
    return Verdict(
        mean=ordered.sum(axis=1) / many,
        median=ordered[:, _place(1, 2, many)],
        low=low,
        high=high,
        crps=crps(ordered, came),
        below=(ordered < came[:, None]).sum(axis=1) / many,
        up_to=(ordered <= came[:, None]).sum(axis=1) / many,
    )


def crps(ordered: Whole, came: Whole) -> Real:
    """Return the continuous ranked probability score of sampled distributions, by the unbiased ("fair") estimator.

    With draws x(1) <= ... <= x(m) and y what came, it is

        sum |x(i) - y| / m  -  sum (2i - m - 1) x(i) / (m (m - 1)),

    whose second sum over sorted draws is half the sum of |x(i) - x(j)| over all pairs. Divided by m (m - 1) and not by
    m**2, its expectation is the score of the distribution that was drawn from, however few draws there are (Gneiting
    and Raftery, "Strictly proper scoring rules", 2007; Ferro, "Fair scores for ensemble forecasts", 2014). Both sums
    are made in whole numbers. Of one draw, a point, it is the absolute error.

    Args:
        ordered: cases x draws, ascending.
        came: what came, one number for each case.
    """
    many = ordered.shape[1]
    off: Real = np.abs(ordered - came[:, None]).sum(axis=1) / many
    if many == 1:
        return off
    # The weights add up to 0, so that the least draw can be taken off; parts of both halves fit into 64 bits.
    weights = 2 * np.arange(1, many + 1) - many - 1
    above = ordered - ordered[:, :1]
    lower = (above & ((1 << _LOW) - 1)) @ weights
    upper = (above >> _LOW) @ weights
    spread = (upper * float(1 << _LOW) + lower) / (many * (many - 1))
    score: Real = off - spread
    return score


def inside(verdict: Verdict, level: int) -> Real:
    """Return how much of each case its band holds.

    What came stands among the draws not at a place but, where draws equal it, at all places from `below` to `up_to`:
    counted is the part of them in the band (the nonrandomised integral transform of Czado, Gneiting and Held,
    "Predictive model assessment for count data", 2009). Without equal draws that is 1 or 0, and whether a band's ends
    are counted in makes no difference; with them, a band of 80% that is right holds 80% all the same.
    """
    out = (100 - level) / 200
    held = np.minimum(verdict.up_to, 1 - out) - np.maximum(verdict.below, out)
    width = verdict.up_to - verdict.below
    at = (verdict.below >= out) & (verdict.below < 1 - out)
    return np.where(width > 0, np.clip(held, 0, None) / np.where(width > 0, width, 1), at)


def _place(part: int, whole: int, many: int) -> int:
    """Return the place of a quantile among sorted draws: the least that `part` of `whole` of them do not exceed."""
    return max(-(-part * many // whole) - 1, 0)
