"""Chunks of draws through executors: what is lost is done again, what a chunk raises is raised once."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
import zlib
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

import pytest

import kpi_rules as kr
from kpi_rules.model.problems import Place, error
from kpi_rules.simulation.run import Running, run
from kpi_rules.simulation.worker import Failed, Left, by_file, remotely
from tests.simulation.working import Found, Listing

DRAWS = 40


@pytest.fixture(autouse=True)
def _one_draw_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have as many chunks as draws: the works of these tests have many units."""
    monkeypatch.setattr("kpi_rules.simulation.run.SEVERAL", 1)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "asked").write_text(str(os.getpid()))
    return str(tmp_path)


def test_own_processes_do_all_of_it() -> None:
    found = run(Listing(), DRAWS, Running(workers=2))
    assert sorted(found.draws) == list(range(DRAWS))
    assert os.getpid() not in found.processes


def test_a_pool_whose_worker_dies_is_started_again(folder: str) -> None:
    told: list[kr.Progress] = []
    found = run(Listing(folder), DRAWS, Running(workers=2, progress=told.append))
    assert sorted(found.draws) == list(range(DRAWS))
    assert os.getpid() not in found.processes
    assert told[-1].done == DRAWS
    assert 0 < told[-1].again < DRAWS
    assert (Path(folder) / "0").exists()


def test_what_kills_every_worker_is_done_here(folder: str) -> None:
    found = run(Listing(folder, times=100), DRAWS, Running(workers=2))
    assert sorted(found.draws) == list(range(DRAWS))
    assert os.getpid() in found.processes


def test_an_executor_that_breaks_is_not_needed(folder: str) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        found = run(Listing(folder), DRAWS, Running(executor=processes))
    assert sorted(found.draws) == list(range(DRAWS))
    assert os.getpid() in found.processes


class Odd(Executor):
    """An executor that gives up, in its own words, what comes every third time."""

    def __init__(self, threads: Executor) -> None:
        self.threads, self.count = threads, 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401 (as Executor has it)
        self.count += 1
        if self.count % 3:
            return self.threads.submit(fn, *args, **kwargs)
        future: Future[Any] = Future()
        if self.count % 2:
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            future.set_exception(LookupError("no such worker"))
        return future


def test_futures_that_are_cancelled_or_lost_are_done_here() -> None:
    with ThreadPoolExecutor(2) as threads:
        executor = Odd(threads)
        told: list[kr.Progress] = []
        found = run(Listing(), DRAWS, Running(executor=executor, progress=told.append))
    assert sorted(found.draws) == list(range(DRAWS))
    assert told[-1].again == DRAWS // 3
    assert executor.count == DRAWS


class Lost(Executor):
    """An executor whose workers are gone after two chunks; what was handed out before is never answered."""

    def __init__(self, threads: Executor) -> None:
        self.threads, self.count = threads, 0

    @property
    def broken(self) -> bool:
        return self.count > 2

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401 (as Executor has it)
        self.count += 1
        return Future() if self.broken else self.threads.submit(fn, *args, **kwargs)


def test_what_a_broken_executor_does_not_answer_is_done_here() -> None:
    with ThreadPoolExecutor(1) as threads:
        told: list[kr.Progress] = []
        found = run(Listing(), DRAWS, Running(executor=Lost(threads), progress=told.append))
    assert sorted(found.draws) == list(range(DRAWS))
    assert told[-1].again == DRAWS - 2


def test_through_the_pipe_of_a_pool_go_a_few_bytes_at_once(tmp_path: Path) -> None:
    whole = 512  # what POSIX has pipes take whole
    work = tmp_path / "work"
    work.write_bytes(zlib.compress(pickle.dumps(Listing())))
    left = by_file(work, 0, 10_000)
    assert len(pickle.dumps((work, 0, 10_000))) < whole
    assert len(pickle.dumps(left)) < whole
    assert isinstance(left, Left)
    assert cast("Found", left.taken()).draws == list(range(10_000))
    assert list(tmp_path.iterdir()) == [work]


def test_what_cannot_be_left_in_a_file_goes_through_the_pipe(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.write_bytes(zlib.compress(pickle.dumps(Listing())))
    (tmp_path / "0-3").mkdir()
    assert cast("Found", by_file(work, 0, 3)).draws == [0, 1, 2]


def test_an_executor_that_takes_nothing_is_not_needed() -> None:
    threads = ThreadPoolExecutor(1)
    threads.shutdown()
    assert sorted(run(Listing(), DRAWS, Running(executor=threads)).draws) == list(range(DRAWS))


@pytest.mark.parametrize("where", ["threads", "processes", "executor"])
def test_what_a_chunk_raises_is_raised_once(where: str) -> None:
    told: list[kr.Progress] = []
    with ThreadPoolExecutor(1) as one:
        running = {
            "threads": Running(progress=told.append),
            "processes": Running(workers=2, progress=told.append),
            "executor": Running(executor=one, progress=told.append),
        }[where]
        with pytest.raises(kr.AssessmentError) as raised:
            run(Listing(fails=True), 1000, running)
    assert [each.code for each in raised.value.problems] == ["bad-number"]
    assert max((each.done for each in told), default=0) <= 7


def test_an_error_keeps_its_problems_on_its_way() -> None:
    sent = kr.AssessmentError([error("bad-number", Place(key="draws"), found="0", expected="more")])
    got = pickle.loads(pickle.dumps(sent))  # noqa: S301 (made here)
    assert got.problems == sent.problems
    assert str(got) == str(sent)


def test_a_worker_that_cannot_read_the_work_says_so() -> None:
    found = remotely(b"not a work", 0, 1)
    assert isinstance(found, Failed)
    assert isinstance(found.error, kr.AssessmentError)
    assert [each.code for each in found.error.problems] == ["unfit-worker"]
    assert str(os.getpid()) in str(found.error)


@pytest.mark.parametrize("workers", [0, -1, True, 1.5, "2"])
def test_workers_are_a_whole_number(workers: object) -> None:
    with pytest.raises(kr.AssessmentError, match=r"workers: found .*; expected a whole number from 1"):
        run(Listing(), 1, Running(workers=cast("int", workers)))


def test_an_executor_is_one() -> None:
    with pytest.raises(kr.AssessmentError, match="executor: found 'tcp://x'"):
        run(Listing(), 1, Running(executor=cast("Executor", "tcp://x")))


def test_giving_up_stops_processes() -> None:
    with pytest.raises(kr.CancelledError):
        run(Listing(), 100_000, Running(workers=2, cancelled=lambda: True))


ORPHANS = """
import os, signal
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from kpi_rules.simulation.worker import begin

if __name__ == "__main__":
    processes = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=begin)
    print(processes.submit(os.getpid).result(), processes.submit(os.getenv, "POLARS_MAX_THREADS").result(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_have_one_thread_of_polars_and_end_with_whoever_asked(tmp_path: Path) -> None:
    script = tmp_path / "asks.py"
    script.write_text(ORPHANS)
    environment = {name: value for name, value in os.environ.items() if name != "POLARS_MAX_THREADS"}
    done = subprocess.run(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment, check=False, timeout=120
    )
    process, threads = done.stdout.split()
    assert threads == "1"
    for _wait in range(300):
        if not _runs(int(process)):
            break
        time.sleep(0.1)
    assert not _runs(int(process))


def _runs(process: int) -> bool:
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_a_job_that_has_run_can_be_sent_with_whom_it_concerns_alone() -> None:
    ws = kr.load(Path(__file__).parents[2] / "examples" / "hundred-days")
    done = kr.simulate(ws, date(2011, 9, 30), draws=20)
    sent = pickle.dumps(done.job)
    again = pickle.loads(sent)  # noqa: S301 (made here)
    before, after = done.job.run(0, 20), again.run(0, 20)
    assert all((before.money[kind] == after.money[kind]).all() for kind in before.money)
    assert all((before.hit[rule] == after.hit[rule]).all() for rule in before.hit)
    concerned = set(done.past.units["unit"])
    others = {unit for unit in ws.tables.units["unit"] if unit not in concerned}
    staff = again.withholding.payroll.staff
    assert not others & set(staff["unit"])
    assert not {"name", "year", "row"} & set(staff.columns)
    assert len(zlib.compress(sent, level=1)) < 500_000
