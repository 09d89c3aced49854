"""The table: keys, filter, order, selection, copy, and a million rows."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from rich.cells import cell_len
from textual.app import App

from kpi_rules_tui.amounts import Scale
from kpi_rules_tui.widgets import rows as searching
from kpi_rules_tui.widgets.table import Column, Table
from tui.tests.driver import check_drawn, dump, lines, press, run, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import pytest
    from textual.app import ComposeResult
    from textual.pilot import Pilot

COLUMNS = (Column("name", "name"), Column("amount", "amount", Scale.YUAN.show, right=True), Column("note", "note"))


def frame(count: int = 50) -> pl.DataFrame:
    """Make rows whose names count up and whose amounts count down."""
    return pl.DataFrame(
        {
            "name": [f"U{number:03d}" for number in range(count)],
            "amount": [(count - number) * 100 for number in range(count)],
            "note": [None if number % 10 else "Tenth" for number in range(count)],
        }
    )


class Alone(App[None]):
    """A table and nothing else; what it asks for is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give the colour that our themes have."""
        return {"muted": "#808080"}

    def compose(self) -> ComposeResult:
        """Lay out the table."""
        yield Table("name", id="alone")

    def on_table_asked(self, event: Table.Asked) -> None:
        """Note it."""
        self.asked.append(event.what)


@asynccontextmanager
async def alone(shown: pl.DataFrame, columns: Sequence[Column] = COLUMNS) -> AsyncIterator[tuple[Table, Pilot[None]]]:
    """Show a frame."""
    app = Alone()
    async with app.run_test(size=(60, 12)) as pilot:
        table = app.query_one(Table)
        table.show(shown, columns)
        table.focus()
        await pilot.pause()
        yield table, pilot


def test_keys_move_the_cursor_and_the_screen_follows() -> None:
    async def test() -> None:
        async with alone(frame()) as (table, pilot):
            for keys, place in (
                ("j", 1),
                ("down", 2),
                ("k", 1),
                ("up", 0),
                ("k", 0),
                ("pagedown", 10),
                ("ctrl+f", 20),
                ("pageup", 10),
                ("G", 49),
                ("j", 49),
                ("g", 0),
                ("end", 49),
                ("home", 0),
            ):
                screen = await press(pilot, keys)
                assert table.place == place, keys
                assert f"U{place:03d}" in screen, keys
            check_drawn(pilot.app)

    run(test())


def test_the_chosen_column_is_brought_onto_the_screen() -> None:
    wide = frame().with_columns(**{f"more{number}": pl.lit(f"value {number}") for number in range(8)})
    columns = [*COLUMNS, *(Column(f"more{number}", f"more {number}") for number in range(8))]

    async def test() -> None:
        async with alone(wide, columns) as (table, pilot):
            assert "value 7" not in dump(pilot.app)
            assert "value 7" in await press(pilot, *["l"] * 10)
            assert table.column == 10
            assert "U000" in await press(pilot, *["h"] * 10)
            check_drawn(pilot.app)

    run(test())


def test_filter_finds_shown_columns_in_any_case_and_escape_clears() -> None:
    async def test() -> None:
        async with alone(frame()) as (table, pilot):
            table.narrow("tENth")
            assert (table.count, table.total) == (5, 50)
            table.narrow("u04")
            assert table.count == 10
            table.narrow("[no such")
            assert table.count == 0
            await pilot.pause()
            assert "nothing matches; Esc shows all" in dump(pilot.app)
            assert table.current is None
            await press(pilot, "j", "k", "G", "enter", "space", "y", "s", "escape")
            assert table.count == 50
            assert table.needle == ""

    run(test())


def test_the_cursor_comes_back_after_a_filter_that_found_nothing() -> None:
    async def test() -> None:
        async with alone(frame()) as (table, pilot):
            table.go_to("U033")
            table.narrow("nowhere")
            table.narrow("")
            await pilot.pause()
            assert table.current is not None
            assert table.current["name"] == "U033"
            assert "U033" in dump(pilot.app)

    run(test())


def test_sort_shows_its_direction_and_turns_round() -> None:
    async def test() -> None:
        async with alone(frame()) as (table, pilot):
            await press(pilot, "l")
            screen = await press(pilot, "s")  # amounts begin with the greatest
            assert "amount ▼" in screen
            assert table.order == ("amount", True)
            screen = await press(pilot, "s", "g")
            assert "amount ▲" in screen
            assert table.current is not None
            assert table.current["amount"] == 100
            await press(pilot, "l", "s", "g")
            assert table.order == ("note", False)
            assert table.current["note"] is None or table.current["note"] == "Tenth"
            notes = table.shown_rows
            assert notes is not None
            assert notes["note"].to_list() == ["Tenth"] * 5 + [None] * 45  # no value comes last

    run(test())


def test_a_click_on_a_title_sorts_and_a_second_one_on_a_row_opens() -> None:
    async def test() -> None:
        async with alone(frame()) as (table, pilot):
            await pilot.click(Table, offset=(3, 0))
            assert table.order == ("name", False)
            await pilot.click(Table, offset=(3, 4))
            assert table.place == 3

    run(test())


def test_a_refresh_keeps_cursor_scroll_filter_order_and_selection() -> None:
    async def test() -> None:
        async with alone(frame()) as (table, pilot):
            await press(pilot, "l", "s", "s", "g")
            table.narrow("u0")
            for _number in range(20):
                table.action_down()
            await press(pilot, "space", "space", "k")
            await pilot.pause()
            before, at, scroll = dump(pilot.app), table.current, table.scroll_offset
            table.show(frame(), COLUMNS)
            await pilot.pause()
            assert (dump(pilot.app), table.current, table.scroll_offset) == (before, at, scroll)
            more = pl.concat([frame(3).with_columns(name=pl.lit("A") + pl.col("name")), frame()])
            table.show(more, COLUMNS)
            await pilot.pause()
            assert table.current == at
            assert len(table.selected) == 2
            gone = frame().filter(~pl.col("name").is_in(list(map(str, table.selected))))
            table.show(gone, COLUMNS)
            assert not table.selected
            assert table.order == ("amount", False)
            table.nothing("why")
            await pilot.pause()
            assert "why" in dump(pilot.app)
            table.show(frame(), COLUMNS)
            assert table.current is not None

    run(test())


def test_rows_are_selected_one_by_one_and_all() -> None:
    async def test() -> None:
        async with alone(frame()) as (table, pilot):
            screen = await press(pilot, "space", "j", "space")
            assert table.selected == {"U000", "U002"}
            assert screen.count("●") == 2
            assert [row["name"] for row in table.chosen] == ["U000", "U002"]
            await press(pilot, "escape")
            assert not table.selected
            assert [row["name"] for row in table.chosen] == ["U003"]
            table.narrow("tenth")
            await press(pilot, "ctrl+a")
            assert table.selected == {"U000", "U010", "U020", "U030", "U040"}
            await press(pilot, "ctrl+a")
            assert not table.selected

    run(test())


def test_copy_takes_the_rows_chosen_as_shown() -> None:
    async def test() -> None:
        async with alone(frame()) as (table, pilot):
            await press(pilot, "y")
            assert pilot.app.clipboard == "U000\t50.00\tTenth"
            await press(pilot, "space", "space", "y")
            assert pilot.app.clipboard == "U000\t50.00\tTenth\nU001\t49.00\t"
            hostile = frame(1).with_columns(name=pl.lit("a\tb\x1b[31m\nc"))
            table.show(hostile, COLUMNS)
            await press(pilot, "y")
            assert pilot.app.clipboard.count("\t") == 2
            assert "\x1b" not in pilot.app.clipboard

    run(test())


def test_more_rows_than_a_clipboard_takes_are_not_copied() -> None:
    async def test() -> None:
        async with alone(frame(3_000)) as (_table, pilot):
            await press(pilot, "ctrl+a", "y")
            app: Any = pilot.app
            assert app.clipboard == ""
            assert app.asked[-1] == "too many"

    run(test())


def test_chinese_columns_are_aligned() -> None:
    names = ["市财政局", "a", "市农业和农村工作委员会办公室及其下属单位全称很长很长很长很长", "汉a字b", "é́", "👩‍💻🇨🇳"]
    shown = pl.DataFrame({"name": names, "amount": [1] * 6, "note": ["注"] * 6})

    async def test() -> None:
        async with alone(shown, (Column("name", "名称", most=21), *COLUMNS[1:])) as (_table, pilot):
            check_drawn(pilot.app)
            starts = {cell_len(line[: line.index("注")]) for line in lines(pilot.app)[1:7]}
            assert len(starts) == 1

    run(test())


def test_a_changed_width_keeps_the_cursor_on_the_screen() -> None:
    async def test() -> None:
        async with alone(frame()) as (table, pilot):
            await press(pilot, "G")
            await pilot.resize_terminal(30, 5)
            await pilot.pause()
            assert table.current is not None
            assert "U049" in dump(pilot.app)
            check_drawn(pilot.app)

    run(test())


# -- a million rows ------------------------------------------------------------------------------------------------

MILLION = 1_000_000


def million() -> pl.DataFrame:
    """Make a million rows of the kind arrivals have."""
    numbers = np.arange(MILLION)
    return pl.DataFrame({"number": numbers}).select(
        name=pl.format("V{}", pl.col("number").cast(pl.String).str.zfill(7)),
        amount=(pl.col("number") * 7_919) % 1_000_003,
        note=pl.when(pl.col("number") % 1_000 == 0).then(pl.lit("市财政局")),
    )


def test_a_million_rows_scroll_and_no_key_waits_for_a_search() -> None:
    rows = million()

    async def test() -> None:
        async with alone(rows) as (table, pilot):
            begun = time.perf_counter()
            table.show(rows, COLUMNS)
            for action in (table.action_page_down, table.action_last, table.action_first, table.action_down):
                action()
                table.render_line(1)
            assert time.perf_counter() - begun < 0.5
            assert "V0000001" in dump(pilot.app)

            slowest = 0.0
            for needle in ("v", "v0", "v09", "v099"):
                begun = time.perf_counter()
                table.narrow(needle)
                slowest = max(slowest, time.perf_counter() - begun)
                assert table.busy
                assert table.count == MILLION  # the last result stays
            assert slowest < 0.1
            await until(pilot, lambda: not table.busy)
            assert table.count == 10_000
            assert table.current is not None
            assert table.current["name"] == "V0990001"

            begun = time.perf_counter()
            table.sort_by("amount", descending=True)
            assert time.perf_counter() - begun < 0.1
            await until(pilot, lambda: not table.busy)
            amounts = table.shown_rows
            assert amounts is not None
            assert amounts["amount"].is_sorted(descending=True)
            assert table.current["name"] == "V0990001"  # the cursor stays on its row

            table.narrow("市")
            await press(pilot, "j", "G", "k")
            await until(pilot, lambda: not table.busy)
            assert table.count == 1_000

    run(test())


def test_a_search_that_is_no_longer_wanted_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "LONG", 10)

    async def test() -> None:
        async with alone(frame()) as (table, pilot):
            table.narrow("tenth")
            assert table.busy
            table.narrow("")  # all rows: nothing to search
            assert table.count == 50
            await until(pilot, lambda: not table.busy)
            assert table.count == 50
            table.narrow("tenth")
            table.show(frame(20), COLUMNS)  # another frame before the first was searched
            assert table.total == 50
            await until(pilot, lambda: not table.busy)
            assert (table.count, table.total) == (2, 20)
            table.narrow("u00")
            table.nothing("gone")
            await until(pilot, lambda: not table.busy)
            assert table.count == 0

    run(test())
