"""`kpi-rules backtest` and `kpi-rules plan`."""

from __future__ import annotations

import json
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING

import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.cli import backtest, plan
from kpi_rules.workspace.amounts import parse_date

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Run

TESTED = ("--draws", "20", "--since", "2011-09-30")
PLANNED = ("--draws", "50", "--total", "15亿")


@pytest.fixture
def year(example: Path) -> Path:
    return example.parent / "hundred-days"


def test_a_backtest_shows_models_bands_and_scores(run: Run, year: Path, tmp_path: Path) -> None:
    done = run("backtest", year, *TESTED, "--chart", tmp_path / "b.svg")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1] == "from 2011-09-30 to 2011-11-30 at month-ends: 20 draws of each, seed 1"
    assert "compound: single units" in lines
    assert "compound: all units together" in lines
    assert len([line for line in lines if line.strip().startswith("all ")]) == 2
    assert (tmp_path / "b.svg").exists()


def test_a_backtest_as_data_is_what_the_library_gives(run: Run, year: Path) -> None:
    tables = json.loads(run("backtest", year, *TESTED, "--model", "compound", "--format", "json").stdout)
    assert list(tables) == list(backtest.TABLES)
    expected = kr.backtest(kr.load(year), models=["compound"], draws=20, since=date(2011, 9, 30))
    assert tables["scores"] == json.loads(expected.scores.write_json())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--model", "compund"], "(nearest: compound)"),
        (["--since", "2011-12-31"], "no month-end from 2011-12-31"),
        (["--draws", "none"], "'none' is no whole number"),
    ],
)
def test_a_backtest_that_cannot_be(run: Run, year: Path, more: list[str], said: str) -> None:
    done = run("backtest", year, *TESTED, *more)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_plan_shows_quotas_with_their_chances(run: Run, year: Path, tmp_path: Path) -> None:
    done = run("plan", year, *PLANNED, "--by", "chance", "--chart", tmp_path / "p.svg")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1] == "quotas of funds from 2012-01-01: 15亿, laid by chance; 50 draws, seed 1"
    assert lines[2].startswith("common to all: ")
    assert "Assumed" in lines
    assert (tmp_path / "p.svg").exists()


def test_quotas_are_written_as_the_table_has_them(run: Run, year: Path, tmp_path: Path) -> None:
    done = run("plan", year, *PLANNED, "--table", "quotas", "--format", "csv")
    rows = pl.read_csv(BytesIO(done.stdout_bytes), infer_schema=False)
    assert rows.columns == ["unit", "indicator", "amount", "effective"]
    expected = kr.plan(kr.load(year), 150_000_000_000, draws=50).quotas
    assert [kr.parse_amount(text) for text in rows["amount"]] == expected["amount"].to_list()
    assert rows["amount"][0] == "15亿"
    assert {parse_date(text) for text in rows["effective"]} == {date(2012, 1, 1)}
    run("plan", year, *PLANNED, "--table", "quotas", "-o", tmp_path / "quotas.csv")
    assert (tmp_path / "quotas.csv").read_bytes() == done.stdout_bytes
    tables = json.loads(run("plan", year, *PLANNED, "--format", "json").stdout)
    assert list(tables) == list(plan.TABLES)
    assert tables["quotas"][0]["amount"] == 150_000_000_000


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--total", "much"], "--total: found 'much'; expected an amount such as 15亿"),
        (["--total", "1.5", "--indicator", "signed"], "--total: found '1.5'; expected a whole number"),
        (["--rate", "0.1"], "rate"),
        (["--rate", "x"], "--rate: 'x' is no decimal such as 0.15"),
        (["--unit", "ctiy"], "(nearest: city)"),
        (["--indicator", "fund"], "(nearest: funds)"),
    ],
)
def test_a_plan_that_cannot_be(run: Run, year: Path, more: list[str], said: str) -> None:
    done = run("plan", year, *PLANNED, *more)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
