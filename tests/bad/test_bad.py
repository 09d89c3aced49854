"""Workspaces with something wrong, each with the complete text of everything that is said about it.

A case is a folder with a workspace and `expected.txt`: a line for each problem, in the order in which they are shown,
then one for each value in quarantine. To add a case, make the folder and write by hand what ought to be said.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import kpi_rules as kr

CASES = [folder for folder in Path(__file__).parent.iterdir() if folder.is_dir() and folder.name != "__pycache__"]


def all_problems(folder: Path) -> str:
    """Write all problems and the quarantine of a workspace as text."""
    workspace = kr.load(folder)
    lines = [f"{problem.severity} {problem.code}: {problem.message}" for problem in workspace.problems]
    for row in workspace.quarantine.iter_rows(named=True):
        place = f"{row['file']}, table {row['table']}, row {row['row']}, column {row['column']}"
        lines.append(f'quarantine {row["code"]}: {place}: "{row["value"]}": {row["reason"]}')
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_the_complete_text(folder: Path) -> None:
    assert all_problems(folder) == (folder / "expected.txt").read_text(encoding="utf-8")
