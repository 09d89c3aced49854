"""Values given and expected in cases."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.cases import values
from kpi_rules.cases.values import UnfitValueError, agrees


@pytest.mark.parametrize(
    ("raw", "dtype", "money", "value"),
    [
        ("1500万", pl.Int64, True, 1_500_000_000),
        ("9.99", pl.Int64, True, 999),
        (3, pl.Int64, False, 3),
        (3, pl.Int64, None, 3),
        ("3", pl.Int64, None, 300),
        ("14.5%", pl.Float64, None, 0.145),
        ("58/400", pl.Float64, None, 58 / 400),
        (Decimal("0.49"), pl.Float64, None, 0.49),
        (1, pl.Float64, None, 1.0),
        (True, pl.Boolean, None, True),
        ("a", pl.String, None, "a"),
        (date(2011, 1, 1), pl.Date, None, date(2011, 1, 1)),
    ],
)
def test_what_a_column_takes(raw: object, dtype: type[pl.DataType], money: bool | None, value: object) -> None:  # noqa: FBT001 (a parameter of the test)
    assert values.given(raw, dtype, money=money) == value


@pytest.mark.parametrize(
    ("raw", "dtype", "money"),
    [
        (1500, pl.Int64, True),
        ("3", pl.Int64, False),
        ("0.001", pl.Int64, True),
        (True, pl.Int64, False),
        ("1/0", pl.Float64, None),
        ("much", pl.Float64, None),
        ("3 points", pl.Float64, None),
        (True, pl.Float64, None),
        (Decimal("1e999999999"), pl.Float64, None),
        (Decimal("nan"), pl.Float64, None),
        (10**30, pl.Int64, None),
        (10**30, pl.Float64, None),
        ("9" * 5000, pl.Int64, None),
        ("9" * 5000, pl.Float64, None),
        (1, pl.Boolean, None),
        (datetime(2011, 1, 1), pl.Date, None),  # noqa: DTZ001 (what TOML gives for a local time)
        ("2011-01-01", pl.Date, None),
    ],
)
def test_what_it_does_not(raw: object, dtype: type[pl.DataType], money: bool | None) -> None:  # noqa: FBT001 (as above)
    with pytest.raises(UnfitValueError):
        values.given(raw, dtype, money=money)


@pytest.mark.parametrize(
    ("found", "printed", "same"),
    [
        (1_005_136 / 800_000, "125.64%", True),
        (1_005_136 / 800_000, "125.65%", False),
        (1_005_136 / 800_000, "125.6%", True),
        (0.125, "13%", True),
        (-0.125, "-13%", True),
        (0.00125, "0.13%", True),
        (1.005, "1.01", True),  # the decimal it prints as is what is rounded, not the binary fraction below it
        (-0.4230866666666667, "42.31 points ahead", True),
        (-0.4230866666666667, "+42.31 points ahead", True),
        (0.12921, "12.92 points behind", True),
        (0.12921, "12.92 points ahead", False),
        (0.12921, "+12.92 points", True),
        (-0.001, "0 points", True),
        (61.5, "61.5", True),
        (61.5, "62", True),
        (61.5, "61", False),
    ],
)
def test_published_figures(found: float, printed: str, same: bool) -> None:  # noqa: FBT001 (as above)
    assert agrees(found, printed, pl.Float64, money=None) is same


def test_a_plain_number_is_exact_and_nothing_equals_nothing() -> None:
    assert agrees(0.1, Decimal("0.1"), pl.Float64, money=None)
    assert not agrees(1 / 3, Decimal("0.333"), pl.Float64, money=None)
    assert not agrees(None, "0%", pl.Float64, money=None)
    assert not agrees(None, 0, pl.Int64, money=False)
    assert not agrees(float("nan"), "0%", pl.Float64, money=None)
    assert not agrees(float("inf"), "100%", pl.Float64, money=None)
    assert agrees(["M1", "M2"], ["M1", "M2"], pl.List(pl.String), money=None)
    assert not agrees(["M2", "M1"], ["M1", "M2"], pl.List(pl.String), money=None)


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**9), st.integers(0, 4))
def test_what_is_printed_half_up_agrees_and_its_neighbours_do_not(above: int, below: int, digits: int) -> None:
    found = above / below
    step = Decimal(1).scaleb(-digits)
    printed = (Decimal(repr(found)) * 100).quantize(step, rounding=ROUND_HALF_UP) + 0
    assert agrees(found, f"{printed:f}%", pl.Float64, money=None)
    assert not agrees(found, f"{printed + step:f}%", pl.Float64, money=None)
    assert not agrees(found, f"{printed - step:f}%", pl.Float64, money=None)
