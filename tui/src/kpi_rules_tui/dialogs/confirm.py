"""A question that is answered yes or no; no unless something else is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from kpi_rules_tui.actions import bindings
from kpi_rules_tui.texts import _, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.content import Content


class Confirm(ModalScreen[bool]):
    """Ask before something is done that others would notice."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("dialog")]

    def __init__(self, title: str, lines: Sequence[Content], yes: str) -> None:
        """Take the question, what it is about, and what the button says that does it."""
        super().__init__()
        self._title, self._lines, self._yes = title, lines, yes

    def compose(self) -> ComposeResult:
        """Show the question; the cursor is on Cancel."""
        with Vertical(classes="dialog"):
            yield Static(shown(self._title), classes="dialog--title")
            with VerticalScroll(classes="dialog--body", can_focus=False):
                for line in self._lines:
                    yield Static(line)
            with Horizontal(classes="dialog--buttons"):
                yield Button(shown(_("Cancel")), id="cancel", compact=True)
                yield Button(shown(self._yes), id="yes", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Put the cursor on Cancel."""
        self.query_one("#cancel").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take the answer."""
        self.dismiss(event.button.id == "yes")

    def key_left(self) -> None:
        """Go to the other button."""
        self.focus_previous()

    def key_right(self) -> None:
        """Go to the other button."""
        self.focus_next()

    def action_cancel(self) -> None:
        """Leave without doing it."""
        self.dismiss(False)  # noqa: FBT003 (the answer)
