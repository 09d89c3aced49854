"""Tables that draws are looked up in: counts, periods, sizes.

They are made by additions, multiplications and divisions of doubles alone, which every machine rounds alike; so the
bits of a simulation do not depend on the processor or the mathematical library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import define

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Real = NDArray[np.float64]
    Rows = NDArray[np.int64]

CELLS: Final = 4096
"""Cells of a table that twelve bits of a word choose from."""

COUNT_BITS: Final = 31
"""Bits of a word that a number of arrivals is drawn by."""

MOST: Final = 600.0
"""The greatest expected number of arrivals that are drawn one by one; more are drawn in bundles."""

_TAIL: Final = 2.0**-34
_LEAST: Final = 1e-300


@define(frozen=True, eq=False)
class CountTables:
    """Inverse distribution functions of counts, one for each unit.

    `thresholds` has those of all units one after the other, each ended by one that no word reaches; unit u's begin at
    `start[u]`. The count of a word of `COUNT_BITS` bits is the number of thresholds not above it. `guide` has for each
    unit and each value of the first `guide_bits` bits the place where the search begins.
    """

    thresholds: Rows
    start: Rows
    guide: Rows
    guide_bits: int
    bundle: Rows


def count_tables(shape: Real, mean: Real) -> CountTables:
    """Return tables of negative binomial counts of these shapes and means; a mean of 0 gives 0.

    P(0) cancels: weights start anywhere and are divided by their sum. With w(0) given, w(i+1) = w(i) q (r+i)/(i+1),
    q = mean/(mean+r) (Johnson, Kemp and Kotz, Univariate Discrete Distributions, 2005, section 5.2).
    """
    bundle = np.maximum(1, np.ceil(mean / MOST)).astype(np.int64)
    mean = mean / bundle
    least = np.maximum(shape, 1e-3)
    unit, order, cumulated, total = _cumulated(least, mean)
    scaled = np.floor(cumulated / total[unit] * 2.0**COUNT_BITS + 0.5)
    below = scaled < 2.0**COUNT_BITS
    unit, order, scaled = unit[below], order[below], scaled[below]
    kept = np.bincount(unit, minlength=len(mean))
    start = np.cumsum(kept + 1) - (kept + 1)
    thresholds = np.full(len(unit) + len(mean), 2**COUNT_BITS, dtype=np.int64)
    thresholds[start[unit] + order] = scaled.astype(np.int64)
    bits = 10 if len(mean) <= CELLS else 6
    buckets = 2**bits
    # A search of words with these first bits may begin after the thresholds not above the least of them.
    bucket = -(-scaled.astype(np.int64) // 2 ** (COUNT_BITS - bits))
    inside = bucket < buckets
    before = np.bincount(unit[inside] * buckets + bucket[inside], minlength=len(mean) * buckets)
    guide = np.cumsum(before.reshape(len(mean), buckets), axis=1) + start[:, None]
    return CountTables(thresholds, start, guide, bits, bundle)


def _cumulated(shape: Real, mean: Real) -> tuple[Rows, Rows, Real, Real]:
    """Return unit, number and sum of the weights up to that number, and the sum of all weights of each unit."""
    odds = mean / (mean + shape)
    total = np.full(len(mean), _LEAST)
    active = np.flatnonzero(mean > 0)
    weight, cumulated = np.full(len(active), _LEAST), np.full(len(active), _LEAST)
    units, orders, sums = [np.arange(len(mean))], [np.zeros(len(mean), dtype=np.int64)], [total.copy()]
    at = 0
    while len(active):
        r, q = shape[active], odds[active]
        weight = weight * (q * (r + at) / (at + 1.0))
        cumulated = cumulated + weight
        total[active] = cumulated
        at += 1
        units.append(active)
        orders.append(np.full(len(active), at, dtype=np.int64))
        sums.append(cumulated)
        # Beyond the mode the weights fall at least as fast as a geometric series of the next ratio.
        ratio = q * (r + at) / (at + 1.0)
        falling = np.maximum(ratio, q)
        going = (falling >= 1.0) | (weight * falling > _TAIL * cumulated * (1.0 - falling))
        active, weight, cumulated = active[going], weight[going], cumulated[going]
    return np.concatenate(units), np.concatenate(orders), np.concatenate(sums), total


def period_table(seasons: Real) -> Rows:
    """Return for each season (rows of weights by period) the period of each of `CELLS` equally likely cells.

    A season without any weight puts everything into the last period.
    """
    sums = np.cumsum(seasons, axis=1)
    whole = sums[:, -1:]
    shares = np.where(whole > 0, sums / np.where(whole > 0, whole, 1.0), 0.0)
    edges = np.floor(shares * CELLS + 0.5).astype(np.int64)
    edges[:, -1] = CELLS
    cells = np.arange(CELLS)
    return np.stack([np.searchsorted(row, cells, side="right") for row in edges])


def as_cells(table: Real) -> Real:
    """Return tables of any number of cells as tables of `CELLS` cells."""
    cells = table.shape[1]
    at = (np.arange(CELLS) * cells + cells // 2) // CELLS if cells > CELLS else np.arange(CELLS) * cells // CELLS
    return np.ascontiguousarray(table[:, at])
