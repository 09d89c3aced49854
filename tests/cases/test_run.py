"""Which cases are run, and that what the project ships passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import kpi_rules as kr
from kpi_rules.hooks.manager import installed
from kpi_rules.model.entries import Entry
from tests.cases.making import ROOT, report, told, workspace

if TYPE_CHECKING:
    from pathlib import Path

WITH_CASES = sorted(path.parent for path in (ROOT / "examples").rglob("cases") if path.is_dir())

NEVER = {"scorecard.uncovered_year_lag"}
"""Rules that cannot be shown: a deduction covers every count there is."""


@pytest.mark.parametrize("folder", WITH_CASES, ids=lambda folder: folder.relative_to(ROOT / "examples").as_posix())
def test_the_cases_of_the_examples_pass(folder: Path) -> None:
    loaded = kr.load(folder)
    assert [problem.message for problem in loaded.errors] == []
    found = kr.run_cases(loaded)
    assert [problem.message for problem in found.problems] == []
    assert told(found) == []
    assert [result for result in found.results if not result.policy]


@pytest.mark.parametrize("policy", sorted(installed()))
def test_the_cases_of_the_policies_pass_and_show_everything(policy: str) -> None:
    found = kr.run_cases(policy=policy)
    assert [problem.message for problem in found.problems] == []
    assert told(found) == []
    assert found.results
    assert [seen.rule for seen in found.rules if seen.never and seen.rule not in NEVER] == []
    assert [(bound.rule, bound.text) for seen in found.rules for bound in seen.one_sided] == []
    assert [(row.indicator, row.row) for row in found.rows if not row.hits] == []


def test_a_workspace_with_errors_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(kr.AssessmentError):
        kr.run_cases(kr.load(tmp_path))


def test_a_policy_that_is_not_there() -> None:
    with pytest.raises(ValueError, match=r"no installed policy reward \(nearest: rewards\)"):
        kr.run_cases(policy="reward")


def test_cases_of_enabled_policies_run_with_their_own_defaults(tmp_path: Path) -> None:
    loaded = workspace(tmp_path, {}).with_parameters({"supervision.talk_after": 9})
    found = kr.run_cases(loaded)
    assert {result.policy for result in found.results} == {"supervision", "rewards"}
    assert found.passed


def test_nothing_shown_is_said(tmp_path: Path) -> None:
    found = report(tmp_path, {})
    assert found.results == []
    assert {seen.rule for seen in found.rules} == {"supervision.talk", "rewards.bonus", "rewards.commendation"}


def test_a_policy_that_cannot_be_loaded_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Entry("broken", "kpi_rules_is_not_there", None)
    monkeypatch.setattr("kpi_rules.hooks.manager.entry_points", lambda _group: [broken])
    with pytest.raises(kr.AssessmentError, match="policy broken failed in its import"):
        kr.run_cases(policy="broken")
