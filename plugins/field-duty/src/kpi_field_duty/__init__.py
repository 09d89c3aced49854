"""Heads in the field: stationed at the front, off post, leaving post (M7, M9, M10).

Each duty lasts until the annual task is met, and the severer replaces the milder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from kpi_rules import N_, Rule, at, hookimpl, parameters, ratio, unit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal


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


p = parameters("field_duty", Settings)

MET = unit.completion >= 1

STATION_HEAD = Rule(
    "station_head",
    kind="duty",
    subject="head",
    when=at.month_end & (unit.pace_gap > p.station_gap),
    until=MET,
    label=N_("Head stationed in the field"),
    reason=N_("completion {completion:.2%} is {pace_gap:.2%} behind the pace, more than {field_duty.station_gap:.2%}"),
    sources=("M7",),
)

OFF_POST = Rule(
    "off_post",
    kind="duty",
    subject="head",
    when=(at.campaign_end & (unit.completion < p.off_post_below))
    | (at.year_end & (unit.completion < p.off_post_at_year_end)),
    until=MET,
    supersedes=("field_duty.station_head",),
    label=N_("Head off post"),
    reason=N_("completion {completion:.2%} is below the limit of this review"),
    sources=("M9", "M19"),
)

LEAVE_POST = Rule(
    "leave_post",
    kind="duty",
    subject="head",
    when=at.year_end & (unit.completion < p.leave_post_below),
    until=MET,
    supersedes=("field_duty.off_post", "field_duty.station_head"),
    label=N_("Head leaves the post"),
    reason=N_("completion {completion:.2%} at the year end is below {field_duty.leave_post_below:.2%}"),
    sources=("M10", "M19"),
)


@hookimpl
def kpi_settings() -> type:
    """Give the settings of this policy."""
    return Settings


@hookimpl
def kpi_policy_rules() -> Sequence[Rule]:
    """Give the rules of this policy."""
    return [STATION_HEAD, OFF_POST, LEAVE_POST]
