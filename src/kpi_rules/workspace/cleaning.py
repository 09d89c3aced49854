"""One raw table to typed columns: header matched to the schema, every cell parsed, every failure kept with its code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl
from attrs import define, evolve, field

from kpi_rules.locale import _
from kpi_rules.model.plans import run
from kpi_rules.model.problems import Place, Problem, error, nearest, warning
from kpi_rules.workspace.amounts import (
    BILLION_PLACES,
    FEN_PLACES,
    NO_FAILURES,
    Parsed,
    exponent_of,
    fast_date,
    fast_scaled,
    finish_dates,
    finish_scaled,
)
from kpi_rules.workspace.delimited import DELIMITERS
from kpi_rules.workspace.schemas import AMOUNT_KINDS, BOUNDS, SCHEMAS, Column, Header, Schema
from kpi_rules.workspace.workbooks import number_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from kpi_rules.workspace.sources import RawTable

FAILED: Final[Mapping[str, pl.DataType]] = {
    "at": pl.UInt32(),
    "column": pl.String(),
    "code": pl.String(),
    "detail": pl.String(),
}
"""Failures of a table: the row's position, the column (or the key's columns, joined), the code, and what
else the reason says: the nearest valid choice, the row it repeats."""

NONE_FAILED: Final = pl.DataFrame(schema=dict(FAILED))

PLACES: Final[Mapping[str, int]] = {
    "money": FEN_PLACES,
    "quantity": FEN_PLACES,
    "share": BILLION_PLACES,
    "rate": BILLION_PLACES,
    "factor": BILLION_PLACES,
    "count": 0,
    "year": 0,
}

TITLE_ROWS: Final = 10
"""Rows of a file among which a header is looked for that is not the first."""

GREATEST: Final = 2**63 - 1
"""Whole numbers beyond it, of wider types, are held at it: too large in any case."""

CODES: Final[Mapping[tuple[str, str], str]] = {
    ("money", "not-a-number"): "bad-amount",
    ("money", "too-fine"): "amount-too-fine",
    ("money", "unit-twice"): "unit-stated-twice",
    ("money", "too-large"): "amount-too-large",
    ("money", "too-small"): "negative-amount",
    ("count", "not-a-number"): "bad-count",
    ("count", "too-fine"): "bad-count",
    ("count", "too-large"): "bad-count",
    ("count", "too-small"): "bad-count",
    ("share", "not-a-number"): "bad-share",
    ("share", "too-fine"): "share-too-fine",
    ("share", "too-large"): "bad-share",
    ("share", "too-small"): "bad-share",
    ("rate", "not-a-number"): "bad-rate",
    ("rate", "too-fine"): "rate-too-fine",
    ("rate", "too-large"): "bad-rate",
    ("rate", "too-small"): "bad-rate",
    ("factor", "not-a-number"): "bad-factor",
    ("factor", "too-fine"): "bad-factor",
    ("factor", "too-large"): "bad-factor",
    ("factor", "too-small"): "bad-factor",
    ("year", "not-a-number"): "bad-year",
    ("year", "too-fine"): "bad-year",
    ("year", "too-large"): "bad-year",
    ("year", "too-small"): "bad-year",
    ("date", "not-a-date"): "bad-date",
}
"""The code of a failure by what the column holds and what the parser or the bounds found."""


@define(eq=False)
class Cleaned:
    """A table, or what one source gives of it.

    `frame` has the clean table's columns for every row read, broken ones included (null where unreadable); `shown`
    the cells they were read from, for the columns the source has; `failures` what is wrong (`FAILED`); `ragged` the
    rows that are not in `frame` because their fields fit no header.
    """

    schema: Schema
    frame: pl.DataFrame
    shown: pl.DataFrame
    failures: pl.DataFrame
    file: str
    ragged: pl.DataFrame


@define(eq=False)
class Bound:
    """The cells of a raw table under the schema's names, and the units their headers state."""

    cells: pl.DataFrame
    units: dict[str, str] = field(factory=dict)


def failed(at: pl.Series, column: str, code: str | pl.Series, detail: pl.Series | None = None) -> pl.DataFrame:
    """Return the failures of one column as a `FAILED` frame."""
    if at.is_empty():
        return NONE_FAILED
    codes = pl.lit(code) if isinstance(code, str) else code
    details = pl.lit(None, pl.String) if detail is None else detail
    frame = pl.DataFrame({"at": at.cast(pl.UInt32)})
    return frame.with_columns(column=pl.lit(column), code=codes, detail=details)


def clean(
    raw: RawTable, count_indicators: Collection[str], optional: Collection[str] = ()
) -> tuple[Cleaned | None, list[Problem]]:
    """Clean one source of a table: None, with errors, where a column is missing or named twice.

    `optional` are columns that this workspace does without, as `table.column`.
    """
    schema = SCHEMAS[raw.table]
    spared = [column for column in schema.columns if f"{schema.name}.{column.name}" in optional]
    if spared:
        declared = (evolve(each, required=each.required and each not in spared) for each in schema.columns)
        schema = evolve(schema, columns=tuple(declared))
    raw = _without_empty_rows(raw)
    bound, problems = bind(raw, schema)
    if bound is None:
        return None, problems
    columns, failures = _parse(bound, schema, count_indicators)
    there = pl.DataFrame([raw.rows.alias("row"), *columns.values()])
    frame = there.select(
        pl.col(name) if name in there.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in schema.dtypes.items()
    )
    found = [*failures, *_missing(frame, schema, failures), *_bounds(frame, schema, count_indicators)]
    all_failures = pl.concat([NONE_FAILED, *found])
    return Cleaned(schema, frame, bound.cells, all_failures, raw.file, raw.ragged), problems


def _without_empty_rows(raw: RawTable) -> RawTable:
    """Leave out rows without a single value: spreadsheets keep them below and between their tables."""
    if any(not cells.null_count() for cells in raw.cells):
        return raw
    filled = raw.cells.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    return evolve(raw, cells=raw.cells.filter(filled), rows=raw.rows.filter(filled))


def bind(raw: RawTable, schema: Schema) -> tuple[Bound | None, list[Problem]]:
    """Match header cells to the schema: aliases first, then the schema's own names, each with or without a unit."""
    headers = [Header.of(text) for text in raw.header]
    names = [column.name for column in schema.columns]
    problems = list(_bad_aliases(raw, headers, names))
    targets = [_target(header, raw.columns, schema) for header in headers]
    problems += _twice(raw, headers, targets)
    wanted = [header.text for header, target in zip(headers, targets, strict=True) if target is None]
    missing = [column.name for column in schema.columns if column.required and column.name not in targets]
    if missing and (row := header_below(raw, schema)) is not None:
        return None, [_title_for_header(raw, row)]
    problems += [_missing_column(raw, name, wanted, headers) for name in missing]
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    problems += _unknown_columns(raw, headers, targets, names)
    at = {target: index for index, target in enumerate(targets) if target is not None}
    units = {name: headers[index].unit for name, index in at.items()}
    kinds = {column.name: column.kind for column in schema.columns}
    cells = [plain(raw.cells[str(index)].alias(name), kinds[name], units[name], raw) for name, index in at.items()]
    problems += [cell for cell in cells if isinstance(cell, Problem)]
    if any(isinstance(cell, Problem) for cell in cells):
        return None, problems
    return Bound(pl.DataFrame([cell for cell in cells if isinstance(cell, pl.Series)]), units), problems


def plain(cells: pl.Series, kind: str, unit: str, raw: RawTable) -> pl.Series | Problem:
    """Return a column as text, or as dates, or as fen where whole numbers are fen; or the problem with its type."""
    dtype = cells.dtype
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Time, pl.Duration):
        found = _("a column of type {dtype}").format(dtype=dtype)
        return _bad_type("bad-column-type", cells, raw, found, _("text, numbers or dates"))
    if dtype.is_float() and raw.exact and kind in AMOUNT_KINDS:
        found = _("floating-point amounts ({dtype})").format(dtype=dtype)
        return _bad_type("inexact-money", cells, raw, found, _("text or Decimal in yuan, or Int64 in fen"))
    if dtype.is_integer() and raw.fen and kind in AMOUNT_KINDS and not unit:
        return cells if dtype == pl.Int64 else cells.cast(pl.Int128).clip(-GREATEST, GREATEST).cast(pl.Int64)
    return _as_text(cells, dated=kind in ("date", "month_end"))


def _as_text(cells: pl.Series, *, dated: bool) -> pl.Series:
    """Write cells of any plain type as a person would; only dates where dates belong stay dates."""
    dtype = cells.dtype
    if isinstance(dtype, pl.Datetime):
        return cells.dt.date() if dated else cells.dt.to_string("iso")
    if dtype.is_float():
        texts = [None if value is None else number_text(value) for value in cells]
        return pl.Series(cells.name, texts, dtype=pl.String)
    return cells if dtype == pl.String or (dtype == pl.Date and dated) else cells.cast(pl.String)


def _bad_type(code: str, cells: pl.Series, raw: RawTable, found: str, expected: str) -> Problem:
    return error(code, Place(file=raw.file, table=raw.table, column=cells.name), found=found, expected=expected)


def bound_columns(headings: Sequence[str], aliases: Mapping[str, str], schema: Schema) -> dict[str, tuple[int, str]]:
    """Return by the name of a column its place in a header, counted from 0, and the unit its heading states."""
    headers = [Header.of(text) for text in headings]
    named = [(_target(header, aliases, schema), place, header.unit) for place, header in enumerate(headers)]
    return {name: (place, unit) for name, place, unit in reversed(named) if name is not None}


def _target(header: Header, aliases: Mapping[str, str], schema: Schema) -> str | None:
    """Return the schema's column a header means, or None."""
    kinds = {column.name: column.kind for column in schema.columns}
    for alias, name in aliases.items():
        if name in kinds and header.is_named(alias) and _unit_fits(header, kinds[name]):
            return name
    return next((name for name, kind in kinds.items() if header.is_named(name) and _unit_fits(header, kind)), None)


def _unit_fits(header: Header, kind: str) -> bool:
    return not header.unit or kind in AMOUNT_KINDS


def _bad_aliases(raw: RawTable, headers: list[Header], names: list[str]) -> Iterable[Problem]:
    for alias, name in raw.columns.items():
        place = Place(file=raw.file, table=raw.table, column=alias)
        if name not in names:
            yield error(
                "unknown-alias",
                place,
                found=_("an alias for '{name}', which the table does not have").format(name=name),
                expected=_("one of: {names}").format(names=", ".join(names)),
                nearest=nearest(name, names),
            )
        elif not any(header.is_named(alias) for header in headers):
            yield error(
                "alias-not-found",
                place,
                found=_("no column '{column}' in the file").format(column=alias),
                expected=_("the alias of '{name}' in the header").format(name=name),
                nearest=nearest(alias, [header.text for header in headers]),
            )


def _twice(raw: RawTable, headers: list[Header], targets: list[str | None]) -> list[Problem]:
    seen: dict[str, list[str]] = {}
    for header, target in zip(headers, targets, strict=True):
        if target is not None:
            seen.setdefault(target, []).append(header.text)
    return [
        error(
            "duplicate-column",
            Place(file=raw.file, table=raw.table, column=name),
            found=_("{count} columns for '{name}': {texts}").format(
                count=len(texts), name=name, texts=", ".join(texts)
            ),
            expected=_("one column for '{name}'").format(name=name),
        )
        for name, texts in seen.items()
        if len(texts) > 1
    ]


def _missing_column(raw: RawTable, name: str, unused: list[str], headers: list[Header]) -> Problem:
    return error(
        "missing-column",
        Place(file=raw.file, table=raw.table, column=name),
        found=_("the columns {columns}").format(columns=_columns(header.text for header in headers)),
        expected=_("a column '{name}', or an alias for it in kpi.toml").format(name=name),
        nearest=nearest(name, unused),
    )


def _columns(texts: Iterable[str]) -> str:
    """Write column headings in a row, without the empty ones beside a title."""
    return ", ".join(text for text in texts if text)


def _title_for_header(raw: RawTable, row: int) -> Problem:
    """Say that a title stands where the header is looked for: one problem, however many columns it does not have."""
    return error(
        "missing-column",
        Place(file=raw.file, table=raw.table),
        found=_("the columns {columns}").format(columns=_columns(raw.header)),
        expected=_("the header in the first row, or header = {row} for this source in [tables]").format(row=row),
        nearest=_("row {row} looks like the header").format(row=row),
    )


def header_below(raw: RawTable, schema: Schema) -> int | None:
    """Return the row among the first `TITLE_ROWS` of a file that has every required column, if there is one.

    Above it stand titles, as office sheets have them. Rows with other than the title's number of fields are ragged.
    """
    if raw.exact:  # typed columns have names of their own
        return None
    rows = [
        (row, [[text or "" for text in texts]])
        for row, texts in zip(raw.rows.head(TITLE_ROWS), raw.cells.head(TITLE_ROWS).iter_rows(), strict=True)
    ]
    ragged = raw.ragged.select("row", "value").head(TITLE_ROWS).iter_rows()
    rows += [(row, [_split(text, delimiter) for delimiter in DELIMITERS]) for row, text in ragged]
    required = {column.name for column in schema.columns if column.required}
    for row, readings in sorted(rows):
        for texts in readings if row <= TITLE_ROWS else ():
            if required <= {_target(Header.of(text), raw.columns, schema) for text in texts}:
                return int(row)
    return None


def _split(text: str, delimiter: str) -> list[str]:
    return [cell.strip().strip('"') for cell in text.split(delimiter)]


def _unknown_columns(
    raw: RawTable, headers: list[Header], targets: list[str | None], names: list[str]
) -> list[Problem]:
    """Warn of columns that are ignored; one without name and without content is only the sheet's ragged edge."""
    spare = [name for name in names if name not in targets]
    return [
        warning(
            "unknown-column",
            Place(file=raw.file, table=raw.table, column=header.text),
            found=_("the column '{column}', which is ignored").format(column=header.text),
            expected=_("one of: {names}").format(names=", ".join(names)),
            nearest=nearest(header.text, spare),
        )
        for index, (header, target) in enumerate(zip(headers, targets, strict=True))
        if target is None and (header.text or raw.cells[str(index)].null_count() < raw.cells.height)
    ]


def _parse(
    bound: Bound, schema: Schema, count_indicators: Collection[str]
) -> tuple[dict[str, pl.Series], list[pl.DataFrame]]:
    """Parse every column: one parallel pass of the fast expressions, then the rest of each column."""
    columns = [column for column in schema.columns if column.name in bound.cells.columns]
    fast = bound.cells.select(_fast(column, bound) for column in columns)
    values: dict[str, pl.Series] = {}
    failures: list[pl.DataFrame] = []
    for column in columns:
        parsed = _finish(column, bound, fast[column.name])
        kind = column.kind
        if kind == "quantity":
            parsed, counts = _quantities(parsed, bound.cells[column.name], values["indicator"], count_indicators)
            failures += [_coded(counts, column.name, "count")]
            kind = "money"
        values[column.name] = parsed.values.alias(column.name)
        if parsed.failures.height:
            failures.append(_coded(parsed.failures, column.name, "date" if kind == "month_end" else kind))
    return values, [frame for frame in failures if frame.height]


def _fast(column: Column, bound: Bound) -> pl.Expr:
    cell = pl.col(column.name)
    if bound.cells.schema[column.name] != pl.String:
        return cell
    if column.kind == "text":
        return cell.str.strip_chars()
    if column.kind in ("date", "month_end"):
        return fast_date(column.name)
    return fast_scaled(column.name, PLACES[column.kind] + exponent_of(bound.units[column.name]))


def _finish(column: Column, bound: Bound, fast: pl.Series) -> Parsed:
    text = bound.cells[column.name]
    if text.dtype != pl.String:
        return Parsed(fast, NO_FAILURES)
    if column.kind == "text":
        return Parsed(fast.replace("", None) if (fast == "").any() else fast, NO_FAILURES)
    if column.kind in ("date", "month_end"):
        return finish_dates(text, fast)
    amount = column.kind in AMOUNT_KINDS
    return finish_scaled(text, fast, PLACES[column.kind], unit=bound.units[column.name], units=amount)


def _quantities(
    money: Parsed, text: pl.Series, indicator: pl.Series, counts: Collection[str]
) -> tuple[Parsed, pl.DataFrame]:
    """Put counts where the indicator counts; return them with what is left of money's failures, and the counts' own."""
    counting = indicator.is_in(list(counts)).fill_null(value=False)
    if text.dtype != pl.String or not counting.any():
        return money, NO_FAILURES
    as_count = finish_scaled(text, text.to_frame().select(fast_scaled(text.name, 0)).to_series(), 0)
    at = counting.arg_true()
    values = money.values.scatter(at, as_count.values.gather(at))
    return (
        Parsed(values, money.failures.filter(~pl.col("at").is_in(at.implode()))),
        as_count.failures.filter(pl.col("at").is_in(at.implode())),
    )


def _coded(failures: pl.DataFrame, column: str, kind: str) -> pl.DataFrame:
    codes = {found: code for (holds, found), code in CODES.items() if holds == kind}
    return failed(failures["at"], column, failures["code"].replace(codes))


def _missing(frame: pl.DataFrame, schema: Schema, failures: list[pl.DataFrame]) -> Iterable[pl.DataFrame]:
    """Find empty cells of required columns: null, and not for being unreadable."""
    unreadable = pl.concat([NONE_FAILED, *failures]).lazy()
    for column in schema.columns:
        if column.required and frame[column.name].null_count():
            empty = pl.LazyFrame([frame[column.name]]).with_row_index("at").filter(pl.col(column.name).is_null())
            of_column = unreadable.filter(pl.col("column") == column.name)
            at = run(empty.select("at").join(of_column, on="at", how="anti"))
            yield failed(at["at"], column.name, "missing-value")


def _bounds(frame: pl.DataFrame, schema: Schema, counts: Collection[str]) -> Iterable[pl.DataFrame]:
    """Find values outside their bounds."""
    for column in schema.columns:
        values = frame[column.name]
        if column.kind == "quantity":
            counting = frame["indicator"].is_in(list(counts)).fill_null(value=False)
            yield failed((values == 0).arg_true(), column.name, "zero-quota")
            yield from _outside(values, column.name, "count", counting)
            yield from _outside(values, column.name, "money", ~counting)
        elif column.kind in BOUNDS:
            yield from _outside(values, column.name, column.kind)
        elif column.kind == "month_end":
            yield failed((values != values.dt.month_end()).arg_true(), column.name, "not-month-end")
        elif column.choices and not (known := values.is_in(column.choices)).all():
            yield _not_out_of(column.choices, values, (~known).arg_true())
    if "to_on" in frame.columns:
        yield failed((frame["from_on"] > frame["to_on"]).arg_true(), "to_on", "period-reversed")


def _not_out_of(choices: tuple[str, ...], values: pl.Series, at: pl.Series) -> pl.DataFrame:
    """Return the texts that are none of those allowed; what is allowed, and the nearest, is said with each."""
    found = values.gather(at)
    words = {word: _choices(choices, word) for word in found.unique().to_list()}
    return failed(at, values.name, "unknown-word", found.replace_strict(words, return_dtype=pl.String))


def _choices(choices: tuple[str, ...], word: str) -> str:
    near = nearest(word, choices)
    return ", ".join(choices) + (_(" (nearest: {nearest})").format(nearest=near) if near is not None else "")


def _outside(values: pl.Series, column: str, kind: str, only: pl.Series | None = None) -> Iterable[pl.DataFrame]:
    least, greatest = BOUNDS[kind]
    for found, mask in (("too-small", values < least), ("too-large", values > greatest)):
        if mask.any():
            yield failed((mask if only is None else mask & only).arg_true(), column, CODES[kind, found])
