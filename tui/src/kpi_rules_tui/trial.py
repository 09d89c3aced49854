"""A trial: the workspace as saved (A) and with what is not saved (B) on the same futures, and how they differ.

A `Run` does it, in a worker thread; every step is a call of the public API. The screen reads how far it is from its
attributes, and gives it up by setting `cancelled`.
"""

from __future__ import annotations

import json
import time
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar

from attrs import define, field

import kpi_rules as kr
from kpi_rules_tui.texts import N_
from kpi_rules_tui.widgets.charts import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from kpi_rules_tui.desk import Desk, Edit

DRAWS: Final = 2_000
MOST_DRAWS: Final = 1_000_000
SEED: Final = 1
MOST_SEED: Final = 2**32 - 1

A, B, BOTH = N_("simulating A"), N_("simulating B"), N_("comparing A and B")

WEIGHTS: Final = {A: 1, B: 1, BOTH: 2}
"""How much work each stage is: a comparison runs both variants again."""

Found = TypeVar("Found")

_ONE = Lock()
"""Held by the run that works: one that was given up comes to its end first, which may take a chunk of draws."""


@define(frozen=True)
class Asked:
    """What is simulated: from which day on, how many futures, and which."""

    as_of: date
    draws: int = DRAWS
    seed: int = SEED

    def words(self) -> list[str]:
        """Return it as options of the command line."""
        return ["--as-of", self.as_of.isoformat(), "--draws", str(self.draws), "--seed", str(self.seed)]


def default_day(desk: Desk) -> date | None:
    """Return the day to simulate from: the as-of date where something is left to come after it, else the end of the
    year's third quarter. None where there is no year.
    """
    config = desk.workspace.config if desk.workspace is not None else None
    if config is None:
        return None
    if desk.as_of is not None and desk.as_of < config.year.end:
        return desk.as_of
    ends = config.year.month_ends
    third = ends[-(-3 * len(ends) // 4) - 1]
    return third if third < config.year.end else config.year.start


@define(frozen=True, eq=False)
class Trial:
    """What was found. `saved` is what A is, `edits` what B has besides; without them there is no B.

    `known` is `unit, tick, completion` of the past, `pace` is `unit, tick, expected` of the whole year.
    """

    asked: Asked
    saved: kr.Workspace
    edits: tuple[Edit, ...]
    a: kr.Simulation
    b: kr.Simulation | None
    comparison: kr.Comparison | None
    known: pl.DataFrame
    pace: pl.DataFrame
    counts: Mapping[str, tuple[Counts, ...]]

    @property
    def until(self) -> date:
        """The last day simulated."""
        return self.a.ticks[-1].on

    @property
    def variants(self) -> list[tuple[str, kr.Simulation]]:
        """The simulations by their letters."""
        return [("A", self.a), *([("B", self.b)] if self.b is not None else [])]


@define(frozen=True)
class Refused:
    """It could not be done; `why` says what would do."""

    why: str


@define(eq=False)
class Run:
    """A trial at work. The thread that runs it writes `stage` and `progress`, the screen writes `cancelled`."""

    asked: Asked
    saved: kr.Workspace
    other: kr.Workspace | None
    edits: tuple[Edit, ...]
    shown: kr.Assessment | None = None
    before: Trial | None = None
    stage: str = ""
    progress: kr.Progress | None = None
    cancelled: bool = False
    began: float = field(factory=time.monotonic)

    @classmethod
    def of(cls, desk: Desk, asked: Asked) -> Run | None:
        """Return the run of what is on the desk; None where there is nothing to simulate."""
        if desk.workspace is None or desk.assessment is None:
            return None
        other = desk.current if desk.changed else None
        return cls(asked, desk.workspace, other, desk.edits, desk.assessment, desk.trial)

    def __call__(self) -> Trial | Refused | None:
        """Do it; None where it was given up."""
        while not _ONE.acquire(timeout=0.1):
            if self.cancelled:
                return None
        try:
            return self._all()
        except kr.CancelledError:
            return None
        except kr.AssessmentError as error:
            return Refused("\n".join(problem.message for problem in error.problems))
        finally:
            _ONE.release()

    @property
    def seconds(self) -> float:
        """How long it has been at work."""
        return time.monotonic() - self.began

    @property
    def again(self) -> bool:
        """Whether A is known already."""
        return self.before is not None and self.before.asked == self.asked and self.before.saved is self.saved

    @property
    def remaining(self) -> float | None:
        """Seconds to go at the pace so far; None before the first draws are done."""
        if self.stage not in WEIGHTS:
            return None
        stages = [*([] if self.again else [A]), *([] if self.other is None else [B, BOTH])]
        place = stages.index(self.stage)
        done = float(sum(WEIGHTS[each] for each in stages[:place]))
        progress = self.progress  # which the thread may write meanwhile
        done += WEIGHTS[self.stage] * (progress.done / progress.draws if progress is not None else 0)
        return self.seconds * (sum(WEIGHTS[each] for each in stages) - done) / done if done else None

    def _all(self) -> Trial:
        before = self.before if self.again else None
        a = before.a if before is not None else self._simulate(A, self.saved)
        b = comparison = None
        if self.other is not None:
            b = self._second(a, self.other)
            comparison = self._compare(a, b)
        known, pace = (before.known, before.pace) if before is not None else self._past()
        found = Trial(self.asked, self.saved, self.edits, a, b, comparison, known, pace, self._counts(a, b))
        self._check()
        return found

    def _second(self, a: kr.Simulation, other: kr.Workspace) -> kr.Simulation:
        """Simulate B; where A is known already and B has other parameters alone, on the futures that A keeps."""
        values = changed_values(self.saved, other) if self.again and only_parameters(self.edits) else None
        if values is None:
            return self._simulate(B, other)
        return self._step(B, lambda: a.what_if(values))

    def _compare(self, a: kr.Simulation, b: kr.Simulation) -> kr.Comparison:
        found = self._step(BOTH, lambda: kr.compare(a, b, progress=self._tell, cancelled=self._left))
        _tables = (found.units, found.rules, found.totals, found.changed)  # made here, not where the screen waits
        return found

    def _simulate(self, stage: str, workspace: kr.Workspace) -> kr.Simulation:
        asked = self.asked
        return self._step(
            stage,
            lambda: kr.simulate(
                workspace,
                asked.as_of,
                draws=asked.draws,
                seed=asked.seed,
                progress=self._tell,
                cancelled=self._left,
            ),
        )

    def _past(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return completion as it was known, and the pace of the whole year, for the charts of units."""
        end = self.saved.config.year.end if self.saved.config is not None else self.asked.as_of
        frames = []
        for day, column in ((self.asked.as_of, "completion"), (end, "expected")):
            same = self.shown is not None and self.shown.as_of == day
            self._check()
            assessment = self.shown if same and self.shown is not None else kr.assess(self.saved, day)
            frames.append(assessment.units.select("unit", "tick", column))
        return frames[0], frames[1]

    def _counts(self, *simulations: kr.Simulation | None) -> dict[str, tuple[Counts, ...]]:
        """Count the totals of each variant, and have its tables made: none of it keeps the screen waiting."""
        found: dict[str, list[Counts]] = {}
        for each in simulations:
            if each is None:
                continue
            self._check()
            _tables = (each.units, each.rules, each.money, each.assumptions)
            for what in each.totals["what"]:
                found.setdefault(what, []).append(Counts.of(each.per_draw(what)))
        return {what: tuple(counts) for what, counts in found.items()}

    def _step(self, stage: str, call: Callable[[], Found]) -> Found:
        self._check()
        self.stage, self.progress = stage, None
        return call()

    def _tell(self, progress: kr.Progress) -> None:
        self.progress = progress

    def _left(self) -> bool:
        return self.cancelled

    def _check(self) -> None:
        if self.cancelled:
            raise kr.CancelledError


def only_parameters(edits: tuple[Edit, ...]) -> bool:
    """Say whether edits are of parameters alone."""
    return all(isinstance(each, kr.ParameterEdit) for each in edits)


def changed_values(saved: kr.Workspace, other: kr.Workspace) -> dict[str, object] | None:
    """Return the parameters that differ as `with_parameters` takes them; None where it would not make the same of
    them, as with an amount of money that is written otherwise than it is kept.
    """
    old, new = _entries(saved), _entries(other)
    values: dict[str, object] = {}
    for name in new:
        if new[name] != old.get(name):
            rows = [
                {key: each for key, each in zip(("value", "from", "group"), entry, strict=True) if each is not None}
                for entry in new[name]
            ]
            values[name] = rows[0]["value"] if len(rows) == 1 and rows[0].keys() == {"value"} else rows
    try:
        same = _entries(saved.with_parameters(values)) == new
    except ValueError:
        return None
    return values if same else None


def _entries(workspace: kr.Workspace) -> dict[str, list[tuple[object, date | None, str | None]]]:
    """Return what parameters are set to, wherever it is written."""
    return {
        name: [(each.value, each.from_on, each.group) for each in entries]
        for name, entries in workspace.parameters.entries.items()
    }


def toml(value: object) -> str:
    """Write a value as TOML has it, on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case date():
            return value.isoformat()
        case dict():
            return "{" + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(toml(each) for each in value) + "]"
        case _:
            return str(value)
