"""Many points of a grid at once: the same futures under other parameters, a column of values for the rows of each.

The rows of one run of the engine are every unit, point and draw. What is past is decided anew for each point in the
same way; what it leaves to be paid back is computed once for all points that held the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from attrs import define, evolve, field

from kpi_rules.model.contributions import SCALED
from kpi_rules.model.money import BILLION
from kpi_rules.pipeline.assess import evidence_parameters
from kpi_rules.pipeline.decide import Decided, Happening, decide
from kpi_rules.pipeline.derived import PEERS
from kpi_rules.pipeline.guards import Blocking
from kpi_rules.pipeline.panel import Panel
from kpi_rules.pipeline.pay import ledger
from kpi_rules.pipeline.rulebook import Rulebook
from kpi_rules.simulation.job import owed
from kpi_rules.simulation.past import firing, in_force
from kpi_rules.simulation.rows import BlockingDraws
from kpi_rules.simulation.run import Running, run
from kpi_rules.simulation.tally import RuleTally
from kpi_rules.simulation.whatif import HELD, affected_by, kinds_of, narrowed, roots_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kpi_rules.model.contributions import Rule
    from kpi_rules.model.settings import Parameters, Value
    from kpi_rules.pipeline.source import EvidenceSource
    from kpi_rules.pipeline.state import State
    from kpi_rules.simulation.job import Futures, Job
    from kpi_rules.simulation.past import Past
    from kpi_rules.simulation.result import Simulation
    from kpi_rules.simulation.traces import Traces
    from kpi_rules.workspace.workspace import Workspace

    Amounts = NDArray[np.int64]
    Flags = NDArray[np.bool_]

Columns = dict[str, "NDArray[Any]"]
"""By column of a parameter its value at each point."""

CELLS = 600_000
"""The most units x draws of all points run at once, but for those of a single point."""


def for_rules_alone(workspace: Workspace, book: Rulebook) -> set[str]:
    """Return the parameters that are read by conditions and amounts of rules and by nothing else, so that they can be
    columns; those of rules that may concern a unit without a target left out, as they say who is simulated.
    """
    plugins = workspace.plugins
    read = [part for each in plugins.indicators.values() for part in (each.value, each.at)]
    read += [part for each in plugins.guards.values() for part in (each.when, each.withholdable, each.with_basis)]
    read += [getattr(part, "amount", None) for rule in plugins.rules.values() for part in rule.deposit]
    others = {name.removesuffix(SCALED) for name in roots_of(*read)}
    holds = [rule.hold for rule in plugins.rules.values() if rule.hold is not None]
    others |= {name for hold in holds for name in (hold.share, hold.grades) if name is not None}
    for name, whether in firing(book).items():
        if whether == "known":
            others |= {root.removesuffix(SCALED) for root in book.rules[name].when.meta.root_names()}
    listed = {name for name, setting in workspace.parameters.declared.items() if setting.kind == "texts"}
    return workspace.parameters.declared.keys() - others - listed - evidence_parameters(workspace)


def columns_of(parameters: Parameters, points: Sequence[Mapping[str, Value]]) -> Columns:
    """Return the columns that hold the parameters of points, a ratio also in billionths."""
    found: Columns = {}
    for name in points[0]:
        values = [point[name] for point in points]
        if parameters.declared[name].kind == "ratio":
            found[name] = np.array([float(value) for value in values])  # type: ignore[arg-type]  # decimals
            found[name + SCALED] = np.array([int(value * BILLION) for value in values])  # type: ignore[operator]
        else:
            found[name] = np.array(values)
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
    draws: int
    kinds: tuple[str, ...]

    @property
    def units(self) -> int:
        """How many rows each point has."""
        return self.job.units * self.draws

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
        start = self.start.gathered(np.repeat(rows, draws))
        held = {name: np.repeat(each[rows], draws) for name, each in self.owed.items()}
        varying = {name: np.tile(np.repeat(each[low:high], draws), units) for name, each in self.columns.items()}
        book = self.job.rulebook
        job = evolve(self.job, rulebook=Rulebook(book.rules, book.terms, varying))
        return job.given(first, amounts, start, held)


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
) -> dict[int, RuleTally]:
    """Count what becomes of the draws of a simulation under other values of parameters that rules alone read.

    Returns:
        By number of the point what replaces part of the simulation's tally; a point is missing where other units have
        to be simulated under it.
    """
    past, job = simulation.past, simulation.job
    names = set(points[0])
    affected = affected_by(past.workspace, past.assessment.rulebook, names)
    if not affected:
        nothing = RuleTally([(0, simulation.draws)], {}, {}, {}, {})
        return dict.fromkeys(range(len(points)), nothing)
    columns = columns_of(past.workspace.parameters, points)
    part = narrowed(job, affected)
    kinds = kinds_of([job.rulebook.rules[name] for name in affected])
    pasts = _pasts(past, part, columns, affected, holds=bool(set(kinds) & set(HELD)))
    kept = np.flatnonzero(pasts.same_units)
    if not len(kept):
        return {}
    every = len(points)
    own = (past.rows[:, None] * every + kept).reshape(-1)
    here = (np.arange(len(past.rows))[:, None] * every + kept).reshape(-1)
    batch = Batch(
        part,
        futures,
        {name: each[kept] for name, each in columns.items()},
        pasts.state.gathered(own),
        {name: each[here] for name, each in pasts.owed.items()},
        simulation.draws,
        kinds,
    )
    found = run(batch, len(kept), running).of
    return {int(kept[place]): tally for place, tally in found.items()}


def _pasts(past: Past, part: Job, columns: Columns, affected: set[str], *, holds: bool) -> Pasts:
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
    same = (concerned == simulated[:, None]).all(axis=0)
    held = _held(past, rules, decided, points) if holds else {name: np.zeros(0, np.int64) for name in part.owed}
    return Pasts(state, held, same)


def _repeated(state: State, points: int) -> dict[str, pl.Series]:
    """Return the counts of every unit, once for each point: no parameter of rules changes them."""
    rows = np.repeat(np.arange(state.size), points)
    return {name: each.gather(rows) for name, each in state.counts.items()}


def _held(past: Past, rules: Mapping[str, Rule], decided: Decided, points: int) -> dict[str, Amounts]:
    """Return by rule the fen that are held of each simulated unit under each point, unit by unit.

    A ledger is made once for all points at which the same holds started, withheld and were released.
    """
    assessment = past.assessment
    units, own = assessment.panel.units["unit"], past.units["unit"]
    holding = {name: rule for name, rule in rules.items() if rule.hold is not None}
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
