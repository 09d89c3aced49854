"""Cases of one row."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.cases.ground import Ground
from tests.cases.making import KPI, report, told

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 'source = "letter 40"\n'
BONUS = """[[case]]
name = "bonus"
given = { funds = "900万", funds_quota = "800万", at_year_end = true, completion = "900/800" }
expect = [{ rule = "rewards.bonus", event = "issued", amount = "1000" }]
"""


def test_a_case_that_holds(tmp_path: Path) -> None:
    found = report(tmp_path, HEAD + BONUS)
    assert found.passed
    assert [(each.name, each.source, each.place.line) for each in found.results] == [("bonus", "letter 40", 2)]


def test_every_difference_is_told_with_its_line(tmp_path: Path) -> None:
    text = (
        HEAD
        + BONUS.replace('"1000"', '"1000.01"')
        + (
            '[[case]]\nname = "talk"\ngiven = { lag = 3, at_month_end = true }\nexpect = []\n'
            '[[case]]\nname = "calm"\ngiven = { lag = 1, at_month_end = true }\n'
            'expect = [{ rule = "supervision.talk", event = "issued" }]\n'
        )
    )
    assert told(report(tmp_path, text)) == [
        "bonus: 5: rewards.bonus: rewards.bonus issued 1000.01 | rewards.bonus issued 1000.00",
        "talk: 9: supervision.talk: no further event | supervision.talk issued",
        "calm: 13: supervision.talk: supervision.talk issued | no such event",
    ]


def test_an_amount_that_is_not_expected_is_a_difference(tmp_path: Path) -> None:
    text = HEAD + BONUS.replace(', amount = "1000"', "")
    assert told(report(tmp_path, text)) == [
        "bonus: 5: rewards.bonus: rewards.bonus issued | rewards.bonus issued 1000.00"
    ]


def test_the_policy_of_a_case_leaves_out_the_events_of_others(tmp_path: Path) -> None:
    text = HEAD + (
        '[[case]]\nname = "one"\npolicy = "supervision"\n'
        'given = { lag = 3, at_month_end = true, at_year_end = true, funds = "9", funds_quota = "8" }\n'
        'expect = [{ rule = "supervision.talk", event = "issued" }]\n'
    )
    assert report(tmp_path, text).passed


def test_parameters_and_what_is_in_force_already(tmp_path: Path) -> None:
    text = HEAD + (
        '[[case]]\nname = "five"\nparameters = { "supervision.talk_after" = 5 }\n'
        "given = { lag = 4, at_month_end = true }\nexpect = []\n"
        '[[case]]\nname = "issued"\nactive = ["supervision.talk"]\n'
        "given = { lag = 4, at_month_end = true }\nexpect = []\n"
    )
    assert report(tmp_path, text).passed


def test_parameters_of_a_day_and_a_group(tmp_path: Path) -> None:
    dated = '[{ value = 2, from = 2011-07-01, group = "big" }, { value = 4 }]'
    text = HEAD + "".join(
        f'[[case]]\nname = "{name}"\n{more}\nparameters = {{ "supervision.talk_after" = {dated} }}\n'
        f"given = {{ lag = 2, at_month_end = true }}\nexpect = [{event}]\n"
        for name, more, event in (
            ("other group", "on = 2011-08-01", ""),
            ("too early", 'on = 2011-06-30\ngroup = "big"', ""),
            ("now", 'on = 2011-07-01\ngroup = "big"', '{ rule = "supervision.talk", event = "issued" }'),
        )
    )
    assert told(report(tmp_path, text)) == []


POLICY = """
import polars as pl
from kpi_rules import Indicator, Rule, at, hookimpl, unit

@hookimpl
def kpi_indicators():
    return [
        Indicator(
            "points",
            kind="ratio",
            value=unit.excess * 100,
            rows={"met": unit.completion >= 1, "not met": unit.completion < 1},
        ),
        Indicator("excess", kind="ratio", value=unit.completion - 1),
        Indicator("peers", kind="count", value=unit.lag, within="size"),
    ]

@hookimpl
def kpi_policy_rules():
    return [Rule("praise", kind="praise", subject="unit", when=at.year_end & (unit.points >= 10), reason="well done")]
"""


def with_policy(tmp_path: Path, cases: str) -> kr.CaseReport:
    folder = tmp_path / "w"
    (folder / "policies").mkdir(parents=True)
    (folder / "policies" / "points.py").write_text(POLICY, encoding="utf-8")
    return report(folder, cases, KPI.replace("enabled =", 'local = ["policies/points.py"]\nenabled ='))


def test_indicators_of_policies_are_computed_from_what_is_given(tmp_path: Path) -> None:
    text = HEAD + (
        '[[case]]\nname = "points"\ngiven = { completion = 1.125, at_year_end = true }\n'
        'indicators = { points = 12.5, excess = "12.5%" }\nempty = ["peers"]\n'
        'expect = [{ rule = "points.praise", event = "issued" }]\n'
        '[[case]]\nname = "given"\npolicy = "points"\ngiven = { completion = 1.5, excess = 0.05, at_year_end = true }\n'
        'indicators = { points = "5.0" }\nexpect = []\n'
    )
    found = with_policy(tmp_path, text)
    assert told(found) == []
    assert [(row.row, row.hits) for row in found.rows] == [("met", 2), ("not met", 0)]


def test_indicators_that_are_otherwise(tmp_path: Path) -> None:
    text = HEAD + (
        '[[case]]\nname = "points"\nnote = "a misprint"\ngiven = { completion = 1.125 }\n'
        'indicators = { points = 12 }\ndiffers = { excess = "12.5%" }\nempty = ["points"]\n'
    )
    assert told(with_policy(tmp_path, text)) == [
        "points: 6: points: 12 | 12.5",
        "points: 7: excess: not 12.5% | 12.5%",
        "points: 8: points: nothing | 12.5",
    ]


@given(st.integers(0, 10), st.integers(1, 10))
def test_a_row_says_what_the_rulebook_says(lag: int, after: int) -> None:
    made = kr.Workspace(
        {
            "year": {"start": date(2011, 1, 1), "end": date(2011, 12, 31)},
            "plugins": {"enabled": ["supervision"]},
            "supervision": {"talk_after": after},
        },
        {"units": pl.DataFrame({"unit": ["a"], "name": ["a"]})},
    )
    row = Ground(made).row({"lag": lag, "at_month_end": True}, None, date(2011, 12, 31))
    events = kr.rulebook(made).evaluate(row.drop("supervision.talk_after"))
    assert isinstance(events, pl.DataFrame)
    assert (events["rule"].to_list() == ["supervision.talk"]) is (lag >= after)
