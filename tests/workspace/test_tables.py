"""Clean tables, and every way a row can break: each with its code and its whole message."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

from kpi_rules.workspace.schemas import SCHEMAS, frame_schema
from kpi_rules.workspace.tables import ReadTables, TableSource, tables_from_frames
from tests.workspace.reading import BASE, messages, read_csv, read_sources, reasons

if TYPE_CHECKING:
    from pathlib import Path

ARRIVALS = "voucher,project,amount,arrived_on\n"
VISITS = "visit,project,visited_on,assessed_amount\n"
QUOTAS = "unit,indicator,amount,effective\n"
STAFF = "person,unit,grade,component,from_on,to_on\n"
AMOUNT = "an amount in yuan such as 30000.50, 1500万 or 2亿"
DATE = "a date from 1900 to 2199 such as 2011-03-05, 2011/3/5 or 2011年3月5日"


def test_tables_that_are_not_there_are_empty(tmp_path: Path) -> None:
    tables = read_csv(tmp_path, {}).tables
    for name, schema in SCHEMAS.items():
        frame = getattr(tables, name)
        assert dict(frame.schema) == schema.dtypes
        frame_schema(name).validate(frame)
    assert tables.units.rows()[0] == (2, "city", "City", None, None, None, None, None)


def test_clean_rows(tmp_path: Path) -> None:
    found = read_csv(
        tmp_path,
        {
            "claims": "project,unit,share\nJ01,finance,0.7\nJ01,water,0.333333333\n",
            "visits": VISITS + "S1,J01,2011/4/1,0\n",
            "staff": STAFF + "P1,finance,head,820.5,2011-01-01,\nP1,water,head,820.5,2011-06-01,\n",
            "withheld": "person,month,amount\nP1,2010-12-31,5\nP1,2010-12-31,5\n",
            "quotas": QUOTAS + "finance,funds,3000万,2011-01-01\nfinance,signed,12,2011-01-01\n",
        },
    )
    assert messages(found) == []
    assert reasons(found) == []
    assert found.tables.claims["share"].to_list() == [700_000_000, 333_333_333]
    assert found.tables.visits.row(0)[:5] == (2, "S1", "J01", date(2011, 4, 1), 0)
    assert found.tables.staff["component"].to_list() == [82_050, 82_050]
    assert found.tables.withheld["amount"].to_list() == [500, 500]
    assert found.tables.quotas["amount"].to_list() == [3_000_000_000, 12]


@pytest.mark.parametrize(
    ("table", "header", "row", "line"),
    [
        ("arrivals", ARRIVALS, "V1,J01,,2011-03-01", "amount [missing-value] None: an empty cell; expected a value"),
        (
            "arrivals",
            ARRIVALS,
            "V1,J01,5,  ",
            "arrived_on [missing-value]   : an empty cell; expected a value",
        ),
        (
            "arrivals",
            ARRIVALS,
            "V1,J01,约300万,2011-03-01",
            f"amount [bad-amount] 约300万: no amount; expected {AMOUNT}",
        ),
        (
            "arrivals",
            ARRIVALS,
            "V1,J01,12345.678,2011-03-01",
            (
                "amount [amount-too-fine] 12345.678: an amount with parts of a fen; "
                "expected at most two decimals of a yuan"
            ),
        ),
        (
            "arrivals",
            ARRIVALS.replace("amount", "amount（万元）"),
            "V1,J01,3万,2011-03-01",
            (
                "amount [unit-stated-twice] 3万: a unit in the cell and another in the header; "
                "expected one unit, in the cell or in the header"
            ),
        ),
        (
            "arrivals",
            ARRIVALS,
            "V1,J01,2000.0001亿,2011-03-01",
            "amount [amount-too-large] 2000.0001亿: too large an amount; expected at most 2000亿 yuan",
        ),
        (
            "arrivals",
            ARRIVALS,
            "V1,J01,99999999999999999999,2011-03-01",
            "amount [amount-too-large] 99999999999999999999: too large an amount; expected at most 2000亿 yuan",
        ),
        (
            "arrivals",
            ARRIVALS,
            "V1,J01,-120万,2011-03-01",
            (
                "amount [negative-amount] -120万: a negative amount; expected 0 or more; "
                "what is taken back has a revoked_on"
            ),
        ),
        (
            "arrivals",
            ARRIVALS,
            "V1,J01,5,2011-02-30",
            f"arrived_on [bad-date] 2011-02-30: no date; expected {DATE}",
        ),
        (
            "arrivals",
            "voucher,project,amount,arrived_on,year\n",
            "V1,J01,5,2011-03-01,11",
            "year [bad-year] 11: no year; expected a year such as 2011",
        ),
        (
            "arrivals",
            "voucher,project,amount,arrived_on,year\n",
            "V1,J01,5,2011-03-01,next",
            "year [bad-year] next: no year; expected a year such as 2011",
        ),
        (
            "arrivals",
            ARRIVALS,
            "V1,J03,5,2011-03-01",
            "project [unknown-project] J03: no such project; expected a project of the table projects (nearest: J01)",
        ),
        (
            "arrivals",
            "voucher,project,amount,arrived_on,currency\n",
            "V1,J01,5,2011-03-01,USD",
            (
                "currency [no-rate] USD: no rate of this currency on or before the day of arrival; "
                "expected a row of the table rates"
            ),
        ),
        (
            "arrivals",
            ARRIVALS,
            "V1,J01,5",
            " [ragged-row] V1,J01,5: 3 fields; expected 4 fields, as many as the header has",
        ),
        (
            "arrivals",
            ARRIVALS,
            "V1,J01,1,500,2011-03-01",
            " [ragged-row] V1,J01,1,500,2011-03-01: 5 fields; expected 4 fields, as many as the header has",
        ),
        (
            "claims",
            "project,unit,share\n",
            "J01,finance,1/3",
            "share [bad-share] 1/3: no share; expected a decimal from 0 to 1 such as 0.7",
        ),
        (
            "claims",
            "project,unit,share\n",
            "J01,finance,-0.1",
            "share [bad-share] -0.1: no share; expected a decimal from 0 to 1 such as 0.7",
        ),
        (
            "claims",
            "project,unit,share\n",
            "J01,finance,0.3333333333",
            "share [share-too-fine] 0.3333333333: a share with more than nine decimals; expected at most nine decimals",
        ),
        (
            "claims",
            "project,unit,share\n",
            "J01,watr,0.7",
            "unit [unknown-unit] watr: no such unit; expected a unit of the table units (nearest: water)",
        ),
        (
            "rates",
            "currency,on,rate\n",
            'USD,2011-01-31,"6,49x"',
            "rate [bad-rate] 6,49x: no rate; expected a decimal above 0 and at most 1000000, such as 6.4631",
        ),
        (
            "rates",
            "currency,on,rate\n",
            "USD,2011-01-31,0",
            "rate [bad-rate] 0: no rate; expected a decimal above 0 and at most 1000000, such as 6.4631",
        ),
        (
            "rates",
            "currency,on,rate\n",
            "USD,2011-01-31,6.4630000001",
            "rate [rate-too-fine] 6.4630000001: a rate with more than nine decimals; expected at most nine decimals",
        ),
        (
            "staff",
            STAFF,
            "P1,finance,head,800,2011-05-01,2011-04-30",
            "to_on [period-reversed] 2011-04-30: an end before the beginning; expected to_on on from_on or after it",
        ),
        (
            "withheld",
            "person,month,amount\n",
            "P1,2010-12-30,5",
            "month [not-month-end] 2010-12-30: a day within a month; expected the last day of a month",
        ),
    ],
)
def test_a_row_that_breaks(tmp_path: Path, table: str, header: str, row: str, line: str) -> None:
    """It is in quarantine, alone: with file, row, column, value and reason."""
    found = read_csv(tmp_path, {table: f"{header}{row}\n"})
    assert reasons(found) == [f"{table}.csv row 2 {line}"]
    assert messages(found) == []
    assert getattr(found.tables, table).is_empty()


def test_a_row_appears_once_for_each_broken_column(tmp_path: Path) -> None:
    found = read_csv(tmp_path, {"arrivals": ARRIVALS + "V1,J09,5.001,someday\nV2,J01,7,2011-01-01\n"})
    assert [line.split(" [")[0] for line in reasons(found)] == [
        "arrivals.csv row 2 project",
        "arrivals.csv row 2 amount",
        "arrivals.csv row 2 arrived_on",
    ]
    assert found.tables.arrivals["voucher"].to_list() == ["V2"]


def test_identical_rows_count_once(tmp_path: Path) -> None:
    found = read_csv(
        tmp_path, {"arrivals": ARRIVALS + "V1,J01,900万,2011-03-01\nV2,J01,1,2011-03-01\nV1,J01,9000000,2011/3/1\n"}
    )
    assert reasons(found) == [
        "arrivals.csv row 4 voucher [duplicate-row] V1: the same as row 2; expected each row once; the first counts"
    ]
    assert found.tables.arrivals["row"].to_list() == [2, 3]


def test_different_rows_of_one_id_count_not_at_all(tmp_path: Path) -> None:
    found = read_csv(tmp_path, {"claims": "project,unit,share\nJ01,water,0.1\nJ01,water,0.2\nJ01,finance,0.2\n"})
    reason = "2 rows with this id that are not the same; expected one row for each id"
    assert reasons(found) == [
        f"claims.csv row 2 project, unit [conflicting-id] J01, water: {reason}",
        f"claims.csv row 3 project, unit [conflicting-id] J01, water: {reason}",
    ]
    assert found.tables.claims["row"].to_list() == [4]


def claims(*rows: str) -> str:
    return "project,unit,share,recorded_on,revoked_on\n" + "".join(f"J01,water,{row}\n" for row in rows)


@pytest.mark.parametrize(
    "rows",
    [
        ("0.1,,2011-05-01", "0.2,2011-05-01,"),
        ("0.2,2011-05-01,", "0.1,,2011-05-01"),
        ("0.3,2011-08-01,", "0.1,,2011-05-01", "0.2,2011-05-01,2011-08-01"),
        ("0.1,,2011-05-01", "0.1,2011-05-01,"),  # said again
        ("0.1,2011-05-01,2011-05-01", "0.2,2011-05-01,", "0.3,2011-05-01,2011-05-01"),  # known on no day
    ],
)
def test_claims_known_one_after_the_other_are_versions(tmp_path: Path, rows: tuple[str, ...]) -> None:
    found = read_csv(tmp_path, {"claims": claims(*rows)})
    assert reasons(found) == []
    assert found.tables.claims["row"].to_list() == [row + 2 for row in range(len(rows))]


def test_claims_known_on_the_same_day_conflict_and_other_versions_stay(tmp_path: Path) -> None:
    rows = ("0.1,,2011-05-02", "0.2,2011-05-01,2011-08-01", "0.3,2011-08-01,", "0.3,2011-08-01,")
    found = read_csv(tmp_path, {"claims": claims(*rows)})
    assert found.quarantine.select("row", "column", "code").rows() == [
        (2, "project, unit", "conflicting-id"),
        (3, "project, unit", "conflicting-id"),
        (5, "project, unit", "duplicate-row"),
    ]
    assert found.tables.claims["row"].to_list() == [4]


def test_tables_with_ids_of_their_own_have_no_versions(tmp_path: Path) -> None:
    rows = "V1,J01,5,2011-03-01,,2011-05-01\nV1,J01,6,2011-03-01,2011-05-01,\n"
    found = read_csv(tmp_path, {"arrivals": "voucher,project,amount,arrived_on,recorded_on,revoked_on\n" + rows})
    assert found.quarantine["code"].to_list() == ["conflicting-id", "conflicting-id"]


def test_a_broken_row_does_not_vouch_for_another_of_its_id(tmp_path: Path) -> None:
    rows = "V1,J01,5,2011-03-01,\nV1,J01,5,2011-03-01,someday\n"
    found = read_csv(tmp_path, {"arrivals": "voucher,project,amount,arrived_on,revoked_on\n" + rows})
    assert found.quarantine.select("row", "code").rows() == [(2, "conflicting-id"), (3, "bad-date")]


def test_persons_may_have_several_rows_but_not_the_same_twice(tmp_path: Path) -> None:
    rows = "P1,finance,head,8,,2011-05-01\nP1,water,head,8,2011-05-02,\nP1,water,head,8,2011-05-02,\n"
    found = read_csv(tmp_path, {"staff": STAFF + rows})
    assert found.quarantine.select("row", "column", "code").rows() == [(4, "person", "duplicate-row")]
    assert found.tables.staff["row"].to_list() == [2, 3]


def test_vouchers_of_a_project_in_quarantine(tmp_path: Path) -> None:
    found = read_csv(
        tmp_path,
        {"projects": "project,unit\nJ01,watr\nJ02,water\n", "arrivals": ARRIVALS + "V1,J01,5,2011-03-01\n"},
    )
    assert reasons(found) == [
        (
            "projects.csv row 2 unit [unknown-unit] watr: no such unit; "
            "expected a unit of the table units (nearest: water)"
        ),
        (
            "arrivals.csv row 2 project [project-quarantined] J01: a project that is in quarantine itself; "
            "expected a project of the table projects without fault"
        ),
    ]


def test_nothing_is_held_against_a_table_that_could_not_be_read(tmp_path: Path) -> None:
    found = read_csv(tmp_path, {"projects": b"", "arrivals": ARRIVALS + "V1,J01,5,2011-03-01\n"})
    assert [problem.code for problem in found.problems] == ["empty-file"]
    assert reasons(found) == []
    assert found.tables.arrivals.height == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("finance,funds,0,2011-01-01", ("column amount: found '0', a quota of 0; expected more than 0; "
         "a unit without task has no row")),
        ("finance,funds,many,2011-01-01", f"column amount: found 'many', no amount; expected {AMOUNT}"),
        ("finance,signed,1.5,2011-01-01", ("column amount: found '1.5', no count; "
         "expected a whole number such as 12")),
        ("finance,signed,-1,2011-01-01", ("column amount: found '-1', no count; "
         "expected a whole number such as 12")),
        ("finance,signed,12万,2011-01-01", ("column amount: found '12万', no count; "
         "expected a whole number such as 12")),
        ("finance,funds,3000亿,2011-01-01", ("column amount: found '3000亿', too large an amount; "
         "expected at most 2000亿 yuan")),
        ("finance,funds,5,soon", f"column effective: found 'soon', no date; expected {DATE}"),
        ("finance,,5,2011-01-01", "column indicator: found an empty cell; expected a value"),
    ],
)  # fmt: skip
def test_a_broken_quota_is_an_error(tmp_path: Path, row: str, message: str) -> None:
    found = read_csv(tmp_path, {"quotas": QUOTAS + row + "\n"})
    assert [problem.message for problem in found.problems] == [f"quotas.csv, table quotas, row 2, {message}"]
    assert found.problems[0].severity == "error"
    assert reasons(found) == []
    assert found.tables.quotas.is_empty()


def test_a_broken_unit_is_one_error(tmp_path: Path) -> None:
    found = read_csv(tmp_path, {"units": "unit,name\nfinance,\nwater,Water\n"})
    assert messages(found) == [
        "error [missing-value] units.csv, table units, row 2, column name: found an empty cell; expected a value"
    ]


def test_foreign_amounts_are_converted_at_the_rate_of_the_day(tmp_path: Path) -> None:
    header = "voucher,project,amount,arrived_on,currency\n"
    rows = "V1,J01,100.01,2011-03-01,USD\nV2,J01,100,2011-02-28,USD\nV3,J01,7,2011-03-01,CNY\nV4,J01,7,2011-03-01,\n"
    rates = "currency,on,rate\nUSD,2011-03-01,6.5705\nEUR,2011-01-01,9\nUSD,2011-01-01,6.6\n"
    found = read_csv(tmp_path, {"arrivals": header + rows, "rates": rates})
    assert reasons(found) == []
    # 10001 x 6.5705 = 65711.5705 fen, and half up
    assert found.tables.arrivals["amount"].to_list() == [65_712, 66_000, 700, 700]
    assert found.tables.arrivals["currency"].to_list() == ["USD", "USD", "CNY", None]


def test_half_a_fen_goes_up(tmp_path: Path) -> None:
    found = read_csv(
        tmp_path,
        {
            "arrivals": "voucher,project,amount,arrived_on,currency\nV1,J01,0.01,2011-03-01,USD\n",
            "rates": "currency,on,rate\nUSD,2011-03-01,6.5\n",
        },
    )
    assert found.tables.arrivals["amount"].to_list() == [7]


def test_a_converted_amount_may_be_too_large(tmp_path: Path) -> None:
    found = read_csv(
        tmp_path,
        {
            "arrivals": "voucher,project,amount,arrived_on,currency\nV1,J01,2000亿,2011-03-01,USD\n",
            "rates": "currency,on,rate\nUSD,2011-03-01,1000000\n",
        },
    )
    assert found.quarantine.select("column", "value", "code").rows() == [("amount", "2000亿", "amount-too-large")]


def test_evidence_before_the_year_is_named_in_one_warning_for_each_file(tmp_path: Path) -> None:
    rows = "V1,J01,5,2010-12-31\nV0,J01,x,2010-12-31\nV2,J01,5,2010-06-01\nV3,J01,5,2011-01-01\n"
    found = read_csv(tmp_path, {"arrivals": ARRIVALS + rows, "visits": VISITS + "S1,J01,2010-12-31,5\n"})
    assert messages(found) == [
        f"warning [before-year-start] {table}.csv, table {table}, row 2, column {column}: "
        f"found {rows}; "
        "expected dates of the assessment year or after it; earlier evidence does not count"
        for table, column, rows in (
            ("arrivals", "arrived_on", "2 rows dated before 2011-01-01: rows 2, 4"),
            ("visits", "visited_on", "1 row dated before 2011-01-01: row 2"),
        )
    ]
    more = "".join(f"W{at},J01,5,2010-06-01\n" for at in range(8))
    (tmp_path / "more.csv").write_text(ARRIVALS + "W9,J01,5,2011-06-01\n" + more, encoding="utf-8")
    sources = [TableSource("units", "units.csv"), TableSource("projects", "projects.csv")]
    found = read_sources(
        tmp_path, [*sources, *(TableSource("arrivals", f"{name}.csv") for name in ("arrivals", "more"))]
    )
    assert [(problem.place.file, problem.place.row, problem.found) for problem in found.problems] == [
        ("arrivals.csv", 2, "2 rows dated before 2011-01-01: rows 2, 4"),
        ("more.csv", 3, "8 rows dated before 2011-01-01: rows 3, 4, 5, 6, 7 and 3 more"),
    ]


@pytest.mark.parametrize(
    ("table", "column", "content"),
    [
        ("arrivals", "amount", ARRIVALS + "V1,J01,1500亿,2011-03-01\nV2,J02,500.01亿,2011-03-01\n"),
        ("visits", "assessed_amount", VISITS + "S1,J01,2011-03-01,1500亿\nS2,J02,2011-03-01,500.01亿\n"),
        ("projects", "contracted", "project,unit,contracted\nJ01,finance,1500亿\nJ02,water,500.01亿\n"),
    ],
)
def test_totals_stay_below_the_limit(tmp_path: Path, table: str, column: str, content: str) -> None:
    assert messages(read_csv(tmp_path, {table: content})) == [
        (
            f"error [total-too-large] {table}.csv, table {table}, column {column}: "
            "found 2000.01亿 in all; expected at most 2000亿"
        )
    ]


def test_visits_are_cumulative_and_not_added_up(tmp_path: Path) -> None:
    found = read_csv(tmp_path, {"visits": VISITS + "S1,J01,2011-03-01,1500亿\nS2,J01,2011-04-01,1600亿\n"})
    assert messages(found) == []


# From memory


def from_frames(**frames: pl.DataFrame | pl.LazyFrame) -> ReadTables:
    base = {
        name: pl.DataFrame([line.split(",") for line in text.split()[1:]], text.split()[0].split(","), orient="row")
        for name, text in BASE.items()
    }
    return tables_from_frames(
        {**base, **frames}, currency="CNY", count_indicators=["signed"], year_start=date(2011, 1, 1)
    )


@pytest.mark.parametrize(
    ("header", "amounts", "fen"),
    [
        ("amount", pl.Series(["900万"]), 900_000_000),
        ("amount", pl.Series([123], dtype=pl.Int64), 123),
        ("amount", pl.Series([123], dtype=pl.UInt32), 123),
        ("amount(万元)", pl.Series([123], dtype=pl.Int64), 123_000_000),
        ("amount", pl.Series([Decimal("12.5")]), 1_250),
        ("amount", pl.Series(["5"], dtype=pl.Categorical), 500),
    ],
)
def test_money_of_frames(header: str, amounts: pl.Series, fen: int) -> None:
    frame = pl.DataFrame({"voucher": ["V1"], "project": ["J01"], header: amounts, "arrived_on": [date(2011, 3, 1)]})
    found = from_frames(arrivals=frame)
    assert messages(found) == []
    assert found.tables.arrivals.select("row", "amount", "arrived_on").rows() == [(1, fen, date(2011, 3, 1))]


def test_a_lazy_frame_is_collected() -> None:
    frame = pl.LazyFrame({"voucher": ["V1"], "project": ["J01"], "amount": ["5"], "arrived_on": ["2011-03-01"]})
    assert from_frames(arrivals=frame).tables.arrivals["amount"].to_list() == [500]


def test_floating_point_money_of_frames_is_refused() -> None:
    frame = pl.DataFrame({"voucher": ["V1"], "project": ["J01"], "amount": [1.5], "arrived_on": ["2011-03-01"]})
    assert messages(from_frames(arrivals=frame)) == [
        (
            "error [inexact-money] arrivals, column amount: found floating-point amounts (Float64); "
            "expected text or Decimal in yuan, or Int64 in fen"
        )
    ]


def test_shares_of_frames_may_be_floats() -> None:
    frame = pl.DataFrame({"project": ["J01"], "unit": ["water"], "share": [0.7]})
    assert from_frames(claims=frame).tables.claims["share"].to_list() == [700_000_000]


def test_a_column_of_lists_is_refused() -> None:
    frame = pl.DataFrame({"project": [["J01"]], "unit": ["water"], "share": ["0.7"]})
    assert messages(from_frames(claims=frame)) == [
        (
            "error [bad-column-type] claims, column project: found a column of type List(String); "
            "expected text, numbers or dates"
        )
    ]


def test_a_frame_for_no_table() -> None:
    assert messages(from_frames(arrival=pl.DataFrame())) == [
        (
            "error [unknown-table] arrival: found a frame for 'arrival'; expected one of: "
            f"{', '.join(SCHEMAS)} (nearest: arrivals)"
        )
    ]


def test_counts_of_frames_are_counts() -> None:
    frame = pl.DataFrame(
        {"unit": ["water"] * 2, "indicator": ["signed", "funds"], "amount": [12, 300], "effective": ["20110101"] * 2}
    )
    assert from_frames(quotas=frame).tables.quotas["amount"].to_list() == [12, 300]
