"""The checks of the evidence that every workspace has (M13 to M15); each flags unless `[checks]` says otherwise.

Their thresholds are parameters of the section `[verification]`. A check reads the columns of its table, of its project
as `project_<column>`, and the constants `on`, `year_start`, `year_end`, `year_label`; a table may have a million rows,
so `among` leaves out cheaply what can never be found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from attrs import define

from kpi_rules.hooks.specs import hookimpl
from kpi_rules.locale import N_
from kpi_rules.model.alike import alike
from kpi_rules.model.contributions import SCALED, Check, parameters, share_of
from kpi_rules.model.settings import count, money, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

NAME = "verification"
"""The section of `kpi.toml`."""


@define(frozen=True)
class Settings:
    """What an administrator may choose, as `[verification]` in kpi.toml."""

    near_days: int = count(
        3,
        maximum=366,
        label=N_("Days between near-duplicates"),
        help=N_("Vouchers of one amount and like payers this many days apart or fewer are near-duplicates"),
    )
    carried_over_years: int = count(
        2,
        maximum=100,
        label=N_("Years a project may be carried over"),
        help=N_("Counted from the assessment year it was signed or declared in"),
    )
    declared_tolerance: Decimal = ratio(  # noqa: RUF009 (makes a field)
        "0",
        maximum="10",
        label=N_("Declared above confirmed by"),
        help=N_("Share of the confirmed amount that a declaration may be above it, inclusive"),
    )
    minimum_size: int = money(
        "0",
        label=N_("Least contract"),
        help=N_("Of a project whose sector has no least size in the table eligibility"),
    )
    minimum_share: Decimal = ratio(  # noqa: RUF009 (makes a field)
        "0",
        maximum="1",
        label=N_("Least share of a claim"),
        help=N_("Of a project whose sector has no least share in the table eligibility"),
    )
    most_units: int = count(
        1_000_000,
        minimum=1,
        label=N_("Most units of one project"),
        help=N_("For a project whose sector has no number of units in the table eligibility"),
    )


p = parameters(NAME, Settings)


@hookimpl
def kpi_settings() -> type:
    """The section `[verification]`."""
    return Settings


@hookimpl
def kpi_checks() -> Sequence[Check]:
    """All of them, by the table they test."""
    return [*_vouchers(), *_projects(), *_sizes(), *_claims()]


def _vouchers() -> list[Check]:
    same_payment = ("project", "amount", "arrived_on")
    same_voucher = ("payer", "amount", "arrived_on")
    like_voucher = [pl.col("amount"), alike(pl.col("payer"))]
    # Likening names takes most of the time: it is done once, and a few times over for the vouchers that are left.
    repeated_payer = (pl.col("amount").is_duplicated(), pl.struct(like_voucher).is_duplicated())

    def before(column: str) -> pl.Expr:
        return pl.col(column).shift(1).over(like_voucher, order_by=["arrived_on", "voucher"])

    is_same_day = pl.col("arrived_on") == before("arrived_on")
    is_found_otherwise = is_same_day & ((pl.col("payer") == before("payer")) | (pl.col("project") == before("project")))
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
            "voucher_of_two_projects",
            table="arrivals",
            when=pl.col("project") != pl.col("project").sort_by("voucher").first().over(same_voucher),
            among=(pl.col("payer").is_not_null(), pl.struct(same_voucher).is_duplicated()),
            message=N_(
                "voucher {voucher} of project {project} has payer, amount {amount:yuan} and day {arrived_on} of a "
                "voucher of another project"
            ),
            sources=("M15",),
        ),
        Check(
            "nearly_repeated_voucher",
            table="arrivals",
            when=((pl.col("arrived_on") - before("arrived_on")).dt.total_days() <= p.near_days) & ~is_found_otherwise,
            among=(pl.col("payer").is_not_null(), *repeated_payer),
            message=N_(
                "voucher {voucher}, {amount:yuan} from {payer} on {arrived_on}, is like another of at most "
                "{verification.near_days} days before"
            ),
            severity="note",
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
            "arrived_before_registration",
            table="arrivals",
            when=pl.col("arrived_on") < pl.col("project_registered_on"),
            message=N_(
                "voucher {voucher} arrived on {arrived_on}, before project {project} was registered on "
                "{project_registered_on}"
            ),
            sources=("M13", "M15"),
        ),
        Check(
            "arrived_outside_year",
            table="arrivals",
            when=(pl.col("year") == pl.col("year_label")) & (pl.col("arrived_on") < pl.col("year_start")),
            among=pl.col("year").is_not_null(),
            scope="known",
            message=N_("voucher {voucher} is booked to {year} but arrived on {arrived_on}, before the year"),
            sources=("M15",),
        ),
    ]


def _projects() -> list[Check]:
    same_project = ("name", "sector", "contracted")
    same_contract = [alike(pl.col("investor")), pl.col("contracted")]

    def first(column: str) -> pl.Expr:
        return pl.col(column).sort_by("project").first().over(same_contract)

    return [
        Check(
            "above_contract",
            table="projects",
            when=pl.col("vouchers") > pl.col("contracted"),
            message=N_(
                "the vouchers of project {project}, {vouchers:yuan}, come to more than its contract, {contracted:yuan}"
            ),
            sources=("M15",),
        ),
        Check(
            "above_evaluation",
            table="projects",
            when=pl.col("vouchers") > pl.col("assessed"),
            message=N_(
                "the vouchers of project {project}, {vouchers:yuan}, come to more than its last site evaluation, "
                "{assessed:yuan}"
            ),
            severity="note",
            sources=("M14", "M15"),
        ),
        Check(
            "declared_above_confirmed",
            table="projects",
            when=pl.col("recognised_on").is_not_null()
            & (pl.col("declared") > pl.col("confirmed") + share_of(p.declared_tolerance, pl.col("confirmed"))),
            among=pl.col("declared").is_not_null(),
            message=N_("project {project} was declared with {declared:yuan}, of which {confirmed:yuan} are confirmed"),
            sources=("M15",),
        ),
        Check(
            "project_declared_twice",
            table="projects",
            # A project without a name is like no other.
            when=pl.col("project") > pl.col("project").min().over(same_project),
            among=(pl.col("name").is_not_null(), pl.struct(same_project).is_duplicated()),
            message=N_("project {project} has name, sector and contract of another project"),
            sources=("M15",),
        ),
        Check(
            "project_of_two_names",
            table="projects",
            when=pl.col("name").ne_missing(first("name")) | (pl.col("unit") != first("unit")),
            among=(
                pl.col("investor").is_not_null() & pl.col("contracted").is_not_null(),
                pl.col("contracted").is_duplicated(),
            ),
            message=N_(
                "project {project} of unit {unit} has investor {investor} and contract {contracted:yuan} of a project "
                "under another name or unit"
            ),
            sources=("M15",),
        ),
        Check(
            "recognised_before_declared",
            table="projects",
            when=pl.col("recognised_on") < pl.col("declared_on"),
            message=N_("project {project} was recognised on {recognised_on}, before it was declared on {declared_on}"),
            sources=("M13",),
        ),
        Check(
            "recognised_before_registered",
            table="projects",
            when=pl.col("recognised_on") < pl.col("registered_on"),
            message=N_(
                "project {project} was recognised on {recognised_on}, before it was registered on {registered_on}"
            ),
            sources=("M13",),
        ),
        Check(
            "producing_before_started",
            table="projects",
            when=pl.col("producing_on") < pl.col("started_on"),
            message=N_("project {project} produces since {producing_on}, before it started on {started_on}"),
            severity="note",
            sources=("M11", "M15"),
        ),
    ]


def _sizes() -> list[Check]:
    begun = pl.min_horizontal("signed_on", "declared_on")
    months = _month(pl.col("year_start")) - _month(begun)
    return [
        Check(
            "carried_over_too_long",
            table="projects",
            # A project of last year's last month is carried over once, like all of that year.
            when=pl.col("recognised_on").is_not_null() & ((months + 11) // 12 > p.carried_over_years),
            message=N_(
                "project {project}, signed on {signed_on} and declared on {declared_on}, is carried over for more than "
                "{verification.carried_over_years} years"
            ),
            sources=("M13",),
        ),
        Check(
            "below_minimum_size",
            table="projects",
            when=pl.col("contracted") < pl.coalesce("least", p.minimum_size),
            message=N_("the contract of project {project}, {contracted:yuan}, is below the least of its sector"),
            sources=("M13",),
        ),
        Check(
            "on_exclusion_list",
            table="projects",
            when=pl.col("exclusion").is_not_null(),
            message=N_("project {project} is on an exclusion list: {exclusion}"),
            sources=("M13", "M15"),
        ),
    ]


def _claims() -> list[Check]:
    in_order = [(-pl.col("share")).fill_null(1), pl.col("recorded_on").dt.epoch("d").fill_null(-(10**6)), "unit"]
    place = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("project", order_by=in_order)
    least = pl.coalesce("project_least_share", pl.col(f"{NAME}.minimum_share{SCALED}"))
    return [
        Check(
            "share_below_minimum",
            table="claims",
            when=(pl.col("part") > 0) & (pl.col("part") < least),
            message=N_("unit {unit} has {part:share} of project {project}, below the least share"),
            sources=("M14",),
        ),
        Check(
            "too_many_units",
            table="claims",
            when=place > pl.coalesce("project_most_units", p.most_units),
            among=pl.col("project").is_duplicated(),
            message=N_("project {project} is claimed by more units than may share it; unit {unit} is beyond them"),
            sources=("M14",),
        ),
    ]


def _month(on: pl.Expr) -> pl.Expr:
    """Count months, so that differences are whole numbers of them."""
    return on.dt.year().cast(pl.Int64) * 12 + on.dt.month().cast(pl.Int64)
