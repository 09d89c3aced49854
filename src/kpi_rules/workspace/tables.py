"""Any sources to the clean tables of a workspace, with everything that is wrong with them.

Rows that break go to quarantine with file, row, column, value and reason; what breaks a whole table, or a row of
`units` or `quotas`, is an error. Nothing is raised for data.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import polars as pl
from attrs import define, evolve, field

from kpi_rules.workspace.cleaning import Cleaned, clean
from kpi_rules.workspace.evidence import check_rows, convert_amounts, dated_before, too_large_totals
from kpi_rules.workspace.quarantine import empty_quarantine, quarantine_of, row_problems
from kpi_rules.workspace.schemas import SCHEMAS
from kpi_rules.workspace.sources import EDITED, RawTable, TableSource, raw_from_frame, read_source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from kpi_rules.model.problems import Problem

    Frames: TypeAlias = Mapping[str, pl.DataFrame | pl.LazyFrame]

__all__ = ["ReadTables", "TableSource", "Tables", "read_tables", "tables_from_frames"]


def _empty(name: str) -> pl.DataFrame:
    return SCHEMAS[name].empty()


@define(eq=False, frozen=True)
class Tables:
    """The clean tables of a workspace: always there, perhaps without rows, with their schema's columns in its order.

    Money is Int64 fen, shares and rates Int64 billionths, dates Date; `row` is the row of the file, and rows stand in
    the order of the files. `arrivals.amount` is in the workspace's currency, converted at the rate of the day of
    arrival.
    """

    units: pl.DataFrame = field(factory=lambda: _empty("units"))
    quotas: pl.DataFrame = field(factory=lambda: _empty("quotas"))
    projects: pl.DataFrame = field(factory=lambda: _empty("projects"))
    claims: pl.DataFrame = field(factory=lambda: _empty("claims"))
    arrivals: pl.DataFrame = field(factory=lambda: _empty("arrivals"))
    visits: pl.DataFrame = field(factory=lambda: _empty("visits"))
    staff: pl.DataFrame = field(factory=lambda: _empty("staff"))
    postings: pl.DataFrame = field(factory=lambda: _empty("postings"))
    returns: pl.DataFrame = field(factory=lambda: _empty("returns"))
    roster: pl.DataFrame = field(factory=lambda: _empty("roster"))
    handovers: pl.DataFrame = field(factory=lambda: _empty("handovers"))
    factors: pl.DataFrame = field(factory=lambda: _empty("factors"))
    eligibility: pl.DataFrame = field(factory=lambda: _empty("eligibility"))
    exclusions: pl.DataFrame = field(factory=lambda: _empty("exclusions"))
    samples: pl.DataFrame = field(factory=lambda: _empty("samples"))
    rates: pl.DataFrame = field(factory=lambda: _empty("rates"))
    deposits: pl.DataFrame = field(factory=lambda: _empty("deposits"))
    results: pl.DataFrame = field(factory=lambda: _empty("results"))
    withheld: pl.DataFrame = field(factory=lambda: _empty("withheld"))
    misclaimed: pl.Series = field(factory=lambda: pl.Series("project", dtype=pl.String))
    """Projects with a row of `claims` in quarantine or excluded by a check: what it claimed is unclaimed, not the
    project's own unit's.
    """


@define(eq=False)
class ReadTables:
    """The clean tables, the quarantine (`file, table, row, column, value, code, reason`), and the problems.

    `contents` are the bytes of the sources of `quotas`, in order: None of one that is no text file.
    """

    tables: Tables
    quarantine: pl.DataFrame
    problems: list[Problem]
    contents: tuple[bytes | None, ...] = ()

    def with_quotas(self, quotas: pl.DataFrame) -> ReadTables:
        """Return the same with another clean table of quotas."""
        return evolve(self, tables=evolve(self.tables, quotas=quotas))

    def with_contents(
        self,
        contents: Sequence[bytes | None],
        sources: Sequence[TableSource],
        *,
        currency: str,
        count_indicators: Collection[str],
        year_start: date,
    ) -> ReadTables:
        """Return the same with quotas read from other contents of their sources, none of which is None."""
        own = [source for source in sources if source.table == EDITED]
        found = [read_source(source, Path(), content) for source, content in zip(own, contents, strict=True)]
        read = _clean_all(found, [EDITED] * len(own), currency, count_indicators, year_start, ())
        others = [problem for problem in self.problems if problem.place.table != EDITED]
        return evolve(
            self.with_quotas(read.tables.quotas), problems=[*others, *read.problems], contents=tuple(contents)
        )


def read_tables(
    sources: Sequence[TableSource],
    folder: Path,
    *,
    currency: str,
    count_indicators: Collection[str],
    year_start: date,
    optional: Collection[str] = (),
) -> ReadTables:
    """Read and clean the tables of a workspace.

    Args:
        sources: where the tables come from; several sources of one table are read one after the other.
        folder: the workspace folder, to which paths are relative.
        currency: the workspace's currency; a voucher in another is converted.
        count_indicators: indicators whose quotas are counts and not money.
        year_start: evidence dated before it gets a warning.
        optional: required columns that this workspace does without, as `table.column`.
    """
    found = [read_source(source, folder) for source in sources]
    return _clean_all(found, [source.table for source in sources], currency, count_indicators, year_start, optional)


def tables_from_frames(
    frames: Frames,
    *,
    currency: str,
    count_indicators: Collection[str],
    year_start: date,
    optional: Collection[str] = (),
) -> ReadTables:
    """Clean frames in memory as `read_tables` cleans files.

    A lazy frame is collected. Dates may be text, Date or Datetime. Money as text or Decimal is in yuan, as Int64 in
    fen; where the header states a unit it is in that. Float64 money is the problem `inexact-money`.
    """
    found = [
        raw_from_frame(name, frame.collect() if isinstance(frame, pl.LazyFrame) else frame)
        for name, frame in frames.items()
    ]
    return _clean_all(found, list(frames), currency, count_indicators, year_start, optional)


def _clean_all(
    found: Iterable[RawTable | Problem],
    declared: Sequence[str],
    currency: str,
    count_indicators: Collection[str],
    year_start: date,
    optional: Collection[str],
) -> ReadTables:
    problems: list[Problem] = []
    by_table: dict[str, list[Cleaned]] = {}
    unread: set[str] = set()
    contents: list[bytes | None] = []
    for raw, table in zip(found, declared, strict=True):
        if table == EDITED:
            contents.append(raw.content if isinstance(raw, RawTable) else None)
        if not isinstance(raw, RawTable):
            problems.append(raw)
            unread.add(table)
            continue
        told = {(each.code, each.place.file) for each in problems}
        problems += [each for each in raw.remarks if (each.code, each.place.file) not in told]
        cleaned, more = clean(raw, count_indicators, optional)
        problems += more
        if cleaned is None:
            unread.add(table)
        else:
            by_table.setdefault(table, []).append(cleaned)
    return evolve(_assemble(by_table, unread, problems, currency, year_start), contents=tuple(contents))


def _assemble(
    by_table: Mapping[str, list[Cleaned]], unread: set[str], problems: list[Problem], currency: str, year_start: date
) -> ReadTables:
    """Clean the tables in the order of their references, so that a row is held against what is left of the others."""
    done: dict[str, pl.DataFrame] = {}
    broken: dict[str, pl.Series] = {}
    quarantines: list[pl.DataFrame] = [empty_quarantine()]
    unread_claims = pl.Series("project", dtype=pl.String)
    for name in _ORDER:
        schema = SCHEMAS[name]
        parts = by_table.get(name, [])
        if not parts:
            done[name] = schema.empty()
            continue
        frame = pl.concat([part.frame for part in parts]) if len(parts) > 1 else parts[0].frame
        failures = check_rows(schema, frame, parts, done, broken, unread)
        if name == "arrivals":
            frame, more = convert_amounts(frame, failures, done["rates"], currency)
            failures = pl.concat([failures, more])
        if schema.settings:
            problems += row_problems(parts, failures)
        else:
            quarantines.append(quarantine_of(parts, failures))
        done[name] = _without(frame, failures)
        if name == "claims":
            unread_claims = frame["project"].gather(
                failures.filter(pl.col("code") != "duplicate-row")["at"].unique()  # its first copy is read
            )
        ids = frame[schema.columns[0].name]
        broken[name] = ids[failures["at"].unique()] if len(failures) else ids.clear()
        problems += dated_before(schema, frame, failures, parts, year_start)
    problems += too_large_totals(done, by_table)
    misclaimed = unread_claims.rename("project")
    return ReadTables(Tables(**done, misclaimed=misclaimed), pl.concat(quarantines), problems)


def _without(frame: pl.DataFrame, failures: pl.DataFrame) -> pl.DataFrame:
    """Return the rows nothing is wrong with."""
    if not failures.height:
        return frame
    good = pl.repeat(value=True, n=frame.height, eager=True, dtype=pl.Boolean)
    return frame.filter(good.scatter(failures["at"], values=False))


_ORDER: Final = (
    "units",
    "quotas",
    "projects",
    "claims",
    "rates",
    "arrivals",
    "visits",
    "staff",
    "postings",
    "returns",
    "roster",
    "handovers",
    "factors",
    "eligibility",
    "exclusions",
    "samples",
    "deposits",
    "withheld",
    "results",
)
