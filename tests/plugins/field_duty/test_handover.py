"""Heads off post: hand-over, end, and that leaving the post replaces it (M9, M10)."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_field_duty import duties
from tests.plugins.field_duty.making import END, START, workspace

OFF_POST, LEAVE_POST = "field_duty.off_post", "field_duty.leave_post"
QUOTAS = [
    {"unit": unit, "indicator": "funds", "amount": "1000.00", "effective": START} for unit in ("finance", "water")
]
PROJECTS = [
    {"project": "J1", "unit": "finance", "recognised_on": START},
    {"project": "J2", "unit": "water", "recognised_on": START},
]
IN_FORCE = date(2011, 12, 31)


def arrivals(**amounts: list[tuple[date, str]]) -> list[dict[str, Any]]:
    return [
        {"voucher": f"{project}-{number}", "project": project, "amount": amount, "arrived_on": on}
        for project, rows in amounts.items()
        for number, (on, amount) in enumerate(rows)
    ]


def test_a_duty_says_who_stands_in_since_when() -> None:
    handed = [
        {"unit": "finance", "head": "P1", "deputy": "P8", "from_on": date(2011, 1, 5), "to_on": date(2011, 3, 31)},
        {"unit": "finance", "head": "P1", "deputy": "P7", "from_on": date(2012, 1, 4)},
        {"unit": "finance", "head": "P1", "deputy": "P6", "from_on": date(2012, 3, 1)},
    ]
    money = arrivals(J1=[(date(2011, 5, 1), "400.00")], J2=[(date(2011, 5, 1), "100.00")])
    ws = workspace(quotas=QUOTAS, projects=PROJECTS, arrivals=money, handovers=handed)
    a = kr.assess(ws, as_of=date(2012, 3, 31))
    assert duties(a).select("unit", "rule", "head", "started", "deputy", "since", "handed_over").rows() == [
        ("finance", OFF_POST, "P1", IN_FORCE, "P7", date(2012, 1, 4), True),
        ("water", LEAVE_POST, "P2", IN_FORCE, None, None, False),
    ]
    assert duties(a)["remark"].to_list() == ["", "no hand-over is on record"]
    reasons = dict(a.measures.filter(pl.col("rule").is_in([OFF_POST, LEAVE_POST])).select("rule", "reason").iter_rows())
    assert reasons[OFF_POST].endswith("until the task is met; post and pay stay as they are")
    assert reasons[LEAVE_POST].endswith("until the task is met; pay stays as it is")


def test_a_missing_hand_over_is_a_finding_where_hand_overs_are_kept() -> None:
    elsewhere = [{"unit": "books", "head": "P3", "deputy": "P8", "from_on": date(2011, 1, 5)}]
    a = kr.assess(workspace(quotas=QUOTAS, projects=PROJECTS, handovers=elsewhere), as_of=END)
    missing = a.findings.filter(pl.col("code") == "handover_missing")
    leaving = a.measures.filter(pl.col("rule") == LEAVE_POST)
    assert missing["table"].to_list() == ["measures"] * 2
    assert set(missing["key"]) == set(leaving["id"])
    assert leaving.filter(pl.col("unit") == "water")["remarks"].to_list() == [
        ["handover_missing: no hand-over is on record: to whom the work of water goes, and since when"]
    ]
    assert kr.assess(workspace(quotas=QUOTAS, projects=PROJECTS), as_of=END).findings.is_empty()


def test_the_measure_says_who_stands_in() -> None:
    handed = [{"unit": "water", "head": "P2", "deputy": "P8", "from_on": date(2012, 1, 4)}]
    ws = workspace(quotas=QUOTAS, projects=PROJECTS, handovers=handed)
    for as_of, said in (
        (END, "handover_missing"),
        (date(2012, 1, 31), "handed_over: P8 has the work of water since 2012-01-04"),
    ):
        a = kr.assess(ws, as_of=as_of)
        (remarks,) = a.measures.filter(pl.col("rule") == LEAVE_POST, pl.col("unit") == "water")["remarks"].to_list()
        assert [each[: len(said)] for each in remarks] == [said]


@given(
    st.lists(
        st.tuples(st.dates(START, date(2012, 6, 30)), st.integers(1, 80).map(lambda tens: f"{tens * 10}.00")),
        max_size=6,
    )
)
@settings(max_examples=8, deadline=None)
def test_a_head_is_never_off_post_and_leaving_at_once(money: list[tuple[date, str]]) -> None:
    ws = workspace(quotas=QUOTAS, projects=PROJECTS, arrivals=arrivals(J1=money))
    a = kr.assess(ws, as_of=date(2012, 6, 30))
    lasting = a.measures.filter(pl.col("rule").is_in([OFF_POST, LEAVE_POST, "field_duty.station_head"]))
    for tick in a.ticks:
        now = lasting.filter(pl.col("started") <= tick.on, pl.col("ended").is_null() | (pl.col("ended") > tick.on))
        assert now["unit"].is_unique().all()
    done = a.units.filter(pl.col("completion") >= 1).select("unit", "tick")
    for unit, tick in done.iter_rows():
        assert lasting.filter(
            pl.col("unit") == unit, pl.col("started") <= tick, pl.col("ended").is_null() | (pl.col("ended") > tick)
        ).is_empty()


def test_odd_hand_overs() -> None:
    rows = [
        {"unit": "finance", "head": "P9", "deputy": "P8", "from_on": date(2011, 1, 5)},
        {"unit": "finance", "head": "P1", "deputy": "P1", "from_on": date(2011, 1, 5)},
    ]
    found = kr.assess(workspace(handovers=rows)).findings
    assert sorted(found.select("code", "message").rows()) == [
        ("handover_not_of_the_head", "P9 hands over finance on 2011-01-05, which P1 heads"),
        ("handover_to_oneself", "P1 hands over finance on 2011-01-05 to nobody else"),
    ]
