"""The help: every key that is valid now, drawn from the live bindings, and the command that does the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from kpi_rules_tui.actions import BY_ID, GROUPS
from kpi_rules_tui.keymap import keymap_file
from kpi_rules_tui.texts import _, shown
from kpi_rules_tui.widgets.columns import fit

if TYPE_CHECKING:
    from textual.app import App


def help_text(app: App[int]) -> tuple[str, Content]:
    """Return the help as text and as what is drawn."""
    keys: dict[str, list[str]] = {}
    for _node, binding, enabled, _tooltip in app.screen.active_bindings.values():
        if enabled and binding.id is not None and binding.id in BY_ID:
            keys.setdefault(binding.id, []).append(app.get_key_display(binding))
    lines: list[Content] = []
    for group, heading in GROUPS.items():
        own = [action for action in BY_ID.values() if action.group == group and action.id in keys]
        if not own:
            continue
        lines += [shown(_(heading)).stylize("bold $primary")]
        for action in own:
            same = f"kpi-rules {action.same}" if action.same else ""
            lines.append(
                Content.assemble(
                    "  ",
                    (fit(" ".join(dict.fromkeys(keys[action.id])), 16, right=False), "bold $accent"),
                    Content(fit(_(action.label), 26, right=False)),
                    Content(same).stylize("$muted"),
                )
            )
        lines.append(Content(""))
    lines.append(shown(_("keys of your own: {file}").format(file=keymap_file())).stylize("$muted"))
    content = Content("\n").join(lines)
    return content.plain, content
