"""Parts of units: what of a forecast unit's arrivals is of some simulated units within it.

Every arrival is of one unit with evidence, which the last bits of the arrival's own word say; so what the whole unit
brings is the same bits whoever within it is looked at. Units stand in the order of the tree, those below behind the one
above, so that all below a unit are one range of the bits' values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from attrs import define, evolve

from kpi_rules.model.forecasts import Compound, Curves, Levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kpi_rules.model.forecasts import Block
    from kpi_rules.simulation.basis import Basis, Members
    from kpi_rules.simulation.confirming import Confirming

    Rows = NDArray[np.int64]
    Whole = NDArray[np.int64]
    Real = NDArray[np.float64]

PART_BITS: Final = 28
"""The last bits of an arrival's word, which say whose it is."""

_LEAST: Final = 0.1


@define(frozen=True, eq=False)
class Parts:
    """What is drawn of a whole number for the members of a layout.

    Attributes:
        units: the ids of the units that they are part of, by which words are drawn.
        blocks: what is drawn and summed, each with the name of its stream, one row for each member.
        ranges: of each the first value of the last bits that is its own, and the first that is not any more.
        confirming: how what arrives is credited, as of the unit that it is part of.
        waiting: of each what arrived and is not yet credited.
    """

    units: tuple[str, ...]
    blocks: tuple[tuple[str, Block], ...]
    ranges: tuple[Rows, Rows]
    confirming: Confirming | None
    waiting: Whole


def ranges_of(basis: Basis, members: Members, brought: Whole, evident: Rows) -> tuple[Rows, Rows]:
    """Return the ranges of members: in proportion to what each unit with evidence has brought.

    Args:
        basis: the forecast units.
        members: those within them.
        brought: of each unit of the workspace what it brought itself.
        evident: rows of the units with evidence. One with nothing yet counts as a tenth of an even part.
    """
    parents, home = basis.parents, basis.home
    within = np.zeros(len(basis.rows), dtype=np.bool_)
    within[members.home] = True
    inside = (home >= 0) & within[home]
    weight = np.zeros(len(parents))
    weight[evident] = np.maximum(brought[evident], 0)
    with_evidence = np.bincount(home[evident], minlength=len(basis.rows)) if len(evident) else np.zeros(len(basis.rows))
    whole = np.bincount(home[evident], weight[evident], minlength=len(basis.rows))
    even = np.where(whole > 0, whole, 1.0) / np.maximum(with_evidence, 1)
    weight[evident] += _LEAST * even[home[evident]]
    order, last = _in_order(parents, home, basis.rows, inside)
    first = np.full(len(parents), -1, dtype=np.int64)
    first[order] = np.arange(len(order))
    cumulated = np.concatenate([[0.0], np.cumsum(weight[order])])
    begin, end = first[basis.rows[members.home]], last[basis.rows[members.home]]
    of_home, before = cumulated[end] - cumulated[begin], cumulated[begin]

    def edge(at: Rows) -> Rows:
        share = np.where(of_home > 0, (cumulated[at] - before) / np.where(of_home > 0, of_home, 1.0), 0.0)
        return np.floor(share * 2.0**PART_BITS + 0.5).astype(np.int64)

    return edge(first[members.units]), edge(last[members.units])


def _in_order(parents: Rows, home: Rows, roots: Rows, inside: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """Return the units inside homes, each followed by those below it in the same home; and of each the place after the
    last of these.
    """
    below: dict[int, list[int]] = {}
    for row in np.flatnonzero(inside).tolist():
        if roots[home[row]] != row:
            below.setdefault(int(parents[row]), []).append(row)
    order: list[int] = []
    last = np.zeros(len(parents), dtype=np.int64)
    for root in roots.tolist():
        if not inside[root]:
            continue
        going = [root]
        while going:
            row = going.pop()
            if row < 0:  # all below have been passed
                last[~row] = len(order)
                continue
            order.append(row)
            going += [~row, *reversed(below.get(row, []))]
    return np.array(order, dtype=np.int64), last


def rows_of_block(block: Block, rows: Rows, units: int) -> Block:
    """Return a block of some of its units, by their rows, of so many."""
    if isinstance(block, Curves):
        place = np.full(units, -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        kept = np.flatnonzero(place[block.unit] >= 0)
        project = tuple(block.project[at] for at in kept.tolist())
        return Curves(place[block.unit[kept]], project, block.remaining[kept], block.shares, block.age[kept])
    if isinstance(block, Compound):
        return evolve(
            block,
            shape=block.shape[rows],
            mean=block.mean[rows],
            season=block.season[rows],
            scale=block.scale[rows],
            size=None if block.size is None else block.size[rows],
            common=None if block.common is None else block.common[rows],
        )
    return evolve(block, level=block.level[rows], of_year=block.of_year[rows], of_month=block.of_month[rows])


def parts_of_block(block: Block, members: Members, ranges: tuple[Rows, Rows], held: tuple[Rows, Rows, Whole]) -> Block:
    """Return a block of members, from that of the units that they are part of.

    Args:
        block: of the forecast units.
        members: those within them.
        ranges: see `ranges_of`; levels are taken in that proportion.
        held: what members hold of projects: member, row of `Curves` parts, fen that still have to come.
    """
    if not isinstance(block, Curves):
        of_home = rows_of_block(block, members.home, 0)
        if isinstance(of_home, Levels):
            share = (ranges[1] - ranges[0]) / 2.0**PART_BITS
            return evolve(of_home, level=of_home.level * share[:, None])
        return of_home
    member, part, remaining = held
    return Curves(
        unit=member,
        project=tuple(block.project[at] for at in part.tolist()),
        remaining=remaining,
        shares=block.shares,
        age=block.age[part],
    )


def held_by(
    block: Block, parts: pl.DataFrame, within: tuple[Rows, Rows], projects: tuple[str, ...]
) -> tuple[Rows, Rows, Whole]:
    """Return what members hold of the parts of `Curves`, by their shares in the claims of the project.

    Args:
        block: of the forecast units.
        parts: `Known.parts`.
        within: pairs of a unit with evidence and a member that it is, or is below; see `within_members`.
        projects: ids of the projects.
    """
    none = np.zeros(0, dtype=np.int64)
    if not isinstance(block, Curves) or not len(block.unit):
        return none, none, none
    number = pl.DataFrame({"id": projects, "project": np.arange(len(projects))})
    of_part = (
        pl.DataFrame({"unit": block.unit, "id": block.project, "remaining": block.remaining})
        .with_row_index("part")
        .join(number, on="id")
    )
    whole = parts.group_by("project", "unit").agg(all=pl.col("weight").sum())
    members = pl.DataFrame({"claimant": within[0], "member": within[1]})
    held = (
        parts.join(members, on="claimant")
        .group_by("member", "project", "unit")
        .agg(own=pl.col("weight").sum())
        .join(whole, on=["project", "unit"])
        .join(of_part, on=["project", "unit"])
        .sort("member", "part")
    )
    # Whole numbers of Python: the product may be more than 64 bits hold.
    remaining = [left * own // every for left, own, every in held.select("remaining", "own", "all").iter_rows()]
    return (
        held["member"].cast(pl.Int64).to_numpy(),
        held["part"].cast(pl.Int64).to_numpy(),
        np.array(remaining, dtype=np.int64),
    )


def within_members(basis: Basis, members: Members, evident: Rows) -> tuple[Rows, Rows]:
    """Return pairs of a unit with evidence, by its row in the workspace, and the number of a member that it is, or is
    below, within the same forecast unit.
    """
    number = np.full(len(basis.parents), -1, dtype=np.int64)
    number[members.units] = np.arange(len(members.units))
    found: tuple[list[Rows], list[Rows]] = ([], [])
    of, at = evident, evident
    while len(at):
        there = number[at] >= 0
        found[0].append(of[there])
        found[1].append(number[at[there]])
        up = np.flatnonzero((at != basis.rows[basis.home[at]]) & (basis.parents[at] >= 0))
        of, at = of[up], basis.parents[at[up]]
    if not found[0]:
        return evident, evident
    return np.concatenate(found[0]), np.concatenate(found[1])
