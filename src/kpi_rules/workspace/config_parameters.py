"""The sections of policies in `kpi.toml`: the values of their parameters, dated and per peer group."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, TypeGuard

import attrs
from attrs import define, field

from kpi_rules.locale import _
from kpi_rules.model.problems import Place, Problem, nearest
from kpi_rules.model.settings import Entry, Parameters, Setting, Value
from kpi_rules.workspace.config_lines import Lines, dotted, lines_of
from kpi_rules.workspace.config_schema import (
    CORE,
    SECTIONS,
    EntrySection,
    Issue,
    exact,
    keys_of,
    one_of,
    shown,
    structure,
)

if TYPE_CHECKING:
    from kpi_rules.model.calendar import Year
    from kpi_rules.workspace.config_lines import Path


def read_parameters(  # noqa: PLR0913 (what is valid comes from four sides; all but two by name)
    sections: Mapping[str, object],
    declared: Mapping[str, Setting],
    *,
    groups: Collection[str],
    plugins: Collection[str],
    enabled: Collection[str] = (),
    tables: Collection[str] = (),
    year: Year | None = None,
    file: str = "",
    text: str | bytes | Lines = "",
) -> tuple[Parameters, list[Problem]]:
    """Read the sections of policies against the settings they declare.

    Args:
        sections: raw sections by name, as `ReadConfig.sections` has them.
        declared: the settings of the enabled policies by full name.
        groups: the peer groups of the table `units`.
        plugins: the names of all installed policies, enabled or not.
        enabled: the enabled ones; needed only to know those that declare no settings.
        tables: the tables that policies have in their sections, by full name; they are read elsewhere.
        year: the assessment year, if known, to warn of values dated before it.
        file: the file's name in problems.
        text: the document, or its `ReadConfig.lines`, to find the lines of keys.
    """
    lines = text if isinstance(text, Lines) else _lines(text)
    context = _Context(groups, year, file, lines)
    active = {setting.plugin for setting in declared.values()} | set(enabled)
    entries: dict[str, tuple[Entry, ...]] = {}
    problems: list[Problem] = []
    for name, raw in sections.items():
        if name not in active:
            with_settings = sorted({setting.plugin for setting in declared.values()})
            problems.append(context.problem(_not_a_section(name, raw, [*CORE, *with_settings], plugins)))
        elif not isinstance(raw, Mapping):
            expected = _("a section [{name}]").format(name=name)
            problems.append(context.problem(Issue((name,), "wrong-kind", shown(raw), expected)))
        else:
            found, wrong = _section(name, raw, declared, tables, context)
            entries |= found
            problems += wrong
    return Parameters(declared, entries), problems


def _lines(text: str | bytes) -> Lines:
    return lines_of(text.decode("utf-8-sig") if isinstance(text, bytes) else text) if text else Lines()


def _not_a_section(name: str, raw: object, valid: Sequence[str], plugins: Collection[str]) -> Issue:
    if name in plugins:
        return Issue(
            (name,),
            "plugin-not-enabled",
            _("a section of the policy {name}, which is installed but not enabled").format(name=name),
            _("{name} in [plugins] enabled, or no such section").format(name=shown(name)),
            severity="warning",  # switched off and on again, a policy finds its values
        )
    if isinstance(raw, Mapping) or (isinstance(raw, list) and raw and isinstance(raw[0], Mapping)):
        found = _("the unknown section [{name}]").format(name=name)
        return Issue((name,), "unknown-section", found, one_of(valid), nearest(name, [*valid, *plugins]))
    found = _("the key {name} outside of any section").format(name=name)
    homes = [f"{section}.{name}" for section, kind in SECTIONS.items() if name in keys_of(kind)]
    expected = _("keys in sections: {sections}").format(sections=", ".join(valid))
    return Issue((name,), "unknown-key", found, expected, homes[0] if homes else None)


def _section(
    plugin: str,
    raw: Mapping[str, object],
    declared: Mapping[str, Setting],
    tables: Collection[str],
    context: _Context,
) -> tuple[dict[str, tuple[Entry, ...]], list[Problem]]:
    entries: dict[str, tuple[Entry, ...]] = {}
    problems: list[Problem] = []
    names = [setting.name.partition(".")[2] for setting in declared.values() if setting.plugin == plugin]
    names += [name.partition(".")[2] for name in tables if name.startswith(f"{plugin}.")]
    for key, value in raw.items():
        if f"{plugin}.{key}" in tables:
            continue
        setting = declared.get(f"{plugin}.{key}")
        if setting is None:
            found = _("the unknown key {key}").format(key=key)
            expected = one_of(names) if names else _("no key, as {plugin} has no settings").format(plugin=plugin)
            issue = Issue((plugin, key), "unknown-key", found, expected, nearest(key, names))
            problems.append(context.problem(issue))
            continue
        found_entries, wrong = _parameter(setting, value, context)
        problems += wrong
        if found_entries:
            entries[setting.name] = found_entries
    return entries, problems


def read_entries(
    setting: Setting,
    raw: object,
    *,
    groups: Collection[str],
    year: Year | None = None,
    root: Path | None = None,
    file: str = "",
    lines: Lines | None = None,
) -> tuple[tuple[Entry, ...], list[Problem]]:
    """Read one parameter: a plain value, or a list of tables `{value, from, group}`.

    `root` is where it stands in `file`; without it, under its own name.
    """
    return _parameter(setting, raw, _Context(groups, year, file, lines or Lines()), root)


def general_value(raw: object) -> object | None:
    """Return, of the values of a parameter as written, the one that holds from the start for all groups."""
    if not is_dated(raw):
        return raw
    general = (each.get("value") for each in raw if isinstance(each, Mapping) and not {"from", "group"} & set(each))
    return next(general, None)


@define
class _Context:
    """What entries are held against, and where they stand."""

    groups: Collection[str]
    year: Year | None = None
    file: str = ""
    lines: Lines = field(factory=Lines)

    def problem(self, issue: Issue) -> Problem:
        return issue.problem(self.file, self.lines)

    def placed(self, entry: Entry, path: Path) -> Entry:
        return attrs.evolve(entry, origin=Place(self.file, line=self.lines.find(path), key=dotted(path)))


def _parameter(
    setting: Setting, raw: object, context: _Context, root: Path | None = None
) -> tuple[tuple[Entry, ...], list[Problem]]:
    root = root or tuple(setting.name.split("."))
    entries, issues = _entries(setting, raw, context)
    return (
        tuple(context.placed(entry, (*root, *path)) for path, entry in entries),
        [context.problem(issue.under(*root)) for issue in issues],
    )


def _entries(setting: Setting, raw: object, context: _Context) -> tuple[list[tuple[Path, Entry]], list[Issue]]:
    """Return the entries of one parameter and its issues, with paths below the parameter."""
    if not is_dated(raw):
        value, wrong = _value(setting, raw)
        return ([] if value is None else [((), Entry(value))]), wrong
    entries: list[tuple[Path, Entry]] = []
    sound: list[tuple[Path, Entry]] = []
    issues: list[Issue] = []
    for number, each in enumerate(raw):
        entry, wrong = _entry(setting, each, context.groups, context.year)
        issues += [issue.under(number) for issue in wrong]
        if entry is not None:
            entries.append(((number,), entry))
            # A misspelt `from` would make a second value from the start: one slip, one problem.
            sound += [] if any(issue.severity == "error" for issue in wrong) else [((number,), entry)]
    return entries, [*issues, *_doubles(sound)]


def is_dated(raw: object) -> TypeGuard[Sequence[object]]:
    """Say whether a parameter is written as entries, with dates and groups, and not as a plain value."""
    return isinstance(raw, (list, tuple)) and any(isinstance(each, Mapping) for each in raw)


def _entry(
    setting: Setting, raw: object, groups: Collection[str], year: Year | None
) -> tuple[Entry | None, list[Issue]]:
    section, issues = structure(raw, EntrySection)
    if section is None:
        return None, issues
    value, wrong = _value(setting, section.value)
    issues += [issue.under("value") for issue in wrong]
    if section.group is not None and section.group not in groups:
        expected = one_of(sorted(groups)) if groups else _("no group, as the table units names none")
        issues.append(
            Issue(("group",), "unknown-group", shown(section.group), expected, nearest(section.group, groups))
        )
    if year is not None and section.from_on is not None and section.from_on < year.start:
        expected = _("a date from {start} on, or no key from for a value that holds from the start")
        issues.append(
            Issue(
                ("from",),
                "parameter-before-year",
                shown(section.from_on),
                expected.format(start=year.start),
                severity="warning",
            )
        )
    return (None if value is None else Entry(value, section.from_on, section.group)), issues


def _value(setting: Setting, raw: object) -> tuple[Value | None, list[Issue]]:
    is_number = isinstance(raw, (float, Decimal))
    value = None if is_number and exact(raw) is None else setting.read(raw)
    if value is not None:
        return value, []
    unbounded = attrs.evolve(setting, minimum=None, maximum=None, choices=())
    is_of_kind = (not is_number or exact(raw) is not None) and unbounded.read(raw) is not None
    code = "parameter-out-of-bounds" if is_of_kind else "wrong-kind"
    return None, [Issue((), code, shown(raw), setting.expected, _nearest_choice(setting, raw))]


def _nearest_choice(setting: Setting, raw: object) -> str | None:
    texts = [raw] if isinstance(raw, str) else raw if isinstance(raw, (list, tuple)) else []
    strange = [each for each in texts if isinstance(each, str) and each not in setting.choices]
    return nearest(strange[0], setting.choices) if strange else None


def _doubles(entries: Sequence[tuple[Path, Entry]]) -> Iterator[Issue]:
    """Name entries for one date and group after the first: which of them holds would be a guess."""
    seen: set[tuple[object, object]] = set()
    for path, entry in entries:
        key = (entry.from_on, entry.group)
        if key in seen:
            yield Issue(
                path,
                "duplicate-entry",
                _("a second value from {start} for {group}").format(
                    start=entry.from_on or _("the start"),
                    group=_("all groups") if entry.group is None else shown(entry.group),
                ),
                _("one value for each date and group"),
            )
        seen.add(key)
