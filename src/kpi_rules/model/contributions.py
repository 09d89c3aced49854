"""What a plugin contributes: rules, checks, credits, indicators, pace curves, forecasts, guards. All of it is data.

Conditions and amounts are polars expressions over the columns of one frame; who evaluates them, and on which frame,
is the pipeline's business. `model.expressions` refuses every expression that is not row-wise and pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

import polars as pl
from attrs import define, evolve, field
from attrs.validators import deep_iterable, optional

from kpi_rules.model.deposits import effects
from kpi_rules.model.money import BILLION
from kpi_rules.model.problems import nearest
from kpi_rules.model.settings import declared_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from fractions import Fraction

    from attrs import Attribute

    from kpi_rules.model.calendar import Year
    from kpi_rules.model.deposits import DepositEffect
    from kpi_rules.model.forecasts import Fit
    from kpi_rules.model.problems import Severity

Subject = Literal["unit", "head", "staff"]
Effect = Literal["exclude", "flag", "off"]
IndicatorKind = Literal["money", "count", "ratio", "flag", "text"]
Within = Literal["", "least", "most", "mean", "sum", "rank", "size"]
Counting = Literal["", "consecutive", "total"]
GuardAbout = Literal["pay", "measure", "reward", "quota", "indicator", "evidence"]
GuardEffect = Literal["block", "warn", "note"]

_SUMMED = ("money", "count")

SCALED = ":billionths"
"""Suffix of the column that holds a ratio parameter exactly, as a whole number of billionths."""


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    """Take a single text as one name: the comma of a tuple of one is easily forgotten."""
    return (names,) if isinstance(names, str) else tuple(names)


def _expressions(given: pl.Expr | Sequence[pl.Expr] | None) -> tuple[Any, ...]:
    """Take one expression, several, or none, as a tuple; what is no expression is refused after that."""
    return () if given is None else tuple(given) if isinstance(given, (list, tuple)) else (given,)


def _all(items: Iterable[Any]) -> tuple[Any, ...]:
    """Take any collection as a tuple."""
    return tuple(items)


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


def _is_one_of(choices: Any) -> Any:  # noqa: ANN401 (a Literal; a validator as attrs wants it)
    def check(of: object, attribute: Attribute[str], value: Any) -> None:  # noqa: ANN401 (as above)
        if value not in get_args(choices):
            shown = ", ".join(repr(each) for each in get_args(choices))
            kind = type(of).__name__.lower()
            raise ValueError(f"{attribute.name} of {kind} {getattr(of, 'name', '')} is one of {shown}, not {value!r}")

    return check


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
        deposit: what it does to deposits: one of `Collect`, `Forfeit`, `Refund`, `Return`, or several.
        repeats: a one-off that may be issued at every tick instead of once a year.
        reason: message with `{column}` or `{plugin.parameter}` fields and format specifications.
        sources: what it implements: an M-number, article, paper.
        months: the length of a measure of a fixed period, such as a promotion freeze.
        into: where money that the measure takes for good is booked, such as `treasury`; empty where it takes none.
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
    deposit: tuple[DepositEffect, ...] = field(default=(), converter=effects)
    repeats: bool = False
    label: str = ""
    sources: tuple[str, ...] = field(default=(), converter=_names)
    months: int | None = None
    into: str = ""
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
    workspace's choice, by default to flag. Several conditions `among` are applied one after the other, the cheapest
    first. It sees the rows that can count for the year, or with `scope="known"` all rows known. `domain` is
    the package whose catalogue translates the message, set when the policy is loaded.
    """

    name: str = field(validator=_is_name)
    table: str
    when: pl.Expr = field(validator=_is_expression)
    message: str
    severity: Literal["error", "warning", "note"] = "warning"
    sources: tuple[str, ...] = field(default=(), converter=_names)
    among: tuple[pl.Expr, ...] = field(default=(), converter=_expressions, validator=deep_iterable(_is_expression))
    scope: Literal["year", "known"] = "year"
    domain: str = "kpi_rules"


@define(frozen=True, eq=False)
class Credit:
    """An adjustment of a project's confirmed amount: eligibility, factor or cap (M14).

    `amount` is a row-wise Int64 expression in fen over one project at one tick: the project's columns, `on`,
    `contracted`, `vouchers`, `confirmed`, `evidence`, what bore that out, and `credited`, what the adjustments before
    it left. Adjustments apply in order of their names. With `needs`, it is left out, stage and all, until one of these
    parameters is written or one of these tables has rows.
    """

    name: str = field(validator=_is_name)
    amount: pl.Expr = field(validator=_is_expression)
    label: str = ""
    sources: tuple[str, ...] = field(default=(), converter=_names)
    needs: tuple[str, ...] = field(default=(), converter=_names)


@define(frozen=True, eq=False)
class Indicator:
    """A further indicator per unit and tick (M4, M11).

    Attributes:
        name: its column.
        kind: what it holds; money is Int64 fen, a count Int64, a ratio Float64.
        value: a row-wise expression over the columns of `semantics.md` and other indicators.
        table: the table whose rows are summed instead: `value` is then Int64, or Boolean to count, over the rows of
            that table that are the unit's or a descendant's (for evidence of a project: of whoever claims it), with
            `tick`, `year_start` and `year_end`. A null makes the sum null, null as a Boolean does not count. Of
            `projects` there is a row per claim of a project recognised by the tick, with `credited` (what the unit has
            of it, fen), `vouchers`, `confirmed` (the project's, fen) and `share` (billionths). Of money or count, it
            can have quotas, and with them all that `funds` has.
        within: what becomes of the value inside the peer group, nulls left out: its least, most, mean or sum, the
            number of its units (`size`), or the unit's `rank`, 1 + the units with strictly higher value. Null without a
            group and, but for the size, without any value; sums and means are exact, rounded once.
        counting: the value is a condition, and the indicator the number of ticks of the year at which `at` held and it
            was true: all of them (`total`), or those since it last was not (`consecutive`). Null is not true. With
            `total` the value may be Int64 instead: it is summed over those ticks, null as 0.
        at: the moments at which it is counted, a condition over moments alone.
        rows: by the label of a table's row the condition, over the columns that `value` may read, at which the row
            applies; `kpi-rules test` says which rows no case has hit.
        own: of an indicator over a table: sum the unit's own rows alone, not those of its descendants, as for a duty
            of its head.
        needs: it is shown only where something reads it, a quota is set for it, or one of these is there: a written
            parameter (`plugin.name`), a table with rows.
        domain: the package whose catalogue translates its label; set when the policy is loaded.
    """

    name: str = field(validator=_is_name)
    kind: IndicatorKind = field(validator=_is_one_of(IndicatorKind))
    value: pl.Expr = field(validator=_is_expression)
    label: str = ""
    sources: tuple[str, ...] = field(default=(), converter=_names)
    table: str = ""
    within: Within = field(default="", validator=_is_one_of(Within))
    counting: Counting = field(default="", validator=_is_one_of(Counting))
    at: pl.Expr | None = field(default=None, validator=optional(_is_expression))
    rows: Mapping[str, pl.Expr] = field(factory=dict)
    own: bool = False
    needs: tuple[str, ...] = field(default=(), converter=_names)
    domain: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot go together."""
        if self.own and not self.table:
            raise ValueError(f"indicator {self.name} sums no table, of which the unit could have rows of its own")
        if sum(map(bool, (self.table, self.within, self.counting))) > 1:
            raise ValueError(f"indicator {self.name} has at most one of table, within and counting")
        if bool(self.counting) != (self.at is not None):
            raise ValueError(f"indicator {self.name} has counting and at together, or neither")
        if (self.table and self.kind not in _SUMMED) or (self.counting and self.kind != "count"):
            raise ValueError(f"indicator {self.name} is a sum or a count, and of that kind")

    @property
    def has_quota(self) -> bool:
        """Whether a quota can be set for it."""
        return bool(self.table)


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
class Forecast:
    """A forecast by name: how what units bring may go on (M22).

    Attributes:
        name: what `[forecast] models` says.
        fit: a function of a `History` that returns a `Fitted`: arrays that the library draws from. It is called once
            for each whole number that is forecast, in the main process; it must not depend on anything else.
        label: its name for people.
        sources: what it implements.
    """

    name: str = field(validator=_is_name)
    fit: Fit
    label: str = ""
    sources: tuple[str, ...] = field(default=(), converter=_names)


@define(frozen=True)
class Deadline:
    """A date that a guard attaches to a measure: `days` after the measure starts, the last day included.

    `label` says what is due by then. With `after`, the days count from an event that has no date yet, such as the
    decision of a review, and the text says so instead of a date.
    """

    label: str
    days: int
    after: str = ""


def _deadlines(given: Deadline | Sequence[Deadline]) -> tuple[Deadline, ...]:
    """Take a single deadline as one: the comma of a tuple of one is easily forgotten."""
    return (given,) if isinstance(given, Deadline) else tuple(given)


@define(frozen=True, eq=False)
class Guard:
    """A limit on what an assessment may propose (the safeguards policy is made of these).

    A guard looks at the rows of one frame and concerns those where `when` is true. Where `when` is null, a value that
    it needs is missing: that is never read as harmless, the row is concerned and a finding names what is missing.

    Attributes:
        name: its id, a section of `[guards]` in `kpi.toml`.
        about: the frame, and what the guard does to a row it concerns:
            `pay`, a row of `staff` in one month: at most `withholdable` is withheld, over all measures together;
            `measure`, a measure for each person it falls on: with the effect `block` it is not proposed, with `warn` it
            carries the message, with `note` a remark without a finding;
            `reward`, an issued measure of which evidence was withdrawn since: its revocation is proposed;
            `quota`, `indicator`, `evidence`: a finding. docs/safeguards.md has the columns of each.
        when: row-wise Boolean; None concerns every row.
        effect: what it does where `kpi.toml` says nothing; a `block` becomes a `warn` only with a legal basis.
        withholdable: of a guard about pay, row-wise Int64 in fen; None is nothing at all. A null limits nothing if
            there is no `when`, else nothing may be withheld.
        with_basis: the same once the block is lowered to a warning; None limits nothing.
        message: with `{column}` fields.
        deadlines: dates attached to a measure.
    """

    name: str = field(validator=_is_name)
    withholdable: pl.Expr | None = field(default=None, validator=optional(_is_expression))
    label: str = ""
    sources: tuple[str, ...] = field(default=(), converter=_names)
    about: GuardAbout = field(default="pay", validator=_is_one_of(GuardAbout), kw_only=True)
    when: pl.Expr | None = field(default=None, validator=optional(_is_expression), kw_only=True)
    effect: GuardEffect = field(default="block", validator=_is_one_of(GuardEffect), kw_only=True)
    with_basis: pl.Expr | None = field(default=None, validator=optional(_is_expression), kw_only=True)
    message: str = field(default="", kw_only=True)
    deadlines: tuple[Deadline, ...] = field(default=(), converter=_deadlines, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot go together."""
        if self.about == "pay":
            if self.when is None and self.withholdable is None:
                raise ValueError(f"guard {self.name} about pay says whom it concerns (when) or how much (withholdable)")
            if self.effect != "block" and self.withholdable is not None:
                raise ValueError(f"guard {self.name} does not block: what may be withheld is its with_basis")
            return
        if self.withholdable is not None or self.with_basis is not None:
            raise ValueError(f"guard {self.name} about {self.about} limits no pay")
        if self.about != "measure" and (self.effect != "warn" or self.deadlines):
            raise ValueError(f"guard {self.name} about {self.about} warns, and attaches no deadlines")


@define(frozen=True)
class Trouble:
    """Something wrong with what a policy's tables in `kpi.toml` say, which only the policy can know.

    `path` leads to it inside the policy's section, such as `("item", 2, "to")`; the library adds file and line.
    """

    path: tuple[str | int, ...]
    found: str
    expected: str
    code: str = "bad-configuration"
    severity: Severity = "error"
    nearest: str | None = None


@define(frozen=True, eq=False)
class Configured:
    """What a policy contributes on the strength of its tables in `kpi.toml`, and what is wrong with them.

    `places` says from where in them a contribution was made, by its kind and name (`indicator score_main`,
    `rule prize_first`): what the library finds wrong with it is reported there. With a column after it
    (`indicator score_main vetod`) it says from where that column was read, should there be none of the name.
    """

    indicators: tuple[Indicator, ...] = field(default=(), converter=_all)
    rules: tuple[Rule, ...] = field(default=(), converter=_all)
    credits: tuple[Credit, ...] = field(default=(), converter=_all)
    checks: tuple[Check, ...] = field(default=(), converter=_all)
    guards: tuple[Guard, ...] = field(default=(), converter=_all)
    problems: tuple[Trouble, ...] = field(default=(), converter=_all)
    places: Mapping[str, tuple[str | int, ...]] = field(factory=dict)


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

    def __dir__(self) -> list[str]:
        """List the parameters, for editors and consoles that complete names."""
        return sorted(self._names)


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
    return exact_share(pl.col(_bare(rate) + SCALED), amount)


def exact_share(exact: pl.Expr, amount: pl.Expr) -> pl.Expr:
    """Return `share_of` for a rate in billionths, a column or a literal of type Int64."""
    part = exact % BILLION
    return amount * (exact // BILLION) + amount // BILLION * part + amount % BILLION * part // BILLION


def owned(rule: Rule, plugin: str, domain: str) -> Rule:
    """Return a rule as one of the plugin that contributed it, whose package `domain` translates its texts."""
    return evolve(rule, plugin=plugin, domain=domain)
