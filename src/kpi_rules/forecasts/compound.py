"""`compound`: arrivals are a negative binomial number of log-normal amounts, each unit shrunk to its peer group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from kpi_rules.forecasts.sizes import deviation_steps, lognormal_tables
from kpi_rules.model.forecasts import Assumption, Compound, Fitted

if TYPE_CHECKING:
    from kpi_rules.model.forecasts import History

NAME: Final = "compound"


def fit(history: History) -> Fitted:
    """Fit the forecast."""
    units = len(history.units)
    active = history.active
    number = np.bincount(history.events.unit, minlength=units).astype(float)
    amount = np.bincount(history.events.unit, history.events.amount.astype(float), minlength=units)
    exposure, rest = float(history.days), float(history.spans.sum())
    rate = (number[active].sum() + 0.5) / (active.sum() * exposure)
    shape = 2.0
    mean = np.where(active, (shape + number) / (shape / rate + exposure) * rest, 0.0)
    overall = (amount.sum() + 1.0) / (number.sum() + 1.0)
    scale = (amount + 4 * overall) / (number + 4)
    steps = deviation_steps(np.full(units, 1.0))
    sizes, tails, size = lognormal_tables(steps)
    block = Compound(
        shape=shape + number,
        mean=mean,
        seasons=history.spans[None, :],
        season=np.zeros(units, dtype=np.int64),
        scale=scale,
        sizes=sizes,
        tails=tails,
        size=size,
    )
    return Fitted((block,), (Assumption(NAME, "arrivals", "", f"{rate:.3f}", str(int(number.sum()))),))
