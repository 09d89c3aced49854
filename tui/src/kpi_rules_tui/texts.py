"""Messages in the user's language, and texts of unknown origin on their way to the screen.

Textual parses a plain `str` as markup, so that `[@click=app.quit]` in a unit's name would run. Whatever is data, or
has data in it, therefore reaches a widget as `shown(text)` and in no other way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import kpi_rules as kr
from kpi_rules import N_

if TYPE_CHECKING:
    from textual.content import Content

    from kpi_rules import Rule, Setting, Workspace

__all__ = ["N_", "_", "label_of", "plain", "safe", "setting_label", "shown"]

DOMAIN: Final = "kpi_rules_tui"

LONGEST: Final = 4_000
"""Characters of a text that are drawn; what is longer opens in the pager in full."""


def _(message: str) -> str:
    """Translate a message of the terminal UI."""
    return kr.translate(message, DOMAIN)


UNSTEADY: Final = re.compile("[\ufe00-\ufe0f\u20e3\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]")
"""Characters that change the width of those beside them (variation selectors, keycaps, flags, skin tones): terminals
differ about it, and what stands to the right of them would be out of line.
"""


def safe(text: str, *, lines: bool = False) -> str:
    """Return a text with every character as its escape that a terminal obeys, hides, or draws of a doubtful width."""
    made = kr.safe(text, lines=lines)
    return made if made.isascii() else UNSTEADY.sub(_escape, made)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def plain(text: object) -> str:
    """Return a text on one line with every control and bidirectional character as its escape."""
    whole = "" if text is None else str(text)
    return safe(whole if len(whole) <= LONGEST else whole[:LONGEST] + "…")


def shown(text: object, *, lines: bool = False) -> Content:
    """Return a text as what a widget shows and never parses; with `lines`, line ends stay."""
    from textual.content import Content  # here, as messages are wanted where there is no screen

    whole = "" if text is None else str(text)
    return Content(safe(whole, lines=True) if lines else plain(whole))


def label_of(rule: Rule) -> str:
    """Return what people call a rule, in their language; its id where it has no label."""
    return kr.translate(rule.label, rule.domain) or rule.id


def setting_label(setting: Setting, workspace: Workspace) -> str:
    """Return what people call a parameter, in their language; its name where it has no label."""
    domain = workspace.plugins.domains.get(setting.plugin, "kpi_rules")
    return kr.translate(setting.label, domain) or setting.name
