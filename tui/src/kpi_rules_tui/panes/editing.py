"""What the panes that edit have in common: a cell edited in place, and what an edit changes while it is typed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from textual import work

from kpi_rules_tui.desk import added
from kpi_rules_tui.panes.effect import show_effect
from kpi_rules_tui.panes.pane import Pane
from kpi_rules_tui.texts import _
from kpi_rules_tui.widgets.cell import CellInput
from kpi_rules_tui.widgets.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kpi_rules_tui.desk import Edit, Weighed

PAUSE: Final = 0.06
"""Seconds without a key before what is typed is worked out."""


class EditingPane(Pane):
    """A pane with a table that is edited, and one that shows what the edits change (`#<name>-effect`)."""

    DEFAULT_CSS = """
    EditingPane { layers: default above; }
    """

    _made: Callable[[str], Sequence[Edit]] | None = None

    @property
    def effect(self) -> Table:
        """The table of what changes."""
        return self.query_one(f"#{self.tables[-1]}", Table)

    def edit_cell(
        self, table: Table, column: str, value: str, check: Callable[[str], str], made: Callable[[str], Sequence[Edit]]
    ) -> None:
        """Edit a cell of the cursor's row: `check` says what is wrong with a text, `made` the edits it stands for."""
        self._made = made
        self.mount(CellInput(table, column, value, check))

    def on_cell_input_typed(self, event: CellInput.Typed) -> None:
        """Say what is wrong, or show what would change."""
        event.stop()
        if event.wrong:
            self.tell(event.wrong)
        elif self._made is not None and not isinstance(event, CellInput.Done):
            self._preview(self._made(event.text))

    def on_cell_input_done(self, event: CellInput.Done) -> None:
        """Make the edit."""
        event.stop()
        if self._made is not None:
            self.office.propose(self._made(event.text))

    def on_cell_input_left(self, event: CellInput.Left) -> None:
        """Show again what the edits that were made change."""
        event.stop()
        self.workers.cancel_group(self, "preview")
        self.show_effect()
        self.tell()

    @work(exclusive=True, group="preview")
    async def _preview(self, edits: Sequence[Edit]) -> None:
        """Show what edits would change, once no key has come for a moment."""
        await asyncio.sleep(PAUSE)
        weighed: Weighed | None = await self.office.off(self.desk.glance, added(self.desk.edits, edits))
        if weighed is None or not self.query(CellInput):
            return
        if weighed.refused:
            self.tell(weighed.refused)
            return
        show_effect(self.effect, self.desk.assessment, weighed.assessment, self.office.scale)
        self.tell(_("Enter takes it, Esc leaves it as it was"))

    def show_effect(self) -> None:
        """Show what the edits that were made change."""
        show_effect(self.effect, self.desk.assessment, self.office.assessment, self.office.scale)
