"""What is wrong with a text that was typed: an empty text where nothing is."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import kpi_rules as kr
from kpi_rules_tui.texts import _

if TYPE_CHECKING:
    from collections.abc import Callable

DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
DECIMAL: Final = re.compile(r"\d{1,3}(\.\d{1,9})?", re.ASCII)
DIGITS: Final = re.compile(r"\d{1,9}", re.ASCII)
GREATEST_FACTOR: Final = 100


def day(text: str) -> date | None:
    """Read a date in the one form that cannot be misread."""
    try:
        return date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        return None


def day_within(first: date, last: date) -> tuple[str, Callable[[str], str]]:
    """Return the hint and the check of a date from one day to another, both inclusive."""
    hint = _("a date from {first} to {last}, inclusive").format(first=first, last=last)

    def check(text: str) -> str:
        found = day(text)
        return "" if found is not None and first <= found <= last else _("expected {hint}").format(hint=hint)

    return hint, check


def amount(text: str) -> str:
    """Check an amount of money above 0."""
    fen = kr.parse_amount(text)
    if fen is None:
        return _("expected an amount such as 1500万, 2亿 or 30000.50")
    return (
        ""
        if 0 < fen <= kr.LIMIT
        else _("expected an amount above 0, at most {most}").format(most=kr.format_amount(kr.LIMIT))
    )


def count(text: str) -> int | None:
    """Read a count."""
    return int(text) if DIGITS.fullmatch(text) else None


def whole_number(text: str) -> str:
    """Check a count above 0."""
    return "" if count(text) else _("expected a whole number above 0, of nine digits at most")


def factor(text: str) -> str:
    """Check what amounts are multiplied by."""
    if DECIMAL.fullmatch(text) and 0 < Decimal(text) <= GREATEST_FACTOR:
        return ""
    return _("expected a decimal above 0, at most {most}").format(most=GREATEST_FACTOR)


def given(text: str) -> str:
    """Check that something is there."""
    return "" if text else _("expected a few words")
