"""Workspaces of a few lines, for tests of reading."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from kpi_rules.workspace.tables import ReadTables, TableSource, read_tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

UNITS = "unit,name\ncity,City\nfinance,Finance\nwater,Water\n"
PROJECTS = "project,unit\nJ01,finance\nJ02,water\n"
BASE: Mapping[str, str] = {"units": UNITS, "projects": PROJECTS}


def read_sources(folder: Path, sources: Sequence[TableSource]) -> ReadTables:
    """Read sources as a workspace of 2011 in yuan would, with `signed` as a count."""
    return read_tables(sources, folder, currency="CNY", count_indicators=["signed"], year_start=date(2011, 1, 1))


def read_csv(folder: Path, tables: Mapping[str, str | bytes]) -> ReadTables:
    """Write each table as `<table>.csv` and read them all, with the units and projects above where none are given."""
    contents = {**BASE, **tables}
    for name, content in contents.items():
        (folder / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_sources(folder, [TableSource(name, f"{name}.csv") for name in contents])


def reasons(found: ReadTables) -> list[str]:
    """Return each line of quarantine as text."""
    return [
        f"{line['file']} row {line['row']} {line['column']} [{line['code']}] {line['value']}: {line['reason']}"
        for line in found.quarantine.iter_rows(named=True)
    ]


def messages(found: ReadTables) -> list[str]:
    """Return each problem as text."""
    return [f"{problem.severity} [{problem.code}] {problem.message}" for problem in found.problems]
