"""`split`: rows for the table quotas, to standard output or a new file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import kpi_rules as kr

if TYPE_CHECKING:
    from tests.cli.running import Run

EQUALLY = """\
unit,indicator,amount,effective,note
archives,funds,24万,2011-01-01,"part of 120万 of city, effective 2011-01-01; equally among 5"
culture,funds,24万,2011-01-01,"part of 120万 of city, effective 2011-01-01; equally among 5"
finance,funds,24万,2011-01-01,"part of 120万 of city, effective 2011-01-01; equally among 5"
trade,funds,24万,2011-01-01,"part of 120万 of city, effective 2011-01-01; equally among 5"
water,funds,24万,2011-01-01,"part of 120万 of city, effective 2011-01-01; equally among 5"
"""


@pytest.fixture
def city(example: Path, tmp_path: Path) -> Path:
    """Make the worked example with a quota for the city alone."""
    folder = Path(shutil.copytree(example, tmp_path / "city"))
    quotas = "unit,indicator,amount,effective\ncity,funds,120万,2011-01-01\ncity,signed,7,2011-01-01\n"
    (folder / "quotas.csv").write_text(quotas, encoding="utf-8")
    return folder


def test_it_writes_rows_that_are_quotas(run: Run, city: Path) -> None:
    done = run("split", city, "city")
    assert (done.exit_code, done.stdout, done.stderr) == (0, EQUALLY, "")
    rows = done.stdout.partition("\n")[2]
    with (city / "quotas.csv").open("w", encoding="utf-8") as file:
        file.write(f"unit,indicator,amount,effective,note\ncity,funds,120万,2011-01-01,\n{rows}")
    assert kr.load(city).problems == []


def test_counts_are_numbers(run: Run, city: Path) -> None:
    done = run("split", city, "city", "--indicator", "signed", "--effective", "2011-07-01")
    assert [line.split(",")[2:4] for line in done.stdout.splitlines()[1:]] == [
        ["2", "2011-07-01"],
        ["2", "2011-07-01"],
        ["1", "2011-07-01"],
        ["1", "2011-07-01"],
        ["1", "2011-07-01"],
    ]


def test_as_data_money_is_fen(run: Run, city: Path) -> None:
    done = run("split", city, "city", "--format", "json")
    assert [row["amount"] for row in json.loads(done.stdout)["quotas"]] == [24_000_000] * 5


def test_by_weights_of_a_file(run: Run, city: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights.csv"
    weights.write_text("unit,weight\nfinance,2.5\nwater,1\nculture,1\narchives,0\ntrade,1.5\n", encoding="utf-8")
    done = run("split", city, "city", "--by", "weight", "--weights", weights)
    assert [line.split(",")[0::2][:2] for line in done.stdout.splitlines()[1:]] == [
        ["culture", "20万"],
        ["finance", "50万"],
        ["trade", "30万"],
        ["water", "20万"],
    ]


def test_by_the_results_of_an_earlier_year(run: Run, city: Path, example: Path) -> None:
    done = run("split", city, "city", "--by", "history", "--history", example)
    assert done.stderr == "as of 2011-12-31, the year's end; --as-of chooses another day\n"
    assert [line.split(",")[0::2][:2] for line in done.stdout.splitlines()[1:]] == [
        ["archives", "4328.22"],  # 120万 x 40 / 11090 = 4328.2236
        ["culture", "48692.52"],  # 48692.5158, third of the remainders
        ["finance", "265103.70"],  # 265103.6970, second
        ["trade", "627592.42"],  # 627592.4256
        ["water", "254283.14"],  # 254283.1380, first
    ]
    assert "by the results of 1 earlier year, 5800万 of 11090万" in done.stdout


def test_a_file_that_is_there_stays(run: Run, city: Path, tmp_path: Path) -> None:
    target = tmp_path / "parts.csv"
    assert run("split", city, "city", "-o", target).exit_code == 0
    assert target.read_text(encoding="utf-8") == EQUALLY
    target.write_text("keep", encoding="utf-8")
    done = run("split", city, "city", "-o", target)
    assert (done.exit_code, done.stderr) == (2, f"{target} is there already; nothing was changed\n")
    assert target.read_text(encoding="utf-8") == "keep"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cty"], "no unit cty (nearest: city)\n"),
        (["city", "--indicator", "started"], "city has no quota of started\n"),
        (["city", "--by", "weight"], "no weight of archives, culture, finance, trade, water\n"),
        (["city", "--by", "history"], "--by history needs --history\n"),
        (["city", "--weights", "w.csv"], "--weights goes with --by weight, not with --by equal\n"),
        (["city", "--by", "weight", "--weights", "no.csv"], "cannot read no.csv: No such file or directory\n"),
    ],
)
def test_what_cannot_be_split(run: Run, city: Path, arguments: list[str], said: str) -> None:
    done = run("split", city, *arguments)
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", said)


def test_weights_that_are_none(run: Run, city: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights.csv"
    weights.write_text("unit,weight\nfinance,-1\nwater,1e3\nwater,2\nculture,\nwater,3\n", encoding="utf-8")
    done = run("split", city, "city", "--by", "weight", "--weights", weights)
    expected = "expected a decimal of 0 or more, at most nine places"
    assert (done.exit_code, done.stderr.splitlines()) == (
        2,
        [
            f"{weights}, row 2, column weight: found '-1'; {expected}",
            f"{weights}, row 3, column weight: found '1e3'; {expected}",
            f"{weights}, row 5, column weight: found ''; {expected}",
            f"{weights}, row 6, column unit: found the unit 'water' again; expected each unit once",
        ],
    )
    weights.write_text("unit,share\nfinance,1\n", encoding="utf-8")
    done = run("split", city, "city", "--by", "weight", "--weights", weights)
    assert (done.exit_code, done.stderr) == (2, f"{weights} has no column weight; expected unit, weight\n")
