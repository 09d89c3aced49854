from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules_tui.desk import Desk
from kpi_rules_tui.panes.policies import PoliciesPane
from kpi_rules_tui.panes.profile import ProfileScreen
from kpi_rules_tui.texts import safe
from kpi_rules_tui.widgets.cell import CellInput
from kpi_rules_tui.widgets.table import Table
from tui.tests.driver import check_drawn, dump, opened, press, run, until

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from kpi_rules_tui.app import Office

WIDE = (140, 40)
STATION = "parameter:field_duty.station_gap||"

THIRD_PARTY = '''
"""A policy of somebody else, with every kind of setting."""

from attrs import define
from kpi_rules import Rule, at, choice, count, flag, hookimpl, money, parameters, ratio, texts, unit


@define(frozen=True)
class Settings:
    least: object = ratio("0.25", label="Least [b]share[/]", help="Between none and all", maximum="1")
    sum: object = money("10万", label="Sum")
    times: object = count(3, label="Times", maximum=12)
    strict: object = flag(False, label="Strict")
    grades: object = texts(["head"], label="Grades", choices=["head", "section"])
    way: object = choice("mild", label="Way", choices=["mild", "harsh"])


p = parameters("summer", Settings)
IDLE = Rule("idle", kind="talk", subject="head", when=at.mid_year & (unit.completion < p.least), reason="idle")


@hookimpl
def kpi_settings():
    return Settings


@hookimpl
def kpi_policy_rules():
    return [IDLE]
'''


def _count(office: Office, number: int) -> bool:
    return len(office.desk.edits) == number


async def at(office: Office, pilot: Pilot[int], row: str) -> PoliciesPane:
    """Show the policies with the cursor on a row."""
    await press(pilot, "3")
    pane = office.house.pane
    assert isinstance(pane, PoliciesPane)
    assert pane.query_one("#policies-table", Table).go_to(row)
    await pilot.pause()
    return pane


def test_a_value_is_checked_while_it_is_typed_and_its_effect_shown(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            pane = await at(office, pilot, STATION)
            screen = dump(office)
            assert "At a month-end, a pace gap above this (exclusive)" in screen
            assert "expected: a decimal of at most nine places from 0 to 1" in screen
            screen = await press(pilot, "enter", *"1.5")
            assert "expected a decimal of at most nine places from 0 to 1" in screen
            await until(pilot, lambda: all(each.is_finished for each in office.workers if each.group == "preview"))
            assert "expected a decimal of at most nine places from 0 to 1" in dump(office)
            await press(pilot, *["backspace"] * 3, *"0.9")
            await until(pilot, lambda: "Head stationed" in dump(office).split("What the changes do")[1])
            assert not office.desk.changed
            await press(pilot, "enter")
            await until(pilot, lambda: office.desk.changed)
            assert office.desk.edits == (kr.ParameterEdit("field_duty.station_gap", Decimal("0.9")),)
            rule = pane.query_one("#policies-table", Table)
            rule.go_to("rule:field_duty.station_head")
            assert "4 → " in dump(office)

    run(test())


def test_an_amount_is_shown_in_the_unit_chosen_and_typed_as_ever(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            await at(office, pilot, "parameter:pay_withholding.deposit_reward||")
            assert "0.00万 yuan" in dump(office)
            await press(pilot, "enter", *"12345.67", "enter")
            await until(pilot, lambda: office.desk.changed)
            assert "1.234567万 yuan" in dump(office)
            assert "12,345.67 yuan" in await press(pilot, "m", "m")
            await press(pilot, "enter")
            assert office.screen.query_one(CellInput).value == "12345.67"  # as it is typed
            assert "0.00 yuan → 12,345.67 yuan" in await press(pilot, "escape", "ctrl+s")

    run(test())


def test_the_condition_is_shown_in_words(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            await at(office, pilot, "rule:field_duty.station_head")
            screen = dump(office)
            assert "(at_month_end and pace_gap >" in screen
            assert "sources: M7" in screen
            assert "field_duty.station_gap" in await press(pilot, "p")

    run(test())


def test_a_condition_in_chinese_names_its_columns_in_chinese(example: Path) -> None:
    text = """
[[indicator]]
name = "jobs"
kind = "count"
value = "funds // 100"
label = "新增岗位[b]"

[[rule]]
name = "idle"
kind = "talk"
subject = "head"
when = "at_year_end AND jobs < 5 AND completion < 0.5"
reason = "idle"
"""
    (example / "kpi.toml").write_text((example / "kpi.toml").read_text(encoding="utf-8") + text, encoding="utf-8")
    kr.set_language("zh")

    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            await at(office, pilot, "rule:field_duty.station_head")
            assert "(月末 且 进度差距 > field_duty.station_gap)" in dump(office)
            await at(office, pilot, "rule:local.idle")
            assert "((年末 且 新增岗位[b] < 5) 且 完成率 < 0.5)" in dump(office)
            check_drawn(office)

    run(test())


def test_dated_and_per_group_values(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            await at(office, pilot, STATION)
            screen = await press(pilot, "n", "tab", *"2011-07-01", "tab", *"economics")
            assert "expected one of" in screen
            await press(pilot, "backspace", "enter")
            await until(pilot, lambda: office.desk.changed)
            (edit,) = office.desk.edits
            assert isinstance(edit, kr.ParameterEdit)
            assert (str(edit.from_on), edit.group) == ("2011-07-01", "economic")
            await at(office, pilot, "parameter:field_duty.station_gap|2011-07-01|economic")
            assert "↳ 2011-07-01 economic" in dump(office)
            await press(pilot, "delete")
            await until(pilot, lambda: len(office.desk.steps) == 2)
            assert "economic" not in dump(office)

    run(test())


def test_rules_and_policies_are_switched(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            await at(office, pilot, "rule:supervision.talk")
            await press(pilot, "o")
            await until(pilot, lambda: office.desk.edits == (kr.SwitchEdit("supervision.talk", on=False),))
            assert "→ 0" in dump(office)
            await at(office, pilot, "policy:rewards")
            await press(pilot, "o")
            await until(pilot, lambda: len(office.desk.edits) == 2)
            await at(office, pilot, "policy:safeguards")
            assert "installed, and not in use" in dump(office)
            await press(pilot, "o")
            await until(pilot, lambda: len(office.desk.edits) == 3)

    run(test())


def test_selected_policies_and_rules_are_switched_at_once(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            pane = await at(office, pilot, "rule:supervision.talk")
            await press(pilot, "o")
            await until(pilot, lambda: office.desk.edits == (kr.SwitchEdit("supervision.talk", on=False),))
            frame = pane.edited.frame
            assert frame is not None
            names = frame.filter(frame["kind"] == "rule")["name"].to_list()
            rules = [name for name in names if name.startswith("field_duty.")]
            pane.edited.selected = {
                *(f"rule:{name}" for name in ["supervision.talk", *rules]),
                "policy:field_duty",
                "policy:rewards",
                STATION,
            }
            await press(pilot, "o")
            await until(pilot, lambda: office.screen.is_modal)
            screen = dump(office)
            assert "Switch off: 2" in screen
            assert "left as they are: 1 (no policy and no rule): field_duty.station_gap" in screen
            assert f"left as they are: {len(rules)} (the policy is switched off as a whole)" in screen
            assert "field_duty.leave_post, field_duty.off_post" in screen
            assert "left as they are: 1 (off already): supervision.talk" in screen
            await press(pilot, "right", "enter")
            await until(pilot, lambda: len(office.desk.edits) == 3)
            assert "--off rewards" in await press(pilot, "c")
            await press(pilot, "escape", "ctrl+z")
            await until(pilot, lambda: len(office.desk.edits) == 1)
            pane.edited.selected = {"rule:supervision.talk"}
            await press(pilot, "o")
            await until(pilot, lambda: "Switch on: 1" in dump(office))

    run(test())


def test_a_value_is_for_one_row_and_that_is_said_where_several_are_selected(example: Path) -> None:
    alone = "Enter and n change the cursor's row alone"

    async def test() -> None:
        async with opened(example) as (office, pilot):
            pane = await at(office, pilot, "parameter:field_duty.off_post_below||")
            assert alone not in dump(office)
            pane.edited.action_up()
            screen = await press(pilot, "space", "space")
            assert f"selected: 2  │  {alone}" in screen
            await press(pilot, "k", "enter")
            await until(pilot, lambda: "Enter takes it for this row alone" in dump(office))
            await press(pilot, *["backspace"] * 4, *"0.9", "enter")
            await until(pilot, lambda: office.desk.changed)
            assert office.desk.edits == (kr.ParameterEdit("field_duty.off_post_below", Decimal("0.9")),)
            await until(pilot, lambda: f"selected: 2  │  {alone}" in dump(office))
            assert alone not in await press(pilot, "escape")
            await press(pilot, "enter")
            await until(pilot, lambda: "Enter takes it, Esc leaves it as it was" in dump(office))

    run(test())


def test_selected_values_are_removed_at_once(example: Path) -> None:
    desk = Desk(example)
    desk.edits = (kr.ParameterEdit("field_duty.station_gap", Decimal("0.9"), None, "economic"),)

    async def test() -> None:
        async with opened(example, WIDE, desk=desk) as (office, pilot):
            pane = await at(office, pilot, STATION)
            frame = pane.edited.frame
            assert frame is not None
            written = frame.filter(frame["kind"] == "parameter", frame["state"] != "default")["row"].to_list()
            assert f"{STATION.rstrip('|')}||economic" in written
            await press(pilot, "ctrl+a", "delete")
            await until(pilot, lambda: office.screen.is_modal)
            assert f"Remove values: {len(written)}" in dump(office)
            assert "(the default applies already)" in dump(office)
            assert "(no value of a parameter)" in dump(office)
            await press(pilot, "right", "enter")
            await until(pilot, lambda: len(office.desk.steps) == 1)
            assert len(office.desk.edits) == len(written) - 1  # what was not saved is no edit any more
            assert all(isinstance(edit, kr.ParameterEdit) and edit.value is None for edit in office.desk.edits)
            assert "--unset" in await press(pilot, "c")
            await press(pilot, "escape", "ctrl+z")
            await until(pilot, lambda: len(office.desk.edits) == 1)

    run(test())


def test_a_long_question_is_scrolled_and_keeps_its_buttons(example: Path) -> None:
    desk = Desk(example)
    days = [date(2011, month, 1) for month in range(1, 13)]
    names = ("field_duty.station_gap", "field_duty.off_post_below")
    desk.edits = tuple(kr.ParameterEdit(name, Decimal("0.9"), day, "economic") for name in names for day in days)

    async def test() -> None:
        async with opened(example, desk=desk) as (office, pilot):
            await at(office, pilot, STATION)
            await press(pilot, "slash", *"economic", "enter", "ctrl+a", "delete")
            await until(pilot, lambda: "Take 24" in dump(office))
            line = "Off post below, campaign economic 2011-12-01"
            assert line not in dump(office)
            assert line in await press(pilot, "pagedown", "down")
            assert line not in await press(pilot, "pageup", "up")

    run(test())


def test_a_third_partys_settings_make_a_form_of_their_own(example: Path) -> None:
    (example / "policies").mkdir()
    (example / "policies" / "summer.py").write_text(THIRD_PARTY, encoding="utf-8")
    file = example / "kpi.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("[plugins]", '[plugins]\nlocal = ["policies/summer.py"]'), encoding="utf-8")

    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            assert office.desk.workspace is not None
            assert office.desk.workspace.errors == []
            await at(office, pilot, "parameter:summer.least||")
            assert "Least [b]share[/]" in dump(office)
            check_drawn(office)
            assert "expected an amount" not in dump(office)
            typed = {"least": "0.5", "sum": "20万", "times": "5", "grades": "head, section"}
            for number, (name, value) in enumerate(typed.items(), 1):
                await at(office, pilot, f"parameter:summer.{name}||")
                await press(pilot, "enter", *value, "enter")
                await until(pilot, partial(_count, office, number))
            await at(office, pilot, "parameter:summer.strict||")
            await press(pilot, "enter")
            await until(pilot, lambda: len(office.desk.edits) == 5)
            await at(office, pilot, "parameter:summer.way||")
            await press(pilot, "enter", "down", "enter")
            await until(pilot, lambda: len(office.desk.edits) == 6)
            current = office.desk.current
            assert current is not None
            values = {name: entries[0].value for name, entries in current.parameters.entries.items()}
            assert values["summer.least"] == Decimal("0.5")
            assert values["summer.sum"] == 20_0000_00
            assert values["summer.times"] == 5
            assert values["summer.grades"] == ("head", "section")
            assert values["summer.strict"] is True
            assert values["summer.way"] == "harsh"

    run(test())


def test_a_list_whose_items_have_commas_is_edited_as_it_is_shown(example: Path) -> None:
    (example / "policies").mkdir()
    free = THIRD_PARTY.replace(', choices=["head", "section"]', "")
    (example / "policies" / "summer.py").write_text(free, encoding="utf-8")
    file = example / "kpi.toml"
    text = file.read_text(encoding="utf-8").replace("[plugins]", '[plugins]\nlocal = ["policies/summer.py"]')
    file.write_text(text + '\n[summer]\ngrades = ["park, port", "head"]\n', encoding="utf-8")

    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            pane = await at(office, pilot, "parameter:summer.grades||")
            assert "expected: a list of texts; one with a comma in quotation" in dump(office)
            await press(pilot, "enter")
            assert pane.query_one(CellInput).value == '["park, port", head]'
            screen = await press(pilot, "end", "backspace")  # no longer closed
            assert "expected a list of texts; one with a comma in quotation marks" in screen
            await press(pilot, *', "a]b"]', "enter")
            await until(pilot, lambda: office.desk.changed)
            assert office.desk.edits == (kr.ParameterEdit("summer.grades", ("park, port", "head", "a]b")),)
            assert """--set 'summer.grades=["park, port", "head", "a]b"]'""" in await press(pilot, "c")
            await press(pilot, "escape", "ctrl+s", "right", "enter")
            await until(pilot, lambda: bool(office.desk.saved))
            assert 'grades = ["park, port", "head", "a]b"]' in file.read_text(encoding="utf-8")

    run(test())


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=6), max_size=3))
def test_a_list_reads_the_same_with_what_a_field_draws_as_escapes(items: list[str]) -> None:
    setting = kr.Setting("summer.grades", "texts", (), "Grades")
    assert setting.typed(safe(setting.show(tuple(items)))) == items


def test_the_profile_shows_where_rules_apply_and_the_cliffs(example: Path) -> None:
    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            await at(office, pilot, STATION)
            await press(pilot, "f")
            await until(pilot, lambda: "counted to" in dump(office))
            screen = dump(office)
            assert "Head off post" in screen
            assert "█" in screen
            assert "100.00%" in screen  # a cliff
            assert "29,999,999.99" in screen  # the input below it, to the fen
            assert "more credit is nowhere worse" in screen
            assert isinstance(office.screen, ProfileScreen)
            assert "kpi-rules sweep" in await press(pilot, "c")
            await press(pilot, "escape", "n")
            await until(pilot, lambda: "市水利局" in dump(office).splitlines()[0])
            await press(pilot, "escape")
            assert "policy, parameter, rule" in dump(office)

    run(test())


def test_a_glance_is_quick_enough_to_follow_typing(example: Path) -> None:
    """That the figures of a glance are those of the whole assessment; how long it takes is for the benchmarks."""
    desk = Desk(example)
    desk.take(desk.open())
    edits = (kr.ParameterEdit("field_duty.station_gap", Decimal("0.9")), kr.SwitchEdit("supervision.talk", on=False))
    glance, whole = desk.glance(edits), desk.weigh(edits)
    assert desk.assessment is not None
    assert glance.assessment is not None
    assert whole.assessment is not None
    quick = kr.difference(desk.assessment, glance.assessment)
    slow = kr.difference(desk.assessment, whole.assessment)
    assert quick.rules.equals(slow.rules)
    assert quick.money.equals(slow.money)
    assert not quick.none
