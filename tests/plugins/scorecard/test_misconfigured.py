"""Every misconfiguration: one clear message with its line; nothing half applied."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

import kpi_rules as kr
from tests.pipeline.making import HEAD, TABLES, workspace

if TYPE_CHECKING:
    from pathlib import Path

START = len(HEAD.splitlines()) + 2 + len(TABLES) + 3
"""Lines of `kpi.toml` before what a test adds."""

TRACK = """\
[[scorecard.track]]
name = "t"
missing = "leave"
"""
ITEM = """\
[[scorecard.item]]
name = "funds"
indicator = "funds"
points = 100
below = "zero"
above = "full"
"""
TABLE = """\
[[scorecard.table]]
name = "speed"
row = [
    { points = 10, when = ["completion >= 1"] },
    { points = 0, when = ["completion < 1"] },
]
"""


OVERLAP = (
    "error rows-overlap 8 scorecard.table[1].row[2]: a row that overlaps row 1 and says otherwise: "
    "completion = 1, for example completion = 1"
)


def loaded(place: Path, text: str) -> kr.Workspace:
    return workspace(place, enabled=("scorecard",), toml=dedent(text))


def said(place: Path, text: str) -> list[str]:
    found = loaded(place, text)
    lines = []
    for problem in found.problems:
        assert problem.place.line is not None, problem
        where = problem.place.line - START
        lines.append(f"{problem.severity} {problem.code} {where} {problem.place.key}: {problem.found}")
        assert problem.expected
    return lines


def test_what_is_right_has_no_problem(tmp_path: Path) -> None:
    assert said(tmp_path, TRACK + ITEM + TABLE) == []


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (ITEM, ["error unknown-track 1 scorecard.item[1]: no track"]),
        (
            TRACK + ITEM + 'track = "tt"\n',
            [
                "error bad-scorecard 1 scorecard.track[1]: a track without items",
                "error unknown-track 10 scorecard.item[1].track: tt",
            ],
        ),
        (TRACK, ["error bad-scorecard 1 scorecard.track[1]: a track without items"]),
        (TRACK + TRACK + ITEM + 'track = "t"\n', ["error duplicate-name 5 scorecard.track[2].name: t"]),
        (
            TRACK + TRACK.replace('"t"', '"t_funds"') + ITEM + 'track = "t"\n' + ITEM + 'track = "t_funds"\n',
            ["error duplicate-name 8 scorecard.item[1].name: t_funds"],
        ),
        (TRACK + ITEM + ITEM, ["error duplicate-name 11 scorecard.item[2].name: t_funds"]),
        (TRACK + ITEM.replace('"funds"\nind', '"f-u"\nind'), ["error bad-scorecard 5 scorecard.item[1].name: t_f-u"]),
        (TRACK + ITEM + "digits = 10\n", ["error bad-scorecard 10 scorecard.item[1].digits: 10"]),
        (TRACK + ITEM + "digits = 0\nmost = 99.5\n", ["error bad-scorecard 11 scorecard.item[1].most: 99.5"]),
        (TRACK + ITEM.replace("100", "1000001"), ["error bad-scorecard 7 scorecard.item[1].points: 1000001"]),
        (TRACK + ITEM + "least = 5\nmost = 4\n", ["error bad-scorecard 10 scorecard.item[1].least: 5"]),
        (
            TRACK + ITEM.replace("full", "steps"),
            ['error bad-scorecard 9 scorecard.item[1].above: "steps" and no bonus'],
        ),
        (
            TRACK + ITEM + 'malus = [{ points = 1, per = 1, count = "whole" }]\n',
            ["error bad-scorecard 10 scorecard.item[1].malus: steps"],
        ),
        (
            TRACK + ITEM.replace("full", "steps") + 'bonus = [{ points = -1, per = 0, count = "whole" }]\n',
            [
                "error bad-scorecard 10 scorecard.item[1].bonus[1].per: 0",
                "error bad-scorecard 10 scorecard.item[1].bonus[1].points: -1",
            ],
        ),
        (TRACK + ITEM.replace("full", "stretch"), ["error bad-scorecard 9 scorecard.item[1].above: stretch"]),
        (TRACK + ITEM + "stretch_points = 5\n", ["error bad-scorecard 10 scorecard.item[1].stretch_points: 5"]),
        (TRACK + ITEM + 'fixed = "0.5"\n', ["error bad-scorecard 10 scorecard.item[1].fixed: 0.5"]),
        (TRACK + ITEM + 'target = "fixed"\n', ["error bad-scorecard 4 scorecard.item[1].fixed: nothing"]),
        (TRACK + ITEM + 'target = "fixed"\nfixed = "1000"\n', ["error bad-scorecard 11 scorecard.item[1].fixed: 1000"]),
        (
            TRACK + ITEM.replace("zero", "proportional") + 'better = "less"\n',
            ["error bad-scorecard 8 scorecard.item[1].below: proportional"],
        ),
        (
            TRACK + ITEM.replace('indicator = "funds"', 'indicator = "fundz"'),
            ["error unknown-column 6 scorecard.item[1].indicator: fundz"],
        ),
        (
            TRACK + TABLE.replace("completion >= 1", "completion => 1"),
            ["error bad-condition 7 scorecard.table[1].row[1].when[1]: completion => 1"],
        ),
        (
            TRACK + TABLE.replace("< 1", "<= 1"),
            [OVERLAP],
        ),
        (
            TRACK + TABLE.replace(">= 1", "> 1"),
            ["warning table-gap 4 scorecard.table[1]: no row for completion = 1, for example completion = 1"],
        ),
        (
            TRACK
            + TABLE.replace("]\n", "]\n").replace(
                "\n]", '\n    { points = 3, when = ["completion > 2", "completion < 1"] },\n]'
            ),
            ["error row-impossible 9 scorecard.table[1].row[3]: conditions that nothing can meet (completion)"],
        ),
        (
            TRACK + TABLE.replace("completion < 1", "completion = a"),
            ["error bad-condition 8 scorecard.table[1].row[2].when[1]: completion = a"],
        ),
        (
            TRACK + TABLE.replace("completion >= 1", "mark >= 1").replace("completion < 1", "mark = a"),
            [
                "error bad-condition 6 scorecard.table[1].row: mark as a number and as a word",
                "error unknown-column 7 scorecard.table[1].row[1].when[1]: mark",
            ],
        ),
        (
            TRACK + '[[scorecard.table]]\nname = "x"\nrow = []\n',
            ["error bad-scorecard 6 scorecard.table[1].row: no row"],
        ),
        (
            TRACK + ITEM + '[[scorecard.veto]]\nname = "v"\nwhen = []\neffect = "zero"\n',
            ["error bad-scorecard 12 scorecard.veto[1].when: no condition"],
        ),
        (
            TRACK + ITEM + '[[scorecard.prize]]\nname = "p"\n',
            ["error bad-scorecard 10 scorecard.prize[1]: nobody named"],
        ),
        (
            TRACK + ITEM + '[[scorecard.prize]]\nname = "p"\ntop = 1\namount = "much"\n',
            ["error bad-scorecard 13 scorecard.prize[1].amount: much"],
        ),
        (
            TRACK + 'grade = [{ name = "good" }]\n' + ITEM + '[[scorecard.prize]]\nname = "p"\ngrades = ["godo"]\n',
            ["error bad-scorecard 13 scorecard.prize[1].grades[1]: godo"],
        ),
        (
            TRACK + ITEM + '[[scorecard.deduction]]\nname = "d"\nindicator = "lag"\npoints = 1\neach = -1\nleast = 2\n',
            [
                "error bad-scorecard 14 scorecard.deduction[1].each: -1",
                "error bad-scorecard 15 scorecard.deduction[1].least: 2",
            ],
        ),
        (
            TRACK + ITEM + '[[scorecard.minmax]]\nname = "m"\nindicator = "kind"\npoints = 1\nequal = "na"\n',
            ["error bad-scorecard 12 scorecard.minmax[1].indicator: kind"],
        ),
    ],
)
def test_each_mistake_is_told_at_its_line(tmp_path: Path, text: str, problems: list[str]) -> None:
    assert said(tmp_path, text) == problems


def test_a_domain_is_of_the_columns_that_rows_read(tmp_path: Path) -> None:
    (problem,) = loaded(tmp_path, TRACK + TABLE + 'domain = ["completoin >= 0"]\n').problems
    assert problem.message.endswith(
        "scorecard.table[1].domain: found completoin; expected a column that the rows read, in the way they do: "
        "completion (nearest: completion)"
    )
    assert said(tmp_path, TRACK + TABLE.replace(">= 1", "> 2") + 'domain = ["completion < 1"]\n') == [
        "error row-impossible 7 scorecard.table[1].row[1]: conditions that nothing can meet (completion)"
    ]
    assert said(tmp_path, TRACK + TABLE.replace(">= 1", "> 2") + 'domain = ["completion != 1"]\n')[0].startswith(
        "error bad-condition"
    )


def test_a_track_that_is_wrong_itself_is_told_first(tmp_path: Path) -> None:
    told = said(tmp_path, TRACK.replace("leave", "scale") + ITEM)
    assert 'error unknown-choice 3 scorecard.track[1].missing: "scale"' in told


def test_the_nearest_choice_is_named(tmp_path: Path) -> None:
    text = (
        TRACK
        + 'grade = [{ name = "good" }]\n'
        + ITEM
        + 'track = "tt"\n[[scorecard.prize]]\nname = "p"\ngrades = ["godo"]\n'
    )
    near = {problem.place.key: problem.nearest for problem in loaded(tmp_path, text).problems}
    assert near["scorecard.prize[1].grades[1]"] == "good"
    assert near["scorecard.item[1].track"] == "t"


def test_nothing_is_half_applied(tmp_path: Path) -> None:
    found = loaded(tmp_path, TRACK + ITEM + TABLE.replace("< 1", "<= 1"))
    for refused in (kr.assess, kr.rulebook):
        with pytest.raises(kr.AssessmentError):
            refused(found)


def test_a_misspelt_column_is_named_beside_the_overlap_it_makes(tmp_path: Path) -> None:
    first = TABLE.replace("completion >= 1", "completon >= 1")
    second = first.replace("speed", "again").replace("completion < 1", "completion < 0.5")
    veto = '[[scorecard.veto]]\nname = "v"\nwhen = ["kind = exempt", "lagg > 3"]\neffect = "zero"\n'
    assert [text for text in said(tmp_path, TRACK + first + second + veto) if "unknown-column" in text] == [
        "error unknown-column 7 scorecard.table[1].row[1].when[1]: completon",
        "error unknown-column 13 scorecard.table[2].row[1].when[1]: completon",
        "error unknown-column 18 scorecard.veto[1].when[2]: lagg",
    ]


def test_what_names_a_track_that_cannot_be_read_is_no_problem_of_its_own(tmp_path: Path) -> None:
    other = TRACK.replace('"t"', '"other"')
    prize = '[[scorecard.prize]]\ntrack = "t"\nname = "p"\ntop = 1\n'
    text = TRACK.replace("leave", "scale") + other + ITEM + 'track = "t"\n' + TABLE + 'track = "other"\n' + prize
    assert said(tmp_path, text) == ['error unknown-choice 3 scorecard.track[1].missing: "scale"']


def test_a_list_of_a_track_without_a_total_adds_no_problem(tmp_path: Path) -> None:
    text = TRACK + ITEM.replace("zero", "steps") + '[[scorecard.prize]]\nname = "p"\ntop = 1\n'
    assert said(tmp_path, text) == ['error bad-scorecard 8 scorecard.item[1].below: "steps" and no malus']
