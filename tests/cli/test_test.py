"""`kpi-rules test`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cases.making import workspace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Run

CASES = """source = "letter 40"

[[case]]
name = "a talk"
arithmetic = "3 >= 3"
given = { lag = 3, at_month_end = true }
expect = [{ rule = "supervision.talk", event = "issued" }]

[[case]]
name = "a bonus that is printed wrongly"
arithmetic = '''
900万 - 800万 = 100万;
x 0.001 = 1000'''
given = { funds = "900万", funds_quota = "800万", at_year_end = true }
expect = [{ rule = "rewards.bonus", event = "issued", amount = "100" }]
"""


def test_what_failed_is_shown_in_full(run: Run, tmp_path: Path) -> None:
    workspace(tmp_path, CASES)
    done = run("test", tmp_path)
    assert done.exit_code == 1
    said = done.stdout.splitlines()
    assert said[:8] == [
        "failed: a bonus that is printed wrongly",
        "  source: letter 40",
        "  arithmetic: 900万 - 800万 = 100万; x 0.001 = 1000",
        "  cases/a.toml, line 15, case[2].expect[1]",
        "    rewards.bonus",
        "    expected: rewards.bonus issued 100.00",
        "    found:    rewards.bonus issued 1000.00",
        "",
    ]
    assert said[8].endswith("passed, 1 failed")


def test_what_no_case_shows(run: Run, tmp_path: Path) -> None:
    kpi = """[year]
start = 2011-01-01
end = 2011-12-31
[tables]
units = "units.csv"
[plugins]
local = ["late.py"]
"""
    policy = """from kpi_rules import Indicator, Rule, at, hookimpl, unit

@hookimpl
def kpi_indicators():
    rows = {"behind": unit.pace_gap > 0, "ahead": unit.pace_gap <= 0}
    return [Indicator("points", kind="ratio", value=unit.completion * 60, rows=rows)]

@hookimpl
def kpi_policy_rules():
    late = (unit.pace_gap > 0.1) & (unit.lag >= 2)
    return [Rule("late", kind="talk", subject="head", when=at.month_end & late, until=unit.lag == 0, reason="late")]
"""
    cases = """source = "letter 40"
[[case]]
name = "late"
given = { pace_gap = 0.2, lag = 2, at_month_end = true }
expect = [{ rule = "late.late", event = "started" }]
"""
    tmp_path.joinpath("late.py").write_text(policy, encoding="utf-8")
    workspace(tmp_path, cases, kpi)
    done = run("test", tmp_path)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "1 case, 1 passed, 0 failed",
        "rules: 0 of 1 shown with every event and both sides of every bound",
        "  late.late: never ended",
        "  late.late, when: pace_gap > 0.1: never false",
        "  late.late, when: lag ≥ 2: never false",
        "  late.late, until: lag = 0: never true",
        "rows of tables: 1 of 2 hit",
        "  points: never ahead",
    ]


def test_as_data(run: Run, tmp_path: Path) -> None:
    workspace(tmp_path, CASES)
    done = run("test", tmp_path, "--format", "json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    (failed,) = [case for case in found["cases"] if not case["passed"]]
    assert (failed["file"], failed["line"], failed["source"]) == ("cases/a.toml", 9, "letter 40")
    assert [failure["line"] for failure in failed["failures"]] == [15]
    talk = next(rule for rule in found["rules"] if rule["rule"] == "supervision.talk")
    assert talk["never"] == []
    assert {bound["condition"] for bound in talk["bounds"]} == {"lag ≥ supervision.talk_after"}
    assert found["rows"] == []


def test_files_with_errors_stop_the_work(run: Run, tmp_path: Path) -> None:
    workspace(tmp_path, CASES.replace("lag =", "lagg ="))
    done = run("test", tmp_path)
    assert (done.exit_code, done.stdout) == (3, "")
    assert "cases/a.toml, line 6, case[1].given.lagg" in done.stderr
    assert "(nearest: lag)" in done.stderr


def test_a_workspace_with_errors_stops_the_work(run: Run, tmp_path: Path) -> None:
    assert run("test", tmp_path).exit_code == 3


def test_a_policy_by_name(run: Run) -> None:
    done = run("test", "--policy", "supervision")
    assert done.exit_code == 0
    assert "failed" in done.stdout
    wrong = run("test", "--policy", "supervison")
    assert (wrong.exit_code, wrong.stderr) == (2, "no installed policy supervison (nearest: supervision)\n")


def test_to_a_file(run: Run, tmp_path: Path) -> None:
    workspace(tmp_path / "w", {})
    done = run("test", tmp_path / "w", "-o", tmp_path / "cases.json")
    assert (done.exit_code, done.stdout) == (0, "")
    assert json.loads((tmp_path / "cases.json").read_text(encoding="utf-8"))["cases"]
