"""The workspace: configuration, clean tables, policies and parameters, and everything that is wrong with them."""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import define, field

from kpi_rules.hooks.manager import Plugins, installed
from kpi_rules.locale import _
from kpi_rules.model.columns import count_indicators, quota_indicators
from kpi_rules.model.problems import Problem, nearest, sort_problems
from kpi_rules.model.settings import Entry, Parameters
from kpi_rules.workspace.config import ReadConfig, config_from_dict, name_problems, off_problems, read_config
from kpi_rules.workspace.config_parameters import read_entries, read_parameters
from kpi_rules.workspace.consistency import consistency_problems
from kpi_rules.workspace.guards import guard_problems
from kpi_rules.workspace.origin import Origin, policies_of
from kpi_rules.workspace.pace import pace_problems
from kpi_rules.workspace.quarantine import empty_quarantine
from kpi_rules.workspace.schemas import SCHEMAS
from kpi_rules.workspace.tables import ReadTables, Tables, read_tables, tables_from_frames

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from os import PathLike

    import polars as pl

    from kpi_rules.workspace.config import Config
    from kpi_rules.workspace.edits import Edit
    from kpi_rules.workspace.tables import Frames

FILE = "kpi.toml"

CONTRIBUTED_NAMES: Final = ("unknown-check", "unknown-forecast", "unknown-pace-curve", "unknown-indicator")
"""What is said of names that policies give: where one of them failed to load, the name may be that policy's."""


@define(eq=False, init=False, repr=False)
class Workspace:
    """Everything an assessment needs, and all that was found wrong with it.

    Made by `load` from a folder, or by its constructor from data in memory. Data never raises: what is wrong is in
    `problems`, and the rows that broke are in `quarantine` (`file, table, row, column, value, code, reason`). A
    workspace with `errors` is not assessed. `config`, and `origin`, what it was made of, for edits, are None without a
    usable year: tables, policies and parameters are then read all the same, so that all that is wrong is found at once.
    `given` are the values of parameters that `with_parameters` gave it.
    """

    folder: Path | None
    config: Config | None
    tables: Tables
    plugins: Plugins
    parameters: Parameters
    quarantine: pl.DataFrame = field(factory=empty_quarantine)
    problems: list[Problem] = field(factory=list)
    origin: Origin | None = None
    given: Mapping[str, tuple[Entry, ...]] = field(factory=dict)

    def __init__(self, config: Mapping[str, object], tables: Frames) -> None:
        """Make a workspace from data in memory; the same reader cleans it.

        Args:
            config: what `kpi.toml` would say, without `[tables]`: dates as `date`, shares as `Decimal` or as a float
                that prints so.
            tables: frames, eager or lazy, by table name (`units`, `quotas`, `projects`, `claims`, `arrivals`, `visits`,
                `staff`, `rates`, `withheld`). Money as text or Decimal is yuan, as Int64 fen; dates are Date or text.
        """
        sources = {name: name for name in tables if name in SCHEMAS}  # a frame of no table is named where it is read
        self._read(config_from_dict({**config, "tables": sources}), None, tables)

    def __repr__(self) -> str:
        """Name the workspace and count what is wrong with it."""
        return f"<Workspace {self.name!r}: {len(self.problems)} problems, {len(self.errors)} of them errors>"

    @property
    def name(self) -> str:
        """The name `kpi.toml` gives, or the folder's."""
        if self.config is not None and self.config.name:
            return self.config.name
        return self.folder.name if self.folder is not None else ""

    @property
    def errors(self) -> list[Problem]:
        """The problems that stop an assessment."""
        return [problem for problem in self.problems if problem.severity == "error"]

    def with_parameters(self, values: Mapping[str, object]) -> Workspace:
        """Return a copy in which the named parameters have other values.

        Args:
            values: by full name such as `field_duty.off_post_below`; a plain value, or a list of dated and per-group
                entries as in `kpi.toml`.

        Raises:
            ValueError: a name or a value is not valid; the message says what would be.
        """
        entries: dict[str, tuple[Entry, ...]] = {}
        groups = self.tables.units["group"].drop_nulls().unique().to_list()
        for name, raw in values.items():
            setting = self.parameters.declared.get(name)
            if setting is None:
                hint = nearest(name, self.parameters.declared)
                raise ValueError(_("no parameter {name}").format(name=name) + (f" (nearest: {hint})" if hint else ""))
            found, problems = read_entries(setting, raw, groups=groups, year=self.config.year if self.config else None)
            if problems:
                raise ValueError("; ".join(problem.message for problem in problems))
            entries[name] = found
        other = copy(self)
        other.parameters, other.given = self.parameters.replace(entries), {**self.given, **entries}
        return other

    def with_edits(self, edits: Iterable[Edit]) -> Workspace:
        """Return what `load` would give after `save(workspace, edits)`; nothing is written, and no file is read.

        Args:
            edits: what is to hold, one after the other; of two for the same value or quota the later counts.

        Raises:
            ValueError: an edit is not valid; the message says what is wrong with any of them, and what would be valid.
                What is wrong with the workspace then is in `problems`, as always.
        """
        from kpi_rules.workspace.editing import edited

        found = edited(self, tuple(edits))
        if isinstance(found, list):
            raise ValueError("; ".join(problem.message for problem in found))  # noqa: TRY004 (the edits are not valid)
        return found

    def _read(
        self,
        read: ReadConfig,
        folder: Path | None,
        frames: Frames | None,
        content: bytes | None = None,
        before: Origin | None = None,
    ) -> None:
        """Fill the workspace from what the configuration says, and with tables and policies of `before` where they
        are the same.
        """
        config = read.config
        if config is None:
            self.__attrs_init__(folder, None, Tables(), Plugins(), Parameters(), problems=sort_problems(read.problems))
            return
        usable = read.usable
        year = None if usable is None else usable.year
        policies = policies_of(read, folder, None if before is None else before.policies)
        plugins, local = policies.plugins, policies.local
        counts = count_indicators(plugins.indicators)
        is_known = before is not None and set(counts) == set(count_indicators(before.policies.plugins.indicators))
        tables = before.tables if before is not None and is_known else _tables(config, plugins, folder, frames)
        groups = tables.tables.units["group"].drop_nulls().unique().to_list()
        unread = tables.tables.units.is_empty()
        active = [plugin.name for plugin in plugins.plugins]
        of_plugins = [*installed(), *active]
        parameters, parameter_problems = read_parameters(
            {name: section for name, section in read.sections.items() if _is_readable(name, config, plugins)},
            plugins.settings,
            groups=groups,
            plugins=of_plugins,
            enabled=active,
            tables=plugins.tables,
            year=year,
            file=read.file,
            text=read.lines,
        )
        values, value_problems = local.entries(parameters.entries, groups=groups, year=year)
        parameters = parameters.replace(values)
        names = name_problems(
            read,
            plugins=of_plugins,
            pace_curves=plugins.pace_curves,
            checks=plugins.checks,
            indicators=quota_indicators(plugins.indicators),
            forecasts=plugins.forecasts,
        )
        is_partial = bool(plugins.broken) or any(problem.code == "unknown-plugin" for problem in names)
        consistency = None
        if before is not None and plugins.indicators is before.policies.plugins.indicators:
            consistency = before.consistency
        if consistency is None:
            consistency = consistency_problems(
                tables.tables,
                config,
                quota_indicators(plugins.indicators),
                counts=counts,
                found=[*read.problems, *tables.problems],
            )
        problems = [
            *read.problems,
            *policies.problems,
            *(problem for problem in names if not plugins.broken or problem.code not in CONTRIBUTED_NAMES),
            *off_problems(read, [*plugins.rules, *plugins.off], active, plugins.broken),
            *local.problems,
            *(
                problem
                for problem in (*parameter_problems, *value_problems)
                if problem.code != "unknown-group" or not unread  # which groups there are is then not known
            ),
            *tables.problems,
            *consistency,
            *(
                problem
                for problem in guard_problems(config.guards, plugins, read.file, read.lines)
                if problem.code != "unknown-guard" or not is_partial  # it may be that policy's
            ),
            *([] if usable is None else pace_problems(plugins, usable, read.file)),
        ]
        origin = None if usable is None else Origin(read, content, frames, policies, tables, consistency)
        self.__attrs_init__(
            folder, usable, tables.tables, plugins, parameters, tables.quarantine, sort_problems(problems), origin
        )


def load(path: str | PathLike[str]) -> Workspace:
    """Load a workspace from a folder with `kpi.toml`, or from the path of that file.

    Returns:
        The workspace with everything wrong about it in `problems` and `quarantine`; it never raises for what is in
        the files.
    """
    folder = Path(path)
    if folder.name == FILE:
        folder = folder.parent
    try:
        text: bytes | None = (folder / FILE).read_bytes()
    except OSError:
        text = None
    workspace = Workspace.__new__(Workspace)
    workspace._read(read_config(text, FILE), folder, None, text)  # noqa: SLF001 (the other of the two ways to make one)
    return workspace


def _is_readable(section: str, config: Config, plugins: Plugins) -> bool:
    """Whether a section can be held against what is declared: not that of a policy whose settings are not known."""
    if section in plugins.broken:
        return any(setting.plugin == section for setting in plugins.settings.values())
    return section not in config.enabled or any(plugin.name == section for plugin in plugins.plugins)


def _tables(config: Config, plugins: Plugins, folder: Path | None, frames: Frames | None) -> ReadTables:
    optional = () if config.sharing == "agreed" else ("claims.share",)
    if frames is not None:
        return tables_from_frames(
            frames,
            currency=config.currency,
            count_indicators=count_indicators(plugins.indicators),
            year_start=config.year.start,
            optional=optional,
        )
    return read_tables(
        config.tables,
        folder or Path(),
        currency=config.currency,
        count_indicators=count_indicators(plugins.indicators),
        year_start=config.year.start,
        optional=optional,
    )
