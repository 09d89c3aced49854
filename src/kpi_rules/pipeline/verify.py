"""Verify: what was known and had happened, and what the checks say about it (M13, M15)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
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

EVIDENCE: Final = ("claims", "arrivals", "visits")
"""The tables whose rows refer to a project."""

RECORDED: Final = tuple(
    name
    for name, schema in SCHEMAS.items()
    if name not in {"projects", *EVIDENCE} and any(column.name == "revoked_on" for column in schema.columns)
)
"""The other tables whose rows say from when they are known and no longer valid."""

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
    rows: dict[str, Any] = {
        name: _known_rows(getattr(tables, name), not_later & ~revoked.fill_null(value=False))
        for name in (*EVIDENCE, *RECORDED)
    }
    projects = tables.projects.filter(not_later).with_columns(
        revoked_on=pl.when(revoked).then(pl.col("revoked_on")),
    )
    if len(projects) < len(tables.projects):
        rows |= {name: rows[name].join(projects, on="project", how="semi", maintain_order="left") for name in EVIDENCE}
    return attrs.evolve(tables, projects=projects, **rows)


def _known_rows(rows: pl.DataFrame, known: pl.Expr) -> pl.DataFrame:
    """Filter rows by when they were recorded and revoked; most tables say neither anywhere."""
    silent = rows["recorded_on"].null_count() == rows["revoked_on"].null_count() == len(rows)
    return rows if silent else rows.filter(known)


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
    views = _Views(tables)
    for name, check in checks.items():
        effect = effects.get(name, "flag")
        if effect == "off":
            continue
        with evaluating("check", name):
            rows = views.rows(check)
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


class _Views:
    """The frames that checks read: a table's rows with their project's columns, or a project with its totals.

    Tables are long and findings few: a check's frame has just the columns it reads, and what it finds gets all of them,
    for the message.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._projects = tables.projects.select(pl.all().name.prefix("project_"))

    def rows(self, check: Check) -> pl.DataFrame:
        """Return the rows that a check finds, with every column a message may name."""
        table: pl.DataFrame = getattr(self._tables, check.table)
        table = table if check.among is None else table.filter(check.among)
        found = self._with(table, check, check.when.meta.root_names()).filter(check.when)
        return self._with(found, check, [*self._projects.columns, "vouchers", "assessed"]) if len(found) else found

    def _with(self, rows: pl.DataFrame, check: Check, names: Collection[str]) -> pl.DataFrame:
        """Return the rows with those of the named columns that are not their own."""
        missing = [name for name in names if name not in rows.columns]
        if check.table == "projects":
            for name in ("vouchers", "assessed"):
                if name in missing:
                    rows = rows.join(getattr(self, name), on="project", how="left", maintain_order="left")
            return rows
        wanted = [name for name in missing if name in self._projects.columns and name != "project_project"]
        if not wanted:
            return rows
        of_projects = self._projects.select("project_project", *wanted)
        return rows.join(of_projects, left_on="project", right_on="project_project", how="left", maintain_order="left")

    @cached_property
    def vouchers(self) -> pl.DataFrame:
        """What the vouchers of each project come to."""
        return self._tables.arrivals.group_by("project").agg(vouchers=pl.col("amount").sum())

    @cached_property
    def assessed(self) -> pl.DataFrame:
        """What the last visit to each project found."""
        visits = self._tables.visits.sort("visited_on", "visit")
        return visits.group_by("project").agg(assessed=pl.col("assessed_amount").last())


def _finding(check: Check, effect: Effect, row: Mapping[str, Any]) -> tuple[str, ...]:
    key = str(row[KEYS[check.table]])
    return check.name, check.severity, effect, check.table, key, render(_(check.message), row)
