"""Small workspaces in memory for the tests of field duty, and strategies for postings and rosters."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.workspace.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

START, END = date(2011, 1, 1), date(2011, 12, 31)
UNITS: list[dict[str, Any]] = [
    {"unit": "city", "name": "City", "parent": None, "group": None, "head": None},
    {"unit": "finance", "name": "Finance", "parent": "city", "group": "economic", "head": "P1"},
    {"unit": "books", "name": "Bookkeeping", "parent": "finance", "group": None, "head": "P3"},
    {"unit": "water", "name": "Water", "parent": "city", "group": "social", "head": "P2"},
]
DAY = timedelta(days=1)

days = st.dates(date(2010, 12, 20), date(2011, 3, 10))


def frame(table: str, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Return rows as a frame of a table's columns, those that no row names left out."""
    names = [column.name for column in SCHEMAS[table].columns if any(column.name in row for row in rows)]
    dates = {column.name for column in SCHEMAS[table].columns if column.kind == "date"}
    schema = {name: pl.Date if name in dates else pl.String for name in names}
    required = {column.name: pl.String for column in SCHEMAS[table].columns if column.required}
    return pl.DataFrame([{name: row.get(name) for name in names} for row in rows], schema={**required, **schema})


def workspace(
    settings: Mapping[str, object] | None = None,
    checks: Mapping[str, str] | None = None,
    **tables: Sequence[Mapping[str, object]],
) -> kr.Workspace:
    """Make a workspace of four units that enables field duty; `settings` are its parameters."""
    config: dict[str, object] = {
        "year": {"start": START, "end": END},
        "credit": {"unvisited": "vouchers"},
        "plugins": {"enabled": ["field_duty"]},
        "checks": dict(checks or {}),
        "field_duty": dict(settings or {}),
    }
    found = kr.Workspace(config, {name: frame(name, rows) for name, rows in {"units": UNITS, **tables}.items()})
    assert [problem.message for problem in found.problems] == []
    assert found.quarantine.rows() == []
    return found


@st.composite
def postings(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Give some postings of few persons, so that many overlap."""
    found = []
    for number in range(draw(st.integers(0, 7))):
        start = draw(days)
        length = draw(st.none() | st.integers(0, 30))
        found.append(
            {
                "posting": f"H{number}",
                "unit": draw(st.sampled_from(["finance", "books", "water"])),
                "person": draw(st.sampled_from(["P1", "P2"])),
                "role": draw(st.sampled_from(["head", "head", "squad"])),
                "squad": draw(st.sampled_from([None, "east", "west"])),
                "from_on": start,
                "to_on": None if length is None else start + length * DAY,
            }
        )
    return draw(st.permutations(found))


@st.composite
def turns(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Give a roster of two units; two rows never agree in unit, person, role and first day."""
    found: dict[tuple[object, ...], dict[str, Any]] = {}
    for _number in range(draw(st.integers(1, 7))):
        start = draw(st.dates(date(2011, 1, 1), date(2011, 2, 10)))
        length = draw(st.none() | st.integers(0, 20))
        row = {
            "unit": draw(st.sampled_from(["finance", "water"])),
            "person": draw(st.sampled_from(["P1", "P2", "P3"])),
            "role": draw(st.sampled_from(["daily", "lead"])),
            "from_on": start,
            "to_on": None if length is None else start + length * DAY,
        }
        found[row["unit"], row["person"], row["role"], start] = row
    return draw(st.permutations(list(found.values())))


def span(start: date, end: date | None, until: date) -> list[date]:
    """Return the days from one to another, both inclusive, and no later than `until`."""
    last = until if end is None else min(end, until)
    return [start + number * DAY for number in range((last - start).days + 1)]
