"""What is known of the year so far, as arrays: the history that forecasts are fitted to (M13, M14)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from attrs import define, evolve

from kpi_rules.model.forecasts import Contracts, Events, History
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
"""`date(1970, 1, 1).toordinal()`: what day numbers of polars are counted from."""


@define(frozen=True, eq=False, slots=False)
class Known:
    """The evidence of a past, by kept unit."""

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

    @cached_property
    def tables(self) -> Tables:
        """All rows known, without those that checks leave out."""
        past, config = self.past, self.config
        tables = known(past.workspace.tables, past.known_at)
        checks = {
            name: each for name, each in past.workspace.plugins.checks.items() if config.checks.get(name) == "exclude"
        }
        if not checks:
            return tables
        under = Circumstances(config.year, past.as_of, past.workspace.parameters, config.sharing, tables)
        _findings, excluded = verify(of_year(tables, config.year, past.as_of), checks, config.checks, under)
        return without(tables, excluded)

    @cached_property
    def parts(self) -> pl.DataFrame:
        """Who has a part in which project: `project`, `unit` (both row numbers), `weight`, `whole`; recognised ones.

        `unit` is the row of the kept unit, and -1 where the claim is of none.
        """
        claims = self.credited.claims
        recognised = self.credited.recognised[-1][claims.project]
        frame = pl.DataFrame(
            {
                "project": claims.project,
                "unit": self.past.home[claims.unit],
                "claim": np.arange(len(claims.unit)),
                "weight": claims.weight,
                "whole": claims.whole,
            }
        )
        return frame.filter(pl.Series(recognised) & (pl.col("weight") > 0))

    @cached_property
    def recognised_on(self) -> Rows:
        """Of each project the day number of its recognition."""
        return self.credited.projects["recognised_on"].to_physical().fill_null(0).cast(pl.Int64).to_numpy() + EPOCH

    @cached_property
    def active(self) -> NDArray[np.bool_]:
        """Of each kept unit whether it can bring something of its own."""
        below, above = self.past.below
        has_below = np.bincount(above[below != above], minlength=len(self.past.units)) > 0
        own = np.bincount(self.parts["unit"].filter(self.parts["unit"] >= 0).to_numpy(), minlength=len(self.past.units))
        return ~has_below | (own > 0)

    @cached_property
    def vouchers(self) -> pl.DataFrame:
        """The parts of units in the vouchers of recognised projects: `unit`, `project`, `day`, `amount`, `in_year`."""
        arrivals = self.tables.arrivals.filter(pl.col("arrived_on") <= self.past.as_of)
        counting = of_year(evolve(self.tables, arrivals=arrivals), self.config.year, self.past.as_of).arrivals
        rows = arrivals.select(
            pl.Series("project", rows_in(arrivals["project"], self.credited.projects["project"])),
            "amount",
            "voucher",
            day=pl.col("arrived_on").to_physical().cast(pl.Int64) + EPOCH,
            in_year=pl.col("voucher").is_in(counting["voucher"].implode()),
        )
        part = pl.col("amount") // pl.col("whole") * pl.col("weight") + pl.col("amount") % pl.col("whole") * pl.col(
            "weight"
        ) // pl.col("whole")
        return rows.join(self.parts, on="project").select("unit", "project", "day", "in_year", amount=part)

    def events(self, *, in_year: bool) -> Events:
        """Return what arrived, merged by unit, project and month; it counts from its project's recognition on."""
        rows = self.vouchers.filter((pl.col("in_year") == in_year) & (pl.col("unit") >= 0) & (pl.col("amount") > 0))
        since = pl.DataFrame({"project": np.arange(len(self.recognised_on)), "since": self.recognised_on})
        merged = (
            rows.join(since, on="project")
            .with_columns(day=pl.max_horizontal("day", "since") if in_year else pl.col("day"))
            .with_columns(month=(pl.col("day") - EPOCH).cast(pl.Int32).cast(pl.Date).dt.month_start())
            .group_by("unit", "project", "month")
            .agg(pl.col("day").max(), pl.col("amount").sum(), pl.col("since").first())
            .sort("unit", "day", "project")
        )
        return Events(
            merged["unit"].to_numpy(),
            merged["day"].to_numpy(),
            merged["amount"].to_numpy(),
            merged["project"].to_numpy(),
            (merged["day"] - merged["since"]).to_numpy(),
        )

    @cached_property
    def waiting(self) -> Whole:
        """Of each kept unit what arrived for the year and is not yet credited, fen."""
        size = len(self.past.units)
        arrived = self.at_home(self.claimed(self.credited.vouchers[-1:]))[0]
        credited = self.at_home(self.credited.shared[-1:])[0]
        return np.maximum(arrived - credited, 0)[:size]

    def claimed(self, vouchers: Whole) -> Whole:
        """Return of each date and claim its part of the vouchers of recognised projects."""
        claims = self.credited.claims
        amounts = np.where(self.credited.recognised[-len(vouchers) :], vouchers, 0)[:, claims.project]
        whole, rest = np.divmod(amounts, claims.whole)
        found: Whole = whole * claims.weight + rest * claims.weight // claims.whole
        return found

    def at_home(self, of_claims: Whole) -> Whole:
        """Add up dates x claims to dates x kept units."""
        home = self.past.home[self.credited.claims.unit]
        inside = home >= 0
        sums = [np.bincount(home[inside], row[inside], minlength=len(self.past.units)) for row in of_claims]
        return np.stack(sums).astype(np.int64)

    def history(self, name: str) -> History:
        """Return the history of `funds`."""
        units = self.past.units
        groups = tuple(units["group"].drop_nulls().unique().sort().to_list())
        number = {group: at for at, group in enumerate(groups)}
        none = np.zeros(0, dtype=np.int64)
        return History(
            name=name,
            kind="money",
            units=tuple(units["unit"].to_list()),
            group=np.array([number.get(group, -1) for group in units["group"].to_list()], dtype=np.int64),
            groups=groups,
            active=self.active,
            start=self.config.year.start,
            as_of=self.past.as_of,
            ticks=tuple(tick.on for tick in self.past.ticks),
            events=self.events(in_year=True),
            earlier=self.events(in_year=False),
            contracts=Contracts(none, none, none, none, none),
            projects=tuple(self.credited.projects["project"].to_list()),
        )
