"""Counting draws: exact, the same in any order of chunks, and no more kept than fits."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.simulation.bins import BINS, PER_WHOLE, Bins
from kpi_rules.simulation.result import QUANTILES, quantiles
from kpi_rules.simulation.tally import EXACT_DRAWS, MOST_CELLS, Extent, Tally, _months
from kpi_rules.simulation.traces import MONEY, Traces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MONTHS = 3


def made(seed: int, units: int, draws: int, ticks: int = 2) -> Traces:
    """Make traces of all draws; parts of them are those of chunks."""
    random = np.random.default_rng(seed)
    amounts = [random.integers(0, 2000, (units, draws)) for _ in range(ticks)]
    quota = random.integers(0, 3, units) * 500
    return Traces(
        0,
        tuple(amounts),
        (quota,) * ticks,
        {"a.x": random.random((units, draws)) < 0.5, "a.y": random.random((units, draws)) < 0.1},
        {"a.x": random.integers(0, MONTHS + 1, (units, draws)).astype(np.uint8)},
        {kind: random.integers(0, 10**13, (units, draws)) for kind in MONEY},
    )


def part(traces: Traces, low: int, high: int) -> Traces:
    return Traces(
        low,
        tuple(each[:, low:high] for each in traces.primary),
        traces.quota,
        {name: each[:, low:high] for name, each in traces.hit.items()},
        {name: each[:, low:high] for name, each in traces.months.items()},
        {name: each[:, low:high] for name, each in traces.money.items()},
    )


def added(traces: Traces, parts: Sequence[tuple[int, int]], extent: Extent) -> Tally:
    first, *others = (Tally.of(part(traces, low, high), MONTHS, extent) for low, high in parts)
    for other in others:
        first.add(other)
    return first.ordered()


@given(st.integers(0, 99), st.integers(1, 4), st.integers(1, 12), st.booleans(), st.booleans(), st.data())
def test_chunks_in_any_order_come_to_the_same(
    seed: int,
    units: int,
    draws: int,
    every_tick: bool,  # noqa: FBT001 (drawn)
    exact: bool,  # noqa: FBT001 (drawn)
    data: st.DataObject,
) -> None:
    traces, extent = made(seed, units, draws), Extent(every_tick, exact)
    cuts = sorted({0, draws, *data.draw(st.lists(st.integers(0, draws), max_size=4))})
    parts = data.draw(st.permutations(list(pairwise(cuts))))
    at_once, in_parts = added(traces, [(0, draws)], extent), added(traces, parts, extent)
    assert in_parts.digest() == at_once.digest()
    assert in_parts.draws == [(0, draws)]
    assert [each.tolist() for each in in_parts.last] == ([traces.primary[-1].tolist()] if exact else [])
    for kind in MONEY:
        assert in_parts.totals[kind][0].tolist() == traces.money[kind].sum(axis=0).tolist()


def test_what_is_counted_is_what_there_is() -> None:
    traces = made(5, 3, 20)
    tally = added(traces, [(0, 20)], Extent(every_tick=True, exact=True))
    for row in range(3):
        quota = int(traces.quota[-1][row])
        for here, amounts in enumerate(traces.primary):
            assert tally.met[here, row] == sum(0 < quota <= amount for amount in amounts[row].tolist())
            assert tally.amounts[here, row] == sum(amounts[row].tolist())
            assert tally.bins[here, row].sum() == (20 if quota else 0)
        for rule, hit in traces.hit.items():
            assert tally.hit[rule][row] == hit[row].sum()
        lasted = traces.months["a.x"][row].tolist()
        assert tally.months["a.x"][row].tolist() == [lasted.count(months) for months in range(MONTHS + 1)]
    met = [traces.met(1)[:, draw].sum() for draw in range(20)]
    assert tally.totals["met"][0].tolist() == met


def test_every_difference_shows_in_the_digest() -> None:
    extent = Extent(every_tick=True, exact=True)
    seen = {added(made(1, 2, 6), [(0, 6)], extent).digest()}
    for name in ("met", "amounts", "bins"):
        tally = added(made(1, 2, 6), [(0, 6)], extent)
        getattr(tally, name).flat[0] += 1
        seen.add(tally.digest())
    for kind, name in (("hit", "a.x"), ("months", "a.x"), ("money", "released")):
        tally = added(made(1, 2, 6), [(0, 6)], extent)
        getattr(tally, kind)[name].flat[0] += 1
        seen.add(tally.digest())
    for name in ("last", "totals"):
        tally = added(made(1, 2, 6), [(0, 6)], extent)
        array = tally.last[0] if name == "last" else tally.totals["met"][0]
        array.flat[-1] += 1
        seen.add(tally.digest())
    assert len(seen) == 9


@given(st.integers(1, 10**13), st.lists(st.integers(0, 3 * 10**13), min_size=1, max_size=9))
def test_bins_are_those_of_the_exact_completion(quota: int, amounts: list[int]) -> None:
    edges = [quota * place // PER_WHOLE + step for place in (1, 128, 255, 256, 257, 510, 511) for step in (-1, 0, 1)]
    drawn = [amount for amount in (*amounts, *edges) if amount >= 0]
    counted = Bins.of([np.array([drawn])], [np.array([quota])]).counts[0, 0]
    wanted = [0] * BINS
    for amount in drawn:
        # One correctly rounded division: where the exact completion is nearest to an edge, it is that edge.
        place = Fraction(amount * PER_WHOLE / quota if amount < 2**45 else Fraction(amount * PER_WHOLE, quota))
        wanted[min(int(place), BINS - 1)] += 1
    assert counted.tolist() == wanted


def test_a_completion_on_an_edge_is_in_the_bin_above_it() -> None:
    amounts = np.array([[0, 255, 256, 257, 511, 512, 10**6], [1, 2, 3, 4, 5, 6, 7]])
    counted = Bins.of([amounts], [np.array([256, 0])]).counts[0]
    assert {int(place): int(counted[0, place]) for place in np.flatnonzero(counted[0])} == {
        0: 1,
        255: 1,
        256: 1,
        257: 1,
        511: 3,
    }
    assert not counted[1].any()


@given(st.lists(st.integers(-(10**13), 10**13), min_size=1, max_size=60))
def test_quantiles_are_the_least_values_that_so_many_do_not_exceed(values: list[int]) -> None:
    ordered = sorted(values)
    for percent, found in zip(QUANTILES, quantiles(np.array(values)), strict=True):
        assert found in values
        assert 100 * sum(value <= found for value in ordered) >= percent * len(values)
        assert 100 * sum(value < found for value in ordered) < percent * len(values)


@pytest.mark.parametrize(
    ("units", "ticks", "draws", "every_tick", "exact"),
    [
        (60, 12, 10_000, True, True),
        (60, 12, 10_001, True, False),
        (2_000, 1, EXACT_DRAWS, True, True),
        (2_001, 1, EXACT_DRAWS, True, False),
        (MOST_CELLS // BINS, 1, 1, True, True),
        (MOST_CELLS // BINS + 1, 1, 1, False, True),
        (MOST_CELLS // BINS // 12, 12, 1, True, True),
        (MOST_CELLS // BINS // 12 + 1, 12, 1, False, True),
    ],
)
def test_so_much_is_kept(units: int, ticks: int, draws: int, every_tick: bool, exact: bool) -> None:  # noqa: FBT001 (a parameter)
    assert Extent.of(units, ticks, draws) == Extent(every_tick, exact)


def test_months_are_counted_from_none_to_all() -> None:
    months: NDArray[np.uint8] = np.array([[0, 2, 2], [1, 1, 1]], dtype=np.uint8)
    assert _months(months, 2).tolist() == [[1, 0, 2], [0, 3, 0]]


def test_nothing_is_kept_of_a_draw_but_the_totals() -> None:
    """Memory is flat in the number of draws: beyond what is exact, one number a draw and total."""
    kept = {}
    for draws in (EXACT_DRAWS + 1, 2 * EXACT_DRAWS):
        traces = made(3, 2, draws)
        extent = Extent.of(2, 2, draws)
        tally = added(traces, [(0, 5000), (5000, draws)], extent)
        assert {name: len(each[0]) for name, each in tally.totals.items()} == dict.fromkeys(("met", *MONEY), draws)
        by_rule = [*tally.hit.values(), *tally.months.values(), *tally.money.values()]
        sizes = [tally.met.size, tally.amounts.size, tally.bins.size, *(each.size for each in (*tally.last, *by_rule))]
        kept[draws] = sum(sizes)
        assert all(each.base is None for parts in tally.totals.values() for each in parts)
    assert len(set(kept.values())) == 1
