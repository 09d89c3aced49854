"""`kpi-rules assess`: figures, measures and ledger of a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kpi_rules.cli.params import axes, output, result_tables, workspace
from kpi_rules.cli.words import Command
from kpi_rules.locale import _

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import click

TABLES: Final = (
    "units",
    "events",
    "measures",
    "ledger",
    "deposits",
    "entries",
    "findings",
    "waterfall",
    "quarantine",
    "problems",
    "not_assessable",
)
"""The result tables, in the order in which they are written."""


def command() -> click.Command:
    """Make the command in the language chosen by now."""
    return Command(
        "assess",
        callback=run,
        help=_(
            "Assess WORKSPACE, a folder with kpi.toml: figures of each unit, measures in force, pay withheld. "
            "Without --format and --table it shows a summary."
        ),
        params=[
            workspace(),
            *axes(),
            result_tables(*TABLES),
            *output("table", "json", "csv", "parquet", "xlsx"),
        ],
    )


def run(
    *,
    workspace: Path,
    as_of: date | None,
    known_at: date | None,
    decisions: Path | None,
    tables: tuple[str, ...],
    format: str,
    output: Path | None,
) -> None:
    """Assess and write."""
    from kpi_rules.cli import results, summary, work
    from kpi_rules.cli.screen import working

    results.check(format, tables, output)
    work.spare_threads(workspace)
    assessment = work.assess(work.load_valid(workspace), as_of, known_at, decisions)
    if format == "table" and not tables:
        summary.show(assessment, workspace, output)
        return
    wanted = dict.fromkeys(tables or TABLES)
    with working(_("writing {count} tables").format(count=len(wanted))):
        results.write({name: results.frame(assessment, name) for name in wanted}, format, output)
