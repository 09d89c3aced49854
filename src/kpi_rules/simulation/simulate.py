"""Simulate: see the year before it happens, with the engine that decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_rules.simulation.asked import check_numbers
from kpi_rules.simulation.counting import Counting
from kpi_rules.simulation.effects import Effect, Effort, check_effects
from kpi_rules.simulation.futures import futures
from kpi_rules.simulation.job import job_of
from kpi_rules.simulation.past import past
from kpi_rules.simulation.result import Simulation
from kpi_rules.simulation.run import Progress, Running, run
from kpi_rules.simulation.tally import Extent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor
    from datetime import date

    import polars as pl

    from kpi_rules.workspace.workspace import Workspace

DRAWS = 10_000


def simulate(  # noqa: PLR0913 (what is simulated, and who runs it; all but two by name)
    workspace: Workspace,
    as_of: date,
    *,
    draws: int = DRAWS,
    seed: int = 1,
    until: date | None = None,
    known_at: date | None = None,
    decisions: pl.DataFrame | None = None,
    effects: Sequence[Effect] = (),
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Simulation:
    """Simulate the rest of a year: the pipeline on sampled futures (M22).

    Args:
        workspace: without errors; `[forecast]` in its `kpi.toml` says how what is to come is forecast.
        as_of: the last day that is known; what happened by then is assessed as `assess` does it.
        draws: how many futures, at least 1.
        seed: a whole number from 0; the same seed gives the same bits, whoever runs it.
        until: the last day simulated; the year end by default, later for holds that outlast it.
        known_at: as in `assess`.
        decisions: as in `assess`, of the past; every proposal of the future counts as approved on its tick.
        effects: declared assumptions that measures change what units bring in; none by default.
        executor: any executor of `concurrent.futures`; threads of this process by default.
        workers: so many processes of this machine instead.
        progress: called with a `Progress` after each chunk.
        cancelled: asked ten times a second; true gives up.

    Returns:
        The simulation.

    Raises:
        AssessmentError: as `assess` has it; or there is nothing to come, nothing to forecast from, no draws.
        CancelledError: `cancelled` said so.
    """
    check_numbers(draws=(draws, 1), seed=(seed, 0))
    with Running(executor, workers, progress, cancelled).started() as running:
        before = past(workspace, as_of, until, known_at, decisions)
        check_effects(effects, {name: not rule.one_off for name, rule in before.assessment.rulebook.rules.items()})
        effort = Effort(seed, tuple(effects)) if effects else None
        job = job_of(before, futures(before, seed), effort)
        work = Counting(job, Extent.of(job.units, len(job.ahead.ticks), draws))
        tally = run(work, draws, running)
    return Simulation(before, job, tally.ordered(), seed, draws)
