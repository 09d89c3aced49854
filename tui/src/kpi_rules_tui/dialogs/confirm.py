"""A question that is answered yes or no; no unless something else is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

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

MOST_LINES: Final = 500
"""Lines that are shown; each is a widget, and nobody reads a hundred thousand."""


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
                for line in self._lines[:MOST_LINES]:
                    yield Static(line)
                if more := len(self._lines[MOST_LINES:]):
                    yield Static(shown(_("and {count} more").format(count=f"{more:,}")))
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

    def key_down(self) -> None:
        """Show the lines below."""
        self.query_one(VerticalScroll).scroll_down(animate=False)

    def key_up(self) -> None:
        """Show the lines above."""
        self.query_one(VerticalScroll).scroll_up(animate=False)

    def key_pagedown(self) -> None:
        """Show the next lines."""
        self.query_one(VerticalScroll).scroll_page_down(animate=False)

    def key_pageup(self) -> None:
        """Show the lines before."""
        self.query_one(VerticalScroll).scroll_page_up(animate=False)

    def action_cancel(self) -> None:
        """Leave without doing it."""
        self.dismiss(False)  # noqa: FBT003 (the answer)
