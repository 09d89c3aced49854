"""The duties of heads: stationed at the front, off post, leaving post (M7, M9, M10).

Each duty lasts until the annual task is met, and the severer replaces the milder.
"""

from __future__ import annotations

from kpi_field_duty.settings import p
from kpi_rules import N_, Rule, at, unit

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
    reason=N_(
        "completion {completion:.2%} is below the limit of this review; daily work is handed over until the task is "
        "met; post and pay stay as they are"
    ),
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
    reason=N_(
        "completion {completion:.2%} at the year end is below {field_duty.leave_post_below:.2%}; all work is handed "
        "over until the task is met; pay stays as it is"
    ),
    sources=("M10", "M19"),
)

RULES = (STATION_HEAD, OFF_POST, LEAVE_POST)

HANDED_OVER = ("field_duty.off_post", "field_duty.leave_post")
"""The duties for which the head hands over work to a deputy."""
