"""What the tables behind credit mean as wholes: claims with and without shares, factors and sizes of one date,
exclusions of nothing, samples of nothing (M13, M14).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from kpi_rules.locale import _
from kpi_rules.model.problems import Place, error, warning
from kpi_rules.workspace.config_schema import shown
from kpi_rules.workspace.wording import rows_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kpi_rules.model.problems import Problem
    from kpi_rules.workspace.tables import Tables

TABLES = ("claims", "factors", "eligibility", "exclusions", "samples")
"""The tables that are held against themselves here."""


def credit_problems(tables: Tables, files: Mapping[str, str]) -> Iterator[Problem]:
    """Check the tables behind credit; `files` names the file of each of `TABLES`."""
    yield from _mixed_claims(tables.claims, files["claims"])
    yield from _twice(tables.factors, "factors", ("sector", "kind", "origin"), files["factors"])
    yield from _twice(tables.eligibility, "eligibility", ("sector",), files["eligibility"])
    yield from _of_nothing(tables.exclusions, files["exclusions"])
    for row in tables.samples.filter(pl.col("reported") == 0).iter_rows(named=True):
        place = Place(files["samples"], "samples", row["row"], "reported")
        found = _("the sample {sample} of 0 reported").format(sample=shown(row["sample"]))
        yield warning(
            "empty-sample", place, found=found, expected=_("an amount above 0, which confirmed is a share of")
        )


def _mixed_claims(claims: pl.DataFrame, file: str) -> Iterator[Problem]:
    """Name each project some of whose claims give a share and some do not, while both are known."""
    life = claims.select(
        "project",
        "row",
        pl.col("share").is_null().alias("silent"),
        pl.col("recorded_on").fill_null(date.min).alias("start"),
        pl.col("revoked_on").fill_null(date.max).alias("stop"),
    )
    silent = life.filter(pl.col("silent"))
    if silent.is_empty():
        return
    both = (
        silent.join(life.filter(~pl.col("silent")), on="project", suffix="_other")
        .filter((pl.col("start") < pl.col("stop_other")) & (pl.col("start_other") < pl.col("stop")))
        .group_by("project", maintain_order=True)
        .agg(pl.col("row").min(), pl.col("row_other").min())
    )
    for project, row, other in both.iter_rows():
        found = _("no share of project {project}, while row {row} gives one").format(project=shown(project), row=other)
        expected = _("a share in all claims of a project, or in none")
        yield error("mixed-shares", Place(file, "claims", row, "share"), found=found, expected=expected)


def _twice(rows: pl.DataFrame, table: str, keys: Sequence[str], file: str) -> Iterator[Problem]:
    """Name rows of a table of rules for the same things from the same date: which of them holds would be a guess."""
    doubles = rows.group_by(*keys, "effective", maintain_order=True).agg("row").filter(pl.col("row").list.len() > 1)
    for row in doubles.iter_rows(named=True):
        named = ", ".join(f"{key} {shown(row[key])}" for key in keys if row[key] is not None) or _("everything")
        since = _(" from {on} on").format(on=row["effective"]) if row["effective"] is not None else ""
        found = _("{rows} all for {what}").format(rows=rows_named(row["row"]), what=named) + since
        place = Place(file, table, row["row"][1], "effective")
        yield error("two-rows-on-one-date", place, found=found, expected=_("one row for each date"))


def _of_nothing(exclusions: pl.DataFrame, file: str) -> Iterator[Problem]:
    named = ("project", "investor", "sector")
    for row in exclusions.filter(pl.all_horizontal(pl.col(name).is_null() for name in named))["row"]:
        found, expected = _("an exclusion of nothing"), _("a project, an investor or a sector")
        yield warning("empty-exclusion", Place(file, "exclusions", row), found=found, expected=expected)
