"""Edits of a workspace as values: a parameter, a quota, a policy or a rule switched on or off.

They say what is to hold, not where it is written: `Workspace.with_edits` shows what a workspace would be with them,
`save` writes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from attrs import define, field

if TYPE_CHECKING:
    from datetime import date


def _value(value: object) -> object:
    """Keep lists as tuples, so that edits can be compared and kept in sets."""
    return tuple(value) if isinstance(value, list) else value


def _cells(cells: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(cells.items() if isinstance(cells, Mapping) else cells)


@define(frozen=True)
class ParameterEdit:
    """Another value of a parameter.

    Attributes:
        name: full name, such as `field_duty.off_post_below`.
        value: as `kpi.toml` would hold it: a decimal, whole number, text, flag, or tuple of texts; None takes the entry
            away, and what else is written, or else the policy's default, holds.
        from_on: the day from which it holds; None for the value that holds from the start.
        group: the peer group it holds for; None for all.
    """

    name: str
    value: object = field(converter=_value)
    from_on: date | None = None
    group: str | None = None


@define(frozen=True)
class QuotaEdit:
    """Another quota of a unit.

    Attributes:
        unit: the unit's id.
        amount: fen, or a number where the indicator is counted; None takes the row away.
        indicator: which quota.
        effective: the day of the row. Where there is none of that day, it is a new row: the quota is set anew from then
            on. None is the last revision's, or the year's start for a unit that has no such quota.
        note: why; None leaves the note as it is.
        cells: texts of the row in a file, by its heading or the table's column, written whatever else is said: a split
            gives fixings so, `Saved.undo` a row to the character. What the file has no column for is left out.
    """

    unit: str
    amount: int | None
    indicator: str = "funds"
    effective: date | None = None
    note: str | None = None
    cells: tuple[tuple[str, str], ...] = field(default=(), converter=_cells)


@define(frozen=True)
class SwitchEdit:
    """A policy or a rule, switched on or off.

    `name` is an installed policy (`rewards`), a policy of one file by its path (`policies/summer.py`), or one rule
    (`supervision.talk`).
    """

    name: str
    on: bool


Edit: TypeAlias = ParameterEdit | QuotaEdit | SwitchEdit
