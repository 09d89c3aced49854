"""What commands share: how many threads polars begins with."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from kpi_rules.cli.work import FILES, SMALL, spare_threads

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "POLARS_MAX_THREADS"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a process that has not imported polars yet, and leaves its environment as it was."""
    monkeypatch.setitem(sys.modules, "polars", sys)
    monkeypatch.delitem(sys.modules, "polars")
    monkeypatch.setenv(VARIABLE, "8")
    monkeypatch.delenv(VARIABLE)


def written(folder: Path, config: str = '[tables]\nunits = "evidence/units.csv"\n', size: int = 100) -> Path:
    (folder / "evidence").mkdir()
    (folder / "kpi.toml").write_text(config, encoding="utf-8")
    (folder / "evidence" / "units.csv").write_bytes(b"x" * (size - len(config)))
    return folder


def test_a_small_workspace_begins_with_one_thread(tmp_path: Path) -> None:
    spare_threads(written(tmp_path, size=SMALL))
    assert os.environ[VARIABLE] == "1"


def test_so_does_one_named_by_its_file(tmp_path: Path) -> None:
    spare_threads(written(tmp_path) / "kpi.toml")
    assert os.environ[VARIABLE] == "1"


def test_a_large_one_has_all(tmp_path: Path) -> None:
    spare_threads(written(tmp_path, size=SMALL + 1))
    assert VARIABLE not in os.environ


def test_one_of_many_files_has_all(tmp_path: Path) -> None:
    written(tmp_path)
    for number in range(FILES):
        (tmp_path / f"{number}.csv").touch()
    spare_threads(tmp_path)
    assert VARIABLE not in os.environ


@pytest.mark.parametrize(
    "source", ["sqlite:///evidence.db?table=units", "../units.csv", "/srv/units.csv", r"C:\units.csv"]
)
def test_one_whose_tables_are_elsewhere_has_all(tmp_path: Path, source: str) -> None:
    spare_threads(written(tmp_path, f"[tables]\nunits = '{source}'\n"))
    assert VARIABLE not in os.environ


def test_what_the_environment_says_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "3")
    spare_threads(written(tmp_path))
    assert os.environ[VARIABLE] == "3"


def test_nothing_is_said_where_there_is_no_workspace(tmp_path: Path) -> None:
    spare_threads(tmp_path / "nowhere")
    assert VARIABLE not in os.environ


def test_nothing_is_set_once_polars_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", sys)
    spare_threads(written(tmp_path))
    assert VARIABLE not in os.environ
