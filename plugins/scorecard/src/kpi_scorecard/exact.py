"""Exact arithmetic in expressions: whole numbers of 128 bits, one rounding, one division at the end.

Points are computed as fractions of whole numbers. What is rounded is rounded once, by integers; only the result, a
whole number of parts of a point, becomes a Float64 by one correctly rounded division. So a score read back is the
decimal it was, and no drift of floating point can move a rounding: 120% of a quota is exactly 102 points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpi_scorecard.config import Rounding

PLACES: Final = 9
"""Decimal places of a point, of a bound, of a ratio that is no quotient of two known whole numbers."""

PARTS: Final = 10**PLACES

GREATEST_RATIO: Final = 10**6
"""Ratios beyond this are not assessed: their billionths would not be exact in a Float64."""

GREATEST: Final = 10**6
"""The greatest number of points, inclusive, above and below 0: its billionths are exact in a Float64."""

BITS: Final = 2**126
"""No product may reach this: a rounding doubles it, and 128 bits hold a sign."""


def whole(column: str) -> pl.Expr:
    """Return a column of whole numbers in 128 bits."""
    return pl.col(column).cast(pl.Int128)


def number(value: int) -> pl.Expr:
    """Return a whole number in 128 bits; left to itself polars would take the narrowest type that holds it."""
    return pl.lit(value, dtype=pl.Int128)


def quotient(above: pl.Expr, below: int) -> pl.Expr:
    """Return an Int64 expression divided by a whole number, correctly rounded.

    Given a plain number polars multiplies by its reciprocal, which is rounded already; given a column it divides.
    """
    return above / (above * 0 + below)


def divided(above: pl.Expr, below: pl.Expr, rounding: Rounding) -> pl.Expr:
    """Return above / below, below being greater than 0, rounded to a whole number; null where below is 0."""
    size = above.abs()
    down = size // below
    rest = size - down * below
    result = _rounded_up(down, rest > 0, rest * 2 >= below, rest * 2 > below, rounding)
    return pl.when(above < 0).then(0 - result).otherwise(result)  # polars negates no Int128


def rounded(ratio: pl.Expr, digits: int, rounding: Rounding) -> pl.Expr:
    """Return a Float64 ratio as a whole number of parts (10 to the power of `digits` in one), rounded as said.

    A ratio here is the correctly rounded quotient of two whole numbers. It is compared with the quotients that decide,
    made in the same way, so a ratio that is a tie counts as one although neither is exact in binary. Null beyond
    `GREATEST_RATIO`.
    """
    parts = 10**digits
    size = ratio.abs()
    near = (size * parts).floor().cast(pl.Int64, strict=False)  # within one of what is right
    down = near + (size >= quotient(near + 1, parts)).cast(pl.Int64) - (size < quotient(near, parts)).cast(pl.Int64)
    tie = quotient(down * 2 + 1, 2 * parts)
    result = _rounded_up(down, size > quotient(down, parts), size >= tie, size > tie, rounding)
    signed = pl.when(ratio < 0).then(-result).otherwise(result)
    return pl.when(size <= GREATEST_RATIO).then(signed)


def _rounded_up(down: pl.Expr, inexact: pl.Expr, at_half: pl.Expr, above: pl.Expr, rounding: Rounding) -> pl.Expr:
    """Return what a size is rounded to, given it rounded down and how it lies to that and to the next half."""
    add: dict[Rounding, pl.Expr] = {
        "up": inexact,
        "half_up": at_half,
        "half_even": above | (at_half & (down % 2 == 1)),
    }
    return down + add[rounding].cast(pl.Int64) if rounding in add else down


def billionths(ratio: pl.Expr) -> pl.Expr:
    """Return a Float64 ratio as a whole number of billionths, the nearest, in 128 bits."""
    return rounded(ratio, PLACES, "half_even").cast(pl.Int128)


def points(parts: pl.Expr, digits: int) -> pl.Expr:
    """Return a whole number of parts as points, a Float64; null beyond `GREATEST`."""
    bounded = pl.when(parts.abs() <= GREATEST * 10**digits).then(parts)
    return quotient(bounded.cast(pl.Int64, strict=False), 10**digits)


def known(columns: Sequence[pl.Expr], value: pl.Expr) -> pl.Expr:
    """Return a value where all columns have one, null elsewhere."""
    return pl.when(~pl.any_horizontal([column.is_null() for column in columns])).then(value)


def between(value: pl.Expr, least: pl.Expr | None, most: pl.Expr | None) -> pl.Expr:
    """Return a value within bounds, both inclusive; a missing bound is none."""
    if least is not None:
        value = pl.when(value < least).then(least).otherwise(value)
    if most is not None:
        value = pl.when(value > most).then(most).otherwise(value)
    return value
