"""Amounts, decimals and dates: columns parsed at once say what one value parsed by itself says."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.model.money import UNITS, format_amount, parse_amount
from kpi_rules.workspace.amounts import BILLION_PLACES, parse_amounts, parse_date, parse_scaled

GREATEST = 2**63 - 1
NUMBERS = st.from_regex(r"\A[+-]?[0-9]{0,12}(,[0-9]{3}){0,2}(\.[0-9]{0,9})?[ ]?(元|千元|万|万元|亿|亿元|千|百)?\Z")


def column(*texts: str | None) -> pl.Series:
    return pl.Series("amount", texts, dtype=pl.String)


@given(st.lists(st.one_of(st.none(), NUMBERS, st.text(max_size=12))), st.sampled_from(sorted(UNITS)))
def test_a_column_is_read_as_each_amount_is(texts: list[str | None], unit: str) -> None:
    parsed = parse_amounts(column(*texts), unit)
    failed = dict(parsed.failures.iter_rows())
    for at, (text, value) in enumerate(zip(texts, parsed.values, strict=True)):
        fen = None if text is None else parse_amount(text, unit)
        if fen is not None and abs(fen) > GREATEST:
            assert (value, failed[at]) == (None, "too-large")
        else:
            assert value == fen, text
            assert (at in failed) == (fen is None and text is not None and text.strip() != ""), text


@given(st.lists(st.integers(-GREATEST, GREATEST)))
def test_what_is_written_is_read_back(amounts: list[int]) -> None:
    parsed = parse_amounts(column(*(format_amount(fen) for fen in amounts)))
    assert parsed.values.to_list() == amounts
    assert parsed.failures.is_empty()


@given(st.lists(st.decimals(-(10**6), 10**6, places=10)))
def test_decimals_are_exact_to_nine_places(decimals: list[object]) -> None:
    texts = [f"{value:f}" for value in decimals]
    parsed = parse_scaled(column(*texts), BILLION_PLACES)
    failed = dict(parsed.failures.iter_rows())
    for at, (text, value) in enumerate(zip(texts, parsed.values, strict=True)):
        scaled = Fraction(text) * 10**9
        assert (value, failed.get(at)) == ((int(scaled), None) if scaled.denominator == 1 else (None, "too-fine"))


@pytest.mark.parametrize(
    ("text", "unit", "fen"),
    [
        ("1500万", "", 1_500_000_000),
        ("2亿", "", 20_000_000_000),
        ("30,000.50", "", 3_000_050),
        ("1200.005万", "", 1_200_005_000),
        ("1200.005", "万元", 1_200_005_000),
        ("  12 元 ", "", 1_200),
        ("0.000100", "万元", 100),
        ("5.", "", 500),
        ("-3", "", -300),
    ],
)
def test_amounts_as_people_write_them(text: str, unit: str, fen: int) -> None:
    assert parse_amounts(column(text), unit).values.to_list() == [fen]


@pytest.mark.parametrize(
    ("text", "unit", "code"),
    [
        ("1.005", "", "too-fine"),
        ("0.0000001", "万元", "too-fine"),
        ("5万", "万元", "unit-twice"),
        ("1e3", "", "not-a-number"),
        ("1,50", "", "not-a-number"),
        ("12．5", "", "not-a-number"),
        ("面议", "", "not-a-number"),
        ("99999999999999999999", "", "too-large"),
    ],
)
def test_amounts_that_are_none(text: str, unit: str, code: str) -> None:
    parsed = parse_amounts(column("1", None, text, ""), unit)
    assert parsed.failures.rows() == [(2, code)]
    assert parsed.values.to_list()[1:] == [None, None, None]


def test_a_unit_is_no_part_of_a_share() -> None:
    assert parse_scaled(column("0.7万"), BILLION_PLACES).failures.rows() == [(0, "not-a-number")]


@pytest.mark.parametrize(
    "text",
    [
        "2011-03-05",
        "2011-3-5",
        "2011/3/5",
        "2011.03.05",
        "20110305",
        "2011年3月5日",
        "2011 年 3 月 5 号",
        " 2011-03-05 ",
        "2011-03-05 00:00:00",
        "2011-03-05T13:30:00.5Z",
    ],
)
def test_dates_as_people_write_them(text: str) -> None:
    assert parse_date(text) == date(2011, 3, 5)


@pytest.mark.parametrize(
    "text", ["", "2011-02-30", "2011-03/05", "11-3-5", "3/5/2011", "40607", "0211-03-05", "五月中旬", "２０１１-3-5"]
)
def test_dates_that_are_none(text: str) -> None:
    assert parse_date(text) is None
