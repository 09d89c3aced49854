"""What the library itself contributes, through the same hooks as everybody: here its pace curves and forecasts.

Its checks are in `builtin_checks`, its adjustments in `builtin_credits`, each with a section of `kpi.toml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_rules.hooks.specs import hookimpl
from kpi_rules.locale import N_
from kpi_rules.model.calendar import PaceTable, days_pace, months_pace
from kpi_rules.model.contributions import Forecast, PaceCurve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from fractions import Fraction

    from kpi_rules.model.calendar import Year
    from kpi_rules.model.forecasts import Fitted, History


def _months(year: Year, on: date, _points: Sequence[tuple[date, Fraction]], /) -> Fraction:
    return months_pace(year, on)


def _days(year: Year, on: date, _points: Sequence[tuple[date, Fraction]], /) -> Fraction:
    return days_pace(year, on)


def _table(year: Year, on: date, points: Sequence[tuple[date, Fraction]], /) -> Fraction:
    return PaceTable(tuple(points))(year, on)


@hookimpl
def kpi_pace_curves() -> Sequence[PaceCurve]:
    """Months elapsed, days elapsed, or the workspace's own table (M3)."""
    return [
        PaceCurve("months", _months, N_("whole months elapsed")),
        PaceCurve("days", _days, N_("days elapsed")),
        PaceCurve("table", _table, N_("the points of [pace]")),
    ]


def _compound(history: History) -> Fitted:
    from kpi_rules.forecasts.compound import fit

    return fit(history)


def _pipeline(history: History) -> Fitted:
    from kpi_rules.forecasts.pipeline import fit

    return fit(history)


def _seasonal(history: History) -> Fitted:
    from kpi_rules.forecasts.seasonal import fit

    return fit(history)


@hookimpl
def kpi_forecasts() -> Sequence[Forecast]:
    """Arrivals in number and size, what recognised projects still bring, or levels by the season (M22)."""
    return [
        Forecast("compound", _compound, N_("a random number of arrivals of random size"), ("M22",)),
        Forecast("pipeline", _pipeline, N_("what recognised projects have still to bring"), ("M22",)),
        Forecast("seasonal", _seasonal, N_("levels by the season"), ("M22",)),
    ]
