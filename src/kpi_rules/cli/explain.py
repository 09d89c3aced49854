"""`kpi-rules explain`: why a unit has the measures it has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from kpi_rules.cli.params import Day, axes, output, workspace
from kpi_rules.cli.words import Command, Option
from kpi_rules.locale import N_, _

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path


def command() -> click.Command:
    """Make the command in the language chosen by now."""
    return Command(
        "explain",
        callback=run,
        help=_(
            "Explain UNIT of WORKSPACE: its figures, where its credit comes from, and for each rule the condition "
            "with its values, the parameters, the sources, and the amount that would end or avoid the measure."
        ),
        params=[
            workspace(),
            click.Argument(["unit"]),
            Option(["--rule"], metavar="POLICY.RULE", help=N_("Explain this rule only.")),
            Option(
                ["--on"], type=Day(), help=N_("Explain the last tick not after this day; by default the last of all.")
            ),
            *axes(),
            *output("text", "json"),
        ],
    )


def run(  # noqa: PLR0913 (one for each option)
    *,
    workspace: Path,
    unit: str,
    rule: str | None,
    on: date | None,
    as_of: date | None,
    known_at: date | None,
    decisions: Path | None,
    format: str,
    output: Path | None,
) -> None:
    """Assess and explain."""
    from kpi_rules.cli import work
    from kpi_rules.cli.failures import RefusedError
    from kpi_rules.cli.output import check_target, write

    if output is not None:
        check_target(output)
    work.spare_threads(workspace)
    assessment = work.assess(work.load_valid(workspace), as_of, known_at, decisions, on=on)
    try:
        explanation = assessment.explain(unit, rule, on)
    except ValueError as error:  # no such unit or rule, or no tick by that day; the message names the nearest
        raise RefusedError(str(error)) from error
    if format == "json":
        write(json.dumps(explanation.to_dict(), ensure_ascii=False, indent=2, default=str).encode() + b"\n", output)
    else:
        write(explanation.to_text() + "\n", output)
