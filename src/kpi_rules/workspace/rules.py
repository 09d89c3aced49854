"""The static check of everything that plugins contribute: expressions, references between rules, reasons, ends of
holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from kpi_rules.hooks.manager import BUILT_IN
from kpi_rules.locale import _
from kpi_rules.model import expressions, text
from kpi_rules.model.columns import indicator_schema, parameter_schema, rule_schema
from kpi_rules.model.problems import Place, Problem, error, nearest
from kpi_rules.workspace.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kpi_rules.hooks.manager import Plugins
    from kpi_rules.model.contributions import Rule


def contribution_problems(plugins: Plugins, file: str) -> list[Problem]:
    """Check what plugins contribute, before any data is seen.

    Returns:
        Every expression that reads an unknown column, compares two types or has a node that is not row-wise; rules that
        supersede what does not exist or each other; holds without an end; reasons with unknown fields. Each names
        plugin, rule and node.
    """
    return list(_Checking(plugins, file).all())


class _Checking:
    def __init__(self, plugins: Plugins, file: str) -> None:
        self.plugins, self.file = plugins, file
        self.settings = parameter_schema(plugins.settings)
        self.columns = rule_schema(plugins.indicators, plugins.settings)

    def all(self) -> Iterator[Problem]:
        for rule in self.plugins.rules.values():
            yield from self._rule(rule)
        yield from self._circles()
        own = indicator_schema({})
        schema = {
            name: dtype for name, dtype in self.columns.items() if name in own or name not in self.plugins.indicators
        }
        dtypes = indicator_schema(self.plugins.indicators)
        for name, indicator in self.plugins.indicators.items():
            if name in own:
                found = _("indicator {name}, which the library has").format(name=name)
                yield self._problem("plugin-clash", "indicator", name, "", found, _("a name of its own"), None)
            yield from self._expression("indicator", name, "value", indicator.value, schema, dtypes[name])
        project = {name: dtype for name, dtype in SCHEMAS["projects"].empty().schema.items() if name != "row"}
        amounts = dict.fromkeys(("vouchers", "confirmed", "credited"), pl.Int64)
        for name, credit in self.plugins.credits.items():
            known: dict[str, pl.DataType | type[pl.DataType]] = {
                **project,
                **amounts,
                "on": pl.Date,
                "group": pl.String,
                **self.settings,
            }
            yield from self._expression("credit", name, "amount", credit.amount, known, pl.Int64)
        staff = {name: dtype for name, dtype in SCHEMAS["staff"].empty().schema.items() if name != "row"}
        for name, guard in self.plugins.guards.items():
            known = {**staff, "group": pl.String, **self.settings}
            yield from self._expression("guard", name, "withholdable", guard.withholdable, known, pl.Int64)

    def _rule(self, rule: Rule) -> Iterator[Problem]:
        yield from self._expression("rule", rule.id, "when", rule.when, self.columns, pl.Boolean)
        if rule.until is not None:
            yield from self._expression("rule", rule.id, "until", rule.until, self.columns, pl.Boolean)
        if rule.amount is not None:
            yield from self._expression("rule", rule.id, "amount", rule.amount, self.columns, pl.Int64)
        if rule.hold is not None and rule.until is None:
            yield self._problem(
                "hold-without-end",
                "rule",
                rule.id,
                "until",
                _("no condition that ends it"),
                _("an end for every hold"),
                None,
            )
        if rule.hold is not None:
            for name in (rule.hold.share, rule.hold.grades):
                if name is not None and name not in self.plugins.settings:
                    yield self._unknown("unknown-parameter", rule.id, "hold", name, self.plugins.settings)
        enabled = {plugin.name for plugin in self.plugins.plugins}
        for other in rule.supersedes:
            if other not in self.plugins.rules and other.partition(".")[0] in enabled:
                yield self._unknown("unknown-rule", rule.id, "supersedes", other, self.plugins.rules)
        yield from self._reason(rule)

    def _reason(self, rule: Rule) -> Iterator[Problem]:
        try:
            names = text.fields(rule.reason)
        except ValueError as problem:
            yield self._problem(
                "bad-reason",
                "rule",
                rule.id,
                "reason",
                f"{rule.reason}: {problem}",
                _("a text with fields in braces"),
                None,
            )
            return
        for name in names:
            if name not in self.columns:
                yield self._unknown("unknown-column", rule.id, "reason", name, self.columns)

    def _expression(
        self,
        kind: str,
        name: str,
        part: str,
        expression: pl.Expr,
        schema: expressions.Schema,
        expected: type[pl.DataType],
    ) -> Iterator[Problem]:
        for refusal in expressions.check(expression, schema, expected):
            yield self._problem(refusal.code, kind, name, part, refusal.node, refusal.expected, refusal.nearest)

    def _circles(self) -> Iterator[Problem]:
        """Two rules that supersede each other would both never start."""
        rules = self.plugins.rules
        for rule in rules.values():
            for other in rule.supersedes:
                if other == rule.id or (other in rules and rule.id in rules[other].supersedes and rule.id < other):
                    found = _("{rule} and {other}, which supersede each other").format(rule=rule.id, other=other)
                    yield self._problem(
                        "supersession-circle",
                        "rule",
                        rule.id,
                        "supersedes",
                        found,
                        _("one that supersedes the other"),
                        None,
                    )

    def _unknown(self, code: str, rule: str, part: str, name: str, choices: Mapping[str, object]) -> Problem:
        return self._problem(code, "rule", rule, part, name, _("a name that is there"), nearest(name, choices))

    def _problem(
        self, code: str, kind: str, name: str, part: str, found: str, expected: str, hint: str | None
    ) -> Problem:
        plugin = self.plugins.provenance(kind, name)
        source = "" if plugin is None or plugin.name == BUILT_IN else plugin.distribution
        key = f"{kind} {name}" + (f", {part}" if part else "")
        return error(code, Place(file=source or self.file, key=key), found=found, expected=expected, nearest=hint)
