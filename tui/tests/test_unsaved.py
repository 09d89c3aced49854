"""What is not saved outlives its session, and is told of when the workspace is opened again."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import kpi_rules as kr
from kpi_rules_tui.remembered import state_file
from kpi_rules_tui.unsaved import KEPT, Unsaved, left
from tui.tests.driver import edit, opened, press, read, run, until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


QUOTA = kr.QuotaEdit("finance", 3_500_000_000, note="two\nlines; $(id)")


def there() -> list[Path]:
    return sorted(state_file().parent.glob("unsaved-*"))


def test_a_file_is_there_while_there_is_something_and_only_for_the_user(tmp_path: Path) -> None:
    made = Unsaved(tmp_path)
    made.keep("")
    assert not there()
    made.keep("longer at first", "市\n财政局")
    made.keep("second 市", "市\n财政局")
    (path,) = there()
    about, command = path.read_text(encoding="utf-8").splitlines()
    assert about.startswith("# 市\\n财政局: not saved when its session ended")
    assert command == "second 市"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made.keep("")
    assert not there()


def test_sessions_have_files_of_their_own_and_those_that_live_are_not_told_of(tmp_path: Path) -> None:
    one, two, elsewhere = Unsaved(tmp_path), Unsaved(tmp_path), Unsaved(tmp_path / "b")
    for each in (one, two, elsewhere):
        each.keep("x")
    assert len(there()) == 3
    assert not left(tmp_path)
    one.close()
    elsewhere.close()
    (path,) = left(tmp_path)
    assert left(tmp_path) == [path]
    two.close()
    assert len(left(tmp_path)) == 2
    assert len(left(tmp_path / "b")) == 1


def test_what_is_too_old_is_removed_and_what_lives_is_not(tmp_path: Path) -> None:
    gone, lives = Unsaved(tmp_path), Unsaved(tmp_path)
    gone.keep("x")
    lives.keep("x")
    gone.close()
    for path in there():
        then = path.stat().st_mtime - (KEPT + 1) * 24 * 60 * 60
        os.utime(path, (then, then))
    assert not left(tmp_path / "another")
    assert len(there()) == 1
    lives.keep("")
    assert not there()


def test_a_folder_that_cannot_be_written_is_no_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    made = Unsaved(tmp_path)
    made.keep("x")
    made.keep("")
    assert not left(tmp_path)


def test_what_a_session_leaves_is_told_of_with_a_command_that_makes_it(example: Path) -> None:
    async def first() -> None:
        async with opened(example) as (office, _pilot):
            edit(office, QUOTA)

    async def second() -> None:
        async with opened(example, (100, 40)) as (office, pilot):
            (path,) = left(example)
            (told,) = office._notifications
            assert told.message.startswith("an earlier session ended with unsaved changes")
            assert str(path) in told.message
            text = await read(pilot, "v")
            assert path.read_text(encoding="utf-8") in text
            office._tell_earlier()
            assert len(office._notifications) == 1

    run(first())
    run(second())
    (path,) = left(example)
    comment, command = path.read_text(encoding="utf-8").split("\n", 1)
    assert comment.startswith("# ")
    program, *words = shlex.split(command)
    assert program == "kpi-rules"
    subprocess.run([sys.executable, "-m", "kpi_rules.cli", *words], check=True, capture_output=True, cwd="/")
    quotas = kr.load(example).tables.quotas.filter(unit="finance", indicator="funds")
    assert quotas.select("amount", "note").rows()[0] == (3_500_000_000, "two\nlines; $(id)")


def test_nothing_is_left_by_who_saves_takes_back_or_leaves_knowingly(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (100, 30)) as (office, pilot):
            edit(office, kr.QuotaEdit("finance", 3_500_000_000))
            assert len(there()) == 1
            await press(pilot, "ctrl+z")
            await until(pilot, lambda: not office.desk.changed)
            assert not there()
            edit(office, kr.QuotaEdit("finance", 3_500_000_000))
            await press(pilot, "ctrl+s", "right", "enter")
            await until(pilot, lambda: not office.desk.changed)
            assert not there()
            edit(office, kr.QuotaEdit("finance", 3_600_000_000))
            await press(pilot, "q")
            assert len(there()) == 1, "only asked so far"
            await press(pilot, "right", "enter")
            await until(pilot, lambda: office.return_code is not None)
        assert not there()

    run(test())


def test_the_command_that_saves_says_so_once(example: Path) -> None:
    async def test() -> None:
        async with opened(example) as (office, _pilot):
            edit(office, QUOTA)
            assert office.desk.edit_command(save=True).count("--save") == 1
            assert "--save" not in office.desk.edit_command()

    run(test())
