"""The reference evaluator against the worked example's independent answers: every tick, event and ledger line."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.reference.evaluator import Outcome, evaluate
from tests.reference.read import read

FOLDER = Path(__file__).parents[2] / "examples" / "worked-example"


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    answers: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
    return answers


@pytest.fixture(scope="module")
def outcome(expected: dict[str, Any]) -> Outcome:
    return evaluate(read(FOLDER), as_of=date.fromisoformat(expected["as_of"]))


def test_every_tick(outcome: Outcome, expected: dict[str, Any]) -> None:
    names = {"credited": "funds", "quota": "funds_quota"}
    found = [
        {
            "tick": tick.isoformat(),
            "units": {
                unit: {
                    name: figures[names.get(name, name)]
                    for name in ("credited", "quota", "completion", "expected", "lag", "rank")
                }
                for unit, figures in units.items()
            },
        }
        for tick, units in outcome.panel.items()
    ]
    for tick in expected["ticks"]:
        for figures in tick["units"].values():
            for name in ("completion", "expected"):
                figures[name] = None if figures[name] is None else Fraction(figures[name])
    assert found == expected["ticks"]


def test_every_event(outcome: Outcome, expected: dict[str, Any]) -> None:
    found = [
        [event.tick.isoformat(), event.rule, event.unit, event.event, *([] if event.amount is None else [event.amount])]
        for event in outcome.events
    ]
    assert sorted(found) == sorted(expected["events"])


def test_every_ledger_line(outcome: Outcome, expected: dict[str, Any]) -> None:
    def key(line: dict[str, Any]) -> str:
        return json.dumps(line, sort_keys=True)

    found = [
        {
            "person": line.person,
            "unit": line.measure.unit,
            "rule": line.measure.rule.id,
            "month": line.month.strftime("%Y-%m"),
            "withheld": line.withheld,
            "released_on": None if line.released_on is None else line.released_on.isoformat(),
        }
        for line in outcome.ledger
    ]
    assert sorted(found, key=key) == sorted(expected["ledger"], key=key)
