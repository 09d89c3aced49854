"""Settings of the tests of the terminal UI: nothing of this machine's own is read or written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import kpi_rules as kr

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Speak English, and remember things in the test's own folder."""
    kr.set_language("en")
    for name in ("STATE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    for name in ("EDITOR", "VISUAL", "PAGER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """Return a copy of the worked example that a test may change."""
    folder = tmp_path / "worked-example"
    shutil.copytree(ROOT / "examples" / "worked-example", folder)
    return folder
