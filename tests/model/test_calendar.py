"""The year: ticks, the moments they are, and the pace expected."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.model.calendar import (
    MOMENTS,
    Campaign,
    PaceTable,
    Tick,
    Year,
    days_pace,
    following,
    month_end,
    month_ends,
    months_pace,
    ticks,
)

YEAR = Year(date(2011, 1, 1), date(2011, 12, 31))
WAVE = Campaign("w", "Wave", date(2011, 8, 1), date(2011, 11, 8), Fraction(2, 5))


def on(found: list[Tick], moment: str) -> list[date]:
    return [tick.on for tick in found if moment in tick.moments]


def year_of(months: int, start: date = date(2011, 1, 1)) -> Year:
    first = start.year * 12 + start.month - 1 + months
    end = month_end(date((first - 1) // 12, (first - 1) % 12 + 1, 1))
    return Year(start, end)


def test_ticks_of_a_plain_year() -> None:
    found = ticks(YEAR, [], YEAR.end)
    assert [tick.on for tick in found] == [month_end(date(2011, month, 1)) for month in range(1, 13)]
    assert on(found, "at_month_end") == [tick.on for tick in found]
    assert on(found, "at_mid_year") == [date(2011, 6, 30)]
    assert on(found, "at_quarter_end") == [date(2011, m, d) for m, d in ((3, 31), (6, 30), (9, 30), (12, 31))]
    assert on(found, "at_year_end") == [date(2011, 12, 31)]
    assert on(found, "at_campaign_end") == on(found, "at_review") == []
    assert not any(tick.interim for tick in found)


def test_campaign_ends_and_reviews_are_ticks_and_no_month_ends() -> None:
    year = Year(YEAR.start, YEAR.end, (date(2011, 5, 20), date(2011, 6, 30)))
    found = ticks(year, [WAVE], year.end)
    assert [tick.on for tick in found if not tick.is_month_end] == [date(2011, 5, 20), date(2011, 11, 8)]
    assert on(found, "at_review") == [date(2011, 5, 20), date(2011, 6, 30)]
    assert on(found, "at_campaign_end") == [date(2011, 11, 8)]
    (june,) = (tick for tick in found if tick.on == date(2011, 6, 30))
    assert june.moments == {"at_month_end", "at_mid_year", "at_quarter_end", "at_half_year_end", "at_review"}


@pytest.mark.parametrize(
    ("months", "mid", "quarters"),
    [
        (1, [], []),
        (2, [1], []),
        (3, [1], [3]),
        (5, [2], [3]),
        (7, [3], [3, 6]),
        (9, [4], [3, 6, 9]),
        (12, [6], [3, 6, 9, 12]),
    ],
)
def test_mid_year_is_rounded_down_and_quarters_count_from_the_start(
    months: int, mid: list[int], quarters: list[int]
) -> None:
    year = year_of(months, date(2011, 2, 1))
    found = ticks(year, [], year.end)
    ends = [tick.on for tick in found]
    assert len(ends) == months
    assert on(found, "at_mid_year") == [ends[month - 1] for month in mid]
    assert on(found, "at_quarter_end") == [ends[month - 1] for month in quarters]
    assert on(found, "at_year_end") == [ends[-1]]


def test_a_fiscal_year_over_a_leap_day() -> None:
    year = Year(date(2011, 7, 1), date(2012, 6, 30))
    found = ticks(year, [], year.end)
    assert year.label == 2011
    assert date(2012, 2, 29) in [tick.on for tick in found]
    assert on(found, "at_mid_year") == [date(2011, 12, 31)]
    assert days_pace(year, date(2012, 2, 29)) == Fraction(244, 366)
    assert days_pace(year, date(2012, 3, 1)) == Fraction(245, 366)


def test_month_ends_go_on_after_the_year_end_and_are_nothing_else() -> None:
    found = ticks(YEAR, [WAVE], date(2012, 3, 31))
    after = [tick for tick in found if tick.on > YEAR.end]
    assert [tick.on for tick in after] == [date(2012, 1, 31), date(2012, 2, 29), date(2012, 3, 31)]
    assert {tick.moments for tick in after} == {frozenset({"at_month_end"})}


@pytest.mark.parametrize(
    ("as_of", "last"),
    [
        (date(2011, 10, 20), Tick(date(2011, 10, 20), interim=True)),
        (date(2011, 1, 1), Tick(date(2011, 1, 1), interim=True)),
        (date(2012, 1, 15), Tick(date(2012, 1, 15), interim=True)),
        (date(2011, 11, 8), Tick(date(2011, 11, 8), frozenset({"at_campaign_end"}))),
    ],
)
def test_an_as_of_day_between_ticks_is_an_interim_one(as_of: date, last: Tick) -> None:
    found = ticks(YEAR, [WAVE], as_of)
    assert found[-1] == last
    assert not any(tick.interim for tick in found[:-1])


def test_no_ticks_before_the_year() -> None:
    assert ticks(YEAR, [], date(2010, 12, 31)) == []


@given(st.dates(date(1999, 1, 1), date(2030, 1, 1)), st.integers(1, 24), st.integers(0, 900))
def test_ticks_are_ascending_and_their_moments_known(day: date, months: int, later: int) -> None:
    year = year_of(months, day.replace(day=1))
    as_of = date.fromordinal(year.start.toordinal() + later)
    found = ticks(year, [], as_of)
    days = [tick.on for tick in found]
    assert days == sorted(set(days))
    assert days[-1] == as_of
    assert all(tick.moments <= set(MOMENTS) and (tick.moments or tick.interim) for tick in found)
    assert [tick.on for tick in found if tick.is_month_end] == month_ends(year.start, as_of)


@given(st.dates(date(1999, 1, 1), date(2030, 1, 1)), st.integers(1, 24), st.integers(0, 900))
def test_pace_grows_from_nothing_to_one(day: date, months: int, later: int) -> None:
    year = year_of(months, day.replace(day=1))
    then = date.fromordinal(year.start.toordinal() + later)
    for pace in (months_pace, days_pace):
        assert pace(year, year.end) == pace(year, date.fromordinal(year.end.toordinal() + 40)) == 1
        assert 0 <= pace(year, then) <= 1
        assert pace(year, then) <= pace(year, date.fromordinal(then.toordinal() + 1))
    assert months_pace(year, year.start) == (1 if months == 1 and year.start == year.end else 0)
    assert days_pace(year, year.start) == Fraction(1, (year.end - year.start).days + 1)


def test_pace_in_whole_months_and_days() -> None:
    assert months_pace(YEAR, date(2011, 3, 30)) == Fraction(2, 12)
    assert months_pace(YEAR, date(2011, 3, 31)) == Fraction(3, 12)
    assert days_pace(YEAR, date(2011, 3, 31)) == Fraction(90, 365)


def test_a_table_holds_from_each_point_on() -> None:
    table = PaceTable(((date(2011, 6, 30), Fraction(1, 2)), (date(2011, 3, 31), Fraction(1, 5))))
    assert table(YEAR, date(2011, 3, 30)) == 0
    assert table(YEAR, date(2011, 3, 31)) == Fraction(1, 5)
    assert table(YEAR, date(2011, 6, 29)) == Fraction(1, 5)
    assert table(YEAR, date(2011, 12, 31)) == Fraction(1, 2)
    assert table(YEAR, date(2012, 1, 1)) == 1


def test_the_year_after_has_as_many_months() -> None:
    assert following(Year(date(2011, 1, 1), date(2011, 12, 31))) == Year(date(2012, 1, 1), date(2012, 12, 31))
    assert following(Year(date(2011, 7, 1), date(2012, 2, 29))) == Year(date(2012, 3, 1), date(2012, 10, 31))
    assert following(Year(date(2011, 2, 1), date(2011, 2, 28), (date(2011, 2, 9),))).reviews == ()
