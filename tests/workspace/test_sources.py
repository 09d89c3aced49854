"""Files as they come: delimiters, quotes, ragged lines, headers, sheets, Parquet; and what is said of failing ones."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import xlsxwriter  # type: ignore[import-untyped]
from hypothesis import example, given
from hypothesis import strategies as st

from kpi_rules.workspace.sources import TableSource, read_source
from kpi_rules.workspace.workbooks import number_text
from tests.workspace.reading import PROJECTS, UNITS, messages, read_csv, read_sources, reasons

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from kpi_rules.workspace.tables import ReadTables

ARRIVALS = "voucher,project,amount,arrived_on\n"
ROW = "V1,J01,5,2011-03-01\n"


def read_one(
    folder: Path,
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    header: int | None = None,
) -> ReadTables:
    """Read `source` as the table arrivals, beside units and projects."""
    (folder / "units.csv").write_text(UNITS, encoding="utf-8")
    (folder / "projects.csv").write_text(PROJECTS, encoding="utf-8")
    beside = [TableSource(name, f"{name}.csv") for name in ("units", "projects")]
    return read_sources(folder, [*beside, TableSource("arrivals", source, columns or {}, encoding, header=header)])


def write_book(path: Path, sheets: Mapping[str, Sequence[Any]]) -> None:
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd", "remove_timezone": True}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)


# CSV


@pytest.mark.parametrize(
    "content",
    [
        ARRIVALS + ROW,
        (ARRIVALS + ROW).rstrip("\n"),
        (ARRIVALS + ROW).replace("\n", "\r\n"),
        (ARRIVALS + ROW).replace("\n", "\r"),
        (ARRIVALS + ROW).replace(",", ";"),
        (ARRIVALS + ROW).replace(",", "\t"),
        ARRIVALS + ' V1 ,"J01","5",2011-03-01\n',
        ARRIVALS.replace("\n", ",\n") + ROW.replace("\n", ",\n"),
        ARRIVALS + ROW.replace("\n", ",,\n"),
    ],
)
def test_ways_of_writing_csv(tmp_path: Path, content: str) -> None:
    found = read_csv(tmp_path, {"arrivals": content})
    assert messages(found) == []
    assert reasons(found) == []
    assert found.tables.arrivals.rows() == [
        (2, "V1", "J01", 500, date(2011, 3, 1), *[None] * 8),
    ]


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    found = read_csv(tmp_path, {"arrivals": ARRIVALS.strip()})
    assert (messages(found), found.tables.arrivals.height) == ([], 0)


@pytest.mark.parametrize("content", [b"", b"\n  \n", b"\xef\xbb\xbf"])
def test_a_file_without_a_header(tmp_path: Path, content: bytes) -> None:
    assert messages(read_csv(tmp_path, {"arrivals": content})) == [
        (
            "error [empty-file] arrivals.csv, table arrivals: found a file of 0 bytes; "
            "expected a header, and rows below it if there are any"
        )
    ]


def test_rows_are_numbered_as_a_spreadsheet_numbers_them(tmp_path: Path) -> None:
    """Blank lines count, and so does a field over two lines, once."""
    rows = ROW + "\n,,,\n" + 'V2,J01,6,2011-03-01,"two\nlines"\n'.replace(',"two\nlines"', "") + "V3,J01,7,2011-03-01\n"
    assert read_csv(tmp_path, {"arrivals": ARRIVALS + rows}).tables.arrivals["row"].to_list() == [2, 5, 6]
    quoted = 'voucher,project,amount,arrived_on,payer\nV1,J01,5,2011-03-01,"two\nlines"\nV2,J01,6,2011-03-01,\n'
    found = read_csv(tmp_path, {"arrivals": quoted})
    assert found.tables.arrivals.select("row", "payer").rows() == [(2, "two\nlines"), (3, None)]


def test_a_blank_line_above_the_header(tmp_path: Path) -> None:
    assert read_csv(tmp_path, {"arrivals": "\n" + ARRIVALS + ROW}).tables.arrivals["row"].to_list() == [3]


def test_ragged_rows_do_not_take_the_others_with_them(tmp_path: Path) -> None:
    found = read_csv(tmp_path, {"arrivals": ARRIVALS + "V0,J01\n" + ROW + "V2,J01,1,500,2011-03-01\n"})
    assert found.quarantine.select("row", "value", "code").rows() == [
        (2, "V0,J01", "ragged-row"),
        (4, "V2,J01,1,500,2011-03-01", "ragged-row"),
    ]
    assert found.tables.arrivals["row"].to_list() == [3]


def test_a_ragged_row_of_a_settings_table_is_an_error(tmp_path: Path) -> None:
    assert messages(read_csv(tmp_path, {"units": UNITS + "parks\n"})) == [
        (
            "error [ragged-row] units.csv, table units, row 5: "
            "found 'parks', 1 field; expected 2 fields, as many as the header has"
        )
    ]


def test_a_quotation_mark_that_is_not_closed(tmp_path: Path) -> None:
    assert messages(read_csv(tmp_path, {"arrivals": ARRIVALS + ROW + 'V2,"J01,5,2011-03-01\n'})) == [
        (
            "error [broken-quotes] arrivals.csv, table arrivals, row 3: "
            "found a quotation mark that is not closed, or text after the closing one; "
            'expected "…" around a whole field, and "" for a quotation mark inside it'
        )
    ]


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=4), min_size=1, max_size=5)
    )
)
@example([["0"], ["", "", ""]])
def test_any_text_is_read_the_fast_way_as_the_careful_way(tmp_path_factory: Any, rows: list[list[str]]) -> None:  # noqa: ANN401 (Hypothesis and pytest share the signature)
    """No text makes reading raise, and whatever needs no quotes is read alike with and without them."""
    folder = tmp_path_factory.getbasetemp()
    lines = ["a,b", *(",".join(re.sub(r'[,;\t\n\r"]', "", cell) for cell in row) for row in rows)]
    (folder / "plain.csv").write_text("\n".join(lines), encoding="utf-8", newline="")
    (folder / "quoted.csv").write_text("\n".join(['"a",b', *lines[1:]]), encoding="utf-8", newline="")
    plain, quoted = (read_source(TableSource("units", f"{name}.csv"), folder) for name in ("plain", "quoted"))
    assert not hasattr(plain, "code")
    assert not hasattr(quoted, "code")
    filled = [
        raw.cells.with_columns(row=raw.rows).filter(~pl.all_horizontal(pl.col("0", "1").is_null()))
        for raw in (plain, quoted)
    ]
    assert filled[0].equals(filled[1])
    assert plain.ragged.equals(quoted.ragged)


def test_a_large_enough_file_is_read_in_order(tmp_path: Path) -> None:
    rows = "".join(f"V{at},J01,{at}.25,2011-03-01\n" for at in range(1, 20_001))
    arrivals = read_csv(tmp_path, {"arrivals": ARRIVALS + rows}).tables.arrivals
    assert arrivals["row"].to_list() == list(range(2, 20_002))
    assert arrivals["amount"].to_list() == [at * 100 + 25 for at in range(1, 20_001)]


@pytest.mark.parametrize(("encoding", "declared"), [("gb18030", None), ("gb18030", "gbk"), ("utf-8-sig", None)])
def test_encodings_of_files(tmp_path: Path, encoding: str, declared: str | None) -> None:
    content = "凭证号,project,amount（万元）,arrived_on,payer\nV1,J01,1.5,2011年3月1日,市财政局\n"
    (tmp_path / "到账.csv").write_bytes(content.encode(encoding))
    found = read_one(tmp_path, "到账.csv", columns={"凭证号": "voucher"}, encoding=declared)
    guessed = encoding == "gb18030" and declared is None
    assert [problem.code for problem in found.problems] == (["guessed-encoding"] if guessed else [])
    assert found.tables.arrivals.select("amount", "arrived_on", "payer").rows() == [
        (1_500_000, date(2011, 3, 1), "市财政局")
    ]


def test_an_undecodable_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"voucher,\xff\xff\n")
    assert messages(read_one(tmp_path, "a.csv")) == [
        (
            "error [undecodable] a.csv, table arrivals, row 1: found byte 0xFF at offset 8; "
            "expected text in UTF-8 or GB18030; another encoding is named by `encoding` in kpi.toml"
        )
    ]


# Headers


def test_several_sources_of_one_table_follow_one_another(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(
        "voucher,project,amount(万元),arrived_on\nV1,J01,x,2011-03-02\nV2,J01,2,2011-03-02\n"
    )
    read_csv(tmp_path, {"arrivals": ARRIVALS + ROW})
    sources = [TableSource(name, f"{name}.csv") for name in ("units", "projects", "arrivals")]
    found = read_sources(tmp_path, [*sources, TableSource("arrivals", "b.csv")])
    assert found.quarantine.select("file", "row", "column", "value", "code").rows() == [
        ("arrivals.csv", 2, "voucher", "V1", "conflicting-id"),
        ("b.csv", 2, "amount", "x", "bad-amount"),
    ]
    assert found.tables.arrivals.select("row", "voucher", "amount").rows() == [(3, "V2", 2_000_000)]


def test_a_row_repeated_in_another_file_is_named_with_it(tmp_path: Path) -> None:
    read_csv(tmp_path, {"arrivals": ARRIVALS + ROW})
    sources = [TableSource(name, f"{name}.csv") for name in ("units", "projects", "arrivals", "arrivals")]
    assert reasons(read_sources(tmp_path, sources)) == [
        (
            "arrivals.csv row 2 voucher [duplicate-row] V1: "
            "the same as row 2 of arrivals.csv; expected each row once; the first counts"
        )
    ]


@pytest.mark.parametrize(
    ("header", "alias"),
    [
        ("到账金额", "到账金额"),
        ("到账金额(万元)", "到账金额"),
        ("到账金额（万元）", "到账金额(万元)"),
        ("到账金额 （单位：万元）", "到账金额（万元）"),
        (" Amount ", "amount"),
    ],
)
def test_aliases_match_with_or_without_the_unit(tmp_path: Path, header: str, alias: str) -> None:
    (tmp_path / "a.csv").write_text(f"voucher,project,{header},arrived_on\n{ROW}", encoding="utf-8")
    found = read_one(tmp_path, "a.csv", columns={alias: "amount"})
    assert messages(found) == []
    assert found.tables.arrivals["amount"].to_list() == [5_000_000 if "万元" in header else 500]


@pytest.mark.parametrize(
    ("header", "columns", "message"),
    [
        (
            "voucher,project,amuont,arrived_on",
            {},
            (
                "error [missing-column] a.csv, table arrivals, column amount: "
                "found the columns voucher, project, amuont, arrived_on; "
                "expected a column 'amount', or an alias for it in kpi.toml (nearest: amuont)"
            ),
        ),
        (
            "voucher,project,amount,arrived_on,payr",
            {},
            (
                "warning [unknown-column] a.csv, table arrivals, column payr: "
                "found the column 'payr', which is ignored; expected one of: voucher, project, amount, "
                "arrived_on, currency, year, payer, recorded_on, revoked_on, recorded_by, revoked_by, revoked_for "
                "(nearest: payer)"
            ),
        ),
        (
            "voucher,project,amount,arrived_on,金额",
            {"金额": "amount"},
            (
                "error [duplicate-column] a.csv, table arrivals, column amount: "
                "found 2 columns for 'amount': amount, 金额; expected one column for 'amount'"
            ),
        ),
        (
            "voucher,project,amount,arrived_on",
            {"撤销": "revoked_on"},
            (
                "error [alias-not-found] a.csv, table arrivals, column 撤销: found no column '撤销' in the file; "
                "expected the alias of 'revoked_on' in the header"
            ),
        ),
        (
            "voucher,project,amount,arrived_on,撤销日",
            {"撤销日": "revoked"},
            (
                "error [unknown-alias] a.csv, table arrivals, column 撤销日: "
                "found an alias for 'revoked', which the table does not have; "
                "expected one of: voucher, project, amount, arrived_on, currency, year, payer, recorded_on, "
                "revoked_on, recorded_by, revoked_by, revoked_for (nearest: revoked_by)"
            ),
        ),
    ],
)
def test_headers_that_do_not_fit(tmp_path: Path, header: str, columns: dict[str, str], message: str) -> None:
    (tmp_path / "a.csv").write_text(header + "\n" + ROW.strip() + ",x" * (header.count(",") - 3), encoding="utf-8")
    assert messages(read_one(tmp_path, "a.csv", columns=columns)) == [message]


TITLE = "Arrivals of the year 2011"
HEADED = "voucher,project,到账金额,arrived_on\n" + ROW + "V2,J01,x,2011-03-01\n"


@pytest.mark.parametrize(
    "above",
    [f"{TITLE},,,\n,,,\n", f"{TITLE}\n\n", f"\n{TITLE},,,\n", f"{TITLE}; page 1\nfinance bureau,of the city\n"],
)
def test_a_title_above_the_header_is_one_error_that_names_the_row(tmp_path: Path, above: str) -> None:
    (tmp_path / "a.csv").write_text(above + HEADED, encoding="utf-8")
    (message,) = messages(read_one(tmp_path, "a.csv", columns={"到账金额": "amount"}))
    title = ", ".join(above.strip().split("\n")[0].rstrip(",").split(";"))
    assert message == (
        f"error [missing-column] a.csv, table arrivals: found the columns {title}; expected the header in the first "
        "row, or header = 3 for this source in [tables] (nearest: row 3 looks like the header)"
    )
    found = read_one(tmp_path, "a.csv", columns={"到账金额": "amount"}, header=3)
    assert messages(found) == []
    assert found.tables.arrivals["row"].to_list() == [4]
    assert [(row["row"], row["code"]) for row in found.quarantine.iter_rows(named=True)] == [(5, "bad-amount")]


def test_a_header_is_looked_for_in_the_first_ten_rows(tmp_path: Path) -> None:
    for rows, nearest in ((8, "row 10 looks like the header"), (9, None)):
        (tmp_path / "a.csv").write_text(f"{TITLE}\n" + "x,y\n" * rows + ARRIVALS + ROW, encoding="utf-8")
        assert {problem.nearest for problem in read_one(tmp_path, "a.csv").problems} == {nearest}


def test_a_title_over_two_lines_is_one_row(tmp_path: Path) -> None:
    above = f'"{TITLE}\nof ""the"" city"\n'
    (tmp_path / "a.csv").write_text(above + HEADED + 'V3,J01,5,2011-03-01,more\nV4,"J01,5,2011\n', encoding="utf-8")
    assert messages(read_one(tmp_path, "a.csv", columns={"到账金额": "amount"}, header=2)) == [
        (
            "error [broken-quotes] a.csv, table arrivals, row 6: found a quotation mark that is not closed, or text "
            'after the closing one; expected "…" around a whole field, and "" for a quotation mark inside it'
        )
    ]
    (tmp_path / "a.csv").write_text(above + HEADED + "V3,J01,5,2011-03-01,more\n", encoding="utf-8")
    found = read_one(tmp_path, "a.csv", columns={"到账金额": "amount"}, header=2)
    assert found.quarantine["row"].to_list() == [4, 5]


@pytest.mark.parametrize("content", [HEADED, TITLE + "\n\n\n\n", TITLE])
def test_a_header_that_is_stated_and_not_there(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.csv").write_text(content, encoding="utf-8")
    assert messages(read_one(tmp_path, "a.csv", header=5)) == [
        (
            "error [no-header] a.csv, table arrivals, row 5: found nothing in row 5, which kpi.toml says is the "
            "header; expected the row of the column headings"
        )
    ]


# Files


def test_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "arrivals.csv").write_text(ARRIVALS + ROW)
    assert messages(read_one(tmp_path, "evidence/arivals.csv")) == [
        (
            "error [missing-file] evidence/arivals.csv, table arrivals: found no file 'evidence/arivals.csv'; "
            "expected a file in the workspace folder (nearest: evidence/arrivals.csv)"
        )
    ]


def test_a_folder_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    assert messages(read_one(tmp_path, "a.csv")) == [
        (
            "error [unreadable-file] a.csv, table arrivals: found a file that cannot be opened: Is a directory; "
            "expected a file that this user may read"
        )
    ]


def test_an_unknown_format(tmp_path: Path) -> None:
    (tmp_path / "a.xlx").write_text("x")
    assert messages(read_one(tmp_path, "a.xlx")) == [
        (
            "error [unknown-format] a.xlx, table arrivals: found a file ending in '.xlx'; "
            "expected one of: .csv, .tsv, .txt, .xlsx, .xlsm, .xlsb, .xls, .ods, .parquet (nearest: .xlsx)"
        )
    ]


# Workbooks


HEADER = ["凭证号", "项目", "到账金额（万元）", "到账日期", "撤销日期"]
ALIASES = {
    "凭证号": "voucher",
    "项目": "project",
    "到账金额": "amount",
    "到账日期": "arrived_on",
    "撤销日期": "revoked_on",
}


def test_a_sheet(tmp_path: Path) -> None:
    rows = [
        [],
        HEADER,
        [1001, "J01", 900, date(2011, 3, 1)],
        [],
        ["V2", "J01", 1200.005, datetime(2011, 3, 2, 13, 30, tzinfo=UTC), ""],
        ["V3", "J01", "1,500.5", "2011年3月3日"],
        ["V4", "J01", 123456789.34, 20110304],
    ]
    write_book(tmp_path / "book.xlsx", {"说明": [["notes"]], "到账": rows})
    found = read_one(tmp_path, "book.xlsx#到账", columns=ALIASES)
    assert messages(found) == []
    assert reasons(found) == [
        "book.xlsx#到账 row 7 amount [amount-too-large] 123456789.34: too large an amount; expected at most 2000亿 yuan"
    ]
    assert found.tables.arrivals.select("row", "voucher", "amount", "arrived_on").rows() == [
        (3, "1001", 900_000_000, date(2011, 3, 1)),
        (5, "V2", 1_200_005_000, date(2011, 3, 2)),
        (6, "V3", 1_500_500_000, date(2011, 3, 3)),
    ]


def test_a_title_above_the_header_of_a_sheet(tmp_path: Path) -> None:
    write_book(tmp_path / "book.xlsx", {"到账": [[TITLE], [], HEADER, [1001, "J01", 900, date(2011, 3, 1)]]})
    (message,) = messages(read_one(tmp_path, "book.xlsx", columns=ALIASES))
    assert message.endswith("or header = 3 for this source in [tables] (nearest: row 3 looks like the header)")
    found = read_one(tmp_path, "book.xlsx", columns=ALIASES, header=3)
    assert messages(found) == []
    assert found.tables.arrivals.select("row", "voucher", "amount").rows() == [(4, "1001", 900_000_000)]
    for header in (2, 5):
        (problem,) = read_one(tmp_path, "book.xlsx", columns=ALIASES, header=header).problems
        assert (problem.code, problem.place.row) == ("no-header", header)


def test_numbers_of_a_sheet_are_taken_as_they_are_stored(tmp_path: Path) -> None:
    """Left to itself, fastexcel would say 123456789012.339996338 and 0.333333333."""
    rows = [["project", "unit", "share"], ["J01", "water", 1 / 3], ["J02", "water", 0.7]]
    arrivals = [["voucher", "project", "amount", "arrived_on"], ["V1", "J01", 123456789012.34, "2011-03-01"]]
    write_book(tmp_path / "book.xlsx", {"claims": rows, "arrivals": arrivals})
    read_csv(tmp_path, {})
    sources = [TableSource(name, f"{name}.csv") for name in ("units", "projects")]
    found = read_sources(
        tmp_path, [*sources, *(TableSource(name, f"book.xlsx#{name}") for name in ("claims", "arrivals"))]
    )
    assert found.quarantine.select("row", "column", "value", "code").rows() == [
        (2, "share", "0.3333333333333333", "share-too-fine")
    ]
    assert found.tables.arrivals["amount"].to_list() == [12_345_678_901_234]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_as_text(value: float) -> None:
    text = number_text(value)
    assert float(text) == value
    assert "e" not in text


def test_error_cells_are_not_empty_cells(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "book.xlsx") as book:
        sheet = book.add_worksheet("a & b")
        sheet.write_row(1, 2, ["voucher", "project", "amount", "arrived_on", "revoked_on"])
        sheet.write_row(2, 2, ["V1", "J01", 5, "2011-03-01"])
        sheet.write_formula(2, 6, "=VLOOKUP(1,A1:A1,1,0)", None, "#N/A")
    found = read_one(tmp_path, "book.xlsx#a & b")
    assert found.quarantine.select("row", "column", "value", "code").rows() == [(3, "revoked_on", "#N/A", "bad-date")]


def test_the_first_sheet_where_none_is_named(tmp_path: Path) -> None:
    rows = [["voucher", "project", "amount", "arrived_on"], ["V1", "J01", 5, "2011-03-01"]]
    write_book(tmp_path / "book.xlsx", {"a": rows, "b": []})
    assert read_one(tmp_path, "book.xlsx").tables.arrivals.height == 1


def test_a_file_with_a_number_sign_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "a#1.csv").write_text(ARRIVALS + ROW)
    assert read_one(tmp_path, "a#1.csv").tables.arrivals.height == 1


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "book.xlsx#到帐明细",
            (
                "error [missing-sheet] book.xlsx#到帐明细, table arrivals: found no sheet '到帐明细'; "
                "expected one of the sheets: 到账明细, 空 (nearest: 到账明细)"
            ),
        ),
        (
            "book.xlsx#空",
            (
                "error [empty-sheet] book.xlsx#空, table arrivals: found the empty sheet '空'; "
                "expected a header, and rows below it if there are any"
            ),
        ),
        (
            "zero.xlsx#到账",
            (
                "error [empty-file] zero.xlsx#到账, table arrivals: found a file of 0 bytes; "
                "expected a header, and rows below it if there are any"
            ),
        ),
        (
            "text.xlsx",
            (
                "error [unreadable-workbook] text.xlsx, table arrivals: "
                "found a file that is no workbook, or a damaged one; "
                "expected a workbook saved as .xlsx, not protected by a password"
            ),
        ),
        (
            "text.parquet",
            (
                "error [unreadable-parquet] text.parquet, table arrivals: "
                "found a file that is not Parquet, or a damaged one; expected a table saved as Parquet"
            ),
        ),
    ],
)
def test_books_that_cannot_be_read(tmp_path: Path, source: str, message: str) -> None:
    write_book(tmp_path / "book.xlsx", {"到账明细": [["x"]], "空": []})
    (tmp_path / "zero.xlsx").touch()
    (tmp_path / "text.xlsx").write_text(ARRIVALS)
    (tmp_path / "text.parquet").write_text(ARRIVALS)
    assert messages(read_one(tmp_path, source)) == [message]


@pytest.mark.parametrize("name", ["book.xlsx", "table.parquet"])
def test_damaged_files_are_problems_and_never_raise(tmp_path: Path, name: str) -> None:
    rows = [["V1", "J01", str(at), "2011-03-01"] for at in range(50)]
    write_book(tmp_path / "book.xlsx", {"a": [ARRIVALS.strip().split(","), *rows]})
    pl.DataFrame(rows, ARRIVALS.strip().split(","), orient="row").write_parquet(tmp_path / "table.parquet")
    whole = (tmp_path / name).read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 25)):
        (tmp_path / name).write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        read_one(tmp_path, name)
        (tmp_path / name).write_bytes(whole[:at])
        read_one(tmp_path, name)


# Parquet


def test_parquet(tmp_path: Path) -> None:
    """Whole numbers are yuan, as in every file; only frames in memory hold fen."""
    pl.DataFrame(
        {"voucher": ["V1"], "project": ["J01"], "amount": [5], "arrived_on": [date(2011, 3, 1)]}
    ).write_parquet(tmp_path / "a.parquet")
    assert read_one(tmp_path, "a.parquet").tables.arrivals.row(0)[:5] == (1, "V1", "J01", 500, date(2011, 3, 1))
