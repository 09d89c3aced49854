"""The commands of a policy, asked when one is called: without the manager, which brings in what rules are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

from kpi_rules.hooks import specs
from kpi_rules.locale import _

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    import click


def ask_commands(module: ModuleType) -> Sequence[click.Command]:
    """Return the commands that a policy gives; none where it has no such hook.

    Raises:
        TypeError: it gives something else.
        Exception: whatever the policy raises.
    """
    from click import Command

    manager = pluggy.PluginManager("kpi_rules")
    manager.add_hookspecs(specs)
    manager.register(module, name=module.__name__)
    commands = [command for given in manager.hook.kpi_commands() for command in given]
    for command in commands:
        if not isinstance(command, Command):
            raise TypeError(_("a list of {kind} is expected, not {value}").format(kind="Command", value=repr(command)))
    return commands
