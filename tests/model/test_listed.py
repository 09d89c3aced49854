"""Lists of texts on one line: whatever is written reads as what it was."""

from __future__ import annotations

import pytest
import tomli
from hypothesis import example, given
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.cli.edit_words import read_parameters
from kpi_rules.model.listed import read_list, write_list
from kpi_rules.model.settings import Setting

TEXTS = st.text(st.characters(codec="utf-8"), max_size=9)
AWKWARD = st.text(st.sampled_from(", \"'[]\\#=，a\n\t\x00\x1b\x85\u202e\ufe0f\U0001f1e8"), max_size=6)
ITEMS = st.lists(TEXTS | AWKWARD, max_size=4)
GRADES = Setting("summer.grades", "texts", (), "Grades")


@given(ITEMS)
@example(["a, b", "head", "", " ", '"', "'", "[x]", "a\\", "\ufe0f"])
def test_what_is_written_reads_as_what_it_was(items: list[str]) -> None:
    written = write_list(items)
    assert read_list(written) == items
    assert read_list(written[1:-1]) == items
    assert read_list(f"  {written} ") == items


@given(ITEMS)
def test_nothing_in_it_is_obeyed_or_hidden_by_a_terminal(items: list[str]) -> None:
    assert kr.safe(write_list(items)) == write_list(items)


@given(ITEMS)
def test_a_list_of_toml_is_read(items: list[str]) -> None:
    from kpi_rules.workspace.toml_text import written

    assert tomli.loads(f"a = {written(items)}")["a"] == read_list(written(items)) == items


@given(ITEMS)
def test_the_command_that_is_shown_says_the_same_as_the_field(items: list[str]) -> None:
    value = GRADES.typed(GRADES.show(tuple(items)))
    assert value == items
    edit = kr.ParameterEdit(GRADES.name, value)
    words = kr.edit_command("folder", [edit])
    assert read_parameters([words[words.index("--set") + 1]], []) == [edit]


@given(TEXTS | AWKWARD)
def test_whatever_is_typed_is_a_list_or_none(text: str) -> None:
    items = read_list(text)
    if items is None:
        assert GRADES.read(GRADES.typed(text)) is None
    else:
        assert read_list(write_list(items)) == items


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("", []),
        ("[]", []),
        ("head", ["head"]),
        ("head, section", ["head", "section"]),
        (" [ head ,section, ] ", ["head", "section"]),
        ("市局 一科, 二科", ["市局 一科", "二科"]),
        ('"a, b", c', ["a, b", "c"]),
        ("'a, b'", ["a, b"]),
        ("O'Brien", ["O'Brien"]),
        (r'"\u202e\t"', ["\u202e\t"]),
    ],
)
def test_what_people_type(text: str, items: list[str]) -> None:
    assert read_list(text) == items


@pytest.mark.parametrize(
    "text",
    [
        "a,,b",
        "a, ,b",
        ",",
        " , ",
        "[a",
        "a]",
        "[a], b",
        '"a',
        '"a" b',
        '"a""b"',
        '"""a"""',
        "a, [b]",
        '"\n"',
    ],
)
def test_what_is_no_list(text: str) -> None:
    assert read_list(text) is None


@pytest.mark.parametrize(
    ("items", "text"),
    [
        (["head", "section"], "[head, section]"),
        (["市局 一科"], "[市局 一科]"),
        (["a, b", "c"], '["a, b", c]'),
        ([""], '[""]'),
        (["，"], '["，"]'),
        (["\x1b"], r'["\u001b"]'),
        (["\u202e"], r'["\U0000202e"]'),
    ],
)
def test_how_it_is_written(items: list[str], text: str) -> None:
    assert write_list(items) == text
