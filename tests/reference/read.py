"""Reads a folder such as the worked example (kpi.toml and CSV files) in the plainest way: no checks, no quarantine."""

from __future__ import annotations

import csv
import tomllib
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, NotRequired, TypedDict, cast

from tests.reference.case import (
    Arrival,
    Campaign,
    Case,
    Claim,
    Entry,
    Project,
    Quota,
    Rate,
    Staff,
    Unit,
    Value,
    Visit,
    Withheld,
)

if TYPE_CHECKING:
    from pathlib import Path

POLICIES = ("pay_withholding", "field_duty", "rewards", "supervision")
Plain = Decimal | int | list[str]
Dated = TypedDict("Dated", {"value": Plain, "group": NotRequired[str], "from": NotRequired[date]})
SCALES = {"万": 10_000, "亿": 100_000_000}


def fen(text: str) -> int:
    """Read an amount such as `1200.005万` in fen."""
    scale = SCALES.get(text[-1:], 1)
    amount = Decimal(text.rstrip("万亿")) * scale * 100
    assert amount == int(amount), text
    return int(amount)


def day(text: str) -> date | None:
    """Read a date, None for an empty cell."""
    return date.fromisoformat(text) if text else None


def the_day(text: str) -> date:
    """Read a date that must be there."""
    return date.fromisoformat(text)


def value(setting: Plain) -> Value:
    """Read a parameter's value."""
    return tuple(setting) if isinstance(setting, list) else Decimal(setting)


def parameter_entries(setting: Plain | list[Dated]) -> tuple[Entry, ...]:
    """Read a parameter's entries: one value, or a list of values with a date, a group or both."""
    dated = [item for item in setting if isinstance(item, dict)] if isinstance(setting, list) else []
    if dated:
        return tuple(Entry(value(item["value"]), item.get("group"), item.get("from")) for item in dated)
    return (Entry(value(cast("Plain", setting))),)


def read(folder: Path) -> Case:
    """Read a whole folder."""
    config = tomllib.loads((folder / "kpi.toml").read_text(encoding="utf-8"), parse_float=Decimal)
    files: dict[str, str] = config["tables"]

    def rows(table: str) -> list[dict[str, str]]:
        if table not in files:
            return []
        with (folder / files[table]).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def life(row: dict[str, str]) -> dict[str, date | None]:
        return {name: day(row.get(name, "")) for name in ("recorded_on", "revoked_on")}

    def dates(row: dict[str, str], *names: str) -> dict[str, date | None]:
        return {name: day(row.get(name, "")) for name in names}

    return Case(
        start=config["year"]["start"],
        end=config["year"]["end"],
        units=tuple(
            Unit(r["unit"], r.get("parent") or None, r.get("group") or None, r.get("head") or None)
            for r in rows("units")
        ),
        quotas=tuple(
            Quota(
                r["unit"],
                r["indicator"],
                fen(r["amount"]) if r["indicator"] == "funds" else int(r["amount"]),
                the_day(r["effective"]),
            )
            for r in rows("quotas")
        ),
        projects=tuple(
            Project(
                r["project"],
                r["unit"],
                fen(r["contracted"]) if r.get("contracted") else None,
                day(r.get("signed_on", "")),
                day(r.get("recognised_on", "")),
                day(r.get("refused_on", "")),
                day(r.get("started_on", "")),
                day(r.get("producing_on", "")),
                day(r.get("recorded_on", "")),
                day(r.get("revoked_on", "")),
            )
            for r in rows("projects")
        ),
        claims=tuple(Claim(r["project"], r["unit"], Decimal(r["share"]), **life(r)) for r in rows("claims")),
        arrivals=tuple(
            Arrival(
                r["voucher"],
                r["project"],
                fen(r["amount"]),
                the_day(r["arrived_on"]),
                r.get("currency") or None,
                int(r["year"]) if r.get("year") else None,
                **life(r),
            )
            for r in rows("arrivals")
        ),
        visits=tuple(
            Visit(r["visit"], r["project"], the_day(r["visited_on"]), fen(r["assessed_amount"]), **life(r))
            for r in rows("visits")
        ),
        staff=tuple(
            Staff(r["person"], r["unit"], r["grade"], fen(r["component"]), since, until)
            for r in rows("staff")
            for since, until in [dates(r, "from_on", "to_on").values()]
        ),
        rates=tuple(Rate(r["currency"], the_day(r["on"]), Decimal(r["rate"])) for r in rows("rates")),
        withheld=tuple(Withheld(r["person"], the_day(r["month"]), fen(r["amount"])) for r in rows("withheld")),
        campaigns=tuple(
            Campaign(c["id"], c["start"], c["end"], Decimal(c["share"])) for c in config.get("campaign", [])
        ),
        reviews=tuple(config["year"].get("reviews", [])),
        pace=config["pace"]["curve"],
        pace_points=tuple((point["on"], Decimal(point["share"])) for point in config["pace"].get("point", [])),
        tolerance=Decimal(config["pace"]["tolerance"]),
        unvisited=config["credit"]["unvisited"],
        currency=config["workspace"]["currency"],
        primary=config["workspace"]["primary"],
        component=config["pay"]["component"],
        parameters={
            f"{policy}.{name}": parameter_entries(setting)
            for policy in POLICIES
            for name, setting in config.get(policy, {}).items()
        },
    )
