"""The columns of a table: what is read from a row, and how it is written and coloured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import rich.cells
from attrs import define

from kpi_rules_tui.texts import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

Tone = str
"""How a cell looks besides what it says: `good`, `bad`, `warn`, `dim`, `mark`, or an empty text."""

WIDEST: Final = 44


def _text(value: object) -> str:
    return plain(value)


def _no_tone(_value: Any) -> Tone:  # noqa: ANN401 (a cell's value is of any kind)
    return ""


@define(frozen=True, eq=False)
class Column:
    """A column: of the frame by `name`; what it is called, how a value is written, on which side it stands.

    `text` gets the cell's value, or with `whole` the row by column names. `least` and `most` bound its width.
    """

    name: str
    title: str
    text: Callable[[Any], str] = _text
    tone: Callable[[Any], Tone] = _no_tone
    right: bool = False
    whole: bool = False
    least: int = 0
    most: int = WIDEST


def cell(column: Column, row: dict[str, Any]) -> tuple[str, Tone]:
    """Return a cell as it is written, and how it looks; whatever `text` gives is made safe to draw."""
    value = row if column.whole else row.get(column.name)
    return plain(column.text(value)), column.tone(value)


def read(column: Column, row: dict[str, Any]) -> str:
    """Return a cell as it is read in a row in full: a text as it stands however long, all else as it is written."""
    value = row.get(column.name)
    if column.text is _text and not column.whole and isinstance(value, str):
        return value.replace("\n", "\n    ")
    return cell(column, row)[0].strip()


def written(columns: Sequence[Column], rows: pl.DataFrame) -> list[list[str]]:
    """Return rows as they are shown: one text a column."""
    return [[cell(column, row)[0].rstrip() for column in columns] for row in rows.iter_rows(named=True)]


def fit(text: str, width: int, *, right: bool) -> str:
    """Cut or fill a text to so many cells; a Chinese character takes two."""
    length = rich.cells.cell_len(text)
    if length > width:
        return rich.cells.set_cell_size(text, max(width - 1, 0)) + "…" if width else ""
    return " " * (width - length) + text if right else text + " " * (width - length)
