"""What differs between two variants, draw by draw: exact however large, the same in any order of chunks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.model.money import LIMIT
from kpi_rules.simulation.pairs import Moved, Switched

AMOUNTS = st.lists(st.integers(0, LIMIT), min_size=1, max_size=8)


@given(AMOUNTS, st.data())
def test_what_moved_is_exact_and_adds_up(a: list[int], data: st.DataObject) -> None:
    b = data.draw(st.lists(st.integers(0, LIMIT), min_size=len(a), max_size=len(a)))
    cut = data.draw(st.integers(0, len(a)))
    moved = Moved.of(np.array([a[:cut]], dtype=np.int64), np.array([b[:cut]], dtype=np.int64))
    moved.add(Moved.of(np.array([a[cut:]], dtype=np.int64), np.array([b[cut:]], dtype=np.int64)))
    differences = [other - one for one, other in zip(a, b, strict=True)]
    assert moved.sums.tolist() == [sum(differences)]
    assert moved.squares.tolist() == [sum(each**2 for each in differences)]


@pytest.mark.parametrize("draws", [2047, 2048, 2049, 150_000])
@pytest.mark.parametrize("amount", [LIMIT, LIMIT - 1, (1 << 20) - 1])
def test_no_square_is_too_large(draws: int, amount: int) -> None:
    nothing, all_of_it = np.zeros((2, draws), dtype=np.int64), np.full((2, draws), amount)
    for a, b in ((nothing, all_of_it), (all_of_it, nothing)):
        assert Moved.of(a, b).squares.tolist() == [draws * amount**2] * 2


def test_months_move_both_ways() -> None:
    a, b = np.array([[0, 5, 3]], dtype=np.uint8), np.array([[2, 1, 3]], dtype=np.uint8)
    moved = Moved.of(a, b)
    assert (moved.sums.tolist(), moved.squares.tolist()) == ([-2], [20])


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1), st.data())
def test_who_switched_is_counted_on_either_side(pairs: list[tuple[bool, bool]], data: st.DataObject) -> None:
    a, b = np.array(pairs).T[:, None]
    cut = data.draw(st.integers(0, len(pairs)))
    switched = Switched.of(a[:, :cut], b[:, :cut])
    switched.add(Switched.of(a[:, cut:], b[:, cut:]))
    assert switched.a_only.tolist() == [pairs.count((True, False))]
    assert switched.b_only.tolist() == [pairs.count((False, True))]
