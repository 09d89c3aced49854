"""Commendation and reward for units that met the task (M16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from kpi_rules import N_, Rule, at, hookimpl, parameters, ratio, share_of, unit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal


@define(frozen=True)
class Settings:
    """What an administrator may choose."""

    outstanding: Decimal = ratio(
        "1.20",
        maximum="100",
        label=N_("Commended from"),
        help=N_("At the year end, completion at or above this (inclusive), the task being met, is commended"),
    )
    bonus_rate: Decimal = ratio(
        "0.001",
        maximum="1",
        label=N_("Bonus rate"),
        help=N_("Share of the credited amount above the quota, rounded down to the fen"),
    )


p = parameters("rewards", Settings)

COMMENDATION = Rule(
    "commendation",
    kind="commendation",
    subject="unit",
    when=at.year_end & (unit.completion >= 1) & (unit.completion >= p.outstanding),
    label=N_("Commendation"),
    reason=N_("completion {completion:.2%} is at or above {rewards.outstanding:.2%}"),
    sources=("M16",),
)

BONUS = Rule(
    "bonus",
    kind="bonus",
    subject="unit",
    when=at.year_end & (unit.funds > unit.funds_quota),
    amount=share_of(p.bonus_rate, unit.funds - unit.funds_quota),
    label=N_("Bonus"),
    reason=N_("the credited amount exceeds the quota; {rewards.bonus_rate:.3%} of the excess"),
    sources=("M16",),
)


@hookimpl
def kpi_settings() -> type:
    """Give the settings of this policy."""
    return Settings


@hookimpl
def kpi_policy_rules() -> Sequence[Rule]:
    """Give the rules of this policy."""
    return [COMMENDATION, BONUS]
