"""Pay withheld until the task is met, and then restored (M17, M18).

At mid-year and at each campaign's end the section-level staff of a unit far behind is concerned; at the year end all
staff of every unit that has not met its task. Whatever is withheld is released at the tick that finds the annual
task met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from kpi_rules import N_, Hold, Rule, at, hookimpl, parameters, ratio, texts, unit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal


@define(frozen=True)
class Settings:
    """What an administrator may choose."""

    section_below: Decimal = ratio(
        "0.50",
        maximum="10",
        label=N_("Section-level pay withheld below"),
        help=N_("At mid-year and at a campaign's end, completion below this (exclusive) withholds section-level pay"),
    )
    section_grades: tuple[str, ...] = texts(
        ("head", "section"),
        label=N_("Grades of section level"),
        help=N_("Whose pay the mid-year and campaign reviews withhold; the year end concerns all staff"),
    )
    share: Decimal = ratio(
        "1",
        maximum="1",
        label=N_("Share withheld"),
        help=N_("Of the withholdable component of a person's pay, both bounds inclusive"),
    )


p = parameters("pay_withholding", Settings)

MET = unit.completion >= 1

SECTION = Rule(
    "section",
    kind="pay_hold",
    subject="staff",
    when=(at.mid_year | at.campaign_end) & (unit.completion < p.section_below),
    until=MET,
    hold=Hold(share=p.share, grades=p.section_grades),
    label=N_("Section-level pay withheld"),
    reason=N_("completion {completion:.2%} is below {pay_withholding.section_below:.2%}"),
    sources=("M17", "M18", "M19"),
)

ALL_STAFF = Rule(
    "all_staff",
    kind="pay_hold",
    subject="staff",
    when=at.year_end & (unit.completion < 1),
    until=MET,
    supersedes=("pay_withholding.section",),
    hold=Hold(share=p.share),
    label=N_("Pay of all staff withheld"),
    reason=N_("completion {completion:.2%} at the year end, the annual task is not met"),
    sources=("M17", "M18"),
)


@hookimpl
def kpi_settings() -> type:
    """Give the settings of this policy."""
    return Settings


@hookimpl
def kpi_policy_rules() -> Sequence[Rule]:
    """Give the rules of this policy."""
    return [SECTION, ALL_STAFF]
