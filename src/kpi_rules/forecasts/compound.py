"""`compound`: arrivals are a negative binomial number of log-normal amounts, each unit shrunk to its peer group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from kpi_rules.forecasts.credibility import LITTLE, Groups, Shrunk, dispersion, rates, sizes
from kpi_rules.forecasts.season import WEIGHT_OF_EARLIER, season_assumption, season_of
from kpi_rules.forecasts.sizes import deviation_steps, lognormal_tables
from kpi_rules.locale import _, ngettext
from kpi_rules.model.forecasts import Assumption, Compound, Fitted
from kpi_rules.model.money import format_amount

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kpi_rules.model.forecasts import History

    Real = NDArray[np.float64]

NAME: Final = "compound"


def fit(history: History) -> Fitted:
    """Fit counts and sizes to a history; one without any arrival gives no block."""
    season = season_of(history)
    events = history.events
    if not len(events) + int(season.earlier.sum()):
        return Fitted()
    units = len(history.units)
    groups = Groups.make(history.group, len(history.groups))
    unit = np.concatenate([events.unit, history.earlier.unit[season.earlier]])
    amount = np.concatenate([events.amount, history.earlier.amount[season.earlier]]).astype(np.float64)
    weight = np.repeat([1.0, WEIGHT_OF_EARLIER], [len(events), len(unit) - len(events)])
    number, total, squares = (
        np.bincount(unit, each, minlength=units).astype(np.float64)
        for each in (weight, weight * amount, weight * amount**2)
    )
    exposure = season.past + WEIGHT_OF_EARLIER * season.years
    dispersed = dispersion(*_months(history))
    rate = rates(number, exposure, groups, history.active, dispersed)
    mean = np.where(history.active, rate.mean * season.rest, 0.0)
    shape = 1.0 / (rate.variation + (dispersed - 1.0) / np.maximum(mean, 1e-9))
    assumptions = [season_assumption(NAME, season), *_of_counts(history, rate, dispersed)]
    blocks = {
        "shape": shape,
        "mean": mean,
        "seasons": season.ahead[None, :],
        "season": np.zeros(units, dtype=np.int64),
    }
    if history.kind == "count" and (amount <= 1).all():
        return Fitted((Compound(**blocks, scale=np.ones(units)),), assumptions)
    size, variation = sizes(total, squares, number, groups)
    tables, tails, of_size = lognormal_tables(deviation_steps(variation)[groups.of])
    factors, _tails, common = lognormal_tables(deviation_steps(size.variation))
    block = Compound(**blocks, scale=size.mean, sizes=tables, tails=tails, size=of_size, common=common, factors=factors)
    return Fitted((block,), [*assumptions, *_of_sizes(history, size, variation)])


def _months(history: History) -> tuple[Real, Real]:
    """Return the events of each unit and past month, and what part of them its days would let one expect."""
    length = 30
    edges = np.arange(0, max(history.days, length + 1), length)
    month = np.minimum((history.events.day - history.start.toordinal()) // length, len(edges) - 1)
    cells = history.events.unit * len(edges) + month
    counts = np.bincount(cells, minlength=len(history.units) * len(edges)).reshape(-1, len(edges)).astype(np.float64)
    days = np.diff(np.append(edges, max(history.days, int(edges[-1]) + 1))).astype(np.float64)
    return counts, days / days.sum()


def _of_counts(history: History, rate: Shrunk, dispersed: float) -> list[Assumption]:
    """Say what rates are assumed, group by group, and for whom that rests on little."""
    found = [
        Assumption(
            NAME,
            _("arrivals a year of a unit"),
            name,
            f"{rate.group[at]:.1f}",
            _basis(int(rate.number[at])),
            little=bool(rate.number[at] < LITTLE),
        )
        for at, name in _groups(history)
    ]
    more = _("{times:.1f} times as much as by chance").format(times=dispersed)
    found.append(Assumption(NAME, _("arrivals vary between months"), "", more, _("all units together")))
    return found


def _of_sizes(history: History, size: Shrunk, variation: Real) -> list[Assumption]:
    def written(amount: float) -> str:
        return format_amount(round(amount)) if history.kind == "money" else f"{amount:.1f}"

    return [
        Assumption(
            NAME,
            _("size of an arrival"),
            name,
            _("{mean} on average, varying by {share:.0%}").format(
                mean=written(float(size.group[at])), share=float(np.sqrt(variation[at]))
            ),
            _basis(int(size.number[at])),
            little=bool(size.number[at] < LITTLE),
        )
        for at, name in _groups(history)
    ]


def _groups(history: History) -> list[tuple[int, str]]:
    """Return the groups that have units which can bring something, with the number under which they are counted."""
    names = [*history.groups, _("without a peer group")]
    used = np.unique(np.where(history.group >= 0, history.group, len(history.groups))[history.active])
    return [(int(at), names[at]) for at in used]


def _basis(number: int) -> str:
    return ngettext(
        "{count} arrival of the group, shrunk to all", "{count} arrivals of the group, shrunk to all", number
    ).format(count=number)
