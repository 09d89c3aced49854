"""A trial without a screen."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import kpi_rules as kr
from kpi_rules_tui import trial as trials
from kpi_rules_tui.desk import Desk
from kpi_rules_tui.trial import Asked, Run, Trial, changed_values, default_day, toml

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "worked-example"
MILDER = kr.ParameterEdit("pay_withholding.section_below", Decimal("0.4"))
DAY = date(2011, 9, 30)


def test_a_run_waits_for_the_one_before_it_and_can_be_given_up_meanwhile() -> None:
    work = Run(Asked(DAY), kr.load(EXAMPLE), None, ())
    work.cancelled = True
    with trials._ONE:
        assert work() is None


def test_the_as_of_date_is_where_it_begins() -> None:
    desk = Desk(EXAMPLE)
    assert default_day(desk) is None
    desk.take(desk.open())
    assert default_day(desk) == DAY
    desk.as_of = date(2011, 10, 15)
    assert default_day(desk) == date(2011, 10, 15)
    desk.as_of = date(2011, 12, 31)
    assert default_day(desk) == DAY


def test_dated_values_are_written_as_toml_and_make_the_same_workspace() -> None:
    saved = kr.load(EXAMPLE)
    edits = [
        kr.ParameterEdit("field_duty.off_post_below", Decimal("0.4"), date(2011, 10, 1)),
        kr.ParameterEdit("pay_withholding.section_grades", ("head",)),
    ]
    other = saved.with_edits(edits)
    values = changed_values(saved, other)
    assert values is not None
    assert changed_values(other, saved.with_parameters(values)) == {}
    assert toml(values["field_duty.off_post_below"]) == "[{value = 0.50}, {value = 0.4, from = 2011-10-01}]"
    assert toml(values["pay_withholding.section_grades"]) == '["head"]'


def test_a_trial_is_one_value() -> None:
    """Without a screen: what a run returns is all that the pane shows."""
    desk = Desk(EXAMPLE)
    desk.take(desk.open())
    desk.keep(desk.weigh((MILDER,)))
    work = Run.of(desk, Asked(DAY, 200, 1))
    assert work is not None
    assert work.remaining is None
    found = work()
    assert isinstance(found, Trial)
    assert found.until == date(2011, 12, 31)
    assert [letter for letter, _each in found.variants] == ["A", "B"]
    assert found.counts["met"][0].times.sum() == 200
    assert found.known["tick"].max() == DAY
    assert found.pace["tick"].max() == date(2011, 12, 31)
