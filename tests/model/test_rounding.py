"""Steps of ratios, held against exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.model import expressions, rounding, sql

if TYPE_CHECKING:
    from collections.abc import Callable

QUOTAS = st.integers(1, 10**6) | st.integers(1, 10**9).map(lambda thousands: 1000 * thousands)
"""Small ones of any kind, and great ones of which a thousandth is whole."""


def value(text: str, **given: int) -> float:
    """Return what a text comes to for some figures, beside their completion."""
    row = pl.DataFrame({name: [figure] for name, figure in given.items()})
    row = row.with_columns(completion=pl.col("funds") / pl.col("quota"))
    found = row.select(expressions.correctly_rounded(sql.expression(text))).item()
    assert isinstance(found, float)
    return found


def half_away(number: Fraction) -> int:
    """Return the nearest whole number, halves away from 0."""
    return int(math.copysign(math.floor(abs(number) + Fraction(1, 2)), number))


@given(QUOTAS, st.integers(0, 3000), st.sampled_from([0, 1, 2]))
def test_points_are_rounded_as_on_paper(quota: int, thousandths: int, digits: int) -> None:
    funds = quota * thousandths // 1000
    exact = Fraction(funds, quota) * 100
    found = value(f"round(completion * 100, {digits})", funds=funds, quota=quota)
    assert found == half_away(exact * 10**digits) / 10**digits


@given(QUOTAS, st.integers(-100, 2000), st.sampled_from(["0.1", "0.05", "0.01", "0.001"]))
def test_whole_steps_are_counted_as_on_paper(quota: int, thousandths: int, size: str) -> None:
    funds = max(quota * (1000 + thousandths) // 1000, 0)
    exact = (Fraction(funds, quota) - 1) / Fraction(size)
    given = {"funds": funds, "quota": quota}
    assert value(f"floor((completion - 1) / {size})", **given) == math.floor(exact)
    assert value(f"ceil((completion - 1) / {size})", **given) == math.ceil(exact)


@given(st.integers(1, 10**10), st.integers(1, 200))
def test_one_fen_short_is_short(yuan: int, hundredths: int) -> None:
    quota, least = 100 * yuan, yuan * hundredths
    for funds, reached in ((least, True), (least - 1, False)):
        steps = value("floor(completion * 100)", funds=funds, quota=quota)
        assert (steps >= hundredths) is reached


@pytest.mark.parametrize(
    ("made", "name", "digits"),
    [
        (rounding.floor, "floor", 0),
        (rounding.ceil, "ceil", 0),
        (lambda of: rounding.rounded(of, 0), "round", 0),
        (lambda of: rounding.rounded(of, 2), "round", 2),
    ],
)
def test_a_call_is_known_again(made: Callable[[pl.Expr], pl.Expr], name: str, digits: int) -> None:
    of = pl.col("a") / 3
    step = rounding.step(expressions.tree(made(of)))
    assert step is not None
    assert (step.name, step.of, step.digits) == (name, expressions.tree(of), digits)


@pytest.mark.parametrize(
    "other", [pl.col("a").floor(), pl.col("a").round(2), (pl.col("a") + 1).ceil(), pl.col("a") / 10]
)
def test_others_are_not(other: pl.Expr) -> None:
    assert rounding.step(expressions.tree(other)) is None
