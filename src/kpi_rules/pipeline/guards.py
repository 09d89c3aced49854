"""Guards: whom they concern, what they leave of pay, and which measures they keep from being proposed.

A value that a guard needs and that is missing is never read as harmless: the row is concerned, and nothing may be
withheld from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

import polars as pl
from attrs import define, field

from kpi_rules.model import expressions
from kpi_rules.model.deposits import Collect, Forfeit
from kpi_rules.model.expressions import correctly_rounded
from kpi_rules.model.plans import run
from kpi_rules.pipeline.evaluating import evaluating
from kpi_rules.pipeline.panel import with_parameters
from kpi_rules.workspace.guards import MEASURE, GuardInForce

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

    from kpi_rules.model.contributions import Indicator, Rule
    from kpi_rules.model.settings import Parameters
    from kpi_rules.pipeline.pay import Payroll

Guards = Mapping[str, GuardInForce]

PROJECT_TABLES: Final = frozenset({"projects", "claims", "arrivals", "visits"})

FROM_PROJECTS: Final = frozenset(
    [
        "funds",
        "funds_completion",
        "funds_stretch_completion",
        "completion",
        "pace_gap",
        "contracted",
        "vouchers",
        "arrival_rate",
        "campaign_funds",
        "campaign_completion",
    ]
)
"""Indicators computed from the money that projects brought in, where completion is that of funds."""


def judged(rows: pl.DataFrame, guard: GuardInForce, parameters: Parameters, on: date) -> pl.DataFrame:
    """Return rows with what a guard says of each.

    Args:
        rows: of the guard's frame, with `group` where it reads parameters.
        guard: as it holds in the workspace.
        parameters: the workspace's.
        on: the day whose parameters are in force.

    Returns:
        The rows with `hit`, whether the guard concerns the row; `unclear`, whether that is so because its condition is
        null; `left`, the fen it leaves of a month's pay (null for no limit), and `unknown`, whether `left` is 0
        because the limit itself is null.
    """
    when, limit = guard.guard.when, guard.limit
    read = {root for each in (when, limit) if each is not None for root in each.meta.root_names()}
    rows = with_parameters(rows, parameters, on, sorted(read))
    of_pay = guard.guard.about == "pay"
    none = pl.lit(None, pl.Int64)
    with evaluating("guard", guard.name):
        rows = rows.with_columns(
            when_=pl.lit(True) if when is None else correctly_rounded(when),
            # As it stands: a limit divided by 0 stops the assessment, as a null might limit nothing.
            left_=limit if of_pay and limit is not None else none,
        )
    if of_pay and when is None:  # a limit on everybody: null limits nothing
        rows = rows.with_columns(when_=pl.col("left_").is_not_null())
    hit = pl.col("when_").fill_null(value=True)
    lacking = hit & pl.col("left_").is_null() & pl.lit(of_pay and limit is not None)
    left = pl.when(lacking).then(0).when(hit).then(pl.max_horizontal("left_", pl.lit(0)))
    return rows.with_columns(
        hit=hit,
        unclear=pl.col("when_").is_null(),
        unknown=lacking,
        left=left if of_pay and limit is not None else none,
    ).drop("when_", "left_")


def with_limits(staff: pl.DataFrame, guards: Guards, parameters: Parameters, on: date) -> pl.DataFrame:
    """Return staff rows with `limit`, the least that the guards about pay leave of a person's pay in the month that
    ends on a day, over all measures together: fen, never below 0, null where none limits it (M17).
    """
    staff = staff.with_columns(limit=pl.lit(None, pl.Int64))
    for _name, guard in sorted(guards.items()):
        if guard.guard.about == "pay" and guard.limit is not None:
            found = judged(staff, guard, parameters, on)["left"]
            staff = staff.with_columns(limit=pl.min_horizontal("limit", found))
    return staff


@define(eq=False)
class Scene:
    """What guards see of measures: the rules, the units, and the staff a measure falls on.

    `units` has `unit`, `group`, `kind`, `head`; `primary` is the indicator behind completion; `handovers` are those
    known and begun, None where the workspace keeps none.
    """

    guards: Guards
    rules: Mapping[str, Rule]
    indicators: Mapping[str, Indicator]
    units: pl.DataFrame
    payroll: Payroll
    primary: str = "funds"
    handovers: pl.DataFrame | None = None
    _present: dict[date, pl.DataFrame] = field(factory=dict, init=False)
    _hits: dict[tuple[str, str], bool] = field(factory=dict, init=False)

    @property
    def parameters(self) -> Parameters:
        """The workspace's parameters."""
        return self.payroll.parameters

    def about(self, *abouts: str) -> list[GuardInForce]:
        """Return the guards about some frames, in the order of their names."""
        return [guard for _name, guard in sorted(self.guards.items()) if guard.guard.about in abouts]

    def present(self, on: date) -> pl.DataFrame:
        """Return the staff on a day, with what guards leave of their pay."""
        if on not in self._present:
            self._present[on] = self.payroll.present(on)
        return self._present[on]

    def reached(self, rule: Rule, units: pl.DataFrame, on: date) -> pl.DataFrame:
        """Return the persons on whom a rule's measures on units fall on a day.

        Of the staff those that the hold or the deposit reaches, of a head the head of that day, else the unit's own
        entry; a measure on a unit falls on all of its staff. `unit` is that of the measure, `of` that of the person.
        """
        staff, units = self.present(on), units.select("unit").unique(maintain_order=True)
        collected = [each for each in rule.deposit if isinstance(each, Collect)]
        subtree = rule.hold.subtree if rule.hold is not None else any(each.subtree for each in collected)
        found = self.payroll.scope(units, staff, subtree=subtree)
        if rule.hold is not None and rule.hold.grades is not None:
            return run(self.payroll.in_grades(found, rule.hold.grades, on))
        if rule.subject != "head":
            return run(found)
        heads = run(found.filter(pl.col("grade") == "head"))
        others = run(
            units.lazy()
            .join(heads.lazy(), on="unit", how="anti")
            .join(self.units.lazy().select("unit", "group", person="head"), on="unit")
            .filter(pl.col("person").is_not_null())
            .join(staff.lazy().drop("group").rename({"unit": "of"}), on="person", how="left")
        )
        others = others.select(name for name in heads.columns if name in others.columns)
        return pl.concat([heads, others], how="diagonal")

    def measures(self, rule: Rule, measures: pl.DataFrame, on: date) -> pl.DataFrame:
        """Return the frame of guards about measures: one row per measure of a rule and person it falls on.

        Args:
            rule: the rule.
            measures: `unit`, `amount` (fen or null) and whatever else a caller wants to find again.
            on: the day they start.
        """
        persons = self.reached(rule, measures, on).select("unit", "person", "grade", "category")
        units = self.units.lazy().select("unit", "group", unit_kind="kind")
        facts = {**self._facts(rule), "started": on}
        return run(
            measures.lazy()
            .drop("group", "unit_kind", "person", "grade", "category", "deputy", "handed_over_on", strict=False)
            .join(units, on="unit", how="left", maintain_order="left")
            .join(persons.lazy(), on="unit", how="left", maintain_order="left")
            .join(self._handed_over(on).lazy(), on="unit", how="left", maintain_order="left")
            .with_columns(pl.lit(value, MEASURE[name]).alias(name) for name, value in facts.items())
        )

    def _handed_over(self, on: date) -> pl.DataFrame:
        """Return, by unit, the deputy of the first hand-over that lasts on a day or comes after it (M9)."""
        if self.handovers is None:
            return pl.DataFrame(schema={"unit": pl.String, "deputy": pl.String, "handed_over_on": pl.Date})
        lasting = self.handovers.filter(pl.col("to_on").is_null() | (pl.col("to_on") >= on))
        first = lasting.sort("from_on", "deputy").unique("unit", keep="first", maintain_order=True)
        return first.select("unit", "deputy", handed_over_on="from_on")

    def _facts(self, rule: Rule) -> dict[str, Any]:
        """Return the columns of measures that a rule alone gives."""
        return {
            "rule": rule.id,
            "kind": rule.kind,
            "subject": rule.subject,
            "has_end": rule.until is not None,
            "withholds": rule.hold is not None or any(isinstance(each, Collect) for each in rule.deposit),
            "forfeits": any(isinstance(each, Forfeit) for each in rule.deposit),
            "months": rule.months,
            "into": rule.into or None,
            "from_projects": self._is_from_projects(rule),
            "keeps_handovers": self.handovers is not None,
        }

    def may_hit(self, guard: GuardInForce, rule: Rule) -> bool:
        """Whether a guard can concern any measure of a rule, by what the rule alone says of them."""
        key = (guard.name, rule.id)
        if key not in self._hits:
            when = guard.guard.when
            facts = {name: value for name, value in self._facts(rule).items() if value is not None}
            left = None if when is None else expressions.bind(expressions.tree(when), facts)
            self._hits[key] = left is None or expressions.truth(left) is not False
        return self._hits[key]

    def _is_from_projects(self, rule: Rule) -> bool:
        """Whether a rule's amount is computed from money that projects brought in, through whichever indicators."""
        if rule.amount is None:
            return False
        seen: set[str] = set()
        waiting = set(rule.amount.meta.root_names())
        while waiting:
            name = waiting.pop()
            seen.add(name)
            indicator = self.indicators.get(name.removesuffix("_completion"))
            if indicator is not None:
                if indicator.table in PROJECT_TABLES and indicator.kind == "money":
                    return True
                waiting |= set(indicator.value.meta.root_names()) - seen
        return bool(seen & (FROM_PROJECTS if self.primary == "funds" else FROM_PROJECTS - {"completion", "pace_gap"}))


class Blocker(Protocol):
    """Says which measures are kept from being proposed."""

    def reads_amount(self) -> bool:
        """Whether it goes by the amount of a measure."""
        ...

    def blocked(self, rule: str, units: pl.Series, on: date, amounts: pl.Series | None) -> NDArray[np.bool_]:
        """Return for each unit, in order, whether the measure of a rule is blocked there on a day."""
        ...


@define(eq=False)
class Blocking:
    """Which measures guards keep from being proposed, asked for the candidates of one rule at one tick."""

    scene: Scene

    @classmethod
    def of(cls, scene: Scene) -> Blocking | None:
        """Return it where some guard blocks anything."""
        blocks = any(guard.effect == "block" for guard in scene.about("pay", "measure"))
        return cls(scene) if blocks else None

    def reads_amount(self) -> bool:
        """Whether a guard that blocks reads the amount of a measure."""
        guards = [guard for guard in self.scene.about("measure") if guard.effect == "block"]
        return any("amount" in guard.guard.when.meta.root_names() for guard in guards if guard.guard.when is not None)

    def blocked(self, rule: str, units: pl.Series, on: date, amounts: pl.Series | None) -> NDArray[np.bool_]:
        """Return for each unit, in order, whether the measure of a rule is blocked there.

        It is where a guard about measures blocks it for somebody, and where guards leave nothing to be withheld from
        anybody it would fall on. Without any staff nothing is known to be blocked.

        Args:
            rule: its id.
            units: ids.
            on: the day of the tick.
            amounts: fen, one for each unit; None without.
        """
        of_guards = [each["unit"] for each in self.by_guard(rule, units, on, amounts).values()]
        stopped = pl.concat([pl.Series("unit", [], dtype=pl.String), *of_guards])
        return units.is_in(stopped.implode()).to_numpy()

    def by_guard(
        self, rule: str, units: pl.Series, on: date, amounts: pl.Series | None = None
    ) -> dict[str, pl.DataFrame]:
        """Return by guard the rows for which it blocks a measure, each with the person concerned."""
        about = self.scene.rules[rule]
        measures = pl.DataFrame({"unit": units}).with_columns(
            amount=pl.lit(None, pl.Int64) if amounts is None else amounts.cast(pl.Int64)
        )
        found: dict[str, pl.DataFrame] = {}
        guards = [guard for guard in self.scene.about("measure") if guard.effect == "block"]
        guards = [guard for guard in guards if self.scene.may_hit(guard, about)]
        if guards:
            frame = self.scene.measures(about, measures, on)
            for guard in guards:
                rows = judged(frame, guard, self.scene.parameters, on).filter("hit")
                if len(rows):
                    found[guard.name] = rows
        if withholds(about):
            found |= self._without_pay(about, measures, on)
        return found

    def _without_pay(self, rule: Rule, measures: pl.DataFrame, on: date) -> dict[str, pl.DataFrame]:
        """Return by guard about pay the persons of units of whose staff in scope nobody's pay may be withheld."""
        reached = self.scene.reached(rule, measures, on)
        barred = reached.group_by("unit").agg(barred=(pl.col("limit") == 0).fill_null(value=False).all())
        barred = barred.filter("barred")
        if barred.is_empty():
            return {}
        rows = reached.join(barred, on="unit", how="semi", maintain_order="left")
        own = rows.join(self.scene.units.select(of="unit", own="group"), on="of", how="left", maintain_order="left")
        own = own.with_columns(group="own")  # a limit goes by the group of the person's unit
        found = {}
        for guard in self.scene.about("pay"):
            hits = judged(own, guard, self.scene.parameters, on).filter(pl.col("hit") & (pl.col("left") == 0))
            if len(hits):
                found[guard.name] = hits
        return found


def withholds(rule: Rule) -> bool:
    """Whether a rule takes from people's pay."""
    return rule.hold is not None or any(isinstance(each, Collect) for each in rule.deposit)


def taken_from(rule: Rule) -> str:
    """Return the column of staff that a rule takes from: all pay where it collects deposits from that."""
    bases = {each.base for each in rule.deposit if isinstance(each, Collect)}
    return "total_pay" if "total_pay" in bases and rule.hold is None else "component"


def missing(row: Mapping[str, Any], guard: GuardInForce, names: Iterable[str]) -> str:
    """Name what a guard could not be judged by in a row: what is empty there, or else what it does not know."""
    roots: list[str] = []
    if row["unclear"] and guard.guard.when is not None:
        roots += guard.guard.when.meta.root_names()
    if row["unknown"] and guard.limit is not None:
        roots += guard.limit.meta.root_names()
    read = [name for name in dict.fromkeys(roots) if name in set(names)]
    empty = [name for name in read if row[name] is None or (row[name] == 0 and "." in name)]
    return ", ".join(empty or [f"{name} {row[name]}" for name in read])
