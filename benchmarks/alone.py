"""One contender of the batch in a process of its own: prints the seconds of one run and the peak of resident memory.

`python -m benchmarks.alone CONTENDER PARAMETERS UNITS`. Inputs, rulebook or system are made before the clock starts,
and a run over a thousand units has loaded and started whatever is loaded and started once. The peak is the kernel's
high-water mark of this very program (`VmHWM`) where there is one: `ru_maxrss` also remembers the process that started
this one, from before it became this program.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.year import PER_GROUP, UNIFORM, population

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.year import Population, Terms

    Prepared = Callable[[], object]

OURS: Final = "kpi-rules"
PLAIN: Final = "NumPy, plain"
BLOCKED: Final = "NumPy, blocked in place"
OPENFISCA: Final = "OpenFisca"
INPUTS: Final = "the inputs alone"
PARAMETERS: Final = {"equal parameters": UNIFORM, "parameters per group": PER_GROUP}
WARM_UP: Final = 1_000


def _inputs(people: Population, _terms: Terms) -> Prepared:
    return lambda: people


def _ours(people: Population, terms: Terms) -> Prepared:
    from benchmarks import ours, workspaces

    with tempfile.TemporaryDirectory() as folder:
        return ours.Batch(workspaces.policy(Path(folder), terms), people).run


def _plain(people: Population, terms: Terms) -> Prepared:
    from benchmarks.peers import numpy_plain

    return partial(numpy_plain.run, people, terms)


def _blocked(people: Population, terms: Terms) -> Prepared:
    from benchmarks.peers import numpy_blocked

    return partial(numpy_blocked.run, people, terms)


def _openfisca(people: Population, terms: Terms) -> Prepared:
    from benchmarks.peers import openfisca_peer

    return partial(openfisca_peer.run, people, openfisca_peer.System(terms))


CONTENDERS: Final[dict[str, Callable[[Population, Terms], Prepared]]] = {
    OURS: _ours,
    PLAIN: _plain,
    BLOCKED: _blocked,
    OPENFISCA: _openfisca,
    INPUTS: _inputs,
}
"""What gets a contender ready over a population, by its name."""


def high_water() -> int:
    """Return the peak resident memory of this process in bytes."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def main(arguments: Sequence[str]) -> None:
    """Run the contender once and print what it took as JSON."""
    contender, parameters, units = arguments
    prepare, terms = CONTENDERS[contender], PARAMETERS[parameters]
    prepare(population(WARM_UP), terms)()
    run = prepare(population(int(units)), terms)
    started = time.perf_counter()
    kept = run()
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "peak": high_water()}))
    del kept


if __name__ == "__main__":
    main(sys.argv[1:])
