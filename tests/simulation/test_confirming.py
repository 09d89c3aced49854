"""Confirmation: never above what arrived nor below what was, exact, and no bit depends on chunks or other ticks."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.simulation.confirming import PARTS, Confirming, Visits
from kpi_rules.simulation.keys import draw_words, stream_keys
from kpi_rules.simulation.tables import CELLS

EVEN = (np.arange(CELLS) * PARTS // CELLS)[None, None, :]


def confirming(units: int, slots: list[int], monthly: list[bool], shares: np.ndarray = EVEN) -> Confirming:
    """Make confirming of units that have the first table in common."""
    names = [f"unit {number}" for number in range(units)]
    ticks = len(slots)
    return Confirming(
        shares=shares.astype(np.int32),
        length=np.zeros(ticks, dtype=np.int64),
        mean=np.zeros((1, units), dtype=np.int64),
        kind=np.zeros(ticks, dtype=np.int64),
        slot=np.array(slots),
        monthly=np.array(monthly),
        keys=(stream_keys(1, "month", names), stream_keys(1, "day", names)),
    )


def shares(of: Confirming, low: int, high: int) -> np.ndarray:
    """Return ticks x units x draws: what is confirmed of a whole."""
    visits = Visits(of, draw_words(low, high))
    found = []
    for here in range(len(of.slot)):
        visits.begin(here)
        waiting = np.full((of.mean.shape[1], high - low), PARTS, dtype=np.int64)
        found.append(visits.confirm(here, slice(0, len(waiting)), slice(0, high - low), waiting).copy())
    return np.stack(found)


@pytest.mark.parametrize("size", [1, 30, 64, 77])
def test_chunks_change_no_share(size: int) -> None:
    of = confirming(3, [24_138, 24_139, 734_000, 24_140], [True, True, False, True])
    whole = shares(of, 0, 150)
    parts = [shares(of, low, min(150, low + size)) for low in range(0, 150, size)]
    assert (np.concatenate(parts, axis=2) == whole).all()


def test_a_month_has_its_share_whatever_other_ticks_there_are() -> None:
    months = shares(confirming(2, [24_139, 24_140, 24_141], [True] * 3), 0, 100)
    more = shares(confirming(2, [734_003, 24_140, 734_050, 24_141], [False, True, False, True]), 0, 100)
    assert (more[[1, 3]] == months[1:]).all()


def test_shares_are_even_and_months_do_not_follow_each_other() -> None:
    found = shares(confirming(1, list(range(24_136, 24_148)), [True] * 12), 0, 40_000)[:, 0]
    assert (np.abs(found.mean(axis=1) / PARTS - 0.5) < 6 * 0.29 / 200).all()
    correlations = np.corrcoef(found)[np.triu_indices(12, 1)]
    assert len(correlations) == comb(12, 2)
    assert np.abs(correlations).max() < 6 / 200


@given(
    st.lists(st.integers(0, 2**46), min_size=1, max_size=5),
    st.integers(0, PARTS),
    st.integers(0, 3),
    st.sampled_from([False, True]),
)
def test_what_is_confirmed_is_an_exact_share_of_what_waits(
    amounts: list[int],
    share: int,
    slot: int,
    monthly: bool,  # noqa: FBT001 (Hypothesis hands arguments over by place)
) -> None:
    of = confirming(len(amounts), [slot], [monthly], np.full((1, 1, CELLS), share))
    visits = Visits(of, draw_words(0, 2))
    visits.begin(0)
    waiting = np.repeat(np.array(amounts), 2).reshape(-1, 2)
    before = waiting.copy()
    found = visits.confirm(0, slice(0, len(amounts)), slice(0, 2), waiting)
    assert found[:, 0].tolist() == [amount * share // PARTS for amount in amounts]
    assert (found + waiting == before).all()
