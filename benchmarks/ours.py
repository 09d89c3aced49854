"""kpi-rules itself, through its public API: the only place of the benchmarks that knows how it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

import kpi_rules as kr
from benchmarks.year import GROUPS, TICKS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from benchmarks.year import Outcome, Population


class Batch:
    """A rulebook and the inputs of the batch as our frames, made before the clock starts as the peers' arrays are."""

    def __init__(self, folder: Path, population: Population) -> None:
        self.rulebook = kr.rulebook(kr.load(folder))
        names = pl.int_range(len(population), eager=True).cast(pl.String).str.zfill(7)
        groups = pl.Series(GROUPS, dtype=pl.Enum(GROUPS))
        self.units = pl.DataFrame(
            {"unit": names, "group": groups[population.group], "funds_quota": pl.Series(population.quota)}
        )
        self.credited: dict[date, pl.Series] = {
            tick: pl.Series("funds", amounts) for tick, amounts in zip(TICKS, population.credited, strict=True)
        }

    def run(self) -> Any:  # noqa: ANN401 (until the rulebook's result has landed)
        """Compute the batch."""
        return self.rulebook.run(self.units, self.credited)


def outcome(result: Any) -> Outcome:  # noqa: ANN401 (as above)
    """Return our result in the shape all contenders are compared in; not timed."""
    raise NotImplementedError(result)


class Rules:
    """The rules alone, for callers with indicators of their own."""

    def __init__(self, folder: Path) -> None:
        self.rulebook = kr.rulebook(kr.load(folder))

    def decide(self, case: Mapping[str, object]) -> Mapping[str, bool]:
        """Decide one case."""
        found: Mapping[str, bool] = self.rulebook.evaluate(case)
        return found

    def decide_all(self, cases: pl.DataFrame) -> pl.DataFrame:
        """Decide all cases of a frame at once."""
        found: pl.DataFrame = self.rulebook.evaluate(cases)
        return found


def credited(folder: Path) -> pl.DataFrame:
    """Read a workspace and assess its year; return `unit`, `tick`, `funds` (fen)."""
    assessment = kr.assess(kr.load(folder))
    return assessment.units.select("unit", "tick", "funds")


def quarantined(folder: Path) -> int:
    """Return how many rows of arrivals a workspace puts in quarantine."""
    frame = kr.load(folder).quarantine
    return frame.filter(pl.col("table") == "arrivals")["row"].n_unique()
