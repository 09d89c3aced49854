"""Credit: from verified evidence to credited amounts per project, claim and unit at each date (M13, M14).

Everything here is a matrix of dates by projects, claims or units in whole fen. Sums go through `numpy.bincount`, whose
float weights are exact because no total reaches 2**53 fen (`kpi_rules.model.money.LIMIT`).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from attrs import define, field
from numpy.typing import NDArray

from kpi_rules.locale import _
from kpi_rules.model.expressions import correctly_rounded
from kpi_rules.model.money import LIMIT
from kpi_rules.model.problems import AssessmentError, Place, error
from kpi_rules.pipeline.evaluating import evaluating
from kpi_rules.pipeline.sharing import Claims, Money, Rows, claims_of, code_point_order, rows_in, split_claims
from kpi_rules.pipeline.task import COUNTED, Task, after_sharing, lift_counts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from kpi_rules.model.contributions import Credit
    from kpi_rules.pipeline.sharing import Sharing
    from kpi_rules.workspace.tables import Tables

HAPPENINGS: Final = {
    "signed": "signed_on",
    "started": "started_on",
    "producing": "producing_on",
    "started_ever": "started_on",
    "producing_ever": "producing_on",
}
"""Counts of recognised projects by the date they go by: within the year, or at any time (`_ever`)."""

EVIDENCE: Final = ("none", "visits", "evaluations", "vouchers", "declared")
"""What can bear an amount out, by the number that stands for it."""

WHOLE_NUMBERS: Final = frozenset({"recognised", "vouchers", "contracted", *HAPPENINGS})
"""What can be counted or summed per unit besides `funds`."""

Flags = NDArray[np.bool_]


@define(frozen=True, eq=False)
class Credited:
    """What each project and unit is credited with at each date; money in fen.

    Arrays are dates x projects (`vouchers`, `assessed`, `recognised`, `confirmed`, `stages`), dates x claims (`split`,
    the stages `after` sharing, `shared`, which is what they leave) or dates x units (`units`, by indicator name).
    """

    dates: tuple[date, ...]
    projects: pl.DataFrame
    claims: Claims
    vouchers: Money
    recognised: Flags
    confirmed: Money
    stages: Mapping[str, Money] = field(factory=dict)
    adjusted: Money = field(kw_only=True)
    split: Money = field(kw_only=True)
    after: Mapping[str, Money] = field(kw_only=True, factory=dict)
    shared: Money = field(kw_only=True)
    units: Mapping[str, Money] = field(kw_only=True)


def credit(  # noqa: PLR0913 (what credit is made of; all but three by name)
    tables: Tables,
    dates: Sequence[date],
    year_start: date,
    *,
    needed: Collection[str],
    evidence: Sequence[str] = ("visits",),
    sharing: Sharing = "agreed",
    credits: Mapping[str, Credit],  # noqa: A002 (the field's word)
    parameters: Any = None,  # noqa: ANN401 (see `adjust`)
    task: Task | None = None,
) -> Credited:
    """Compute what is credited at each date.

    Args:
        tables: verified evidence; `arrivals` and `visits` are of the year and in the workspace's currency.
        dates: ascending.
        year_start: first day of the assessment year.
        needed: whole numbers per unit to compute besides `funds`, names of `WHOLE_NUMBERS`.
        evidence: what bears an amount out, the first that a project has counts; names of `EVIDENCE`.
        sharing: how claims without shares share a project.
        credits: adjustments by name, applied in the order of their names.
        parameters: a function of a date giving the parameter columns of each project as a frame.
        task: what the stages after sharing go by; None for no such stages.

    Returns:
        Amounts and counts per project, claim and unit at each date.
    """
    days = day_numbers(pl.Series(list(dates), dtype=pl.Date))
    projects = tables.projects
    vouchers = _vouchers(tables, days)
    assessed = assessed_by(tables, days)
    recognised = _recognised(projects, days)
    declared = declared_by(projects, days) if "declared" in evidence else None
    borne_out, by = confirm(evidence, vouchers, assessed, declared)
    confirmed = np.where(recognised, borne_out, 0)
    adjusted, stages = adjust(projects, dates, vouchers, confirmed, recognised, by, credits, parameters)
    claims = claims_of(tables, sharing)
    split = split_claims(adjusted, claims, code_point_order(tables.units))
    left = after_sharing(split, claims, dates, task)
    shared = left.credited
    units = _by_unit(tables, days, year_start, claims, shared, vouchers, recognised, needed)
    if task is not None and left.whole.any():
        for name in units.keys() & set(COUNTED):
            counted = left.whole & counted_in(projects, name, days, year_start, recognised)[:, claims.project]
            for here, on in enumerate(dates):
                lift_counts(units[name][here], counted[here], claims, task, task.quota(name, on))
    return Credited(
        tuple(dates),
        projects,
        claims,
        vouchers,
        recognised,
        confirmed,
        stages,
        adjusted=adjusted,
        split=split,
        after=left.stages,
        shared=shared,
        units=units,
    )


def joined(parts: Sequence[Credited]) -> Credited:
    """Join what is credited at dates that follow each other."""
    first = parts[0]
    if len(parts) == 1:
        return first
    return Credited(
        tuple(on for part in parts for on in part.dates),
        first.projects,
        first.claims,
        np.concatenate([part.vouchers for part in parts]),
        np.concatenate([part.recognised for part in parts]),
        np.concatenate([part.confirmed for part in parts]),
        {name: np.concatenate([part.stages[name] for part in parts]) for name in first.stages},
        adjusted=np.concatenate([part.adjusted for part in parts]),
        split=np.concatenate([part.split for part in parts]),
        after={name: np.concatenate([part.after[name] for part in parts]) for name in first.after},
        shared=np.concatenate([part.shared for part in parts]),
        units={name: np.concatenate([part.units[name] for part in parts]) for name in first.units},
    )


def day_numbers(dates: pl.Series) -> Rows:
    """Return dates as day numbers; a missing one is far in the future, so that it never has happened."""
    return dates.cast(pl.Int32).cast(pl.Int64).fill_null(np.iinfo(np.int32).max).to_numpy()


def _vouchers(tables: Tables, days: Rows) -> Money:
    """Sum the vouchers of each project up to each date."""
    projects = len(tables.projects)
    first = np.searchsorted(days, day_numbers(tables.arrivals["arrived_on"]))
    cell = first * projects + rows_in(tables.arrivals["project"], tables.projects["project"])
    inside = first < len(days)
    sums = np.bincount(cell[inside], tables.arrivals["amount"].to_numpy()[inside], minlength=len(days) * projects)
    return np.cumsum(sums.astype(np.int64).reshape(len(days), projects), axis=0)


def assessed_by(tables: Tables, days: Rows) -> Money:
    """Take the amount of each project's last visit by each date, ties by visit id; -1 without a visit."""
    visits = tables.visits.sort("visited_on", "visit")
    first = np.searchsorted(days, day_numbers(visits["visited_on"]))
    last = (
        visits.select("project", "assessed_amount")
        .with_columns(first=pl.Series(first))
        .filter(pl.col("first") < len(days))
        .unique(["project", "first"], keep="last", maintain_order=True)
    )
    found = np.full((len(days), len(tables.projects)), -1, dtype=np.int64)
    found[last["first"].to_numpy(), rows_in(last["project"], tables.projects["project"])] = last[
        "assessed_amount"
    ].to_numpy()
    for here in range(1, len(days)):
        np.copyto(found[here], found[here - 1], where=found[here] < 0)
    return found


def declared_by(projects: pl.DataFrame, days: Rows) -> Money:
    """Take the amount each project was declared with, from the day of its declaration on; -1 without one."""
    amounts = projects["declared"].fill_null(-1).to_numpy()
    # A declaration without a date has always been made.
    since = day_numbers(projects["declared_on"].fill_null(date.min))
    return np.where((since <= days[:, None]) & (amounts >= 0), amounts, -1)


def confirm(
    evidence: Sequence[str], vouchers: Money, assessed: Money, declared: Money | None
) -> tuple[Money, NDArray[np.int8]]:
    """Return what is borne out, and by what: of each project the first evidence in order that it has (M14).

    Args:
        evidence: names of `EVIDENCE` in order: a site visit bears out what arrived up to its amount, an `evaluation`
            its amount alone, vouchers what arrived, a declaration what it says.
        vouchers: fen by date and project.
        assessed: the last visit's amount, -1 without one.
        declared: the amount declared, -1 without one; None where it is no evidence.

    Returns:
        fen, 0 without any of them; the number of the evidence in `EVIDENCE`, 0 for none.
    """
    amount: Money = np.zeros_like(vouchers)
    by = np.zeros(vouchers.shape, dtype=np.int8)
    for name in reversed(evidence):
        if name == "visits":
            there, borne_out = assessed >= 0, np.minimum(vouchers, assessed)
        elif name == "evaluations":
            there, borne_out = assessed >= 0, assessed
        elif name == "vouchers":
            there, borne_out = vouchers > 0, vouchers
        else:
            assert declared is not None  # noqa: S101 (given where it is named)
            there, borne_out = declared >= 0, declared
        amount = np.where(there, borne_out, amount)
        by = np.where(there, np.int8(EVIDENCE.index(name)), by)
    return amount, by


def _recognised(projects: pl.DataFrame, days: Rows) -> Flags:
    """Say whether each project counts at each date: recognised by then, not refused or revoked."""
    since, refused, revoked = (day_numbers(projects[name]) for name in ("recognised_on", "refused_on", "revoked_on"))
    on = days[:, None]
    counts: Flags = (since <= on) & ~((refused <= on) | (revoked <= on))
    return counts


def adjust(  # noqa: PLR0913, PLR0917 (what an adjustment may read)
    projects: pl.DataFrame,
    dates: Sequence[date],
    vouchers: Money,
    confirmed: Money,
    recognised: Flags,
    by: NDArray[np.int8],
    credits: Mapping[str, Credit],  # noqa: A002 (the field's word)
    parameters: Any,  # noqa: ANN401 (a function of a date, or None)
) -> tuple[Money, dict[str, Money]]:
    """Apply the adjustments in the order of their names, keeping what each leaves."""
    if not credits:
        return confirmed, {}
    stages = {name: np.zeros_like(confirmed) for name in credits}
    amounts = {name: correctly_rounded(credits[name].amount).cast(pl.Int64) for name in sorted(credits)}
    for here, on in enumerate(dates):
        frame = projects.with_columns(
            pl.lit(on).alias("on"),
            vouchers=pl.Series(vouchers[here]),
            confirmed=pl.Series(confirmed[here]),
            credited=pl.Series(confirmed[here]),
            evidence=pl.Series(np.array(EVIDENCE)[by[here]]),
        )
        if parameters is not None:
            frame = frame.hstack(parameters(on))
        for name, amount in amounts.items():
            with evaluating("credit", name):
                frame = frame.with_columns(credited=amount)
            given = frame.filter(
                pl.Series(recognised[here]) & ~pl.col("credited").is_between(0, LIMIT).fill_null(value=False)
            )
            if len(given):
                project, fen = given.select("project", "credited").row(0)
                found = _("{amount} fen for project {project} on {day}").format(amount=fen, project=project, day=on)
                raise _unfit(name, found)
            stages[name][here] = np.where(recognised[here], frame["credited"].fill_null(0).to_numpy(), 0)
    return stages[max(stages)], stages


def _unfit(adjustment: str, found: str) -> AssessmentError:
    """Make the error of an adjustment that gives no amount."""
    expected = _("whole fen from 0 to {most}").format(most=LIMIT)
    return AssessmentError(
        [error("amount-out-of-bounds", Place(key=f"credit {adjustment}"), found=found, expected=expected)]
    )


def ancestors(units: pl.DataFrame) -> tuple[Rows, Rows]:
    """Return every (unit, ancestor or itself) as two arrays of row numbers; the tree has no cycles."""
    parents = np.full(len(units), -1, dtype=np.int64)
    has = units["parent"].is_not_null().to_numpy()
    parents[has] = rows_in(units["parent"].filter(pl.Series(has)), units["unit"])
    unit = above = np.arange(len(units))
    pairs = [(unit, above)]
    while len(unit):
        above = parents[above]
        unit, above = unit[above >= 0], above[above >= 0]
        pairs.append((unit, above))
    return np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs])


def _by_unit(  # noqa: PLR0913, PLR0917 (what is rolled up, and where to)
    tables: Tables,
    days: Rows,
    year_start: date,
    claims: Claims,
    shared: Money,
    vouchers: Money,
    recognised: Flags,
    needed: Collection[str],
) -> dict[str, Money]:
    """Roll amounts and counts up the tree: money by claim, counts and contracts once per project and unit."""
    unit, above = ancestors(tables.units)
    pairs = (
        pl.DataFrame({"claim": np.arange(len(claims.unit)), "project": claims.project, "unit": claims.unit})
        .join(pl.DataFrame({"unit": unit, "above": above}), on="unit")
        .select("claim", "project", "above")
    )
    claim, rolled = pairs["claim"].to_numpy(), pairs["above"].to_numpy()
    claims_something = pairs.filter(pl.Series(claims.share > 0).gather(pairs["claim"]))
    once = claims_something.unique(["project", "above"])
    project, to = once["project"].to_numpy(), once["above"].to_numpy()
    size = len(tables.units)

    def per_project(values: Money | Flags) -> Money:
        return np.stack([np.bincount(to, row[project], minlength=size).astype(np.int64) for row in values])

    contracted = tables.projects["contracted"]
    found = {"funds": np.stack([np.bincount(rolled, row[claim], minlength=size).astype(np.int64) for row in shared])}
    if "recognised" in needed:
        found["recognised"] = per_project(recognised)
    if "vouchers" in needed:
        found["vouchers"] = per_project(np.where(recognised, vouchers, 0))
    if "contracted" in needed:
        found["contracted"] = per_project(np.where(recognised, contracted.fill_null(0).to_numpy(), 0))
        found["contracts_unknown"] = per_project(recognised & contracted.is_null().to_numpy())
    for name in HAPPENINGS.keys() & set(needed):
        found[name] = per_project(counted_in(tables.projects, name, days, year_start, recognised))
    return found


def counted_in(projects: pl.DataFrame, name: str, days: Rows, year_start: date, recognised: Flags) -> Flags:
    """Say whether each project counts in `name` of `HAPPENINGS` at each date."""
    happened = day_numbers(projects[HAPPENINGS[name]])
    in_time: Flags = happened <= days[:, None]
    if not name.endswith("_ever"):
        in_time &= happened >= day_numbers(pl.Series([year_start], dtype=pl.Date))[0]
    return recognised & in_time
