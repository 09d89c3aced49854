"""The shipped policies: every bound exactly as `semantics.md` writes it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.model.calendar import MOMENTS
from tests.pipeline.making import workspace

if TYPE_CHECKING:
    from pathlib import Path

ENABLED = ("field_duty", "pay_withholding", "rewards", "supervision")
SECTION, ALL_STAFF = "pay_withholding.section", "pay_withholding.all_staff"
STATION, OFF_POST, LEAVE = (f"field_duty.{name}" for name in ("station_head", "off_post", "leave_post"))
TALK, COMMENDATION, BONUS = "supervision.talk", "rewards.commendation", "rewards.bonus"
CALM: dict[str, Any] = {"completion": 0.99, "pace_gap": 0.0, "lag": 0, "funds": 99, "funds_quota": 100}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> kr.Rulebook:
    return kr.rulebook(workspace(tmp_path_factory.mktemp("shipped"), enabled=ENABLED))


def begun(book: kr.Rulebook, moment: str, **figures: object) -> set[str]:
    found = book.evaluate({**CALM, moment: True, **figures})
    return {each["rule"] for each in found if isinstance(each, dict) and each["event"] in {"started", "issued"}}


@pytest.mark.parametrize(
    ("moment", "figures", "rules"),
    [
        ("at_mid_year", {"completion": 0.4999999999999999}, {SECTION}),
        ("at_mid_year", {"completion": 0.5}, set()),
        ("at_campaign_end", {"completion": 0.4999999999999999}, {SECTION, OFF_POST}),
        ("at_campaign_end", {"completion": 0.5}, set()),
        ("at_year_end", {"completion": 0.9999999999999999}, {ALL_STAFF, OFF_POST}),
        ("at_year_end", {"completion": 1.0, "funds": 100}, set()),
        ("at_year_end", {"completion": 0.3}, {ALL_STAFF, OFF_POST}),
        ("at_year_end", {"completion": 0.29999999999999993}, {ALL_STAFF, LEAVE}),
        ("at_year_end", {"completion": None}, set()),
        ("at_month_end", {"pace_gap": 0.25}, set()),
        ("at_month_end", {"pace_gap": 0.25000000000000006}, {STATION}),
        ("at_month_end", {"pace_gap": None}, set()),
        ("at_month_end", {"pace_gap": 0.5, "completion": 1.0}, set()),
        ("at_month_end", {"lag": 2}, set()),
        ("at_month_end", {"lag": 3}, {TALK}),
        ("at_month_end", {"lag": 9}, {TALK}),
        ("at_year_end", {"completion": 1.2, "funds": 120}, {COMMENDATION, BONUS}),
        ("at_year_end", {"completion": 1.1999999999999997, "funds": 119}, {BONUS}),
        ("at_year_end", {"completion": 1.0, "funds": 101}, {BONUS}),
        ("at_year_end", {"completion": 1.5, "funds": 150, "funds_quota": None}, {COMMENDATION}),
    ],
)
def test_bounds(book: kr.Rulebook, moment: str, figures: dict[str, object], rules: set[str]) -> None:
    assert begun(book, moment, **figures) == rules


def test_rules_look_at_their_moments_alone(book: kr.Rulebook) -> None:
    worst = {"completion": 0.0, "pace_gap": 1.0, "lag": 12}
    best = {"completion": 2.0, "pace_gap": -1.0, "funds": 200}
    looked = {moment: begun(book, moment, **worst) | begun(book, moment, **best) for moment in MOMENTS}
    assert looked == {
        "at_month_end": {STATION, TALK},
        "at_mid_year": {SECTION},
        "at_quarter_end": set(),
        "at_half_year_end": set(),
        "at_campaign_end": {SECTION, OFF_POST},
        "at_review": set(),
        "at_year_end": {ALL_STAFF, LEAVE, COMMENDATION, BONUS},
    }


def test_every_rule_with_a_state_ends_when_the_task_is_met(book: kr.Rulebook) -> None:
    active = {name: True for name, rule in book.rules.items() if not rule.one_off}
    assert active.keys() == {SECTION, ALL_STAFF, STATION, OFF_POST, LEAVE}
    assert book.evaluate({**CALM, **active, "completion": 0.9999999999999999}) == []
    ended = book.evaluate({**CALM, **active, "completion": 1.0})
    assert {(each["rule"], each["event"]) for each in ended if isinstance(each, dict)} == {
        (name, "ended") for name in active
    }


def test_the_severer_replaces_the_milder_and_supersession_is_not_transitive(book: kr.Rulebook) -> None:
    assert {name: rule.supersedes for name, rule in book.rules.items() if rule.supersedes} == {
        ALL_STAFF: (SECTION,),
        OFF_POST: (STATION,),
        LEAVE: (OFF_POST, STATION),
    }
    found = book.evaluate({**CALM, "at_year_end": True, "completion": 0.2, STATION: True, OFF_POST: True})
    assert [(each["rule"], each["event"]) for each in found if isinstance(each, dict)] == [
        (OFF_POST, "superseded"),
        (STATION, "superseded"),
        (LEAVE, "started"),
        (ALL_STAFF, "started"),
    ]


@pytest.mark.parametrize(("excess", "amount"), [(1, 0), (999, 0), (1000, 1), (1999, 1), (10**13 - 100 + 1, 10**10 - 1)])
def test_the_bonus_is_rounded_down_and_issued_also_when_nothing(book: kr.Rulebook, excess: int, amount: int) -> None:
    found = book.evaluate({**CALM, "at_year_end": True, "completion": 1.0, "funds": 100 + excess})
    assert found == [{"rule": BONUS, "event": "issued", "amount": amount}]


def test_subjects_scopes_and_sources(tmp_path: Path) -> None:
    rules = workspace(tmp_path, enabled=ENABLED).plugins.rules
    assert {name: rule.subject for name, rule in rules.items()} == {
        **dict.fromkeys((SECTION, ALL_STAFF), "staff"),
        **dict.fromkeys((STATION, OFF_POST, LEAVE, TALK), "head"),
        **dict.fromkeys((COMMENDATION, BONUS), "unit"),
    }
    section, everyone = rules[SECTION].hold, rules[ALL_STAFF].hold
    assert section is not None
    assert everyone is not None
    assert (section.grades, everyone.grades) == ("pay_withholding.section_grades", None)
    assert not section.subtree
    assert not everyone.subtree
    assert all(rule.sources and rule.label for rule in rules.values())


def test_a_measure_on_the_head_names_the_person_of_that_day(tmp_path: Path) -> None:
    staff = """
    person,name,unit,grade,category,component,total_pay,from_on,to_on
    P01,A,finance,head,civil,100.00,,,2011-06-30
    P09,B,finance,head,civil,100.00,,2011-07-01,
    """
    found = kr.assess(workspace(tmp_path, enabled=ENABLED, tables={"staff": staff}))
    heads = found.measures.filter(pl.col("unit") == "finance", pl.col("subject") == "head")
    persons = {(rule, person) for rule, person in heads.select("rule", "person").rows()}
    assert persons == {(STATION, "P09"), (OFF_POST, "P09"), (TALK, "P09")}
    assert heads.filter(pl.col("rule") == STATION)["started"].to_list() == [date(2011, 7, 31)]
