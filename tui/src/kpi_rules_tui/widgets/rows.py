"""Which rows of a frame a table shows, in which order: worked out without a screen, so that a thread can do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import define

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from kpi_rules_tui.widgets.columns import Column

LONG: Final = 50_000
"""From so many rows on, finding them takes longer than a key may, and a thread does it."""

PAUSE: Final = 0.15
"""Seconds in which another key may follow before a long frame is searched."""


@define(eq=False)
class Shown:
    """What is on the screen: which rows of the frame, in which order; `rows` None is all of them as they stand."""

    rows: pl.Series | None = None
    count: int = 0

    def row(self, place: int) -> int:
        """Return the number, in the frame, of the row at a place."""
        return place if self.rows is None else int(self.rows[place])


@define(frozen=True, eq=False)
class Wanted:
    """What is to be shown: rows of a frame in whose columns a text stands, ordered by a column and direction."""

    frame: pl.DataFrame
    columns: Sequence[Column]
    needle: str
    order: tuple[str, bool] | None

    @property
    def quick(self) -> bool:
        """Whether this can be worked out between two keys."""
        return self.frame.height < LONG or not (self.needle or self.order)

    def work_out(self) -> Shown:
        """Find the rows and order them; those without a value come last."""
        frame = self.frame
        rows = self._found() if self.needle else None
        if self.order is not None:
            name, descending = self.order
            values = frame[name] if rows is None else frame[name].gather(rows)
            sorted_ = values.arg_sort(descending=descending, nulls_last=True)
            rows = sorted_ if rows is None else rows.gather(sorted_)
        return Shown(rows, frame.height if rows is None else len(rows))

    def _found(self) -> pl.Series:
        """Return the numbers of the rows that have the text, in upper or lower case."""
        import polars as pl

        frame, needle = self.frame, self.needle.lower()
        texts = []
        for name in dict.fromkeys(column.name for column in self.columns if column.name in frame.columns):
            dtype, text = frame.schema[name], pl.col(name)
            if dtype.is_nested() or ((dtype.is_integer() or dtype == pl.Date) and set(needle) - set("0123456789-")):
                continue
            text = text if dtype == pl.String else text.cast(pl.String, strict=False)
            text = text.str.to_lowercase() if dtype == pl.String else text
            texts.append(text.str.contains(needle, literal=True))
        if not texts:
            return pl.Series(dtype=pl.UInt32)
        return frame.select(pl.any_horizontal(texts).fill_null(value=False).arg_true()).to_series()
