"""Off post and leave post: to whom work is handed over, since when, until when (M9, M10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from kpi_field_duty.rules import HANDED_OVER
from kpi_rules import N_, Guard, rows, translate

if TYPE_CHECKING:
    from kpi_rules import Assessment

_IS_HANDED_OVER = (pl.col("rule") == HANDED_OVER[0]) | (pl.col("rule") == HANDED_OVER[1])

GUARDS = (
    Guard(
        "handover_missing",
        about="measure",
        when=_IS_HANDED_OVER & pl.col("keeps_handovers") & pl.col("deputy").is_null(),
        effect="warn",
        message=N_("no hand-over is on record: to whom the work of {unit} goes, and since when"),
        sources=("M9", "M10"),
    ),
    Guard(
        "handed_over",
        about="measure",
        when=_IS_HANDED_OVER & pl.col("deputy").is_not_null(),
        effect="note",
        message=N_("{deputy} has the work of {unit} since {handed_over_on}"),
        sources=("M9", "M10"),
    ),
)
"""What is said with a duty for which work is handed over, where the workspace keeps a table of hand-overs."""

DUTIES = {
    "measure": pl.String,
    "unit": pl.String,
    "rule": pl.String,
    "head": pl.String,
    "started": pl.Date,
    "ended": pl.Date,
    "deputy": pl.String,
    "since": pl.Date,
    "handed_over": pl.Boolean,
    "remark": pl.String,
}


def duties(assessment: Assessment) -> pl.DataFrame:
    """Return every off-post and leave-post duty with its hand-over (`DUTIES`).

    The hand-over is the first of the unit's that lasts into the duty: it began by the end of the duty and did not end
    before its start. `handed_over` is false where there is none by the as-of date. Pay and the post relation stay
    (off post), pay stays (leave post); both end when the annual task is met.
    """
    handed = rows(assessment, "handovers").select("unit", "deputy", since="from_on", until="to_on")
    measures = assessment.measures.filter(pl.col("rule").is_in(HANDED_OVER), pl.col("started").is_not_null()).select(
        "unit", "rule", "started", "ended", measure="id", head="person"
    )
    lasting = (
        measures.join(handed, on="unit")
        .filter(
            pl.col("ended").is_null() | (pl.col("since") <= pl.col("ended")),
            pl.col("until").is_null() | (pl.col("until") >= pl.col("started")),
        )
        .sort("since", "deputy")
        .unique("measure", keep="first", maintain_order=True)
        .select("measure", "deputy", "since")
    )
    missing = translate(N_("no hand-over is on record"), "kpi_field_duty")
    return (
        measures.join(lasting, on="measure", how="left", maintain_order="left")
        .with_columns(
            handed_over=pl.col("deputy").is_not_null(),
            remark=pl.when(pl.col("deputy").is_null()).then(pl.lit(missing)).otherwise(pl.lit("")),
        )
        .select(*DUTIES)
    )
