"""Whatever names, notes and values hold is shown as what it is: nothing in it runs, and no terminal obeys it."""

from __future__ import annotations

import csv
import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from textual import events
from textual.widgets import Input

import kpi_rules as kr
from kpi_rules_tui.dialogs.confirm import Confirm
from kpi_rules_tui.dialogs.form import Field, Form
from kpi_rules_tui.dialogs.pick import Pick
from kpi_rules_tui.dialogs.reader import Reader
from kpi_rules_tui.house import PANES
from kpi_rules_tui.panes.holder import FilterLine
from kpi_rules_tui.panes.unit import UnitScreen
from kpi_rules_tui.texts import safe, shown
from tui.tests.driver import check_drawn, copied, dump, opened, press, run, settled, until

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from kpi_rules_tui.app import Office

TEXTS = {
    "closing": "a[/b]",
    "click": "[@click=app.quit]x[/]",
    "colour": "[red]",
    "escape": "\x1b[31mred",
    "bell": "ring\x07\x00\x9b31m",
    "turned": "\u202egnp.exe\u2066",
    "nothing": "a\u200bb\u00ad\ufeff",
    "full": "市财政局（国库处）\u3000ＡＢ",
    "emoji": "👩‍💻🇨🇳 1️⃣ ☃️",
    "marks": "Z" + "\u0300" * 40 + "\u0e33e\u0301",
    "formula": "=cmd|' /C calc'!A0",
    "lines": "one\ntwo\r\nthree\tfour\u2028five",
    "long": "长text " * 17_000,
    "variable": "$error {completion} %s \\[x]",
    "unicode": "\ud7ff\ue000\U000e0041\U0010ffff",
}
LONGEST = max(map(len, TEXTS.values()))
assert LONGEST > 100_000

ALL = " ".join(text for name, text in TEXTS.items() if name != "long")


def quoted(text: str) -> str:
    """Write a text as a TOML string."""
    kept = "".join(char if char.isalnum() or char in " .()" else f"\\U{ord(char):08x}" for char in text)
    return f'"{kept}"'


def write(file: Path, header: str, rows: list[list[str]]) -> None:
    """Write a CSV file."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header.split(","), *rows])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make the worked example hostile: ids, names, groups, notes, labels, reasons, and values that break."""
    copy = copied("worked-example", tmp_path / "work [red]space")
    names = list(TEXTS)
    ids = {name: TEXTS[name][:300] for name in names}
    write(
        copy / "units.csv",
        "unit,name,parent,group,head",
        [["city", ALL, "", "", ""], *([ids[name], TEXTS[name], "city", TEXTS[name][:200], "P1"] for name in names)],
    )
    write(
        copy / "quotas.csv",
        "unit,indicator,amount,effective,note",
        [[ids[name], "funds", f"{number}000万", "2011-01-01", TEXTS[name]] for number, name in enumerate(names, 1)],
    )
    evidence = copy / "evidence"
    write(
        evidence / "projects.csv",
        "project,name,unit,contracted,signed_on,recognised_on,refusal_reason",
        [[f"J{name}{ids[name]}", TEXTS[name], ids[name], "4亿", "2011-01-20", "2011-02-10", ALL] for name in names],
    )
    write(evidence / "claims.csv", "project,unit,share", [])
    write(
        evidence / "arrivals.csv",
        "voucher,project,amount,arrived_on,payer",
        [
            *([f"V{ids[name]}", f"J{name}{ids[name]}", "900万", "2011-03-15", TEXTS[name]] for name in names),
            *([f"W{ids[name]}", f"J{name}{ids[name]}", TEXTS[name], "2011-03-15", ALL] for name in names),
        ],
    )
    write(
        evidence / "visits.csv",
        "visit,project,visited_on,assessed_amount",
        [[f"S{ids[name]}", f"J{name}{ids[name]}", "2011-04-10", "850万"] for name in names],
    )
    write(
        evidence / "staff.csv",
        "person,name,unit,grade,component",
        [["P1", ALL, "city", "head", "800"], *([f"P{name}{ids[name]}", ALL, ids[name], "head", "8"] for name in names)],
    )
    no_fields = ALL.replace("{", "(").replace("}", ")")
    rule = (
        "\n[[rule]]\n"
        'name = "late"\nkind = "notice"\nsubject = "unit"\n'
        'when = "completion < 1"\nuntil = "completion >= 1"\n'
        f"label = {quoted(no_fields)}\n"
        f"reason = {quoted(no_fields)}\n"
        f"sources = [{quoted(ALL)}]\n"
    )
    toml = (copy / "kpi.toml").read_text(encoding="utf-8")
    title = quoted(TEXTS["escape"] + TEXTS["click"] + TEXTS["lines"])
    toml = toml.replace('"Worked example: five departments, one year"', title) + rule
    (copy / "kpi.toml").write_text(toml, encoding="utf-8")
    assert kr.load(copy).errors == []
    return copy


@pytest.fixture
def _no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an action that is run by data fail the test."""

    async def quit_(_self: object) -> None:
        pytest.fail("data has run an action")

    monkeypatch.setattr("kpi_rules_tui.app.Office.action_quit", quit_)


async def look(pilot: Pilot[int]) -> str:
    """Check what is on the screen, and return it."""
    await pilot.pause()
    app: Any = pilot.app
    check_drawn(app)
    assert app.is_running
    return dump(app)


pytestmark = pytest.mark.usefixtures("_no_way_out")

SIZES = [(80, 24), (150, 40)]


@pytest.mark.parametrize("size", SIZES[:1], ids=str)
def test_every_pane_and_what_opens_from_it(folder: Path, size: tuple[int, int]) -> None:
    async def test() -> None:
        async with opened(folder, size) as (office, pilot):
            for name, (key, _title, _class) in PANES.items():
                if find_spec(f"kpi_rules_tui.panes.{name}") is None:
                    continue
                await press(pilot, key)
                await until(pilot, lambda: office.house.pane.has_class("-filled"))
                await look(pilot)
                for keys in (["l", "l", "s"], ["G", "space"], ["y"], ["p"], ["escape"], ["c"], ["escape"], ["escape"]):
                    await press(pilot, *keys)
                    await look(pilot)
                while office.screen is not office.house:
                    await press(pilot, "escape")

    run(test())


@pytest.mark.parametrize("size", SIZES[:1], ids=str)
def test_every_view_of_the_evidence(folder: Path, size: tuple[int, int]) -> None:
    async def test() -> None:
        async with opened(folder, size) as (office, pilot):
            await press(pilot, "5")
            await until(pilot, lambda: office.house.pane.has_class("-filled"))
            pane: Any = office.house.pane
            await press(pilot, "t")
            await look(pilot)
            await press(pilot, "escape")
            for view in pane._counts:
                pane.find(view)
                for keys in (
                    [],
                    ["j", "j", "l", "l", "l"],
                    ["enter"],
                    ["pagedown", "p"],
                    ["escape"],
                    ["c"],
                    ["escape"],
                ):
                    await press(pilot, *keys)
                    await look(pilot)
                while office.screen is not office.house:
                    await press(pilot, "escape")
            assert pane._counts["quarantine"] >= len(TEXTS)

    run(test())


def test_what_falls_is_told_of_hostile_keys(folder: Path) -> None:
    async def test() -> None:
        async with opened(folder) as (office, pilot):
            await press(pilot, "5")
            await until(pilot, lambda: office.house.pane.has_class("-filled"))
            office.house.find("arrivals")
            await press(pilot, "j", "space", "space", "space", "w")
            await until(pilot, lambda: isinstance(office.screen, Reader))
            assert r"\x1b[31mred" in (await look(pilot)) or "[@click=app.quit]" in dump(office)

    run(test())


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_page_of_every_unit(folder: Path, size: tuple[int, int]) -> None:
    async def test() -> None:
        async with opened(folder, size) as (office, pilot):
            units = kr.load(folder).tables.units["unit"].to_list()
            for unit in units if size == SIZES[0] else [units[0], TEXTS["click"], TEXTS["long"][:300]]:
                office.open_unit(unit)
                await until(pilot, lambda: isinstance(office.screen, UnitScreen))
                await look(pilot)
                if unit == TEXTS["click"]:
                    assert "[@click=app.quit]x[/]" in dump(office)
                    await press(pilot, "tab", "enter", "j", "enter", "c")
                    await look(pilot)
                    await press(pilot, "escape", "n")
                    await look(pilot)
                await press(pilot, "escape")

    run(test())


def test_hostile_names_are_shown_escaped(folder: Path) -> None:
    async def test() -> None:
        async with opened(folder, (150, 40)) as (office, pilot):
            screen = await look(pilot)
            for text in (
                "a[/b]",
                "[@click=app.quit]x[/]",
                "[red]",
                r"\x1b[31mred",
                r"\u202egnp.exe\u2066",
                r"a\u200bb",
            ):
                assert text in screen, text
            assert "市财政局（国库处）" in screen
            assert "[red]" in dump(office)

    run(test())


def test_the_palette_finds_them_and_opens_them(folder: Path) -> None:
    async def test() -> None:
        async with opened(folder, (100, 40)) as (office, pilot):
            for typed in ("[/b]", "click=app", "x1b", "国库", "[red", "\\", "=cmd"):
                await press(pilot, "ctrl+p")
                await until(pilot, lambda: office.screen.is_modal)
                office.screen.query_one(Input).value = typed
                await pilot.pause(0.5)
                await look(pilot)
                await press(pilot, "escape")
                while office.screen.is_modal:
                    await press(pilot, "escape")
            await press(pilot, "ctrl+p")
            office.screen.query_one(Input).value = "click=app"
            await pilot.pause(0.5)
            await press(pilot, "down", "enter")
            await until(pilot, lambda: isinstance(office.screen, UnitScreen))
            assert "[@click=app.quit]" in await look(pilot)

    run(test())


def test_dialogs_notifications_and_help(folder: Path) -> None:
    async def test() -> None:
        async with opened(folder) as (office, pilot):
            office.notify(ALL, title=ALL)
            office.notify(TEXTS["long"], severity="error")
            office.house.notify(TEXTS["click"])
            office.trouble(ValueError(ALL))
            await look(pilot)
            office.clear_notifications()
            await press(pilot, "question_mark")
            await look(pilot)
            await press(pilot, "escape")

            def check(text: str) -> str:
                return f"not this: {text} {ALL}"

            for screen in (
                Confirm(ALL, [shown(ALL), shown(TEXTS["long"])], ALL[:30]),
                Form(ALL, [Field("one", ALL, ALL, ALL, check), Field("two", ALL, "", ALL)], ALL[:30], lambda _all: ALL),
                Pick(ALL, [(text, text) for text in TEXTS.values()], "[red]"),
                Reader(ALL, ALL + TEXTS["long"]),
            ):
                await office.push_screen(screen)
                await look(pilot)
                await press(pilot, "down", "tab", "down")
                await look(pilot)
                await press(pilot, "escape")
                await until(pilot, lambda: office.screen is office.house)

    run(test())


async def paste(office: Office, pilot: Pilot[int], text: str) -> None:
    """Paste a text as a terminal does."""
    office.post_message(events.Paste(text))
    await pilot.pause()


def test_what_is_pasted_into_a_field(folder: Path) -> None:
    async def test() -> None:
        async with opened(folder) as (office, pilot):
            await press(pilot, "slash")
            for text in TEXTS.values():
                await paste(office, pilot, text)
                await look(pilot)
            line = office.house.query_one(FilterLine)
            assert safe(line.value) == line.value
            await press(pilot, "escape")
            await press(pilot, "e")
            await paste(office, pilot, "~nobody/\x1b[31m\x00.csv")
            await look(pilot)
            await paste(office, pilot, "/" + "x" * 5_000 + "/y.csv")
            await look(pilot)
            await press(pilot, "escape")

    run(test())


def test_an_export_is_what_is_shown_and_no_formula(folder: Path, tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(folder, (150, 40)) as (office, pilot):
            await press(pilot, "slash", *"full", "escape", "l", "l", "s")
            file = tmp_path / "out.csv"
            await press(pilot, "e")
            office.screen.query_one(Input).value = str(file)
            await press(pilot, "enter")
            await until(pilot, lambda: "written:" in dump(office))
            with file.open(encoding="utf-8-sig", newline="") as stream:
                rows = list(csv.reader(stream))
            table = office.house.pane.table
            assert rows[0] == [column.title for column in table.columns]
            assert len(rows) == table.count + 1
            cells = [cell for row in rows[1:] for cell in row]
            assert all(kr.safe(cell) == cell for cell in cells)
            assert "'=cmd|' /C calc'!A0" in cells
            assert not [cell for cell in cells if cell[:1] in set("=+-@")]

    run(test())


def test_a_remembered_state_that_someone_has_changed(folder: Path, tmp_path: Path) -> None:
    state = tmp_path / "state" / "kpi-rules" / "tui-state.json"
    state.parent.mkdir(parents=True)
    odd: list[object] = [[], "x\x1b[31m", {"filter": "\x1b", "order": ["name", 1], "row": []}]
    for entry in odd:
        kept = {"pane": entry, "overview": {"overview-units": entry}, "evidence": {"view": entry, "arrivals": entry}}
        state.write_text(json.dumps({"workspaces": {str(folder.resolve()): kept}, "theme": "no"}), encoding="utf-8")

        async def test() -> None:
            async with opened(folder) as (office, pilot):
                await look(pilot)
                await press(pilot, "5")
                await until(pilot, lambda: office.house.pane.has_class("-filled"))
                office.house.find("arrivals")
                await look(pilot)

        run(test())


def test_a_folder_of_hostile_name_without_a_workspace(tmp_path: Path) -> None:
    folder = tmp_path / "a[b]\x1b[31m\u202e [@click=app.quit]x"
    folder.mkdir()

    async def test() -> None:
        async with opened(folder, (150, 30)) as (office, pilot):
            assert r"a[b]\x1b[31m\u202e" in await look(pilot)
            await press(pilot, "c")
            await look(pilot)
            await press(pilot, "escape", "r")
            await settled(pilot)
            await look(pilot)
            assert "missing-file" in dump(office)

    run(test())
