"""Histories: for each whole number that goes on, what of it happened so far, ready to be fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from attrs import define, field

from kpi_rules.model.forecasts import Contracts, Events, History
from kpi_rules.pipeline.credit import HAPPENINGS
from kpi_rules.pipeline.tally import UNKNOWN
from kpi_rules.simulation.known import EPOCH, Known

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kpi_rules.model.forecasts import Kind

    Rows = NDArray[np.int64]
    Whole = NDArray[np.int64]

_EVENT: Final = {"unit": pl.Int64, "day": pl.Int64, "amount": pl.Int64, "project": pl.Int64, "since": pl.Int64}


@define(frozen=True, eq=False)
class Histories:
    """Makes the histories of one past."""

    known: Known
    _groups: tuple[str, ...] = field(init=False)

    @_groups.default
    def _all_groups(self) -> tuple[str, ...]:
        return tuple(self.known.past.basis.units["group"].drop_nulls().unique().sort().to_list())

    def of(self, name: str) -> History | None:
        """Return the history of a whole number; None of one that nothing can be said of but its last value."""
        if name == "funds":
            return self._funds()
        if name == "recognised" or name in HAPPENINGS:
            return self._history(name, "count", self._happened(name))
        if name == "contracted":
            return self._history(name, "money", self._signed_contracts())
        return self._sum(name)

    def _funds(self) -> History:
        known = self.known
        if not known.by_vouchers:
            return self._history("funds", "money", self._credited())
        rows = known.vouchers.filter(pl.col("amount") > 0).join(known.dates.select("project", "since"), on="project")
        # A voucher counts once its project is recognised: then it has arrived.
        effective = pl.when("in_year").then(pl.max_horizontal("day", "since")).otherwise("day")
        rows = rows.with_columns(day=effective)
        if known.adjusted:
            rate = pl.DataFrame({"unit": np.arange(len(known.rate)), "rate": known.rate})
            left = pl.col("amount") // 65_536 * pl.col("rate") + pl.col("amount") % 65_536 * pl.col("rate") // 65_536
            rows = rows.join(rate, on="unit").with_columns(amount=left)
        earlier = rows.filter(~pl.col("in_year")).select(list(_EVENT))
        contracts = known.contracts
        return self._history(
            "funds",
            "money",
            rows.filter("in_year").select(list(_EVENT)),
            earlier,
            Contracts(*(contracts[name].to_numpy() for name in ("unit", "project", "contracted", "arrived", "age"))),
        )

    def _credited(self) -> pl.DataFrame:
        """Return what was newly credited at each month-end, where it is not vouchers that bear it out."""
        known, here = self.known, self.known.month_ends
        credited = known.credited.shared[here]
        new = np.diff(credited, axis=0, prepend=0)
        month, claim = np.nonzero(new > 0)
        claims = known.credited.claims
        home = known.past.basis.home[claims.unit[claim]]
        days = np.array([known.credited.dates[at].toordinal() for at in here], dtype=np.int64)
        frame = pl.DataFrame(
            {"unit": home, "day": days[month], "amount": new[month, claim], "project": claims.project[claim]}
        )
        return frame.filter(pl.col("unit") >= 0).join(known.dates.select("project", "since"), on="project")

    def _happened(self, name: str) -> pl.DataFrame:
        """Return when recognised projects began to count in a count, once for each forecast unit."""
        known = self.known
        dates = known.dates.with_columns(recognised=pl.col("since"))
        rows = known.parts.select("unit", "project").unique().join(dates, on="project").drop_nulls(name)
        year = known.config.year.start.toordinal()
        if name != "recognised" and not name.endswith("_ever"):
            rows = rows.filter(pl.col(name) >= year)
        rows = rows.with_columns(day=pl.max_horizontal(name, "since"), amount=pl.lit(1, pl.Int64))
        return rows.filter(pl.col("day").is_between(year, known.past.as_of.toordinal())).select(list(_EVENT))

    def _signed_contracts(self) -> pl.DataFrame:
        """Return the contracts of projects by their recognition, whole for each forecast unit that has a part."""
        contracts = self.known.credited.projects.select(amount="contracted").with_row_index("project")
        return (
            self._happened("recognised")
            .drop("amount")
            .join(contracts.cast({"project": pl.Int64}).drop_nulls(), on="project")
            .select(list(_EVENT))
        )

    def _sum(self, name: str) -> History | None:
        """Return the history of a plugin's sum by what it grew at each tick; None where it fell or is not known."""
        past = self.known.past
        units = self.known.credited.units
        indicator = past.workspace.plugins.indicators.get(name)
        if indicator is None or name not in units or (name + UNKNOWN in units and units[name + UNKNOWN].any()):
            return None
        dates = [tick.on for tick in past.assessment.ticks]
        here = [self.known.credited.dates.index(on) for on in dates]
        totals = units[name][here][:, past.basis.rows]
        own = np.stack([past.basis.tree.own(row) for row in totals]) if not indicator.own else totals
        grown = np.diff(own, axis=0, prepend=0)
        if (grown < 0).any():
            return None
        tick, unit = np.nonzero(grown)
        days = np.array([on.toordinal() for on in dates], dtype=np.int64)
        frame = pl.DataFrame({"unit": unit, "day": days[tick], "amount": grown[tick, unit]})
        nothing = pl.lit(-1, pl.Int64)
        kind: Kind = "money" if indicator.kind == "money" else "count"
        return self._history(name, kind, frame.with_columns(project=nothing, since=nothing))

    def _history(
        self,
        name: str,
        kind: Kind,
        events: pl.DataFrame,
        earlier: pl.DataFrame | None = None,
        contracts: Contracts | None = None,
    ) -> History:
        past = self.known.past
        number = pl.DataFrame({"group": self._groups}, schema={"group": pl.String}).with_row_index("number")
        of_group = past.basis.units.select("group").join(number, on="group", how="left", maintain_order="left")[
            "number"
        ]
        none = np.zeros(0, dtype=np.int64)
        return History(
            name=name,
            kind=kind,
            units=tuple(past.basis.units["unit"].to_list()),
            group=of_group.cast(pl.Int64).fill_null(-1).to_numpy(),
            groups=self._groups,
            active=self.known.active,
            start=self.known.config.year.start,
            as_of=past.as_of,
            ticks=tuple(tick.on for tick in past.ticks),
            events=_merged(events),
            earlier=_merged(pl.DataFrame(schema=_EVENT) if earlier is None else earlier),
            contracts=Contracts(none, none, none, none, none) if contracts is None else contracts,
            projects=tuple(self.known.credited.projects["project"].to_list()),
        )


def _merged(rows: pl.DataFrame) -> Events:
    """Return what a project brought a unit in a month as one event: its vouchers come together."""
    merged = (
        rows.with_columns(month=(pl.col("day") - EPOCH).cast(pl.Int32).cast(pl.Date).dt.month_start())
        .group_by("unit", "project", "month")
        .agg(pl.col("day").max(), pl.col("amount").sum(), pl.col("since").first())
        .sort("unit", "day", "project")
        .with_columns(age=pl.when(pl.col("project") >= 0).then(pl.col("day") - pl.col("since")).otherwise(-1))
    )
    return Events(*(merged[name].to_numpy() for name in ("unit", "day", "amount", "project", "age")))
