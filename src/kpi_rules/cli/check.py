"""`kpi-rules check`: everything that is wrong with a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_rules.cli.params import output, workspace
from kpi_rules.cli.words import Command
from kpi_rules.locale import _, ngettext

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import click
    import polars as pl

    import kpi_rules as kr
    from kpi_rules.cli.screen import Page


def command() -> click.Command:
    """Make the command in the language chosen by now."""
    return Command(
        "check",
        callback=run,
        help=_(
            "List everything that is wrong with WORKSPACE, a folder with kpi.toml: errors, warnings, "
            "and the rows of evidence in quarantine. The exit code is 3 if there are errors."
        ),
        params=[workspace(), *output("table", "json", "csv")],
    )


def run(*, workspace: Path, format: str, output: Path | None) -> int:
    """Load and list."""
    from kpi_rules.cli import failures, results, work
    from kpi_rules.cli.output import check_target

    if output is not None:
        check_target(output)
    work.spare_threads(workspace)
    loaded = work.load(workspace)
    problems = results.problem_frame(loaded.problems)
    if format == "table":
        _show(loaded, output)
    elif format == "json":
        results.write({"problems": problems, "quarantine": loaded.quarantine}, format, output)
    else:
        results.write({"check": _one_table(problems, loaded.quarantine)}, format, output)
    return failures.ERRORS if loaded.errors else failures.DONE


def _one_table(problems: pl.DataFrame, quarantine: pl.DataFrame) -> pl.DataFrame:
    """Return both as one table; a row in quarantine has the severity `quarantine` and says in `message` why."""
    import polars as pl

    rows = quarantine.select(
        "code", "file", "table", "row", "column", severity=pl.lit("quarantine"), found="value", message="reason"
    )
    return pl.concat([problems, rows], how="diagonal").select(problems.columns)


def _show(workspace: kr.Workspace, path: Path | None) -> None:
    from kpi_rules.cli.screen import Page

    page = Page(path)
    page.title(workspace.name)
    page.line(_counts([problem.severity for problem in workspace.problems], len(workspace.quarantine)))
    if workspace.problems:
        page.line()
        _problems(page, workspace)
    if len(workspace.quarantine):
        page.line()
        page.title(_("Quarantine: rows of evidence left out"))
        columns = [_("file"), _("row"), _("column"), _("value"), _("code"), _("reason")]
        rows = workspace.quarantine.select("file", "row", "column", "value", "code", "reason").iter_rows()
        page.table(columns, rows, [columns[1]], [columns[4]])
    page.write()


def _problems(page: Page, workspace: kr.Workspace) -> None:
    severities = {"error": _("error"), "warning": _("warning"), "note": _("note")}
    page.table(
        [_("severity"), _("code"), _("place"), _("found"), _("expected instead"), _("nearest")],
        (
            (
                severities[problem.severity],
                problem.code,
                problem.place,
                problem.found,
                problem.expected,
                problem.nearest,
            )
            for problem in workspace.problems
        ),
        firm=[_("severity"), _("code")],
    )


def _counts(severities: Sequence[str], quarantined: int) -> str:
    errors, warnings, notes = (severities.count(kind) for kind in ("error", "warning", "note"))
    parts = [
        ngettext("{count} error", "{count} errors", errors).format(count=errors),
        ngettext("{count} warning", "{count} warnings", warnings).format(count=warnings),
        ngettext("{count} note", "{count} notes", notes).format(count=notes),
        ngettext("{count} row in quarantine", "{count} rows in quarantine", quarantined).format(count=quarantined),
    ]
    return ", ".join(parts)
