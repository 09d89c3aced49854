"""A condition as a Python function of one case means what polars means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.pipeline.single import function

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPES = {"p": pl.Boolean, "q": pl.Boolean, "x": pl.Int64, "y": pl.Int64, "f": pl.Float64}


def column(name: str) -> pl.Expr:
    return pl.col(name)


WHOLE = st.integers(-3, 3)
CASES = st.fixed_dictionaries(
    {name: st.none() | st.booleans() for name in ("p", "q")}
    | {name: st.none() | WHOLE for name in ("x", "y")}
    | {"f": st.none() | st.sampled_from([-0.5, 0.0, 0.1, 0.3, 1.0])}
)
NUMBERS = st.recursive(
    st.sampled_from(["x", "y"]).map(column) | WHOLE.map(lambda value: pl.lit(value, pl.Int64)),
    lambda inner: st.builds(
        lambda a, b, symbol: getattr(a, symbol)(b),
        inner,
        inner,
        st.sampled_from(["add", "sub", "mul", "floordiv", "mod"]),
    ),
    max_leaves=4,
)
COMPARED = st.builds(
    lambda a, b, symbol: getattr(a, symbol)(b),
    NUMBERS,
    NUMBERS,
    st.sampled_from(["lt", "le", "gt", "ge", "eq", "ne"]),
)
FLAGS = st.recursive(
    st.sampled_from(["p", "q"]).map(column)
    | COMPARED
    | st.sampled_from([0.1, 0.3]).map(lambda limit: column("f") >= limit),
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a: ~a, inner),
    ),
    max_leaves=6,
)


@given(FLAGS | NUMBERS, CASES)
def test_a_function_of_one_case_is_polars_on_one_row(expression: pl.Expr, case: Mapping[str, Any]) -> None:
    one = function(expression)
    assert one is not None
    wanted = pl.DataFrame([case], schema=TYPES).select("x", value=expression)["value"][0]
    assert one(case) == wanted
    assert (one(case) is None) == (wanted is None)


def test_what_has_no_function_says_so() -> None:
    assert function(pl.col("x").abs() < 1) is None
    assert function(pl.col("p") & (pl.col("x").is_between(0, 1))) is None
