"""Conditions as text: the same expression as in Python, exact numbers, and a clear word on everything refused."""

from __future__ import annotations

import warnings
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal, assert_series_equal

from kpi_rules.model import expressions, rounding, sql, sql_types
from kpi_rules.model.contributions import share_of
from kpi_rules.model.sql_tokens import FUNCTIONS
from kpi_rules.model.wording import text_of
from tests.model.sql_texts import COLUMNS, FRAMES, Pair, amounts, conditions, ratios

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA: Mapping[str, type[pl.DataType]] = {
    "completion": pl.Float64,
    "pace_gap": pl.Float64,
    "funds": pl.Int64,
    "funds_quota": pl.Int64,
    "lag": pl.Int64,
    "group": pl.String,
    "at_year_end": pl.Boolean,
    "tick": pl.Date,
    "local.below": pl.Float64,
    "local.below:billionths": pl.Int64,
}
CONDITION = "an SQL condition or amount such as completion < 0.5 AND lag >= 3"
NO_CLOCK = "no clock: the same result on every day; the moments of a tick are columns such as at_month_end"
SIGNS = "names, numbers, texts in '…', and the operators = <> < <= > >= + - * / // % AND OR NOT"
WORDS = (  # noqa: SIM905 (as a text is written)
    "completion lag group local.below at_year_end ( ) , < <= = <> + - * / // % AND OR NOT IN IS NULL CASE WHEN THEN "
    "ELSE END BETWEEN LIKE DATE 'a' '2011-06-30' 0.5 3 1500万 floor( share_of( now( round("
).split()
NULLS = "IS NULL or IS NOT NULL"


def refused(text: str) -> list[str]:
    """Return what is said of a text that is not read."""
    found = sql.read(text)
    assert found.expression is None
    return [said(each) for each in found.refusals]


def said(refusal: expressions.Refusal) -> str:
    hint = f" (nearest: {refusal.nearest})" if refusal.nearest else ""
    return f"{refusal.code}: found {refusal.node}; expected {refusal.expected}{hint}"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("completion < 0.5 AND lag >= 3", (pl.col("completion") < 0.5) & (pl.col("lag") >= 3)),
        ("completion<local.below", pl.col("completion") < pl.col("local.below")),
        ("not (lag > 1) or at_year_end", ~(pl.col("lag") > 1) | pl.col("at_year_end")),
        ("group <> 'social'", pl.col("group") != "social"),
        ("group = 'it''s'", pl.col("group") == "it's"),
        ("\"group\" != 'social'", pl.col("group") != "social"),
        ("group IN ('a', 'b')", pl.col("group").is_in(["a", "b"])),
        ("group NOT IN ('a', 'b')", ~pl.col("group").is_in(["a", "b"])),
        ("lag BETWEEN 1 AND 3", (pl.col("lag") >= 1) & (pl.col("lag") <= 3)),
        ("group IS NULL", pl.col("group").is_null()),
        ("group IS NOT NULL", pl.col("group").is_not_null()),
        ("group LIKE 'in%'", pl.col("group").str.starts_with("in")),
        ("group LIKE '%in%'", pl.col("group").str.contains("in", literal=True)),
        ("tick >= DATE '2011-06-30'", pl.col("tick") >= date(2011, 6, 30)),
        ("funds > 1500万", pl.col("funds") > 1_500_000_000),
        ("funds > 30000.5元", pl.col("funds") > 3_000_050),
        ("share_of(local.below, funds)", share_of(pl.col("local.below"), pl.col("funds"))),
        ("abs(pace_gap) > 0.1", pl.col("pace_gap").abs() > 0.1),
        ("least(completion, 1.0)", pl.min_horizontal(pl.col("completion"), 1.0)),
        ("round(completion, 2)", rounding.rounded(pl.col("completion"), 2)),
        ("floor(completion)", rounding.floor(pl.col("completion"))),
        ("2 + 3 * 2 < lag", pl.lit(8) < pl.col("lag")),
        (
            "CASE WHEN lag > 1 THEN funds END",
            pl.when(pl.col("lag") > 1).then(pl.col("funds")),
        ),
    ],
)
def test_a_text_is_the_expression_that_python_has(text: str, same: pl.Expr) -> None:
    found = sql.expression(text)
    assert expressions.tree(found) == expressions.tree(same)


@settings(max_examples=200)
@given(st.data(), FRAMES)
def test_a_text_decides_as_the_same_in_python(data: st.DataObject, frame: pl.DataFrame) -> None:
    pair = data.draw(st.one_of(conditions(2), amounts(2), ratios(2)), label="text")
    expected = frame.select(value=expressions.correctly_rounded(pair.expression))["value"]
    expression = sql.expression(pair.text)
    assert sql_types.refusals(expression, COLUMNS, pair.type) == []
    found = frame.select(value=expressions.correctly_rounded(expression))["value"]
    assert found.dtype == pair.type
    assert_series_equal(found, expected, check_exact=True)


@settings(max_examples=100)
@given(conditions(), FRAMES)
def test_the_words_of_a_condition_can_be_read_again(pair: Pair, frame: pl.DataFrame) -> None:
    once = sql.expression(pair.text)
    written = text_of(expressions.tree(once))
    for symbol, sign in (("≤", "<="), ("≥", ">="), ("≠", "<>"), (" x ", " * "), (" mod ", " % ")):
        written = written.replace(symbol, sign)
    assume("'" not in pair.text)  # texts are shown without quotation marks
    again, found = (frame.select(value=expressions.correctly_rounded(each)) for each in (sql.expression(written), once))
    assert_frame_equal(again, found, check_exact=True)


@given(st.integers(0, 400), st.integers(1, 400))
def test_a_decimal_is_the_ratio_it_says(part: int, whole: int) -> None:
    ratio = Fraction(part, whole)
    for places in (2, 4):
        bound = Fraction(round(ratio * 10**places), 10**places)
        text = f"{part} / {whole} >= {float(bound):.{places}f}"
        frame = pl.DataFrame({"p": [part], "w": [whole]}, schema={"p": pl.Int64, "w": pl.Int64})
        assert pl.select(sql.expression(text)).item() is (ratio >= bound)
        for division in ("p / w", f"p / {whole}", f"{part} / w"):
            condition = expressions.correctly_rounded(sql.expression(text.replace(f"{part} / {whole}", division)))
            assert frame.select(condition).item() is (ratio >= bound)


def test_sums_of_decimals_as_written_are_exact() -> None:
    assert pl.select(sql.expression("0.1 + 0.2 = 0.3")).item() is True
    assert pl.select(sql.expression("3 / 10 >= 0.3")).item() is True


@given(st.integers(0, 10**6), st.integers(0, 2 * 10**13))
def test_a_share_of_money_is_exact(millionths: int, amount: int) -> None:
    rate = f"{millionths // 10**6}.{millionths % 10**6:06d}"
    found = pl.select(sql.expression(f"share_of({rate}, {amount} + 0)")).item()
    assert found == amount * millionths // 10**6


def test_a_division_by_nothing_is_nothing() -> None:
    frame = pl.DataFrame({"funds": [5, 0, None], "q": [0, 0, 2]})
    for text in ("funds / q", "funds // q", "funds % q", "funds / q > 0.5"):
        found = frame.select(expressions.correctly_rounded(sql.expression(text))).to_series()
        assert found.to_list() == [None, None, None]


def test_whole_numbers_as_written_do_not_wrap() -> None:
    assert pl.select(sql.expression("CASE WHEN TRUE THEN 3000000000 ELSE 1 END * 3")).item() == 9_000_000_000
    assert pl.select(sql.expression("2000000 * 3000")).item() == 6_000_000_000


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", [f"bad-expression: found an empty text; expected {CONDITION}"]),
        ("  \n ", [f"bad-expression: found an empty text; expected {CONDITION}"]),
        ("completion <", [f"bad-expression: found a text that ends too early; expected {CONDITION}"]),
        (
            "completion < < 1",
            [f"bad-expression: found < at character 14, where it does not fit; expected {CONDITION}"],
        ),
        (
            "lag IN ()",
            [f"bad-expression: found ) at character 9, where it does not fit; expected {CONDITION}"],
        ),
        ("(lag < 1", ["bad-expression: found ( at character 1; expected a closing bracket after it"]),
        ("lag < 1)", ["bad-expression: found ) at character 8; expected an opening bracket before it"]),
        (
            "lag 3",
            [
                (
                    "bad-expression: found 3 at character 5 after lag; "
                    "expected an operator between them, such as AND, < or *"
                )
            ],
        ),
        ("group = 'a", ["bad-expression: found ' at character 9; expected a quotation mark that closes it"]),
        ("completion ≤ 0.5", [f"bad-expression: found ≤ at character 12; expected {SIGNS} (nearest: <=)"]),
        (
            "lag > 1 & lag < 3 | lag; lag",
            [
                f"bad-expression: found & at character 9; expected {SIGNS} (nearest: AND)",
                f"bad-expression: found | at character 19; expected {SIGNS} (nearest: OR)",
                f"bad-expression: found ; at character 24; expected {SIGNS}",
            ],
        ),
        ("lag > 1 -- months", [f"bad-expression: found -- at character 9; expected {SIGNS}"]),
        (
            "funds > 1e9",
            [
                (
                    "bad-expression: found 1e9 at character 9; "
                    "expected a number written out, such as 3 or 0.25, or money such as 1500万 or 30000.50元"
                )
            ],
        ),
        (
            "funds > 0.005元",
            [
                (
                    "bad-expression: found 0.005元 at character 9; "
                    "expected an amount of at most 2000亿 and no part of a fen, such as 1500万 or 30000.50元"
                )
            ],
        ),
        (
            "completion < 0.1234567891",
            [
                (
                    "bad-expression: found 0.1234567891 at character 14; "
                    "expected a number of at most 15 digits, 9 of them after the point"
                )
            ],
        ),
        ("now() > tick", [f"node-not-allowed: found now at character 1; expected {NO_CLOCK}"]),
        ("tick < CURRENT_DATE", [f"node-not-allowed: found CURRENT_DATE at character 8; expected {NO_CLOCK}"]),
        (
            "coalesce(completion, 0) < 1",
            [
                (
                    "node-not-allowed: found coalesce() at character 1; "
                    "expected no value in place of a missing one, which stays missing"
                )
            ],
        ),
        (
            "max(lag, 3) > 1",
            [
                (
                    "node-not-allowed: found max() at character 1; "
                    f"expected row-wise functions: {', '.join(FUNCTIONS)}; "
                    "an [[indicator]] with within compares units (nearest: greatest)"
                )
            ],
        ),
        (
            "flor(completion) < 1",
            [f"node-not-allowed: found flor() at character 1; expected one of {', '.join(FUNCTIONS)} (nearest: floor)"],
        ),
        (
            "read_csv('x') > 1",
            [f"node-not-allowed: found read_csv() at character 1; expected one of {', '.join(FUNCTIONS)}"],
        ),
        (
            "random() > 0.5",
            [f"node-not-allowed: found random() at character 1; expected one of {', '.join(FUNCTIONS)}"],
        ),
        (
            "round() > 1 AND share_of(funds) > 1",
            [
                "bad-expression: found round at character 1 with 0; expected 1 or more values in the brackets of round",
                "bad-expression: found share_of at character 17 with 1; expected 2 values in the brackets of share_of",
            ],
        ),
        (
            "share_of(lag + 1, funds)",
            [
                (
                    "bad-expression: found the share lag at character 10; "
                    "expected a parameter or a number by itself, which has an exact value"
                )
            ],
        ),
        ("group = NULL", [f"bad-expression: found NULL at character 9; expected {NULLS}"]),
        ("group IN ('a', NULL)", [f"bad-expression: found NULL at character 16; expected {NULLS}"]),
        ("at_year_end IS NOT TRUE", [f"bad-expression: found TRUE at character 20; expected {NULLS}"]),
        (
            "group LIKE 'a_b'",
            ["bad-expression: found 'a_b' at character 12; expected a text with % at its start or its end alone"],
        ),
        (
            "tick > DATE '2011-06-31'",
            ["bad-expression: found '2011-06-31' at character 13; expected a date such as '2011-06-30'"],
        ),
    ],
)
def test_what_is_refused_is_told_with_its_place(text: str, messages: list[str]) -> None:
    assert refused(text) == messages


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "EXISTS(SELECT 1)",
        "lag IN (SELECT lag FROM t)",
        "lag OVER (PARTITION BY group)",
        "sum(lag) > 1",
        "lag::int",
        "group || 'a'",
        "group ~ 'a'",
        "lag AS x",
        "*",
        "a.*",
        "[1, 2]",
        "INTERVAL '1d'",
        "group -> 'x'",
        "1_000 < lag",
        "lag > 1; DROP TABLE units",
        "lag > 99999999999999999999",
        "extract(year FROM tick) = 2011",
        "cast(lag AS int)",
        "DATE 'x' < tick",
        "lag < ALL (1)",
        "1 < lag <",
        "a..b",
        "NOT",
        ",",
        "()",
        "\x00",
        "lag < 1 \ud800",
        "CASE lag",
        "CASE WHEN lag",
        "share_of(, )",
        "share_of(0.5 0.5, funds)",
        "round(completion, lag)",
        "round(completion, -1)",
        "😀 < 1",
    ],
)
def test_nothing_else_of_sql_passes(text: str) -> None:
    assert all(message.startswith(("bad-expression", "node-not-allowed")) for message in refused(text))
    with pytest.raises(ValueError, match="expected"):
        sql.expression(text)


@settings(max_examples=200)
@given(
    st.one_of(
        st.text(max_size=30),
        st.lists(
            st.sampled_from(WORDS),
            max_size=9,
        ).map(" ".join),
    )
)
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text raises, and what is read holds nothing but nodes that a rule may have."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = sql.read(text)
    assert (found.expression is None) == bool(found.refusals)
    if found.expression is None:
        return
    names = set(found.expression.meta.root_names())
    schema: dict[str, pl.DataType | type[pl.DataType]] = {**SCHEMA, **dict.fromkeys(names - set(SCHEMA), pl.Int64)}
    reasons = {refusal.code for refusal in expressions.check(found.expression, schema, pl.Boolean)}
    assert reasons <= {"types-differ", "wrong-type", "wrong-types"}


@pytest.mark.parametrize(
    ("text", "expected", "messages"),
    [
        (
            "complet < 1",
            pl.Boolean,
            ["unknown-column: found complet; expected a column a rule can read (nearest: completion)"],
        ),
        ("lag", pl.Boolean, ["wrong-type: found lag, which is a whole number; expected a condition, true or false"]),
        ("completion", pl.String, ["wrong-type: found completion, which is a ratio; expected a text"]),
        ("group", pl.Float64, ["wrong-type: found group, which is a text; expected a number"]),
        (
            "floor(0.001 * (funds - funds_quota))",
            pl.Int64,
            [
                (
                    "wrong-type: found floor((0.001 x (funds - funds_quota))), which is a ratio; "
                    "expected a whole number, money in fen; share_of(rate, amount) gives a share of an amount exactly"
                )
            ],
        ),
        (
            "group < 1",
            pl.Boolean,
            ["types-differ: found group < 1; expected both sides of one type, not a text against a whole number"],
        ),
        (
            "group IN (1, 2)",
            pl.Boolean,
            ["types-differ: found group in (1, 2); expected values of one type with the one before IN, a text"],
        ),
        (
            "funds >= 0.07 * funds_quota",
            pl.Boolean,
            [
                (
                    "types-differ: found funds ≥ (0.07 x funds_quota); expected one division on one side, "
                    "which is exact, such as funds / funds_quota >= 0.5"
                )
            ],
        ),
        (
            "funds - 0.07 * funds_quota >= 0",
            pl.Boolean,
            [
                (
                    "types-differ: found (funds - (0.07 x funds_quota)); "
                    "expected whole numbers on both sides, or ratios: "
                    "a rounded figure in an exact one decides by chance"
                )
            ],
        ),
        (
            "lag AND NOT lag",
            pl.Boolean,
            [
                "wrong-types: found lag, which is a whole number; expected a condition after NOT",
                "wrong-types: found lag, which is a whole number; expected a condition on both sides of AND and OR",
            ],
        ),
        (
            "group + 1 > 1",
            pl.Boolean,
            ["wrong-types: found group, which is a text; expected numbers"],
        ),
        (
            "CASE WHEN lag THEN 'a' ELSE 1 END = 'a'",
            pl.Boolean,
            [
                "wrong-types: found lag, which is a whole number; expected a condition after WHEN",
                (
                    "types-differ: found case when lag then a else 1 end; "
                    "expected both sides of one type, not a text against a whole number"
                ),
            ],
        ),
        ("year(lag) > 1", pl.Boolean, ["wrong-types: found lag, which is a whole number; expected a date"]),
        ("starts_with(lag, 'a')", pl.Boolean, ["wrong-types: found lag, which is a whole number; expected a text"]),
        ("abs(group) > 1", pl.Boolean, ["wrong-types: found group, which is a text; expected numbers"]),
        (
            "tick > '2011-01-01'",
            pl.Boolean,
            ["types-differ: found tick > 2011-01-01; expected both sides of one type, not a date against a text"],
        ),
    ],
)
def test_types_that_do_not_go_together(text: str, expected: type[pl.DataType], messages: list[str]) -> None:
    found = sql_types.refusals(sql.expression(text), SCHEMA, expected)
    assert [said(each) for each in found] == messages


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("completion < 1 AND lag > 2.5 AND funds > 0.5", pl.Boolean),
        ("completion < CASE WHEN group = 'a' THEN 1 ELSE 0.5 END", pl.Boolean),
        ("100 - 0.5 * lag", pl.Float64),
        ("year(tick)", pl.Int64),
        ("CASE WHEN lag > 1 THEN 5万 ELSE 0 END", pl.Int64),
        ("1500万", pl.Int64),
        ("least(lag, 3)", pl.Int64),
        ("greatest(1 - completion, 0)", pl.Float64),
        ("funds / funds_quota >= 0.07 OR lag IN (1, 2)", pl.Boolean),
        ("CASE WHEN lag > 1 THEN 'late' END", pl.String),
    ],
)
def test_types_that_do(text: str, expected: type[pl.DataType]) -> None:
    assert sql_types.check(sql.expression(text), SCHEMA, expected) == []


@pytest.mark.parametrize(
    ("text", "doubts"),
    [
        ("completion - 1 >= 0.2", ["(completion - 1) ≥ 0.2"]),
        ("completion < pace_gap * 0.8 OR lag > 1", ["completion < (pace_gap x 0.8)"]),
        ("abs(completion - pace_gap) > 0.1", ["abs((completion - pace_gap)) > 0.1"]),
        ("funds / funds_quota / 2 > 0.1", ["((funds / funds_quota) / 2) > 0.1"]),
        ("0.5 * lag > 1", ["(0.5 x lag) > 1"]),
        ("completion >= 1.2 AND pace_gap > local.below", []),
        ("funds / funds_quota >= 0.2 AND funds * 10 / (funds_quota + 1) > 0.5", []),
        ("round(completion - 1, 6) >= 0.2 AND floor(completion * 100) > 1", []),
        ("abs(pace_gap) > 0.1 AND least(completion, pace_gap) < 0.5", []),
        ("completion > 0.1 + 0.2", []),
    ],
)
def test_comparisons_that_a_last_digit_decides_are_doubted(text: str, doubts: list[str]) -> None:
    expression = sql.expression(text)
    assert sql_types.check(expression, SCHEMA, pl.Boolean) == []
    assert [each.node for each in sql_types.inexact(expression, SCHEMA)] == doubts


@pytest.mark.parametrize("count", [100, 2000])
def test_a_text_too_deep_to_be_read_is_refused(count: int) -> None:
    (refusal,) = sql.read(" AND ".join(["lag > 1"] * count)).refusals
    assert refusal.code == "too-deep"
    many = ", ".join(f"'u{number}'" for number in range(count))
    assert sql.read(f"unit IN ({many})").refusals == ()
