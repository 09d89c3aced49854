"""Rules without Python: `[[rule]]`, `[[indicator]]` and `[[parameter]]` of `kpi.toml` as a policy called `local`.

They enter by the door that every policy comes through, as a module with hooks; from there on nothing tells them apart
but the place that a problem names. `declared_reading` makes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from kpi_rules.hooks.manager import DECLARED, Plugin
from kpi_rules.locale import _
from kpi_rules.model.problems import Place
from kpi_rules.workspace.config_lines import dotted
from kpi_rules.workspace.config_parameters import read_entries
from kpi_rules.workspace.config_schema import Issue

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import ModuleType

    from kpi_rules.model.calendar import Year
    from kpi_rules.model.problems import Problem
    from kpi_rules.model.settings import Entry, Setting
    from kpi_rules.workspace.config import ReadConfig
    from kpi_rules.workspace.config_lines import Path


@define(eq=False)
class Declared:
    """What the tables of one `kpi.toml` declare, and what is wrong with them; `module` is None without any."""

    read: ReadConfig
    module: ModuleType | None = None
    plugin: Plugin | None = None
    problems: list[Problem] = field(factory=list)
    values: list[tuple[Setting, Path, object]] = field(factory=list)
    """Of each parameter its declaration, where its value stands, and the value as written."""

    paths: dict[tuple[str, str], Path] = field(factory=dict)
    """Where each rule and indicator stands, by kind and id."""

    @property
    def modules(self) -> list[tuple[ModuleType, Plugin]]:
        """The policy as `load_plugins` takes it: one, or none."""
        return [] if self.module is None or self.plugin is None else [(self.module, self.plugin)]

    def place(self, kind: str, name: str, part: str) -> Place | None:
        """Return where a part of a rule or an indicator stands; None for what other policies contribute."""
        path = self.paths.get((kind, name))
        if path is None:
            return None
        path = (*path, *([part] if part else []))
        return Place(self.read.file, line=self.read.lines.find(path), key=dotted(path))

    def entries(
        self,
        others: Mapping[str, tuple[Entry, ...]],
        *,
        groups: Collection[str],
        year: Year | None,
    ) -> tuple[dict[str, tuple[Entry, ...]], list[Problem]]:
        """Return the values of all declared parameters, and what is wrong with them.

        Args:
            others: what the section `[local]` sets; it goes before the value that is declared.
            groups: the peer groups of the table `units`.
            year: the assessment year.
        """
        found: dict[str, tuple[Entry, ...]] = {}
        problems: list[Problem] = []
        for setting, path, raw in self.values:
            own, wrong = read_entries(
                setting, raw, groups=groups, year=year, root=path, file=self.read.file, lines=self.read.lines
            )
            problems += wrong
            set_there = others.get(setting.name, ())
            if set_there and any(entry.from_on is not None or entry.group is not None for entry in own):
                issue = Issue(
                    path,
                    "duplicate-entry",
                    _("dated values, while [{section}] has values of {name} too").format(
                        section=DECLARED, name=setting.name.partition(".")[2]
                    ),
                    _("all values of a parameter in one place"),
                )
                problems.append(issue.problem(self.read.file, self.read.lines))
            has_general = any(entry.from_on is None and entry.group is None for entry in set_there)
            found[setting.name] = (*set_there, *(() if has_general else own))
        return found, problems


def declared(read: ReadConfig) -> Declared:
    """Read the tables of rules without Python."""
    found = Declared(read)
    if read.declared:
        from kpi_rules.workspace.declared_reading import Reading

        Reading(found).done()
    return found
