"""Backtest: bands hold what they say on data made by the model; what was not known at an origin changes no forecast."""

from __future__ import annotations

from copy import copy
from datetime import date

import attrs
import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.simulation import run
from tests.simulation.modelled import modelled

JUNE, AUGUST, SEPTEMBER = date(2011, 6, 30), date(2011, 8, 31), date(2011, 9, 30)
FORECAST = ["unit", "tick", "known", "mean", "median", "low50", "high80", "low95", "straight"]


@pytest.fixture(scope="module")
def made() -> kr.Workspace:
    return modelled(7, units=12)


def with_rows(workspace: kr.Workspace, **changes: pl.DataFrame) -> kr.Workspace:
    other = copy(workspace)
    other.tables = attrs.evolve(workspace.tables, **changes)  # type: ignore[arg-type]  # tables by name
    return other


def test_bands_hold_what_they_say_on_data_made_by_the_model() -> None:
    tested = [kr.backtest(modelled(seed), draws=400, since=date(2011, 4, 30)) for seed in (0, 1, 2)]
    held = pl.concat([each.bands for each in tested]).filter(
        pl.col("of") == "units", pl.col("horizon").is_null(), pl.col("level") == 80
    )
    assert len(held) == 3
    assert 0.75 <= held["covered"].mean() <= 0.85  # type: ignore[operator]  # a column of floats
    scores = pl.concat([each.scores for each in tested])
    assert (scores.filter(pl.col("of") == "units")["skill"] > 0).all()
    assert scores.filter(pl.col("horizon").is_null())["bias_share"].abs().max() < 0.1  # type: ignore[operator]  # floats


def test_what_was_not_known_at_the_origin_changes_no_forecast(made: kr.Workspace) -> None:
    arrivals = made.tables.arrivals
    later = pl.col("arrived_on") > JUNE
    changed = with_rows(
        made,
        arrivals=arrivals.with_columns(
            amount=pl.when(later).then(pl.col("amount") * 3).otherwise("amount"),
            revoked_on=pl.when(~later).then(pl.lit(SEPTEMBER)),  # what had arrived is struck out, but only later
        ),
    )
    one, other = (kr.backtest(each, draws=50, since=JUNE, until=AUGUST).cases for each in (made, changed))
    first = pl.col("origin") == JUNE
    assert one.filter(first).select(FORECAST).equals(other.filter(first).select(FORECAST))
    assert not one["actual"].equals(other["actual"])
    late = pl.when(pl.col("project").str.starts_with("u003-")).then(pl.lit(SEPTEMBER))
    recorded_late = with_rows(made, arrivals=arrivals.with_columns(recorded_on=late))
    unknown = kr.backtest(recorded_late, draws=50, since=JUNE, until=AUGUST).cases
    assert unknown.filter(pl.col("unit") == "u003")["known"].to_list() == [0, 0, 0]
    assert unknown["actual"].equals(one["actual"])


def test_origins_without_anything_to_forecast_from_are_said(made: kr.Workspace) -> None:
    began = with_rows(made, arrivals=made.tables.arrivals.filter(pl.col("arrived_on") > date(2011, 7, 5)))
    found = kr.backtest(began, draws=20, since=JUNE, until=SEPTEMBER)
    assert found.unforecast.select("model", "origin").rows() == [("compound", JUNE)]
    assert found.unforecast["reason"][0].startswith("as_of: found no funds by 2011-06-30")
    assert set(found.cases["origin"]) == {date(2011, 7, 31), AUGUST}


def test_sums_of_forecasts_are_tested_beside_each_other(made: kr.Workspace) -> None:
    found = kr.backtest(made, models=["seasonal", "pipeline+compound"], draws=20, since=AUGUST, until=SEPTEMBER)
    assert found.cases["model"].unique().sort().to_list() == ["pipeline + compound", "seasonal"]
    assert found.cases["actual"].n_unique() * 2 <= len(found.cases)


def test_chunks_change_nothing(made: kr.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = kr.backtest(made, draws=40, since=JUNE, until=AUGUST)
    monkeypatch.setattr(run, "ROWS", 36)
    assert kr.backtest(made, draws=40, since=JUNE, until=AUGUST).cases.equals(whole.cases)


def test_cases_add_up(made: kr.Workspace) -> None:
    told: list[tuple[int, int]] = []
    found = kr.backtest(
        made, draws=40, since=JUNE, until=SEPTEMBER, progress=lambda each: told.append((each.done, each.draws))
    )
    cases = found.cases
    assert told == [(40, 120), (80, 120), (120, 120)]
    whole, units = cases.filter(pl.col("unit").is_null()), cases.filter(pl.col("unit").is_not_null())
    assert set(cases.select("origin", "tick", "horizon").unique().rows()) == {
        (JUNE, date(2011, 7, 31), 1),
        (JUNE, AUGUST, 2),
        (JUNE, SEPTEMBER, 3),
        (date(2011, 7, 31), AUGUST, 1),
        (date(2011, 7, 31), SEPTEMBER, 2),
        (AUGUST, SEPTEMBER, 1),
    }
    sums = units.group_by("origin", "tick").agg(pl.col("known", "actual").sum()).sort("origin", "tick")
    assert sums.equals(whole.select("origin", "tick", "known", "actual").sort("origin", "tick"))
    assert units.select((pl.col("straight_crps") == (pl.col("straight") - pl.col("actual")).abs()).all()).item()
    june = units.filter(pl.col("origin") == JUNE, pl.col("tick") == SEPTEMBER)
    assert june["straight"].to_list() == [known * 273 // 181 for known in june["known"]]
    score = found.scores.filter(pl.col("of") == "units", pl.col("horizon") == 1)
    assert score["cases"].to_list() == [36]
    assert score["crps"][0] == pytest.approx(units.filter(pl.col("horizon") == 1)["crps"].mean())


def test_the_last_day_is_that_of_the_evidence(made: kr.Workspace) -> None:
    known = with_rows(
        made,
        arrivals=made.tables.arrivals.filter(pl.col("arrived_on") < date(2011, 9, 12)),
        visits=made.tables.visits.filter(pl.col("visited_on") <= AUGUST),
    )
    assert kr.backtest(known, draws=20, since=AUGUST).cases["tick"].unique().to_list() == [SEPTEMBER]


def test_it_can_be_given_up(made: kr.Workspace) -> None:
    with pytest.raises(kr.CancelledError):
        kr.backtest(made, draws=20, cancelled=lambda: True)


def test_what_cannot_be_tested_is_said(made: kr.Workspace) -> None:
    with pytest.raises(kr.AssessmentError, match="a whole number from 1"):
        kr.backtest(made, draws=0)
    with pytest.raises(kr.AssessmentError, match="no month-end from 2011-12-31"):
        kr.backtest(made, since=date(2011, 12, 31))
    with pytest.raises(kr.AssessmentError, match=r"unknown forecast compund.*compound"):
        kr.backtest(made, models=["compund"])
