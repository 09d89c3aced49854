"""What may import what, and what start-up may load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("altair", "dataframely", "fastexcel", "hypothesis", "polars", "sqlalchemy", "textual")
POLICY_FILES = sorted(ROOT.glob("plugins/*/src/**/*.py"))


@pytest.mark.parametrize("statement", ["import kpi_rules", "import kpi_rules.cli", "import kpi_rules.locale"])
def test_start_up_loads_nothing_heavy(statement: str) -> None:
    program = f"{statement}; import sys; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("path", POLICY_FILES, ids=lambda path: path.relative_to(ROOT / "plugins").as_posix())
def test_policies_import_the_public_api_alone(path: Path) -> None:
    inner = [
        name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _imported(node)
        if name.startswith("kpi_rules.")
    ]
    assert inner == []


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []
