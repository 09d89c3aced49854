"""The panel's whole numbers in sampled futures: a row for every unit and draw, unit by unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from attrs import define, evolve, field

from kpi_rules.model.calendar import DAY
from kpi_rules.pipeline.derived import PEERS
from kpi_rules.pipeline.groups import places

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.model.calendar import Campaign, Tick
    from kpi_rules.pipeline.groups import Places
    from kpi_rules.pipeline.guards import Blocking

    Amounts = NDArray[np.int64]
    Flags = NDArray[np.bool_]


@define(eq=False)
class Ahead:
    """What all draws share: the units, and per tick the quotas in force and what campaigns began with.

    `quotas` has for each tick (of the assessment, none interim) a place in `books`, columns with one row per unit;
    `before` has for campaigns that began in the past what their units had on the day before.
    """

    units: pl.DataFrame
    ticks: tuple[Tick, ...]
    campaigns: tuple[Campaign, ...]
    books: tuple[pl.DataFrame, ...]
    quotas: tuple[int, ...]
    before: Mapping[date, Mapping[str, Amounts]]
    compares: bool
    """Whether something compares units with their peers."""
    unknown: Mapping[str, Flags]
    """Of sums a part of which was not known by the last day known, whose: they stay so."""
    wide: dict[tuple[int | date, int], pl.DataFrame] = field(factory=dict)
    """What is the same in all draws, a row for each: by draws and a book, or -1 for the units, or an eve."""
    of_quotas: dict[tuple[int, str], Amounts] = field(factory=dict)
    """Made by `quota`."""

    def named(self, draws: int) -> pl.DataFrame:
        """Return the units' own columns, each unit `draws` times in a row.

        Peers are the units of one group in one draw.
        """
        found = self._made(-1, draws)
        if found is None:
            rows = pl.Series(np.repeat(np.arange(len(self.units)), draws))
            found = self.units.select(pl.all().gather(rows))
            if self.compares:
                groups = self.units["group"].rank("dense").cast(pl.Int64)
                draw = pl.Series(np.tile(np.arange(draws), len(self.units)))
                found = found.with_columns((groups.gather(rows) * draws + draw).alias(PEERS))
            self.wide[-1, draws] = found
        return found

    def places(self, groups: Sequence[str], draws: int) -> Places:
        """Return the place of each unit's group among those named, `draws` times in a row."""
        return np.repeat(places(groups, self.units["group"]), draws)

    def quotas_at(self, here: int, draws: int) -> pl.DataFrame:
        """Return the quotas in force at a tick, each unit's `draws` times in a row."""
        book = self.quotas[here]
        found = self._made(book, draws)
        if found is None:
            rows = pl.Series(np.repeat(np.arange(len(self.units)), draws))
            found = self.wide[book, draws] = self.books[book].select(pl.all().gather(rows))
        return found

    def before_at(self, eve: date, draws: int) -> pl.DataFrame:
        """Return what each unit had on the day before a campaign that began in the past, `draws` times in a row."""
        found = self._made(eve, draws)
        if found is None:
            columns = {f"{name}_before_campaign": np.repeat(each, draws) for name, each in self.before[eve].items()}
            found = self.wide[eve, draws] = pl.DataFrame(columns)
        return found

    def _made(self, what: int | date, draws: int) -> pl.DataFrame | None:
        """Return what was made for chunks of so many draws. Chunks of another size are over, but for what threads are
        at: what was made for them goes.
        """
        if any(number != draws for _what, number in list(self.wide)):
            self.wide = {}
        return self.wide.get((what, draws))

    def alone(self, here: int) -> Ahead:
        """Return the same with tick number `here` as its only one."""
        return evolve(self, ticks=self.ticks[here : here + 1], quotas=self.quotas[here : here + 1])

    def quota(self, here: int, indicator: str) -> Amounts:
        """Return the quota of an indicator at a tick, one number per unit; 0 where there is none."""
        key = (self.quotas[here], indicator)
        found = self.of_quotas.get(key)
        if found is None:
            found = self.of_quotas[key] = self.books[key[0]][f"{indicator}_quota"].fill_null(0).to_numpy()
        return found

    def __getstate__(self) -> dict[str, object]:
        """Leave out what is made anew where it is needed."""
        names = ("units", "ticks", "campaigns", "books", "quotas", "before", "compares", "unknown")
        return {name: getattr(self, name) for name in names}

    def __setstate__(self, state: Mapping[str, object]) -> None:
        """Take over what was kept."""
        for name, value in state.items():
            setattr(self, name, value)
        self.wide, self.of_quotas = {}, {}


@define(frozen=True, eq=False)
class DrawnSource:
    """The whole numbers of every unit and draw of a chunk at each tick, as `panel.Source` has them.

    `amounts` has for each day, ticks and days before campaigns, by indicator the whole numbers (units x draws).
    """

    ahead: Ahead
    amounts: Mapping[date, Mapping[str, Amounts]]
    draws: int

    @property
    def units(self) -> pl.DataFrame:
        """`unit`, `group`, `kind`."""
        return self.ahead.named(self.draws)

    def at(self, here: int) -> pl.DataFrame:
        """Return the whole numbers of every row at tick number `here`."""
        on = self.ahead.ticks[here].on
        columns = [self._column(name, each) for name, each in self.amounts[on].items()]
        campaign = next((each for each in self.ahead.campaigns if each.start <= on <= each.end), None)
        if campaign is not None:
            columns += self._before(campaign.start - DAY)
        return self.units.hstack([*columns, *self.ahead.quotas_at(here, self.draws).get_columns()])

    def _column(self, name: str, amounts: Amounts) -> pl.Series:
        """Return the whole numbers of a name, null where a part of one is not known."""
        column, unknown = pl.Series(name, amounts.reshape(-1)), self.ahead.unknown.get(name)
        return column if unknown is None else column.set(pl.Series(np.repeat(unknown, self.draws)), None)

    def _before(self, eve: date) -> list[pl.Series]:
        """Return what each row had on the day before a campaign."""
        if eve in self.ahead.before:
            return self.ahead.before_at(eve, self.draws).get_columns()
        return [
            pl.Series(f"{name}_before_campaign", each.reshape(-1)) for name, each in self.amounts.get(eve, {}).items()
        ]


@define(frozen=True, eq=False)
class BlockingDraws:
    """Which measures guards keep from being proposed, asked once for each unit where no amount is read.

    It stands in for `pipeline.guards.Blocking`: whether a guard blocks a measure of a unit is the same in every draw.
    """

    blocking: Blocking
    units: pl.Series
    _stopped: dict[tuple[str, date], pl.Series] = field(factory=dict, init=False)

    def reads_amount(self) -> bool:
        """Whether a guard that blocks reads the amount of a measure."""
        return self.blocking.reads_amount()

    def blocked(self, rule: str, units: pl.Series, on: date, amounts: pl.Series | None) -> NDArray[np.bool_]:
        """Return for each row, in order, whether the measure of a rule is blocked there."""
        if amounts is not None:
            return self._by_amount(rule, pl.DataFrame({"unit": units, "amount": amounts}), on)
        if (rule, on) not in self._stopped:
            stopped = self.blocking.blocked(rule, self.units, on, None)
            self._stopped[rule, on] = self.units.filter(pl.Series(stopped))
        return units.is_in(self._stopped[rule, on].implode()).to_numpy()

    def _by_amount(self, rule: str, measures: pl.DataFrame, on: date) -> NDArray[np.bool_]:
        """Return which measures are blocked where a guard reads their amounts; equal ones are asked about once."""
        asked = measures.unique()
        blocked = pl.repeat(value=False, n=len(measures), eager=True)
        for rows in self.blocking.by_guard(rule, asked["unit"], on, asked["amount"]).values():
            keys = [name for name in ("unit", "amount") if name in rows.columns]
            hit = rows.select(keys).unique().with_columns(hit=pl.lit(value=True))
            joined = measures.join(hit, on=keys, how="left", nulls_equal=True, maintain_order="left")
            blocked |= joined["hit"].fill_null(value=False)
        return blocked.to_numpy()
