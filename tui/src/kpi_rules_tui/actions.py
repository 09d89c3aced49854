"""Every action of the terminal UI, once: key bindings, footer, palette, help and the keymap are drawn from here.

An action `quotas.scale_group` is the method `action_scale_group` of what has the focus, or is around it. `same` is the
command that does the same, `kpi-rules` and the workspace left out; where an action only moves about, there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import define
from textual.binding import Binding

from kpi_rules_tui.texts import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@define(frozen=True)
class Action:
    """One thing that can be done, and the keys that do it.

    `changes` actions are refused under `--readonly`; `shown` ones are named in the footer while they are valid.
    """

    id: str
    keys: str
    label: str
    shown: bool = False
    changes: bool = False
    same: str = ""

    @property
    def group(self) -> str:
        """Where it is valid: the first part of its id."""
        return self.id.partition(".")[0]

    @property
    def method(self) -> str:
        """The action's name to Textual."""
        return self.id.partition(".")[2]


GROUPS: Final[Mapping[str, str]] = {
    "app": N_("Everywhere"),
    "table": N_("In a table"),
    "overview": N_("Overview"),
    "unit": N_("A unit's page"),
    "quotas": N_("Quotas"),
    "policies": N_("Policies"),
    "simulate": N_("Simulate"),
    "evidence": N_("Evidence"),
    "dialog": N_("In a dialog"),
    "reader": N_("In a text"),
}

ACTIONS: Final = (
    Action("app.overview", "1", N_("Overview"), same="assess"),
    Action("app.quotas", "2", N_("Quotas"), same="assess --table units"),
    Action("app.policies", "3", N_("Policies"), same="plugins"),
    Action("app.simulate", "4", N_("Simulate"), same="simulate --as-of DATE"),
    Action("app.evidence", "5", N_("Evidence"), same="check"),
    Action("app.help", "question_mark,f1", N_("Help"), shown=True, same="--help"),
    Action("app.command_palette", "ctrl+p", N_("Find"), shown=True),
    Action("app.save", "ctrl+s", N_("Save"), shown=True, changes=True, same="edit ... --save"),
    Action("app.undo", "ctrl+z", N_("Undo"), changes=True),
    Action("app.changes", "v", N_("Changes"), same="edit ..."),
    Action("app.reload", "r,f5", N_("Read again"), same="check"),
    Action("app.as_of", "d", N_("As-of date"), same="assess --as-of DATE"),
    Action("app.same", "c", N_("Command"), shown=True),
    Action("app.scale", "m", N_("Unit of amounts")),
    Action("app.theme", "f2", N_("Theme")),
    Action("app.language", "f3", N_("Language"), same="--lang zh"),
    Action("app.quit", "q,ctrl+q", N_("Quit"), shown=True),
    Action("table.down", "down,j", N_("Down")),
    Action("table.up", "up,k", N_("Up")),
    Action("table.first", "g,home", N_("First row")),
    Action("table.last", "G,end", N_("Last row")),
    Action("table.page_down", "pagedown,ctrl+f", N_("Page down")),
    Action("table.page_up", "pageup,ctrl+b", N_("Page up")),
    Action("table.left", "left,h", N_("Column to the left")),
    Action("table.right", "right,l", N_("Column to the right")),
    Action("table.open", "enter", N_("Open"), shown=True),
    Action("table.filter", "slash", N_("Filter"), shown=True),
    Action("table.clear", "escape", N_("Clear filter and selection")),
    Action("table.sort", "s", N_("Sort by column"), shown=True),
    Action("table.select", "space", N_("Select"), shown=True),
    Action("table.select_all", "ctrl+a", N_("Select all shown")),
    Action("table.copy", "y", N_("Copy"), shown=True),
    Action("table.export", "e", N_("Export"), shown=True, same="assess --table TABLE -o FILE"),
    Action("table.read", "p", N_("Read in full")),
    Action("unit.back", "escape", N_("Back"), shown=True),
    Action("unit.next_unit", "n", N_("Next unit"), shown=True, same="explain UNIT"),
    Action("unit.previous_unit", "b", N_("Previous unit"), same="explain UNIT"),
    Action("unit.next_part", "tab", N_("Next part"), shown=True),
    Action("unit.profile", "f", N_("Profile"), same="sweep UNIT"),
    Action("overview.profile", "f", N_("Profile"), shown=True, same="sweep UNIT"),
    Action("quotas.edit", "f4", N_("Change"), shown=True, changes=True, same="edit --quota UNIT=AMOUNT"),
    Action("quotas.rebase", "n", N_("New revision"), shown=True, changes=True, same="edit --quota UNIT=AMOUNT,..."),
    Action("quotas.split", "t", N_("Split"), shown=True, changes=True, same="edit --split UNIT"),
    Action("quotas.scale_group", "x", N_("Scale"), shown=True, changes=True, same="edit --scale GROUP=FACTOR"),
    Action("quotas.remove", "delete", N_("Remove row"), changes=True, same="edit --quota UNIT=remove"),
    Action("quotas.indicator", "i", N_("Indicator")),
    Action("policies.edit", "f4", N_("Change"), shown=True, changes=True, same="edit --set NAME=VALUE"),
    Action("policies.add", "n", N_("New value"), shown=True, changes=True, same="edit --set NAME=VALUE,..."),
    Action("policies.remove", "delete", N_("Remove value"), changes=True, same="edit --unset NAME"),
    Action("policies.switch", "o", N_("On/off"), shown=True, changes=True, same="edit --off NAME"),
    Action("policies.profile", "f", N_("Profile"), shown=True, same="sweep UNIT"),
    Action("policies.read", "p", N_("Read in full")),
    Action("simulate.run", "ctrl+r,f9", N_("Run"), shown=True, same="compare --as-of DATE --set NAME=VALUE"),
    Action("simulate.cancel", "ctrl+x", N_("Cancel"), shown=True),
    Action("simulate.draws", "n", N_("Draws and seed"), shown=True, same="simulate --as-of DATE --draws N --seed N"),
    Action("simulate.show", "t", N_("Other table"), shown=True, same="simulate --as-of DATE --table TABLE"),
    Action("simulate.chart", "o", N_("Other chart"), shown=True, same="simulate --as-of DATE --chart FILE"),
    Action("evidence.table", "t", N_("Other table"), shown=True, same="check"),
    Action("evidence.withdraw", "w", N_("What if withdrawn"), shown=True, same="withdraw TABLE KEY"),
    Action("evidence.editor", "E", N_("Open in editor"), shown=True, changes=True),
    Action("dialog.cancel", "escape", N_("Cancel"), shown=True),
    Action("reader.copy", "y", N_("Copy"), shown=True),
    Action("reader.pager", "p", N_("Pager"), shown=True),
)

BY_ID: Final[Mapping[str, Action]] = {action.id: action for action in ACTIONS}

CHANGING: Final = frozenset(action.method for action in ACTIONS if action.changes)
"""The names, to Textual, of the actions that change something."""


OPENING: Final = frozenset(
    {"as_of", "command_palette", "edit", "filter", "help", "language", "open", "quit", "same", "save", "theme"}
    | {"changes", "export", "read", "rebase", "split", "scale_group", "indicator", "add", "profile", "draws", "back"}
    | {"overview", "quotas", "policies", "simulate", "evidence", "remove", "undo", "table", "withdraw", "cancel"}
    | {"next_part"}
)
"""The names, to Textual, of the actions after which something else has the focus: keys typed meanwhile wait for it."""


def bindings(group: str) -> list[Binding]:
    """Return the bindings of a group; a keymap names them by the action's id."""
    return [
        Binding(action.keys, action.method, action.label, show=action.shown, id=action.id)
        for action in ACTIONS
        if action.group == group
    ]


TOGETHER: Final = tuple(
    frozenset({"app", "table", pane}) for pane in ("overview", "unit", "quotas", "policies", "simulate", "evidence")
)
"""Groups whose actions are valid at one time, so that a key must not mean two of them."""


def clashes(keymap: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return what clashes under a keymap, keys by action id: key, and the two actions, each clash once.

    What a pane does comes before what a table does, as it stands: only a key that the keymap gives away is looked at.
    """
    keys = {action.id: set((keymap.get(action.id) or action.keys).split(",")) for action in ACTIONS}
    found = set()
    for changed in keymap:
        if changed not in BY_ID:
            continue
        for other in ACTIONS:
            if other.id == changed or not _meet(BY_ID[changed], other):
                continue
            for key in keys[changed] & keys[other.id]:
                one, two = sorted((changed, other.id))
                found.add((key, one, two))
    return sorted(found)


def _meet(one: Action, other: Action) -> bool:
    return any({one.group, other.group} <= together for together in TOGETHER)


def unknown(names: Iterable[str]) -> list[str]:
    """Return those names that are no action's id, sorted."""
    return sorted(name for name in names if name not in BY_ID)
