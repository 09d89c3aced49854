"""Keys of a person's own: `keys.toml`, where the system keeps such files, with lines like `"quotas.split" = "f6"`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tomli
from platformdirs import user_config_path

import kpi_rules as kr
from kpi_rules_tui.actions import BY_ID, clashes, unknown
from kpi_rules_tui.texts import _

if TYPE_CHECKING:
    from pathlib import Path

APP = "kpi-rules"


def keymap_file() -> Path:
    """Say where a person writes keys of their own."""
    return user_config_path(APP) / "keys.toml"


def read_keymap(path: Path) -> tuple[dict[str, str], list[str]]:
    """Read a keymap: keys by action id, and a line for each thing that is wrong with it; what is right is kept."""
    try:
        raw = tomli.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}, []
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        return {}, [_("{file}: cannot be read: {why}").format(file=path, why=error)]
    wrong, keymap = [], {}
    for name in unknown(raw):
        near = kr.nearest(name, BY_ID)
        line = _("{file}: no action {name}").format(file=path, name=name)
        wrong.append(line + (_(" (nearest: {nearest})").format(nearest=near) if near else ""))
    for name, keys in raw.items():
        if name not in BY_ID:
            continue
        if isinstance(keys, str) and keys.strip():
            keymap[name] = ",".join(key.strip() for key in keys.split(","))
        else:
            wrong.append(_('{file}: {name}: expected keys such as "f6" or "ctrl+t,T"').format(file=path, name=name))
    for key, one, other in clashes(keymap):
        wrong.append(
            _("{file}: the key {key} means {one} and {other}").format(file=path, key=key, one=one, other=other)
        )
    return keymap, wrong
