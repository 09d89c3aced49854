"""A case as what kpi-rules reads: a `Workspace` from frames in memory, or a folder of CSV files and a `kpi.toml`."""

from __future__ import annotations

import csv
from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, cast

import polars as pl

import kpi_rules as kr
from tests.reference.case import Entry, Quota, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.reference.case import Case

POLICIES = ("pay_withholding", "field_duty", "rewards", "supervision")
SECTIONS = (*POLICIES, "safeguards", "adjustment")
TABLES = ("units", "quotas", "projects", "claims", "arrivals", "visits", "staff", "rates", "withheld")
OF_CREDIT = ("factors", "eligibility", "samples")
OF_PAY = ("component", "performance", "total_pay")
MONEY = ("contracted", "declared", "assessed_amount", *OF_PAY, "amount", "least", "reported", "confirmed")
Frame = dict[str, list[str]]
Config = dict[str, object]


def text(value: object, *, money: bool = False) -> str:
    """Write a cell: money in yuan with two decimals, nothing for None."""
    if value is None:
        return ""
    if money:
        return f"{Decimal(str(value)) / 100:.2f}"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def table(rows: Sequence[object], kind: type) -> Frame:
    """Write rows of a case as text columns."""
    names = [field.name for field in fields(kind)]

    def is_money(row: object, name: str) -> bool:
        return name in MONEY and not (isinstance(row, Quota) and row.indicator != "funds")

    return {name: [text(getattr(row, name), money=is_money(row, name)) for row in rows] for name in names}


def tables(case: Case) -> dict[str, Frame]:
    """Write all tables of a case as text columns; every unit gets a name."""
    from tests.reference import case as kinds

    of = (Unit, Quota, kinds.Project, kinds.Claim, kinds.Arrival, kinds.Visit, kinds.Staff, kinds.Rate, kinds.Withheld)
    of_credit = (kinds.Factor, kinds.Size, kinds.Sample)
    every = zip((*TABLES, *OF_CREDIT), (*of, *of_credit), strict=True)
    found = {name: table(getattr(case, name), kind) for name, kind in every}
    found["units"]["name"] = found["units"]["unit"]
    return found


def setting(name: str, entries: Sequence[Entry]) -> object:
    """Write a parameter's entries as `kpi.toml` has them: one value bare, several as tables."""

    def plain(entry: Entry) -> object:
        if isinstance(entry.value, tuple):
            return list(entry.value)
        if name == "safeguards.minimum_wage":
            return text(entry.value, money=True)
        return int(str(entry.value)) if name == "supervision.talk_after" else entry.value

    if len(entries) == 1 and entries[0] == Entry(entries[0].value):
        return plain(entries[0])
    return [
        {"value": plain(entry)}
        | ({} if entry.group is None else {"group": entry.group})
        | ({} if entry.since is None else {"from": entry.since})
        for entry in entries
    ]


def config(case: Case) -> Config:
    """Write what `kpi.toml` says of a case, all but `[tables]`."""
    pace: dict[str, object] = {"curve": case.pace, "tolerance": case.tolerance}
    if case.pace == "table":
        pace["point"] = [{"on": on, "share": share} for on, share in case.pace_points]
    found: Config = {
        "workspace": {"name": "A case", "currency": case.currency, "primary": case.primary},
        "year": {"start": case.start, "end": case.end, "reviews": list(case.reviews)},
        "pace": pace,
        "pay": {"component": case.component},
        "credit": {"evidence": list(case.evidence)} if case.evidence else {"unvisited": case.unvisited},
        "campaign": [
            {"id": c.id, "name": c.id, "start": c.start, "end": c.end, "share": c.share} for c in case.campaigns
        ],
        "plugins": {"enabled": list(POLICIES)},
    }
    if case.lowered is not None:
        found["plugins"] = {"enabled": [*POLICIES, "safeguards"]}
        found["guards"] = {name: {"effect": "warn", "basis": "a law"} for name in sorted(case.lowered)}
    if case.sharing != "agreed":
        found["credit"] = {**cast("dict[str, object]", found["credit"]), "sharing": case.sharing}
    for policy in SECTIONS:
        own = {
            name.partition(".")[2]: setting(name, case.parameters[name])
            for name in case.parameters
            if name.startswith(policy)
        }
        if own:
            found[policy] = own
    return found


def frames(case: Case) -> dict[str, pl.DataFrame]:
    """Return the tables of a case as frames of text; those without rows are left out, so that absent ones are met."""
    return {
        name: pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
        for name, columns in tables(case).items()
        if columns[next(iter(columns))]
    }


def to_workspace(case: Case) -> kr.Workspace:
    """Make a workspace in memory."""
    return kr.Workspace(config(case), frames(case))


def to_folder(case: Case, folder: Path) -> Path:
    """Write a workspace as a folder; tables without rows have their header."""
    found = config(case)
    found["tables"] = {name: f"{name}.csv" for name in tables(case)}
    for name, columns in tables(case).items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
    (folder / "kpi.toml").write_text(
        "".join(f"{name} = {toml(value)}\n" for name, value in found.items()), encoding="utf-8"
    )
    return folder


def toml(value: object) -> str:
    """Write a value as TOML, decimals exactly."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else text(value)


def to_decisions(case: Case) -> pl.DataFrame | None:
    """Write the decisions of a case as the frame that `assess` takes."""
    if case.decisions is None:
        return None
    rows = [(decision.measure, decision.decision, decision.on) for decision in case.decisions]
    return pl.DataFrame(rows, schema={"measure": pl.String, "decision": pl.String, "on": pl.Date}, orient="row")
