"""What a workspace was made of: enough to make it again with something edited, without reading a file.

Policies and tables take most of the time of loading. While nothing that they depend on is edited they are the same, and
so is what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from kpi_rules.hooks.manager import load_plugins
from kpi_rules.workspace.config_items import PolicyTables
from kpi_rules.workspace.declared import declared
from kpi_rules.workspace.rules import contribution_problems

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from kpi_rules.hooks.manager import Plugins
    from kpi_rules.model.problems import Problem
    from kpi_rules.workspace.config import ReadConfig
    from kpi_rules.workspace.declared import Declared
    from kpi_rules.workspace.edits import Edit
    from kpi_rules.workspace.tables import Frames, ReadTables
    from kpi_rules.workspace.workspace import Workspace


@define(frozen=True, eq=False)
class Policies:
    """The policies of a workspace, what they were made of, and what is wrong with them.

    `found` is what was wrong when they were loaded, `contributed` with what they give; `sound` are the rules in whose
    company nothing was; None where that was never so.
    """

    read: ReadConfig
    plugins: Plugins
    local: Declared
    found: list[Problem]
    contributed: list[Problem]
    sound: frozenset[str] | None = None

    @property
    def problems(self) -> list[Problem]:
        """All that is wrong with them."""
        return [*self.found, *self.contributed]

    def switched(self, read: ReadConfig) -> Policies:
        """Return the same with other rules switched off. That of sound ones some are off makes none unsound."""
        plugins = self.plugins.without(() if read.config is None else read.config.off)
        if self.sound is not None and plugins.rules.keys() <= self.sound:
            return evolve(self, read=read, plugins=plugins, contributed=[])
        found = contribution_problems(plugins, read.file, self.local.place)
        sound = self.sound if found else frozenset(plugins.rules)
        return evolve(self, read=read, plugins=plugins, contributed=found, sound=sound)


@define(frozen=True, eq=False)
class Origin:
    """What a workspace was made of.

    Attributes:
        read: its configuration.
        content: the bytes of `kpi.toml`; None in memory.
        frames: the tables in memory; None of a folder.
        policies: what it enables.
        tables: the clean tables, with the bytes of the files of quotas.
        consistency: what is wrong between rows and tables; None where that has to be found again.
        base: the workspace that was loaded, if this one is a preview; `pending` are the edits between the two.
    """

    read: ReadConfig
    content: bytes | None
    frames: Frames | None
    policies: Policies
    tables: ReadTables
    consistency: list[Problem] | None
    base: Workspace | None = None
    pending: tuple[Edit, ...] = field(default=())


def policies_of(read: ReadConfig, folder: Path | None, before: Policies | None = None) -> Policies:
    """Load the policies that a configuration names, or keep those from before where it says the same of them."""
    if before is not None and _of(read, before.plugins.tables) == _of(before.read, before.plugins.tables):
        is_same = read.config is None or before.read.config is None or read.config.off == before.read.config.off
        return before if is_same else before.switched(read)
    config = read.config
    assert config is not None  # noqa: S101 (without a document there is nothing to load)
    own = PolicyTables(read.sections, read.file, read.lines)
    local = declared(read)
    plugins, problems = load_plugins(
        config.enabled,
        config.local,
        folder,
        read.file,
        declared=local.modules,
        read_items=own.read,
        locate=own.locate,
    )
    found = [
        *(problem for problem in problems if problem.code != "unknown-plugin" and not own.follows(problem)),
        *own.problems,
    ]
    # The module was asked and is not needed any more; to another process it could not go.
    return Policies(read, plugins, evolve(local, module=None), found, []).switched(read)


def _of(read: ReadConfig, tables: Collection[str]) -> object:
    """Return all that loading the policies of a configuration depends on: names, tables, and where these stand."""
    config = read.config
    names = None if config is None else (config.enabled, config.local)
    written = {name: _written(read, *name.split(".", 1)) for name in tables}
    roots = {(name,) for name in read.declared} | {tuple(name.split(".", 1)) for name in tables}
    lines = {path: line for path, line in read.lines.at.items() if roots & {path[:1], path[:2]}}
    return names, read.declared, written, lines


def _written(read: ReadConfig, plugin: str, key: str) -> object:
    section = read.sections.get(plugin)
    return section.get(key) if isinstance(section, Mapping) else None
