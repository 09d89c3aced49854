"""`kpi-rules withdraw`: what falls with a piece of evidence."""

from __future__ import annotations

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
        "withdraw",
        callback=run,
        help=_(
            "Show what falls with the row KEY of TABLE in WORKSPACE: credit, assessment, measures, money. It is a "
            "preview; no file is changed. The key of a claim is PROJECT/UNIT."
        ),
        params=[
            workspace(),
            click.Argument(["table"]),
            click.Argument(["key"]),
            Option(["--on"], type=Day(), help=N_("The day it is revoked; by default it was never there.")),
            *axes(),
            *output("text", "json"),
        ],
    )


def run(  # noqa: PLR0913 (one for each option)
    *,
    workspace: Path,
    table: str,
    key: str,
    on: date | None,
    as_of: date | None,
    known_at: date | None,
    decisions: Path | None,
    format: str,
    output: Path | None,
) -> None:
    """Assess twice and compare."""
    import kpi_rules as kr
    from kpi_rules.cli import work
    from kpi_rules.cli.failures import RefusedError
    from kpi_rules.cli.output import check_target, to_json, write
    from kpi_rules.cli.screen import working

    if output is not None:
        check_target(output)
    given = work.read_decisions(decisions) if decisions is not None else None
    loaded = work.load_valid(workspace)
    with working(_("assessing {name}").format(name=loaded.name)):
        try:
            found = kr.withdraw(loaded, table, key, on, as_of=as_of, known_at=known_at, decisions=given)
        except kr.AssessmentError as error:
            raise RefusedError("\n".join(problem.message for problem in error.problems)) from error
    write(to_json(found.tables()) if format == "json" else found.to_text() + "\n", output)
