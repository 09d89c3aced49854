"""The tables that policies have in `kpi.toml`, `[[plugin.key]]`, as the classes that the policies declare for them."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from attrs import define, field
from cattrs.errors import BaseValidationError

from kpi_rules.locale import _
from kpi_rules.model.money import BILLION, billionths
from kpi_rules.workspace.config_schema import Issue, UnfitError, exact, issues_in, made_converter, shown

if TYPE_CHECKING:
    from cattrs import Converter

    from kpi_rules.model.contributions import Trouble
    from kpi_rules.model.problems import Problem
    from kpi_rules.model.settings import TableSetting
    from kpi_rules.workspace.config_lines import Lines

GREATEST = Decimal(10**9)
"""The greatest number that a policy's table may hold, above and below 0."""


@define(eq=False)
class PolicyTables:
    """The tables that policies have in one `kpi.toml`."""

    sections: Mapping[str, object]
    file: str
    lines: Lines
    problems: list[Problem] = field(factory=list)
    _numbers: dict[tuple[str, str], list[int]] = field(factory=dict, init=False)
    _unread: dict[str, set[str]] = field(factory=dict, init=False)

    def read(self, declared: Mapping[str, TableSetting]) -> dict[str, tuple[Any, ...]]:
        """Return the items of each declared table (by full name, `plugin.key`) that could be made.

        Those that could not are in `problems`.
        """
        return {name: self._items(table) for name, table in declared.items()}

    def locate(self, plugin: str, trouble: Trouble) -> Problem:
        """Give what a policy finds wrong with its tables its place; its items are numbered without the unusable."""
        key, *rest = trouble.path or ("",)
        numbers = self._numbers.get((plugin, str(key)), [])
        if rest and isinstance(rest[0], int) and rest[0] < len(numbers):
            rest[0] = numbers[rest[0]]
        issue = Issue(
            (plugin, key, *rest) if key else (plugin,),
            trouble.code,
            trouble.found,
            trouble.expected,
            trouble.nearest,
            severity=trouble.severity,
        )
        return issue.problem(self.file, self.lines)

    def follows(self, problem: Problem) -> bool:
        """Say whether a problem is only that an item names another that could not be made: that one is a problem."""
        plugin = problem.place.key.partition(".")[0]
        return problem.code.startswith("unknown-") and problem.found in self._unread.get(plugin, ())

    def _items(self, table: TableSetting) -> tuple[Any, ...]:
        plugin, _dot, key = table.name.partition(".")
        section = self.sections.get(plugin)
        raw = section.get(key, ()) if isinstance(section, Mapping) else ()
        issues: list[Issue] = []
        if not isinstance(raw, (list, tuple)):
            expected = _("[[{key}]] in double brackets for each").format(key=table.name)
            issues.append(Issue((plugin, key), "wrong-kind", shown(raw), expected))
            raw = ()
        items: list[Any] = []
        numbers = self._numbers[plugin, key] = []
        for number, each in enumerate(raw):
            try:
                items.append(item_converter().structure(each, table.item))
                numbers.append(number)
            except (BaseValidationError, UnfitError) as failure:
                issues += [issue.under(plugin, key, number) for issue in issues_in(failure)]
                if isinstance(each, Mapping) and isinstance(name := each.get("name"), str):
                    self._unread.setdefault(plugin, set()).add(name)
        self.problems += [issue.problem(self.file, self.lines) for issue in issues]
        return tuple(items)


@cache
def item_converter() -> Converter:
    """Return the converter of items: as strict as that of the library's own sections, with numbers of any size."""
    made = made_converter()
    made.register_structure_hook(Decimal, _number)
    made.register_structure_hook(int, _whole)
    made.register_structure_hook(bool, _flag)
    made.register_structure_hook_factory(_is_optional, _optional_hook)
    return made


def _number(value: object, _kind: type) -> Decimal:
    number = exact(value)
    if number is not None and abs(number) <= GREATEST and billionths(number) is not None:
        return number
    expected = _("a decimal of at most {places} places and {most} at most").format(
        places=len(str(BILLION)) - 1, most=GREATEST
    )
    raise UnfitError("wrong-kind" if number is None else "out-of-bounds", shown(value), expected)


def _whole(value: object, _kind: type) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise UnfitError("wrong-kind", shown(value), _("a whole number"))


def _flag(value: object, _kind: type) -> bool:
    if isinstance(value, bool):
        return value
    raise UnfitError("wrong-kind", shown(value), _("true or false"))


def _is_optional(kind: Any) -> bool:  # noqa: ANN401 (any annotation)
    return typing.get_origin(kind) in {types.UnionType, typing.Union} and type(None) in typing.get_args(kind)


def _optional_hook(kind: Any, made: Converter) -> Any:  # noqa: ANN401 (as cattrs wants it)
    """Structure `X | None` as X: TOML has no null, so what is written is an X."""
    (inner,) = [each for each in typing.get_args(kind) if each is not type(None)]
    return lambda value, _kind: None if value is None else made.structure(value, inner)
