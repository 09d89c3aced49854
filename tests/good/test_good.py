"""The same workspace in different clothes: nothing is wrong with any, and all read as `plain` does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from polars.testing import assert_frame_equal

import kpi_rules as kr
from kpi_rules.workspace.schemas import SCHEMAS

if TYPE_CHECKING:
    import polars as pl

HERE = Path(__file__).parent
CLOTHES = ("gb18030", "exported", "header-with-unit", "aliases", "several-files", "workbook", "database", "parquet")
TABLES = list(SCHEMAS)


def files_of(case: str) -> list[Path]:
    return [path for path in sorted((HERE / case).glob("*.csv")) if not path.read_bytes().isascii()]


def tables_of(case: str) -> dict[str, pl.DataFrame]:
    workspace = kr.load(HERE / case)
    guessed = [problem for problem in workspace.problems if problem.code == "guessed-encoding"]
    assert [problem.message for problem in workspace.problems if problem not in guessed] == []
    # once for each file that is not ASCII, but the one that states it
    assert sorted({each.severity for each in guessed}) == (["note"] if case == "gb18030" else [])
    assert len(guessed) == (len(files_of(case)) - 1 if case == "gb18030" else 0)
    assert workspace.quarantine.rows() == []
    return {table: getattr(workspace.tables, table) for table in TABLES}


def test_plain() -> None:
    tables = tables_of("plain")
    assert {table: frame.height for table, frame in tables.items() if frame.height} == {
        "units": 3,
        "quotas": 3,
        "projects": 2,
        "claims": 2,
        "arrivals": 3,
        "visits": 2,
        "staff": 3,
    }
    assert tables["quotas"]["amount"].to_list() == [3_000_000_000, 1_000_000_000, 2]
    assert tables["arrivals"]["amount"].to_list() == [900_000_000, 1_200_005_000, 3_000_050]
    assert tables["claims"]["share"].to_list() == [700_000_000, 300_000_000]


@pytest.mark.parametrize("case", CLOTHES)
def test_clothes(case: str) -> None:
    plain, dressed = tables_of("plain"), tables_of(case)
    for table, frame in plain.items():
        assert_frame_equal(dressed[table].drop("row"), frame.drop("row"))


def test_rows_are_counted_as_a_person_counts_them() -> None:
    for case in ("plain", "workbook", "exported"):
        assert tables_of(case)["arrivals"]["row"].to_list() == [2, 3, 4]
    assert tables_of("several-files")["arrivals"]["row"].to_list() == [2, 3, 2]


def test_a_table_with_a_header_and_no_rows() -> None:
    tables = tables_of("header-only")
    assert tables["units"].height == 3
    assert all(frame.is_empty() for table, frame in tables.items() if table not in ("units", "quotas"))
    assert {table: frame.schema for table, frame in tables.items()} == {
        table: frame.schema for table, frame in tables_of("plain").items()
    }
