"""The files of a workspace's folder, as far as they may be its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator


MOST_FILES: Final = 500
"""Files that are looked at before a workspace counts as one with too many."""


def files_of(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Give the files in a folder and below it with what the system says of them, in an order of its own; hidden
    folders are left out.

    Raises:
        OSError: one of them cannot be looked at, or there are more than `MOST_FILES`.
    """
    count = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
        count += len(names)
        if count > MOST_FILES:
            raise OSError
        for name in sorted(names):
            path = Path(parent) / name
            yield path, path.stat()
