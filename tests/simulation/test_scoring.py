"""Scores of sampled distributions: against sums over all pairs in exact fractions, and laws of bands."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.model.money import LIMIT
from kpi_rules.simulation.scoring import LEVELS, inside, judged

amounts = st.lists(st.integers(0, 20) | st.integers(0, LIMIT), min_size=1, max_size=12)


@given(amounts, st.integers(0, LIMIT))
def test_the_score_is_that_over_all_pairs(draws: list[int], came: int) -> None:
    many = len(draws)
    expected = Fraction(sum(abs(each - came) for each in draws), many)
    if many > 1:
        expected -= Fraction(sum(abs(a - b) for a in draws for b in draws), 2 * many * (many - 1))
    found = judged(np.array([draws]), np.array([came])).crps[0]
    assert found == pytest.approx(float(expected), rel=1e-12, abs=LIMIT * 1e-15)


@given(st.integers(0, LIMIT), st.integers(0, LIMIT))
def test_a_point_scores_its_absolute_error(point: int, came: int) -> None:
    assert judged(np.array([[point]]), np.array([came])).crps.tolist() == [abs(point - came)]


def test_the_score_does_not_depend_on_the_number_of_draws() -> None:
    rng = np.random.default_rng(1)
    came = rng.integers(0, 1000, 20_000)
    few, many = (judged(rng.integers(0, 1000, (20_000, draws)), came).crps.mean() for draws in (3, 60))
    assert few == pytest.approx(many, rel=0.02)  # the biased estimator gives a fifth more with three draws


@given(amounts)
def test_a_band_holds_its_level_of_what_it_was_drawn_from(draws: list[int]) -> None:
    came = np.array(draws)
    verdict = judged(np.tile(came, (len(came), 1)), came)
    for level in LEVELS:
        assert inside(verdict, level).mean() == pytest.approx(level / 100)


@given(amounts, st.integers(0, LIMIT))
def test_what_is_strictly_inside_a_band_counts_and_what_is_outside_does_not(draws: list[int], came: int) -> None:
    verdict = judged(np.array([draws]), np.array([came]))
    for level in LEVELS:
        low, high = int(verdict.low[level][0]), int(verdict.high[level][0])
        assert low in draws
        assert high in draws
        held = inside(verdict, level)[0]
        if low < came < high:
            assert held == 1
        if not low <= came <= high:
            assert held == 0


def test_quantiles_and_mean() -> None:
    verdict = judged(np.array([np.arange(1, 101)]), np.array([50]))
    assert (verdict.mean[0], verdict.median[0]) == (50.5, 50)
    assert [(verdict.low[level][0], verdict.high[level][0]) for level in LEVELS] == [(25, 75), (10, 90), (3, 98)]
