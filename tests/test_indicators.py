"""Indicators of four kinds, written without Python, against plain loops over the rows of small invented years."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

import kpi_rules as kr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Row = dict[str, Any]

PARENTS = {"city": None, "a": "city", "b": "city", "b1": "b", "c": "city", "d": "city"}
GROUPS = {"city": None, "a": "g", "b": "g", "b1": None, "c": "g", "d": "h"}
START, END = date(2011, 1, 1), date(2011, 12, 31)
DAYS = st.dates(date(2010, 10, 1), date(2011, 12, 31))
LEAVES = ("a", "b", "b1", "c", "d")
SECTORS = ("industry", "services", None)

INDICATORS = [
    {
        "name": "industry",
        "kind": "money",
        "table": "projects",
        "value": "CASE WHEN sector = 'industry' THEN credited ELSE 0 END",
    },
    {"name": "of_industry", "kind": "count", "table": "projects", "value": "sector = 'industry'"},
    {"name": "large", "kind": "count", "table": "arrivals", "value": "amount >= 500元"},
    {"name": "window", "kind": "money", "table": "results", "value": "amount"},
    {"name": "best", "kind": "money", "within": "most", "value": "funds"},
    {"name": "place", "kind": "count", "within": "rank", "value": "completion"},
    {"name": "among", "kind": "count", "within": "size", "value": "completion"},
    {"name": "all_of_them", "kind": "money", "within": "sum", "value": "funds"},
    {"name": "behind", "kind": "count", "counting": "consecutive", "at": "month_end", "value": "pace_gap > 0.25"},
    {"name": "idle", "kind": "count", "counting": "total", "at": "quarter_end", "value": "funds = 0"},
]


@st.composite
def years(draw: st.DrawFn) -> Mapping[str, list[Row]]:
    """Make projects, claims, vouchers, results and quotas of a year."""
    projects, claims, arrivals = [], [], []
    for number in range(draw(st.integers(0, 5))):
        name = f"J{number}"
        recognised, sector = draw(st.none() | DAYS), draw(st.sampled_from(SECTORS))
        unit = draw(st.sampled_from(LEAVES))
        projects.append({"project": name, "unit": unit, "sector": sector, "recognised_on": recognised})
        if draw(st.booleans()):
            claimants = draw(st.lists(st.sampled_from(LEAVES), min_size=1, max_size=3, unique=True))
            claims += [{"project": name, "unit": each, "share": Decimal("0.25")} for each in claimants]
        for voucher in range(draw(st.integers(0, 3))):
            day = draw(DAYS)
            amount = draw(st.sampled_from([1, 30_000, 50_000, 49_999, 100_003]))
            arrivals.append({"voucher": f"{name}-{voucher}", "project": name, "amount": amount, "arrived_on": day})
    results = [
        {"unit": draw(st.sampled_from(LEAVES)), "indicator": "funds", "amount": 100 * number + 7, "on": draw(DAYS)}
        for number in range(draw(st.integers(0, 3)))
    ]
    having = draw(st.lists(st.sampled_from(LEAVES), unique=True, max_size=5))
    quotas = [{"unit": unit, "indicator": "funds", "amount": 100_000, "effective": START} for unit in having]
    return {"projects": projects, "claims": claims, "arrivals": arrivals, "results": results, "quotas": quotas}


SCHEMA: Mapping[str, Mapping[str, Any]] = {
    "projects": {"project": pl.String, "unit": pl.String, "sector": pl.String, "recognised_on": pl.Date},
    "claims": {"project": pl.String, "unit": pl.String, "share": pl.Decimal(10, 2)},
    "arrivals": {"voucher": pl.String, "project": pl.String, "amount": pl.Int64, "arrived_on": pl.Date},
    "results": {"unit": pl.String, "indicator": pl.String, "amount": pl.Int64, "on": pl.Date},
    "quotas": {"unit": pl.String, "indicator": pl.String, "amount": pl.Int64, "effective": pl.Date},
}


def assessed(year: Mapping[str, list[Row]]) -> dict[tuple[str, date], Row]:
    """Return the row of every unit and tick."""
    units = {
        "unit": list(PARENTS),
        "name": list(PARENTS),
        "parent": list(PARENTS.values()),
        "group": list(GROUPS.values()),
    }
    frames = {name: pl.DataFrame(rows, schema=SCHEMA[name]) for name, rows in year.items()}
    config = {
        "year": {"start": START, "end": END},
        "credit": {"unvisited": "vouchers"},
        "indicator": INDICATORS,
    }
    workspace = kr.Workspace(config, {"units": pl.DataFrame(units), **frames})
    assert not workspace.errors, [problem.message for problem in workspace.errors]
    return {(row["unit"], row["tick"]): row for row in kr.assess(workspace).units.to_dicts()}


def below(unit: str) -> set[str]:
    """Return a unit and all below it."""
    found = {unit}
    for child, parent in PARENTS.items():
        if parent == unit:
            found |= below(child)
    return found


def claimed(year: Mapping[str, list[Row]], project: Row) -> dict[str, Decimal]:
    """Return the share of each unit in a project."""
    own = {row["unit"]: row["share"] for row in year["claims"] if row["project"] == project["project"]}
    return own or {project["unit"]: Decimal(1)}


def split(amount: int, shares: Mapping[str, Decimal]) -> dict[str, int]:
    """Split by largest remainder; ties by unit id, what nobody claims last."""
    parts = {**shares, "~unclaimed": 1 - sum(shares.values())}
    floor = {unit: int(amount * share) for unit, share in parts.items()}
    order = sorted(parts, key=lambda unit: (-(amount * parts[unit] - floor[unit]), unit))
    for unit in order[: amount - sum(floor.values())]:
        floor[unit] += 1
    return floor


def sums(year: Mapping[str, list[Row]], unit: str, on: date) -> dict[str, int]:
    """Add up by plain loops what the indicators over tables should be."""
    inside = below(unit)
    found = {"industry": 0, "of_industry": 0, "large": 0, "window": 0}
    for project in year["projects"]:
        since, shares = project["recognised_on"], claimed(year, project)
        if since is None or since > on:
            continue
        vouchers = [
            row for row in year["arrivals"] if row["project"] == project["project"] and START <= row["arrived_on"] <= on
        ]
        parts = split(sum(row["amount"] for row in vouchers), shares)
        if project["sector"] == "industry":
            found["industry"] += sum(parts[each] for each in shares if each in inside)
            found["of_industry"] += bool(inside & shares.keys())
        if inside & shares.keys():
            found["large"] += sum(row["amount"] >= 50_000 for row in vouchers)
    found["window"] = sum(row["amount"] for row in year["results"] if row["unit"] in inside and row["on"] <= on)
    return found


def peers(rows: Mapping[str, Row], unit: str) -> dict[str, Any]:
    """Compare a unit with its group by plain loops."""
    if GROUPS[unit] is None:
        return dict.fromkeys(("best", "place", "among", "all_of_them"))
    group = [rows[each] for each in PARENTS if GROUPS[each] == GROUPS[unit]]
    done = [row["completion"] for row in group if row["completion"] is not None]
    own = rows[unit]["completion"]
    return {
        "best": max(row["funds"] for row in group),
        "place": None if own is None else 1 + sum(each > own for each in done),
        "among": len(done),
        "all_of_them": sum(row["funds"] for row in group),
    }


def count(
    rows: list[Row], holds: Callable[[Row], bool], months: Callable[[date], bool], *, in_a_row: bool
) -> list[int]:
    """Count ticks by a plain loop."""
    found, now = [], 0
    for row in rows:
        if months(row["tick"]):
            now = now + 1 if holds(row) else (0 if in_a_row else now)
        found.append(now)
    return found


@settings(deadline=None, max_examples=20)
@given(years())
def test_every_kind_is_what_plain_loops_say(year: Mapping[str, list[Row]]) -> None:
    found = assessed(year)
    ticks = sorted({tick for _unit, tick in found})
    for tick in ticks:
        rows = {unit: found[unit, tick] for unit in PARENTS}
        for unit, row in rows.items():
            expected = {**sums(year, unit, tick), **peers(rows, unit)}
            assert {name: row[name] for name in expected} == expected, (unit, tick)
    for unit in PARENTS:
        rows_of_unit = [found[unit, tick] for tick in ticks]
        behind = count(rows_of_unit, lambda row: (row["pace_gap"] or 0) > 0.25, lambda _tick: True, in_a_row=True)
        idle = count(rows_of_unit, lambda row: row["funds"] == 0, lambda tick: tick.month % 3 == 0, in_a_row=False)
        assert [row["behind"] for row in rows_of_unit] == behind
        assert [row["idle"] for row in rows_of_unit] == idle
