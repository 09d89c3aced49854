"""Text of unknown origin is shown as what it is."""

from __future__ import annotations

import polars as pl
import pytest

from kpi_rules.model.alike import alike
from kpi_rules.model.text import render, safe


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("市财政局 [b]", "市财政局 [b]"),
        ("a\x1bb", r"a\x1bb"),
        ("a\nb", r"a\nb"),
        ("\u2066x\u2069", r"\u2066x\u2069"),
        ("\u200b", r"\u200b"),
        ("\udc80", r"\udc80"),
        ("\x9b1m", r"\x9b1m"),
        ("\u2028", r"\u2028"),
    ],
)
def test_unprintable_characters_are_escaped(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_line_ends_may_stay() -> None:
    assert safe("a\nb\rc", lines=True) == "a\nb\\rc"


@pytest.mark.parametrize(
    ("message", "value", "text"),
    [
        ("{x:yuan}", 150_000_000_000, "15亿"),
        ("{x:yuan}", 1, "0.01"),
        ("{x:share}", 333_333_333, "33.3333333%"),
        ("{x:share}", 10**9, "100%"),
        ("{x:,}", 1000, "1,000"),
        ("{x:yuan}", None, "none"),
    ],
)
def test_amounts_and_shares_are_written_as_people_write_them(message: str, value: int | None, text: str) -> None:
    assert render(message, {"x": value}) == text


def test_only_whole_numbers_are_amounts() -> None:
    with pytest.raises(ValueError, match="yuan"):
        render("{x:yuan}", {"x": 1.5})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ＡＣＭＥ Co., Ltd.", "acme", True),
        ("宏达（集团）有限公司", "宏达集团股份有限公司", True),
        ("宏达有限公司", "宏大有限公司", False),
        ("Texaco", "Texa", False),
        ("Acme 1", "Acme 2", False),
    ],
)
def test_names_that_are_alike(one: str, other: str, *, same: bool) -> None:
    found = pl.DataFrame({"name": [one, other]}).select(alike(pl.col("name"))).to_series()
    assert (found[0] == found[1]) is same
