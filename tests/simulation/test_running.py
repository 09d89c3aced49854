"""Whoever runs the chunks, in whatever order they come in: every draw once, told on the way, given up when asked."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from concurrent.futures import Executor, Future
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.pipeline.look import WORKERS
from kpi_rules.simulation.run import MANY, ROWS, SEVERAL, CancelledError, Progress, Running, chunks, run
from tests.simulation.working import Work

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@given(st.integers(0, 10**6), st.integers(1, 10**4), st.integers(1, 64))
def test_chunks_hold_every_draw_once_and_no_more_rows_than_wanted(units: int, draws: int, workers: int) -> None:
    parts = chunks(units, draws, workers)
    assert parts[0][0] == 0
    assert parts[-1][1] == draws
    assert all(first[1] == second[0] for first, second in pairwise(parts))
    sizes = {high - low for low, high in parts}
    assert min(sizes) >= 1
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= (SEVERAL if units >= MANY else 1) or max(sizes) * units <= ROWS
    # The last turn keeps all workers busy, unless there are too few draws for it.
    assert len(parts) % workers == 0 or len(parts) == draws


class Backwards(Executor):
    """Does what it has been given last first, when it is waited for the first time."""

    def __init__(self) -> None:
        self.given: list[tuple[Future[Any], Callable[[], Any]]] = []
        self.timer: threading.Timer | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401 (as an executor does)
        future: Future[Any] = Future()
        self.given.append((future, lambda: fn(*args, **kwargs)))
        if self.timer is None:
            self.timer = threading.Timer(0.05, self.work)
            self.timer.start()
        return future

    def work(self) -> None:
        self.timer = None
        while self.given:
            future, call = self.given.pop()
            if future.set_running_or_notify_cancel():
                future.set_result(call())


def test_chunks_may_come_in_in_any_order() -> None:
    found = run(Work(), 40, Running(executor=Backwards()))
    assert found.draws != list(range(40))
    assert sorted(found.draws) == list(range(40))


def test_threads_do_every_draw_once() -> None:
    assert sorted(run(Work(), 100, Running()).draws) == list(range(100))


def test_what_is_lost_can_be_given_up_too(tmp_path: Path) -> None:
    work = Work(seconds=0.05, folder=str(tmp_path), dies_at=0)
    with pytest.raises(CancelledError):
        run(work, 10**6, Running(workers=1, cancelled=lambda: any(tmp_path.glob("*"))))


def test_progress_is_told_after_each_chunk_in_the_thread_that_asked() -> None:
    told: list[tuple[Progress, int]] = []
    run(Work(), 30, Running(progress=lambda each: told.append((each, threading.get_ident()))))
    done = [each.done for each, _thread in told]
    assert done == sorted(done)
    assert done[-1] == 30
    assert {each.draws for each, _thread in told} == {30}
    assert {thread for _each, thread in told} == {threading.get_ident()}
    assert told[-1][0].remaining == 0


def test_the_remaining_time_is_that_of_the_pace_so_far() -> None:
    assert Progress(0, 100, 3.0).remaining is None
    assert Progress(25, 100, 3.0).remaining == 9.0


def test_cancelling_threads_waits_for_the_chunks_at_hand_alone(tmp_path: Path) -> None:
    work = Work(seconds=0.1, folder=str(tmp_path))
    begun: list[int] = []

    def cancelled() -> bool:
        begun.append(len(list(tmp_path.iterdir())))
        return begun[-1] >= 3

    with pytest.raises(CancelledError):
        run(work, 10**6, Running(cancelled=cancelled))
    threads = min(os.cpu_count() or 1, WORKERS)
    done = len(list(tmp_path.iterdir()))
    assert done <= begun[-1] + 2 * threads
    time.sleep(0.15)
    assert len(list(tmp_path.iterdir())) == done


def test_cancelling_processes_waits_for_nothing(tmp_path: Path) -> None:
    work = Work(seconds=600, folder=str(tmp_path))
    with pytest.raises(CancelledError):
        run(work, 10**6, Running(workers=2, cancelled=lambda: any(tmp_path.iterdir())))
    assert not multiprocessing.active_children()


def test_whether_it_is_still_wanted_is_asked_while_a_chunk_takes_long() -> None:
    asked: list[float] = []

    def cancelled() -> bool:
        asked.append(time.monotonic())
        return False

    run(Work(seconds=0.35), 1, Running(cancelled=cancelled))
    assert len(asked) >= 3
