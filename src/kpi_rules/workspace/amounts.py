"""Text of whole columns to exact integers and dates.

Every parser has a fast path in polars for what machines write (`30000.50`, `2011-03-05`) and a second one, over the
remaining rows only, for what people write (`1500万`, `30,000.50`, `2011年3月5日`). No number passes through a float:
the decimal point is moved in the text. `model.money.parse_amount` says the same for one amount; tests hold the two
together.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

import polars as pl
from attrs import define

from kpi_rules.model.money import UNITS
from kpi_rules.model.plans import run

if TYPE_CHECKING:
    from collections.abc import Mapping

FEN_PLACES: Final = 2
"""Decimal places of a yuan."""

BILLION_PLACES: Final = 9
"""Decimal places of a share or rate."""

FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
"""Dates outside these are slips of the keyboard."""

FAILURES: Final[Mapping[str, pl.DataType]] = {"at": pl.UInt32(), "code": pl.String()}
NO_FAILURES: Final = pl.DataFrame(schema=dict(FAILURES))

_SPACE: Final = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
"""What Python's `str.strip` removes; polars' own list differs by a few control characters."""

_EXPONENTS: Final = {unit: len(str(scale)) - 1 for unit, scale in UNITS.items()}
_UNIT: Final = "|".join(sorted(filter(None, UNITS), key=len, reverse=True))
_NUMBER: Final = (
    r"^(?P<sign>[+-]?)(?:(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.(?P<part>[0-9]*))?|\.(?P<bare>[0-9]+))"
    rf"[ \t\n\r\f\x0b]*(?P<unit>{_UNIT})?$"
)
_DATE: Final = re.compile(
    r"(?P<year>\d{4})(?:(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})|(?P<month8>\d\d)(?P<day8>\d\d)"
    r"|\s*年\s*(?P<month_zh>\d{1,2})\s*月\s*(?P<day_zh>\d{1,2})\s*[日号])"
    r"(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)


@define(eq=False)
class Parsed:
    """A column after parsing: `values` (null where empty or unreadable) and `failures` (`at` row position, `code`)."""

    values: pl.Series
    failures: pl.DataFrame


def fast_scaled(column: str, places: int) -> pl.Expr:
    """Return the expression that reads plain decimals of at most `places` decimals, as whole numbers of the last
    decimal; null for all other text.
    """
    return _scaled(pl.col(column), places).alias(column)


def _scaled(text: pl.Expr, places: int) -> pl.Expr:
    plain = text.str.contains(rf"^[0-9]{{1,{17 - places}}}(?:\.[0-9]{{1,{places}}})?$" if places else "^[0-9]{1,17}$")
    number = text.cast(pl.Decimal(38, places), strict=False).to_physical()
    return pl.when(plain).then(number.cast(pl.Int64, strict=False))


def fast_date(column: str) -> pl.Expr:
    """Return the expression that reads ISO dates; null for all other text."""
    text = pl.col(column)
    day = text.str.to_date("%Y-%m-%d", strict=False)
    return (
        pl.when((text.str.len_bytes() == len("2011-03-05")) & day.is_between(FIRST_DAY, LAST_DAY))
        .then(day)
        .alias(column)
    )


def finish_scaled(text: pl.Series, values: pl.Series, places: int, *, unit: str = "", units: bool = False) -> Parsed:
    """Complete the fast path: read signs, thousands separators and units, and say why the rest is unreadable.

    Args:
        text: the column as text.
        values: the result of `fast_scaled` with `places` plus the exponent of `unit`.
        places: decimal places of the result: 2 for fen, 9 for billionths, 0 for counts.
        unit: the unit the header states, a key of `UNITS`.
        units: whether a cell may state a unit of its own.

    Returns:
        Int64 values; codes `not-a-number`, `too-fine`, `unit-twice`, `too-large`.
    """
    slow = _slow(text, values)
    if not len(slow):
        return Parsed(values, NO_FAILURES)
    if units and not unit:
        values = _with_unit(text, values, slow, places)
        slow = _slow(text, values)
        if not len(slow):
            return Parsed(values, NO_FAILURES)
    frame = _human(text[slow].str.strip_chars(_SPACE), places + _EXPONENTS[unit], unit, units=units)
    return Parsed(values.scatter(slow, frame["value"]), _failures(slow, frame["code"]))


def _with_unit(text: pl.Series, values: pl.Series, slow: pl.Series, places: int) -> pl.Series:
    """Read `1500万` and `2亿`, of which a column may be full, as plain decimals with more places."""
    cell = pl.col("text")
    read = pl.coalesce(
        _scaled(pl.when(cell.str.ends_with(unit)).then(cell.str.strip_suffix(unit)), places + _EXPONENTS[unit])
        for unit in ("万", "亿")
    )
    found = run(pl.LazyFrame({"at": slow, "text": text[slow]}).select("at", value=read).drop_nulls("value"))
    return values.scatter(found["at"], found["value"]) if len(found) else values


def finish_dates(text: pl.Series, fast: pl.Series) -> Parsed:
    """Complete `fast_date` with the other ways of writing a date; code `not-a-date`."""
    slow = _slow(text, fast)
    if not len(slow):
        return Parsed(fast, NO_FAILURES)
    rest = text[slow]
    distinct = rest.unique()
    days = pl.LazyFrame({"text": distinct, "day": pl.Series([parse_date(item) for item in distinct], dtype=pl.Date)})
    read = pl.LazyFrame({"text": rest}).join(days, on="text", how="left", maintain_order="left")
    found = run(read.select("day", code=pl.when(pl.col("day").is_null()).then(pl.lit("not-a-date"))))
    return Parsed(fast.scatter(slow, found["day"]), _failures(slow, found["code"]))


def parse_scaled(text: pl.Series, places: int, *, unit: str = "", units: bool = False) -> Parsed:
    """Read one column of decimals as integers; see `finish_scaled`."""
    name = "text"
    fast = text.rename(name).to_frame().select(fast_scaled(name, places + _EXPONENTS[unit])).to_series()
    return finish_scaled(text, fast, places, unit=unit, units=units)


def parse_amounts(text: pl.Series, unit: str = "") -> Parsed:
    """Read a column of amounts as fen; `unit` is what the header states."""
    return parse_scaled(text, FEN_PLACES, unit=unit, units=True)


def parse_date(text: str) -> date | None:
    """Read `2011-03-05`, `2011/3/5`, `2011.3.5`, `20110305`, `2011年3月5日`, also with a time of day; else None."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    month = match["month"] or match["month8"] or match["month_zh"]
    day = match["day"] or match["day8"] or match["day_zh"]
    try:
        found = date(int(match["year"]), int(month), int(day))
    except ValueError:
        return None
    return found if FIRST_DAY <= found <= LAST_DAY else None


def exponent_of(unit: str) -> int:
    """Return the power of ten of a unit in yuan: 4 for `万元`."""
    return _EXPONENTS[unit]


def _slow(text: pl.Series, values: pl.Series) -> pl.Series:
    """Positions of cells that hold something the fast path did not read."""
    if values.null_count() == text.null_count():
        return pl.Series([], dtype=pl.UInt32)
    told = pl.lit(values).is_null() & (pl.lit(text).str.strip_chars(_SPACE) != "")
    return pl.select(told.arg_true()).to_series()


def _human(text: pl.Series, places: int, unit: str, *, units: bool) -> pl.DataFrame:
    """Read what people write: the columns `value` (Int64) and `code`, one of them null in each row."""
    parts = text.rename("text").to_frame().lazy().select(pl.col("text").str.extract_groups(_NUMBER)).unnest("text")
    exponents = pl.col("unit").fill_null("").replace_strict(_EXPONENTS, return_dtype=pl.Int64)
    read = parts.with_columns(
        whole=pl.coalesce("whole", pl.when(pl.col("bare").is_not_null()).then(pl.lit("0"))).str.replace_all(
            ",", "", literal=True
        ),
        part=pl.coalesce("part", "bare", pl.lit("")).str.strip_chars_end("0"),
        places=places + exponents,
        own=pl.col("unit").fill_null("") != "",
    ).with_columns(fine=pl.col("part").str.len_bytes().cast(pl.Int64) > pl.col("places"))
    zeros = "0" * (places + max(_EXPONENTS.values()))
    digits = pl.col("sign") + pl.col("whole") + (pl.col("part") + zeros).str.head(pl.col("places"))
    found = read.with_columns(
        code=pl.when(pl.col("whole").is_null() | (pl.col("own") & (not units)))
        .then(pl.lit("not-a-number"))
        .when(pl.col("own") & bool(unit))
        .then(pl.lit("unit-twice"))
        .when("fine")
        .then(pl.lit("too-fine")),
        value=digits.str.strip_prefix("+").cast(pl.Int64, strict=False),
    ).select(
        value=pl.when(pl.col("code").is_null()).then("value"),
        code=pl.when(pl.col("code").is_null() & pl.col("value").is_null()).then(pl.lit("too-large")).otherwise("code"),
    )
    return run(found)


def _failures(at: pl.Series, codes: pl.Series) -> pl.DataFrame:
    if codes.null_count() == len(codes):
        return NO_FAILURES
    frame = pl.DataFrame({"at": at.cast(pl.UInt32), "code": codes.cast(pl.String)})
    return frame.filter(pl.col("code").is_not_null())
