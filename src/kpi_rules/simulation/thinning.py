"""Forecasts that are summed: what recognised projects still bring is in one of them, and left out of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import evolve

from kpi_rules.forecasts.credibility import LITTLE
from kpi_rules.locale import _, ngettext
from kpi_rules.model.forecasts import Assumption, Compound, Levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kpi_rules.model.forecasts import Block, History

    Real = NDArray[np.float64]

_PRIOR: Final = 1.0  # events, half of which are of projects not recognised before


def kept_shares(history: History, *, by_amount: bool) -> Real:
    """Return for each tick the part of arrivals that are of projects not recognised yet.

    At a lead of so many days it is the historical part, of arrivals or of what they brought, of projects that had been
    recognised for fewer. Projects without a known contract, which no curve brings anything of, count as such.
    """
    events, contracts = history.events, history.contracts
    followed = np.zeros(len(history.projects), dtype=np.bool_)
    followed[contracts.project[contracts.contracted > 0]] = True
    age = np.where(followed[events.project], np.maximum(events.age, 0), -1)
    weight = events.amount.astype(np.float64) if by_amount else np.ones(len(events))
    weight = weight / weight.mean() if len(weight) else weight
    spans = history.spans
    lead = np.cumsum(spans) - spans / 2
    new = np.array([weight[age < days].sum() for days in lead])
    found: Real = (new + _PRIOR / 2) / (weight.sum() + _PRIOR)
    return found


def thinned(block: Block, history: History) -> Block:
    """Return a block without what recognised projects bring."""
    if isinstance(block, Compound):
        kept = kept_shares(history, by_amount=False)
        whole = block.seasons.sum(axis=1)
        seasons = block.seasons * kept
        rate = np.where(whole > 0, seasons.sum(axis=1) / np.where(whole > 0, whole, 1.0), 0.0)
        return evolve(block, mean=block.mean * rate[block.season], seasons=seasons)
    if isinstance(block, Levels):
        return evolve(block, level=block.level * kept_shares(history, by_amount=True))
    return block


def thinning_assumption(model: str, history: History) -> Assumption:
    """Say what is left out."""
    kept = kept_shares(history, by_amount=False)
    number = len(history.events)
    basis = ngettext("{count} arrival", "{count} arrivals", number).format(count=number)
    value = _("{first:.0%} of arrivals at the next tick, {last:.0%} at the last").format(
        first=float(kept[0]), last=float(kept[-1])
    )
    return Assumption(model, _("of projects not recognised yet"), "", value, basis, little=number < LITTLE)
