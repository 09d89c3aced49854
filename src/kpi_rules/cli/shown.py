"""Commands of policies that show tables of an assessment, made from a function that returns the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kpi_rules.cli.params import axes, output, workspace
from kpi_rules.cli.words import Command, Context
from kpi_rules.locale import translate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    import polars as pl

    import kpi_rules as kr


class _Group(Command, click.Group):
    """A group of commands with all that `Command` has."""


def table_command(
    name: str,
    make: Callable[[kr.Assessment], Mapping[str, pl.DataFrame]],
    *,
    help: str,
    policy: str = "",
) -> click.Command:
    """Make a command that assesses a workspace and shows tables, for `kpi_commands`.

    It takes WORKSPACE, the options of the two time axes and of decisions, and writes the tables to the screen or, by
    `--format` and `-o`, as JSON or a workbook. A workspace with errors ends it with exit code 3, as everywhere.

    Args:
        name: as people type it.
        make: returns the tables, by name, of an assessment.
        help: what the command shows; a message of the package that `make` is in.
        policy: the policy that a workspace must enable for the command to have a meaning; empty for any workspace.
    """
    domain = make.__module__.partition(".")[0]

    def run(
        workspace: Path,
        as_of: date | None,
        known_at: date | None,
        decisions: Path | None,
        format: str,
        output: Path | None,
    ) -> None:
        from kpi_rules.cli import results, work

        results.check(format, (), output)
        loaded = work.load_valid(workspace)
        work.check_enabled(loaded, policy)
        results.write(make(work.assess(loaded, as_of, known_at, decisions)), format, output)

    return Command(
        name,
        callback=run,
        help=translate(help, domain),
        params=[workspace(), *axes(), *output("table", "json", "xlsx")],
    )


def command_group(name: str, commands: Sequence[click.Command], *, help: str) -> click.Command:
    """Make a command of several, `kpi-rules <name> <command>`, for `kpi_commands`; `help` is shown as it is."""
    made = _Group(name, commands={str(command.name): command for command in commands}, help=help)
    made.context_class = Context
    return made
