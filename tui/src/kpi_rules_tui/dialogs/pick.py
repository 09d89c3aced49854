"""A choice out of a few."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kpi_rules_tui.actions import bindings
from kpi_rules_tui.texts import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType


class Pick(ModalScreen[str | None]):
    """Ask for one of several; None where it is left. Options are pairs of what is returned and what is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("dialog")]

    def __init__(self, title: str, options: Sequence[tuple[str, str]], chosen: str = "") -> None:
        """Take the options, and the one that is chosen now."""
        super().__init__()
        self._title, self._options, self._chosen = title, options, chosen

    def compose(self) -> ComposeResult:
        """Show the options."""
        with Vertical(classes="dialog"):
            yield Static(shown(self._title), classes="dialog--title")
            yield OptionList(*(Option(shown(label)) for _value, label in self._options), compact=True)

    def on_mount(self) -> None:
        """Put the cursor on what is chosen."""
        values = [value for value, _label in self._options]
        options = self.query_one(OptionList)
        options.highlighted = values.index(self._chosen) if self._chosen in values else 0
        options.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the choice."""
        self.dismiss(self._options[event.option_index][0])

    def action_cancel(self) -> None:
        """Leave without a choice."""
        self.dismiss(None)
