"""What visits confirmed in past months: of what had arrived and was not credited, unit by unit (M14)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from attrs import define

from kpi_rules.forecasts.season import season_of
from kpi_rules.model.calendar import Year, month_end
from kpi_rules.pipeline.credit import credit
from kpi_rules.pipeline.verify import of_year

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kpi_rules.model.forecasts import History
    from kpi_rules.simulation.known import Known

    Real = NDArray[np.float64]
    Rows = NDArray[np.int64]
    Whole = NDArray[np.int64]


@define(frozen=True, eq=False)
class Visited:
    """Months in which something of a unit waited, one row for each unit and month.

    Attributes:
        month: number of the month, in order from 0; months in which nothing waited have no rows.
        unit: row of the unit in the history.
        share: what part was confirmed of what waited, 0 to 1.
        kind: of each month whether it ends a quarter.
    """

    month: Rows
    unit: Rows
    share: Real
    kind: Rows

    @property
    def kinds(self) -> Rows:
        """Of each row the kind of its month."""
        return self.kind[self.month]


def visited(known: Known, history: History) -> Visited:
    """Return the months of the year so far, after those of earlier years that the tables have whole."""
    here = known.month_ends
    start = known.config.year.start
    days = [known.credited.dates[at] for at in here]
    years = [(days, known.arrived(here), known.confirmed(here))]
    for back in range(1, season_of(history).years + 1):
        years.insert(0, _earlier(known, back))
    parts = []
    months = 0
    for on, arrived, credited in years:
        before = np.concatenate([np.zeros_like(credited[:1]), credited])[: len(credited)]
        waiting = arrived - before
        at, of = np.nonzero(waiting > 0)
        share = np.clip((credited - before)[at, of] / waiting[at, of], 0.0, 1.0)
        kind = np.array([ends_quarter(day, start) for day in on], dtype=np.int64)
        parts.append((at + months, of, share, kind))
        months += len(on)
    month, unit, shares, kinds = (np.concatenate(each) for each in zip(*parts, strict=True))
    used, numbers = np.unique(month, return_inverse=True)
    return Visited(numbers, unit, shares, kinds[used])


def ends_quarter(day: date, start: date) -> bool:
    """Say whether a day's month ends a quarter of the year that began at `start`, or of one before or after it."""
    return ((day.year - start.year) * 12 + day.month - start.month) % 3 == 2  # noqa: PLR2004 (the third month)


def _earlier(known: Known, back: int) -> tuple[list[date], Whole, Whole]:
    """Return the month-ends of a year that many years back, and what of it had arrived and was confirmed by each, of
    what was known on the last day known; adjustments are left out of both.
    """
    config, past = known.config, known.past
    start = date(config.year.start.year - back, config.year.start.month, 1)
    end = month_end(config.year.end.replace(year=config.year.end.year - back, day=1))
    year = Year(start, end)
    days = list(year.month_ends)
    tables = of_year(known.tables, year, end)
    found = credit(tables, days, start, needed=(), evidence=config.evidence, sharing=config.sharing, credits={})
    claims = found.claims
    home = past.basis.home[claims.unit]
    inside = home >= 0
    counted = np.where(found.recognised, found.vouchers, 0)

    def of_units(of_projects: Whole) -> Whole:
        whole, rest = np.divmod(of_projects[:, claims.project], claims.whole)
        parts = whole * claims.weight + rest * claims.weight // claims.whole
        sums = [np.bincount(home[inside], row[inside], minlength=len(past.basis.rows)) for row in parts]
        return np.stack(sums).astype(np.int64)

    return days, of_units(counted), of_units(found.confirmed)
