"""The invented municipality: made again byte for byte, every fault reported, money conserved, outcomes varied."""

from __future__ import annotations

import csv
import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest

import kpi_rules as kr

FOLDER = Path(__file__).parents[2] / "examples" / "hundred-days"
YEAR_END, CLOSE = date(2011, 12, 31), date(2012, 3, 31)
BOOK = "projects.xlsx"


@pytest.fixture(scope="module")
def workspace() -> kr.Workspace:
    return kr.load(FOLDER)


@pytest.fixture(scope="module")
def assessment(workspace: kr.Workspace) -> kr.Assessment:
    return kr.assess(workspace, as_of=CLOSE)


def planted(reported: str) -> list[dict[str, str]]:
    with (FOLDER / "dirt.csv").open(encoding="utf-8", newline="") as file:
        faults = [row for row in csv.DictReader(file) if row["reported"] == reported]
    assert faults
    return faults


# Made again


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hundred-days")
    subprocess.run([sys.executable, "-B", str(FOLDER / "make.py"), str(folder)], check=True)
    return folder


def test_the_script_makes_the_same_bytes(again: Path) -> None:
    made = sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file() and path.name != BOOK)
    assert len(made) == 8
    for path in made:
        assert (again / path).read_bytes() == (FOLDER / path).read_bytes(), path


@pytest.mark.parametrize("sheet", ["项目", "现场评估"])
def test_the_script_makes_the_same_workbook(again: Path, sheet: str) -> None:
    first, second = (
        pl.read_excel(folder / "evidence" / BOOK, sheet_name=sheet, infer_schema_length=None)
        for folder in (FOLDER, again)
    )
    assert len(first) > 400
    assert first.equals(second, null_equal=True)


# As large, and as varied, as it says


def test_the_files_are_small() -> None:
    assert (
        sum(path.stat().st_size for path in FOLDER.rglob("*") if "__pycache__" not in path.parts and path.is_file())
        < 1_000_000
    )


def test_three_levels_and_four_groups(workspace: kr.Workspace) -> None:
    units = workspace.tables.units
    assert dict(units.group_by("kind").len().iter_rows()) == {"city": 1, "department": 60, "section": 155}
    assert units["group"].drop_nulls().n_unique() == 4
    assert workspace.tables.staff["category"].n_unique() == 3
    assert workspace.tables.staff["person"].n_unique() == 2492


def test_outcomes_are_varied(assessment: kr.Assessment, workspace: kr.Workspace) -> None:
    departments = workspace.tables.units.filter(pl.col("kind") == "department")["unit"]
    met = (
        assessment.units.filter(pl.col("unit").is_in(departments.implode()))
        .group_by("unit")
        .agg(on=pl.col("tick").filter(pl.col("completion") >= 1).min())
    )
    early, autumn, late, never = (
        met.filter(condition).height
        for condition in (
            pl.col("on") <= date(2011, 9, 30),
            pl.col("on").is_between(date(2011, 10, 1), YEAR_END),
            pl.col("on") > YEAR_END,
            pl.col("on").is_null(),
        )
    )
    assert min(early, late) >= 5
    assert min(autumn, never) >= 15
    assert early + autumn + late + never == 60


def test_every_shipped_rule_is_met_with(assessment: kr.Assessment) -> None:
    events = set(assessment.events.select("rule", "event").unique().iter_rows())
    holds = ("pay_withholding.section", "pay_withholding.all_staff", "field_duty.off_post", "field_duty.station_head")
    one_offs = ("supervision.talk", "rewards.commendation", "rewards.bonus")
    assert {(rule, event) for rule in holds for event in ("started", "ended")} <= events
    assert {(rule, "issued") for rule in one_offs} <= events
    assert ("field_duty.leave_post", "started") in events


# Dirt


def test_nothing_in_it_stops_the_work(workspace: kr.Workspace) -> None:
    assert [problem.message for problem in workspace.errors] == []


def test_every_faulty_row_is_in_quarantine(assessment: kr.Assessment) -> None:
    """Each planted row by file, table, line and column, and nothing beside them."""
    found = {
        (Path(row["file"].partition("#")[0]).name, row["table"], row["row"], row["column"])
        for row in assessment.quarantine.to_dicts()
    }
    wanted = {(Path(row["file"]).name, row["table"], int(row["row"]), row["column"]) for row in planted("quarantine")}
    assert found == wanted


def test_a_quarantined_row_says_what_stands_there(assessment: kr.Assessment) -> None:
    found = {(row["table"], row["row"], row["column"]): row for row in assessment.quarantine.to_dicts()}
    for fault in planted("quarantine"):
        row = found[fault["table"], int(fault["row"]), fault["column"]]
        assert row["reason"], fault
        if fault["value"]:
            assert fault["value"] in row["value"], fault


def test_every_finding_is_there(assessment: kr.Assessment) -> None:
    """Each planted one, and no other warning; notes say where the site bears out less than the vouchers."""
    warnings = assessment.findings.filter(pl.col("severity") == "warning").select("table", "key")
    assert set(warnings.iter_rows()) == {(fault["table"], fault["key"]) for fault in planted("findings")}


def test_every_problem_is_there(workspace: kr.Workspace) -> None:
    for fault in planted("problems"):
        about = [problem for problem in workspace.problems if problem.place.table == fault["table"]]
        if fault["row"]:
            assert int(fault["row"]) in [problem.place.row for problem in about], fault
        else:
            assert any(fault["key"] in problem.message for problem in about), fault
    assert {problem.severity for problem in workspace.problems} <= {"warning", "note"}


def test_refused_projects_earn_nothing(assessment: kr.Assessment) -> None:
    refused = [fault["key"] for fault in planted("no credit")]
    rows = assessment.waterfall.filter(pl.col("project").is_in(refused))
    assert rows["shared"].sum() == 0


# Conservation


def test_credit_rolls_up(assessment: kr.Assessment, workspace: kr.Workspace) -> None:
    """What the city has is what its departments have, and all that the waterfall gives to units."""
    departments = workspace.tables.units.filter(pl.col("kind") == "department")["unit"]
    below = (
        assessment.units.filter(pl.col("unit").is_in(departments.implode())).group_by("tick").agg(pl.col("funds").sum())
    )
    city = assessment.units.filter(pl.col("unit") == "city").select("tick", "funds")
    assert city.sort("tick").equals(below.sort("tick"))
    given = assessment.waterfall.filter(pl.col("unit").is_not_null()).group_by("tick").agg(funds=pl.col("shared").sum())
    for tick, funds in given.iter_rows():
        assert city.filter(pl.col("tick") == tick)["funds"].item() == funds


def test_splits_lose_nothing(assessment: kr.Assessment) -> None:
    """The shares of a project and what nobody claims make up what was credited."""
    sums = assessment.waterfall.group_by("project", "tick").agg(pl.col("adjusted").first(), pl.col("shared").sum())
    left = sums.join(assessment.unclaimed, on=["project", "tick"], how="left").with_columns(
        pl.col("amount").fill_null(0)
    )
    assert left.filter(pl.col("adjusted") != pl.col("shared") + pl.col("amount")).is_empty()
    assert assessment.unclaimed["project"].n_unique() == 3


def test_pay_is_conserved(assessment: kr.Assessment) -> None:
    """What was withheld was released or is outstanding; nobody loses more than the component in a month."""
    ledger = assessment.ledger
    assert ledger["withheld"].sum() > 0
    entries = dict(assessment.entries.group_by("entry").agg(pl.col("amount").sum()).iter_rows())
    assert entries["withheld"] == ledger["withheld"].sum()
    assert entries["released"] == ledger.filter(pl.col("released_on").is_not_null())["withheld"].sum()
    assert ledger.filter(pl.col("released_on").is_null()).height > 0
    per_month = ledger.group_by("person", "month").agg(pl.col("withheld").sum())
    most = assessment_components(ledger)
    assert per_month.join(most, on="person").filter(pl.col("withheld") > pl.col("component")).is_empty()


def assessment_components(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return the pay component of each person in the ledger, in fen, from the file itself."""
    with (FOLDER / "evidence" / "staff.csv").open(encoding="utf-8-sig", newline="") as file:
        components = {row["person"]: row["component"] for row in csv.DictReader(file)}
    people = ledger["person"].unique()
    return pl.DataFrame({"person": people, "component": [round(float(components[person]) * 100) for person in people]})


# Whole process


def test_the_command_assesses_it() -> None:
    """The dirt of real files stops nothing; how fast it is, `benchmarks` says."""
    command = [str(Path(sys.executable).with_name("kpi-rules")), "assess", str(FOLDER), "--format", "json"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
