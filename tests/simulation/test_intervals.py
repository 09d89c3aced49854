"""Intervals of chances counted over draws: against known values, and how often they hold, exactly."""

from __future__ import annotations

from fractions import Fraction
from math import comb, sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.simulation.intervals import Z, moved, switched, wilson


def whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def test_the_quantile_is_that_of_the_normal_distribution() -> None:
    assert NormalDist().inv_cdf(0.975) == pytest.approx(Z, abs=1e-15)


@pytest.mark.parametrize(
    ("hits", "draws", "low", "high"),
    [
        (0, 10, 0.0, 0.2775328),
        (1, 10, 0.0178762, 0.4041500),
        (5, 10, 0.2365931, 0.7634069),
        (10, 10, 0.7224672, 1.0),
        (81, 263, 0.2552895, 0.3662037),  # Newcombe (1998), his method 3
        (15, 148, 0.0624, 0.1605),  # the same
        (0, 20, 0.0, 0.1611),  # the same
        (1, 29, 0.0061, 0.1718),  # the same
    ],
)
def test_wilson_is_as_published(hits: int, draws: int, low: float, high: float) -> None:
    share, lower, upper = wilson(whole(hits), draws)
    assert share[0] == hits / draws
    assert (lower[0], upper[0]) == pytest.approx((low, high), abs=6e-5)


@given(st.integers(1, 10**6), st.data())
def test_wilson_holds_the_share_and_solves_its_equation(draws: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, draws))
    (share,), (low,), (high,) = wilson(whole(hits), draws)
    assert 0 <= low <= share <= high <= 1
    for end in {low, high} - {0.0, 1.0}:
        assert abs(share - end) == pytest.approx(Z * sqrt(end * (1 - end) / draws), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("draws", [10, 50, 200])
def test_wilson_holds_in_about_95_of_100_cases(draws: int) -> None:
    """Exactly: by the chance of each number of hits, not by chance."""
    _share, low, high = wilson(np.arange(draws + 1), draws)
    held = []
    for percent in range(2, 99):
        chance = percent / 100
        held.append(
            sum(
                comb(draws, hits) * chance**hits * (1 - chance) ** (draws - hits)
                for hits in range(draws + 1)
                if low[hits] <= chance <= high[hits]
            )
        )
    assert sum(held) / len(held) == pytest.approx(0.95, abs=0.01)
    assert min(held) > 0.83


@pytest.mark.parametrize(
    ("a_only", "b_only", "draws", "low", "high"),
    [
        (0, 0, 10, 0.0, 0.0),
        (7, 7, 20, -0.3667, 0.3667),
        (2, 10, 100, 0.01394, 0.14606),  # 0.08 and 1.96 times the root of (0.12 - 0.0064) / 100
        (0, 100, 100, 1.0, 1.0),
        (100, 0, 100, -1.0, -1.0),
    ],
)
def test_switched_goes_by_the_draws_that_differ(a_only: int, b_only: int, draws: int, low: float, high: float) -> None:
    difference, lower, upper = switched(whole(a_only), whole(b_only), draws)
    assert difference[0] == (b_only - a_only) / draws
    assert (lower[0], upper[0]) == pytest.approx((low, high), abs=5e-5)


def test_switched_holds_in_about_95_of_100_cases() -> None:
    """Exactly, over every number of draws in which the one or the other alone holds."""
    draws, a_chance, b_chance = 60, 0.1, 0.25
    held = 0.0
    for a_only in range(draws + 1):
        b_only = np.arange(draws - a_only + 1)
        _difference, low, high = switched(np.full(len(b_only), a_only), b_only, draws)
        for number, lower, upper in zip(b_only.tolist(), low, high, strict=True):
            if lower <= b_chance - a_chance <= upper:
                same = draws - a_only - number
                ways = comb(draws, a_only) * comb(draws - a_only, number)
                held += ways * a_chance**a_only * b_chance**number * (1 - a_chance - b_chance) ** same
    assert held == pytest.approx(0.95, abs=0.015)


@given(st.lists(st.integers(-(10**13), 10**13), min_size=1, max_size=50))
def test_moved_is_the_mean_and_its_exact_variance(values: list[int]) -> None:
    squares = np.array([sum(value**2 for value in values)], dtype=object)
    (mean,), (low,), (high,) = moved(whole(sum(values)), squares, len(values))
    exact = Fraction(sum(values), len(values))
    variance = sum((value - exact) ** 2 for value in values) / len(values)
    half = Z * sqrt(variance / len(values))
    assert mean == float(exact)
    assert (low, high) == pytest.approx((mean - half, mean + half), rel=1e-12, abs=1e-12 * abs(mean))
    if len(set(values)) == 1:
        assert low == mean == high
