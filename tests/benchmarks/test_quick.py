"""Every scenario runs from end to end at a size where it takes a moment; what counts is that contenders agree."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import __main__ as program
from benchmarks.harness import Size

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALL = Size(units=300, vouchers=2_000, projects=100, cases=24, rounds=1, process_rounds=1, single_loops=1)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for peer in program.PEERS:
        pytest.importorskip(peer, reason="the peers are in the dependency group bench")
    monkeypatch.setattr(Size, "quick", classmethod(lambda _cls: SMALL))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("scenario", ["batch", "rules", "evidence", "scaling"])
def test_contenders_of_a_scenario_agree(scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "figures.json"
    assert program.main(["--quick", "--only", scenario, "--json", str(path)]) == 0
    assert "kpi-rules" in capsys.readouterr().out
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["quick"] is True
    assert any(line["value"] is not None for line in content["lines"])


@pytest.mark.parametrize("contender", ["kpi-rules", "NumPy, plain", "the inputs alone"])
def test_a_fresh_process_tells_its_time_and_its_peak_memory(contender: str) -> None:
    command = (sys.executable, "-m", "benchmarks.alone", contender, "parameters per group", "1000")
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    found = json.loads(done.stdout)
    assert found["seconds"] > 0
    assert 2**20 < found["peak"] < 2**31


def test_without_its_peers_the_program_starts_itself_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Sequence[str]] = []

    def run(command: Sequence[str], **_options: object) -> subprocess.CompletedProcess[str]:
        started.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(program, "find_spec", lambda _name: None)
    monkeypatch.setattr("shutil.which", lambda _name: "/bin/uv")
    monkeypatch.setattr("subprocess.run", run)
    assert program.main(["--quick"]) == 0
    assert started == [(*program.WITH_PEERS, "--quick")]


def test_without_peers_and_uv_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "find_spec", lambda _name: None)
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert program.main([]) == 2
    assert "uv run --group bench" in capsys.readouterr().err
