"""Reading rules without Python: what each table of `kpi.toml` declares; see `declared`.

What is wrong in one table leaves the rest to be checked: a condition that cannot be read is stood in for by one that
never holds, and its error stops the assessment.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs
import polars as pl
from cattrs.errors import BaseValidationError

from kpi_rules.hooks.manager import DECLARED, Plugin
from kpi_rules.hooks.specs import hookimpl
from kpi_rules.locale import _
from kpi_rules.model import sql, sql_types
from kpi_rules.model.calendar import MOMENTS
from kpi_rules.model.contributions import Hold, Indicator, Rule
from kpi_rules.model.deposits import Collect, DepositEffect, Forfeit, Refund, Return
from kpi_rules.model.problems import nearest
from kpi_rules.model.settings import GREATEST, Kind, Setting, Value, settings_class
from kpi_rules.workspace.config_items import item_converter
from kpi_rules.workspace.config_parameters import general_value
from kpi_rules.workspace.config_schema import DECLARED_TABLES, Issue, UnfitError, issues_in, shown
from kpi_rules.workspace.declared_schema import DepositTable, HoldTable, IndicatorTable, ParameterTable, RuleTable

if TYPE_CHECKING:
    from collections.abc import Collection

    from kpi_rules.model.expressions import Refusal
    from kpi_rules.workspace.config_lines import Path
    from kpi_rules.workspace.declared import Declared

T = TypeVar("T")

_NAME: Final = re.compile(r"[^\W\d]\w*")
_EMPTY: Final[Mapping[str, pl.Expr]] = {
    "money": pl.lit(0, pl.Int64),
    "count": pl.lit(0, pl.Int64),
    "ratio": pl.lit(0.0),
    "flag": pl.lit(False),
    "text": pl.lit(""),
}
"""What stands in for the value of an indicator that cannot be read."""

_MISSING: Final = object()
"""Stands for the value of a parameter that has none."""

_NOTHING: Final[Mapping[str, Value]] = {"ratio": 0, "money": 0, "count": 0, "flag": False, "texts": (), "choice": ""}
_DEPOSITS: Final[Mapping[str, Callable[[pl.Expr | None], DepositEffect]]] = {
    "forfeit": Forfeit,
    "refund": Refund,
    "return": Return,
}


class Reading:
    """One reading of the tables: collects what they declare and what is wrong."""

    def __init__(self, found: Declared) -> None:
        """Prepare to fill in what is found."""
        self.found = found
        self.settings: dict[str, Setting] = {}
        self.rules: dict[str, Rule] = {}
        self.indicators: dict[str, Indicator] = {}
        self.issues: list[Issue] = []

    def done(self) -> None:
        """Read all tables."""
        for number, table in self._tables("parameter", ParameterTable, {"kind": "ratio", "value": _MISSING}):
            self._parameter(table, ("parameter", number))
        for number, indicator in self._tables("indicator", IndicatorTable, {"kind": "money", "value": "0"}):
            self._indicator(indicator, ("indicator", number))
        for number, rule in self._tables(
            "rule", RuleTable, {"kind": "?", "subject": "unit", "when": "FALSE", "reason": ""}
        ):
            self._rule(rule, ("rule", number))
        read = self.found.read
        self.found.problems += [issue.problem(read.file, read.lines) for issue in dict.fromkeys(self.issues)]
        self.found.module = self._module()
        self.found.plugin = Plugin(DECLARED, "declared", read.file or "kpi.toml", _digest(read.declared))

    def _module(self) -> ModuleType:
        """Return what is declared as a policy like any other."""
        module = ModuleType("kpi_rules_declared")
        settings = settings_class(self.settings)
        given = {
            "kpi_settings": lambda: settings,
            "kpi_indicators": lambda: list(self.indicators.values()),
            "kpi_policy_rules": lambda: list(self.rules.values()),
        }
        for name, function in given.items():
            setattr(module, name, hookimpl(function))
        return module

    def _tables(self, key: str, kind: type[T], instead: Mapping[str, object]) -> list[tuple[int, T]]:
        """Structure the tables of one kind; `instead` stands in for keys that are wrong or missing."""
        raw = self.found.read.declared.get(key, ())
        if not isinstance(raw, (list, tuple)):
            expected = _("[[{key}]] in double brackets for each").format(key=key)
            self.issues.append(Issue((key,), "wrong-kind", shown(raw), expected))
            return []
        found = []
        for number, each in enumerate(raw):
            table, issues = _structured(_single(each), kind, {"name": f"unnamed_{number + 1}", **instead})
            self.issues += [issue.under(key, number) for issue in issues]
            found += [] if table is None else [(number, table)]
        return found

    def _named(self, kind: str, name: str, path: Path, known: Collection[str]) -> bool:
        """Check a name; say whether it can be used."""
        if not _NAME.fullmatch(name):
            expected = _("a word of letters, digits and _ that begins with a letter")
            self.issues.append(Issue((*path, "name"), "bad-name", shown(name), expected))
            return False
        if name in known:
            found = _("a second {kind} {name}").format(kind=kind, name=name)
            self.issues.append(Issue((*path, "name"), "duplicate-name", found, _("a name of its own for each")))
            return False
        return True

    def _parameter(self, table: ParameterTable, path: Path) -> None:
        if not self._named("parameter", table.name, path, self._own_names()):
            return
        name = f"{DECLARED}.{table.name}"
        bounds = {side: self._bound(table, side, path) for side in ("minimum", "maximum")}
        low, high = bounds["minimum"], bounds["maximum"]
        if table.kind in GREATEST:
            greatest = GREATEST[table.kind]
            low = 0 if low is None else max(low, -greatest)
            high = greatest if high is None else min(high, greatest)
            if low > high:
                expected = _("{minimum} or more").format(minimum=shown(table.minimum))
                self.issues.append(Issue((*path, "maximum"), "out-of-bounds", shown(table.maximum), expected))
                low = high = None
        if table.kind == "choice" and not table.choices:
            found, expected = _("no key choices"), _("the texts to choose from")
            self.issues.append(Issue((*path, "choices"), "missing-key", found, expected))
        label = table.label or table.name
        setting = Setting(name, table.kind, _NOTHING[table.kind], label, table.help, low, high, table.choices)
        self._declare(setting, table.value, (*path, "value"))

    def _own_names(self) -> set[str]:
        return {name.partition(".")[2] for name in self.settings}

    def _bound(self, table: ParameterTable, side: str, path: Path) -> Any:  # noqa: ANN401 (Decimal or int, by kind)
        raw = getattr(table, side)
        if raw is None:
            return None
        if table.kind not in GREATEST:
            found = _("a bound for the kind {kind}").format(kind=table.kind)
            self.issues.append(Issue((*path, side), "unknown-key", found, _("bounds for numbers alone")))
            return None
        reader = Setting("", table.kind, 0, "")
        value = reader.read(raw)
        if value is None:
            self.issues.append(Issue((*path, side), "wrong-kind", shown(raw), reader.expected))
        return value

    def _declare(self, setting: Setting, raw: object, path: Path) -> None:
        """Declare a parameter; what holds where nothing else does is its default."""
        if raw is _MISSING:  # said already
            self.settings[setting.name] = setting
            return
        value = general_value(raw)
        if value is None:
            expected = _("one value without from and group, which holds where no other does")
            self.issues.append(Issue(path, "missing-value", _("no value that holds from the start"), expected))
        default = setting.read(value)
        setting = attrs.evolve(setting, default=_NOTHING[setting.kind] if default is None else default)
        self.settings[setting.name] = setting
        self.found.values.append((setting, path, raw))

    def _indicator(self, table: IndicatorTable, path: Path) -> None:
        if not self._named("indicator", table.name, path, self.indicators):
            return
        value = self._text(table.value, (*path, "value"), _EMPTY[table.kind])
        if table.kind == "ratio" and not table.counting:
            value = value.cast(pl.Float64)
        at = None if table.at is None else self._moments(table.at, (*path, "at"))
        more = (table.table, table.within, table.counting)
        try:
            made = Indicator(
                table.name, table.kind, value, table.label or table.name, table.sources, *more, at, own=table.own
            )
        except ValueError as problem:
            self.issues.append(Issue(path, "bad-indicator", str(problem), _("keys that go together")))
            made = Indicator(table.name, table.kind, _EMPTY[table.kind], table.label)
        self.indicators[table.name] = made
        self.found.paths["indicator", table.name] = path

    def _moments(self, text: str, path: Path) -> pl.Expr:
        """Read when an indicator is counted: one moment, or a condition over moments."""
        name = "at_" + text.strip().casefold().removeprefix("at_")
        if name in MOMENTS:
            return pl.col(name)
        if re.fullmatch(r"\w+", text.strip()):
            names = [moment.removeprefix("at_") for moment in MOMENTS]
            expected = _("a moment, one of {names}, or a condition over moments").format(names=", ".join(names))
            found, near = shown(text), nearest(text.strip().removeprefix("at_"), names)
            self.issues.append(Issue(path, "unknown-moment", found, expected, near))
            return pl.col("at_month_end")
        expression = self._text(text, path, pl.col("at_month_end"))
        self._refuse(sql_types.refusals(expression, dict.fromkeys(MOMENTS, pl.Boolean), pl.Boolean), path)
        return expression

    def _rule(self, table: RuleTable, path: Path) -> None:
        if not self._named("rule", table.name, path, self.rules):
            return
        never, always = pl.lit(False), pl.lit(True)
        if table.months is not None and table.months <= 0:
            self.issues.append(Issue((*path, "months"), "out-of-bounds", shown(table.months), _("1 or more")))
        self.rules[table.name] = Rule(
            table.name,
            kind=table.kind,
            subject=table.subject,
            when=self._text(table.when, (*path, "when"), never),
            until=None if table.until is None else self._text(table.until, (*path, "until"), always),
            amount=None if table.amount is None else self._text(table.amount, (*path, "amount"), _EMPTY["money"]),
            hold=None if table.hold is None else self._hold(table.name, table.hold, (*path, "hold")),
            deposit=tuple(self._deposit(each, (*path, "deposit", number)) for number, each in enumerate(table.deposit)),
            supersedes=table.supersedes,
            repeats=table.repeats,
            label=table.label,
            reason=table.reason,
            sources=table.sources,
            months=table.months,
            into=table.into,
        )
        self.found.paths["rule", f"{DECLARED}.{table.name}"] = path

    def _hold(self, rule: str, table: HoldTable, path: Path) -> Hold:
        """Read a hold; a plain value becomes a parameter of its own, so that it is named wherever it counts."""
        share = self._given(f"{rule}_share", "ratio", _("Share withheld"), table.share, (*path, "share"))
        grades = None
        if table.grades is not None:
            grades = self._given(f"{rule}_grades", "texts", _("Grades concerned"), table.grades, (*path, "grades"))
        return Hold(share, grades, table.subtree)

    def _given(self, name: str, kind: Kind, label: str, raw: object, path: Path) -> str:
        """Return the parameter that a text names, or one made for the value that stands in its place."""
        if isinstance(raw, str):
            return raw
        name = re.sub(r"\W", "_", name)
        if name in self._own_names():
            found = _("a value, for which the parameter {name} would be made").format(name=name)
            self.issues.append(Issue(path, "duplicate-name", found, _("its name as a text, {name}").format(name=name)))
        else:
            bounds = (0, 1) if kind == "ratio" else (None, None)
            self._declare(Setting(f"{DECLARED}.{name}", kind, _NOTHING[kind], label, "", *bounds), raw, path)
        return f"{DECLARED}.{name}"

    def _deposit(self, table: DepositTable, path: Path) -> DepositEffect:
        amount = None if table.amount is None else self._text(table.amount, (*path, "amount"), _EMPTY["money"])
        if table.effect != "collect":
            return _DEPOSITS[table.effect](amount)
        if amount is None:
            found, expected = _("no key amount"), _("how much is collected each month")
            self.issues.append(Issue((*path, "amount"), "missing-key", found, expected))
            amount = _EMPTY["money"]
        return Collect(amount, table.base, table.subtree)

    def _text(self, text: str, path: Path, instead: pl.Expr) -> pl.Expr:
        """Read a condition, an amount or a value; `instead` stands in for one that is refused."""
        found = sql.read(text)
        self._refuse(found.refusals, path)
        return instead if found.expression is None else found.expression

    def _refuse(self, refusals: Sequence[Refusal], path: Path) -> None:
        self.issues += [Issue(path, each.code, each.node, each.expected, each.nearest) for each in refusals]


def _single(raw: object) -> object:
    """Take a single text or table where a list is expected as a list of one, as hooks do."""
    if not isinstance(raw, Mapping):
        return raw
    texts = {key: [raw[key]] for key in ("sources", "supersedes") if isinstance(raw.get(key), str)}
    tables = {key: [raw[key]] for key in ("deposit",) if isinstance(raw.get(key), Mapping)}
    return {**raw, **texts, **tables}


def _structured(raw: object, kind: type[T], instead: Mapping[str, object]) -> tuple[T | None, list[Issue]]:
    """Structure one table with every problem in it, as `config_schema.structure` does for sections."""
    try:
        return item_converter().structure(raw, kind), []
    except (BaseValidationError, UnfitError) as failure:
        issues = list(issues_in(failure))
    if not isinstance(raw, Mapping):
        return None, issues
    for keep in (True, False):
        kept = _without(raw, [issue.path for issue in issues], inner=keep)
        try:
            return item_converter().structure({**instead, **kept}, kind), issues
        except (BaseValidationError, UnfitError):
            continue
    return None, issues


def _without(raw: Mapping[str, Any], wrong: Sequence[Path], *, inner: bool) -> dict[str, Any]:
    """Return a table without its wrong keys; with `inner`, of a table in it the wrong keys alone."""
    kept = dict(raw)
    for path in wrong:
        key = path[0] if path else None
        if not isinstance(key, str) or key not in kept:
            continue
        table = kept[key]
        if inner and len(path) > 1 and isinstance(table, Mapping):
            kept[key] = _without(table, [path[1:]], inner=True)
        else:
            del kept[key]
    return kept


def _digest(raw: Mapping[str, object]) -> str:
    """Return the first digits of the SHA-256 of what is declared: the version of these rules."""
    kept = {key: raw[key] for key in DECLARED_TABLES if key in raw}
    text = json.dumps(kept, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
