"""Keys that come faster than the program: each does what it does when typed slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import kpi_rules as kr
from kpi_rules_tui.typeahead import Passed, Typeahead
from kpi_rules_tui.widgets.table import Table
from tui.tests.driver import at_once, opened, run, until

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot


async def done(pilot: Pilot[Any]) -> None:
    app: Any = pilot.app
    await pilot.pause()
    await until(pilot, lambda: not app.typeahead.waiting)


def test_a_filter_an_edit_and_its_value(example: Path) -> None:
    async def play() -> None:
        async with opened(example) as (office, pilot):
            at_once(office, *"3/gap", "enter", "enter", *"0.11", "enter")
            await until(pilot, lambda: len(office.desk.edits) == 1)
            (edit,) = office.desk.edits
            assert isinstance(edit, kr.ParameterEdit)
            assert (edit.name, str(edit.value)) == ("field_duty.station_gap", "0.11")

    run(play())


def test_pages_and_back(example: Path) -> None:
    async def play() -> None:
        async with opened(example) as (office, pilot):
            at_once(office, "enter", "escape", "2", "down", "enter", "escape", "3", "1", "down", "enter")
            await done(pilot)
            await until(pilot, lambda: getattr(office.screen, "unit", None) is not None)
            assert not office.desk.edits
            at_once(office, "escape")
            await done(pilot)
            assert office.house.pane.id == "pane-overview"
            assert office.house.pane.table.place == 1

    run(play())


@pytest.mark.parametrize("taken", [True, False])
def test_a_key_that_is_not_answered_holds_nothing_up(
    example: Path, monkeypatch: pytest.MonkeyPatch, *, taken: bool
) -> None:
    async def play() -> None:
        async with opened(example) as (office, pilot):
            kept = Table.post_message

            def post(self: Table, message: Any) -> bool:  # noqa: ANN401 (any message)
                return taken if isinstance(message, Passed) else kept(self, message)

            monkeypatch.setattr(Table, "post_message", post)
            monkeypatch.setattr("kpi_rules_tui.typeahead.LOST", 10)
            at_once(office, "down", "down")
            await until(pilot, lambda: office.house.pane.table.place == 2)
            await done(pilot)

    run(play())


def test_what_opens_nothing_holds_keys_up_for_a_moment_only(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        async with opened(example) as (office, pilot):
            monkeypatch.setattr(Table, "action_open", lambda _table: None)
            at_once(office, "enter", "down")
            assert isinstance(office.typeahead, Typeahead)
            await until(pilot, lambda: office.house.pane.table.place == 1)

    run(play())
