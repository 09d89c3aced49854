"""Exact arithmetic in expressions: whole numbers of 64 or 128 bits, one rounding, one division at the end.

Points are computed as fractions of whole numbers. What is rounded is rounded once, by integers; only the result, a
whole number of parts of a point, becomes a Float64 by one correctly rounded division. So a score read back is the
decimal it was, and no drift of floating point can move a rounding: 120% of a quota is exactly 102 points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kpi_scorecard.config import Rounding

PLACES: Final = 9
"""Decimal places of a point, of a bound, of a ratio that is no quotient of two known whole numbers."""

PARTS: Final = 10**PLACES

GREATEST_RATIO: Final = 10**6
"""Ratios beyond this are not assessed: their billionths would not be exact in a Float64."""

GREATEST: Final = 10**6
"""The greatest number of points, inclusive, above and below 0: its billionths are exact in a Float64."""

Width = type[pl.Int64] | type[pl.Int128]
"""How wide whole numbers are: 64 bits where all products fit, which are several times as fast, else 128."""

LIMITS: Final[Mapping[Width, int]] = {pl.Int64: 2**62, pl.Int128: 2**126}
"""No product may reach this: a rounding doubles it, and there is a sign."""


def whole(column: str, width: Width = pl.Int128) -> pl.Expr:
    """Return a column of whole numbers of a width."""
    return pl.col(column).cast(width)


def number(value: int, width: Width = pl.Int128) -> pl.Expr:
    """Return a whole number of a width; left to itself polars would take the narrowest type that holds it."""
    return pl.lit(value, dtype=width)


def quotient(above: pl.Expr, below: int, like: pl.Expr) -> pl.Expr:
    """Return an Int64 expression divided by a whole number, correctly rounded; `like` is any column of the frame.

    Given a plain number polars multiplies by its reciprocal, which is rounded already; given a column it divides. The
    column is not made from `above`, so that expressions do not double with every step.
    """
    return above / (like.is_null().cast(pl.Int64) * 0 + below)


def divided(above: pl.Expr, below: pl.Expr, rounding: Rounding) -> pl.Expr:
    """Return above / below, below being greater than 0, rounded to a whole number; null where below is 0."""
    size = above.abs()
    match rounding:
        case "down":
            result = size // below
        case "up":
            result = (size + below - 1) // below
        case "half_up":
            result = (size * 2 + below) // (below * 2)
        case _:
            twice = size * 2 + below
            result = twice // (below * 2)
            result = result - ((twice % (below * 2) == 0) & (result % 2 == 1)).cast(pl.Int64)
    return pl.when(above < 0).then(0 - result).otherwise(result)  # polars negates no Int128


def rounded(ratio: pl.Expr, digits: int, rounding: Rounding) -> pl.Expr:
    """Return a column of ratios as a whole number of parts (10 to the power of `digits` in one), rounded as said.

    A ratio here is the correctly rounded quotient of two whole numbers. It is compared with the quotients that decide,
    made in the same way, so a ratio that is a tie counts as one although neither is exact in binary. Null beyond
    `GREATEST_RATIO`.
    """
    parts = 10**digits
    size = ratio.abs()
    near = (size * parts).round().cast(pl.Int64, strict=False)  # within one of what is right
    match rounding:
        case "down":
            result = near - (size < quotient(near, parts, ratio)).cast(pl.Int64)
            result = result + (size >= quotient(near + 1, parts, ratio)).cast(pl.Int64)
        case "up":
            result = near + (size > quotient(near, parts, ratio)).cast(pl.Int64)
            result = result - (size <= quotient(near - 1, parts, ratio)).cast(pl.Int64)
        case _:
            over, under = (quotient(near * 2 + side, 2 * parts, ratio) for side in (1, -1))
            odd = near % 2 == 1
            ties_up = (size == over) & (odd if rounding == "half_even" else True)
            ties_down = (size == under) & odd if rounding == "half_even" else pl.lit(value=False)
            result = near + ((size > over) | ties_up).cast(pl.Int64) - ((size < under) | ties_down).cast(pl.Int64)
    signed = pl.when(ratio < 0).then(0 - result).otherwise(result)
    return pl.when(size <= GREATEST_RATIO).then(signed)


def billionths(ratio: pl.Expr, width: Width = pl.Int128) -> pl.Expr:
    """Return a column of ratios as whole numbers of billionths.

    A decimal of nine places comes back as itself: below `GREATEST_RATIO` the product is off by less than a half. What
    is no such decimal becomes the nearest one.
    """
    near = (ratio * PARTS).round().cast(pl.Int64, strict=False).cast(width)
    return pl.when(ratio.abs() <= GREATEST_RATIO).then(near)


def points(parts: pl.Expr, digits: int, like: pl.Expr, *, bounded: bool = False) -> pl.Expr:
    """Return a whole number of parts as points, a Float64; null beyond `GREATEST`, unless it is `bounded` already."""
    if not bounded:
        parts = pl.when(parts.abs() <= GREATEST * 10**digits).then(parts)
    return quotient(parts.cast(pl.Int64, strict=False), 10**digits, like)


def known(columns: Sequence[pl.Expr], value: pl.Expr) -> pl.Expr:
    """Return a value where all columns have one, null elsewhere."""
    return pl.when(~pl.any_horizontal([column.is_null() for column in columns])).then(value)


def summed(parts: Sequence[pl.Expr]) -> pl.Expr:
    """Return the sum of some parts, pair by pair: polars reads no expression of more than some 60 levels."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return summed(parts[:middle]) + summed(parts[middle:])


def between(value: pl.Expr, least: int | None, most: int | None, width: Width = pl.Int128) -> pl.Expr:
    """Return a whole number within bounds, both inclusive; a missing bound is none."""
    if least is None and most is None:
        return value
    low, high = (None if bound is None else number(bound, width) for bound in (least, most))
    return value.clip(low, high)
