from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import date
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

import kpi_rules as kr
from kpi_rules_tui import standing
from kpi_rules_tui.app import Office
from kpi_rules_tui.desk import Desk, read
from kpi_rules_tui.panes.unit import UnitScreen
from kpi_rules_tui.widgets.table import Table
from tui.tests.driver import check_drawn, dump, opened, press, run, settled, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from textual.pilot import Pilot


class Sending:
    """Sends as a process that reads beside does; all that was read only when it may."""

    def __init__(self, folder: Path, as_of: date | None) -> None:
        """Read at once."""
        found = read(folder, as_of)
        self.messages = (standing.glimpse(found), found)
        self.may = Event()

    def message(self, number: int) -> Any:  # noqa: ANN401 (whatever is sent)
        """Return what is sent."""
        assert not number or self.may.wait(60)
        return self.messages[number]

    def end(self) -> None:
        """Do nothing: there is no process."""


@asynccontextmanager
async def glimpsed(
    folder: Path, size: tuple[int, int] = (80, 24), as_of: date | None = None
) -> AsyncIterator[tuple[Office, Pilot[int], Event]]:
    """Open a workspace of which the overview came, and nothing more before the event is set."""
    sending: Any = Sending(folder, as_of)
    office = Office(Desk(folder, as_of=as_of), beside=sending)
    async with office.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: office.reading and office.seen is not None)
        await until(pilot, lambda: office.house._active != "")
        yield office, pilot, sending.may


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
@pytest.mark.parametrize("lang", ["en", "zh_Hans"])
def test_the_overview_is_there_before_all_that_was_read(example: Path, size: tuple[int, int], lang: str) -> None:
    kr.set_language(lang)
    day = date(2011, 9, 30)

    async def test() -> None:
        async with glimpsed(example, size, day) as (office, pilot, may):
            before = dump(office)
            check_drawn(office)
            assert "2011-09-30" in before.splitlines()[0]
            may.set()
            await settled(pilot)
            assert before.splitlines()[2:] == dump(office).splitlines()[2:]

    run(test())


def test_it_is_not_called_as_last_seen(example: Path) -> None:
    async def test() -> None:
        async with glimpsed(example) as (office, pilot, may):
            assert "reading  │  as of 2011-12-31" in dump(office)
            assert "last seen" not in dump(office)
            may.set()
            await settled(pilot)

    run(test())


def test_a_unit_opens_once_it_can(example: Path) -> None:
    async def test() -> None:
        async with glimpsed(example) as (office, pilot, may):
            await press(pilot, "j", "enter")
            unit = office.house.pane.query_one(Table).at
            assert not isinstance(office.screen, UnitScreen)
            may.set()
            await until(pilot, lambda: isinstance(office.screen, UnitScreen))
            screen: Any = office.screen
            assert screen.unit == unit

    run(test())


def test_where_rows_are_filtered_or_ordered_they_wait_for_all(example: Path) -> None:
    async def leave() -> None:
        async with opened(example) as (office, pilot):
            await press(pilot, "slash", *"pay", "enter", "q")
            await until(pilot, lambda: office.return_code is not None)

    async def test() -> None:
        async with glimpsed(example) as (office, pilot, may):
            assert not office.house.pane.query_one(Table).count
            may.set()
            await settled(pilot)
            table = office.house.pane.query_one(Table)
            assert table.needle == "pay"
            assert 0 < table.count < table.total

    run(leave())
    run(test())


def test_another_pane_waits_for_all(example: Path) -> None:
    async def leave() -> None:
        async with opened(example) as (office, pilot):
            await press(pilot, "2", "q")
            await until(pilot, lambda: office.return_code is not None)

    async def test() -> None:
        async with glimpsed(example) as (office, pilot, may):
            assert office.house.pane.id == "pane-quotas"
            assert "met:" in await press(pilot, "1")
            await press(pilot, "2")
            may.set()
            await settled(pilot)
            assert office.house.pane.id == "pane-quotas"
            assert office.house.pane.query_one(Table).count

    run(leave())
    run(test())


def test_of_a_workspace_with_errors_nothing_comes_first(example: Path) -> None:
    (example / "kpi.toml").write_text("[", encoding="utf-8")
    assert standing.glimpse(read(example, None)) is None


def test_of_too_many_units_nothing_comes_first(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "MOST_ROWS", 1)
    assert standing.glimpse(read(example, None)) is None


def test_what_is_read_again_is_read_here(example: Path) -> None:
    async def test() -> None:
        async with glimpsed(example) as (office, pilot, may):
            may.set()
            await settled(pilot)
            (example / "units.csv").unlink()
            await press(pilot, "r")
            await until(pilot, lambda: not office.reading)
            assert office.assessment is None

    run(test())
