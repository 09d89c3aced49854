"""Pay: from the months withheld per unit to entries per person, exactly, and released exactly (M17, M18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl
from attrs import define

from kpi_rules.model.contributions import SCALED, share_of
from kpi_rules.model.plans import run
from kpi_rules.pipeline.guards import with_limits
from kpi_rules.pipeline.measures import happened, measure_id
from kpi_rules.pipeline.panel import parameter_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from kpi_rules.model.calendar import Tick
    from kpi_rules.model.contributions import Hold, Rule
    from kpi_rules.model.settings import Parameters
    from kpi_rules.pipeline.decided import Decided, Happening
    from kpi_rules.pipeline.guards import Guards

LINES: Final = {
    "year": pl.Int64,
    "measure": pl.String,
    "person": pl.String,
    "unit": pl.String,
    "rule": pl.String,
    "component": pl.String,
    "month": pl.Date,
    "withheld": pl.Int64,
    "released_on": pl.Date,
    "reversed_on": pl.Date,
}
"""The ledger: one line per person, month and hold; at most one of the last two dates is there."""

ENTRIES: Final = {
    "year": pl.Int64,
    "on": pl.Date,
    "entry": pl.String,
    "measure": pl.String,
    "person": pl.String,
    "unit": pl.String,
    "rule": pl.String,
    "component": pl.String,
    "month": pl.Date,
    "amount": pl.Int64,
}
"""The entries behind the ledger: `entry` is `withheld`, `released` or `reversed`, and for deposits `paid`, `forfeited`,
`refunded` or `returned`; amounts are never negative.
"""

ORDER: Final = ("on", "entry", "month", "unit", "rule", "person")
"""The order of entries."""


@define(frozen=True, eq=False)
class Payroll:
    """What pay is computed from: the staff with the group of their unit, limits, and money other years already
    withhold.
    """

    staff: pl.DataFrame
    withheld: pl.DataFrame
    guards: Guards
    parameters: Parameters
    component: str
    year: int
    groups: pl.DataFrame
    """`unit` and `group`: whose share and scope hold is the group of the unit the measure is on."""
    subtree: pl.DataFrame
    """Pairs of `unit` and its ancestor or itself `above`."""
    deposits: pl.DataFrame
    """What was paid in, as it is known."""

    def month(self, month: date, holds: Sequence[tuple[Rule, pl.DataFrame]], *, apart: bool = False) -> pl.DataFrame:
        """Return what one month withholds.

        Args:
            month: its last day.
            holds: per rule the units it holds, a frame of `unit`, `proposed` and `started`; decisions may put a day
                between the two.
            apart: take each unit as if it alone were held, for whoever asks what if.

        Returns:
            `person`, `unit`, `rule`, `proposed`, `month`, `withheld`; two holds on one person are served in the order
            of their start, rule id and unit id, and never exceed the withholdable component together.
        """
        staff = self.present(month)
        wanted = [self._wanted(rule, rule.hold, units, staff, month) for rule, units in holds if rule.hold is not None]
        if not wanted:
            return pl.DataFrame(schema={"person": pl.String})
        before = (pl.col("wanted").cum_sum() - pl.col("wanted")).over(
            ["person", "unit"] if apart else ["person"], order_by=["started", "rule", "unit"]
        )
        left = pl.col("withholdable") - pl.col("before") - pl.col("elsewhere")
        return run(
            pl.concat(wanted)
            .join(self.elsewhere(month).lazy(), on="person", how="left")
            .with_columns(pl.col("elsewhere").fill_null(0))
            .sort("started", "rule", "unit", "person")
            .with_columns(before=before)
            .with_columns(withheld=pl.min_horizontal("wanted", pl.max_horizontal(left, pl.lit(0))), month=pl.lit(month))
            .filter(pl.col("withheld") > 0)
            .select("person", "unit", "rule", "proposed", "month", "withheld")
        )

    def present(self, month: date) -> pl.DataFrame:
        """Return the staff rows that cover the last day of a month, with `limit`, the least that guards leave of a
        person's pay (null where none limits it), and `withholdable`, the component so reduced; neither is below 0.
        """
        there = (pl.col("from_on").is_null() | (pl.col("from_on") <= month)) & (
            pl.col("to_on").is_null() | (pl.col("to_on") >= month)
        )
        staff = self.staff.filter(there)
        staff = with_limits(staff, self.guards, self.parameters, month)
        return staff.with_columns(withholdable=pl.min_horizontal("component", "limit"))

    def scope(self, units: pl.DataFrame, staff: pl.DataFrame, *, subtree: bool) -> pl.LazyFrame:
        """Return the staff of units, or of their subtrees, each row with the unit of the measure and its group."""
        reached = units.lazy().with_columns(of="unit")
        if subtree:
            reached = units.lazy().join(self.subtree.lazy().select(of="unit", unit="above"), on="unit")
        return (
            staff.lazy()
            .drop("group")
            .rename({"unit": "of"})
            .join(reached, on="of")
            .join(self.groups.lazy(), on="unit", how="left", maintain_order="left")
        )

    def _wanted(self, rule: Rule, hold: Hold, units: pl.DataFrame, staff: pl.DataFrame, month: date) -> pl.LazyFrame:
        """Return floor(share x withholdable) of everybody in the scope of one rule."""
        share = parameter_columns(self.parameters, month, [hold.share + SCALED])
        scope = self.scope(units, staff, subtree=hold.subtree).with_columns(**share)
        if hold.grades is not None:
            scope = self.in_grades(scope, hold.grades, month)
        wanted = share_of(pl.col(hold.share), pl.col("withholdable"))
        held = ("person", "unit", pl.lit(rule.id).alias("rule"), "proposed", "started", "withholdable")
        return scope.select(*held, wanted=wanted)

    def in_grades(self, scope: pl.LazyFrame, grades: str, month: date) -> pl.LazyFrame:
        """Keep the staff whose grade the parameter names; it may differ between peer groups."""
        groups = self.groups["group"].unique().to_list()
        named = [
            {"group": group, "grade": grade}
            for group in groups
            for grade in sorted(set(self.parameters.at(grades, month, group).value))  # type: ignore[arg-type]  # a list of texts
        ]
        wanted = pl.DataFrame(named, schema={"group": pl.String, "grade": pl.String})
        return scope.join(wanted.lazy(), on=["group", "grade"], how="semi", nulls_equal=True)

    def elsewhere(self, month: date) -> pl.DataFrame:
        """Return what other years withhold from persons in a month: `person`, `elsewhere`."""
        of_month = self.withheld.lazy().filter(pl.col("month") == month)
        return run(of_month.group_by("person").agg(elsewhere=pl.col("amount").sum()))


def ledger(
    decided: Decided,
    ticks: Sequence[Tick],
    units: pl.Series,
    rules: Mapping[str, Rule],
    payroll: Payroll,
    undone: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the projected ledger (`LINES`), ordered by month, unit, rule and person.

    A line is released at the first tick, from its month on, at which the end condition of the hold that booked it
    was true; it is reversed where its measure was reversed before that. `undone` names reversed measures: `measure`,
    `on`.
    """
    days = pl.Series([tick.on for tick in ticks], dtype=pl.Date)
    by_month: dict[int, list[tuple[Rule, pl.DataFrame]]] = {}
    starts = _starts(decided.events, days, units)
    for booking in decided.bookings:
        held = happened([booking], days, units).lazy().select("unit", "proposed")
        held = held.join(starts[booking.rule].lazy(), on=["unit", "proposed"], how="left", maintain_order="left")
        by_month.setdefault(booking.tick, []).append((rules[booking.rule], run(held)))
    months = [payroll.month(ticks[here].on, holds) for here, holds in sorted(by_month.items())]
    lines = pl.concat([month for month in months if len(month.columns) > 1]) if months else pl.DataFrame()
    if lines.is_empty():
        return pl.DataFrame(schema=LINES)
    released = _released(decided.releases, days, units)
    return run(
        lines.lazy()
        .sort("month")
        .join_asof(
            released.lazy(),
            left_on="month",
            right_on="released_on",
            by=["unit", "rule"],
            strategy="forward",
            coalesce=False,
            check_sortedness=False,
        )
        .with_columns(
            year=pl.lit(payroll.year, pl.Int64),
            measure=measure_id(payroll.year),
            component=pl.lit(payroll.component),
        )
        .join(_undone(undone).lazy(), on="measure", how="left", maintain_order="left")
        .with_columns(
            released_on=pl.when(~(pl.col("reversed_on") < pl.col("released_on")).fill_null(value=False)).then(
                pl.col("released_on")
            ),
            reversed_on=pl.when(~(pl.col("released_on") <= pl.col("reversed_on")).fill_null(value=False)).then(
                pl.col("reversed_on")
            ),
        )
        .select(*LINES)
        .sort("month", "unit", "rule", "person")
    )


def _undone(undone: pl.DataFrame | None) -> pl.DataFrame:
    if undone is None:
        return pl.DataFrame(schema={"measure": pl.String, "reversed_on": pl.Date})
    return undone.select("measure", reversed_on="on")


def _starts(events: Sequence[Happening], days: pl.Series, units: pl.Series) -> dict[str, pl.DataFrame]:
    """Return by rule the day each of its measures started: `unit`, `proposed`, `started`."""
    started = happened([each for each in events if each.kind == "started"], days, units)
    measures = started.select("rule", "unit", "proposed", started="tick")
    return {
        rule: of_rule for (rule,), of_rule in measures.partition_by("rule", include_key=False, as_dict=True).items()
    }


def _released(releases: Sequence[Happening], days: pl.Series, units: pl.Series) -> pl.DataFrame:
    return happened(releases, days, units).select("unit", "rule", released_on="tick").sort("released_on")


def entries(lines: pl.DataFrame) -> pl.DataFrame:
    """Return the entries behind a ledger (`ENTRIES`): what was withheld at each month-end, and released or reversed at
    a tick.
    """
    withheld = lines.with_columns(entry=pl.lit("withheld"), on=pl.col("month"), amount=pl.col("withheld"))
    released = lines.filter(pl.col("released_on").is_not_null()).with_columns(
        entry=pl.lit("released"), on=pl.col("released_on"), amount=pl.col("withheld")
    )
    back = lines.filter(pl.col("reversed_on").is_not_null()).with_columns(
        entry=pl.lit("reversed"), on=pl.col("reversed_on"), amount=pl.col("withheld")
    )
    return pl.concat([each.select(*ENTRIES) for each in (withheld, released, back)]).sort(*ORDER)
