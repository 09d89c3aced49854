"""Write the cases of this folder that are not text a person would type: run it after a change to `plain`.

Every case but `header-only` says the same as `plain`, in other clothes.
"""

from __future__ import annotations

import csv
import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import xlsxwriter  # type: ignore[import-untyped]

HERE = Path(__file__).parent
TABLES = ("units", "quotas", "projects", "claims", "arrivals", "visits", "staff")
AMOUNTS = ("amount", "contracted", "assessed_amount", "component")
YUAN = {"万": 10_000, "亿": 100_000_000}


def rows_of(table: str) -> list[list[str]]:
    """Return the rows of a table of `plain`, its header first."""
    with (HERE / "plain" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def typed(header: str, text: str) -> float | date | str | None:
    """Return a cell as a sheet would hold it: numbers in yuan and dates of their own kind."""
    if not text:
        return None
    if header in AMOUNTS:
        scale = YUAN.get(text[-1], 1)
        return round(float(text.rstrip("万亿")) * scale, 2)
    if header == "share":
        return float(text)
    return date.fromisoformat(text) if header.endswith("_on") or header == "effective" else text


def make_texts() -> None:
    """Write the tables in GB18030, and as a spreadsheet program exports them: with a mark in front and CRLF."""
    for table in TABLES:
        text = (HERE / "plain" / f"{table}.csv").read_text(encoding="utf-8")
        (HERE / "gb18030" / f"{table}.csv").write_bytes(text.encode("gb18030"))
        (HERE / "exported" / f"{table}.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())


def make_workbook() -> None:
    """Write all tables as sheets of one workbook, numbers and dates typed."""
    with xlsxwriter.Workbook(HERE / "workbook" / "book.xlsx", {"default_date_format": "yyyy-mm-dd"}) as book:
        book.set_properties({"created": datetime(2011, 1, 1, tzinfo=UTC)})
        for table in TABLES:
            sheet = book.add_worksheet(table)
            header, *rows = rows_of(table)
            sheet.write_row(0, 0, header)
            for number, row in enumerate(rows, start=1):
                sheet.write_row(number, 0, [typed(name, cell) for name, cell in zip(header, row, strict=True)])


def make_database() -> None:
    """Write all tables to an SQLite database, as text."""
    path = HERE / "database" / "data.sqlite"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as database:
        for table in TABLES:
            header, *rows = rows_of(table)
            columns = ", ".join(f'"{name}" text' for name in header)
            database.execute(f'create table "{table}" ({columns})')
            marks = ", ".join("?" * len(header))
            cells = [[cell or None for cell in row] for row in rows]
            database.executemany(f'insert into "{table}" values ({marks})', cells)  # noqa: S608 (names of our own)


def make_parquet() -> None:
    """Write all tables as Parquet, as text."""
    for table in TABLES:
        header, *rows = rows_of(table)
        frame = pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row")
        frame.write_parquet(HERE / "parquet" / f"{table}.parquet")


if __name__ == "__main__":
    make_texts()
    make_workbook()
    make_database()
    make_parquet()
