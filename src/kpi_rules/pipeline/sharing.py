"""Sharing: which unit claims how much of a project, and how an amount is split over the claimants (M14).

A share is a weight out of a whole: billionths where claims give shares, heads where they are counted, so that a third
is a third. Whole numbers are kept below 2**63 by taking amounts apart into wholes and the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl
from attrs import define
from numpy.typing import NDArray

from kpi_rules.model.money import BILLION

if TYPE_CHECKING:
    from kpi_rules.workspace.tables import Tables

Money = NDArray[np.int64]
Rows = NDArray[np.int64]
Sharing = Literal["agreed", "equal", "host_half", "first_introducer"]


@define(frozen=True, eq=False)
class Claims:
    """Which unit claims which project, and how much of it.

    Attributes:
        project: row numbers of `projects`.
        unit: row numbers of `units`.
        share: billionths, rounded down; what people are shown.
        weight: the share exactly, as a part of `whole`.
        whole: what the weights of the project's claims are parts of; the same for all claims of a project.
    """

    project: Rows
    unit: Rows
    share: Money
    weight: Money
    whole: Money


def claims_of(tables: Tables, sharing: Sharing = "agreed") -> Claims:
    """Return who claims what.

    A project without claims is its own unit's. A claim that gives a share has it; the claims of a project that give
    none share it as `sharing` says. What a claim in quarantine, or excluded by a check, asked for stays unclaimed.

    Args:
        tables: verified evidence.
        sharing: `equal`: one part for each claim; `host_half`: half for the unit of the column `host`, the other half
            in equal parts for the others; `first_introducer`: all for the unit of the column `introducer`, without one
            for the claim recorded first. `agreed` has no claims without a share.
    """
    own = (
        tables.projects.join(tables.claims, on="project", how="anti")
        .filter(~pl.col("project").is_in(tables.misclaimed.implode()))
        .select("project", "unit")
    )
    given = tables.claims
    silent = given.filter(pl.col("share").is_null()).select("project").unique()
    by_rule = own.head(0)
    if len(silent):
        by_rule = given.join(silent, on="project", how="semi")
        given = given.join(silent, on="project", how="anti")
    shares = given.select("project", "unit", weight="share", whole=pl.lit(BILLION, pl.Int64))
    if sharing in {"host_half", "first_introducer"}:
        by_rule = pl.concat([by_rule, own], how="diagonal")
    else:
        alone = own.with_columns(weight=pl.lit(BILLION, pl.Int64), whole=pl.lit(BILLION, pl.Int64))
        shares = pl.concat([shares, alone])
    if len(by_rule):
        shares = pl.concat([shares, _by_rule(by_rule, tables, sharing)])
    ordered = (
        shares.group_by("project", "unit")
        .agg(pl.col("weight").sum(), pl.col("whole").first())
        .sort("project", "unit")
        .with_columns(share=pl.col("weight").cast(pl.Int128) * BILLION // pl.col("whole"))
    )
    return Claims(
        rows_in(ordered["project"], tables.projects["project"]),
        rows_in(ordered["unit"], tables.units["unit"]),
        ordered["share"].cast(pl.Int64).to_numpy(),
        ordered["weight"].to_numpy(),
        ordered["whole"].to_numpy(),
    )


def _by_rule(claims: pl.DataFrame, tables: Tables, sharing: Sharing) -> pl.DataFrame:
    """Return `project, unit, weight, whole` of the projects whose claims give no shares.

    A claim whose share is 0 was excluded by a check: it counts among the claimants and gets nothing.
    """
    unread = tables.misclaimed.rename("project").value_counts(name="unread").cast({"unread": pl.Int64})
    rows = (
        claims.select("project", "unit", "share", "recorded_on")
        if "share" in claims.columns
        else claims.with_columns(share=pl.lit(None, pl.Int64), recorded_on=pl.lit(None, pl.Date))
    )
    favoured = {"host_half": "host", "first_introducer": "introducer"}.get(sharing)
    if favoured is not None:
        named = (
            tables.projects.join(rows, on="project", how="semi")
            .filter(pl.col(favoured).is_not_null())
            .select("project", unit=favoured)
            .join(rows, on=["project", "unit"], how="anti")
        )
        rows = pl.concat([rows, named], how="diagonal")
    rows = (
        rows.join(unread, on="project", how="left")
        .join(tables.projects.select("project", "host", "introducer"), on="project", how="left")
        .with_columns(
            claimants=pl.len().over("project") + pl.col("unread").fill_null(0),
            counts=(pl.col("share").is_null()).cast(pl.Int64),
            is_host=(pl.col("unit") == pl.col("host")).fill_null(value=False),
        )
    )
    if sharing == "host_half":
        others = pl.col("claimants") - 1
        halved = pl.col("is_host").any().over("project") & (others > 0)
        weight = pl.when(halved & pl.col("is_host")).then(others).otherwise(1)
        whole = pl.when(halved).then(2 * others).otherwise(pl.col("claimants"))
    elif sharing == "first_introducer":
        order = rows.sort("project", "recorded_on", "unit", nulls_last=False).unique(
            "project", keep="first", maintain_order=True
        )
        # Whether a claim that could not be read was the first, nobody can say.
        firsts = order.select("project", first=pl.when(pl.col("unread").is_null()).then("unit"))
        rows = rows.join(firsts, on="project", how="left")
        taker = pl.when(pl.col("introducer").is_null()).then("first").otherwise("introducer")
        weight = (pl.col("unit") == taker).fill_null(value=False).cast(pl.Int64)
        whole = pl.lit(1)
    else:
        weight, whole = pl.lit(1), pl.col("claimants")
    return rows.select("project", "unit", weight=weight * pl.col("counts"), whole=whole).cast(
        {"weight": pl.Int64, "whole": pl.Int64}
    )


def rows_in(ids: pl.Series, of: pl.Series) -> Rows:
    """Return the row number in `of` of each id; every id is there, `of` has no duplicates."""
    places = pl.DataFrame({"id": of}).with_row_index("place")
    found = ids.rename("id").to_frame().join(places, on="id", how="left", maintain_order="left")["place"]
    return found.cast(pl.Int64).to_numpy()


def code_point_order(units: pl.DataFrame) -> Rows:
    """Return the rank of each unit's id in code-point order; polars sorts UTF-8, whose order is the same."""
    order = units["unit"].arg_sort().to_numpy()
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def split_claims(amounts: Money, claims: Claims, unit_order: Rows) -> Money:
    """Split dates x projects into dates x claims by largest remainder; what is unclaimed loses every tie.

    `amount x weight` would pass 2**63, so an amount is taken apart into wholes and the rest: both products stay below
    it.
    """
    if len(claims.project) == 0:
        return np.zeros((len(amounts), 0), dtype=np.int64)
    projects = amounts.shape[1]
    whole, rest = np.divmod(amounts[:, claims.project], claims.whole)
    floor, remainder = np.divmod(rest * claims.weight, claims.whole)
    parts: Money = whole * claims.weight + floor
    whole_of = np.full(projects, BILLION)
    whole_of[claims.project] = claims.whole
    claimed = np.bincount(claims.project, claims.weight, minlength=projects).astype(np.int64)
    alone = np.bincount(claims.project, minlength=projects) == 1
    several = np.flatnonzero(~(alone & (claimed == whole_of))[claims.project])
    if len(several) == 0:
        return parts
    project = claims.project[several]
    for here in range(len(amounts)):
        unclaimed_whole, unclaimed_rest = np.divmod(amounts[here], whole_of)
        unclaimed_floor, unclaimed_remainder = np.divmod(unclaimed_rest * (whole_of - claimed), whole_of)
        unclaimed = unclaimed_whole * (whole_of - claimed) + unclaimed_floor
        given = np.bincount(claims.project, parts[here], minlength=projects).astype(np.int64)
        left = amounts[here] - given - unclaimed
        # Rank the claimants of each project by remainder, the unclaimed rest as one more that loses ties.
        candidates = np.concatenate([several, np.full(projects, -1)])
        owner = np.concatenate([project, np.arange(projects)])
        remainders = np.concatenate([remainder[here, several], unclaimed_remainder])
        ties = np.concatenate([unit_order[claims.unit[several]], np.full(projects, len(unit_order))])
        order = np.lexsort((ties, -remainders, owner))
        owner = owner[order]
        starts = np.searchsorted(owner, owner)
        wins = candidates[order][(np.arange(len(order)) - starts) < left[owner]]
        parts[here, wins[wins >= 0]] += 1
    return parts
