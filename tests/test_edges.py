"""The very day: what happens exactly on a boundary, with the answer worked out by hand; engine and reference alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.reference.case import (
    Arrival,
    Case,
    Decision,
    Entry,
    Project,
    Quota,
    Staff,
    Unit,
    Visit,
    Withheld,
)
from tests.reference.compare import hold_against
from tests.reference.strategies import Question

MID_YEAR, YEAR_END = date(2011, 6, 30), date(2011, 12, 31)
CASE = Case(
    start=date(2011, 1, 1),
    end=YEAR_END,
    units=(Unit("a", group="g"),),
    quotas=(Quota("a", "funds", 1000, date(2011, 1, 1)),),
    projects=(Project("J", "a", recognised_on=date(2011, 1, 1)),),
    arrivals=(Arrival("V", "J", 499, date(2011, 1, 1)),),
    staff=(Staff("P", "a", "section", 100),),
    unvisited="vouchers",
)
"""499 of 1000 from January: at mid-year 49.9% withholds the section's pay, 100 fen a month from July on; at the end of
September the gap of 25.1 points stations the head."""


def funds(case: Case, as_of: date, known_at: date | None = None) -> object:
    assessment, _ = hold_against(Question(case, as_of, known_at))
    return assessment.units["funds"][-1]


def ledger(case: Case, as_of: date) -> list[tuple[object, ...]]:
    assessment, _ = hold_against(Question(case, as_of))
    return assessment.ledger.select("month", "withheld", "released_on").rows()


@pytest.mark.parametrize(
    ("change", "on", "before"),
    [
        ({"recognised_on": MID_YEAR}, 499, 0),
        ({"refused_on": MID_YEAR}, 0, 499),
        ({"revoked_on": MID_YEAR}, 0, 499),
    ],
)
def test_a_project_counts_or_no_longer_counts_from_the_day_on(change: dict[str, date], on: int, before: int) -> None:
    case = replace(CASE, projects=(replace(CASE.projects[0], **change),))  # type: ignore[arg-type]  # dates by name
    assert funds(case, MID_YEAR) == on
    assert funds(case, date(2011, 6, 29)) == before


def test_what_is_recorded_on_a_day_is_known_that_day_and_what_is_revoked_is_not() -> None:
    late = replace(CASE, arrivals=(replace(CASE.arrivals[0], recorded_on=date(2011, 8, 1)),))
    assert funds(late, MID_YEAR, date(2011, 8, 1)) == 499
    assert funds(late, MID_YEAR, date(2011, 7, 31)) == 0
    gone = replace(CASE, arrivals=(replace(CASE.arrivals[0], revoked_on=date(2011, 8, 1)),))
    assert funds(gone, MID_YEAR, date(2011, 8, 1)) == 0
    assert funds(gone, MID_YEAR, date(2011, 7, 31)) == 499


def test_a_project_revoked_later_stays_recognised_at_earlier_ticks_once_that_is_known() -> None:
    case = replace(CASE, projects=(replace(CASE.projects[0], revoked_on=date(2011, 7, 1)),))
    assessment, _ = hold_against(Question(case, date(2011, 7, 31)))
    assert assessment.units["funds"].to_list() == [499] * 6 + [0]
    assert funds(case, date(2011, 7, 31), date(2011, 6, 30)) == 499


def test_of_two_visits_on_one_day_the_greater_id_counts() -> None:
    day = date(2011, 3, 1)
    case = replace(CASE, visits=(Visit("S9", "J", day, 10), Visit("S10", "J", day, 20)))
    assert funds(case, date(2011, 3, 31)) == 10


def test_a_parameter_applies_from_its_day_on() -> None:
    since = Entry(Decimal("0.4"), since=MID_YEAR)
    milder = replace(CASE, parameters={"pay_withholding.section_below": (since,)})
    assert ledger(milder, date(2011, 7, 31)) == []
    later = replace(CASE, parameters={"pay_withholding.section_below": (replace(since, since=date(2011, 7, 1)),)})
    assert ledger(later, date(2011, 7, 31)) == [(date(2011, 7, 31), 100, None)]


def test_half_of_the_task_exactly_is_not_below_half() -> None:
    assert ledger(replace(CASE, arrivals=(replace(CASE.arrivals[0], amount=500),)), date(2011, 7, 31)) == []


@pytest.mark.parametrize(("last", "months"), [(date(2011, 7, 31), 1), (date(2011, 7, 30), 0)])
def test_who_leaves_on_the_last_day_of_a_month_is_there_that_month(last: date, months: int) -> None:
    assert len(ledger(replace(CASE, staff=(Staff("P", "a", "section", 100, to_on=last),)), date(2011, 9, 30))) == months


def test_what_other_years_withhold_leaves_only_the_rest() -> None:
    withheld = (
        Withheld("P", date(2011, 7, 31), 30),
        Withheld("P", date(2011, 7, 31), 30),
        Withheld("P", date(2011, 8, 31), 100),
    )
    assert ledger(replace(CASE, withheld=withheld), date(2011, 8, 31)) == [(date(2011, 7, 31), 40, None)]


def test_a_hold_that_was_superseded_is_released_months_later() -> None:
    rest = Arrival("W", "J", 501, date(2012, 2, 10))
    lines = ledger(replace(CASE, arrivals=(*CASE.arrivals, rest)), date(2012, 3, 31))
    assert [month.month for month, _, _ in lines] == [7, 8, 9, 10, 11, 12, 1]  # type: ignore[attr-defined]  # a date
    assert {released for _, _, released in lines} == {date(2012, 2, 29)}


def test_a_review_releases_in_the_middle_of_a_month() -> None:
    rest = Arrival("W", "J", 501, date(2011, 9, 15))
    case = replace(CASE, arrivals=(*CASE.arrivals, rest), reviews=(date(2011, 9, 15),))
    released = date(2011, 9, 15)
    assert ledger(case, YEAR_END) == [(date(2011, 7, 31), 100, released), (date(2011, 8, 31), 100, released)]


def test_an_interim_date_releases_nothing() -> None:
    rest = Arrival("W", "J", 501, date(2011, 9, 15))
    lines = ledger(replace(CASE, arrivals=(*CASE.arrivals, rest)), date(2011, 9, 15))
    assert lines == [(date(2011, 7, 31), 100, None), (date(2011, 8, 31), 100, None)]


# Decisions

SECTION = "2011/pay_withholding.section/a/2011-06-30"
STATION = "2011/field_duty.station_head/a/2011-09-30"
OFF_POST = "2011/field_duty.off_post/a/2011-12-31"


def events(case: Case, decisions: list[tuple[str, str, date]], as_of: date) -> list[tuple[object, ...]]:
    made = tuple(Decision(measure, word, on) for measure, word, on in decisions)  # type: ignore[arg-type]  # of the three
    assessment, _ = hold_against(Question(replace(case, decisions=made), as_of))
    return assessment.events.sort("tick", "rule").select("tick", "rule", "event").rows()


def test_nothing_starts_undecided() -> None:
    assert events(CASE, [], YEAR_END) == []


@pytest.mark.parametrize(
    ("on", "start"),
    [
        (date(2011, 6, 1), MID_YEAR),
        (MID_YEAR, MID_YEAR),
        (date(2011, 7, 1), date(2011, 7, 31)),
        (date(2011, 7, 31), date(2011, 7, 31)),
    ],
)
def test_what_is_approved_starts_at_the_next_tick(on: date, start: date) -> None:
    assert events(CASE, [(SECTION, "approved", on)], date(2011, 8, 15)) == [
        (start, "pay_withholding.section", "started")
    ]


def test_what_is_lifted_before_it_starts_never_does() -> None:
    lifted = [(SECTION, "approved", date(2011, 7, 1)), (SECTION, "lifted", date(2011, 7, 20))]
    assert events(CASE, lifted, YEAR_END) == []


def test_what_is_lifted_ends_without_release_and_its_last_month_is_paid() -> None:
    lifted = (Decision(SECTION, "approved", MID_YEAR), Decision(SECTION, "lifted", date(2011, 9, 30)))
    assert ledger(replace(CASE, decisions=lifted), YEAR_END) == [
        (date(2011, 7, 31), 100, None),
        (date(2011, 8, 31), 100, None),
    ]


def test_a_milder_proposal_may_be_approved_while_a_harsher_one_awaits_its_decision() -> None:
    approved = [(STATION, "approved", date(2012, 1, 10))]
    assert events(CASE, approved, date(2012, 2, 29)) == [(date(2012, 1, 31), "field_duty.station_head", "started")]


def test_a_milder_proposal_goes_when_a_harsher_one_starts() -> None:
    approved = [(STATION, "approved", date(2012, 1, 10)), (OFF_POST, "approved", YEAR_END)]
    assert events(CASE, approved, date(2012, 2, 29)) == [(YEAR_END, "field_duty.off_post", "started")]


def test_a_bonus_approved_late_is_the_amount_that_was_proposed() -> None:
    case = replace(
        CASE, arrivals=(Arrival("V", "J", 1_001_000, date(2011, 1, 1)), Arrival("W", "J", 10**6, date(2012, 1, 3)))
    )
    made = (Decision("2011/rewards.bonus/a/2011-12-31", "approved", date(2012, 1, 15)),)
    assessment, _ = hold_against(Question(replace(case, decisions=made), date(2012, 2, 29)))
    assert assessment.events.select("tick", "event", "amount").rows() == [(date(2012, 1, 31), "issued", 1000)]
