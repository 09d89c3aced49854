"""Scenario 7: a simulation over draws, workers, units and parameters: how much faster with more processes, and what
memory it takes; a large population; a grid.

Measured: `simulate` of `examples/hundred-days` (97 units, 15 ticks) from its first month-end, with the start of its
processes, each time in a fresh process whose greatest resident memory is that of this one run. Contenders take turns.
One process with one thread has one thread of its own and one of polars. All must give the same digest.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from attrs import asdict, frozen

from benchmarks.harness import DisagreementError, Line, Target, compared, human, interleave
from benchmarks.workspaces import population

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.harness import Size

ROOT: Final = Path(__file__).parents[1]
AS_OF: Final = date(2011, 1, 31)
LATE: Final = date(2011, 9, 30)
DRAWS: Final = 100_000
FEW: Final = 10_000
ONE_THREAD: Final = "one process, one thread"
THREADS: Final = "one process, as many threads as cores"
TWO: Final = "two worker processes"
MOST: Final = 500 * 2**20
FLAT: Final = 1.25
"""So many times the memory of a tenth of the draws at most; some of it is what is kept of each draw as a whole."""


@frozen
class Run:
    """One simulation: `workers` are processes, 0 for one thread of the process that asks, None for its threads."""

    draws: int
    workers: int | None
    folder: str = str(ROOT / "examples" / "hundred-days")
    as_of: str = AS_OF.isoformat()


@frozen
class Took:
    """What a run took: seconds, the greatest resident memory in bytes of the process that asked, and its digest."""

    seconds: float
    memory: int
    digest: str


def fresh(run: Run) -> Took:
    """Do a run in a process of its own."""
    environment = {**os.environ, "POLARS_MAX_THREADS": "1"} if run.workers == 0 else None
    command = (sys.executable, "-m", "benchmarks.simulation_scaling", json.dumps(asdict(run)))
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=environment)
    return Took(**json.loads(done.stdout))


def here(run: Run) -> Took:
    """Do a run in this process."""
    import kpi_rules as kr

    workspace = kr.load(run.folder)
    started = time.perf_counter()
    with ThreadPoolExecutor(1) as thread:
        found = kr.simulate(
            workspace,
            date.fromisoformat(run.as_of),
            draws=run.draws,
            executor=thread if run.workers == 0 else None,
            workers=1 if run.workers == 0 else run.workers,
        )
    taken = time.perf_counter() - started
    status = Path("/proc/self/status").read_text(encoding="ascii")
    kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return Took(taken, kib * 1024, found.digest)


def in_turns(runs: Mapping[str, Run], rounds: int) -> dict[str, list[Took]]:
    """Do each run once a round, in an order that rotates.

    Raises:
        DisagreementError: two runs of as many draws of the same differ.
    """
    names = list(runs)
    found: dict[str, list[Took]] = {name: [] for name in names}
    for turn in range(rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            found[name].append(fresh(runs[name]))
    digests: dict[tuple[str, str, int], set[str]] = {}
    for name, run in runs.items():
        digests.setdefault((run.folder, run.as_of, run.draws), set()).update(each.digest for each in found[name])
    for (folder, _day, draws), each in digests.items():
        if len(each) > 1:
            raise DisagreementError(f"{draws} draws of {folder}: {len(each)} different digests")
    return found


def measure(size: Size) -> list[Line]:
    """Run the scenario; its draws go down with the vouchers of the size."""
    draws = max(size.vouchers // 10, 100)
    few = max(draws // (DRAWS // FEW), 10)
    label = f"simulate hundred-days, {draws:,} draws"
    rounds = min(size.process_rounds, 3)
    runs = {TWO: Run(draws, 2), ONE_THREAD: Run(draws, 0), THREADS: Run(draws, None)}
    found = in_turns(runs, rounds)
    seconds = {name: [each.seconds for each in took] for name, took in found.items()}
    lines = compared(label, seconds, TWO, {ONE_THREAD: Target(at_least=1.5)})
    fewer = in_turns({TWO: Run(few, 2), THREADS: Run(few, None)}, 1)
    for name, took in fewer.items():
        lines += _memory(f"{label}: memory, {name}", took, found[name])
    return [*lines, *_population(size, rounds), _grid(size, rounds)]


def _population(size: Size, rounds: int) -> list[Line]:
    """Simulate a large population with few draws, each time in a fresh process."""
    units, draws = max(size.units // 10, 100), 100
    with TemporaryDirectory() as folder:
        run = Run(draws, None, str(population(Path(folder), units)))
        found = in_turns({THREADS: run}, rounds)[THREADS]
    label = f"simulate {units:,} units x {draws} draws, the past and the fit included"
    taken, memory = statistics.median(each.seconds for each in found), max(each.memory for each in found)
    return [
        Line(label, THREADS, taken, "s", taken, "seconds", Target(at_most=10.0)),
        Line(label, "most memory", memory, "bytes", memory, "bytes", Target(at_most=2 * 2**30)),
    ]


def _grid(size: Size, rounds: int) -> Line:
    """Vary two parameters of rules with four ticks to go, the first simulation and the past under each included."""
    import kpi_rules as kr

    workspace = kr.load(ROOT / "examples" / "hundred-days")
    side, draws = min(20, size.draws // 30), max(size.draws // 50, 10)
    axes: dict[str, list[object]] = {
        "field_duty.off_post_below": [round(0.2 + 0.01 * place, 2) for place in range(side)],
        "field_duty.station_gap": [round(0.05 + 0.01 * place, 2) for place in range(side)],
    }
    seconds = interleave({THREADS: lambda: kr.grid(workspace, LATE, axes, draws=draws)}, rounds)[THREADS]
    taken = statistics.median(seconds)
    label = f"grid of {side} x {side}, {draws} draws each"
    return Line(label, THREADS, taken, "s", taken, "seconds", Target(at_most=2.0))


def _memory(label: str, few: Sequence[Took], many: Sequence[Took]) -> list[Line]:
    """Return the lines about the memory of the process that asked."""
    low, high = (max(each.memory for each in took) for took in (few, many))
    tenth = f"a tenth of the draws: {human(low, 'bytes')}"
    return [
        Line(label, "most", high, "bytes", high, "bytes", Target(at_most=MOST), tenth),
        Line(label, "against a tenth of the draws", high, "bytes", high / low, "x memory", Target(at_most=FLAT)),
    ]


if __name__ == "__main__":
    print(json.dumps(asdict(here(Run(**json.loads(sys.argv[1]))))))
