"""The evidence: what is wrong, what was left out, every table, where a row stands, what falls with it."""

from __future__ import annotations

import shutil
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules_tui import outside
from kpi_rules_tui.desk import Desk, Opened
from kpi_rules_tui.dialogs.pick import Pick
from kpi_rules_tui.panes import views
from kpi_rules_tui.widgets import table as drawing
from tui.tests.driver import check_drawn, dump, opened, press, read, run, settled, until

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from kpi_rules_tui.app import Office
    from kpi_rules_tui.panes.evidence import EvidencePane

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copy the worked example."""
    copy = tmp_path / "workspace"
    shutil.copytree(ROOT / "examples" / "worked-example", copy)
    return copy


@pytest.fixture
def edited(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, int | None]]:
    """Note what the editor is opened with."""
    found: list[tuple[Path, int | None]] = []

    def edit(_app: object, file: Path, line: int | None) -> bool:
        found.append((file, line))
        return True

    monkeypatch.setattr(outside, "edit", edit)
    return found


def change(file: Path, old: str, new: str) -> None:
    """Change a text in a file."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def pane_of(office: Office) -> EvidencePane:
    """Return the pane."""
    pane: Any = office.house.pane
    return pane  # type: ignore[no-any-return]  # (the test is on it)


async def go(pilot: Pilot[int], view: str) -> None:
    """Show a view."""
    office: Any = pilot.app
    await press(pilot, "5")
    await until(pilot, lambda: office.house.pane.has_class("-filled"))
    pane_of(office).find(view)
    await pilot.pause()


# -- views ---------------------------------------------------------------------------------------------------------


def test_every_table_with_rows_is_chosen_and_shown_with_its_count(folder: Path) -> None:
    workspace = kr.load(folder)

    async def test() -> None:
        async with opened(folder, (140, 30)) as (office, pilot):
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


def test_views_without_rows_say_so(folder: Path) -> None:
    async def test() -> None:
        async with opened(folder) as (office, pilot):
            await go(pilot, "problems")
            assert "nothing is wrong with the workspace" in dump(office)
            await go(pilot, "quarantine")
            assert "no row is in quarantine" in dump(office)
            await press(pilot, "w", "E", "enter", "s", "y", "space", "ctrl+a", "p", "G")
            check_drawn(office)

    run(test())


def test_values_are_shown_to_the_fen_and_as_decimals(folder: Path) -> None:
    async def test() -> None:
        async with opened(folder, (140, 30)) as (office, pilot):
            await go(pilot, "arrivals")
            assert "12,000,050.00" in dump(office)
            await go(pilot, "claims")
            assert "0.7" in dump(office)
            await go(pilot, "quotas")
            assert "30,000,000.00" in dump(office)
            table = pane_of(office).table
            assert "stretch" not in [column.name for column in table.columns]  # nothing stands in it

    run(test())


def test_filter_order_and_cursor_are_kept_for_each_view_and_from_run_to_run(folder: Path) -> None:
    async def test() -> None:
        async with opened(folder, (140, 30)) as (office, pilot):
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
        async with opened(folder, (140, 30)) as (office, pilot):
            assert "3 of 15 match 'j05'" in dump(office)  # the pane and its view, too
            assert pane_of(office).table.at == row
            await go(pilot, "visits")
            assert pane_of(office).table.at == "S14"

    run(test())


def test_a_row_is_read_in_full(folder: Path) -> None:
    note = "long " * 2_000
    change(folder / "quotas.csv", "finance,funds,3000万,2011-01-01,", f"finance,funds,3000万,2011-01-01,{note}")

    async def test() -> None:
        async with opened(folder) as (_office, pilot):
            await go(pilot, "quotas")
            text = await read(pilot, "enter")
            assert f"note: {note.strip()}" in text
            assert "amount: 30,000,000.00" in text
            assert "mark" not in text

    run(test())


# -- errors --------------------------------------------------------------------------------------------------------


def test_errors_are_shown_first_and_gone_once_the_file_is_put_right(
    folder: Path, edited: list[tuple[Path, int | None]]
) -> None:
    change(folder / "kpi.toml", 'curve = "months"', 'curve = "moths"')

    async def test() -> None:
        async with opened(folder, (140, 30)) as (office, pilot):
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
            assert edited == [(folder / "kpi.toml", 11)]
            await go(pilot, "findings")
            assert "the workspace has errors, so nothing was assessed" in dump(office)
            await go(pilot, "problems")
            change(folder / "kpi.toml", 'curve = "moths"', 'curve = "months"')
            await press(pilot, "r")
            await settled(pilot)
            screen = dump(office)
            assert "as of 2011-12-31" in screen
            assert "Problems 0" in screen
            await press(pilot, "1")
            assert "市财政局" in dump(office)

    run(test())


def test_errors_that_come_while_working_leave_where_one_was(folder: Path) -> None:
    async def test() -> None:
        async with opened(folder, (140, 30)) as (office, pilot):
            await press(pilot, "j", "j")
            at = office.house.pane.table.at
            await go(pilot, "visits")
            (folder / "units.csv").rename(folder / "away.csv")
            await press(pilot, "r")
            await settled(pilot)
            assert "missing-file" in dump(office)
            await press(pilot, "1")
            assert "listed under Evidence" in dump(office)
            (folder / "away.csv").rename(folder / "units.csv")
            await press(pilot, "5", "r")
            await settled(pilot)
            assert "visits 14" in dump(office)
            await press(pilot, "1")
            assert office.house.pane.table.at == at

    run(test())


# -- the editor ----------------------------------------------------------------------------------------------------


def two_files(folder: Path) -> None:
    """Have the arrivals in two files, with a row that breaks in the second."""
    change(folder / "kpi.toml", '"evidence/arrivals.csv"', '["evidence/arrivals.csv", "evidence/more.csv"]')
    header = "voucher,project,amount,arrived_on\n"
    rows = "W1,J01,10万,2011-03-16\nW2,J01,ten,2011-03-17\nW3,J01,30万,2011-03-18\n"
    (folder / "evidence" / "more.csv").write_text(header + rows, encoding="utf-8")


def test_the_editor_opens_the_file_of_a_row_at_its_line(folder: Path, edited: list[tuple[Path, int | None]]) -> None:
    two_files(folder)

    async def test() -> None:
        async with opened(folder, (140, 30)) as (office, pilot):
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
                (folder / "evidence" / "more.csv", 3),
                (folder / "evidence" / "arrivals.csv", 2),
                (folder / "evidence" / "more.csv", 4),
                (folder / "evidence" / "projects.csv", 2),
            ]

    run(test())


def test_where_it_is_not_known_in_which_of_two_files_a_row_stands_it_is_asked(
    folder: Path, edited: list[tuple[Path, int | None]]
) -> None:
    two_files(folder)
    more = folder / "evidence" / "more.csv"
    more.write_text("voucher,project,amount,arrived_on\n", encoding="utf-8")

    async def test() -> None:
        async with opened(folder, (140, 30)) as (office, pilot):
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


def test_what_no_editor_shows_is_said(folder: Path, edited: list[tuple[Path, int | None]]) -> None:
    row = {"visit": ["S1"], "project": ["J01"], "visited_on": ["2011-04-10"], "assessed_amount": ["ten"]}
    kr.write_table(pl.DataFrame(row), folder / "book.xlsx")
    change(folder / "kpi.toml", '"evidence/visits.csv"', '"book.xlsx"')
    change(folder / "kpi.toml", '"evidence/claims.csv"', '"evidence/none.csv"')

    async def test() -> None:
        async with opened(folder, (140, 30)) as (office, pilot):
            await go(pilot, "quarantine")
            await press(pilot, "E")
            await until(pilot, lambda: "no text file" in dump(office))
            assert "book.xlsx" in dump(office).split("no text file")[1]
            await go(pilot, "problems")
            await press(pilot, "E")
            await until(pilot, lambda: "there is no file" in dump(office))
            assert edited == []

    run(test())


def test_the_line_of_a_row_after_fields_with_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    text = 'id,note\r\n1,"two\nlines"\r\n\r\n2,"上, ""so"""\r\n3,\r\n'
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
        file.write_bytes(text.encode(encoding))
        assert [outside.line_of(file, row) for row in (1, 2, 3, 4, 5, None)] == [1, 2, 4, 5, 6, None], encoding
    file.write_text("id\n1\n", encoding="utf-8")
    assert outside.line_of(file, 2) == 2
    assert outside.line_of(tmp_path / "kpi.toml", 7) == 7


def test_an_editor_of_ones_own_gets_line_and_file_and_no_shell(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def note(_app: object, words: list[str]) -> bool:
        ran.append(words)
        return True

    monkeypatch.setattr(outside, "_run", note)
    monkeypatch.setenv("EDITOR", "vim -n")
    odd = folder / "evidence" / "-x; touch $(id).csv"
    (folder / "evidence" / "visits.csv").rename(odd)
    change(folder / "kpi.toml", '"evidence/visits.csv"', f'"evidence/{odd.name}"')

    async def test() -> None:
        async with opened(folder) as (_office, pilot):
            await go(pilot, "visits")
            await press(pilot, "j", "E")
            await until(pilot, lambda: bool(ran))
            assert ran == [["vim", "-n", "+3", str(odd)]]

    run(test())


def test_the_editor_is_refused_where_nothing_may_be_changed(
    folder: Path, edited: list[tuple[Path, int | None]]
) -> None:
    async def test() -> None:
        async with opened(folder, readonly=True) as (office, pilot):
            await go(pilot, "arrivals")
            assert "E Open" not in dump(office)
            await press(pilot, "E")
            assert edited == []

    run(test())


# -- what falls ----------------------------------------------------------------------------------------------------


def test_what_falls_with_a_voucher(folder: Path) -> None:
    async def test() -> None:
        async with opened(folder, (140, 40)) as (office, pilot):
            await go(pilot, "arrivals")
            text = await read(pilot, "w")
            assert "without V001 of arrivals, as of 2011-12-31; amounts in yuan" in text
            assert "J01 / finance: vouchers 36,000,050.00 → 27,000,050.00 (-9,000,000.00)" in text
            assert "completion 81.7% → 63.0% (-18.7)" in text
            assert "withheld: 23,850.60 → 31,095.00 (+7,244.40)" in text
            assert "above_evaluation J01: no longer found" in text
            check_drawn(office)
            assert kr.load(folder).tables.arrivals.height == 15

    run(test())


def test_what_falls_with_claims_visits_projects_and_a_finding(folder: Path) -> None:
    async def test() -> None:
        async with opened(folder, (140, 40)) as (_office, pilot):
            for view, said in (
                ("claims", "without J01/finance of claims"),
                ("visits", "without S01 of visits"),
                ("projects", "no longer recognised"),
                ("findings", "without J01 of projects"),
            ):
                await go(pilot, view)
                assert said in await read(pilot, "w"), view
                await press(pilot, "escape")

    run(test())


def test_several_rows_are_counted_and_worked_out_one_after_another(folder: Path) -> None:
    async def test() -> None:
        async with opened(folder, (140, 40)) as (office, pilot):
            await go(pilot, "arrivals")
            text = await read(pilot, "space", "space", "w")
            assert "What falls if withdrawn: 2" in dump(office)
            assert "rows: 2; each is withdrawn by itself" in text
            assert "without V001 of arrivals" in text
            assert "without V002 of arrivals" in text

    run(test())


def test_what_cannot_be_withdrawn_is_not_offered(folder: Path) -> None:
    async def test() -> None:
        async with opened(folder) as (office, pilot):
            for view in ("units", "quotas", "staff", "problems", "quarantine"):
                await go(pilot, view)
                assert "w What" not in dump(office)
                await press(pilot, "w")
                assert office.screen is office.house

    run(test())


# -- the same from the command line --------------------------------------------------------------------------------


def test_the_commands(folder: Path) -> None:
    async def test() -> None:
        async with opened(folder) as (office, pilot):
            await go(pilot, "problems")
            assert pane_of(office).same() == [f"kpi-rules check {folder}"]
            await go(pilot, "findings")
            assert pane_of(office).same() == [
                f"kpi-rules assess {folder} --table findings",
                f"kpi-rules withdraw {folder} projects J01",
            ]
            await go(pilot, "claims")
            assert pane_of(office).same()[1:] == [f"kpi-rules withdraw {folder} claims J01/finance"]

    run(test())


# -- a million rows ------------------------------------------------------------------------------------------------


class Large(Desk):
    """A desk with a million arrivals, none of them read from a file."""

    def open(self) -> Opened:
        """Make the workspace in memory."""
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
            assert "9,973.00" in dump(office)

    run(test())
