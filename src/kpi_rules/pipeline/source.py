"""Whole numbers per unit and tick, from evidence: what the panel divides and compares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl
from attrs import define, evolve, field

from kpi_rules.model.calendar import DAY
from kpi_rules.model.columns import QUOTA_INDICATORS
from kpi_rules.pipeline.credit import WHOLE_NUMBERS
from kpi_rules.pipeline.tally import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

    from kpi_rules.model.calendar import Campaign, Tick
    from kpi_rules.pipeline.credit import Credited
    from kpi_rules.pipeline.panel import QuotaBook

AGAINST_QUOTA: Final = ("completion", "stretch_completion", "overdue")
"""What is made of an indicator and of what its quota line says, `<name>_completion` and so on."""

READ: Final[Mapping[str, tuple[str, ...]]] = {
    "arrival_rate": ("vouchers", "contracted"),
    "start_rate": ("recognised", "started_ever"),
    "production_rate": ("recognised", "producing_ever"),
    **{f"{name}_{column}": (name,) for name in QUOTA_INDICATORS for column in AGAINST_QUOTA},
    **{f"campaign_{name}": (name,) for name in QUOTA_INDICATORS},
}
"""The whole numbers that an indicator of another name is made of."""


CONTRACTS: Final = frozenset({"contracted", "contracts_unknown"})
"""Whole numbers that make one column together: a sum, and how many contracts in it are not known."""


def credit_dates(ticks: Sequence[Tick], campaigns: Sequence[Campaign]) -> list[date]:
    """Return the dates at which credit is needed: the ticks, and the day before each campaign that has begun."""
    last = ticks[-1].on
    before = {campaign.start - DAY for campaign in campaigns if campaign.start <= last}
    return sorted({tick.on for tick in ticks} | before)


def whole_numbers(indicators: Iterable[str], primary: str) -> set[str]:
    """Return the whole numbers that the named indicators are made of; `primary` is behind completion, pace and rank."""
    return {primary}.union(*({name, *READ.get(name, ())} for name in indicators)) & WHOLE_NUMBERS


@define(frozen=True, eq=False)
class EvidenceSource:
    """The panel's whole numbers, from credited evidence and the quotas in force.

    With `rows` it is of some units alone, by their rows among those credited; what it gives of them is kept.
    """

    units: pl.DataFrame
    ticks: tuple[Tick, ...]
    campaigns: tuple[Campaign, ...]
    credited: Credited
    quotas: QuotaBook
    rows: NDArray[np.int64] | None = None
    _kept: dict[int, pl.DataFrame] = field(factory=dict, init=False)

    def of(self, rows: NDArray[np.int64]) -> EvidenceSource:
        """Return the same of some units, by their rows."""
        return evolve(self, units=self.units[rows], rows=rows)

    def at(self, here: int) -> pl.DataFrame:
        """Return the whole numbers of every unit at tick number `here`.

        Counts and amounts are Int64, `contracted` is null where the contract of a recognised project is not known;
        `<name>_before_campaign` is there while a campaign runs.
        """
        if self.rows is None:
            return self.units.hstack(self._columns(here))
        if here not in self._kept:
            self._kept[here] = self.units.hstack(pl.DataFrame(self._columns(here))[self.rows].get_columns())
        return self._kept[here]

    def _columns(self, here: int) -> list[pl.Series]:
        """Return the whole numbers of all that is credited."""
        on = self.ticks[here].on
        row = self.credited.dates.index(on)
        units = self.credited.units
        columns = [_column(units, name, row) for name in units if name not in CONTRACTS and not name.endswith(UNKNOWN)]
        if "contracted" in units:
            contracted = pl.Series("contracted", units["contracted"][row])
            columns.append(_null_where(units["contracts_unknown"][row] > 0, contracted))
        campaign = next((each for each in self.campaigns if each.start <= on <= each.end), None)
        if campaign is not None:
            before = self.credited.dates.index(campaign.start - DAY)
            counted = [name for name in self.quotas.names if name in units]
            columns += [pl.Series(f"{name}_before_campaign", units[name][before]) for name in counted]
        return [*columns, *self.quotas.at(on).get_columns()]


def _column(units: Mapping[str, NDArray[np.int64]], name: str, row: int) -> pl.Series:
    """Return the whole numbers of a name at a date, null where a part of one is not known."""
    column = pl.Series(name, units[name][row])
    unknown = units.get(name + UNKNOWN)
    return column if unknown is None else _null_where(unknown[row] > 0, column)


def _null_where(unknown: NDArray[np.bool_], column: pl.Series) -> pl.Series:
    """Return a column of whole numbers, null where they are not known."""
    if not unknown.any():
        return column
    return column.zip_with(pl.Series(~unknown), pl.Series([None], dtype=pl.Int64))
