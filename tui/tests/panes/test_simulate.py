"""The pane Simulate: A alone, what is asked, and what it refuses."""

from __future__ import annotations

import csv
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

import kpi_rules as kr
from kpi_rules_tui.panes.outcomes import VIEWS
from kpi_rules_tui.trial import Asked
from tui.tests.driver import check_drawn, copied, dump, edit, opened, press, run, until
from tui.tests.panes.simulating import DAY, EXAMPLE, MILDER, figures, pane_of, simulated

if TYPE_CHECKING:
    from pathlib import Path


# -- A alone ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
def test_nothing_runs_by_itself_and_it_says_how(size: tuple[int, int]) -> None:
    async def test() -> None:
        async with opened(EXAMPLE, size) as (office, pilot):
            screen = await press(pilot, "4")
            check_drawn(office)
            assert "as of 2011-09-30: 2,000 draws, seed 1" in screen
            assert "nothing is simulated yet; Ctrl+R runs it" in screen
            assert "^r Run" in screen
            assert "Cancel" not in screen
            assert office.desk.trial is None

    run(test())


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
def test_a_is_what_the_library_says(size: tuple[int, int]) -> None:
    async def test() -> None:
        async with opened(EXAMPLE, size) as (office, pilot):
            screen = await simulated(office, pilot)
            check_drawn(office)
            trial = office.desk.trial
            assert trial is not None
            assert trial.b is None
            expected = kr.simulate(kr.load(EXAMPLE), DAY, draws=2_000, seed=1)
            assert figures(trial.a) == figures(expected)
            assert "A: as saved" in screen
            assert "to 2011-12-31; 95% intervals are of the chances" in screen
            row = expected.of_unit("finance").row(-1, named=True)
            assert "市财政局" in screen
            assert f"{row['chance']:.1%}" in screen
            assert "known" in screen  # the band of the unit under the cursor
            wide = size[0] >= 120
            assert ("units that meet the task: share of draws" in screen) == wide
            assert ("quota" in screen) == wide

    run(test())


def test_every_view_is_drawn_and_holds_what_it_should() -> None:
    expected = {
        "Units": ["95% interval", "80% band", "市商务局"],
        "Rules": ["units hit, mean", "surely", "possibly", "Section-level pay withheld"],
        "Measures": ["measure", "months, mean", "Head off post"],
        "Money": ["what (", "pay withheld", "pay released", "pay still held", "rewards", "median", "80% band"],
        "Assumptions": ["too little to rely on: widened", "enough", "season"],
    }

    async def test() -> None:
        async with opened(EXAMPLE, (160, 45)) as (office, pilot):
            screen = await simulated(office, pilot)
            for title, words in expected.items():
                check_drawn(office)
                assert f"[{title}]" in screen
                for word in words:
                    assert word in screen, (title, word)
                screen = await press(pilot, "t")
            assert "[Units]" in screen  # who changes is no question without B

    run(test())


def test_charts_are_chosen_by_a_key_where_there_is_room_for_one() -> None:
    async def test() -> None:
        async with opened(EXAMPLE) as (office, pilot):
            screen = await simulated(office, pilot)
            assert "completion" in screen
            assert "share of draws" not in screen
            screen = await press(pilot, "o")
            assert "share of draws" in screen
            screen = await press(pilot, "o")
            assert "share of draws" not in screen
            assert "80% band 0.0%" not in screen
            assert "completion" in await press(pilot, "o")

    run(test())


def test_the_band_follows_the_cursor_and_enter_opens_the_unit() -> None:
    async def test() -> None:
        async with opened(EXAMPLE, (160, 45)) as (office, pilot):
            screen = await simulated(office, pilot)
            assert "市档案局: completion" in screen
            screen = await press(pilot, "j")
            assert "市文化局: completion" in screen
            screen = await press(pilot, "enter")
            assert "Timeline" in screen
            assert "culture" in screen
            assert "市文化局: completion" in await press(pilot, "escape")

    run(test())


# -- what is asked ---------------------------------------------------------------------------------------------------


def test_day_draws_and_seed_are_checked_as_they_are_typed() -> None:
    wrong = {"day": ["2011-12-31", "2010-12-31", "soon", ""], "draws": ["0", "1000001", "-1", "1.5", ""], "seed": ["x"]}

    async def test() -> None:
        async with opened(EXAMPLE) as (office, pilot):
            await press(pilot, "4", "n")
            screen = dump(office)
            assert "a date from 2011-01-01 to 2011-12-30, inclusive" in screen
            assert "a whole number from 1 to 1,000,000" in screen
            done: Any = office.screen.query_one("#done")
            assert not done.disabled
            for name, values in wrong.items():
                field: Any = office.screen.query_one(f"#field-{name}")
                before = field.value
                for value in values:
                    field.value = value
                    await pilot.pause()
                    assert done.disabled, (name, value)
                    assert "expected a" in dump(office)
                field.value = before
                await pilot.pause()
                assert not done.disabled
            for name, value in (("day", "2011-06-30"), ("draws", "300"), ("seed", "9")):
                entry: Any = office.screen.query_one(f"#field-{name}")
                entry.value = value
            await pilot.click("#done")
            await until(pilot, lambda: office.desk.trial is not None)
            trial = office.desk.trial
            assert trial is not None
            assert trial.asked == Asked(date(2011, 6, 30), 300, 9)
            assert "as of 2011-06-30: 300 draws, seed 9" in dump(office)

    run(test())


def test_what_the_library_refuses_is_said_and_the_rest_goes_on() -> None:
    async def test() -> None:
        async with opened(EXAMPLE, (160, 45)) as (office, pilot):
            screen = await simulated(office, pilot, Asked(date(2011, 1, 31), 100, 1))
            assert "cannot be simulated: as_of: found no funds by 2011-01-31" in screen
            assert office.desk.trial is None
            pane_of(office).asked = Asked(DAY, 100, 1)
            assert "cannot" not in await simulated(office, pilot)

    run(test())


def test_what_was_chosen_is_remembered() -> None:
    async def test() -> None:
        async with opened(EXAMPLE) as (office, pilot):
            await simulated(office, pilot, Asked(DAY, 300, 9))
            await press(pilot, "t", "down", "o")
            office.keep()
        async with opened(EXAMPLE) as (office, pilot):
            screen = await press(pilot, "4")
            assert "300 draws, seed 9" in screen
            assert "[Rules]" in screen
            await simulated(office, pilot)
            assert pane_of(office).table.place == 1

    run(test())


# -- the rest --------------------------------------------------------------------------------------------------------


def test_the_same_from_the_command_line() -> None:
    async def test() -> None:
        async with opened(EXAMPLE) as (office, pilot):
            await press(pilot, "4")
            pane = pane_of(office)
            how = "--as-of 2011-09-30 --draws 2000 --seed 1"
            assert pane.same() == [f"kpi-rules simulate {EXAMPLE} {how}"]
            edit(office, MILDER)
            compare = f"kpi-rules compare {EXAMPLE} --set pay_withholding.section_below=0.4 {how}"
            assert pane.same()[1:] == [compare]
            edit(office, MILDER, kr.QuotaEdit("finance", 300_000_000))
            copied, edited, compared = pane.same()[1:]
            assert copied == f"cp -r {EXAMPLE} {EXAMPLE}-b"
            assert edited.startswith(f"kpi-rules edit {EXAMPLE}-b ")
            assert edited.endswith(" --save")
            assert "finance=" in edited
            assert compared == f"kpi-rules compare {EXAMPLE} {EXAMPLE}-b {how}"

    run(test())


def test_export_is_what_is_shown(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(EXAMPLE, (160, 45)) as (office, pilot):
            edit(office, MILDER)
            await simulated(office, pilot)
            await press(pilot, "slash", *"市财", "enter", "e")
            field: Any = office.screen.query_one("#field-file")
            field.value = str(tmp_path / "units.csv")
            await pilot.pause()
            await press(pilot, "enter")

    run(test())
    with (tmp_path / "units.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1
    assert rows[0]["unit"] == "市财政局"
    assert rows[0]["B less A"] == "0"


@pytest.mark.parametrize("name", ["[@click=app.quit]", "a[/b]", "\x1b[31mred", "\u202eback"])
def test_names_are_data(name: str, tmp_path: Path) -> None:
    folder = copied("worked-example", tmp_path / "workspace")
    units = folder / "units.csv"
    units.write_text(units.read_text(encoding="utf-8").replace("市档案局", name), encoding="utf-8")
    if kr.load(folder).errors:
        pytest.skip("refused as it is read")

    async def test() -> None:
        async with opened(folder, (160, 45)) as (office, pilot):
            edit(office, MILDER)
            screen = await simulated(office, pilot)
            check_drawn(office)
            assert screen.count(kr.safe(name)[:8]) >= 2  # in the table and above its chart
            await pilot.click("#simulate-fan", offset=(3, 0))
            await pilot.pause()
            assert office.is_running
            for _view in VIEWS:
                await press(pilot, "t")
                check_drawn(office)

    run(test())


def test_a_workspace_with_errors_is_not_simulated(tmp_path: Path) -> None:
    folder = copied("worked-example", tmp_path / "workspace")
    (folder / "units.csv").unlink()

    async def test() -> None:
        async with opened(folder) as (office, pilot):
            screen = await press(pilot, "4", "ctrl+r")
            assert "the workspace has errors" in screen
            assert "^r Run" not in screen
            assert office.desk.trial is None

    run(test())
