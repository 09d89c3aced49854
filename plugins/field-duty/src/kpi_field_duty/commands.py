"""`kpi-rules field-duty`: days in the field, returns, rosters and duties of a workspace as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_field_duty.days import days, stationed
from kpi_field_duty.handover import duties
from kpi_field_duty.returns import returns
from kpi_field_duty.roster import roster
from kpi_rules import N_, command_group, table_command, translate

if TYPE_CHECKING:
    import polars as pl

    from kpi_rules import Assessment


def _days(assessment: Assessment) -> dict[str, pl.DataFrame]:
    return {"days": days(assessment), "stationed": stationed(assessment)}


def _returns(assessment: Assessment) -> dict[str, pl.DataFrame]:
    return {"returns": returns(assessment)}


def _roster(assessment: Assessment) -> dict[str, pl.DataFrame]:
    return {"roster": roster(assessment)}


def _duties(assessment: Assessment) -> dict[str, pl.DataFrame]:
    return {"duties": duties(assessment)}


FIELD_DUTY = command_group(
    "field-duty",
    [
        table_command("days", _days, help=N_("Days that heads owe and have served."), policy="field_duty"),
        table_command("returns", _returns, help=N_("Who of the squads may return, and why."), policy="field_duty"),
        table_command(
            "roster", _roster, help=N_("Who leads and who stays, with gaps and clashes."), policy="field_duty"
        ),
        table_command("duties", _duties, help=N_("Heads off post, and who stands in."), policy="field_duty"),
    ],
    help=translate(N_("Heads, squads and leading groups in the field."), "kpi_field_duty"),
)
