"""A text to read: help, what was changed, a command, a row in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from kpi_rules_tui.actions import bindings
from kpi_rules_tui.texts import _, safe, shown

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.content import Content


class Reader(ModalScreen[None]):
    """Show a text; `y` copies it, `p` opens it in the pager."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("dialog"),
        *bindings("reader"),
        Binding("q,enter", "cancel", show=False),
    ]

    def __init__(self, title: str, text: str, content: Content | None = None) -> None:
        """Take the text, and how it is to be drawn where that is more than the text."""
        super().__init__()
        self._title, self._text = title, text
        self._content = content if content is not None else shown(text, lines=True)

    def compose(self) -> ComposeResult:
        """Show the text and what can be done with it."""
        with Vertical(classes="dialog dialog-wide"):
            yield Static(shown(self._title), classes="dialog--title")
            with VerticalScroll(classes="dialog--body"):
                yield Static(self._content)
            yield Static(shown(_("y copies, p opens the pager, Esc closes")), classes="dialog--hint")

    def on_mount(self) -> None:
        """Let the keys scroll."""
        self.query_one(VerticalScroll).focus()

    def action_copy(self) -> None:
        """Copy the text."""
        self.app.copy_to_clipboard(safe(self._text, lines=True))
        self.notify(_("copied"), markup=False)

    def action_pager(self) -> None:
        """Open the text in the pager."""
        from kpi_rules_tui.outside import page

        page(self.app, self._text)

    def key_j(self) -> None:
        """Scroll down a line."""
        self.query_one(VerticalScroll).scroll_down(animate=False)

    def key_g(self) -> None:
        """Go to the beginning."""
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def key_upper_g(self) -> None:
        """Go to the end."""
        self.query_one(VerticalScroll).scroll_end(animate=False)

    def key_k(self) -> None:
        """Scroll up a line."""
        self.query_one(VerticalScroll).scroll_up(animate=False)

    def action_cancel(self) -> None:
        """Close."""
        self.dismiss(None)
