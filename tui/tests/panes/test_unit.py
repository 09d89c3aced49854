"""The page of a unit: what is on the screen at once, what keys reach; its parts by names, the row in full with ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules_tui.panes.unit import UnitScreen
from kpi_rules_tui.widgets.table import Table
from tui.tests.driver import change, check_drawn, copied, dump, opened, press, read, run, until

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from kpi_rules_tui.app import Office

WIDE = (140, 40)


async def page(office: Office, pilot: Pilot[int], unit: str) -> UnitScreen:
    """Show the page of a unit."""
    office.open_unit(unit)
    await pilot.pause()
    await pilot.pause()
    assert isinstance(office.screen, UnitScreen)
    return office.screen


def test_units_projects_and_rules_go_by_their_names_and_the_row_in_full_has_the_ids(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            screen = await page(office, pilot, "finance")
            assert "Bearing works" in dump(office).split("Credit")[1]
            assert "finance" not in dump(office).split("Credit")[1]
            screen.query_one("#unit-waterfall", Table).focus()
            text = await read(pilot, "p")
            assert "project: J01" in text
            assert "unit: finance" in text
            await press(pilot, "escape")
            screen.query_one("#unit-ledger", Table).focus()
            text = await read(pilot, "p")
            assert "rule: pay_withholding.section" in text
            assert "person: P01" in text  # persons appear by id
            check_drawn(office)

    run(test())


def test_projects_called_alike_have_their_ids_beside(example: Path) -> None:
    change(example / "evidence" / "projects.csv", "Cold store", "bearing WORKS")

    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            await page(office, pilot, "water")
            assert "bearing WORKS (J02)" in dump(office)

    run(test())


def test_what_supersedes_a_measure_goes_by_its_label(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            screen = await page(office, pilot, "archives")
            assessment = office.assessment
            assert assessment is not None
            found = assessment.events.filter(pl.col("event") == "superseded")
            assert "archives" in found["unit"]
            heads = [line.text for line in screen._lines if line.head]
            assert "Section-level pay withheld: superseded by Pay of all staff withheld" in heads

    run(test())


def test_a_unit_without_projects_says_so(example: Path) -> None:
    claims = example / "evidence" / "claims.csv"
    lines = claims.read_text(encoding="utf-8").splitlines()
    claims.write_text("\n".join([line for line in lines if "water" not in line]) + "\n", encoding="utf-8")
    projects = example / "evidence" / "projects.csv"
    lines = projects.read_text(encoding="utf-8").splitlines()
    projects.write_text("\n".join([line.replace(",water,", ",trade,") for line in lines]) + "\n", encoding="utf-8")

    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            await page(office, pilot, "water")
            assert "no projects" in dump(office)

    run(test())


def test_credit_is_in_the_unit_chosen_and_pay_in_yuan(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            screen = await page(office, pilot, "finance")
            ledger = screen.query_one("#unit-ledger", Table)
            for unit in ("万 yuan", "亿 yuan", "yuan"):
                units = {
                    part: {
                        column.title.rpartition(" (")[2]
                        for column in screen.query_one(f"#unit-{part}", Table).columns
                        if "yuan" in column.title
                    }
                    for part in ("timeline", "waterfall", "ledger")
                }
                assert units == {"timeline": {f"{unit})"}, "waterfall": {f"{unit})"}, "ledger": {"yuan)"}}
                (said,) = screen.more()
                assert said == "withheld 8,760.00 = given back 0.00 + outstanding 8,760.00 (yuan)"
                ledger.focus()
                text = await read(pilot, "p")
                assert "withheld (yuan): 820.00" in text
                assert "82000" not in text
                await press(pilot, "escape", "m")
            check_drawn(office)

    run(test())


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Timeline", "Why", "withheld: ends", "is below", "Credit")),
        ("zh", ("进度", "原因", "工资: 结束", "低于", "认定额")),
    ],
)
def test_in_24_lines_why_is_on_the_screen_and_tab_reaches_the_rest(
    tmp_path: Path, language: str, words: tuple[str, ...]
) -> None:
    folder = copied("hundred-days", tmp_path / "w")
    kr.set_language(language)

    async def test() -> None:
        async with opened(folder) as (office, pilot):
            await press(pilot, "1", "enter")
            await until(pilot, lambda: isinstance(office.screen, UnitScreen))
            screen = dump(office)
            at = [screen.index(word) for word in words]
            assert at == sorted(at)  # one below the other
            timeline = office.screen.query_one("#unit-timeline", Table)
            assert timeline.current is not None
            assert str(timeline.current["tick"]) == "2011-12-31"  # how it stands
            for part in ("why", "waterfall", "ledger", "timeline"):
                await press(pilot, "tab")
                table = office.screen.query_one(f"#unit-{part}", Table)
                assert office.focused is table
                assert office.screen.region.contains_region(table.region)
                assert table.size.height > 3
                check_drawn(office)
            assert timeline.region.y == 2  # back at the top

    run(test())


def test_with_more_room_the_parts_stand_two_by_two_and_the_cursor_at_the_start(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (120, 40)) as (office, pilot):
            await press(pilot, "1", "enter")
            await until(pilot, lambda: isinstance(office.screen, UnitScreen))
            parts = [office.screen.query_one(f"#part-{name}") for name in ("timeline", "why", "waterfall", "ledger")]
            assert [(part.region.x // 60, part.size.height) for part in parts] == [(0, 16), (1, 16), (0, 17), (1, 17)]
            timeline = office.screen.query_one("#unit-timeline", Table)
            assert timeline.place == 0

    run(test())
