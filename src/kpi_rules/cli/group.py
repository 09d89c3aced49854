"""The group of commands: names and one line of help each, so that `--help` imports no command, and how a run ends."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from kpi_rules.cli import failures, policies
from kpi_rules.cli.words import Command, Context, Option
from kpi_rules.locale import N_, _, set_language

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT: Final = N_("Assess organisations against targets: exact, explained, every consequence a plugin.")

COMMANDS: Final = {
    "init": N_("Make a new workspace from a commented template."),
    "check": N_("List everything that is wrong with a workspace."),
    "split": N_("Split a unit's quota over the units below it."),
    "edit": N_("Change parameters, quotas, policies: shown first, then saved."),
    "assess": N_("Compute figures, measures and ledger of a workspace."),
    "explain": N_("Say why a unit has the measures it has, and what would lift them."),
    "simulate": N_("Simulate the rest of the year: chances, measures, money."),
    "compare": N_("Compare two policies on the same simulated futures."),
    "sweep": N_("Scan a unit's consequences over its completion, or a grid of parameters."),
    "backtest": N_("Hold past forecasts against what came."),
    "sensitivity": N_("Say what errors of verification would change."),
    "plan": N_("Lay a total on units as quotas for the year to come."),
    "withdraw": N_("Show what falls with a piece of evidence, without changing anything."),
    "test": N_("Run the cases of a workspace and of its policies."),
    "plugins": N_("List the installed policies, or what those of a workspace contribute."),
    "new-policy": N_("Make a policy to start from, with tests that pass."),
}
"""The commands; `name` is the function `command` of `kpi_rules.cli.<name>`, with `_` for `-`."""

LANGUAGES: Final = ("en", "zh")

OBJECTS: Final = 500_000
"""Made before cycles are looked for: after every 700, as Python does, that takes a tenth of a short command, which has
some 100,000 that stay, nearly all the modules'.
"""


class Commands(Command, click.Group):
    """The group. Nothing that goes wrong shows a traceback; see `failures`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of work, and then those of policies."""
        del ctx
        return [*COMMANDS, *_of_policies()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command and make it in the language chosen by now."""
        del ctx
        if cmd_name not in COMMANDS:
            return policies.load_command(cmd_name) if cmd_name in _of_policies() else None
        made: click.Command = import_module(f"kpi_rules.cli.{cmd_name.replace('-', '_')}").command()
        return made

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name."""
        if args[0] not in COMMANDS and not args[0].startswith("-") and args[0] not in (others := _of_policies()):
            from kpi_rules.model.problems import nearest

            hint = nearest(args[0], [*COMMANDS, *others])
            message = _("no command {name}").format(name=args[0])
            raise click.UsageError(
                message + (_(" (nearest: {nearest})").format(nearest=hint) if hint is not None else ""), ctx
            )
        return super().resolve_command(ctx, args)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the program is for, in the language chosen by now."""
        del ctx
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(_(ABOUT))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, _(help)) for name, help in COMMANDS.items()])
        if others := _of_policies():
            with formatter.section("Commands of policies"):
                formatter.write_text(", ".join(others))

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 (click's signature)
        """Run a command; a reader that closes the pipe early has what it wanted."""
        try:
            done = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            return failures.closed_pipe()
        return done

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 (click's signature)
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002 (click's signature)
        **extra: Any,  # noqa: ANN401 (click's signature)
    ) -> NoReturn:
        """Run as a program and exit."""
        del standalone_mode
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # no matrix is multiplied; threads for one spin
        gc.set_threshold(OBJECTS)
        atexit.register(gc.freeze)  # nobody needs the cycles of a process that ends: looking for them takes 0.15 s

        def run() -> object:
            return super(Commands, self).main(
                args,
                prog_name or "kpi-rules",
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )

        sys.exit(failures.code_of(run))


def _of_policies() -> list[str]:
    """Return the names of the commands of policies; the library's own come before any other of their name."""
    return [name for name in policies.command_names() if name not in COMMANDS]


def options() -> list[click.Parameter]:
    """Return the options of the group."""
    return [
        Option(
            ["--lang"],
            type=click.Choice(LANGUAGES),
            help=N_("Language of messages; otherwise that of the environment (KPI_RULES_LANG, LANG)."),
            is_eager=True,
            expose_value=False,
            callback=_speak,
        ),
        Option(
            ["--version"],
            is_flag=True,
            help=N_("Show the version and exit."),
            is_eager=True,
            expose_value=False,
            callback=_version,
        ),
    ]


def _speak(_ctx: click.Context, _param: click.Parameter, lang: str | None) -> None:
    if lang is not None:
        set_language(lang)


def _version(ctx: click.Context, _param: click.Parameter, asked: bool) -> None:  # noqa: FBT001 (click's signature)
    if asked:
        from importlib.metadata import version

        click.echo(f"kpi-rules {version('kpi-rules')}")
        ctx.exit()


Commands.context_class = Context
