"""Rows of quotas in files of all kinds: what is not edited stays, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import kpi_rules as kr
from tests.workspace.editing import JULY

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = '[year]\nstart = 2011-01-01\nend = 2011-12-31\n[tables]\nunits = "units.csv"\nquotas = {quotas}\n'
NAMES = '"单位" = "unit", "指标" = "indicator", "任务" = "amount", "起" = "effective"'
ALIASED = f'{{ source = "q.csv", columns = {{ {NAMES} }} }}'
EDITS = [kr.QuotaEdit("a", 300_000_000), kr.QuotaEdit("a", 45_000_000_000, effective=JULY), kr.QuotaEdit("b", None)]


def workspace(folder: Path, content: bytes, quotas: str = '"q.csv"', more: bytes | None = None) -> kr.Workspace:
    (folder / "kpi.toml").write_text(CONFIG.format(quotas=quotas), encoding="utf-8")
    (folder / "units.csv").write_text("unit,name\na,A\nb,B\nc,C\n", encoding="utf-8")
    (folder / "q.csv").write_bytes(content)
    if more is not None:
        (folder / "r.csv").write_bytes(more)
    ws = kr.load(folder)
    assert ws.errors == []
    return ws


@pytest.mark.parametrize(
    ("before", "after", "quotas"),
    [
        (
            "unit,indicator,amount,effective\na,funds,10万,2011-01-01\nb,funds,20万,2011-01-01\n",
            "unit,indicator,amount,effective\na,funds,300万,2011-01-01\na,funds,4.5亿,2011-07-01\n",
            '"q.csv"',
        ),
        (  # semicolons, quotation marks, no last line end, other columns, another order
            '号;effective;"unit";amount;indicator\r\n1;2011/1/1;"a";"1,000";"funds"\r\n\r\n2;2011-01-01;b;2;funds',
            (
                '号;effective;"unit";amount;indicator\r\n1;2011/1/1;"a";"300万";"funds"\r\n;2011-07-01;"a";"4.5亿";"funds"\r\n'
                "\r\n"
            ),
            '"q.csv"',
        ),
        (  # the heading states a unit, and names are aliases
            "单位\t指标\t任务（万元）\t起\na\tfunds\t10\t2011年1月1日\nb\tfunds\t20\t2011-01-01\n",
            "单位\t指标\t任务（万元）\t起\na\tfunds\t300\t2011年1月1日\na\tfunds\t45000\t2011-07-01\n",
            ALIASED,
        ),
        (  # a title above the header, with a delimiter of its own
            (
                '"Tasks; of 2011;;\nand later"\n\nunit,indicator,amount,effective\na,funds,10万,2011-01-01\n'
                "b,funds,2,2011-01-01\n"
            ),
            (
                '"Tasks; of 2011;;\nand later"\n\nunit,indicator,amount,effective\na,funds,300万,2011-01-01\n'
                "a,funds,4.5亿,2011-07-01\n"
            ),
            '{ source = "q.csv", header = 3 }',
        ),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_rows_are_edited_as_the_file_is_written(
    tmp_path: Path, before: str, after: str, quotas: str, encoding: str
) -> None:
    ws = workspace(tmp_path, before.encode(encoding), quotas)
    found = kr.save(ws, EDITS)
    assert found.problems == []
    assert (tmp_path / "q.csv").read_bytes().decode(encoding) == after
    assert found.workspace.problems == ws.with_edits(EDITS).problems
    assert found.workspace.tables.quotas["amount"].to_list() == [300_000_000, 45_000_000_000]


HEAD = "unit,indicator,amount,effective,requirement,deadline,stretch,note\n"


def test_a_quota_set_anew_keeps_its_fixings_and_stands_in_the_order_of_days(tmp_path: Path) -> None:
    rows = "a,funds,10,2011-01-01,in the park,2011-12-01,20,x\na,funds,12,2011-09-01,,,,\nb,funds,5,2011-01-01,,,,\n"
    ws = workspace(tmp_path, (HEAD + rows).encode())
    kr.save(
        ws,
        [
            kr.QuotaEdit("a", 1100, effective=JULY),
            kr.QuotaEdit("c", 7, "signed"),
            kr.QuotaEdit("a", 900, effective=None),
        ],
    )
    assert (tmp_path / "q.csv").read_text(encoding="utf-8") == (
        HEAD + "a,funds,10,2011-01-01,in the park,2011-12-01,20,x\n"
        "a,funds,11.00,2011-07-01,in the park,2011-12-01,,\na,funds,9.00,2011-09-01,,,,\nb,funds,5,2011-01-01,,,,\n"
        "c,signed,7,2011-01-01,,,,\n"
    )


@pytest.mark.parametrize("note", ["=1+2", "+x", "@x", '"', "a,b", "two\nlines", "'x"])
def test_a_note_is_read_back_as_the_text_that_it_is(tmp_path: Path, note: str) -> None:
    ws = workspace(tmp_path, (HEAD + "a,funds,10,2011-01-01,,,,x\n").encode())
    found = kr.save(ws, [kr.QuotaEdit("a", 900, note=note), kr.QuotaEdit("b", 7, note=note)])
    assert found.workspace.tables.quotas["note"].to_list() == [note, note]
    found = kr.save(found.workspace, [kr.QuotaEdit("a", 900, note="")])
    assert found.workspace.tables.quotas["note"].to_list() == [None, note]


def test_a_note_needs_its_column_and_a_text_its_encoding(tmp_path: Path) -> None:
    ws = workspace(tmp_path, b"unit,indicator,amount,effective\na,funds,10,2011-01-01\n")
    with pytest.raises(ValueError, match="no column for notes; expected a column 'note' in the header"):
        ws.with_edits([kr.QuotaEdit("a", 9, note="why")])
    quotas = '{ source = "q.csv", encoding = "ascii" }'
    ws = workspace(tmp_path, (HEAD + "a,funds,10,2011-01-01,,,,x\n").encode(), quotas)
    found = kr.save(ws, [kr.QuotaEdit("a", 9, note="因")])
    assert [problem.code for problem in found.problems] == ["unencodable"]
    assert found.problems[0].found == "the text '因', which the encoding ascii does not have"


def test_a_row_is_edited_in_the_file_that_it_stands_in(tmp_path: Path) -> None:
    rows = b"unit,indicator,amount,effective\n"
    quotas = '["q.csv", "r.csv"]'
    ws = workspace(tmp_path, rows + b"a,funds,10,2011-01-01\n", quotas, rows + b"b,funds,10,2011-01-01\n")
    edits = [
        kr.QuotaEdit("a", 900, effective=JULY),
        kr.QuotaEdit("a", 800, effective=ws.config.year.start if ws.config else None),
    ]
    found = kr.save(ws, [*edits, kr.QuotaEdit("c", 700)])
    assert found.workspace.tables.quotas.equals(ws.with_edits([*edits, kr.QuotaEdit("c", 700)]).tables.quotas)
    assert (tmp_path / "q.csv").read_text() == rows.decode() + "a,funds,8.00,2011-01-01\na,funds,9.00,2011-07-01\n"
    assert (tmp_path / "r.csv").read_text() == rows.decode() + "b,funds,10,2011-01-01\nc,funds,7.00,2011-01-01\n"
