"""Grid: what a year comes to over values of one or two parameters, every point simulated from scratch on the same
draws.
"""

from __future__ import annotations

from functools import cached_property, reduce
from itertools import product
from typing import TYPE_CHECKING, Final

import polars as pl

from kpi_rules.locale import _
from kpi_rules.model.problems import AssessmentError, Place, Problem, error, nearest
from kpi_rules.simulation.batch import count, for_rules_alone
from kpi_rules.simulation.result import Simulation
from kpi_rules.simulation.run import Progress, Running
from kpi_rules.simulation.simulate import simulate
from kpi_rules.simulation.tally import TOTALS, Tally
from kpi_rules.simulation.whatif import Kept, job_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from concurrent.futures import Executor
    from datetime import date

    from kpi_rules.model.settings import Setting, Value
    from kpi_rules.simulation.effects import Effect
    from kpi_rules.simulation.job import Futures
    from kpi_rules.simulation.tally import RuleTally
    from kpi_rules.workspace.workspace import Workspace

    Point = tuple[int, ...]

DRAWS: Final = 200
MOST_PARAMETERS: Final = 2
MOST_KEPT: Final = 2_000_000
"""The most units x draws x ticks of futures that are drawn once for all points."""


class Grid:
    """What simulations under all combinations of values come to; every attribute is a polars frame made at its first
    use, money is fen.

    `parameters` has the values by name, `draws`, `seed`, `as_of` and `workspace` say what was simulated, `rules` are
    the rules that ran, by id; `assumptions` are those of `Simulation`.
    """

    def __init__(
        self, axes: Sequence[Axis], first: Simulation, tallies: Mapping[Point, Tally], outcomes: Sequence[str]
    ) -> None:
        """Keep what was counted; `kpi_rules.grid` is the way to make one."""
        self._axes, self._first, self._tallies, self._outcomes = axes, first, tallies, outcomes
        self.seed, self.draws, self.as_of = first.seed, first.draws, first.as_of
        self.workspace, self.rules = first.past.workspace, first.past.assessment.rulebook.rules
        self.assumptions = first.assumptions

    def __repr__(self) -> str:
        """Name the parameters and what was simulated, on one line."""
        over = " x ".join(f"{len(axis.raw)} of {axis.setting.name}" for axis in self._axes)
        return f"<Grid over {over}: {self.draws} draws, seed {self.seed}, as of {self.as_of}>"

    @property
    def parameters(self) -> dict[str, list[Value]]:
        """The values by parameter, as they were read: decimals, whole numbers, fen."""
        return {axis.setting.name: axis.values for axis in self._axes}

    @cached_property
    def outcomes(self) -> pl.DataFrame:
        """One row a point: a column for each parameter, then the outcomes asked for, as means over draws.

        `met` is how many units meet the task at the last tick; `withheld`, `released`, `outstanding`, `rewarded` are
        fen over all units; a column for each rule says how many units its measure hits.
        """
        columns = self._point_columns()
        for name in self._outcomes:
            columns.append(pl.Series(name, [self._mean(tally, name) for tally in self._tallies.values()]))
        return pl.DataFrame(columns)

    @cached_property
    def digests(self) -> pl.DataFrame:
        """One row a point: a column for each parameter, and the `digest` of its simulation."""
        digests = [tally.digest() for tally in self._tallies.values()]
        return pl.DataFrame([*self._point_columns(), pl.Series("digest", digests)])

    def simulation(self, point: Mapping[str, object]) -> Simulation:
        """Return the simulation of a point, with all that `kpi_rules.simulate` says.

        Args:
            point: by parameter one of its values.

        Raises:
            ValueError: there is no such point in the grid.
        """
        place = tuple(axis.place(point) for axis in self._axes)
        found = self._first.what_if(
            {axis.setting.name: axis.raw[at] for axis, at in zip(self._axes, place, strict=True)}
        )
        return Simulation(found.past, found.job, self._tallies[place], self.seed, self.draws, found.kept)

    def _mean(self, tally: Tally, name: str) -> float:
        if name in TOTALS:
            return int(tally.totals[name][0].sum()) / self.draws
        return int(tally.hit[name].sum()) / self.draws

    def _point_columns(self) -> list[pl.Series]:
        found = []
        for place, axis in enumerate(self._axes):
            values = [axis.shown[at[place]] for at in self._tallies]
            found.append(pl.Series(axis.setting.name, values, dtype=_DTYPES[axis.setting.kind]))
        return found


_DTYPES: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "ratio": pl.Float64,
    "money": pl.Int64,
    "count": pl.Int64,
    "flag": pl.Boolean,
    "texts": pl.List(pl.String),
    "choice": pl.String,
}


class Axis:
    """The values of one parameter, as they were given and as they were read."""

    def __init__(self, setting: Setting, raw: Sequence[object], values: list[Value]) -> None:
        """Keep them; `values` are those read."""
        self.setting, self.raw, self.values = setting, list(raw), values

    @property
    def shown(self) -> list[object]:
        """The values as a column holds them."""
        ratio, texts = self.setting.kind == "ratio", self.setting.kind == "texts"
        return [float(each) if ratio else list(each) if texts else each for each in self.values]  # type: ignore[arg-type]  # by kind

    def place(self, point: Mapping[str, object]) -> int:
        """Return the number of the value that a point has.

        Raises:
            ValueError: it has none of them.
        """
        value = self.setting.read(point.get(self.setting.name))
        if value is None or value not in self.values:
            shown = ", ".join(self.setting.show(each) for each in self.values)
            text = _("{name} is {value} at no point, but one of {choices}")
            raise ValueError(text.format(name=self.setting.name, value=point.get(self.setting.name), choices=shown))
        return self.values.index(value)


def grid(  # noqa: PLR0913 (what is simulated, and who runs it; all but three by name)
    workspace: Workspace,
    as_of: date,
    parameters: Mapping[str, Sequence[object]],
    *,
    draws: int = DRAWS,
    seed: int = 1,
    until: date | None = None,
    known_at: date | None = None,
    decisions: pl.DataFrame | None = None,
    effects: Sequence[Effect] = (),
    outcomes: Collection[str] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Grid:
    """Simulate the rest of a year under every combination of values of one or two parameters (M19, M22).

    Every point is what `simulate` gives for the workspace with these values, bit for bit: the past is decided anew
    under them, and the draws are the same at all points. Points that differ in what rules alone read run many at once;
    other parameters (a share of pay, what evidence is checked or credited by) take a simulation each.

    Args:
        workspace: without errors.
        as_of: the last day that is known.
        parameters: by full name such as `field_duty.off_post_below` the values to try, each for all groups and days.
        draws: how many futures.
        seed: as in `simulate`.
        until: as in `simulate`.
        known_at: as in `simulate`.
        decisions: as in `simulate`; with decisions every point is a simulation of its own.
        effects: as in `simulate`; with effects every point is a simulation of its own.
        outcomes: the columns of `Grid.outcomes` that are wanted; all by default.
        executor: as in `simulate`.
        workers: as in `simulate`.
        progress: called with a `Progress` whose `draws` are points, where these run many at once.
        cancelled: as in `simulate`.

    Returns:
        The grid.

    Raises:
        AssessmentError: as `simulate` has it; or no parameter, more than two, an unknown one, no value, a value that is
            out of bounds or twice there, an unknown outcome.
        CancelledError: `cancelled` said so.
    """
    if workspace.errors:
        raise AssessmentError(workspace.errors)
    axes = _axes(workspace, parameters)
    running = Running(executor, workers, progress, cancelled)
    names = [axis.setting.name for axis in axes]
    first = simulate(
        workspace.with_parameters({axis.setting.name: axis.raw[0] for axis in axes}),
        as_of,
        draws=draws,
        seed=seed,
        until=until,
        known_at=known_at,
        decisions=decisions,
        effects=effects,
        executor=executor,
        workers=workers,
        cancelled=cancelled,
    )
    wanted = _outcomes(outcomes, [*TOTALS, *first.job.rulebook.rules])
    at_once = set()
    if decisions is None and not effects:
        at_once = for_rules_alone(workspace).intersection(names)
    tallies: dict[Point, Tally] = {}
    inner, outer = ([axis for axis in axes if (axis.setting.name in at_once) is one] for one in (True, False))
    for values in product(*(range(len(axis.raw)) for axis in outer)):
        here = {axis.setting.name: place for axis, place in zip(outer, values, strict=True)}
        simulation = first.what_if(_raw(outer, here)) if any(values) else first
        tallies |= _of_points(simulation, axes, inner, here, running)
    every = product(*(range(len(axis.raw)) for axis in axes))
    return Grid(axes, first, {place: tallies[place] for place in every}, wanted)


def _of_points(
    simulation: Simulation, axes: Sequence[Axis], inner: Sequence[Axis], here: Mapping[str, int], running: Running
) -> dict[Point, Tally]:
    """Return the tallies of all points at a place of the outer axes."""
    places = [
        {**here, **{axis.setting.name: at for axis, at in zip(inner, values, strict=True)}}
        for values in product(*(range(len(axis.raw)) for axis in inner))
    ]
    found: dict[int, list[RuleTally]] = {}
    if inner:
        points = [{axis.setting.name: axis.values[place[axis.setting.name]] for axis in inner} for place in places]
        found = count(simulation, _drawn(simulation), points, running)
    tallies = {}
    for number, place in enumerate(places):
        if number in found:
            tally = reduce(Tally.replaced, found[number], simulation.tally)
        elif not inner:
            tally = simulation.tally
        else:
            tally = simulation.what_if(_raw(inner, place)).tally
        tallies[tuple(place[axis.setting.name] for axis in axes)] = tally
    return tallies


def _drawn(simulation: Simulation) -> Futures:
    """Return the futures of a simulation, drawn once for all points where they are few."""
    futures = simulation.job.futures
    if job_cells(simulation) > MOST_KEPT:
        return futures
    kept = Kept(futures)
    chunk = kept.chunk(0, simulation.draws)
    for here in range(len(simulation.job.days)):
        chunk.step(here)
    return kept


def _raw(axes: Sequence[Axis], place: Mapping[str, int]) -> dict[str, object]:
    return {axis.setting.name: axis.raw[place[axis.setting.name]] for axis in axes}


def _axes(workspace: Workspace, parameters: Mapping[str, Sequence[object]]) -> list[Axis]:
    """Return what is varied, in the order given."""
    if not 1 <= len(parameters) <= MOST_PARAMETERS:
        expected = _("one or two parameters with their values")
        found = ", ".join(map(str, parameters)) or _("no parameter")
        raise AssessmentError([_problem("parameters", found, expected, "too-many-parameters")])
    axes, problems = [], []
    declared = workspace.parameters.declared
    for name, raw in parameters.items():
        setting = declared.get(name)
        if setting is None:
            found, hint = _("the unknown parameter {name}").format(name=name), nearest(str(name), declared)
            problems.append(_problem("parameters", found, _("the name of a parameter"), "unknown-parameter", hint))
            continue
        values = [] if isinstance(raw, str) else [setting.read(each) for each in raw]
        wrong = [each for each, value in zip(raw, values, strict=False) if value is None]
        problems += [_problem(name, repr(each), setting.expected, "bad-value") for each in wrong]
        kept = [value for value in values if value is not None]
        if not values or (not wrong and len(set(kept)) < len(kept)):
            problems.append(_problem(name, repr(raw), _("a list of values, none of them twice"), "bad-value"))
        axes.append(Axis(setting, raw, kept))
    if problems:
        raise AssessmentError(problems)
    return axes


def _outcomes(asked: Collection[str] | None, known: Sequence[str]) -> list[str]:
    """Return the outcomes wanted."""
    unknown = [name for name in asked or () if name not in known]
    if unknown:
        expected = _("one of {choices}").format(choices=", ".join(known))
        raise AssessmentError(
            [
                _problem(
                    "outcomes",
                    _("the unknown outcome {name}").format(name=name),
                    expected,
                    "unknown-outcome",
                    nearest(name, known),
                )
                for name in unknown
            ]
        )
    return list(known if asked is None else dict.fromkeys(asked))


def _problem(key: str, found: str, expected: str, code: str, hint: str | None = None) -> Problem:
    return error(code, Place(key=key), found=found, expected=expected, nearest=hint)
