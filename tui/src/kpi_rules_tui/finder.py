"""The palette: units, policies, rules and actions, found by any part of their name, Chinese or Latin."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from kpi_rules_tui.actions import ACTIONS
from kpi_rules_tui.texts import _, label_of, plain, setting_label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kpi_rules_tui.app import Office

MOST = 60
"""Hits shown; more would not be read."""


class Finder(Provider):
    """Finds what a person has typed a part of. What begins with it comes first."""

    @property
    def office(self) -> Office:
        """The application."""
        app: Any = self.app
        return app  # type: ignore[no-any-return]  # (there is no other)

    def _actions(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Give the actions that are valid now, of what has the focus and what is around it."""
        valid = {binding.id for _node, binding, enabled, _tip in self.screen.active_bindings.values() if enabled}
        for action in ACTIONS:
            if action.id in valid and action.method != "command_palette":
                said = _(action.label)
                yield said if said == action.label else f"{said}  {action.label}", partial(self._press, action.id)

    def _press(self, action: str) -> None:
        """Do what an action's key does, where the focus is once the palette is gone."""
        for key, (_node, binding, _enabled, _tip) in self.app.screen.active_bindings.items():
            if binding.id == action:
                self.app.simulate_key(key)
                return

    def _things(self) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        """Give what is in the workspace: a name, what it is, and what to do."""
        workspace = self.office.desk.current
        if workspace is None:
            return
        for unit, name in workspace.tables.units.select("unit", "name").iter_rows():
            yield f"{unit}  {name or ''}".strip(), _("unit"), partial(self.office.open_unit, unit)
        for plugin in workspace.plugins.plugins:
            if plugin.origin != "built in":
                yield plugin.name, _("policy"), partial(self.office.open_policy, plugin.name)
        for rule in workspace.plugins.rules.values():
            yield f"{rule.id}  {label_of(rule)}", _("rule"), partial(self.office.open_policy, rule.id)
        for name, setting in workspace.parameters.declared.items():
            yield f"{name}  {setting_label(setting, workspace)}", _("parameter"), partial(self.office.open_policy, name)

    async def discover(self) -> Hits:
        """Show the actions before anything is typed."""
        for name, call in self._actions():
            yield DiscoveryHit(Content(name), call, text=name)

    async def search(self, query: str) -> Hits:
        """Find whatever has each word that was typed somewhere in its name."""
        words = query.lower().split()
        found = 0
        every = [(name, "", call) for name, call in self._actions()]
        for name, kind, call in [*every, *self._things()]:
            lower = name.lower()
            if all(word in lower for word in words):
                text = plain(name) + (f"  ({kind})" if kind else "")
                score = 1.0 if words and lower.startswith(words[0]) else 0.6
                yield Hit(score, Content(text), call, text=text)
                found += 1
                if found >= MOST:
                    return
