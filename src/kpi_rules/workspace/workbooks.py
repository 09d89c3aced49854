"""Sheets of a workbook as text cells, exactly as they are stored.

fastexcel gives text for every cell but rounds numbers to nine decimals on the way and leaves cells with an error
value empty. Both would change what an administrator wrote without a word, so numbers are taken again as floats and
written with the fewest digits that give the same float, and error values are looked up in the file.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Final

import polars as pl
from attrs import define

from kpi_rules.locale import _
from kpi_rules.model.problems import Place, Problem, error, nearest
from kpi_rules.workspace.delimited import no_header
from kpi_rules.workspace.files import is_damage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastexcel import ExcelReader

_SHEET: Final = re.compile(r"<sheet\b[^>]*>")
_RELATION: Final = re.compile(r"<Relationship\b[^>]*>")
_ERROR_CELL: Final = re.compile(
    r'<c r="(?P<column>[A-Z]+)(?P<row>\d+)"[^>]*\bt="e"[^>]*>(?:(?!</c>).)*?<v>(?P<value>[^<]*)</v>',
    re.DOTALL,
)


@define(eq=False)
class Sheet:
    """A sheet: `header` texts, `cells` as text named `0`, `1` and so on, `rows` with the sheet's own row numbers."""

    header: list[str]
    cells: pl.DataFrame
    rows: pl.Series


def read_sheet(data: bytes, name: str | None, place: Place, header: int | None = None) -> Sheet | Problem:
    """Read a sheet of a workbook (XLSX, XLS, ODS); the first one where no name is given.

    `header` is the sheet's row with the column headings, None for the first that is not empty.
    """
    import fastexcel

    try:
        return _read(fastexcel.read_excel(data), name, data, place, header)
    except BaseException as failure:
        if not isinstance(failure, fastexcel.FastExcelError) and not is_damage(failure):
            raise
    return error(
        "unreadable-workbook",
        place,
        found=_("a file that is no workbook, or a damaged one"),
        expected=_("a workbook saved as .xlsx, not protected by a password"),
    )


def _read(book: ExcelReader, name: str | None, data: bytes, place: Place, header: int | None) -> Sheet | Problem:
    if name is None:
        name = book.sheet_names[0]
    if name not in book.sheet_names:
        return error(
            "missing-sheet",
            place,
            found=_("no sheet '{sheet}'").format(sheet=name),
            expected=_("one of the sheets: {sheets}").format(sheets=", ".join(book.sheet_names)),
            nearest=nearest(name, book.sheet_names),
        )
    return _split(_cells(book, name, data), name, place, header)


def _cells(book: ExcelReader, name: str, data: bytes) -> pl.DataFrame:
    """Return all cells as text from the sheet's first row; without `skip_rows=0` it would be the first filled one."""
    sheet = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
    texts = sheet.to_polars()
    if not texts.width:
        return texts
    numbers = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="float").to_polars()
    names = [str(at) for at in range(texts.width)]
    texts.columns = numbers.columns = names
    fractions = numbers.select((pl.all().is_finite() & (pl.all() != pl.all().round())).fill_null(value=False))
    cells = pl.DataFrame([_exact(texts[column], numbers[column], fractions[column]) for column in names])
    first = min(column.absolute_index for column in sheet.available_columns())
    for row, column, value in _error_cells(data, name):
        if row < cells.height and 0 <= column - first < cells.width:
            cells[row, column - first] = value
    return cells


def _exact(text: pl.Series, number: pl.Series, fraction: pl.Series) -> pl.Series:
    """Write numbers with a fraction by their shortest form; a text that merely looks like a number stays as it is."""
    if not fraction.any():
        return text
    at = fraction.arg_true()
    shortest = [
        number_text(value) if shown == f"{value:.9f}".rstrip("0").rstrip(".") else shown
        for shown, value in zip(text.gather(at), number.gather(at), strict=True)
    ]
    return text.scatter(at, pl.Series(shortest, dtype=pl.String))


def number_text(value: float) -> str:
    """Write a float with the fewest digits that give the same float, without an exponent."""
    text = repr(value)
    if "e" not in text:
        return text.removesuffix(".0")
    from decimal import Decimal

    return f"{Decimal(text):f}"


def _split(cells: pl.DataFrame, name: str, place: Place, stated: int | None) -> Sheet | Problem:
    """Take the row that is stated, or else the first that is not empty, as the header; leave out empty rows."""
    filled = (
        cells.select(pl.any_horizontal(pl.all().str.strip_chars().fill_null("") != "")).to_series()
        if cells.width
        else None
    )
    if filled is None or not filled.any():
        return error(
            "empty-sheet",
            place,
            found=_("the empty sheet '{sheet}'").format(sheet=name),
            expected=_("a header, and rows below it if there are any"),
        )
    rows = filled.arg_true()
    if stated is not None:
        rows = rows.filter(rows >= stated - 1)
        if not len(rows) or rows[0] != stated - 1:
            return no_header(stated, place)
    first = rows[0]
    header = [text or "" for text in cells.row(first)]
    below = rows[1:]
    return Sheet(header, cells[below], below.cast(pl.Int64) + 1)


def _error_cells(data: bytes, name: str) -> Iterator[tuple[int, int, str]]:
    """Yield row and column (from 0) and text of cells that hold an error such as `#N/A`, of XLSX files only."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        path = _sheet_path(archive, name)
        if path not in archive.namelist():
            return
        content = archive.read(path)
    if b't="e"' not in content:
        return
    from html import unescape

    for match in _ERROR_CELL.finditer(content.decode(errors="replace")):
        yield int(match["row"]) - 1, _column_index(match["column"]), unescape(match["value"])


def _sheet_path(archive: zipfile.ZipFile, name: str) -> str:
    """Return the path of a sheet within an XLSX file, or an empty text."""
    names = ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")
    if not set(names) <= set(archive.namelist()):
        return ""
    book, relations = (archive.read(path).decode(errors="replace") for path in names)
    by_name = {_attribute(tag, "name"): _attribute(tag, "r:id") for tag in _SHEET.findall(book)}
    targets = {_attribute(tag, "Id"): _attribute(tag, "Target") for tag in _RELATION.findall(relations)}
    target = targets.get(by_name.get(name, ""), "")
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _attribute(tag: str, name: str) -> str:
    match = re.search(rf'\s{name}="([^"]*)"', tag)
    text = match[1] if match else ""
    if "&" not in text:
        return text
    from html import unescape  # whose table of names takes longer to load than a sheet to find

    return unescape(text)


def _column_index(letters: str) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1
