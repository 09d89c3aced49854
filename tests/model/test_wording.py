"""Expressions as people read and write them."""

from __future__ import annotations

import polars as pl
import pytest

from kpi_rules.model import expressions, sql
from kpi_rules.model.contributions import share_of
from kpi_rules.model.wording import in_words, text_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("completion < 0.5", "completion < 0.5"),
        ("completion >= 0.123456789", "completion ≥ 0.123456789"),
        ("lag <> 3 and (at_year_end or lag <= 1)", "(lag ≠ 3 and (at_year_end or lag ≤ 1))"),
        ("not at_year_end", "not (at_year_end)"),
        ("group in ('a', 'b')", "group in (a, b)"),
        ("group is null or group is not null", "(group is null or group is not null)"),
        ("funds / funds_quota < local.below", "(funds / funds_quota) < local.below"),
        ("funds // lag > 1", "(funds // lag) > 1"),
        ("funds % lag > 1", "(funds mod lag) > 1"),
        ("share_of(local.rate, funds - 5)", "share_of(local.rate, (funds - 5))"),
        ("share_of(0.001, funds)", "share_of(0.001, funds)"),
        ("share_of(0.5, share_of(local.rate, funds))", "share_of(0.5, share_of(local.rate, funds))"),
        ("round(completion, 2) > round(pace_gap)", "round(completion, 2) > round(pace_gap)"),
        ("least(lag, 3, funds)", "least(lag, 3, funds)"),
        ("greatest(abs(a), floor(b), ceil(c))", "greatest(abs(a), floor(b), ceil(c))"),
        ("case when a then 1 end", "case when a then 1 end"),
        ("case when a then 1 else 2 end", "case when a then 1 else 2 end"),
        ("year(tick) = 2011", "year(tick) = 2011"),
        ("tick < date '2011-06-30'", "tick < 2011-06-30"),
        ("starts_with(group, 'a')", "starts_with(group, a)"),
    ],
)
def test_what_is_written_is_shown(text: str, shown: str) -> None:
    assert text_of(expressions.tree(sql.expression(text))) == shown


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        (share_of(pl.col("rewards.rate"), pl.col("funds")), "share_of(rewards.rate, funds)"),
        (pl.col("a").is_in(["x"]), "a in (x)"),
        (pl.col("a") * 2 + 1, "((a x 2) + 1)"),
        (pl.col("a") // 2 * pl.col("b") + 1, "(((a // 2) x b) + 1)"),
        (pl.lit(value=True), "yes"),
        (pl.col("a").str.len_chars() > 1, 'col("a").str.len_chars() > 1'),
    ],
)
def test_expressions_of_policies(expression: pl.Expr, shown: str) -> None:
    assert text_of(expressions.tree(expression)) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("completion < local.below and not at_year_end", "(share done < local.below and not (at_year_end))"),
        ("completion / lag > 0.5", "(share done / months) > 0.5"),
        ("share_of(local.rate, lag) > 5", "share_of(local.rate, months) > 5"),
        (
            "case when completion is null then 'lag' else group end",
            "case when share done is null then lag else group end",
        ),
        ("round(completion, 2) > 0.5", "round(share done, 2) > 0.5"),
    ],
)
def test_columns_go_by_what_they_are_called_and_texts_stay(text: str, shown: str) -> None:
    assert in_words(sql.expression(text), {"completion": "share done", "lag": "months"}) == shown
