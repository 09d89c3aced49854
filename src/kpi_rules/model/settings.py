"""Settings: what a policy lets an administrator choose, and the values chosen, dated and per peer group.

A policy declares its settings as one attrs class whose fields are made by `ratio`, `money`, `count`, `flag`, `texts`,
`choice`, or `tables` for what takes tables of its own in `kpi.toml`. From that one declaration come the check of
`kpi.toml`, the parameter columns that rules read, the forms of the terminal UI and the Hypothesis strategies.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, get_args

import attrs
from attrs import define, field

from kpi_rules.locale import _
from kpi_rules.model.listed import read_list, write_list
from kpi_rules.model.money import LIMIT, billionths, format_amount, parse_amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kpi_rules.model.problems import Place

Kind = Literal["ratio", "money", "count", "flag", "texts", "choice"]
Value = Decimal | int | bool | str | tuple[str, ...]

_META = "kpi_rules.setting"

_COUNT = re.compile(r"[+-]?\d{1,12}", re.ASCII)
_RATIO = re.compile(r"[+-]?(?:\d{1,12}(?:\.\d*)?|\.\d+)", re.ASCII)

GREATEST: Mapping[str, Decimal | int] = {"ratio": Decimal(100_000), "money": LIMIT, "count": 10**9}
"""The greatest value of each kind of number, inclusive, above and below 0: with it no product of a parameter and an
amount leaves 64 bits."""


@define(frozen=True)
class Setting:
    """One setting of a policy as declared.

    `minimum` and `maximum` are inclusive and of the kind's own unit (a ratio's are decimals, money's fen); `label`
    and `help` are messages for people; `default` applies where `kpi.toml` says nothing, and an explanation then says
    so.
    """

    name: str
    kind: Kind
    default: Value
    label: str
    help: str = ""
    minimum: Decimal | int | None = None
    maximum: Decimal | int | None = None
    choices: tuple[str, ...] = ()

    @property
    def plugin(self) -> str:
        """The policy that declares it."""
        return self.name.partition(".")[0]

    def read(self, raw: object) -> Value | None:
        """Return `raw`, as `kpi.toml` or a caller gives it, as a value of this kind within the bounds; None where it
        is not one.
        """
        value: Value | None = _READERS[self.kind](raw)
        return value if value is not None and self.allows(value) else None

    def allows(self, value: Value) -> bool:
        """Say whether a value of this kind is within the bounds, themselves included, and out of the choices."""
        if self.choices and not set(value if isinstance(value, tuple) else (value,)) <= set(self.choices):
            return False
        if not isinstance(value, (Decimal, int)) or isinstance(value, bool):
            return True
        low, high = self.minimum, self.maximum
        return (low is None or value >= low) and (high is None or value <= high)

    @property
    def expected(self) -> str:
        """What a value must be, as a phrase for a problem."""
        phrase = {
            "ratio": _("a decimal of at most nine places"),
            "money": _("an amount such as 1500万 or 30000.50"),
            "count": _("a whole number"),
            "flag": _("true or false"),
            "texts": _("a list of texts"),
            "choice": _("a text"),
        }[self.kind]
        if self.minimum is not None and self.maximum is not None:
            phrase += _(" from {minimum} to {maximum}, both inclusive").format(
                minimum=self.show(self.minimum), maximum=self.show(self.maximum)
            )
        if self.choices:
            phrase += _(" out of {choices}").format(choices=", ".join(self.choices))
        return phrase

    def show(self, value: Value) -> str:
        """Write a value as `kpi.toml` would hold it, without quotation marks where nothing hangs on them."""
        if self.kind == "money" and isinstance(value, int):
            return format_amount(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, tuple):
            return write_list(value)
        return f"{value:f}" if isinstance(value, Decimal) else str(value)

    def typed(self, text: str) -> object:
        """Return what somebody typed as `kpi.toml` would hold it; what `show` writes is read so too.

        A text that is none of this kind comes back as it is: `read` says that it is no value.
        """
        found: object = None
        if self.kind == "texts":
            found = read_list(text)
        elif self.kind == "flag":
            found = {"true": True, "false": False}.get(text)
        elif self.kind == "count" and _COUNT.fullmatch(text):
            found = int(text)
        elif self.kind == "ratio" and _RATIO.fullmatch(text):
            found = Decimal(text)
        return text if found is None else found


def _read_ratio(raw: object) -> Decimal | None:
    if isinstance(raw, float):
        raw = Decimal(repr(raw))
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = Decimal(raw)
    return raw if isinstance(raw, Decimal) and billionths(raw) is not None else None


def _read_money(raw: object) -> int | None:
    if isinstance(raw, str):
        return parse_amount(raw)
    if isinstance(raw, (int, Decimal)) and not isinstance(raw, bool):
        return parse_amount(f"{Decimal(raw):f}")
    return None


def _read_count(raw: object) -> int | None:
    return raw if isinstance(raw, int) and not isinstance(raw, bool) else None


def _read_flag(raw: object) -> bool | None:
    return raw if isinstance(raw, bool) else None


def _read_texts(raw: object) -> tuple[str, ...] | None:
    if isinstance(raw, (list, tuple)) and all(isinstance(item, str) for item in raw):
        return tuple(raw)
    return None


def _read_choice(raw: object) -> str | None:
    return raw if isinstance(raw, str) else None


_READERS: Mapping[Kind, Any] = {
    "ratio": _read_ratio,
    "money": _read_money,
    "count": _read_count,
    "flag": _read_flag,
    "texts": _read_texts,
    "choice": _read_choice,
}


def ratio(
    default: str,
    *,
    label: str,
    help: str = "",
    minimum: str | None = "0",
    maximum: str | None = None,
) -> Any:  # noqa: ANN401 (stands where attrs expects a field of the annotated type)
    """Declare a share or rate: an exact decimal of at most nine places, by default 0 or more. Bounds are inclusive."""
    low, high = (None if bound is None else Decimal(bound) for bound in (minimum, maximum))
    return _setting("ratio", Decimal(default), label, help, low, high)


def money(default: str, *, label: str, help: str = "", minimum: str | None = "0", maximum: str | None = None) -> Any:  # noqa: ANN401 (as above)
    """Declare an amount of money, written as people write it (`1500万`); kept in fen."""
    low, high = (None if text is None else _amount(text) for text in (minimum, maximum))
    return _setting("money", _amount(default), label, help, low, high)


def _amount(text: str) -> int:
    amount = parse_amount(text)
    if amount is None:
        msg = f"{text!r} is no amount of money"
        raise ValueError(msg)
    return amount


def count(default: int, *, label: str, help: str = "", minimum: int | None = 0, maximum: int | None = None) -> Any:  # noqa: ANN401 (as above)
    """Declare a whole number."""
    return _setting("count", default, label, help, minimum, maximum)


def flag(default: bool, *, label: str, help: str = "") -> Any:  # noqa: ANN401, FBT001 (as above)
    """Declare a yes or no."""
    return _setting("flag", default, label, help)


def texts(default: Sequence[str], *, label: str, help: str = "", choices: Sequence[str] = ()) -> Any:  # noqa: ANN401 (as above)
    """Declare a list of texts, such as the grades a measure concerns."""
    return _setting("texts", tuple(default), label, help, choices=choices)


def choice(default: str, *, label: str, help: str = "", choices: Sequence[str]) -> Any:  # noqa: ANN401 (as above)
    """Declare one of several texts."""
    return _setting("choice", default, label, help, choices=choices)


@define(frozen=True)
class TableSetting:
    """A key of a policy's section that holds any number of tables, `[[plugin.key]]`, each an `item`.

    `item` is an attrs class of plain fields: texts, numbers, dates, flags, Literals, tuples of them, and further such
    classes. A field whose name ends with `_` is written without it (`from_` as `from`).
    """

    name: str
    item: type
    label: str
    help: str = ""


def tables(item: type, *, label: str, help: str = "") -> Any:  # noqa: ANN401 (as above)
    """Declare tables of a policy's own; the hook `kpi_configured` gets what they say."""
    return field(default=(), metadata={_META: TableSetting("", item, label, help)})


def _setting(
    kind: Kind,
    default: Value,
    label: str,
    help: str,
    minimum: Decimal | int | None = None,
    maximum: Decimal | int | None = None,
    choices: Sequence[str] = (),
) -> Any:  # noqa: ANN401 (as above)
    if kind in GREATEST:
        minimum = -GREATEST[kind] if minimum is None else max(minimum, -GREATEST[kind])
        maximum = GREATEST[kind] if maximum is None else min(maximum, GREATEST[kind])
    declared = Setting("", kind, default, label, help, minimum, maximum, tuple(choices))
    if not declared.allows(default) or (isinstance(default, Decimal) and billionths(default) is None):
        msg = f"the default {declared.show(default)} is not {declared.expected}"
        raise ValueError(msg)
    return field(default=default, metadata={_META: declared})


def settings_class(declared: Mapping[str, Setting]) -> type:
    """Return a settings class with these settings, by full name: what a policy without Python has for one."""
    fields = {
        name.partition(".")[2]: field(default=setting.default, metadata={_META: setting})
        for name, setting in declared.items()
    }
    return attrs.make_class("Settings", fields, frozen=True)


def declared_settings(plugin: str, settings: type) -> dict[str, Setting]:
    """Return the settings of a policy's class by full name, `plugin.name`.

    Raises:
        TypeError: a field was not made by one of the functions of this module; the author sees which.
    """
    found = {}
    for attribute in attrs.fields(settings):
        declared = attribute.metadata.get(_META)
        if declared is None:
            made = ", ".join((*get_args(Kind), "tables"))
            raise TypeError(
                f"{settings.__name__}.{attribute.name} of {plugin} is no setting; make it with one of {made}"
            )
        if isinstance(declared, Setting):
            name = f"{plugin}.{attribute.name}"
            found[name] = attrs.evolve(declared, name=name)
    return found


def declared_tables(plugin: str, settings: type) -> dict[str, TableSetting]:
    """Return the tables of a policy's class by full name, `plugin.key`."""
    named = {f"{plugin}.{each.name}": each.metadata.get(_META) for each in attrs.fields(settings)}
    return {
        name: attrs.evolve(declared, name=name)
        for name, declared in named.items()
        if isinstance(declared, TableSetting)
    }


@define(frozen=True)
class Entry:
    """One value of a parameter: for one peer group or for all, from a date (inclusive) or from the start.

    `origin` says where the value stands (a place in `kpi.toml`), or is None for the default its policy declares.
    """

    value: Value
    from_on: date | None = None
    group: str | None = None
    origin: Place | None = None


@define(frozen=True)
class Parameters:
    """The values of all settings of a workspace: declarations and entries by full name.

    An entry for the unit's own group wins over one for all groups; then the latest `from_on` not after the tick; the
    default of the policy comes last.
    """

    declared: Mapping[str, Setting] = field(factory=dict)
    entries: Mapping[str, tuple[Entry, ...]] = field(factory=dict)

    def at(self, name: str, on: date, group: str | None) -> Entry:
        """Return the entry of a parameter in force on a date for a peer group."""
        in_force = [
            entry
            for entry in self.entries.get(name, ())
            if (entry.from_on is None or entry.from_on <= on) and entry.group in (None, group)
        ]
        if not in_force:
            return Entry(self.declared[name].default)
        return max(in_force, key=lambda entry: (entry.group is not None, entry.from_on or date.min))

    def groups_named(self, name: str) -> list[str]:
        """Return the peer groups that have entries of their own for a parameter, sorted."""
        return sorted({entry.group for entry in self.entries.get(name, ()) if entry.group is not None})

    def replace(self, values: Mapping[str, Iterable[Entry]]) -> Parameters:
        """Return a copy in which the entries of the named parameters are replaced."""
        return attrs.evolve(
            self, entries={**self.entries, **{name: tuple(entries) for name, entries in values.items()}}
        )
