from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kpi_rules_tui.remembered import MOST_WORKSPACES, Remembered, recall, remember, state_file
from kpi_rules_tui.widgets.table import Table
from tui.tests.driver import opened, press, run, until

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_remembered_is_recalled() -> None:
    made = Remembered(theme="kpi-light", language="zh", scale="YI", workspaces={"/a": {"pane": "quotas"}})
    remember(made)
    assert recall() == made


def test_only_the_last_workspaces_are_kept() -> None:
    remember(Remembered(workspaces={f"/{number}": {} for number in range(MOST_WORKSPACES + 3)}))
    assert list(recall().workspaces)[0] == "/3"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"theme": 3, "workspaces": []}', '{"workspaces": {"/a": 1}}', "[" * 9999]
)
def test_what_is_not_ours_is_as_if_it_were_not_there(text: str) -> None:
    state_file().parent.mkdir(parents=True)
    state_file().write_text(text, encoding="utf-8")
    assert recall() == Remembered()


def test_a_folder_that_cannot_be_written_is_no_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    remember(Remembered())
    assert recall() == Remembered()


def test_tab_filter_order_theme_and_unit_of_amounts_come_back(example: Path) -> None:
    async def first() -> None:
        async with opened(example) as (office, pilot):
            await press(pilot, "slash", *"office", "enter")
            await press(pilot, "right", "s", "m", "j")
            await press(pilot, "2")
            office.theme = "kpi-contrast"
            await press(pilot, "q")
            await until(pilot, lambda: office.return_code is not None)

    async def second() -> None:
        async with opened(example) as (office, pilot):
            assert office.house.pane.id == "pane-quotas"
            assert office.theme == "kpi-contrast"
            assert office.scale.name == "YI"
            await press(pilot, "1")
            table = office.house.pane.query_one(Table)
            assert (table.needle, table.order) == ("office", ("completion", False))

    run(first())
    run(second())


def test_a_state_that_does_not_fit_is_left(example: Path) -> None:
    key = str(example.resolve())
    odd = {"overview-units": {"filter": 3, "order": ["no", True], "row": {"a": 1}}}
    remember(Remembered(theme="no", scale="no", workspaces={key: {"pane": "no", "overview": odd}}))

    async def test() -> None:
        async with opened(example) as (office, _pilot):
            assert office.house.pane.id == "pane-overview"
            assert office.house.pane.query_one(Table).needle == ""

    run(test())
