"""Run work over draws in chunks, here or elsewhere; the chunks, and who runs them, change no bit of what comes out."""

from __future__ import annotations

import os
import pickle
import time
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from functools import lru_cache
from itertools import pairwise
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final, Generic, Protocol, Self, TypeVar

from attrs import define, field

from kpi_rules.pipeline.look import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROWS: Final = 300_000
"""Units x draws at once: fewer, and what a tick costs by itself counts; more, and nothing is won."""

_ASKED: Final = 0.1  # seconds between two questions whether it is still wanted


class Sum(Protocol):
    """What is known of some draws, and can take in others."""

    def add(self, other: Self) -> None:
        """Take in other draws; the order in which they come in changes nothing."""
        ...


Found = TypeVar("Found", bound=Sum)
Made_co = TypeVar("Made_co", bound=Sum, covariant=True)


class Work(Protocol[Made_co]):
    """What is done with every chunk of draws: data that can be sent to another process."""

    @property
    def units(self) -> int:
        """How many units each draw has."""
        ...

    def run(self, low: int, high: int) -> Made_co:
        """Return what is known of the draws from number `low`, inclusive, to `high`, exclusive."""
        ...


@define(frozen=True)
class Progress:
    """How far it is: draws done of all, and seconds since it began."""

    done: int
    draws: int
    seconds: float

    @property
    def remaining(self) -> float | None:
        """Seconds to go at this pace; None before the first chunk is done."""
        return self.seconds * (self.draws - self.done) / self.done if self.done else None


class CancelledError(Exception):
    """Whoever asked for it does not want it any more."""


@define(frozen=True, eq=False)
class Running:
    """Who runs the chunks, and who is told.

    Attributes:
        executor: any executor of `concurrent.futures`, such as that of a Dask client; None for this machine.
        workers: how many processes of this machine run them; None for threads of this process.
        progress: called after each chunk, in the thread that asked.
        cancelled: asked in that thread ten times a second whether to give up.
    """

    executor: Executor | None = None
    workers: int | None = None
    progress: Callable[[Progress], None] | None = None
    cancelled: Callable[[], bool] | None = None


def run(work: Work[Found], draws: int, running: Running) -> Found:
    """Do a work for all draws, from number 0 on.

    Where a worker process dies, what it had not done is done again, here.

    Raises:
        CancelledError: `running` says that it is not wanted any more.
    """
    if running.executor is not None:
        return _Collecting(work, draws, running, 2 * WORKERS).elsewhere(running.executor)
    if running.workers is not None:
        collecting = _Collecting(work, draws, running, running.workers)
        # Started anew, not forked: polars' threads do not outlive a fork.
        with ProcessPoolExecutor(running.workers, mp_context=get_context("spawn")) as processes:
            return collecting.elsewhere(processes)
    workers = min(os.cpu_count() or 1, WORKERS)
    with ThreadPoolExecutor(workers) as threads:
        collecting = _Collecting(work, draws, running, workers)
        return collecting.all(lambda part: threads.submit(work.run, *part))


def chunks(units: int, draws: int, workers: int) -> list[tuple[int, int]]:
    """Return chunks of draws of nearly equal size that keep all workers busy to the end."""
    size = max(ROWS // max(units, 1), 1)
    turns = -(-draws // (size * workers))
    count = min(turns * workers, draws)
    edges = [draws * place // count for place in range(count + 1)]
    return list(pairwise(edges))


Part = tuple[int, int]


@define(eq=False)
class _Collecting(Generic[Found]):
    """Chunks handed out a few at a time, so that memory does not grow with the draws, and added up as they come in."""

    work: Work[Found]
    draws: int
    running: Running
    workers: int
    found: Found | None = field(default=None, init=False)
    done: int = field(default=0, init=False)
    began: float = field(factory=time.perf_counter, init=False)

    def elsewhere(self, executor: Executor) -> Found:
        """Have the chunks run in other processes, and those of workers that died once more here."""
        payload = pickle.dumps(self.work)

        def submit(part: Part) -> Future[Found]:
            return executor.submit(_remotely, payload, *part)  # type: ignore[arg-type]  # the work unpacks to what it was

        return self.all(submit)

    def all(self, submit: Callable[[Part], Future[Found]]) -> Found:
        """Return what is known of all draws."""
        parts = chunks(self.work.units, self.draws, self.workers)
        lost = self._through(parts, submit)
        for part in lost:
            self._take(part, self.work.run(*part))
        assert self.found is not None  # noqa: S101 (there is at least one draw)
        return self.found

    def _through(self, parts: Iterable[Part], submit: Callable[[Part], Future[Found]]) -> list[Part]:
        """Hand out the chunks and take in what comes back; return those whose worker died."""
        waiting: dict[Future[Found], Part] = {}
        lost: list[Part] = []
        todo = iter(parts)
        try:
            while True:
                for part in todo:
                    if not _submitted(submit, part, waiting):
                        lost += [part, *todo]
                        break
                    if len(waiting) >= 2 * self.workers:
                        break
                if not waiting:
                    return lost
                finished, _others = wait(waiting, timeout=_ASKED, return_when=FIRST_COMPLETED)
                for future in finished:
                    part = waiting.pop(future)
                    try:
                        self._take(part, future.result())
                    except BrokenExecutor:
                        lost.append(part)
                if self.running.cancelled is not None and self.running.cancelled():
                    raise CancelledError
        finally:
            for future in waiting:
                future.cancel()

    def _take(self, part: Part, found: Found) -> None:
        if self.found is None:
            self.found = found
        else:
            self.found.add(found)
        self.done += part[1] - part[0]
        if self.running.progress is not None:
            self.running.progress(Progress(self.done, self.draws, time.perf_counter() - self.began))


def _submitted(submit: Callable[[Part], Future[Found]], part: Part, waiting: dict[Future[Found], Part]) -> bool:
    try:
        waiting[submit(part)] = part
    except BrokenExecutor:
        return False
    return True


def _remotely(payload: bytes, low: int, high: int) -> Sum:
    """Run a chunk in another process."""
    return _unpacked(payload).run(low, high)


@lru_cache(maxsize=2)
def _unpacked(payload: bytes) -> Work[Sum]:
    """Return the work, made once in each process."""
    work: Work[Sum] = pickle.loads(payload)  # noqa: S301 (made by the process that asked)
    return work
