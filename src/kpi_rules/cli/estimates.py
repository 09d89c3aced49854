"""Estimates written for people: no more digits than they are worth, and their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kpi_rules.locale import _
from kpi_rules.model.money import FEN

if TYPE_CHECKING:
    from collections.abc import Callable

NOTHING: Final = "0"


def percent(share: float | None) -> str:
    """Write a share to a tenth of a percent; 0% and 100% are what never and always happens."""
    if share is None:
        return ""
    text = f"{share:.1%}"
    if text == "0.0%":
        return "<0.1%" if share > 0 else "0%"
    if text == "100.0%":
        return ">99.9%" if share < 1 else "100%"
    return text


def points(difference: float | None) -> str:
    """Write a difference of shares in percentage points, signed."""
    return "" if difference is None else _signed(difference * 100, 1)


def number(value: float | None) -> str:
    """Write a number to a tenth."""
    return "" if value is None else f"{value:.1f}"


def signed(value: float | None) -> str:
    """Write a difference of numbers to a hundredth, signed."""
    return "" if value is None else _signed(value, 2)


def amount(fen: float | None) -> str:
    """Write an estimate of money to four digits, as people do: `80.66万`, `1.234亿`, `950`."""
    if fen is None:
        return ""
    yuan = fen / FEN
    for suffix, scale in (("亿", 10**8), ("万", 10**4)):
        if abs(yuan) >= scale:
            return f"{_four(yuan / scale)}{suffix}"
    return f"{yuan:.0f}" if abs(yuan) >= 1 or not yuan else f"{yuan:.2f}"


def signed_amount(fen: float | None) -> str:
    """Write a difference of money, signed."""
    if fen is None:
        return ""
    return f"+{amount(fen)}" if fen > 0 else amount(fen)


def span(low: float | None, high: float | None, write: Callable[[float | None], str]) -> str:
    """Write an interval; nothing where an end is not known."""
    if low is None or high is None:
        return ""
    return _("{low} to {high}").format(low=write(low), high=write(high))


def totals_called() -> dict[str, str]:
    """Return what the totals of a simulation are called, by `what`, in the order in which they are shown."""
    return {
        "met": _("units that meet the task"),
        "withheld": _("pay withheld"),
        "released": _("pay released"),
        "outstanding": _("pay still held at the end"),
        "rewarded": _("rewards"),
    }


def _four(value: float) -> str:
    """Write a number from 1 on with four digits, without an exponent and without zeros at the end."""
    places = max(3 - (len(str(int(abs(value)))) - 1), 0)
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _signed(value: float, places: int) -> str:
    """Write a difference; what is not 0 and rounds to it shows its sign."""
    text = f"{value:+.{places}f}"
    if value and not text.strip("+-0."):
        return f"{text[0]}<{text[1:-1]}1" if value > 0 else f"-<{text[1:-1]}1"
    return NOTHING if not value else text
