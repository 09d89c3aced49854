"""What an administrator may choose, as `[field_duty]` in kpi.toml."""

from __future__ import annotations

from decimal import Decimal  # noqa: TC003 (attrs keeps the annotation)
from typing import Literal

from attrs import define

from kpi_rules import N_, count, parameters, ratio, tables


@define(frozen=True)
class Reminder:
    """A notice to heads who are short of days in the field: `[[field_duty.reminder]]`.

    Attributes:
        name: a word; the rule is `field_duty.<name>`.
        at: when it looks.
        short_above: more days short than this (exclusive) give a measure.
        kind: what the measure is.
    """

    name: str = "short_of_days"
    at: Literal["month_end", "quarter_end", "half_year_end", "review", "year_end"] = "quarter_end"
    short_above: int = 0
    kind: Literal["notice", "talk"] = "notice"


@define(frozen=True)
class Settings:
    """What an administrator may choose."""

    station_gap: Decimal = ratio(
        "0.25",
        maximum="1",
        label=N_("Head stationed above a gap of"),
        help=N_("At a month-end, a pace gap above this (exclusive) stations the head in the field"),
    )
    off_post_below: Decimal = ratio(
        "0.50",
        maximum="10",
        label=N_("Off post below, campaign"),
        help=N_("At a campaign's end, completion below this (exclusive) puts the head off post"),
    )
    off_post_at_year_end: Decimal = ratio(
        "1.00",
        maximum="10",
        label=N_("Off post below, year end"),
        help=N_("At the year end, completion below this (exclusive) puts the head off post"),
    )
    leave_post_below: Decimal = ratio(
        "0.30",
        maximum="10",
        label=N_("Leave post below"),
        help=N_("At the year end, completion below this (exclusive) makes the head leave the post"),
    )
    days_per_month: int = count(
        0,
        maximum=31,
        label=N_("Days in the field a month"),
        help=N_("Days that a head owes in the field each month; 0 owes none"),
    )
    stationed_days_per_month: int = count(
        0,
        maximum=31,
        label=N_("Days in the field a month while stationed"),
        help=N_("Days that a stationed head owes in the field each month from the station on; 0 owes none"),
    )
    reminder: tuple[Reminder, ...] = tables(
        Reminder,
        label=N_("Reminders"),
        help=N_("Notices to heads who are short of days in the field"),
    )


p = parameters("field_duty", Settings)
