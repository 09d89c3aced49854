"""Plan: quotas for the year to come, from history, under a given total (M22)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np
import polars as pl
from attrs import asdict, define, evolve

from kpi_rules.locale import _
from kpi_rules.model.calendar import following
from kpi_rules.model.columns import quota_indicators
from kpi_rules.model.money import LIMIT
from kpi_rules.model.problems import AssessmentError, Place, error, nearest
from kpi_rules.pipeline.credit import ancestors
from kpi_rules.simulation.asked import check_numbers
from kpi_rules.simulation.futures import futures
from kpi_rules.simulation.intervals import wilson
from kpi_rules.simulation.past import year_ahead
from kpi_rules.simulation.planning import ByCapacity, ByChance, ByGrowth, shrunk
from kpi_rules.simulation.run import chunks
from kpi_rules.workspace.split import apportion

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.model.calendar import Year
    from kpi_rules.model.forecasts import Assumption
    from kpi_rules.simulation.futures import Futures
    from kpi_rules.simulation.past import Past
    from kpi_rules.simulation.planning import Laid, Way
    from kpi_rules.workspace.workspace import Workspace

    Whole = NDArray[np.int64]

By = Literal["growth", "chance", "capacity"]
Of = Literal["staff", "pipeline"]

DRAWS: Final = 10_000
QUANTILES: Final = (10, 50, 90)


@define(frozen=True, eq=False, slots=False)
class Plan:
    """Quotas proposed for the year to come; every table is a polars frame, money is fen.

    Attributes:
        workspace: what was planned from; nothing in it changes.
        by: how the total was laid on units: `growth`, `chance`, `capacity`.
        of: what capacity is counted in, `staff` or `pipeline`; None for the other ways.
        indicator: whose quotas they are.
        total: what they add up to.
        rate: what is common to all: growth as a share of last year; the chance; of capacity the share asked above it.
        start: first day of the year to come, from which the quotas hold.
        above: the unit whose quota the total is, None without one.
        draws, seed: of the sampled year.
        units: `unit, group, last` (credited last year), `mean, q10, q50, q90` (of the sampled year), `capacity` and
            `per_capacity` (what one of it brings in a year; null but by capacity), `quota`, `growth` (of the quota on
            last year, null without one), `chance, chance_low, chance_high` (to meet it, and its 95% interval).
        unplanned: `unit, reason`: units that have a quota now and get none.
        assumptions: what the sampled year assumes, as `Simulation.assumptions`.
    """

    workspace: Workspace
    by: str
    of: str | None
    indicator: str
    total: int
    rate: float | None
    start: date
    above: str | None
    draws: int
    seed: int
    units: pl.DataFrame
    unplanned: pl.DataFrame
    assumptions: pl.DataFrame

    def __repr__(self) -> str:
        """Name the workspace and what was planned, on one line."""
        what = f"{self.total} by {self.by}, {len(self.units)} units"
        return f"<Plan of {self.indicator} from {self.start} for {self.workspace.name!r}: {what}>"

    @cached_property
    def quotas(self) -> pl.DataFrame:
        """`unit, indicator, amount, effective`: rows for the table `quotas`, of the units planned and, first, of the
        one whose quota the total is. Amounts are Int64, fen or counts, as frames for `kpi_rules.Workspace` have them.
        """
        parts = self.units.select("unit", amount="quota")
        if self.above is not None:
            parts = pl.concat([pl.DataFrame({"unit": [self.above], "amount": [self.total]}), parts])
        return parts.select(
            "unit", pl.lit(self.indicator).alias("indicator"), "amount", pl.lit(self.start).alias("effective")
        )


def plan(  # noqa: PLR0913 (what is planned; all but two by name)
    workspace: Workspace,
    total: int | None,
    *,
    by: By = "growth",
    rate: Decimal | float | None = None,
    of: Of | None = None,
    indicator: str | None = None,
    unit: str | None = None,
    as_of: date | None = None,
    known_at: date | None = None,
    draws: int = DRAWS,
    seed: int = 1,
) -> Plan:
    """Lay a total on units as their quotas for the year to come (M22).

    Args:
        workspace: without errors; the history.
        total: fen, or a count; None where `rate` is given.
        by: `growth`: what each was credited with last year, times one growth for all; `chance`: so that all have the
            same chance to meet theirs, found by bisection over the draws, to within one draw; `capacity`: in proportion
            to what each has times what one of that brings in a year, shrunk to its peer group.
        rate: instead of a total what is common to all: growth as a share, the chance, or the share asked above
            capacity.
        of: what capacity is counted in: `staff` there on the last day known, in the unit and below it; `pipeline`, what
            the recognised projects' contracts still have to bring. By default staff where the workspace has any.
        indicator: whose quotas; of the primary indicator by default.
        unit: whose quota the total is; those planned are the highest with a quota below it. By default the one unit
            that all others with a quota are below; without such a one the highest with a quota are planned.
        as_of: the last day known, up to the year end, which it is by default. Before it the rest of this year is
            sampled along; what then waits for its visit at the year end counts with the year to come.
        known_at: as in `kpi_rules.assess`.
        draws: how many futures of the year to come, at least 2.
        seed: a whole number from 0; the same seed gives the same bits.

    Returns:
        The plan. Its quotas add up to the total: largest remainder, ties by unit id.

    Raises:
        AssessmentError: as `kpi_rules.assess` has it; nothing forecasts the indicator; the total is out of reach.
    """
    check_numbers(draws=(draws, 2), seed=(seed, 0))
    indicator, common = _asked(workspace, indicator, total, by, rate, of)
    before = year_ahead(workspace, as_of, known_at, indicator)
    if before.units.is_empty():
        found = _("no quota of {indicator}").format(indicator=indicator)
        raise _wrong("indicator", "no-quota", found, _("an indicator that units have a quota of at the year end"))
    place, above = _level(before, unit)
    forecast = _from_nothing(before, futures(before, seed))
    if indicator not in {series.name for series in forecast.series}:
        found = _("no forecast of {indicator}").format(indicator=indicator)
        raise _wrong("indicator", "no-forecast", found, _("an indicator that is forecast"))
    history = _History(before, indicator, place, _sampled(before, indicator, forecast, draws)[place])
    kept, unplanned, way, capacity = history.way(by, of)
    laid = _laid(way, total, common) if kept.any() else None
    if laid is None or not sum(laid.weights):
        raise _wrong("total", "total-out-of-reach", str(total), _("a total that units with a history can bring"))
    units, nothing = history.planned(kept, laid, total, capacity)
    year = following(before.assessment.rulebook.terms.year)
    return Plan(
        workspace,
        by,
        None if capacity is None else capacity.of,
        indicator,
        int(units["quota"].sum()),
        laid.rate,
        year.start,
        above,
        draws,
        seed,
        units,
        pl.concat([unplanned, nothing]).sort("unit"),
        _frame(forecast.assumptions),
    )


@define(frozen=True, eq=False)
class _Capacity:
    """What units have, and what one of it brings in a year; one for each unit planned."""

    of: Of
    there: Whole
    each: tuple[Fraction, ...]


@define(frozen=True, eq=False)
class _History:
    """What is known of the units to plan for: `place`, their rows in the past, and their sampled year."""

    past: Past
    indicator: str
    place: Whole
    sampled: Whole

    @property
    def units(self) -> pl.DataFrame:
        """`unit, group` of the units."""
        return self.past.units.select("unit", "group")[self.place]

    @property
    def last(self) -> Whole:
        """What each was credited with in the year that ends."""
        return self._credited(self.indicator)

    def way(self, by: By, of: Of | None) -> tuple[NDArray[np.bool_], pl.DataFrame, Way, _Capacity | None]:
        """Return which units can be planned, the others with the reason, and how."""
        if by != "capacity":
            kept = self.last > 0
            way = ByGrowth(self.last[kept]) if by == "growth" else ByChance(-np.sort(-self.sampled[kept], axis=1))
            return kept, self._left(~kept, _("nothing was credited last year")), way, None
        of = of or ("staff" if len(self.past.workspace.tables.staff) else "pipeline")
        if of == "staff":
            had = ahead = self._staff()
            reason = _("no staff on {day}").format(day=self.past.as_of)
        else:
            had = self._credited("contracted")
            ahead = np.maximum(had - self._credited("vouchers"), 0)
            reason = _("no contract that still has to bring anything")
        kept = (had > 0) & (ahead > 0)
        variance = [float(each) for each in self.sampled[kept].astype(np.float64).var(axis=1)]
        groups = self.units["group"].filter(pl.Series(kept)).to_list()
        each = shrunk(self.last[kept], had[kept], variance, groups)
        capacity = _Capacity(of, ahead[kept], each)
        return kept, self._left(~kept, reason), ByCapacity(each, capacity.there), capacity

    def planned(
        self, kept: NDArray[np.bool_], laid: Laid, total: int | None, capacity: _Capacity | None
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the units with their quotas, and those whose part comes to nothing."""
        units = self.units.filter(pl.Series(kept))
        whole = int(sum(laid.weights)) if total is None else total
        parts = apportion(whole, dict(zip(units["unit"].to_list(), laid.weights, strict=True)))
        quota = np.array([parts[unit] for unit in units["unit"].to_list()], dtype=np.int64)
        sampled, last = self.sampled[kept], self.last[kept]
        chance, low, high = wilson((sampled >= quota[:, None]).sum(axis=1), sampled.shape[1])
        quantiles = np.sort(sampled, axis=1)[:, [-(-percent * sampled.shape[1] // 100) - 1 for percent in QUANTILES]]
        none = [None] * len(units)
        frame = units.with_columns(
            last=last,
            mean=sampled.sum(axis=1) / sampled.shape[1],
            **{f"q{percent}": quantiles[:, at] for at, percent in enumerate(QUANTILES)},
            capacity=pl.Series(none if capacity is None else capacity.there, dtype=pl.Int64),
            per_capacity=pl.Series(
                none if capacity is None else [float(each) for each in capacity.each], dtype=pl.Float64
            ),
            quota=quota,
            growth=pl.Series(np.where(last > 0, quota / np.maximum(last, 1) - 1, np.nan)).fill_nan(None),
            chance=chance,
            chance_low=low,
            chance_high=high,
        ).sort("unit")
        nothing = frame.filter(pl.col("quota") == 0).select("unit", reason=pl.lit(_("its part comes to nothing")))
        return frame.filter(pl.col("quota") > 0), nothing

    def _credited(self, name: str) -> Whole:
        amounts: Whole = self.past.assessment.credited.units[name][-1][self.past.rows[self.place]]
        return amounts

    def _staff(self) -> Whole:
        """Count the persons there on the last day known, in each unit and below it."""
        tables, day = self.past.workspace.tables, self.past.as_of
        unit, above = ancestors(tables.units)
        ids = tables.units["unit"]
        tree = pl.DataFrame({"unit": ids.gather(unit), "above": above})
        there = pl.col("from_on").fill_null(day) <= day, pl.col("to_on").fill_null(day) >= day
        persons = tables.staff.filter(*there).select("unit", "person").join(tree, on="unit").unique(["person", "above"])
        return np.bincount(persons["above"].to_numpy(), minlength=len(ids))[self.past.rows[self.place]]

    def _left(self, rows: NDArray[np.bool_], reason: str) -> pl.DataFrame:
        return self.units.filter(pl.Series(rows)).select("unit", reason=pl.lit(reason))


def _asked(
    workspace: Workspace, indicator: str | None, total: object, by: str, rate: Decimal | float | None, of: str | None
) -> tuple[str, Fraction | None]:
    """Return the indicator and the common rate, where what is asked for can be done."""
    if workspace.errors or workspace.config is None:
        raise AssessmentError(workspace.errors)
    indicator = workspace.config.primary if indicator is None else indicator
    asked = (("by", by, get_args(By)), ("of", of, (*get_args(Of), None)))
    for key, value, choices in (*asked, ("indicator", indicator, quota_indicators(workspace.plugins.indicators))):
        if value not in choices:
            names = [each for each in choices if each is not None]
            expected = _("one of {choices}").format(choices=", ".join(names))
            raise _wrong(key, "unknown-choice", repr(value), expected, nearest(str(value), names))
    if (total is None) == (rate is None):
        raise _wrong(
            "total",
            "total-or-rate",
            _("total {total}, rate {rate}").format(total=total, rate=rate),
            _("one of the two"),
        )
    if rate is not None:
        return indicator, _rate(by, rate)
    if isinstance(total, bool) or not isinstance(total, int) or not 1 <= total <= LIMIT:
        raise _wrong(
            "total", "bad-number", repr(total), _("whole fen from {least} to {most}").format(least=1, most=LIMIT)
        )
    return indicator, None


def _rate(by: str, rate: Decimal | float) -> Fraction:
    """Return a rate exactly as it prints."""
    exact = Fraction(str(rate)) if Decimal(str(rate)).is_finite() else None
    if exact is None or (not 0 < exact <= 1 if by == "chance" else exact <= -1):
        expected = _("a share above 0, at most 1") if by == "chance" else _("a share above -1")
        raise _wrong("rate", "bad-number", str(rate), expected)
    return exact


def _wrong(key: str, code: str, found: str, expected: str, hint: str | None = None) -> AssessmentError:
    return AssessmentError([error(code, Place(key=key), found=found, expected=expected, nearest=hint)])


def _level(past: Past, unit: str | None) -> tuple[Whole, str | None]:
    """Return the rows of the units to plan for, and the unit whose quota the total is."""
    below, above = past.below
    depth, ids = np.bincount(below, minlength=len(past.units)), past.units["unit"].to_list()
    if unit is None:
        top = np.flatnonzero(depth == 1)
        if len(top) != 1 or len(ids) == 1:
            return top, None
        unit = ids[int(top[0])]
    if unit not in ids:
        found, expected = _("no quota of {unit}").format(unit=unit), _("a unit with a quota and others below it")
        raise _wrong("unit", "unknown-unit", found, expected, nearest(unit, ids))
    row = ids.index(unit)
    under = below[above == row]
    rows = np.sort(under[depth[under] == depth[row] + 1])
    if not len(rows):
        found, expected = _("nobody below {unit} has a quota").format(unit=unit), _("a unit with others below it")
        raise _wrong("unit", "nobody-below", found, expected)
    return rows, unit


def _from_nothing(past: Past, forecast: Futures) -> Futures:
    """Return futures in which what arrived this year does not count next year, though it waits for its visit."""
    if past.as_of < past.assessment.rulebook.terms.year.end:
        return forecast
    series = (evolve(each, waiting=np.zeros_like(each.waiting)) for each in forecast.series)
    return evolve(forecast, series=tuple(series))


def _sampled(past: Past, indicator: str, forecast: Futures, draws: int) -> Whole:
    """Return what each unit is credited with in the year to come: units x draws."""
    year: Year = past.assessment.rulebook.terms.year
    found = np.empty((len(past.units), draws), dtype=np.int64)
    for low, high in chunks(len(past.units), draws, 1):
        chunk = forecast.chunk(low, high)
        first = amounts = forecast.last[indicator][:, None]
        for here, tick in enumerate(past.ticks):
            amounts = chunk.step(here)[indicator]
            if tick.on == year.end:
                first = amounts
        np.subtract(amounts, first, out=found[:, low:high])
    return found


def _laid(way: Way, total: int | None, rate: Fraction | None) -> Laid | None:
    if total is not None:
        return way.of_total(total)
    assert rate is not None  # noqa: S101 (one of the two is given)
    return way.of_rate(rate)


def _frame(assumptions: Sequence[Assumption]) -> pl.DataFrame:
    names = ("model", "indicator", "what", "about", "value", "basis")
    return pl.DataFrame(
        [asdict(each) for each in assumptions], schema={**dict.fromkeys(names, pl.String), "little": pl.Boolean}
    )
