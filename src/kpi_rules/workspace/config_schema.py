"""The sections of `kpi.toml` as classes, and their structuring with every problem at once.

Each section is an attrs class; its fields are the keys an administrator may write, their types what is allowed there.
cattrs structures them strictly (a text is no date, 1 is no flag) and collects every failure; `issues_in` turns that
tree of exceptions into a flat list in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, Literal, NewType, TypeVar, get_args

import attrs
from attrs import define, field
from cattrs import Converter
from cattrs.cols import homogenous_tuple_structure_factory, mapping_structure_factory
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn, override

from kpi_rules.locale import _
from kpi_rules.model.money import BILLION, billionths
from kpi_rules.model.problems import Place, Problem, Severity, nearest
from kpi_rules.workspace.config_lines import Lines, Path, dotted

MOST_PARTS = 400
"""The greatest denominator of a share of a quota: with it, ratios of bounded amounts are still correctly rounded."""

MOST_DIGITS = 40
"""Numbers with more digits than this before or after the point are refused as no numbers at all."""

UNNAMED = "?"
"""Stands for the id of a campaign that has none, so that the rest of it can be checked."""

_LONGEST = 60

Effect = Literal["exclude", "flag", "off"]
Unvisited = Literal["none", "vouchers"]
Evidence = Literal["visits", "evaluations", "vouchers", "declared"]
Sharing = Literal["agreed", "equal", "host_half", "first_introducer"]
T = TypeVar("T")

LAST_HEADER = 1_000
"""The last row in which a header may stand."""

HeaderRow = NewType("HeaderRow", int)
"""The row of a file with the column headings, from 1 to `LAST_HEADER`, both inclusive."""


@define(frozen=True)
class Issue:
    """One thing wrong at a path of a document, before it has a file and a line."""

    path: Path
    code: str
    found: str
    expected: str
    nearest: str | None = None
    severity: Severity = "error"

    def under(self, *prefix: str | int) -> Issue:
        """Return the same issue seen from the table around it."""
        return attrs.evolve(self, path=(*prefix, *self.path))

    def problem(self, file: str, lines: Lines) -> Problem:
        """Return the issue with its file, line and dotted key."""
        place = Place(file, line=lines.find(self.path), key=dotted(self.path))
        return Problem(self.code, self.severity, place, self.found, self.expected, self.nearest)


class UnfitError(ValueError):
    """A value that is not what its key takes."""

    def __init__(self, code: str, found: str, expected: str, near: str | None = None) -> None:
        super().__init__(code)
        self.code, self.found, self.expected, self.near = code, found, expected, near


@define(frozen=True)
class WorkspaceSection:
    """`[workspace]`."""

    name: str = ""
    currency: str = "CNY"
    primary: str = "funds"


@define(frozen=True)
class YearSection:
    """`[year]`: the assessment year and its reviews."""

    start: date
    end: date
    reviews: tuple[date, ...] = ()


@define(frozen=True)
class PointSection:
    """`[[pace.point]]`: from a date on, the share of the task expected."""

    on: date
    share: Fraction


@define(frozen=True)
class PaceSection:
    """`[pace]`."""

    curve: str = "months"
    tolerance: Decimal = Decimal(0)
    point: Any = ()


@define(frozen=True)
class PaySection:
    """`[pay]`."""

    component: str = ""


@define(frozen=True)
class CreditSection:
    """`[credit]`: what bears an amount out, in order, and how claims without shares share it."""

    unvisited: Unvisited = "none"
    evidence: tuple[Evidence, ...] = ()
    sharing: Sharing = "agreed"

    @property
    def order(self) -> tuple[Evidence, ...]:
        """What bears an amount out, in order; `unvisited` is the short way to say it."""
        return self.evidence or (("visits", "vouchers") if self.unvisited == "vouchers" else ("visits",))


@define(frozen=True)
class ForecastSection:
    """`[forecast]`: what a simulation goes on by."""

    models: tuple[str, ...] = ("compound",)


@define(frozen=True)
class CampaignSection:
    """`[[campaign]]`."""

    id: str
    start: date
    end: date
    share: Fraction
    name: str = ""


@define(frozen=True)
class PluginsSection:
    """`[plugins]`."""

    enabled: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    off: tuple[str, ...] = ()


@define(frozen=True)
class SourceSection:
    """An entry of `[tables]` written as a table."""

    source: str
    columns: Mapping[str, str] = field(factory=dict)
    encoding: str | None = None
    header: HeaderRow | None = None
    table: str | None = None
    query: str | None = None


@define(frozen=True)
class EntrySection:
    """One dated value of a parameter, `{value = 0.4, from = 2011-07-01, group = "economic"}`."""

    value: Any
    from_on: date | None = field(default=None, metadata={"key": "from"})
    group: str | None = None


SECTIONS: Mapping[str, type] = {
    "workspace": WorkspaceSection,
    "year": YearSection,
    "pace": PaceSection,
    "pay": PaySection,
    "credit": CreditSection,
    "forecast": ForecastSection,
    "plugins": PluginsSection,
}
"""The sections that are one table each; `campaign`, `tables`, `checks` and `guards` have shapes of their own."""

DECLARED_TABLES = ("rule", "indicator", "parameter")
"""Rules without Python: arrays of tables that `workspace.declared` reads."""

CORE = (*SECTIONS, "campaign", "tables", "checks", "guards", *DECLARED_TABLES)
"""Every section that is not a policy's."""


def keys_of(section: type) -> list[str]:
    """Return the keys a section takes, as they are written."""
    return [_written(attribute) for attribute in attrs.fields(section)]


def _written(attribute: attrs.Attribute[Any]) -> str:
    """Return the key of a field: its own, or its name without the `_` that keeps it apart from a word of Python."""
    return str(attribute.metadata.get("key", attribute.name.removesuffix("_")))


def one_of(choices: Any) -> str:  # noqa: ANN401 (any iterable of texts)
    """Write valid choices as a phrase."""
    return _("one of {choices}").format(choices=", ".join(choices))


def shown(value: object) -> str:
    """Write a raw value so that its kind can be seen: texts in quotes, tables and lists by their name."""
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= _LONGEST else f'"{value[:_LONGEST]}…"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _("the date and time {value}").format(value=value)
    if isinstance(value, Mapping):
        return _("a table of keys")
    if isinstance(value, (list, tuple)):
        text = "[" + ", ".join(shown(each) for each in value) + "]"
        return text if len(text) <= _LONGEST else _("a list of {count} values").format(count=len(value))
    return str(value)


def structure(
    raw: object, section: type[T], instead: Mapping[str, object] | None = None
) -> tuple[T | None, list[Issue]]:
    """Structure one section, with every problem in it.

    Keys that are wrong are left out (or stood in for by `instead`) and the rest is kept, so that what depends on the
    rest can be checked too; None where another key without a default is missing or wrong.
    """
    try:
        return converter().structure(raw, section), []
    except (BaseValidationError, UnfitError) as failure:
        issues = list(issues_in(failure))
    if not isinstance(raw, Mapping):
        return None, issues
    wrong = {issue.path[0] for issue in issues if issue.path}
    kept = {key: raw[key] for key in raw if key not in wrong}
    try:
        return converter().structure({**(instead or {}), **kept}, section), issues
    except BaseValidationError:
        return None, issues


def issues_in(failure: Exception, path: Path = ()) -> Iterator[Issue]:
    """Turn a tree of exceptions from cattrs into issues, in the order in which they stand in the tree."""
    if isinstance(failure, BaseValidationError):
        for inner in failure.exceptions:
            yield from issues_in(inner, (*path, *_step(inner)))
    elif isinstance(failure, ForbiddenExtraKeysError):
        keys = keys_of(failure.cl)
        for key in sorted(failure.extra_fields):
            yield Issue(
                (*path, key),
                "unknown-key",
                _("the unknown key {key}").format(key=key),
                one_of(keys),
                nearest(key, keys),
            )
    elif isinstance(failure, KeyError):
        yield Issue(
            path, "missing-key", _("no key {key}").format(key=path[-1]), _("a value for it, as it has no default")
        )
    elif isinstance(failure, UnfitError):
        yield Issue(path, failure.code, failure.found, failure.expected, failure.near)
    else:
        raise failure


def _step(failure: Exception) -> Path:
    for remark in getattr(failure, "__notes__", ()):
        if isinstance(remark, AttributeValidationNote):
            return ("from" if remark.name == "from_on" else remark.name.removesuffix("_"),)
        if isinstance(remark, IterableValidationNote):
            return (remark.index,)
    return ()


@cache
def converter() -> Converter:
    """Return the converter that is strict about kinds."""
    return made_converter()


def made_converter() -> Converter:
    """Make a converter that is strict about kinds."""
    made = Converter(detailed_validation=True, forbid_extra_keys=True)
    for kind, read in ((str, _text), (date, _date), (Decimal, _decimal), (Fraction, _fraction)):
        made.register_structure_hook(kind, read)
    made.register_structure_hook(HeaderRow, _header_row)
    made.register_structure_hook_func(lambda kind: getattr(kind, "__origin__", None) is Literal, _literal)
    made.register_structure_hook_factory(attrs.has, _class_hook)
    made.register_structure_hook_factory(lambda kind: getattr(kind, "__origin__", None) is tuple, _tuple_hook)
    made.register_structure_hook_factory(lambda kind: getattr(kind, "__origin__", None) is Mapping, _mapping_hook)
    return made


def _class_hook(kind: type, made: Converter) -> Any:  # noqa: ANN401 (as cattrs wants it)
    renamed: Any = {
        attribute.name: override(rename=_written(attribute))
        for attribute in attrs.fields(kind)
        if _written(attribute) != attribute.name
    }
    inner: Any = make_dict_structure_fn(kind, made, _cattrs_forbid_extra_keys=True, **renamed)
    keys = ", ".join(keys_of(kind))
    return _guarded(Mapping, lambda: _("a table with the keys {keys}").format(keys=keys), inner)


def _tuple_hook(kind: type, made: Converter) -> Any:  # noqa: ANN401 (as cattrs wants it)
    return _guarded(
        (list, tuple), lambda: _("a list in square brackets"), homogenous_tuple_structure_factory(kind, made)
    )


def _mapping_hook(kind: type, made: Converter) -> Any:  # noqa: ANN401 (as cattrs wants it)
    return _guarded(Mapping, lambda: _("a table of keys"), mapping_structure_factory(kind, made))


def _guarded(shape: Any, expected: Callable[[], str], inner: Any) -> Any:  # noqa: ANN401 (as cattrs wants it)
    """Refuse what has not the right shape before cattrs would iterate over it."""

    def structure_shape(value: object, kind: type) -> object:
        if not isinstance(value, shape):
            raise UnfitError("wrong-kind", shown(value), expected())
        return inner(value, kind)

    return structure_shape


def _text(value: object, _kind: type) -> str:
    if isinstance(value, str):
        return value
    raise UnfitError("wrong-kind", shown(value), _("a text in quotes"))


def _header_row(value: object, _kind: type) -> HeaderRow:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if isinstance(value, int) and is_whole and 1 <= value <= LAST_HEADER:
        return HeaderRow(value)
    expected = _("a row of the file from 1 to {last}, both inclusive").format(last=LAST_HEADER)
    raise UnfitError("out-of-bounds" if is_whole else "wrong-kind", shown(value), expected)


def _date(value: object, _kind: type) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise UnfitError("wrong-kind", shown(value), _("a date without quotes, such as 2011-06-30"))


def exact(value: object) -> Decimal | None:
    """Return a number as the decimal it is written as; None where it is none, or none of sane size."""
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        return None
    # 1e999999999 is a valid number of TOML; as an integer it would fill the memory.
    return value if not value or abs(value.adjusted()) <= MOST_DIGITS else None


def _decimal(value: object, _kind: type) -> Decimal:
    """Read a share from 0 to 1 of at most nine places."""
    number = exact(value)
    if number is not None and 0 <= number <= 1 and billionths(number) is not None:
        return number
    places = len(str(BILLION)) - 1
    raise UnfitError(
        "wrong-kind" if number is None else "out-of-bounds",
        shown(value),
        _("a decimal from 0 to 1 of at most {places} places").format(places=places),
    )


def _fraction(value: object, _kind: type) -> Fraction:
    """Read a share of a quota exactly."""
    number = exact(value)
    if number is None:
        raise UnfitError("wrong-kind", shown(value), _("a decimal such as 0.4"))
    if billionths(number) is None or (share := Fraction(number)).denominator > MOST_PARTS:
        raise UnfitError(
            "inexact-share",
            shown(value),
            _("a decimal that is a fraction of at most {parts} parts, such as 0.4, 0.35 or 0.125").format(
                parts=MOST_PARTS
            ),
        )
    return share


def _literal(value: object, kind: Any) -> object:  # noqa: ANN401 (a Literal form)
    choices = get_args(kind)
    if isinstance(value, str) and value in choices:
        return value
    near = nearest(value, choices) if isinstance(value, str) else None
    raise UnfitError("unknown-choice", shown(value), one_of(f'"{choice}"' for choice in choices), near)
