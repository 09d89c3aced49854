"""Small workspaces with cases, written for one test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import kpi_rules as kr

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).resolve().parents[2]

KPI: Final = """[workspace]
name = "cases"
[year]
start = 2011-01-01
end = 2011-12-31
[credit]
unvisited = "vouchers"
[tables]
units = "units.csv"
quotas = "quotas.csv"
projects = "projects.csv"
arrivals = "arrivals.csv"
[plugins]
enabled = ["supervision", "rewards"]
"""

TABLES: Final = {
    "units.csv": "unit,name,group\nfinance,Finance,big\nculture,Culture,\n",
    "quotas.csv": "unit,indicator,amount,effective\nfinance,funds,800万,2011-01-01\n",
    "projects.csv": "project,unit,recognised_on\nP1,finance,2011-01-01\n",
    "arrivals.csv": "voucher,project,amount,arrived_on\nV1,P1,300万,2011-03-01\nV2,P1,701万,2011-10-01\n",
}


def workspace(folder: Path, cases: Mapping[str, str] | str, kpi: str = KPI) -> kr.Workspace:
    """Write a workspace with its files of cases, by their names, and load it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {"kpi.toml": kpi, **TABLES}.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "cases").mkdir()
    for name, text in ({"a.toml": cases} if isinstance(cases, str) else cases).items():
        (folder / "cases" / name).write_text(text, encoding="utf-8")
    return kr.load(folder)


def report(folder: Path, cases: Mapping[str, str] | str, kpi: str = KPI) -> kr.CaseReport:
    """Run the cases of a small workspace, without those of its policies' packages."""
    loaded = workspace(folder, cases, kpi)
    assert [problem.message for problem in loaded.errors] == []
    found = kr.run_cases(loaded)
    found.results = [result for result in found.results if not result.policy]
    return found


def told(found: kr.CaseReport) -> list[str]:
    """Return every failure on one line: case, line, about, expected, found."""
    return [
        f"{result.name}: {failure.place.line}: {failure.about}: {failure.expected} | {failure.found}"
        for result in found.failed
        for failure in result.failures
    ]
