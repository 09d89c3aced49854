"""Scenario 5: the batch with all six policies on, against the same by hand in NumPy.

Measured as the batch is, on memory kept from run to run: the eight shipped rules, and what the other policies add that
a population of amounts can have: the bulletin of every month and the veto (`supervision`), a scorecard with bonus and
malus steps, its ranks in the peer group, a prize for the best three and a red list (`scorecard`); `safeguards` is on,
and limits persons, of whom a population of amounts has none.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import ours, workspaces
from benchmarks.harness import Target, compared, interleave
from benchmarks.peers import numpy_six
from benchmarks.year import UNIFORM, agree, population

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.harness import Line, Size

OURS: Final = "kpi-rules"
PLAIN: Final = "NumPy, plain"
TARGETS: Final = {PLAIN: Target(1.2)}


def measure(size: Size) -> list[Line]:
    """Run the scenario."""
    people = population(size.units)
    with tempfile.TemporaryDirectory() as folder:
        batch = ours.Batch(workspaces.policy(Path(folder), UNIFORM, six=True), people)
    agree(OURS, ours.outcome(batch.run()), PLAIN, numpy_six.run(people, UNIFORM))
    ready: dict[str, Callable[[], object]] = {OURS: batch.run, PLAIN: partial(numpy_six.run, people, UNIFORM)}
    seconds = interleave(ready, size.rounds)
    return compared(f"all six policies, {size.units:,} units x 12 ticks", seconds, OURS, TARGETS)
