"""Indicators of a unit by itself, and amounts that add up from tick to tick (M7)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest

import kpi_rules as kr
from tests.pipeline.making import codes, workspace

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """
@define(frozen=True)
class Settings:
    step: int = count(3, label="Step")

p = parameters("adding", Settings)

@hookimpl
def kpi_settings():
    return Settings

@hookimpl
def kpi_indicators():
    is_head = pl.col("grade") == "head"
    return [
        Indicator("people", "count", pl.col("person").is_not_null(), table="staff"),
        Indicator("own_people", "count", pl.col("person").is_not_null(), table="staff", own=True),
        Indicator("own_heads", "count", is_head, table="staff", own=True),
        Indicator("steps", "count", pl.when(unit.own_heads > 0).then(p.step), counting="total", at=at.quarter_end),
        Indicator("with_head", "count", pl.col("head").is_not_null(), table="units", own=True),
    ]
"""
TOML = '[adding]\nstep = [{ value = 2 }, { value = 5, from = 2011-06-30 }, { value = 9, group = "social" }]\n'


def test_own_sums_leave_out_descendants(tmp_path: Path) -> None:
    found = kr.assess(workspace(tmp_path, policies={"adding.py": POLICY}, toml=TOML)).units
    last = found.filter(pl.col("tick") == date(2011, 12, 31))
    assert last.select("unit", "people", "own_people", "own_heads", "with_head").rows() == [
        ("city", 4, 0, 0, 0),
        ("finance", 3, 2, 1, 1),
        ("books", 1, 1, 0, 0),
        ("water", 1, 1, 1, 1),
    ]


def test_amounts_are_summed_with_the_parameter_of_each_tick_and_null_as_0(tmp_path: Path) -> None:
    found = kr.assess(workspace(tmp_path, policies={"adding.py": POLICY}, toml=TOML)).units
    steps = {
        unit: dict(found.filter(pl.col("unit") == unit).select("tick", "steps").iter_rows())
        for unit in ("books", "finance", "water")
    }
    months = [date(2011, 2, 28), date(2011, 3, 31), date(2011, 5, 31), date(2011, 6, 30), date(2011, 12, 31)]
    assert [steps["finance"][on] for on in months] == [0, 2, 2, 7, 17]
    assert [steps["water"][on] for on in months] == [0, 9, 9, 18, 36]
    assert [steps["books"][on] for on in months] == [0, 0, 0, 0, 0]


def test_own_without_a_table_is_refused(tmp_path: Path) -> None:
    text = '@hookimpl\ndef kpi_indicators():\n    return [Indicator("x", "count", unit.lag, own=True)]\n'
    found = workspace(tmp_path, policies={"adding.py": text})
    assert codes(found) == ["plugin-failed"]
    with pytest.raises(ValueError, match="indicator x sums no table"):
        kr.Indicator("x", "count", pl.col("lag"), own=True)


def test_an_explanation_needs_no_sums_that_nothing_reads(tmp_path: Path) -> None:
    found = kr.assess(workspace(tmp_path, policies={"adding.py": POLICY}, toml=TOML), indicators=("funds",))
    assert found.units.columns == ["unit", "tick", "funds"]
    assert "finance at 2011-12-31" in found.explain("finance").to_text()
