"""What differs between two assessments, held against events and ledger lines counted one by one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kpi_rules as kr
from tests.workspace.editing import EXAMPLE, JULY, edits_of

WS = kr.load(EXAMPLE)
BEFORE = kr.assess(WS, date(2012, 3, 31))


def plainly(assessment: kr.Assessment, rule: str) -> dict[str, list[tuple[object, ...]]]:
    """Return the events of a rule by unit, of those that it meets."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for event in assessment.events.iter_rows(named=True):
        if event["rule"] == rule:
            found.setdefault(event["unit"], []).append((event["tick"], event["event"], event["amount"]))
    return {unit: sorted(days) for unit, days in found.items() if {"started", "issued"} & {each for _, each, _ in days}}


def withheld(assessment: kr.Assessment) -> dict[str, int]:
    sums = dict.fromkeys(("withheld", "released", "reversed", "outstanding"), 0)
    for line in assessment.ledger.iter_rows(named=True):
        sums["withheld"] += line["withheld"]
        sums["released"] += line["withheld"] if line["released_on"] else 0
        sums["reversed"] += line["withheld"] if line["reversed_on"] else 0
    return {**sums, "outstanding": sums["withheld"] - sums["released"] - sums["reversed"]}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_it_is_what_counting_gives(data: st.DataObject) -> None:
    edits = data.draw(edits_of(WS))
    if WS.with_edits(edits).errors:
        return
    after = BEFORE.what_if(edits)
    found = kr.difference(BEFORE, after)
    assert set(found.rules["rule"]) == {*BEFORE.rulebook.rules, *after.rulebook.rules}
    for row in found.rules.iter_rows(named=True):
        was, now = plainly(BEFORE, row["rule"]), plainly(after, row["rule"])
        assert (row["before"], row["after"]) == (len(was), len(now))
        assert row["begins"] == sorted(set(now) - set(was))
        assert row["ceases"] == sorted(set(was) - set(now))
        assert row["otherwise"] == sorted(unit for unit in set(was) & set(now) if was[unit] != now[unit])
    for each, name in ((BEFORE, "before"), (after, "after")):
        pay = found.money.filter(pl.col("rule").is_null())
        assert dict(pay.select("what", name).iter_rows()) == withheld(each)
        issued = each.events.filter(pl.col("amount").is_not_null())
        assert int(found.money.filter(pl.col("what") == "issued")[name].sum()) == int(issued["amount"].sum())


def test_nothing_differs_from_itself() -> None:
    found = kr.difference(BEFORE, BEFORE)
    assert found.none
    assert found.rules["before"].sum() > 0


def test_a_sum_that_differs_is_not_nothing() -> None:
    found = kr.difference(BEFORE, BEFORE.what_if([kr.ParameterEdit("pay_withholding.share", Decimal("0.5"))]))
    assert not found.none
    assert found.rules["before"].equals(found.rules["after"])
    row = found.money.row(0, named=True)
    assert (row["what"], row["after"] * 2) == ("withheld", row["before"])


def test_other_days_are_not_nothing() -> None:
    ws = kr.load(EXAMPLE.parent / "hundred-days")
    before = kr.assess(ws)
    after = before.what_if([kr.ParameterEdit("field_duty.off_post_below", Decimal("0.6"), JULY)])
    found = kr.difference(before, after)
    rows = {row["rule"]: row["otherwise"] for row in found.rules.iter_rows(named=True) if row["otherwise"]}
    assert rows["field_duty.off_post"] == ["high-tech-2", "land"]
    assert found.rules["begins"].list.len().sum() == 0
    assert not found.none
