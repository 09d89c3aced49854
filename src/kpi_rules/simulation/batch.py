"""Many points of a grid at once: the same futures under other parameters, a column of values for the rows of each.

The rows of one run of the engine are every unit, point and draw. What is past is decided anew for each point in the
same way; what it leaves to be paid back is computed once for all points that held the same.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from attrs import define, evolve, field

from kpi_rules.model.contributions import SCALED
from kpi_rules.model.money import BILLION
from kpi_rules.pipeline.assess import evidence_parameters
from kpi_rules.pipeline.decide import decide
from kpi_rules.pipeline.decided import Decided, Happening
from kpi_rules.pipeline.derived import PEERS
from kpi_rules.pipeline.guards import Blocking
from kpi_rules.pipeline.panel import Panel
from kpi_rules.pipeline.pay import ledger
from kpi_rules.pipeline.rulebook import Rulebook
from kpi_rules.pipeline.state import State
from kpi_rules.simulation.job import owed
from kpi_rules.simulation.past import fires_by_itself, firing, in_force
from kpi_rules.simulation.rows import BlockingDraws
from kpi_rules.simulation.run import Running, run
from kpi_rules.simulation.tally import RuleTally
from kpi_rules.simulation.traces import Account
from kpi_rules.simulation.whatif import HELD, affected_by, kinds_of, narrowed, roots_of
from kpi_rules.simulation.withholding import Withholding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kpi_rules.model.contributions import Rule
    from kpi_rules.model.settings import Value
    from kpi_rules.pipeline.source import EvidenceSource
    from kpi_rules.simulation.job import Futures, Job
    from kpi_rules.simulation.past import Past
    from kpi_rules.simulation.result import Simulation
    from kpi_rules.simulation.traces import Days, Traces
    from kpi_rules.workspace.workspace import Workspace

    Amounts = NDArray[np.int64]
    Flags = NDArray[np.bool_]

Columns = dict[str, "NDArray[Any]"]
"""By column of a parameter its value at each point."""

CELLS = 600_000
"""The most units x draws of all points run at once, but for those of a single point."""


def for_rules_alone(workspace: Workspace) -> set[str]:
    """Return the parameters that are read by conditions and amounts of rules and by nothing else, so that they can be
    columns.
    """
    plugins = workspace.plugins
    read = [part for each in plugins.indicators.values() for part in (each.value, each.at)]
    read += [part for each in plugins.guards.values() for part in (each.when, each.withholdable, each.with_basis)]
    read += [getattr(part, "amount", None) for rule in plugins.rules.values() for part in rule.deposit]
    others = {name.removesuffix(SCALED) for name in roots_of(*read)}
    holds = [rule.hold for rule in plugins.rules.values() if rule.hold is not None]
    others |= {name for hold in holds for name in (hold.share, hold.grades) if name is not None}
    listed = {name for name, setting in workspace.parameters.declared.items() if setting.kind == "texts"}
    return workspace.parameters.declared.keys() - others - listed - evidence_parameters(workspace)


def columns_of(points: Sequence[Mapping[str, Value]]) -> Columns:
    """Return the columns that hold the parameters of points, a ratio also in billionths."""
    found: Columns = {}
    for name in points[0]:
        values = [point[name] for point in points]
        exact = [value for value in values if isinstance(value, Decimal)]  # ratios
        found[name] = np.array([float(value) for value in exact] or values)
        if exact:
            found[name + SCALED] = np.array([int(value * BILLION) for value in exact])
    return found


@define(frozen=True, eq=False)
class PointsSource:
    """The panel's whole numbers of the past, each unit once for every point."""

    source: EvidenceSource
    points: int
    compares: bool

    @property
    def units(self) -> pl.DataFrame:
        """`unit`, `group`, `kind`."""
        return self._repeated(self.source.units)

    def at(self, here: int) -> pl.DataFrame:
        """Return the whole numbers of every row at tick number `here`."""
        return self._repeated(self.source.at(here))

    def _repeated(self, frame: pl.DataFrame) -> pl.DataFrame:
        rows = pl.Series(np.repeat(np.arange(len(frame)), self.points))
        found = frame.select(pl.all().gather(rows))
        if not self.compares:
            return found
        point = pl.Series(np.tile(np.arange(self.points), len(frame)))
        numbers = frame["group"].rank("dense").cast(pl.Int64).gather(rows)
        return found.with_columns((numbers * self.points + point).alias(PEERS))


@define(frozen=True, eq=False)
class Pasts:
    """What is past under each point: the state of every unit and point (unit by unit), and what is held, by rule, of
    the units that are simulated.
    """

    state: State
    owed: Mapping[str, Amounts]
    began: Mapping[str, Days]
    same_units: Flags
    """By point, whether the units to be simulated are those of the simulation."""


@define(frozen=True, eq=False)
class Batch:
    """Work for `run` in which points stand for draws: count what becomes of all draws under some points."""

    job: Job
    futures: Futures
    columns: Columns
    start: State
    owed: Mapping[str, Amounts]
    began: Mapping[str, Days]
    draws: int
    kinds: tuple[str, ...]

    @property
    def units(self) -> int:
        """How many rows each point has, halved: a run of twice as many rows does best, as few rules have part in it."""
        return self.job.units * self.draws // 2

    def run(self, low: int, high: int) -> Counted:
        """Count what becomes of the points from number `low`, inclusive, to `high`, exclusive."""
        step = max(CELLS // (self.job.units * (high - low)), 1)
        found: dict[int, RuleTally] = {}
        for first in range(0, self.draws, step):
            traces = self._traces(low, high, first, min(first + step, self.draws))
            for point in range(low, high):
                counted = RuleTally.of(_of_point(traces, point - low, high - low), self.job.month_ends, self.kinds)
                if point in found:
                    found[point].add(counted)
                else:
                    found[point] = counted
        return Counted(found)

    def _traces(self, low: int, high: int, first: int, last: int) -> Traces:
        """Run the pipeline on some draws under some points: points x draws stand for draws, point by point."""
        points, draws, units = high - low, last - first, self.job.units
        chunk = self.futures.chunk(first, last)
        amounts = {
            day.on: {name: np.tile(each, (1, points)) for name, each in chunk.step(here).items()}
            for here, day in enumerate(self.job.days)
        }
        whole = self.start.size // units
        rows = (np.arange(units)[:, None] * whole + np.arange(low, high)).reshape(-1)
        start = self.start.gathered(rows).repeated(draws)
        held = {name: np.repeat(each[rows], draws) for name, each in self.owed.items()}
        varying = {name: np.tile(np.repeat(each[low:high], draws), units) for name, each in self.columns.items()}
        since = {name: np.repeat(each[rows], draws) for name, each in self.began.items()}
        job = evolve(self.job, rulebook=self.job.rulebook.with_varying(varying))
        return job.given(first, amounts, start, held, since)


@define(eq=False)
class Counted:
    """What is counted by the number of the point."""

    of: dict[int, RuleTally] = field(factory=dict)

    def add(self, other: Counted) -> None:
        """Take in other points."""
        self.of |= other.of


def _of_point(traces: Traces, place: int, points: int) -> Traces:
    """Return what became of the draws of one point among `points`."""

    def own(array: NDArray[Any]) -> NDArray[Any]:
        units, rows = array.shape
        found: NDArray[Any] = array.reshape(units, points, rows // points)[:, place]
        return found

    return evolve(
        traces,
        primary=tuple(own(each) for each in traces.primary),
        hit={name: own(each) for name, each in traces.hit.items()},
        months={name: np.ascontiguousarray(own(each)) for name, each in traces.months.items()},
        money={name: own(each) for name, each in traces.money.items()},
    )


def count(
    simulation: Simulation, futures: Futures, points: Sequence[Mapping[str, Value]], running: Running
) -> dict[int, list[RuleTally]]:
    """Count what becomes of the draws of a simulation under other values of parameters that rules alone read.

    Where no rule goes by two of the parameters, by itself or through others, each is varied by itself, as the other
    changes nothing of what comes out.

    Args:
        simulation: under the values of the first point.
        futures: those of the simulation.
        points: by name the values of each point.
        running: who runs it.

    Returns:
        By number of the point what replaces parts of the simulation's tally; a point is missing where other units have
        to be simulated under it.
    """
    found: dict[int, list[RuleTally]] = {place: [] for place in range(len(points))}
    for names, affected in _apart_from_each_other(simulation.past, list(points[0])):
        own = [{name: point[name] for name in names} for point in points]
        distinct = list({tuple(point.values()): point for point in own}.values())
        counted = _counted(simulation, futures, distinct, affected, running)
        for place, point in enumerate(own):
            tally = counted.get(distinct.index(point))
            if tally is None:
                found.pop(place, None)
            elif place in found:
                found[place].append(tally)
    return found


def _apart_from_each_other(past: Past, names: Sequence[str]) -> list[tuple[list[str], set[str]]]:
    """Return the parameters that are varied together, with the rules that are affected; all of them where somebody is
    simulated for what is in force by those rules alone.
    """
    book = past.assessment.rulebook
    affected = [affected_by(past.workspace, book, {name}) for name in names]
    every = affected_by(past.workspace, book, set(names))
    others = past.certain | in_force(past.assessment.decided.state.of(book.rules.keys() - every))
    if len(every) < sum(map(len, affected)) or not others[past.rows].all():
        return [(list(names), every)]
    return [([name], rules) for name, rules in zip(names, affected, strict=True) if rules]


def _counted(
    simulation: Simulation,
    futures: Futures,
    points: Sequence[Mapping[str, Value]],
    affected: set[str],
    running: Running,
) -> dict[int, RuleTally]:
    """Count what becomes of some rules under each point, by its number."""
    past, job = simulation.past, simulation.job
    columns = columns_of(points)
    part = narrowed(job, affected)
    kinds = kinds_of([job.rulebook.rules[name] for name in affected])
    pasts = _pasts(past, columns, affected, holds=bool(set(kinds) & set(HELD)))
    kept = np.flatnonzero(pasts.same_units)
    if not len(kept):
        return {}
    every = len(points)
    batch = Batch(
        evolve(part, rulebook=Rulebook(part.rulebook.rules, part.rulebook.terms, columns)),
        futures,
        {name: each[kept] for name, each in columns.items()},
        evolve(pasts.state, since={}).gathered((past.rows[:, None] * every + kept).reshape(-1)),
        {name: each.reshape(-1, every)[:, kept].reshape(-1) for name, each in pasts.owed.items()},
        {name: each.reshape(-1, every)[:, kept].reshape(-1) for name, each in pasts.began.items()},
        simulation.draws,
        kinds,
    )
    found = run(batch, len(kept), running).of
    return {int(kept[place]): tally for place, tally in found.items()}


def _pasts(past: Past, columns: Columns, affected: set[str], *, holds: bool) -> Pasts:
    """Decide what is past anew under each point, by the rules that are affected."""
    assessment = past.assessment
    points = len(next(iter(columns.values())))
    units = len(assessment.panel.units)
    book = assessment.rulebook
    rules = {name: rule for name, rule in book.rules.items() if name in affected}
    compares = bool(assessment.panel.compared(book.columns))
    source = PointsSource(assessment.evidence.source, points, compares)
    panel = Panel(source, assessment.ticks, book.terms)
    varying = {name: np.tile(each, units) for name, each in columns.items()}
    blocking = Blocking.of(assessment.scene)
    decided = decide(
        panel,
        Rulebook(rules, book.terms, varying),
        outputs=None,
        block=units * points,
        blocking=None if blocking is None else BlockingDraws(blocking, assessment.panel.units["unit"]),
    )
    state = evolve(decided.state, counts=_repeated(assessment.decided.state, points))
    others = in_force(assessment.decided.state.of(book.rules.keys() - affected))[:, None]
    concerned = past.certain[:, None] | others | in_force(state).reshape(units, points)
    simulated = np.zeros(units, dtype=np.bool_)
    simulated[past.rows] = True
    same = (concerned == simulated[:, None]).all(axis=0) & _same_certain(past, panel.units, book, varying, points)
    held, began = _held(past, rules, decided, points) if holds else ({}, {})
    return Pasts(state, held, began, same)


def _same_certain(past: Past, units: pl.DataFrame, book: Rulebook, varying: Columns, points: int) -> Flags:
    """Say for each point whether the rules that fire without a target do so for the same units as under the first,
    which is the simulation's own.
    """
    known = {name for name, whether in firing(book).items() if whether == "known"}
    concerned = {name for name in known if not varying.keys().isdisjoint(book.rules[name].when.meta.root_names())}
    rows = units.with_columns(pl.Series(name, each) for name, each in varying.items())
    fires = fires_by_itself(rows, Rulebook(book.rules, book.terms, varying), past.ticks, concerned)
    fires = fires.reshape(-1, points)
    same: Flags = (fires == fires[:, :1]).all(axis=0)
    return same


def _repeated(state: State, points: int) -> dict[str, pl.Series]:
    """Return the counts of every unit, once for each point: no parameter of rules changes them."""
    rows = np.repeat(np.arange(state.size), points)
    return {name: each.gather(rows) for name, each in state.counts.items()}


def _held(
    past: Past, rules: Mapping[str, Rule], decided: Decided, points: int
) -> tuple[dict[str, Amounts], dict[str, Days]]:
    """Return by rule the fen that are held of each simulated unit under each point, unit by unit, and a number below 0
    for when its hold started.
    """
    assessment = past.assessment
    units, size = assessment.panel.units["unit"], len(assessment.panel.units)
    holding = {name: rule for name, rule in rules.items() if rule.hold is not None}
    nothing = {name: np.zeros(size * points, dtype=np.int64) for name in holding}
    withholding = Withholding(assessment.payroll, holding, units)
    account = Account(holding, assessment.ticks, State.fresh(holding, size * points), withholding, nothing)
    of_holds = Decided(
        events=[each for each in decided.events if each.rule in holding],
        bookings=decided.bookings,
        releases=decided.releases,
    )
    account.tell(of_holds, range(len(assessment.ticks)))
    held, began = account.carried()

    def own(array: NDArray[Any]) -> NDArray[Any]:
        found: NDArray[Any] = array.reshape(size, points)[past.rows].reshape(-1)
        return found

    since = {name: own(each) - np.int32(len(assessment.ticks)) for name, each in began.items()}
    if _apart(past, holding, decided):
        return {name: own(each) for name, each in held.items()}, since
    return _by_ledgers(past, holding, decided, points), since


def _apart(past: Past, holding: Mapping[str, Rule], decided: Decided) -> bool:
    """Say whether each person's pay is held for one unit alone in every month, if at all."""
    if any(rule.hold is not None and rule.hold.subtree for rule in holding.values()):
        return False
    payroll, ticks = past.assessment.payroll, past.assessment.ticks
    months = {ticks[each.tick].on for each in decided.bookings}
    return all(payroll.present(month)["person"].is_unique().all() for month in months)


def _by_ledgers(past: Past, holding: Mapping[str, Rule], decided: Decided, points: int) -> dict[str, Amounts]:
    """Return what `_held` does, by one ledger for all points at which the same holds started, withheld and ended."""
    assessment = past.assessment
    units, own = assessment.panel.units["unit"], past.units["unit"]
    happenings = [
        (kind, each)
        for kind in ("events", "bookings", "releases")
        for each in getattr(decided, kind)
        if each.rule in holding
    ]
    size = len(units) * points
    flags = [np.zeros(size, dtype=np.bool_) for _each in happenings]
    for there, (_kind, each) in zip(flags, happenings, strict=True):
        there[each.rows] = True
    marks = [np.packbits(there.reshape(len(units), points), axis=0) for there in flags]
    signatures = np.concatenate([np.zeros((1, points), dtype=np.uint8), *marks])
    _distinct, first, which = np.unique(signatures, axis=1, return_index=True, return_inverse=True)
    found = {name: np.zeros((len(own), points), dtype=np.int64) for name in holding}
    for place, point in enumerate(first.tolist()):
        lines = ledger(_at(happenings, point, points), assessment.ticks, units, holding, assessment.payroll)
        for name, fen in owed(lines, own, list(holding)).items():
            found[name][:, which.reshape(-1) == place] = fen[:, None]
    return {name: each.reshape(-1) for name, each in found.items()}


def _at(happenings: Sequence[tuple[str, Happening]], point: int, points: int) -> Decided:
    """Return what happened under one point, by the rows of the units."""
    found = Decided()
    for kind, each in happenings:
        own = each.rows % points == point
        if own.any():
            rows = (each.rows[own] // points).astype(np.uint32)
            getattr(found, kind).append(evolve(each, rows=rows, since=each.since[own], amounts=None))
    return found
