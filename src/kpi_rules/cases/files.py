"""Files of cases: where they are, and from their text to cases with all that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

import tomli
from attrs import define, field

from kpi_rules.cases.shape import Case, CaseSection, EventSection, FileSection, FrameSection
from kpi_rules.locale import _
from kpi_rules.model.problems import Place, Problem, error
from kpi_rules.workspace.config_lines import Lines, dotted, lines_of
from kpi_rules.workspace.config_schema import Issue, shown, structure

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")

FOLDER = "cases"
"""The folder of cases beside `kpi.toml`, and in a policy's package."""

Trail = tuple[str | int, ...]


@define
class CaseFile:
    """One file of cases: what it says, its cases, and what is wrong with it.

    `name` is how people are told of it; `path` is where it is.
    """

    name: str
    path: Path
    section: FileSection
    cases: list[Case] = field(factory=list)
    problems: list[Problem] = field(factory=list)
    lines: Lines = field(factory=Lines)

    def place(self, trail: Trail) -> Place:
        """Return the place of a key."""
        return Place(self.name, line=self.lines.find(trail), key=dotted(trail))

    def wrong(self, trail: Trail, code: str, *, found: str, expected: str, nearest: str | None = None) -> None:
        """Note something wrong at a key."""
        self.problems.append(error(code, self.place(trail), found=found, expected=expected, nearest=nearest))

    def within(self, problem: Problem, trail: Trail) -> None:
        """Note a problem of what the file holds, such as `config`, at its key here."""
        key = f"{dotted(trail)}.{problem.place.key}" if problem.place.key else dotted(trail)
        written = {dotted(path): line for path, line in self.lines.at.items()}
        parts = key
        while parts and parts not in written:
            parts = parts.rpartition(".")[0]
        place = Place(self.name, line=written.get(parts) or self.lines.find(trail), key=key)
        told = Problem(problem.code, problem.severity, place, problem.found, problem.expected, problem.nearest)
        self.problems.append(told)


def case_files(folder: Path, shown_as: str) -> list[CaseFile]:
    """Read the files of cases in a folder, in the order of their names; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return [_read(path, f"{shown_as}/{path.name}") for path in sorted(folder.glob("*.toml"))]


def _read(path: Path, name: str) -> CaseFile:
    """Read one file; what is wrong is in its problems."""
    file = CaseFile(name, path, FileSection())
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        raw = tomli.loads(text, parse_float=Decimal)
    except OSError as failure:
        file.wrong((), "unreadable-file", found=failure.strerror or str(failure), expected=_("a file of cases"))
        return file
    except UnicodeDecodeError:
        file.wrong((), "undecodable", found=_("bytes that are not UTF-8"), expected=_("TOML saved as UTF-8"))
        return file
    except tomli.TOMLDecodeError as failure:
        place = Place(name, line=failure.lineno)
        file.problems.append(error("invalid-toml", place, found=failure.msg, expected=_("valid TOML")))
        return file
    file.lines = lines_of(text)
    section = _structured(file, raw, FileSection, ())
    if section is not None:
        file.section = section
        _cases(file, section)
    return file


def _structured(file: CaseFile, raw: object, kind: type[T], trail: Trail) -> T | None:
    section, issues = structure(raw, kind)
    file.problems += [_under(issue, trail).problem(file.name, file.lines) for issue in issues]
    return None if issues else section


def _under(issue: Issue, trail: Trail) -> Issue:
    return issue.under(*trail)


def _cases(file: CaseFile, section: FileSection) -> None:
    if not isinstance(section.case, (list, tuple)):
        file.wrong(("case",), "wrong-kind", found=shown(section.case), expected=_("tables [[case]]"))
        return
    if section.workspace and section.config:
        found = _("a folder and a configuration")
        file.wrong(("config",), "case-kind", found=found, expected=_("one of workspace, config"))
    seen: dict[str, int] = {}
    for number, raw in enumerate(section.case):
        trail = ("case", number)
        case = _case(file, raw, trail)
        if case is None:
            continue
        if case.name in seen:
            found = _("a second case {name}").format(name=shown(case.name))
            file.wrong((*trail, "name"), "duplicate-case", found=found, expected=_("a name of its own for each case"))
        seen[case.name] = number
        file.cases.append(case)


def _case(file: CaseFile, raw: object, trail: Trail) -> Case | None:
    section = _structured(file, raw, CaseSection, trail)
    if section is None:
        return None
    if not section.name.strip():
        file.wrong((*trail, "name"), "empty-text", found=shown(section.name), expected=_("what the case shows"))
    source = section.source or file.section.source
    if not source.strip():
        expected = _("where the case comes from: an article, a document, an M-number")
        file.wrong(trail, "case-without-source", found=_("no key source"), expected=expected)
    _kinds(file, section, trail)
    events, frames = _expectations(file, section, trail)
    if section.differs and not section.note.strip():
        file.wrong((*trail, "differs"), "case-without-note", found=_("no key note"), expected=_WHY())
    return Case(section, events, frames, source, file.place(trail), trail)


def _WHY() -> str:  # noqa: N802 (a text that is translated when it is said)
    return _("a note that says why the published figure is wrong")


ROW_KEYS = ("on", "group", "active", "indicators", "empty", "differs", "policy")
TIME_KEYS = ("known_at", "decisions")


def _kinds(file: CaseFile, section: CaseSection, trail: Trail) -> None:
    """A case is of a row or of a workspace, with the keys of its kind."""
    row, whole = section.given is not None, section.as_of is not None
    if row is whole:
        found = _("given and as_of") if row else _("neither given nor as_of")
        expected = _("given for a case of one row, or as_of for a case of the workspace")
        file.wrong(trail, "case-kind", found=found, expected=expected)
        return
    for key in TIME_KEYS if row else ROW_KEYS:
        if getattr(section, key):
            expected = _("a case with as_of") if row else _("a case with given")
            file.wrong((*trail, key), "case-kind", found=_("the key {key}").format(key=key), expected=expected)


def _expectations(
    file: CaseFile, section: CaseSection, trail: Trail
) -> tuple[tuple[EventSection, ...] | None, tuple[FrameSection, ...]]:
    """Read `expect`: events of a row, or rows of frames."""
    raw = section.expect
    of_row = section.given is not None
    if raw is not None and not (isinstance(raw, Sequence) and all(isinstance(each, Mapping) for each in raw)):
        file.wrong((*trail, "expect"), "wrong-kind", found=shown(raw), expected=_("a list of tables"))
        return None, ()
    if not raw and not (of_row and (raw is not None or section.indicators or section.empty or section.differs)):
        file.wrong(trail, "case-without-expectation", found=_("no key expect"), expected=_("what the case must give"))
        return None, ()
    if raw is None:
        return None, ()
    places = [((*trail, "expect", number), each) for number, each in enumerate(raw)]
    if of_row:
        events = [_structured(file, each, EventSection, place) for place, each in places]
        return tuple(event for event in events if event is not None), ()
    frames = [_structured(file, each, FrameSection, place) for place, each in places]
    for (place, _each), frame in zip(places, frames, strict=True):
        if frame is not None:
            _frame(file, frame, section, place)
    return None, tuple(frame for frame in frames if frame is not None)


def _frame(file: CaseFile, frame: FrameSection, case: CaseSection, trail: Trail) -> None:
    counted = frame.rows is not None
    if counted and (isinstance(frame.rows, bool) or not isinstance(frame.rows, int) or frame.rows < 0):
        file.wrong((*trail, "rows"), "wrong-kind", found=shown(frame.rows), expected=_("a whole number, 0 or more"))
    if not (counted or frame.equals or frame.differs or frame.empty or frame.sums):
        expected = _("one of rows, equals, differs, empty, sums")
        file.wrong(trail, "case-without-expectation", found=_("nothing to compare"), expected=expected)
    if frame.differs and not case.note.strip():
        file.wrong((*trail, "differs"), "case-without-note", found=_("no key note"), expected=_WHY())
