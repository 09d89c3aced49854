"""Edits made in memory: what a workspace would be with them, and what they change in words."""

from __future__ import annotations

from copy import copy
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from attrs import evolve

from kpi_rules.hooks.manager import DECLARED, installed
from kpi_rules.locale import _
from kpi_rules.model.problems import Place, Problem, error, nearest
from kpi_rules.workspace.config import config_from_dict, read_config
from kpi_rules.workspace.config_edits import Document, at
from kpi_rules.workspace.config_parameters import read_entries
from kpi_rules.workspace.config_schema import one_of, shown
from kpi_rules.workspace.edits import ParameterEdit, QuotaEdit, SwitchEdit
from kpi_rules.workspace.encodings import MARKS
from kpi_rules.workspace.quota_edits import QuotaPlan, with_quotas

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kpi_rules.workspace.config import ReadConfig
    from kpi_rules.workspace.config_lines import Path
    from kpi_rules.workspace.edits import Edit
    from kpi_rules.workspace.origin import Origin
    from kpi_rules.workspace.tables import ReadTables
    from kpi_rules.workspace.workspace import Workspace


def edited(workspace: Workspace, edits: Sequence[Edit]) -> Workspace | list[Problem]:
    """Return a workspace with edits, or what is wrong with them.

    Switches come first, since they decide which parameters there are. A preview is made again from the workspace that
    was loaded, with its own edits and then these, so that there is one way to it.
    """
    if workspace.origin is None:
        return list(workspace.errors)
    base = workspace.origin.base or workspace
    every = (*workspace.origin.pending, *edits)
    made = _Editing(base).done(every)
    if isinstance(made, list):
        return made
    assert made.origin is not None  # noqa: S101 (it was made of one)
    made.origin = evolve(made.origin, base=base, pending=every)
    again = {each.name for each in edits if isinstance(each, ParameterEdit)}
    given = {name: each for name, each in workspace.given.items() if name in made.parameters.declared.keys() - again}
    made.given, made.parameters = given, made.parameters.replace(given)
    return made


class _Editing:
    """One application of edits: collects what is wrong with them."""

    def __init__(self, base: Workspace) -> None:
        self.workspace = base
        self.problems: list[Problem] = []

    def done(self, edits: Iterable[Edit]) -> Workspace | list[Problem]:
        edits = list(edits)
        switches = [each for each in edits if isinstance(each, SwitchEdit)]
        if switches:
            self._switch(switches)
        document = self._document()
        parameters = [each for each in edits if isinstance(each, ParameterEdit)]
        for each in parameters:
            self._set(document, each)
        tables = self._quotas([each for each in edits if isinstance(each, QuotaEdit)])
        if self.problems:
            return self.problems
        if not parameters and tables is None:
            return self.workspace if switches else copy(self.workspace)
        return remade(self.workspace, document if parameters else None, tables)

    @property
    def origin(self) -> Origin:
        """What the workspace was made of."""
        assert self.workspace.origin is not None  # noqa: S101 (asked before)
        return self.workspace.origin

    def _document(self) -> Document:
        read = self.origin.read
        return Document.of(self.origin.content, read.raw, read.file)

    def _switch(self, switches: Sequence[SwitchEdit]) -> None:
        """Switch policies and rules; whether there is such a rule shows when the policies are loaded."""
        document = self._document()
        for each in switches:
            if problem := self._one_switch(document, each):
                self.problems.append(problem)
        after = remade(self.workspace, document, None)
        known = [*after.plugins.rules, *after.plugins.off]
        for each in switches:
            policy = each.name.partition(".")[0]
            is_of_others = policy in installed() and policy not in {plugin.name for plugin in after.plugins.plugins}
            if _is_rule(each.name) and each.name not in known and not is_of_others:
                found = _("the unknown rule {name}").format(name=shown(each.name))
                expected = one_of(known) if known else _("none, as there are none")
                place = Place(self.origin.read.file, key="plugins.off")
                near = nearest(each.name, known)
                self.problems.append(error("unknown-rule", place, found=found, expected=expected, nearest=near))
        if not self.problems:
            self.workspace = after

    def _one_switch(self, document: Document, switch: SwitchEdit) -> Problem | None:
        if _is_rule(switch.name):
            return document.change(document.listed("off", switch.name, there=not switch.on))
        enabled, local = (_texts(at(document.raw, ("plugins", key))) for key in ("enabled", "local"))
        path = next((each for each in local if PurePosixPath(each).stem == switch.name), None)
        if switch.name.endswith(".py") or (path is not None and switch.name not in enabled):
            return document.change(document.listed("local", path or switch.name, there=switch.on))
        if switch.name not in installed() and switch.name not in enabled:
            found = _("the unknown policy {name}").format(name=shown(switch.name))
            place, names = Place(self.origin.read.file, key="plugins.enabled"), list(installed())
            near = nearest(switch.name, names)
            return error("unknown-plugin", place, found=found, expected=one_of(names), nearest=near)
        return document.change(document.listed("enabled", switch.name, there=switch.on))

    def _set(self, document: Document, edit: ParameterEdit) -> None:
        """Set a parameter in the document, if the edit is valid."""
        place = Place(document.file, key=edit.name)
        setting = self.workspace.parameters.declared.get(edit.name)
        if setting is None:
            names = list(self.workspace.parameters.declared)
            found, near = _("no parameter {name}").format(name=edit.name), nearest(edit.name, names)
            expected = _("a parameter of a policy that is enabled")
            self.problems.append(error("unknown-parameter", place, found=found, expected=expected, nearest=near))
            return
        if edit.value is not None:
            key = {"from": edit.from_on, "group": edit.group}
            raw = {"value": edit.value, **{name: value for name, value in key.items() if value is not None}}
            groups, config = groups_of(self.workspace), self.workspace.config
            year = None if config is None else config.year
            _entries, problems = read_entries(setting, [raw], groups=groups, year=year)
            wrong = [problem for problem in problems if problem.severity == "error"]
            if wrong:
                self.problems += [evolve(problem, place=place) for problem in wrong]
                return
        path = path_of(self.workspace, document.raw, edit.name)
        changes = document.parameter(path, edit)
        if changes is None:
            found = _("no value of {name} to take away, from {start} for {group}").format(
                name=edit.name,
                start=edit.from_on or _("the start"),
                group=_("all groups") if edit.group is None else shown(edit.group),
            )
            expected = _("the date and the group of a value that is written")
            self.problems.append(error("no-such-entry", place, found=found, expected=expected))
        elif edit.value is None and path[0] in {"parameter", "rule"} and not (edit.from_on or edit.group):
            found, expected = _("no value that holds from the start"), _("a value, as there is no default")
            self.problems.append(error("missing-value", place, found=found, expected=expected))
        elif problem := document.change(changes):
            self.problems.append(problem)

    def _quotas(self, edits: Sequence[QuotaEdit]) -> ReadTables | None:
        if not edits:
            return None
        plan = QuotaPlan.of(self.workspace, edits)
        found = plan.problems or with_quotas(self.workspace, plan)
        if isinstance(found, list):
            self.problems += found
            return None
        return found


def remade(workspace: Workspace, document: Document | None, tables: ReadTables | None) -> Workspace:
    """Make a workspace again, with another document, other tables, or neither."""
    from kpi_rules.workspace.workspace import Workspace

    origin = workspace.origin
    assert origin is not None  # noqa: S101 (of none nothing is made again)
    read, content = (origin.read, origin.content) if document is None else _read(document, origin)
    if tables is not None:
        origin = evolve(origin, tables=tables, consistency=None)
    other = Workspace.__new__(Workspace)
    other._read(read, workspace.folder, origin.frames, content, origin)  # noqa: SLF001 (the third way to make one)
    return other


def _read(document: Document, origin: Origin) -> tuple[ReadConfig, bytes | None]:
    if document.text is None or origin.content is None:
        return config_from_dict(document.raw, document.file), None
    mark = next((mark for mark in MARKS if origin.content.startswith(mark)), b"")
    content = mark + document.text.encode()
    return read_config(content, document.file), content


def groups_of(workspace: Workspace) -> list[str]:
    """Return the peer groups."""
    found: list[str] = workspace.tables.units["group"].drop_nulls().unique().to_list()
    return found


def path_of(workspace: Workspace, raw: Mapping[str, Any], name: str) -> Path:
    """Return where a parameter is written: in its policy's section, or where `kpi.toml` itself declares it."""
    policy, _dot, key = name.partition(".")
    if policy == DECLARED and at(raw, (policy, key)) is None and workspace.origin is not None:
        declared = workspace.origin.policies.local.values
        return next((path for setting, path, _raw in declared if setting.name == name), (policy, key))
    return (policy, key)


def is_on(workspace: Workspace, name: str) -> bool:
    """Say whether a policy takes part, or a rule: that its policy does is another matter."""
    config = workspace.config
    if config is None:
        return False
    if _is_rule(name):
        return name not in config.off
    return name in config.enabled or any(name in {path, PurePosixPath(path).stem} for path in config.local)


def _is_rule(name: str) -> bool:
    return "." in name and not name.endswith(".py")


def _texts(raw: object) -> list[str]:
    return [each for each in raw if isinstance(each, str)] if isinstance(raw, (list, tuple)) else []
