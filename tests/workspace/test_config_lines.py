"""The line of every key, for any valid document."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.workspace.config_lines import Walk, dotted, lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_rules.workspace.config_lines import Path

DOCUMENT = '''\
# [not.a.section]
top = 1
[a]  # comment with ] and = and "
key = "text with ] # and = signs" # and a comment
"quoted key" = 'it''s'
dotted.inner.x = 2011-01-01
many = [
  1,  # one
  [2, 3],
  {x = 1, y = [
    4]},
]
text = """
[b]
fake = 1
\\""" still ""\\"
"""
raw = \'\'\'
[c]
\'\'\'
time = 1979-05-27 07:32:00
[[b]]
x = 1
[b.sub]
y = 2
[[b]]
x = 2
[[b.deep]]
z = {  # an inline table over lines is TOML 1.1
  p = 1,
  q.r = 2,
}
["单位"."a b"]
z = 1
'''.replace("'it''s'", "'its'")


def test_a_document_with_everything() -> None:
    lines = lines_of(DOCUMENT)
    expected = {
        ("top",): 2,
        ("a",): 3,
        ("a", "key"): 4,
        ("a", "quoted key"): 5,
        ("a", "dotted", "inner", "x"): 6,
        ("a", "many"): 7,
        ("a", "many", 0): 8,
        ("a", "many", 1): 9,
        ("a", "many", 2): 10,
        ("a", "many", 2, "y"): 10,
        ("a", "many", 2, "y", 0): 11,
        ("a", "text"): 13,
        ("a", "raw"): 18,
        ("a", "time"): 21,
        ("b", 0): 22,
        ("b", 0, "x"): 23,
        ("b", 0, "sub"): 24,
        ("b", 0, "sub", "y"): 25,
        ("b", 1): 26,
        ("b", 1, "x"): 27,
        ("b", 1, "deep", 0, "z"): 29,
        ("b", 1, "deep", 0, "z", "p"): 30,
        ("b", 1, "deep", 0, "z", "q", "r"): 31,
        ("单位", "a b", "z"): 34,
    }
    assert {path: lines.find(path) for path in expected} == expected
    assert ("b", 0, "y") not in lines.at
    assert not any("fake" in path for path in lines.at)


def test_an_unknown_key_stands_where_its_table_does() -> None:
    lines = lines_of("[a]\n\n[a.b]\nx = 1\n")
    assert lines.find(("a", "b", "missing")) == 3
    assert lines.find(("other",)) is None


def test_dotted_keys_count_from_one() -> None:
    assert dotted(("campaign", 1, "share")) == "campaign[2].share"
    assert dotted(("tables", "arrivals", "columns", "到账金额(万元)", 0)) == "tables.arrivals.columns.到账金额(万元)[1]"
    assert dotted(("a b", "c")) == '"a b".c'


keys = st.text(min_size=1, max_size=6).filter(lambda text: text.isprintable())
leaves = st.one_of(
    st.integers(-9, 9),
    st.booleans(),
    st.text(max_size=12).filter(lambda text: text.isprintable()),
    st.dates(date(1900, 1, 1)),
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)


@given(st.dictionaries(keys, values, max_size=4))
def test_every_key_of_a_document_is_found(document: dict[str, object]) -> None:
    text = tomlkit.dumps(document)
    lines = lines_of(text)
    for key in document:
        line = lines.find((key,))
        assert line is not None
        assert 1 <= line <= text.count("\n") + 1


def test_where_keys_values_and_sections_begin_and_end() -> None:
    text = 'x = 1 # c\n[a]\n"b c" = [ 1 , {y = "z"} ]\n[[a.d]]\ne.f = 2011-01-01\n'
    walk = Walk(text)

    def cut(spans: Mapping[Path, tuple[int, int]]) -> dict[Path, str]:
        return {path: text[start:end] for path, (start, end) in spans.items()}

    assert cut(walk.values) == {
        ("x",): "1",
        ("a", "b c"): '[ 1 , {y = "z"} ]',
        ("a", "b c", 0): "1",
        ("a", "b c", 1): '{y = "z"}',
        ("a", "b c", 1, "y"): '"z"',
        ("a", "d", 0, "e", "f"): "2011-01-01",
    }
    assert cut(walk.pairs)["a", "d", 0, "e", "f"] == "e.f = 2011-01-01"
    assert {path: text[at:].partition("\n")[0] for path, at in walk.headers.items()} == {
        ("a",): "[a]",
        ("a", "d", 0): "[[a.d]]",
    }
    assert {path: text[:at][-3:] for path, at in walk.ends.items()} == {
        (): "= 1",
        ("a",): "} ]",
        ("a", "d", 0): "-01",
    }
