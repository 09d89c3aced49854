"""The hooks, in the order in which the pipeline asks for them. This page is the whole plugin interface.

A hook is called once, when a workspace is loaded; what it returns is data. Implementations take no arguments but
the policy's own tables, have no defaults, and never depend on which other plugins there are: results are merged by
name, so the order of plugins does not matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    import click

    from kpi_rules.model.contributions import (
        Check,
        Configured,
        Credit,
        Forecast,
        Guard,
        Indicator,
        PaceCurve,
        Rule,
    )

hookspec = pluggy.HookspecMarker("kpi_rules")
hookimpl = pluggy.HookimplMarker("kpi_rules")
"""Marks a function of a plugin as the implementation of the hook of the same name."""


@hookspec
def kpi_settings() -> type:  # type: ignore[empty-body]  # a specification has no body
    """Return the attrs class of the policy's settings, its fields made by `kpi_rules.ratio`, `money`, `count`,
    `flag`, `texts`, `choice`, `tables`.
    """


@hookspec
def kpi_configured(tables: Mapping[str, tuple[Any, ...]]) -> Configured:  # type: ignore[empty-body]
    """Return what the policy's tables in `kpi.toml` amount to, for a policy whose settings have `tables`.

    `tables` has for each of them the items that are written, made from the class given there; those that could not be
    made are not among them, and are reported without the policy.
    """


@hookspec
def kpi_checks() -> Sequence[Check]:  # type: ignore[empty-body]
    """Return checks of the evidence: which rows give a finding (M15)."""


@hookspec
def kpi_credits() -> Sequence[Credit]:  # type: ignore[empty-body]
    """Return adjustments of a project's confirmed amount: eligibility, factors, caps (M14)."""


@hookspec
def kpi_indicators() -> Sequence[Indicator]:  # type: ignore[empty-body]
    """Return further indicators per unit and tick, row-wise over those that are there (M11)."""


@hookspec
def kpi_pace_curves() -> Sequence[PaceCurve]:  # type: ignore[empty-body]
    """Return pace curves that `[pace] curve` may name (M3)."""


@hookspec
def kpi_policy_rules() -> Sequence[Rule]:  # type: ignore[empty-body]
    """Return the rules of the policy (M16 to M19)."""


@hookspec
def kpi_guards() -> Sequence[Guard]:  # type: ignore[empty-body]
    """Return limits on the pay withheld from one person in one month (M17)."""


@hookspec
def kpi_forecasts() -> Sequence[Forecast]:  # type: ignore[empty-body]
    """Return forecasts that `[forecast] models` may name (M22)."""


@hookspec
def kpi_commands() -> Sequence[click.Command]:  # type: ignore[empty-body]
    """Return the commands of the policy, each of the name under which the policy's package names it in the
    entry-point group `kpi_rules.commands`. Asked when the command is called, without a workspace: a policy of one file
    has none.
    """
