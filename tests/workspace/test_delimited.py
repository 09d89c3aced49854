"""The readers of delimited text agree on whatever each of them accepts."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kpi_rules.model.problems import Place, Problem
from kpi_rules.workspace.delimited import Delimited, _careful, _indexed, _plain, read_delimited

PLACE = Place(file="a.csv", table="units")
FIELD = st.one_of(
    st.text("ab ,", max_size=3).map(lambda text: text.replace(",", "")),
    st.text('ab,"\n', max_size=4).map(lambda text: '"' + text.replace('"', '""') + '"'),
    st.sampled_from(["", "市", 'a"b', '"a"b', '"']),
)
RECORDS = st.lists(st.lists(FIELD, min_size=1, max_size=4), max_size=6)


def content(found: Delimited) -> tuple[list[str], list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Return header, rows with a value in them, and ragged rows: what tables are made of."""
    cells = found.cells.with_columns(pl.all().replace("", None)).with_columns(row=found.rows)
    filled = cells.filter(pl.any_horizontal(pl.exclude("row").is_not_null()))
    return found.header, filled.rows(), found.ragged.rows()


@given(RECORDS, st.sampled_from(["\n", "\r\n"]), st.booleans())
@example([["0"], ["", "", ""]], "\n", False)  # noqa: FBT003 (Hypothesis passes by position)
@example([["a", "b", ""], ["a", '"b"', "", ""]], "\r\n", True)  # noqa: FBT003 (same)
def test_the_readers_agree(records: list[list[str]], end: str, closed: bool) -> None:  # noqa: FBT001 (same)
    data = (end.join(["a,b", *(",".join(record) for record in records)]) + end * closed).encode()
    careful = _careful(data, ",", PLACE)
    ended = data if data.endswith(b"\n") else data + b"\n"
    for quick in (_plain(ended, ","), _indexed(ended, ",")):
        if quick is not None:
            assert isinstance(careful, Delimited)
            assert content(quick) == content(careful)
    whole = read_delimited(data, PLACE)
    assert isinstance(whole, Problem) == isinstance(careful, Problem)


@pytest.mark.parametrize(
    "text",
    ['a,b\n1,"x,\ny"\n3\n', 'a,b\n"1","2"\n\n3,4,\n', 'a,b\n1,"say ""hi"""\n5\n'],
)
def test_quotes_and_ragged_lines_need_no_row_loop(text: str) -> None:
    assert _indexed(text.encode(), ",") is not None


@given(st.binary(max_size=60))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    text = data.decode(errors="ignore")
    if text.strip():
        read_delimited(text.encode(), PLACE)
