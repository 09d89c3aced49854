"""The batch by hand in NumPy, with what a scorecard and a bulletin add: all six policies on.

As `numpy_plain`, whose months it goes through; every line is again an operation over all units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.peers import numpy_plain
from benchmarks.year import BULLETIN, GROUPS, PRIZE, PRIZES, RED_LIST, VETO, YEAR_END

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.peers.numpy_plain import Year
    from benchmarks.year import Outcome, Population, Terms

FULL, PER_STEP, MOST = 100, 10, 20


def run(population: Population, terms: Terms) -> Outcome:
    """Compute the batch."""

    def more(year: Year, month: int, completion: NDArray[np.float64], gap: NDArray[np.float64]) -> None:
        year.record(month, BULLETIN, "issued", gap > 0)
        if month == YEAR_END:
            vetoed = completion < 1
            year.record(month, VETO, "issued", vetoed)
            score = points(population.credited[-1], population.quota)
            year.record(month, RED_LIST, "issued", ~vetoed & (score >= FULL + MOST))
            year.record(month, PRIZE, "issued", ~vetoed & (rank(score, population.group, ~vetoed) <= PRIZES))

    return numpy_plain.run(population, terms, more)


def points(credited: NDArray[np.int64], quota: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 100 points for the task, 1 more for each whole 10% over it, 20 at most; 1 less for each whole 1% short."""
    over = credited - quota
    steps = np.minimum(over * PER_STEP // quota, MOST)
    short = -over * FULL // quota
    return np.where(over >= 0, FULL + steps, FULL - short)


def rank(score: NDArray[np.int64], group: NDArray[np.uint8], among: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return 1 + the units of the same group with a higher score; only some units are ranked."""
    ranks = np.full(len(score), len(score), dtype=np.int64)
    for each in range(len(GROUPS)):
        own = np.flatnonzero((group == each) & among)
        ordered = np.sort(score[own])
        ranks[own] = 1 + len(own) - np.searchsorted(ordered, score[own], side="right")
    return ranks
