"""Scenario 6: `examples/hundred-days` simulated, against the same model by hand in NumPy, in one run.

Measured: draws, engine and counts, in process, from a job ready to run (`simulate` less the assessment of the past and
the fit of the forecast, which the second line has with it) to the tally. Both use the library's sampler, as the model
is the same; by hand on one thread, and, chunks being independent, on as many threads as we use. Every count of both is
held against the other first. A whole year is simulated from its first month-end: 97 units with targets, 15 ticks.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

import kpi_rules as kr
from benchmarks.harness import DisagreementError, Line, Target, compared, interleave
from benchmarks.peers import numpy_simulation as by_hand
from benchmarks.year import STATEFUL, TALK
from kpi_rules.pipeline.panel import with_parameters
from kpi_rules.simulation.counting import Counting
from kpi_rules.simulation.futures import futures
from kpi_rules.simulation.job import job_of
from kpi_rules.simulation.past import past
from kpi_rules.simulation.run import Running, run
from kpi_rules.simulation.tally import Extent, Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.harness import Size
    from kpi_rules.simulation.job import Job
    from kpi_rules.simulation.past import Past

ROOT: Final = Path(__file__).parents[1]
EXAMPLE: Final = ROOT / "examples" / "hundred-days"
AS_OF: Final = date(2011, 1, 31)
LATE: Final = date(2011, 9, 30)
OURS: Final = "kpi-rules"
ONE_THREAD: Final = "NumPy by hand, one thread"
THREADS: Final = "NumPy by hand, as many threads"
TARGETS: Final = {ONE_THREAD: Target(1 / 1.2), THREADS: Target(1 / 1.2)}
ROWS: Final = 60_000
"""Units x draws that the hand-written code takes at once: its own best, as its arrays then stay in the cache."""

PARAMETERS: Final = (
    "pay_withholding.section_below",
    "field_duty.station_gap",
    "field_duty.off_post_below",
    "field_duty.off_post_at_year_end",
    "field_duty.leave_post_below",
    "supervision.talk_after",
    "rewards.outstanding",
    "rewards.bonus_rate",
)


def year_of(before: Past, job: Job) -> by_hand.Year:
    """Return what the hand-written simulation gets."""
    terms = job.rulebook.terms
    ticks = []
    for here, tick in enumerate(job.ahead.ticks):
        frame = with_parameters(before.units, terms.parameters, tick.on, PARAMETERS)
        pace = terms.pace(tick.on)
        held = {rule: job.withholding.month(tick.on, (rule,))[rule][:, None] for rule in job.owed}
        values = {name: frame[name].to_numpy()[:, None] for name in PARAMETERS}
        quota = job.ahead.quota(here, "funds")[:, None]
        ticks.append(by_hand.Tick(tick.moments, pace.numerator, pace.denominator, quota, values, held))
    state = job.start
    return by_hand.Year(
        job.futures,
        [not day.interim for day in job.days],
        ticks,
        float(terms.tolerance),
        state.lag.astype(np.int64),
        {rule: state.active[rule].column(state.size).copy() for rule in STATEFUL},
        state.issued[TALK].column(state.size).copy(),
        job.owed,
    )


def all_by_hand(year: by_hand.Year, units: int, draws: int, threads: int) -> list[by_hand.Counts]:
    """Run the hand-written simulation over all draws."""
    size = max(ROWS // units, 1)
    parts = [(low, min(low + size, draws)) for low in range(0, draws, size)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda part: by_hand.run(year, *part), parts))


def agree(ours: Tally, theirs: list[by_hand.Counts]) -> None:
    """Hold the counts against each other.

    Raises:
        DisagreementError: naming what differs.
    """
    pairs = [
        (name, getattr(ours, name), sum(getattr(each, name) for each in theirs)) for name in ("met", "amounts", "bins")
    ]
    pairs += [("last", each, np.concatenate([part.last for part in theirs], axis=1)) for each in ours.last]
    for kind in ("hit", "months", "money"):
        pairs += [
            (f"{kind} {name}", each, sum(getattr(part, kind)[name] for part in theirs))
            for name, each in getattr(ours, kind).items()
        ]
    pairs += [
        (f"total {name}", parts[0], np.concatenate([part.totals[name] for part in theirs]))
        for name, parts in ours.totals.items()
    ]
    differing = [name for name, mine, other in pairs if not np.array_equal(mine, other)]
    if differing:
        raise DisagreementError(f"simulation: {OURS} differs from NumPy by hand in {', '.join(differing)}")


def measure(size: Size) -> list[Line]:
    """Run the scenario."""
    workspace = kr.load(EXAMPLE)
    draws, threads = size.draws, min(os.cpu_count() or 1, 4)
    before = past(workspace, AS_OF)
    job = job_of(before, futures(before, 1))
    work = Counting(job, Extent.of(job.units, len(job.ahead.ticks), draws))
    year = year_of(before, job)
    agree(run(work, draws, Running()).ordered(), all_by_hand(year, job.units, draws, 1))
    ready: dict[str, Callable[[], object]] = {
        OURS: partial(run, work, draws, Running()),
        ONE_THREAD: partial(all_by_hand, year, job.units, draws, 1),
        THREADS: partial(all_by_hand, year, job.units, draws, threads),
    }
    label = f"simulation, {job.units} units x {draws:,} draws x {len(job.ahead.ticks)} ticks"
    lines = compared(label, interleave(ready, size.rounds), OURS, TARGETS)
    return [*lines, *_whole(workspace, size), *_what_if(workspace, size)]


def _whole(workspace: kr.Workspace, size: Size) -> list[Line]:
    """Time `simulate` as it is called, the assessment of the past and the fit of the forecast included."""
    seconds = interleave({OURS: partial(kr.simulate, workspace, AS_OF, draws=size.draws)}, size.rounds)
    taken = float(np.median(seconds[OURS]))
    label = f"simulate, {size.draws:,} draws, the past and the fit included"
    return [Line(label, OURS, taken, "s", taken, "seconds", Target(at_most=1.0))]


def _what_if(workspace: kr.Workspace, size: Size) -> list[Line]:
    """Time one changed parameter with half the draws and four ticks to go, after the first."""
    draws = size.draws // 2
    simulation = kr.simulate(workspace, LATE, draws=draws)
    values = iter(range(1, 10**6))

    def once() -> object:
        return simulation.what_if({"field_duty.off_post_below": round(0.3 + 0.0001 * next(values), 4)})

    seconds = sorted(interleave({OURS: once}, 8 * size.rounds)[OURS])
    label = f"what if, {draws:,} draws, {len(simulation.ticks)} ticks"
    median, late = seconds[len(seconds) // 2], seconds[int(len(seconds) * 0.95)]
    return [
        Line(label, "median", median, "s", median, "seconds", Target(at_most=0.05)),
        Line(label, "19 of 20", late, "s", late, "seconds", Target(at_most=0.05)),
    ]
