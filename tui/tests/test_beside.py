from __future__ import annotations

import os
import subprocess
import sys
import threading
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules_tui import beside, files
from tui.tests.driver import EXAMPLES, change

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRAMES = ("measures", "events", "ledger", "findings", "units")

needs_processors = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) == 1, reason="everything is read here then"
)


def told(script: str, *arguments: object) -> list[str]:
    """Run a script in an interpreter with one thread, as the command's is, and return what it says.

    Its `Telling` is a desk that says "read here" where it reads in that very process.
    """
    beginning = """
        import os, sys, time
        from pathlib import Path
        from kpi_rules_tui import beside, files
        from kpi_rules_tui.desk import Desk, read

        class Telling(Desk):
            def _open(self):
                print("read here", flush=True)
                return super()._open()

        here = Path(sys.argv[1])
    """
    words = [sys.executable, "-c", dedent(beginning) + dedent(script), *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", check=False, timeout=120)
    assert done.stderr == ""
    return done.stdout.splitlines()


READ = """
    desk = Telling(here)
    other = beside.begin(here, lambda: iter((None, read(here, None))))
    desk.take(desk.open(other))
    print(len(desk.workspace.problems), desk.made_of != "")
    for frame in sys.argv[3:]:
        getattr(desk.assessment, frame).write_parquet(Path(sys.argv[2]) / frame)
"""


# -- what comes --------------------------------------------------------------------------------------------------------


@needs_processors
@pytest.mark.parametrize("name", ["hundred-days", "field-duty", "worked-example"])
def test_what_is_read_beside_is_what_is_read_here(name: str, tmp_path: Path) -> None:
    workspace = kr.load(EXAMPLES / name)
    assert told(READ, EXAMPLES / name, tmp_path, *FRAMES) == [f"{len(workspace.problems)} True"]
    found = kr.assess(workspace)
    for frame in FRAMES:
        assert pl.read_parquet(tmp_path / frame).equals(getattr(found, frame)), frame


@needs_processors
def test_what_is_wrong_with_a_workspace_comes_too(example: Path) -> None:
    change(example / "kpi.toml", "[year]", "[yaer]")
    problems = kr.load(example).problems
    assert told(READ, example) == [f"{len(problems)} False"]


@needs_processors
def test_a_policy_in_a_file_of_the_workspace_is_read_here(example: Path) -> None:
    (example / "own.py").write_text("")
    change(example / "kpi.toml", "[plugins]\n", '[plugins]\nlocal = ["own.py"]\n')
    assert told(READ, example) == ["read here", f"{len(kr.load(example).problems)} True"]


@needs_processors
def test_an_edit_of_what_was_read_beside_is_that_of_what_is_read_here(tmp_path: Path) -> None:
    script = """
        import kpi_rules as kr
        desk = Telling(here)
        other = beside.begin(here, lambda: iter((None, read(here, None))))
        desk.take(desk.open(other))
        edits = (kr.SwitchEdit(sys.argv[3], on=False),)
        desk.weigh(edits).assessment.measures.write_parquet(Path(sys.argv[2]) / "weighed")
        desk.glance(edits).assessment.measures.write_parquet(Path(sys.argv[2]) / "glanced")
    """
    workspace = kr.load(EXAMPLES / "hundred-days")
    rule = kr.assess(workspace).measures["rule"][0]
    assert told(script, EXAMPLES / "hundred-days", tmp_path, rule) == []
    wanted = kr.assess(workspace.with_edits([kr.SwitchEdit(rule, on=False)])).measures
    assert pl.read_parquet(tmp_path / "weighed").equals(wanted)
    assert pl.read_parquet(tmp_path / "glanced").equals(wanted)


# -- what does not come ------------------------------------------------------------------------------------------------


@needs_processors
def test_what_fails_beside_does_not_come() -> None:
    script = """
        class Refusing:
            def __reduce__(self):
                return int, ("no number",)

        def killed():
            os.kill(os.getpid(), 9)

        for fail in (lambda: 1 / 0, lambda: os._exit(3), killed, lambda: sys.stdout, Refusing):
            other = beside.begin(here, lambda: (each() for each in (lambda: 1, fail)))
            print(other.message(1), other.message(0), other.message(1))
            other.end()
    """
    assert told(script, EXAMPLES / "worked-example") == ["None 1 None"] * 5


@needs_processors
def test_what_does_not_come_is_read_here() -> None:
    script = """
        desk = Telling(here)
        other = beside.begin(here, lambda: iter((1, os._exit(3))))
        print(desk.open(other).workspace.name)
    """
    folder = EXAMPLES / "worked-example"
    assert told(script, folder) == ["read here", kr.load(folder).name]


@needs_processors
def test_what_a_policy_prints_beside_is_not_on_the_terminal() -> None:
    script = """
        other = beside.begin(here, lambda: [print("out"), print("err", file=sys.stderr), os.write(1, b"raw")])
        print([other.message(number) for number in (2, 0, 3)])
    """
    assert told(script, EXAMPLES / "worked-example") == ["[3, None, None]"]


@needs_processors
def test_who_leaves_does_not_wait_and_leaves_no_process() -> None:
    script = """
        other = beside.begin(here, lambda: time.sleep(600))
        began = time.monotonic()
        other.end()
        other.end()
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            print("none left")
        print(other.message(0), time.monotonic() - began < 60)
    """
    assert told(script, EXAMPLES / "worked-example") == ["none left", "None True"]


# -- when it is not tried ----------------------------------------------------------------------------------------------


class ForkedError(Exception):
    """A process would have been forked."""


@pytest.fixture
def begun(example: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Say whether a process would read the example beside, from an interpreter like the command's."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1}, raising=False)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.delitem(sys.modules, "polars")

    def fork() -> int:
        raise ForkedError

    monkeypatch.setattr(os, "fork", fork)

    def ask() -> bool:
        try:
            return beside.begin(example, list) is not None
        except ForkedError:
            return True

    return ask


def test_it_is_tried_of_a_small_workspace(begun: Callable[[], bool]) -> None:
    assert begun()


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        (sys, "platform", "darwin"),
        (os, "sched_getaffinity", lambda _pid: {0}),
        (threading, "active_count", lambda: 2),
        (beside, "SMALL", 100),
        (files, "MOST_FILES", 1),
    ],
)
def test_it_is_not_tried_where_it_is_of_no_use_or_not_safe(
    begun: Callable[[], bool],
    monkeypatch: pytest.MonkeyPatch,
    where: object,
    name: str,
    value: Any,  # noqa: ANN401 (of what it takes the place of)
) -> None:
    monkeypatch.setattr(where, name, value)
    assert not begun()


def test_it_is_not_tried_once_polars_is_there(begun: Callable[[], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", pl)
    assert not begun()


def test_it_is_not_tried_with_policies_of_the_workspace_itself(begun: Callable[[], bool], example: Path) -> None:
    change(example / "kpi.toml", "[plugins]\n", '[plugins]\nlocal = ["own.py"]\n')
    assert not begun()


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[plugins", b'[plugins]\n# local = ["own.py"]'])
def test_it_is_tried_of_a_configuration_that_says_nothing_of_them(
    begun: Callable[[], bool], example: Path, content: bytes
) -> None:
    (example / "kpi.toml").write_bytes(content)
    assert begun()


def test_where_no_process_can_be_made_it_is_read_here(
    begun: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refuse)
    assert not begun()
