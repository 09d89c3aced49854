"""The assessment year: its months, ticks and moments, campaigns, and the pace expected at each date."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from attrs import define

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY: Final = timedelta(days=1)

MOMENTS: Final = (
    "at_month_end",
    "at_mid_year",
    "at_quarter_end",
    "at_half_year_end",
    "at_campaign_end",
    "at_review",
    "at_year_end",
)
"""The Boolean columns by which a condition says when it looks."""


def month_end(day: date) -> date:
    """Return the last day of the month of `day`."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


@define(frozen=True)
class Year:
    """An assessment year: `start` is the first day of a month, `end` the last day of one, both inclusive (M1, M3)."""

    start: date
    end: date
    reviews: tuple[date, ...] = ()

    @property
    def label(self) -> int:
        """The year's name in measures and ledger: the calendar year it starts in."""
        return self.start.year

    @property
    def month_ends(self) -> tuple[date, ...]:
        """The last days of the year's months, in order."""
        return tuple(month_ends(self.start, self.end))


def following(year: Year) -> Year:
    """Return the year after a year, of as many months; which reviews it has is not known yet."""
    start = end = year.end + DAY
    for _month in year.month_ends[1:]:
        end = month_end(end) + DAY
    return Year(start, month_end(end))


@define(frozen=True)
class Campaign:
    """A wave inside the year with its own share of every quota (M2); `start` and `end` are inclusive.

    `share` is an exact fraction of the annual quota.
    """

    id: str
    name: str
    start: date
    end: date
    share: Fraction


@define(frozen=True)
class Tick:
    """A date at which everything is computed, and the moments it is.

    An `interim` tick is an as-of date between ticks: indicators are computed, nothing starts, ends, is issued or
    released.
    """

    on: date
    moments: frozenset[str] = frozenset()
    interim: bool = False

    @property
    def is_month_end(self) -> bool:
        """Whether months are withheld and lag is counted here."""
        return "at_month_end" in self.moments


def month_ends(start: date, end: date) -> list[date]:
    """Return the month-ends from `start` to `end`, both inclusive."""
    found = []
    day = month_end(start)
    while day <= end:
        found.append(day)
        day = month_end(day + DAY)
    return found


def ticks(year: Year, campaigns: Sequence[Campaign], as_of: date) -> list[Tick]:
    """Return every tick up to `as_of` (inclusive), in order, with an interim tick at `as_of` where no tick falls on it.

    Ticks are the ends of the year's months, the campaign ends and the reviews; after the year end month-ends go on,
    because a hold lasts until the task is met.
    """
    inside = set(year.month_ends)
    by_moment: dict[str, set[date]] = {
        "at_month_end": inside | set(month_ends(year.end + DAY, as_of)),
        "at_mid_year": set(year.month_ends[len(inside) // 2 - 1 : len(inside) // 2]) if len(inside) > 1 else set(),
        "at_quarter_end": set(year.month_ends[2::3]),
        "at_half_year_end": set(year.month_ends[5::6]),
        "at_campaign_end": {campaign.end for campaign in campaigns},
        "at_review": set(year.reviews),
        "at_year_end": {year.end},
    }
    days = sorted({day for days in by_moment.values() for day in days if day <= as_of})
    found = [Tick(day, frozenset(name for name, on in by_moment.items() if day in on)) for day in days]
    if as_of >= year.start and (not days or days[-1] != as_of):
        found.append(Tick(as_of, interim=True))
    return found


def months_pace(year: Year, on: date) -> Fraction:
    """Whole months elapsed over the months of the year (M3)."""
    whole = len(month_ends(year.start, on))
    return Fraction(min(whole, len(year.month_ends)), len(year.month_ends))


def days_pace(year: Year, on: date) -> Fraction:
    """Days elapsed, the day itself included, over the days of the year (M3)."""
    days = (year.end - year.start).days + 1
    return Fraction(min((on - year.start).days + 1, days), days)


@define(frozen=True)
class PaceTable:
    """A custom plan: from each date on (inclusive) the share expected of the annual task; 0 before the first (M3)."""

    points: tuple[tuple[date, Fraction], ...]

    def __call__(self, year: Year, on: date) -> Fraction:
        """Return the share of the latest point not after `on`; 1 after the year end."""
        if on > year.end:
            return Fraction(1)
        reached = [(day, share) for day, share in self.points if day <= on]
        return max(reached)[1] if reached else Fraction(0)
