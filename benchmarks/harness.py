"""Interleaved timing and the table of ratios.

Only ratios of one run are worth reading: contenders take turns, round by round, in an order that rotates, so that a
slow second of the machine hits all of them alike. A ratio is the median over rounds of (peer's seconds / our seconds)
of the same round; seconds are medians too. Each contender runs once before the clock starts. What a run returns is
dropped before the next one starts.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import attrs
from attrs import frozen
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


T = TypeVar("T")


class DisagreementError(Exception):
    """Two contenders gave different results: their times may not be compared."""


@frozen
class Target:
    """What a ratio must reach: `at_least` or `at_most`, inclusive, as the issue words it."""

    at_least: float | None = None
    at_most: float | None = None

    def reached(self, value: float) -> bool:
        """Say whether a value is within the bounds."""
        low = self.at_least is None or value >= self.at_least
        return low and (self.at_most is None or value <= self.at_most)

    def text(self, unit: str) -> str:
        """Write the bounds; `x` is the unit of a ratio."""
        bounds = ((">=", self.at_least), ("<=", self.at_most))
        return " ".join(f"{sign} {human(bound, unit)}" for sign, bound in bounds if bound is not None)


@frozen
class Line:
    """One line of the table.

    `value` is the figure the target is about and `means` says what it is: a ratio, seconds or bytes. `median` is the
    peer's own measured figure with its `unit`. `reached` is None where nothing is asked.
    """

    scenario: str
    contender: str
    median: float | None
    unit: str
    value: float | None
    means: str
    target: Target | None = None
    note: str = ""

    @property
    def asked(self) -> str:
        """The target as text; empty where there is none."""
        return "" if self.target is None else self.target.text("x" if self.means.startswith("x") else self.unit)

    @property
    def reached(self) -> bool | None:
        """Whether the target is met; None where there is none, or no figure."""
        return None if self.target is None or self.value is None else self.target.reached(self.value)


def interleave(
    contenders: Mapping[str, Callable[[], T]],
    rounds: int,
    *,
    loops: Mapping[str, int] | None = None,
) -> dict[str, list[float]]:
    """Time contenders in turns and return the seconds of every round by name.

    Args:
        contenders: what to call, by name; the result is dropped.
        rounds: how many times each is timed, after one call that is not.
        loops: calls per timing, for those too short for the clock; seconds are per call.
    """
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        contenders[name]()
    for turn in range(rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            repeat = (loops or {}).get(name, 1)
            run = contenders[name]
            gc.collect()
            gc.disable()
            started = time.perf_counter()
            for _ in range(repeat):
                run()
            seconds[name].append((time.perf_counter() - started) / repeat)
            gc.enable()
    return seconds


def ratio(seconds: Mapping[str, Sequence[float]], peer: str, ours: str) -> float:
    """Return the median over rounds of how many times the time of `ours` the `peer` took."""
    return statistics.median(a / b for a, b in zip(seconds[peer], seconds[ours], strict=True))


def compared(
    scenario: str,
    seconds: Mapping[str, Sequence[float]],
    ours: str,
    targets: Mapping[str, Target],
    notes: Mapping[str, str] | None = None,
) -> list[Line]:
    """Return one line per contender: its median seconds, and the ratio of its time to ours (above 1: we are faster)."""
    lines = []
    for name, times in seconds.items():
        value = ratio(seconds, name, ours) if ours in seconds and name != ours else None
        lines.append(
            Line(
                scenario,
                name,
                statistics.median(times),
                "s",
                value,
                "" if value is None else "x its speed is ours",
                targets.get(name),
                (notes or {}).get(name, ""),
            )
        )
    return lines


def show(lines: Sequence[Line], console: Console | None = None) -> None:
    """Print the table."""
    table = Table(title="kpi-rules against its peers: one run, interleaved, medians", title_justify="left")
    for heading in ("scenario", "contender"):
        table.add_column(heading, overflow="fold")
    for heading in ("measured", "ratio", "target"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("reached", "note"):
        table.add_column(heading, overflow="fold")
    last = ""
    for line in lines:
        if last and line.scenario != last:
            table.add_section()
        table.add_row(
            line.scenario if line.scenario != last else "",
            line.contender,
            human(line.median, line.unit),
            "" if line.value is None or not line.means.startswith("x") else human(line.value, "x"),
            line.asked,
            {None: "", True: "yes", False: "NO"}[line.reached],
            line.note,
        )
        last = line.scenario
    (console or Console(width=160)).print(table)


def human(value: float | None, unit: str) -> str:
    """Write a figure with three significant digits and a fitting unit."""
    if value is None:
        return "-"
    if unit == "x":
        return f"{value:.2f} x"
    if unit == "bytes":
        return f"{value / 2**20:,.0f} MiB"
    for factor, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= factor or name == "µs":
            return f"{value / factor:.3g} {name}"
    return f"{value:.3g} {unit}"


def write_json(lines: Sequence[Line], path: Path, *, quick: bool) -> None:
    """Write the lines, with the machine they were measured on, as one JSON object."""
    content = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "python": platform.python_version(),
        "machine": {"cores": os.cpu_count(), "processor": platform.processor() or platform.machine()},
        "lines": [
            {
                **attrs.asdict(line, filter=lambda a, _: a.name != "target"),
                "target": line.asked,
                "reached": line.reached,
            }
            for line in lines
        ],
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@frozen
class Size:
    """How large a run is; `--quick` has a hundredth of everything."""

    units: int = 1_000_000
    vouchers: int = 1_000_000
    projects: int = 100_000
    cases: int = 1_000
    rounds: int = 7
    process_rounds: int = 7
    single_loops: int = 200
    draws: int = 10_000

    @classmethod
    def quick(cls) -> Size:
        """Return the size for a smoke test: the figures mean nothing."""
        return cls(
            units=10_000,
            vouchers=10_000,
            projects=1_000,
            cases=10,
            rounds=2,
            process_rounds=1,
            single_loops=2,
            draws=100,
        )
