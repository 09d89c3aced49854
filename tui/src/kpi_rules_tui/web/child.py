"""The process behind one browser tab: `kpi-rules` with the words given, ended when the server is gone.

Run as `python -P -m kpi_rules_tui.web.child`: no shell reads the words, no module of the current folder is imported.
"""

from __future__ import annotations

import os
import sys
import time
from importlib.metadata import distribution
from threading import Thread
from typing import Final

EVERY: Final = 2.0
"""Seconds between two looks whether the server still lives."""


def main() -> None:
    """Run the command."""
    Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    (command,) = distribution("kpi-rules").entry_points.select(group="console_scripts", name="kpi-rules")
    sys.argv[0] = "kpi-rules"
    command.load()()


def _watch(server: int) -> None:
    """End once the server is gone, however it ended: Textual would wait for keys for ever.

    Nothing is lost by ending at once: files are replaced as a whole, and what is not saved is in its file already.
    """
    while os.getppid() == server:
        time.sleep(EVERY)
    os._exit(1)


if __name__ == "__main__":
    main()
