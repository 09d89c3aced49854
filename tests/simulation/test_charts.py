"""Charts: what they hold, and that files come out."""

from __future__ import annotations

import json
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.simulation import charts, drawing, panels

EXAMPLE = Path(__file__).parents[2] / "examples" / "worked-example"


@pytest.fixture(scope="module")
def workspace() -> kr.Workspace:
    return kr.load(EXAMPLE)


@pytest.fixture(scope="module")
def simulation(workspace: kr.Workspace) -> kr.Simulation:
    return kr.simulate(workspace, date(2011, 7, 31), draws=200)


@pytest.fixture(scope="module")
def comparison(workspace: kr.Workspace, simulation: kr.Simulation) -> kr.Comparison:
    other = workspace.with_parameters({"field_duty.off_post_below": 0.4})
    return kr.compare(simulation, kr.simulate(other, date(2011, 7, 31), draws=200))


def held(chart: panels.Chart) -> list[list[dict[str, Any]]]:
    """Return the data sets that a chart holds, those of layers and panels too; it is valid Vega-Lite without links."""
    made = chart.to_dict()
    assert '"url"' not in json.dumps(made)
    return list(made["datasets"].values())


def rows_with(chart: panels.Chart, *columns: str) -> list[dict[str, Any]]:
    return next(rows for rows in held(chart) if rows and set(columns) <= set(rows[0]))


def test_a_simulation_holds_the_chances_of_all_units_and_how_many_meet_the_task(simulation: kr.Simulation) -> None:
    chart = kr.chart(simulation)
    chances = rows_with(chart, "unit", "chance", "low", "high")
    last = simulation.units.filter(pl.col("tick") == date(2011, 12, 31))
    expected = last.sort("chance", "unit", descending=[True, False])
    assert [row["chance"] for row in chances] == expected["chance"].to_list()
    assert [row["unit"].split()[0] for row in chances] == expected["unit"].to_list()
    assert "finance 市财政局" in {row["unit"] for row in chances}
    shares = rows_with(chart, "value", "share")
    met = simulation.per_draw("met").tolist()
    assert {row["value"]: row["share"] for row in shares} == {each: met.count(each) / 200 for each in set(met)}
    assert rows_with(chart, "median") == [{"median": int(simulation.totals["q50"][0])}]


def test_a_fan_begins_at_what_is_known_and_its_bands_are_nested(simulation: kr.Simulation) -> None:
    rows = charts.fan_rows(simulation, "finance")
    names = ["q05", "q10", "q25", "q50", "q75", "q90", "q95"]
    assert [row["day"] for row in rows] == ["2011-07-31", *(str(tick.on) for tick in simulation.ticks)]
    known = simulation.past.assessment.units.filter(pl.col("unit") == "finance")["completion"].to_list()
    assert {rows[0][name] for name in names} == {known[-1]}
    assert all(row[low] <= row[high] for row in rows for low, high in pairwise(names))  # type: ignore[operator]  # numbers
    assert rows[-1]["q50"] == simulation.of_unit("finance")["q50"][-1]
    assert rows_with(kr.chart(simulation, "finance"), "day") == rows


def test_a_fan_of_a_unit_that_is_not_there_names_the_nearest(simulation: kr.Simulation) -> None:
    with pytest.raises(ValueError, match="nearest: finance"):
        kr.chart(simulation, "finanse")


def test_what_is_beyond_the_bins_is_drawn_at_their_edge(
    simulation: kr.Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = simulation.of_unit("trade").with_columns(q95=pl.lit(None, pl.Float64))
    monkeypatch.setattr(type(simulation), "of_unit", lambda _self, _unit: frame)
    assert {row["q95"] for row in charts.fan_rows(simulation, "trade")[1:]} == {511 / 256}


def test_a_comparison_holds_what_differs_with_its_sign_and_nothing_else(comparison: kr.Comparison) -> None:
    moved = charts.differing(comparison)
    assert list(moved) == ["field_duty.off_post"]  # months differ for another rule, no chance does
    chart = kr.chart(comparison)
    rows = rows_with(chart, "unit", "difference")
    assert [row["difference"] for row in rows] == moved["field_duty.off_post"]["difference"].to_list()
    assert all(row["difference"] < 0 for row in rows)
    assert rows_with(chart, "value", "share") == [{"value": 0, "from": -0.45, "to": 0.45, "share": 1.0}]


def test_with_itself_a_comparison_holds_no_difference(simulation: kr.Simulation) -> None:
    same = kr.compare(simulation, simulation)
    assert charts.differing(same) == {}
    assert not [rows for rows in held(kr.chart(same)) if rows and "difference" in rows[0]]


def test_a_backtest_holds_bands_and_scores() -> None:
    tested = kr.backtest(kr.load(EXAMPLE.parent / "hundred-days"), draws=20, since=date(2011, 8, 31))
    rows = rows_with(kr.chart(tested), "level", "share", "low")
    assert [row["level"] for row in rows] == pytest.approx([0.5, 0.8, 0.95])
    bands = tested.bands.filter((pl.col("of") == "units") & pl.col("horizon").is_null())
    assert [row["share"] for row in rows] == bands["covered"].to_list()
    scores = rows_with(kr.chart(tested), "ahead", "crps")
    assert {row["forecast"] for row in scores} == {"compound", "straight line"}
    assert [row["ahead"] for row in scores] == [1, 2, 3, 4] * 2


def test_a_plan_holds_quotas_bands_and_chances() -> None:
    plan = kr.plan(kr.load(EXAMPLE.parent / "hundred-days"), 150_000_000_000, draws=20)
    chart = kr.chart(plan)
    quotas = [row for row in rows_with(chart, "unit", "kind", "value") if row["kind"] == "quota"]
    assert sum(row["value"] for row in quotas) == pytest.approx(150_000)  # 万
    chances = rows_with(chart, "unit", "chance")
    assert [row["chance"] for row in chances] == plan.units.sort("quota", "unit", descending=[True, False])[
        "chance"
    ].to_list()


def test_of_many_bars_the_first_are_drawn_and_the_rest_counted() -> None:
    rows = [{"unit": str(each), "chance": 0.5, "low": 0.4, "high": 0.6} for each in range(500)]
    chart = panels.bars(rows, "chance")
    assert len(rows_with(chart, "chance")) == panels.MOST
    assert chart.to_dict()["title"] == "chance; 120 of 500 units"


def test_files_come_out_with_chinese_as_text(simulation: kr.Simulation) -> None:
    svg = drawing.drawn(kr.chart(simulation), "svg").decode()
    assert svg.startswith("<svg")
    assert "市财政局" in svg
    assert drawing.drawn(kr.chart(simulation, "trade"), "png").startswith(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ValueError, match="pdf"):
        drawing.drawn(kr.chart(simulation), "pdf")


def test_whether_chinese_can_be_drawn_is_known() -> None:
    assert drawing.chinese_drawn() in {True, False}


def test_a_sweep_holds_the_stretches_of_measures_and_its_jumps(workspace: kr.Workspace) -> None:
    sweep = kr.sweep(workspace, "finance", on=date(2011, 11, 8), steps=30)
    chart = kr.chart(sweep)
    rows = rows_with(chart, "measure", "when", "from", "to")
    off_post = [row for row in rows if row["measure"] == "Head off post"]
    assert [(row["when"], row["from"], round(row["to"], 6)) for row in off_post] == [
        ("at the review", 0, 0.5),
        ("later", 0.5, 1),
    ]
    assert [{"from": each} for each in sweep.jumps["completion_above"]] in held(chart)


def test_a_grid_holds_every_point_of_each_outcome_that_differs(workspace: kr.Workspace) -> None:
    values = {"field_duty.off_post_below": [0.3, 0.5], "pay_withholding.section_below": [0.4, 0.5]}
    grid = kr.grid(workspace, date(2011, 7, 31), values, draws=50)
    sets = [rows for rows in held(kr.chart(grid)) if rows and set(rows[0]) == {"x", "y", "value"}]
    assert [[row["x"] + row["y"] for row in rows] for rows in sets] == [["0.30.4", "0.30.5", "0.50.4", "0.50.5"]] * len(
        sets
    )
    withheld = [value / 1_000_000 for value in grid.outcomes["withheld"]]
    assert withheld in [[row["value"] for row in rows] for rows in sets]
    line = kr.chart(kr.grid(workspace, date(2011, 7, 31), {"field_duty.off_post_below": [0.5]}, draws=20))
    assert [set(rows[0]) for rows in held(line)] == [{"x", "value"}] * len(held(line))
