"""The panel: every indicator per unit at a tick, as one frame (units in rows).

Amounts and quotas come in as whole fen and counts; every ratio is one correctly rounded division of two integers.
The engine asks for one tick at a time and only for the columns that something reads.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl
from attrs import define, evolve, field

from kpi_rules.model.calendar import MOMENTS
from kpi_rules.model.columns import QUOTA_INDICATORS
from kpi_rules.model.contributions import SCALED
from kpi_rules.model.money import BILLION
from kpi_rules.pipeline.evaluating import evaluating

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import date
    from fractions import Fraction

    from numpy.typing import NDArray

    from kpi_rules.model.calendar import Campaign, Tick, Year
    from kpi_rules.model.contributions import Indicator
    from kpi_rules.model.settings import Parameters, Value

ColumnValue = bool | int | float | str
"""A parameter as a column holds it."""

SPAN = 131_072
"""Units whose completion and pace gap are computed at once: few enough for their columns to stay near the core, enough
for two threads not to wait for the interpreter's lock.
"""

RANKS = ("rank", "group_size", "campaign_rank")


class Source(Protocol):
    """Where the panel's whole numbers come from: evidence, a caller's own frames, or sampled futures."""

    @property
    def units(self) -> pl.DataFrame:
        """`unit`, `group`, `kind`."""
        ...

    def at(self, here: int) -> pl.DataFrame:
        """Return the whole numbers of every unit at tick number `here`: `funds`, `funds_quota` and so on."""
        ...


@define(frozen=True, eq=False)
class Terms:
    """What an assessment is held by, whoever is assessed.

    Attributes:
        year: the assessment year.
        campaigns: at most one runs at any tick.
        pace: the share expected on a day.
        primary: the indicator behind `completion`.
        tolerance: a month-end more than this behind counts as lagging.
        indicators: what plugins add.
        parameters: named inputs, dated and per group.
    """

    year: Year
    campaigns: tuple[Campaign, ...]
    pace: Callable[[date], Fraction]
    primary: str
    tolerance: Decimal
    indicators: Mapping[str, Indicator]
    parameters: Parameters


@define(frozen=True, eq=False)
class Panel:
    """Indicators per unit and tick: whole numbers from a source, held by terms."""

    source: Source
    ticks: tuple[Tick, ...]
    terms: Terms
    _made: dict[tuple[int, tuple[str, ...]], dict[str, pl.Expr]] = field(factory=dict, init=False)

    @property
    def units(self) -> pl.DataFrame:
        """The units: `unit`, `group`, `kind`."""
        return self.source.units

    def campaign_at(self, on: date) -> Campaign | None:
        """Return the campaign that runs on a day."""
        return next((campaign for campaign in self.terms.campaigns if campaign.start <= on <= campaign.end), None)

    def looking_ahead(self, ticks: tuple[Tick, ...]) -> Panel:
        """Return the panel over other ticks that begin with the same ones; the source still knows the first alone."""
        return evolve(self, ticks=ticks)

    def derive(self, base: pl.DataFrame, here: int, lag: pl.Series | None, needed: Collection[str]) -> pl.DataFrame:
        """Return `base` with every needed indicator of a tick.

        Args:
            base: the whole numbers of some units, as `Source.at` gives them, with `group` where a rank is needed.
            here: number of the tick.
            lag: the lag of each unit at the tick before; None at the first tick.
            needed: names of the columns to compute.
        """
        wanted = self._with_dependencies(needed)
        frame = base.hstack(self._against_quota(base, here, lag, wanted))
        key = (here, tuple(base.columns))
        if key not in self._made:
            self._made[key] = self._from_amounts(base, here)
        others = {name: value for name, value in self._made[key].items() if name in wanted}
        if others:
            frame = frame.with_columns(**others)
        if wanted.intersection(RANKS):
            frame = _with_ranks(frame, wanted)
        added = {name: indicator.value for name, indicator in self.terms.indicators.items() if name in wanted}
        if added:
            roots = {root for value in added.values() for root in value.meta.root_names()}
            moments = self.ticks[here].moments
            frame = frame.with_columns(**{name: pl.lit(name in moments) for name in roots.intersection(MOMENTS)})
            frame = self.with_parameters(frame, here, roots)
            for name, value in added.items():  # none reads another
                with evaluating("indicator", name):
                    frame = frame.with_columns(value.alias(name))
        return frame

    def _with_dependencies(self, needed: Collection[str]) -> set[str]:
        wanted = set(needed)
        for name in wanted & self.terms.indicators.keys():
            wanted |= set(self.terms.indicators[name].value.meta.root_names())
        if "lag" in wanted:
            wanted.add("pace_gap")
        if wanted & {"rank", "group_size"}:
            wanted.add("completion")
        if "campaign_rank" in wanted:
            wanted.add("campaign_completion")
        return wanted

    def _against_quota(
        self, base: pl.DataFrame, here: int, lag: pl.Series | None, wanted: Collection[str]
    ) -> list[pl.Series]:
        """Return completion, pace gap and lag, null or 0 where there is no quota."""
        value, quota = base[self.terms.primary], base[f"{self.terms.primary}_quota"]
        missing = None
        if value.null_count() or quota.null_count():
            missing = value.is_null() | quota.is_null()
            value, quota = value.fill_null(0), quota.fill_null(1)
        tick = self.ticks[here]
        before = np.zeros(len(value), dtype=np.int64) if lag is None else lag.to_numpy()
        completion, pace_gap, lagging = against_quota(
            value.to_numpy(), quota.to_numpy(), self.terms.pace(tick.on), before, float(self.terms.tolerance)
        )
        found = {"completion": pl.Series(completion), "pace_gap": pl.Series(pace_gap)}
        found["lag"] = pl.Series(lagging if tick.is_month_end else before)
        if missing is not None:
            found = {name: column.set(missing, 0 if name == "lag" else None) for name, column in found.items()}
        return [column.rename(name) for name, column in found.items() if name in wanted]

    def _from_amounts(self, base: pl.DataFrame, here: int) -> dict[str, pl.Expr]:
        """Return the indicators that are one division of whole numbers, by name."""
        pace = self.terms.pace(self.ticks[here].on)
        found = {f"{name}_completion": pl.col(name) / pl.col(f"{name}_quota") for name in QUOTA_INDICATORS}
        found["expected"] = pl.lit(pace.numerator / pace.denominator)
        return found | _rates() | self._campaign(here, base)

    def _campaign(self, here: int, base: pl.DataFrame) -> dict[str, pl.Expr]:
        campaign = self.campaign_at(self.ticks[here].on)
        before = {name: f"{name}_before_campaign" for name in QUOTA_INDICATORS}
        if campaign is None or before[self.terms.primary] not in base.columns:
            empty: dict[str, pl.Expr] = {
                f"campaign_{name}": pl.lit(None, pl.Int64) for name in (*QUOTA_INDICATORS, "quota")
            }
            return empty | {"campaign_completion": pl.lit(None, pl.Float64)}
        gained = {name: pl.col(name) - pl.col(start) for name, start in before.items() if start in base.columns}
        share, quota = campaign.share, pl.col(f"{self.terms.primary}_quota")
        return {f"campaign_{name}": amount for name, amount in gained.items()} | {
            "campaign_quota": quota * share.numerator // share.denominator,
            "campaign_completion": gained[self.terms.primary] * share.denominator / (quota * share.numerator),
        }

    def with_parameters(self, frame: pl.DataFrame, here: int, names: Collection[str]) -> pl.DataFrame:
        """Return the frame with the named parameters as columns, in force at a tick; a literal where equal for all
        units.
        """
        return with_parameters(frame, self.terms.parameters, self.ticks[here].on, names)


def with_parameters(frame: pl.DataFrame, parameters: Parameters, on: date, names: Collection[str]) -> pl.DataFrame:
    """Return a frame that has `group` with the named parameters as columns.

    Args:
        frame: units, projects or staff, one row each.
        parameters: the workspace's.
        on: the date at which they are in force.
        names: `plugin.name`, or with the suffix of a ratio's exact value; other names are passed over.
    """
    columns = {}
    for name in names:
        plain = name.removesuffix(SCALED)
        if plain not in parameters.declared or name in frame.columns:
            continue
        general, by_group = values_by_group(parameters, name, on)
        columns[name] = (
            pl.lit(general, _dtype(general))
            if not by_group
            else pl.col("group").replace_strict(by_group, default=general, return_dtype=_dtype(general))
        )
    return frame.with_columns(**columns) if columns else frame


def values_by_group(parameters: Parameters, name: str, on: date) -> tuple[ColumnValue, dict[str, ColumnValue]]:
    """Return a parameter's column value for all units, and for the groups where it differs."""
    plain, exact = name.removesuffix(SCALED), name.endswith(SCALED)
    general = _column_value(parameters.at(plain, on, None).value, exact=exact)
    groups = {
        group: _column_value(parameters.at(plain, on, group).value, exact=exact)
        for group in parameters.groups_named(plain)
    }
    return general, {group: value for group, value in groups.items() if value != general}


def _column_value(value: Value, *, exact: bool) -> ColumnValue:
    if isinstance(value, Decimal):
        return int(value * BILLION) if exact else float(value)
    if isinstance(value, tuple):
        msg = "a list of texts is no column"
        raise TypeError(msg)
    return value


def _dtype(value: ColumnValue) -> type[pl.DataType]:
    return {bool: pl.Boolean, int: pl.Int64, float: pl.Float64, str: pl.String}[type(value)]


def _rates() -> dict[str, pl.Expr]:
    recognised, contracted = pl.col("recognised"), pl.col("contracted")
    return {
        "arrival_rate": pl.when(contracted > 0).then(pl.col("vouchers") / contracted),
        "start_rate": pl.when(recognised > 0).then(pl.col("started_ever") / recognised),
        "production_rate": pl.when(recognised > 0).then(pl.col("producing_ever") / recognised),
    }


def _with_ranks(frame: pl.DataFrame, wanted: Collection[str]) -> pl.DataFrame:
    columns = {}
    if "rank" in wanted or "group_size" in wanted:
        columns["rank"], columns["group_size"] = rank_in_group(frame["group"], frame["completion"])
    if "campaign_rank" in wanted:
        columns["campaign_rank"], _size = rank_in_group(frame["group"], frame["campaign_completion"])
    return frame.with_columns(**columns)


def rank_in_group(group: pl.Series, completion: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return each unit's rank and the number of ranked units of its peer group.

    The rank is 1 + the units of the group with strictly higher completion; both are null without a group, the rank also
    without completion. One sort does for all groups: far cheaper than a window per group.
    """
    present = (group.is_not_null() & completion.is_not_null()).to_numpy()
    codes = group.cast(pl.Categorical).to_physical().fill_null(0).to_numpy().astype(np.int64)
    values = completion.fill_null(0.0).to_numpy()
    rows = np.flatnonzero(present)
    order = rows[np.lexsort((-values[rows], codes[rows]))]
    code, value = codes[order], values[order]
    place = np.arange(len(order))
    new_group = np.concatenate([[True], code[1:] != code[:-1]])[: len(order)]
    new_value = new_group | np.concatenate([[True], value[1:] != value[:-1]])[: len(order)]
    group_start = np.maximum.accumulate(np.where(new_group, place, 0))
    value_start = np.maximum.accumulate(np.where(new_value, place, 0))
    ranks = np.zeros(len(codes), dtype=np.int64)
    ranks[order] = value_start - group_start + 1
    sizes = np.bincount(codes[rows], minlength=int(codes.max(initial=0)) + 1)[codes]
    rank = pl.Series(ranks).set(pl.Series(~present), None)
    return rank, pl.Series(sizes.astype(np.int64)).set(group.is_null(), None)


def against_quota(
    value: NDArray[np.int64], quota: NDArray[np.int64], pace: Fraction, lag: NDArray[np.int64], tolerance: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return completion, pace gap and, for a month-end, the lag after `lag`.

    Whole numbers below 2**53 and their products with a pace are exact as floats, so each ratio is one correctly rounded
    division. A span of rows goes through all steps while it is in the processor's cache: this is where most of the time
    of a large population goes.
    """
    completion, gap = np.empty(len(value)), np.empty(len(value))
    lagging = np.empty(len(value), dtype=np.int64)
    amounts, quotas = np.empty(SPAN), np.empty(SPAN)
    for low in range(0, len(value), SPAN):
        rows = slice(low, low + SPAN)
        size = len(value[rows])
        amount, target, behind = amounts[:size], quotas[:size], gap[rows]
        np.copyto(amount, value[rows])
        np.copyto(target, quota[rows])
        np.divide(amount, target, out=completion[rows])
        np.multiply(target, pace.numerator, out=behind)
        amount *= pace.denominator
        target *= pace.denominator
        behind -= amount
        behind /= target
        np.add(lag[rows], 1, out=lagging[rows])
        lagging[rows] *= behind > tolerance
    return completion, gap, lagging


@define(eq=False)
class QuotaBook:
    """The quotas in force at each tick, per unit and indicator: the latest revision effective by then, and the first
    (M1).

    `quotas` is the clean table; `units` the ids in row order.
    """

    quotas: pl.DataFrame
    units: pl.Series
    _cache: dict[tuple[date, ...], pl.DataFrame] = field(factory=dict, init=False)

    def at(self, on: date) -> pl.DataFrame:
        """Return `<name>_quota` and `<name>_quota_original` of every unit on a date; null where no quota is in
        force.
        """
        in_force = tuple(sorted(self.quotas.filter(pl.col("effective") <= on)["effective"].unique()))
        if in_force not in self._cache:
            self._cache[in_force] = self._columns(on)
        return self._cache[in_force]

    def _columns(self, on: date) -> pl.DataFrame:
        effective = self.quotas.filter(pl.col("effective") <= on).sort("effective")
        units = pl.DataFrame({"unit": self.units})
        for name in QUOTA_INDICATORS:
            of_indicator = (
                effective.filter(pl.col("indicator") == name)
                .group_by("unit")
                .agg(
                    pl.col("amount").last().alias(f"{name}_quota"),
                    pl.col("amount").first().alias(f"{name}_quota_original"),
                )
            )
            units = units.join(of_indicator, on="unit", how="left", maintain_order="left")
        return units.drop("unit")
