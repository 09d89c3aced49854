"""Verify: what was known and had happened, and what the checks say about it (M13, M15)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import attrs
import polars as pl
from attrs import define

from kpi_rules.locale import translate
from kpi_rules.model.contributions import SCALED
from kpi_rules.model.text import fields, render
from kpi_rules.pipeline.evaluating import evaluating
from kpi_rules.pipeline.lookups import ELIGIBILITY, eligibility_of, exclusion_of
from kpi_rules.pipeline.panel import with_parameters
from kpi_rules.pipeline.sharing import claims_of
from kpi_rules.pipeline.viewed import viewed
from kpi_rules.workspace.checks import CONSTANTS, TOTALS, has_project, key_columns, key_of
from kpi_rules.workspace.schemas import SCHEMAS

if TYPE_CHECKING:
    from datetime import date

    from kpi_rules.model.calendar import Year
    from kpi_rules.model.contributions import Check, Effect
    from kpi_rules.model.settings import Parameters
    from kpi_rules.pipeline.sharing import Sharing
    from kpi_rules.workspace.tables import Tables

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


@define(frozen=True, eq=False)
class Circumstances:
    """What checks are made under: the assessment year, the day up to which evidence counts, the parameters, how claims
    without shares share a project, and all rows known, those that cannot count for the year among them.
    """

    year: Year
    on: date
    parameters: Parameters
    sharing: Sharing
    known: Tables


def verify(
    tables: Tables, checks: Mapping[str, Check], effects: Mapping[str, Effect], under: Circumstances
) -> tuple[pl.DataFrame, Excluded]:
    """Run the checks.

    Args:
        tables: what counts for the year by a day.
        checks: by name.
        effects: what the workspace says a finding of each does; `flag` where it says nothing.
        under: the circumstances.

    Returns:
        The findings (code, severity, effect, table, key, message), sorted, and the rows to leave out.
    """
    findings = []
    excluded: dict[str, list[pl.DataFrame]] = {}
    views = _Views(tables, under)
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
            excluded.setdefault(check.table, []).append(rows.select(key_columns(check.table)))
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
        marked = rows.join(keys.with_columns(excluded=True), on=key_columns(name), how="left", maintain_order="left")
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

    Tables are long and findings few: a check's frame has just the columns it reads, and what it finds those its message
    names.
    """

    def __init__(self, tables: Tables, under: Circumstances) -> None:
        self._tables = tables
        self._under = under
        self._viewed: dict[tuple[str, str], pl.DataFrame] = {}
        year = under.year
        values = (under.on, year.start, year.end, year.label)
        self._constants = {
            name: pl.lit(value, dtype) for (name, dtype), value in zip(CONSTANTS.items(), values, strict=True)
        }

    def rows(self, check: Check) -> pl.DataFrame:
        """Return the rows that a check finds, with every column its message names."""
        table = self._view(check.table, check.scope)
        for among in check.among:
            if table.is_empty():
                break
            table = table.filter(among)
        if table.is_empty():
            return table
        found = self._with(table, check.table, check.when.meta.root_names()).filter(check.when)
        return self._with(found, check.table, fields(check.message)) if len(found) else found

    def _view(self, table: str, scope: str) -> pl.DataFrame:
        """Return a table's rows as they are seen on the day, of those known or of those that count."""
        if (table, scope) not in self._viewed:
            of = self._under.known if scope == "known" else self._tables
            self._viewed[table, scope] = viewed(of, table, self._under.on)
        return self._viewed[table, scope]

    def _with(self, rows: pl.DataFrame, table: str, names: Iterable[str]) -> pl.DataFrame:
        """Return the rows with those of the named columns that are not their own."""
        missing = [name for name in dict.fromkeys(names) if name not in rows.columns]
        if not missing:
            return rows
        if constants := {name: self._constants[name] for name in missing if name in self._constants}:
            rows = rows.with_columns(**constants)
        if table == "projects":
            rows = self._join(rows, {name: name for name in missing if name in TOTALS})
        elif has_project(table):
            prefix = "project_"
            rows = self._join(rows, {name: name.removeprefix(prefix) for name in missing if name.startswith(prefix)})
        if "part" in missing and table == "claims":
            rows = rows.join(self._parts, on=["project", "unit"], how="left", maintain_order="left")
        return self._with_parameters(rows, missing)

    def _join(self, rows: pl.DataFrame, columns: Mapping[str, str]) -> pl.DataFrame:
        """Add columns of each row's project; what no project has needs no join over a million rows."""
        found = {name: self._of_project(column) for name, column in columns.items()}
        empty = {name: pl.lit(None, of.dtype) for name, of in found.items() if of.null_count() == len(of)}
        rows = rows.with_columns(**empty)
        there = {name: of for name, of in found.items() if name not in empty}
        if not there:
            return rows
        projects = pl.DataFrame({"project": self._tables.projects["project"], **there})
        return rows.join(projects, on="project", how="left", maintain_order="left")

    def _of_project(self, name: str) -> pl.Series:
        """Return a column of all projects: their own or one of `TOTALS`."""
        projects = self._tables.projects
        if name in projects.columns:
            return projects[name]
        if name == "exclusion":
            return self._exclusion
        if name in ELIGIBILITY:
            return self._eligibility[name]
        return self._totals[name]

    def _with_parameters(self, rows: pl.DataFrame, names: Collection[str]) -> pl.DataFrame:
        """Add the parameters in force on the day, for the peer group of the row's unit or of its project's."""
        parameters = self._under.parameters
        plain = {name.removesuffix(SCALED) for name in names} & parameters.declared.keys()
        if any(parameters.groups_named(name) for name in plain) and "group" not in rows.columns:
            own = "unit" in rows.columns
            rows = rows if own else self._with(rows, "arrivals", ["project_unit"])
            groups = self._tables.units.select("unit", "group")
            unit = "unit" if own else "project_unit"
            rows = rows.join(groups, left_on=unit, right_on="unit", how="left", maintain_order="left")
        return with_parameters(rows, parameters, self._under.on, names)

    @cached_property
    def _exclusion(self) -> pl.Series:
        return exclusion_of(self._tables.projects, self._tables.exclusions)

    @cached_property
    def _eligibility(self) -> pl.DataFrame:
        return eligibility_of(self._tables.projects, self._tables.eligibility, self._under.on)

    @cached_property
    def _totals(self) -> pl.DataFrame:
        """What the vouchers of each project come to, what its last visit found, and what both bear out: where nobody
        went, the vouchers. A declaration confirms nothing.
        """
        vouchers = self._tables.arrivals.group_by("project").agg(vouchers=pl.col("amount").sum())
        visits = self._tables.visits.sort("visited_on", "visit")
        assessed = visits.group_by("project").agg(assessed=pl.col("assessed_amount").last())
        found = self._tables.projects.select("project")
        for each in (vouchers, assessed):
            found = found.join(each, on="project", how="left", maintain_order="left")
        return found.with_columns(confirmed=pl.min_horizontal(pl.col("vouchers").fill_null(0), "assessed"))

    @cached_property
    def _parts(self) -> pl.DataFrame:
        """What each claim comes to, in billionths, however the shares came about."""
        claims = claims_of(self._tables, self._under.sharing)
        return pl.DataFrame(
            {
                "project": self._tables.projects["project"].gather(claims.project),
                "unit": self._tables.units["unit"].gather(claims.unit),
                "part": claims.share,
            }
        )


def _finding(check: Check, effect: Effect, row: Mapping[str, Any]) -> tuple[str, ...]:
    message = render(translate(check.message, check.domain), row)
    return check.name, check.severity, effect, check.table, key_of(check.table, row), message
