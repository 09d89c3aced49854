"""Edits of TOML as text: what is not edited stays, to the character."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.workspace import toml_text
from kpi_rules.workspace.config_lines import Walk

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("kpi.toml"))
PATH = ("p", "a")
JULY = date(2011, 7, 1)


def test_values_are_written_as_they_are_read() -> None:
    values: list[object] = ['"', "单位 \\ \n\x7f\x01", True, 3, Decimal("0.40"), Decimal(3), JULY, ["a", "b"], {}]
    for value in values:
        text = f"value = {toml_text.written(value)}"
        assert tomli.loads(text, parse_float=Decimal)["value"] == value, text
    assert toml_text.written(Decimal("0.40")) == "0.40"
    assert toml_text.written(0.5) == "0.5"
    assert toml_text.written(Decimal(3)) == "3.0"
    assert toml_text.written({"value": 1, "from on": ("x",)}) == '{ value = 1, "from on" = ["x"] }'
    with pytest.raises(TypeError, match="no value such as"):
        toml_text.written(object())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_every_key_of_the_examples_can_be_replaced_and_put_back(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for key, (start, end) in Walk(text).values.items():
        if isinstance(key[-1], str):
            other = toml_text.replaced(text, key, "other")
            assert other == text[:start] + '"other"' + text[end:]
            tomli.loads(other)


ARRAY = """\
[p]
a = [ # why
    { value = 1 },   # first
    { value = 2, from = 2011-01-01 } # second
]
b = [1, 2]  # c
"""


def test_an_element_more_stands_as_the_others_do() -> None:
    found = toml_text.with_element(ARRAY, PATH, {"value": 3})
    assert found == ARRAY.replace("} # second\n", "}, # second\n    { value = 3 }\n")
    trailing = ARRAY.replace("} # second", "}, # second")
    assert toml_text.with_element(trailing, PATH, 3) == trailing.replace("# second\n", "# second\n    3,\n")
    assert "b = [1, 2, 3]  # c" in toml_text.with_element(ARRAY, ("p", "b"), 3)
    assert toml_text.with_element("a = []", ("a",), 3) == "a = [3]"
    assert toml_text.with_element("a = [1, ]", ("a",), 3) == "a = [1, 3, ]"
    assert toml_text.with_element("a = [\n  1]", ("a",), 3) == "a = [\n  1, 3]"


def test_an_element_less_takes_its_line_with_it() -> None:
    assert toml_text.without_element(ARRAY, PATH, 0) == ARRAY.replace("    { value = 1 },   # first\n", "")
    assert tomli.loads(toml_text.without_element(ARRAY, PATH, 1))["p"]["a"] == [{"value": 1}]
    assert "b = [2]  # c" in toml_text.without_element(ARRAY, ("p", "b"), 0)
    assert "b = [1]  # c" in toml_text.without_element(ARRAY, ("p", "b"), 1)
    assert toml_text.without_element("a = [ 1, ]", ("a",), 0) == "a = []"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("[p]\nb = 1 # c\n\n# of q\n[q]\n", "[p]\nb = 1 # c\na = 2\n\n# of q\n[q]\n"),
        ("[p]\r\n  b = 1\r\n[q]\r\n", "[p]\r\n  b = 1\r\n  a = 2\r\n[q]\r\n"),
        ("[p]", "[p]\na = 2"),
        ("p = {}\n", "p = { a = 2 }\n"),
        ("p = { b = 1 }\n", "p = { b = 1, a = 2 }\n"),
        ("p.b = 1\n[q]\n", "p.b = 1\np.a = 2\n[q]\n"),
        ("[p.q]\nx = 1\n", "[p.q]\nx = 1\n\n[p]\na = 2\n"),
        ("[[p.q]]\nx = 1", "[[p.q]]\nx = 1\n\n[p]\na = 2\n"),
        ("", "[p]\na = 2\n"),
    ],
)
def test_a_key_more(text: str, after: str) -> None:
    assert toml_text.with_key(text, "p", "a", 2) == after
    assert tomli.loads(after)["p"]["a"] == 2


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("[p]\na = 1 # c\nb = 2\n", "[p]\nb = 2\n"),
        ("p = { a = 1, b = 2 }\n", "p = { b = 2 }\n"),
        ("p = { b = 2, a = 1 }\n", "p = { b = 2 }\n"),
        ("p.a = 1\np.b = 2\n", "p.b = 2\n"),
        ("[q]\nx = 1\n\n[p]\na = 1\n", "[q]\nx = 1\n"),
        ("[p]\na = 1\n\n[q]\n", "[q]\n"),
        ("[p]\n# why\na = 1\n", "[p]\n# why\n"),
        ("[p] # why\na = 1\n", "[p] # why\n"),
        ("[p]\na = 1\n[p.q]\n", "[p]\n[p.q]\n"),
    ],
)
def test_a_key_less(text: str, after: str) -> None:
    assert toml_text.without_key(text, PATH) == after


def test_a_plain_value_becomes_dated_and_plain_again() -> None:
    text = "[p]\n  a = 0x10  # c\n"
    found = toml_text.dated(text, PATH, {"value": 1, "from": date(2011, 7, 1)})
    assert found == "[p]\n  a = [\n      { value = 0x10 },\n      { value = 1, from = 2011-07-01 },\n  ]  # c\n"
    assert toml_text.undated(toml_text.without_element(found, PATH, 1), PATH) == text


def test_remarks_between_elements_are_seen() -> None:
    assert toml_text.has_remarks(ARRAY, PATH)
    assert not toml_text.has_remarks('[p]\na = ["#", "b"] # c\n', PATH)


@given(st.text(max_size=8), st.text(max_size=8), st.sampled_from(("\n", "\r\n")))
def test_any_key_and_text_go_in_and_out_again(key: str, value: str, newline: str) -> None:
    text = "[q]\nb = 1 # keep\n\n[z]\n".replace("\n", newline)
    found = toml_text.with_key(text, "q", key, value) if key != "b" else text
    assert tomli.loads(found)["q"].get(key, 1) == (value if key != "b" else 1)
    assert (toml_text.without_key(found, ("q", key)) if key != "b" else found) == text
