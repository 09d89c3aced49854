"""Explain: why a rule did what it did to a unit, as data first and then as text (M24)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import polars as pl
from attrs import asdict, define

from kpi_rules.locale import _, translate
from kpi_rules.model.calendar import MOMENTS
from kpi_rules.model.column_names import columns_called
from kpi_rules.model.columns import indicator_schema
from kpi_rules.model.contributions import SCALED
from kpi_rules.model.money import format_amount
from kpi_rules.model.problems import nearest
from kpi_rules.model.text import fields, safe
from kpi_rules.pipeline.conditions import Condition, condition
from kpi_rules.pipeline.distance import Distance, Distances
from kpi_rules.pipeline.figures import IndicatorExplanation, explained, money_columns, read_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from kpi_rules.model.contributions import Indicator, Rule
    from kpi_rules.pipeline.decided import Happening
    from kpi_rules.pipeline.guarded import Guarded
    from kpi_rules.pipeline.result import Assessment

State = Literal["begins", "in force", "proposed", "not in force"]


@define(frozen=True)
class ParameterUsed:
    """A parameter that a rule read: its value, the date it applies from (None: from the start), for which group, and
    where it stands.
    """

    name: str
    value: str
    from_on: date | None
    group: str | None
    origin: str


@define(frozen=True, eq=False)
class RuleExplanation:
    """One rule for one unit at one tick.

    `event` is what happened at this tick (`started`, `ended`, `superseded`, `issued`) or None; `superseded_by` are the
    ids of the rules whose measures started and superseded it, in code-point order; `in_force_since` is the tick at
    which the measure in force started, which with decisions may be later than `proposed_on`, its proposal. The state
    `proposed` is that of a measure that awaits its decision. `distance` is None where no further amount can end or
    avoid the measure, or none is ahead. `guards` is what guards say of it, or why it is not proposed.
    """

    rule: str
    label: str
    plugin: str
    state: State
    event: str | None
    measure: str | None
    proposed_on: date | None
    in_force_since: date | None
    reason: str | None
    when: Condition
    until: Condition | None
    parameters: tuple[ParameterUsed, ...]
    distance: Distance | None
    sources: tuple[str, ...]
    guards: tuple[str, ...] = ()
    superseded_by: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return it as plain data; dates are dates, money is fen."""
        plain: dict[str, Any] = asdict(self, recurse=False)
        return plain | {
            "when": self.when.to_dict(),
            "until": self.until.to_dict() if self.until else None,
            "parameters": [asdict(parameter) for parameter in self.parameters],
            "distance": asdict(self.distance) if self.distance else None,
            "sources": list(self.sources),
            "guards": list(self.guards),
            "superseded_by": list(self.superseded_by),
        }

    def to_text(self) -> str:
        """Return it as text of several lines in the user's language; control characters of the data are escaped."""
        title = f"{self.rule} - {self.label}" if self.label else self.rule
        lines = [f"{title} ({self.plugin})", "  " + self._standing()]
        if self.reason:
            lines.append("  " + _("reason: {reason}").format(reason=self.reason))
        lines += ["  " + _("when"), *self.when.lines(2)]
        if self.until is not None:
            lines += ["  " + _("until"), *self.until.lines(2)]
        if self.parameters:
            lines.append("  " + _("parameters"))
            lines += ["    " + _parameter_line(parameter) for parameter in self.parameters]
        lines.append("  " + self._distance_line())
        if self.guards:
            lines += ["  " + _("guards"), *("    " + each for each in self.guards)]
        if self.sources:
            lines.append("  " + _("sources: {sources}").format(sources=", ".join(self.sources)))
        return "\n".join(safe(line) for line in lines)

    def _standing(self) -> str:
        events = {
            "started": _("begins at this tick"),
            "issued": _("is issued at this tick"),
            "ended": _("ends at this tick"),
            "superseded": _("is superseded at this tick by {rules}").format(rules=", ".join(self.superseded_by)),
        }
        if self.event is not None:
            return events[self.event]
        if self.in_force_since is not None:
            return _("in force since {day}").format(day=self.in_force_since)
        if self.state == "proposed":
            return _("proposed since {day}, awaiting a decision").format(day=self.proposed_on)
        return _("not in force")

    def _distance_line(self) -> str:
        if self.distance is None:
            return _("distance: no further credited amount ends or avoids it, or none is ahead")
        phrases = {
            "ends": _("distance: {amount} more credited by {day} ends it"),
            "avoids": _("distance: {amount} more credited by {day} avoids it"),
        }
        return phrases[self.distance.effect].format(amount=format_amount(self.distance.amount), day=self.distance.by)


def _reach(rule: Rule, indicators: Mapping[str, Indicator]) -> set[str]:
    """Return all columns that a rule reads, and those that the indicators among them are made of."""
    parts = [part for part in (rule.when, rule.until, rule.amount) if part is not None]
    left = {*fields(rule.reason), *(name for part in parts for name in part.meta.root_names())}
    found: set[str] = set()
    while left:
        found |= left
        left = {name for each in left & indicators.keys() for name in read_by(indicators[each])} - found
    return found


def _parameter_line(parameter: ParameterUsed) -> str:
    since = _("from {day}").format(day=parameter.from_on) if parameter.from_on else _("from the start")
    group = _(", group {group}").format(group=parameter.group) if parameter.group else ""
    return f"{parameter.name} = {parameter.value} ({since}{group}; {parameter.origin})"


@define(frozen=True, eq=False)
class Explanation:
    """A unit at a tick: its indicators, where its credit comes from, and every rule. `primary` is the indicator behind
    completion, and `is_money` whether it is in fen; `added` are the indicators of policies that have a value.

    `waterfall` has the columns of `Assessment.waterfall` for the claims of the unit and its descendants; money is fen.
    """

    unit: str
    tick: date
    indicators: dict[str, bool | int | float | str | None]
    waterfall: pl.DataFrame
    rules: tuple[RuleExplanation, ...]
    primary: str = "funds"
    added: tuple[IndicatorExplanation, ...] = ()
    is_money: bool = True

    def to_dict(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "unit": self.unit,
            "tick": self.tick,
            "primary": self.primary,
            "indicators": self.indicators,
            "added": [each.to_dict() for each in self.added],
            "waterfall": self.waterfall.to_dicts(),
            "rules": [rule.to_dict() for rule in self.rules],
        }

    def to_text(self) -> str:
        """Return it as text in the user's language; control characters of the data are escaped."""
        head = _("{unit} at {day}").format(unit=self.unit, day=self.tick)
        written = _money if self.is_money else _count
        figures = [
            (_("credited") if self.primary == "funds" else self.primary, written(self.indicators.get(self.primary))),
            (_("quota"), written(self.indicators.get(f"{self.primary}_quota"))),
            (_("completion"), _percent(self.indicators.get("completion"))),
            (_("expected"), _percent(self.indicators.get("expected"))),
        ]
        lines = [head, "  " + ", ".join(f"{name} {value}" for name, value in figures), "  " + _("credit")]
        lines += ["    " + _waterfall_line(row) for row in self.waterfall.iter_rows(named=True)] or [
            "    " + _("no projects")
        ]
        if self.added:
            lines += ["  " + _("indicators of policies"), *("    " + each.line() for each in self.added)]
        return "\n\n".join(["\n".join(safe(line) for line in lines), *(rule.to_text() for rule in self.rules)])


def _money(value: object) -> str:
    return format_amount(value) if isinstance(value, int) else _("none")


def _count(value: object) -> str:
    return str(value) if isinstance(value, int) else _("none")


def _percent(value: object) -> str:
    return f"{value:.2%}" if isinstance(value, float) else _("none")


def _waterfall_line(row: dict[str, Any]) -> str:
    labels = {
        "contracted": _("contracted"),
        "vouchers": _("vouchers"),
        "confirmed": _("confirmed"),
        "adjusted": _("adjusted"),
        "shared": _("shared"),
    }
    passed_over = {"project", "unit", "tick", "recognised"}
    stages: list[str] = []
    before = None
    for name, value in row.items():
        if name in passed_over or (name not in labels and value == before):
            continue  # a stage that was asked for and changed nothing is left out
        stages.append(f"{labels.get(name, name)} {_money(value)}")
        before = value
    recognised = "" if row["recognised"] else _(" (not recognised)")
    return f"{row['project']} / {row['unit']}{recognised}: " + " -> ".join(stages)


class Explainer:
    """Explains the units of one assessment."""

    def __init__(self, assessment: Assessment) -> None:
        """Keep the assessment."""
        self.assessment = assessment
        self.guarded: Guarded | None = None
        self._called = columns_called(assessment.workspace.plugins.indicators)

    def explain(self, unit: str, rule: str | None, on: date | None) -> Explanation:
        """Explain a unit at the last tick not after `on`; see `Assessment.explain`."""
        ids = self.assessment.panel.units["unit"]
        place = ids.index_of(unit)
        if place is None:
            raise ValueError(_unknown(_("no unit {name}").format(name=unit), unit, ids.to_list()))
        rules = self.assessment.rulebook.rules
        if rule is not None and rule not in rules:
            raise ValueError(_unknown(_("no rule {name}").format(name=rule), rule, list(rules)))
        here = self._tick(on)
        tick = self.assessment.ticks[here]
        primary = self.assessment.panel.terms.primary
        figures = {primary, f"{primary}_quota", "completion", "expected"}
        figures |= set(self.assessment.indicator_names)
        plugins = self.assessment.workspace.plugins
        read = {root for name in figures & plugins.indicators.keys() for root in read_by(plugins.indicators[name])}
        names = set(self.assessment.rulebook.columns) | figures | read
        row = self.assessment.frame_at(here, ids[[place]], names)
        row = row.with_columns(**{moment: pl.lit(moment in tick.moments) for moment in MOMENTS})
        in_order = indicator_schema(self.assessment.panel.terms.indicators)
        indicators = {name: row[name][0] for name in in_order if name in figures and name in row.columns}
        distances = Distances(self.assessment, here)
        self.guarded = self.assessment.guarded.of_unit(place) if self.assessment.scene.guards else None
        wanted = [rules[rule]] if rule is not None else list(rules.values())
        found = tuple(self._rule(each, unit, place, here, row, distances) for each in wanted)
        kept = figures | read if rule is None else _reach(rules[rule], plugins.indicators)
        added = explained(plugins, row.select(name for name in row.columns if name in figures | read), kept)
        waterfall = self.assessment.waterfall_of(place, here)
        is_money = primary in money_columns(plugins.indicators)
        return Explanation(unit, tick.on, indicators, waterfall, found, primary, added, is_money)

    def _tick(self, on: date | None) -> int:
        ticks = self.assessment.ticks
        reached = [here for here, tick in enumerate(ticks) if on is None or tick.on <= on]
        if not reached:
            raise ValueError(_("no tick by {day}; the first is {first}").format(day=on, first=ticks[0].on))
        return reached[-1]

    def _rule(
        self, rule: Rule, unit: str, place: int, here: int, row: pl.DataFrame, distances: Distances
    ) -> RuleExplanation:
        on = self.assessment.ticks[here].on
        past = self.assessment.events.filter(
            (pl.col("unit") == unit) & (pl.col("rule") == rule.id) & (pl.col("tick") <= on)
        )
        last = past.row(-1, named=True) if len(past) else None
        now = last if last is not None and last["tick"] == on else None
        running = last if last is not None and last["event"] == "started" else None
        shown = now or running
        proposed = self._proposed(shown["measure"]) if shown is not None else self._awaiting(rule, place, here)
        state: State = "not in force"
        if now is not None and now["event"] in {"started", "issued"}:
            state = "begins"
        elif running is not None:
            state = "in force"
        elif shown is None and proposed is not None:
            state = "proposed"
        spent = rule.one_off and not rule.repeats and last is not None and now is None
        plugins = self.assessment.workspace.plugins
        money = money_columns(plugins.indicators) | {
            name for name, each in plugins.settings.items() if each.kind == "money"
        }
        plugin = plugins.provenance("rule", rule.id)
        day = self.assessment.ticks[proposed].on if proposed is not None else None
        measure = f"{self.assessment.year}/{rule.id}/{unit}/{day}" if day is not None else None
        return RuleExplanation(
            rule=rule.id,
            label=translate(rule.label, rule.domain),
            plugin=f"{plugin.distribution} {plugin.version}" if plugin else "",
            state=state,
            event=now["event"] if now is not None else None,
            measure=measure,
            proposed_on=day,
            in_force_since=running["tick"] if running is not None else None,
            reason=self.assessment.reason(rule, unit, proposed) if proposed is not None else None,
            when=condition(rule.when, row, money, self._called),
            until=condition(rule.until, row, money, self._called) if rule.until is not None else None,
            parameters=tuple(self._parameters(rule, row["group"][0], on)),
            distance=None if spent else distances.find(place, rule, "begins" if day == on else state),
            sources=rule.sources,
            guards=self.guarded.told(rule.id, measure, on) if self.guarded is not None else (),
            superseded_by=self._superseding(rule, unit, on) if now is not None and now["event"] == "superseded" else (),
        )

    def _superseding(self, rule: Rule, unit: str, on: date) -> tuple[str, ...]:
        """Return the rules whose measures of a unit started on a day and superseded that of a rule."""
        started = self.assessment.events.filter(
            (pl.col("unit") == unit) & (pl.col("tick") == on) & (pl.col("event") == "started")
        )
        superseding = self.assessment.rulebook.superseding[rule.id]
        return tuple(name for name in sorted(started["rule"].to_list()) if name in superseding)

    def _proposed(self, measure: str) -> int:
        """Return the number of the tick at which a measure was proposed, which its id ends with."""
        day = measure.rpartition("/")[2]
        return next(number for number, tick in enumerate(self.assessment.ticks) if tick.on.isoformat() == day)

    def _awaiting(self, rule: Rule, place: int, here: int) -> int | None:
        """Return the tick of the proposal that awaits its decision at tick number `here`, where there is one."""
        decided = self.assessment.decided
        if not decided.proposals:
            return None
        settled = _ticks_proposed([*decided.events, *decided.closed], rule.id, place, here)
        return max(_ticks_proposed(decided.proposals, rule.id, place, here) - settled, default=None)

    def _parameters(self, rule: Rule, group: str | None, on: date) -> list[ParameterUsed]:
        parameters = self.assessment.rulebook.parameters
        read = {
            root.removesuffix(SCALED)
            for expression in (rule.when, rule.until, rule.amount, *(each.amount for each in rule.deposit))
            if expression is not None
            for root in expression.meta.root_names()
        }
        read |= {name.removesuffix(SCALED) for name in fields(rule.reason)}
        if rule.hold is not None:
            read |= {rule.hold.share} | ({rule.hold.grades} if rule.hold.grades else set())
        found = []
        for name in sorted(read & set(parameters.declared)):
            entry = parameters.at(name, on, group)
            setting = parameters.declared[name]
            origin = str(entry.origin) if entry.origin else _("default of {plugin}").format(plugin=setting.plugin)
            found.append(ParameterUsed(name, setting.show(entry.value), entry.from_on, entry.group, origin))
        return found


def _ticks_proposed(happenings: Iterable[Happening], rule: str, place: int, here: int) -> set[int]:
    """Return the ticks at which those measures of a rule and unit were proposed that something happened to by now."""
    return {
        int(since)
        for each in happenings
        if each.rule == rule and each.tick <= here
        for since in each.since[each.rows == place]
    }


def _unknown(message: str, name: str, choices: list[str]) -> str:
    hint = nearest(name, choices)
    return message + (_(" (nearest: {nearest})").format(nearest=hint) if hint else "")
