"""How estimates are written."""

from __future__ import annotations

import pytest

import kpi_rules as kr
from kpi_rules.cli import estimates


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, ""),
        (0.0, "0%"),
        (1.0, "100%"),
        (0.0004, "<0.1%"),
        (0.99951, ">99.9%"),
        (0.5, "50.0%"),
        (1.2346, "123.5%"),
    ],
)
def test_a_share_is_never_rounded_to_never_or_always(share: float | None, text: str) -> None:
    assert estimates.percent(share) == text


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (80_656_190, "80.66万"),
        (12_345_678_900, "1.235亿"),
        (300_000_000_000, "30亿"),
        (99_999_999, "100万"),
        (661_900, "6619"),
        (-98_000_000, "-98万"),
        (0, "0"),
        (12, "0.12"),
        (None, ""),
    ],
)
def test_money_has_four_digits(fen: float | None, text: str) -> None:
    assert estimates.amount(fen) == text


def test_differences_have_signs_and_only_0_has_none() -> None:
    differences = (0.0, 0.012, -0.012, 0.0001, -0.0001)
    assert [estimates.points(each) for each in differences] == [
        "0",
        "+1.2",
        "-1.2",
        "+<0.1",
        "-<0.1",
    ]
    assert [estimates.signed(each) for each in (0.0, 1.5, -0.001)] == ["0", "+1.50", "-<0.01"]
    assert [estimates.signed_amount(each) for each in (0.0, 1_000_000, -1_000_000, None)] == ["0", "+1万", "-1万", ""]


def test_an_interval_needs_both_ends_and_every_total_has_a_word() -> None:
    assert kr.span(0.1, 0.25, estimates.percent) == "10.0% to 25.0%"
    assert kr.span(None, 0.25, estimates.percent) == kr.span(0.1, None, estimates.percent) == ""
    assert list(kr.totals_called()) == ["met", "withheld", "released", "outstanding", "rewarded"]
