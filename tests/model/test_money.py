"""Money is exact: reading, writing, splitting, converting."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.model import contributions
from kpi_rules.model.money import BILLION, LIMIT, billionths, convert, format_amount, parse_amount, share_of, split

FEN = st.integers(-LIMIT, LIMIT)
SHARES = st.dictionaries(st.sampled_from("abcde中"), st.integers(1, BILLION // 6), min_size=1)


@pytest.mark.parametrize(
    ("text", "unit", "fen"),
    [
        ("1500万", "", 1_500_000_000),
        ("2亿", "", 20_000_000_000),
        ("30000.50", "", 3_000_050),
        ("30,000.5", "", 3_000_050),
        (" 1.5 亿元 ", "", 15_000_000_000),
        ("2千", "", 200_000),
        ("1200.005", "万元", 1_200_005_000),
        (".5", "", 50),
        ("-3", "", -300),
        ("+3", "", 300),
        ("0.010", "", 1),
        ("12345678901234567890123456789.01", "", 1234567890123456789012345678901),
    ],
)
def test_amounts_are_read_exactly(text: str, unit: str, fen: int) -> None:
    assert parse_amount(text, unit) == fen


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("0.001", ""),
        ("1.0000001", "万元"),
        ("1000000000.0000000000000000000000000000001", ""),
        ("1500万", "万元"),
        ("5吨", ""),
        ("1,50", ""),
        ("12,34,567", ""),
        ("1e5", ""),
        ("1_000", ""),
        ("３", ""),  # a full-width digit: cleaned tables never hold one, a guess would be worse than a question
        ("", ""),
        ("万", ""),
        ("nan", ""),
        ("--5", ""),
    ],
)
def test_what_is_no_whole_number_of_fen_is_no_amount(text: str, unit: str) -> None:
    assert parse_amount(text, unit) is None


@given(FEN)
def test_written_amounts_read_back(fen: int) -> None:
    assert parse_amount(format_amount(fen)) == fen


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (1_500_000_000, "1500万"),
        (20_000_000_000, "2亿"),
        (3_000_050, "30000.50"),
        (0, "0.00"),
        (-15_000_000_000, "-1.5亿"),
        (1_000_000, "1万"),
        (999_900, "9999.00"),
        (12_345_600_000, "12345.6万"),
    ],
)
def test_amounts_as_people_write_them(fen: int, text: str) -> None:
    assert format_amount(fen) == text


@given(st.integers(0, LIMIT), SHARES)
def test_a_split_follows_the_largest_remainders(amount: int, shares: dict[str, int]) -> None:
    parts = split(amount, shares)
    rest = BILLION - sum(shares.values())
    claims = {**shares, "unclaimed": rest}
    parts["unclaimed"] = amount - sum(parts.values())
    exact = {unit: Fraction(amount * share, BILLION) for unit, share in claims.items()}
    up = {unit: parts[unit] - exact[unit].__floor__() for unit in claims}
    assert set(up.values()) <= {0, 1}
    remainder = {unit: exact[unit] - exact[unit].__floor__() for unit in claims}
    for winner in (unit for unit in claims if up[unit]):
        for loser in (unit for unit in claims if not up[unit]):
            assert remainder[winner] >= remainder[loser]
            if remainder[winner] == remainder[loser]:
                assert loser == "unclaimed" or (winner != "unclaimed" and winner < loser)


def test_ties_go_to_the_first_in_code_point_order_and_last_to_nobody() -> None:
    third = BILLION // 4
    assert split(2, {"b": third, "a": third, "中": third}) == {"a": 1, "b": 1, "中": 0}
    assert split(1, {"b": BILLION // 2}) == {"b": 1}
    assert split(1, {"Z": BILLION // 2, "a": BILLION // 2}) == {"Z": 1, "a": 0}
    assert split(3, {"a": 0, "b": BILLION}) == {"a": 0, "b": 3}


@given(st.integers(0, LIMIT), st.integers(0, 100_000 * BILLION))
def test_share_of_is_the_floor_in_python_and_in_polars(amount: int, rate: int) -> None:
    assert share_of(amount, rate) == (Fraction(rate, BILLION) * amount).__floor__()
    frame = pl.DataFrame({"amount": [amount], "p.rate:billionths": [rate]})
    found = frame.select(contributions.share_of(pl.col("p.rate"), pl.col("amount"))).item()
    assert found == share_of(amount, rate)


def test_a_rate_that_is_computed_has_no_exact_value() -> None:
    with pytest.raises(ValueError, match="a parameter by itself is expected"):
        contributions.share_of(pl.col("p.rate") * 2, pl.col("amount"))


@given(st.integers(0, LIMIT), st.integers(0, 1000 * BILLION))
def test_foreign_amounts_are_rounded_half_up(amount: int, rate: int) -> None:
    exact = Fraction(amount * rate, BILLION)
    found = convert(amount, rate)
    assert -Fraction(1, 2) < found - exact <= Fraction(1, 2)
    assert found == int((Decimal(amount * rate).scaleb(-9)).quantize(Decimal(1), ROUND_HALF_UP))


def test_a_half_fen_goes_up() -> None:
    assert convert(1, BILLION // 2) == 1
    assert convert(3, BILLION // 2) == 2
    assert convert(1, BILLION // 2 - 1) == 0


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_decimals_of_nine_places_are_billionths_others_are_refused(value: Decimal) -> None:
    found = billionths(value)
    if not value.is_finite() or (Fraction(value) * BILLION).denominator != 1:
        assert found is None
    else:
        assert found is not None
        assert Fraction(found, BILLION) == Fraction(value)


def test_a_decimal_of_many_places_is_not_rounded_to_fit() -> None:
    assert billionths(Decimal("0.50000000000000000000000000000000001")) is None
    assert billionths(Decimal("0.123456789")) == 123_456_789
    assert billionths(Decimal("0.1234567891")) is None
