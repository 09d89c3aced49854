"""What is remembered from one run to the next, and the keymap that a person may write.

Both lie where the system keeps such files: `tui-state.json`, written by the program, and `keys.toml`, written by hand
with a line such as `"quotas.split" = "f6"` for each action.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import tomli
from attrs import define, field
from platformdirs import user_config_path, user_state_path

import kpi_rules as kr
from kpi_rules_tui.actions import BY_ID, clashes, unknown
from kpi_rules_tui.texts import _

if TYPE_CHECKING:
    from pathlib import Path

APP: Final = "kpi-rules"
MOST_WORKSPACES: Final = 50


@define
class Remembered:
    """What a person chose: theme, language, the unit of amounts, and of each workspace the tab, filters and orders."""

    theme: str = "kpi-dark"
    language: str = ""
    scale: str = "WAN"
    workspaces: dict[str, dict[str, Any]] = field(factory=dict)


def state_file() -> Path:
    """Say where it is remembered."""
    return user_state_path(APP) / "tui-state.json"


def recall() -> Remembered:
    """Return what was remembered; what cannot be read, or is not what we wrote, is as if it were not there."""
    try:
        raw = json.loads(state_file().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return Remembered()
    if not isinstance(raw, dict):
        return Remembered()
    found = Remembered()
    for name in ("theme", "language", "scale"):
        if isinstance(raw.get(name), str):
            setattr(found, name, raw[name])
    workspaces = raw.get("workspaces")
    if isinstance(workspaces, dict):
        found.workspaces = {key: value for key, value in workspaces.items() if isinstance(value, dict)}
    return found


def remember(remembered: Remembered) -> None:
    """Write it, whole or not at all; where that is not possible the next run begins as the first did."""
    path = state_file()
    kept = dict(list(remembered.workspaces.items())[-MOST_WORKSPACES:])
    raw = {
        "theme": remembered.theme,
        "language": remembered.language,
        "scale": remembered.scale,
        "workspaces": kept,
    }
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        beside.write_text(json.dumps(raw, ensure_ascii=False, indent=1), encoding="utf-8")
        beside.replace(path)


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
