"""What the library itself contributes, through the same hooks as everybody: pace curves and checks of the evidence."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as distribution_version
from typing import TYPE_CHECKING

import polars as pl

from kpi_rules.hooks.specs import hookimpl
from kpi_rules.locale import N_
from kpi_rules.model.calendar import PaceTable, days_pace, months_pace
from kpi_rules.model.contributions import Check, PaceCurve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from fractions import Fraction

    from kpi_rules.model.calendar import Year


def version() -> str:
    """Return the library's own version."""
    try:
        return distribution_version("kpi-rules")
    except PackageNotFoundError:  # run from a bare source tree
        return "0"


def _months(year: Year, on: date, _points: Sequence[tuple[date, Fraction]], /) -> Fraction:
    return months_pace(year, on)


def _days(year: Year, on: date, _points: Sequence[tuple[date, Fraction]], /) -> Fraction:
    return days_pace(year, on)


def _table(year: Year, on: date, points: Sequence[tuple[date, Fraction]], /) -> Fraction:
    return PaceTable(tuple(points))(year, on)


@hookimpl
def kpi_pace_curves() -> Sequence[PaceCurve]:
    """Months elapsed, days elapsed, or the workspace's own table (M3)."""
    return [
        PaceCurve("months", _months, N_("whole months elapsed")),
        PaceCurve("days", _days, N_("days elapsed")),
        PaceCurve("table", _table, N_("the points of [pace]")),
    ]


@hookimpl
def kpi_checks() -> Sequence[Check]:
    """The checks every workspace has (M13 to M15); each flags unless `[checks]` says otherwise."""
    same_payment = ("project", "amount", "arrived_on")
    same_project = ("name", "sector", "contracted")
    return [
        Check(
            "repeated_voucher",
            table="arrivals",
            when=pl.col("voucher") > pl.col("voucher").min().over(same_payment),
            among=pl.struct(same_payment).is_duplicated(),  # a window over a million groups costs five times as much
            message=N_("voucher {voucher} repeats amount and day of another voucher of project {project}"),
            sources=("M15",),
        ),
        Check(
            "arrived_before_signing",
            table="arrivals",
            when=pl.col("arrived_on") < pl.col("project_signed_on"),
            message=N_(
                "voucher {voucher} arrived on {arrived_on}, before project {project} was signed on {project_signed_on}"
            ),
            sources=("M15",),
        ),
        Check(
            "above_contract",
            table="projects",
            when=pl.col("vouchers") > pl.col("contracted"),
            message=N_("the vouchers of project {project} come to more than its contract"),
            sources=("M15",),
        ),
        Check(
            "above_evaluation",
            table="projects",
            when=pl.col("vouchers") > pl.col("assessed"),
            message=N_("the vouchers of project {project} come to more than its last site evaluation"),
            severity="note",
            sources=("M14", "M15"),
        ),
        Check(
            "project_declared_twice",
            table="projects",
            # A project without a name is like no other.
            when=pl.col("name").is_not_null() & (pl.col("project") > pl.col("project").min().over(same_project)),
            message=N_("project {project} has name, sector and contract of another project"),
            sources=("M15",),
        ),
        Check(
            "recognised_before_declared",
            table="projects",
            when=pl.col("recognised_on") < pl.col("declared_on"),
            message=N_("project {project} was recognised on {recognised_on}, before it was declared on {declared_on}"),
            sources=("M13",),
        ),
    ]
