"""What units bring is added up to those above, and taken apart again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.simulation.tree import Tree


def pairs(parents: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return every (unit, ancestor or itself)."""
    found = []
    for unit in range(len(parents)):
        above = unit
        while above >= 0:
            found.append((unit, above))
            above = parents[above]
    return np.array([pair[0] for pair in found]), np.array([pair[1] for pair in found])


@st.composite
def trees(draw: st.DrawFn) -> list[int]:
    """Draw the parent of each unit, -1 for none; in any order of rows."""
    size = draw(st.integers(1, 12))
    parents = [draw(st.integers(-1, unit - 1)) for unit in range(size)]
    order = draw(st.permutations(range(size)))
    found = [0] * size
    for unit, parent in enumerate(parents):
        found[order[unit]] = order[parent] if parent >= 0 else -1
    return found


@given(trees(), st.sampled_from([1, 3, 70]))
def test_totals_are_the_sums_over_all_below(parents: list[int], draws: int) -> None:
    unit, above = pairs(parents)
    own = np.arange(len(parents) * draws).reshape(-1, draws) % 17
    expected = np.zeros_like(own)
    np.add.at(expected, above, own[unit])
    tree = Tree.of(len(parents), (unit, above))
    assert (tree.add_up(own.copy()) == expected).all()
    assert (tree.own(expected[:, 0]) == own[:, 0]).all()


@pytest.mark.parametrize("draws", [1, 5, 10_000])
def test_many_children_are_added_up_whichever_way(draws: int) -> None:
    parents = [-1, *([0] * 300), *([1] * 40)]
    unit, above = pairs(parents)
    own = np.ones((len(parents), draws), dtype=np.int64)
    totals = Tree.of(len(parents), (unit, above)).add_up(own)
    assert (totals[0] == 341).all()
    assert (totals[1] == 41).all()
    assert (totals[2] == 1).all()
