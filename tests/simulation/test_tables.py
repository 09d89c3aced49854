"""Tables of counts, periods and sizes against exact distributions."""

from __future__ import annotations

from fractions import Fraction
from math import exp, lgamma, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.simulation.tables import CELLS, COUNT_BITS, MOST, CountTables, as_cells, count_tables, period_table


def chances(shape: float, mean: float, most: int) -> np.ndarray:
    """Return the negative binomial chances of 0 to `most`, by logarithms of gamma functions."""
    q = mean / (mean + shape)
    logs = [
        lgamma(shape + i) - lgamma(shape) - lgamma(i + 1) + i * log(q) + shape * log(1 - q) for i in range(most + 1)
    ]
    return np.array([exp(each) for each in logs])


def thresholds(tables: CountTables, unit: int) -> np.ndarray:
    """Return a unit's thresholds without the last, which no word reaches."""
    end = tables.start[unit + 1] - 1 if unit + 1 < len(tables.start) else len(tables.thresholds) - 1
    return tables.thresholds[tables.start[unit] : end]


@pytest.mark.parametrize(("shape", "mean"), [(0.3, 2.0), (2.0, 4.0), (5.5, 40.0), (200.0, 12.0), (1.0, 300.0)])
def test_counts_have_their_chances(shape: float, mean: float) -> None:
    tables = count_tables(np.array([9.0, shape]), np.array([0.0, mean]))
    found = thresholds(tables, 1) / 2.0**COUNT_BITS
    exact = np.cumsum(chances(shape, mean, len(found) - 1))
    assert np.abs(found - exact).max() < 2e-9
    assert exact[-1] > 1 - 2.0**-30
    assert len(thresholds(tables, 0)) == 0


@given(
    st.lists(st.tuples(st.floats(0.05, 500), st.floats(0, 50)), min_size=1, max_size=6),
    st.integers(0, 2**COUNT_BITS - 1),
)
def test_a_search_may_begin_where_the_guide_says(units: list[tuple[float, float]], word: int) -> None:
    shape, mean = (np.array(each) for each in zip(*units, strict=True))
    tables = count_tables(shape, mean)
    for unit in range(len(units)):
        count = int((thresholds(tables, unit) <= word).sum())
        begun = tables.guide[unit, word >> (COUNT_BITS - tables.guide_bits)] - tables.start[unit]
        assert 0 <= begun <= count


def test_a_greater_mean_never_counts_fewer() -> None:
    means = np.linspace(0.0, 60.0, 121)
    tables = count_tables(np.full(len(means), 1.5), means)
    words = np.linspace(0, 2**COUNT_BITS - 1, 999).astype(np.int64)
    counts = np.array([np.searchsorted(thresholds(tables, unit), words, side="right") for unit in range(len(means))])
    assert (np.diff(counts, axis=0) >= 0).all()
    assert counts[-1].sum() > counts[0].sum() == 0


def test_units_have_the_same_table_beside_any_others() -> None:
    together = count_tables(np.array([0.4, 3.0, 80.0]), np.array([7.0, 0.5, 33.0]))
    for unit, (shape, mean) in enumerate([(0.4, 7.0), (3.0, 0.5), (80.0, 33.0)]):
        alone = count_tables(np.array([shape]), np.array([mean]))
        assert (thresholds(alone, 0) == thresholds(together, unit)).all()


def test_what_is_too_many_comes_in_bundles() -> None:
    tables = count_tables(np.array([50.0, 50.0]), np.array([MOST, 2.5 * MOST]))
    assert tables.bundle.tolist() == [1, 3]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30))
def test_periods_have_their_weights(weights: list[int]) -> None:
    table = period_table(np.array([weights], dtype=float))
    cells = np.bincount(table[0], minlength=len(weights))
    assert cells.sum() == CELLS
    if total := sum(weights):
        assert all(
            abs(Fraction(int(cell), CELLS) - Fraction(weight, total)) <= Fraction(1, CELLS)
            for cell, weight in zip(cells, weights, strict=True)
        )
    else:
        assert cells[-1] == CELLS


@pytest.mark.parametrize("cells", [1, 3, 4096, 10_000])
def test_any_number_of_cells_is_spread_evenly(cells: int) -> None:
    spread = as_cells(np.arange(cells, dtype=float)[None, :])
    assert spread.shape == (1, CELLS)
    assert abs(spread.mean() - (cells - 1) / 2) < max(1.0, cells / CELLS)
