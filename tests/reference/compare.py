"""The engine's result and the reference's as the same plain values, so that they can be held against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import kpi_rules as kr
from tests.reference.build import to_decisions, to_workspace
from tests.reference.credit import converted
from tests.reference.evaluator import evaluate

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from tests.reference.case import Case
    from tests.reference.evaluator import Outcome
    from tests.reference.strategies import Question

Rows = list[tuple[object, ...]]
EVENTS = ("year", "tick", "rule", "unit", "measure", "event", "amount")
LEDGER = ("year", "measure", "person", "unit", "rule", "component", "month", "withheld", "released_on")
ENTRIES = ("year", "on", "entry", "measure", "person", "unit", "rule", "component", "month", "amount")
MEASURES = ("id", "year", "rule", "unit", "started", "ended", "active", "amount")
MISSING = ("unit", "rule", "tick")


def assess(question: Question) -> kr.Assessment:
    """Let the engine answer a question; a case has no errors, and quarantine holds what it must and no more."""
    case = question.case
    workspace = to_workspace(case)
    assert workspace.errors == []
    unconverted = {arrival.voucher for arrival in case.arrivals if converted(case, arrival) is None}
    rows = workspace.quarantine.rows(named=True)
    assert {(row["table"], row["code"]) for row in rows} <= {("arrivals", "no-rate")}
    assert len(rows) == len(unconverted)
    return kr.assess(workspace, as_of=question.as_of, known_at=question.known_at, decisions=to_decisions(case))


def rows_of(frame: pl.DataFrame, columns: tuple[str, ...]) -> Rows:
    """Return the rows of a frame, sorted: their order means nothing."""
    return sorted(frame.select(columns).rows(), key=repr)


def expected(case: Case, outcome: Outcome) -> dict[str, Rows]:
    """Return the reference's events, ledger and entries as rows."""
    events: Rows = [tuple(getattr(event, name) for name in EVENTS) for event in outcome.events]
    ledger: Rows = [
        (
            line.year,
            line.measure.id,
            line.person,
            line.measure.unit,
            line.measure.rule.id,
            case.component,
            line.month,
            line.withheld,
            line.released_on,
        )
        for line in outcome.ledger
    ]
    entries: Rows = [
        (case.year, e.on, e.kind, e.measure, e.person, e.unit, e.rule, case.component, e.month, e.amount)
        for e in outcome.entries
    ]
    measures: Rows = [
        (m.id, case.year, m.rule.id, m.unit, m.started, m.ended, m.rule.until is not None and m.ended is None, m.amount)
        for m in outcome.measures
    ]
    missing: Rows = list(outcome.not_assessable)
    found = {"events": events, "ledger": ledger, "entries": entries, "measures": measures, "not_assessable": missing}
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def said(assessment: kr.Assessment) -> dict[str, Rows]:
    """Return the engine's rows that `expected` gives of the reference: measures that began, proposals left aside."""
    began = assessment.measures.drop_nulls("started")
    return {
        "events": rows_of(assessment.events, EVENTS),
        "ledger": rows_of(assessment.ledger, LEDGER),
        "entries": rows_of(assessment.entries, ENTRIES),
        "measures": rows_of(began, MEASURES),
        "not_assessable": rows_of(assessment.not_assessable, MISSING),
    }


def panel_of(assessment: kr.Assessment) -> dict[tuple[date, str], dict[str, object]]:
    """Return the engine's indicators by tick and unit."""
    return {(row["tick"], row["unit"]): row for row in assessment.units.rows(named=True)}


def hold_against(question: Question) -> tuple[kr.Assessment, Outcome]:
    """Assert that the engine and the reference give the same figures, events, measures, ledger, entries, and gaps."""
    assessment = assess(question)
    outcome = evaluate(question.case, question.as_of, question.known_at)
    found = panel_of(assessment)
    assert sorted(found) == sorted((tick, unit) for tick, units in outcome.panel.items() for unit in units)
    for tick, units in outcome.panel.items():
        for unit, figures in units.items():
            figures_found = {name: found[tick, unit][name] for name in figures}
            assert figures_found == {
                name: figure if figure is None or isinstance(figure, int) else float(figure)
                for name, figure in figures.items()
            }, (tick, unit)
    assert said(assessment) == expected(question.case, outcome)
    return assessment, outcome
