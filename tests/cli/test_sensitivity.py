"""`kpi-rules sensitivity`."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest

import kpi_rules as kr
from kpi_rules.cli.sensitivity import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Run

AS_OF = ("--as-of", "2011-12-31", "--draws", "10")


def test_it_shows_what_is_wrong_and_what_to_inspect(run: Run, example: Path, tmp_path: Path) -> None:
    done = run("sensitivity", example, *AS_OF, "--error-rate", "0.05", "--chart", tmp_path / "s.svg")
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "error rates arrivals 0.05, visits 0.05, projects 0.05: 10 draws, seed 1" in lines[1]
    found = kr.sensitivity(kr.load(example), date(2011, 12, 31), error_rate=0.05, draws=10)
    begin = lines.index("Evidence to inspect again first") + 3
    assert lines[begin].split()[:2] == [found.items["table"][0], found.items["key"][0]]
    assert (tmp_path / "s.svg").read_text(encoding="utf-8").startswith("<svg")


def test_as_data_it_is_what_the_library_gives(run: Run, example: Path) -> None:
    rates = ("--error-rate", "arrivals=0.1", "--error-rate", "visits=0.05")
    tables = json.loads(run("sensitivity", example, *AS_OF, *rates, "--format", "json").stdout)
    assert list(tables) == list(TABLES)
    rate = {"arrivals": 0.1, "visits": 0.05}
    found = kr.sensitivity(kr.load(example), date(2011, 12, 31), error_rate=rate, draws=10)
    for name in TABLES:
        assert tables[name] == json.loads(getattr(found, name).write_json())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "--error-rate is missing"),
        (["--error-rate", "much"], "much"),
        (["--error-rate", "2"], "2"),
        (["--error-rate", "0.1", "--error-rate", "0.2"], "expected one share for all, or TABLE=SHARE"),
        (["--error-rate", "arrivals=0.1", "--error-rate", "arrivals=0.2"], "once for each table"),
        (["--error-rate", "arrival=0.1"], "arrivals"),
        (["--error-rate", "0.1", "--size", "x"], "--size: 'x' is no decimal"),
    ],
)
def test_wrong_usage(run: Run, example: Path, more: list[str], said: str) -> None:
    done = run("sensitivity", example, *AS_OF, *more)
    assert (done.exit_code, done.stdout) == (2, ""), done.stderr
    assert said in done.stderr
