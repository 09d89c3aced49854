"""`kpi-rules simulate`."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import date
from io import BytesIO, StringIO
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.cli.simulate import TABLES
from tests.cli.running import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from tests.cli.running import Run

AS_OF = ("--as-of", "2011-07-31", "--draws", "200")


@pytest.fixture(scope="module")
def simulation() -> kr.Simulation:
    from tests.cli.conftest import EXAMPLES

    return kr.simulate(kr.load(EXAMPLES / "worked-example"), date(2011, 7, 31), draws=200)


def test_the_summary_says_the_whole_first_then_units_rules_and_what_is_assumed(
    run: Run, example: Path, simulation: kr.Simulation
) -> None:
    done = run("simulate", example, *AS_OF)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[1] == "as of 2011-07-31, simulated to 2011-12-31: 200 draws, seed 1"
    titles = [
        line for line in lines if line in {"The whole", "Assumed"} or line.startswith(("Units by", "Measures in"))
    ]
    assert [title.split()[0] for title in titles] == ["The", "Units", "Measures", "Assumed"]
    assert lines[-1] == f"digest {simulation.digest}"
    begin = next(number for number, line in enumerate(lines) if line.startswith("Units by")) + 3
    shown = [line.split()[0] for line in lines[begin : begin + 5]]
    last = simulation.units.filter(pl.col("tick") == pl.col("tick").max())
    assert shown == last.sort("chance", "unit", descending=[True, False])["unit"].to_list()
    assumed = lines[lines.index("Assumed") :]
    for name, value in simulation.assumptions.select("indicator", "value").iter_rows():
        assert any(value in line and f" {name} " in line for line in assumed)
    told = simulation.assumptions.select("model", "indicator", "what", "about")
    assert told.is_duplicated().sum() == 0, "each line says what it is of"


def test_every_chance_has_its_interval_and_money_is_in_human_amounts(run: Run, example: Path) -> None:
    done = run("simulate", example, *AS_OF)
    rows = [line for line in done.stdout.splitlines() if line.startswith(("trade ", "water ", "finance "))]
    assert len(rows) == 3
    assert all(line.count(" to ") == 2 and "%" in line for line in rows)
    assert "万" in next(line for line in done.stdout.splitlines() if line.startswith("rewards"))


def test_a_unit_alone(run: Run, example: Path, simulation: kr.Simulation) -> None:
    done = run("simulate", example, *AS_OF, "--unit", "finance")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("2011-")] == [
        str(tick.on) for tick in simulation.ticks
    ]
    assert "finance 市财政局" in lines
    assert not any(line.startswith("trade") for line in lines)
    done = run("simulate", example, *AS_OF, "--unit", "finance", "--table", "rules", "--format", "csv")
    assert {row["unit"] for row in csv.DictReader(StringIO(done.stdout))} == {"finance"}
    done = run("simulate", example, *AS_OF, "--unit", "finence")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "(nearest: finance)" in done.stderr


def test_json_has_every_table_as_the_library_does(run: Run, example: Path, simulation: kr.Simulation) -> None:
    tables = json.loads(run("simulate", example, *AS_OF, "--format", "json").stdout)
    assert list(tables) == list(TABLES)
    for name in TABLES[1:]:
        assert tables[name] == json.loads(getattr(simulation, name).write_json())
    (asked,) = tables["run"]
    assert asked == {
        "workspace": simulation.past.workspace.name,
        "as_of": "2011-07-31",
        "known_at": "2011-07-31",
        "until": "2011-12-31",
        "draws": 200,
        "seed": 1,
        "digest": simulation.digest,
    }


def test_every_other_format(run: Run, example: Path, tmp_path: Path, simulation: kr.Simulation) -> None:
    done = run("simulate", example, *AS_OF, "--table", "units", "--format", "csv")
    assert pl.read_csv(BytesIO(done.stdout_bytes), try_parse_dates=True).equals(simulation.units)
    assert run("simulate", example, *AS_OF, "--table", "money", "-o", tmp_path / "m.parquet").exit_code == 0
    assert pl.read_parquet(tmp_path / "m.parquet").equals(simulation.money)
    assert run("simulate", example, *AS_OF, "-o", tmp_path / "all.xlsx").exit_code == 0
    assert list(pl.read_excel(tmp_path / "all.xlsx", sheet_id=0)) == list(TABLES)
    assert "chance_low" in run("simulate", example, *AS_OF, "--table", "rules").stdout


def test_what_is_asked_for_reaches_the_simulation(run: Run, example: Path, tmp_path: Path) -> None:
    def digest(*more: str | Path) -> str:
        done = run("simulate", example, *AS_OF, *more, "--table", "run", "--format", "json")
        assert done.exit_code == 0, done.stderr
        (row,) = json.loads(done.stdout)["run"]
        return str(row["digest"])

    decisions = tmp_path / "decisions.csv"
    decisions.write_text(
        "measure,decision,on\n2011/field_duty.station_head/culture/2011-05-31,rejected,2011-06-30\n", encoding="utf-8"
    )
    plain = digest()
    assert digest("--seed", "1", "--known-at", "2011-07-31", "--until", "2011-12-31") == plain
    others = [
        digest("--seed", "2"),
        digest("--until", "2011-11-30"),
        digest("--effect", "field_duty.station_head=0.5..0.9"),
        digest("--effect", "field_duty.station_head=0.5"),
        digest("--decisions", decisions),
    ]
    assert len({plain, *others}) == 6


def test_an_effect_is_named_among_what_is_assumed(run: Run, example: Path) -> None:
    shown = run("simulate", example, *AS_OF, "--effect", "field_duty.station_head=0.05..0.15").stdout
    assumed = shown.partition("\nAssumed\n")[2]
    assert "field_duty.station_head" in assumed


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--draws", "0"], "--draws: '0' is no whole number from 1"),
        (["--draws", "1e3"], "--draws: '1e3' is no whole number"),
        (["--draws", "9" * 30], "is no whole number from 1, of 12 digits at most"),
        (["--seed", "-1"], "--seed: '-1' is no whole number from 0"),
        (["--workers", "0"], "--workers: '0' is no whole number from 1"),
        (["--until", "soon"], "--until: 'soon' is no date such as 2011-06-30"),
        (["--until", "2011-07-31"], "no tick after 2011-07-31 by 2011-07-31"),
        (
            ["--effect", "field_duty.station_head"],
            "--effect: found 'field_duty.station_head'; expected RULE=LEAST..MOST",
        ),
        (["--effect", "field_duty.station_hed=0.1"], "(nearest: field_duty.station_head)"),
        (["--effect", "field_duty.station_head=much"], "much"),
        (["--decisions", "missing.csv"], "cannot read missing.csv"),
        (["--chart", "chart.pdf"], "--chart: found chart.pdf; expected a file that ends in .svg or .png"),
        (["--chart", "no/such/chart.svg"], "there is no folder no/such; make it first"),
        (["--format", "csv"], "csv holds one table"),
        (["--table", "rule"], "rule"),
        (["--workers", "1", "--cluster", "tcp://localhost:1"], "--workers and --cluster: expected one of the two"),
        (["--drawz", "3"], "no option --drawz (nearest: --draws)"),
    ],
)
def test_wrong_usage(run: Run, example: Path, more: list[str], said: str) -> None:
    done = run("simulate", example, *AS_OF, *more)
    assert (done.exit_code, done.stdout) == (2, ""), done.stderr
    assert said in done.stderr


def test_the_day_that_is_known_must_be_said(run: Run, example: Path) -> None:
    done = run("simulate", example)
    assert done.exit_code == 2
    assert "--as-of is missing" in done.stderr
    assert run("simulate", example, "--as-of", "2010-01-01").exit_code == 2


def test_a_workspace_with_errors_is_not_simulated(run: Run, tmp_path: Path) -> None:
    (tmp_path / "kpi.toml").write_text("[workspace]\n", encoding="utf-8")
    done = run("simulate", tmp_path, *AS_OF)
    assert (done.exit_code, done.stdout) == (3, "")
    assert "2 errors stop the work" in done.stderr


def test_hostile_names_are_shown_and_drawn_as_what_they_are(run: Run, example: Path, tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    shutil.copytree(example, folder)
    config = (folder / "kpi.toml").read_text(encoding="utf-8")
    config = config.replace('name = "Worked', 'name = "[bold]=evil\\u001b[2J\\u202e Worked')
    (folder / "kpi.toml").write_text(config, encoding="utf-8")
    units = pl.read_csv(folder / "units.csv", infer_schema=False)
    names = [*HOSTILE.values(), "[link=http://x]at", "<script>"]
    names = names[: len(units)] + ["x"] * (len(units) - len(names))
    units.with_columns(name=pl.Series(names)).write_csv(folder / "units.csv")
    asked = ("simulate", folder, *AS_OF)
    done = run(*asked, "--chart", tmp_path / "c.svg")
    assert done.exit_code == 0, done.stderr
    drawn = (tmp_path / "c.svg").read_text(encoding="utf-8")
    ET.fromstring(drawn)  # noqa: S314 (made by ourselves)
    assert "<script" not in drawn
    for text in (done.stdout, drawn):
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
        assert r"\x1b[31mX" in text
        assert r"[bold]=evil\x1b[2J\u202e" in text
    assert '=HYPERLINK("x")' in done.stdout
    rows = list(csv.DictReader(StringIO(run(*asked, "--table", "run", "--format", "csv").stdout)))
    assert rows[0]["workspace"].startswith("[bold]=evil")


def test_in_chinese(run: Run, example: Path, tmp_path: Path) -> None:
    done = run("--lang", "zh", "simulate", example, *AS_OF, "--chart", tmp_path / "c.svg")
    assert done.exit_code == 0
    english = ("draws", "chance", "median", "Assumed", "units", "interval", "digest")
    assert [word for word in english if word in done.stdout] == []
    assert "draws" not in (tmp_path / "c.svg").read_text(encoding="utf-8")
    assert "随机" in run("--lang", "zh", "simulate", "--help").stdout


def test_a_chart_is_written_beside_the_data(run: Run, example: Path, tmp_path: Path) -> None:
    done: Result = run("simulate", example, *AS_OF, "--chart", tmp_path / "all.svg", "--format", "json")
    assert json.loads(done.stdout)
    assert (tmp_path / "all.svg").read_text(encoding="utf-8").startswith("<svg")
    done = run("simulate", example, *AS_OF, "--unit", "trade", "--chart", tmp_path / "trade.PNG")
    assert done.exit_code == 0
    assert (tmp_path / "trade.PNG").read_bytes().startswith(b"\x89PNG\r\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.svg", "trade.PNG"]


@pytest.mark.parametrize("workers", [[], ["--workers", "1"]])
def test_it_shows_how_far_it_is_and_an_interrupt_ends_it(example: Path, tmp_path: Path, workers: list[str]) -> None:
    pty = pytest.importorskip("pty")
    target = tmp_path / "out.json"
    asked: list[str | Path] = [example, "--as-of", "2011-07-31", "--draws", "20000000", "-o", target, *workers]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "kpi_rules.cli", "simulate", *asked],
        stderr=theirs,
        env={**os.environ, "KPI_RULES_LANG": "en", "TERM": "xterm", "COLUMNS": "120"},
        start_new_session=True,  # a group of its own, all of which is told, as by a terminal
    )
    os.close(theirs)
    shown = b""
    try:
        while b" to go" not in shown:
            shown += os.read(ours, 65536)
        assert b" of 20000000 draws, " in shown
        os.killpg(process.pid, signal.SIGINT)
        with suppress(OSError):  # the end of a terminal
            while more := os.read(ours, 65536):
                shown += more
        assert process.wait(timeout=60) == 130
    finally:  # also where the test's own time is over
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        os.close(ours)
    assert shown.rstrip().endswith(b"interrupted")
    assert b"Traceback" not in shown
    assert not target.exists()
