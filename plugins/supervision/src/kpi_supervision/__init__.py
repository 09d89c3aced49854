"""Supervision: a talk is proposed for a unit that stays behind its pace (M11, M12).

Where `[[supervision.step]]` says so, there are further steps: cards, talks, the laggards' meeting, the bulletin, the
veto; see `steps`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from kpi_rules import N_, Rule, at, count, hookimpl, parameters, ratio, tables, unit
from kpi_supervision.steps import Limits, Step, configured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from kpi_rules import Configured


@define(frozen=True)
class Settings:
    """What an administrator may choose."""

    talk_after: int = count(
        3,
        minimum=1,
        label=N_("Talk after lagging month-ends"),
        help=N_("At a month-end, at least this many lagging month-ends in a row (inclusive) propose a talk"),
    )
    cards_for_talk: int = count(
        2,
        minimum=1,
        label=N_("Talk after yellow cards"),
        help=N_("At least this many yellow cards (inclusive), in a row or in the year, propose a talk"),
    )
    bulletin_behind: Decimal = ratio(
        "0",
        maximum="1",
        label=N_("In the bulletin when behind by more than"),
        help=N_("Units with a greater pace gap (exclusive) are named in the bulletin"),
    )
    veto_below: Decimal = ratio(
        "1",
        maximum="10",
        label=N_("Veto below"),
        help=N_("Completion below this (exclusive) at the year end excludes a unit from every composite prize"),
    )
    step: tuple[Step, ...] = tables(
        Step,
        label=N_("Steps of escalation"),
        help=N_("Which steps there are, when each looks, and what it counts"),
    )


p = parameters("supervision", Settings)

TALK = Rule(
    "talk",
    kind="talk",
    subject="head",
    when=at.month_end & (unit.lag >= p.talk_after),
    label=N_("Talk with the head"),
    reason=N_("behind the pace at {lag} month-ends in a row, at least {supervision.talk_after}"),
    sources=("M12",),
)


@hookimpl
def kpi_settings() -> type:
    """Give the settings of this policy."""
    return Settings


@hookimpl
def kpi_policy_rules() -> Sequence[Rule]:
    """Give the rules of this policy."""
    return [TALK]


@hookimpl
def kpi_configured(tables: Mapping[str, tuple[Step, ...]]) -> Configured:
    """Give the steps of escalation that are switched on."""
    return configured(tables["step"], Limits(p.cards_for_talk, p.bulletin_behind, p.veto_below))
