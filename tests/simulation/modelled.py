"""Workspaces whose evidence is made by the very model that forecasts: what its bands say is then true of them."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import numpy as np
import polars as pl

import kpi_rules as kr

START = date(2011, 1, 1)
CONFIG = {
    "workspace": {"name": "made by the model", "currency": "CNY", "primary": "funds"},
    "year": {"start": START, "end": date(2011, 12, 31)},
    "pace": {"curve": "months", "tolerance": 0.1},
    "pay": {"component": "standard pay"},
    "credit": {"unvisited": "vouchers"},
}
MONTH_ENDS = [date(2011, month, monthrange(2011, month)[1]) for month in range(1, 13)]


def modelled(seed: int, units: int = 60, yearly: float = 24.0, *, visited: bool = True) -> kr.Workspace:
    """Make a year of units that differ: a gamma rate of arrivals each (shape 2), log-normal amounts whose variation is
    1, and visits at month-ends that confirm an even share, from nothing to all, of what waits.
    """
    rng = np.random.default_rng(seed)
    ids = [f"u{number:03}" for number in range(units)]
    projects, arrivals, visits = [], [], []
    for unit in ids:
        count = rng.poisson(rng.gamma(2.0, yearly / 2.0))
        days = np.sort(rng.integers(0, 365, count))
        sizes = np.rint(rng.lognormal(np.log(5e7) - np.log(2) / 2, np.sqrt(np.log(2)), count)).astype(np.int64)
        credited = np.zeros(count, dtype=np.int64)
        # Each arrival is of a project of its own: what one project brings in one month is one arrival to the model.
        names = [f"{unit}-{number}" for number in range(count)]
        projects += [(name, unit) for name in names]
        arrivals += [
            (name, name, int(size), START + timedelta(int(day)))
            for name, size, day in zip(names, sizes, days, strict=True)
        ]
        for end in MONTH_ENDS if visited else []:
            there = days <= (end - START).days
            credited[there] += ((sizes - credited)[there] * rng.random()).astype(np.int64)
            visits += [
                (f"{names[at]}-{end}", names[at], int(credited[at]), end) for at in np.flatnonzero(there).tolist()
            ]
    return kr.Workspace(
        CONFIG,
        {
            "units": pl.DataFrame({"unit": ids, "name": ids, "parent": None, "group": "all", "head": None}),
            "quotas": pl.DataFrame({"unit": ids, "indicator": "funds", "amount": 1_000_000_000, "effective": START}),
            "projects": pl.DataFrame(projects, ["project", "unit"], orient="row").with_columns(
                recognised_on=date(2010, 12, 1)
            ),
            "arrivals": pl.DataFrame(arrivals, ["voucher", "project", "amount", "arrived_on"], orient="row"),
            "visits": pl.DataFrame(visits, ["visit", "project", "assessed_amount", "visited_on"], orient="row"),
        },
    )
