"""What a month of held pay comes to, unit by unit: the same payroll that the ledger is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from attrs import define, evolve, field

from kpi_rules.model.contributions import SCALED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.model.contributions import Rule
    from kpi_rules.model.settings import Parameters
    from kpi_rules.pipeline.guards import Scene
    from kpi_rules.pipeline.pay import Payroll

    Fen = NDArray[np.int64]

_STAFF = ("unit", "person", "grade", "category", "group", "component", "from_on", "to_on")
"""Columns of staff that payroll and measures read, whatever guards read besides."""


def alone(scene: Scene, units: pl.Series) -> Scene:
    """Return what guards and payroll see of measures on some units, and nothing else: it goes to other processes."""
    payroll = scene.payroll
    subtree = payroll.subtree.filter(pl.col("above").is_in(units.implode()))
    of_units = scene.units.filter(pl.col("unit").is_in(units.implode()))
    guards = [each for each in payroll.guards.values() if each.guard.about == "pay"]
    parts = [part for each in guards for part in (each.guard.when, each.limit) if part is not None]
    read = {*_STAFF, *(name for part in parts for name in part.meta.root_names())}
    falls_on = pl.col("unit").is_in(subtree["unit"].implode()) | pl.col("person").is_in(of_units["head"].implode())
    staff = payroll.staff.filter(falls_on).select(name for name in payroll.staff.columns if name in read)
    handovers = scene.handovers
    return evolve(
        scene,
        units=of_units,
        payroll=evolve(
            payroll,
            staff=staff,
            withheld=payroll.withheld.join(staff.select("person").unique(), on="person", how="semi"),
            groups=payroll.groups.filter(pl.col("unit").is_in(units.implode())),
            subtree=subtree,
            deposits=payroll.deposits.clear(),
        ),
        handovers=None if handovers is None else handovers.filter(pl.col("unit").is_in(units.implode())),
    )


@define(eq=False)
class Withholding:
    """The pay that rules withhold from the staff of each unit in a month, by which rules hold it together.

    `rules` are those that hold pay, by id in code-point order; `units` the ids of the units. What several rules hold of
    one person together never exceeds the withholdable component; the first of them to start takes first. Each unit is
    taken by itself: a person whom two units hold counts for both.
    """

    payroll: Payroll
    rules: Mapping[str, Rule]
    units: pl.Series
    _months: dict[tuple[date, tuple[str, ...]], dict[str, Fen]] = field(factory=dict, init=False)

    def under(self, parameters: Parameters) -> Withholding:
        """Return the same under other parameters; itself where the pay that is held goes by none that differs."""
        read = {name for rule in self.rules.values() if rule.hold for name in (rule.hold.share, rule.hold.grades)}
        limits = [
            part for each in self.payroll.guards.values() for part in (each.guard.when, each.limit) if part is not None
        ]
        read |= {root.removesuffix(SCALED) for part in limits for root in part.meta.root_names()}
        old, new = self.payroll.parameters.entries, parameters.entries
        if all(old.get(name) == new.get(name) for name in read if name is not None):
            return self
        return Withholding(evolve(self.payroll, parameters=parameters), self.rules, self.units)

    def month(self, month: date, holding: tuple[str, ...]) -> dict[str, Fen]:
        """Return by rule the fen that it withholds per unit in the month that ends on a day, all `holding` together, in
        the order of their start.
        """
        key = (month, holding)
        if key not in self._months:
            held = pl.DataFrame({"unit": self.units}).with_columns(proposed=pl.lit(month))
            holds = [(self.rules[name], held.with_columns(started=place)) for place, name in enumerate(holding)]
            found = self.payroll.month(month, holds, apart=True)
            self._months[key] = {name: self._by_unit(found, name) for name in holding}
        return self._months[key]

    def _by_unit(self, lines: pl.DataFrame, rule: str) -> Fen:
        if lines.is_empty():
            return np.zeros(len(self.units), dtype=np.int64)
        sums = lines.filter(pl.col("rule") == rule).group_by("unit").agg(pl.col("withheld").sum())
        units = pl.DataFrame({"unit": self.units})
        return units.join(sums, on="unit", how="left", maintain_order="left")["withheld"].fill_null(0).to_numpy()
