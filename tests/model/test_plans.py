"""Plans: run at once they give what their steps give one by one."""

from __future__ import annotations

import polars as pl

from kpi_rules.model.plans import run


def test_a_plan_gives_what_its_steps_give_one_by_one() -> None:
    units = pl.DataFrame({"unit": ["a", "b", "c"], "amount": [3, 1, None]})
    groups = pl.DataFrame({"unit": ["c", "a"], "group": ["x", "y"]})
    one_by_one = units.with_columns(double=pl.col("amount") * 2).join(groups, on="unit", how="left").sort("amount")
    at_once = units.lazy().with_columns(double=pl.col("amount") * 2).join(groups.lazy(), on="unit", how="left")
    assert run(at_once.sort("amount")).equals(one_by_one)
