"""The evidence: what is wrong, what was left out, every table, where a row stands."""

from __future__ import annotations

import time
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules_tui import outside
from kpi_rules_tui.desk import Desk, Opened
from kpi_rules_tui.dialogs.pick import Pick
from kpi_rules_tui.panes import views
from kpi_rules_tui.widgets import table as drawing
from tui.tests.driver import change, check_drawn, dump, go, opened, press, read, run, settled, until

if TYPE_CHECKING:
    from pathlib import Path

    from kpi_rules_tui.app import Office
    from kpi_rules_tui.beside import Beside
    from kpi_rules_tui.panes.evidence import EvidencePane


@pytest.fixture
def edited(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, int | None]]:
    """Note what the editor is opened with."""
    found: list[tuple[Path, int | None]] = []

    def edit(_app: object, file: Path, line: int | None) -> bool:
        found.append((file, line))
        return True

    monkeypatch.setattr(outside, "edit", edit)
    return found


def pane_of(office: Office) -> EvidencePane:
    """Return the pane."""
    pane: Any = office.house.pane
    return pane  # type: ignore[no-any-return]  # (the test is on it)


# -- views ---------------------------------------------------------------------------------------------------------


def test_every_table_with_rows_is_chosen_and_shown_with_its_count(example: Path) -> None:
    workspace = kr.load(example)

    async def test() -> None:
        async with opened(example, (140, 30)) as (office, pilot):
            await press(pilot, "5")
            assert "Findings 2" in dump(office)
            await press(pilot, "t")
            await until(pilot, lambda: isinstance(office.screen, Pick))
            choices = dump(office)
            assert "arrivals  15" in choices
            assert "rates" not in choices
            check_drawn(office)
            await press(pilot, "down", "enter")  # below findings, which are chosen: units
            assert "市财政局" in dump(office)
            for name, count in views.tables_of(workspace).items():
                await go(pilot, name)
                assert f"{name} {count}" in dump(office)
                assert f"rows: {count}" in dump(office)
                check_drawn(office)

    run(test())


def test_views_without_rows_say_so(example: Path) -> None:
    async def test() -> None:
        async with opened(example) as (office, pilot):
            await go(pilot, "problems")
            assert "nothing is wrong with the workspace" in dump(office)
            await go(pilot, "quarantine")
            assert "no row is in quarantine" in dump(office)
            await press(pilot, "w", "E", "enter", "s", "y", "space", "ctrl+a", "p", "G")
            check_drawn(office)

    run(test())


def test_values_are_shown_to_the_fen_and_as_decimals(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (140, 30)) as (office, pilot):
            await go(pilot, "arrivals")
            assert "1,200.005" in dump(office)
            await go(pilot, "claims")
            assert "0.7" in dump(office)
            await go(pilot, "quotas")
            assert "3,000.00万 yuan" in dump(office)
            table = pane_of(office).table
            assert "stretch" not in [column.name for column in table.columns]  # nothing stands in it

    run(test())


def test_filter_order_and_cursor_are_kept_for_each_view_and_from_run_to_run(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (140, 30)) as (office, pilot):
            await go(pilot, "arrivals")
            await press(pilot, *["l"] * 3, "s", "slash", *"j05", "enter", "j")
            assert "3 of 15 match 'j05'" in dump(office)
            row = pane_of(office).table.at
            await go(pilot, "visits")
            assert "match" not in dump(office)
            await press(pilot, "G")
            await go(pilot, "arrivals")
            assert "3 of 15 match 'j05'" in dump(office)
            assert pane_of(office).table.at == row
            assert "▼" in dump(office)
            await press(pilot, "q")
        async with opened(example, (140, 30)) as (office, pilot):
            assert "3 of 15 match 'j05'" in dump(office)  # the pane and its view, too
            assert pane_of(office).table.at == row
            await go(pilot, "visits")
            assert pane_of(office).table.at == "S14"

    run(test())


def test_a_row_is_read_in_full(example: Path) -> None:
    note = "long " * 2_000
    change(example / "quotas.csv", "finance,funds,3000万,2011-01-01,", f"finance,funds,3000万,2011-01-01,{note}")

    async def test() -> None:
        async with opened(example) as (_office, pilot):
            await go(pilot, "quotas")
            text = await read(pilot, "enter")
            assert f"note: {note.strip()}" in text
            assert "amount: 3,000.00万 yuan" in text
            assert "mark" not in text

    run(test())


# -- errors --------------------------------------------------------------------------------------------------------


def test_errors_are_shown_first_and_gone_once_the_file_is_put_right(
    example: Path, edited: list[tuple[Path, int | None]]
) -> None:
    change(example / "kpi.toml", 'curve = "months"', 'curve = "moths"')

    async def test() -> None:
        async with opened(example, (140, 30)) as (office, pilot):
            screen = dump(office)
            assert "errors: 1; see Evidence" in screen
            assert "unknown-pace-curve" in screen
            assert "error " in screen
            assert 'found the unknown pace curve "moths"' in screen
            await press(pilot, "1")
            assert "the workspace has errors; they are listed under Evidence (5)" in dump(office)
            await press(pilot, "5", "E")
            await until(pilot, lambda: bool(edited))
            await settled(pilot)
            assert edited == [(example / "kpi.toml", 11)]
            await go(pilot, "findings")
            assert "the workspace has errors, so nothing was assessed" in dump(office)
            await go(pilot, "problems")
            change(example / "kpi.toml", 'curve = "moths"', 'curve = "months"')
            await press(pilot, "r")
            await settled(pilot)
            screen = dump(office)
            assert "as of 2011-12-31" in screen
            assert "Problems 0" in screen
            await press(pilot, "1")
            assert "市财政局" in dump(office)

    run(test())


def test_errors_that_come_while_working_leave_where_one_was(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (140, 30)) as (office, pilot):
            await press(pilot, "j", "j")
            at = office.house.pane.table.at
            await go(pilot, "visits")
            (example / "units.csv").rename(example / "away.csv")
            await press(pilot, "r")
            await settled(pilot)
            assert "missing-file" in dump(office)
            await press(pilot, "1")
            assert "listed under Evidence" in dump(office)
            (example / "away.csv").rename(example / "units.csv")
            await press(pilot, "5", "r")
            await settled(pilot)
            assert "visits 14" in dump(office)
            await press(pilot, "1")
            assert office.house.pane.table.at == at

    run(test())


# -- the editor ----------------------------------------------------------------------------------------------------


def two_files(example: Path) -> None:
    """Have the arrivals in two files, with a row that breaks in the second."""
    change(example / "kpi.toml", '"evidence/arrivals.csv"', '["evidence/arrivals.csv", "evidence/more.csv"]')
    header = "voucher,project,amount,arrived_on\n"
    rows = "W1,J01,10万,2011-03-16\nW2,J01,ten,2011-03-17\nW3,J01,30万,2011-03-18\n"
    (example / "evidence" / "more.csv").write_text(header + rows, encoding="utf-8")


def test_the_editor_opens_the_file_of_a_row_at_its_line(example: Path, edited: list[tuple[Path, int | None]]) -> None:
    two_files(example)

    async def test() -> None:
        async with opened(example, (140, 30)) as (office, pilot):
            await go(pilot, "quarantine")
            assert "evidence/more.csv" in dump(office)
            await press(pilot, "E")
            await go(pilot, "arrivals")
            await press(pilot, "g", "E")
            await press(pilot, "G", "E")
            await go(pilot, "findings")
            await press(pilot, "g", "E")
            await settled(pilot)
            assert edited == [
                (example / "evidence" / "more.csv", 3),
                (example / "evidence" / "arrivals.csv", 2),
                (example / "evidence" / "more.csv", 4),
                (example / "evidence" / "projects.csv", 2),
            ]

    run(test())


def test_where_it_is_not_known_in_which_of_two_files_a_row_stands_it_is_asked(
    example: Path, edited: list[tuple[Path, int | None]]
) -> None:
    two_files(example)
    more = example / "evidence" / "more.csv"
    more.write_text("voucher,project,amount,arrived_on\n", encoding="utf-8")

    async def test() -> None:
        async with opened(example, (140, 30)) as (office, pilot):
            await go(pilot, "arrivals")
            await press(pilot, "j", "E")
            await until(pilot, lambda: isinstance(office.screen, Pick))
            assert "row 3" in dump(office)
            await press(pilot, "escape")
            assert edited == []
            await press(pilot, "E", "down", "enter")
            await until(pilot, lambda: bool(edited))
            assert edited == [(more, 3)]

    run(test())


def test_what_no_editor_shows_is_said(example: Path, edited: list[tuple[Path, int | None]]) -> None:
    row = {"visit": ["S1"], "project": ["J01"], "visited_on": ["2011-04-10"], "assessed_amount": ["ten"]}
    kr.write_table(pl.DataFrame(row), example / "book.xlsx")
    change(example / "kpi.toml", '"evidence/visits.csv"', '"book.xlsx"')
    change(example / "kpi.toml", '"evidence/claims.csv"', '"evidence/none.csv"')

    async def test() -> None:
        async with opened(example, (140, 30)) as (office, pilot):
            await go(pilot, "quarantine")
            await press(pilot, "E")
            await until(pilot, lambda: "no text file" in dump(office))
            assert "book.xlsx" in dump(office).split("no text file")[1]
            await go(pilot, "problems")
            await press(pilot, "E")
            await until(pilot, lambda: "there is no file" in dump(office))
            assert edited == []

    run(test())


def test_the_editor_is_refused_where_nothing_may_be_changed(
    example: Path, edited: list[tuple[Path, int | None]]
) -> None:
    async def test() -> None:
        async with opened(example, readonly=True) as (office, pilot):
            await go(pilot, "arrivals")
            assert "E Open" not in dump(office)
            await press(pilot, "E")
            assert edited == []

    run(test())


# -- the same from the command line --------------------------------------------------------------------------------


def test_the_commands(example: Path) -> None:
    async def test() -> None:
        async with opened(example) as (office, pilot):
            await go(pilot, "problems")
            assert pane_of(office).same() == [f"kpi-rules check {example}"]
            await go(pilot, "findings")
            assert pane_of(office).same() == [
                f"kpi-rules assess {example} --table findings",
                f"kpi-rules withdraw {example} projects J01",
            ]
            await go(pilot, "claims")
            assert pane_of(office).same()[1:] == [f"kpi-rules withdraw {example} claims J01/finance"]

    run(test())


# -- a million rows ------------------------------------------------------------------------------------------------


class Large(Desk):
    """A desk with a million arrivals, none of them read from a file."""

    def open(self, other: Beside | None = None) -> Opened:
        """Make the workspace in memory."""
        assert other is None
        count = 1_000_000
        number = pl.int_range(count, eager=True)
        arrivals = pl.DataFrame({"number": number}).select(
            voucher=pl.format("V{}", "number"),
            project=pl.format("J{}", pl.col("number") % 5),
            amount=(pl.col("number") % 9_973 + 1) * 100,
            arrived_on=pl.lit(date(2011, 3, 1)) + pl.duration(days=pl.col("number") % 300),
        )
        workspace = kr.Workspace(
            {"year": {"start": date(2011, 1, 1), "end": date(2011, 12, 31)}, "credit": {"unvisited": "vouchers"}},
            {
                "units": pl.DataFrame({"unit": ["a"], "name": ["市财政局"]}),
                "quotas": pl.DataFrame(
                    {"unit": ["a"], "indicator": ["funds"], "amount": ["3亿"], "effective": [date(2011, 1, 1)]}
                ),
                "projects": pl.DataFrame(
                    {"project": [f"J{each}" for each in range(5)], "unit": "a", "recognised_on": date(2011, 2, 1)}
                ),
                "arrivals": arrivals,
            },
        )
        return Opened(workspace, kr.assess(workspace))


def test_a_million_arrivals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "PAUSE", 1.0)  # so that the state in between is seen on any machine

    async def test() -> None:
        async with opened(tmp_path, (120, 30), desk=Large(tmp_path)) as (office, pilot):
            await go(pilot, "problems")
            begun = time.perf_counter()
            pane_of(office).find("arrivals")
            taken = time.perf_counter() - begun
            assert taken < 1
            await pilot.pause()
            assert "rows: 1,000,000" in dump(office)
            table = pane_of(office).table
            for key in ("pagedown", "G", "pageup", "g", "j"):
                begun = time.perf_counter()
                await pilot.press(key)
                assert time.perf_counter() - begun < 1
            assert "V1" in dump(office)
            await press(pilot, "slash", *"v99999")
            assert "filtering…" in dump(office)
            assert table.count == 1_000_000
            await until(pilot, lambda: not table.busy)
            assert "11 of 1,000,000 match 'v99999'" in dump(office)
            await press(pilot, "enter", "escape")
            assert "rows: 1,000,000" in dump(office)
            await press(pilot, "l", "l", "l", "s")
            assert "sorting…" in dump(office)
            await until(pilot, lambda: not table.busy)
            await press(pilot, "g")
            assert "0.9973" in dump(office)

    run(test())
