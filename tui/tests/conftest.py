"""Settings of the tests of the terminal UI: nothing of this machine's own is read or written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import kpi_rules as kr
from tui.tests.driver import copied

if TYPE_CHECKING:
    from pathlib import Path


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
    return copied("worked-example", tmp_path / "worked-example")
