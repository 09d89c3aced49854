"""Rosters of leading groups, against a plain look at every day (M6)."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given, settings

import kpi_rules as kr
from kpi_field_duty import roster
from tests.plugins.field_duty.making import DAY, turns, workspace

FIRST, LAST = date(2011, 1, 1), date(2011, 3, 15)
ALL = [FIRST + number * DAY for number in range((LAST - FIRST).days + 1)]


def on_duty(rows: list[dict[str, Any]], unit: str, role: str, day: date) -> set[str]:
    return {
        row["person"]
        for row in rows
        if (row["unit"], row["role"]) == (unit, role)
        and row["from_on"] <= day
        and (row["to_on"] is None or day <= row["to_on"])
    }


def states(daily: set[str], lead: set[str]) -> str:
    found = {
        "no daily": not daily,
        "no lead": not lead,
        "two daily": len(daily) > 1,
        "two lead": len(lead) > 1,
        "two roles": bool(daily & lead),
    }
    return ", ".join(name for name, holds in found.items() if holds) or "ok"


@given(turns())
@settings(max_examples=40, deadline=None)
def test_every_day_is_shown_as_it_is(rows: list[dict[str, Any]]) -> None:
    found = roster(workspace(roster=rows), FIRST, LAST)
    shown = {
        (row["unit"], row["from_on"] + number * DAY): (set(row["daily"]), set(row["lead"]), row["state"])
        for row in found.iter_rows(named=True)
        for number in range((row["to_on"] - row["from_on"]).days + 1)
    }
    plain = {}
    for unit in {row["unit"] for row in rows}:
        for day in ALL:
            daily, lead = (on_duty(rows, unit, role, day) for role in ("daily", "lead"))
            plain[unit, day] = (daily, lead, states(daily, lead))
    assert shown == plain
    assert sum((row["to_on"] - row["from_on"]).days + 1 for row in found.iter_rows(named=True)) == len(plain)


@given(turns())
@settings(max_examples=40, deadline=None)
def test_gaps_and_clashes_are_found_where_they_are(rows: list[dict[str, Any]]) -> None:
    seen = kr.rows(workspace(roster=rows), "roster")
    gaps = {
        (row["unit"], row["role"], row["gap_from"] + number * DAY)
        for row in seen.iter_rows(named=True)
        if row["gap_from"] is not None
        for number in range((row["gap_to"] - row["gap_from"]).days + 1)
    }
    plain_gaps = set()
    for unit, role in {(row["unit"], row["role"]) for row in rows}:
        own = [row for row in rows if (row["unit"], row["role"]) == (unit, role)]
        first, last = min(row["from_on"] for row in own), max(row["from_on"] for row in own)
        plain_gaps |= {(unit, role, day) for day in ALL if first <= day <= last and not on_duty(rows, unit, role, day)}
    assert gaps == plain_gaps
    for row in seen.iter_rows(named=True):
        order = (row["from_on"], row["unit"], row["role"], row["person"])
        earlier = [
            other
            for other in rows
            if (other["from_on"], other["unit"], other["role"], other["person"]) < order
            and (other["to_on"] is None or other["to_on"] >= row["from_on"])
        ]
        same_role = [
            other["person"] for other in earlier if (other["unit"], other["role"]) == (row["unit"], row["role"])
        ]
        same_person = [(other["unit"], other["role"]) for other in earlier if other["person"] == row["person"]]
        assert (row["clash_with"] is not None) == bool(same_role)
        assert row["clash_with"] is None or row["clash_with"] in same_role
        assert (row["busy_unit"] is not None) == bool(same_person)
        assert row["busy_unit"] is None or (row["busy_unit"], row["busy_role"]) in same_person


ROWS = [
    {"unit": "finance", "person": "P1", "role": "daily", "from_on": date(2011, 1, 1), "to_on": date(2011, 6, 30)},
    {"unit": "finance", "person": "P2", "role": "lead", "from_on": date(2011, 1, 1), "to_on": date(2011, 1, 31)},
    {"unit": "finance", "person": "P3", "role": "lead", "from_on": date(2011, 2, 11), "to_on": date(2011, 3, 31)},
    {"unit": "finance", "person": "P1", "role": "lead", "from_on": date(2011, 3, 30), "to_on": date(2011, 4, 30)},
]


def test_an_example_by_hand() -> None:
    found = roster(workspace(roster=ROWS))
    assert found.select("from_on", "to_on", "daily", "lead", "state").rows() == [
        (date(2011, 1, 1), date(2011, 1, 31), ["P1"], ["P2"], "ok"),
        (date(2011, 2, 1), date(2011, 2, 10), ["P1"], [], "no lead"),
        (date(2011, 2, 11), date(2011, 3, 29), ["P1"], ["P3"], "ok"),
        (date(2011, 3, 30), date(2011, 3, 31), ["P1"], ["P1", "P3"], "two lead, two roles"),
        (date(2011, 4, 1), date(2011, 4, 30), ["P1"], ["P1"], "two roles"),
        (date(2011, 5, 1), date(2011, 6, 30), ["P1"], [], "no lead"),
    ]
    assert found["remark"][3] == "several lead at once; somebody both stays and leads"


def test_the_findings_have_dates() -> None:
    a = kr.assess(workspace(roster=ROWS))
    assert sorted(a.findings.select("code", "message").rows()) == [
        ("roster_clash", "P1 and P3 of finance both have the role lead from 2011-03-30 on"),
        ("roster_gap", "nobody of finance has the role lead from 2011-02-01 to 2011-02-10"),
        ("roster_two_roles", "P1 begins lead of finance on 2011-03-30 and still has daily of finance"),
    ]


def test_a_workspace_without_a_roster() -> None:
    assert roster(workspace()).is_empty()
