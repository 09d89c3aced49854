"""Run the cases of a workspace and of the policies it enables."""

from __future__ import annotations

from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from attrs import define, field

from kpi_rules.cases.assessed import Assessed, run_assessed
from kpi_rules.cases.coverage import Coverage, RowSeen, RuleSeen
from kpi_rules.cases.files import FOLDER, case_files
from kpi_rules.cases.ground import Ground
from kpi_rules.cases.rows import check_row, run_row
from kpi_rules.cases.shape import CaseResult
from kpi_rules.hooks.manager import installed
from kpi_rules.locale import _
from kpi_rules.model.problems import AssessmentError, Problem, nearest, sort_problems
from kpi_rules.workspace.workspace import FILE, Workspace, load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpi_rules.cases.files import CaseFile
    from kpi_rules.cases.shape import Case

YEAR = {"start": date(2011, 1, 1), "end": date(2011, 12, 31)}
"""The assessment year of cases whose `config` names none."""


@define
class CaseReport:
    """How the cases ended.

    `problems` are what is wrong with the files of cases, whose other cases have run nonetheless; `rules` and `rows` say
    what the cases have shown of each rule and of each row of a table.
    """

    results: list[CaseResult] = field(factory=list)
    rules: list[RuleSeen] = field(factory=list)
    rows: list[RowSeen] = field(factory=list)
    problems: list[Problem] = field(factory=list)

    @property
    def failed(self) -> list[CaseResult]:
        """The cases that failed."""
        return [result for result in self.results if not result.passed]

    @property
    def passed(self) -> bool:
        """Whether every file is in order and no case failed."""
        return not self.problems and not self.failed


def run_cases(workspace: Workspace | None = None, policy: str | None = None) -> CaseReport:
    """Run cases: of a workspace and of each installed policy it enables.

    Args:
        workspace: without errors; its cases are the files `cases/*.toml` beside its `kpi.toml`. None for the installed
            policies alone.
        policy: the cases of this installed policy only, which stand in its package.

    Raises:
        AssessmentError: the workspace has errors.
        ValueError: there is no such policy; the message names the nearest.
    """
    if workspace is not None and (workspace.errors or workspace.config is None):
        raise AssessmentError(workspace.errors)
    available = installed()
    if policy is not None and policy not in available:
        hint = nearest(policy, available)
        text = _("no installed policy {name}").format(name=policy)
        raise ValueError(text + (_(" (nearest: {nearest})").format(nearest=hint) if hint else ""))
    running = _Running()
    if workspace is not None and policy is None:
        running.workspace(workspace)
    enabled = list(available) if workspace is None else [plugin.name for plugin in workspace.plugins.plugins]
    for name in [policy] if policy is not None else [each for each in enabled if each in available]:
        running.policy(name, available[name].module)
    return running.report()


class _Running:
    """One run: files as they are read, results as they come."""

    def __init__(self) -> None:
        self.files: list[CaseFile] = []
        self.results: list[CaseResult] = []
        self.coverage = Coverage()
        self._whole = False  # whether what is to be shown is known: the rules and tables of a workspace
        self._folders: dict[Path, Workspace] = {}

    def report(self) -> CaseReport:
        """Return what has come of it."""
        return CaseReport(
            self.results,
            [seen for _name, seen in sorted(self.coverage.rules.items())],
            list(self.coverage.rows.values()),
            sort_problems(problem for file in self.files for problem in file.problems),
        )

    def workspace(self, workspace: Workspace) -> None:
        """Run the cases that stand in a workspace."""
        files = [] if workspace.folder is None else case_files(workspace.folder / FOLDER, FOLDER)
        ground = Ground(workspace)
        self.coverage.expect(ground)
        self._whole = True
        for file in files:
            self._file(file, workspace, "")

    def policy(self, name: str, module: str) -> None:
        """Run the cases that stand in the package of an installed policy."""
        if not self._whole:
            self.coverage.expect(Ground(_bare([name], {})), [name])
        folder = _package(module)
        for file in [] if folder is None else case_files(folder / FOLDER, f"{folder.name}/{FOLDER}"):
            self._file(file, None, name)

    def _file(self, file: CaseFile, home: Workspace | None, policy: str) -> None:
        self.files.append(file)
        if file.problems:
            return
        workspace = self._of(file, home, policy)
        if workspace is None:
            return
        grounds: dict[str, tuple[Ground, Assessed]] = {}
        for case in file.cases:
            self._case(file, case, workspace, policy, grounds)

    def _of(self, file: CaseFile, home: Workspace | None, policy: str) -> Workspace | None:
        """Return the workspace a file's cases run in; what is wrong with it is told of the file."""
        section = file.section
        if section.workspace:
            folder = (file.path.parent / section.workspace).resolve()
            if folder not in self._folders:
                self._folders[folder] = load(folder)
            workspace, trail = self._folders[folder], "workspace"
        elif section.config or home is None:
            groups = {case.section.group for case in file.cases if case.section.group is not None}
            workspace, trail = _bare([policy] if policy else [], section.config, sorted(groups)), "config"
        else:
            return home
        for problem in workspace.errors:
            if trail == "workspace":
                found = f"{section.workspace}/{problem.place.file or FILE}: {problem.message}"
                file.wrong((trail,), problem.code, found=found, expected=_("a workspace without errors"))
            else:
                file.within(problem, (trail,))
        return None if workspace.errors else workspace

    def _case(
        self,
        file: CaseFile,
        case: Case,
        workspace: Workspace,
        policy: str,
        grounds: dict[str, tuple[Ground, Assessed]],
    ) -> None:
        section = case.section
        key = repr(sorted(section.parameters.items()))
        if key not in grounds:
            try:
                chosen = workspace.with_parameters(section.parameters) if section.parameters else workspace
            except ValueError as failure:
                expected = _("parameters of the policies, with values in their bounds")
                trail = (*case.path, "parameters")
                file.wrong(trail, "bad-parameter", found=str(failure), expected=expected)
                return
            ground = Ground(chosen)
            grounds[key] = ground, Assessed(ground)
            if not self._whole:
                self.coverage.expect(ground, [policy])
        ground, assessed = grounds[key]
        before = len(file.problems)
        if section.given is not None:
            values = check_row(file, case, ground)
            failures = () if len(file.problems) > before else run_row(file, case, ground, values, self.coverage)
        else:
            failures = run_assessed(file, case, assessed, ground.workspace, self.coverage)
        if len(file.problems) == before:
            told = section.arithmetic.strip(), section.note.strip()
            self.results.append(CaseResult(case.name, policy, case.source, *told, case.place, failures))


def _bare(enabled: Sequence[str], config: Any, groups: Sequence[str] = ()) -> Workspace:  # noqa: ANN401 (a table of TOML)
    """Return a workspace with a configuration and nothing else but a unit for each peer group."""
    whole = {"year": YEAR, "plugins": {"enabled": list(enabled)}, **config}
    ids = ["unit", *groups]
    units = pl.DataFrame({"unit": ids, "name": ids, "group": [None, *groups]}, schema_overrides={"group": pl.String})
    return Workspace(whole, {"units": units})


def _package(module: str) -> Path | None:
    """Return the folder of the package a policy is in."""
    spec = find_spec(module)
    return Path(spec.origin).parent if spec is not None and spec.origin else None
