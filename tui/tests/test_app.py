"""What can be done everywhere: save, undo, read again, another day, theme, language, palette, help, leaving."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

import kpi_rules as kr
from kpi_rules_tui.panes.unit import UnitScreen
from kpi_rules_tui.widgets.table import Table
from tui.tests.driver import check_drawn, dump, opened, press, run, settled, until

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from kpi_rules_tui.app import Office


async def change_quota(office: Office, pilot: Pilot[int], amount: str = "3500万") -> None:
    """Change the first quota of the worked example."""
    await press(pilot, "2")
    office.house.find("finance")
    await press(pilot, "enter", *amount, "enter")
    await until(pilot, lambda: office.desk.changed)


async def change_threshold(office: Office, pilot: Pilot[int], value: str = "0.9") -> None:
    """Change the threshold of the campaign's end."""
    await press(pilot, "3")
    table = office.house.pane.query_one("#policies-table", Table)
    assert table.go_to("parameter:field_duty.off_post_below||")
    before = len(office.desk.edits)
    await press(pilot, "enter", *value, "enter")
    await until(pilot, lambda: len(office.desk.edits) > before)


def test_saving_shows_old_and_new_and_defaults_to_cancel(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (100, 30)) as (office, pilot):
            before = (example / "quotas.csv").read_bytes()
            await change_quota(office, pilot)
            assert "not saved: 1" in dump(office)
            screen = await press(pilot, "ctrl+s")
            assert "3,000.00万 yuan → 3,500.00万 yuan" in screen
            assert office.focused is not None
            assert office.focused.id == "cancel"
            await press(pilot, "enter")
            assert (example / "quotas.csv").read_bytes() == before
            assert office.desk.changed

    run(test())


def test_save_then_undo_gives_the_file_back(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (100, 30)) as (office, pilot):
            files = [example / "quotas.csv", example / "kpi.toml"]
            before = [file.read_bytes() for file in files]
            await change_quota(office, pilot)
            await change_threshold(office, pilot)
            await press(pilot, "ctrl+s", "right", "enter")
            await until(pilot, lambda: not office.desk.changed and not office.reading)
            assert b"3500" in files[0].read_bytes()
            assert b"off_post_below = 0.9 " in files[1].read_bytes()
            assert b"# campaign_end: completion below this puts the head off post" in files[1].read_bytes()
            screen = await press(pilot, "ctrl+z")
            assert "Undo what was saved last?" in screen
            await press(pilot, "right", "enter")
            await until(pilot, lambda: [file.read_bytes() for file in files] == before)

    run(test())


def test_undo_takes_changes_back_one_by_one(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (100, 30)) as (office, pilot):
            await change_quota(office, pilot)
            await change_threshold(office, pilot)
            await press(pilot, "ctrl+z")
            await until(pilot, lambda: len(office.desk.edits) == 1)
            await press(pilot, "ctrl+z")
            await until(pilot, lambda: not office.desk.changed)
            await press(pilot, "ctrl+z")
            await until(pilot, lambda: "nothing to undo" in dump(office))
            assert "not saved" not in dump(office).splitlines()[0]

    run(test())


def test_anothers_edit_of_the_same_place_is_never_overwritten(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (100, 30)) as (office, pilot):
            await change_quota(office, pilot)
            file = example / "quotas.csv"
            theirs = file.read_bytes().replace(b"finance,funds,3000", b"finance,funds,3100")
            file.write_bytes(theirs)
            await press(pilot, "ctrl+s", "right", "enter")
            await until(pilot, lambda: office.screen.is_modal)
            screen = dump(office)
            assert "Not saved; nothing was written" in screen
            assert "3100万" in screen
            assert file.read_bytes() == theirs
            assert office.desk.changed

    run(test())


def test_anothers_edit_elsewhere_is_kept(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (100, 30)) as (office, pilot):
            await change_quota(office, pilot)
            file = example / "quotas.csv"
            file.write_bytes(file.read_bytes().replace(b"water,funds,2000", b"water,funds,2100"))
            await press(pilot, "ctrl+s", "right", "enter")
            await until(pilot, lambda: not office.desk.changed and not office.reading)
            written = file.read_bytes()
            assert b"finance,funds,3500" in written
            assert b"water,funds,2100" in written

    run(test())


def _says(office: Office, text: str) -> bool:
    return text in dump(office)


def content(folder: Path) -> dict[Path, bytes]:
    """Return every file below a folder with its bytes."""
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_readonly_refuses_every_change(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (100, 30), readonly=True) as (office, pilot):
            assert "read-only" in dump(office)
            before = content(example)
            for keys in ("2", "3"):
                await press(pilot, keys, "enter", "f4", "n", "t", "x", "o", "delete", "ctrl+s", "ctrl+z")
                while office.screen.is_modal:
                    await press(pilot, "escape")
            assert not office.desk.changed
            assert content(example) == before
            assert "Save" not in dump(office).splitlines()[-1]

    run(test())


def test_quit_asks_only_where_something_is_not_saved(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (100, 30)) as (office, pilot):
            await change_quota(office, pilot)
            assert "Leave without saving?" in await press(pilot, "q")
            await press(pilot, "enter")  # Cancel
            assert office.return_code is None
            await press(pilot, "q", "right", "enter")
            await until(pilot, lambda: office.return_code == 0)

    async def clean() -> None:
        async with opened(example, (100, 30)) as (office, pilot):
            await press(pilot, "q")
            await until(pilot, lambda: office.return_code == 0)

    run(test())
    run(clean())


def test_reading_again_keeps_what_is_not_saved(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (100, 30)) as (office, pilot):
            await change_quota(office, pilot)
            file = example / "quotas.csv"
            file.write_bytes(file.read_bytes().replace(b"water,funds,2000", b"water,funds,2100"))
            await press(pilot, "r")
            await settled(pilot)
            await until(pilot, lambda: office.desk.weighed is not None)
            assert office.desk.changed
            assert "2,100.00" in await press(pilot, "2")

    run(test())


def test_another_day(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (100, 30)) as (office, pilot):
            screen = await press(pilot, "d", *["backspace"] * 10, *"2011-13-01")
            assert "expected a date from 2011-01-01 to 2199-12-31, inclusive" in screen
            await press(pilot, "enter")
            assert office.screen.is_modal
            for beyond, last in (("2010-12-31", "2011-01-01"), ("2200-01-01", "2199-12-31")):
                assert "expected a date from" in await press(pilot, *["backspace"] * 10, *beyond)
                screen = await press(pilot, *["backspace"] * 10, *last)
                assert "expected a date" not in screen
                assert "the year ends on" in screen
            await press(pilot, *["backspace"] * 10, *"2011-06-30", "enter")
            await until(pilot, lambda: "as of 2011-06-30" in dump(office))

    run(test())


def test_language_changes_at_once_and_back(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (100, 30)) as (office, pilot):
            await press(pilot, "slash", *"office", "enter", "f3", "down", "enter")
            await until(pilot, lambda: "概览" in dump(office))
            assert office.house.pane.query_one(Table).needle == "office"
            assert office.remembered.language == "zh"
            check_drawn(office)
            await press(pilot, "f3", "up", "enter")
            await until(pilot, lambda: "Overview" in dump(office))

    run(test())


@pytest.mark.parametrize("name", ["kpi-dark", "kpi-light", "kpi-contrast", "kpi-terminal"])
def test_every_theme_draws(example: Path, name: str) -> None:
    async def test() -> None:
        async with opened(example, (100, 30)) as (office, pilot):
            await press(pilot, "f2")
            place = ["kpi-dark", "kpi-light", "kpi-contrast", "kpi-terminal"].index(name)
            await press(pilot, "home", *["down"] * place, "enter")
            assert office.theme == name
            for pane in "12345":
                await press(pilot, pane)
                check_drawn(office)

    run(test())


def test_no_color_draws_without_colours(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def test() -> None:
        async with opened(example, (100, 30)) as (office, _pilot):
            assert "not met" in dump(office)  # in words, not by colour alone
            styles = [
                segment.style for strip in office.screen._compositor.render_strips(office.size) for segment in strip
            ]
            filtered = [each for each in office.get_line_filters() if hasattr(each, "apply")]
            assert filtered
            assert styles

    run(test())


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("财政", ""), ("finance", "finance"), ("off_post", "field_duty.off_post"), ("quotas", "Quotas")],
)
def test_the_palette_finds_units_policies_and_actions(example: Path, typed: str, expected: str) -> None:
    if typed == "财政":
        units = example / "units.csv"
        units.write_text(units.read_text(encoding="utf-8").replace("Finance", "财政"), encoding="utf-8")

    async def test() -> None:
        async with opened(example, (100, 30)) as (office, pilot):
            await press(pilot, "ctrl+p", *typed)
            await until(pilot, lambda: (expected or typed) in dump(office))
            await pilot.pause(0.5)
            await press(pilot, "enter")
            await until(pilot, lambda: not office.screen.is_modal)
            if typed in {"finance", "财政"}:
                await until(pilot, lambda: isinstance(office.screen, UnitScreen))
            elif typed == "off_post":
                await until(pilot, lambda: office.house.pane.id == "pane-policies")
            else:
                await until(pilot, lambda: office.house.pane.id == "pane-quotas")

    run(test())


def test_help_is_drawn_from_the_live_bindings(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (120, 60)) as (office, pilot):
            screen = await press(pilot, "question_mark")
            assert "kpi-rules edit" in screen
            assert "In a table" in screen
            assert "Split" not in screen  # not valid here
            await press(pilot, "escape", "2")
            assert "kpi-rules edit --split UNIT" in await press(pilot, "question_mark")
            check_drawn(office)

    run(test())


def test_every_view_says_the_command_that_does_the_same(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (140, 40)) as (office, pilot):
            for key, words in (("1", "assess"), ("2", "assess"), ("3", "plugins"), ("5", "assess")):
                await press(pilot, key, "c")
                await until(pilot, partial(_says, office, f"kpi-rules {words} "))
                await press(pilot, "escape")
                await until(pilot, lambda: not office.screen.is_modal)
            await press(pilot, "1", "enter")
            await until(pilot, lambda: isinstance(office.screen, UnitScreen))
            assert "kpi-rules explain " in await press(pilot, "c")
            await press(pilot, "escape", "escape")
            await change_threshold(office, pilot)
            await press(pilot, "v")
            # Without what stands before it, where the line may be broken.
            await until(pilot, partial(_says, office, "field_duty.off_post_below=0.9"))

    run(test())


def test_the_unit_of_amounts(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (140, 30)) as (office, pilot):
            assert "quota (万 yuan)" in dump(office)
            assert "quota (亿 yuan)" in await press(pilot, "m")
            assert "30,000,000.00" in await press(pilot, "m")

    run(test())


def test_a_failure_that_was_not_foreseen_leaves_the_app_usable(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (140, 30)) as (office, pilot):

            def broken() -> None:
                raise RuntimeError("[@click=app.quit]no[/]")

            assert await office.off(broken) is None
            await until(pilot, lambda: "[@click=app.quit]no[/]" in dump(office))
            assert "the details are in" in dump(office)
            assert "1 Overview" in await press(pilot, "2", "1")

    run(test())


def test_a_crash_ends_the_app_and_keeps_the_story(example: Path) -> None:
    before = content(example)
    kept: list[Office] = []

    def broken() -> None:
        raise RuntimeError("broken")

    async def test() -> None:
        async with opened(example) as (office, pilot):
            kept.append(office)
            office.call_later(broken)
            await pilot.pause(0.2)

    with pytest.raises(RuntimeError, match="broken"):
        run(test())
    assert isinstance(kept[0].fault, RuntimeError)
    assert content(example) == before


def test_edits_of_all_kinds_are_made_through_the_public_api(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (120, 40)) as (office, pilot):
            await change_quota(office, pilot)
            await change_threshold(office, pilot)
            table = office.house.pane.query_one("#policies-table", Table)
            table.go_to("rule:supervision.talk")
            await press(pilot, "o")
            await until(pilot, lambda: len(office.desk.edits) == 3)
            kinds = {type(edit) for edit in office.desk.edits}
            assert kinds == {kr.QuotaEdit, kr.ParameterEdit, kr.SwitchEdit}

    run(test())
