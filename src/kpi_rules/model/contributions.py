"""What a plugin contributes: rules, checks, credits, indicators, pace curves, guards. All of it is data.

Conditions and amounts are polars expressions over the columns of one frame; who evaluates them, and on which frame,
is the pipeline's business. `model.expressions` refuses every expression that is not row-wise and pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

import polars as pl
from attrs import define, evolve, field
from attrs.validators import optional

from kpi_rules.model.calendar import MOMENTS
from kpi_rules.model.money import BILLION
from kpi_rules.model.problems import nearest
from kpi_rules.model.settings import declared_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from fractions import Fraction

    from attrs import Attribute

    from kpi_rules.model.calendar import Year

Subject = Literal["unit", "head", "staff"]
Effect = Literal["exclude", "flag", "off"]
IndicatorKind = Literal["money", "count", "ratio", "flag"]

SCALED = ":billionths"
"""Suffix of the column that holds a ratio parameter exactly, as a whole number of billionths."""


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    """Take a single text as one name: the comma of a tuple of one is easily forgotten."""
    return (names,) if isinstance(names, str) else tuple(names)


def _parameter_name(parameter: pl.Expr | str | None) -> str | None:
    return _bare(parameter) if isinstance(parameter, pl.Expr) else parameter


def _bare(parameter: pl.Expr) -> str:
    """Return the name of a parameter; what is computed from one has no exact value of its own."""
    if not parameter.meta.is_column():
        raise ValueError(f"a parameter by itself is expected, not {parameter}")
    return parameter.meta.output_name()


def _is_name(_of: object, attribute: Attribute[str], value: Any) -> None:  # noqa: ANN401 (whatever an author gives)
    """Refuse names that an id, a column or a key of `kpi.toml` could not hold."""
    if not isinstance(value, str) or not re.fullmatch(r"\w[\w-]*", value):
        raise ValueError(f"{attribute.name} is a word of letters, digits, _ and -, not {value!r}")


def _is_expression(of: object, attribute: Attribute[Any], value: Any) -> None:  # noqa: ANN401 (as above)
    if not isinstance(value, pl.Expr):
        raise TypeError(
            f"{attribute.name} of {type(of).__name__} {getattr(of, 'name', '')} is a polars expression, not {value!r}"
        )


def _is_kind(_of: object, attribute: Attribute[str], value: Any) -> None:  # noqa: ANN401 (as above)
    kinds = get_args(IndicatorKind)
    if value not in kinds:
        raise ValueError(f"{attribute.name} of an indicator is one of {', '.join(kinds)}, not {value!r}")


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

    name: str = field(validator=_is_name)
    kind: str
    subject: Subject
    when: pl.Expr = field(validator=_is_expression)
    reason: str
    until: pl.Expr | None = field(default=None, validator=optional(_is_expression))
    supersedes: tuple[str, ...] = field(default=(), converter=_names)
    amount: pl.Expr | None = field(default=None, validator=optional(_is_expression))
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
    windows are allowed. `among`, over the table's own columns, is a far cheaper condition that leaves out most of what
    `when` could never find; `when` sees the rest alone. `message` is formatted with the row. What a finding does is the
    workspace's choice, by default to flag.
    """

    name: str = field(validator=_is_name)
    table: Literal["projects", "claims", "arrivals", "visits"]
    when: pl.Expr = field(validator=_is_expression)
    message: str
    severity: Literal["error", "warning", "note"] = "warning"
    sources: tuple[str, ...] = field(default=(), converter=_names)
    among: pl.Expr | None = field(default=None, validator=optional(_is_expression))


@define(frozen=True, eq=False)
class Credit:
    """An adjustment of a project's confirmed amount: eligibility, factor or cap (M14).

    `amount` is a row-wise Int64 expression in fen over one project at one tick: the project's columns, `on`,
    `contracted`, `vouchers`, `confirmed`, and `credited`, what the adjustments before it left. Adjustments apply in
    order of their names.
    """

    name: str = field(validator=_is_name)
    amount: pl.Expr = field(validator=_is_expression)
    label: str = ""
    sources: tuple[str, ...] = field(default=(), converter=_names)


@define(frozen=True, eq=False)
class Indicator:
    """A further indicator per unit and tick: a row-wise expression over the columns of `semantics.md`."""

    name: str = field(validator=_is_name)
    kind: IndicatorKind = field(validator=_is_kind)
    value: pl.Expr = field(validator=_is_expression)
    label: str = ""
    sources: tuple[str, ...] = field(default=(), converter=_names)


class PaceFunction(Protocol):
    """The share of the annual task expected on a date, as an exact fraction; `points` is the workspace's own plan."""

    def __call__(self, year: Year, on: date, points: Sequence[tuple[date, Fraction]], /) -> Fraction:
        """Return the expected share, 0 or more; from the year end on it is taken as 1 whatever this returns."""


@define(frozen=True, eq=False)
class PaceCurve:
    """A pace curve by name (M3)."""

    name: str = field(validator=_is_name)
    expected: PaceFunction
    label: str = ""


@define(frozen=True, eq=False)
class Guard:
    """A limit on the money withheld from one person in one month.

    `withholdable` is a row-wise Int64 expression in fen over the columns of `staff`; null limits nothing. The least
    of all guards and of the component itself holds, never below 0.
    """

    name: str = field(validator=_is_name)
    withholdable: pl.Expr = field(validator=_is_expression)
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
    """Return floor(rate x amount) in fen, exactly, for a ratio parameter and an Int64 amount.

    Both are taken apart into billions and the rest, so that no product leaves 64 bits.

    Raises:
        ValueError: the rate is no parameter by itself (`p.rate * 2`): it would have no exact value.
    """
    exact = pl.col(_bare(rate) + SCALED)
    part = exact % BILLION
    return amount * (exact // BILLION) + amount // BILLION * part + amount % BILLION * part // BILLION


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
