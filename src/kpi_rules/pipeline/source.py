"""Whole numbers per unit and tick, from evidence: what the panel divides and compares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from attrs import define

from kpi_rules.model.calendar import DAY
from kpi_rules.model.columns import QUOTA_INDICATORS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from kpi_rules.model.calendar import Campaign, Tick
    from kpi_rules.pipeline.credit import Credited
    from kpi_rules.pipeline.panel import QuotaBook

COUNTED = (*QUOTA_INDICATORS, "recognised", "vouchers", "started_ever", "producing_ever")


def credit_dates(ticks: Sequence[Tick], campaigns: Sequence[Campaign]) -> list[date]:
    """Return the dates at which credit is needed: the ticks, and the day before each campaign that has begun."""
    last = ticks[-1].on
    before = {campaign.start - DAY for campaign in campaigns if campaign.start <= last}
    return sorted({tick.on for tick in ticks} | before)


@define(frozen=True, eq=False)
class EvidenceSource:
    """The panel's whole numbers, from credited evidence and the quotas in force."""

    units: pl.DataFrame
    ticks: tuple[Tick, ...]
    campaigns: tuple[Campaign, ...]
    credited: Credited
    quotas: QuotaBook

    def at(self, here: int) -> pl.DataFrame:
        """Return the whole numbers of every unit at tick number `here`.

        Counts and amounts are Int64, `contracted` is null where the contract of a recognised project is not known;
        `<name>_before_campaign` is there while a campaign runs.
        """
        on = self.ticks[here].on
        row = self.credited.dates.index(on)
        units = self.credited.units
        columns = [pl.Series(name, units[name][row]) for name in COUNTED]
        known = pl.Series(units["contracts_unknown"][row] == 0)
        contracted = pl.Series("contracted", units["contracted"][row]).set(~known, None)
        campaign = next((each for each in self.campaigns if each.start <= on <= each.end), None)
        if campaign is not None:
            before = self.credited.dates.index(campaign.start - DAY)
            columns += [pl.Series(f"{name}_before_campaign", units[name][before]) for name in QUOTA_INDICATORS]
        return self.units.hstack([*columns, contracted, *self.quotas.at(on).get_columns()])
