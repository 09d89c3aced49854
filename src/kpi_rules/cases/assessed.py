"""Cases of a workspace: what rows of its result frames must say as of a day."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl
from attrs import asdict

from kpi_rules.cases.coverage import columns_read
from kpi_rules.cases.shape import Failure
from kpi_rules.cases.values import UnfitValueError, agrees, given, one_of_names, shown_found, shown_raw
from kpi_rules.locale import _
from kpi_rules.model.problems import AssessmentError, nearest
from kpi_rules.pipeline.assess import assess
from kpi_rules.pipeline.result import Assessment
from kpi_rules.workspace.config_schema import one_of, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_rules.cases.coverage import Coverage
    from kpi_rules.cases.files import CaseFile, Trail
    from kpi_rules.cases.ground import Ground
    from kpi_rules.cases.shape import Case, FrameSection
    from kpi_rules.workspace.workspace import Workspace

MONEY = frozenset(
    {
        "amount",
        "paid",
        "forfeited",
        "refunded",
        "returned",
        "held",
        "withheld",
        "released",
        "contracted",
        "vouchers",
        "confirmed",
        "adjusted",
        "shared",
        "campaign_funds",
        "funds",
    }
)
"""Columns of result frames that hold fen whatever the frame."""

DECISIONS = {"measure": pl.String, "decision": pl.String, "on": pl.Date, "by": pl.String, "reason": pl.String}


def frames() -> list[str]:
    """Return the names of the result frames of an assessment."""
    found = {"findings"}
    for name, member in vars(Assessment).items():
        function = member.fget if isinstance(member, property) else getattr(member, "func", None)
        if isinstance(member, (property, cached_property)) and _gives_frame(function) and not name.startswith("_"):
            found.add(name)
    return sorted(found)


def _gives_frame(function: Any) -> bool:  # noqa: ANN401 (the function behind a property)
    return getattr(function, "__annotations__", {}).get("return") == "pl.DataFrame"


class Assessed:
    """Assessments of one workspace, each made once however many cases look at it."""

    def __init__(self, ground: Ground) -> None:
        """Remember nothing yet."""
        self.ground = ground
        self._made: dict[object, Assessment] = {}

    def of(self, case: Case, workspace: Workspace, coverage: Coverage) -> Assessment:
        """Return the assessment that a case asks for; what it shows of rules and tables is counted once.

        Raises:
            AssessmentError: its days or decisions do not fit the workspace.
        """
        section = case.section
        key = (section.as_of, section.known_at, section.decisions, repr(sorted(section.parameters.items())))
        if key not in self._made:
            rows = [asdict(each) for each in section.decisions]
            decisions = pl.DataFrame(rows, schema=DECISIONS) if rows else None
            self._made[key] = assess(workspace, section.as_of, section.known_at, decisions)
            _covered(self._made[key], self.ground, coverage)
        return self._made[key]


def run_assessed(
    file: CaseFile, case: Case, assessed: Assessed, workspace: Workspace, coverage: Coverage
) -> tuple[Failure, ...]:
    """Run a case of a workspace; what it names and is not there, or cannot be computed, is a problem of its file."""
    try:
        assessment = assessed.of(case, workspace, coverage)
        failures: list[Failure] = []
        for number, expected in enumerate(case.frames):
            trail = (*case.path, "expect", number)
            if expected.frame not in frames():
                hint, phrase = nearest(expected.frame, frames()), one_of(frames())
                found = shown(expected.frame)
                file.wrong((*trail, "frame"), "unknown-frame", found=found, expected=phrase, nearest=hint)
                continue
            failures += _Comparing(file, trail, getattr(assessment, expected.frame), assessed.ground).failures(expected)
    except AssessmentError as failed:
        for problem in failed.problems:
            file.within(problem, case.path)
        return ()
    return tuple(failures)


def _covered(assessment: Assessment, ground: Ground, coverage: Coverage) -> None:
    """Count what an assessment has shown of rules and tables."""
    for rule, event in assessment.events.select("rule", "event").iter_rows():
        coverage.add_event(rule, event)
    units = assessment.panel.units["unit"]
    names = columns_read(ground)
    for here, tick in enumerate(assessment.ticks):
        if not tick.interim:
            coverage.add_rows(ground, assessment.frame_at(here, units, names))


class _Comparing:
    """One expectation against one frame."""

    def __init__(self, file: CaseFile, trail: Trail, frame: pl.DataFrame, ground: Ground) -> None:
        self.file, self.trail, self.frame, self.ground = file, trail, frame, ground

    def failures(self, expected: FrameSection) -> list[Failure]:
        """Return what is not as expected; nothing where names or values are wrong, which is told instead."""
        sound = self._sound(expected)
        rows = self._found(expected)
        if rows is None or not sound:
            return []
        failures = self._counted(expected, rows)
        if failures:
            return failures
        for part in ("equals", "differs"):
            for name, raw in getattr(expected, part).items():
                failures += self._column(expected, part, name, raw, rows)
        for number, name in enumerate(expected.empty):
            failures += [
                self._failure(expected, ("empty", number), name, _("nothing"), found, None)
                for found in rows[name]
                if found is not None
            ]
        for name, raw in expected.sums.items():
            failures += self._sum(expected, name, raw, rows)
        return failures

    def _sound(self, expected: FrameSection) -> bool:
        """Check every name and value of an expectation before anything is compared."""
        before = len(self.file.problems)
        for number, name in enumerate(expected.empty):
            self._known(name, (*self.trail, "empty", number))
        for part in ("equals", "differs", "sums"):
            for name, raw in getattr(expected, part).items():
                trail = (*self.trail, part, name)
                if not self._known(name, trail):
                    continue
                dtype = self.frame.schema[name]
                if part == "sums" and dtype != pl.Int64:
                    whole = _("a column of whole numbers")
                    self.file.wrong(trail, "wrong-kind", found=shown(name), expected=whole)
                    continue
                try:
                    agrees(None, raw, dtype, money=self._money(name))
                except UnfitValueError as unfit:
                    self.file.wrong(trail, "wrong-kind", found=shown(raw), expected=unfit.expected)
        return len(self.file.problems) == before

    def _found(self, expected: FrameSection) -> pl.DataFrame | None:
        """Return the rows that `where` finds; None where it cannot be asked."""
        rows, sound = self.frame, True
        for name, raw in expected.where.items():
            trail = (*self.trail, "where", name)
            if not self._known(name, trail):
                sound = False
                continue
            try:
                value = given(raw, self.frame.schema[name], money=self._money(name))
            except UnfitValueError as unfit:
                self.file.wrong(trail, "wrong-kind", found=shown(raw), expected=unfit.expected)
                sound = False
                continue
            rows = rows.filter(pl.col(name) == value)
        return rows if sound else None

    def _counted(self, expected: FrameSection, rows: pl.DataFrame) -> list[Failure]:
        wanted = expected.rows if expected.rows is not None else None if expected.sums else 1
        if wanted is None or len(rows) == wanted:
            return []
        return [self._failure(expected, ("where",), _("rows"), str(wanted), len(rows), None)]

    def _column(self, expected: FrameSection, part: str, name: str, raw: object, rows: pl.DataFrame) -> list[Failure]:
        dtype, money = self.frame.schema[name], self._money(name)
        text = shown_raw(raw) if part == "equals" else _("not {value}").format(value=shown_raw(raw))
        return [
            self._failure(expected, (part, name), name, text, found, raw)
            for found in rows[name]
            if agrees(found, raw, dtype, money=money) is (part == "differs")
        ]

    def _sum(self, expected: FrameSection, name: str, raw: object, rows: pl.DataFrame) -> list[Failure]:
        total = int(rows[name].sum())
        if agrees(total, raw, pl.Int64, money=self._money(name)):
            return []
        about = _("sum of {column}").format(column=name)
        return [self._failure(expected, ("sums", name), about, shown_raw(raw), total, raw, name)]

    def _known(self, name: str, trail: Trail) -> bool:
        if name in self.frame.columns:
            return True
        hint = nearest(name, self.frame.columns)
        phrase = one_of_names(self.frame.columns)
        self.file.wrong(trail, "unknown-column", found=shown(name), expected=phrase, nearest=hint)
        return False

    def _money(self, name: str) -> bool | None:
        return True if name in MONEY else self.ground.is_money(name)

    def _failure(
        self,
        expected: FrameSection,
        key: tuple[str | int, ...],
        about: str,
        wanted: str,
        found: object,
        raw: object,
        column: str = "",
    ) -> Failure:
        money = self._money(column or about)
        where = _where(expected.where)
        text = f"{expected.frame}{where}: {about}"
        return Failure(text, wanted, shown_found(found, raw, money=money), self.file.place((*self.trail, *key)))


def _where(where: Mapping[str, Any]) -> str:
    return f"[{', '.join(f'{name}={shown_raw(raw)}' for name, raw in where.items())}]" if where else ""
