"""A small town whose figures are what its visits say: any path of credit can be written into its evidence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

import kpi_rules as kr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNITS = ("a", "b", "c")
START, END = date(2011, 1, 1), date(2011, 12, 31)
PLENTY = 10**9  # fen that arrived on the first day: what counts is what visits say

CONFIG: dict[str, Any] = {
    "workspace": {"name": "town", "primary": "funds"},
    "year": {"start": START, "end": END, "reviews": [date(2011, 9, 20)]},
    "pace": {"tolerance": Decimal("0.1")},
    "pay": {"component": "allowance"},
    "campaign": [
        {"id": "autumn", "name": "autumn", "start": date(2011, 8, 1), "end": date(2011, 11, 8), "share": Decimal("0.4")}
    ],
    "plugins": {"enabled": ["pay_withholding", "field_duty", "rewards", "supervision"]},
}

DEPOSITS = {
    "paid in": [{"amount": "50.00", "unmet": "forfeited"}],
    "kept": [{"monthly": "10.00", "unmet": "forfeited", "base": "component"}],
}


def town(
    credits: Mapping[str, Sequence[tuple[date, int]]],  # noqa: A002 (the field's word)
    *,
    quotas: Mapping[str, int],
    rules: Sequence[Mapping[str, Any]] = (),
    deposits: str | None = None,
    config: Mapping[str, Any] | None = None,
) -> kr.Workspace:
    """Return a town in which each unit is credited so many fen from each day on."""
    config = {**CONFIG, **({"rule": list(rules)} if rules else {}), **(config or {})}
    tables: dict[str, pl.DataFrame] = {
        "units": pl.DataFrame({"unit": UNITS, "name": UNITS, "group": ["g", "g", "g"]}),
        "quotas": pl.DataFrame(
            {
                "unit": list(quotas),
                "indicator": "funds",
                "amount": list(quotas.values()),
                "effective": START,
            }
        ),
        "projects": pl.DataFrame(
            {
                "project": [f"p-{unit}" for unit in UNITS],
                "name": UNITS,
                "unit": UNITS,
                "contracted": PLENTY,
                "signed_on": START,
                "declared_on": START,
                "recognised_on": START,
            }
        ),
        "claims": pl.DataFrame({"project": [f"p-{unit}" for unit in UNITS], "unit": UNITS, "share": "1"}),
        "arrivals": pl.DataFrame(
            {
                "voucher": [f"v-{unit}" for unit in UNITS],
                "project": [f"p-{unit}" for unit in UNITS],
                "arrived_on": START,
                "amount": PLENTY,
            }
        ),
        "visits": pl.DataFrame(
            [
                {"visit": f"{unit}-{on}", "project": f"p-{unit}", "visited_on": on, "assessed_amount": fen}
                for unit, path in credits.items()
                for on, fen in path
            ],
            schema={"visit": pl.String, "project": pl.String, "visited_on": pl.Date, "assessed_amount": pl.Int64},
        ),
        "staff": pl.DataFrame(
            {
                "person": [f"{grade}-{unit}" for unit in UNITS for grade in ("head", "section", "clerk")],
                "unit": [unit for unit in UNITS for _grade in range(3)],
                "grade": ["head", "section", "clerk"] * 3,
                "component": [10_007, 5_003, 3_001] * 3,
            }
        ),
    }
    if deposits is not None:
        config["pay_withholding"] = {"deposit": DEPOSITS[deposits]}
    if deposits == "paid in":
        tables["deposits"] = pl.DataFrame(
            {
                "deposit": [f"d-{unit}" for unit in UNITS],
                "person": [f"head-{unit}" for unit in UNITS],
                "unit": UNITS,
                "role": "head",
                "paid_on": START,
                "amount": 5_000,
            }
        )
    found = kr.Workspace(config, tables)
    assert not found.errors, [problem.message for problem in found.errors]
    return found
