"""Failures as people read them: quarantine rows with value and reason, and, for settings tables, problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kpi_rules.locale import N_, _, ngettext
from kpi_rules.model.money import LIMIT, format_amount
from kpi_rules.model.plans import run
from kpi_rules.model.problems import Place, Problem, error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kpi_rules.workspace.cleaning import Cleaned

QUARANTINE: Final[Mapping[str, pl.DataType]] = {
    "file": pl.String(),
    "table": pl.String(),
    "row": pl.Int64(),
    "column": pl.String(),
    "value": pl.String(),
    "code": pl.String(),
    "reason": pl.String(),
}

_EMPTY: Final = pl.DataFrame(schema=dict(QUARANTINE))

REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "missing-value": (N_("an empty cell"), N_("a value")),
    "bad-amount": (N_("no amount"), N_("an amount in yuan such as 30000.50, 1500万 or 2亿")),
    "amount-too-fine": (N_("an amount with parts of a fen"), N_("at most two decimals of a yuan")),
    "unit-stated-twice": (
        N_("a unit in the cell and another in the header"),
        N_("one unit, in the cell or in the header"),
    ),
    "amount-too-large": (N_("too large an amount"), N_("at most {limit} yuan")),
    "negative-amount": (N_("a negative amount"), N_("0 or more; what is taken back has a revoked_on")),
    "zero-quota": (N_("a quota of 0"), N_("more than 0; a unit without task has no row")),
    "bad-count": (N_("no count"), N_("a whole number such as 12")),
    "bad-share": (N_("no share"), N_("a decimal from 0 to 1 such as 0.7")),
    "share-too-fine": (N_("a share with more than nine decimals"), N_("at most nine decimals")),
    "bad-rate": (N_("no rate"), N_("a decimal above 0 and at most 1000000, such as 6.4631")),
    "rate-too-fine": (N_("a rate with more than nine decimals"), N_("at most nine decimals")),
    "bad-factor": (N_("no factor"), N_("a decimal from 0 to 1000 of at most nine decimals, such as 0.8")),
    "bad-year": (N_("no year"), N_("a year such as 2011")),
    "bad-date": (N_("no date"), N_("a date from 1900 to 2199 such as 2011-03-05, 2011/3/5 or 2011年3月5日")),
    "not-month-end": (N_("a day within a month"), N_("the last day of a month")),
    "period-reversed": (N_("an end before the beginning"), N_("to_on on from_on or after it")),
    "conflicting-id": (N_("{detail} rows with this id that are not the same"), N_("one row for each id")),
    "duplicate-row": (N_("the same as row {detail}"), N_("each row once; the first counts")),
    "unknown-unit": (N_("no such unit"), N_("a unit of the table units")),
    "unknown-project": (N_("no such project"), N_("a project of the table projects")),
    "project-quarantined": (
        N_("a project that is in quarantine itself"),
        N_("a project of the table projects without fault"),
    ),
    "unknown-posting": (N_("no such posting"), N_("a posting of the table postings")),
    "posting-quarantined": (
        N_("a posting that is in quarantine itself"),
        N_("a posting of the table postings without fault"),
    ),
    "unknown-word": (N_("a word that is not known here"), N_("one of: {detail}")),
    "no-rate": (N_("no rate of this currency on or before the day of arrival"), N_("a row of the table rates")),
}
"""What was found and what was expected, by code."""

RAGGED_ROW: Final = "ragged-row"
"""Its reason counts the fields."""

_WITH_NEAREST: Final = ("unknown-unit", "unknown-project", "unknown-posting")


def empty_quarantine() -> pl.DataFrame:
    """Return a quarantine without rows."""
    return _EMPTY


def quarantine_of(parts: Sequence[Cleaned], failures: pl.DataFrame) -> pl.DataFrame:
    """Return a table's quarantine: one line per broken column of a row, by source, row and column."""
    lines = [empty_quarantine()]
    offset = 0
    for part in parts:
        until = offset + part.frame.height
        own = failures.filter(pl.col("at").is_between(offset, until, closed="left")) if len(parts) > 1 else failures
        lines += [_lines(part, own.with_columns(pl.col("at") - pl.lit(offset, pl.UInt32))), _ragged_lines(part)]
        offset = until
    return pl.concat(lines)


def row_problems(parts: Sequence[Cleaned], failures: pl.DataFrame) -> list[Problem]:
    """Return the failures of a settings table as errors."""
    ragged = {(part.file, row): words for part in parts for row, words in _ragged(part).items()}
    problems = []
    for line in quarantine_of(parts, failures).iter_rows(named=True):
        code, place = line["code"], Place(line["file"], line["table"], line["row"], line["column"] or "")
        found, expected = ragged[place.file, line["row"]] if code == RAGGED_ROW else (_what(code), _expected(code))
        problems.append(error(code, place, found=_with_value(line["value"], found), expected=expected))
    return problems


def _lines(part: Cleaned, failures: pl.DataFrame) -> pl.DataFrame:
    if not failures.height:
        return empty_quarantine()
    order = {name: index for index, name in enumerate(part.frame.columns)}
    columns = failures["column"].unique(maintain_order=True)
    lines = (
        pl.concat([_values(part, column, failures.lazy()) for column in columns])
        .with_columns(
            file=pl.lit(part.file),
            table=pl.lit(part.schema.name),
            row=pl.lit(part.frame["row"]).gather("at"),
            order=pl.col("column").str.split(", ").list.first().replace_strict(order, return_dtype=pl.Int64),
        )
        .sort("at", "order", "code")
        .with_columns(reason=_reasons(failures["code"].unique()))
    )
    return run(lines.select(list(QUARANTINE)))


def _values(part: Cleaned, column: str, failures: pl.LazyFrame) -> pl.LazyFrame:
    """Add the value of the broken cell as text; for a key of several columns their texts, joined."""
    names = [name for name in column.split(", ") if name in part.shown.columns]
    cells = [pl.lit(part.shown[name]).gather("at").cast(pl.String) for name in names]
    value = pl.concat_str(cells, separator=", ", ignore_nulls=True) if len(cells) > 1 else pl.lit(None, pl.String)
    return failures.filter(pl.col("column") == column).with_columns(value=cells[0] if len(cells) == 1 else value)


def _reasons(codes: Iterable[str]) -> pl.Expr:
    """Return the reason of each failure: each code's text once, with the details of the rows put into it."""
    reason = pl.lit(None, pl.String)
    for code in codes:
        before, named, after = _reason(code, "{detail}").partition("{detail}")
        text = pl.lit(before) if not named else pl.concat_str(pl.lit(before), pl.col("detail"), pl.lit(after))
        if code in _WITH_NEAREST:
            words = _(" (nearest: {nearest})").partition("{nearest}")
            nearest = pl.concat_str(pl.lit(words[0]), pl.col("detail"), pl.lit(words[2])).fill_null("")
            text = pl.concat_str(text, nearest)
        reason = pl.when(pl.col("code") == code).then(text).otherwise(reason)
    return reason


def _ragged(part: Cleaned) -> dict[int, tuple[str, str]]:
    """Return by row what is found of a row that fits no header, and what is expected: numbers of fields."""
    return {
        row: (
            ngettext("{count} field", "{count} fields", fields).format(count=fields),
            ngettext(
                "{count} field, as many as the header has", "{count} fields, as many as the header has", wanted
            ).format(count=wanted),
        )
        for row, fields, wanted in part.ragged.select("row", "fields", "wanted").iter_rows()
    }


def _ragged_lines(part: Cleaned) -> pl.DataFrame:
    if part.ragged.is_empty():
        return empty_quarantine()
    words = _("{found}; expected {expected}")
    reasons = [words.format(found=found, expected=expected) for found, expected in _ragged(part).values()]
    return part.ragged.select(
        file=pl.lit(part.file),
        table=pl.lit(part.schema.name),
        row="row",
        column=pl.lit(""),
        value="value",
        code=pl.lit(RAGGED_ROW),
        reason=pl.Series(reasons, dtype=pl.String),
    )


def _reason(code: str, detail: str) -> str:
    return _("{found}; expected {expected}").format(
        found=_(REASONS[code][0]).format(detail=detail), expected=_expected(code, detail)
    )


def _expected(code: str, detail: str = "") -> str:
    return _(REASONS[code][1]).format(limit=format_amount(LIMIT), detail=detail)


def _what(code: str) -> str:
    return _(REASONS[code][0])


def _with_value(value: str | None, found: str) -> str:
    return found if value is None else _("'{value}', {found}").format(value=value, found=found)
