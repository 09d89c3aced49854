"""The three ways to lay a total: against brute force, and laws."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kpi_rules.model.money import LIMIT
from kpi_rules.simulation.planning import ByCapacity, ByChance, ByGrowth, shrunk

sampled = st.integers(2, 8).flatmap(
    lambda draws: st.lists(st.lists(st.integers(0, 50), min_size=draws, max_size=draws), min_size=1, max_size=5)
)


def by_chance(draws: list[list[int]]) -> ByChance:
    return ByChance(-np.sort(-np.array(draws), axis=1))


@given(sampled, st.integers(1, 300))
def test_one_chance_is_that_of_a_search_over_all_draws(draws: list[list[int]], total: int) -> None:
    ordered = [sorted(each, reverse=True) for each in draws]
    sums = [sum(each[place] for each in ordered) for place in range(len(draws[0]))]
    found = by_chance(draws).of_total(total)
    if sums[0] < total:
        assert found is None
        return
    assert found is not None
    assert found.rate is not None
    place = max(at for at, each in enumerate(sums) if each >= total)
    if place == len(sums) - 1:
        assert found.rate == 1
        assert found.weights == tuple(each[place] for each in ordered)
        return
    assert sum(found.weights) == total
    assert (place + 1) / len(sums) <= found.rate <= (place + 2) / len(sums)
    for weight, each in zip(found.weights, ordered, strict=True):
        assert each[place + 1] <= weight <= each[place]
        # A quota made whole is met in at least so many draws, and what no draw equals in one more at most.
        assert sum(draw >= int(weight) for draw in each) >= place + 1


@given(sampled, st.fractions(Fraction(1, 100), 1))
def test_a_higher_chance_asks_for_less(draws: list[list[int]], chance: Fraction) -> None:
    way = by_chance(draws)
    surer = way.of_rate(min(chance + Fraction(1, 10), Fraction(1)))
    assert all(a >= b for a, b in zip(way.of_rate(chance).weights, surer.weights, strict=True))
    assert way.of_rate(Fraction(1)).weights == tuple(min(each) for each in draws)


@given(st.lists(st.integers(1, LIMIT // 100), min_size=1, max_size=6), st.integers(1, LIMIT))
def test_growth_is_one_for_all(last: list[int], total: int) -> None:
    found = ByGrowth(np.array(last)).of_total(total)
    assert found is not None
    assert sum(found.weights) == total
    assert {weight / each for weight, each in zip(found.weights, last, strict=True)} == {Fraction(total, sum(last))}
    assert found.rate == pytest.approx(total / sum(last) - 1)


def test_capacity_is_what_is_there_times_what_one_brings() -> None:
    found = ByCapacity((Fraction(2), Fraction(3)), np.array([10, 20])).of_total(160)
    assert found is not None
    assert list(found.weights) == [40, 120]
    assert found.rate == 1


@given(
    st.lists(
        st.tuples(st.integers(0, 10**9), st.integers(1, 100), st.floats(0, 1e17), st.sampled_from(["a", None])),
        min_size=1,
        max_size=8,
    )
)
def test_a_rate_lies_between_its_own_and_that_of_its_group(units: list[tuple[int, int, float, str | None]]) -> None:
    last, there, variance, group = zip(*units, strict=True)
    found = shrunk(np.array(last), np.array(there), variance, group)
    for at, each in enumerate(found):
        peers = [row for row, name in enumerate(group) if name == group[at]]
        middle = sum(last[row] for row in peers) / sum(there[row] for row in peers)
        low, high = sorted((last[at] / there[at], middle))
        assert low - 1e-3 <= each <= high + 1e-3


def test_what_is_certain_is_not_shrunk_and_what_is_noise_is_the_groups() -> None:
    last, there, group = np.array([100, 300]), np.array([1, 1]), ["a", "a"]
    assert list(shrunk(last, there, [0.0, 0.0], group)) == [100, 300]
    assert list(shrunk(last, there, [1e9, 1e9], group)) == [200, 200]
    assert list(shrunk(last, there, [4000.0, 4000.0], group)) == [125, 275]


@given(sampled)
def test_the_order_of_draws_changes_nothing(draws: list[list[int]]) -> None:
    total = sum(max(each) for each in draws)
    assume(total)
    assert by_chance(draws).of_total(total) is not None
    reversed_draws = [each[::-1] for each in draws]
    one, other = (by_chance(each).of_rate(Fraction(1, 2)).weights for each in (draws, reversed_draws))
    assert one == other
