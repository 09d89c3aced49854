"""The result of an assessment: frames, each made when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from kpi_rules.model.calendar import MOMENTS
from kpi_rules.model.columns import AFTER_ADJUSTMENTS, BEFORE_ADJUSTMENTS, indicator_schema
from kpi_rules.model.plans import run
from kpi_rules.model.text import fields
from kpi_rules.pipeline.decisions import with_decisions
from kpi_rules.pipeline.deposits import Desk, keep
from kpi_rules.pipeline.guarded import Guarded
from kpi_rules.pipeline.measures import EVENTS, MEASURES, event_frame, measure_frame, persons, reason_of
from kpi_rules.pipeline.panel import parameter_columns
from kpi_rules.pipeline.pay import ORDER, entries, ledger
from kpi_rules.pipeline.revocation import revocations
from kpi_rules.pipeline.verify import FINDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.hooks.manager import Plugin
    from kpi_rules.model.calendar import Tick
    from kpi_rules.model.contributions import Rule
    from kpi_rules.model.problems import Problem
    from kpi_rules.pipeline.assess import Evidence
    from kpi_rules.pipeline.decided import Decided
    from kpi_rules.pipeline.decisions import Rulings
    from kpi_rules.pipeline.deposits import Deposited
    from kpi_rules.pipeline.explain import Explanation
    from kpi_rules.pipeline.guards import Scene
    from kpi_rules.pipeline.panel import Panel
    from kpi_rules.pipeline.pay import Payroll
    from kpi_rules.pipeline.rulebook import Rulebook
    from kpi_rules.workspace.edits import Edit
    from kpi_rules.workspace.workspace import Workspace


class Assessment:
    """What an assessment found; every attribute is a polars frame made at its first use.

    Attributes `units`, `events`, `measures`, `ledger`, `entries`, `findings`, `waterfall` have the columns that
    `semantics.md` fixes; money is Int64 fen. Persons appear by id.
    """

    def __init__(  # noqa: PLR0913, PLR0917 (the stages of the pipeline, each once)
        self,
        workspace: Workspace,
        evidence: Evidence,
        panel: Panel,
        rulebook: Rulebook,
        decided: Decided,
        payroll: Payroll,
        findings: pl.DataFrame,
        rulings: Rulings | None = None,
        *,
        scene: Scene,
    ) -> None:
        """Keep what the stages gave; `kpi_rules.assess` is the way to make one."""
        self.workspace = workspace
        self.evidence = evidence
        self.as_of = evidence.as_of
        self.known_at = evidence.known_at
        self.panel = panel
        self.rulebook = rulebook
        self.credited = evidence.source.credited
        self.decided = decided
        self._checked = findings
        self.scene = scene
        self.payroll = payroll
        self._quotas = evidence.source.quotas
        self.rulings = rulings
        self._carried = [{"lag": pl.repeat(0, len(panel.units), dtype=pl.Int64, eager=True)}]
        self._decisions = evidence.decisions
        config = workspace.config
        assert config is not None  # noqa: S101 (a workspace without a configuration has errors and is not assessed)
        self.year = config.year.label

    def __repr__(self) -> str:
        """Name the workspace and the two days the assessment goes by, on one line."""
        units, ticks = len(self.panel.units), len(self.ticks)
        days = f"as of {self.as_of}, known at {self.known_at}"
        return f"<Assessment of {self.workspace.name!r} {days}: {units} units, {ticks} ticks>"

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """The ticks, in order."""
        return self.panel.ticks

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with the workspace, without being an error."""
        return self.workspace.problems

    @property
    def quarantine(self) -> pl.DataFrame:
        """The rows left out because they broke: `file, table, row, column, value, code, reason`."""
        return self.workspace.quarantine

    @property
    def provenance(self) -> Mapping[str, Plugin]:
        """Which plugin, in which version, gave each rule."""
        plugins = self.workspace.plugins
        return {rule: plugin for rule in plugins.rules if (plugin := plugins.provenance("rule", rule)) is not None}

    @cached_property
    def units(self) -> pl.DataFrame:
        """`unit`, `tick` and the indicators, one row per unit and tick (of large populations the last tick alone)."""
        if not self.evidence.whole_panel:
            return self.figures()
        return pl.concat([self.figures(here) for here in range(len(self.ticks))])

    def figures(self, here: int | None = None) -> pl.DataFrame:
        """Return `unit`, `tick` and the indicators at tick number `here`, by default the last, one row per unit."""
        here = len(self.ticks) - 1 if here is None else here
        names = self.indicator_names
        frame = self.decided.frame(here) if here in self.decided.frames else self._derived(here, set(names))
        ids = self.panel.units["unit"]
        return frame.select(pl.lit(ids).alias("unit"), pl.lit(self.ticks[here].on).alias("tick"), *names)

    @cached_property
    def events(self) -> pl.DataFrame:
        """`year, tick, rule, unit, measure, event, amount`: every start, end, supersession and issue."""
        return event_frame(self.decided.events, self.ticks, self.panel.units["unit"], self.year).select(*EVENTS)

    @cached_property
    def measures(self) -> pl.DataFrame:
        """`id, year, rule, unit, subject, person, kind, started, ended, active, amount, reason, sources, status`, and
        of the last decision on it `decision, decided_on, decided_by, decision_reason`; then what guards say of it:
        `guards`, ids with effects, and `remarks`.
        """
        return self.guarded.attached()

    @cached_property
    def findings(self) -> pl.DataFrame:
        """`code, severity, effect, table, key, message`: what checks find in the evidence, and guards in all of it."""
        if not self.scene.guards:
            return self._checked
        taken_back = pl.DataFrame(list(revocations(self)), schema=FINDINGS, orient="row")
        return pl.concat([self._checked, self.guarded.findings(), taken_back])

    @cached_property
    def guarded(self) -> Guarded:
        """What the guards of the workspace say of this assessment."""
        return Guarded(
            self.scene,
            self.ticks,
            self.year,
            self._unguarded,
            self.decided.blocked,
            self.workspace.tables,
            self.known_at,
        )

    @property
    def decisions(self) -> pl.DataFrame | None:
        """The decisions the assessment was made with."""
        return self._decisions

    @cached_property
    def in_force(self) -> pl.DataFrame:
        """`id, rule, unit, started, active, status` of the measures that are active or proposed at the end; it takes a
        fraction of `measures`, which says all of every measure.
        """
        stands = pl.col("active") | (pl.col("status") == "proposed")
        return self._known.filter(stands).select("id", "rule", "unit", "started", "active", "status")

    @cached_property
    def _known(self) -> pl.DataFrame:
        """The measures, without persons, reasons and what was decided on each."""
        return measure_frame(self.decided, self.ticks, self.panel.units["unit"], self.rulebook.rules, self.year)

    @cached_property
    def _unguarded(self) -> pl.DataFrame:
        tables, known = self.workspace.tables, self._known
        whole = known.with_columns(person=persons(known, tables.units, tables.staff), reason=self._reasons(known))
        return with_decisions(whole.select(*MEASURES), self._decisions, min(self.as_of, self.known_at))

    def _reasons(self, measures: pl.DataFrame) -> pl.Series:
        """Return the reason of each measure, with the figures of the tick it was proposed at."""
        here = {tick.on: number for number, tick in enumerate(self.ticks)}
        reasons: dict[tuple[object, ...], str] = {}
        for (on,), group in measures.group_by("proposed"):
            measured = list(zip(group["rule"].to_list(), group["unit"].to_list(), strict=True))
            rules = {name: self.rulebook.rules[name] for name, _unit in measured}
            names = {name for rule in rules.values() for name in fields(rule.reason)}
            frame = self.frame_at(here[on], group["unit"], names)
            rows = {row["unit"]: row for row in frame.iter_rows(named=True)}
            for rule, unit in measured:
                reasons[rule, unit, on] = reason_of(rules[rule], rows[unit])
        keys = measures.select("rule", "unit", "proposed").iter_rows()
        return pl.Series("reason", [reasons[key] for key in keys], dtype=pl.String)

    def reason(self, rule: Rule, unit: str, here: int) -> str:
        """Return the reason of a measure of one unit, proposed at tick number `here`."""
        frame = self.frame_at(here, pl.Series([unit]), set(fields(rule.reason)))
        return reason_of(rule, frame.row(0, named=True))

    @property
    def indicator_names(self) -> list[str]:
        """The indicators that were computed, in order."""
        there = self.decided.frames[len(self.ticks) - 1][0].columns
        return [name for name in indicator_schema(self.panel.terms.indicators) if name in there]

    def before(self, here: int) -> dict[str, pl.Series]:
        """Return the lag and the counts of every unit just before tick number `here`."""
        for tick in range(len(self._carried) - 1, here):
            self._carried.append(self.panel.carried(self.panel.source.at(tick), tick, self._carried[tick]))
        return self._carried[here]

    def quotas_on(self, on: date) -> pl.DataFrame:
        """Return the quotas in force on a day, one row per unit."""
        return self._quotas.at(on)

    def waterfall_of(self, unit: int, here: int) -> pl.DataFrame:
        """Return the waterfall of a unit, by row number, and its descendants at tick number `here`."""
        below = self.payroll.subtree.filter(pl.col("above") == self.panel.units["unit"][unit])["unit"]
        claimed = self.panel.units["unit"].is_in(below.implode())
        rows = np.flatnonzero(claimed.gather(self.credited.claims.unit).to_numpy())
        return self._waterfall_at(self.ticks[here].on, rows)

    def frame_at(self, here: int, units: pl.Series, names: set[str]) -> pl.DataFrame:
        """Return rule columns of some units at a tick: `unit`, `group`, and those of `names` that are known there."""
        kept = self.decided.frames.get(here)
        indicators = names & indicator_schema(self.panel.terms.indicators).keys()
        whole = pl.concat(kept) if kept and indicators <= set(kept[0].columns) else self._derived(here, names)
        own = self.panel.units
        frame = own.hstack([whole[name] for name in whole.columns if name in names and name not in own.columns])
        tick = self.ticks[here]
        moments = {name: pl.lit(name in tick.moments) for name in names.intersection(MOMENTS)}
        held = {*frame.columns, *moments}
        parameters = parameter_columns(self.panel.terms.parameters, tick.on, names - held)
        return run(
            frame.lazy()
            .filter(pl.col("unit").is_in(pl.lit(units).implode()))
            .with_columns(**moments, **parameters)
            .select("unit", "group", *sorted(names & {*held, *parameters} - {"unit", "group"}))
        )

    def _derived(self, here: int, names: set[str]) -> pl.DataFrame:
        """Compute a tick's panel again, where it was not kept or not with these columns."""
        before = self.before(here) if self.panel.goes_on(names) else {}
        return self.panel.derive(self.panel.source.at(here), here, before, names)

    @cached_property
    def ledger(self) -> pl.DataFrame:
        """The projected ledger: `year, measure, person, unit, rule, component, month, withheld, released_on,
        reversed_on`.
        """
        return ledger(
            self.decided,
            self.ticks,
            self.panel.units["unit"],
            self.rulebook.rules,
            self.payroll,
            self._reversed,
        )

    @property
    def _reversed(self) -> pl.DataFrame | None:
        """The measures that decisions reversed: `measure`, `on`."""
        if self.rulings is None:
            return None
        return self.rulings.measures("reversed", self.ticks, self.panel.units["unit"], self.year)

    @cached_property
    def _deposited(self) -> Deposited:
        desk = Desk(
            self.decided,
            self.ticks,
            self.panel.units["unit"],
            self.rulebook.rules,
            self.payroll,
            self.ledger,
            self.rulings,
            self.rulebook.terms.year.end,
        )
        return keep(desk)

    @property
    def deposits(self) -> pl.DataFrame:
        """The balance of each deposit: `year, deposit, person, unit, role, paid_on, paid, forfeited, refunded,
        returned, held`; `paid = forfeited - refunded + returned + held`.
        """
        return self._deposited.lines

    @cached_property
    def entries(self) -> pl.DataFrame:
        """The entries behind ledger and deposits: `year, on, entry, measure, person, unit, rule, component, month,
        amount`.
        """
        of_deposits = self._deposited.entries
        of_pay = entries(self.ledger)
        return pl.concat([of_pay, of_deposits]).sort(*ORDER, "amount") if len(of_deposits) else of_pay

    @cached_property
    def waterfall(self) -> pl.DataFrame:
        """Per project, unit and tick how an amount came about: contracted, vouchers, confirmed, each adjustment,
        adjusted, each stage after sharing, shared.

        The extra column `recognised` says whether the project counted at that tick. What nobody claims is listed in
        `unclaimed`.
        """
        claims = np.arange(len(self.credited.claims.unit))
        return pl.concat([self._waterfall_at(tick.on, claims) for tick in self.ticks])

    def _waterfall_at(self, on: date, claims: NDArray[np.int64]) -> pl.DataFrame:
        credited = self.credited
        row = credited.dates.index(on)
        adjusted, *last = AFTER_ADJUSTMENTS
        of = credited.claims.project[claims]
        return (
            pl.DataFrame(
                {
                    "project": credited.projects["project"].gather(of),
                    "unit": self.panel.units["unit"].gather(credited.claims.unit[claims]),
                    "contracted": credited.projects["contracted"].gather(of),
                    "vouchers": credited.vouchers[row][of],
                    "confirmed": credited.confirmed[row][of],
                    **{name: amounts[row][of] for name, amounts in credited.stages.items()},
                    "adjusted": credited.adjusted[row][of],
                    **{name: amounts[row][claims] for name, amounts in credited.after.items()},
                    "shared": credited.shared[row][claims],
                    "recognised": credited.recognised[row][of],
                }
            )
            .with_columns(tick=pl.lit(on))
            .select(*BEFORE_ADJUSTMENTS, *credited.stages, adjusted, *credited.after, *last)
        )

    @cached_property
    def unclaimed(self) -> pl.DataFrame:
        """What no unit claims: `project`, `tick`, `amount` in fen; projects claimed in full are not listed."""
        credited = self.credited
        empty = pl.DataFrame(schema={"project": pl.String, "tick": pl.Date, "amount": pl.Int64})
        frames = [empty]
        for tick in self.ticks:
            row = credited.dates.index(tick.on)
            given = np.bincount(credited.claims.project, credited.split[row], minlength=len(credited.projects))
            left = credited.adjusted[row] - given.astype(np.int64)
            frame = pl.DataFrame({"project": credited.projects["project"], "amount": left})
            frames.append(frame.select("project", tick=pl.lit(tick.on), amount="amount").filter(pl.col("amount") > 0))
        return pl.concat(frames).sort("tick", "project")

    @cached_property
    def not_assessable(self) -> pl.DataFrame:
        """`unit`, `rule`, `tick`, `missing`: rules whose condition could not be said to be true or false, and the
        columns that are null.
        """
        frames = [
            self._missing(each.tick, each.rule, self.panel.units["unit"][pl.Series(each.rows)])
            for each in self.decided.unassessable
        ]
        schema = {"unit": pl.String, "rule": pl.String, "tick": pl.Date}
        empty = pl.DataFrame(schema=schema).with_columns(missing=pl.lit(None, pl.List(pl.String)))
        return pl.concat([empty, *frames]).sort("tick", "unit", "rule")

    def _missing(self, here: int, rule: str, units: pl.Series) -> pl.DataFrame:
        names = set(self.rulebook.rules[rule].when.meta.root_names())
        frame = self.frame_at(here, units, names)
        columns = [name for name in sorted(names) if name in frame.columns]
        missing = pl.concat_list(
            pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in columns
        ).list.drop_nulls()
        return frame.select(
            "unit", pl.lit(rule).alias("rule"), pl.lit(self.ticks[here].on).alias("tick"), missing.alias("missing")
        )

    def what_if(self, edits: Iterable[Edit] | Mapping[str, object]) -> Assessment:
        """Return what this assessment would be under edits; the workspace and its files stay as they are.

        Where edits do not touch what is credited, the evidence is not gone through again: changes of most parameters,
        of quotas, and of rules switched on or off take a fraction of `assess`.

        Args:
            edits: as `Workspace.with_edits` takes them, or values by parameter as `Workspace.with_parameters` does.

        Returns:
            The assessment, with the measures, events and ledger that `assess` gives; `units` has the indicators that
            rules read, at the last tick.

        Raises:
            ValueError: an edit is not valid.
            AssessmentError: the workspace has errors with the edits, or one of the decisions is on a measure that there
                is not any more.
        """
        from kpi_rules.pipeline.preview import what_if

        return what_if(self, edits)

    def explain(self, unit: str, rule: str | None = None, on: date | None = None) -> Explanation:
        """Explain a unit on a day, one rule or all.

        Args:
            unit: id of the unit.
            rule: id of a rule; None for every rule.
            on: the day; the last tick not after it is explained. None for the last tick.

        Raises:
            ValueError: there is no such unit or rule, or no tick by that day; the message names the nearest.
        """
        from kpi_rules.pipeline.explain import Explainer

        return Explainer(self).explain(unit, rule, on)
