"""Data out: to standard output or to a file that is either whole or not there."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from datetime import date
from io import BytesIO
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kpi_rules.cli.failures import RefusedError, discard_output
from kpi_rules.locale import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import polars as pl
    from xlsxwriter.format import Format  # type: ignore[import-untyped]
    from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What begins a formula in some spreadsheet; the full-width forms do in Chinese and Japanese ones."""

LONGEST_CELL = 32_767
"""Characters in a cell of a workbook."""

MOST_ROWS = 1_048_576
"""Rows of a sheet, its header included."""

LONGEST_SHEET_NAME = 31
"""Characters in the name of a sheet."""


def write(content: str | bytes, path: Path | None) -> None:
    """Write to a file, or to standard output: text for people in the encoding they read, bytes as they are."""
    if path is not None:
        write_file(content.encode() if isinstance(content, str) else content, path)
        return
    try:
        if isinstance(content, str):
            sys.stdout.write(content)
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
        sys.stdout.flush()
    except BrokenPipeError:
        raise  # the group ends quietly
    except OSError as error:
        discard_output()
        raise RefusedError(_("cannot write the output: {why}").format(why=error.strerror)) from error


def write_file(content: bytes, path: Path) -> None:
    """Replace a file by new content at once: a reader finds the old or the new, never a part."""
    import tempfile

    check_target(path)
    with _told(path):
        path = path.resolve()  # what a link leads to is replaced, not the link
        if path.exists() and not path.is_file():  # a device or a pipe: nothing to replace
            path.write_bytes(content)
            return
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:50]}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).chmod(_mode(path))
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise


def check_target(path: Path) -> None:
    """Refuse a path that cannot be written, before any work is done.

    Raises:
        RefusedError: the folder is missing, or the path is a folder itself.
    """
    with _told(path):
        if path.is_dir():
            raise RefusedError(_("{path} is a folder; name a file in it").format(path=path))
        if not path.parent.is_dir():
            raise RefusedError(_("there is no folder {folder}; make it first").format(folder=path.parent))


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RefusedError(_("cannot write {path}: {why}").format(path=path, why=why)) from error


def _mode(path: Path) -> int:
    """Return the permissions a new file should have: those of the file it replaces, else what the umask leaves."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


WRITERS: Final = (".csv", ".json", ".parquet", ".xlsx")
"""The endings of files that `write_table` writes."""


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """Write a table into a new file, in the form that its ending names: `.csv`, `.json`, `.parquet` or `.xlsx`.

    Texts that a spreadsheet would take for formulas are made safe; the file is whole or not there.

    Raises:
        ValueError: the ending is none of those, the file is there already, or it cannot be written.
    """
    ending = path.suffix.lower()
    try:
        if ending not in WRITERS:
            raise ValueError(_("{path} ends in no {endings}").format(path=path, endings=", ".join(WRITERS)))
        if path.exists():
            raise ValueError(_("{path} is there already; nothing was changed").format(path=path))
        tables = {path.stem: frame}
        if ending in (".json", ".xlsx"):
            write_file(to_json(tables) if ending == ".json" else to_xlsx(tables), path)
        else:
            write_file(to_csv(frame) if ending == ".csv" else to_parquet(frame), path)
    except RefusedError as error:
        raise ValueError(error.message) from error


def to_json(tables: Mapping[str, pl.DataFrame]) -> bytes:
    """Return tables as one object: arrays of objects by table name, a row a line; dates ISO, money integers in fen."""
    parts = []
    for name, frame in tables.items():
        rows = ",\n".join(line for line in frame.write_ndjson().split("\n") if line)
        parts.append(f'"{name}": [\n{rows}\n]' if rows else f'"{name}": []')
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def to_csv(frame: pl.DataFrame) -> bytes:
    """Return a table as CSV, lists joined; texts a spreadsheet would take for formulas begin with an apostrophe."""
    import polars as pl

    flat = flattened(frame)
    guarded = flat.with_columns(
        pl.when(pl.any_horizontal(*(pl.col(name).str.starts_with(sign) for sign in FORMULA)))
        .then(pl.concat_str(pl.lit("'"), pl.col(name)))
        .otherwise(pl.col(name))
        .alias(name)
        for name, dtype in flat.schema.items()
        if dtype == pl.String
    )
    return guarded.write_csv().encode()


def to_parquet(frame: pl.DataFrame) -> bytes:
    """Return a table as Parquet."""
    content = BytesIO()
    frame.write_parquet(content)
    return content.getvalue()


def to_xlsx(tables: Mapping[str, pl.DataFrame]) -> bytes:
    """Return a workbook, one sheet per table; texts are never formulas or links, dates are dates.

    Raises:
        RefusedError: a table has more rows than a sheet.
    """
    import xlsxwriter  # type: ignore[import-untyped]

    content = BytesIO()
    options = {"in_memory": True, "constant_memory": True}
    with xlsxwriter.Workbook(content, options) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        bold = book.add_format({"bold": True})
        for sheet_name, (name, frame) in zip(_sheet_names(tables), tables.items(), strict=True):
            if frame.height >= MOST_ROWS:
                message = _("table {table} has {rows} rows, more than a sheet holds; use csv or parquet")
                raise RefusedError(message.format(table=name, rows=frame.height))
            sheet = book.add_worksheet(sheet_name)
            sheet.freeze_panes(1, 0)
            for column, title in enumerate(frame.columns):
                sheet.write_string(0, column, title, bold)
            for row, values in enumerate(flattened(frame).iter_rows(), start=1):
                for column, value in enumerate(values):
                    _write_cell(sheet, row, column, value, day)
    return content.getvalue()


def _sheet_names(tables: Iterable[str]) -> list[str]:
    """Return names that a workbook takes: of at most `LONGEST_SHEET_NAME` characters, its own for each in any case.

    Names of tables may be those of tracks in `kpi.toml`; `history` is a name that Excel keeps for itself.
    """
    found: list[str] = []
    taken = {"history"}
    for name in tables:
        short, number = name[:LONGEST_SHEET_NAME], 1
        while short.lower() in taken:
            number += 1
            end = f"_{number}"
            short = name[: LONGEST_SHEET_NAME - len(end)] + end
        taken.add(short.lower())
        found.append(short)
    return found


def flattened(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table whose lists are texts, joined by a semicolon."""
    import polars as pl

    return frame.with_columns(pl.col(name).list.join("; ") for name, dtype in frame.schema.items() if dtype == pl.List)


def _write_cell(sheet: Worksheet, row: int, column: int, value: object, day: Format) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, (int, float)) and isfinite(value):
        sheet.write_number(row, column, value)
    elif isinstance(value, date):
        sheet.write_datetime(row, column, value, day)
    else:
        sheet.write_string(row, column, str(value)[:LONGEST_CELL])
