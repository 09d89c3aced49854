"""The commands of policies: their names without importing any, and each loaded when it is called.

A policy that has commands says so in the entry-point group `kpi_rules.commands`: the command's name, and the module
whose hook `kpi_commands` gives it. Help lists the names, so they are read from the files themselves:
`importlib.metadata` alone takes a third of the time that help may take.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from kpi_rules.cli.failures import RefusedError
from kpi_rules.locale import _

if TYPE_CHECKING:
    import click

GROUP: Final = "kpi_rules.commands"
"""The entry-point group in which installed policies name their commands."""

_INSTALLED: Final = (".dist-info", ".egg-info")
_SECTION: Final = f"[{GROUP}]"


def command_names() -> list[str]:
    """Return the names of the commands of installed policies, sorted; nothing is imported."""
    return sorted({name for folder in sys.path for text in _declared(folder) for name in _names(text)})


def _declared(folder: str) -> list[str]:
    """Return what the distributions installed in a folder declare."""
    found = []
    with suppress(OSError), os.scandir(folder or ".") as entries:
        for entry in entries:
            if entry.name.endswith(_INSTALLED):
                with (
                    suppress(OSError, UnicodeDecodeError),
                    open(  # noqa: PTH123 (pathlib is not imported for help)
                        f"{entry.path}/entry_points.txt", encoding="utf-8"
                    ) as file,
                ):
                    found.append(file.read())
    return found


def _names(text: str) -> list[str]:
    """Return the names in the section of commands."""
    if _SECTION not in text:
        return []
    lines = text.partition(_SECTION)[2].partition("\n[")[0].splitlines()
    return [name for line in lines if (name := line.partition("=")[0].strip()) and name[0] not in "#;"]


def load_command(name: str) -> click.Command:
    """Import the policy that has a command and return the command.

    Raises:
        RefusedError: two policies name it, its policy cannot be imported, or gives no command of that name.
    """
    from importlib.metadata import entry_points

    from kpi_rules.hooks.commands import ask_commands

    entries = {entry.value: entry for entry in entry_points(group=GROUP) if entry.name == name}
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
