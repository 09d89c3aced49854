"""What a month of held pay comes to, unit by unit: the same payroll that the ledger is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.model.contributions import Rule
    from kpi_rules.pipeline.pay import Payroll

    Fen = NDArray[np.int64]


@define(eq=False)
class Withholding:
    """The pay that rules withhold from the staff of each unit in a month, by which rules hold it together.

    `rules` are those that hold pay, by id in code-point order; `units` the ids of the units. What several rules hold of
    one person together never exceeds the withholdable component; it is theirs in the order of their ids. Each unit is
    taken by itself: a person whom two units hold counts for both.
    """

    payroll: Payroll
    rules: Mapping[str, Rule]
    units: pl.Series
    _months: dict[tuple[date, frozenset[str]], dict[str, Fen]] = field(factory=dict, init=False)

    def month(self, month: date, holding: frozenset[str]) -> dict[str, Fen]:
        """Return by rule the fen that it withholds per unit in the month that ends on a day, all `holding` together."""
        key = (month, holding)
        if key not in self._months:
            day = pl.lit(month)
            held = pl.DataFrame({"unit": self.units}).with_columns(proposed=day, started=day)
            found = self.payroll.month(month, [(self.rules[name], held) for name in sorted(holding)], apart=True)
            self._months[key] = {name: self._by_unit(found, name) for name in holding}
        return self._months[key]

    def _by_unit(self, lines: pl.DataFrame, rule: str) -> Fen:
        if lines.is_empty():
            return np.zeros(len(self.units), dtype=np.int64)
        sums = lines.filter(pl.col("rule") == rule).group_by("unit").agg(pl.col("withheld").sum())
        units = pl.DataFrame({"unit": self.units})
        return units.join(sums, on="unit", how="left", maintain_order="left")["withheld"].fill_null(0).to_numpy()
