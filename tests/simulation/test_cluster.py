"""A cluster of Dask with two real worker processes, on this machine alone."""

from __future__ import annotations

import os
import platform
import signal
import socket
import sys
import threading
from contextlib import contextmanager
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import kpi_rules as kr
from kpi_rules.simulation import cluster
from kpi_rules.simulation.counting import Counting
from kpi_rules.simulation.run import Running, run
from kpi_rules.simulation.tally import Extent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from distributed import LocalCluster

    from kpi_rules.simulation.tally import Tally

ROOT = Path(__file__).parents[2]
AS_OF = date(2011, 9, 30)
DRAWS = 600

distributed = pytest.importorskip("distributed", reason='needs the extra "cluster"')


@contextmanager
def started(workers: int) -> Iterator[LocalCluster]:
    import dask

    settings = {
        "distributed.nanny.pre-spawn-environ": {"POLARS_MAX_THREADS": "1"},  # without the trimming that Dask asks for
        "distributed.scheduler.allowed-failures": 5,
        # From a server that has imported distributed once for all workers, each of which took seconds to.
        "distributed.worker.multiprocessing-method": "forkserver",
    }
    with (
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # any free port, where two clusters are there at once
            scheduler_kwargs={"dashboard": False},
            silence_logs=100,  # a worker that is killed on purpose is no news
        ) as local,
    ):
        yield local


@pytest.fixture(scope="module")
def local() -> Iterator[LocalCluster]:
    with started(2) as found:
        yield found


@pytest.fixture(scope="module")
def here() -> kr.Simulation:
    return kr.simulate(kr.load(ROOT / "examples" / "hundred-days"), AS_OF, draws=DRAWS)


def test_the_same_bits_as_threads(local: LocalCluster, here: kr.Simulation) -> None:
    with cluster.connect(local.scheduler_address) as executor:
        assert executor.workers == 2
        there = kr.simulate(here.past.workspace, AS_OF, draws=DRAWS, executor=executor)
        assert there.digest == here.digest
        differences = kr.compare(here, there, executor=executor)
    assert differences.units["difference"].abs().max() == 0
    assert differences.totals.equals(kr.compare(here, there).totals)


def test_the_executor_of_a_client_of_ones_own(local: LocalCluster, here: kr.Simulation) -> None:
    with distributed.Client(local.scheduler_address, set_as_default=False) as client:
        there = kr.simulate(here.past.workspace, AS_OF, draws=DRAWS, executor=client.get_executor())
    assert there.digest == here.digest


class Killing(Counting):
    """The same work, in which whoever does the draws from 300 on first dies, once."""

    mark = ""

    def run(self, low: int, high: int) -> Tally:
        if low <= 300 < high and not Path(self.mark).exists():
            Path(self.mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().run(low, high)

    def __reduce__(self) -> tuple[Callable[..., Killing], tuple[object, ...]]:
        return killing, (self.job, self.extent, self.mark)


def killing(*parts: object) -> Killing:
    job, extent, mark = parts
    made = Killing(job, extent)  # type: ignore[arg-type]  # what `__reduce__` gave
    object.__setattr__(made, "mark", mark)
    return made


def test_a_worker_that_is_killed_changes_nothing(here: kr.Simulation, tmp_path: Path) -> None:
    mark = tmp_path / "killed"
    work = killing(here.job, Extent.of(here.job.units, len(here.ticks), DRAWS), str(mark))
    told: list[kr.Progress] = []
    with started(2) as local, cluster.connect(local.scheduler_address) as executor:
        tally = run(work, DRAWS, Running(executor, progress=told.append))
    assert mark.exists()
    assert told[-1].again == 0  # by Dask itself, among its workers
    assert tally.ordered().digest() == here.digest


def test_a_cluster_that_goes_away_is_not_needed(here: kr.Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kpi_rules.simulation.run.ROWS", 5_000)  # so that chunks are left when the first one is done
    told: list[kr.Progress] = []
    with started(1) as local, cluster.connect(local.scheduler_address) as executor:

        def stop(progress: kr.Progress) -> None:
            if not told:
                local.close()
            told.append(progress)

        there = kr.simulate(here.past.workspace, AS_OF, draws=DRAWS, executor=executor, progress=stop)
    assert there.digest == here.digest
    assert told[-1].done == DRAWS
    assert told[-1].again > 0


@pytest.mark.parametrize(
    "address", ["nonsense", "", "http://127.0.0.1:1", "tcp://127.0.0.1:x", "tls://127.0.0.1:1", "tcp://127.0.0.1:1"]
)
def test_a_wrong_address_is_named(address: str) -> None:
    before = threading.active_count()
    with pytest.raises(kr.AssessmentError) as raised, cluster.connect(address, seconds=1):
        pass
    assert [each.code for each in raised.value.problems] == ["no-scheduler"]
    assert repr(address) in str(raised.value)
    assert threading.active_count() == before


def test_another_server_at_the_address_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(kr.AssessmentError, match="no scheduler answers"), cluster.connect(address, seconds=1):
            pass


def test_a_scheduler_without_workers_is_named() -> None:
    with (
        started(0) as local,
        pytest.raises(kr.AssessmentError) as raised,
        cluster.connect(local.scheduler_address, seconds=1),
    ):
        pass
    assert [each.code for each in raised.value.problems] == ["no-workers"]


def test_workers_of_other_versions_are_named(local: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"kpi-rules": "9.9", "polars": metadata.version("polars")}
    monkeypatch.setattr(cluster, "_here", lambda: {"Python": "3.10", **versions})
    with pytest.raises(kr.AssessmentError) as raised, cluster.connect(local.scheduler_address):
        pass
    problems = raised.value.problems
    assert [each.code for each in problems] == ["other-version"] * 4
    assert problems[0].found.startswith(f"Python {platform.python_version()} on worker tcp://127.0.0.1:")
    assert problems[0].expected == "Python 3.10, as here"
    assert problems[2].expected == "kpi-rules 9.9, as here"


def test_without_distributed_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(kr.AssessmentError) as raised, cluster.connect("tcp://127.0.0.1:1"):
        pass
    assert [each.code for each in raised.value.problems] == ["no-distributed"]
    assert 'pip install "kpi-rules[cluster]"' in str(raised.value)
