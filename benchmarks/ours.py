"""kpi-rules itself, through its public API: the only place of the benchmarks that knows how it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

import kpi_rules as kr
from benchmarks.year import BONUS, GROUPS, SECTION, STATEFUL, TICKS, YEAR_END, Key, Outcome
from kpi_rules.pipeline.population import Outcome as Decided

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from benchmarks.year import Population
    from kpi_rules.pipeline.decided import Happening


class Batch:
    """A rulebook and the inputs of the batch as our frames, made before the clock starts as the peers' arrays are."""

    def __init__(self, folder: Path, population: Population) -> None:
        self.rulebook = kr.rulebook(kr.load(folder))
        names = pl.int_range(len(population), eager=True).cast(pl.String).str.zfill(7)
        groups = pl.Series(GROUPS)[population.group]
        self.units = pl.DataFrame({"unit": names, "group": groups, "funds_quota": pl.Series(population.quota)})
        self.credited: dict[date, pl.Series] = {
            tick: pl.Series("funds", amounts) for tick, amounts in zip(TICKS, population.credited, strict=True)
        }

    def run(self) -> Decided:
        """Compute the batch."""
        return self.rulebook.run(self.units, self.credited)


def outcome(result: object) -> Outcome:
    """Return our result in the shape all contenders are compared in; not timed.

    It is read from the arrays our result keeps, not from the frames that it makes of them when asked.
    """
    assert isinstance(result, Decided)  # noqa: S101 (as `Batch.run` returns)
    decided = result.decided
    parts: dict[Key, list[Happening]] = {}
    for each in (*decided.events, *decided.bookings, *decided.releases):
        parts.setdefault((each.tick + 1, each.rule, each.kind), []).append(each)
    events = {key: np.concatenate([each.rows for each in found]) for key, found in parts.items()}
    bonuses = parts.get((YEAR_END, BONUS, "issued"), [])
    amounts = [each.amounts.to_numpy() for each in bonuses if each.amounts is not None]
    last, active = result.last, result.active
    held = np.zeros(len(last), dtype=np.bool_)
    for month in range(1, YEAR_END + 1):
        held[events.get((month, SECTION, "released"), [])] = False
        held[events.get((month, SECTION, "withheld"), [])] = True
    return Outcome(
        events,
        np.concatenate([np.zeros(0, dtype=np.int64), *amounts]),
        held,
        last["completion"].to_numpy(),
        last["pace_gap"].to_numpy(),
        last["lag"].cast(pl.UInt8).to_numpy(),
        {rule: active[rule].to_numpy() for rule in STATEFUL},
    )


class Rules:
    """The rules alone, for callers with indicators of their own."""

    def __init__(self, folder: Path) -> None:
        self.rulebook = kr.rulebook(kr.load(folder))

    def decide(self, case: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Decide one case."""
        found = self.rulebook.evaluate(case)
        assert isinstance(found, list)  # noqa: S101 (a dict gives a list)
        return found

    def decide_all(self, cases: pl.DataFrame) -> pl.DataFrame:
        """Decide all cases of a frame at once."""
        found = self.rulebook.evaluate(cases)
        assert isinstance(found, pl.DataFrame)  # noqa: S101 (a frame gives a frame)
        return found


def credited(folder: Path) -> pl.DataFrame:
    """Read a workspace and assess its year; return `unit`, `tick`, `funds` (fen)."""
    assessment = kr.assess(kr.load(folder))
    return assessment.units.select("unit", "tick", "funds")


def quarantined(folder: Path) -> int:
    """Return how many rows of arrivals a workspace puts in quarantine."""
    frame = kr.load(folder).quarantine
    return frame.filter(pl.col("table") == "arrivals")["row"].n_unique()
