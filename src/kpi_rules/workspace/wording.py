"""Words that problems of several tables share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kpi_rules.locale import _

if TYPE_CHECKING:
    from collections.abc import Sequence

MANY: Final = 2_000
"""Above so many choices, the nearest is looked for only among those that start or end alike."""

ROWS_SHOWN: Final = 5
"""Of many rows or dates, the first few are named."""


def rows_named(rows: Sequence[int]) -> str:
    """Write row numbers: `row 3`, `rows 3, 4`, and of many the first few and how many more."""
    texts = ", ".join(str(row) for row in rows[:ROWS_SHOWN])
    if len(rows) > ROWS_SHOWN:
        return _("rows {rows} and {count} more").format(rows=texts, count=len(rows) - ROWS_SHOWN)
    return (_("row {rows}") if len(rows) == 1 else _("rows {rows}")).format(rows=texts)
