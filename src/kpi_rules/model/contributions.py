"""What a plugin contributes: rules, checks, credits, indicators, pace curves, guards. All of it is data.

Conditions and amounts are polars expressions over the columns of one frame; who evaluates them, and on which frame,
is the pipeline's business. `model.expressions` refuses every expression that is not row-wise and pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import polars as pl
from attrs import define, evolve, field

from kpi_rules.model.calendar import MOMENTS
from kpi_rules.model.money import BILLION
from kpi_rules.model.problems import nearest
from kpi_rules.model.settings import declared_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from fractions import Fraction

    from kpi_rules.model.calendar import Year

Subject = Literal["unit", "head", "staff"]
Effect = Literal["exclude", "flag", "off"]
IndicatorKind = Literal["money", "count", "ratio", "flag"]

SCALED = ":billionths"
"""Suffix of the column that holds a ratio parameter exactly, as a whole number of billionths."""


def _names(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(names)


def _parameter_name(parameter: pl.Expr | str | None) -> str | None:
    if isinstance(parameter, pl.Expr):
        return parameter.meta.root_names()[0]
    return parameter


@define(frozen=True)
class Hold:
    """What a rule withholds while it is active (M17): `share` of the withholdable component of everybody in scope.

    `share` and `grades` name parameters (`p.share`); without `grades` the scope is all staff of the unit. `subtree`
    widens the scope to the staff of the unit's descendants.
    """

    share: str = field(converter=_parameter_name)
    grades: str | None = field(default=None, converter=_parameter_name)
    subtree: bool = False


@define(frozen=True, eq=False)
class Rule:
    """A rule: when it proposes a measure, when the measure ends, and what it is (M16 to M19).

    Attributes:
        name: short name in the policy; the rule's id is `plugin.name`.
        kind: what the measure is, such as `pay_hold`, `duty`, `talk`, `commendation`, `bonus`.
        subject: on whom it falls: the unit, its head, or its staff.
        when: row-wise Boolean expression; null does not fire.
        until: row-wise Boolean expression that ends the measure; None for a one-off.
        supersedes: ids of rules that this one replaces and keeps from starting; not transitive.
        amount: row-wise Int64 expression in fen, for a one-off with an amount.
        hold: the pay withheld while active.
        repeats: a one-off that may be issued at every tick instead of once a year.
        reason: message with `{column}` or `{plugin.parameter}` fields and format specifications.
        sources: what it implements: an M-number, article, paper.
        plugin: the policy it belongs to, and `domain` the package whose catalogue translates its texts; both are set
            when the policy is loaded.
    """

    name: str
    kind: str
    subject: Subject
    when: pl.Expr
    reason: str
    until: pl.Expr | None = None
    supersedes: tuple[str, ...] = field(default=(), converter=_names)
    amount: pl.Expr | None = None
    hold: Hold | None = None
    repeats: bool = False
    label: str = ""
    sources: tuple[str, ...] = field(default=(), converter=_names)
    plugin: str = ""
    domain: str = ""

    @property
    def id(self) -> str:
        """The rule's public id, `plugin.name`."""
        return f"{self.plugin}.{self.name}"

    @property
    def one_off(self) -> bool:
        """Whether the measure is issued once instead of being in force for a time."""
        return self.until is None


@define(frozen=True, eq=False)
class Check:
    """A test of one evidence table (M15): the rows where `when` is true give a finding.

    `when` reads the table's columns and, for arrivals, visits and claims, those of its project as `project_<column>`;
    windows are allowed. `message` is formatted with the row. What a finding does is the workspace's choice, by
    default to flag.
    """

    name: str
    table: Literal["projects", "claims", "arrivals", "visits"]
    when: pl.Expr
    message: str
    severity: Literal["error", "warning", "note"] = "warning"
    sources: tuple[str, ...] = field(default=(), converter=_names)


@define(frozen=True, eq=False)
class Credit:
    """An adjustment of a project's confirmed amount: eligibility, factor or cap (M14).

    `amount` is a row-wise Int64 expression in fen over one project at one tick: the project's columns, `on`,
    `contracted`, `vouchers`, `confirmed`, and `credited`, what the adjustments before it left. Adjustments apply in
    order of their names.
    """

    name: str
    amount: pl.Expr
    label: str = ""
    sources: tuple[str, ...] = field(default=(), converter=_names)


@define(frozen=True, eq=False)
class Indicator:
    """A further indicator per unit and tick: a row-wise expression over the columns of `semantics.md`."""

    name: str
    kind: IndicatorKind
    value: pl.Expr
    label: str = ""
    sources: tuple[str, ...] = field(default=(), converter=_names)


class PaceFunction(Protocol):
    """The share of the annual task expected on a date, as an exact fraction; `points` is the workspace's own plan."""

    def __call__(self, year: Year, on: date, points: Sequence[tuple[date, Fraction]], /) -> Fraction:
        """Return the expected share, 0 or more; from the year end on it is taken as 1 whatever this returns."""


@define(frozen=True, eq=False)
class PaceCurve:
    """A pace curve by name (M3)."""

    name: str
    expected: PaceFunction
    label: str = ""


@define(frozen=True, eq=False)
class Guard:
    """A limit on the money withheld from one person in one month.

    `withholdable` is a row-wise Int64 expression in fen over the columns of `staff`; null limits nothing. The least
    of all guards and of the component itself holds, never below 0.
    """

    name: str
    withholdable: pl.Expr
    label: str = ""
    sources: tuple[str, ...] = field(default=(), converter=_names)


class ParameterNames:
    """A policy's parameters as expressions, made by `parameters`: `p.off_post_below` is the column
    `field_duty.off_post_below`.
    """

    def __init__(self, plugin: str, names: Sequence[str]) -> None:
        """Keep the names that may be asked for."""
        self._plugin = plugin
        self._names = tuple(names)

    def __getattr__(self, name: str) -> pl.Expr:
        """Return the parameter as an expression; a name that the settings class lacks is the author's error, told at
        import.
        """
        if name.startswith("_") or name not in self._names:
            hint = nearest(name, self._names)
            msg = f"{self._plugin} has no setting {name!r}" + (f"; nearest: {hint}" if hint else "")
            raise AttributeError(msg)
        return pl.col(f"{self._plugin}.{name}")


def parameters(plugin: str, settings: type) -> ParameterNames:
    """Return the settings of a policy as named inputs for its rules.

    Args:
        plugin: the policy's name, as in `[plugins] enabled`.
        settings: the attrs class that its `kpi_settings` returns.
    """
    return ParameterNames(plugin, [name.partition(".")[2] for name in declared_settings(plugin, settings)])


def share_of(rate: pl.Expr, amount: pl.Expr) -> pl.Expr:
    """Return floor(rate x amount) in fen, exactly, for a ratio parameter and an Int64 amount."""
    exact = pl.col(f"{rate.meta.root_names()[0]}{SCALED}")
    return amount // BILLION * exact + amount % BILLION * exact // BILLION


class _Moments:
    """The moments as expressions: `at.campaign_end` is the Boolean column `at_campaign_end`."""

    month_end: pl.Expr
    mid_year: pl.Expr
    quarter_end: pl.Expr
    campaign_end: pl.Expr
    review: pl.Expr
    year_end: pl.Expr

    def __init__(self) -> None:
        for moment in MOMENTS:
            setattr(self, moment.removeprefix("at_"), pl.col(moment))


class _Unit:
    """The indicators of a unit as expressions: `unit.completion` is the column `completion`, checked when rules are
    loaded.
    """

    def __getattr__(self, name: str) -> pl.Expr:
        return pl.col(name)


at = _Moments()
unit = _Unit()


def owned(rule: Rule, plugin: str, domain: str) -> Rule:
    """Return a rule as one of the plugin that contributed it, whose package `domain` translates its texts."""
    return evolve(rule, plugin=plugin, domain=domain)
