"""Scorecards in whole assessments: from vouchers to prizes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

import kpi_rules as kr
from kpi_scorecard.config import Item, Step, Track
from tests.pipeline.making import workspace
from tests.plugins.scorecard.making import sound

UNITS = """
    unit,name,parent,group,kind
    city,City,,,
    finance,Finance,city,economic,部门
    water,Water,city,economic,部门
    town,Town,city,economic,乡镇
    books,Books,city,economic,部门
    """
QUOTAS = """
    unit,indicator,amount,effective,stretch
    finance,funds,1000万,2011-01-01,1500万
    water,funds,1000万,2011-01-01,
    town,funds,1000万,2011-01-01,
    town,signed,2,2011-01-01,
    """
PROJECTS = """
    project,name,unit,recognised_on
    J1,Mill,finance,2011-01-04
    J2,Dam,water,2011-01-04
    J3,Farm,town,2011-01-04
    """
ARRIVALS = """
    voucher,project,amount,arrived_on
    V1,J1,250万,2011-03-01
    V2,J1,1000万,2011-10-01
    V3,J2,880万,2011-10-01
    V4,J3,1300万,2011-04-01
    """
CARD = """
    [[scorecard.track]]
    name = "main"
    missing = "rescale"
    digits = 1
    grade = [
        { name = "good", when = ["score >= 90"] },
        { name = "fair", when = ["score < 90"] },
    ]

    [[scorecard.item]]
    name = "funds"
    indicator = "funds"
    points = 80
    target = "phased"
    below = "proportional"
    above = "steps"
    bonus = [
        { points = 1, per = 0.1, count = "whole", most = 5, when = ["kind = 部门"] },
        { points = 2, per = 0.1, count = "pro_rata", most = 10, when = ["kind = 乡镇"] },
    ]

    [[scorecard.item]]
    name = "signed"
    indicator = "signed"
    points = 20
    below = "proportional"
    above = "full"

    [[scorecard.prize]]
    name = "first"
    top = 1
    amount = "5万"
    when = ["completion >= 1"]

    [[scorecard.black_list]]
    name = "weak"
    at = "quarter_end"
    grades = ["fair"]
    until = ["score >= 90"]
    """
TABLES = {
    "units": UNITS,
    "quotas": QUOTAS,
    "projects": PROJECTS,
    "arrivals": ARRIVALS,
    "staff": "person,unit,grade,component\n",
}


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> kr.Assessment:
    place = tmp_path_factory.mktemp("year")
    found = workspace(place, enabled=("scorecard",), tables=TABLES, toml=CARD)
    assert [problem.code for problem in found.problems if problem.code != "table-gap"] == []
    (gap,) = (problem for problem in found.problems if problem.code == "table-gap")
    assert gap.found == "no row for kind = any other, for example kind = any other"
    return kr.assess(found, as_of=date(2011, 12, 31))


def scores(year: kr.Assessment, on: date, *columns: str) -> dict[str, tuple[object, ...]]:
    rows = year.units.filter(pl.col("tick") == on).select("unit", *columns).rows()
    return {unit: tuple(figures) for unit, *figures in rows}


def test_scores_of_the_first_quarter(year: kr.Assessment) -> None:
    found = scores(year, date(2011, 3, 31), "score_main_funds", "score_main_signed", "score_main", "rank_main")
    assert found["finance"] == (80.0, None, 100.0, 1)  # 250 of 1000 x 3/12
    assert found["water"] == (0.0, None, 0.0, 2)
    assert found["town"] == (0.0, 0.0, 0.0, 2)  # nothing signed by then: the dates are not given
    assert found["books"] == (None, None, None, None)


def test_scores_of_the_year(year: kr.Assessment) -> None:
    found = scores(year, date(2011, 12, 31), "score_main_funds", "score_main", "rank_main", "last_main", "grade_main")
    assert found["finance"] == (82.0, 102.5, 1, 3, "good")  # 25% over: two whole steps; x 100 / 80
    assert found["water"] == (70.4, 88.0, 2, 2, "fair")
    assert found["town"] == (86.0, 86.0, 3, 1, "fair")  # 30% over: 3 steps of 2; of 20 points for projects none
    assert found["books"] == (None, None, None, None, None)


def test_who_is_named(year: kr.Assessment) -> None:
    named = year.measures.with_columns(pl.col("rule").str.strip_prefix("scorecard."))
    assert set(named.select("rule", "unit", "started", "ended", "amount").rows()) == {
        ("prize_first", "finance", date(2011, 12, 31), None, 5_000_000),
        ("black_list_weak", "town", date(2011, 3, 31), date(2011, 4, 30), None),
        ("black_list_weak", "town", date(2011, 12, 31), None, None),
        ("black_list_weak", "water", date(2011, 3, 31), date(2011, 10, 31), None),
        ("black_list_weak", "water", date(2011, 12, 31), None, None),
        ("black_list_weak", "finance", date(2011, 6, 30), date(2011, 10, 31), None),
    }


def test_only_what_is_read_is_computed(year: kr.Assessment) -> None:
    assert "expected_numerator" in year.panel.with_dependencies({"score_main"})
    assert "score_main" not in year.panel.with_dependencies({"completion"})


def test_expressions_do_not_double_with_every_step() -> None:
    """Each tick evaluates them, and each load walks them: a score is a few thousand characters, not a million."""
    steps = (Step(Decimal("0.5"), Decimal("0.1"), "pro_rata", Decimal(10)),)
    full = Decimal(10)
    items = [
        Item(f"i{number}", f"x{number}", full, "proportional", "steps", bonus=steps, digits=2) for number in range(10)
    ]
    found = sound(track=[Track("t", "rescale", digits=1)], item=items)
    sizes = {each.name: len(each.value.meta.serialize(format="json")) for each in found.indicators}
    assert max(size for name, size in sizes.items() if name.startswith("score_t_")) < 12_000
    assert sizes["score_t"] < 80_000
