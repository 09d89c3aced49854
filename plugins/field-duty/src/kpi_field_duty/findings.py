"""What is wrong with postings, returns, rosters and hand-overs, as findings (M6 to M10).

The columns that no table has by itself (`results`, `gap_from` and so on) are described in docs/field-duty.md.
"""

from __future__ import annotations

import polars as pl

from kpi_rules import N_, Check

EXCUSED = (pl.col("results") > 0) | (pl.col("accepted_on") <= pl.col("left_on"))
"""A squad may come home: with a project result, or for a special circumstance that was accepted by then (M8)."""

OF_SQUAD = pl.col("role") == "squad"

CHECKS = (
    Check(
        "overlapping_postings",
        table="postings",
        when=pl.col("overlaps").is_not_null(),
        message=N_("{person} is in posting {posting} from {from_on} on and still in posting {overlaps}"),
        sources=("M7",),
    ),
    Check(
        "posted_as_head",
        table="postings",
        when=(pl.col("role") == "head") & (pl.col("unit_head") != pl.col("person")),
        message=N_(
            "posting {posting} of the head of {unit} does not count: on {from_on} that is {unit_head}, not {person}"
        ),
        sources=("M7",),
    ),
    Check(
        "unexcused_return",
        table="postings",
        when=OF_SQUAD & pl.col("left_on").is_not_null() & ~EXCUSED.fill_null(value=False),
        message=N_(
            "{person} of {unit} left posting {posting} on {left_on} without a project result or an accepted "
            "special circumstance"
        ),
        severity="error",
        sources=("M8",),
    ),
    Check(
        "return_not_requested",
        table="postings",
        when=OF_SQUAD & pl.col("left_on").is_not_null() & EXCUSED & pl.col("requested_on").is_null(),
        message=N_("{person} of {unit} left posting {posting} on {left_on} without having asked"),
        severity="note",
        sources=("M8",),
    ),
    Check(
        "squad_overdue",
        table="postings",
        when=OF_SQUAD
        & (pl.col("due_on") < pl.min_horizontal("left_on", "as_of"))
        & (pl.col("result_on").is_null() | (pl.col("result_on") > pl.col("due_on"))),
        message=N_("posting {posting} of {unit} had no project result by {due_on}, the day it was due"),
        sources=("M8",),
    ),
    Check(
        "request_outside_posting",
        table="returns",
        when=(pl.col("requested_on") < pl.col("from_on")) | (pl.col("requested_on") > pl.col("to_on")),
        message=N_("request {request} of {requested_on} is outside posting {posting}"),
        sources=("M8",),
    ),
    Check(
        "circumstance_not_named",
        table="returns",
        when=pl.col("accepted_on").is_not_null() & pl.col("circumstance").is_null(),
        message=N_("request {request} was accepted on {accepted_on} without naming a circumstance"),
        sources=("M8",),
    ),
    Check(
        "accepted_before_request",
        table="returns",
        when=pl.col("accepted_on") < pl.col("requested_on"),
        message=N_("request {request} was accepted on {accepted_on}, before it was made on {requested_on}"),
        sources=("M8",),
    ),
    Check(
        "roster_gap",
        table="roster",
        when=pl.col("gap_from").is_not_null(),
        message=N_("nobody of {unit} has the role {role} from {gap_from} to {gap_to}"),
        sources=("M6",),
    ),
    Check(
        "roster_clash",
        table="roster",
        when=pl.col("clash_with").is_not_null(),
        message=N_("{person} and {clash_with} of {unit} both have the role {role} from {from_on} on"),
        sources=("M6",),
    ),
    Check(
        "roster_two_roles",
        table="roster",
        when=pl.col("busy_unit").is_not_null(),
        message=N_("{person} begins {role} of {unit} on {from_on} and still has {busy_role} of {busy_unit}"),
        sources=("M6",),
    ),
    Check(
        "handover_not_of_the_head",
        table="handovers",
        when=pl.col("unit_head") != pl.col("head"),
        message=N_("{head} hands over {unit} on {from_on}, which {unit_head} heads"),
        sources=("M9",),
    ),
    Check(
        "handover_to_oneself",
        table="handovers",
        when=pl.col("head") == pl.col("deputy"),
        message=N_("{head} hands over {unit} on {from_on} to nobody else"),
        sources=("M9",),
    ),
)
