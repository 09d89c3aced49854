"""What the overview showed when it was left, so that it is there before everything has been imported and read again.

It is shown only while the files of the workspace are those it was made of, by name, size and time of change, and by the
same version of ours in the same language; what is read takes its place.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

from attrs import define

import kpi_rules as kr
from kpi_rules_tui.files import files_of
from kpi_rules_tui.remembered import named_after, state_file

if TYPE_CHECKING:
    from datetime import date

MOST_ROWS: Final = 1_000

KEPT: Final = 30
"""Days for which rows are kept of a workspace that nobody opens any more."""


@define(frozen=True)
class Seen:
    """Rows of the overview as they were shown, and what its status said; `day` is the one they stand as of.

    `now` says that they are those of the files as they are being read, and not as they were seen last.
    """

    title: str
    day: str
    rows: tuple[dict[str, Any], ...]
    more: tuple[str, ...]
    now: bool = False


def made_of(folder: Path, as_of: date | None) -> str:
    """Say in a digest what an overview is made of; an empty text where there are too many files to look at."""
    about: list[object] = [kr.__version__, kr.language(), str(as_of)]
    try:
        for path, status in files_of(folder):
            about += [path, status.st_size, status.st_mtime_ns]
    except OSError:
        return ""
    return hashlib.sha256(repr(about).encode("utf-8", "surrogatepass")).hexdigest()


def keep(folder: Path, digest: str, seen: Seen) -> None:
    """Keep what was shown, for the user alone to read; where that is not possible nothing is kept."""
    import tempfile  # here, as the first frame waits for what this module loads

    if not digest or len(seen.rows) > MOST_ROWS:
        return
    text = json.dumps({"made_of": digest, "title": seen.title, "day": seen.day, "rows": seen.rows, "more": seen.more})
    path = _file(folder)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=path.stem, suffix=".part", dir=path.parent)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
        Path(beside).replace(path)
        _forget_old(path.parent)


def recall(folder: Path, as_of: date | None) -> Seen | None:
    """Return what was shown of the workspace as its files are now; None where that is not known."""
    try:
        raw = json.loads(_file(folder).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    match raw:
        case {
            "made_of": str() as digest,
            "title": str() as title,
            "day": str() as day,
            "rows": [*rows],
            "more": [*more],
        }:
            sound = all(map(_is_row, rows)) and all(isinstance(each, str) for each in more)
            if sound and digest and digest == made_of(folder, as_of):
                return Seen(title, day, tuple(rows), tuple(more))
    return None


def elsewhere(workspace: kr.Workspace) -> bool:
    """Say whether a table comes from a database or another folder, whose changes nobody sees here."""
    sources = () if workspace.config is None else workspace.config.tables
    return any(
        "://" in each.source or PurePath(each.source).is_absolute() or ".." in PurePath(each.source).parts
        for each in sources
    )


def _is_row(row: object) -> bool:
    return isinstance(row, dict) and all(
        isinstance(value, str | int | float | None) and not isinstance(value, bool) for value in row.values()
    )


def _file(folder: Path) -> Path:
    return state_file().parent / f"seen-{named_after(folder)}.json"


def _forget_old(home: Path) -> None:
    for path in home.glob("seen-*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > KEPT * 24 * 60 * 60:
                path.unlink()
