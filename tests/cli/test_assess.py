from __future__ import annotations

import json
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.cli.assess import TABLES

if TYPE_CHECKING:
    from tests.cli.running import Run


@pytest.fixture(scope="module")
def assessment() -> kr.Assessment:
    from pathlib import Path

    folder = Path(__file__).resolve().parents[2] / "examples" / "worked-example"
    return kr.assess(kr.load(folder), as_of=date(2012, 3, 31))


def test_summary_says_what_people_ask_first(run: Run, example: Path) -> None:
    done = run("assess", example, "--as-of", "2012-03-31")
    assert done.exit_code == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[:2] == ["Worked example: five departments, one year", "as of 2012-03-31, known at 2012-03-31"]
    assert "supervision 0.1.0" in lines[2]
    finance = next(line for line in lines if line.startswith("finance"))
    assert finance.split() == [
        "finance",
        "市财政局",
        "2450万",
        "3000万",
        "81.67%",
        "100.00%",
        "18.33%",
        "4",
        "3",
        "of",
        "3",
    ]
    assert "withheld 35460.90 = released 6660.00 + outstanding 28800.90" in lines
    assert any(line.startswith("archives   Head leaves the post") for line in lines)
    assert "\x1b" not in done.stdout


def test_the_default_day_is_the_years_end_and_said_on_stderr(run: Run, example: Path) -> None:
    done = run("assess", example)
    assert "as of 2011-12-31, known at 2011-12-31" in done.stdout
    assert done.stderr == "as of 2011-12-31, the year's end; --as-of chooses another day\n"


def test_json_has_every_table_as_the_library_does(run: Run, example: Path, assessment: kr.Assessment) -> None:
    done = run("assess", example, "--as-of", "2012-03-31", "--format", "json")
    tables = json.loads(done.stdout)
    assert list(tables) == list(TABLES)
    assert tables["ledger"][0]["withheld"] == assessment.ledger["withheld"][0]
    assert tables["measures"][0]["sources"] == ["M7"]
    assert tables["units"][-1]["tick"] == "2012-03-31"
    assert {name: len(rows) for name, rows in tables.items() if name != "problems"} == {
        name: getattr(assessment, name).height for name in TABLES if name != "problems"
    }
    for name in ("units", "events", "ledger"):
        assert tables[name] == json.loads(getattr(assessment, name).write_json())


def test_csv_of_one_table(run: Run, example: Path, assessment: kr.Assessment) -> None:
    done = run("assess", example, "--as-of", "2012-03-31", "--table", "ledger", "--format", "csv")
    assert done.exit_code == 0
    read = pl.read_csv(BytesIO(done.stdout_bytes), try_parse_dates=True)
    assert read.equals(assessment.ledger)


def test_parquet_and_json_to_files_named_by_their_ending(
    run: Run, example: Path, tmp_path: Path, assessment: kr.Assessment
) -> None:
    target = tmp_path / "units.parquet"
    assert run("assess", example, "--as-of", "2012-03-31", "--table", "units", "-o", target).exit_code == 0
    assert pl.read_parquet(target).equals(assessment.units)
    target = tmp_path / "two.json"
    done = run("assess", example, "--as-of", "2012-03-31", "--table", "units", "--table", "events", "-o", target)
    assert (done.exit_code, done.stdout) == (0, "")
    assert list(json.loads(target.read_text(encoding="utf-8"))) == ["units", "events"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["two.json", "units.parquet"]


def test_a_folder_takes_one_file_per_table(run: Run, example: Path, tmp_path: Path) -> None:
    assert run("assess", example, "--as-of", "2012-03-31", "--format", "csv", "-o", tmp_path).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.csv" for name in TABLES}
    assert pl.read_csv(tmp_path / "measures.csv")["sources"][-1] == "M16"


def test_xlsx_has_a_sheet_per_table(run: Run, example: Path, tmp_path: Path, assessment: kr.Assessment) -> None:
    target = tmp_path / "all.xlsx"
    assert run("assess", example, "--as-of", "2012-03-31", "-o", target).exit_code == 0
    sheets = pl.read_excel(target, sheet_id=0)
    assert list(sheets) == list(TABLES)
    ledger = sheets["ledger"]
    assert ledger["withheld"].to_list() == assessment.ledger["withheld"].to_list()
    assert ledger["month"].cast(pl.Date).to_list() == assessment.ledger["month"].to_list()


def test_a_table_in_full_is_not_cut_in_a_pipe(run: Run, example: Path) -> None:
    done = run("assess", example, "--as-of", "2012-03-31", "--table", "units")
    header = done.stdout.splitlines()[0].split()
    assert header[:2] == ["unit", "tick"]
    assert header[-1] == "campaign_rank"
    assert "…" not in done.stdout


def test_decisions_feed_back(run: Run, example: Path, tmp_path: Path) -> None:
    decisions = tmp_path / "decisions.csv"
    decisions.write_bytes(
        "measure,decision,on,备注\n2011/field_duty.off_post/culture/2011-11-08,approved,2011/11/15,局务会\n".encode(
            "gb18030"
        )
    )
    done = run("assess", example, "--decisions", decisions, "--table", "measures", "--format", "json")
    assert done.exit_code == 0, done.stderr
    states = {row["id"]: (row["status"], row["started"]) for row in json.loads(done.stdout)["measures"]}
    assert states["2011/field_duty.off_post/culture/2011-11-08"] == ("in force", "2011-11-30")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot read"),
        ("measure,decision\nx,approved\n", "has no column on; expected measure, decision, on"),
        ("measure,decision,on\nx,approved,soon\n", "row 2, column on: found 'soon'; expected a date"),
        ("measure,decision,on\n2011/a/b/2011-01-31,aproved,2011-01-31\n", "(nearest: approved)"),
        ("", "has no column measure, decision, on"),
        ("measure,decision,on\nx\n", "found ''"),
    ],
)
def test_unreadable_decisions_are_wrong_usage(
    run: Run, example: Path, tmp_path: Path, content: str | None, said: str
) -> None:
    decisions = tmp_path / "decisions.csv"
    if content is not None:
        decisions.write_text(content, encoding="utf-8")
    done = run("assess", example, "--decisions", decisions)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("day", ["2011-13-01", "2011-02-29", "tomorrow", "20110630", "2011-W01-1", ""])
def test_a_bad_date_is_wrong_usage(run: Run, example: Path, day: str) -> None:
    done = run("assess", example, "--as-of", day)
    assert done.exit_code == 2
    assert f"error: --as-of: '{day}' is no date such as 2011-06-30" in done.stderr


def test_a_day_before_the_year_is_wrong_usage(run: Run, example: Path) -> None:
    done = run("assess", example, "--as-of", "2010-12-31")
    assert done.exit_code == 2
    assert "found 2010-12-31; expected a day from 2011-01-01 to 2199-12-31" in done.stderr


def test_a_wide_table_is_shown_without_its_empty_columns(run: Run, example: Path, assessment: kr.Assessment) -> None:
    done = run("assess", example, "--as-of", "2012-03-31", "--table", "units")
    shown = done.stdout.splitlines()[0].split()
    units = assessment.units
    empty = [name for name in units.columns if units[name].null_count() == len(units)]
    assert len(units.columns) > 30
    assert empty
    assert shown == [name for name in units.columns if name not in empty]
    assert f"units: {len(empty)} columns without any value are left out; --format csv has them" in done.stderr
    done = run("assess", example, "--table", "units", "--format", "csv")
    assert done.stdout.splitlines()[0].split(",") == units.columns
    done = run("assess", example, "--table", "quarantine")  # few columns are shown whatever they hold
    assert "left out" not in done.stderr


def test_csv_of_several_tables_needs_a_folder(run: Run, example: Path, tmp_path: Path) -> None:
    cases: list[list[str | Path]] = [[], ["-o", tmp_path / "x.csv"], ["-o", tmp_path / "missing"]]
    for extra in cases:
        done = run("assess", example, "--format", "csv", *extra)
        assert done.exit_code == 2
        assert done.stderr.startswith("csv holds one table")


def test_a_missing_folder_is_said_before_any_work(run: Run, example: Path, tmp_path: Path) -> None:
    done = run("assess", example, "-o", tmp_path / "missing" / "x.json")
    assert done.exit_code == 2
    assert done.stderr == f"there is no folder {tmp_path / 'missing'}; make it first\n"
    done = run("assess", example, "--format", "json", "-o", tmp_path)
    assert done.stderr == f"{tmp_path} is a folder; name a file in it\n"


def test_a_measure_reversed_with_who_and_why(run: Run, tmp_path: Path) -> None:
    town = Path(__file__).parents[2] / "examples" / "real-cases" / "town-d"
    measure = "2006/pay_withholding.deposit_forfeit/late/2006-03-31"
    decisions = tmp_path / "decisions.csv"
    decisions.write_text(
        f"measure,decision,on,by,reason\n{measure},approved,2006-03-31,,\n{measure},reversed,2006-05-31,county,overlooked\n",
        encoding="utf-8",
    )
    asked = ("assess", town, "--as-of", "2006-06-30", "--decisions", decisions)
    tables = json.loads(run(*asked, "--format", "json").stdout)
    row = next(each for each in tables["measures"] if each["id"] == measure)
    assert [row[name] for name in ("status", "decision", "decided_by", "decision_reason")] == [
        "reversed",
        "reversed",
        "county",
        "overlooked",
    ]
    refunded = [(each["person"], each["amount"]) for each in tables["entries"] if each["entry"] == "refunded"]
    assert refunded == [("leader", 150_000), ("middle", 100_000)]
    summary = run(*asked).stdout
    assert "paid 1.2万 = forfeited 2500.00 - refunded 2500.00 + returned 0.00 + held 1.2万" in summary
