"""Some units of a block. Nobody costs nothing, which most masks of most ticks are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl
    from numpy.typing import NDArray


NONE: Final = np.empty(0, dtype=np.intp)


class Mask:
    """Some units: `rows` is one Boolean per unit, somewhere true, or None for nobody."""

    __slots__ = ("_places", "rows")

    def __init__(self, rows: NDArray[np.bool_] | None = None) -> None:
        """Keep the rows; nobody changes them."""
        self.rows = rows
        self._places: NDArray[np.intp] | None = None

    @classmethod
    def of(cls, rows: NDArray[np.bool_]) -> Mask:
        """Return the units where `rows` is true."""
        return cls(rows) if np.count_nonzero(rows) else NOBODY

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
        return Mask.of(self.rows > other.rows)  # among Booleans: the one and not the other

    @property
    def places(self) -> NDArray[np.intp]:
        """The numbers of the rows, made once."""
        if self._places is None:
            self._places = NONE if self.rows is None else self.rows.nonzero()[0]
        return self._places

    def column(self, size: int) -> NDArray[np.bool_]:
        """Return one Boolean per unit of a block of `size`."""
        return np.zeros(size, dtype=np.bool_) if self.rows is None else self.rows


NOBODY: Final = Mask()


@define(frozen=True, eq=False)
class Said:
    """What expressions say of the units of a block at a tick, by their names: where a condition is true, where it is
    null, and amounts where they do not wait.
    """

    holds: Mapping[str, Mask]
    unknown: Mapping[str, Mask] = field(factory=dict)
    amounts: Mapping[str, pl.Series] = field(factory=dict)
