"""The static check of expressions, and filling in of columns known beforehand."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.model import expressions as ex

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "completion": pl.Float64,
    "funds": pl.Int64,
    "group": pl.String,
    "at_year_end": pl.Boolean,
    "on": pl.Date,
}
completion, funds, group, at_end, on = map(pl.col, SCHEMA)
ROW_WISE = "row-wise nodes only: no aggregate, window, shift, default for a missing value, callback, chance or clock"


@pytest.mark.parametrize(
    ("expression", "node"),
    [
        (completion.mean() < 1, 'col("completion").mean()'),
        (completion.first() < 1, 'col("completion").first()'),
        (completion.mean().over("group") < 1, 'col("completion").mean().over([col("group")])'),
        (completion.rank() < 1, 'col("completion").rank()'),
        (completion.shift() < 1, 'col("completion").shift([dyn int: 1])'),
        (completion.diff() < 1, 'col("completion").diff([dyn int: 1])'),
        (completion.cum_sum() < 1, 'col("completion").cum_sum()'),
        (completion.rolling_mean(2) < 1, 'col("completion").rolling_mean()'),
        (completion.fill_null(0) < 1, 'col("completion").fill_null([dyn int: 0])'),
        (pl.coalesce(completion, 0) < 1, 'col("completion").coalesce([dyn int: 0])'),
        (completion.forward_fill() < 1, 'col("completion").fill_null_with_strategy()'),
        (completion.sample(1) < 1, 'col("completion").sample([dyn int: 1])'),
        (completion.shuffle() < 1, 'col("completion").shuffle()'),
        (completion.sort() < 1, 'col("completion").sort(asc)'),
        (completion.reverse() < 1, 'col("completion").reverse()'),
        (completion.filter(at_end) < 1, 'col("completion").filter(col("at_year_end"))'),
        (completion.gather(0) < 1, 'col("completion").gather(dyn int: 0)'),
        (completion.head(1) < 1, 'col("completion").slice(offset=dyn int: 0, length=dyn int: 1)'),
        (completion.unique() < 1, 'col("completion").unique()'),
        (completion.is_first_distinct(), 'col("completion").is_first_distinct()'),
        (at_end.any(), 'col("at_year_end").any_ignore_nulls()'),
        (pl.len() < 1, "len()"),
        (pl.int_range(3) < 1, "dyn int: 0.int_range([dyn int: 3])"),
        (pl.col("completion", "funds") < 1, "Selector"),
        (pl.all() < 1, "Selector"),
        (completion < pl.lit(pl.Series([1.0, 2.0])), "Series"),
        (group.cast(pl.Float64) < 1, 'col("group").strict_cast(Float64)'),
    ],
)
def test_what_is_not_row_wise_is_refused_and_shown(expression: pl.Expr, node: str) -> None:
    (refusal,) = ex.check(expression, SCHEMA, pl.Boolean)
    assert (refusal.code, refusal.node, refusal.nearest) == ("node-not-allowed", node, None)
    assert refusal.expected == ("numbers, or true and false, to be cast" if "cast" in node else ROW_WISE)


@pytest.mark.parametrize(
    "expression",
    [
        completion.map_elements(lambda value: value, pl.Float64) < 1,
        completion.map_batches(lambda values: values) < 1,
        completion.map_batches(abs) < 1,  # a named function: pickled without cloudpickle too
        at_end & (pl.col("funds").map_elements(lambda value: value, pl.Int64) > 0),
        completion.rolling_map(lambda values: values.sum(), 3) < 1,
        pl.reduce(lambda one, other: one + other, ["completion", "funds"]) < 1,
        pl.fold(pl.lit(0), lambda one, other: one + other, ["completion", "funds"]) < 1,
        completion.name.map(str.upper) < 1,
    ],
)
@pytest.mark.parametrize("row_wise", [True, False])
def test_a_python_callback_is_refused(expression: pl.Expr, row_wise: bool) -> None:  # noqa: FBT001 (a parameter)
    (refusal,) = ex.check(expression, SCHEMA, pl.Boolean, row_wise=row_wise)
    assert (refusal.code, refusal.node) == ("python-callback", "a Python callback")


def test_the_clock_of_sql_text_is_refused() -> None:
    # `now()` freezes to a moment when it is parsed: what is left is a comparison of a day with a moment.
    refusals = ex.check(pl.sql_expr('"on" < now()'), SCHEMA, pl.Boolean)
    assert [refusal.code for refusal in refusals] == ["types-differ"]
    with pytest.raises(pl.exceptions.PolarsError):
        pl.sql_expr("random() < 1")


def test_an_unknown_column_names_the_nearest_and_every_refusal_is_listed() -> None:
    refusals = ex.check((pl.col("completon") < 1) & (pl.col("fund") > 0) & at_end.any(), SCHEMA, pl.Boolean)
    assert [(refusal.code, refusal.node, refusal.nearest) for refusal in refusals] == [
        ("unknown-column", "completon", "completion"),
        ("unknown-column", "fund", "funds"),
        ("node-not-allowed", 'col("at_year_end").any_ignore_nulls()', None),
    ]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (group < 1, "both sides of one type, not string against number"),
        (completion < group, "both sides of one type, not ratio against string"),
        (funds < completion, "both sides of one type, not whole against ratio"),
        (at_end < 1, "both sides of one type, not boolean against number"),
        (pl.sql_expr('"group" < 0.5 AND completion < 1'), "both sides of one type, not string against number"),
        (on == "2011-12-31", "both sides of one type, not date against string"),
    ],
)
def test_both_sides_of_a_comparison_are_of_one_type(expression: pl.Expr, expected: str) -> None:
    refusal = ex.check(expression, SCHEMA, pl.Boolean)[0]
    assert (refusal.code, refusal.expected) == ("types-differ", expected)


def test_the_whole_has_the_type_asked_for() -> None:
    (refusal,) = ex.check(completion * 2, SCHEMA, pl.Int64)
    assert (refusal.code, refusal.expected) == ("wrong-type", "an expression of type Int64")
    assert ex.check(funds // 2 * 3, SCHEMA, pl.Int64) == []
    assert ex.check(funds, SCHEMA, pl.Boolean)[0].code == "wrong-type"


@pytest.mark.parametrize(
    "expression",
    [
        at_end & (completion < 0.5) | ~at_end,
        completion.is_between(0, 1),
        completion.is_null() | completion.is_not_null(),
        group.is_in(["a", "b"]) & group.str.starts_with("a"),
        pl.any_horizontal(at_end, completion < 1) & pl.all_horizontal(at_end, funds > 0),
        pl.when(at_end).then(completion).otherwise(1.0) < 1,
        pl.min_horizontal("funds", 5) > 2,
        (-completion).abs().clip(0, 1) < 1,
        funds.cast(pl.Float64) < completion,
        pl.sql_expr("completion < 0.5 AND funds >= 3 OR NOT at_year_end"),
        on.dt.month() == 12,
        (on - date(2011, 1, 1)).dt.total_days() > 3,
        on < date(2011, 12, 31),
        pl.lit(value=True),
    ],
)
def test_row_wise_expressions_are_allowed(expression: pl.Expr) -> None:
    assert ex.check(expression, SCHEMA, pl.Boolean) == []


def test_a_check_of_evidence_may_look_at_other_rows() -> None:
    window = funds > funds.min().over("group")
    assert ex.check(window, SCHEMA, pl.Boolean, row_wise=False) == []
    (refusal,) = ex.check(window > pl.col("fundz").max(), SCHEMA, pl.Boolean, row_wise=False)
    assert (refusal.code, refusal.nearest) == ("unknown-column", "funds")


# Filling in


FLAGS, NUMBERS = ("p", "q", "r"), ("x", "y")


def column(name: str) -> pl.Expr:
    return pl.col(name)


def _any(first: pl.Expr, second: pl.Expr) -> pl.Expr:
    return pl.any_horizontal(first, second)


LEAVES = st.sampled_from(FLAGS).map(column) | st.builds(
    lambda name, symbol, value: getattr(pl.col(name), symbol)(value),
    st.sampled_from(NUMBERS),
    st.sampled_from(["lt", "le", "gt", "ge", "eq", "ne"]),
    st.integers(-2, 2),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a: ~a, inner),
        st.builds(lambda a, b, c: pl.when(a).then(b).otherwise(c), inner, inner, inner),
        st.builds(_any, inner, inner),
    ),
    max_leaves=8,
)
CASES = st.fixed_dictionaries(
    {name: st.none() | st.booleans() for name in FLAGS} | {name: st.none() | st.integers(-2, 2) for name in NUMBERS}
)
TYPES = {**dict.fromkeys(FLAGS, pl.Boolean), **dict.fromkeys(NUMBERS, pl.Int64)}


@given(TREES, st.lists(CASES, min_size=1, max_size=4), st.sets(st.sampled_from([*FLAGS, *NUMBERS])))
def test_a_bound_condition_is_the_condition_with_its_columns_filled_in(
    tree: pl.Expr, cases: list[Mapping[str, bool | int | None]], names: set[str]
) -> None:
    known = {name: value for name, value in cases[0].items() if name in names and value is not None}
    frame = pl.DataFrame([{**case, **known} for case in cases], schema=TYPES)
    bound = ex.expression_of(ex.bind(ex.tree(tree), known))
    assert not set(bound.meta.root_names()) & known.keys()
    wanted = frame.select(value=tree).to_series()
    found = frame.select("p", value=bound)["value"]
    assert found.cast(pl.Boolean).to_list() == wanted.to_list()


@given(TREES, CASES)
def test_a_condition_bound_to_false_is_false_whatever_the_rest(
    tree: pl.Expr, case: Mapping[str, bool | int | None]
) -> None:
    node = ex.bind(ex.tree(pl.col("m") & tree), {"m": False})
    assert ex.truth(node) is False
    assert ex.truth(ex.bind(ex.tree(tree | pl.col("m")), {"m": True})) is True
    kept = ex.expression_of(ex.bind(ex.tree(pl.col("m") & tree), {"m": True}))
    frame = pl.DataFrame([case], schema=TYPES)
    assert frame.select(value=kept).to_series().to_list() == frame.select(value=tree).to_series().to_list()


def test_filled_in_whole_numbers_stay_wide() -> None:
    product = pl.col("a") * pl.col("b") // pl.lit(3)
    bound = ex.expression_of(ex.bind(ex.tree(product), {"a": 2_000_000_000, "b": 2_000_000_000}))
    found = pl.DataFrame({"x": [1, 2]}).select("x", value=bound)["value"]
    assert found.dtype == pl.Int64
    assert found.to_list() == [4 * 10**18 // 3] * 2


@given(st.integers(0, 10**13), st.integers(1, 10**13))
def test_a_division_by_a_constant_is_correctly_rounded(amount: int, constant: int) -> None:
    frame = pl.DataFrame({"funds": [amount, None], "rate": [0.5, 0.5]})
    for divisor in (constant, float(constant)):
        value = pl.when(pl.col("rate") > 0).then((pl.col("funds") / divisor) + 1).otherwise(0.0)
        rounded = ex.correctly_rounded(value)
        assert frame.select(rounded).to_series().to_list() == [amount / constant + 1, None]
        assert frame[:1].select(rounded).item() == amount / constant + 1


def test_three_tenths_reach_three_tenths() -> None:
    reached = pl.col("done") / 10 <= 0.3
    assert pl.DataFrame({"done": [3]}).select(ex.correctly_rounded(reached)).item() is True


def test_a_division_by_0_has_no_value() -> None:
    frame = pl.DataFrame({"funds": [0, 1, 1, None], "quota": [0, 0, 2, 1]})
    share = ex.correctly_rounded(pl.col("funds") / pl.col("quota"))
    assert frame.select(share).to_series().to_list() == [None, None, 0.5, None]
    assert frame.select(ex.correctly_rounded(pl.col("funds") / pl.col("quota") > 0.9)).to_series().to_list() == [
        None,
        None,
        False,
        None,
    ]
    by_none = ex.correctly_rounded(pl.col("funds") / 0)
    assert frame.select(by_none).to_series().to_list() == [None] * 4


def test_an_expression_without_divisions_stays_as_it_is() -> None:
    value = pl.col("funds") * 2 // pl.col("quota")
    assert ex.correctly_rounded(value) is value


def test_conditions_joined_at_once_are_decided_like_those_joined_by_two() -> None:
    late = pl.col("completion") < 1
    for joined, decided in ((pl.all_horizontal, False), (pl.any_horizontal, True)):
        condition = ex.tree(joined(pl.col("at_year_end"), late, pl.col("funds") > 0))
        assert ex.truth(ex.bind(condition, {"at_year_end": decided})) is decided
        two = ex.expression_of(ex.bind(condition, {"at_year_end": not decided}))
        assert str(two) == str(joined(late, pl.col("funds") > 0))
        one = ex.tree(joined(pl.col("at_year_end"), late))
        assert ex.bind(one, {"at_year_end": not decided}) == ex.tree(late)
        none = ex.tree(joined(pl.col("at_year_end"), pl.col("at_year_end")))
        assert ex.truth(ex.bind(none, {"at_year_end": not decided})) is not decided


@pytest.mark.parametrize("count", [100, 2000])
def test_what_is_too_deep_to_be_read_is_refused_and_all_at_once_is_not(count: int) -> None:
    parts = [pl.col("lag") > number for number in range(count)]
    chain = parts[0]
    for part in parts[1:]:
        chain &= part
    (refusal,) = ex.check(chain, {"lag": pl.Int64}, pl.Boolean)
    assert refusal.code == "too-deep"
    assert ex.check(pl.all_horizontal(parts), {"lag": pl.Int64}, pl.Boolean) == []
