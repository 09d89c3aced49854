"""`seasonal`: each unit goes on at its level, by the season, times what months have differed by so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from kpi_rules.forecasts.credibility import LITTLE, Groups, rates
from kpi_rules.forecasts.season import WEIGHT_OF_EARLIER, season_assumption, season_of
from kpi_rules.forecasts.sizes import deviation_steps, lognormal, lognormal_tables
from kpi_rules.locale import _, ngettext
from kpi_rules.model.forecasts import Assumption, Fitted, Levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kpi_rules.model.forecasts import History

    Real = NDArray[np.float64]

NAME: Final = "seasonal"
_LENGTH: Final = 30  # days of what is taken for a month


def fit(history: History) -> Fitted:
    """Fit levels to a history; one without any arrival gives no block."""
    season = season_of(history)
    events, earlier = history.events, history.earlier
    if not len(events) + int(season.earlier.sum()):
        return Fitted()
    units = len(history.units)
    groups = Groups.make(history.group, len(history.groups))
    unit = np.concatenate([events.unit, earlier.unit[season.earlier]])
    weight = np.repeat([1.0, WEIGHT_OF_EARLIER], [len(events), len(unit) - len(events)])
    amount = np.concatenate([events.amount, earlier.amount[season.earlier]]) * weight
    # An amount counts as so many arrivals of a typical size: then what it varies by is all in their number.
    typical = float((amount**2).sum() / amount.sum())
    number = np.bincount(unit, amount, minlength=units) / typical
    level = rates(number, season.past + WEIGHT_OF_EARLIER * season.years, groups, history.active, 1.0)
    expected = np.where(history.active, level.mean * typical, 0.0)
    ratios = _ratios(history, expected)
    yearly, _tails, of_year = lognormal_tables(deviation_steps(level.variation))
    block = Levels(
        level=expected[:, None] * season.ahead[None, :],
        yearly=yearly,
        of_year=of_year,
        monthly=ratios[None, :],
        of_month=np.zeros(units, dtype=np.int64),
    )
    number_of = ngettext("{count} month of a unit", "{count} months of units", len(ratios)).format(count=len(ratios))
    varying = _("by {share:.0%}").format(share=float(np.std(ratios)))
    little = len(ratios) < LITTLE
    differing = Assumption(NAME, _("months differ from a unit's level"), "", varying, number_of, little=little)
    return Fitted((block,), [season_assumption(NAME, season), differing])


def _ratios(history: History, expected: Real) -> Real:
    """Return by what the past months of units differed from their levels, ascending, on average 1."""
    months = max(1, history.days // _LENGTH)
    month = (history.events.day - history.start.toordinal()) // _LENGTH
    inside = month < months
    cells = history.events.unit[inside] * months + month[inside]
    amounts = np.bincount(cells, history.events.amount[inside].astype(np.float64), minlength=len(expected) * months)
    level = np.repeat(expected * _LENGTH / 365.25, months)
    ratios: Real = np.sort(amounts[level > 0] / level[level > 0])
    if len(ratios) < LITTLE or ratios.sum() == 0:
        return lognormal(int(deviation_steps(np.array([4.0]))[0]))[0]
    found: Real = ratios / ratios.mean()
    return found
