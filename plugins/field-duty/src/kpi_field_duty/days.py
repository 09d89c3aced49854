"""Days in the field: what the head of a unit owes and what postings show (M7)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from kpi_field_duty.rules import STATION_HEAD
from kpi_field_duty.settings import p
from kpi_rules import N_, Configured, Indicator, Rule, Trouble, at, rows, unit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from kpi_field_duty.settings import Reminder
    from kpi_rules import Assessment

_MOMENTS = {
    "month_end": at.month_end,
    "quarter_end": at.quarter_end,
    "half_year_end": at.half_year_end,
    "review": at.review,
    "year_end": at.year_end,
}

NEEDS = ("field_duty.days_per_month", "postings")
"""Where neither is there, nobody asks for days in the field."""

DAYS = {
    "unit": pl.String,
    "tick": pl.Date,
    "head": pl.String,
    "postings": pl.Int64,
    "days_owed": pl.Int64,
    "days_served": pl.Int64,
    "days_short": pl.Int64,
}

STATIONED = {
    "measure": pl.String,
    "unit": pl.String,
    "person": pl.String,
    "started": pl.Date,
    "ended": pl.Date,
    "days_owed": pl.Int64,
    "days_served": pl.Int64,
    "days_short": pl.Int64,
}


def served(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Return the days of a posting that count from `start` to `end`, both inclusive, as a row-wise expression.

    A day that an earlier posting of the same person in the same role counts is left out (`counted_from`), so that the
    sum over a person's postings is the number of distinct days.
    """
    first = pl.max_horizontal(pl.col("counted_from"), start)
    last = pl.min_horizontal(pl.col("left_on"), end)
    return (
        pl.when(pl.col("counted_from").is_not_null() & (last >= first))
        .then((last - first).dt.total_days() + 1)
        .otherwise(0)
    )


def indicators() -> Sequence[Indicator]:
    """Return the indicators of field days, per unit by itself: the heads of units below it owe and serve their own."""
    to_tick = pl.min_horizontal(pl.col("tick"), pl.col("year_end"))
    has_served = pl.when(pl.col("role") == "head").then(served(pl.col("year_start"), to_tick)).otherwise(0)
    return [
        Indicator(
            "heads_owing",
            "count",
            pl.col("head").is_not_null() & (pl.col("tick") <= pl.col("year_end")),
            table="units",
            own=True,
            label=N_("Heads who owe days in the field"),
            sources=("M7",),
            needs=NEEDS,
        ),
        Indicator(
            "days_served",
            "count",
            has_served,
            table="postings",
            own=True,
            label=N_("Days the head has been in the field"),
            sources=("M7",),
            needs=NEEDS,
        ),
        Indicator(
            "days_owed",
            "count",
            pl.when(unit.heads_owing > 0).then(p.days_per_month).otherwise(0),
            counting="total",
            at=at.month_end,
            label=N_("Days the head owes in the field"),
            sources=("M7",),
            needs=NEEDS,
        ),
        Indicator(
            "days_short",
            "count",
            pl.max_horizontal(unit.days_owed - unit.days_served, pl.lit(0, pl.Int64)),
            label=N_("Days the head is short of"),
            sources=("M7",),
            needs=NEEDS,
        ),
    ]


def reminders(items: Sequence[Reminder]) -> Configured:
    """Return the rules that remind heads of the days they owe, and what is wrong with them."""
    rules, problems = [], []
    for number, item in enumerate(items):
        if item.short_above < 0:
            found, expected = str(item.short_above), N_("a number of days, 0 or more")
            problems.append(Trouble(("reminder", number, "short_above"), found, expected, code="out-of-bounds"))
            continue
        rules.append(
            Rule(
                item.name,
                kind=item.kind,
                subject="head",
                when=_MOMENTS[item.at] & (unit.days_short > item.short_above),
                repeats=True,
                label=N_("Short of days in the field"),
                reason=N_("{days_served} of {days_owed} days in the field, {days_short} short"),
                sources=("M7",),
            )
        )
    return Configured(rules=rules, problems=problems)


def days(assessment: Assessment) -> pl.DataFrame:
    """Return what heads owe and have served at the last tick (`DAYS`): a row per unit with a head or a posting of one.

    Days are whole and inclusive at both ends; nobody owes any where neither `days_per_month` nor a posting is written.
    What a stationed head owes on top is in `stationed`.

    Raises:
        ValueError: the assessment was made without these indicators, as that of a large population is by default.
    """
    workspace = assessment.workspace
    if "days_short" not in assessment.units.columns:
        if len(workspace.tables.postings) or workspace.parameters.entries.get("field_duty.days_per_month"):
            raise ValueError("assess with indicators=('days_owed', 'days_served', 'days_short')")
        return pl.DataFrame(schema=DAYS)
    last = assessment.units["tick"].max()
    heads = rows(assessment, "postings").filter(pl.col("role") == "head")
    counts = heads.group_by("unit").agg(postings=pl.len().cast(pl.Int64))
    return (
        assessment.units.filter(pl.col("tick") == last)
        .join(workspace.tables.units.select("unit", "head"), on="unit", how="left", maintain_order="left")
        .join(counts, on="unit", how="left", maintain_order="left")
        .with_columns(pl.col("postings").fill_null(0))
        .filter(pl.col("head").is_not_null() | (pl.col("postings") > 0))
        .select(*DAYS)
    )


def stationed(assessment: Assessment) -> pl.DataFrame:
    """Return what each stationed head owes and has served from the day of the measure on (`STATIONED`).

    As with pay that is withheld, a measure in force before a month-end counts for the whole month that ends there:
    `stationed_days_per_month` of the month-end is owed for it. Days served are those from the day after the start to
    the end, or to the as-of date.
    """
    workspace = assessment.workspace
    groups = dict(workspace.tables.units.select("unit", "group").iter_rows())
    postings = rows(assessment, "postings").filter(pl.col("role") == "head")
    measures = assessment.measures.filter(pl.col("rule") == f"field_duty.{STATION_HEAD.name}")
    found = []
    for measure in measures.filter(pl.col("started").is_not_null()).iter_rows(named=True):
        start, end = measure["started"], measure["ended"] or assessment.as_of
        months = [tick.on for tick in assessment.ticks if tick.is_month_end and start < tick.on <= end]
        owed = sum(_per_month(assessment, month, groups[measure["unit"]]) for month in months)
        own = postings.filter(pl.col("unit") == measure["unit"])
        within = served(pl.lit(start + timedelta(days=1)), pl.lit(end))
        has_served = int(own.select(within.alias("days"))["days"].sum())
        found.append(
            {
                **{name: measure[name] for name in ("unit", "person", "started", "ended")},
                "measure": measure["id"],
                "days_owed": owed,
                "days_served": has_served,
                "days_short": max(owed - has_served, 0),
            }
        )
    return pl.DataFrame(found, schema=STATIONED)


def _per_month(assessment: Assessment, on: date, group: str | None) -> int:
    value = assessment.workspace.parameters.at("field_duty.stationed_days_per_month", on, group).value
    return int(value)  # type: ignore[arg-type]  # the setting is a count
