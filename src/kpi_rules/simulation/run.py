"""Run work over draws in chunks, here or elsewhere; the chunks, and who runs them, change no bit of what comes out."""

from __future__ import annotations

import pickle
import time
import zlib
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from itertools import islice, pairwise
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, Self, TypeVar

from attrs import define, evolve, field

from kpi_rules.locale import _
from kpi_rules.model.problems import AssessmentError, Place, error
from kpi_rules.pipeline.look import WORKERS, thread_count
from kpi_rules.pipeline.memory import keep_memory
from kpi_rules.simulation.worker import Failed, Left, attempt, begin, by_file, prepare, remotely

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

ROWS: Final = 250_000
"""Units x draws at once: fewer, and what a tick costs by itself counts, and threads that wait for each other; more, and
memory grows for nothing.
"""

MANY, SEVERAL = 50_000, 13
"""Of so many units several draws go at once, although they are more rows than suit most: each draw takes its time by
itself.
"""

_ASKED: Final = 0.1  # seconds between two questions whether it is still wanted
_POOLS: Final = 3  # so many times processes are started anew after one of them died
_ELSEWHERE: Final = 2 * WORKERS  # chunks at once for an executor that does not say how many it runs


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
    """How far it is: draws done of all, and seconds since it began; `again` of the draws were lost with a worker, and
    are done again.
    """

    done: int
    draws: int
    seconds: float
    again: int = 0

    @property
    def remaining(self) -> float | None:
        """Seconds to go at this pace; None before the first chunk is done."""
        return self.seconds * (self.draws - self.done) / self.done if self.done else None


@define(frozen=True, eq=False)
class _Processes:
    """Processes of this machine: who hands out to them, what ends them at once, and where they leave what they find."""

    executor: ProcessPoolExecutor
    stop: Callable[[], None]
    folder: Path


@contextmanager
def _processes(workers: int) -> Iterator[_Processes]:
    """Have so many processes for as long as they are wanted."""
    spawned = get_context("spawn")  # started anew, not forked: polars' threads do not outlive a fork
    wanted, mine = spawned.Pipe(duplex=False)
    with (
        TemporaryDirectory(prefix="kpi-rules-", ignore_cleanup_errors=True) as folder,
        wanted,
        mine,
        ProcessPoolExecutor(workers, mp_context=spawned, initializer=begin, initargs=(wanted,)) as executor,
    ):
        try:
            yield _Processes(executor, mine.close, Path(folder))
        except BaseException:
            mine.close()  # nobody waits until they have started for nothing
            raise


class CancelledError(Exception):
    """Whoever asked for it does not want it any more."""


@define(frozen=True, eq=False)
class Running:
    """Who runs the chunks, and who is told.

    Attributes:
        executor: any executor of `concurrent.futures`, such as that of a Dask client; None for this machine.
        workers: how many processes of this machine run them; None for threads of this process. With an executor, how
            many chunks it runs at once, where it does not say so itself (by an attribute `workers`).
        progress: called after each chunk, in the thread that asked.
        cancelled: asked in that thread ten times a second whether to give up.
    """

    executor: Executor | None = None
    workers: int | None = None
    progress: Callable[[Progress], None] | None = None
    cancelled: Callable[[], bool] | None = None
    processes: _Processes | None = None

    @contextmanager
    def started(self) -> Iterator[Running]:
        """Start the processes of this machine that it has, while what they are to do is still being found out.

        Raises:
            AssessmentError: as `check` has it.
        """
        self.check()
        if self.executor is not None or self.workers is None:
            yield self
            return
        with _processes(self.workers) as processes:
            for _process in range(self.workers):
                processes.executor.submit(prepare)
            yield evolve(self, processes=processes)

    def check(self) -> None:
        """Refuse what cannot run anything.

        Raises:
            AssessmentError: it says what.
        """
        problems = []
        workers: object = self.workers
        executor: object = self.executor
        if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
            expected = _("a whole number from {least}").format(least=1)
            problems.append(error("bad-number", Place(key="workers"), found=repr(workers), expected=expected))
        if executor is not None and not isinstance(executor, Executor):
            expected = _("an executor of concurrent.futures")
            problems.append(error("wrong-kind", Place(key="executor"), found=repr(executor), expected=expected))
        if problems:
            raise AssessmentError(problems)

    @property
    def at_once(self) -> int:
        """How many chunks run at once."""
        if self.executor is None:
            return self.workers or thread_count()
        own = getattr(self.executor, "workers", None)
        return max(own, 1) if isinstance(own, int) else self.workers or _ELSEWHERE


def run(work: Work[Found], draws: int, running: Running, rows: int | None = None) -> Found:
    """Do a work for all draws, from number 0 on, up to `rows` units x draws at once, by default as many as suit most.

    What is lost with a worker process is done again: in new processes where they are our own, and at last here.

    Raises:
        AssessmentError: `running` has no such workers, or a worker lacks the code that the work needs.
        CancelledError: `running` says that it is not wanted any more.
        Exception: what a chunk raises, for one of those that do; the others are given up.
    """
    running.check()
    at_once = running.at_once
    collecting = _Collecting(work, draws, running, at_once)
    alone = running.executor is None and running.workers is None
    todo = chunks(work.units, draws, at_once, rows)
    keep_memory()  # an executor may have threads of this process, and what workers lose is done here
    if alone and work.units * draws <= (rows or ROWS):
        todo = [(0, draws)]
    if running.executor is not None:
        executor = running.executor
        todo = collecting.through(todo, _sent(work, executor), broken=lambda: getattr(executor, "broken", False))
    elif running.workers is not None:
        todo = _in_processes(collecting, todo, running.workers)
    if len(todo) == 1 and running.cancelled is None:  # neither shared, nor to be asked about meanwhile: no thread
        collecting.through(todo, lambda part: _done(attempt(work, *part)))
    elif todo:
        with ThreadPoolExecutor(thread_count()) as threads:
            collecting.through(todo, lambda part: threads.submit(attempt, work, part[0], part[1]))
    assert collecting.found is not None  # noqa: S101 (there is at least one draw)
    return collecting.found


def _done(found: Found | Failed) -> Future[Found | Failed]:
    """Return what is done already as what is waited for."""
    future: Future[Found | Failed] = Future()
    future.set_result(found)
    return future


def chunks(units: int, draws: int, workers: int, rows: int | None = None) -> list[tuple[int, int]]:
    """Return chunks of draws of nearly equal size that keep all workers busy to the end; the larger ones come first."""
    least = SEVERAL if units >= MANY else 1
    size = max((rows or ROWS) // max(units, 1), least)
    turns = -(-draws // (size * workers))
    count = min(turns * workers, draws)
    each, larger = divmod(draws, count)
    return list(pairwise(place * each + min(place, larger) for place in range(count + 1)))


Part = tuple[int, int]


def _give_up(waiting: Collection[Future[Any]], stop: Callable[[], None] | None) -> None:
    """Give up the chunks that are waited for: end their workers, or cancel what nobody has begun with."""
    if waiting and stop is not None:
        stop()
        return
    for future in waiting:
        future.cancel()


def _in_processes(collecting: _Collecting[Found], parts: list[Part], workers: int) -> list[Part]:
    """Run chunks in processes of this machine; return those that were lost with the last of several pools.

    One process that dies takes its pool with it. A pool that did nothing at all would not do better the next time.
    """
    started = collecting.running.processes
    for _pool in range(_POOLS):
        with _processes(workers) if started is None else nullcontext(started) as processes:
            lost = collecting.through(parts, _by_file(collecting.work, processes), stop=processes.stop)
        started = None
        if len(lost) in {0, len(parts)}:
            return lost
        parts = lost
    return parts


def _sent(work: Work[Found], executor: Executor) -> Callable[[Part], Future[Found | Failed]]:
    """Return what hands a chunk to an executor whose workers may be other processes."""
    payload = _packed(work)

    def submit(part: Part) -> Future[Found | Failed]:
        return executor.submit(remotely, payload, *part)  # type: ignore[arg-type]  # the work unpacks to what it was

    return submit


def _by_file(work: Work[Found], processes: _Processes) -> Callable[[Part], Future[Sum | Failed | Left]]:
    """Return what hands a chunk to processes of this machine; what is long goes through files, as `Left` explains."""
    file = processes.folder / "work"
    file.write_bytes(_packed(work))

    return lambda part: processes.executor.submit(by_file, file, *part)


def _packed(work: Work[Found]) -> bytes:
    return zlib.compress(pickle.dumps(work), level=1)


@define(eq=False)
class _Collecting(Generic[Found]):
    """Chunks handed out a few at a time, so that memory does not grow with the draws, and added up as they come in."""

    work: Work[Found]
    draws: int
    running: Running
    at_once: int
    found: Found | None = field(default=None, init=False)
    done: int = field(default=0, init=False)
    again: int = field(default=0, init=False)
    began: float = field(factory=time.perf_counter, init=False)

    def through(
        self,
        parts: Sequence[Part],
        submit: Callable[[Part], Future[Any]],
        stop: Callable[[], None] | None = None,
        broken: Callable[[], bool] = bool,
    ) -> list[Part]:
        """Hand out chunks and take in what comes back; return those that were lost, in order.

        A chunk is lost where its worker died or was given up, or nobody takes it. Executors say so in their own ways;
        what a chunk itself raises comes back as `Failed`. Should it end before its time, `stop` ends the workers at
        once; without it those chunks alone are not done that nobody has begun with. Once `broken` says so, what is
        waited for will not come.
        """
        waiting: dict[Future[Any], Part] = {}
        lost: list[Part] = []
        todo = iter(parts)
        try:
            while True:
                for part in islice(todo, 2 * self.at_once - len(waiting)):
                    try:
                        waiting[submit(part)] = part
                    except Exception:  # noqa: BLE001 (an executor that is broken, shut down or cut off)
                        lost += [part, *todo]
                if not waiting:
                    self.again += sum(high - low for low, high in lost)
                    return sorted(lost)
                finished, _others = wait(waiting, timeout=_ASKED, return_when=FIRST_COMPLETED)
                for future in finished:
                    part = waiting.pop(future)
                    try:
                        found = future.result()
                    except Exception:  # noqa: BLE001 (a worker that died, in an executor's own words)
                        lost.append(part)
                    else:
                        self._take(part, found)
                if not finished and broken():
                    lost += waiting.values()
                    waiting.clear()
                if self.running.cancelled is not None and self.running.cancelled():
                    raise CancelledError
        finally:
            _give_up(waiting, stop)

    def _take(self, part: Part, found: Any) -> None:  # noqa: ANN401 (what the work finds, `Failed` or `Left`)
        if isinstance(found, Left):
            found = found.taken()
        if isinstance(found, Failed):
            raise found.error
        if self.found is None:
            self.found = found
        else:
            self.found.add(found)
        self.done += part[1] - part[0]
        if self.running.progress is not None:
            self.running.progress(Progress(self.done, self.draws, time.perf_counter() - self.began, self.again))
