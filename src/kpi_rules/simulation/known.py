"""What is known of the year so far, by forecast unit, as arrays: what histories are made of (M13, M14)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from attrs import define, evolve

from kpi_rules.pipeline.credit import HAPPENINGS
from kpi_rules.pipeline.sharing import rows_in
from kpi_rules.pipeline.verify import Circumstances, known, of_year, verify, without

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kpi_rules.pipeline.credit import Credited
    from kpi_rules.simulation.past import Past
    from kpi_rules.workspace.config import Config
    from kpi_rules.workspace.tables import Tables

    Rows = NDArray[np.int64]
    Whole = NDArray[np.int64]

EPOCH: Final = 719_163
"""The ordinal of 1970-01-01, from which polars counts days."""

PARTS: Final = 65_536
"""What the rate of adjustments is whole parts of."""

MOST_RATE: Final = 16
"""No adjustment is taken to multiply what is confirmed by more."""


@define(frozen=True, eq=False, slots=False)
class Known:
    """The evidence of a past: of recognised projects alone, and by the forecast units that have a part in them."""

    past: Past

    @property
    def config(self) -> Config:
        """The workspace's configuration."""
        config = self.past.workspace.config
        assert config is not None  # noqa: S101 (there is an assessment)
        return config

    @property
    def credited(self) -> Credited:
        """What is credited so far."""
        return self.past.assessment.credited

    @property
    def by_vouchers(self) -> bool:
        """Whether amounts are borne out by vouchers, visited or not, so that arrivals are what credit follows."""
        return set(self.config.evidence) <= {"visits", "vouchers"}

    @cached_property
    def tables(self) -> Tables:
        """All rows known, without those that checks leave out."""
        past, config = self.past, self.config
        tables = known(past.workspace.tables, past.known_at)
        every = past.workspace.plugins.checks
        checks = {name: check for name, check in every.items() if config.checks.get(name) == "exclude"}
        if not checks:
            return tables
        under = Circumstances(config.year, past.as_of, past.workspace.parameters, config.sharing, tables)
        _findings, excluded = verify(of_year(tables, config.year, past.as_of), checks, config.checks, under)
        return without(tables, excluded)

    @cached_property
    def parts(self) -> pl.DataFrame:
        """Who has a part in which recognised project: row numbers `project`, `unit`, and `weight` of `whole`; and
        `claimant`, the row among the workspace's units of the one that claims it.
        """
        claims = self.credited.claims
        frame = pl.DataFrame(
            {
                "project": claims.project,
                "unit": self.past.basis.home[claims.unit],
                "claimant": claims.unit,
                "weight": claims.weight,
                "whole": claims.whole,
            }
        )
        counts = self.credited.recognised[-1][claims.project] & (claims.weight > 0)
        return frame.filter(pl.Series(counts) & (pl.col("unit") >= 0))

    @cached_property
    def evident(self) -> Rows:
        """The rows among the workspace's units of those that claim a part in a recognised project."""
        return self.parts["claimant"].unique().sort().to_numpy()

    @cached_property
    def brought(self) -> Whole:
        """Of each unit of the workspace what it brought itself so far, by its claims: vouchers where they bear amounts
        out, else what is credited.
        """
        claims, last = self.credited.claims, self.credited
        of_claims = last.shared[-1]
        if self.by_vouchers:
            of_claims = self.claimed(np.where(last.recognised[-1:], last.vouchers[-1:], 0))[0]
        sums = np.bincount(claims.unit, of_claims, minlength=len(self.past.basis.parents))
        return sums.astype(np.int64)

    def waiting_of(self, evident: Rows, member: Rows, members: int) -> Whole:
        """Return of each of so many members what arrived and is not credited yet, of the claims of units, by their rows
        among the workspace's, that are, or are below, a member.
        """
        arrived = np.where(self.credited.recognised[-1:], self.credited.vouchers[-1:], 0)
        of_claims = self.claimed(arrived)[0], self.credited.shared[-1]
        unit = self.credited.claims.unit
        size = len(self.past.basis.parents)
        sums = [np.bincount(unit, each, minlength=size)[evident] for each in of_claims]
        came, credited = (np.bincount(member, each, minlength=members).astype(np.int64) for each in sums)
        if self.adjusted:
            home = self.past.basis.home[evident]
            rate = np.zeros(members, dtype=np.int64)
            rate[member] = self.rate[home]
            came = came // PARTS * rate + came % PARTS * rate // PARTS
        found: Whole = np.maximum(came - credited, 0)
        return found

    @cached_property
    def dates(self) -> pl.DataFrame:
        """Of each project day numbers: `since`, its recognition, and of each count when it happened; null for never."""
        names = {"since": "recognised_on", **HAPPENINGS}
        days = [pl.col(column).to_physical().cast(pl.Int64).alias(name) + EPOCH for name, column in names.items()]
        return self.credited.projects.select(*days).with_row_index("project").cast({"project": pl.Int64})

    @cached_property
    def active(self) -> NDArray[np.bool_]:
        """Of each forecast unit whether it can bring something of its own: it has a part, or none is below it."""
        size = len(self.past.basis.rows)
        below, above = self.past.basis.below
        has_below = np.bincount(above[below != above], minlength=size) > 0
        own = np.bincount(self.parts["unit"].to_numpy(), minlength=size) > 0
        return ~has_below | own

    @cached_property
    def vouchers(self) -> pl.DataFrame:
        """The parts of units in vouchers: `unit`, `project`, `day`, `amount` in fen, `in_year` where they count."""
        arrivals = self.tables.arrivals.filter(pl.col("arrived_on") <= self.past.as_of)
        counting = of_year(evolve(self.tables, arrivals=arrivals), self.config.year, self.past.as_of).arrivals
        rows = arrivals.select(
            pl.Series("project", rows_in(arrivals["project"], self.credited.projects["project"])),
            "amount",
            day=pl.col("arrived_on").to_physical().cast(pl.Int64) + EPOCH,
            in_year=pl.col("voucher").is_in(counting["voucher"].implode()),
        )
        return rows.join(self.parts, on="project").select("unit", "project", "day", "in_year", amount=_part("amount"))

    @cached_property
    def contracts(self) -> pl.DataFrame:
        """Units' parts in projects: `unit, project, contracted` (fen, -1 not known), `arrived` at any time, `age`."""
        contracted = self.credited.projects.select(contract="contracted").with_row_index("project")
        arrived = self.vouchers.group_by("unit", "project").agg(arrived=pl.col("amount").sum())
        return (
            self.parts.join(contracted.cast({"project": pl.Int64}), on="project")
            .with_columns(contracted=_part("contract").fill_null(-1))
            .group_by("unit", "project")
            .agg(pl.col("contracted").sum())
            .join(arrived, on=["unit", "project"], how="left")
            .join(self.dates.select("project", "since"), on="project")
            .select(
                "unit",
                "project",
                pl.col("contracted").clip(lower_bound=-1),
                pl.col("arrived").fill_null(0),
                age=self.past.as_of.toordinal() - pl.col("since"),
            )
            .sort("unit", "project")
        )

    @cached_property
    def rate(self) -> Whole:
        """Of each forecast unit what adjustments make of what is confirmed, in 65536ths; where it has none, of all."""
        confirmed = self.at_home(self.claimed(self.credited.confirmed[-1:]))[0].astype(np.float64)
        shared = self.at_home(self.credited.shared[-1:])[0].astype(np.float64)
        of_all = shared.sum() / confirmed.sum() if confirmed.sum() > 0 else 1.0
        rate = np.where(confirmed > 0, shared / np.maximum(confirmed, 1.0), of_all)
        return np.floor(np.clip(rate, 0.0, MOST_RATE) * PARTS + 0.5).astype(np.int64)

    @property
    def adjusted(self) -> bool:
        """Whether adjustments change anything of what is confirmed."""
        return bool((self.credited.shared[-1] != self.claimed(self.credited.confirmed[-1:])[0]).any())

    def at_rate(self, amounts: Whole) -> Whole:
        """Return dates x forecast units of what arrived as what adjustments will leave of it."""
        if not self.adjusted:
            return amounts
        return amounts // PARTS * self.rate + amounts % PARTS * self.rate // PARTS

    @cached_property
    def month_ends(self) -> list[int]:
        """The numbers of the dates of `credited` that are month-ends of the past."""
        ends = {tick.on for tick in self.past.assessment.ticks if tick.is_month_end}
        return [here for here, on in enumerate(self.credited.dates) if on in ends]

    def arrived(self, here: list[int]) -> Whole:
        """Return dates x forecast units: the vouchers that counted by each date, as adjustments will leave them."""
        recognised = np.where(self.credited.recognised[here], self.credited.vouchers[here], 0)
        return self.at_rate(self.at_home(self.claimed(recognised)))

    def confirmed(self, here: list[int]) -> Whole:
        """Return dates x forecast units: what was credited by each date."""
        return self.at_home(self.credited.shared[here])

    def claimed(self, of_projects: Whole) -> Whole:
        """Return dates x claims of an amount of projects."""
        claims = self.credited.claims
        whole, rest = np.divmod(of_projects[:, claims.project], claims.whole)
        found: Whole = whole * claims.weight + rest * claims.weight // claims.whole
        return found

    def at_home(self, of_claims: Whole) -> Whole:
        """Add up dates x claims to dates x forecast units."""
        home = self.past.basis.home[self.credited.claims.unit]
        inside = home >= 0
        size = len(self.past.basis.rows)
        sums = [np.bincount(home[inside], row[inside], minlength=size) for row in of_claims]
        return np.stack(sums).astype(np.int64) if sums else np.zeros((0, size), dtype=np.int64)


def _part(column: str) -> pl.Expr:
    """Return the unit's part of a project's amount, rounded down; amounts are taken apart to stay within 64 bits."""
    amount, weight, whole = pl.col(column), pl.col("weight"), pl.col("whole")
    return amount // whole * weight + amount % whole * weight // whole
