"""A cell of a table being edited where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message
from textual.widgets import Input

from kpi_rules_tui.texts import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from kpi_rules_tui.widgets.table import Table

LEAST = 24
"""Cells that the field is wide at least, whatever the column is."""


class CellInput(Input):
    """The field. At every key it says what is wrong with the text, or that it is valid; enter takes a valid one."""

    DEFAULT_CSS = """
    CellInput {
        layer: above; height: 1; border: none; padding: 0; background: $accent 30%; color: $foreground;
    }
    CellInput:focus { border: none; background: $accent 30%; }
    CellInput.-invalid, CellInput.-invalid:focus { border: none; background: $error 40%; }
    """

    class Typed(Message):
        """The text has changed: what is wrong with it (nothing: an empty text)."""

        def __init__(self, cell: CellInput, text: str, wrong: str) -> None:
            """Say what stands there."""
            super().__init__()
            self.cell, self.text, self.wrong = cell, text, wrong

    class Done(Typed):
        """A valid text was entered."""

    class Left(Message):
        """The cell was left as it was."""

    def __init__(self, table: Table, column: str, value: str, check: Callable[[str], str]) -> None:
        """Take the cell of the cursor's row in a column, what stands there, and what is wrong with a text."""
        super().__init__(safe(value), compact=True, select_on_focus=True)
        self._given = value
        self.cursor_blink = False
        self.table, self.check = table, check
        region = table.cell_region(column)
        self.styles.width = max(region.width, LEAST)
        self.styles.offset = table.virtual_region.offset + region.offset

    def on_mount(self) -> None:
        """Begin to type."""
        self.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Check the text."""
        event.stop()
        wrong = self.check(self.text)
        self.set_class(bool(wrong), "-invalid")
        self.post_message(self.Typed(self, self.text, wrong))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the text, where it is valid."""
        event.stop()
        text = self.text
        if not self.check(text):
            self.post_message(self.Done(self, text, ""))
            self._end()

    def key_escape(self) -> None:
        """Leave it as it was."""
        self.post_message(self.Left())
        self._end()

    def on_blur(self) -> None:
        """Leave it as it was: what was not entered does not count, unless it is the terminal that is left."""
        if self.is_attached and self.app.app_focus:
            self.post_message(self.Left())
            self.remove()

    @property
    def text(self) -> str:
        """What stands there; what was given where nothing was typed."""
        return self._given if self.value == safe(self._given) else self.value.strip()

    def _end(self) -> None:
        self.screen.set_focus(self.table)
        self.remove()
