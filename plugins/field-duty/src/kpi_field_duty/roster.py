"""The roster of a leading group: one member keeps the daily work, the others lead trips in turn (M6)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from kpi_rules import N_, AssessmentError, Workspace, rows, translate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kpi_rules import Assessment

DAY = timedelta(days=1)

ROSTER: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "unit": pl.String,
    "from_on": pl.Date,
    "to_on": pl.Date,
    "daily": pl.List(pl.String),
    "lead": pl.List(pl.String),
    "state": pl.String,
    "remark": pl.String,
}

REMARKS: Mapping[str, str] = {
    "ok": "",
    "no daily": N_("nobody keeps the daily work"),
    "no lead": N_("nobody leads"),
    "two daily": N_("several keep the daily work"),
    "two lead": N_("several lead at once"),
    "two roles": N_("somebody both stays and leads"),
}
"""What may be the matter with a part of a roster, as a sentence."""


def roster(
    of: Workspace | Assessment, start: date | None = None, end: date | None = None, known_at: date | None = None
) -> pl.DataFrame:
    """Return who leads and who stays, when (`ROSTER`): one row per unit and stretch of days with the same members.

    A roster is a plan: what lies ahead is shown too. `state` is `ok`, or what is the matter, joined by `, `: a gap (`no
    daily`, `no lead`) or a clash (`two daily`, `two lead`, `two roles`).

    Args:
        of: a workspace or an assessment.
        start: the first day shown; by default that of the year, or of the unit's roster if that is later.
        end: the last day shown; by default that of the year, or of the unit's roster if that is earlier.
        known_at: what was recorded after it is not there; by default the year's end, or the assessment's.

    Raises:
        AssessmentError: the workspace has no year, since it could not be read.
    """
    workspace = of if isinstance(of, Workspace) else of.workspace
    if workspace.config is None:
        raise AssessmentError(workspace.errors)
    year = workspace.config.year
    planned = rows(of, "roster", known_at=known_at)
    found = [
        stretch
        for (unit,), turns in planned.sort("unit", "from_on", "person").group_by("unit", maintain_order=True)
        for stretch in _stretches(str(unit), turns.to_dicts(), start, end, year.start, year.end)
    ]
    return pl.DataFrame(found, schema=ROSTER)


def _stretches(
    unit: str,
    turns: Sequence[Mapping[str, object]],
    start: date | None,
    end: date | None,
    year_start: date,
    year_end: date,
) -> Iterator[dict[str, object]]:
    """Cut the days of a unit where somebody comes or goes, and say what each stretch is like."""
    spans = [(_day(turn["from_on"]), _day(turn["to_on"]), turn["role"], turn["person"]) for turn in turns]
    first = start or max(year_start, min(span[0] for span in spans))
    last = end or min(year_end, max(span[1] for span in spans))
    edges = {first, *(edge for low, high, *_ in spans for edge in (low, _after(high)) if first < edge <= last)}
    cuts = sorted(edge for edge in edges if edge <= last)
    for low, high in zip(cuts, [*(cut - DAY for cut in cuts[1:]), last], strict=True):
        here = [(role, person) for begins, ends, role, person in spans if begins <= low <= ends]
        daily, lead = (
            sorted({str(person) for is_role, person in here if is_role == role}) for role in ("daily", "lead")
        )
        states = list(_states(daily, lead))
        yield {
            "unit": unit,
            "from_on": low,
            "to_on": high,
            "daily": daily,
            "lead": lead,
            "state": ", ".join(states) or "ok",
            "remark": "; ".join(translate(REMARKS[state], "kpi_field_duty") for state in states),
        }


def _day(value: object) -> date:
    return value if isinstance(value, date) else date.max


def _after(day: date) -> date:
    return day + DAY if day < date.max else day


def _states(daily: Sequence[str], lead: Sequence[str]) -> Iterator[str]:
    """Name what is the matter: one member keeps the daily work, one other leads."""
    if not daily:
        yield "no daily"
    if not lead:
        yield "no lead"
    if len(daily) > 1:
        yield "two daily"
    if len(lead) > 1:
        yield "two lead"
    if set(daily) & set(lead):
        yield "two roles"
