"""Events and measures: what happened to each proposal, on whom it falls, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from kpi_rules.locale import translate
from kpi_rules.model.plans import run
from kpi_rules.model.text import fields, render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kpi_rules.model.calendar import Tick
    from kpi_rules.model.contributions import Rule
    from kpi_rules.pipeline.decided import Decided, Happening

EVENTS: Final = {
    "year": pl.Int64,
    "tick": pl.Date,
    "rule": pl.String,
    "unit": pl.String,
    "measure": pl.String,
    "event": pl.String,
    "amount": pl.Int64,
}

MEASURES: Final = {
    "id": pl.String,
    "year": pl.Int64,
    "rule": pl.String,
    "unit": pl.String,
    "subject": pl.String,
    "person": pl.String,
    "kind": pl.String,
    "started": pl.Date,
    "ended": pl.Date,
    "active": pl.Boolean,
    "amount": pl.Int64,
    "reason": pl.String,
    "sources": pl.List(pl.String),
    "status": pl.String,
}
"""The columns of `measures`; `status` is `proposed`, `in force`, `ended`, `superseded`, `issued`, or `closed` for a
proposal that was rejected or fell away before it took effect."""


def measure_id(year: int) -> pl.Expr:
    """Return the id of a measure, `year/rule/unit/day`, from the columns `rule`, `unit` and `proposed` (a Date)."""
    return pl.format("{}/{}/{}/{}", pl.lit(year), "rule", "unit", pl.col("proposed").dt.to_string("%Y-%m-%d"))


def event_frame(happenings: Sequence[Happening], ticks: Sequence[Tick], units: pl.Series, year: int) -> pl.DataFrame:
    """Return happenings as a frame (`EVENTS`), ordered by tick, unit, rule and event."""
    days = pl.Series([tick.on for tick in ticks], dtype=pl.Date)
    if not happenings:
        return pl.DataFrame(schema={**EVENTS, "proposed": pl.Date})
    return run(
        happened(happenings, days, units)
        .lazy()
        .with_columns(year=pl.lit(year, pl.Int64), measure=measure_id(year))
        .select(*EVENTS, "proposed")
        .sort("tick", "unit", "rule", "event")
    )


def happened(happenings: Sequence[Happening], days: pl.Series, units: pl.Series) -> pl.DataFrame:
    """Return happenings as they come, one row per unit: `unit, proposed, tick, rule, event, amount`.

    Args:
        happenings: of some rules and ticks.
        days: those of the ticks.
        units: ids, one for each unit.
    """
    of = pl.Series(np.repeat(np.arange(len(happenings)), [len(each.rows) for each in happenings]))
    none = pl.Series([None], dtype=pl.Int64)
    amounts = [
        each.amounts.cast(pl.Int64) if each.amounts is not None else none.new_from_index(0, len(each.rows))
        for each in happenings
    ]
    nobody = np.empty(0, np.uint32)
    rows = np.concatenate([nobody, *(each.rows for each in happenings)])
    since = np.concatenate([nobody, *(each.since for each in happenings)])
    return pl.DataFrame(
        {
            "unit": units[pl.Series(rows)],
            "proposed": days[pl.Series(since)],
            "tick": days[pl.Series([each.tick for each in happenings], dtype=pl.UInt32)[of]],
            "rule": pl.Series([each.rule for each in happenings], dtype=pl.String)[of],
            "event": pl.Series([each.kind for each in happenings], dtype=pl.String)[of],
            "amount": pl.concat([none.clear(), *amounts]),
        }
    )


def measure_frame(
    decided: Decided, ticks: Sequence[Tick], units: pl.Series, rules: Mapping[str, Rule], year: int
) -> pl.DataFrame:
    """Return the measures, ordered by the day they were `proposed`, which is a column beside those of `MEASURES`, unit
    and rule; without `person` and `reason`.

    Args:
        decided: what the rules decided.
        ticks: of the assessment.
        units: ids, one for each unit.
        rules: by id.
        year: the assessment's.
    """
    events = event_frame(decided.events, ticks, units, year)
    proposed = event_frame(decided.proposals, ticks, units, year)
    began = events.filter(pl.col("event").is_in(["started", "issued"]))
    over = events.filter(pl.col("event").is_in(["ended", "superseded"]))
    known = pl.concat([began, proposed.join(began, on="measure", how="anti")])
    waiting = event_frame(decided.pending, ticks, units, year).select("measure", waiting=pl.lit(value=True))
    about = pl.DataFrame(
        [(rule.id, rule.subject, rule.kind, list(rule.sources)) for rule in rules.values()],
        schema={"rule": pl.String, "subject": pl.String, "kind": pl.String, "sources": pl.List(pl.String)},
        orient="row",
    )
    return run(
        known.lazy()
        .join(about.lazy(), on="rule", how="left")
        .join(over.lazy().select("measure", ended="tick", over="event"), on="measure", how="left")
        .join(waiting.lazy(), on="measure", how="left")
        .with_columns(
            id=pl.col("measure"),
            started=pl.when(pl.col("event") != "proposed").then(pl.col("tick")),
            active=(pl.col("event") == "started") & pl.col("ended").is_null(),
            status=pl.when(pl.col("event") == "issued")
            .then(pl.lit("issued"))
            .when(pl.col("waiting"))
            .then(pl.lit("proposed"))
            .when(pl.col("event") == "proposed")
            .then(pl.lit("closed"))
            .otherwise(pl.coalesce("over", pl.lit("in force"))),
        )
        .sort("proposed", "unit", "rule")
    )


def persons(measures: pl.DataFrame, units: pl.DataFrame, staff: pl.DataFrame) -> pl.Series:
    """Resolve a head to the person on the day of the proposal: the one head among the staff then, else the unit's
    own entry.

    Args:
        measures: `unit`, `proposed`, `subject`.
        units: the clean table.
        staff: the clean table.
    """
    on = pl.col("proposed")
    placed = measures.lazy().with_row_index("place")
    heads = (
        placed.select("place", "unit", "proposed")
        .join(staff.lazy().filter(pl.col("grade") == "head").select("unit", "person", "from_on", "to_on"), on="unit")
        .filter(
            (pl.col("from_on").is_null() | (pl.col("from_on") <= on))
            & (pl.col("to_on").is_null() | (pl.col("to_on") >= on))
        )
        .group_by("place")
        .agg(pl.col("person").first(), heads=pl.len())
        .filter(pl.col("heads") == 1)
    )
    found = placed.join(heads, on="place", how="left", maintain_order="left").join(
        units.lazy().select("unit", "head"), on="unit", how="left", maintain_order="left"
    )
    of_head = pl.when(pl.col("subject") == "head").then(pl.coalesce("person", "head"))
    return run(found.select(person=of_head)).to_series()


def reason_of(rule: Rule, values: Mapping[str, Any]) -> str:
    """Return the reason of a measure in the user's language, with its figures."""
    return render(translate(rule.reason, rule.domain), {name: values.get(name) for name in fields(rule.reason)})
