"""Pay withheld until the task is met, and then restored (M17, M18).

At mid-year and at each campaign's end the section-level staff of a unit far behind is concerned; at the year end all
staff of every unit that has not met its task. Whatever is withheld is released at the tick that finds the annual
task met. Where `[[pay_withholding.deposit]]` says so, there are deposits as well, see `deposits`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from kpi_pay_withholding.deposits import Deposit, configured
from kpi_rules import N_, Hold, Rule, at, count, hookimpl, money, parameters, ratio, tables, texts, unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from kpi_rules import Configured


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
    deposit_projects: int = count(
        1,
        minimum=1,
        label=N_("Projects of a quarter"),
        help=N_("Fewer recognised projects in a quarter (exclusive) forfeit a part of the deposits"),
    )
    deposit_reward: int = money(
        "0",
        label=N_("Reward of the group"),
        help=N_("For a unit with deposits that met its task by the year end; 0 for none"),
    )
    deposit: tuple[Deposit, ...] = tables(
        Deposit,
        label=N_("Deposits by role"),
        help=N_("Who leaves how much as a deposit, what is forfeited, and what the year end does to the rest"),
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


@hookimpl
def kpi_configured(tables: Mapping[str, tuple[Deposit, ...]]) -> Configured:
    """Give what the lines about deposits ask for."""
    return configured(tables["deposit"], projects=p.deposit_projects, reward=p.deposit_reward)
