"""The static check of everything that plugins contribute: expressions, references between rules, reasons, ends of
holds.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Final, get_args

import polars as pl

from kpi_rules.hooks.manager import BUILT_INS, DECLARED, installed
from kpi_rules.locale import _
from kpi_rules.model import expressions, sql_types, text
from kpi_rules.model.columns import (
    AFTER_ADJUSTMENTS,
    BEFORE_ADJUSTMENTS,
    parameter_schema,
    rule_schema,
)
from kpi_rules.model.contributions import Subject
from kpi_rules.model.deposits import Collect
from kpi_rules.model.problems import Place, Problem, error, nearest, warning
from kpi_rules.workspace.checks import AFTER_SHARING, CHECKED, check_schema, credit_schema
from kpi_rules.workspace.config_schema import CORE
from kpi_rules.workspace.guards import guard_schema, message_schema
from kpi_rules.workspace.indicator_checks import indicator_refusals
from kpi_rules.workspace.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kpi_rules.hooks.manager import Plugins
    from kpi_rules.model.contributions import Check, Guard, Hold, Rule


Locate = Callable[[str, str, str], Place | None]
"""Gives the place of a part of a contribution that `kpi.toml` itself declares: kind, name, part."""

_OF_DEPOSIT: Final = ("deposit", "person", "unit", "role", "amount", "paid_on")
"""The columns of `deposits` that an effect may read."""

_SAMPLES: Final[Mapping[object, object]] = {
    pl.Int64: 1,
    pl.Float64: 1.0,
    pl.String: "a",
    pl.Boolean: True,
    pl.Date: date(2000, 1, 1),
}


def contribution_problems(plugins: Plugins, file: str, locate: Locate | None = None) -> list[Problem]:
    """Check what plugins contribute, before any data is seen.

    Args:
        plugins: what they contribute.
        file: the file that named them, for problems.
        locate: the place in it of what it declares itself, by kind, name and part; None for anything else.

    Returns:
        Every expression that reads an unknown column, compares two types or has a node that is not row-wise; rules that
        supersede what does not exist or each other; holds without an end; reasons with unknown fields. Each names
        plugin, rule and node.
    """
    found: dict[tuple[str, Place, str], Problem] = {}
    for problem in _Checking(plugins, file, locate or _nowhere).all():
        found.setdefault((problem.code, problem.place, problem.found), problem)
    return [problem for problem in found.values() if not _derived(problem, found) and not _of_broken(problem, plugins)]


def _derived(problem: Problem, found: Mapping[tuple[str, Place, str], Problem]) -> bool:
    """Say whether a column is unknown only because another is, such as `fund_quota` beside `fund` at the same place."""
    parts = problem.found.split("_")
    shorter = ("_".join(parts[:end]) for end in range(1, len(parts)))
    return problem.code == "unknown-column" and any((problem.code, problem.place, each) in found for each in shorter)


def _of_broken(problem: Problem, plugins: Plugins) -> bool:
    """Say whether a name is unknown only because the policy that would give it failed to load, which is told itself."""
    policy, dot, _name = problem.found.partition(".")
    if not dot or policy not in plugins.broken:
        return False
    if problem.code == "unknown-rule":
        return True
    is_set = any(setting.plugin == policy for setting in plugins.settings.values())
    return problem.code in {"unknown-column", "unknown-parameter"} and not is_set


def _nowhere(_kind: str, _name: str, _part: str) -> None:
    """Place nothing: no rule stands in `kpi.toml` itself."""


class _Checking:
    def __init__(self, plugins: Plugins, file: str, locate: Locate) -> None:
        self.plugins, self.file, self.locate = plugins, file, locate
        self.settings = parameter_schema(plugins.settings)
        self.columns = rule_schema(plugins.indicators, plugins.settings)

    def all(self) -> Iterator[Problem]:
        yield from self._plugins()
        for rule in self.plugins.rules.values():
            yield from self._rule(rule)
        yield from self._circles()
        texts = {name for name in self.plugins.indicators if self.locate("indicator", name, "") is not None}
        for name, part, refusal in indicator_refusals(self.plugins.indicators, self.plugins.settings, texts):
            found, expected, hint = refusal.node, refusal.expected, refusal.nearest
            yield self._problem(refusal.code, "indicator", name, part, found, expected, hint)
        for name, credit in self.plugins.credits.items():
            if name in {*BEFORE_ADJUSTMENTS, *AFTER_ADJUSTMENTS, *AFTER_SHARING}:
                found = _("stage {name}, which the waterfall has").format(name=name)
                yield self._problem("plugin-clash", "credit", name, "", found, _("a name of its own"), None)
            known: expressions.Schema = {**credit_schema(), **self.settings}
            yield from self._expression("credit", name, "amount", credit.amount, known, pl.Int64)
        for name, guard in self.plugins.guards.items():
            yield from self._guard(name, guard)
        for name, check in self.plugins.checks.items():
            if self.plugins.owners.get(f"check:{name}") not in BUILT_INS:  # ours are checked by the tests, once for all
                yield from self._check(name, check)

    def _plugins(self) -> Iterator[Problem]:
        """A policy's name is its section of `kpi.toml`, and stands before the full stop in ids of rules."""
        for plugin in self.plugins.plugins:
            is_taken = plugin.name == DECLARED and plugin.origin != "declared"
            if "." in plugin.name or plugin.name in CORE or is_taken:
                expected = _("a name without full stops that is no section of kpi.toml")
                place = Place(file=plugin.distribution)
                yield error("bad-name", place, found=_("policy {name}").format(name=plugin.name), expected=expected)

    def _check(self, name: str, check: Check) -> Iterator[Problem]:
        if check.table not in CHECKED:
            found, hint = str(check.table), nearest(str(check.table), CHECKED)
            yield self._problem("unknown-table", "check", name, "table", found, ", ".join(CHECKED), hint)
            return
        schema = {**check_schema(check.table), **self.settings}
        yield from self._expression("check", name, "when", check.when, schema, pl.Boolean, row_wise=False)
        own = SCHEMAS[check.table].dtypes
        for among in check.among:
            yield from self._expression("check", name, "among", among, own, pl.Boolean, row_wise=False)
        yield from self._text("check", name, "message", check.message, schema)

    def _guard(self, name: str, guard: Guard) -> Iterator[Problem]:
        known = guard_schema(guard, self.settings)
        if guard.when is not None:
            yield from self._expression("guard", name, "when", guard.when, known, pl.Boolean)
        for part, limit in (("withholdable", guard.withholdable), ("with_basis", guard.with_basis)):
            if limit is not None:
                yield from self._expression("guard", name, part, limit, known, pl.Int64)
        yield from self._text("guard", name, "message", guard.message, message_schema(guard, self.settings))

    def _rule(self, rule: Rule) -> Iterator[Problem]:
        yield from self._subject(rule)
        yield from self._expression("rule", rule.id, "when", rule.when, self.columns, pl.Boolean)
        if rule.until is not None:
            yield from self._expression("rule", rule.id, "until", rule.until, self.columns, pl.Boolean)
        if rule.amount is not None:
            yield from self._expression("rule", rule.id, "amount", rule.amount, self.columns, pl.Int64)
            if rule.until is not None:  # only what is issued has an amount: this one would be lost
                found, expected = str(rule.amount), _("no amount")
                yield self._problem("amount-of-state", "rule", rule.id, "amount", found, expected, None)
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
            yield from self._hold(rule, rule.hold)
        yield from self._deposit(rule)
        for other in rule.supersedes:
            if other not in self.plugins.rules and other not in self.plugins.off:
                yield from self._superseded(rule, other)
        yield from self._text("rule", rule.id, "reason", rule.reason, self.columns)

    def _superseded(self, rule: Rule, other: str) -> Iterator[Problem]:
        """Name a rule that is not there; one of a policy that is merely not enabled may be."""
        policy, _dot, name = other.partition(".")
        enabled = {plugin.name for plugin in self.plugins.plugins}
        if policy in enabled:
            yield self._unknown("unknown-rule", rule.id, "supersedes", other, self.plugins.rules)
        elif policy not in (available := installed()):
            near = nearest(policy, [*available, *sorted(enabled - BUILT_INS.keys())])
            hint = f"{near}.{name}" if f"{near}.{name}" in self.plugins.rules else near
            expected = _("a rule of a policy that is enabled or installed")
            place = self._place("rule", rule.id, "supersedes")
            yield warning("unknown-rule", place, found=other, expected=expected, nearest=hint)

    def _hold(self, rule: Rule, hold: Hold) -> Iterator[Problem]:
        """Check the parameters that say how much is withheld and from whom."""
        for name, kind in ((hold.share, "ratio"), (hold.grades, "texts")):
            setting = self.plugins.settings.get(name) if name is not None else None
            if name is not None and setting is None:
                yield self._unknown("unknown-parameter", rule.id, "hold", name, self.plugins.settings)
            elif setting is not None and setting.kind != kind:
                found = f"{setting.name} : {setting.kind}"
                expected = _("a setting of kind {kind}").format(kind=kind)
                yield self._problem("wrong-type", "rule", rule.id, "hold", found, expected, None)

    def _deposit(self, rule: Rule) -> Iterator[Problem]:
        """Check the amounts of what a rule does to deposits."""
        deposit = {name: dtype for name, dtype in SCHEMAS["deposits"].dtypes.items() if name in _OF_DEPOSIT}
        more: expressions.Schema = {"group": pl.String, **self.settings}
        staff = {name: dtype for name, dtype in SCHEMAS["staff"].dtypes.items() if name != "row"}
        for effect in rule.deposit:
            collects = isinstance(effect, Collect)
            if collects and rule.until is None:
                found, expected = _("no condition that ends it"), _("an end for what is collected every month")
                yield self._problem("hold-without-end", "rule", rule.id, "until", found, expected, None)
            if effect.amount is not None:
                read = staff if collects else {**deposit, "held": pl.Int64(), "forfeited": pl.Int64()}
                yield from self._expression("rule", rule.id, "deposit", effect.amount, {**read, **more}, pl.Int64)

    def _text(self, kind: str, name: str, part: str, message: str, schema: expressions.Schema) -> Iterator[Problem]:
        """Check the fields of a message, and that their formats suit their types."""
        try:
            names = text.fields(message)
            unknown = [field for field in names if field not in schema]
            if not unknown:
                text.render(message, {field: _SAMPLES.get(schema[field]) for field in names})
        except (ValueError, KeyError) as problem:  # KeyError: a field inside a format
            found, expected = f"{message}: {problem}", _("a text with fields in braces")
            yield self._problem("bad-reason", kind, name, part, found, expected, None)
            return
        for field in unknown:
            yield self._unknown("unknown-column", name, part, field, schema, kind)

    def _subject(self, rule: Rule) -> Iterator[Problem]:
        subjects = get_args(Subject)
        if rule.subject not in subjects:
            expected = _("one of {subjects}").format(subjects=", ".join(subjects))
            hint = nearest(str(rule.subject), subjects)
            yield self._problem("bad-subject", "rule", rule.id, "subject", str(rule.subject), expected, hint)

    def _expression(
        self,
        kind: str,
        name: str,
        part: str,
        expression: pl.Expr,
        schema: expressions.Schema,
        expected: type[pl.DataType],
        *,
        row_wise: bool = True,
    ) -> Iterator[Problem]:
        if self.locate(kind, name, part) is not None:
            refusals = sql_types.check(expression, schema, expected)
        else:
            refusals = expressions.check(expression, schema, expected, row_wise=row_wise)
        if self.locate(kind, name, part) is not None and not refusals:
            for doubt in sql_types.inexact(expression, schema):
                place = self._place(kind, name, part)
                yield warning(doubt.code, place, found=doubt.node, expected=doubt.expected)
        for refusal in refusals:
            yield self._problem(refusal.code, kind, name, part, refusal.node, refusal.expected, refusal.nearest)

    def _circles(self) -> Iterator[Problem]:
        """Rules that supersede each other, however many there are between, keep each other from ever starting."""
        for name in self.plugins.rules:
            circle = self._circle(name)
            if circle and name == min(circle):
                found = _("a circle of rules that supersede each other: {rules}").format(rules=", ".join(circle))
                expected = _("one that supersedes the other")
                yield self._problem("supersession-circle", "rule", name, "supersedes", found, expected, None)

    def _circle(self, start: str) -> tuple[str, ...]:
        """Return a shortest circle of supersession from a rule back to it, or nothing."""
        paths: list[tuple[str, ...]] = [(start,)]
        seen: set[str] = set()
        while paths:
            path, *paths = paths
            for other in sorted(self.plugins.rules[path[-1]].supersedes):
                if other == start:
                    return path
                if other in self.plugins.rules and other not in seen:
                    seen.add(other)
                    paths.append((*path, other))
        return ()

    def _unknown(
        self, code: str, owner: str, part: str, name: str, choices: Iterable[str], kind: str = "rule"
    ) -> Problem:
        return self._problem(code, kind, owner, part, name, _("a name that is there"), nearest(name, choices))

    def _problem(
        self, code: str, kind: str, name: str, part: str, found: str, expected: str, hint: str | None
    ) -> Problem:
        place = self.plugins.places.get(f"{kind}:{name} {found}")  # where a policy read the name of this column
        return error(code, place or self._place(kind, name, part), found=found, expected=expected, nearest=hint)

    def _place(self, kind: str, name: str, part: str) -> Place:
        if (place := self.locate(kind, name, part)) is not None:
            return place
        if (place := self.plugins.places.get(f"{kind}:{name}")) is not None:
            return place
        plugin = self.plugins.provenance(kind, name)
        source = "" if plugin is None or plugin.name in BUILT_INS else plugin.distribution
        return Place(file=source or self.file, key=f"{kind} {name}" + (f", {part}" if part else ""))
