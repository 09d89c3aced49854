"""Values in cases: read as an administrator writes them, compared as they were published.

A published figure is a text with the digits that were printed: `"125.64%"`, `"7.64 points ahead"`, `"61.5"`. What was
found is rounded half up to those digits and must then be the same. A plain number must be equal, money is a text such
as `"1500万"` and exact to the fen.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import polars as pl

from kpi_rules.locale import _
from kpi_rules.model.money import format_amount, parse_amount
from kpi_rules.workspace.config_schema import exact, one_of

if TYPE_CHECKING:
    from collections.abc import Collection

Dtype = pl.DataType | type[pl.DataType]
Plain = int | float | bool | str | date | None

_PUBLISHED = re.compile(
    r"(?P<number>[+-]?\d{1,12}(?:\.(?P<digits>\d{1,9}))?) ?(?P<unit>%|points(?: (?:ahead|behind))?)?", re.ASCII
)
_QUOTIENT = re.compile(r"(?P<above>\d{1,15}(?:\.\d{1,9})?) ?/ ?(?P<below>\d{1,15}(?:\.\d{1,9})?)", re.ASCII)

GREATEST = 2**53
"""No count, amount or ratio in a case is greater: beyond it a ratio would not be exact."""

LONGEST = 40
"""Characters of the longest text that is taken for an amount."""


MOST_NAMES = 30
"""More names than these are not listed in a message: the nearest one says more."""


def one_of_names(names: Collection[str]) -> str:
    """Say that one of several names is expected: which, where they are few enough to be read."""
    return one_of(names) if len(names) <= MOST_NAMES else _("a name that is there")


class UnfitValueError(ValueError):
    """A value that its column cannot hold; `expected` says what could stand there."""

    def __init__(self, expected: str) -> None:
        """Keep the phrase."""
        super().__init__(expected)
        self.expected = expected


def given(raw: object, dtype: Dtype, *, money: bool | None) -> Plain:
    """Read a value that a case gives for a column.

    Args:
        raw: as the file has it; a ratio is a number, a percentage `"14.5%"` or a quotient `"58/400"`.
        dtype: the column's type.
        money: whether a whole number is fen; None where that is not known.

    Raises:
        UnfitValueError: the column cannot hold it.
    """
    if dtype == pl.Boolean and isinstance(raw, bool):
        return raw
    if dtype == pl.String and isinstance(raw, str):
        return raw
    if dtype == pl.Date and isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    if dtype == pl.Int64:
        return _whole(raw, money=money)
    if dtype == pl.Float64:
        return float(_ratio(raw))
    raise UnfitValueError(_expected(dtype, money=money))


def _whole(raw: object, *, money: bool | None) -> int:
    if isinstance(raw, str) and money is not False:
        amount = fen(raw)
        if amount is not None:
            return amount
    if isinstance(raw, int) and not isinstance(raw, bool) and not money and abs(raw) <= GREATEST:
        return raw
    raise UnfitValueError(_expected(pl.Int64, money=money))


def fen(raw: object) -> int | None:
    """Return an amount of money written as a text in fen; None where it is none, or beyond all bounds."""
    amount = parse_amount(raw) if isinstance(raw, str) and len(raw) <= LONGEST else None
    return amount if amount is not None and abs(amount) <= GREATEST else None


def _ratio(raw: object) -> Fraction:
    number = exact(raw)
    if number is not None and abs(number) <= GREATEST:
        return Fraction(number)
    if isinstance(raw, str):
        printed, quotient = _PUBLISHED.fullmatch(raw), _QUOTIENT.fullmatch(raw)
        if printed is not None and printed["unit"] in {None, "%"}:
            return Fraction(printed["number"]) / (100 if printed["unit"] else 1)
        if quotient is not None and Fraction(quotient["below"]):
            return Fraction(quotient["above"]) / Fraction(quotient["below"])
    raise UnfitValueError(_expected(pl.Float64, money=None))


def _expected(dtype: Dtype, *, money: bool | None) -> str:
    if dtype == pl.Int64:
        return {
            True: _('money as a text, such as "1500万" or "30000.50"'),
            False: _("a whole number"),
            None: _('a whole number, or money as a text such as "1500万"'),
        }[money]
    if dtype == pl.Float64:
        return _('a number such as 0.49, or a text such as "49%" or "58/400"')
    return {
        "Boolean": _("true or false"),
        "String": _("a text in quotes"),
        "Date": _("a date without quotes, such as 2011-06-30"),
    }.get(str(dtype), _("a column that can be compared; this one holds {type}").format(type=dtype))


def agrees(found: object, raw: object, dtype: Dtype, *, money: bool | None) -> bool:
    """Say whether what was found is what a case expects, to the digits that were published.

    Raises:
        UnfitValueError: the column could never hold what is expected.
    """
    if dtype == pl.List(pl.String):
        return list(_texts(raw)) == (list(found) if isinstance(found, (list, pl.Series)) else None)
    if dtype == pl.Float64 and isinstance(raw, str):
        printed = _PUBLISHED.fullmatch(raw)
        if printed is None:
            raise UnfitValueError(_('a number, or a published figure such as "125.64%", "7.64 points ahead" or "61.5"'))
        if not isinstance(found, float) or not abs(found) <= GREATEST:  # not a number is neither
            return False
        return _as_printed(found, printed) == Decimal(printed["number"])
    wanted = given(raw, dtype, money=money)
    return found is not None and found == wanted


def _texts(raw: object) -> Collection[str]:
    if isinstance(raw, (list, tuple)) and all(isinstance(each, str) for each in raw):
        return raw
    raise UnfitValueError(_("a list of texts"))


def _as_printed(found: float, printed: re.Match[str]) -> Decimal:
    """Round what was found as the figure was printed: its unit, its digits, half up."""
    value = Decimal(repr(found))
    if printed["unit"]:
        value *= 100
    if printed["unit"] == "points ahead":  # a gap is positive where a unit is behind
        value = -value
    return value.quantize(Decimal(1).scaleb(-len(printed["digits"] or "")), rounding=ROUND_HALF_UP) + 0


def shown_found(found: object, raw: object, *, money: bool | None) -> str:
    """Write what was found, like the figure expected but with all that is known of it."""
    if found is None:
        return _("nothing")
    if isinstance(found, float):
        printed = _PUBLISHED.fullmatch(raw) if isinstance(raw, str) else None
        unit = printed["unit"] if printed is not None else None
        value = Decimal(repr(found)) * (100 if unit else 1)
        value = -value if unit == "points ahead" else value
        text = f"{value.normalize():f}"
        return text + ("%" if unit == "%" else f" {unit}" if unit else "")
    if isinstance(found, int) and not isinstance(found, bool) and (money or isinstance(raw, str)):
        return format_amount(found)
    return shown_raw(found)


def shown_raw(raw: object) -> str:
    """Write an expected value as the file has it."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, (list, tuple, pl.Series)):
        return "[" + ", ".join(str(each) for each in raw) + "]"
    return str(raw)
