"""Conditions span by span give what the general way gives."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.pipeline.columns import PerGroup
from kpi_rules.pipeline.panel import SPAN, against_quota
from kpi_rules.pipeline.spans import QUOTIENTS, RATIOS, Amounts, Spans, condition

C = pl.col


@pytest.mark.parametrize(
    "expression",
    [
        C("completion") < 0.5,
        C("completion") >= 1,
        (C("pace_gap") > C("limit")) & (C("lag") != 2),
        (C("funds") > C("funds_quota")) | ~(C("lag") <= pl.lit(3, pl.Int64)),
        C("completion") == C("limit"),
        C("completion") != 1,
        C("limit") < C("completion"),
    ],
)
@pytest.mark.parametrize("units", [1, SPAN, SPAN + 1])
@pytest.mark.parametrize("few", [False, True])
def test_same_as_polars(expression: pl.Expr, units: int, few: bool) -> None:  # noqa: FBT001 (a parameter)
    rng = np.random.default_rng(units)
    quota = rng.integers(1, 9, units) * 1_000
    value = rng.integers(0, 20, units) * 500
    lag = rng.integers(0, 4, units).astype(np.uint8)
    limit = rng.integers(0, 4, units) / 4
    holds = condition(expression, QUOTIENTS)
    assert holds is not None
    pace, before = Fraction(5, 12), lag.astype(np.int64)
    choice = PerGroup(0.75, tuple((each, limit == each) for each in (0.0, 0.25, 0.5)))
    others = {"funds": value, "funds_quota": quota, "limit": choice if few else limit}
    amounts = Amounts(value, quota, (10, 24), lag, month_end=True, others=others, formulas=lambda _name: None)
    found, _ratios = Spans(0.1, units).evaluate(amounts, {"it": holds}, ())
    completion, gap, lagging = against_quota(value, quota, pace, before, 0.1)
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
    assert found["it"].columns(units)[0].tolist() == frame.select(expression).to_series().to_list()
    assert lag.tolist() == lagging.tolist()


@pytest.mark.parametrize(
    "expression",
    [C("completion") + 1 > 2, C("completion").is_null(), C("group") == "a", C("funds") // 2 > 1],
)
def test_more_than_a_comparison_goes_the_general_way(expression: pl.Expr) -> None:
    assert condition(expression) is None


@given(st.lists(st.tuples(st.integers(0, 10**13), st.integers(1, 10**13)), min_size=1), st.integers(1, 12))
def test_ratios_are_the_same_bits(pairs: list[tuple[int, int]], month: int) -> None:
    value, quota = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    lag = np.zeros(len(pairs), dtype=np.uint8)
    completion, gap, _lag = against_quota(value, quota, Fraction(month, 12), lag.astype(np.int64), 0.1)
    others = {"whole": completion, "behind": gap}
    same = condition((C("completion") == C("whole")) & (C("pace_gap") == C("behind")))
    assert same is not None
    met = {
        name: condition(holds, QUOTIENTS)
        for name, holds in {"met": C("completion") >= 1, "more": C("completion") > 1}.items()
    }
    amounts = Amounts(value, quota, (month, 12), lag, month_end=True, others=others, formulas=lambda _name: None)
    conditions = {"same": same} | {name: holds for name, holds in met.items() if holds is not None}
    found, ratios = Spans(0.1, len(pairs)).evaluate(amounts, conditions, RATIOS)
    held = {name: each.columns(len(pairs))[0] for name, each in found.items()}
    assert held["same"].all()
    assert held["met"].tolist() == (completion >= 1).tolist()
    assert held["more"].tolist() == (completion > 1).tolist()
    assert (ratios["completion"] == completion).all()
    assert (ratios["pace_gap"] == gap).all()
