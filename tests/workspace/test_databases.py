"""SQLite files and a PostgreSQL server of our own: tables, queries, and messages that keep passwords to themselves."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from kpi_rules.workspace.tables import ReadTables, TableSource
from tests.workspace.reading import PROJECTS, UNITS, messages, read_sources, reasons

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = 'create table "odd ""name" (voucher text, project text, amount numeric, arrived_on date)'
ROWS = """insert into "odd ""name" values
    ('V1', 'J01', 30000.55, '2011-03-01'), ('V2', 'J01', 12, '2011-03-02'), ('V3', 'J01', 0.001, null)"""
COUNTED = [("V1", 3_000_055, date(2011, 3, 1)), ("V2", 1_200, date(2011, 3, 2))]


def read_arrivals(folder: Path, source: str, *, table: str | None = None, query: str | None = None) -> ReadTables:
    (folder / "units.csv").write_text(UNITS)
    (folder / "projects.csv").write_text(PROJECTS)
    beside = [TableSource(name, f"{name}.csv") for name in ("units", "projects")]
    return read_sources(folder, [*beside, TableSource("arrivals", source, db_table=table, query=query)])


def is_counted(found: ReadTables, file: str) -> None:
    assert messages(found) == []
    assert found.tables.arrivals.select("voucher", "amount", "arrived_on").rows() == COUNTED
    assert [line.split(":")[0] for line in (line.removeprefix(file) for line in reasons(found))] == [
        " row 3 amount [amount-too-fine] 0.001",
        " row 3 arrived_on [missing-value] None",
    ]


# SQLite


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "data #1.db")) as connection:
        connection.execute(TABLE)
        connection.execute(ROWS)
        connection.execute("create table empty (voucher text, project text, amount text, arrived_on text)")
        connection.commit()
    return tmp_path


SQLITE = "sqlite:///data #1.db"


def test_a_table_of_sqlite(folder: Path) -> None:
    is_counted(read_arrivals(folder, SQLITE, table='odd "name'), SQLITE)


def test_a_query_of_sqlite(folder: Path) -> None:
    query = 'select arrived_on, amount, project, voucher from "odd ""name" order by voucher'
    is_counted(read_arrivals(folder, SQLITE, query=query), SQLITE)


def test_a_table_without_rows(folder: Path) -> None:
    found = read_arrivals(folder, SQLITE, table="empty")
    assert (messages(found), found.tables.arrivals.height) == ([], 0)


def test_a_missing_database_is_not_made(folder: Path) -> None:
    assert messages(read_arrivals(folder, "sqlite:///data #2.db", table="x")) == [
        (
            "error [missing-file] sqlite:///data #2.db, table arrivals: found no file 'data #2.db'; "
            "expected a file in the workspace folder (nearest: data #1.db)"
        )
    ]
    assert not (folder / "data #2.db").exists()


@pytest.mark.parametrize(
    ("source", "table", "query", "message"),
    [
        (
            SQLITE,
            "odd name",
            None,
            ("error [missing-table] sqlite:///data #1.db, table arrivals: found no table 'odd name' in the database; "
            'expected one of: empty, odd "name (nearest: odd "name)'),
        ),
        (
            SQLITE,
            None,
            "select * from nowhere",
            ("error [query-failed] sqlite:///data #1.db, table arrivals: "
            "found the database refuses the query: no such table: nowhere; "
            "expected a query that only reads and returns rows"),
        ),
        (
            SQLITE,
            None,
            "delete from empty",
            ("error [query-failed] sqlite:///data #1.db, table arrivals: "
            "found the database refuses the query: attempt to write a readonly database; "
            "expected a query that only reads and returns rows"),
        ),
        (
            "sqlite:///units.csv",
            "arrivals",
            None,
            ("error [no-connection] sqlite:///units.csv, table arrivals: "
            "found no connection: file is not a database; expected a database that answers within 10 seconds"),
        ),
        (
            "postgres://me:secret@host/db",
            "arrivals",
            None,
            ("error [bad-database-url] postgres://me:***@host/db, table arrivals: "
            "found an address that is none of a known database; "
            "expected sqlite:///file.db or postgresql://user:password@host/database (nearest: postgresql)"),
        ),
        (
            "postgresql://me:secret@host:port/db",
            "arrivals",
            None,
            ("error [bad-database-url] postgresql://…, table arrivals: "
            "found an address that is none of a known database; "
            "expected sqlite:///file.db or postgresql://user:password@host/database (nearest: postgresql)"),
        ),
    ],
)  # fmt: skip
def test_databases_that_cannot_be_read(
    folder: Path, source: str, table: str | None, query: str | None, message: str
) -> None:
    assert messages(read_arrivals(folder, source, table=table, query=query)) == [message]


# PostgreSQL


def _programs() -> Path | None:
    """Return the folder of `initdb`, from the path or from where Debian keeps it."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in versions), default=None)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a private server on a free loopback port; PostgreSQL does not run as root, so `nobody` runs it then."""
    programs = _programs()
    if programs is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed; .ci/run installs it")
        pytest.skip("PostgreSQL is not installed")
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    home = Path(tempfile.mkdtemp(prefix="kpi-rules-postgresql-"))
    if user:
        shutil.chown(home, "nobody", "nogroup")
    (home / "password").write_text("geheim")
    (home / "password").chmod(0o644)
    data = str(home / "data")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(*command: str) -> None:
        subprocess.run(
            [str(programs / command[0]), *command[1:]],
            check=True,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **user,  # type: ignore[call-overload]
        )

    secret = f"--pwfile={home / 'password'}"
    run("initdb", "-D", data, "-U", "auditor", "-A", "scram-sha-256", secret, "-N", "--locale=C", "-E", "UTF8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    run("pg_ctl", "-D", data, "-l", str(home / "log"), "-w", "-o", options, "start")
    address = f"127.0.0.1:{port}/postgres"
    try:
        engine = create_engine(f"postgresql+psycopg://auditor:geheim@{address}")
        with engine.begin() as connection:
            connection.execute(text(TABLE.replace('"odd', '"Odd').replace("numeric", "numeric(20, 3)")))
            connection.execute(text(ROWS.replace('"odd', '"Odd')))
            connection.execute(text("create schema hr"))
            connection.execute(text('create view hr.arrivals as select * from "Odd ""name"'))
        engine.dispose()
        yield address
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(home)


@pytest.mark.parametrize("table", ['Odd "name', "hr.arrivals"])
def test_a_table_of_postgresql(tmp_path: Path, server: str, table: str) -> None:
    found = read_arrivals(tmp_path, f"postgresql://auditor:geheim@{server}", table=table)
    is_counted(found, f"postgresql://auditor:***@{server}")


def test_a_query_of_postgresql(tmp_path: Path, server: str) -> None:
    query = "select voucher, project, amount, arrived_on from hr.arrivals where voucher like 'V%' order by 1"
    is_counted(
        read_arrivals(tmp_path, f"postgresql://auditor:geheim@{server}", query=query),
        f"postgresql://auditor:***@{server}",
    )


def test_a_server_is_only_read(tmp_path: Path, server: str) -> None:
    found = read_arrivals(tmp_path, f"postgresql://auditor:geheim@{server}", query="create table x (y int)")
    assert messages(found) == [
        (
            f"error [query-failed] postgresql://auditor:***@{server}, table arrivals: "
            "found the database refuses the query: cannot execute CREATE TABLE in a read-only transaction; "
            "expected a query that only reads and returns rows"
        )
    ]


def test_a_table_that_the_server_does_not_have(tmp_path: Path, server: str) -> None:
    found = read_arrivals(tmp_path, f"postgresql://auditor:geheim@{server}", table="hr.arrival")
    assert messages(found) == [
        (
            f"error [missing-table] postgresql://auditor:***@{server}, table arrivals: found no table 'hr.arrival' "
            "in the database; expected one of: arrivals (nearest: arrivals)"
        )
    ]


@pytest.mark.parametrize("options", ["", "?application_name=falsch"])
def test_a_wrong_password_is_not_shown(tmp_path: Path, server: str, options: str) -> None:
    found = read_arrivals(tmp_path, f"postgresql://auditor:falsch@{server}{options}", table="x")
    (message,) = messages(found)
    assert message.startswith(
        f"error [no-connection] postgresql://auditor:***@{server}, table arrivals: found no connection: "
    )
    assert "password authentication failed" in message
    assert "falsch" not in message


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    (message,) = messages(read_arrivals(tmp_path, "postgresql://auditor:falsch@127.0.0.1:9/db", table="x"))
    assert message.startswith(
        "error [no-connection] postgresql://auditor:***@127.0.0.1:9/db, table arrivals: found no "
    )
    assert "falsch" not in message


def test_a_missing_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert messages(read_arrivals(tmp_path, "postgresql://me@host/db", table="x")) == [
        (
            "error [no-driver] postgresql://me@host/db, table arrivals: found no driver for PostgreSQL; "
            'expected an installation with it: pip install "kpi-rules[postgresql]"'
        )
    ]
