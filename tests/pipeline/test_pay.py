"""Pay withheld: scopes, shares, guards, several holds on one person, other years. All exact."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest

import kpi_rules as kr
from tests.pipeline.making import workspace

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
@define
class Settings:
    share: Decimal = ratio("{share}", label="Share", maximum="1")
    second: Decimal = ratio("0.75", label="Second", maximum="1")
    grades: tuple[str, ...] = texts(("head",), label="Grades")

p = parameters("winter", Settings)

@hookimpl
def kpi_settings():
    return Settings

def hold(name, when=at.quarter_end, **more):
    more = {{"share": p.share, **more}}
    return Rule(name, kind="pay_hold", subject="staff", when=when & (unit.completion < 0.5),
                until=unit.completion >= 1, hold=Hold(**more), reason="late")
"""
APRIL, MAY = date(2011, 4, 30), date(2011, 5, 31)


def assessed(
    place: Path, rules: str, *, share: str = "1", more: str = "", toml: str = "", as_of: date = APRIL, **tables: str
) -> kr.Assessment:
    text = SETTINGS.format(share=share)
    text += f"\n@hookimpl\ndef kpi_policy_rules():\n    return [{rules}]\n{more}"
    found = workspace(place, policies={"winter.py": text}, toml=toml, tables=tables)
    assert found.errors == []
    return kr.assess(found, as_of=as_of)


def lines(found: kr.Assessment, month: date = APRIL) -> list[tuple[str, str, int]]:
    rows = (
        found.ledger.filter(pl.col("month") == month, pl.col("unit") == "finance")
        .select("person", "rule", "withheld")
        .rows()
    )
    return sorted((person, rule.removeprefix("winter."), amount) for person, rule, amount in rows)


def test_all_staff_of_the_very_unit(tmp_path: Path) -> None:
    found = assessed(tmp_path, "hold('all')")
    assert lines(found) == [("P01", "all", 10_000), ("P02", "all", 8_001)]
    assert found.ledger["component"].unique().to_list() == ["standard pay"]
    assert found.ledger["month"].unique().to_list() == [APRIL]  # it started at the end of March


def test_the_subtree_if_the_rule_says_so(tmp_path: Path) -> None:
    found = assessed(tmp_path, "hold('all', subtree=True)")
    assert lines(found) == [("P01", "all", 10_000), ("P02", "all", 8_001), ("P03", "all", 6_000)]
    assert set(found.ledger["unit"]) == {"finance"}


def test_grades_named_by_a_parameter(tmp_path: Path) -> None:
    assert lines(assessed(tmp_path / "a", "hold('all', grades=p.grades)")) == [("P01", "all", 10_000)]
    toml = '[winter]\ngrades = [{value = ["staff"], group = "economic"}]'
    assert lines(assessed(tmp_path / "b", "hold('all', grades=p.grades)", toml=toml)) == [("P02", "all", 8_001)]


def test_a_share_is_rounded_down_and_may_differ_between_groups_and_dates(tmp_path: Path) -> None:
    assert lines(assessed(tmp_path / "a", "hold('all')", share="0.333")) == [
        ("P01", "all", 3_330),
        ("P02", "all", 2_664),
    ]
    toml = (
        '[winter]\nshare = [{value = 0.5, group = "economic"}, {value = 0.25, group = "economic", from = 2011-05-31}]'
    )
    found = assessed(tmp_path / "b", "hold('all')", toml=toml, as_of=MAY)
    assert lines(found) == [("P01", "all", 5_000), ("P02", "all", 4_000)]
    assert lines(found, MAY) == [("P01", "all", 2_500), ("P02", "all", 2_000)]
    social = '[winter]\nshare = [{value = 0.5, group = "social"}]'
    assert lines(assessed(tmp_path / "c", "hold('all')", toml=social))[0] == ("P01", "all", 10_000)


@pytest.mark.parametrize("first", ["a", "z"])
def test_two_holds_on_one_person_never_exceed_the_component(tmp_path: Path, first: str) -> None:
    # Of one start they are served by rule id; a hold that began earlier comes first whatever its id.
    rules = f"hold('{first}', share=p.second), hold('m', share=p.second)"
    found = {(person, rule): amount for person, rule, amount in lines(assessed(tmp_path, rules))}
    served = sorted([first, "m"])
    assert [found["P01", rule] for rule in served] == [7_500, 2_500]
    assert [found["P02", rule] for rule in served] == [6_000, 2_001]


def test_the_earlier_hold_is_served_first(tmp_path: Path) -> None:
    rules = "hold('z', when=at.month_end, share=p.second), hold('a', share=p.second)"
    assert lines(assessed(tmp_path, rules)) == [
        ("P01", "a", 2_500),
        ("P01", "z", 7_500),
        ("P02", "a", 2_001),
        ("P02", "z", 6_000),
    ]


def test_what_other_years_withhold_comes_off_first(tmp_path: Path) -> None:
    withheld = """
    person,month,amount
    P01,2011-04-30,40.00
    P01,2011-04-30,20.00
    P02,2011-05-31,80.01
    P02,2011-03-31,80.01
    """
    found = assessed(tmp_path, "hold('all')", as_of=MAY, withheld=withheld)
    assert lines(found) == [("P01", "all", 4_000), ("P02", "all", 8_001)]
    assert lines(found, MAY) == [("P01", "all", 10_000)]


GUARDS = """
@hookimpl
def kpi_guards():
    return [
        Guard("minimum", withholdable=pl.col("total_pay") - 25000),
        Guard("half", withholdable=share_of(p.second, pl.col("component"))),
        Guard("nobody", withholdable=pl.when(pl.col("category") == "guest").then(pl.lit(0, pl.Int64))),
    ]
"""


def test_the_least_of_all_guards_holds_and_never_below_nothing(tmp_path: Path) -> None:
    # P01: 300.00 - 250.00 = 50.00; three quarters of 100.00 are 75.00. P02: 200.00 - 250.00 is below 0.
    assert lines(assessed(tmp_path / "a", "hold('all')", more=GUARDS)) == [("P01", "all", 5_000)]
    assert lines(assessed(tmp_path / "b", "hold('all')", share="0.5", more=GUARDS)) == [("P01", "all", 2_500)]
    without_minimum = GUARDS.replace("25000", "1000")
    found = assessed(tmp_path / "c", "hold('all')", more=without_minimum)
    assert lines(found) == [("P01", "all", 7_500), ("P02", "all", 6_000)]
    unknown = """
    person,name,unit,grade,category,component,total_pay
    P01,A,finance,head,civil,100.00,
    P05,A,finance,head,guest,100.00,900.00
    """
    # Pay that is not known limits nothing; the other guard still does. A guest is spared.
    assert lines(assessed(tmp_path / "d", "hold('all')", more=GUARDS, staff=unknown)) == [("P01", "all", 7_500)]


def test_guards_and_several_holds_together(tmp_path: Path) -> None:
    found = assessed(tmp_path, "hold('a', share=p.second), hold('b')", more=GUARDS)
    assert lines(found) == [("P01", "a", 3_750), ("P01", "b", 1_250)]


def test_the_hold_that_started_first_is_served_first_whenever_it_was_proposed(tmp_path: Path) -> None:
    found = assessed(tmp_path, "hold('a'), hold('b', share=p.second)")
    ids = [f"2011/winter.{rule}/finance/2011-03-31" for rule in "ab"]
    days = [date(2011, 5, 10), date(2011, 3, 31)]
    decisions = pl.DataFrame({"measure": ids, "decision": ["approved", "approved"], "on": days})
    june = date(2011, 6, 30)
    decided = kr.assess(found.workspace, as_of=june, decisions=decisions)
    assert lines(decided, june) == [("P01", "a", 2_500), ("P01", "b", 7_500), ("P02", "a", 2_001), ("P02", "b", 6_000)]
    assert set(decided.ledger["measure"]) == set(ids)


def test_everything_is_released_when_the_task_is_met(tmp_path: Path) -> None:
    arrivals = """
    voucher,project,amount,arrived_on
    V01,J01,300.00,2011-03-10
    V02,J01,700.00,2011-06-10
    """
    found = assessed(tmp_path, "hold('all', share=p.second)", as_of=date(2011, 12, 31), arrivals=arrivals)
    finance = found.ledger.filter(pl.col("unit") == "finance")
    assert sorted(finance["month"].unique()) == [APRIL, MAY]
    assert finance["released_on"].unique().to_list() == [date(2011, 6, 30)]
    entries = found.entries.filter(pl.col("unit") == "finance")
    sums = dict(entries.group_by("entry").agg(pl.col("amount").sum()).rows())
    assert sums == {"withheld": 2 * (7_500 + 6_000), "released": 2 * (7_500 + 6_000)}


def test_money_stays_with_the_person_who_moves(tmp_path: Path) -> None:
    staff = """
    person,name,unit,grade,category,component,total_pay,from_on,to_on
    P01,A,finance,head,civil,100.00,,,2011-04-30
    P01,A,water,head,civil,100.00,,2011-05-01,
    """
    found = assessed(tmp_path, "hold('all')", as_of=MAY, staff=staff)
    assert lines(found) == [("P01", "all", 10_000)]
    assert found.ledger.filter(pl.col("month") == MAY)["unit"].to_list() == []
    assert found.ledger.filter(pl.col("month") == APRIL)["unit"].to_list() == ["finance"]


@pytest.mark.parametrize(
    ("decision", "entries", "released", "reversed_"),
    [
        ("lifted", {"withheld": 10_000 + 8_001, "released": 10_000 + 8_001}, date(2011, 6, 30), None),
        ("reversed", {"withheld": 10_000 + 8_001, "reversed": 10_000 + 8_001}, None, date(2011, 5, 31)),
    ],
)
def test_what_a_reversed_hold_withheld_comes_back_at_once(
    tmp_path: Path, decision: str, entries: dict[str, int], released: date | None, reversed_: date | None
) -> None:
    arrivals = """
    voucher,project,amount,arrived_on
    V01,J01,300.00,2011-03-10
    V02,J01,700.00,2011-06-10
    """
    found = assessed(tmp_path, "hold('all')", arrivals=arrivals)
    measure = "2011/winter.all/finance/2011-03-31"
    decisions = pl.DataFrame(
        {
            "measure": [measure, measure],
            "decision": ["approved", decision],
            "on": [date(2011, 3, 31), date(2011, 5, 10)],
            "by": ["the city", "the province"],
            "reason": [None, "without a legal basis"],
        }
    )
    decided = kr.assess(found.workspace, as_of=date(2011, 9, 30), decisions=decisions)
    ledger = decided.ledger.filter(pl.col("measure") == measure)
    assert ledger.select("month", "released_on", "reversed_on").unique().rows() == [(APRIL, released, reversed_)]
    assert dict(decided.entries.group_by("entry").agg(pl.col("amount").sum()).rows()) == entries
    row = decided.measures.filter(pl.col("id") == measure).row(0, named=True)
    assert (row["status"], row["ended"]) == ("reversed" if reversed_ else "ended", MAY)
    assert (row["decided_by"], row["decision_reason"]) == ("the province", "without a legal basis")


def test_what_was_released_before_is_not_reversed_and_nothing_is_at_an_interim_tick(tmp_path: Path) -> None:
    arrivals = """
    voucher,project,amount,arrived_on
    V01,J01,300.00,2011-03-10
    V02,J01,700.00,2011-05-10
    """
    found = assessed(tmp_path, "hold('all')", arrivals=arrivals)
    measure = "2011/winter.all/finance/2011-03-31"
    rows = [(measure, "approved", date(2011, 3, 31)), (measure, "reversed", date(2011, 7, 10))]
    decisions = pl.DataFrame(rows, schema=["measure", "decision", "on"], orient="row")
    decided = kr.assess(found.workspace, as_of=date(2011, 9, 30), decisions=decisions)
    assert decided.ledger.select("released_on", "reversed_on").unique().rows() == [(MAY, None)]
    early = [(measure, "approved", date(2011, 3, 31)), (measure, "reversed", date(2011, 5, 10))]
    interim = kr.assess(
        found.workspace,
        as_of=date(2011, 5, 12),
        decisions=pl.DataFrame(early, schema=["measure", "decision", "on"], orient="row"),
    )
    assert interim.ledger.select("released_on", "reversed_on").unique().rows() == [(None, None)]
