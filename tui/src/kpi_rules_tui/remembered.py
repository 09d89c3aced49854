"""What is remembered from one run to the next, in `tui-state.json` where the system keeps such files."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from attrs import define, field
from platformdirs import user_state_path

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


def named_after(folder: Path) -> str:
    """Return what files about a workspace have in their names; its own may be one that no file can have."""
    import hashlib  # here, as what comes first waits for nothing it does not need

    return hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:8]


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
        beside.write_text(json.dumps(raw, indent=1), encoding="utf-8")
        beside.replace(path)
