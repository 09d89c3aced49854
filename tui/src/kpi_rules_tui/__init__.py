"""The administrators' terminal UI of kpi-rules, found through the hook `kpi_commands`.

Everything it does is a call of the public API of `kpi_rules`: `desk.py` makes those calls, the rest shows what they
return. Nothing of Textual is imported before the command runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_rules import hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click


@hookimpl
def kpi_commands() -> Sequence[click.Command]:
    """Give the command `tui`."""
    from kpi_rules_tui.command import command

    return [command()]
