"""Lists of texts on one line, as people read and type them: `head, section`.

A text that a comma or a blank could make something else of stands in quotation marks, as TOML has it: `"a, b"`. So a
list of TOML is read too, and every list reads as what was written.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final
from unicodedata import category

from kpi_rules.model.text import UNSHOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN: Final = re.compile(r"[\w./:%+()&-]+(?: [\w./:%+()&-]+)*")
"""Letters and digits of any script, and a few signs: what nobody, and no screen, takes for anything else."""

_ITEM: Final = re.compile(r"""\s*("(?:\\.|[^"\\])*"|'[^']*'|[^,"'\[\]\s][^,\[\]]*)\s*(?:,|$)""")


def write_list(items: Sequence[str]) -> str:
    """Write texts as a list in square brackets, those in quotation marks that need them."""
    return "[" + ", ".join(item if _PLAIN.fullmatch(item) else _quoted(item) for item in items) + "]"


def _quoted(item: str) -> str:
    """Write a text as TOML; what a terminal would obey or hide as its escape."""
    text = json.dumps(item, ensure_ascii=False)
    return "".join(f"\\U{ord(char):08x}" if category(char) in UNSHOWN else char for char in text)


def read_list(text: str) -> list[str] | None:
    """Read texts with commas between them, with square brackets around them or without; None where it is no such
    list. A comma may follow the last.
    """
    text = text.strip()
    if text.startswith("["):
        if not text.endswith("]"):
            return None
        text = text[1:-1].strip()
    items: list[str] = []
    at = 0
    while at < len(text):
        found = _ITEM.match(text, at)
        item = None if found is None else _unquoted(found[1].strip())
        if found is None or item is None:
            return None
        items.append(item)
        at = found.end()
    return items


def _unquoted(item: str) -> str | None:
    if item[0] not in "\"'":
        return item
    import tomli

    try:
        return str(tomli.loads(f"item = {item}")["item"])
    except tomli.TOMLDecodeError:
        return None
