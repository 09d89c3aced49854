"""The invented municipality by the plain reference evaluator: the engine agrees on every figure, event and ledger line.

The evaluator gets the files without their dirt, read by other means, so that readers and quarantine are held to account
too. It takes about a quarter of a minute.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

import kpi_rules as kr
from tests.examples.cleaned import FOLDER, write_cleaned
from tests.reference.evaluator import Outcome, evaluate
from tests.reference.read import read

if TYPE_CHECKING:
    from pathlib import Path

CLOSE = date(2012, 3, 31)
FIGURES = ("funds", "completion", "expected", "pace_gap", "lag", "rank", "group_size", "arrival_rate", "start_rate")
COUNTS = ("signed", "started", "producing", "production_rate")
TARGETS = tuple(f"{name}_{what}" for name in ("funds", "signed") for what in ("quota", "quota_original", "completion"))
CAMPAIGN = ("campaign_funds", "campaign_quota", "campaign_completion", "campaign_rank")


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cleaned")
    write_cleaned(folder)
    return folder


@pytest.fixture(scope="module")
def outcome(cleaned: Path) -> Outcome:
    return evaluate(read(cleaned), as_of=CLOSE)


@pytest.fixture(scope="module")
def assessment() -> kr.Assessment:
    return kr.assess(kr.load(FOLDER), as_of=CLOSE)


def test_without_its_dirt_it_is_clean_and_the_same(cleaned: Path, assessment: kr.Assessment) -> None:
    workspace = kr.load(cleaned)
    assert workspace.quarantine.is_empty()
    again = kr.assess(workspace, as_of=CLOSE)
    for name in ("units", "events", "measures", "ledger", "entries", "findings", "waterfall"):
        assert getattr(again, name).equals(getattr(assessment, name)), name


@pytest.mark.parametrize("name", [*FIGURES, *COUNTS, *TARGETS, *CAMPAIGN])
def test_every_figure(assessment: kr.Assessment, outcome: Outcome, name: str) -> None:
    found = {(tick, unit): value for tick, unit, value in assessment.units.select("tick", "unit", name).iter_rows()}
    wanted = {(tick, unit): figures[name] for tick, units in outcome.panel.items() for unit, figures in units.items()}
    assert found == {key: float(value) if isinstance(value, Fraction) else value for key, value in wanted.items()}


def test_every_event(assessment: kr.Assessment, outcome: Outcome) -> None:
    columns = ("year", "tick", "rule", "unit", "measure", "event", "amount")
    found = {tuple(row[name] for name in columns) for row in assessment.events.to_dicts()}
    assert found == {tuple(getattr(event, name) for name in columns) for event in outcome.events}
    assert assessment.events.height == len(outcome.events)


def test_every_ledger_line(assessment: kr.Assessment, outcome: Outcome) -> None:
    columns = ("measure", "person", "unit", "rule", "month", "withheld", "released_on")
    found = {tuple(row[name] for name in columns) for row in assessment.ledger.to_dicts()}
    assert found == {
        (
            line.measure.id,
            line.person,
            line.measure.unit,
            line.measure.rule.id,
            line.month,
            line.withheld,
            line.released_on,
        )
        for line in outcome.ledger
    }
    assert assessment.ledger.height == len(outcome.ledger)
