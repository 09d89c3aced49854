"""Supervision: a talk is proposed for a unit that stays behind its pace (M11, M12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from kpi_rules import N_, Rule, at, count, hookimpl, parameters, unit

if TYPE_CHECKING:
    from collections.abc import Sequence


@define(frozen=True)
class Settings:
    """What an administrator may choose."""

    talk_after: int = count(
        3,
        minimum=1,
        label=N_("Talk after lagging month-ends"),
        help=N_("At a month-end, at least this many lagging month-ends in a row (inclusive) propose a talk"),
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
