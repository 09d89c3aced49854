from __future__ import annotations

import json
import os
import stat
from contextlib import asynccontextmanager
from datetime import date
from threading import Event
from typing import TYPE_CHECKING

import pytest

import kpi_rules as kr
from kpi_rules_tui.app import Office
from kpi_rules_tui.desk import Desk, Opened
from kpi_rules_tui.files import MOST_FILES
from kpi_rules_tui.panes.unit import UnitScreen
from kpi_rules_tui.remembered import state_file
from kpi_rules_tui.seen import KEPT, MOST_ROWS, Seen, elsewhere, keep, made_of, recall
from kpi_rules_tui.widgets.table import Table
from tui.tests.driver import change, check_drawn, dump, edit, opened, press, run, settled, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from textual.pilot import Pilot

SEEN = Seen("a name", "2011-12-31", ({"unit": "bureau", "completion": 0.5, "rank": None},), ("met: 0",))


class Slow(Desk):
    """A desk that reads only when it may."""

    may: Event

    def _open(self) -> Opened:
        assert self.may.wait(60)
        return super()._open()


def slow(folder: Path) -> Slow:
    desk = Slow(folder)
    desk.may = Event()
    return desk


async def left(folder: Path, *keys: str, size: tuple[int, int] = (80, 24)) -> None:
    """Open a workspace, press keys, and leave."""
    async with opened(folder, size) as (office, pilot):
        await press(pilot, *keys, "q")
        await until(pilot, lambda: office.return_code is not None)


@asynccontextmanager
async def again(folder: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Office, Pilot[int], Event]]:
    """Open a workspace that was left, and wait until it is being read; it is not before the event is set."""
    desk = slow(folder)
    office = Office(desk, seen=recall(folder, None))
    async with office.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: office.reading)
        yield office, pilot, desk.may


def words(office: Office) -> list[list[str]]:
    """Return what stands in the rows of the screen; widths are taken from all rows that are there."""
    return [line.split() for line in dump(office).splitlines()[2:-2]]


def files() -> list[Path]:
    return list(state_file().parent.glob("seen-*"))


# -- what is kept ------------------------------------------------------------------------------------------------------


def test_what_was_kept_is_recalled_by_its_user_alone(example: Path) -> None:
    keep(example, made_of(example, None), SEEN)
    assert recall(example, None) == SEEN
    (file,) = files()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["kpi.toml", "units.csv"])
def test_it_is_not_shown_once_a_file_is_another(example: Path, name: str) -> None:
    keep(example, made_of(example, None), SEEN)
    os.utime(example / name, (1, 1))
    assert recall(example, None) is None


def test_it_is_not_shown_once_there_is_one_file_more(example: Path) -> None:
    keep(example, made_of(example, None), SEEN)
    (example / "more.py").write_text("")
    assert recall(example, None) is None


def test_it_is_of_one_day_and_in_one_language(example: Path) -> None:
    keep(example, made_of(example, None), SEEN)
    assert recall(example, date(2011, 6, 30)) is None
    kr.set_language("zh")
    assert recall(example, None) is None


def test_of_one_workspace_it_is_never_shown_for_another(example: Path, tmp_path: Path) -> None:
    keep(example, made_of(example, None), SEEN)
    assert recall(tmp_path, None) is None


def test_a_large_workspace_is_read_before_it_is_shown(example: Path) -> None:
    rows = ({"unit": "bureau"},) * (MOST_ROWS + 1)
    keep(example, made_of(example, None), Seen("", "", rows, ()))
    assert not files()
    for number in range(MOST_FILES + 1):
        (example / f"{number}.txt").touch()
    assert made_of(example, None) == ""
    keep(example, made_of(example, None), SEEN)
    assert not files()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "[" * 9999, "{}", '{"made_of": 1}', '{"made_of": "", "title": "", "day": "", "rows": [], "more": []}'],
)
def test_what_is_not_ours_is_as_if_it_were_not_there(example: Path, text: str) -> None:
    keep(example, made_of(example, None), SEEN)
    files()[0].write_text(text, encoding="utf-8")
    assert recall(example, None) is None


@pytest.mark.parametrize(
    ("key", "value"), [("rows", [{"unit": []}]), ("rows", [3]), ("more", [1]), ("rows", [{"a": True}])]
)
def test_neither_is_what_has_other_values_than_ours(example: Path, key: str, value: object) -> None:
    keep(example, made_of(example, None), SEEN)
    (file,) = files()
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    assert recall(example, None) is None


def test_where_nothing_can_be_kept_nothing_is(example: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    keep(example, made_of(example, None), SEEN)
    assert recall(example, None) is None
    assert made_of(tmp_path / "nowhere", None) == made_of(tmp_path / "nowhere", None)


def test_what_nobody_opens_any_more_is_forgotten(example: Path, tmp_path: Path) -> None:
    keep(example, made_of(example, None), SEEN)
    old = files()[0]
    os.utime(old, (old.stat().st_mtime - (KEPT + 1) * 24 * 60 * 60,) * 2)
    keep(tmp_path, made_of(tmp_path, None), SEEN)
    assert old not in files()
    assert len(files()) == 1


def test_tables_that_change_unseen_are_not_kept(example: Path) -> None:
    assert not elsewhere(kr.load(example))
    change(example / "kpi.toml", '"units.csv"', '"../units.csv"')
    (example.parent / "units.csv").write_bytes((example / "units.csv").read_bytes())
    assert elsewhere(kr.load(example))
    run(left(example))
    assert not files()


# -- what is shown -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
def test_the_overview_is_there_before_the_workspace_is_read(example: Path, size: tuple[int, int]) -> None:
    async def second() -> None:
        async with again(example, size) as (office, pilot, may):
            before = dump(office)
            check_drawn(office)
            assert "as last seen, as of 2011-12-31" in before
            assert "reading" in before
            may.set()
            await settled(pilot)
            after = dump(office)
            assert "as last seen" not in after
            assert before.splitlines()[2:] == after.splitlines()[2:]

    run(left(example, size=size))
    run(second())


def test_filter_order_and_cursor_are_those_that_were_left(example: Path) -> None:
    async def second() -> None:
        async with again(example) as (office, pilot, may):
            table = office.house.pane.query_one(Table)
            before, unit = words(office), table.at
            assert unit is not None
            assert table.needle == "pay"
            may.set()
            await settled(pilot)
            assert words(office) == before
            assert table.at == unit

    run(left(example, "slash", *"pay", "enter", "right", "s", "j"))
    run(second())


def test_the_cursor_goes_and_a_unit_opens_once_it_can(example: Path) -> None:
    async def second() -> None:
        async with again(example) as (office, pilot, may):
            table = office.house.pane.query_one(Table)
            first = table.at
            await press(pilot, "j", "space")
            unit = table.at
            assert len({first, unit}) == 2
            assert len(table.selected) == 1
            await press(pilot, "enter")
            assert not isinstance(office.screen, UnitScreen)
            may.set()
            await until(pilot, lambda: isinstance(office.screen, UnitScreen))
            screen = office.screen
            assert isinstance(screen, UnitScreen)
            assert screen.unit == unit
            assert len(table.selected) == 1

    run(left(example))
    run(second())


def test_another_width_shows_other_columns_of_what_was_seen(example: Path) -> None:
    async def second() -> None:
        async with again(example) as (office, pilot, may):
            assert "credited" not in dump(office)
            await pilot.resize_terminal(140, 40)
            await until(pilot, lambda: "credited" in dump(office))
            may.set()
            await settled(pilot)

    run(left(example))
    run(second())


def test_every_key_is_safe_while_it_is_read(example: Path) -> None:
    async def second() -> None:
        async with again(example) as (office, pilot, may):
            for key in (
                "s",
                "a",
                "y",
                "f",
                "e",
                "escape",
                "i",
                "escape",
                "G",
                "g",
                "v",
                "escape",
                "equals_sign",
                "escape",
            ):
                await press(pilot, key)
            assert office.fault is None
            may.set()
            await settled(pilot)
            check_drawn(office)

    run(left(example))
    run(second())


@pytest.mark.parametrize("pane", ["quotas", "policies", "simulate", "evidence"])
def test_other_panes_wait_until_it_is_read(example: Path, pane: str) -> None:
    async def second() -> None:
        async with again(example) as (office, pilot, may):
            assert office.house.pane.id == f"pane-{pane}"
            assert "as last seen" not in dump(office)
            assert "as last seen" in await press(pilot, "1")
            await press(pilot, str(["quotas", "policies", "simulate", "evidence"].index(pane) + 2))
            may.set()
            await settled(pilot)
            assert office.house.pane.id == f"pane-{pane}"
            check_drawn(office)

    run(left(example, str(["quotas", "policies", "simulate", "evidence"].index(pane) + 2)))
    run(second())


def test_errors_take_the_place_of_what_was_seen(example: Path) -> None:
    async def second() -> None:
        async with again(example) as (office, pilot, may):
            (example / "kpi.toml").write_text("[")
            may.set()
            await settled(pilot)
            assert office.house.pane.id == "pane-evidence"
            await press(pilot, "1")
            assert "the workspace has errors" in dump(office)
            assert "as last seen" not in dump(office)

    run(left(example))
    run(second())


def test_what_is_not_saved_is_not_kept(example: Path) -> None:
    async def first() -> None:
        async with opened(example) as (office, _pilot):
            edit(office, kr.ParameterEdit("field_duty.off_post_below", 0.9))
            office.keep()

    run(first())
    assert not files()
