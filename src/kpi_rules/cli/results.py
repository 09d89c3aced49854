"""Result tables in every format."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from kpi_rules.cli import output
from kpi_rules.cli.failures import RefusedError
from kpi_rules.locale import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import polars as pl

    import kpi_rules as kr

SINGLE: Final = ("csv", "parquet")
"""Formats of which a file holds one table."""

MOST_COLUMNS: Final = 30
"""A table with more columns is shown to people without those that hold nothing."""

BINARY: Final = ("parquet", "xlsx")

PROBLEM: Final = (
    "severity",
    "code",
    "file",
    "table",
    "row",
    "column",
    "line",
    "key",
    "found",
    "expected",
    "nearest",
    "message",
)
"""The columns of a table of problems."""


def check(format: str, tables: Sequence[str], path: Path | None) -> None:
    """Refuse what could not be written in the end, before any work.

    Raises:
        RefusedError: a format of one table for several, one that no screen shows, or a path that cannot be written.
    """
    several = len(set(tables)) != 1
    if several and format in SINGLE and (path is None or not path.is_dir()):
        message = _("{format} holds one table: choose it with --table, or write all into a folder that exists with -o")
        raise RefusedError(message.format(format=format))
    if path is None and format in BINARY and sys.stdout.isatty():
        raise RefusedError(_("{format} is not for a screen: name a file with -o").format(format=format))
    if path is not None and not (format in SINGLE and path.is_dir()):
        output.check_target(path)


def frame(assessment: kr.Assessment, name: str) -> pl.DataFrame:
    """Return a result table by name."""
    if name == "problems":
        return problem_frame(assessment.problems)
    found: pl.DataFrame = getattr(assessment, name)
    return found


def problem_frame(problems: Iterable[kr.Problem]) -> pl.DataFrame:
    """Return problems as a table of the columns `PROBLEM`."""
    import polars as pl

    rows = [
        {
            "severity": problem.severity,
            "code": problem.code,
            "file": problem.place.file or None,
            "table": problem.place.table or None,
            "row": problem.place.row,
            "column": problem.place.column or None,
            "line": problem.place.line,
            "key": problem.place.key or None,
            "found": problem.found,
            "expected": problem.expected,
            "nearest": problem.nearest,
            "message": problem.message,
        }
        for problem in problems
    ]
    return pl.DataFrame(rows, schema={name: pl.Int64 if name in {"row", "line"} else pl.String for name in PROBLEM})


def write(tables: Mapping[str, pl.DataFrame], format: str, path: Path | None) -> None:
    """Write tables to a file, a folder or standard output."""
    if format == "json":
        output.write(output.to_json(tables), path)
    elif format == "xlsx":
        output.write(output.to_xlsx(tables), path)
    elif format == "table":
        _show(tables, path)
    else:
        for name, table in tables.items():
            target = path / f"{name}.{format}" if path is not None and path.is_dir() else path
            output.write(output.to_csv(table) if format == "csv" else output.to_parquet(table), target)


def _show(tables: Mapping[str, pl.DataFrame], path: Path | None) -> None:
    from kpi_rules.cli.screen import Page

    page = Page(path)
    for number, (name, table) in enumerate(tables.items()):
        if len(tables) > 1:
            if number:
                page.line()
            page.title(name)
        seen = _with_values(table) if table.width > MOST_COLUMNS else table
        page.table(seen.columns, seen.iter_rows(), numbers(seen))
        if left_out := table.width - seen.width:
            message = _("{table}: {count} columns without any value are left out; --format csv has them")
            click.echo(message.format(table=name, count=left_out), err=True)
    page.write()


def _with_values(table: pl.DataFrame) -> pl.DataFrame:
    return table.select(column for column in table.get_columns() if column.null_count() < len(column))


def numbers(table: pl.DataFrame) -> list[str]:
    """Return the columns that hold numbers."""
    return [name for name, dtype in table.schema.items() if dtype.is_numeric()]
