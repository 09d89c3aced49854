"""Small workspaces on disk, with policies of one file, for tests of the pipeline and of hooks."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import kpi_rules as kr

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HEAD = """\
[workspace]
name = "Two departments"
currency = "CNY"
primary = "funds"
[year]
start = 2011-01-01
end = 2011-12-31
[pace]
curve = "months"
tolerance = 0.10
[pay]
component = "standard pay"
[credit]
unvisited = "vouchers"
"""

TABLES: Mapping[str, str] = {
    "units": """\
        unit,name,parent,group,head
        city,City,,,
        finance,Finance,city,economic,P01
        books,Bookkeeping,finance,,
        water,Water,city,social,P04
        """,
    "quotas": """\
        unit,indicator,amount,effective
        finance,funds,1000.00,2011-01-01
        water,funds,1000.00,2011-01-01
        """,
    "projects": """\
        project,name,unit,sector,contracted,signed_on,declared_on,recognised_on
        J01,Mill,finance,industry,5000.00,2011-01-02,2011-01-03,2011-01-04
        J02,Dam,water,industry,5000.00,2011-01-02,2011-01-03,2011-01-04
        """,
    "arrivals": """\
        voucher,project,amount,arrived_on
        V01,J01,300.00,2011-03-10
        V02,J02,900.00,2011-02-10
        V03,J02,300.00,2011-09-10
        """,
    "staff": """\
        person,name,unit,grade,category,component,total_pay,from_on,to_on
        P01,A,finance,head,civil,100.00,300.00,,
        P02,B,finance,staff,civil,80.01,200.00,,
        P03,C,books,staff,civil,60.00,150.00,,
        P04,D,water,head,civil,90.00,250.00,,
        """,
}

POLICY = """\
from decimal import Decimal
import polars as pl
from attrs import define
from kpi_rules import *
from kpi_rules import N_
"""
"""What every policy below begins with."""


def folder(
    place: Path,
    *,
    enabled: tuple[str, ...] = (),
    policies: Mapping[str, str] | None = None,
    tables: Mapping[str, str] | None = None,
    toml: str = "",
) -> Path:
    """Write a workspace; `policies` maps a file name to the text after `POLICY`, `tables` replaces tables by name."""
    place.mkdir(parents=True, exist_ok=True)
    policies = policies or {}
    for name, text in policies.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(POLICY + dedent(text), encoding="utf-8")
    found = {**TABLES, **(tables or {})}
    for name, text in found.items():
        (place / f"{name}.csv").write_text(dedent(text), encoding="utf-8")
    local = ", ".join(f'"{name}"' for name in policies)
    names = ", ".join(f'"{name}"' for name in enabled)
    lines = [HEAD, "[tables]", *(f'{name} = "{name}.csv"' for name in found)]
    lines += ["[plugins]", f"enabled = [{names}]", f"local = [{local}]", dedent(toml)]
    (place / "kpi.toml").write_text("\n".join(lines), encoding="utf-8")
    return place


def workspace(
    place: Path,
    *,
    enabled: tuple[str, ...] = (),
    policies: Mapping[str, str] | None = None,
    tables: Mapping[str, str] | None = None,
    toml: str = "",
) -> kr.Workspace:
    """Write a workspace and load it; see `folder`."""
    return kr.load(folder(place, enabled=enabled, policies=policies, tables=tables, toml=toml))


def codes(found: kr.Workspace) -> list[str]:
    """Return the codes of the errors of a workspace, in order."""
    return [problem.code for problem in found.errors]


def messages(found: kr.Workspace) -> list[str]:
    """Return the messages of the errors of a workspace, in order."""
    return [problem.message for problem in found.errors]
