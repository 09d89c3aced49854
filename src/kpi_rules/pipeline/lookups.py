"""What the tables of rules say of each project on a date: its factor, its least size, why it is excluded, how far the
reports of its unit are to be trusted (M13 to M15).

All functions return one row or value for each project, in the order of `projects`; null where the table says nothing.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

import polars as pl

from kpi_rules.model.alike import alike

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

KEYS: Final = ("sector", "kind", "origin")
"""What a factor may be for. A row that names more of them goes before one that names less; of two that name as many,
the one that names the earlier ones."""

ELIGIBILITY: Final = ("least", "least_share", "most_units")


def factor_of(projects: pl.DataFrame, factors: pl.DataFrame, on: date) -> pl.Series:
    """Return the conversion factor of each project in force on a date, in billionths."""
    rows = _in_force(factors, on)
    found = projects.select(*KEYS, factor=pl.lit(None, pl.Int64))
    subsets = [named for count in range(len(KEYS), -1, -1) for named in combinations(KEYS, count)]
    for named in subsets:
        own = rows.filter(*(pl.col(name).is_null() != (name in named) for name in KEYS))
        if own.is_empty():
            continue
        latest = _latest(own, named).select(*named, given="factor")
        joined = found.join(latest, on=list(named), how="left", maintain_order="left") if named else None
        given = joined["given"] if joined is not None else pl.Series([latest["given"][0]]).new_from_index(0, len(found))
        found = found.with_columns(factor=pl.coalesce("factor", given))
    return found["factor"]


def eligibility_of(projects: pl.DataFrame, eligibility: pl.DataFrame, on: date) -> pl.DataFrame:
    """Return `least` (fen), `least_share` (billionths), `most_units` of each project's sector in force on a date.

    A sector has its own row, and without one the row that names no sector.
    """
    rows = _in_force(eligibility, on)
    own = _latest(rows.filter(pl.col("sector").is_not_null()), ("sector",))
    rest = _latest(rows.filter(pl.col("sector").is_null()), ())
    given = projects.select("sector").join(
        own.select("sector", *ELIGIBILITY, there=pl.lit(value=True)), on="sector", how="left", maintain_order="left"
    )
    general = {name: rest[name][0] if len(rest) else None for name in ELIGIBILITY}
    return given.select(
        pl.when("there").then(name).otherwise(pl.lit(general[name], pl.Int64)).alias(name) for name in ELIGIBILITY
    )


def exclusion_of(projects: pl.DataFrame, exclusions: pl.DataFrame) -> pl.Series:
    """Return why each project is on an exclusion list: the first row of the table that names nothing else than it.

    A row may name a project, an investor, a sector, or several of them, which then must all be the project's.
    Investors are compared however they are written.
    """
    columns = ("project", "investor", "sector")
    of_projects = projects.select("project", alike(pl.col("investor")).alias("investor"), "sector")
    rows = exclusions.with_row_index("at").with_columns(alike(pl.col("investor")).alias("investor"))
    hits = [pl.DataFrame(schema={"project": pl.String, "at": pl.UInt32, "reason": pl.String})]
    for count in range(1, len(columns) + 1):
        for named in combinations(columns, count):
            own = rows.filter(*(pl.col(name).is_null() != (name in named) for name in columns))
            if len(own):
                hits.append(of_projects.join(own.select(*named, "at", "reason"), on=named).select(hits[0].columns))
    first = pl.concat(hits).sort("at").unique("project", keep="first", maintain_order=True)
    return projects.select("project").join(first, on="project", how="left", maintain_order="left")["reason"]


def sample_of(projects: pl.DataFrame, samples: pl.DataFrame, on: date) -> pl.DataFrame:
    """Return `sample_reported` and `sample_confirmed` (fen) by date of the audited samples of each project's own unit,
    and where that was not audited of the samples that name no unit.
    """
    rows = samples.filter(pl.col("audited_on") <= on)
    sums = (pl.col("reported").sum(), pl.col("confirmed").sum())
    own = rows.filter(pl.col("unit").is_not_null()).group_by("unit").agg(*sums)
    rest = rows.filter(pl.col("unit").is_null()).select(*sums)
    is_there = bool(rows["unit"].null_count())
    given = projects.select("unit").join(own, on="unit", how="left", maintain_order="left")
    return given.select(
        pl.coalesce(name, pl.lit(rest[name][0] if is_there else None, pl.Int64)).alias(f"sample_{name}")
        for name in ("reported", "confirmed")
    )


def _in_force(rows: pl.DataFrame, on: date) -> pl.DataFrame:
    return rows.filter(pl.col("effective").is_null() | (pl.col("effective") <= on))


def _latest(rows: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return the row of the latest date for each combination of keys, one without a date being the earliest."""
    ordered = rows.sort("effective", nulls_last=False, maintain_order=True)
    return ordered.unique(list(by), keep="last", maintain_order=True) if by else ordered.tail(1)
