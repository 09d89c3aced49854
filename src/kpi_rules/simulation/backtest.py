"""Backtest: forecast the rest of a year that is known from each of its month-ends, and compare with what came."""

from __future__ import annotations

import time
from copy import copy
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from attrs import define, evolve

from kpi_rules.locale import _
from kpi_rules.model.calendar import month_end
from kpi_rules.model.problems import AssessmentError, Place, error, nearest
from kpi_rules.pipeline.assess import assess
from kpi_rules.simulation.asked import check_numbers
from kpi_rules.simulation.futures import futures
from kpi_rules.simulation.intervals import wilson
from kpi_rules.simulation.past import past
from kpi_rules.simulation.run import CancelledError, Progress, chunks
from kpi_rules.simulation.scoring import LEVELS, inside, judged
from kpi_rules.workspace.amounts import LAST_DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from numpy.typing import NDArray

    from kpi_rules.pipeline.result import Assessment
    from kpi_rules.simulation.futures import Futures
    from kpi_rules.simulation.past import Past
    from kpi_rules.workspace.workspace import Workspace

    Whole = NDArray[np.int64]

DRAWS: Final = 2_000


class Backtest:
    """How good the forecasts were; every attribute is a polars frame, money is fen.

    `draws`, `seed` and `workspace` say what was tested.

    Attributes:
        cases: one row for each forecast: `model, origin, tick, horizon` (months), `unit` (null: all units together),
            `quota` (null for all units together), `known` (credited at the origin, as known there), `actual` (credited
            at the tick), `mean`, `median`, `low50, high50, low80, high80, low95, high95`, `straight` (the straight
            line), `crps`, `straight_crps` (its absolute error), `inside50, inside80, inside95` (how much of the
            case the band holds, 0 to 1).
        unforecast: `model, origin, reason`: origins from which there was nothing yet to forecast from.
    """

    def __init__(
        self, workspace: Workspace, cases: pl.DataFrame, unforecast: pl.DataFrame, draws: int, seed: int
    ) -> None:
        """Keep the cases; `kpi_rules.backtest` is the way to make one."""
        self.workspace, self.cases, self.unforecast = workspace, cases, unforecast
        self.draws, self.seed = draws, seed

    def __repr__(self) -> str:
        """Name the workspace and what was tested, on one line."""
        models = ", ".join(self.cases["model"].unique(maintain_order=True))
        return f"<Backtest of {self.workspace.name!r}: {models}; {len(self.cases)} forecasts of {self.draws} draws>"

    @cached_property
    def scores(self) -> pl.DataFrame:
        """`model, of, horizon, cases, crps, straight, skill, bias, bias_share`: per model and horizon in months (null:
        all), of single `units` and of the `whole`.

        `crps` and `straight` are means in fen of the continuous ranked probability score and of the absolute error of
        the straight line; `skill` is 1 - crps / straight: above 0 the forecast is the better one. `bias` is the mean of
        forecast less actual, `bias_share` the sum of it over the sum of what came.
        """
        off = pl.col("mean") - pl.col("actual")
        frame = self._grouped(
            cases=pl.len(),
            crps=pl.col("crps").mean(),
            straight=pl.col("straight_crps").mean(),
            bias=off.mean(),
            bias_share=off.sum() / pl.col("actual").sum(),
        )
        better = pl.when(pl.col("straight") > 0).then(1 - pl.col("crps") / pl.col("straight"))
        order = ["model", "of", "horizon", "cases", "crps", "straight", "skill", "bias", "bias_share"]
        return frame.with_columns(skill=better).select(order)

    @cached_property
    def bands(self) -> pl.DataFrame:
        """`model, of, horizon, level, cases, covered, covered_low, covered_high, width`: per model, horizon in months
        (null: all) and band in percent, the share of cases that it holds, and its mean width in fen.

        The 95% interval is Wilson's, for cases that do not hang together; those of one unit and year do, so it is too
        narrow where a row has more cases than units.
        """
        frames = [
            self._grouped(
                level=pl.lit(level, pl.Int64),
                cases=pl.len(),
                held=pl.col(f"inside{level}").sum(),
                width=(pl.col(f"high{level}") - pl.col(f"low{level}")).mean(),
            )
            for level in LEVELS
        ]
        frame = pl.concat(frames)
        shares = [wilson(np.array([held]), many) for held, many in frame.select("held", "cases").iter_rows()]
        columns = [pl.Series(name, [float(each[at][0]) for each in shares]) for at, name in enumerate(_COVERED)]
        order = ["model", "of", "horizon", "level", "cases", *_COVERED, "width"]
        return frame.hstack(columns).select(order).sort("model", "of", "horizon", "level", nulls_last=False)

    def _grouped(self, **aggregated: pl.Expr) -> pl.DataFrame:
        """Aggregate the cases of each model, of units and of the whole, by horizon and over all horizons."""
        of = pl.when(pl.col("unit").is_null()).then(pl.lit("whole")).otherwise(pl.lit("units")).alias("of")
        cases = self.cases.with_columns(of)
        by_horizon = cases.group_by("model", "of", "horizon").agg(**aggregated)
        over_all = cases.group_by("model", "of").agg(**aggregated).with_columns(horizon=pl.lit(None, pl.Int64))
        both = pl.concat([over_all.select(by_horizon.columns), by_horizon])
        return both.sort("model", "of", "horizon", nulls_last=False)


_COVERED: Final = ("covered", "covered_low", "covered_high")


def backtest(  # noqa: PLR0913 (what is tested; all but one by name)
    workspace: Workspace,
    *,
    models: Sequence[str] | None = None,
    draws: int = DRAWS,
    seed: int = 1,
    since: date | None = None,
    until: date | None = None,
    known_at: date | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Backtest:
    """Forecast the rest of the year from each past month-end, and compare with what came (M22).

    From every month-end on (the origin) the primary indicator is forecast for every later one, for each unit with a
    quota there and for all units together. A forecast sees what had happened by its origin and was recorded by then;
    what came is what is known now. Rules are not run: what is sampled is what units bring.

    Args:
        workspace: without errors.
        models: what to test, each a forecast such as `compound` or a sum such as `pipeline + compound`; by default what
            the workspace forecasts with.
        draws: how many futures of each origin.
        seed: a whole number from 0; the same seed gives the same bits.
        since: origins begin here; by default at the first month-end.
        until: the last day forecast; by default the end of the month of the last voucher or visit, and the year end at
            the latest.
        known_at: what came as it was known on this day; by default all that is recorded.
        progress: called with a `Progress` after each origin; its draws are those of all origins.
        cancelled: asked before each origin; true gives up.

    Returns:
        The backtest. In memory there are months x units x draws numbers at a time.

    Raises:
        AssessmentError: as `kpi_rules.assess` has it; there is no such forecast, or no month-end to forecast from.
        CancelledError: `cancelled` said so.
    """
    check_numbers(draws=(draws, 1), seed=(seed, 0))
    last = _last_day(workspace) if until is None else until
    came = assess(workspace, last, LAST_DAY if known_at is None else known_at, indicators=(), whole_panel=False)
    ends = [tick.on for tick in came.ticks if tick.is_month_end and tick.on <= came.rulebook.terms.year.end]
    tested = _forecasts(workspace, models)
    origins = [on for on in ends[:-1] if since is None or on >= since]
    expected = _("a month-end to forecast from, and one after it")
    if not origins:
        found = _("no month-end from {since} to before {until}").format(since=since, until=last)
        raise AssessmentError([error("nothing-to-come", Place(key="since"), found=found, expected=expected)])
    frames, silent, began = [], [], time.perf_counter()
    for done, origin in enumerate(origins, start=1):
        if cancelled is not None and cancelled():
            raise CancelledError
        for model, chosen in tested:
            before = past(chosen, origin, ends[-1], origin)
            try:
                forecast = futures(before, seed)
            except AssessmentError as refused:
                if [problem.code for problem in refused.problems] != ["no-history"]:
                    raise
                silent.append((model, origin, refused.problems[0].message))
                continue
            frames.append(_Origin(model, before, forecast, came).cases(ends, draws))
        if progress is not None:
            progress(Progress(done * draws, len(origins) * draws, time.perf_counter() - began))
    left = pl.DataFrame(silent, {"model": pl.String, "origin": pl.Date, "reason": pl.String}, orient="row")
    if not frames:
        raise AssessmentError([error("no-history", Place(key="since"), found=left["reason"][0], expected=expected)])
    cases = pl.concat(frames).sort("model", "origin", "tick", "unit", nulls_last=False)
    return Backtest(workspace, cases, left, draws, seed)


def _last_day(workspace: Workspace) -> date | None:
    """Return the end of the month of the last voucher or visit, the year end at the latest; None without either."""
    tables, config = workspace.tables, workspace.config
    days = pl.concat([tables.arrivals["arrived_on"], tables.visits["visited_on"]])
    if config is None or not len(days):
        return None
    latest = days.max()
    assert isinstance(latest, date)  # noqa: S101 (the columns have no nulls)
    return min(month_end(max(latest, config.year.start)), config.year.end)


def _forecasts(workspace: Workspace, models: Sequence[str] | None) -> list[tuple[str, Workspace]]:
    """Return by name the workspace that forecasts with each of the sums of forecasts, or with what it names itself."""
    config, known = workspace.config, workspace.plugins.forecasts
    if workspace.errors or config is None:
        raise AssessmentError(workspace.errors)
    sums = [config.forecasts] if models is None else [tuple(map(str.strip, each.split("+"))) for each in models]
    for name in (name for each in sums for name in each if name not in known):
        found = _("the unknown forecast {name}").format(name=name)
        expected = _("one of {choices}").format(choices=", ".join(sorted(known)))
        place, hint = Place(key="models"), nearest(name, known)
        raise AssessmentError([error("unknown-forecast", place, found=found, expected=expected, nearest=hint)])
    chosen = []
    for each in sums:
        other = copy(workspace)
        other.config = evolve(config, forecasts=each)
        chosen.append((" + ".join(each), other))
    return chosen


@define(frozen=True, eq=False)
class _Origin:
    """A forecast from one origin, and what came."""

    model: str
    past: Past
    forecast: Futures
    came: Assessment

    def cases(self, ends: Sequence[date], draws: int) -> pl.DataFrame:
        """Return the cases of all month-ends after the origin."""
        targets = [on for on in ends if on > self.past.as_of]
        sampled = self._sampled(set(targets), draws)
        return pl.concat([self._at(horizon, on, sampled[on]) for horizon, on in enumerate(targets, start=1)])

    def _sampled(self, targets: AbstractSet[date], draws: int) -> dict[date, Whole]:
        """Return what is drawn for each target: units x draws, and as a last row all of them together."""
        units = len(self.past.units)
        found = {on: np.empty((units + 1, draws), dtype=np.int64) for on in targets}
        for low, high in chunks(units, draws, 1):
            chunk = self.forecast.chunk(low, high)
            for here, tick in enumerate(self.past.ticks):
                amounts = chunk.step(here)[self._primary]
                if tick.on in targets:
                    found[tick.on][:, low:high] = self._with_whole(amounts)
        return found

    def _at(self, horizon: int, on: date, sampled: Whole) -> pl.DataFrame:
        """Return the cases of one target: units with a quota there, and the whole."""
        quota = self.came.quotas_on(on)[f"{self._primary}_quota"][self.past.rows]
        rows = np.append(np.flatnonzero(quota.is_not_null().to_numpy()), len(self.past.units))
        known = self._credited(self.past.assessment, self.past.as_of)[rows]
        actual = self._credited(self.came, on)[rows]
        year = self.came.rulebook.terms.year
        straight = _extended(known, (self.past.as_of - year.start).days + 1, (on - year.start).days + 1)
        verdict = judged(sampled[rows], actual)
        many = len(rows)
        return pl.DataFrame(
            {
                "model": pl.Series([self.model], dtype=pl.String).new_from_index(0, many),
                "origin": pl.Series([self.past.as_of], dtype=pl.Date).new_from_index(0, many),
                "tick": pl.Series([on], dtype=pl.Date).new_from_index(0, many),
                "horizon": np.full(many, horizon),
                "unit": pl.concat([self.past.units["unit"], pl.Series([None], dtype=pl.String)]).gather(rows),
                "quota": pl.concat([quota, pl.Series([None], dtype=pl.Int64)]).gather(rows),
                "known": known,
                "actual": actual,
                "mean": verdict.mean,
                "median": verdict.median,
                **{f"{end}{level}": getattr(verdict, end)[level] for level in LEVELS for end in ("low", "high")},
                "straight": straight,
                "crps": verdict.crps,
                "straight_crps": np.abs(straight - actual).astype(np.float64),
                **{f"inside{level}": inside(verdict, level) for level in LEVELS},
            }
        )

    @property
    def _primary(self) -> str:
        return self.came.rulebook.terms.primary

    def _credited(self, assessment: Assessment, on: date) -> Whole:
        """Return what units are credited with on a day, and as a last number all of them together."""
        credited = assessment.credited
        return self._with_whole(credited.units[self._primary][credited.dates.index(on)][self.past.rows])

    def _with_whole(self, amounts: Whole) -> Whole:
        """Append the sum of the units that are below none of the others."""
        below, _above = self.past.below
        top = np.bincount(below) == 1
        return np.concatenate([amounts, amounts[top].sum(axis=0, keepdims=True)])


def _extended(known: Whole, elapsed: int, then: int) -> Whole:
    """Return the straight line from nothing at the year's start through what is known, rounded down; exact."""
    whole, rest = np.divmod(known, elapsed)
    line: Whole = whole * then + rest * then // elapsed
    return line
