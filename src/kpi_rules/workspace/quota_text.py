"""Rows of a table `quotas` in a CSV file, edited as text: every other byte of the file stays as it is.

Encoding, delimiter, line ends, quotation marks, the order of columns and what their headings say are the file's own.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from attrs import define, field

from kpi_rules.locale import _
from kpi_rules.model.money import FEN, UNITS, format_amount
from kpi_rules.model.problems import Place, Problem, error
from kpi_rules.workspace.amounts import parse_date
from kpi_rules.workspace.cleaning import bound_columns
from kpi_rules.workspace.delimited import delimiter_of, start_of
from kpi_rules.workspace.encodings import MARKS, to_utf8
from kpi_rules.workspace.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from kpi_rules.workspace.config_lines import Span
    from kpi_rules.workspace.edits import QuotaEdit
    from kpi_rules.workspace.sources import TableSource

Key = tuple[str, str, "date"]
"""A quota: unit, indicator, and the day it is effective from."""

CARRIED: Final = ("deadline", "requirement", "quality", "responsible")
"""The fixings (M5), which a quota that is set anew keeps."""


@define
class QuotaText:
    """A CSV file of quotas: its text, and where records and their fields stand.

    Attributes:
        place: the file and table, for problems.
        mark: the byte order mark; `encoding` what the rest is encoded in.
        columns: the table's columns by name: place in the header, and the unit that the heading states.
        headings: the heading of each column.
    """

    place: Place
    text: str
    mark: bytes
    encoding: str
    delimiter: str
    headings: list[str]
    columns: Mapping[str, tuple[int, str]]
    keys: dict[Key, list[Span]] = field(factory=dict)
    """Where the records of each quota stand, in the order of the file, with their line ends."""

    revisions: dict[tuple[str, str], list[tuple[date, Span]]] = field(factory=dict)
    """The same by unit and indicator: the days and records of its revisions."""

    @classmethod
    def of(cls, content: bytes, source: TableSource) -> QuotaText | Problem:
        """Find the records of a file; a problem where it cannot be written back as it is."""
        place = Place(source.source, "quotas")
        decoded = to_utf8(content, source.encoding, place)
        if isinstance(decoded, Problem):
            return decoded
        text = decoded.data.decode()
        body = text.encode(decoded.encoding)
        mark = next((mark for mark in (b"", *MARKS) if mark + body == content), None)
        if mark is None:
            found = _("text in the encoding {encoding} that would not be written as it is").format(
                encoding=decoded.encoding
            )
            return error("edit-by-hand", place, found=found, expected=_("the change made by hand"))
        above = start_of(decoded.data, source.header or 1) or 0  # what stands there is no record
        delimiter = delimiter_of(decoded.data[above:])
        start = len(decoded.data[:above].decode())
        records = [(low + start, high + start) for low, high in _records(text[start:], delimiter)]
        header = next((span for span in records if text[slice(*span)].strip("\r\n")), (0, 0))
        headings = _fields(text[slice(*header)], delimiter)
        columns = bound_columns(headings, source.columns, SCHEMAS["quotas"])
        found_text = cls(place, text, mark, decoded.encoding, delimiter, headings, columns)
        found_text._find([span for span in records if span[0] >= header[1]])
        return found_text

    def _find(self, records: Iterable[Span]) -> None:
        at = [self.columns[name][0] if name in self.columns else None for name in ("unit", "indicator", "effective")]
        if None in at:
            return
        unit, indicator, effective = (place or 0 for place in at)
        last = max(unit, indicator, effective)
        for span in records:
            cells = _fields(self.text[slice(*span)], self.delimiter)
            day = parse_date(cells[effective].strip()) if len(cells) > last else None
            if day is not None:
                of = cells[unit].strip(), cells[indicator].strip()
                self.keys.setdefault((*of, day), []).append(span)
                self.revisions.setdefault(of, []).append((day, span))

    def cells(self, key: Key) -> dict[str, str]:
        """Return the texts of a quota's first row by heading; none where it has no row."""
        if key not in self.keys:
            return {}
        return dict(zip(self.headings, _fields(self.text[slice(*self.keys[key][0])], self.delimiter), strict=False))

    def edited(self, edits: Mapping[Key, QuotaEdit], *, counts: Iterable[str]) -> bytes | list[Problem]:
        """Return the file's bytes with edits, by the quota that each is of."""
        counted = set(counts)
        splices: list[tuple[int, int, int, str]] = []
        problems: list[Problem] = []
        for order, (key, edit) in enumerate(sorted(edits.items())):
            if edit.note is not None and "note" not in self.columns:
                expected = _("a column 'note' in the header, or no note")
                found = _("a note for {unit}, and no column for notes").format(unit=key[0])
                problems.append(error("no-note-column", self.place, found=found, expected=expected))
                continue
            found_splices = self._splices(key, edit, is_count=key[1] in counted)
            splices += [(low, high, order, text) for low, high, text in found_splices]
        if problems:
            return problems
        parts, done = [], 0
        for low, high, _order, text in sorted(splices):
            parts += [self.text[done:low], text]
            done = high
        new = "".join([*parts, self.text[done:]])
        try:
            return self.mark + new.encode(self.encoding)
        except UnicodeEncodeError as failure:
            found = _("the text '{text}', which the encoding {encoding} does not have").format(
                text=failure.object[failure.start : failure.end], encoding=self.encoding
            )
            expected = _("text of the file's encoding, or the file saved as UTF-8")
            return [error("unencodable", self.place, found=found, expected=expected)]

    def _splices(self, key: Key, edit: QuotaEdit, *, is_count: bool) -> list[tuple[int, int, str]]:
        """Return what replaces what for one edit."""
        given = self._given(edit, is_count=is_count)
        if key not in self.keys:
            return [] if edit.amount is None else [self._new_row(key, given)]
        if edit.amount is None:
            return [(low, high, "") for low, high in self.keys[key]]
        low, high = self.keys[key][0]
        record = self.text[low:high]
        spans = _spans(record, self.delimiter)
        found = []
        for place, text in given.items():
            if place >= len(spans):
                continue
            start, end = spans[place]
            if _unquoted(record[start:end]) != text:
                found.append(
                    (low + start, low + end, self._field(text, quoted=bool(text) and record[start:end].startswith('"')))
                )
        return found

    def _given(self, edit: QuotaEdit, *, is_count: bool) -> dict[int, str]:
        """Return the texts that an edit gives, by place in the row."""
        given: dict[int, str] = {}
        if edit.amount is not None:
            place, unit = self.columns["amount"]
            given[place] = str(edit.amount) if is_count else _amount(edit.amount, unit)
        if edit.note is not None:
            given[self.columns["note"][0]] = edit.note
        for name, text in edit.cells:
            if name in self.headings:
                given[self.headings.index(name)] = text
            elif name in self.columns:
                given[self.columns[name][0]] = text
        return given

    def _new_row(self, key: Key, given: Mapping[int, str]) -> tuple[int, int, str]:
        """Return a row more: behind the unit's last one of an earlier day, else before its first, else at the end."""
        unit, indicator, day = key
        own = sorted(self.revisions.get((unit, indicator), []))
        before = [span for other, span in own if other < day]
        after = [span for other, span in own if other > day]
        texts = {self.columns["unit"][0]: unit, self.columns["indicator"][0]: indicator}
        texts[self.columns["effective"][0]] = day.isoformat()
        model = before[-1] if before else None
        record = "" if model is None else self.text[slice(*model)]
        spans = _spans(record, self.delimiter) if record else []
        if model is not None:
            places = [self.columns[name][0] for name in CARRIED if name in self.columns]
            texts |= {at: _unquoted(record[slice(*spans[at])]) for at in places if at < len(spans)}
        texts |= given
        quoted = [at < len(spans) and self._is_quoted(record[slice(*spans[at])]) for at in range(len(self.headings))]
        row = self.delimiter.join(
            self._field(texts.get(at, ""), quoted=quoted[at] and at in texts) for at in range(len(self.headings))
        )
        newline = "\r\n" if "\r\n" in self.text else "\n" if "\n" in self.text else "\r"
        where = before[-1][1] if before else after[0][0] if after else len(self.text)
        is_open = where and self.text[where - 1] not in "\r\n"
        return where, where, f"{newline}{row}" if is_open else f"{row}{newline}"

    def _is_quoted(self, cell: str) -> bool:
        """Say whether a field has quotation marks that it does not need: they are the file's way to write it."""
        return cell.startswith('"') and not self._needs_marks(_unquoted(cell))

    def _needs_marks(self, text: str) -> bool:
        return any(mark in text for mark in (self.delimiter, '"', "\n", "\r"))

    def _field(self, text: str, *, quoted: bool) -> str:
        """Write a field, in quotation marks where it needs them or had them; what it says is not interpreted."""
        return '"' + text.replace('"', '""') + '"' if quoted or self._needs_marks(text) else text


def _amount(fen: int, unit: str) -> str:
    """Write an amount as people do, or as a number of the unit that the heading states."""
    if not unit:
        return format_amount(fen)
    scaled = Decimal(fen) / (UNITS[unit] * FEN)
    return f"{scaled.normalize():f}"


def _records(text: str, delimiter: str) -> list[Span]:
    """Return where records stand, their line ends included; the reader's own rule for quotation marks."""
    one = rf'(?:"(?:[^"]|"")*"?[^{delimiter}\r\n]*|[^{delimiter}\r\n]*)'
    record = re.compile(rf"{one}(?:{delimiter}{one})*(?:\r\n|\n|\r|\Z)")
    return [match.span() for match in record.finditer(text) if match.end() > match.start()]


def _spans(record: str, delimiter: str) -> list[Span]:
    """Return where the fields of a record stand, quotation marks included."""
    one = re.compile(rf'(?:"(?:[^"]|"")*"?[^{delimiter}\r\n]*|[^{delimiter}\r\n]*)')
    spans: list[Span] = []
    at = 0
    while True:
        match = one.match(record, at)
        at = len(record) if match is None else match.end()
        spans.append((0 if not spans else spans[-1][1] + 1, at))
        if at >= len(record) or record[at] != delimiter:
            return spans
        at += 1


def _fields(record: str, delimiter: str) -> list[str]:
    if '"' not in record:
        return record.rstrip("\r\n").split(delimiter)
    return [_unquoted(record[slice(*span)]) for span in _spans(record, delimiter)]


def _unquoted(cell: str) -> str:
    if not cell.startswith('"'):
        return cell
    end = cell.rfind('"')
    return (cell[1:end] if end else cell[1:]).replace('""', '"') + (cell[end + 1 :] if end else "")
