"""`kpi-rules sweep`."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

import kpi_rules as kr
from kpi_rules.cli.failures import RefusedError
from kpi_rules.cli.simulating import read_grid
from kpi_rules.cli.sweep import GRID, PROFILE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Run

REVIEW = ("--on", "2011-11-08", "--steps", "20")
POINTS = ("--as-of", "2011-07-31", "--draws", "50", "--grid", "field_duty.off_post_below=0.3,0.5")


def test_a_profile_shows_jumps_either_side_and_where_more_is_worse(run: Run, example: Path, tmp_path: Path) -> None:
    done = run("sweep", example, "finance", *REVIEW, "--chart", tmp_path / "s.svg")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "review on 2011-11-08, counted to 2011-12-31, known on 2011-11-07; quota 3000万" in done.stdout
    row = next(line for line in done.stdout.splitlines() if "Head off post" in line)
    assert row.split()[:3] == ["50.0%", "14999999.99", "1500万"]
    assert "Where more credit makes it worse" in done.stdout
    assert "Head off post" in (tmp_path / "s.svg").read_text(encoding="utf-8")


def test_a_profile_as_data_is_what_the_library_gives(run: Run, example: Path) -> None:
    tables = json.loads(run("sweep", example, "finance", *REVIEW, "--format", "json").stdout)
    assert list(tables) == list(PROFILE)
    expected = kr.sweep(kr.load(example), "finance", on=date(2011, 11, 8), steps=20)
    for name in PROFILE:
        assert tables[name] == json.loads(getattr(expected, name).write_json())


def test_a_grid_shows_every_point_and_is_what_the_library_gives(run: Run, example: Path, tmp_path: Path) -> None:
    done = run(
        "sweep", example, *POINTS, "--grid", "pay_withholding.section_below=0.4:0.5:2", "--chart", tmp_path / "g.svg"
    )
    assert done.exit_code == 0, done.stderr
    rows = [line.split()[:2] for line in done.stdout.splitlines() if line.strip().startswith(("0.3 ", "0.5 "))]
    assert rows == [[one, other] for one in ("0.3", "0.5") for other in ("0.4", "0.45", "0.5")]
    assert "Assumed" in done.stdout
    tables = json.loads(run("sweep", example, *POINTS, "--format", "json").stdout)
    assert list(tables) == list(GRID)
    values = {"field_duty.off_post_below": [Decimal("0.3"), Decimal("0.5")]}
    expected = kr.grid(kr.load(example), date(2011, 7, 31), values, draws=50)
    assert tables["outcomes"] == json.loads(expected.outcomes.write_json())
    assert (tmp_path / "g.svg").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "expected either UNIT or --grid PARAMETER=VALUES"),
        (["finance", *POINTS], "expected either UNIT or --grid"),
        (["finanse", *REVIEW], "(nearest: finance)"),
        (["finance", "--on", "2011-11-09"], "2011-11-09"),
        (["finance", "--low", "none"], "--low: 'none' is no decimal such as 0.15"),
        (
            ["finance", "--table", "outcomes"],
            "--table: no table outcomes here; expected one of jumps, perverse, profile",
        ),
        (["--grid", "field_duty.off_post_below=0.3"], "--as-of is missing"),
        (["--as-of", "2011-07-31", "--grid", "field_duty.off_post_belo=0.3"], "(nearest: field_duty.off_post_below)"),
        (["--as-of", "2011-07-31", "--grid", "field_duty.off_post_below"], "--grid: found"),
        ([*POINTS, "--grid", "field_duty.off_post_below=1"], "--grid: field_duty.off_post_below is there twice"),
    ],
)
def test_wrong_usage(run: Run, example: Path, more: list[str], said: str) -> None:
    done = run("sweep", example, *more)
    assert (done.exit_code, done.stdout) == (2, ""), done.stderr
    assert said in done.stderr


def test_values_of_a_grid_are_exact() -> None:
    assert read_grid(["a.b=0.1:0.4:3"]) == {"a.b": [Decimal("0.1"), Decimal("0.2"), Decimal("0.3"), Decimal("0.4")]}
    assert read_grid(["a.b=1:3:2", "c.d=10万, 0.5,true"]) == {"a.b": [1, 2, 3], "c.d": ["10万", Decimal("0.5"), True]}
    assert read_grid(["a.b=1:2:0"]) == {"a.b": ["1:2:0"]}  # refused as a value of the parameter
    with pytest.raises(RefusedError):
        read_grid(["a.b="])
