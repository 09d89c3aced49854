"""From evidence to credit: what is known, recognised, confirmed, shared among claiming units."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Protocol, TypeVar

from tests.reference.adjust import adjusted, after_sharing, unsaid_shares

if TYPE_CHECKING:
    from datetime import date

    from tests.reference.adjust import Parts
    from tests.reference.case import Arrival, Case, Project


class Recorded(Protocol):
    """A row of an evidence table."""

    @property
    def recorded_on(self) -> date | None: ...

    @property
    def revoked_on(self) -> date | None: ...


Row = TypeVar("Row", bound=Recorded)


def known(rows: tuple[Row, ...], known_at: date) -> list[Row]:
    """Keep the rows recorded by `known_at` and not revoked by then; an empty `recorded_on` is always known."""
    return [
        row
        for row in rows
        if (row.recorded_on is None or row.recorded_on <= known_at)
        and (row.revoked_on is None or row.revoked_on > known_at)
    ]


def happened(event: date | None, day: date) -> bool:
    """Tell whether something dated `event` had happened by `day`."""
    return event is not None and event <= day


def recognised(case: Case, day: date, known_at: date) -> list[Project]:
    """Return the projects that count on `day`: recognised by then, and neither refused nor revoked by then.

    The revocation of a project takes effect from its date on, so ticks before it stay; one dated after
    `known_at` is not yet known.
    """
    return [
        project
        for project in case.projects
        if (project.recorded_on is None or project.recorded_on <= known_at)
        and happened(project.recognised_on, day)
        and not happened(project.refused_on, day)
        and not (happened(project.revoked_on, day) and happened(project.revoked_on, known_at))
    ]


def converted(case: Case, arrival: Arrival) -> int | None:
    """Convert a voucher to fen at the latest rate by its arrival, rounded half up; None without a rate (quarantine)."""
    if arrival.currency is None or arrival.currency == case.currency:
        return arrival.amount
    rates = [
        (rate.on, rate.rate)
        for rate in case.rates
        if rate.currency == arrival.currency and rate.on <= arrival.arrived_on
    ]
    if not rates:
        return None
    exact = arrival.amount * Fraction(max(rates)[1])
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def vouchers(case: Case, project: str, day: date, known_at: date) -> int:
    """Add up V: the fen of the vouchers of the assessed year that arrived from the year start to `day`."""
    total = 0
    for arrival in known(case.arrivals, known_at):
        of_this_year = arrival.year is None or arrival.year == case.year
        if arrival.project == project and of_this_year and case.start <= arrival.arrived_on <= day:
            total += converted(case, arrival) or 0
    return total


def evaluation(case: Case, project: str, day: date, known_at: date) -> int | None:
    """Return E: the amount of the last visit from the year start to `day`, of one day the greatest id; else None."""
    visits = [
        (visit.visited_on, visit.visit, visit.assessed_amount)
        for visit in known(case.visits, known_at)
        if visit.project == project and case.start <= visit.visited_on <= day
    ]
    return max(visits)[2] if visits else None


def confirmed(case: Case, project: Project, day: date, known_at: date) -> tuple[int, str]:
    """Return what the first evidence in order bears out, and which that was; without any of it 0.

    C = min(V, E) where there was a visit; without any visit 0, or V where the workspace credits unvisited projects.
    """
    arrived = vouchers(case, project.project, day, known_at)
    assessed = evaluation(case, project.project, day, known_at)
    for evidence in case.evidence or ("visits", case.unvisited):
        if evidence == "visits" and assessed is not None:
            return min(arrived, assessed), evidence
        if evidence == "evaluations" and assessed is not None:
            return assessed, evidence
        if evidence == "vouchers" and arrived:
            return arrived, evidence
        is_declared = project.declared_on is None or project.declared_on <= day
        if evidence == "declared" and project.declared is not None and is_declared:
            return project.declared, evidence
    return 0, "none"


def claims(case: Case, project: Project, known_at: date) -> dict[str, Fraction]:
    """Return the shares of a project by unit; a project without claims is its own unit's alone."""
    rows = [claim for claim in known(case.claims, known_at) if claim.project == project.project]
    if (not rows and case.sharing != "agreed") or any(claim.share is None for claim in rows):
        return unsaid_shares(case, project, rows)
    return {claim.unit: Fraction(claim.share or 0) for claim in rows} or {project.unit: Fraction(1)}


def split(amount: int, shares: dict[str, Fraction]) -> dict[str, int]:
    """Split fen by shares so that nothing is lost: whole fen first, what is left one by one to the largest remainders.

    Ties go to the unit id first in code-point order. What is missing to 100% is one more claimant that loses every tie.
    """
    claimants: list[tuple[str | None, Fraction]] = [*sorted(shares.items()), (None, Fraction(1) - sum(shares.values()))]
    exact = [amount * share for _, share in claimants]
    whole = [part.numerator // part.denominator for part in exact]
    left = amount - sum(whole)
    by_remainder = sorted(range(len(claimants)), key=lambda i: whole[i] - exact[i])  # stable: ties stay in order
    for i in by_remainder[:left]:
        whole[i] += 1
    return {unit: part for (unit, _), part in zip(claimants, whole, strict=True) if unit is not None}


def parts(case: Case, day: date, known_at: date) -> tuple[Parts, Parts]:
    """Return the credited fen of each project and claiming unit on `day`, and those that are a whole task."""
    found = {}
    for project in recognised(case, day, known_at):
        amount, by = confirmed(case, project, day, known_at)
        amount = adjusted(case, project, amount, by, day, known_at)
        for unit, part in split(amount, claims(case, project, known_at)).items():
            found[project.project, unit] = part
    return after_sharing(case, found, families(case), day)


def own_credit(case: Case, day: date, known_at: date) -> dict[str, int]:
    """Return the credited fen of each unit on `day` by its own claims, before roll-up."""
    credit = dict.fromkeys((unit.unit for unit in case.units), 0)
    for (_project, unit), part in parts(case, day, known_at)[0].items():
        credit[unit] += part
    return credit


def families(case: Case) -> dict[str, set[str]]:
    """Map each unit to itself and all its descendants."""
    parents = {unit.unit: unit.parent for unit in case.units}
    found: dict[str, set[str]] = {unit: set() for unit in parents}
    for unit in parents:
        above: str | None = unit
        while above is not None:
            found[above].add(unit)
            above = parents[above]
    return found


def credit(case: Case, day: date, known_at: date) -> dict[str, int]:
    """Return the credited fen of each unit on `day`: its own and its descendants'."""
    own = own_credit(case, day, known_at)
    return {unit: sum(own[member] for member in family) for unit, family in families(case).items()}
