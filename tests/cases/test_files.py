"""Files of cases with something wrong: everything is told at once, with line and nearest choice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import kpi_rules as kr
from tests.cases.making import report, told, workspace

if TYPE_CHECKING:
    from collections.abc import Callable

BAD = Path(__file__).parent / "bad"


def lines(found: kr.CaseReport) -> list[str]:
    return [f"{problem.code}: {problem.message}" for problem in found.problems]


def short(found: kr.CaseReport) -> list[str]:
    """Leave out what is expected: lists of all columns there are."""
    return [
        f"{problem.code} {problem.place.line} {problem.place.key}: {problem.found} ({problem.nearest})"
        for problem in found.problems
    ]


@pytest.mark.parametrize(("name", "said"), [("misspelt", lines), ("shape", lines), ("names", short)])
def test_everything_wrong_is_told_at_once(
    tmp_path: Path, name: str, said: Callable[[kr.CaseReport], list[str]]
) -> None:
    found = report(tmp_path, (BAD / f"{name}.toml").read_text(encoding="utf-8"))
    assert said(found) == (BAD / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert found.results == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[[case]\n", "invalid-toml"),
        (b"# \xff\n", "undecodable"),
        (b"case = 3\n", "wrong-kind"),
        (b"", None),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: bytes, said: str | None) -> None:
    loaded = workspace(tmp_path, {})
    (tmp_path / "cases" / "x.toml").write_bytes(text)
    assert [problem.code for problem in kr.run_cases(loaded).problems] == ([said] if said else [])


def test_a_case_needs_a_source(tmp_path: Path) -> None:
    found = report(tmp_path, '[[case]]\nname = "one"\ngiven = {}\nexpect = []\n')
    assert [problem.code for problem in found.problems] == ["case-without-source"]


def test_a_file_may_have_a_configuration_of_its_own(tmp_path: Path) -> None:
    text = """source = "letter 40"
[config.plugins]
enabled = ["supervision"]
[config.supervision]
talk_after = 2
[[case]]
name = "two"
group = "small"
given = { lag = 2, at_month_end = true }
expect = [{ rule = "supervision.talk", event = "issued" }]
"""
    assert told(report(tmp_path, text)) == []
    wrong = text.replace("talk_after = 2", "talk_aftr = 2\n[config.pase]\ncurve = 3")
    found = report(tmp_path / "wrong", wrong)
    assert [(problem.code, problem.place.line, problem.nearest) for problem in found.problems] == [
        ("unknown-key", 5, "talk_after"),
        ("unknown-section", 6, "pace"),
    ]


def test_a_file_may_name_a_folder(tmp_path: Path) -> None:
    workspace(tmp_path / "other", {})
    text = 'source = "letter 40"\nworkspace = "../../other"\n[[case]]\nname = "one"\nas_of = 2011-03-31\n'
    text += 'expect = [{ frame = "units", rows = 6 }]\n'
    assert told(report(tmp_path / "one", text)) == []
    found = report(tmp_path / "two", text.replace("other", "nowhere"))
    assert [(problem.code, problem.place.line) for problem in found.problems] == [("missing-file", 2)]
