"""Messages in the user's language, through gettext.

`_` translates a message of kpi-rules, `ngettext` one that counts, `N_` marks a message that is translated later.
`translate` does the same for a plugin's own catalogue, which lies in the plugin's package as
`locale/<language>/LC_MESSAGES/<package>.po` (or `.mo`).

The language is that of `set_language`, else of the first of `KPI_RULES_LANG`, `LC_ALL`, `LC_MESSAGES`, `LANG` that is
set. English is the language of the source and needs no catalogue; another one is loaded at the first message.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gettext import NullTranslations
    from pathlib import Path

__all__ = ["N_", "_", "language", "ngettext", "set_language", "translate"]

_DOMAIN = "kpi_rules"
_VARIABLES = ("KPI_RULES_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
_CHINESE = {"zh_Hans": "zh_Hans", "zh_Hant": "zh_Hant", "zh_TW": "zh_Hant", "zh_HK": "zh_Hant", "zh_MO": "zh_Hant"}

_chosen: str | None = None
_loaded: dict[tuple[str, str], NullTranslations | None] = {}


def set_language(lang: str | None) -> None:
    """Choose the language of all messages from now on, such as `zh_Hans` or `zh_CN.UTF-8`; None: the environment's."""
    global _chosen  # noqa: PLW0603 (one process speaks one language, as gettext itself has it)
    _chosen = None if lang is None else _normal(lang)


def language() -> str:
    """Return the language messages are asked for in: `en`, `zh_Hans`, or whatever the environment names."""
    if _chosen is not None:
        return _chosen
    return _normal(next((value for name in _VARIABLES if (value := os.environ.get(name))), "en"))


def _(message: str) -> str:
    """Translate a message of kpi-rules; a message without translation is returned as it is."""
    return translate(message, _DOMAIN)


def ngettext(singular: str, plural: str, number: int) -> str:
    """Translate the form of a message of kpi-rules that fits `number`."""
    catalogue = _catalogue(_DOMAIN)
    if catalogue is None:
        return singular if number == 1 else plural
    return catalogue.ngettext(singular, plural, number)


def N_(message: str) -> str:  # noqa: N802 (gettext's own name)
    """Mark a message for translation without translating it now."""
    return message


def translate(message: str, domain: str) -> str:
    """Translate a message by the catalogue that lies in `locale/` beside the package `domain`."""
    catalogue = _catalogue(domain)
    return message if catalogue is None or not message else catalogue.gettext(message)


def _normal(lang: str) -> str:
    """Reduce a locale's name (`zh_CN.UTF-8`, `zh-Hans`, `C`) to a language that a catalogue may be named for."""
    name = lang.partition(".")[0].partition("@")[0].replace("-", "_")
    if name in ("", "C", "POSIX"):
        return "en"
    base = name.partition("_")[0]
    return _CHINESE.get(name, "zh_Hans") if base == "zh" else base


def _catalogue(domain: str) -> NullTranslations | None:
    lang = language()
    if lang == "en":
        return None
    key = (domain, lang)
    if key not in _loaded:
        _loaded[key] = _load(domain, lang)
    return _loaded[key]


def _load(domain: str, lang: str) -> NullTranslations | None:
    from io import BytesIO

    for folder in _folders(domain):
        content = _compiled(folder / lang / "LC_MESSAGES" / f"{domain}.po")
        if content is not None:
            from gettext import GNUTranslations

            return GNUTranslations(BytesIO(content))
    return None


def _folders(domain: str) -> list[Path]:
    from importlib.util import find_spec
    from pathlib import Path

    module = sys.modules.get(domain)
    try:
        spec = module.__spec__ if module is not None else find_spec(domain)
    except (ImportError, ValueError):  # a policy of one file is no package and has no catalogue
        return []
    return [Path(folder) / "locale" for folder in (spec.submodule_search_locations or [])] if spec else []


def _compiled(po: Path) -> bytes | None:
    """Read `<po>.mo`, or compile the `.po` where it is newer or alone: a translator sees an edit at once."""
    mo = po.with_suffix(".mo")
    if mo.exists() and not (po.exists() and po.stat().st_mtime > mo.stat().st_mtime):
        return mo.read_bytes()
    if not po.exists():
        return None
    from kpi_rules.locale.catalogue import compile_mo, read_po

    return compile_mo(read_po(po.read_text(encoding="utf-8")))
