"""Data that would like to be markup, escape sequences or formulas is shown as what it is."""

from __future__ import annotations

import csv
import json
from io import StringIO
from typing import TYPE_CHECKING
from zipfile import ZipFile

import polars as pl
import pytest

from kpi_rules.cli.output import to_csv, to_json, to_xlsx
from kpi_rules.cli.screen import Page

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Run


@pytest.mark.parametrize("command", [("assess",), ("check",), ("plugins",), ("assess", "--table", "quarantine")])
def test_nothing_is_run(run: Run, hostile: Path, command: tuple[str, ...]) -> None:
    done = run(command[0], hostile, *command[1:])
    assert done.exit_code == 0, done.stderr
    shown = done.stdout + done.stderr
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)


def test_names_are_shown_whole(run: Run, hostile: Path) -> None:
    shown = run("assess", hostile).stdout
    for text in (
        "[red]",
        "[/b]",
        r"\x1b[31mX",
        r"\u202eX",
        '=HYPERLINK("x")',
        "[link=http://x]at",
        r"[bold]=evil\x1b[2J\u202e",
    ):
        assert text in shown
    shown = run("check", hostile).stdout
    assert r"=cmd|x[/red]\x1b]0;t\x07" in shown
    assert "@nobody" in shown


def test_explain_and_messages_are_safe(run: Run, hostile: Path) -> None:
    done = run("explain", hostile, "\x1b[31mred\u202e")
    assert done.exit_code == 2
    assert r"no unit \x1b[31mred\u202e" in done.stderr
    assert run("explain", hostile, "red").exit_code == 0
    assert "\x1b" not in run("assess", hostile, "--as-of", "\x1b[2J").stderr
    assert "\x1b" not in run("assess", "\x1b[2J").stderr
    assert "\x1b" not in run("\x1b[2J").stderr
    assert "\x1b" not in run("--\x1b[2J").stderr


def test_csv_has_no_formulas(run: Run, hostile: Path) -> None:
    done = run("assess", hostile, "--table", "quarantine", "--format", "csv")
    rows = list(csv.DictReader(StringIO(done.stdout)))
    assert [row["value"] for row in rows] == ["'=cmd|x[/red]\x1b]0;t\x07", "'@nobody"]
    units = csv.DictReader(StringIO(run("assess", hostile, "--table", "units", "--format", "csv").stdout))
    assert {row["unit"] for row in units} == {"red", "close", "escape", "bidi", "formula", "'@SUM(1)"}


FRAME = pl.DataFrame(
    {
        "text": ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1", "plain", "a=b", "", None, "https://x.example"],
        "number": [-1, 2, None, 4, 5, 6, 7, 8, 9, 10, 11, 12],
        "list": [["=x", "y"]] * 12,
    }
)


def test_csv_guards_every_beginning_of_a_formula_and_leaves_numbers() -> None:
    rows = list(csv.reader(StringIO(to_csv(FRAME).decode(), newline="")))
    assert [row[0] for row in rows[1:]] == [
        "'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "'＝1", "plain", "a=b", "", "", "https://x.example",
    ]  # fmt: skip
    assert rows[1][1:] == ["-1", "'=x; y"]


def test_xlsx_holds_texts_as_texts(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(to_xlsx({"t": FRAME}))
    with ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert "hyperlink" not in sheet
        assert not [name for name in book.namelist() if name.endswith(".rels") and b"x.example" in book.read(name)]
    read = pl.read_excel(path)
    assert read["text"].to_list()[:4] == ["=1+1", "+1", "-1", "@x"]
    assert read["number"].to_list()[:2] == [-1, 2]


def test_numbers_that_are_none_break_no_format() -> None:
    frame = pl.DataFrame({"x": [float("nan"), float("inf"), 1.5]})
    assert json.loads(to_json({"t": frame}))["t"][2] == {"x": 1.5}
    assert to_xlsx({"t": frame})


def test_json_keeps_data_as_it_is(run: Run, hostile: Path) -> None:
    done = run("check", hostile, "--format", "json")
    assert [row["value"] for row in json.loads(done.stdout)["quarantine"]] == ["=cmd|x[/red]\x1b]0;t\x07", "@nobody"]


def test_chinese_columns_stand_in_line(tmp_path: Path) -> None:
    page = Page(tmp_path / "t.txt")
    page.table(["name", "n"], [["市财政局", 1], ["ab", 22]], ["n"])
    page.write()
    assert (tmp_path / "t.txt").read_text(encoding="utf-8").splitlines() == [
        "name        n",
        "─────────────",
        "市财政局    1",
        "ab         22",
    ]


def test_a_table_wider_than_the_screen_is_folded_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    page = Page()
    page.width = 40
    page.table(["id", "what"], [["[red]", "[/b] " + "很长的文字" * 12]], firm=["id"])
    page.write()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 3
    assert "".join(line.split("   ", 1)[1].strip() for line in lines[2:3]).startswith("[/b]")
    assert sum(line.count("长") for line in lines) == 12


def on_screen(capsys: pytest.CaptureFixture[str], page: Page, width: int) -> list[str]:
    page.width = width
    page.write()
    return capsys.readouterr().out.splitlines()


WORDS = "pay_withholding.all_staff withholds from every_member_of_the_department"


def test_no_word_that_fits_on_a_line_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    for width in range(24, 100):
        page = Page()
        page.width = width
        page.table(["id", "what", "n"], [["first", WORDS, 12_345_678]], ["n"], ["id"])
        lines = on_screen(capsys, page, width)
        assert max(map(len, lines)) <= width
        if width >= 40:
            assert set(WORDS.split()) <= set(" ".join(lines).split()), width
        assert "12345678" in " ".join(lines)
        assert "first" in " ".join(lines)


def test_a_table_that_would_be_folded_too_much_is_written_in_blocks(capsys: pytest.CaptureFixture[str]) -> None:
    page = Page()
    page.width = 50
    page.table(["id", "what", "more", "none"], [["a", f"{WORDS} {WORDS}", "短" * 30, None]], firm=["id"])
    assert on_screen(capsys, page, 50) == [
        "a",
        "  what: pay_withholding.all_staff withholds from",
        "    every_member_of_the_department",
        "    pay_withholding.all_staff withholds from",
        "    every_member_of_the_department",
        "  more: " + "短" * 20,
        "    " + "短" * 10,
    ]


def test_a_table_of_numbers_is_not_written_in_blocks(capsys: pytest.CaptureFixture[str]) -> None:
    page = Page()
    page.width = 20
    names = [f"number_{at}" for at in range(5)]
    page.table(["unit", *names], [["a", *range(5)]], names)
    assert [len(line) for line in on_screen(capsys, page, 20)] == [59, 59, 59]
