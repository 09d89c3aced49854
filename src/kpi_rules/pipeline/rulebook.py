"""The rulebook: the rules of a workspace and their parameters, for the pipeline and for callers with indicators of
their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
from attrs import define, field

from kpi_rules.locale import _
from kpi_rules.model import expressions
from kpi_rules.model.calendar import MOMENTS
from kpi_rules.model.contributions import SCALED
from kpi_rules.model.money import BILLION
from kpi_rules.model.problems import nearest
from kpi_rules.pipeline.advance import superseded, unblocked
from kpi_rules.pipeline.evaluating import multiplies
from kpi_rules.pipeline.formulas import formula
from kpi_rules.pipeline.many import ManyCases
from kpi_rules.pipeline.panel import values_by_group
from kpi_rules.pipeline.single import function
from kpi_rules.pipeline.spans import QUOTIENTS, condition

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.model.contributions import Rule
    from kpi_rules.pipeline.formulas import Formula
    from kpi_rules.pipeline.panel import Terms
    from kpi_rules.pipeline.population import Outcome
    from kpi_rules.pipeline.spans import Condition


Part = Literal["when", "until", "amount"]
Told = tuple[tuple[str, type, object], ...]
"""Columns with the values that replace them."""


@define(frozen=True, eq=False)
class BoundRule:
    """A rule at one kind of tick: its conditions with moments and parameters filled in.

    `when` is None where no unit can fire at such a tick. Conditions are named by their text, so that rules with the
    same condition share one evaluation.
    """

    rule: Rule
    when: str | None
    until: str | None
    amount: str | None
    id: str
    """The rule's."""


@define(frozen=True, eq=False)
class BoundRules:
    """All rules at one kind of tick, the distinct expressions they need, and the columns those read."""

    rules: tuple[BoundRule, ...]
    expressions: Mapping[str, pl.Expr]
    amounts: frozenset[str] = field(init=False)
    _columns: dict[frozenset[str], frozenset[str]] = field(factory=dict, init=False)
    _conditions: dict[str, Condition | None] = field(factory=dict, init=False)
    _formulas: dict[str, Formula | None] = field(factory=dict, init=False)
    _products: dict[str, bool] = field(factory=dict, init=False)

    @amounts.default
    def _of_the_rules(self) -> frozenset[str]:
        return frozenset(rule.amount for rule in self.rules if rule.amount is not None)

    def columns(self, names: frozenset[str]) -> frozenset[str]:
        """Return the columns that the named expressions read."""
        if names not in self._columns:
            self._columns[names] = frozenset(
                root for name in names for root in self.expressions[name].meta.root_names()
            )
        return self._columns[names]

    def conditions(self, names: Collection[str], plain: Collection[str]) -> dict[str, Condition | Formula] | None:
        """Return the named conditions as functions of the columns of a span, or as formulas; None where one takes more.

        Args:
            names: their texts.
            plain: the columns that are arrays without nulls; conditions over others take a formula.
        """
        found: dict[str, Condition | Formula] = {}
        for name in names:
            if name not in self._conditions:
                self._conditions[name] = condition(self.expressions[name], QUOTIENTS)
            holds: Condition | Formula | None = self._conditions[name]
            if holds is None or not self.columns(frozenset((name,))) <= set(plain):
                holds = self.formula(name)
            if holds is None:
                return None
            found[name] = holds
        return found

    def formula(self, name: str) -> Formula | None:
        """Return an expression as a formula, None where it takes more."""
        if name not in self._formulas:
            self._formulas[name] = formula(self.expressions[name])
        return self._formulas[name]

    def multiplies(self, name: str) -> bool:
        """Say whether an expression multiplies columns with each other."""
        if name not in self._products:
            self._products[name] = multiplies(self.expressions[name])
        return self._products[name]


class Rulebook:
    """The rules of a workspace and the parameters they read.

    `rules` is by id, in code-point order; nothing depends on the order. `superseding` says, by rule id, which rules
    supersede it. `columns` are all the columns that some rule reads.
    """

    def __init__(
        self, rules: Mapping[str, Rule], terms: Terms, varying: Mapping[str, NDArray[Any]] | None = None
    ) -> None:
        """Keep the rules and the terms of the year; `varying` has parameters, by column, that differ row by row."""
        self.rules = rules
        self.varying = varying or {}
        self.terms = terms
        self.parameters = terms.parameters
        self.superseding = {
            name: tuple(other.id for other in rules.values() if name in other.supersedes) for name in rules
        }
        self.columns = {
            root for rule in rules.values() for each in _expressions(rule) for root in each.meta.root_names()
        }
        self._parameters_read = sorted(
            name for name in self.columns if name.removesuffix(SCALED) in self.parameters.declared
        )
        self._exact = [name.removesuffix(SCALED) for name in self._parameters_read if name.endswith(SCALED)]
        self._bound: dict[tuple[object, ...], BoundRules] = {}
        self._bound_on: dict[tuple[frozenset[str], date], BoundRules] = {}
        self._plans: dict[tuple[frozenset[str], date], ManyCases] = {}
        self._functions: list[tuple[Rule, tuple[Callable[[Mapping[str, Any]], Any] | None, ...]]] | None = None
        self._defaults: dict[tuple[date, str | None], dict[str, Any]] = {}

    def with_varying(self, varying: Mapping[str, NDArray[Any]]) -> Rulebook:
        """Return the same rulebook, with what is compiled from it, and other values of the parameters that vary row by
        row.
        """
        other = Rulebook.__new__(Rulebook)
        vars(other).update(vars(self), varying=varying)
        return other

    def __reduce__(self) -> tuple[type[Rulebook], tuple[Mapping[str, Rule], Terms, Mapping[str, NDArray[Any]]]]:
        """Go to another process with what it is made of alone: what is compiled from that is functions."""
        return type(self), (self.rules, self.terms, self.varying)

    def bound(self, moments: frozenset[str], on: date) -> BoundRules:
        """Return the rules with the moments of a tick and the parameters in force on a day filled in."""
        if (moments, on) not in self._bound_on:
            self._bound_on[moments, on] = self._bound_to(moments, on)
        return self._bound_on[moments, on]

    def _bound_to(self, moments: frozenset[str], on: date) -> BoundRules:
        """Return what `bound` does, the same for days on which the same parameters are in force."""
        values: dict[str, object] = {moment: moment in moments for moment in MOMENTS}
        for name in self._parameters_read:
            general, by_group = values_by_group(self.parameters, name, on)
            if not by_group and name not in self.varying:
                values[name] = general
        key = tuple((name, type(value), value) for name, value in values.items())
        if key not in self._bound:
            self._bound[key] = self.bind(values)
        return self._bound[key]

    def bind(self, values: Mapping[str, object]) -> BoundRules:
        """Return the rules with the named columns replaced by values, and what follows from that left out."""
        found: dict[str, pl.Expr] = {}

        def named(rule: Rule, part: Part) -> str | None:
            bound = _bound_part(rule, part, _told(_read(rule, part), values))
            if bound is not None:
                found[bound[0]] = bound[1]
            return None if bound is None else bound[0]

        rules = []
        for rule in self.rules.values():
            when = named(rule, "when")
            rules.append(BoundRule(rule, when, named(rule, "until"), named(rule, "amount") if when else None, rule.id))
        return BoundRules(tuple(rules), found)

    def evaluate(
        self, cases: Mapping[str, Any] | pl.DataFrame, *, on: date | None = None
    ) -> list[dict[str, Any]] | pl.DataFrame:
        """Say what the rules would do, for indicators of the caller's own.

        Args:
            cases: one case as a dictionary, or a frame with one case a row. Keys are the columns that rules read
                (money in fen, ratios as floats); a moment (`at_year_end`) that is not given is not now; a parameter
                that is not given has the workspace's value for the case's `group`; a rule's id says whether its
                measure is in force already (for a one-off, whether it was issued), false where it is not given.
            on: the day whose parameters are in force; the year end by default.

        Returns:
            For a dictionary a list of `{"rule", "event", "amount"}`, for a frame a frame of `row, rule, event, amount`,
            `event` being `started`, `ended`, `superseded` or `issued`. A null condition does not fire.

        Raises:
            ValueError: a column that a rule reads is missing; the message names it and what is nearest.
            TypeError: `cases` is neither a dictionary nor a frame.
        """
        _check_cases(cases)
        day = on or self.terms.year.end
        if isinstance(cases, pl.DataFrame):
            return self._evaluate_frame(cases, day)
        functions = self._case_functions()
        if any(part is None for _rule, parts in functions for part in parts):
            frame = self._evaluate_frame(pl.DataFrame([dict(cases)]), day)
            return frame.drop("row").to_dicts()
        return self._evaluate_case(cases, day, functions)

    def run(self, units: pl.DataFrame, credited: Mapping[date, pl.Series]) -> Outcome:
        """Run a whole year over a population with amounts of the caller's own.

        Args:
            units: one row a unit: `unit`, `group` (may be left out), `funds_quota` (Int64 fen), and any further whole
                numbers that rules read and that do not change in the year.
            credited: by tick the amount credited to each unit by then, Int64 fen, in the order of `units`; where a rule
                reads a campaign's figures also by the day before the campaign.

        Returns:
            Events, months withheld and the last tick's indicators.

        Raises:
            ValueError: a tick up to the last day given is missing, or a length differs.
        """
        from kpi_rules.pipeline.population import run

        return run(self, units, credited)

    def _case_functions(self) -> list[tuple[Rule, tuple[Callable[[Mapping[str, Any]], Any] | None, ...]]]:
        if self._functions is None:
            none = pl.lit(None)
            self._functions = [
                (rule, tuple(function(none if each is None else each) for each in (rule.when, rule.until, rule.amount)))
                for rule in self.rules.values()
            ]
        return self._functions

    def _evaluate_case(
        self,
        case: Mapping[str, Any],
        day: date,
        functions: list[tuple[Rule, tuple[Callable[[Mapping[str, Any]], Any] | None, ...]]],
    ) -> list[dict[str, Any]]:
        values = {"group": None, **self._defaults_of(day, case.get("group")), **case}
        for name in self._exact:
            if name in case and name + SCALED not in case:
                values[name + SCALED] = None if case[name] is None else round(case[name] * BILLION)
        if not values.keys() >= self.columns:
            raise missing_column(min(self.columns - values.keys()), values)
        events: list[dict[str, Any]] = []
        candidates: dict[str, bool] = {}
        remaining: dict[str, bool] = {}
        for rule, (when, until, _amount) in functions:
            active = bool(case.get(rule.id)) and not rule.repeats
            over = until(values) is True  # type: ignore[misc]  # none of them is None here
            if active and over and not rule.one_off:
                events.append({"rule": rule.id, "event": "ended", "amount": None})
            remaining[rule.id] = active and not over and not rule.one_off
            candidates[rule.id] = not active and not over and when(values) is True  # type: ignore[misc]
        starting = unblocked(candidates, remaining, self.superseding, _and_not)
        replaced = superseded(starting, remaining, self.superseding)
        events += [{"rule": name, "event": "superseded", "amount": None} for name, is_so in replaced.items() if is_so]
        for rule, (_when, _until, fen) in functions:
            if starting[rule.id] and rule.one_off:
                events.append({"rule": rule.id, "event": "issued", "amount": fen(values)})  # type: ignore[misc]
            elif starting[rule.id]:
                events.append({"rule": rule.id, "event": "started", "amount": None})
        return events

    def _defaults_of(self, day: date, group: str | None) -> dict[str, Any]:
        """Return moments that are not now, and the parameters of a group on a day."""
        key = (day, group)
        if key not in self._defaults:
            values: dict[str, Any] = dict.fromkeys(MOMENTS, False)
            for name in self._parameters_read:
                general, by_group = values_by_group(self.parameters, name, day)
                values[name] = by_group.get(group, general) if group is not None else general
            self._defaults[key] = values
        return self._defaults[key]

    def _evaluate_frame(self, cases: pl.DataFrame, day: date) -> pl.DataFrame:
        key = (frozenset(cases.columns), day)
        if key not in self._plans:
            try:
                self._plans[key] = ManyCases(self, cases.columns, day)
            except KeyError as missing:
                raise missing_column(missing.args[0], cases.columns) from None
        return self._plans[key].evaluate(cases)


@lru_cache(maxsize=4096)
def _read(rule: Rule, part: Part) -> tuple[str, ...]:
    """Return the columns that a part of a rule reads."""
    expression: pl.Expr | None = getattr(rule, part)
    return () if expression is None else tuple(expression.meta.root_names())


def _told(names: Iterable[str], values: Mapping[str, object]) -> Told:
    """Return those of the values that are named; with their types, as 1 and true are equal."""
    return tuple((name, type(values[name]), values[name]) for name in names if name in values)


@lru_cache(maxsize=4096)
def _bound_part(rule: Rule, part: Part, values: Told) -> tuple[str, pl.Expr] | None:
    """Return a part of a rule with columns replaced by values, by its text; None where it is false, or there is none.

    Kept for whoever asks again, as a what-if does of all that it does not change.
    """
    expression: pl.Expr | None = getattr(rule, part)
    if expression is None:
        return None
    node = expressions.bind(expressions.tree(expression), {name: value for name, _type, value in values})
    if expressions.truth(node) is False:
        return None
    bound = expressions.expression_of(node)
    return str(bound), bound


def _expressions(rule: Rule) -> list[pl.Expr]:
    return [each for each in (rule.when, rule.until, rule.amount) if each is not None]


def _check_cases(cases: object) -> None:
    if not isinstance(cases, (Mapping, pl.DataFrame)):
        kind = type(cases).__name__
        raise TypeError(_("cases are a dictionary or a polars DataFrame, not {kind}").format(kind=kind))


def _and_not(first: bool, other: bool) -> bool:  # noqa: FBT001 (a mask of one case)
    return first and not other


def missing_column(name: str, known: Iterable[str]) -> ValueError:
    """Make the error of a caller whose data lack a column that a rule reads."""
    hint = nearest(name, known)
    text = _("no column {name}, which a rule reads").format(name=name)
    return ValueError(text + (_(" (nearest: {nearest})").format(nearest=hint) if hint else ""))
