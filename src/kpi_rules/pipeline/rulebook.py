"""The rulebook: the rules of a workspace, bound to the moments and parameters of a tick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
from attrs import define, field

from kpi_rules.model import expressions
from kpi_rules.model.contributions import SCALED
from kpi_rules.model.calendar import MOMENTS
from kpi_rules.pipeline.panel import values_by_group

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from kpi_rules.model.contributions import Rule
    from kpi_rules.model.settings import Parameters


@define(frozen=True, eq=False)
class BoundRule:
    """A rule at one kind of tick: its conditions with moments and parameters filled in.

    `when` is None where no unit can fire at such a tick. Conditions are named by their text, so that rules with the same
    condition share one evaluation.
    """

    rule: Rule
    when: str | None
    until: str | None
    amount: str | None


@define(frozen=True, eq=False)
class BoundRules:
    """All rules at one kind of tick, the distinct expressions they need, and the columns those read."""

    rules: tuple[BoundRule, ...]
    expressions: Mapping[str, pl.Expr]

    def columns(self, names: frozenset[str]) -> set[str]:
        """Return the columns that the named expressions read."""
        return {root for name in names for root in self.expressions[name].meta.root_names()}


@define(frozen=True, eq=False)
class Rulebook:
    """The rules of a workspace and the parameters they read.

    `rules` is by id, in code-point order; nothing depends on the order.
    """

    rules: Mapping[str, Rule]
    parameters: Parameters
    superseding: Mapping[str, tuple[str, ...]] = field(init=False)
    """By rule id, the rules that supersede it."""
    _bound: dict[tuple[object, ...], BoundRules] = field(factory=dict, init=False)

    @superseding.default
    def _superseding(self) -> dict[str, tuple[str, ...]]:
        return {
            name: tuple(other.id for other in self.rules.values() if name in other.supersedes) for name in self.rules
        }

    def bound(self, moments: frozenset[str], on: date) -> BoundRules:
        """Return the rules with the moments of a tick and the parameters in force on a day filled in."""
        values: dict[str, object] = {moment: moment in moments for moment in MOMENTS}
        for name in self._parameters_read:
            general, by_group = values_by_group(self.parameters, name, on)
            if not by_group:
                values[name] = general
        key = tuple((name, type(value), value) for name, value in values.items())
        if key not in self._bound:
            self._bound[key] = self._bind(values)
        return self._bound[key]

    @property
    def _parameters_read(self) -> list[str]:
        return sorted(name for name in self.columns if name.removesuffix(SCALED) in self.parameters.declared)

    @property
    def columns(self) -> set[str]:
        """Every column that some rule reads."""
        return {
            root
            for rule in self.rules.values()
            for expression in (rule.when, rule.until, rule.amount)
            if expression is not None
            for root in expression.meta.root_names()
        }

    def _bind(self, values: Mapping[str, object]) -> BoundRules:
        found: dict[str, pl.Expr] = {}

        def named(expression: pl.Expr | None) -> str | None:
            if expression is None:
                return None
            node = expressions.bind(expressions.tree(expression), values)
            if expressions.truth(node) is False:
                return None
            bound = expressions.expression_of(node)
            found[str(bound)] = bound
            return str(bound)

        rules = []
        for rule in self.rules.values():
            when = named(rule.when)
            rules.append(BoundRule(rule, when, named(rule.until), named(rule.amount) if when else None))
        return BoundRules(tuple(rules), found)
