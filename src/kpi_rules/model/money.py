"""Exact money and exact decimals.

Money is a whole number of minor units (fen). Shares, rates and parameters are exact decimals of at most nine places,
kept as whole numbers of billionths where money is computed from them, so that every product and every split is
integer arithmetic.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FEN = 100
"""Minor units in a yuan."""

BILLION = 1_000_000_000
"""Parts in one, of a share, rate or parameter."""

LIMIT = 200_000_000_000 * FEN
"""The greatest quota or total, 2000亿 yuan in fen, inclusive: times the 366 days of a year it stays below 2**53."""

UNITS: Mapping[str, int] = {
    "": 1,
    "元": 1,
    "千": 1_000,
    "千元": 1_000,
    "万": 10_000,
    "万元": 10_000,
    "亿": 10**8,
    "亿元": 10**8,
}
"""What an amount or a column header may name as its unit, in yuan."""

_AMOUNT = re.compile(
    r"(?P<number>[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|[+-]?\.\d+)\s*(?P<unit>[^\d\s.,]*)", re.ASCII
)


def parse_amount(text: str, unit: str = "") -> int | None:
    """Read an amount such as `1500万`, `2亿`, `30,000.50` exactly.

    Args:
        text: the amount; a unit of its own is not allowed where the column states one already.
        unit: the unit the column header states, a key of `UNITS`.

    Returns:
        Fen, or None where the text is no amount or is not a whole number of fen. Nothing is ever rounded away.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None or match["unit"] not in UNITS or (unit and match["unit"]):
        return None
    fen = Fraction(match["number"].replace(",", "")) * UNITS[match["unit"] or unit] * FEN
    return fen.numerator if fen.denominator == 1 else None


def format_amount(fen: int) -> str:
    """Write fen as people do and `parse_amount` reads back: `1500万`, `2亿`, `30000.50`."""
    for suffix, scale in (("亿", 10**8 * FEN), ("万", 10_000 * FEN)):
        if fen and fen % (scale // 100) == 0 and abs(fen) >= scale:
            return f"{(Decimal(fen) / scale).normalize():f}{suffix}"
    return f"{Decimal(fen) / FEN:.2f}"


def billionths(value: Decimal) -> int | None:
    """Return an exact decimal as a whole number of billionths; None where it has more than nine places or is not
    finite.
    """
    if not value.is_finite():
        return None
    scaled = Fraction(value) * BILLION  # a product of Decimals would be rounded to 28 digits
    return scaled.numerator if scaled.denominator == 1 else None


def share_of(amount: int, share: int) -> int:
    """Return the whole fen of `share` billionths of `amount`, rounded down: floor(share x amount)."""
    return amount * share // BILLION


def convert(amount: int, rate: int) -> int:
    """Return `amount` minor units of a foreign currency in fen at `rate` billionths, rounded half up."""
    return (2 * amount * rate + BILLION) // (2 * BILLION)


def split(amount: int, shares: Mapping[str, int]) -> dict[str, int]:
    """Split an amount by shares so that the parts add up to it, by largest remainder.

    Args:
        amount: fen, 0 or more.
        shares: billionths by unit id; what is missing to one billion is unclaimed and takes part as a claimant that
            loses every tie.

    Returns:
        fen by unit id; the unclaimed rest is `amount` less their sum. Ties go to the unit id first in code-point order.
    """
    claims = {**shares, "": BILLION - sum(shares.values())}
    parts = {unit: amount * share // BILLION for unit, share in claims.items()}
    left = amount - sum(parts.values())
    by_remainder = sorted(claims, key=lambda unit: (-(amount * claims[unit] % BILLION), unit == "", unit))
    for unit in by_remainder[:left]:
        parts[unit] += 1
    del parts[""]
    return parts
