"""Tallies: indicators that are sums over the rows of a table, per unit and its descendants, at each date (M4, M11)."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from attrs import define, field

from kpi_rules.locale import _
from kpi_rules.model.expressions import correctly_rounded
from kpi_rules.model.money import LIMIT
from kpi_rules.model.problems import AssessmentError, Place, error
from kpi_rules.pipeline.credit import ancestors
from kpi_rules.pipeline.evaluating import evaluating, exactly, multiplies
from kpi_rules.pipeline.panel import with_parameters
from kpi_rules.pipeline.viewed import viewed
from kpi_rules.workspace.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.model.calendar import Year
    from kpi_rules.model.contributions import Indicator
    from kpi_rules.model.settings import Parameters
    from kpi_rules.pipeline.credit import Credited
    from kpi_rules.workspace.tables import Tables

    Money = NDArray[np.int64]

UNKNOWN: Final = ":unknown"
"""Suffix of the column that counts, for each sum, the rows whose value is not known."""


def tallies(
    indicators: Mapping[str, Indicator], tables: Tables, credited: Credited, year: Year, parameters: Parameters
) -> dict[str, Money]:
    """Return the sums, dates x units, by the indicator's name.

    Args:
        indicators: those with a table.
        tables: verified evidence, as `credit` had it.
        credited: what that came to; its dates are ours.
        year: the assessment year.
        parameters: those that values may read, as in force at each date for the row's own unit.
    """
    if not indicators:
        return {}
    rows = _Rows(tables, credited, year, parameters)
    found: dict[str, Money] = {}
    for name, indicator in indicators.items():
        of_row = correctly_rounded(indicator.value)
        make = exactly if multiplies(of_row) else _plainly
        by_date = (
            rows.sums(name, indicator, partial(make, expression=of_row), here) for here in range(len(credited.dates))
        )
        sums, unknown = zip(*by_date, strict=True)
        found[name] = np.stack(sums)
        found[name + UNKNOWN] = np.stack(unknown)
    return found


def _plainly(frame: pl.DataFrame, expression: pl.Expr) -> pl.Series:
    return frame.with_columns(value=expression)["value"]


_EVIDENCE: Final = ":evidence"
"""Column of the position of a row in its table: one that several units claim is one row for the unit above them."""


@define(eq=False, slots=False)
class _Rows:
    """The rows that count at a date, and whose they are."""

    tables: Tables
    credited: Credited
    year: Year
    parameters: Parameters
    _made: dict[tuple[str, int], pl.DataFrame] = field(factory=dict, init=False)

    def sums(
        self, name: str, indicator: Indicator, make: Callable[[pl.DataFrame], pl.Series], here: int
    ) -> tuple[Money, Money]:
        """Return the sum of each unit at date number `here`, and how many of its rows have no known value.

        `make` gives the value of each row.
        """
        on = self.credited.dates[here]
        key = (indicator.table, here)
        if key not in self._made:
            self._made[key] = self._of(*key)
        rows = self._made[key]
        rows = with_parameters(rows, self.parameters, on, indicator.value.meta.root_names())
        with evaluating("indicator", name):
            value = make(rows)
        once = value.dtype == pl.Boolean
        frame = rows.select("unit", _EVIDENCE).with_columns(
            value=value.fill_null(value=False).cast(pl.Int64) if once else value
        )
        spread = frame.join(self._own if indicator.own else self._above, on="unit", maintain_order="left")
        if (
            once or indicator.table != "projects"
        ):  # a row of evidence counts once, however many of a unit's own claim it
            counted = spread.filter(pl.col("value") > 0) if once else spread
            spread = counted.unique([_EVIDENCE, "above"], keep="first", maintain_order=True)
        places = spread["above"].to_numpy()
        size = len(self.tables.units)
        unknown = np.bincount(places[spread["value"].is_null().to_numpy()], minlength=size).astype(np.int64)
        sums = np.bincount(places, spread["value"].fill_null(0).to_numpy(), minlength=size).astype(np.int64)
        worst = sums[(sums < 0) | (sums > LIMIT)]
        if len(worst):
            raise _out_of_bounds(name, int(worst[0]), on)
        return sums, unknown

    @cached_property
    def _above(self) -> pl.DataFrame:
        unit, above = ancestors(self.tables.units)
        return pl.DataFrame({"unit": self.tables.units["unit"].gather(unit), "above": above})

    @cached_property
    def _own(self) -> pl.DataFrame:
        return self.tables.units.select("unit").with_columns(above=pl.int_range(pl.len()))

    def _of(self, table: str, here: int) -> pl.DataFrame:
        """Return the rows of a table that count at a date, each with the `unit` it is counted for, and its group."""
        rows = self._claimed(table, here).with_columns(
            tick=pl.lit(self.credited.dates[here]),
            year_start=pl.lit(self.year.start),
            year_end=pl.lit(self.year.end),
        )
        groups = self.tables.units.select("unit", "group")
        return rows.join(groups, on="unit", how="left", maintain_order="left")

    def _claimed(self, table: str, here: int) -> pl.DataFrame:
        rows = viewed(self.tables, table, self.credited.dates[here])
        schema = SCHEMAS[table]
        if schema.happens is not None:
            rows = rows.filter(pl.col(schema.happens) <= self.credited.dates[here])
        rows = rows.with_row_index(_EVIDENCE)
        if "project" not in rows.columns:
            return rows
        claims = self._claims(here)
        if table == "projects":
            amounts = {"vouchers": self.credited.vouchers[here], "confirmed": self.credited.confirmed[here]}
            projects = (
                self.credited.projects.drop("unit")
                .with_row_index(_EVIDENCE)
                .with_columns(**{name: pl.Series(amount) for name, amount in amounts.items()})
            )
            return claims.join(projects, on="project", maintain_order="left")
        if table == "claims":
            return rows.join(
                claims.select("project", "unit"), on=["project", "unit"], how="semi", maintain_order="left"
            )
        return rows.join(claims.select("project", "unit"), on="project", maintain_order="left")

    def _claims(self, here: int) -> pl.DataFrame:
        """Return `project`, `unit`, `share`, `credited` of every claim on a project that counts at a date."""
        claims = self.credited.claims
        return pl.DataFrame(
            {
                "project": self.credited.projects["project"].gather(claims.project),
                "unit": self.tables.units["unit"].gather(claims.unit),
                "share": claims.share,
                "credited": self.credited.shared[here],
            }
        ).filter(pl.Series(self.credited.recognised[here][claims.project] & (claims.share > 0)))


def _out_of_bounds(name: str, amount: int, on: date) -> AssessmentError:
    found = _("{amount} on {day}").format(amount=amount, day=on)
    expected = _("a sum from 0 to {most}").format(most=LIMIT)
    return AssessmentError(
        [error("amount-out-of-bounds", Place(key=f"indicator {name}"), found=found, expected=expected)]
    )
