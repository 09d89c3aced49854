"""The season: what part of a year's arrivals falls on which days, from earlier years where they are whole."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import define

from kpi_rules.locale import _, ngettext
from kpi_rules.model.calendar import month_end
from kpi_rules.model.forecasts import Assumption

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kpi_rules.model.forecasts import History

    Real = NDArray[np.float64]

ENOUGH: Final = 60
"""Events of earlier years that an even year weighs as much as, and without which it is taken for granted."""

WEIGHT_OF_EARLIER: Final = 0.5
"""What an event of an earlier year weighs beside one of this year (a power prior, Ibrahim and Chen 2000)."""

_WHOLE_BY: Final = 31  # days into a year by which its first event must be, for the year to be whole


@define(frozen=True, eq=False)
class Season:
    """Parts of a year: `past` until the last day known, `ahead` up to each tick since the one before.

    `earlier` marks the events of earlier years that are whole, of which there are `years`.
    """

    past: float
    ahead: Real
    earlier: NDArray[np.bool_]
    years: int

    @property
    def rest(self) -> float:
        """The part of a year that all ticks to come cover."""
        return float(self.ahead.sum())


def season_of(history: History) -> Season:
    """Return the season of a history: even days, and with whole earlier years their months as far as they tell."""
    whole, years = _whole_years(history)
    by_month = np.zeros(12)
    if whole.sum() >= ENOUGH:
        months = np.array([date.fromordinal(int(day)).month for day in history.earlier.day[whole]])
        by_month = np.bincount(months - 1, minlength=12).astype(np.float64)
    return Season(
        _between(history.start, history.as_of, by_month),
        np.array([_between(first, last, by_month) for first, last in _periods(history)]),
        whole,
        years,
    )


def season_assumption(model: str, season: Season) -> Assumption:
    """Say what the months are weighted by."""
    number = int(season.earlier.sum())
    known = number >= ENOUGH
    return Assumption(
        model,
        _("season"),
        "",
        _("by month, as in earlier years") if known else _("even over the days of the year"),
        ngettext("{count} arrival of whole earlier years", "{count} arrivals of whole earlier years", number).format(
            count=number
        ),
        little=not known,
    )


def _periods(history: History) -> list[tuple[date, date]]:
    day = timedelta(days=1)
    edges = [history.as_of, *history.ticks]
    return [(before + day, tick) for before, tick in zip(edges[:-1], history.ticks, strict=True)]


def _whole_years(history: History) -> tuple[NDArray[np.bool_], int]:
    """Mark the events of the years before this one that the tables have from their first month on."""
    days = history.earlier.day
    start = history.start.toordinal()
    if not len(days):
        return np.zeros(0, dtype=np.bool_), 0
    years = (start - int(days.min()) + _WHOLE_BY) // 365
    return (days < start) & (days >= start - 366 * years), years


def _between(first: date, last: date, by_month: Real) -> float:
    """Return the part of a year from one day to another, both inclusive."""
    found = 0.0
    total = float(by_month.sum())
    while first <= last:
        end = min(last, month_end(first))
        days = month_end(first).day
        of_month = (float(by_month[first.month - 1]) + ENOUGH * days / 365.25) / (total + ENOUGH)
        found += of_month * ((end - first).days + 1) / days
        first = end + timedelta(days=1)
    return found
