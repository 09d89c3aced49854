"""Delimited text: fields, records and the row numbers a spreadsheet would give them.

Three readers, each for what the one before cannot tell for certain. `_plain` is polars on a file without quotes whose
lines have equally many delimiters. `_indexed` finds where records end and how many delimiters each has, in whole
columns, hands the regular ones to polars and looks at the others one by one. `_careful` is Python's own reader, for
quotation marks in odd places. They agree, and tests hold them to it.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from attrs import define, evolve

from kpi_rules.locale import _
from kpi_rules.model.problems import Place, Problem, error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

DELIMITERS: Final = ",;\t"

HEAD: Final = 65_536
"""Bytes within which a header ends, for guessing the delimiter."""

RAGGED: Final[Mapping[str, pl.DataType]] = {
    "row": pl.Int64(),
    "value": pl.String(),
    "fields": pl.Int64(),
    "wanted": pl.Int64(),
}
"""A row whose fields fit no header: its text, how many fields it has, and how many the header."""

_LF, _CR, _QUOTE = 10, 13, 34


@define(eq=False)
class Delimited:
    """The `header`, `cells` as text (named `0`, `1` and so on, null where empty), their `rows`, and `ragged` rows."""

    header: list[str]
    cells: pl.DataFrame
    rows: pl.Series
    ragged: pl.DataFrame


def read_delimited(data: bytes, place: Place) -> Delimited | Problem:
    """Read UTF-8 text with at least one line that is not empty.

    The delimiter is the one of comma, semicolon and tab that the header has most of. A record with more or fewer
    fields than the header is ragged, unless what it has more is empty. Blank lines count as rows and are left out.
    """
    delimiter = delimiter_of(data)
    if data[:1] not in (b"\n", b"\r") and data.count(b"\r") == data.count(b"\r\n"):
        if not data.endswith(b"\n"):
            data += b"\n"  # polars lets a last line without one be too long
        found = _plain(data, delimiter) or _indexed(data, delimiter)
        if found is not None:
            return found
    return _careful(data, delimiter, place)


def read_below(data: bytes, header: int, place: Place) -> Delimited | Problem:
    """Read UTF-8 text whose header stands in a row, counted from 1 as a spreadsheet counts; rows above are left out."""
    start = start_of(data, header)
    if start is None or not data[start:].strip():
        return no_header(header, place)
    above = header - 1
    found = read_delimited(data[start:], place)
    if isinstance(found, Problem):
        at = found.place
        return found if at.row is None else evolve(found, place=evolve(at, row=at.row + above))
    if not above:
        return found
    ragged = found.ragged.with_columns(pl.col("row") + above)
    return evolve(found, rows=found.rows + above, ragged=ragged)


def no_header(header: int, place: Place) -> Problem:
    """Say that the row which `kpi.toml` names as the header is not there."""
    found = _("nothing in row {row}, which kpi.toml says is the header").format(row=header)
    return error("no-header", evolve(place, row=header), found=found, expected=_("the row of the column headings"))


def start_of(data: bytes, row: int) -> int | None:
    """Return where a row of a text starts, counted from 1; line ends within quotation marks end no row."""
    end = b"\n" if b"\n" in data else b"\r"
    start = quotes = 0
    for _row in range(row - 1):
        while True:
            at = data.find(end, start)
            if at < 0:
                return None
            quotes += data.count(b'"', start, at)
            start = at + 1
            if not quotes % 2:
                break
    return start


def delimiter_of(data: bytes) -> str:
    """Return the delimiter of a text: of comma, semicolon and tab the one that its header has most of."""
    header = data[:HEAD].lstrip().split(b"\n", 1)[0].decode(errors="replace")
    return max(DELIMITERS, key=header.count)


def _plain(data: bytes, delimiter: str) -> Delimited | None:
    """Read a file in which nothing is quoted and every line has as many delimiters as the header.

    polars refuses lines that are too long and fills up lines that are too short, so the number of all delimiters tells.
    """
    if b'"' in data:
        return None
    frame = _by_polars(data, delimiter)
    if frame is None or data.count(delimiter.encode()) != frame.height * (frame.width - 1):
        return None
    header = ["" if name is None else str(name) for name in frame.row(0)]
    rows = pl.int_range(2, frame.height + 1, dtype=pl.Int64, eager=True)
    return Delimited(header, frame[1:], rows, pl.DataFrame(schema=dict(RAGGED)))


def _by_polars(data: bytes, delimiter: str, quote: str | None = None) -> pl.DataFrame | None:
    try:
        frame = pl.read_csv(data, has_header=False, infer_schema=False, separator=delimiter, quote_char=quote)
    except pl.exceptions.PolarsError:
        return None
    frame.columns = [str(at) for at in range(frame.width)]
    return frame


@define(eq=False)
class _Index:
    """Where records start and end (at their line feed), and how many delimiters outside quotes each has."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    counts: NDArray[np.int64]
    blank: NDArray[np.bool_]

    @classmethod
    def of(cls, data: bytes, delimiter: str) -> _Index | None:
        """Index a text; None where a quotation mark stands where RFC 4180 has none."""
        buffer = np.frombuffer(data, np.uint8)
        ends = np.flatnonzero(buffer == _LF)
        marks = np.flatnonzero(buffer == ord(delimiter))
        quotes = np.flatnonzero(buffer == _QUOTE)
        if len(quotes):
            if not _is_well_quoted(buffer, quotes, ord(delimiter)):
                return None
            ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
            marks = marks[np.searchsorted(quotes, marks) % 2 == 0]
        starts = np.concatenate([[0], ends[:-1] + 1])
        counts = np.diff(np.searchsorted(marks, ends), prepend=0)
        blank = (ends == starts) | ((ends == starts + 1) & (buffer[starts] == _CR))
        return cls(starts, ends, counts, blank)

    def text(self, data: bytes, record: int) -> str:
        """Return a record without its line end."""
        return data[self.starts[record] : self.ends[record]].decode().removesuffix("\r")

    def joined(self, data: bytes, records: NDArray[np.int64]) -> bytes:
        """Return records, whole and in order, as one text."""
        if not len(records):
            return b""
        breaks = np.flatnonzero(np.diff(records) != 1)
        firsts = self.starts[records[np.concatenate([[0], breaks + 1])]]
        lasts = self.ends[records[np.concatenate([breaks, [len(records) - 1]])]]
        return b"".join(data[first : last + 1] for first, last in zip(firsts, lasts, strict=True))


def _is_well_quoted(buffer: NDArray[np.uint8], quotes: NDArray[np.int64], delimiter: int) -> bool:
    """Whether every quotation mark opens a field, closes one, or is one of two within a field."""
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before = buffer[opening[opening > 0] - 1]
    after = buffer[closing + 1]  # the text ends with a line feed
    return bool(np.isin(before, (delimiter, _LF, _QUOTE)).all() and np.isin(after, (delimiter, _LF, _CR, _QUOTE)).all())


def _indexed(data: bytes, delimiter: str) -> Delimited | None:
    """Read a file by the positions of its records; None where quotation marks leave them in doubt."""
    index = _Index.of(data, delimiter)
    if index is None:
        return None
    top = int(np.argmin(index.blank))
    header = _fields(index.text(data, top), delimiter)
    below = np.arange(len(index.ends)) > top
    regular = np.flatnonzero((index.counts == index.counts[top]) & ~index.blank & below)
    odd = np.flatnonzero((index.counts != index.counts[top]) & ~index.blank & below)
    found = _sorted_out([(int(at) + 1, _fields(index.text(data, int(at)), delimiter)) for at in odd], header, delimiter)
    if not len(regular):
        return found
    cells = _by_polars(index.joined(data, regular), delimiter, '"' if b'"' in data else None)
    if cells is None or cells.shape != (len(regular), len(header)):
        return None
    rows = pl.Series(regular + 1, dtype=pl.Int64)
    if len(found.rows):
        rows = pl.concat([rows, found.rows])
        order = rows.arg_sort()
        cells, rows = pl.concat([cells, found.cells])[order], rows.gather(order)
    return Delimited(header, cells, rows, found.ragged)


def _fields(text: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _careful(data: bytes, delimiter: str, place: Place) -> Delimited | Problem:
    """Read record by record."""
    records: list[list[str]] = []
    try:
        records.extend(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return error(
            "broken-quotes",
            Place(file=place.file, table=place.table, row=len(records) + 1),
            found=_("a quotation mark that is not closed, or text after the closing one"),
            expected=_('"…" around a whole field, and "" for a quotation mark inside it'),
        )
    top = next(at for at, record in enumerate(records) if record)
    below = enumerate(records[top + 1 :], top + 2)
    return _sorted_out(((row, record) for row, record in below if record), records[top], delimiter)


def _sorted_out(records: Iterable[tuple[int, list[str]]], header: list[str], delimiter: str) -> Delimited:
    """Tell records that fit the header from ragged ones."""
    width = len(header)
    good: list[Sequence[str]] = []
    rows: list[int] = []
    ragged: list[tuple[int, str, int, int]] = []
    for row, record in records:
        if len(record) >= width and not any(record[width:]):
            good.append(record[:width])
            rows.append(row)
        elif any(record):
            ragged.append((row, delimiter.join(record), len(record), width))
    columns = list(zip(*good, strict=True)) if good else [()] * width
    cells = [pl.Series(str(at), [text or None for text in texts], dtype=pl.String) for at, texts in enumerate(columns)]
    return Delimited(
        header,
        pl.DataFrame(cells),
        pl.Series(rows, dtype=pl.Int64),
        pl.DataFrame(ragged, schema=dict(RAGGED), orient="row"),
    )
