"""Where a table comes from: a CSV file, a sheet of a workbook, a Parquet file, a database, or a frame in memory.

Every source gives the same thing, a `RawTable`: the header as it stands, the cells, and the row a person would look
for. What cannot be read is a problem of its own, never an exception.
"""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, Final

import polars as pl
from attrs import define, field

from kpi_rules.locale import _
from kpi_rules.model.problems import Place, Problem, error, nearest
from kpi_rules.workspace.databases import Wanted, label_of, read_database
from kpi_rules.workspace.delimited import RAGGED, read_below
from kpi_rules.workspace.encodings import guess_remark, to_utf8
from kpi_rules.workspace.files import empty_file, is_damage, missing_file
from kpi_rules.workspace.schemas import SCHEMAS
from kpi_rules.workspace.workbooks import read_sheet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HEAD: Final = 65_536
"""Bytes that are looked at before a whole file is."""

EDITED: Final = "quotas"
"""The table whose rows are edited, and whose text is kept for that."""

TEXTS: Final = (".csv", ".tsv", ".txt")
WORKBOOKS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


@define(frozen=True)
class TableSource:
    """One source of one table, as `kpi.toml` says it.

    `source` is a path relative to the workspace folder (`units.csv`, `book.xlsx#到账`, `arrivals.parquet`) or a
    database (`sqlite:///data.db`, `postgresql://…`, with `db_table` or `query`). `columns` maps header texts to names
    of the schema; `header` is the row of a file or sheet with these texts, None for the first that is not empty.
    """

    table: str
    source: str
    columns: Mapping[str, str] = field(factory=dict)
    encoding: str | None = None
    db_table: str | None = None
    query: str | None = None
    header: int | None = None


@define(eq=False)
class RawTable:
    """A table as it was found.

    `header` has one text per column of `cells`; `cells` holds them, named `0`, `1`, …, as String (null where empty)
    or as the source types them. `rows` numbers them as a person sees them. `ragged` lists rows with more or fewer
    fields than the header, as `RAGGED` has them. `columns` are the aliases. `exact` says that whoever
    wrote the source could choose an exact type, so floats are refused for money; `fen` that whole numbers of money
    are fen and not yuan. `content` are the bytes of a text file of quotas, which can be edited. `remarks` are what
    there is to say of a source that can be read.
    """

    table: str
    file: str
    header: list[str]
    cells: pl.DataFrame
    rows: pl.Series
    ragged: pl.DataFrame = field(factory=lambda: pl.DataFrame(schema=RAGGED))
    columns: Mapping[str, str] = field(factory=dict)
    exact: bool = False
    fen: bool = False
    content: bytes | None = None
    remarks: tuple[Problem, ...] = ()

    @property
    def place(self) -> Place:
        """Where the table stands."""
        return Place(file=self.file, table=self.table)


def read_source(source: TableSource, folder: Path, content: bytes | None = None) -> RawTable | Problem:
    """Read one source as it stands, a file's `content` where it is known; what cannot be read is a problem."""
    if "://" in source.source:
        return _from_database(source, folder)
    name, sheet = _name_and_sheet(source.source, folder)
    place = Place(file=source.source, table=source.table)
    path = folder / name
    try:
        data = path.read_bytes() if content is None else content
    except (FileNotFoundError, NotADirectoryError):
        return missing_file(name, folder, place)
    except OSError as failure:
        return error(
            "unreadable-file",
            place,
            found=_("a file that cannot be opened: {reason}").format(reason=failure.strerror),
            expected=_("a file that this user may read"),
        )
    if not data:
        return empty_file(place)
    return _from_file(source, path.suffix.lower(), sheet, data, place)


def _name_and_sheet(source: str, folder: Path) -> tuple[str, str | None]:
    """Split `book.xlsx#sheet`; a file whose own name has a `#` is taken as it is."""
    name, mark, sheet = source.rpartition("#")
    return (name, sheet) if mark and not (folder / source).is_file() else (source, None)


def _from_file(source: TableSource, suffix: str, sheet: str | None, data: bytes, place: Place) -> RawTable | Problem:
    if suffix in TEXTS:
        return _read_text(source, data, place)
    if suffix in WORKBOOKS:
        found = read_sheet(data, sheet, place, source.header)
        if isinstance(found, Problem):
            return found
        return RawTable(source.table, source.source, found.header, found.cells, found.rows, columns=source.columns)
    if suffix == ".parquet":
        return _read_parquet(source, data, place)
    return error(
        "unknown-format",
        place,
        found=_("a file ending in '{suffix}'").format(suffix=suffix),
        expected=_("one of: {suffixes}").format(suffixes=", ".join((*TEXTS, *WORKBOOKS, ".parquet"))),
        nearest=nearest(suffix, (*TEXTS, *WORKBOOKS, ".parquet")),
    )


def _from_database(source: TableSource, folder: Path) -> RawTable | Problem:
    label = label_of(source.source)
    wanted = Wanted(source.db_table or source.table, source.query)
    found = read_database(source.source, folder, wanted, Place(file=label, table=source.table))
    if isinstance(found, Problem):
        return found
    rows = _numbered(found.cells.height)
    return RawTable(source.table, label, found.header, found.cells, rows, columns=source.columns)


def _read_parquet(source: TableSource, data: bytes, place: Place) -> RawTable | Problem:
    try:
        frame = pl.read_parquet(io.BytesIO(data))
    except BaseException as failure:
        if not isinstance(failure, (pl.exceptions.PolarsError, OSError)) and not is_damage(failure):
            raise
        found = _("a file that is not Parquet, or a damaged one")
        return error("unreadable-parquet", place, found=found, expected=_("a table saved as Parquet"))
    raw = _typed(source.table, source.source, frame)
    raw.columns = source.columns
    return raw


def raw_from_frame(name: str, frame: pl.DataFrame) -> RawTable | Problem:
    """Take a frame in memory as a table; whole numbers of money are fen."""
    if name not in SCHEMAS:
        return error(
            "unknown-table",
            Place(table=name),
            found=_("a frame for '{name}'").format(name=name),
            expected=_("one of: {names}").format(names=", ".join(SCHEMAS)),
            nearest=nearest(name, SCHEMAS),
        )
    raw = _typed(name, "", frame)
    raw.fen = True
    return raw


def _typed(table: str, file: str, frame: pl.DataFrame) -> RawTable:
    cells = frame.select(pl.col(name).alias(str(at)) for at, name in enumerate(frame.columns))
    return RawTable(table, file, frame.columns, cells, _numbered(frame.height), exact=True)


def _numbered(height: int) -> pl.Series:
    """Number rows that have no header above them from 1."""
    return pl.int_range(1, height + 1, dtype=pl.Int64, eager=True)


def _read_text(source: TableSource, data: bytes, place: Place) -> RawTable | Problem:
    text = to_utf8(data, source.encoding, place)
    if isinstance(text, Problem):
        return text
    if not text.data[:HEAD].strip() and not text.data.strip():  # no copy of a large file
        return empty_file(place)
    found = read_below(text.data, source.header or 1, place)
    if isinstance(found, Problem):
        return found
    raw = RawTable(
        source.table, source.source, found.header, found.cells, found.rows, found.ragged, columns=source.columns
    )
    raw.content = data if source.table == EDITED else None
    remark = guess_remark(data, text, partial(_declaration, source), place)
    raw.remarks = () if remark is None else (remark,)
    return raw


def _declaration(source: TableSource, encoding: str) -> str:
    """Write how `kpi.toml` states the encoding of a source."""
    return f'{source.table} = {{ source = "{source.source}", encoding = "{encoding}" }}'
