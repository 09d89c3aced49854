"""`python -m benchmarks [--quick] [--json FILE] [--only SCENARIO]`: one table of ratios from one run.

The peers (OpenFisca, Zen) are in the dependency group `bench`. Where they are not installed and `uv` is there, the
program starts itself again with that group.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.harness import Size, show, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

SCENARIOS: Final = ("batch", "policies", "rules", "evidence", "processes", "simulation", "scaling")
PEERS: Final = ("openfisca_core", "zen")
WITH_PEERS: Final = ("uv", "run", "--group", "bench", "python", "-m", "benchmarks")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios.

    Returns:
        0; 1 where a target is missed in a full run; 2 where the peers are missing and cannot be had.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="kpi-rules held against its peers.")
    parser.add_argument("--quick", action="store_true", help="a hundredth of the size: a smoke test, not for quoting")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    parser.add_argument("--only", action="append", choices=SCENARIOS, help="only this scenario; may be repeated")
    options = parser.parse_args(arguments)
    if any(find_spec(peer) is None for peer in PEERS):
        return again_with_peers(sys.argv[1:] if arguments is None else arguments)
    from benchmarks import batch, evidence, policies, processes, rules_alone, simulation, simulation_scaling

    size = Size.quick() if options.quick else Size()
    modules = (batch, policies, rules_alone, evidence, processes, simulation, simulation_scaling)
    measures = {name: module.measure for name, module in zip(SCENARIOS, modules, strict=True)}
    lines = [line for name in options.only or SCENARIOS for line in measures[name](size)]
    show(lines)
    if options.json is not None:
        write_json(lines, options.json, quick=options.quick)
    return 1 if not options.quick and any(line.reached is False for line in lines) else 0


def again_with_peers(arguments: Sequence[str]) -> int:
    """Start the program again in an environment that has the peers, and return its exit code."""
    if shutil.which("uv") is None:
        print(f"The peers are not installed; with uv: {' '.join(WITH_PEERS)}", file=sys.stderr)
        return 2
    return subprocess.run((*WITH_PEERS, *arguments), check=False, cwd=Path(__file__).parents[1]).returncode


if __name__ == "__main__":
    raise SystemExit(main())
