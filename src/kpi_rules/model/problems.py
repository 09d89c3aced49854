"""Problems: what is wrong with a workspace, as values.

A problem says what was found, where, what was expected, and the nearest valid choice. Problems are collected, never
raised, so that an administrator sees all of them at once.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, Literal, Self

from attrs import asdict, define, field

from kpi_rules.locale import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Severity = Literal["error", "warning", "note"]

_CUTOFF: Final = 0.6
_FEW: Final = 5
"""How much alike a likely slip is, and how many of the likely choices are looked at more closely."""


@define(frozen=True, order=True)
class Place:
    """Where something stands: a file, the table read from it, and as much of row, column and line as is known.

    `row` is the row as a person sees it in the file: in CSV the header is row 1, in a sheet it is the sheet's own row.
    `line` is a line of a text file such as `kpi.toml`; `key` the dotted key there.
    """

    file: str = ""
    table: str = ""
    row: int | None = None
    column: str = ""
    line: int | None = None
    key: str = ""

    def __str__(self) -> str:
        parts = [self.file or self.table]
        if self.file and self.table:
            parts.append(_("table {table}").format(table=self.table))
        if self.line is not None:
            parts.append(_("line {line}").format(line=self.line))
        if self.row is not None:
            parts.append(_("row {row}").format(row=self.row))
        if self.column:
            parts.append(_("column {column}").format(column=self.column))
        if self.key:
            parts.append(self.key)
        return ", ".join(part for part in parts if part)


@define(frozen=True)
class Problem:
    """One thing wrong with a workspace.

    `code` is stable and listed in `docs/errors.md`; `severity` `error` stops an assessment, `warning` and `note` do
    not. `found` and `expected` are whole phrases in the user's language; `nearest` is the closest valid choice,
    where there is one.
    """

    code: str
    severity: Severity
    place: Place
    found: str
    expected: str
    nearest: str | None = field(default=None)

    @property
    def message(self) -> str:
        """The problem as one line: place, found, expected, nearest choice."""
        text = _("{place}: found {found}; expected {expected}").format(
            place=self.place, found=self.found, expected=self.expected
        )
        if self.nearest is not None:
            text += _(" (nearest: {nearest})").format(nearest=self.nearest)
        return text

    def to_dict(self) -> dict[str, object]:
        """The problem as plain data, for JSON: the fields, the place flattened to its own object."""
        return asdict(self)


def error(code: str, place: Place, *, found: str, expected: str, nearest: str | None = None) -> Problem:
    """Make a problem that stops an assessment."""
    return Problem(code, "error", place, found, expected, nearest)


def warning(code: str, place: Place, *, found: str, expected: str, nearest: str | None = None) -> Problem:
    """Make a problem that an administrator should look at and that stops nothing."""
    return Problem(code, "warning", place, found, expected, nearest)


def note(code: str, place: Place, *, found: str, expected: str, nearest: str | None = None) -> Problem:
    """Make a remark."""
    return Problem(code, "note", place, found, expected, nearest)


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """Return the choice most like `name`, or None where none is alike enough to be a likely slip.

    Of choices equally alike the one with the fewest letters differing place by place is nearest (`J0012` to `JO012`),
    then one of the same letters (`P02` to `P20`).
    """
    found = _alike(name, choices)
    if not found:
        return None

    def distance(choice: str) -> tuple[float, int, bool, str]:
        differing = sum(first != second for first, second in zip_longest(name, choice))
        return -SequenceMatcher(None, choice, name).ratio(), differing, sorted(choice) != sorted(name), choice

    return min(found, key=distance)


def _alike(name: str, choices: Iterable[str]) -> list[str]:
    """Return what `difflib.get_close_matches` does with its own cutoff: the few choices most like `name`.

    It measures every choice; here those that the bound of `quick_ratio` puts below the few best are left out.
    """
    matcher = SequenceMatcher(b=name)
    bounds: list[tuple[float, str]] = []
    for choice in choices:
        matcher.set_seq1(choice)
        if matcher.real_quick_ratio() >= _CUTOFF and (bound := matcher.quick_ratio()) >= _CUTOFF:
            bounds.append((bound, choice))
    best: list[tuple[float, str]] = []
    for bound, choice in sorted(bounds, reverse=True):
        if len(best) == _FEW and bound < best[-1][0]:
            break
        matcher.set_seq1(choice)
        if (ratio := matcher.ratio()) >= _CUTOFF:
            best = sorted([*best, (ratio, choice)], reverse=True)[:_FEW]
    return [choice for _ratio, choice in best]


def sort_problems(problems: Iterable[Problem]) -> list[Problem]:
    """Put problems into the order they are shown in: errors first, then by place, so that order of discovery never
    shows.
    """
    ranks = {"error": 0, "warning": 1, "note": 2}
    return sorted(
        dict.fromkeys(problems),
        key=lambda p: (
            ranks[p.severity],
            p.place.file,
            p.place.table,
            p.place.line or 0,
            p.place.row or 0,
            p.place.column,
            p.place.key,
            p.code,
            p.found,
        ),
    )


class AssessmentError(Exception):
    """An assessment that cannot be made: the workspace has errors, or what was asked for does not fit it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems; the message lists them all."""
        super().__init__("\n".join(problem.message for problem in problems))
        self.problems = list(problems)

    def __reduce__(self) -> tuple[type[Self], tuple[list[Problem]]]:
        """Go to another process with the problems, not with their text."""
        return type(self), (self.problems,)
