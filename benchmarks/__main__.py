"""`python -m benchmarks [--quick] [--json FILE] [--only SCENARIO]`: one table of ratios from one run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.harness import Size, show, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

SCENARIOS: Final = ("batch", "rules", "evidence", "processes")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios; return 0, or 1 where a target is missed in a full run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a hundredth of the size: a smoke test, figures mean nothing"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    parser.add_argument("--only", action="append", choices=SCENARIOS, help="only this scenario; may be repeated")
    options = parser.parse_args(arguments)
    from benchmarks import batch, evidence, processes, rules_alone

    size = Size.quick() if options.quick else Size()
    measures = dict(
        zip(SCENARIOS, (batch.measure, rules_alone.measure, evidence.measure, processes.measure), strict=True)
    )
    lines = [line for name in options.only or SCENARIOS for line in measures[name](size)]
    show(lines)
    if options.json is not None:
        write_json(lines, options.json, quick=options.quick)
    return 1 if not options.quick and any(line.reached is False for line in lines) else 0


if __name__ == "__main__":
    raise SystemExit(main())
