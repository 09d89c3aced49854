"""One contender of the batch in a process of its own: prints the peak of its resident memory in bytes.

`python -m benchmarks.memory CONTENDER UNITS`. The kernel's high-water mark of this very program (`VmHWM`) is read
where there is one: `ru_maxrss` also remembers the process that started this one, from before it became this program.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.year import PER_GROUP, population

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.year import Population

OURS: Final = "kpi-rules"


def _inputs(people: Population) -> object:
    return people


def _ours(people: Population) -> object:
    from benchmarks import ours, workspaces

    with tempfile.TemporaryDirectory() as folder:
        return ours.Batch(workspaces.policy(Path(folder), PER_GROUP), people).run()


def _plain(people: Population) -> object:
    from benchmarks.peers import numpy_plain

    return numpy_plain.run(people, PER_GROUP)


def _blocked(people: Population) -> object:
    from benchmarks.peers import numpy_blocked

    return numpy_blocked.run(people, PER_GROUP)


def _openfisca(people: Population) -> object:
    from benchmarks.peers import openfisca_peer

    return openfisca_peer.run(people, openfisca_peer.System(PER_GROUP))


CONTENDERS: Final[dict[str, Callable[[Population], object]]] = {
    OURS: _ours,
    "NumPy, plain": _plain,
    "NumPy, blocked in place": _blocked,
    "OpenFisca": _openfisca,
    "the inputs alone": _inputs,
}


def high_water() -> int:
    """Return the peak resident memory of this process in bytes."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def main(arguments: Sequence[str]) -> None:
    """Run the contender once and print the peak."""
    contender, units = arguments
    kept = CONTENDERS[contender](population(int(units)))
    print(high_water())
    del kept


if __name__ == "__main__":
    main(sys.argv[1:])
