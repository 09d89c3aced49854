"""What the tables of a workspace mean together: problems that no single row shows.

Rows that break by themselves, and references of evidence to unknown units and projects, are found where tables are
read; here are the tree of units, the quotas, claims and staff as wholes. A table may have a million rows, so everything
is done on whole columns, and only what is wrong is looked at row by row.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from attrs import define

from kpi_rules.locale import _
from kpi_rules.model.columns import QUOTA_INDICATORS
from kpi_rules.model.money import BILLION
from kpi_rules.model.problems import Place, Problem, error, nearest, warning
from kpi_rules.workspace.config_schema import one_of, shown
from kpi_rules.workspace.credit_checks import TABLES, credit_problems
from kpi_rules.workspace.quota_checks import fixing_problems, split_problems
from kpi_rules.workspace.wording import MANY, ROWS_SHOWN, rows_named

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from kpi_rules.model.calendar import Year
    from kpi_rules.workspace.config import Config
    from kpi_rules.workspace.tables import Tables

_FIRST, _LAST = date.min, date.max
_DAYS = 10_000_000
"""More than the days from the first date there is to the last."""

_AFFIX = 2
_NEAREST_AT_MOST = 50
_SECRET = re.compile(r"(?<=://)[^/@]*@")


def consistency_problems(
    tables: Tables,
    config: Config,
    indicators: Collection[str] = QUOTA_INDICATORS,
    *,
    counts: Collection[str] = QUOTA_INDICATORS[1:],
    found: Sequence[Problem] = (),
) -> list[Problem]:
    """Return what is wrong between the rows and tables of a workspace.

    Args:
        tables: the clean tables.
        config: the year, and where the tables come from.
        indicators: those a quota can be set for.
        counts: those of them that are numbers and not money.
        found: the problems found while the tables were read. Where `units` has errors, rows of it are missing: what
            refers to units is then not held against it, so that one slip gives one problem.
    """
    files = {table: _file(config, table) for table in ("units", "quotas", "staff", *TABLES)}
    has_all_units = not any(_breaks(each, "units") for each in found)
    has_all_staff = not any(_breaks(each, "staff") for each in found)
    checks: list[Iterable[Problem]] = [
        unit_problems(tables.units, files["units"], is_whole=has_all_units),
        quota_problems(tables.quotas, config.year, indicators, files["quotas"]),
        fixing_problems(
            tables.quotas,
            tables.units,
            tables.staff if has_all_staff else tables.staff.clear(),
            config.year,
            counts,
            files["quotas"],
        ),
        claim_problems(tables.claims, files["claims"]),
        credit_problems(tables, files),
        staff_problems(tables.staff, files["staff"]),
    ]
    if has_all_units and tables.units.height:
        checks.append(quota_unit_problems(tables.quotas, tables.units, files["quotas"]))
        checks.append(split_problems(tables.quotas, tables.units, counts, files["quotas"]))
    if has_all_staff and tables.staff.height:
        checks.append(head_problems(tables.units, tables.staff, files["units"]))
    return [problem for check in checks for problem in check]


def _breaks(problem: Problem, table: str) -> bool:
    """Whether a problem keeps rows of a table out: an error in it, or in its entry of `[tables]`."""
    entry = f"tables.{table}"
    is_entry = problem.place.key == entry or problem.place.key.startswith((f"{entry}.", f"{entry}["))
    return problem.severity == "error" and (problem.place.table == table or is_entry)


def _file(config: Config, table: str) -> str:
    """Return where a table was read from, without the password of a database."""
    return ", ".join(_SECRET.sub("", source.source) for source in config.tables if source.table == table)


def unit_problems(units: pl.DataFrame, file: str = "", *, is_whole: bool = True) -> Iterator[Problem]:
    """Check that there are units, each once, and that they form a forest.

    Args:
        units: the clean table.
        file: its file, for the places of problems.
        is_whole: whether every row of the file is in it; if not, parents that are missing may have been left out.
    """
    if units.is_empty():
        if is_whole:
            rows = _("a table with at least one unit")
            yield error("no-units", Place(file, "units"), found=_("no units at all"), expected=rows)
        return
    yield from _duplicate_units(units, file)
    units = units.unique("unit", keep="first", maintain_order=True)
    if is_whole:
        for stray in _strays(units, "parent", units["unit"]):
            found = _("the unknown parent {name}").format(name=stray)
            place = Place(file, "units", stray.rows[0], "parent")
            yield error("unknown-parent", place, found=found, expected=_a_unit(), nearest=stray.near)
    yield from _cycles(units, file)


def _duplicate_units(units: pl.DataFrame, file: str) -> Iterator[Problem]:
    if units["unit"].n_unique() == units.height:
        return
    doubles = units.group_by("unit", maintain_order=True).agg("row").filter(pl.col("row").list.len() > 1)
    for unit, rows in doubles.iter_rows():
        yield error(
            "duplicate-unit",
            Place(file, "units", rows[1], "unit"),
            found=_("the unit {unit} in {rows}").format(unit=shown(unit), rows=rows_named(rows)),
            expected=_("each unit once"),
        )


def _cycles(units: pl.DataFrame, file: str) -> Iterator[Problem]:
    """Name each cycle of the tree, from its first unit in code-point order upwards."""
    numbered = units.select("unit", "parent").with_row_index("at")
    above = numbered.join(
        numbered.select(pl.col("unit").alias("parent"), pl.col("at").alias("up")), on="parent", how="left"
    )
    parents = above.sort("at")["up"].fill_null(units.height).to_numpy().astype(np.int64)
    names = units["unit"]
    for cycle in cycles_of(parents):
        chain = [str(names[at]) for at in cycle]
        first = chain.index(min(chain))
        around = [*chain[first:], *chain[:first]]
        yield error(
            "cycle",
            Place(file, "units", int(units["row"][cycle[first]]), "parent"),
            found=_("units above each other in a circle: {chain}").format(chain=" -> ".join([*around, around[0]])),
            expected=_("a parent further up, or none"),
        )


def cycles_of(parents: NDArray[np.int64]) -> list[list[int]]:
    """Return the cycles of a forest-to-be.

    Args:
        parents: the position of each node's parent; the number of nodes for none. Shape (nodes,).

    Returns:
        each cycle once, as positions from child to parent. Jumps are doubled until every node is above its root or, on
        a cycle or below one, has landed on the cycle: no more than log2(nodes) passes.
    """
    count = len(parents)
    jump = np.append(parents, count)
    for _pass in range(count.bit_length() + 1):
        if (jump == count).all():
            return []
        jump = jump[jump]
    left = set(np.unique(jump[jump != count]).tolist())
    cycles = []
    while left:
        cycle = [min(left)]
        while (up := int(parents[cycle[-1]])) != cycle[0]:
            cycle.append(up)
        left.difference_update(cycle)
        cycles.append(cycle)
    return cycles


def quota_unit_problems(quotas: pl.DataFrame, units: pl.DataFrame, file: str = "") -> Iterator[Problem]:
    """Check that every quota is one of a known unit."""
    for stray in _strays(quotas, "unit", units["unit"]):
        found = _("the unknown unit {name}").format(name=stray)
        place = Place(file, "quotas", stray.rows[0], "unit")
        yield error("unknown-unit", place, found=found, expected=_a_unit(), nearest=stray.near)


def quota_problems(quotas: pl.DataFrame, year: Year, indicators: Collection[str], file: str = "") -> Iterator[Problem]:
    """Check the indicators and the dates of quotas."""
    valid = pl.Series(sorted(indicators), dtype=pl.String)
    for stray in _strays(quotas, "indicator", valid):
        found = _("the unknown indicator {name}").format(name=stray)
        place = Place(file, "quotas", stray.rows[0], "indicator")
        yield error("unknown-indicator", place, found=found, expected=one_of(valid), nearest=stray.near)
    yield from _double_revisions(quotas, file)
    yield from _disordered_revisions(quotas, file)
    yield from _dates_outside(quotas, year, file)


def _double_revisions(quotas: pl.DataFrame, file: str) -> Iterator[Problem]:
    key = ["unit", "indicator", "effective"]
    doubles = quotas.group_by(key, maintain_order=True).agg("row").filter(pl.col("row").list.len() > 1)
    for unit, indicator, effective, rows in doubles.iter_rows():
        yield error(
            "two-revisions-on-one-date",
            Place(file, "quotas", rows[1], "effective"),
            found=_("{unit}, {indicator}: {rows} all effective from {on}").format(
                unit=unit, indicator=indicator, rows=rows_named(rows), on=effective
            ),
            expected=_("one quota for each date"),
        )


def _disordered_revisions(quotas: pl.DataFrame, file: str) -> Iterator[Problem]:
    """Warn of the first revision of each unit's quota that stands below a later one."""
    key = ["unit", "indicator"]
    follows = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in key)
    before = quotas.sort(key, maintain_order=True).with_columns(
        pl.when(follows).then(pl.col("effective", "row").shift(1)).name.suffix("_before")
    )
    early = before.filter(pl.col("effective") < pl.col("effective_before")).unique(key, keep="first").sort("row")
    for each in early.iter_rows(named=True):
        yield warning(
            "revisions-out-of-order",
            Place(file, "quotas", each["row"], "effective"),
            found=_("{unit}, {indicator}: {on}, below {later} in row {row}").format(
                unit=each["unit"],
                indicator=each["indicator"],
                on=each["effective"],
                later=each["effective_before"],
                row=each["row_before"],
            ),
            expected=_("revisions in the order of their dates; they are used in that order"),
        )


def _dates_outside(quotas: pl.DataFrame, year: Year, file: str) -> Iterator[Problem]:
    within = _("dates from {start} to {end}, the assessment year").format(start=year.start, end=year.end)
    for code, outside in (
        ("quota-before-year", quotas.filter(pl.col("effective") < year.start)),
        ("quota-after-year", quotas.filter(pl.col("effective") > year.end)),
    ):
        if outside.height:
            dates = outside["effective"].cast(pl.String).unique(maintain_order=True).head(ROWS_SHOWN)
            found = _("quotas effective on {dates} in {rows}").format(
                dates=", ".join(dates), rows=rows_named(outside["row"].to_list())
            )
            yield warning(code, Place(file, "quotas", outside["row"][0], "effective"), found=found, expected=within)


def claim_problems(claims: pl.DataFrame, file: str = "") -> Iterator[Problem]:
    """Check that at no date the claims known by then, and not yet revoked, come to more than the whole project."""
    totals = claims.group_by("project").agg(pl.col("share").sum()).filter(pl.col("share") > BILLION)
    if totals.is_empty():
        return
    known = claims.join(totals, on="project", how="semi").select(
        "project",
        "row",
        "share",
        pl.col("recorded_on").fill_null(_FIRST).alias("start"),
        pl.col("revoked_on").fill_null(_LAST).alias("stop"),
    )
    for project, on, share, rows in _above_whole(known.filter(pl.col("start") < pl.col("stop"))):
        since = "" if on == _FIRST else _(" from {on} on").format(on=on)
        percent = f"{(Decimal(share) * 100 / BILLION).normalize():f}%"
        yield error(
            "shares-above-whole",
            Place(file, "claims", rows[-1], "share"),
            found=_("{percent} of project {project} claimed in {rows}").format(
                percent=percent, project=shown(project), rows=rows_named(rows)
            )
            + since,
            expected=_("shares of at most 100% in all"),
        )


def _above_whole(known: pl.DataFrame) -> Iterator[tuple[str, date, int, list[int]]]:
    """Find the first date at which each project's claims are above the whole: project, date, sum of shares, rows."""
    stops = known.filter(pl.col("stop") < _LAST)
    changes = pl.concat(
        [
            known.select("project", pl.col("start").alias("on"), "share"),
            stops.select("project", pl.col("stop").alias("on"), -pl.col("share")),
        ]
    )
    sums = (
        changes.group_by("project", "on")
        .agg(pl.col("share").sum())
        .sort("project", "on")
        .with_columns(_running("share", "project"))
        .filter(pl.col("share") > BILLION)
        .unique("project", keep="first", maintain_order=True)
    )
    active = (
        known.join(sums.select("project", "on", pl.col("share").alias("sum")), on="project")
        .filter(pl.col("start") <= pl.col("on"), pl.col("on") < pl.col("stop"))
        .group_by("project", "on", "sum")
        .agg("row")
        .sort("project")
    )
    for project, on, share, rows in active.iter_rows():
        yield project, on, share, sorted(rows)


def _running(column: str, by: str) -> pl.Expr:
    """Sum up from the start of each group of rows in one pass; a window takes minutes with a million groups."""
    total = pl.col(column).cum_sum()
    is_first = pl.col(by).ne_missing(pl.col(by).shift(1))
    return total - pl.when(is_first).then(total - pl.col(column)).forward_fill()


@define
class _Period:
    """A row of `staff`: its row number and the days it is valid for, both inclusive."""

    row: int
    start: date
    end: date

    def __str__(self) -> str:
        start = "" if self.start == _FIRST else self.start.isoformat()
        end = "" if self.end == _LAST else self.end.isoformat()
        return _("row {row} ({start} to {end})").format(
            row=self.row, start=start or _("the start"), end=end or _("open")
        )


def staff_problems(staff: pl.DataFrame, file: str = "") -> Iterator[Problem]:
    """Check that no two rows of one person share a day."""
    if staff["person"].n_unique() == staff.height:
        return
    periods = staff.select(
        "person",
        "row",
        pl.col("from_on").fill_null(_FIRST).alias("start"),
        pl.col("to_on").fill_null(_LAST).alias("end"),
    ).sort("person", "start", "row")
    # The latest end so far of the same person, in one pass: ends are ranked by person first.
    rank = pl.col("person").rle_id().cast(pl.Int64) * _DAYS + pl.col("end").to_physical()
    begins = pl.col("person").rle_id().cast(pl.Int64) * _DAYS + pl.col("start").to_physical()
    overlaps = periods.filter(begins <= rank.cum_max().shift(1))
    suspects = periods.join(overlaps, on="person", how="semi", maintain_order="left")
    for (person,), rows in suspects.group_by("person", maintain_order=True):
        longest: _Period | None = None
        for row, start, end in rows.select("row", "start", "end").iter_rows():
            period = _Period(row, start, end)
            if longest is not None and start <= longest.end:
                yield _overlap(str(person), longest, period, file)
            if longest is None or end > longest.end:
                longest = period


def _overlap(person: str, first: _Period, second: _Period, file: str) -> Problem:
    return error(
        "overlapping-staff",
        Place(file, "staff", max(first.row, second.row), "from_on"),
        found=_("person {person} in {first} and in {second}").format(person=shown(person), first=first, second=second),
        expected=_("periods of one person that share no day"),
    )


def head_problems(units: pl.DataFrame, staff: pl.DataFrame, file: str = "") -> Iterator[Problem]:
    """Warn of heads who are no staff."""
    for stray in _strays(units, "head", staff["person"]):
        found = _("the head {name}, who is not on staff").format(name=stray)
        place = Place(file, "units", stray.rows[0], "head")
        yield warning(
            "head-not-on-staff", place, found=found, expected=_("a person of the table staff"), nearest=stray.near
        )


@define
class _Stray:
    """A name that refers to nothing, the rows it stands in, and the name it is most like."""

    name: str
    rows: list[int]
    near: str | None

    def __str__(self) -> str:
        if len(self.rows) == 1:
            return shown(self.name)
        return _("{name} in {rows}").format(name=shown(self.name), rows=rows_named(self.rows))


def _strays(frame: pl.DataFrame, column: str, valid: pl.Series) -> Iterator[_Stray]:
    """Find the names in a column that are none of the valid ones; empty cells are none."""
    named = frame.select(column, "row").drop_nulls(column)
    strange = named.join(valid.alias(column).to_frame(), on=column, how="anti", maintain_order="left")
    by_name = strange.group_by(column, maintain_order=True).agg("row")
    for number, (name, rows) in enumerate(by_name.iter_rows()):
        yield _Stray(name, rows, _nearest(name, valid) if number < _NEAREST_AT_MOST else None)


def _nearest(name: str, valid: pl.Series) -> str | None:
    """Return the valid name most like this one, without comparing it with a million of them."""
    if valid.len() > MANY:
        alike = valid.str.starts_with(name[:_AFFIX]) | valid.str.ends_with(name[-_AFFIX:])
        lengths = (valid.str.len_chars().cast(pl.Int64) - len(name)).abs()
        valid = valid.filter(alike & (lengths <= _AFFIX)).head(MANY)
    return nearest(name, valid.to_list())


def _a_unit() -> str:
    return _("a unit of the table units")
