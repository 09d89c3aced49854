"""Plan: the total is kept to the fen, chances are those of the sampled year, and the table is read back."""

from __future__ import annotations

from copy import copy
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.simulation import run
from kpi_rules.simulation.futures import futures
from tests.simulation.modelled import CONFIG, modelled

if TYPE_CHECKING:
    from kpi_rules.simulation.futures import Futures
    from kpi_rules.simulation.past import Past
    from kpi_rules.simulation.plan import By

TOTAL = 7_234_567_891
END = date(2011, 12, 31)
EXAMPLE = Path(__file__).parents[2] / "examples" / "hundred-days"


@pytest.fixture(scope="module")
def made() -> kr.Workspace:
    return with_tables(
        modelled(3, units=8),
        staff=pl.DataFrame(
            [(f"s{unit}-{number}", f"u{unit:03}") for unit in range(7) for number in range(unit + 1)],
            ["person", "unit"],
            orient="row",
        ).with_columns(from_on=pl.lit(None, pl.Date), to_on=pl.lit(None, pl.Date)),
    )


def with_tables(workspace: kr.Workspace, **changes: Any) -> kr.Workspace:  # noqa: ANN401 (frames by name)
    other = copy(workspace)
    other.tables = attrs.evolve(workspace.tables, **changes)
    return other


@pytest.mark.parametrize("by", ["growth", "chance", "capacity"])
def test_the_total_is_kept_and_the_table_read_back(made: kr.Workspace, by: By) -> None:
    found = kr.plan(made, TOTAL, by=by, draws=300)
    assert found.quotas["amount"].sum() == found.total == TOTAL
    assert found.quotas.columns == ["unit", "indicator", "amount", "effective"]
    following = {**CONFIG, "year": {"start": date(2012, 1, 1), "end": date(2012, 12, 31)}}
    units = made.tables.units.select("unit", "name", "group")
    read = kr.Workspace(following, {"units": units, "quotas": found.quotas})
    assert not read.problems
    assert read.tables.quotas.select(found.quotas.columns).equals(found.quotas)
    funds = kr.assess(read, date(2012, 12, 31)).units.filter(pl.col("tick") == date(2012, 12, 31))
    assert funds["funds_quota"].sum() == TOTAL


def test_the_table_is_read_back_from_a_file(made: kr.Workspace, tmp_path: Path) -> None:
    found = kr.plan(made, TOTAL, draws=50)
    amounts = [kr.format_amount(each) for each in found.quotas["amount"]]
    found.quotas.with_columns(amount=pl.Series(amounts)).write_csv(tmp_path / "quotas.csv")
    made.tables.units.select("unit", "name", "group").write_csv(tmp_path / "units.csv")
    toml = """
    [workspace]
    name = "next"
    currency = "CNY"
    primary = "funds"
    [year]
    start = 2012-01-01
    end = 2012-12-31
    [pace]
    curve = "months"
    tolerance = 0.1
    [pay]
    component = "standard pay"
    [tables]
    units = "units.csv"
    quotas = "quotas.csv"
    """
    (tmp_path / "kpi.toml").write_text(toml, encoding="utf-8")
    read = kr.load(tmp_path)
    assert not read.problems
    assert read.tables.quotas.select(found.quotas.columns).equals(found.quotas)


def test_growth_is_common(made: kr.Workspace) -> None:
    found = kr.plan(made, None, by="growth", rate=Decimal("0.1"), draws=50)
    last = kr.assess(made).units.filter(pl.col("tick") == END).select("unit", "funds")
    joined = found.units.join(last, on="unit")
    assert joined["last"].equals(joined["funds"], check_names=False)
    assert found.total == int(sum(Decimal(each) * Decimal("1.1") for each in last["funds"]))
    assert all(abs(quota - each * 11 / 10) <= 1 for quota, each in joined.select("quota", "last").iter_rows())


def test_all_have_one_chance_to_within_a_draw(made: kr.Workspace) -> None:
    found = kr.plan(made, TOTAL, by="chance", draws=500)
    assert found.rate is not None
    assert ((found.units["chance"] - found.rate).abs() <= 1 / 500 + 1e-12).all()
    more = kr.plan(made, TOTAL * 2, by="chance", draws=500)
    assert more.rate is not None
    assert more.rate < found.rate
    given = kr.plan(made, None, by="chance", rate=0.6, draws=500)
    assert (given.units["chance"] - 0.6).abs().max() <= 1 / 500 + 1e-12  # type: ignore[operator]  # a column of floats


def test_capacity_goes_by_staff_and_says_who_has_none(made: kr.Workspace) -> None:
    found = kr.plan(made, TOTAL, by="capacity", draws=100)
    assert found.of == "staff"
    assert found.units["capacity"].to_list() == [1, 2, 3, 4, 5, 6, 7]
    assert found.unplanned.rows() == [("u007", "no staff on 2011-12-31")]
    asked = found.units.with_columns(each=pl.col("quota") / (pl.col("capacity") * pl.col("per_capacity")))["each"]
    assert asked.to_list() == pytest.approx([asked[0]] * 7, rel=1e-6)


def test_capacity_of_the_pipeline_is_what_contracts_still_bring(made: kr.Workspace) -> None:
    projects = made.tables.projects
    last = projects.group_by("unit", maintain_order=True).agg(pl.col("project").first())["project"]
    contracted = projects.with_columns(
        contracted=pl.when(pl.col("project").is_in(last.implode())).then(10**10).otherwise(0)
    )
    found = kr.plan(with_tables(made, projects=contracted), TOTAL, by="capacity", of="pipeline", draws=100)
    arrived = (
        made.tables.arrivals.join(projects, on="project").group_by("unit").agg(pl.col("amount").sum()).sort("unit")
    )
    assert found.of == "pipeline"
    assert found.units["capacity"].to_list() == [10**10 - each for each in arrived["amount"]]


def test_who_has_no_history_is_said_and_not_guessed(made: kr.Workspace) -> None:
    without = made.tables.arrivals.filter(~pl.col("project").str.starts_with("u002-"))
    found = kr.plan(with_tables(made, arrivals=without), TOTAL, by="chance", draws=100)
    assert ("u002", "nothing was credited last year") in found.unplanned.rows()
    assert "u002" not in found.quotas["unit"]
    assert found.total == TOTAL


def test_whose_part_is_nothing_is_said(made: kr.Workspace) -> None:
    found = kr.plan(made, 1, draws=20)
    assert found.units["quota"].to_list() == [1]
    assert set(found.unplanned["reason"]) == {"its part comes to nothing"}


def test_the_units_below_the_one_at_the_top_are_planned() -> None:
    workspace = kr.load(EXAMPLE)
    found = kr.plan(workspace, 150_000_000_000, draws=20)
    departments = workspace.tables.units.filter(pl.col("kind") == "department")["unit"].to_list()
    assert found.above == "city"
    assert found.quotas["unit"][0] == "city"
    assert set(found.units["unit"]) | set(found.unplanned["unit"]) == set(departments)
    assert found.quotas["amount"].to_list()[0] == found.units["quota"].sum() == 150_000_000_000
    below = kr.plan(workspace, 4_200_000_000, unit="finance", draws=20)
    assert all(each.startswith("finance-") for each in below.units["unit"])


def test_what_waits_for_its_visit_does_not_count_next_year(made: kr.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    found, early = (kr.plan(made, None, rate=0, as_of=day, draws=50) for day in (END, date(2011, 11, 30)))

    def with_much_waiting(past: Past, seed: int) -> Futures:
        drawn = futures(past, seed)
        return attrs.evolve(
            drawn, series=tuple(attrs.evolve(each, waiting=each.waiting + 10**12) for each in drawn.series)
        )

    monkeypatch.setattr("kpi_rules.simulation.plan.futures", with_much_waiting)
    assert kr.plan(made, None, rate=0, draws=50).units.equals(found.units)
    assert not kr.plan(made, None, rate=0, as_of=date(2011, 11, 30), draws=50).units.equals(early.units)


def test_next_year_has_rounds_of_visits_as_this_one_had(made: kr.Workspace) -> None:
    quarterly = made.tables.visits.filter(pl.col("visited_on").dt.month() % 3 == 0)
    found = kr.plan(with_tables(made, visits=quarterly), None, rate=0, draws=200).units
    mean, last = float(found["mean"].sum()), float(found["last"].sum())
    assert 0.8 < mean / last < 1.2


def test_chunks_change_nothing(made: kr.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = kr.plan(made, TOTAL, by="chance", draws=50)
    monkeypatch.setattr(run, "ROWS", 24)
    assert kr.plan(made, TOTAL, by="chance", draws=50).units.equals(whole.units)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"total": None}, "one of the two"),
        ({"rate": 1.5, "total": None, "by": "chance"}, "at most 1"),
        ({"total": 0}, "whole fen from 1"),
        ({"by": "luck"}, "one of growth, chance, capacity"),
        ({"indicator": "fund"}, "nearest valid choice: funds|funds"),
        ({"indicator": "signed"}, "no quota of signed"),
        ({"unit": "u00"}, "no quota of u00"),
        ({"unit": "u000"}, "nobody below u000"),
        ({"as_of": date(2012, 1, 1)}, "the year end"),
        ({"draws": 1}, "a whole number from 2"),
        ({"by": "chance", "total": 10**13}, "units with a history can bring"),
    ],
)
def test_what_cannot_be_planned_is_said(made: kr.Workspace, given: dict[str, Any], message: str) -> None:
    with pytest.raises(kr.AssessmentError, match=message):
        kr.plan(made, **{"total": TOTAL, "draws": 20, **given})
