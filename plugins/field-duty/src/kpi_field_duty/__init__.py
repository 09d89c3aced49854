"""Heads, squads and leading groups in the field (M6 to M10).

Heads are stationed at the front, off post, or leave the post until the annual task is met, and owe days in the field;
squads come home with a result or for an accepted circumstance; the leading group travels in turns while one member
keeps the daily work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_field_duty.days import days, indicators, reminders, stationed
from kpi_field_duty.findings import CHECKS
from kpi_field_duty.handover import GUARDS, duties
from kpi_field_duty.returns import Decision, may_return, returns
from kpi_field_duty.roster import roster
from kpi_field_duty.rules import RULES
from kpi_field_duty.settings import Settings
from kpi_rules import hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import click

    from kpi_field_duty.settings import Reminder
    from kpi_rules import Check, Configured, Guard, Indicator, Rule

__all__ = ["Decision", "Settings", "days", "duties", "may_return", "returns", "roster", "stationed"]


@hookimpl
def kpi_settings() -> type:
    """Give the settings of this policy."""
    return Settings


@hookimpl
def kpi_configured(tables: Mapping[str, tuple[Reminder, ...]]) -> Configured:
    """Give the rules that `[[field_duty.reminder]]` asks for."""
    return reminders(tables["reminder"])


@hookimpl
def kpi_checks() -> Sequence[Check]:
    """Give the checks of postings, returns, rosters and hand-overs."""
    return CHECKS


@hookimpl
def kpi_indicators() -> Sequence[Indicator]:
    """Give the days that heads owe, serve and are short of."""
    return indicators()


@hookimpl
def kpi_policy_rules() -> Sequence[Rule]:
    """Give the rules of this policy."""
    return RULES


@hookimpl
def kpi_guards() -> Sequence[Guard]:
    """Give what is said of a duty whose work is handed over, or is not."""
    return GUARDS


@hookimpl
def kpi_commands() -> Sequence[click.Command]:
    """Give `kpi-rules field-duty`."""
    from kpi_field_duty.commands import FIELD_DUTY

    return [FIELD_DUTY]
