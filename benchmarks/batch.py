"""Scenario 1: one year of a million units, ours against NumPy and OpenFisca.

Measured: from arrays of quotas, groups and credited amounts in memory to events, bookings and the last tick's state
(see `benchmarks.year.Outcome`), twice: with parameters equal for all units, and with every parameter differing by
peer group (two of them changing in mid-year). Not measured: making the inputs, building the rulebook or OpenFisca's
system, ranks (no rule reads them), pay in money (months are counted; persons are not in it). Each contender's outcome
is held against that of plain NumPy before the clock starts.

The figures that count are those of a process of its own: whoever needs memory gets it from the system. A second table
repeats them on memory that is kept from run to run, as in a service that computes all day; there OpenFisca, which
needs the most, gains the most.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import ours, workspaces
from benchmarks.harness import Target, compared, interleave
from benchmarks.peers import numpy_blocked, numpy_plain, openfisca_peer
from benchmarks.year import PER_GROUP, UNIFORM, agree, population

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.harness import Line, Size
    from benchmarks.year import Population, Terms

OURS: Final = "kpi-rules"
PLAIN: Final = "NumPy, plain"
BLOCKED: Final = "NumPy, blocked in place"
OPENFISCA: Final = "OpenFisca"
TARGETS: Final = {PLAIN: Target(1.2), BLOCKED: Target(1 / 3), OPENFISCA: Target(3.0)}


def contenders(people: Population, terms: Terms, folder: Path) -> dict[str, Callable[[], object]]:
    """Return what runs, by name, each checked against plain NumPy.

    Raises:
        DisagreementError: a contender's outcome differs.
    """
    reference = numpy_plain.run(people, terms)
    agree(BLOCKED, numpy_blocked.run(people, terms), PLAIN, reference)
    system = openfisca_peer.System(terms)
    agree(OPENFISCA, openfisca_peer.run(people, system), PLAIN, reference)
    batch = ours.Batch(workspaces.policy(folder, terms), people)
    agree(OURS, ours.outcome(batch.run()), PLAIN, reference)
    return {
        OURS: batch.run,
        PLAIN: partial(numpy_plain.run, people, terms),
        BLOCKED: partial(numpy_blocked.run, people, terms),
        OPENFISCA: partial(openfisca_peer.run, people, system),
    }


def measure(size: Size) -> list[Line]:
    """Run the scenario."""
    people = population(size.units)
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for label, terms in (("equal parameters", UNIFORM), ("parameters per group", PER_GROUP)):
            taking_part = contenders(people, terms, Path(folder) / label)
            seconds = interleave(taking_part, size.rounds)
            lines += compared(f"batch, {size.units:,} units x 12 ticks, {label}", seconds, OURS, TARGETS)
            again = interleave(taking_part, size.rounds, own_memory=False)
            lines += compared(f"the same on memory kept from runs before, {label}", again, OURS, {})
    return lines
