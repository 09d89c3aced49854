"""Verification over time: what a check leaves out, and from when."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl

import kpi_rules as kr
from tests.pipeline.making import workspace

if TYPE_CHECKING:
    from pathlib import Path

ABOVE_CONTRACT_LATE = {
    "projects": """\
        project,name,unit,sector,contracted,signed_on,declared_on,recognised_on
        J01,Mill,finance,industry,10000.00,2011-01-02,2011-01-03,2011-01-04
        """,
    "arrivals": """\
        voucher,project,amount,arrived_on
        V01,J01,9000.00,2011-03-10
        V02,J01,3000.00,2011-11-10
        """,
}


def test_what_came_in_later_does_not_undo_what_was_in_order(tmp_path: Path) -> None:
    loaded = workspace(tmp_path, tables=ABOVE_CONTRACT_LATE, toml='[checks]\nabove_contract = "exclude"')
    at_once = kr.assess(loaded, as_of=date(2011, 12, 31))
    funds = at_once.units.filter(pl.col("unit") == "finance").select("tick", "funds")
    assert dict(funds.rows())[date(2011, 4, 30)] == 900_000
    assert dict(funds.rows())[date(2011, 11, 30)] == 0
    for tick in at_once.ticks:
        then = kr.assess(loaded, as_of=tick.on).units.filter(pl.col("unit") == "finance", pl.col("tick") == tick.on)
        assert then["funds"].item() == dict(funds.rows())[tick.on]
    assert at_once.findings.filter(pl.col("effect") == "exclude")["key"].to_list() == ["J01"]
