"""The reference evaluator: a case and a date to every figure, event and ledger line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.reference.calendar import ticks
from tests.reference.indicators import Figures, panel_at
from tests.reference.pay import LedgerEntry, Line, entries, settle_pay
from tests.reference.rules import Decider, Event, Measure, Situation

if TYPE_CHECKING:
    from datetime import date

    from tests.reference.case import Case


@dataclass
class Outcome:
    """The result: figures by tick and unit, events, measures in force or issued, ledger lines and entries."""

    panel: dict[date, dict[str, Figures]]
    events: list[Event]
    measures: list[Measure]
    ledger: list[Line]
    entries: list[LedgerEntry]
    not_assessable: list[tuple[str, str, date]]
    """Unit, rule and tick of the conditions that could not be told."""


def evaluate(case: Case, as_of: date | None = None, known_at: date | None = None) -> Outcome:
    """Assess a case as of a date (default: the year end), as known at a date (default: the as-of date)."""
    day = as_of or case.end
    known = known_at or day
    groups = {unit.unit: unit.group for unit in case.units}
    decided = case.decisions if case.decisions is None else tuple(each for each in case.decisions if each.on <= known)
    decider = Decider(replace(case, decisions=decided))
    lines: list[Line] = []
    lags: dict[str, int] = {}
    panel: dict[date, dict[str, Figures]] = {}
    for tick in ticks(case, day):
        figures = panel[tick.on] = panel_at(case, tick, known, lags)
        if tick.interim:
            continue
        situations = {unit: Situation(case, tick, unit, groups[unit], figures[unit]) for unit in figures}
        for situation in situations.values():
            decider.step(situation)
        settle_pay(case, decider.measures, situations, lines)
    return Outcome(panel, decider.events, decider.measures, lines, entries(lines), decider.not_assessable)
