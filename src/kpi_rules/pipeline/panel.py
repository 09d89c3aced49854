"""The panel: every indicator per unit at a tick, as one frame (units in rows).

Amounts and quotas come in as whole fen and counts; every ratio is one correctly rounded division of two integers.
The engine asks for one tick at a time and only for the columns that something reads.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import polars as pl
from attrs import define, evolve, field

from kpi_rules.model.calendar import MOMENTS
from kpi_rules.model.columns import FIXINGS, QUOTA_INDICATORS, quota_indicators
from kpi_rules.model.contributions import SCALED
from kpi_rules.model.expressions import correctly_rounded
from kpi_rules.model.money import BILLION
from kpi_rules.model.plans import run
from kpi_rules.pipeline.columns import Figures
from kpi_rules.pipeline.derived import PEERS, Derived, group_sizes, rank_in_group, ranks
from kpi_rules.pipeline.formulas import formula
from kpi_rules.pipeline.groups import numbered, places

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import date
    from fractions import Fraction

    from numpy.typing import NDArray

    from kpi_rules.model.calendar import Campaign, Tick, Year
    from kpi_rules.model.contributions import Indicator
    from kpi_rules.model.settings import Parameters, Value
    from kpi_rules.pipeline.formulas import Formula
    from kpi_rules.pipeline.groups import Peers, Places

ColumnValue = bool | int | float | str
"""A parameter as a column holds it."""

SPAN = 131_072
"""Units whose completion and pace gap are computed at once: few enough for their columns to stay near the core, enough
for two threads not to wait for the interpreter's lock.
"""

RANKED: Final = {"rank": "completion", "campaign_rank": "campaign_completion"}
"""What ranks go by."""

RANKS = (*RANKED, "group_size")


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
    """Indicators per unit and tick: whole numbers from a source, held by terms.

    `placed` does what `places` does for all units, for a source that knows better than by comparing names.
    """

    source: Source
    ticks: tuple[Tick, ...]
    terms: Terms
    placed: Callable[[Sequence[str]], Places] | None = None
    _made: dict[tuple[int, tuple[str, ...]], dict[str, pl.Expr]] = field(factory=dict, init=False)
    _derived: Derived = field(init=False)
    _peers: list[Peers] = field(factory=list, init=False)

    @_derived.default
    def _of_the_plugins(self) -> Derived:
        return Derived(self.terms.indicators)

    @property
    def units(self) -> pl.DataFrame:
        """The units: `unit`, `group`, `kind`."""
        return self.source.units

    def places(self, groups: Sequence[str], low: int, size: int) -> Places:
        """Return the place of each unit's group among those named, of `size` units from row `low` on."""
        if self.placed is not None:
            return self.placed(groups)[low : low + size]
        return places(groups, self.units["group"].slice(low, size))

    def campaign_at(self, on: date) -> Campaign | None:
        """Return the campaign that runs on a day."""
        return next((campaign for campaign in self.terms.campaigns if campaign.start <= on <= campaign.end), None)

    def looking_ahead(self, ticks: tuple[Tick, ...]) -> Panel:
        """Return the panel over other ticks that begin with the same ones; the source still knows the first alone."""
        return evolve(self, ticks=ticks)

    @property
    def names(self) -> tuple[str, ...]:
        """The indicators that a quota can be set for."""
        return quota_indicators(self.terms.indicators)

    def counted(self, here: int, among: Collection[str]) -> set[str]:
        """Return those of the named indicators that count a tick's moments up to it."""
        return self._derived.counted(self.ticks[here].moments, among)

    def compared(self, needed: Collection[str]) -> frozenset[str]:
        """Return those of the named columns, and of what they are made of, that compare a unit with its peers: they
        need all units at once.
        """
        wanted = self.with_dependencies(needed)
        return frozenset({*wanted.intersection(RANKS), *self._derived.within(wanted)})

    def goes_on(self, needed: Collection[str]) -> bool:
        """Say whether the named columns are made of what goes on from tick to tick: lag or counts."""
        return not self.with_dependencies(needed).isdisjoint({"lag", *self._derived.counting})

    def derive(
        self, base: pl.DataFrame, here: int, before: Mapping[str, pl.Series], needed: Collection[str]
    ) -> pl.DataFrame:
        """Return `base` with every needed indicator of a tick.

        Args:
            base: the whole numbers of some units, as `Source.at` gives them, with `group` where a rank is needed;
                indicators that are there already are not made again.
            here: number of the tick.
            before: `lag` and the indicators that count, as they were at the tick before; 0 where they are left out.
            needed: names of the columns to compute.
        """
        wanted = self.with_dependencies(set(needed).difference(base.columns)).difference(base.columns)
        frame = base
        if not wanted.isdisjoint(("completion", "pace_gap", "lag")):
            frame = base.hstack(self._against_quota(base, here, before.get("lag"), wanted))
        others = {name: value for name, value in self._amounts(base, here).items() if name in wanted}
        if others:
            frame = frame.with_columns(**others)
        if wanted.intersection(RANKS):
            frame = _with_ranks(frame, wanted)
        added = self._derived.wanted(wanted)
        if not added:
            return frame
        roots = {root for name in added for root in self.terms.indicators[name].value.meta.root_names()}
        moments = self.ticks[here].moments
        frame = frame.with_columns(**{name: pl.lit(name in moments) for name in roots.intersection(MOMENTS)})
        frame = self.with_parameters(frame, here, roots)
        return self._derived.add(frame, added, moments, before)

    def formula(self, name: str, base: pl.DataFrame, here: int) -> Formula | None:
        """Return an indicator of a tick as a formula, of one that is compared between units what is compared; None
        where it takes more, or goes on from tick to tick.
        """
        tick, value, quota = self.ticks[here], pl.col(self.terms.primary), pl.col(f"{self.terms.primary}_quota")
        if name in MOMENTS:
            return formula(pl.lit(name in tick.moments))
        if name.removesuffix(SCALED) in self.terms.parameters.declared:
            return None
        if name == "completion":
            return formula(value / quota)
        if name == "pace_gap":
            pace = self.terms.pace(tick.on)
            ahead = quota * pace.numerator - value * pace.denominator
            return formula(ahead / (quota * pace.denominator))
        amounts = self._amounts(base, here)
        return formula(amounts[name]) if name in amounts else self._derived.formula(name)

    def ranked(self, name: str) -> str | None:
        """Return the column whose formula, by `formula`, is what a rank goes by; None of what is no rank."""
        if name in RANKED:
            return RANKED[name]
        return name if self._derived.ranks(name) else None

    def ranks(self, compared: Figures, base: pl.DataFrame) -> Figures:
        """Return the ranks of all units in their peer groups by what is compared."""
        if not self._peers:
            self._peers.append(numbered(base[PEERS if PEERS in base.columns else "group"]))
        codes, there = self._peers[0]
        values, known = compared.columns(len(base))
        there = there if compared.known is True else there & known
        return Figures(ranks(codes, values.astype(np.float64, copy=False), there), there)

    def carried(self, base: pl.DataFrame, here: int, before: Mapping[str, pl.Series]) -> dict[str, pl.Series]:
        """Return what goes on from a tick to the next: the lag and the indicators that count, but for those over sums
        that were not made, since nothing reads them.
        """
        missing = {name for name, each in self.terms.indicators.items() if each.table} - set(base.columns)
        names = {"lag", *(name for name in self._derived.counting if not self.with_dependencies({name}) & missing)}
        frame = self.derive(base, here, before, names)
        return {name: frame[name] for name in sorted(names)}

    def with_dependencies(self, needed: Collection[str]) -> set[str]:
        """Return the named columns with all that they are made from."""
        wanted = self._derived.closure(needed)
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
        known = None
        if value.null_count() or quota.null_count():
            known = pl.select(pl.lit(value).is_not_null() & pl.lit(quota).is_not_null()).to_series()
            value, quota = value.zip_with(known, _ZERO), quota.zip_with(known, _ONE)
        tick = self.ticks[here]
        before = np.zeros(len(value), dtype=np.int64) if lag is None else lag.to_numpy()
        completion, pace_gap, lagging = against_quota(
            value.to_numpy(), quota.to_numpy(), self.terms.pace(tick.on), before, float(self.terms.tolerance)
        )
        found = {"completion": pl.Series(completion), "pace_gap": pl.Series(pace_gap)}
        found["lag"] = pl.Series(lagging if tick.is_month_end else before)
        if known is not None:
            found = {name: column.zip_with(known, _UNKNOWN[name]) for name, column in found.items()}
        return [column.rename(name) for name, column in found.items() if name in wanted]

    def _amounts(self, base: pl.DataFrame, here: int) -> dict[str, pl.Expr]:
        key = (here, tuple(base.columns))
        if key not in self._made:
            self._made[key] = self._from_amounts(base, here)
        return self._made[key]

    def _from_amounts(self, base: pl.DataFrame, here: int) -> dict[str, pl.Expr]:
        """Return the indicators that are one division of whole numbers, by name."""
        on = self.ticks[here].on
        pace = self.terms.pace(on)
        found = {f"{name}_completion": pl.col(name) / pl.col(f"{name}_quota") for name in self.names}
        found["expected"] = pl.lit(pace.numerator / pace.denominator)
        found["expected_numerator"] = pl.lit(pace.numerator, pl.Int64)
        found["expected_denominator"] = pl.lit(pace.denominator, pl.Int64)
        for name in self.names:
            found |= _fixings(name, base, on)
        return found | _rates() | self._campaign(here, base)

    def _campaign(self, here: int, base: pl.DataFrame) -> dict[str, pl.Expr]:
        campaign = self.campaign_at(self.ticks[here].on)
        before = {name: f"{name}_before_campaign" for name in {*QUOTA_INDICATORS, self.terms.primary}}
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
    columns = parameter_columns(parameters, on, set(names).difference(frame.columns))
    return frame.with_columns(**columns) if columns else frame


def parameter_columns(parameters: Parameters, on: date, names: Collection[str]) -> dict[str, pl.Expr]:
    """Return the expressions of those of the named columns that are parameters; see `with_parameters`."""
    columns = {}
    for name in sorted(names):
        if name.removesuffix(SCALED) not in parameters.declared:
            continue
        general, by_group = values_by_group(parameters, name, on)
        columns[name] = (
            pl.lit(general, _dtype(general))
            if not by_group
            else pl.col("group").replace_strict(by_group, default=general, return_dtype=_dtype(general))
        )
    return columns


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


_ZERO, _ONE = pl.Series([0]), pl.Series([1])
_NONE: Final = pl.Series([None], dtype=pl.Float64)
_UNKNOWN: Final = {"completion": _NONE, "pace_gap": _NONE, "lag": _ZERO}
"""What stands where there is no quota. `zip_with` is far cheaper over few rows than `set` and `fill_null`."""

_NOTHING: Final = {column: pl.lit(None, dtype) for column, dtype in FIXINGS.items()}


def _rates() -> dict[str, pl.Expr]:
    recognised, contracted = pl.col("recognised"), pl.col("contracted")
    return {
        "arrival_rate": pl.when(contracted > 0).then(pl.col("vouchers") / contracted),
        "start_rate": pl.when(recognised > 0).then(pl.col("started_ever") / recognised),
        "production_rate": pl.when(recognised > 0).then(pl.col("producing_ever") / recognised),
    }


def _fixings(name: str, base: pl.DataFrame, on: date) -> dict[str, pl.Expr]:
    """Return what else the quota line says (M5); null where the source knows of none."""
    amount, quota = pl.col(name), pl.col(f"{name}_quota")
    found: dict[str, pl.Expr] = {
        f"{name}_{column}": nothing for column, nothing in _NOTHING.items() if f"{name}_{column}" not in base.columns
    }
    if f"{name}_stretch" in base.columns:
        found[f"{name}_stretch_completion"] = amount / pl.col(f"{name}_stretch")
    if f"{name}_deadline" in base.columns:
        deadline = pl.col(f"{name}_deadline")
        found[f"{name}_overdue"] = pl.when(deadline.is_not_null()).then((deadline < on) & (amount < quota))
    return found


def _with_ranks(frame: pl.DataFrame, wanted: Collection[str]) -> pl.DataFrame:
    columns = {}
    peers = frame[PEERS if PEERS in frame.columns else "group"]
    if "rank" in wanted:
        columns["rank"] = rank_in_group(peers, frame["completion"])
    if "group_size" in wanted:
        columns["group_size"] = group_sizes(peers, frame["completion"])
    if "campaign_rank" in wanted:
        columns["campaign_rank"] = rank_in_group(peers, frame["campaign_completion"])
    return frame.with_columns(**columns)


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

    `quotas` is the clean table; `units` the ids in row order; `names` the indicators that have quotas.
    """

    quotas: pl.DataFrame
    units: pl.Series
    names: tuple[str, ...] = QUOTA_INDICATORS
    _cache: dict[tuple[date, ...], pl.DataFrame] = field(factory=dict, init=False)

    def at(self, on: date) -> pl.DataFrame:
        """Return `<name>_quota` and `<name>_quota_original` of every unit on a date; null where no quota is in
        force.

        Where the table says more of its lines (M5) there are also `<name>_stretch`, `<name>_quality` and
        `<name>_deadline`.
        """
        in_force = tuple(day for day in self._days if day <= on)
        if in_force not in self._cache:
            self._cache[in_force] = self._columns(on)
        return self._cache[in_force]

    @cached_property
    def _days(self) -> list[date]:
        """The days from which some quota is in force."""
        return sorted(self.quotas["effective"].drop_nulls().unique())

    @property
    def fixings(self) -> dict[str, pl.Expr]:
        """What the table says of its lines besides their amount, by the column it becomes."""
        last = {
            "stretch": pl.col("stretch"),
            "quality": correctly_rounded(pl.col("quality") / BILLION),
            "deadline": pl.col("deadline"),
        }
        return {
            name: value.last()
            for name, value in last.items()
            if name in self.quotas.columns and self.quotas[name].null_count() < len(self.quotas)
        }

    def _columns(self, on: date) -> pl.DataFrame:
        effective = self.quotas.lazy().filter(pl.col("effective") <= on).sort("effective")
        units, fixings = pl.LazyFrame({"unit": self.units}), self.fixings
        for name in self.names:
            of_indicator = (
                effective.filter(pl.col("indicator") == name)
                .group_by("unit")
                .agg(
                    pl.col("amount").last().alias(f"{name}_quota"),
                    pl.col("amount").first().alias(f"{name}_quota_original"),
                    *(value.alias(f"{name}_{column}") for column, value in fixings.items()),
                )
            )
            units = units.join(of_indicator, on="unit", how="left", maintain_order="left")
        return run(units.drop("unit"))
