"""`kpi-rules compare`."""

from __future__ import annotations

import json
import shutil
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.cli.compare import TABLES
from kpi_rules.cli.simulating import read_value

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Run

AS_OF = ("--as-of", "2011-07-31", "--draws", "200")
SET = ("--set", "field_duty.off_post_below=0.4")


@pytest.fixture(scope="module")
def comparison() -> kr.Comparison:
    from tests.cli.conftest import EXAMPLES

    workspace = kr.load(EXAMPLES / "worked-example")
    other = workspace.with_parameters({"field_duty.off_post_below": 0.4})
    return kr.compare(*(kr.simulate(each, date(2011, 7, 31), draws=200) for each in (workspace, other)))


def test_the_summary_says_both_variants_and_what_differs_with_its_sign(
    run: Run, example: Path, comparison: kr.Comparison
) -> None:
    done = run("compare", example, *AS_OF, *SET)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("A: ")
    assert lines[1] == lines[0].replace("A: ", "B: ") + ", field_duty.off_post_below=0.4"
    assert lines[-2:] == [f"digest A {comparison.a.digest}", f"digest B {comparison.b.digest}"]
    assert "nothing differs in any draw" in lines  # the chance to meet the task
    row = next(line for line in lines if line.startswith("finance    Head off post"))
    found = comparison.rules.filter((pl.col("unit") == "finance") & (pl.col("rule") == "field_duty.off_post"))
    assert f"{found['difference'][0] * 100:+.1f}" in row
    assert f"{found['months'][0]:+.2f}" in row
    assert "Assumed" in lines


def test_json_has_every_table_as_the_library_does(run: Run, example: Path, comparison: kr.Comparison) -> None:
    tables = json.loads(run("compare", example, *AS_OF, *SET, "--format", "json").stdout)
    assert list(tables) == list(TABLES)
    for name in ("totals", "units", "rules", "money", "changed"):
        assert tables[name] == json.loads(getattr(comparison, name).write_json())
    assert [(row["variant"], row["settings"], row["digest"]) for row in tables["run"]] == [
        ("A", [], comparison.a.digest),
        ("B", ["field_duty.off_post_below=0.4"], comparison.b.digest),
    ]
    assert {row["variant"] for row in tables["assumptions"]} == {"A", "B"}


def test_with_itself_nothing_differs(run: Run, example: Path) -> None:
    done = run("compare", example, example, *AS_OF)
    assert done.stdout.count("nothing differs in any draw") == 2
    tables = json.loads(run("compare", example, example, *AS_OF, "--format", "json").stdout)
    assert {row["difference"] for name in ("totals", "units", "rules", "money") for row in tables[name]} == {0.0}
    assert tables["changed"] == []


def test_with_another_workspace(run: Run, example: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(example, other)
    quotas = other / "quotas.csv"
    text = quotas.read_text(encoding="utf-8")
    assert "3000万" in text
    quotas.write_text(text.replace("3000万", "1500万"), encoding="utf-8")
    done = run("compare", example, other, *AS_OF, *SET, "--chart", tmp_path / "c.svg")
    assert done.exit_code == 0, done.stderr
    assert "finance   市财政局" in done.stdout
    assert "+" in next(line for line in done.stdout.splitlines() if line.startswith("finance   市财政局"))
    assert "市财政局" in (tmp_path / "c.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "nothing to compare with; expected another workspace or --set"),
        (["--set", "field_duty.off_post_belo=0.4"], "(nearest: field_duty.off_post_below)"),
        (["--set", "field_duty.off_post_below"], "--set: found 'field_duty.off_post_below'; expected PARAMETER=VALUE"),
        (["--set", "field_duty.off_post_below=much"], "--set: "),
        (["--set", "field_duty.off_post_below=\x1b[2J"], r"\x1b[2J"),
        ([*SET, *SET], "--set: field_duty.off_post_below is set twice"),
        ([*SET, "--until", "2011-07-31"], "no tick after 2011-07-31"),
        ([*SET, "--chart", "c.gif"], "expected a file that ends in .svg or .png"),
    ],
)
def test_wrong_usage(run: Run, example: Path, more: list[str], said: str) -> None:
    done = run("compare", example, *AS_OF, *more)
    assert (done.exit_code, done.stdout) == (2, ""), done.stderr
    assert said in done.stderr
    assert "\x1b" not in done.stderr


def test_another_workspace_with_errors_ends_it(run: Run, example: Path, tmp_path: Path) -> None:
    (tmp_path / "kpi.toml").write_text("[workspace]\n", encoding="utf-8")
    assert run("compare", example, tmp_path, *AS_OF).exit_code == 3
    assert run("compare", example, tmp_path / "missing", *AS_OF).exit_code == 2


def test_in_chinese(run: Run, example: Path) -> None:
    shown = run("--lang", "zh", "compare", example, *AS_OF, *SET).stdout
    assert [word for word in ("draws", "differs", "chance", "Measures", "interval", "digest") if word in shown] == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.4", Decimal("0.4")),
        ("3", 3),
        ("true", True),
        ('"10万"', "10万"),
        ("10万", "10万"),
        ('["a", "b"]', ["a", "b"]),
        ("[{value = 0.3}, {value = 0.4, from = 2011-09-01}]", None),
        ("", ""),
        ("1\nother = 2", "1\nother = 2"),
        ("[" * 5000, "[" * 5000),
        ("0." + "1" * 60, Decimal("0." + "1" * 60)),
    ],
)
def test_values_are_read_as_in_the_file(text: str, value: object) -> None:
    expected = (
        value if value is not None else [{"value": Decimal("0.3")}, {"value": Decimal("0.4"), "from": date(2011, 9, 1)}]
    )
    assert read_value(text) == expected


def test_a_parameter_can_change_from_a_day_on(run: Run, example: Path) -> None:
    dated = "field_duty.off_post_below=[{value = 0.5}, {value = 0.4, from = 2011-09-01}]"
    done = run("compare", example, *AS_OF, "--set", dated)
    assert done.exit_code == 0, done.stderr
    assert "Head off post" in done.stdout
