"""Scenario 4: whole processes, wall time.

Measured: `kpi-rules --help` and `kpi-rules assess examples/hundred-days` from start to exit, output thrown away, beside
an interpreter that does nothing (the floor) and one that only imports polars. Files are in the page cache; the first,
untimed start has compiled all modules to bytecode.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.harness import Line, Target, interleave

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.harness import Size

ROOT: Final = Path(__file__).parents[1]
EXAMPLE: Final = ROOT / "examples" / "hundred-days"
WALL: Final[dict[str, tuple[Sequence[str], Target | None]]] = {
    "python -c pass": ((sys.executable, "-c", "pass"), None),
    "python -c 'import polars'": ((sys.executable, "-c", "import polars"), None),
    "kpi-rules --help": ((str(Path(sys.executable).with_name("kpi-rules")), "--help"), Target(at_most=0.25)),
    "kpi-rules assess examples/hundred-days": (
        (str(Path(sys.executable).with_name("kpi-rules")), "assess", str(EXAMPLE)),
        Target(at_most=1.5),
    ),
}


def start(command: Sequence[str]) -> None:
    """Run a command to its end.

    Raises:
        subprocess.CalledProcessError: it failed; its error output is part of the exception.
    """
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT)


def measure(size: Size) -> list[Line]:
    """Run the scenario."""
    seconds = interleave({name: partial(start, command) for name, (command, _) in WALL.items()}, size.process_rounds)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    return [
        Line("whole processes, wall time", name, taken, "s", taken, "seconds", WALL[name][1])
        for name, taken in medians.items()
    ]
