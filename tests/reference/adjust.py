"""What changes an amount between what is borne out and what a unit is credited with: shares nobody gave, samples,
factors, sizes, caps, and the project that counts as the whole task.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.reference.case import Case, Claim, Project, Value

COUNTS = {"signed": "signed_on", "started": "started_on", "producing": "producing_on"}


def setting(case: Case, name: str, group: str | None, day: date) -> Value | None:
    """Return a parameter of `[adjustment]` in force, None where nothing is written."""
    entries = [
        (entry.group is not None, entry.since or date.min, entry.value)
        for entry in case.parameters.get(f"adjustment.{name}", ())
        if entry.group in (None, group) and (entry.since is None or entry.since <= day)
    ]
    return max(entries, key=lambda entry: entry[:2])[2] if entries else None


def fen(case: Case, name: str, group: str | None, day: date) -> int:
    """Return an amount of `[adjustment]` in fen; where nothing is written, 2000亿 yuan."""
    found = setting(case, name, group, day)
    return 2 * 10**13 if found is None else int(Fraction(str(found)) * 100)


def group_of(case: Case, unit: str) -> str | None:
    """Return the peer group of a unit."""
    return next(each.group for each in case.units if each.unit == unit)


def unsaid_shares(case: Case, project: Project, rows: list[Claim]) -> dict[str, Fraction]:
    """Return the shares of a project whose claims give none."""
    units = [row.unit for row in rows] or [project.unit]
    if case.sharing == "first_introducer":
        first = min(rows, key=lambda row: (row.recorded_on or date.min, row.unit)).unit if rows else project.unit
        return {project.introducer or first: Fraction(1)}
    if case.sharing == "host_half" and project.host is not None:
        others = [unit for unit in units if unit != project.host]
        if not others:
            return {project.host: Fraction(1)}
        return {project.host: Fraction(1, 2)} | {unit: Fraction(1, 2 * len(others)) for unit in others}
    return {unit: Fraction(1, len(units)) for unit in units}


def factor(case: Case, project: Project, day: date) -> Fraction:
    """Return the factor of the row that says most about the project, 1 without one."""
    own = (project.sector, project.kind, project.origin)
    for keys in sorted(product((True, False), repeat=3), key=lambda keys: (-sum(keys), [not key for key in keys])):
        wanted = tuple(value if key else None for key, value in zip(keys, own, strict=True))
        rows = [
            (row.effective or date.min, row.factor)
            for row in case.factors
            if (row.sector, row.kind, row.origin) == wanted and (row.effective or date.min) <= day
        ]
        if rows and all(value is not None for key, value in zip(keys, own, strict=True) if key):
            return Fraction(max(rows)[1])
    return Fraction(1)


def sampled(case: Case, project: Project, day: date, known_at: date) -> Fraction:
    """Return what audits left of each fen reported, by the project's own unit or else by all; 1 without an audit."""
    rows = [
        row
        for row in case.samples
        if row.audited_on <= day
        and (row.recorded_on is None or row.recorded_on <= known_at)
        and (row.revoked_on is None or row.revoked_on > known_at)
    ]
    found = [row for row in rows if row.unit == project.unit] or [row for row in rows if row.unit is None]
    reported = sum(row.reported for row in found)
    return Fraction(sum(row.confirmed for row in found), reported) if reported else Fraction(1)


def least_size(case: Case, project: Project, day: date) -> int:
    """Return the least contract of the project's sector, or else of any, in fen."""
    rows = [row for row in case.eligibility if (row.effective or date.min) <= day]
    own = [row for row in rows if row.sector is not None and row.sector == project.sector]
    found = own or [row for row in rows if row.sector is None]
    return max(found, key=lambda row: row.effective or date.min).least if found else 0


def adjusted(case: Case, project: Project, amount: int, by: str, day: date, known_at: date) -> int:
    """Return what the adjustments leave of a confirmed amount, each rounded down to the fen."""
    group = group_of(case, project.unit)
    whom = setting(case, "samples", group, day)
    if whom == "all" or (whom == "declared" and by == "declared"):
        amount = int(amount * sampled(case, project, day, known_at))
    amount = int(amount * factor(case, project, day))
    too_small = project.contracted is not None and project.contracted < least_size(case, project, day)
    if setting(case, "eligibility", group, day) is True and too_small:
        amount = 0
    return min(amount, fen(case, "project_cap", group, day))


Parts = dict[tuple[str, str], int]
"""Fen by project and unit."""


def after_sharing(case: Case, parts: Parts, family: dict[str, set[str]], day: date) -> tuple[Parts, Parts]:
    """Return what the caps and the whole task leave of each part, and the parts that are a whole task."""
    groups = {unit.unit: unit.group for unit in case.units}
    found = {key: min(part, fen(case, "claim_cap", groups[key[1]], day)) for key, part in parts.items()}
    for unit, group in groups.items():
        own = {key: part for key, part in sorted(found.items()) if key[1] == unit}
        total, most = sum(own.values()), fen(case, "unit_cap", group, day)
        if total > most:
            exact = {key: Fraction(part * most, total) for key, part in own.items()}
            cut = {key: int(part) for key, part in exact.items()}
            for key in sorted(exact, key=lambda key: cut[key] - exact[key])[: most - sum(cut.values())]:
                cut[key] += 1
            found |= cut
    if "adjustment.whole_task_from" not in case.parameters:
        return found, {}
    whole = {
        key: part
        for key, part in found.items()
        if part > 0 and part >= fen(case, "whole_task_from", groups[key[1]], day)
    }
    for unit in lowest_first(family):
        first = min((key for key in whole if key[1] == unit), default=None)
        quota = quota_of(case, unit, "funds", day)
        if first is not None and quota is not None:
            total = sum(part for key, part in found.items() if key[1] in family[unit])
            found[first] += max(0, quota - total)
    return found, whole


def lowest_first(family: dict[str, set[str]]) -> list[str]:
    """Return the units, those with the longest line above them first."""
    depth = {unit: sum(unit in members for members in family.values()) for unit in family}
    return sorted(family, key=lambda unit: (-depth[unit], unit))


def lift_counts(
    case: Case, counts: dict[str, int], name: str, whole: Parts, family: dict[str, set[str]], day: date
) -> dict[str, int]:
    """Return the counts of all units where a whole task that counts lifts a unit's to its quota, and those above."""
    projects = {project.project: getattr(project, COUNTS[name]) for project in case.projects}
    counting = {unit for project, unit in whole if (on := projects[project]) is not None and case.start <= on <= day}
    found = dict(counts)
    for unit in lowest_first(family):
        quota = quota_of(case, unit, name, day)
        if unit in counting and quota is not None and quota > found[unit]:
            missing = quota - found[unit]
            for above, members in family.items():
                found[above] += missing if unit in members else 0
    return found


def quota_of(case: Case, unit: str, indicator: str, day: date) -> int | None:
    """Return the quota in force on a day."""
    rows = [row for row in case.quotas if row.unit == unit and row.indicator == indicator and row.effective <= day]
    return max(rows, key=lambda row: row.effective).amount if rows else None
