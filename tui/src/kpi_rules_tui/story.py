"""The whole story of a failure, in a file that only the user may read."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path


def write_story(error: BaseException) -> Path:
    """Write what happened, and return where it is."""
    import traceback
    from importlib.metadata import version

    handle, name = tempfile.mkstemp(prefix="kpi-rules-tui-", suffix=".log", text=True)
    about = f"kpi-rules-tui {version('kpi-rules-tui')}, kpi-rules {version('kpi-rules')}, Python {sys.version}\n\n"
    story = "".join(traceback.format_exception(error))
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(about + story)
    return Path(name)
