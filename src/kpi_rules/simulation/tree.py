"""The tree of the simulated units: what each brings itself is added up to those above it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import define

from kpi_rules.simulation.keys import FEW

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]
    Whole = NDArray[np.int64]

AT_ONCE: Final = 1 << 20
"""Cells that are gathered at once."""

ALONE: Final = 1 << 13
"""Cells of a parent's children from which on they are quicker added up by themselves."""


@define(frozen=True, eq=False)
class Tree:
    """Children, deepest first: for each level the rows of the units and of their parents, in the parents' order."""

    levels: tuple[tuple[Rows, Rows], ...]

    @classmethod
    def of(cls, units: int, below: tuple[Rows, Rows]) -> Tree:
        """Make the tree from every (unit, ancestor or itself)."""
        proper = below[0] != below[1]
        unit, above = below[0][proper], below[1][proper]
        depth = np.bincount(unit, minlength=units)
        order = np.lexsort((depth[above], unit))  # of a unit's ancestors the deepest, its parent, is last
        unit, above = unit[order], above[order]
        is_parent = np.ones(len(unit), dtype=np.bool_)
        is_parent[:-1] = unit[1:] != unit[:-1]
        child, parent = unit[is_parent], above[is_parent]
        levels = []
        for level in range(int(depth.max(initial=0)), 0, -1):
            here = depth[child] == level
            by_parent = np.argsort(parent[here], kind="stable")
            levels.append((child[here][by_parent], parent[here][by_parent]))
        return cls(tuple(levels))

    def add_up(self, totals: Whole) -> Whole:
        """Add, in place, the rows of all below a unit to its own; return the totals, units x draws."""
        draws = totals.shape[1]
        rows = max(1, AT_ONCE // max(1, draws))
        for child, parent in self.levels:
            for begin in range(0, len(child), rows):
                some, to = child[begin : begin + rows], parent[begin : begin + rows]
                starts = np.flatnonzero(np.diff(to, prepend=-1))
                if len(some) * draws < ALONE * len(starts):
                    totals[to[starts]] += np.add.reduceat(totals[_as_slice(some)], starts, axis=0)
                    continue
                for first, last in pairwise([*starts.tolist(), len(some)]):
                    totals[to[first]] += _sums(totals[_as_slice(some[first:last])])
        return totals

    def own(self, totals: Whole) -> Whole:
        """Return what of the totals of each unit is not of the units below it: what `add_up` makes them of."""
        found = totals.copy()
        for child, parent in self.levels:
            np.subtract.at(found, parent, totals[child])
        return found


def _sums(rows: Whole) -> Whole:
    """Add up rows; of few columns one after the other, as short rows are slow to add."""
    if rows.shape[1] >= FEW:
        found: Whole = np.add.reduce(rows, axis=0)
        return found
    return np.array([rows[:, column].sum() for column in range(rows.shape[1])], dtype=np.int64)


def _as_slice(rows: Rows) -> Rows | slice:
    """Return rows that follow each other as a slice, which is not copied."""
    first, last = int(rows[0]), int(rows[-1])
    following = last - first == len(rows) - 1 and bool((np.diff(rows) == 1).all())
    return slice(first, last + 1) if following else rows
