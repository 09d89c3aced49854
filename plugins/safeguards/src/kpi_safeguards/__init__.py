"""Legal limits on what an assessment may propose, each with its source (2025 state of the laws named).

A guard blocks (the measure is not proposed, or nothing is withheld from the person) or warns (the measure carries the
warning). A workspace lowers a block to a warning only by naming a legal basis, as in `[guards]`:
`G12 = {effect = "warn", basis = "..."}`; the basis stays with every measure that rests on it. A category, an amount or
a minimum wage that is missing is never taken as harmless: the finding names it, and the block holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from attrs import define

from kpi_rules import N_, Deadline, Guard, hookimpl, money, parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

CATEGORIES = ("civil_servant", "contract", "institution")
"""The categories of staff that the laws distinguish, as the column `category` names them."""

FAVOURABLE = ("commendation", "bonus", "reward", "prize", "refund", "deposit_refund")
"""Kinds of measures that benefit; every other on a person is adverse."""

PERIODS = (6, 12, 18, 24)
"""The fixed periods of sanctions in months: warning, demerit, major demerit and demotion, dismissal from post."""

PUBLIC = ("treasury",)
"""Accounts that public revenue may be booked to."""

FAVOURS = (
    r"(?i)(^|[^a-z])tax(es|ation)?([^a-z]|$)|subsid|rebate|preferential|land price"
    "|税|补贴|补助|奖补|返还|减免|优惠|地价"
)
"""Words by which the name, label, inputs or source of an indicator speaks of a tax or subsidy favour."""


@define(frozen=True)
class Settings:
    """What an administrator must state for the limits to be computed."""

    minimum_wage: int = money(
        "0",
        label=N_("Local minimum wage of a month"),
        help=N_("What a deduction leaves at the least; 0 is not stated, and then nothing is deducted"),
    )


p = parameters("safeguards", Settings)


def _any_of(column: pl.Expr, values: Sequence[str | int]) -> pl.Expr:
    """Return whether a column has one of some values; null where it has none."""
    first, *others = values
    found = column == first
    for value in others:
        found |= column == value
    return found


def _of(category: str) -> pl.Expr:
    """Return whether a person is of a category; null, which guards take as true, where it is none that is known."""
    own = pl.col("category")
    return pl.when(_any_of(own, CATEGORIES)).then(own == category)


ON_A_PERSON = _any_of(pl.col("subject"), ("head", "staff"))
FAVOURS_SOMEBODY = _any_of(pl.col("kind"), FAVOURABLE)
DUTY = _any_of(pl.col("kind"), ("duty", "off_post", "leave_post"))
FREEZE = pl.col("kind") == "promotion_freeze"
TOTAL_PAY = pl.col("total_pay")
A_FIFTH = TOTAL_PAY // 5  # 20%, rounded down to the fen

PAY: Sequence[Guard] = (
    Guard(
        "G1",
        about="pay",
        when=_of("civil_servant"),
        label=N_("Civil servants' pay is paid in full and on time"),
        message=N_("the salary of a civil servant is paid in full and on time"),
        sources=("Civil Servants Law (2018 revision) art. 80",),
    ),
    Guard(
        "G2",
        about="pay",
        when=_of("civil_servant"),
        label=N_("No organ deducts or delays a civil servant's pay"),
        message=N_("no organ may deduct or delay the pay of a civil servant, or change pay policy on its own"),
        sources=("Civil Servants Law (2018 revision) art. 84",),
    ),
    Guard(
        "G11",
        about="pay",
        when=_of("contract"),
        effect="warn",  # what it forbids without a justification, G12 blocks until one is named
        label=N_("Wages are paid monthly, without unjustified deduction or delay"),
        message=N_("wages are paid monthly; a deduction or delay without justification is not allowed"),
        sources=("Labour Law art. 50",),
    ),
    Guard(
        "G12",
        about="pay",
        when=_of("contract"),
        with_basis=pl.when(p.minimum_wage > 0).then(pl.min_horizontal(A_FIFTH, TOTAL_PAY - p.minimum_wage)),
        label=N_("No deduction from wages but by law, and then at most a fifth"),
        message=N_("no deduction from wages but by law; at most 20% of a month's wage, and the minimum wage remains"),
        sources=("Interim Provisions on Wage Payment (1994/489) arts. 15, 16",),
    ),
    Guard(
        "G14",
        about="pay",
        when=_of("institution"),
        withholdable=pl.col("performance"),
        label=N_("In public institutions assessment adjusts performance pay alone"),
        message=N_("in a public institution only the performance component of pay may be withheld"),
        sources=("Public Institutions Personnel Regulation (2014) arts. 22, 32",),
    ),
)

MEASURES: Sequence[Guard] = (
    Guard(
        "G4",
        about="measure",
        when=ON_A_PERSON & ~FAVOURS_SOMEBODY,
        effect="note",
        label=N_("Review and appeal"),
        message=N_("whom this concerns may ask for a review, then appeal, or appeal directly"),
        deadlines=(
            Deadline(N_("review"), 30),
            Deadline(N_("appeal"), 15, after=N_("the decision of the review")),
            Deadline(N_("direct appeal"), 30),
        ),
        sources=("Civil Servants Law (2018 revision) art. 95(7)",),
    ),
    Guard(
        "G5",
        about="measure",
        when=DUTY & ~pl.col("has_end"),
        effect="warn",
        label=N_("A duty away from the post ends, and keeps post and pay"),
        message=N_(
            "the duty has no end condition; whoever is seconded keeps post, pay and the relation with the home organ"
        ),
        sources=("Civil Servants Law (2018 revision) art. 72",),
    ),
    Guard(
        "G7",
        about="measure",
        when=FREEZE & ~_any_of(pl.col("months"), PERIODS),
        effect="warn",
        label=N_("Sanctions have fixed periods"),
        message=N_("a promotion freeze of {months} months; the fixed periods are 6, 12, 18 and 24 months"),
        sources=("Civil Servants Law (2018 revision) arts. 62-64",),
    ),
    Guard(
        "G9",
        about="measure",
        when=_any_of(pl.col("kind"), ("bonus", "reward", "prize")) & pl.col("from_projects") & _of("civil_servant"),
        effect="warn",
        label=N_("No bonus to civil servants out of project value"),
        message=N_("a bonus computed from project value, to a civil servant; bonuses against the rules are punishable"),
        sources=("Administrative Sanctions on Public Officials art. 35(1)",),
    ),
    Guard(
        "G19",
        about="measure",
        when=(pl.col("forfeits") | pl.col("into").is_not_null()) & ~_any_of(pl.col("into"), PUBLIC),
        label=N_("Forfeited deposits go to the treasury"),
        message=N_("public revenue goes to the treasury, and forfeited deposits are booked to {into}"),
        sources=("Budget Law arts. 56, 93",),
    ),
)

OTHERS: Sequence[Guard] = (
    Guard(
        "G8",
        about="reward",
        when=FAVOURS_SOMEBODY,
        effect="warn",
        label=N_("Rewards obtained with false data are revoked"),
        message=N_("of the evidence of this reward {evidence} was withdrawn since; its revocation is proposed"),
        sources=("Civil Servants Law (2018 revision) arts. 51, 53-56",),
    ),
    Guard(
        "G15",
        about="indicator",
        when=pl.col("indicator").str.contains(FAVOURS)
        | pl.col("label").str.contains(FAVOURS)
        | pl.col("reads").str.contains(FAVOURS)
        | pl.col("sources").str.contains(FAVOURS),
        effect="warn",
        label=N_("No pressure on firms to invest, no unapproved favours"),
        message=N_("indicator {indicator} is tied to a tax or subsidy favour; favours need approval"),
        sources=("Fair Competition Review Regulation (2024) arts. 8-12, 18",),
    ),
    Guard(
        "G17",
        about="evidence",
        when=pl.col("revoked_on").is_not_null() & (pl.col("revoked_by").is_null() | pl.col("revoked_for").is_null()),
        effect="warn",
        label=N_("Evidence is not changed in silence"),
        message=N_(
            "row {key} of {table} was withdrawn on {revoked_on} by {revoked_by} for {revoked_for}; "
            "a change names who, when and why, and the old row stays"
        ),
        sources=("Statistics Law (2024) arts. 7, 8, 40",),
    ),
    Guard(
        "G20",
        about="quota",
        when=pl.col("unit_kind").eq_missing(pl.lit("exempt")),
        effect="warn",
        label=N_("Courts, procuratorate, police and discipline organs carry no quota"),
        message=N_("unit {unit} is exempt and has a quota for {indicator} from {effective}"),
        sources=("practice in several local rules",),
    ),
)


@hookimpl
def kpi_settings() -> type:
    """Give the settings of this policy."""
    return Settings


@hookimpl
def kpi_guards() -> Sequence[Guard]:
    """Give the limits, one for each id."""
    return [*PAY, *MEASURES, *OTHERS]
