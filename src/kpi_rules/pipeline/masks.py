"""Some units of a block. Nobody costs nothing, which most masks of most ticks are."""

from __future__ import annotations

from typing import Final

import polars as pl


class Mask:
    """Some units: `rows` is one Boolean per unit, without nulls and somewhere true, or None for nobody."""

    __slots__ = ("rows",)

    def __init__(self, rows: pl.Series | None = None) -> None:
        """Keep the rows."""
        self.rows = rows

    @classmethod
    def of(cls, rows: pl.Series) -> Mask:
        """Return the units where `rows` is true; null is not true."""
        if rows.null_count():
            rows = rows.fill_null(value=False)
        return cls(rows) if rows.any() else NOBODY

    def __bool__(self) -> bool:
        """Whether there is anybody."""
        return self.rows is not None

    def __and__(self, other: Mask) -> Mask:
        """Return those in both."""
        if self.rows is None or other.rows is None:
            return NOBODY
        return Mask.of(self.rows & other.rows)

    def __or__(self, other: Mask) -> Mask:
        """Return those in either."""
        if self.rows is None or other.rows is None:
            return self if other.rows is None else other
        return Mask(self.rows | other.rows)

    def without(self, other: Mask) -> Mask:
        """Return these but those."""
        if self.rows is None or other.rows is None:
            return self
        return Mask.of(self.rows & ~other.rows)

    def column(self, size: int) -> pl.Series:
        """Return one Boolean per unit of a block of `size`."""
        return pl.repeat(value=False, n=size, dtype=pl.Boolean, eager=True) if self.rows is None else self.rows


NOBODY: Final = Mask()
