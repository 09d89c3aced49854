"""Every workspace with something wrong opens, says what, and leaves the app usable."""

from __future__ import annotations

from pathlib import Path

import pytest

import kpi_rules as kr
from kpi_rules_tui.widgets.table import Table
from tui.tests.driver import check_drawn, dump, opened, press, run

ROOT = Path(__file__).resolve().parents[2]
CASES = [folder for folder in (ROOT / "tests" / "bad").iterdir() if folder.is_dir() and folder.name != "__pycache__"]


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_opens_and_shows_what_is_wrong(folder: Path) -> None:
    expected = kr.load(folder)

    async def test() -> None:
        async with opened(folder, (160, 40)) as (office, pilot):
            if expected.errors:
                assert "5 Evidence" in dump(office)
                assert f"errors: {len(expected.errors)}; see Evidence" in dump(office)
            else:
                assert "errors:" not in dump(office)
                await press(pilot, "5")
            pane = office.house.query_one("EvidencePane")
            screen = dump(office)
            assert f"Problems {len(expected.problems)}" in screen
            assert f"Quarantine {expected.quarantine.height}" in screen
            if expected.problems:
                pane.find("problems")  # type: ignore[attr-defined]  # (it is a pane)
                await pilot.pause()
                table = office.house.query_one("#evidence-problems", Table)
                assert table.frame is not None
                assert table.frame["message"].to_list() == [problem.message for problem in expected.problems]
                screen = dump(office)
                shown = expected.problems[: office.size.height - 8]
                assert all(problem.code in screen for problem in shown)
            check_drawn(office)
            await press(pilot, "enter")
            check_drawn(office)
            await press(pilot, "escape", "1", "5")
            check_drawn(office)

    run(test())


def test_nothing_is_edited_without_a_usable_year() -> None:
    """What can be read is shown; every edit is refused with what is wrong, and nothing fails."""

    async def test() -> None:
        async with opened(ROOT / "tests" / "bad" / "half-a-year-and-more", (160, 40)) as (office, pilot):
            assert "3,000.00" in await press(pilot, "2", "down")
            await press(pilot, "enter", *"5", "enter")
            assert "no key end" in dump(office)
            for key in ("n", "t", "x", "delete"):
                await press(pilot, key, "escape")
                check_drawn(office)
            assert "Head stationed above a gap" in await press(pilot, "3")
            assert "no key end" in await press(pilot, "o")
            for key in ("n", "f", "delete"):
                await press(pilot, key, "escape")
                check_drawn(office)
            assert not office.desk.changed

    run(test())
