"""Conditions as text."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest

from kpi_scorecard.conditions import Fault, read


@pytest.mark.parametrize(
    ("text", "column", "terms"),
    [
        ("completion >= 0.8", "completion", [(">=", Fraction(4, 5))]),
        ("completion ≥ 80%", "completion", [(">=", Fraction(4, 5))]),
        ("0.5 <= completion < 0.8", "completion", [(">=", Fraction(1, 2)), ("<", Fraction(4, 5))]),
        ("0.8>completion>=0.5", "completion", [("<", Fraction(4, 5)), (">=", Fraction(1, 2))]),
        ("3 > lag", "lag", [("<", Fraction(3))]),
        ("lag = 3", "lag", [("=", Fraction(3))]),
        ("pace_gap < -0.05", "pace_gap", [("<", Fraction(-1, 20))]),
        ("funds >= 1,000.50元", "funds", [(">=", Fraction(100050))]),
        ("funds_quota<1500万", "funds_quota", [("<", Fraction(1500 * 10**6))]),
        ("1亿 <= funds <= 2亿元", "funds", [(">=", Fraction(10**10)), ("<=", Fraction(2 * 10**10))]),
        ("deposits >= 5万", "deposits", [(">=", Fraction(5 * 10**6))]),
        ("完成率 < 0.5", "完成率", [("<", Fraction(1, 2))]),
        ("kind = 部门", "kind", [("in", frozenset({"部门"}))]),
        ("kind is department", "kind", [("in", frozenset({"department"}))]),
        ('kind is not "town hall"', "kind", [("not in", frozenset({"town hall"}))]),
        ("kind in (a, b，c)", "kind", [("in", frozenset({"a", "b", "c"}))]),
        ("kind = 3", "kind", [("in", frozenset({"3"}))]),
        ("kind not in (a)", "kind", [("not in", frozenset({"a"}))]),
        ("funds_overdue = true", "funds_overdue", [("=", True)]),
    ],
)
def test_what_a_condition_says(text: str, column: str, terms: list[tuple[str, object]]) -> None:
    found = read(text)
    assert {term.column.name for term in found} == {column}
    assert [(term.op, term.value) for term in found] == terms


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("completion", "completion", "a condition such as"),
        ("completion >", "completion >", "a condition such as"),
        ("", "", "a condition such as"),
        ("0.5 < completion > 0.8", "0.5 < completion > 0.8", "two bounds that face each other"),
        ("funds >= 1000", "1000", "an amount with its unit for funds, such as 1000万 or 500元"),
        ("completion >= 5万", "5万", "a number without a unit of money for completion"),
        ("lag >= 50%", "50%", "a number without % for lag"),
        ("completion >= high", "completion >= high", "a number, such as 0.8, 80% or 1000万"),
        ("completion = high", "completion = high", "a number, such as 0.8, 80% or 1000万"),
        ("kind > a", "kind > a", "= or in for words"),
        ("completion != 1", "completion != 1", "<, <=, >, >= or = for a number"),
        ("mark is not 3", "mark is not 3", "<, <=, >, >= or = for a number"),
        ("3 < kind", "kind > 3", "= or in for words"),
        ("kind in ()", "kind in ()", "a word, or words in brackets"),
        ("kind in (a", "kind in (a", "a word, or words in brackets"),
        ("kind = 'a", "kind = 'a", "a word, or words in brackets"),
        ("funds_overdue > 1", "funds_overdue > 1", "true or false"),
        ("completion < 0.1234567891", "0.1234567891", "a decimal of at most nine places"),
        ("funds >= 0.001元", "0.001元", "a number without a unit of money"),
    ],
)
def test_what_is_no_condition_says_why(text: str, found: str, expected: str) -> None:
    with pytest.raises(Fault) as fault:
        read(text)
    assert fault.value.found == found
    assert fault.value.expected.startswith(expected)


def test_a_missing_value_is_neither_met_nor_not() -> None:
    frame = pl.DataFrame(
        {"kind": [None, "a"], "completion": [None, 1.0]}, schema={"kind": pl.String, "completion": pl.Float64}
    )
    for text in ("kind = a", "kind != a", "kind in (a, b)", "completion < 2"):
        (term,) = read(text)
        assert frame.select(term.expression()).to_series()[0] is None
