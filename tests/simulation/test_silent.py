"""Which rules can fire without a target: what is said of a condition holds for every value that may turn up."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.model import expressions
from kpi_rules.model.columns import rule_schema
from kpi_rules.simulation.silent import fires_without
from tests.reference.strategies import examples

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

UNKNOWN = frozenset({"completion", "rank"})
GIVEN = frozenset({"lag", "group"})
SCHEMA = rule_schema({}, {})
VALUES: dict[str, list[object]] = {
    "completion": [None],
    "rank": [None],
    "lag": [0, 2],
    "group": [None, "a"],
    "funds": [0, 5],
    "expected": [0.0, 0.75],
    "signed": [1, None],
    "at_month_end": [False, True],
}
FRAME = pl.DataFrame(list(product(*VALUES.values())), schema={name: SCHEMA[name] for name in VALUES}, orient="row")
"""Every combination of some values, among them null wherever it may be."""

NUMBERS = st.sampled_from([pl.col(name) for name in ("completion", "rank", "lag", "funds", "signed", "expected")])
LITERALS = st.sampled_from([pl.lit(0), pl.lit(1), pl.lit(2), pl.lit(0.5)])


def numbers(below: SearchStrategy[pl.Expr]) -> SearchStrategy[pl.Expr]:
    """Draw a number made of others by what rules may do with them."""
    return st.one_of(
        st.builds(lambda a, b: a + b, below, below),
        st.builds(lambda a, b: a * b, below, below),
        st.builds(pl.max_horizontal, below, below),
        st.builds(pl.min_horizontal, below, below),
        st.builds(lambda a, low, high: a.clip(low, high), below, below, below),
        st.builds(lambda a: a.abs(), below),
        st.builds(lambda a: a.round(), below),
        st.builds(lambda a, b, c: pl.when(a > 1).then(b).otherwise(c), below, below, below),
    )


NUMBER = st.recursive(st.one_of(NUMBERS, NUMBERS, LITERALS), numbers, max_leaves=4)
ATOM = st.one_of(
    st.builds(lambda a, b: a < b, NUMBER, NUMBER),
    st.builds(lambda a, b: a >= b, NUMBER, NUMBER),
    st.builds(lambda a, b: a.eq_missing(b), NUMBER, NUMBER),
    st.builds(lambda a, b: a.ne_missing(b), NUMBER, NUMBER),
    st.builds(lambda a: a.is_null(), NUMBER),
    st.builds(lambda a: a.is_not_null(), NUMBER),
    st.builds(lambda a, low, high: a.is_between(low, high), NUMBER, NUMBER, NUMBER),
    st.builds(lambda a: a.is_in([0, 1]), NUMBER),
    st.builds(lambda a: a.is_in([1, None], nulls_equal=True), NUMBER),
    st.just(pl.col("at_month_end")),
    st.just(pl.col("group") == "a"),
    st.just(pl.col("group").str.starts_with("a")),
    st.booleans().map(pl.lit),
)


def joined(below: SearchStrategy[pl.Expr]) -> SearchStrategy[pl.Expr]:
    """Draw conditions joined as rules join them."""
    return st.one_of(
        st.builds(lambda a, b: a & b, below, below),
        st.builds(lambda a, b: a | b, below, below),
        st.builds(lambda a, b: a ^ b, below, below),
        st.builds(lambda a: ~a, below),
        st.builds(lambda a, b: a == b, below, below),
        st.builds(lambda a, b, c: pl.when(a).then(b).otherwise(c), below, below, below),
        st.builds(pl.all_horizontal, below, below),
        st.builds(pl.any_horizontal, below, below),
        st.builds(lambda a: a.cast(pl.Int64) > 0, below),
    )


CONDITIONS = st.recursive(ATOM, joined, max_leaves=5)


@examples(150)
@given(CONDITIONS)
def test_what_never_fires_does_not_fire_whatever_else_there_is(when: pl.Expr) -> None:
    if fires_without(when, UNKNOWN, GIVEN) == "never" and not expressions.check(when, SCHEMA, pl.Boolean):
        held = FRAME.select(value=when).to_series()
        assert not held.fill_null(value=False).any(), when


@examples(60)
@given(CONDITIONS)
def test_what_is_known_goes_by_what_is_given_alone(when: pl.Expr) -> None:
    if fires_without(when, UNKNOWN, GIVEN) == "known" and not expressions.check(when, SCHEMA, pl.Boolean):
        same = [*UNKNOWN, *GIVEN, "at_month_end"]
        held = FRAME.with_columns(held=when).group_by(same).agg(pl.col("held").n_unique())
        assert set(held["held"]) == {1}


COMPLETION, LAG, FUNDS = pl.col("completion"), pl.col("lag"), pl.col("funds")


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (pl.col("at_year_end") & (COMPLETION < 1), "never"),
        ((COMPLETION < 1) | (pl.col("rank") > 3), "never"),
        (COMPLETION - pl.col("expected") > 0, "never"),
        (~(COMPLETION < 1), "never"),
        (pl.lit(value=False) & (FUNDS > 0), "never"),
        (pl.col("at_month_end") & (LAG >= 2), "known"),
        (pl.col("at_month_end") & COMPLETION.is_null(), "known"),
        ((COMPLETION < 1) | (FUNDS > 0), "perhaps"),
        (FUNDS > 0, "perhaps"),
        (pl.min_horizontal(COMPLETION, pl.col("expected")) < 1, "perhaps"),
        (pl.col("expected").clip(COMPLETION, 1) < 1, "perhaps"),
        (~pl.col("expected").is_between(COMPLETION, 0.5), "perhaps"),
        (~COMPLETION.is_between(0, pl.col("expected")), "never"),
        (~((COMPLETION < 1) & (FUNDS > 0)), "perhaps"),
    ],
)
def test_what_conditions_say_without_a_target(when: pl.Expr, said: str) -> None:
    assert fires_without(when, UNKNOWN | {"rank"}, GIVEN) == said
