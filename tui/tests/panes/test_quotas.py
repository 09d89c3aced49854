from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import kpi_rules as kr
from kpi_rules_tui.panes.quotas import QuotasPane
from kpi_rules_tui.widgets.cell import CellInput
from kpi_rules_tui.widgets.table import Table
from tui.tests.driver import dump, opened, press, run, until

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from kpi_rules_tui.app import Office

WIDE = (130, 36)


async def at(office: Office, pilot: Pilot[int], unit: str = "finance") -> QuotasPane:
    """Show the quotas with the cursor on a unit."""
    await press(pilot, "2")
    pane = office.house.pane
    assert isinstance(pane, QuotasPane)
    pane.find(unit)
    return pane


def edited(office: Office) -> list[tuple[str, int | None]]:
    """Return the units and amounts of the quotas that are not saved."""
    return [(edit.unit, edit.amount) for edit in office.desk.edits if isinstance(edit, kr.QuotaEdit)]


def effect(pane: QuotasPane) -> list[tuple[str, int, int]]:
    frame = pane.query_one("#quotas-effect", Table).frame
    return [] if frame is None else frame.select("rule", "before", "after").rows()


def test_a_quota_is_edited_where_it_stands_with_units(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            pane = await at(office, pilot)
            screen = await press(pilot, "enter")
            assert pane.query_one(CellInput).value == "3000万"
            line = next(line for line in screen.splitlines() if "市财政局" in line)
            assert "3000万" in line
            screen = await press(pilot, *"abc")
            assert "expected an amount such as 1500万, 2亿 or 30000.50" in screen
            await press(pilot, "enter")
            assert not office.desk.changed  # what is not valid is not taken
            await press(pilot, *["backspace"] * 3, *"2400万")
            await until(pilot, lambda: bool(effect(pane)))  # while it is typed
            assert not office.desk.changed
            await press(pilot, "enter")
            await until(pilot, lambda: office.desk.changed)
            assert office.desk.edits == (kr.QuotaEdit("finance", 2400_0000_00, "funds", date(2011, 1, 1)),)
            frame = pane.query_one("#quotas-table", Table).frame
            assert frame is not None
            row = frame.filter(frame["unit"] == "finance").row(0, named=True)
            assert (row["amount"], row["was"], row["state"]) == (2400_0000_00, 3000_0000_00, "changed")

    run(test())


def test_escape_leaves_a_quota_as_it_was(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            pane = await at(office, pilot)
            await press(pilot, "enter", *"1", "escape")
            assert not office.desk.changed
            assert not pane.query(CellInput)
            assert effect(pane) == []

    run(test())


def test_an_amount_beyond_all_bounds_says_the_bound(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            await at(office, pilot)
            assert "at most 2000亿" in await press(pilot, "enter", *"2001亿")

    run(test())


def test_a_new_revision_has_a_date_and_a_reason(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            await at(office, pilot, "water")
            screen = await press(pilot, "n")
            assert "New revision of 市水利局" in screen
            screen = await press(pilot, *"2012-01-01")
            assert "expected a date from 2011-01-01 to 2011-12-31" in screen
            assert "expected a few words" in screen
            await press(pilot, *["backspace"] * 10, *"2011-09-01", "tab", *["backspace"] * 9, *"1800万", "tab")
            await press(pilot, *"two projects moved", "enter")
            await until(pilot, lambda: office.desk.changed)
            (edit,) = office.desk.edits
            assert isinstance(edit, kr.QuotaEdit)
            assert (edit.unit, str(edit.effective), edit.note) == ("water", "2011-09-01", "two projects moved")
            assert "two projects moved" in dump(office)

    run(test())


def test_split_names_how_many_and_defaults_to_cancel(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            pane = await at(office, pilot, "government")
            rows = pane.query_one("#quotas-table", Table).frame
            assert rows is not None
            top = rows.row(0, named=True)["unit"]
            pane.find(top)
            await press(pilot, "enter", *"1亿", "enter")
            await until(pilot, lambda: office.desk.changed)
            pane.find(top)
            await press(pilot, "t", "enter")
            await until(pilot, lambda: "Take 5" in dump(office))
            assert "2,000.00万 yuan" in dump(office)
            await press(pilot, "enter")  # Cancel
            assert len(office.desk.edits) == 1
            pane.find(top)
            await press(pilot, "t", "enter")
            await until(pilot, lambda: "Take 5" in dump(office))
            await press(pilot, "right", "enter")
            await until(pilot, lambda: len(office.desk.edits) == 6)

    run(test())


def test_a_group_is_scaled_and_so_are_selected_rows(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            pane = await at(office, pilot)
            screen = await press(pilot, "x")
            assert "Scale the quotas of the group economic" in screen
            screen = await press(pilot, *["backspace"] * 4, *"0")
            assert "expected a decimal above 0, at most 100" in screen
            await press(pilot, *".5", "tab", *"a lean year", "enter")
            await until(pilot, lambda: "Take 3" in dump(office))
            await press(pilot, "right", "enter")
            await until(pilot, lambda: len(office.desk.edits) == 3)
            await press(pilot, "ctrl+z")
            await until(pilot, lambda: not office.desk.changed)
            pane.find("water")
            await press(pilot, "space", "x")
            assert "selected units: 1" in dump(office)
            await press(pilot, "tab", *"why", "enter")
            await until(pilot, lambda: "Take 1" in dump(office))
            await press(pilot, "right", "enter")
            await until(pilot, lambda: [unit for unit, _amount in edited(office)] == ["water"])

    run(test())


def test_a_row_is_removed_after_asking(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            await at(office, pilot, "archives")
            await press(pilot, "delete")
            await until(pilot, lambda: "400.00万 yuan → none" in dump(office))
            await press(pilot, "right", "enter")
            await until(pilot, lambda: office.desk.changed)
            assert "removed" in dump(office)

    run(test())


def test_selected_rows_are_removed_at_once_and_the_others_told(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            pane = await at(office, pilot, "water")
            await press(pilot, "n", *"2011-09-01", "tab", *"1800万", "tab", *"why", "enter")
            await until(pilot, lambda: office.desk.changed)
            one_revision = office.desk.edits
            rows = pane.edited.frame
            assert rows is not None
            assert rows.filter(rows["amount"].is_null())["unit"].to_list() == ["city"]
            await press(pilot, "ctrl+a", "delete")
            await until(pilot, lambda: office.screen.is_modal)
            screen = dump(office)
            assert "Remove quota rows: 7" in screen
            assert "left as they are: 1 (no quota)" in screen
            await press(pilot, "enter")  # Cancel
            assert office.desk.edits == one_revision
            await press(pilot, "delete")
            await until(pilot, lambda: "Take 7" in dump(office))
            await press(pilot, "right", "enter")
            await until(pilot, lambda: len(edited(office)) == 6)
            assert {amount for _unit, amount in edited(office)} == {None}  # the new revision is no edit any more
            assert "effective=2011-01-01" in await press(pilot, "c")
            await press(pilot, "escape", "delete")
            await until(pilot, lambda: "left as they are: 6 (removed already)" in dump(office))
            await press(pilot, "ctrl+z")
            await until(pilot, lambda: office.desk.edits == one_revision)

    run(test())


def test_what_is_selected_and_not_shown_is_left(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            pane = await at(office, pilot, "water")
            await press(pilot, "space", "slash", *"档案", "enter", "delete")
            await until(pilot, lambda: "left as they are: 1 (not shown)" in dump(office))
            assert not office.screen.is_modal
            await press(pilot, "ctrl+a", "delete")
            await until(pilot, lambda: "Remove quota rows: 1" in dump(office))
            assert "left as they are: 1 (not shown)" in dump(office)
            await press(pilot, "right", "enter")
            await until(pilot, lambda: edited(office) == [("archives", None)])
            assert pane.edited.selected

    run(test())


def test_what_the_workspace_would_not_have_is_left_and_the_others_done(example: Path) -> None:
    from kpi_rules_tui.desk import Desk

    desk = Desk(example)
    desk.take(desk.open())
    units = {"archives": 1, "water": 1, "nobody": 1, "finance": 1, "culture": kr.LIMIT + 1}
    edits = [kr.QuotaEdit(unit, amount, "funds", date(2011, 1, 1)) for unit, amount in units.items()]
    kept, whys = desk.sift(edits, frozenset())
    assert kept == [edits[0], edits[1], edits[3]]
    assert len(whys) == 2
    assert any("nobody" in why for why in whys)
    assert desk.made(kept) == tuple(kept)
    assert not desk.wrong(desk.made(kept))


def test_selected_units_get_a_new_revision_together(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            pane = await at(office, pilot, "water")
            await press(pilot, "space")
            pane.find("finance")
            screen = await press(pilot, "space", "n")
            assert "New revision of the selected units: 2" in screen
            await press(pilot, *"2011-09-01", "tab", *"1800万", "tab", *"agreed", "enter")
            await until(pilot, lambda: "New revision: 2" in dump(office))
            await press(pilot, "right", "enter")
            await until(pilot, lambda: len(edited(office)) == 2)
            assert {getattr(edit, "effective", None) for edit in office.desk.edits} == {date(2011, 9, 1)}
            await press(pilot, "ctrl+z")
            await until(pilot, lambda: not office.desk.changed)

    run(test())


def test_of_selected_rows_those_with_units_below_are_split(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            pane = await at(office, pilot, "city")
            await press(pilot, "ctrl+a", "t", "enter")  # the one above has no quota, the others nobody below
            await until(pilot, lambda: "left as they are: 1 (no quota)" in dump(office))
            assert "the unit above" not in dump(office)
            await press(pilot, "escape", "enter", *"1亿", "enter")
            await until(pilot, lambda: office.desk.changed)
            pane.find("city")
            await press(pilot, "ctrl+a", "t", "enter")
            await until(pilot, lambda: "Take 5" in dump(office))
            assert "left as they are: 6 (the unit above is split too)" in dump(office)
            await press(pilot, "escape", "escape", "ctrl+a")
            pane.find("city")
            await press(pilot, "space", "t", "enter")  # all but the one above
            await until(pilot, lambda: "left as they are: 1" in dump(office))
            assert not office.screen.is_modal
            assert len(office.desk.edits) == 1

    run(test())


def test_another_indicator(example: Path) -> None:
    file = example / "quotas.csv"
    file.write_text(file.read_text(encoding="utf-8").rstrip() + "\nfinance,signed,7,2011-01-01,\n", encoding="utf-8")

    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            pane = await at(office, pilot)
            await press(pilot, "i", "down", "enter")
            await until(pilot, lambda: pane.indicator == "signed")
            pane.find("finance")
            screen = await press(pilot, "enter", *"x")
            assert "expected a whole number above 0" in screen
            await press(pilot, "backspace", *"9", "enter")
            await until(pilot, lambda: office.desk.changed)
            assert edited(office) == [("finance", 9)]

    run(test())


def test_typed_ahead_keys_reach_the_field_they_are_meant_for(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            await at(office, pilot)
            for key in ("enter", *"2400万", "enter"):  # faster than anything is drawn
                office.simulate_key(key)
            await until(pilot, lambda: office.desk.changed)
            assert edited(office) == [("finance", 2400_0000_00)]
            assert not office.screen.is_modal

    run(test())
