"""Reads a workspace in a process of its own, while this one imports what shows it.

An interpreter does one thing at a time, and both take about as long: what the screen waits for is nearly halved. What
was read comes back pickled. Whatever is in the way of that, it is read here instead, as if nobody had tried.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn

from kpi_rules_tui.files import files_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

SMALL: Final = 20 * 2**20
"""Bytes of the files of a workspace up to which it is read beside; of more, handing over what was read takes too long,
and both processes would hold it.
"""

SIZE: Final = 8
"""Bytes that say how long a message is."""


class Beside:
    """A process that reads; `message` waits for something it sends, `end` does without it."""

    def __init__(self, pid: int, pipe: int) -> None:
        """Take the process, and the end of the pipe on which it sends what it read."""
        self._pid = pid
        self._file = os.fdopen(pipe, "rb")
        self._came: dict[int, bytes] = {}
        self._count = 0
        self._coming, self._ending = threading.Lock(), threading.Lock()

    def message(self, number: int) -> Any:  # noqa: ANN401 (whatever is sent)
        """Return what is sent as number `number`, the first being 0, and let go of it; None where it does not come."""
        import pickle  # here, as the other process waits for what this module loads

        with self._coming:
            while number not in self._came:
                size = int.from_bytes(self._file.read(SIZE), "big")
                sent = self._file.read(size)
                if not size or len(sent) < size:
                    return None
                self._came[self._count] = sent
                self._count += 1
            sent = self._came.pop(number)
        try:
            return pickle.loads(sent)  # noqa: S301 (sent by a process of our own)
        except Exception:  # noqa: BLE001 (pickle raises nearly anything; a policy's class may refuse)
            return None

    def end(self) -> None:
        """End the process where it still runs."""
        with self._ending:
            pid, self._pid = self._pid, 0
        if pid:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def begin(folder: Path, read: Callable[[], Iterable[object]]) -> Beside | None:
    """Begin to read and send what `read` gives; None where that would be of no use, or not safe.

    A process is forked only on Linux, where it may be, and only while this one has a single thread: those of polars
    would be missing in it. A policy in a file of the workspace's own is a module that only the process knows that read
    it.
    """
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) == 1:
        return None
    if (
        threading.active_count() > 1
        or "polars" in sys.modules
        or not _is_small(folder)
        or _may_have_own_policies(folder)
    ):
        return None
    receiving, sending = os.pipe()
    try:
        pid = os.fork()
    except OSError:  # no more processes
        os.close(receiving)
        os.close(sending)
        return None
    if pid == 0:
        _send(read, sending)
    os.close(sending)
    return Beside(pid, receiving)


def _send(read: Callable[[], Iterable[object]], pipe: int) -> NoReturn:
    """Read, send, and end without a word: what goes wrong goes wrong again where it is told."""
    with suppress(BaseException):
        import pickle

        signal.signal(signal.SIGINT, signal.SIG_IGN)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):  # the terminal is the other's
            os.dup2(nothing, standard)
        os.environ.setdefault("POLARS_MAX_THREADS", "1")  # the other processor is the other's
        with os.fdopen(pipe, "wb") as file:
            for each in read():
                sent = pickle.dumps(each, protocol=5)
                file.write(len(sent).to_bytes(SIZE, "big") + sent)
                file.flush()
    os._exit(0)


def _is_small(folder: Path) -> bool:
    """Say whether there is little to read; what tables outside of the folder hold nobody knows."""
    with suppress(OSError):
        return sum(status.st_size for _path, status in files_of(folder)) <= SMALL
    return False


def _may_have_own_policies(folder: Path) -> bool:
    """Say whether the configuration has the word `local` anywhere but in a comment: to parse it takes longer."""
    with suppress(OSError):
        return any(b"local" in line.partition(b"#")[0] for line in (folder / "kpi.toml").read_bytes().splitlines())
    return False
