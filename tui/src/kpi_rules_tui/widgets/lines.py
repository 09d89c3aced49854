"""The lines around the panes: title, tabs, status; and the footer in the language chosen by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from kpi_rules_tui.texts import _, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.screen import Screen


class TitleLine(Static):
    """The first line: which workspace, which day, and what state it is in."""

    DEFAULT_CSS = """
    TitleLine {
        height: 1; background: $panel; color: $foreground; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    def tell(self, title: str, parts: Sequence[tuple[str, str]]) -> None:
        """Show the title, and parts with a style each: `$success`, `$warning`, `$error`, or an empty text."""
        taken = sum(cell_len(text) + 5 for text, _style in parts) + len("kpi-rules  ") + 2
        name = shown(title).truncate(max(self.app.size.width - taken, 12), ellipsis=True)
        content = Content.styled("kpi-rules  ", "$accent bold") + name.stylize("bold")
        for text, style in parts:
            content = (
                content + Content("  │  ").stylize("$muted") + (shown(text).stylize(style) if style else shown(text))
            )
        self.update(content)


class TabsLine(Static):
    """The names of the panes with the keys that choose them."""

    DEFAULT_CSS = """
    TabsLine { height: 1; background: $surface; color: $foreground; padding: 0 1; }
    """

    class Picked(Message):
        """A pane was clicked."""

        def __init__(self, name: str) -> None:
            """Say which."""
            super().__init__()
            self.name = name

    def __init__(self) -> None:
        """Make an empty line."""
        super().__init__()
        self._ends: list[tuple[int, str]] = []

    def tell(self, tabs: Sequence[tuple[str, str, str]], active: str) -> None:
        """Show tabs as key, id and name."""
        content, width = Content(""), 1
        self._ends = []
        for key, name, title in tabs:
            text = f" {key} {_(title)} "
            width += cell_len(text) + 1
            self._ends.append((width, name))
            style = "bold $block-cursor-foreground on $block-cursor-background" if name == active else "$muted"
            content = content + Content(text).stylize(style) + Content(" ")
        self.update(content)

    def on_click(self, event: events.Click) -> None:
        """Choose a pane."""
        for end, name in self._ends:
            if event.x < end:
                self.post_message(self.Picked(name))
                return


class StatusLine(Static):
    """One line about what is shown, or what was just done."""

    DEFAULT_CSS = """
    StatusLine { height: 1; color: $muted; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def tell(self, text: str) -> None:
        """Show a text."""
        self.update(shown(text))


def rank(action: str | None) -> int:
    """Order actions for the footer: what only this pane does, what all tables do, what is valid everywhere."""
    group = (action or "").partition(".")[0]
    return {"table": 1, "app": 2}.get(group, 0)


class Keys(Static):
    """The footer: the keys that are valid now, as many as fit; those of the pane first, then those of any table, help
    always.

    One line that is drawn, not a widget for each key: moving the focus costs nothing that is felt.
    """

    DEFAULT_CSS = """
    Keys {
        height: 1; dock: bottom; background: $footer-background; color: $foreground; padding: 0 1; text-wrap: nowrap;
    }
    """

    def __init__(self) -> None:
        """Make an empty line."""
        super().__init__()
        self._ends: list[tuple[int, str]] = []

    def on_mount(self) -> None:
        """Follow the bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)

    def _follow(self, _screen: Screen[object]) -> None:
        self.tell()

    def on_resize(self) -> None:
        """Show as many as fit now."""
        self.tell()

    def tell(self) -> None:
        """Show the keys valid now."""
        named: dict[str, tuple[str, str, str]] = {}
        valid = [each for each in self.screen.active_bindings.values() if each.enabled]
        for _node, binding, _enabled, _tooltip in sorted(valid, key=lambda each: rank(each.binding.id)):
            if binding.show and binding.action not in named:
                named[binding.action] = (binding.key, self.app.get_key_display(binding), _(binding.description))
        last = [named.pop(action) for action in ("help",) if action in named]
        room = self.size.width - 2 - sum(cell_len(display) + cell_len(label) + 3 for _key, display, label in last)
        content, width = Content(""), 1
        self._ends = []
        for key, display, label in named.values():
            wide = cell_len(display) + cell_len(label) + 3
            if wide > room:
                continue
            room -= wide
            width += wide
            content = content + self._key(display, label)
            self._ends.append((width, key))
        for key, display, label in last:
            content = content + self._key(display, label)
            self._ends.append((width + cell_len(display) + cell_len(label) + 3, key))
        self.update(content)

    def _key(self, display: str, label: str) -> Content:
        return Content.assemble((display, "bold $footer-key-foreground"), " ", Content(label), "  ")

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        for end, key in self._ends:
            if event.x < end:
                self.app.simulate_key(key)
                return
