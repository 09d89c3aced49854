"""Who of a squad may return, against the rule read aloud (M8)."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_field_duty import may_return, returns
from tests.plugins.field_duty.making import workspace

SQUAD = {"posting": "S1", "unit": "finance", "person": "P5", "role": "squad", "squad": "east"}
OUT = {**SQUAD, "from_on": date(2011, 2, 1)}
ASKED = {"request": "R1", "posting": "S1", "requested_on": date(2011, 4, 1)}
PARENTS = {"city": None, "finance": "city", "books": "finance", "water": "city"}

some_day = st.none() | st.dates(date(2011, 1, 25), date(2011, 5, 10))
projects = st.lists(
    st.fixed_dictionaries(
        {
            "unit": st.sampled_from(["finance", "books", "water"]),
            "squad": st.sampled_from([None, None, "east", "west"]),
            "recognised_on": some_day,
            "refused_on": st.none() | some_day,
            "revoked_on": st.none() | some_day,
        }
    ),
    max_size=3,
)


def is_below(unit: str | None, above: str) -> bool:
    while unit is not None and unit != above:
        unit = PARENTS[unit]
    return unit == above


def expected(rows: list[dict[str, Any]], left: date | None, accepted: date | None, on: date) -> str:
    """Read the rule aloud: which results there were by the day, and whether the circumstance was accepted by then."""
    last = min(left, on) if left is not None else on
    for row in rows:
        over = [day for day in (row["refused_on"], row["revoked_on"]) if day is not None]
        recognised = row["recognised_on"]
        if recognised is None or not date(2011, 2, 1) <= recognised <= last or any(day <= last for day in over):
            continue
        if row["squad"] == "east" or (row["squad"] is None and is_below(row["unit"], "finance")):
            return "project"
    return "circumstance" if accepted is not None and accepted <= last else "not accepted"


@given(projects, some_day, some_day, st.dates(date(2011, 4, 1), date(2011, 5, 15)))
@settings(max_examples=15, deadline=None)
def test_a_return_is_allowed_with_a_result_or_an_accepted_circumstance_alone(
    rows: list[dict[str, Any]], left: date | None, accepted: date | None, on: date
) -> None:
    left = None if left is None or left < date(2011, 2, 1) else left
    named = [{"project": f"J{number}", **row} for number, row in enumerate(rows)]
    request = {**ASKED, "circumstance": "illness", "accepted_on": accepted}
    ws = workspace(projects=named, postings=[{**OUT, "to_on": left}], returns=[request])
    because = expected(rows, left, accepted, on)
    for which in ("R1", "S1"):
        made = may_return(ws, which, on, known_at=date(2011, 1, 1))
        # A revocation after the day of knowledge is not known: nothing is revoked yet on 1 January.
        known = [{**row, "revoked_on": None} for row in rows]
        assert made.because == expected(known, left, accepted, on)
        made = may_return(ws, which, on, known_at=date(2011, 12, 31))
        assert (made.allowed, made.because) == (because in {"project", "circumstance"}, because)
        assert made.reason
    ended = left is not None and left <= on
    codes = kr.assess(ws, as_of=on, known_at=date(2011, 12, 31)).findings["code"].to_list()
    assert ("unexcused_return" in codes) == (ended and because == "not accepted")


def test_the_reason_has_the_figures() -> None:
    project = {"project": "J1", "unit": "finance", "recognised_on": date(2011, 3, 5)}
    ws = workspace(projects=[project], postings=[OUT], returns=[ASKED])
    made = may_return(ws, "R1", date(2011, 4, 1))
    assert (made.allowed, made.project, made.recognised_on) == (True, "J1", date(2011, 3, 5))
    assert made.reason == "project J1 was recognised on 2011-03-05, within the posting"
    before = may_return(ws, "R1", date(2011, 4, 1), known_at=date(2011, 4, 1))
    assert before == made
    assert may_return(ws, "S1", date(2011, 3, 4)).reason == "nobody has asked to return"


def test_without_result_and_circumstance() -> None:
    ws = workspace(postings=[OUT], returns=[ASKED])
    made = may_return(ws, "R1", date(2011, 4, 1))
    assert (made.allowed, made.because) == (False, "no result")
    assert made.reason == "no project was recognised within the posting, and no special circumstance is named"


def test_the_project_of_another_squad_is_no_result() -> None:
    project = {"project": "J1", "unit": "finance", "squad": "west", "recognised_on": date(2011, 3, 5)}
    ws = workspace(projects=[project], postings=[OUT], returns=[ASKED])
    assert not may_return(ws, "R1").allowed


def test_a_project_that_the_unit_claims_is_its_result() -> None:
    project = {"project": "J1", "unit": "water", "recognised_on": date(2011, 3, 5)}
    claims = [
        {"project": "J1", "unit": "water", "share": "0.6"},
        {"project": "J1", "unit": "books", "share": "0.4"},
    ]
    ws = workspace(projects=[project], claims=claims, postings=[OUT], returns=[ASKED])
    assert may_return(ws, "R1").project == "J1"


def test_who_came_home_by_a_return_has_left() -> None:
    ws = workspace(postings=[OUT], returns=[{**ASKED, "returned_on": date(2011, 4, 3)}])
    a = kr.assess(ws, as_of=date(2011, 4, 30))
    assert a.findings.select("code", "severity", "table", "key", "message").rows() == [
        (
            "unexcused_return",
            "error",
            "postings",
            "S1",
            "P5 of finance left posting S1 on 2011-04-03 without a project result or an accepted special circumstance",
        )
    ]
    assert kr.assess(ws, as_of=date(2011, 4, 2)).findings.is_empty()


def test_the_table_has_requests_and_silent_returns() -> None:
    project = {"project": "J1", "unit": "books", "recognised_on": date(2011, 3, 5)}
    rows = [
        OUT,
        {**OUT, "posting": "S2", "person": "P6", "unit": "water", "squad": None, "to_on": date(2011, 3, 31)},
        {**OUT, "posting": "S3", "person": "P7", "to_on": date(2011, 3, 31)},
        {**OUT, "posting": "H1", "person": "P1", "role": "head", "to_on": date(2011, 3, 31)},
    ]
    ws = workspace(projects=[project], postings=rows, returns=[ASKED])
    a = kr.assess(ws, as_of=date(2011, 4, 30))
    assert returns(a).select("posting", "request", "left_on", "allowed", "because", "project").rows() == [
        ("S1", "R1", None, True, "project", "J1"),
        ("S2", None, date(2011, 3, 31), False, "no result", None),
        ("S3", None, date(2011, 3, 31), True, "project", "J1"),
    ]
    assert a.findings.select("code", "key").rows() == [("unexcused_return", "S2"), ("return_not_requested", "S3")]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"requested_on": date(2011, 1, 31)}, "request_outside_posting"),
        ({"accepted_on": date(2011, 4, 2)}, "circumstance_not_named"),
        ({"circumstance": "illness", "accepted_on": date(2011, 3, 31)}, "accepted_before_request"),
        ({"circumstance": "illness", "accepted_on": date(2011, 4, 1)}, None),
    ],
)
def test_requests_that_are_odd(row: dict[str, object], code: str | None) -> None:
    ws = workspace(postings=[OUT], returns=[{**ASKED, **row}])
    assert kr.assess(ws).findings["code"].to_list() == ([] if code is None else [code])


@pytest.mark.parametrize(
    ("due", "recognised", "left", "overdue"),
    [
        (date(2011, 3, 1), None, None, True),
        (date(2011, 3, 1), date(2011, 3, 1), None, False),
        (date(2011, 3, 1), date(2011, 3, 2), None, True),
        (date(2011, 4, 30), None, None, False),
        (date(2011, 4, 29), None, None, True),
    ],
)
def test_squads_overdue(due: date, recognised: date | None, left: date | None, overdue: bool) -> None:  # noqa: FBT001 (a figure of the case)
    project = {"project": "J1", "unit": "finance", "recognised_on": recognised}
    ws = workspace(projects=[project], postings=[{**OUT, "due_on": due, "to_on": left}])
    codes = kr.assess(ws, as_of=date(2011, 4, 30)).findings["code"].to_list()
    assert codes == (["squad_overdue"] if overdue else [])


def test_a_request_that_there_is_not() -> None:
    ws = workspace(postings=[OUT], returns=[ASKED])
    with pytest.raises(ValueError, match="no request or posting R9 by then"):
        may_return(ws, "R9")
    assert may_return(ws, "R1", date(2011, 4, 1)).request == "R1"
    with pytest.raises(ValueError, match="no request or posting R1 by then"):
        may_return(ws, "R1", date(2011, 3, 31))


def test_rows_of_a_table_that_there_is_not() -> None:
    with pytest.raises(ValueError, match=r"no table posting \(nearest: postings\)"):
        kr.rows(workspace(), "posting")


def test_the_posting_of_another_than_the_head_does_not_count() -> None:
    rows = [
        {**OUT, "posting": "H1", "person": "P9", "role": "head", "to_on": date(2011, 2, 10)},
        {**OUT, "posting": "H2", "person": "P1", "role": "head", "to_on": date(2011, 2, 3)},
    ]
    a = kr.assess(workspace(postings=rows), as_of=date(2011, 2, 28))
    assert a.findings.select("code", "key").rows() == [("posted_as_head", "H1")]
    last = a.units.filter(pl.col("unit") == "finance", pl.col("tick") == date(2011, 2, 28))
    assert last["days_served"].to_list() == [3]


def test_an_excluded_posting_does_not_count() -> None:
    rows = [
        {**OUT, "posting": "H1", "person": "P1", "role": "head", "to_on": date(2011, 2, 10)},
        {**OUT, "posting": "H2", "person": "P1", "role": "head", "to_on": date(2011, 2, 20)},
    ]
    for effect, served in (("flag", 20), ("exclude", 10)):
        a = kr.assess(workspace(checks={"overlapping_postings": effect}, postings=rows), as_of=date(2011, 2, 28))
        assert a.findings.select("code", "key").rows() == [("overlapping_postings", "H2")]
        last = a.units.filter(pl.col("unit") == "finance", pl.col("tick") == date(2011, 2, 28))
        assert last["days_served"].to_list() == [served]
