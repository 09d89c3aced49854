"""Ticks, moments and the pace: which dates are computed, and what is expected by then."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.reference.case import Campaign, Case


@dataclass(frozen=True)
class Tick:
    """A date at which everything is computed; at an interim one nothing starts, ends, is issued or released."""

    on: date
    interim: bool
    month_end: bool
    mid_year: bool
    campaign_end: bool
    year_end: bool


def month_end(day: date) -> date:
    """Return the last day of the month that `day` is in."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def month_ends(first: date, last: date) -> list[date]:
    """Every month-end from `first` to `last`, both inclusive."""
    found = []
    day = month_end(first)
    while day <= last:
        found.append(day)
        day = month_end(day + timedelta(days=1))
    return found


def ticks(case: Case, as_of: date) -> list[Tick]:
    """Return the ticks up to `as_of`, in order.

    They are the month-ends of the year, the campaign ends and the reviews; after the year end the month-ends go on.
    An as-of date that is none of these is an interim tick.
    """
    months = month_ends(case.start, max(as_of, case.end))
    in_year = month_ends(case.start, case.end)
    half = len(in_year) // 2
    campaign_ends = {campaign.end for campaign in case.campaigns}
    regular = {*months, *campaign_ends, *case.reviews}
    return [
        Tick(
            on=day,
            interim=day not in regular,
            month_end=day in months,
            mid_year=half > 0 and day == in_year[half - 1],
            campaign_end=day in campaign_ends,
            year_end=day == case.end,
        )
        for day in sorted({*regular, as_of})
        if day <= as_of
    ]


def expected(case: Case, day: date) -> Fraction:
    """Return the share of the year's task expected by `day`; 1 after the year end."""
    if day > case.end:
        return Fraction(1)
    if case.pace == "days":
        return Fraction((day - case.start).days + 1, (case.end - case.start).days + 1)
    if case.pace == "table":
        reached = [(on, share) for on, share in case.pace_points if on <= day]
        return Fraction(max(reached)[1]) if reached else Fraction(0)
    return Fraction(len(month_ends(case.start, day)), len(month_ends(case.start, case.end)))


def campaign_at(case: Case, day: date) -> Campaign | None:
    """Return the campaign whose window `day` is in; campaigns do not overlap."""
    for campaign in case.campaigns:
        if campaign.start <= day <= campaign.end:
            return campaign
    return None
