"""Tables and queries of a database through SQLAlchemy: SQLite files of the workspace, PostgreSQL servers.

Everything is read only, and no message shows a password.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import polars as pl
from attrs import define, evolve

from kpi_rules.locale import _
from kpi_rules.model.problems import Place, Problem, error, nearest
from kpi_rules.workspace.files import missing_file
from kpi_rules.workspace.workbooks import number_text

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import URL, Connection, Engine, Select

SCHEMES: Final = ("sqlite", "postgresql")

TIMEOUT: Final = 10
"""Seconds to wait for a server."""


@define(eq=False)
class Result:
    """The rows of a table or query: `header` its column names, `cells` as text named `0`, `1` and so on."""

    header: list[str]
    cells: pl.DataFrame


@define(frozen=True)
class Wanted:
    """What is read from a database: a `query`, or the table `name`, perhaps with its schema before a full stop."""

    name: str
    query: str | None


def label_of(source: str) -> str:
    """Return a database's address without password and options, as messages and quarantine show it."""
    from sqlalchemy.exc import ArgumentError

    try:
        url = _url(source)
        if url.password is None and not url.query:
            return source
        return url.set(query={}).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return _("{scheme}://…").format(scheme=source.partition("://")[0])


def read_database(source: str, folder: Path, wanted: Wanted, place: Place) -> Result | Problem:
    """Read a table or query.

    What fails is the problem `bad-database-url`, `missing-file`, `no-driver`, `no-connection`, `missing-table` or
    `query-failed`.
    """
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    try:
        url = _url(source)
    except (ArgumentError, ValueError):
        return _bad_url(place)
    if url.get_backend_name() not in SCHEMES:
        return _bad_url(place)
    try:
        engine = _engine(url, folder)
    except ImportError:
        return error(
            "no-driver",
            place,
            found=_("no driver for PostgreSQL"),
            expected=_('an installation with it: pip install "kpi-rules[postgresql]"'),
        )
    if isinstance(engine, str):
        return missing_file(engine, folder, place)
    try:
        with engine.connect() as connection:
            result = _read(connection.execution_options(postgresql_readonly=True), wanted, place)
    except SQLAlchemyError as failure:
        result = _no_connection(failure, place)
    finally:
        engine.dispose()
    return _without_secrets(result, url) if isinstance(result, Problem) else result


def _no_connection(failure: Exception, place: Place) -> Problem:
    return error(
        "no-connection",
        place,
        found=_("no connection: {reason}").format(reason=_reason(failure)),
        expected=_("a database that answers within {seconds} seconds").format(seconds=TIMEOUT),
    )


def _bad_url(place: Place) -> Problem:
    return error(
        "bad-database-url",
        place,
        found=_("an address that is none of a known database"),
        expected=_("sqlite:///file.db or postgresql://user:password@host/database"),
        nearest=nearest(place.file.partition("://")[0], SCHEMES),
    )


def _url(source: str) -> URL:
    from sqlalchemy import make_url

    return make_url(source)


def _engine(url: URL, folder: Path) -> Engine | str:
    """Return an engine that only reads, or the name of an SQLite file that is not there (SQLite would make it)."""
    import sqlite3

    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    if url.get_backend_name() == "sqlite":
        path = folder / (url.database or "")
        if not path.is_file():
            return url.database or ""
        uri = f"file:{quote(str(path.resolve()))}?mode=ro"
        return create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True), poolclass=NullPool)
    arguments = {"connect_timeout": TIMEOUT}
    return create_engine(url.set(drivername="postgresql+psycopg"), connect_args=arguments, poolclass=NullPool)


def _read(connection: Connection, wanted: Wanted, place: Place) -> Result | Problem:
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    statement = text(wanted.query) if wanted.query is not None else _select(connection, wanted.name, place)
    if isinstance(statement, Problem):
        return statement
    try:
        rows = connection.execute(statement)
        return _result(list(rows.keys()), [tuple(row) for row in rows])
    except SQLAlchemyError as failure:
        return error(
            "query-failed",
            place,
            found=_("the database refuses the query: {reason}").format(reason=_reason(failure)),
            expected=_("a query that only reads and returns rows"),
        )


def _select(connection: Connection, wanted: str, place: Place) -> Select[tuple[object, ...]] | Problem:
    """Return the query for a whole table or view, its name quoted by SQLAlchemy."""
    from sqlalchemy import inspect, literal_column, select, table

    schema, dot, name = wanted.rpartition(".")
    inspector = inspect(connection)
    schema_name = schema if dot else None
    names = [*inspector.get_table_names(schema_name), *inspector.get_view_names(schema_name)]
    if name in names:
        return select(literal_column("*")).select_from(table(name, schema=schema_name))
    return error(
        "missing-table",
        place,
        found=_("no table '{name}' in the database").format(name=wanted),
        expected=_("one of: {names}").format(names=", ".join(sorted(names)) or "-"),
        nearest=nearest(name, names),
    )


def _result(header: list[str], rows: list[tuple[object, ...]]) -> Result:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    cells = [
        pl.Series(str(at), [_text(value) for value in column], dtype=pl.String) for at, column in enumerate(columns)
    ]
    return Result(header, pl.DataFrame(cells))


def _text(value: object) -> str | None:
    """Write a value of a database as a person would: numbers exactly, dates in ISO form."""
    match value:
        case None:
            return None
        case Decimal():
            return f"{value:f}"
        case float():
            return number_text(value)
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return value.decode(errors="replace")
        case _:
            return str(value)


def _reason(failure: Exception) -> str:
    """Return the driver's own words on one line; SQLAlchemy's would add the statement and a web address."""
    return " ".join(str(getattr(failure, "orig", None) or failure).split())


def _without_secrets(problem: Problem, url: URL) -> Problem:
    """Take password and options out of a message, should a driver repeat them."""
    found = problem.found
    for secret in (url.password, *url.query.values()):
        if isinstance(secret, str) and secret:
            found = found.replace(secret, "***")
    return evolve(problem, found=found)
