from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kpi_rules_tui.keymap import keymap_file, read_keymap
from tui.tests.driver import dump, opened, press, run, until

if TYPE_CHECKING:
    from pathlib import Path


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "keys.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_is_no_keymap(tmp_path: Path) -> None:
    assert read_keymap(tmp_path / "keys.toml") == ({}, [])


def test_keys_by_action(tmp_path: Path) -> None:
    path = written(tmp_path, '"quotas.split" = "f6"\n"table.sort" = "ctrl+t, T"\n')
    assert read_keymap(path) == ({"quotas.split": "f6", "table.sort": "ctrl+t,T"}, [])


BAD = {
    'quotas.splt = "f6"\n': "no action quotas",
    '"quotas.splt" = "f6"\n': "no action quotas.splt (nearest: quotas.split)",
    '"quotas.split" = 6\n': 'quotas.split: expected keys such as "f6" or "ctrl+t,T"',
    '"quotas.split" = "y"\n': "the key y means quotas.split and table.copy",
    "quotas = [\n": "cannot be read: ",
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_wrong_is_told_and_the_rest_kept(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    _keymap, wrong = read_keymap(path)
    assert any(line.startswith(f"{path}: ") and BAD[text] in line for line in wrong), wrong


def test_a_byte_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_bytes(b"\xff\xfe\x00")
    assert len(read_keymap(path)[1]) == 1


def test_keys_of_ones_own_work_and_help_shows_them(example: Path) -> None:
    from kpi_rules_tui.app import Office
    from kpi_rules_tui.desk import Desk
    from tui.tests.driver import settled

    async def test() -> None:
        keymap = {"app.quotas": "f6"}
        office = Office(Desk(example), keymap=keymap, remarks=["keys.toml: the key y means two things"])
        async with office.run_test(size=(100, 40), notifications=True) as pilot:
            await settled(pilot)
            await until(pilot, lambda: "the key y means two things" in dump(office))  # clashes are told at the start
            await press(pilot, "2")
            assert office.house.pane.id == "pane-overview"
            await press(pilot, "f6")
            assert office.house.pane.id == "pane-quotas"
            screen = await press(pilot, "question_mark")
            assert "f6" in next(line for line in screen.splitlines() if "assess --table units" in line)

    run(test())


def test_the_file_lies_where_such_files_lie(tmp_path: Path) -> None:
    assert keymap_file() == tmp_path / "config" / "kpi-rules" / "keys.toml"


def test_opening_without_keymap_shows_no_remark(example: Path) -> None:
    async def test() -> None:
        async with opened(example) as (office, _pilot):
            assert "keys.toml" not in dump(office)

    run(test())
