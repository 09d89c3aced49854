"""Pay: what holds withhold from whom, and when it is released."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from tests.reference.rules import Measure, Situation, is_true, parameter

if TYPE_CHECKING:
    from datetime import date

    from tests.reference.case import Case, Staff


CATEGORIES = ("civil_servant", "contract", "institution")


@dataclass
class Line:
    """A ledger line: what a hold withheld from a person for a month, and when it was released."""

    year: int
    measure: Measure
    person: str
    component: str
    month: date
    withheld: int
    released_on: date | None = None


@dataclass(frozen=True)
class LedgerEntry:
    """An entry of the ledger; `on` is the month's last day where withheld, the tick of release where released."""

    kind: Literal["withheld", "released"]
    on: date
    measure: str
    person: str
    unit: str
    rule: str
    month: date
    amount: int


def withholds(hold: Measure, s: Situation) -> bool:
    """Tell whether a hold withholds the month ending at this tick.

    It does if it started at any earlier tick and is still in force or superseded at this very tick; not where its
    `until` is true or where the authority lifted it at this tick.
    """
    assert hold.started is not None
    in_force = hold.started < s.tick.on and (hold.ended is None or (hold.ended >= s.tick.on and not hold.lifted))
    return s.tick.month_end and in_force and not is_true(hold.rule.until, s)


def staff_of(case: Case, hold: Measure, s: Situation) -> list[Staff]:
    """Return the staff rows of that very unit and in the hold's scope on the tick's date, by person."""
    assert hold.rule.scope is not None
    rows = [
        row
        for row in case.staff
        if row.unit == hold.unit
        and (row.from_on is None or row.from_on <= s.tick.on)
        and (row.to_on is None or s.tick.on <= row.to_on)
        and hold.rule.scope(s, row)
    ]
    return sorted(rows, key=lambda row: row.person)


def settle_pay(case: Case, measures: list[Measure], situations: dict[str, Situation], lines: list[Line]) -> None:
    """Release and withhold at one tick, not interim; `situations` are the tick's by unit, `lines` is added to."""
    for line in lines:
        if line.released_on is None and is_true(line.measure.rule.until, situations[line.measure.unit]):
            line.released_on = situations[line.measure.unit].tick.on
    holds = [m for m in measures if m.rule.scope is not None and withholds(m, situations[m.unit])]
    for hold in sorted(holds, key=lambda m: (str(m.started), m.rule.id, m.unit)):
        s = situations[hold.unit]
        for person in staff_of(case, hold, s):
            amount = min(due(s, person), left(case, person, s.tick.on, lines))
            if amount > 0:
                lines.append(Line(case.year, hold, person.person, case.component, s.tick.on, amount))


def due(s: Situation, person: Staff) -> int:
    """Return floor(share x withholdable), the share in force at the month-end."""
    exact = Fraction(s.number("pay_withholding.share")) * withholdable(s.case, person, s.tick.on)
    return exact.numerator // exact.denominator


def left(case: Case, person: Staff, month: date, lines: list[Line]) -> int:
    """Return what may still be withheld from a person for a month after other years' and other holds' shares."""
    other_years = sum(row.amount for row in case.withheld if row.person == person.person and row.month == month)
    other_holds = sum(line.withheld for line in lines if line.person == person.person and line.month == month)
    return max(0, withholdable(case, person, month) - other_years - other_holds)


def withholdable(case: Case, person: Staff, day: date) -> int:
    """Return what may be withheld from a person in a month in all: the component, or what the law leaves of it."""
    most = limit(case, person, day)
    return person.component if most is None else min(person.component, most)


def limit(case: Case, person: Staff, day: date) -> int | None:
    """Return the most that may be withheld from a person in the month of a day, None without a limit.

    Of a civil servant nothing (G1, G2); on a contract nothing (G12), or once that is lowered the lesser of a
    fifth of the pay and what is above the minimum wage; in an institution the performance component (G14). A category
    that is not known may be any of them, and a figure that is missing is 0.
    """
    if case.lowered is None:
        return None
    group = next(unit.group for unit in case.units if unit.unit == person.unit)
    wage = int(str(parameter(case, "safeguards.minimum_wage", group, day)))
    may_be = {person.category} if person.category in CATEGORIES else set(CATEGORIES)
    limits = []
    if "civil_servant" in may_be and not {"G1", "G2"} <= case.lowered:
        limits.append(0)
    if "contract" in may_be:
        known = "G12" in case.lowered and person.total_pay is not None and wage > 0
        pay = person.total_pay or 0
        limits.append(max(0, min(pay // 5, pay - wage)) if known else 0)
    if "institution" in may_be and "G14" not in case.lowered:
        limits.append(person.performance or 0)
    return min(limits, default=None)


def entries(lines: list[Line]) -> list[LedgerEntry]:
    """Return the ledger as entries: one where money is withheld, one more where it is released."""
    found = []
    for line in lines:
        measure = line.measure
        shared = (measure.id, line.person, measure.unit, measure.rule.id, line.month, line.withheld)
        found.append(LedgerEntry("withheld", line.month, *shared))
        if line.released_on is not None:
            found.append(LedgerEntry("released", line.released_on, *shared))
    return found
