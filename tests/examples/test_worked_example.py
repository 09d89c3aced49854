"""The engine against the worked example's independent answers: every tick, every event, every ledger line."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import kpi_rules as kr

FOLDER = Path(__file__).parents[2] / "examples" / "worked-example"
FIGURES = {"funds": "credited", "funds_quota": "quota"} | {
    name: name for name in ("completion", "expected", "lag", "rank")
}


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    answers: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
    return answers


@pytest.fixture(scope="module")
def workspace() -> kr.Workspace:
    return kr.load(FOLDER)


@pytest.fixture(scope="module")
def assessment(workspace: kr.Workspace, expected: dict[str, Any]) -> kr.Assessment:
    return kr.assess(workspace, as_of=date.fromisoformat(expected["as_of"]))


def test_the_workspace_is_clean(workspace: kr.Workspace) -> None:
    assert [problem.message for problem in workspace.problems] == []
    assert workspace.quarantine.is_empty()


def test_every_tick(assessment: kr.Assessment, expected: dict[str, Any]) -> None:
    found = {
        (row["tick"].isoformat(), row["unit"]): {name: row[column] for column, name in FIGURES.items()}
        for row in assessment.units.to_dicts()
    }
    wanted = {
        (tick["tick"], unit): {name: ratio(value) for name, value in figures.items()}
        for tick in expected["ticks"]
        for unit, figures in tick["units"].items()
    }
    assert len(wanted) == 16 * 6
    assert found == wanted


def ratio(value: int | str | None) -> float | None:
    """Return a number as it is, an exact fraction as the nearest float: what one correctly rounded division gives."""
    return float(Fraction(value)) if isinstance(value, str) else value


def test_every_event(assessment: kr.Assessment, expected: dict[str, Any]) -> None:
    found = [
        [
            row["tick"].isoformat(),
            row["rule"],
            row["unit"],
            row["event"],
            *([] if row["amount"] is None else [row["amount"]]),
        ]
        for row in assessment.events.to_dicts()
    ]
    assert sorted(found) == sorted(expected["events"])


def test_every_ledger_line(assessment: kr.Assessment, expected: dict[str, Any]) -> None:
    found = [
        {
            "person": row["person"],
            "unit": row["unit"],
            "rule": row["rule"],
            "month": row["month"].strftime("%Y-%m"),
            "withheld": row["withheld"],
            "released_on": None if row["released_on"] is None else row["released_on"].isoformat(),
        }
        for row in assessment.ledger.to_dicts()
    ]
    assert sorted(found, key=as_text) == sorted(expected["ledger"], key=as_text)


def as_text(line: dict[str, Any]) -> str:
    return json.dumps(line, sort_keys=True)


def test_measures_agree_with_their_events(assessment: kr.Assessment) -> None:
    """A measure is active exactly if it started and neither ended nor was superseded."""
    events = assessment.events.to_dicts()
    begun = {event["measure"] for event in events if event["event"] in ("started", "issued")}
    over = {event["measure"]: event["tick"] for event in events if event["event"] in ("ended", "superseded")}
    assert set(assessment.measures["id"]) == begun
    for measure in assessment.measures.to_dicts():
        assert measure["ended"] == over.get(measure["id"]), measure["id"]
