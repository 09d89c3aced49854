"""Of whom is forecast: units that no rule chooses, so that no rule changes what is drawn; and how rows hang together.

A unit with a target is forecast as itself and all below it that have none; a unit with evidence that no unit with a
target is above, as itself. Whom a rule concerns besides is simulated, but not forecast: what it brings is its part of
what the unit brings that it is part of, by the very words that this is drawn by.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from attrs import define

from kpi_rules.simulation.tree import Tree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kpi_rules.pipeline.credit import Credited

    Rows = NDArray[np.int64]
    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Pairs = tuple[Rows, Rows]


@define(frozen=True, eq=False, slots=False)
class Basis:
    """The units that are forecast.

    Attributes:
        units: `unit, group, kind` of each.
        rows: for each its row among the workspace's units.
        home: for each unit of the workspace the place of the nearest of these above it or itself, -1 without.
        below: pairs of places, a unit and one of these above it or itself.
        parents: of each unit of the workspace the row of its parent, -1 without.
    """

    units: pl.DataFrame
    rows: Rows
    home: Rows
    below: Pairs
    parents: Rows

    @classmethod
    def of(cls, units: pl.DataFrame, aimed: Flags, credited: Credited) -> Basis:
        """Choose the units: those with a target, and those with evidence that none of these is above."""
        parents = parents_of(units)
        claims = credited.claims
        ever: Flags = np.logical_or.reduce(credited.recognised)
        counting = ever[claims.project] & (claims.weight > 0)
        evident: Flags = np.zeros(len(units), dtype=np.bool_)
        evident[claims.unit[counting]] = True
        chosen: Flags = np.logical_or(aimed, evident & ~_under(parents, aimed))
        rows = np.flatnonzero(chosen)
        home, below = tree_of(parents, rows)
        return cls(units.select("unit", "group", "kind")[rows], rows, home, below, parents)

    def reaching(self, simulated: Rows) -> Rows:
        """Return the places of those that a simulated unit, by its row in the workspace, is, or is above."""
        if np.array_equal(simulated, self.rows):
            return np.arange(len(self.rows))
        nearest, _below = tree_of(self.parents, simulated)
        found: Rows = np.flatnonzero(nearest[self.rows] >= 0)
        return found

    def only(self, places: Rows) -> Basis:
        """Return some of the units, by their places."""
        if len(places) == len(self.rows):
            return self
        rows = self.rows[places]
        place = np.full(len(self.rows) + 1, -1, dtype=np.int64)  # the last is that of no home
        place[places] = np.arange(len(places))
        _home, below = tree_of(self.parents, rows)
        return Basis(self.units[places], rows, place[self.home], below, self.parents)

    def pairs(self, rows: Rows) -> Pairs:
        """Return the pairs of places among units of the workspace, by their rows: one, and one above it or itself."""
        return self.below if np.array_equal(rows, self.rows) else tree_of(self.parents, rows)[1]

    @cached_property
    def tree(self) -> Tree:
        """Who of them is above whom."""
        return Tree.of(len(self.rows), self.below)


@define(frozen=True, eq=False)
class Layout:
    """How rows of what is drawn become those of the simulated units: first the units that are forecast, then the
    others that are simulated.

    Attributes:
        rows: of each row its unit's among the workspace's.
        tree: who is above whom.
        shown: of each simulated unit its row; None where all rows are those, in order.
        follows: of each forecast unit the simulated one whose effort is its own, -1 without.
        members: the simulated units that are part of one that is forecast.
    """

    rows: Rows
    tree: Tree
    shown: Rows | None
    follows: Rows
    members: Members | None

    @classmethod
    def of(cls, basis: Basis, simulated: Rows) -> Layout:
        """Lay out the rows for the simulated units, by their rows among the workspace's."""
        if np.array_equal(simulated, basis.rows):
            return cls(basis.rows, basis.tree, None, np.arange(len(basis.rows)), None)
        others = simulated[~np.isin(simulated, basis.rows)]
        rows = np.concatenate([basis.rows, others])
        _home, below = tree_of(basis.parents, rows)
        place = np.full(len(basis.home), -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        shown = place[simulated]
        nearest, _below = tree_of(basis.parents, simulated)
        inside = np.flatnonzero(basis.home[others] >= 0)
        return cls(
            rows,
            Tree.of(len(rows), below),
            None if np.array_equal(simulated, rows) else shown,
            nearest[basis.rows],
            Members.of(basis, others[inside], len(basis.rows) + inside, simulated) if len(inside) else None,
        )


@define(frozen=True, eq=False)
class Members:
    """Simulated units that are part of one that is forecast.

    Attributes:
        units: their rows among the workspace's units.
        rows: their rows in the layout.
        home: the places of the units that they are part of.
        tree: the forecast units, then these, each below the one that it is part of or the nearest of these.
        follows: of each the simulated unit that it is.
    """

    units: Rows
    rows: Rows
    home: Rows
    tree: Tree
    follows: Rows

    @classmethod
    def of(cls, basis: Basis, units: Rows, rows: Rows, simulated: Rows) -> Members:
        """Hang these units below those that they are part of."""
        home, first = basis.home[units], len(basis.rows)
        number = np.full(len(basis.parents), -1, dtype=np.int64)
        number[units] = own = first + np.arange(len(units))
        pairs = [(np.arange(first + len(units)), np.arange(first + len(units))), (own, home)]
        going, above = np.arange(len(units)), basis.parents[units]
        # Up to the unit that is forecast: of those between, none is.
        while len(inside := np.flatnonzero(above != basis.rows[home[going]])):
            going, above = going[inside], above[inside]
            member = number[above] >= 0
            pairs.append((own[going[member]], number[above[member]]))
            above = basis.parents[above]
        below = np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs])
        return cls(units, rows, home, Tree.of(first + len(units), below), np.searchsorted(simulated, units))


def parents_of(units: pl.DataFrame) -> Rows:
    """Return the row of each unit's parent, -1 without one."""
    numbered = units.select("unit").with_row_index("row")
    joined = units.select(unit="parent").join(numbered, on="unit", how="left", maintain_order="left")
    return joined["row"].cast(pl.Int64).fill_null(-1).to_numpy()


def tree_of(parents: Rows, rows: Rows) -> tuple[Rows, Pairs]:
    """Return of each unit the place among `rows` of the nearest of these above it or itself, -1 without, and the pairs
    of places of what is rolled up to what.
    """
    place = np.full(len(parents), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    home, above = place.copy(), np.arange(len(parents))
    pairs = [(np.arange(len(rows)), np.arange(len(rows)))]
    while (above := np.where(above >= 0, parents[above], -1)).max(initial=-1) >= 0:
        there = np.where(above >= 0, place[above], -1)
        home = np.where(home < 0, there, home)
        of_these = there[rows]
        pairs.append((np.flatnonzero(of_these >= 0), of_these[of_these >= 0]))
    return home, (np.concatenate([below for below, _above in pairs]), np.concatenate([up for _below, up in pairs]))


def _under(parents: Rows, chosen: Flags) -> Flags:
    """Say of each unit whether one that is chosen is above it."""
    found, above = np.zeros(len(parents), dtype=np.bool_), parents
    while above.max(initial=-1) >= 0:
        found |= (above >= 0) & chosen[above]
        above = np.where(above >= 0, parents[above], -1)
    return found
