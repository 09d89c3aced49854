"""Steps of escalation: County C's cards and talks, the laggards' meeting, the bulletin, the veto."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kpi_rules as kr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

YEAR_END = date(2012, 12, 31)
QUARTERS = (date(2012, 3, 31), date(2012, 6, 30), date(2012, 9, 30), YEAR_END)
COUNTY_C = [{"name": "yellow_card"}, {"name": "idle_talk"}, {"name": "card_talk"}, {"name": "veto"}]


def made(
    steps: Sequence[Mapping[str, Any]],
    projects: Sequence[date] = (),
    arrivals: Sequence[tuple[int, date]] = (),
    *,
    group: str | None = None,
    **more: Any,  # noqa: ANN401 (settings of the policy)
) -> kr.Workspace:
    """One town with a task of 1000 yuan; arrivals are of 100 yuan each, for a project by its place."""
    names = [f"J{place}" for place in range(len(projects))]
    tables = {
        "units": pl.DataFrame(
            {
                "unit": ["town", "county"],
                "name": ["Town", "County"],
                "group": [group, None],
                "parent": ["county", None],
            },
            schema=dict.fromkeys(("unit", "name", "group", "parent"), pl.String),
        ),
        "quotas": pl.DataFrame(
            {"unit": ["town"], "indicator": ["funds"], "amount": ["1000"], "effective": [date(2012, 1, 1)]}
        ),
        "projects": pl.DataFrame(
            {
                "project": names,
                "unit": ["town"] * len(names),
                "signed_on": list(projects),
                "recognised_on": list(projects),
            },
            schema={"project": pl.String, "unit": pl.String, "signed_on": pl.Date, "recognised_on": pl.Date},
        ),
        "arrivals": pl.DataFrame(
            [(f"V{place}", f"J{project}", "100", on) for place, (project, on) in enumerate(arrivals)],
            schema={"voucher": pl.String, "project": pl.String, "amount": pl.String, "arrived_on": pl.Date},
            orient="row",
        ),
    }
    config = {
        "year": {"start": date(2012, 1, 1), "end": YEAR_END, "reviews": [date(2012, 8, 15)]},
        "credit": {"unvisited": "vouchers"},
        "campaign": [{"id": "c", "name": "c", "start": date(2012, 4, 1), "end": date(2012, 7, 9), "share": 0.5}],
        "plugins": {"enabled": ["supervision"]},
        "supervision": {"talk_after": 99, "step": list(steps), **more},
    }
    return kr.Workspace(config, tables)


def issued(ws: kr.Workspace, as_of: date = YEAR_END) -> list[tuple[str, date]]:
    assert ws.errors == []
    events = kr.assess(ws, as_of).events
    assert set(events["unit"]) <= {"town"}  # a county without a task gets nothing
    found = events.with_columns(pl.col("rule").str.strip_prefix("supervision."))
    return sorted(found.select("rule", "tick").rows())


def of(ws: kr.Workspace, name: str, as_of: date = YEAR_END) -> list[date]:
    return [tick for rule, tick in issued(ws, as_of) if rule == name]


def test_county_c_a_unit_that_does_nothing() -> None:
    assert issued(made(COUNTY_C)) == [
        ("card_talk", date(2012, 6, 30)),
        ("idle_talk", date(2012, 6, 30)),
        ("idle_talk", YEAR_END),
        ("veto", YEAR_END),
        *[("yellow_card", tick) for tick in QUARTERS],
    ]


def test_a_project_or_arrived_funds_spare_the_quarter_and_the_half_year() -> None:
    # A project in February, a voucher for it in July: the second and the fourth quarter have neither.
    ws = made(COUNTY_C, [date(2012, 2, 29)], [(0, date(2012, 7, 1))])
    assert of(ws, "yellow_card") == [date(2012, 6, 30), YEAR_END]
    assert of(ws, "idle_talk") == []
    assert of(ws, "card_talk") == []
    measures = kr.assess(ws).measures
    reasons = measures.filter(pl.col("rule") == "supervision.yellow_card")["reason"]
    assert set(reasons) == {"0 projects in the quarter, 0 with arrived funds"}
    assert of(made([{"name": "yellow_card", "since": "year"}], [date(2012, 5, 1)]), "yellow_card") == [QUARTERS[0]]


@pytest.mark.parametrize(
    ("counting", "after", "talks"),
    [
        ("consecutive", 2, [YEAR_END]),
        ("consecutive", 3, []),
        ("total", 2, [date(2012, 9, 30)]),
        ("total", 3, [YEAR_END]),
        ("total", 4, []),
    ],
)
def test_talks_after_cards_in_a_row_or_in_all(counting: str, after: int, talks: list[date]) -> None:
    # Cards in the first, third and fourth quarter.
    steps = [{"name": "yellow_card"}, {"name": "card_talk", "counting": counting}]
    ws = made(steps, [date(2012, 4, 1)], cards_for_talk=after)
    assert of(ws, "yellow_card") == [QUARTERS[0], QUARTERS[2], QUARTERS[3]]
    assert of(ws, "card_talk") == talks
    assert kr.assess(ws).units.filter(pl.col("unit") == "town")["yellow_cards"][-1] == (
        2 if counting == "consecutive" else 3
    )


def test_how_many_cards_may_differ_by_date_and_group() -> None:
    dated = [{"value": 4}, {"value": 3, "from": date(2012, 9, 1)}, {"value": 1, "group": "east"}]
    steps = [{"name": "card_talk"}]
    assert of(made(steps, cards_for_talk=dated[:2]), "card_talk") == [date(2012, 9, 30)]
    assert of(made(steps, cards_for_talk=dated, group="east"), "card_talk") == [date(2012, 3, 31)]
    assert of(made(steps), "yellow_card") == []  # counted, not shown


def test_the_laggards_meeting_is_for_units_with_neither_funds_nor_a_project() -> None:
    steps = [{"name": "laggards"}]
    end = date(2012, 7, 9)
    assert of(made(steps), "laggards") == [end]
    assert of(made(steps, [date(2012, 2, 1)]), "laggards") == []
    assert of(made(steps, [end]), "laggards") == []
    assert of(made(steps, [date(2012, 7, 10)]), "laggards") == [end]
    assert of(made([{"name": "laggards", "at": "review"}]), "laggards") == [date(2012, 8, 15)]


def test_the_bulletin_names_each_month_who_is_behind() -> None:
    # 300 of 1000 arrived in April: behind by 1/12 in January, ahead in May no more: 5/12 > 0.3.
    ws = made(
        [{"name": "bulletin"}],
        [date(2012, 1, 1)],
        [(0, date(2012, 4, 1)), (0, date(2012, 4, 2)), (0, date(2012, 4, 3))],
        bulletin_behind=0.25,
    )
    assert of(ws, "bulletin", date(2012, 8, 31)) == [date(2012, 7, 31), date(2012, 8, 31)]
    everyone = made([{"name": "bulletin"}], [date(2012, 1, 1)], [(0, date(2012, 1, 1))])
    assert of(everyone, "bulletin", date(2012, 2, 29)) == [date(2012, 2, 29)]


def test_the_veto_is_a_flag_that_others_may_read() -> None:
    met = [(0, date(2012, 2, 1))] * 10
    ws = made([{"name": "veto"}], [date(2012, 1, 1)], met)
    assert of(ws, "veto") == []
    flags = kr.assess(ws).units.filter(pl.col("unit") == "town")["vetoed"]
    assert flags.to_list() == [True] + [False] * (len(flags) - 1)
    assert of(made([{"name": "veto"}], [date(2012, 1, 1)], met[:9]), "veto") == [YEAR_END]
    assert of(made([{"name": "veto"}], [date(2012, 1, 1)], met[:9], veto_below=0.9), "veto") == []


def test_without_steps_there_is_nothing_new() -> None:
    ws = made([])
    assert sorted(kr.rulebook(ws).rules) == ["supervision.talk"]
    assert "vetoed" not in kr.assess(ws).units.columns


@pytest.mark.parametrize(
    ("steps", "messages"),
    [
        (
            [{"name": "veto"}, {"name": "veto"}],
            ["supervision.step[2].name: found a second step veto; expected each step once"],
        ),
        (
            [{"name": "laggards", "since": "period"}],
            [
                (
                    "supervision.step[1].since: found period with at = campaign; "
                    "expected period with at = month, quarter, half_year, or year"
                )
            ],
        ),
        (
            [{"name": "card_talk", "at": "month"}],
            ["supervision.step[1].at: found at = month; expected no at: it looks when yellow cards are shown"],
        ),
    ],
)
def test_steps_that_cannot_be(steps: list[dict[str, str]], messages: list[str]) -> None:
    assert [each.message for each in made(steps).problems] == messages


@settings(max_examples=6)
@given(st.lists(st.tuples(st.dates(date(2012, 1, 1), YEAR_END), st.integers(0, 200)), max_size=3))
def test_cards_by_hand(projects: list[tuple[date, int]]) -> None:
    """A card where no project was recognised in the quarter, and no voucher of one recognised by its end arrived."""
    days = [day for day, _later in projects]
    arrivals = [
        (place, arrived)
        for place, (day, later) in enumerate(projects)
        if (arrived := date.fromordinal(day.toordinal() + later - 100)).year == 2012
    ]
    cards = [
        quarter
        for quarter in QUARTERS
        if not any((day.month + 2) // 3 == quarter.month // 3 for day in days)
        and not any((on.month + 2) // 3 == quarter.month // 3 and days[place] <= quarter for place, on in arrivals)
    ]
    row, total = 0, 0
    first: dict[str, date] = {}
    for quarter in QUARTERS:
        row, total = (row + 1, total + 1) if quarter in cards else (0, total)
        first |= {
            name: quarter
            for name, count in (("consecutive", row), ("total", total))
            if count >= 2 and name not in first
        }
    for counting in ("consecutive", "total"):
        ws = made([{"name": "yellow_card"}, {"name": "card_talk", "counting": counting}], days, arrivals)
        assert of(ws, "yellow_card") == cards
        assert of(ws, "card_talk") == ([first[counting]] if counting in first else [])
