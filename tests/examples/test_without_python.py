"""The worked example's eight rules in `kpi.toml` alone: every event and ledger line as its own answers have it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import kpi_rules as kr

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    answers: dict[str, Any] = json.loads((EXAMPLES / "worked-example" / "expected.json").read_text(encoding="utf-8"))
    return answers


@pytest.fixture(scope="module")
def assessment(expected: dict[str, Any]) -> kr.Assessment:
    workspace = kr.load(EXAMPLES / "without-python")
    assert [problem.message for problem in workspace.problems] == []
    return kr.assess(workspace, as_of=date.fromisoformat(expected["as_of"]))


def _declared(rule: str) -> str:
    """Return the id of a policy's rule among the rules without Python."""
    return "local." + rule.partition(".")[2]


def test_every_event(assessment: kr.Assessment, expected: dict[str, Any]) -> None:
    found = [
        [row["tick"].isoformat(), row["rule"], row["unit"], row["event"]]
        + ([] if row["amount"] is None else [row["amount"]])
        for row in assessment.events.to_dicts()
    ]
    wanted = [[tick, _declared(rule), *rest] for tick, rule, *rest in expected["events"]]
    assert len({rule for _tick, rule, *_rest in wanted}) == 8
    assert sorted(found) == sorted(wanted)


def test_every_ledger_line(assessment: kr.Assessment, expected: dict[str, Any]) -> None:
    found = [
        (row["person"], row["unit"], row["rule"], f"{row['month']:%Y-%m}", row["withheld"], _day(row["released_on"]))
        for row in assessment.ledger.to_dicts()
    ]
    wanted = [
        (line["person"], line["unit"], _declared(line["rule"]), line["month"], line["withheld"], line["released_on"])
        for line in expected["ledger"]
    ]
    assert wanted
    assert sorted(found, key=str) == sorted(wanted, key=str)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
