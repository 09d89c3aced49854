"""Scenario 1: one year of a million units, ours against NumPy and OpenFisca; time and peak memory.

Measured: from arrays of quotas, groups and credited amounts in memory to events, bookings and the last tick's state
(see `benchmarks.year.Outcome`), twice: with parameters equal for all units, and with every parameter differing by peer
group (two of them changing in mid-year). Not measured: making the inputs, building the rulebook or OpenFisca's system,
ranks (no rule reads them), pay in money (months are counted; persons are not in it). Each contender's outcome is held
against that of plain NumPy first.

Measured in two ways, and the targets hold for both. In processes of their own (`benchmarks.alone`), one run each,
taking turns, whoever needs memory gets it from the system, as a command does. In one process, on memory kept from
run to run, as in a service that computes all day, OpenFisca, which needs the most memory, gains the most.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import ours
from benchmarks.alone import BLOCKED, CONTENDERS, INPUTS, OPENFISCA, OURS, PARAMETERS, PLAIN
from benchmarks.harness import Line, Target, compared, interleave
from benchmarks.peers import numpy_plain
from benchmarks.year import Outcome, agree, population

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.harness import Size
    from benchmarks.year import Population, Terms

ROOT: Final = Path(__file__).parents[1]
TARGETS: Final = {PLAIN: Target(1.2), BLOCKED: Target(1 / 3), OPENFISCA: Target(3.0)}
PEAK: Final = {OURS: Target(at_most=2 * 2**30)}


def contenders(people: Population, terms: Terms) -> dict[str, Callable[[], object]]:
    """Return what runs, by name, each checked against plain NumPy.

    Raises:
        DisagreementError: a contender's outcome differs.
    """
    ready = {name: prepare(people, terms) for name, prepare in CONTENDERS.items() if name != INPUTS}
    reference = numpy_plain.run(people, terms)
    for name in (OURS, BLOCKED, OPENFISCA):
        result = ready[name]()
        agree(name, result if isinstance(result, Outcome) else ours.outcome(result), PLAIN, reference)
    return ready


def alone(contender: str, parameters: str, units: int) -> tuple[float, int]:
    """Return the seconds and the peak memory (bytes) of a contender's run in a fresh process."""
    command = (sys.executable, "-m", "benchmarks.alone", contender, parameters, str(units))
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found = json.loads(done.stdout)
    return float(found["seconds"]), int(found["peak"])


def measure(size: Size) -> list[Line]:
    """Run the scenario."""
    people = population(size.units)
    lines = []
    peaks: dict[str, int] = {}
    for label, terms in PARAMETERS.items():
        ready = contenders(people, terms)
        kept = interleave(ready, size.rounds)
        seconds: dict[str, list[float]] = {name: [] for name in ready}
        for turn in range(size.process_rounds):
            for name in [*list(ready)[turn % len(ready) :], *list(ready)[: turn % len(ready)]]:
                taken, peak = alone(name, label, size.units)
                seconds[name].append(taken)
                peaks[name] = max(peak, peaks.get(name, 0))
        lines += compared(f"batch, {size.units:,} units x 12 ticks, {label}", seconds, OURS, TARGETS)
        lines += compared(f"the same on memory kept from runs before, {label}", kept, OURS, TARGETS)
    peaks[INPUTS] = alone(INPUTS, label, size.units)[1]
    scenario = f"peak memory, {size.units:,} units x 12 ticks"
    return [
        *lines,
        *(Line(scenario, name, peak, "bytes", peak, "bytes", PEAK.get(name)) for name, peak in peaks.items()),
    ]
