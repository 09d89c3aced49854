"""Days that heads owe and have served, against a plain loop over days (M7)."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_field_duty import days, stationed
from kpi_field_duty.days import served
from tests.plugins.field_duty.making import END, START, UNITS, postings, span, workspace

HEADS = {"finance": "P1", "books": "P3", "water": "P2"}
HEAD = {"posting": "H1", "unit": "finance", "person": "P1", "role": "head", "place": "Shenzhen"}


def counted(rows: list[dict[str, Any]], until: date) -> dict[str, int]:
    """Count the days of heads one by one: a day of a person counts for the posting that began first."""
    taken: set[tuple[str, date]] = set()
    found = dict.fromkeys(("finance", "books", "water"), 0)
    for row in sorted(rows, key=lambda row: (row["from_on"], row["posting"])):
        if row["role"] != "head" or HEADS[row["unit"]] != row["person"]:
            continue
        for day in span(row["from_on"], row["to_on"], until):
            if (row["person"], day) not in taken:
                taken.add((row["person"], day))
                found[row["unit"]] += START <= day <= END
    return found


@given(postings(), st.dates(date(2010, 12, 31), date(2011, 4, 30)))
@settings(max_examples=40, deadline=None)
def test_days_served_are_the_distinct_days_of_the_head(rows: list[dict[str, Any]], on: date) -> None:
    seen = kr.rows(workspace(postings=rows), "postings", on).filter(pl.col("role") == "head")
    within = seen.with_columns(days=served(pl.lit(START), pl.lit(on)))
    found = dict(within.group_by("unit").agg(pl.col("days").sum()).iter_rows())
    assert {unit: found.get(unit, 0) for unit in HEADS} == counted(rows, on)


@given(postings(), st.sampled_from([date(2011, 1, 31), date(2011, 2, 15), date(2011, 3, 31), date(2011, 12, 31)]))
@settings(max_examples=8, deadline=None)
def test_the_indicator_is_the_same_number(rows: list[dict[str, Any]], on: date) -> None:
    ws = workspace({"days_per_month": 1}, postings=rows)
    found = kr.assess(ws, as_of=on).units.filter(pl.col("tick") == on)
    assert dict(found.select("unit", "days_served").iter_rows()) == {"city": 0, **counted(rows, on)}


def test_an_example_by_hand() -> None:
    rows: list[dict[str, Any]] = [
        {**HEAD, "from_on": date(2010, 12, 20), "to_on": date(2011, 1, 10)},
        {**HEAD, "posting": "H2", "from_on": date(2011, 1, 6), "to_on": date(2011, 1, 15)},
        {**HEAD, "posting": "H3", "from_on": date(2011, 1, 12), "to_on": date(2011, 1, 14)},
        {**HEAD, "posting": "S1", "role": "squad", "from_on": date(2011, 1, 1), "to_on": date(2011, 1, 31)},
        {**HEAD, "posting": "H4", "from_on": date(2011, 2, 27), "to_on": None},
    ]
    found = kr.assess(workspace({"days_per_month": 10}, postings=rows), as_of=date(2011, 3, 1)).units
    assert found.filter(pl.col("unit") == "finance").select(
        "tick", "days_owed", "days_served", "days_short"
    ).rows() == [
        (date(2011, 1, 31), 10, 15, 0),
        (date(2011, 2, 28), 20, 17, 3),
        (date(2011, 3, 1), 20, 18, 2),
    ]


def test_what_is_recorded_later_is_not_known_and_what_is_revoked_not_counted() -> None:
    rows: list[dict[str, Any]] = [
        {**HEAD, "from_on": date(2011, 1, 1), "to_on": date(2011, 1, 20), "revoked_on": date(2011, 3, 1)},
        {**HEAD, "posting": "H2", "from_on": date(2011, 1, 11), "to_on": date(2011, 1, 20)},
        {
            **HEAD,
            "posting": "H3",
            "from_on": date(2011, 1, 21),
            "to_on": date(2011, 1, 25),
            "recorded_on": date(2011, 2, 9),
        },
    ]
    ws = workspace(postings=rows)
    for known_at, days_served in ((date(2011, 2, 8), 20), (date(2011, 2, 28), 25), (date(2011, 3, 1), 15)):
        found = kr.assess(ws, as_of=date(2011, 1, 31), known_at=known_at).units
        assert found.filter(pl.col("unit") == "finance")["days_served"].to_list() == [days_served]


def test_days_after_the_year_are_neither_served_nor_owed() -> None:
    rows = [{**HEAD, "from_on": date(2011, 12, 30), "to_on": date(2012, 1, 20)}]
    found = kr.assess(workspace({"days_per_month": 2}, postings=rows), as_of=date(2012, 2, 29)).units
    finance = found.filter(pl.col("unit") == "finance", pl.col("tick") >= END)
    assert finance.select("days_owed", "days_served").rows() == [(24, 2)] * 3


@given(
    st.lists(st.tuples(st.integers(1, 12), st.integers(0, 31), st.sampled_from([None, "economic"])), max_size=4),
    st.integers(1, 12),
)
@settings(max_examples=8, deadline=None)
def test_days_owed_add_up_month_by_month(entries: list[tuple[int, int, str | None]], last: int) -> None:
    given = {(month, group): value for month, value, group in entries}
    values = [{"value": 3}] + [
        {"value": value, "from": date(2011, month, 1), **({"group": group} if group else {})}
        for (month, group), value in given.items()
    ]

    def in_force(month: int, group: str | None) -> int:
        for own in (group, None):
            reached = [(start, value) for (start, of), value in given.items() if of == own and start <= month]
            if reached:
                return max(reached)[1]
        return 3

    on = END if last == 12 else date(2011, last + 1, 1) - (date(2011, 1, 2) - date(2011, 1, 1))
    found = kr.assess(workspace({"days_per_month": values}), as_of=on).units.filter(pl.col("tick") == on)
    owed = dict(found.select("unit", "days_owed").iter_rows())
    assert owed == {
        unit["unit"]: sum(in_force(month, unit["group"]) for month in range(1, last + 1)) if unit["head"] else 0
        for unit in UNITS
    }


def test_the_table_of_days_has_units_with_a_head_or_a_posting_of_one() -> None:
    rows = [{**HEAD, "unit": "city", "from_on": date(2011, 1, 5), "to_on": date(2011, 1, 6)}]
    found = days(kr.assess(workspace({"days_per_month": 1}, postings=rows), as_of=date(2011, 1, 31)))
    assert found.select("unit", "head", "postings", "days_owed", "days_served", "days_short").rows() == [
        ("city", None, 1, 0, 2, 0),
        ("finance", "P1", 0, 1, 0, 1),
        ("books", "P3", 0, 1, 0, 1),
        ("water", "P2", 0, 1, 0, 1),
    ]


def test_nothing_is_shown_where_nobody_asks_for_days() -> None:
    a = kr.assess(workspace(), as_of=date(2011, 1, 31))
    assert not {"days_owed", "days_served", "days_served_quota", "days_short", "heads_owing"} & set(a.units.columns)
    assert days(a).is_empty()
    only = kr.assess(workspace({"days_per_month": 1}), as_of=date(2011, 1, 31), indicators=("funds",))
    with pytest.raises(ValueError, match="assess with indicators="):
        days(only)


def test_a_quota_of_days_has_a_completion() -> None:
    quotas = [{"unit": "finance", "indicator": "days_served", "amount": "40", "effective": START}]
    rows = [{**HEAD, "from_on": date(2011, 1, 1), "to_on": date(2011, 1, 10)}]
    for postings_, completion in ((rows, 0.25), ([], 0.0)):
        found = kr.assess(workspace(quotas=quotas, postings=postings_), as_of=date(2011, 1, 31)).units
        assert found.filter(pl.col("unit") == "finance")["days_served_completion"].to_list() == [completion]


@pytest.mark.parametrize(("above", "fires"), [(2, True), (3, False)])
def test_a_reminder_fires_above_its_bound_alone(above: int, fires: bool) -> None:  # noqa: FBT001 (a figure of the case)
    item = {"name": "few_days", "short_above": above, "at": "quarter_end"}
    ws = workspace({"days_per_month": 1, "reminder": [item]})
    found = kr.assess(ws, as_of=date(2011, 3, 31)).measures
    assert set(found["unit"]) == ({"finance", "books", "water"} if fires else set())
    assert set(found["rule"]) <= {"field_duty.few_days"}
    if fires:
        assert set(found["reason"]) == {"0 of 3 days in the field, 3 short"}
        assert set(found["person"]) == {"P1", "P2", "P3"}


def test_nobody_is_reminded_where_no_days_are_owed() -> None:
    ws = workspace({"reminder": [{"at": "month_end"}]})
    assert kr.assess(ws).measures.is_empty()


def test_a_reminder_with_a_bound_below_0_is_an_error() -> None:
    config = {
        "year": {"start": START, "end": END},
        "plugins": {"enabled": ["field_duty"]},
        "field_duty": {"reminder": [{"short_above": -1}]},
    }
    ws = kr.Workspace(config, {"units": pl.DataFrame({"unit": ["finance"], "name": ["Finance"]})})
    assert [problem.code for problem in ws.errors] == ["out-of-bounds"]


def test_a_stationed_head_owes_from_the_station_on() -> None:
    quotas = [{"unit": "finance", "indicator": "funds", "amount": "1000.00", "effective": START}]
    rows = [
        {**HEAD, "from_on": date(2011, 4, 21), "to_on": date(2011, 5, 10)},
        {**HEAD, "posting": "S1", "role": "squad", "from_on": date(2011, 5, 11), "to_on": date(2011, 5, 20)},
    ]
    ws = workspace(
        {"stationed_days_per_month": [{"value": 5}, {"value": 8, "from": date(2011, 6, 1)}]},
        quotas=quotas,
        postings=rows,
    )
    found = stationed(kr.assess(ws, as_of=date(2011, 6, 30)))
    assert found.select("unit", "person", "started", "ended", "days_owed", "days_served", "days_short").rows() == [
        ("finance", "P1", date(2011, 4, 30), None, 13, 10, 3)
    ]
