"""Decisions: what the leadership ruled on proposals, fed back into the state of rules (M23)."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from attrs import define

from kpi_rules.locale import _
from kpi_rules.model.problems import Place, Problem, error, nearest
from kpi_rules.pipeline.measures import event_frame
from kpi_rules.pipeline.verify import FINDINGS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.model.calendar import Tick
    from kpi_rules.pipeline.decided import Happening

DECISIONS: Final = ("approved", "rejected", "lifted", "reversed")
"""What may be ruled on a measure. One that is reversed is lifted, and what it withheld or forfeited comes back."""

DECIDED: Final = {
    "decision": pl.String,
    "decided_on": pl.Date,
    "decided_by": pl.String,
    "decision_reason": pl.String,
}
"""The columns of measures about the last decision on each; of several on one day the one that undoes most is the last.
"""

DECIDED_BY: Final = {"decided_by": "by", "decision_reason": "reason"}
"""Those that decisions may leave out, and what they are called there."""

SCHEMA: Final[Mapping[str, type[pl.DataType]]] = {"measure": pl.String, "decision": pl.String, "on": pl.Date}


@define(frozen=True, eq=False)
class TickRulings:
    """The decisions that take effect at one tick, for the units of one block."""

    given: Mapping[tuple[str, str], tuple[NDArray[np.int64], NDArray[np.int16]]]
    low: int
    size: int

    def mask(self, decision: str, rule: str, since: NDArray[np.int16]) -> NDArray[np.bool_]:
        """Return the units whose present measure of a rule, proposed at tick `since`, this decision is about."""
        mask = np.zeros(self.size, dtype=np.bool_)
        rows, proposed = self.given.get((decision, rule), (np.empty(0, np.int64), np.empty(0, np.int16)))
        inside = (rows >= self.low) & (rows < self.low + self.size)
        rows = rows[inside] - self.low
        mask[rows[since[rows] == proposed[inside]]] = True
        return mask


@define(frozen=True, eq=False)
class Rulings:
    """All decisions by the tick at which they take effect; an approval holds from its tick on until it is used."""

    by_tick: Mapping[int, Mapping[tuple[str, str], tuple[NDArray[np.int64], NDArray[np.int16]]]]

    def measures(self, decision: str, ticks: Sequence[Tick], units: pl.Series, year: int) -> pl.DataFrame:
        """Return the measures that decisions of a kind are about: `measure`, `on`, the tick from which they hold."""
        found = [
            (f"{year}/{rule}/{units[int(row)]}/{ticks[since].on.isoformat()}", ticks[here].on)
            for here, given in sorted(self.by_tick.items())
            if here < len(ticks) and not ticks[here].interim
            for (kind, rule), (rows, proposed) in given.items()
            if kind == decision
            for row, since in zip(rows, proposed, strict=True)
        ]
        frame = pl.DataFrame(found, schema={"measure": pl.String, "on": pl.Date}, orient="row")
        return frame.sort("on", "measure").unique("measure", keep="first", maintain_order=True)

    def at(self, here: int, low: int, size: int) -> TickRulings:
        """Return what takes effect at tick number `here` for the units from `low` on."""
        return TickRulings(self.by_tick.get(here, {}), low, size)


def read_decisions(
    decisions: pl.DataFrame,
    ticks: Sequence[Tick],
    units: pl.Series,
    rules: Collection[str],
    year: int,
    *,
    made_by: date,
) -> tuple[Rulings, list[Problem]]:
    """Read a decisions frame.

    Args:
        decisions: `measure` (id), `decision` (one of `DECISIONS`), `on` (the day it was made).
        ticks: of the assessment.
        units: ids in row order.
        rules: ids.
        year: the assessment's; decisions on measures of other years are passed over.
        made_by: decisions made after this day are not known, nor are those made after the last tick.

    Returns:
        The decisions by the first tick on or after both the day they were made and the day of the proposal, and every
        row that names no tick, rule or unit of this assessment.
    """
    problems: list[Problem] = []
    missing = [name for name in SCHEMA if name not in decisions.columns]
    if missing:
        expected = _("columns measure, decision, on")
        problems = [
            error(
                "decision-column", Place(table="decisions", column=name), found=_("no such column"), expected=expected
            )
            for name in missing
        ]
        return Rulings({}), problems
    days = [tick.on for tick in ticks if not tick.interim]
    row_of = {unit: row for row, unit in enumerate(units)} if len(decisions) else {}
    by_tick: dict[int, dict[tuple[str, str], list[tuple[int, int]]]] = {}
    problems = [
        error(
            "decision-column",
            Place(table="decisions", column=name),
            found=str(dtype),
            expected=_("dates") if wanted is pl.Date else _("texts"),
        )
        for name, wanted in SCHEMA.items()
        if (dtype := decisions[name].dtype) not in (wanted, pl.Null)
    ]
    if problems:
        return Rulings({}), problems
    for number, row in enumerate(decisions.select(*SCHEMA).iter_rows(named=True), start=1):
        place = Place(table="decisions", row=number)
        if row["on"] is None:
            place = Place(table="decisions", row=number, column="on")
            problems.append(error("decision-column", place, found=_("nothing"), expected=_("the day it was made")))
            continue
        if row["on"] > min(made_by, ticks[-1].on):  # not yet made
            continue
        if row["decision"] not in DECISIONS:
            problems.append(
                error(
                    "unknown-decision",
                    place,
                    found=str(row["decision"]),
                    expected=", ".join(DECISIONS),
                    nearest=nearest(str(row["decision"]), DECISIONS),
                )
            )
            continue
        parts = str(row["measure"]).split("/")
        named = _measure(parts, year, days, row_of, rules)
        if named is None:
            if parts[0] == str(year):
                problems.append(
                    error(
                        "unknown-measure",
                        place,
                        found=str(row["measure"]),
                        expected=_("the id of a measure: year/rule/unit/day of proposal"),
                    )
                )
            continue
        rule, unit, proposed = named
        effective = max(bisect_left(days, row["on"]), proposed)
        kinds = ("lifted", "reversed") if row["decision"] == "reversed" else (row["decision"],)
        for kind in kinds:
            by_tick.setdefault(effective, {}).setdefault((kind, rule), []).append((unit, proposed))
    return Rulings(
        {here: {key: _arrays(pairs) for key, pairs in given.items()} for here, given in by_tick.items()}
    ), problems


def with_decisions(measures: pl.DataFrame, decisions: pl.DataFrame | None, made_by: date) -> pl.DataFrame:
    """Return the measures with the last decision on each that was made by a day (`DECIDED`), null where there is none.

    Who decided and why is known where the decisions have the columns `by` and `reason`. A measure that was reversed
    has that status.
    """
    if decisions is None:
        return measures.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in DECIDED.items())
    told = [
        (pl.col(name) if name in decisions.columns else pl.lit(None)).cast(pl.String).alias(column)
        for column, name in DECIDED_BY.items()
    ]
    last = (
        decisions.filter(pl.col("on") <= made_by)
        .select(pl.col("measure").cast(pl.String).alias("id"), pl.col("decision").cast(pl.String), "on", *told)
        .sort("on", pl.col("decision").cast(pl.Enum(DECISIONS), strict=False), *DECIDED_BY)
        .rename({"on": "decided_on"})
        .unique("id", keep="last")
    )
    undone = pl.col("decision").eq_missing("reversed") & pl.col("started").is_not_null()
    return measures.join(last, on="id", how="left", maintain_order="left").with_columns(
        status=pl.when(undone).then(pl.lit("reversed")).otherwise("status")
    )


def without_proposal(
    decisions: pl.DataFrame,
    proposals: Sequence[Happening],
    ticks: Sequence[Tick],
    units: pl.Series,
    year: int,
    made_by: date,
) -> pl.DataFrame:
    """Return a finding for each decision made by a day on a measure of this year that was never proposed.

    It is no error: evidence corrected since may have taken the ground from under a proposal that was decided on.
    """
    proposed = event_frame(proposals, ticks, units, year)["measure"]
    rows_read = decisions.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
    astray = rows_read.filter(
        pl.col("measure").str.starts_with(f"{year}/")
        & (pl.col("on") <= made_by)
        & ~pl.col("measure").is_in(proposed.implode())
    )
    text = _("a decision on measure {measure}, which was not proposed on the evidence as it is known")
    rows = [
        ("decision_without_proposal", "warning", "flag", "decisions", measure, text.format(measure=measure))
        for measure in sorted(set(astray["measure"]))
    ]
    return pl.DataFrame(rows, schema=FINDINGS, orient="row")


def _measure(
    parts: list[str], year: int, days: list[date], row_of: Mapping[str, int], rules: Collection[str]
) -> tuple[str, int, int] | None:
    """Return rule, unit row and tick number of a measure id; a unit's id may itself hold a slash."""
    if len(parts) < 4 or parts[0] != str(year):  # noqa: PLR2004 (the four parts of an id)
        return None
    rule, unit, proposed = parts[1], "/".join(parts[2:-1]), parts[-1]
    tick = next((here for here, day in enumerate(days) if day.isoformat() == proposed), None)
    if tick is None or unit not in row_of or rule not in rules:
        return None
    return rule, row_of[unit], tick


def _arrays(pairs: list[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
    rows, proposed = zip(*pairs, strict=True)
    return np.array(rows, dtype=np.int64), np.array(proposed, dtype=np.int16)
