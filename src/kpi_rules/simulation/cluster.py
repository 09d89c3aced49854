"""A cluster of Dask: the executor of `simulate` and its like on many machines."""

from __future__ import annotations

import asyncio
import hashlib
import platform
from concurrent.futures import BrokenExecutor, Executor, ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from kpi_rules.locale import _
from kpi_rules.model.problems import AssessmentError, Place, Problem, error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from distributed import Client

    Given = ParamSpec("Given")
    Returned = TypeVar("Returned")

SECONDS: Final = 5.0
"""How long to wait for a scheduler to answer, and for its first worker."""

_SAME: Final = ("kpi-rules", "polars")  # what work is pickled with; another version may not read it


class ClusterExecutor(Executor):
    """The executor of a Dask client; what many tasks have in common goes to the cluster once."""

    def __init__(self, client: Client) -> None:
        """Take a client that its owner closes."""
        self._client = client
        # Not pure: a chunk that is asked for again is done again.
        self._executor = client.get_executor(pure=False)  # type: ignore[no-untyped-call]  # distributed's
        self._kept: dict[bytes, Any] = {}

    @property
    def workers(self) -> int:
        """How many tasks the cluster runs at once."""
        return sum(self._client.nthreads().values())  # type: ignore[no-untyped-call]  # distributed's

    def submit(self, fn: Callable[Given, Returned], /, *args: Given.args, **kwargs: Given.kwargs) -> Future[Returned]:
        """Have a function called by some worker; Dask retries what is lost with a worker.

        Raises:
            BrokenExecutor: the scheduler is gone.
        """
        self._check()
        sent = [self._once(each) if isinstance(each, bytes) else each for each in args]
        future: Future[Returned] = self._executor.submit(fn, *sent, **kwargs)
        self._check()
        return future

    @property
    def broken(self) -> bool:
        """Whether the scheduler is gone: not all of what was submitted before is cancelled by the client, and what is
        not would be waited for without end.
        """
        return bool(self._client.status != "running")

    def _check(self) -> None:
        if self.broken:
            raise BrokenExecutor(self._client.status)

    def _once(self, payload: bytes) -> object:
        """Return what stands for a payload: the result of a task, which Dask does again where it is lost."""
        digest = hashlib.sha256(payload).digest()
        if digest not in self._kept:
            self._kept = {digest: self._client.submit(bytes, payload, key=f"kpi-rules-{digest.hex()}")}
        return self._kept[digest]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 (as Executor has it)
        """Take no more; what is not done is given up unless it is waited for."""
        if self._client.status == "running":
            self._executor.shutdown(wait=wait and not cancel_futures)


@contextmanager
def connect(address: str, *, seconds: float = SECONDS) -> Iterator[ClusterExecutor]:
    """Connect to the scheduler of a Dask cluster, for as long as the context lasts.

    Args:
        address: of the scheduler, such as `tcp://10.0.0.1:8786`.
        seconds: how long to wait for it.

    Raises:
        AssessmentError: distributed is not installed, nothing answers there, there is no worker, or one has another
            version of Python, kpi-rules or polars.
    """
    with _client(address, seconds) as client:
        problems = _workers(client, address, seconds)
        if problems:
            raise AssessmentError(problems)
        executor = ClusterExecutor(client)
        try:
            yield executor
        finally:
            executor.shutdown(wait=False)


def _client(address: str, seconds: float) -> Client:
    try:
        from distributed import Client
    except ImportError as missing:
        found = _("the package distributed is not installed")
        expected = 'pip install "kpi-rules[cluster]"'
        raise AssessmentError([_problem("no-distributed", found, expected)]) from missing
    try:
        # In a thread of its own, as the caller's may have a running loop, such as that of a notebook.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _probe(address, seconds)).result()
        return Client(address, timeout=seconds, set_as_default=False)  # type: ignore[no-untyped-call]  # distributed's
    except Exception as refused:
        reason = str(refused) or type(refused).__name__
        found = _("no scheduler answers at {address} ({reason})").format(address=repr(address), reason=reason)
        expected = _("the address of a running scheduler, such as {example}").format(example="tcp://10.0.0.1:8786")
        raise AssessmentError([_problem("no-scheduler", found, expected)]) from refused


async def _probe(address: str, seconds: float) -> None:
    """Connect and hang up. A client that fails to connect leaves threads behind, and may wait without end."""
    import dask
    from distributed.comm.core import connect as opened
    from distributed.security import Security

    if not isinstance(address, str):
        raise TypeError(address)
    security = Security().get_connection_args("client")  # type: ignore[no-untyped-call]  # distributed's
    with dask.config.set({"distributed.comm.timeouts.connect": seconds}):
        comm = await asyncio.wait_for(opened(address, timeout=seconds, **security), seconds + 1)  # type: ignore[no-untyped-call]  # distributed's
    await comm.close()


def _workers(client: Client, address: str, seconds: float) -> list[Problem]:
    """Say what keeps the workers from doing what they will be asked to."""
    try:
        client.wait_for_workers(1, timeout=seconds)
    except TimeoutError:
        found = _("the scheduler at {address} has no workers").format(address=repr(address))
        return [_problem("no-workers", found, _("at least one worker"))]
    here = _here()
    there = {"Python": client.run(platform.python_version), **{name: _versions(client, name) for name in _SAME}}
    problems = []
    for name, wanted in here.items():
        for worker, found in sorted(there[name].items()):
            if found != wanted and not (name == "Python" and found.startswith(f"{wanted}.")):
                text = _("{name} {version} on worker {worker}").format(name=name, version=found, worker=worker)
                expected = _("{name} {version}, as here").format(name=name, version=wanted)
                problems.append(_problem("other-version", text, expected))
    return problems


def _here() -> dict[str, str]:
    return {"Python": ".".join(platform.python_version_tuple()[:2]), **{name: version(name) for name in _SAME}}


def _versions(client: Client, package: str) -> dict[str, str]:
    """Return the version of a package by worker; without it, that it is missing. Asked by the standard library, as the
    worker may have nothing of ours.
    """
    found = client.run(version, package, on_error="return")
    return {worker: each if isinstance(each, str) else _("(not installed)") for worker, each in found.items()}


def _problem(code: str, found: str, expected: str) -> Problem:
    return error(code, Place(key="cluster"), found=found, expected=expected)
