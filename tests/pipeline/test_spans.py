"""Conditions span by span give what the general way gives."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.pipeline.panel import SPAN, against_quota
from kpi_rules.pipeline.spans import DERIVED, Amounts, condition

C = pl.col


@pytest.mark.parametrize(
    "expression",
    [
        C("completion") < 0.5,
        C("completion") >= 1,
        (C("pace_gap") > C("limit")) & (C("lag") != 2),
        (C("funds") > C("funds_quota")) | ~(C("lag") <= pl.lit(3, pl.Int64)),
        C("completion") == C("limit"),
    ],
)
@pytest.mark.parametrize("units", [1, SPAN, SPAN + 1])
def test_same_as_polars(expression: pl.Expr, units: int) -> None:
    rng = np.random.default_rng(units)
    quota = rng.integers(1, 9, units) * 1_000
    value = rng.integers(0, 20, units) * 500
    lag = rng.integers(0, 4, units).astype(np.int16)
    limit = rng.integers(0, 4, units) / 4
    holds = condition(expression)
    assert holds is not None
    pace = Fraction(5, 12)
    others = {"funds": value, "funds_quota": quota, "limit": limit}
    read = expression.meta.root_names()
    amounts = Amounts(value, quota.astype(np.float64), lag, pace, 0.1, month_end=True, read=read, others=others)
    found, after = amounts.evaluate({"it": holds})
    completion, gap, lagging = against_quota(value, quota, pace, lag.astype(np.int64), 0.1)
    frame = pl.DataFrame(
        {
            "completion": completion,
            "pace_gap": gap,
            "lag": lagging,
            "limit": limit,
            "funds": value,
            "funds_quota": quota,
        }
    )
    assert found["it"].tolist() == frame.select(expression).to_series().to_list()
    assert after.tolist() == lagging.tolist()


@pytest.mark.parametrize(
    "expression",
    [C("completion") + 1 > 2, C("completion").is_null(), C("group") == "a", C("funds") // 2 > 1],
)
def test_more_than_a_comparison_goes_the_general_way(expression: pl.Expr) -> None:
    assert condition(expression) is None


@given(st.lists(st.tuples(st.integers(0, 10**13), st.integers(1, 10**13)), min_size=1), st.integers(1, 12))
def test_ratios_are_the_same_bits(pairs: list[tuple[int, int]], month: int) -> None:
    value, quota = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    pace, lag = Fraction(month, 12), np.zeros(len(pairs), dtype=np.int16)
    completion, gap, _lag = against_quota(value, quota, pace, lag.astype(np.int64), 0.1)
    others = {"whole": completion, "behind": gap}
    same = condition((C("completion") == C("whole")) & (C("pace_gap") == C("behind")))
    assert same is not None
    amounts = Amounts(value, quota.astype(np.float64), lag, pace, 0.1, month_end=True, read=DERIVED, others=others)
    found, _after = amounts.evaluate({"same": same})
    assert found["same"].all()
