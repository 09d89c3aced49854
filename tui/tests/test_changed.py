"""What edits change, as it is read before it is done and while it is not saved."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import kpi_rules as kr
from kpi_rules_tui import changed
from kpi_rules_tui.amounts import Scale
from tui.tests.driver import change, check_drawn, dump, edit, opened, press, read, run, until

if TYPE_CHECKING:
    from pathlib import Path

WIDE = (140, 40)
EDITS = (
    kr.QuotaEdit("finance", 3_500_000_000),
    kr.QuotaEdit("water", 2_500_000_000, "funds", date(2011, 7, 1)),
    kr.ParameterEdit("field_duty.off_post_below", Decimal("0.6")),
    kr.ParameterEdit("supervision.talk_after", 2, date(2011, 7, 1), "economic"),
    kr.SwitchEdit("field_duty.leave_post", on=False),
    kr.SwitchEdit("rewards", on=False),
)


def written(folder: Path, *edits: kr.QuotaEdit | kr.ParameterEdit | kr.SwitchEdit) -> list[str]:
    saved = kr.load(folder)
    found = changed.lines(kr.changes(saved, edits), [saved, saved.with_edits(edits)], Scale.WAN)
    return [line.plain for line in found]


def test_what_is_changed_goes_by_its_name(example: Path) -> None:
    assert written(example, *EDITS) == [
        "Off post below, campaign  0.50 → 0.6",
        "Talk after lagging month-ends economic 2011-07-01  3 → 2",
        "Head leaves the post  on → off",
        "rewards  on → off",
        "市财政局 funds 2011-01-01  3,000.00万 yuan → 3,500.00万 yuan",
        "市水利局 funds 2011-07-01  2,000.00万 yuan → 2,500.00万 yuan",
    ]


def test_in_chinese_too(example: Path) -> None:
    kr.set_language("zh")
    assert written(example, *EDITS)[:5] == [
        "会战离岗：完成率低于  0.50 → 0.6",
        "连续落后月末数达到即谈话 economic 2011-07-01  3 → 2",
        "主要负责人离职招商  启用 → 停用",
        "rewards  启用 → 停用",
        "市财政局 认定金额 2011-01-01  3,000.00 万元 → 3,500.00 万元",
    ]


def test_where_two_are_called_alike_the_id_is_beside_the_name(example: Path) -> None:
    change(example / "units.csv", "water,市水利局", "water,Ｆinance Bureau")
    change(example / "units.csv", "finance,市财政局", "finance,Finance bureau")
    edits = [kr.QuotaEdit(unit, 10**9) for unit in ("finance", "water", "trade")]
    assert [line.partition(" funds")[0] for line in written(example, *edits)] == [
        "Finance bureau (finance)",
        "Ｆinance Bureau (water)",
        "市商务局",
    ]


def test_two_parameters_called_alike_are_told_apart(example: Path) -> None:
    policy = """
from attrs import define
from kpi_rules import hookimpl, ratio

@define(frozen=True)
class Settings:
    one: object = ratio("0.25", label="Share [b]")
    two: object = ratio("0.25", label="share [b]")
    three: object = ratio("0.25", label="")

@hookimpl
def kpi_settings():
    return Settings
"""
    (example / "summer.py").write_text(policy, encoding="utf-8")
    change(example / "kpi.toml", "[plugins]", '[plugins]\nlocal = ["summer.py"]')
    edits = [kr.ParameterEdit(f"summer.{name}", Decimal("0.5")) for name in ("one", "two", "three")]
    assert written(example, *edits) == [
        "Share [b] (summer.one)  0.25 → 0.5",
        "share [b] (summer.two)  0.25 → 0.5",
        "summer.three  0.25 → 0.5",
    ]


def test_saving_undoing_and_what_is_not_saved_say_the_names_and_the_command_the_ids(example: Path) -> None:
    names = ["市财政局 funds 2011-01-01", "Off post below, campaign", "Head leaves the post  on"]

    async def test() -> None:
        async with opened(example, WIDE) as (office, pilot):
            edit(office, *EDITS)
            text = await read(pilot, "v")
            assert all(name in text for name in names)
            assert "field_duty.off_post_below=0.6" in text
            assert "finance" in text.split("kpi-rules edit")[1]
            await press(pilot, "escape", "ctrl+s")
            await until(pilot, lambda: office.screen.is_modal)
            screen = dump(office)
            assert all(name in screen for name in names)
            assert "off_post_below" not in screen
            check_drawn(office)
            await press(pilot, "right", "enter")
            await until(pilot, lambda: not office.desk.changed and not office.reading)
            await press(pilot, "ctrl+z")
            await until(pilot, lambda: "Undo what was saved last?" in dump(office))
            screen = dump(office)
            assert all(name in screen for name in [*names[:2], "Head leaves the post"])
            assert "3,500.00万 yuan → 3,000.00万 yuan" in screen

    run(test())
