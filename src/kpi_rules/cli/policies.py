"""The commands of policies: their names without importing any, and each loaded when it is called.

A policy that has commands says so in the entry-point group `kpi_rules.commands`: the command's name, and the module
whose hook `kpi_commands` gives it. Help lists the names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kpi_rules.cli.failures import RefusedError
from kpi_rules.locale import _
from kpi_rules.model.entries import entry_points

if TYPE_CHECKING:
    import click

GROUP: Final = "kpi_rules.commands"
"""The entry-point group in which installed policies name their commands."""


def command_names() -> list[str]:
    """Return the names of the commands of installed policies, sorted; nothing is imported."""
    return sorted({entry.name for entry in entry_points(GROUP)})


def load_command(name: str) -> click.Command:
    """Import the policy that has a command and return the command.

    Raises:
        RefusedError: two policies name it, its policy cannot be imported, or gives no command of that name.
    """
    from kpi_rules.hooks.commands import ask_commands

    entries = {entry.value: entry for entry in entry_points(GROUP) if entry.name == name}
    if len(entries) != 1:
        owners = sorted(entry.dist.name if entry.dist else value for value, entry in entries.items())
        raise RefusedError(
            _("command {name} is named by {owners}; expected one").format(name=name, owners=", ".join(owners))
        )
    (entry,) = entries.values()
    try:
        commands = ask_commands(entry.load())
    except (Exception, SystemExit) as problem:
        why = f"{type(problem).__name__}: {problem}"
        raise RefusedError(_("command {name} cannot be loaded: {why}").format(name=name, why=why)) from problem
    for command in commands:
        if command.name == name:
            return command
    given = ", ".join(str(command.name) for command in commands)
    message = _("policy {policy} names the command {name} and gives {given}")
    raise RefusedError(message.format(policy=entry.value, name=name, given=given or _("none")))
