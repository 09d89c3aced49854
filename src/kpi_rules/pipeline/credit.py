"""Credit: from verified evidence to credited amounts per project, claim and unit at each date (M13, M14).

Everything here is a matrix of dates by projects, claims or units in whole fen. Sums go through `numpy.bincount`, whose
float weights are exact because no total reaches 2**53 fen (`kpi_rules.model.money.LIMIT`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from attrs import define, field
from numpy.typing import NDArray

from kpi_rules.locale import _
from kpi_rules.model.money import BILLION, LIMIT
from kpi_rules.model.problems import AssessmentError, Place, error
from kpi_rules.pipeline.evaluating import evaluating

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from kpi_rules.model.contributions import Credit
    from kpi_rules.workspace.tables import Tables

HAPPENINGS: Final = {
    "signed": "signed_on",
    "started": "started_on",
    "producing": "producing_on",
    "started_ever": "started_on",
    "producing_ever": "producing_on",
}
"""Counts of recognised projects by the date they go by: within the year, or at any time (`_ever`)."""

WHOLE_NUMBERS: Final = frozenset({"recognised", "vouchers", "contracted", *HAPPENINGS})
"""What can be counted or summed per unit besides `funds`."""

Money = NDArray[np.int64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]


@define(frozen=True, eq=False)
class Claims:
    """Which unit claims which project and how much of it: row numbers of `projects` and `units`, billionths."""

    project: Rows
    unit: Rows
    share: Money


@define(frozen=True, eq=False)
class Credited:
    """What each project and unit is credited with at each date; money in fen.

    Arrays are dates x projects (`vouchers`, `assessed`, `recognised`, `confirmed`, `stages`), dates x claims
    (`shared`) or dates x units (`units`, by indicator name).
    """

    dates: tuple[date, ...]
    projects: pl.DataFrame
    claims: Claims
    vouchers: Money
    recognised: Flags
    confirmed: Money
    stages: Mapping[str, Money] = field(factory=dict)
    adjusted: Money = field(kw_only=True)
    shared: Money = field(kw_only=True)
    units: Mapping[str, Money] = field(kw_only=True)


def credit(
    tables: Tables,
    dates: Sequence[date],
    year_start: date,
    *,
    unvisited: str,
    needed: Collection[str],
    credits: Mapping[str, Credit],  # noqa: A002 (the field's word)
    parameters: Any = None,  # noqa: ANN401 (see `_adjust`)
) -> Credited:
    """Compute what is credited at each date.

    Args:
        tables: verified evidence; `arrivals` and `visits` are of the year and in the workspace's currency.
        dates: ascending.
        year_start: first day of the assessment year.
        needed: whole numbers per unit to compute besides `funds`, names of `WHOLE_NUMBERS`.
        unvisited: what a project without a visit confirms: `none` or `vouchers`.
        credits: adjustments by name, applied in the order of their names.
        parameters: a function of a date giving the parameter columns of each project as a frame.

    Returns:
        Amounts and counts per project, claim and unit at each date.
    """
    days = _days(pl.Series(list(dates), dtype=pl.Date))
    projects = tables.projects
    vouchers = _vouchers(tables, days)
    assessed = _assessed(tables, days)
    recognised = _recognised(projects, days)
    without_visit = vouchers if unvisited == "vouchers" else np.zeros_like(vouchers)
    confirmed = np.where(recognised, np.where(assessed >= 0, np.minimum(vouchers, assessed), without_visit), 0)
    adjusted, stages = _adjust(projects, dates, vouchers, confirmed, recognised, credits, parameters)
    claims = claims_of(tables)
    shared = split_claims(adjusted, claims, _code_point_order(tables.units))
    units = _by_unit(tables, days, year_start, claims, shared, vouchers, recognised, needed)
    return Credited(
        tuple(dates),
        projects,
        claims,
        vouchers,
        recognised,
        confirmed,
        stages,
        adjusted=adjusted,
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
        shared=np.concatenate([part.shared for part in parts]),
        units={name: np.concatenate([part.units[name] for part in parts]) for name in first.units},
    )


def _days(dates: pl.Series) -> Rows:
    """Return dates as day numbers; a missing one is far in the future, so that it never has happened."""
    return dates.cast(pl.Int32).cast(pl.Int64).fill_null(np.iinfo(np.int32).max).to_numpy()


def _rows_in(ids: pl.Series, of: pl.Series) -> Rows:
    """Return the row number in `of` of each id; every id is there, `of` has no duplicates."""
    places = pl.DataFrame({"id": of}).with_row_index("place")
    found = ids.rename("id").to_frame().join(places, on="id", how="left", maintain_order="left")["place"]
    return found.cast(pl.Int64).to_numpy()


def _vouchers(tables: Tables, days: Rows) -> Money:
    """Sum the vouchers of each project up to each date."""
    projects = len(tables.projects)
    first = np.searchsorted(days, _days(tables.arrivals["arrived_on"]))
    cell = first * projects + _rows_in(tables.arrivals["project"], tables.projects["project"])
    inside = first < len(days)
    sums = np.bincount(cell[inside], tables.arrivals["amount"].to_numpy()[inside], minlength=len(days) * projects)
    return np.cumsum(sums.astype(np.int64).reshape(len(days), projects), axis=0)


def _assessed(tables: Tables, days: Rows) -> Money:
    """Take the amount of each project's last visit by each date, ties by visit id; -1 without a visit."""
    visits = tables.visits.sort("visited_on", "visit")
    first = np.searchsorted(days, _days(visits["visited_on"]))
    last = (
        visits.select("project", "assessed_amount")
        .with_columns(first=pl.Series(first))
        .filter(pl.col("first") < len(days))
        .unique(["project", "first"], keep="last", maintain_order=True)
    )
    found = np.full((len(days), len(tables.projects)), -1, dtype=np.int64)
    found[last["first"].to_numpy(), _rows_in(last["project"], tables.projects["project"])] = last[
        "assessed_amount"
    ].to_numpy()
    for here in range(1, len(days)):
        np.copyto(found[here], found[here - 1], where=found[here] < 0)
    return found


def _recognised(projects: pl.DataFrame, days: Rows) -> Flags:
    """Say whether each project counts at each date: recognised by then, not refused or revoked."""
    since, refused, revoked = (_days(projects[name]) for name in ("recognised_on", "refused_on", "revoked_on"))
    on = days[:, None]
    counts: Flags = (since <= on) & ~((refused <= on) | (revoked <= on))
    return counts


def _adjust(
    projects: pl.DataFrame,
    dates: Sequence[date],
    vouchers: Money,
    confirmed: Money,
    recognised: Flags,
    credits: Mapping[str, Credit],  # noqa: A002 (the field's word)
    parameters: Any,  # noqa: ANN401 (a function of a date, or None)
) -> tuple[Money, dict[str, Money]]:
    """Apply the adjustments in the order of their names, keeping what each leaves."""
    if not credits:
        return confirmed, {}
    stages = {name: np.zeros_like(confirmed) for name in credits}
    for here, on in enumerate(dates):
        frame = projects.with_columns(
            pl.lit(on).alias("on"),
            vouchers=pl.Series(vouchers[here]),
            confirmed=pl.Series(confirmed[here]),
            credited=pl.Series(confirmed[here]),
        )
        if parameters is not None:
            frame = frame.hstack(parameters(on))
        for name, adjustment in sorted(credits.items()):
            with evaluating("credit", name):
                frame = frame.with_columns(credited=adjustment.amount.cast(pl.Int64))
            given = frame.filter(
                pl.Series(recognised[here]) & ~pl.col("credited").is_between(0, LIMIT).fill_null(value=False)
            )
            if len(given):
                project, amount = given.select("project", "credited").row(0)
                raise _unfit(
                    name,
                    _("{amount} fen for project {project} on {day}").format(amount=amount, project=project, day=on),
                )
            stages[name][here] = np.where(recognised[here], frame["credited"].fill_null(0).to_numpy(), 0)
    return stages[max(stages)], stages


def _unfit(adjustment: str, found: str) -> AssessmentError:
    """Make the error of an adjustment that gives no amount."""
    expected = _("whole fen from 0 to {most}").format(most=LIMIT)
    return AssessmentError(
        [error("amount-out-of-bounds", Place(key=f"credit {adjustment}"), found=found, expected=expected)]
    )


def claims_of(tables: Tables) -> Claims:
    """Return who claims what: the claims table's rows, and for a project without any its own unit with the whole.

    What a claim in quarantine asked for stays unclaimed.
    """
    unclaimed_by_any = tables.projects.join(tables.claims, on="project", how="anti")
    own = unclaimed_by_any.filter(~pl.col("project").is_in(tables.misclaimed.implode())).select(
        "project", "unit", share=pl.lit(BILLION, pl.Int64)
    )
    claims = (
        pl.concat([tables.claims.select("project", "unit", "share"), own])
        .group_by("project", "unit")
        .agg(pl.col("share").sum())
    )
    ordered = claims.sort("project", "unit")
    return Claims(
        _rows_in(ordered["project"], tables.projects["project"]),
        _rows_in(ordered["unit"], tables.units["unit"]),
        ordered["share"].to_numpy(),
    )


def _code_point_order(units: pl.DataFrame) -> Rows:
    """Return the rank of each unit's id in code-point order; polars sorts UTF-8, whose order is the same."""
    order = units["unit"].arg_sort().to_numpy()
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def split_claims(amounts: Money, claims: Claims, unit_order: Rows) -> Money:
    """Split dates x projects into dates x claims by largest remainder; what is unclaimed loses every tie.

    `amount x share` would pass 2**63, so an amount is taken apart into billions and the rest: both products stay
    below it.
    """
    if len(claims.project) == 0:
        return np.zeros((len(amounts), 0), dtype=np.int64)
    whole, rest = np.divmod(amounts[:, claims.project], BILLION)
    floor, remainder = np.divmod(rest * claims.share, BILLION)
    parts = whole * claims.share + floor
    claimed = np.bincount(claims.project, claims.share, minlength=amounts.shape[1]).astype(np.int64)
    alone = np.bincount(claims.project, minlength=amounts.shape[1]) == 1
    several = np.flatnonzero(~(alone & (claimed == BILLION))[claims.project])
    if len(several) == 0:
        return parts
    project = claims.project[several]
    for here in range(len(amounts)):
        unclaimed_whole, unclaimed_rest = np.divmod(amounts[here], BILLION)
        unclaimed_floor, unclaimed_remainder = np.divmod(unclaimed_rest * (BILLION - claimed), BILLION)
        unclaimed = unclaimed_whole * (BILLION - claimed) + unclaimed_floor
        given = np.bincount(claims.project, parts[here], minlength=amounts.shape[1]).astype(np.int64)
        left = amounts[here] - given - unclaimed
        # Rank the claimants of each project by remainder, the unclaimed rest as one more that loses ties.
        candidates = np.concatenate([several, np.full(amounts.shape[1], -1)])
        owner = np.concatenate([project, np.arange(amounts.shape[1])])
        remainders = np.concatenate([remainder[here, several], unclaimed_remainder])
        ties = np.concatenate([unit_order[claims.unit[several]], np.full(amounts.shape[1], len(unit_order))])
        order = np.lexsort((ties, -remainders, owner))
        owner = owner[order]
        starts = np.searchsorted(owner, owner)
        wins = candidates[order][(np.arange(len(order)) - starts) < left[owner]]
        parts[here, wins[wins >= 0]] += 1
    return parts


def ancestors(units: pl.DataFrame) -> tuple[Rows, Rows]:
    """Return every (unit, ancestor or itself) as two arrays of row numbers; the tree has no cycles."""
    parents = np.full(len(units), -1, dtype=np.int64)
    has = units["parent"].is_not_null().to_numpy()
    parents[has] = _rows_in(units["parent"].filter(pl.Series(has)), units["unit"])
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

    start = _days(pl.Series([year_start], dtype=pl.Date))[0]
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
        happened = _days(tables.projects[HAPPENINGS[name]])
        in_time = (
            happened <= days[:, None] if name.endswith("_ever") else (happened >= start) & (happened <= days[:, None])
        )
        found[name] = per_project(recognised & in_time)
    return found
