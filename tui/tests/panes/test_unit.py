"""The page of a unit: what is on the screen at once, and what keys reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import kpi_rules as kr
from kpi_rules_tui.panes.unit import UnitScreen
from kpi_rules_tui.widgets.table import Table
from tui.tests.driver import check_drawn, copied, dump, opened, press, run, until

if TYPE_CHECKING:
    from pathlib import Path


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
