"""Tables of sizes: log-normal multiples of a mean, in cells that are equally likely."""

from __future__ import annotations

from functools import cache
from math import exp, fsum
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Real = NDArray[np.float64]

CELLS: Final = 4096
STEPS: Final = 16
"""Standard deviations of a logarithm are rounded to whole parts of this many."""

MOST_DEVIATION: Final = 2.5
_FINE: Final = 2.0**24


@cache
def _normal() -> tuple[list[float], list[float]]:
    """Return normal quantiles in the middle of each cell, and of each part of the last cell."""
    of = NormalDist().inv_cdf
    whole = [of((cell + 0.5) / CELLS) for cell in range(CELLS)]
    return whole, [of(1 - (CELLS - cell - 0.5) / CELLS**2) for cell in range(CELLS)]


@cache
def lognormal(step: int) -> tuple[Real, Real]:
    """Return a table of log-normal multiples of mean 1 and its divided last cell.

    The standard deviation of the logarithm is `step` `STEPS`ths. Values are rounded to 2**-24, so that a mathematical
    library that rounds its last digit differently gives the same bits.
    """
    deviation = step / STEPS
    cells, tail = ([exp(deviation * z) for z in part] for part in _normal())
    mean = (fsum(cells[:-1]) + fsum(tail) / CELLS) / CELLS
    cells[-1] = fsum(tail) / CELLS
    return tuple(np.array([round(each / mean * _FINE) / _FINE for each in part]) for part in (cells, tail))  # type: ignore[return-value]  # two


def deviation_steps(squared_variation: Real) -> NDArray[np.int64]:
    """Return the steps of `lognormal` for a squared coefficient of variation, sigma**2 = log(1 + cv**2)."""
    deviation = np.sqrt(np.log1p(np.maximum(squared_variation, 0.0)))
    steps: NDArray[np.int64] = np.rint(np.minimum(deviation, MOST_DEVIATION) * STEPS).astype(np.int64)
    return steps


def lognormal_tables(steps: NDArray[np.int64]) -> tuple[Real, Real, NDArray[np.int64]]:
    """Return the tables of all steps that occur, their tails, and of each the row that it is in."""
    used, rows = np.unique(steps, return_inverse=True)
    tables = [lognormal(int(step)) for step in used]
    return np.stack([table for table, _tail in tables]), np.stack([tail for _table, tail in tables]), rows
