"""Verify: what was known and had happened, and what the checks say about it (M13, M15)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs
import polars as pl

from kpi_rules.locale import _
from kpi_rules.model.text import render
from kpi_rules.pipeline.evaluating import evaluating
from kpi_rules.workspace.schemas import SCHEMAS

if TYPE_CHECKING:
    from datetime import date

    from kpi_rules.model.calendar import Year
    from kpi_rules.model.contributions import Check, Effect
    from kpi_rules.workspace.tables import Tables

KEYS: Final[Mapping[str, str]] = {"projects": "project", "claims": "project", "arrivals": "voucher", "visits": "visit"}
"""The column that names a row of each evidence table in a finding."""

FINDINGS: Final = {
    "code": pl.String,
    "severity": pl.String,
    "effect": pl.String,
    "table": pl.String,
    "key": pl.String,
    "message": pl.String,
}


Excluded = Mapping[str, pl.DataFrame]
"""The keys of the rows that checks leave out, by table."""


def known(tables: Tables, known_at: date) -> Tables:
    """Return the tables as they were known at a date.

    A row recorded later is not there, nor is one revoked by then; an empty `recorded_on` was always known. A project
    keeps its row: revoking it withdraws its recognition from that date on, and a revocation after `known_at` is not
    yet known. Evidence of a project that is not there is left out with it.
    """
    not_later = pl.col("recorded_on").is_null() | (pl.col("recorded_on") <= known_at)
    revoked = pl.col("revoked_on") <= known_at
    rows = {
        name: getattr(tables, name).filter(not_later & ~revoked.fill_null(value=False))
        for name in ("claims", "arrivals", "visits")
    }
    projects = tables.projects.filter(not_later).with_columns(
        revoked_on=pl.when(revoked).then(pl.col("revoked_on")),
    )
    of_known = {
        name: frame.join(projects, on="project", how="semi", maintain_order="left") for name, frame in rows.items()
    }
    return attrs.evolve(tables, projects=projects, **of_known)


def of_year(tables: Tables, year: Year, as_of: date) -> Tables:
    """Return the tables with the arrivals and visits that can count for the year by `as_of`.

    A voucher that names a year counts for that one alone; without a name it counts if it arrived on or after the
    year start.
    """
    arrivals = tables.arrivals.filter(
        pl.col("arrived_on").is_between(year.start, as_of) & (pl.col("year").is_null() | (pl.col("year") == year.label))
    )
    visits = tables.visits.filter(pl.col("visited_on").is_between(year.start, as_of))
    return attrs.evolve(tables, arrivals=arrivals, visits=visits)


def verify(tables: Tables, checks: Mapping[str, Check], effects: Mapping[str, Effect]) -> tuple[pl.DataFrame, Excluded]:
    """Run the checks.

    Args:
        tables: what counts for the year by a day.
        checks: by name.
        effects: what the workspace says a finding of each does; `flag` where it says nothing.

    Returns:
        The findings (code, severity, effect, table, key, message), sorted, and the rows to leave out.
    """
    findings = []
    excluded: dict[str, list[pl.DataFrame]] = {}
    for name, check in checks.items():
        effect = effects.get(name, "flag")
        if effect == "off":
            continue
        with evaluating("check", name):
            rows = _view(tables, check).filter(check.when)
        if rows.is_empty():
            continue
        findings += [_finding(check, effect, row) for row in rows.to_dicts()]
        if effect == "exclude":
            excluded.setdefault(check.table, []).append(rows.select(SCHEMAS[check.table].key))
    frame = pl.DataFrame(findings, schema=FINDINGS, orient="row").sort("table", "key", "code", "message")
    return frame, {name: pl.concat(rows).unique().sort(pl.all()) for name, rows in excluded.items()}


def without(tables: Tables, excluded: Excluded) -> Tables:
    """Return the tables with the excluded rows left out.

    A project and a claim keep their rows, which others refer to: the project is not recognised, the claim asks for
    nothing. Rows are known by key, not by row number: several files of one table have the same row numbers.
    """
    kept: dict[str, Any] = {}
    for name, keys in excluded.items():
        rows: pl.DataFrame = getattr(tables, name)
        marked = rows.join(keys.with_columns(excluded=True), on=SCHEMAS[name].key, how="left", maintain_order="left")
        out = pl.col("excluded").is_not_null()
        if name == "projects":
            marked = marked.with_columns(recognised_on=pl.when(~out).then(pl.col("recognised_on")))
        elif name == "claims":
            marked = marked.with_columns(share=pl.when(out).then(0).otherwise(pl.col("share")))
        else:
            marked = marked.filter(~out)
        kept[name] = marked.drop("excluded")
    return attrs.evolve(tables, **kept)


def _view(tables: Tables, check: Check) -> pl.DataFrame:
    """Return the frame a check reads: the table's rows, with their project's columns, or a project's totals."""
    rows: pl.DataFrame = getattr(tables, check.table)
    if check.table != "projects":
        return rows.join(
            tables.projects.select(pl.all().name.prefix("project_")),
            left_on="project",
            right_on="project_project",
            how="left",
        )
    vouchers = tables.arrivals.group_by("project").agg(vouchers=pl.col("amount").sum())
    assessed = (
        tables.visits.sort("visited_on", "visit").group_by("project").agg(assessed=pl.col("assessed_amount").last())
    )
    return rows.join(vouchers, on="project", how="left").join(assessed, on="project", how="left")


def _finding(check: Check, effect: Effect, row: Mapping[str, Any]) -> tuple[str, ...]:
    key = str(row[KEYS[check.table]])
    return check.name, check.severity, effect, check.table, key, render(_(check.message), row)
