"""What runs in a worker process; nothing here loads polars, so that its threads can be set before it is."""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import sys
import zlib
from functools import lru_cache
from multiprocessing import parent_process
from multiprocessing.connection import wait
from threading import Thread
from traceback import format_exception
from typing import TYPE_CHECKING, Final, TypeVar

from attrs import define

from kpi_rules.locale import _
from kpi_rules.model.problems import AssessmentError, Place, error

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from kpi_rules.model.problems import Problem
    from kpi_rules.simulation.run import Sum, Work

    Found = TypeVar("Found", bound=Sum)

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
"""Names of settings in glibc's `malloc.h`."""

_KEPT: Final = 2**30  # bytes: more than a chunk takes


@define(frozen=True)
class Failed:
    """What a chunk raised, as a value: whatever an executor raises itself is then about workers, not about chunks."""

    error: Exception


def attempt(work: Work[Found], low: int, high: int) -> Found | Failed:
    """Do a work for some draws."""
    try:
        return work.run(low, high)
    except Exception as raised:  # noqa: BLE001 (whatever it is, it is raised where the work was asked for)
        return Failed(raised)


def remotely(payload: bytes, low: int, high: int) -> Sum | Failed:
    """Do a pickled and compressed work for some draws; what it raises says where, as its traceback does not travel."""
    try:
        work = _unpacked(payload)
    except Exception as raised:  # noqa: BLE001 (pickle raises nearly anything where code differs)
        return Failed(AssessmentError([_unfit(raised)]))
    found = attempt(work, low, high)
    if isinstance(found, Failed):
        found.error.add_note("".join(format_exception(found.error)))
    return found


@define(frozen=True)
class Left:
    """What a chunk found, left in a file by a process of our own.

    All processes of a pool answer through one pipe. One that is ended amid a long answer leaves half of it there, for
    whose rest the pool would wait without end; a few bytes are written whole or not at all.
    """

    file: Path

    def taken(self) -> Sum | Failed:
        """Return what was found; the file is no more."""
        found: Sum | Failed = pickle.loads(self.file.read_bytes())  # noqa: S301 (written by a process of our own)
        self.file.unlink()
        return found


def by_file(work: Path, low: int, high: int) -> Sum | Failed | Left:
    """Do the pickled and compressed work of a file for some draws; what is found is left beside it."""
    found = remotely(_read(work), low, high)
    left = Left(work.with_name(f"{low}-{high}"))
    try:
        left.file.write_bytes(pickle.dumps(found))
    except OSError:  # such as a full disk: better the long way than not at all
        return found
    return left


@lru_cache(maxsize=2)
def _read(file: Path) -> bytes:
    return file.read_bytes()


@lru_cache(maxsize=2)
def _unpacked(payload: bytes) -> Work[Sum]:
    """Return the work, made once in each process."""
    work: Work[Sum] = pickle.loads(zlib.decompress(payload))  # noqa: S301 (made by the process that asked)
    return work


def _unfit(raised: Exception) -> Problem:
    found = _("process {process} cannot read what it is to do: {reason}").format(process=os.getpid(), reason=raised)
    expected = _("the same Python, kpi-rules and policies on every worker")
    return error("unfit-worker", Place(key="executor"), found=found, expected=expected)


def begin(wanted: Connection | None = None) -> None:
    """Set up a process of our own, before it has loaded anything large.

    One thread of polars each, as the processes share the cores. Memory is kept from chunk to chunk. Ctrl-C reaches all
    processes of a terminal; the one that asked decides. And should that one be killed, nobody else would end this one.

    Args:
        wanted: closed at its other end once nothing is wanted any more, whatever is being done.
    """
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    if sys.platform == "linux":
        _keep_all_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, args=(wanted,), daemon=True).start()


def prepare() -> None:
    """Load what most work needs, before there is any."""
    import kpi_rules.simulation.chunks
    import kpi_rules.simulation.counting
    import kpi_rules.simulation.job  # noqa: F401 (that they are loaded is all)


def _keep_all_memory() -> None:
    """Have the C library keep what is freed: given back and asked for anew, a chunk takes some 40% longer.

    Both are set, as one alone keeps the other from being raised as needed. A library that is not glibc has other ways.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _KEPT)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)


def _end_with_parent(wanted: Connection | None) -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel, *([] if wanted is None else [wanted])])
        os._exit(1)  # the main thread waits for work that will not come, or does what nobody waits for
