"""Programs outside: which line a row is at, and what an editor is called with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_rules_tui import outside
from tui.tests.driver import change, go, opened, press, run, until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_line_of_a_row_after_fields_with_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    text = 'id,note\r\n1,"two\nlines"\r\n\r\n2,"上, ""so"""\r\n3,\r\n'
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
        file.write_bytes(text.encode(encoding))
        assert [outside.line_of(file, row) for row in (1, 2, 3, 4, 5, None)] == [1, 2, 4, 5, 6, None], encoding
    file.write_text("id\n1\n", encoding="utf-8")
    assert outside.line_of(file, 2) == 2
    assert outside.line_of(tmp_path / "kpi.toml", 7) == 7


def test_an_editor_of_ones_own_gets_line_and_file_and_no_shell(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def note(_app: object, words: list[str]) -> bool:
        ran.append(words)
        return True

    monkeypatch.setattr(outside, "_run", note)
    monkeypatch.setenv("EDITOR", "vim -n")
    odd = example / "evidence" / "-x; touch $(id).csv"
    (example / "evidence" / "visits.csv").rename(odd)
    change(example / "kpi.toml", '"evidence/visits.csv"', f'"evidence/{odd.name}"')

    async def test() -> None:
        async with opened(example) as (_office, pilot):
            await go(pilot, "visits")
            await press(pilot, "j", "E")
            await until(pilot, lambda: bool(ran))
            assert ran == [["vim", "-n", "+3", str(odd)]]

    run(test())
