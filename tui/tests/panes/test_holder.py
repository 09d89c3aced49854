"""What all that has tables does with them: here the page of a unit, which has several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_rules_tui.panes.holder import FilterLine
from kpi_rules_tui.panes.unit import UnitScreen
from kpi_rules_tui.widgets.table import Table
from tui.tests.driver import check_drawn, dump, opened, press, read, run, settled

if TYPE_CHECKING:
    from pathlib import Path


def test_a_table_of_the_page_is_filtered_and_escape_clears_before_it_goes_back(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (140, 40)) as (office, pilot):
            await press(pilot, "enter", "slash", *"2011-0")
            assert isinstance(office.screen, UnitScreen)
            assert "9 of 13 match '2011-0'" in dump(office)
            table = office.screen.query_one("#unit-timeline", Table)
            await press(pilot, "escape")
            assert dump(office).count("Timeline") == 1
            assert (table.count, office.focused) == (13, table)
            await press(pilot, "slash", *"07", "enter", "escape")
            assert table.count == 13
            assert not office.screen.query_one(FilterLine).has_class("-open")
            await press(pilot, "escape")
            assert "1 Overview" in dump(office)

    run(test())


def test_a_table_of_the_page_is_exported(example: Path, tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(example, (140, 40)) as (office, pilot):
            await press(pilot, "enter", "tab", "tab", "e", *str(tmp_path / "out.csv"), "enter")
            await settled(pilot)
            written = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
            assert written[1].startswith("Bearing works,市财政局,")
            assert "written:" in dump(office)

    run(test())


def test_the_page_says_so_when_its_unit_or_the_assessment_is_gone(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (140, 40)) as (office, pilot):
            await press(pilot, "j", "enter")
            file = example / "units.csv"
            text = file.read_text(encoding="utf-8")
            file.write_text(text + "water,again,city,,\n", encoding="utf-8")
            await press(pilot, "r")
            await settled(pilot)
            assert "the workspace has errors" in dump(office)
            check_drawn(office)
            file.write_text(text, encoding="utf-8")
            await press(pilot, "r")
            await settled(pilot)
            assert "117.5%" in dump(office)
            for name in (
                "units.csv",
                "quotas.csv",
                "evidence/claims.csv",
                "evidence/projects.csv",
                "evidence/staff.csv",
            ):
                path = example / name
                kept = [line for line in path.read_text(encoding="utf-8").splitlines() if "water" not in line]
                path.write_text("\n".join(kept) + "\n", encoding="utf-8")
            await press(pilot, "r")
            await settled(pilot)
            assert "the unit is no longer there" in dump(office)
            await press(pilot, "n", "escape")
            assert office.screen is office.house

    run(test())


def test_a_row_in_full_has_the_columns_there_is_no_room_for_and_no_fen(example: Path) -> None:
    async def test() -> None:
        async with opened(example) as (office, pilot):
            assert "quota" not in dump(office)
            text = await read(pilot, "p")
            assert "quota (万 yuan): 3,000.00" in text
            assert "unit: finance" in text
            assert "3000000000" not in text
            await press(pilot, "escape", "m", "2")
            assert "sum below" not in dump(office)
            assert "sum below (亿 yuan): 1.0900" in await read(pilot, "p")

    run(test())
