"""Indicators per unit and tick: money and counts are integers, ratios exact fractions, None is nothing to say."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from tests.reference.adjust import lift_counts
from tests.reference.calendar import Tick, campaign_at, expected
from tests.reference.credit import claims, credit, families, happened, parts, recognised, vouchers

if TYPE_CHECKING:
    from tests.reference.case import Case, Project, Quota

Figure = int | Fraction | None
Figures = dict[str, Figure]
COUNTED = ("funds", "signed", "started", "producing")
"""The indicators that a quota may be set for."""


def as_float(value: Figure) -> float | None:
    """Return a ratio as it is compared, ranked and shown: Float64, correctly rounded from the exact fraction."""
    return None if value is None else float(value)


def whole(figures: Figures, name: str) -> int:
    """Return a figure that is a whole number."""
    value = figures[name]
    assert isinstance(value, int)
    return value


def ratio(numerator: int, denominator: int | None) -> Fraction | None:
    """Divide; None where the denominator is 0 or missing."""
    return Fraction(numerator, denominator) if denominator else None


def quota_rows(case: Case, unit: str, indicator: str, day: date) -> list[Quota]:
    """Return the quota rows of a unit in force by `day`, oldest first."""
    rows = [row for row in case.quotas if row.unit == unit and row.indicator == indicator and row.effective <= day]
    return sorted(rows, key=lambda row: row.effective)


def projects_of(case: Case, family: set[str], day: date, known_at: date) -> list[Project]:
    """Return the recognised projects claimed by any unit of a family, each once."""
    return [project for project in recognised(case, day, known_at) if family & set(claims(case, project, known_at))]


def counts(case: Case, projects: list[Project], day: date, known_at: date) -> Figures:
    """Return the counts in the year up to `day`, and the rates over all the projects given."""

    def in_year(event: date | None) -> bool:
        return event is not None and case.start <= event <= day

    arrived = sum(vouchers(case, project.project, day, known_at) for project in projects)
    contracts = [project.contracted for project in projects if project.contracted is not None]
    contracted = sum(contracts) if len(contracts) == len(projects) else None  # a sum with an unknown part is unknown
    return {
        "recognised": len(projects),
        "contracted": contracted,
        "vouchers": arrived,
        "signed": sum(in_year(project.signed_on) for project in projects),
        "started": sum(in_year(project.started_on) for project in projects),
        "producing": sum(in_year(project.producing_on) for project in projects),
        "arrival_rate": ratio(arrived, contracted),
        "start_rate": ratio(sum(happened(project.started_on, day) for project in projects), len(projects)),
        "production_rate": ratio(sum(happened(project.producing_on, day) for project in projects), len(projects)),
    }


def targets(case: Case, unit: str, figures: Figures, day: date) -> Figures:
    """Return quota, original quota and completion of each indicator that can have a quota, and of the primary one."""
    found: Figures = {}
    for name in COUNTED:
        rows = quota_rows(case, unit, name, day)
        found[f"{name}_quota"] = rows[-1].amount if rows else None
        found[f"{name}_quota_original"] = rows[0].amount if rows else None
        found[f"{name}_completion"] = ratio(whole(figures, name), rows[-1].amount if rows else None)
    found["completion"] = found[f"{case.primary}_completion"]
    return found


def campaign_figures(case: Case, figures: Figures, day: date, before: Figures) -> Figures:
    """Return what the campaign that `day` is in has brought, the primary indicator against its share of the quota."""
    campaign = campaign_at(case, day)
    found: Figures = {f"campaign_{name}": None for name in (*COUNTED, "quota", "completion")}
    if campaign is None:
        return found
    for name in COUNTED:
        found[f"campaign_{name}"] = whole(figures, name) - whole(before, name)
    if figures[f"{case.primary}_quota"] is not None:
        target = Fraction(campaign.share) * whole(figures, f"{case.primary}_quota")
        found["campaign_quota"] = target.numerator // target.denominator
        found["campaign_completion"] = whole(found, f"campaign_{case.primary}") / target
    return found


def add_ranks(case: Case, panel: dict[str, Figures], by: str, rank: str, size: str | None) -> None:
    """Rank the units of each peer group: 1 + those with a strictly higher ratio; None without group or ratio."""
    groups = {unit.unit: unit.group for unit in case.units}
    for unit, figures in panel.items():
        mine = as_float(figures[by])
        peers = [
            as_float(panel[other][by]) for other in panel if groups[unit] is not None and groups[other] == groups[unit]
        ]
        ranked = [peer for peer in peers if peer is not None]
        figures[rank] = None if mine is None or groups[unit] is None else 1 + sum(peer > mine for peer in ranked)
        if size is not None:
            figures[size] = None if groups[unit] is None else len(ranked)


def done_by(case: Case, day: date, known_at: date) -> dict[str, Figures]:
    """Return the credited funds, counts and rates of every unit on a day."""
    funds = credit(case, day, known_at)
    family = families(case)
    found = {
        unit: {"funds": funds[unit], **counts(case, projects_of(case, members, day, known_at), day, known_at)}
        for unit, members in family.items()
    }
    tasks = parts(case, day, known_at)[1]
    for name in COUNTED[1:]:
        before = {unit: whole(figures, name) for unit, figures in found.items()}
        for unit, lifted in lift_counts(case, before, name, tasks, family, day).items():
            found[unit][name] = lifted
    return found


def panel_at(case: Case, tick: Tick, known_at: date, lags: dict[str, int]) -> dict[str, Figures]:
    """Return every indicator of every unit at a tick. `lags` holds each unit's lag so far; month-ends carry it on."""
    day = tick.on
    panel = done_by(case, day, known_at)
    campaign = campaign_at(case, day)
    before = done_by(case, campaign.start - timedelta(days=1), known_at) if campaign else panel
    for unit, figures in panel.items():
        figures.update(targets(case, unit, figures, day))
        figures.update(campaign_figures(case, figures, day, before[unit]))
        figures["expected"] = expected(case, day)
        completion = figures["completion"]
        figures["pace_gap"] = None if completion is None else expected(case, day) - completion
        if tick.month_end:
            gap = as_float(figures["pace_gap"])
            lags[unit] = lags.get(unit, 0) + 1 if gap is not None and gap > float(case.tolerance) else 0
        figures["lag"] = lags.get(unit, 0)
    add_ranks(case, panel, "completion", "rank", "group_size")
    add_ranks(case, panel, "campaign_completion", "campaign_rank", None)
    return panel
