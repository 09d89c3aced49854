"""A form: fields that are checked as they are typed, and a button that waits until all are valid."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from kpi_rules_tui.actions import bindings
from kpi_rules_tui.texts import _, safe, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType


def _valid(_text: str) -> str:
    return ""


@define(frozen=True, eq=False)
class Field:
    """A field: its name, what it is called, what stands in it, and what is wrong with a text (empty: nothing).

    `hint` says what is expected, such as a range.
    """

    name: str
    label: str
    value: str = ""
    hint: str = ""
    check: Callable[[str], str] = _valid


class Form(ModalScreen[dict[str, str] | None]):
    """Ask for a few texts; None where it is left."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("dialog")]

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        done: str,
        tell: Callable[[dict[str, str]], str] | None = None,
    ) -> None:
        """Take the fields, what the button says, and what may be told about values that are all valid."""
        super().__init__()
        self._title, self._fields, self._done, self._tell = title, fields, done, tell

    def compose(self) -> ComposeResult:
        """Show a line for each field and one for what is wrong with it."""
        with Vertical(classes="dialog"):
            yield Static(shown(self._title), classes="dialog--title")
            with VerticalScroll(classes="dialog--body", can_focus=False):
                for each in self._fields:
                    yield Static(shown(each.label), classes="dialog--label")
                    made = Input(safe(each.value), id=f"field-{each.name}", compact=True, select_on_focus=True)
                    made.cursor_blink = False
                    yield made
                    yield Static("", id=f"wrong-{each.name}", classes="dialog--hint")
                yield Static("", id="told", classes="dialog--told")
            with Horizontal(classes="dialog--buttons"):
                yield Button(shown(_("Cancel")), id="cancel", compact=True)
                yield Button(shown(self._done), id="done", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Begin with the first field."""
        self.query_one(Input).focus()
        self._check()

    @property
    def values(self) -> dict[str, str]:
        """What stands in the fields; of one that was not changed, what was given, and not its escapes."""
        typed = {each.name: self.query_one(f"#field-{each.name}", Input).value for each in self._fields}
        return {
            each.name: (each.value if typed[each.name] == safe(each.value) else typed[each.name]).strip()
            for each in self._fields
        }

    def _check(self) -> bool:
        """Say below each field what is wrong with it, or what is expected."""
        values = self.values
        good = True
        for each in self._fields:
            wrong = each.check(values[each.name])
            line = self.query_one(f"#wrong-{each.name}", Static)
            line.update(shown(wrong or each.hint))
            line.set_class(bool(wrong), "-wrong")
            good = good and not wrong
        self.query_one("#done", Button).disabled = not good
        self.query_one("#told", Static).update(shown(self._tell(values) if good and self._tell else "", lines=True))
        return good

    def on_input_changed(self) -> None:
        """Check at every key."""
        self._check()

    def on_input_submitted(self) -> None:
        """Go to the next field, and from the last one on."""
        if self.focused is not None and self.focused.id == f"field-{self._fields[-1].name}":
            self._submit()
        else:
            self.focus_next(Input)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Leave, or go on where all is valid."""
        if event.button.id == "done":
            self._submit()
        else:
            self.dismiss(None)

    def _submit(self) -> None:
        if self._check():
            self.dismiss(self.values)

    def key_down(self) -> None:
        """Go to the next field."""
        self.focus_next()

    def key_up(self) -> None:
        """Go to the field before."""
        self.focus_previous()

    def action_cancel(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)
