"""Work that says what was run of it, for tests of whoever runs chunks.

Spawned processes import it by its name, and with it nothing that takes them long.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from attrs import define, field


@define
class Found:
    """Numbers of draws, in the order in which their chunks came in; and by whom they were done."""

    draws: list[int]
    processes: set[int] = field(factory=set)

    def add(self, other: Found) -> None:
        """Take in other draws."""
        self.draws += other.draws
        self.processes |= other.processes


@define(frozen=True)
class Work:
    """Work that takes its time; the first process that comes to `dies_at`, other than `home`, dies there.

    Each chunk leaves a file in `folder`, where there is one.
    """

    units: int = 1_000_000
    seconds: float = 0
    folder: str = ""
    dies_at: int = -1
    home: int = field(factory=os.getpid)

    def run(self, low: int, high: int) -> Found:
        """Do some draws."""
        if self.folder:
            (Path(self.folder) / f"{low}-{os.getpid()}").touch()
        time.sleep(self.seconds)
        if low <= self.dies_at < high and os.getpid() != self.home:
            os._exit(1)
        return Found(list(range(low, high)), {os.getpid()})


@define(frozen=True)
class Listing:
    """Work of one chunk a draw; where `dies` is a folder, the first to come to draw 7 dies there, `times` times."""

    dies: str = ""
    times: int = 1
    fails: bool = False
    units: int = 1_000_000

    def run(self, low: int, high: int) -> Found:
        """Do some draws."""
        if self.dies and low == 7:
            for here in range(self.times):
                mark = Path(self.dies) / str(here)
                if not mark.exists() and os.getpid() != int((Path(self.dies) / "asked").read_text()):
                    mark.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
        if self.fails and low >= 7:
            from kpi_rules.model.problems import AssessmentError, Place, error

            raise AssessmentError([error("bad-number", Place(key=str(low)), found="f", expected="e")])
        return Found(list(range(low, high)), {os.getpid()})
