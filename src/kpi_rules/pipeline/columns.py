"""Columns of a large population as arrays: what there is, row by row or once for all rows, and where it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define, field
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Values = NDArray[Any] | bool | int | float
Known = NDArray[np.bool_] | bool
Bounds = tuple[float, float]


@define(frozen=True, eq=False)
class PerGroup:
    """A parameter that differs between a few peer groups: one value for most units, others for those of some groups.

    Held against each of the values in turn, a column is read from the cache; a column of the parameter would have to be
    made, and come from memory at every tick.
    """

    general: float
    own: tuple[tuple[float, NDArray[np.bool_]], ...]
    """Every other value with one Boolean per unit, whether it has it."""

    def __getitem__(self, rows: slice) -> PerGroup:
        """Return the same for some of the units."""
        return PerGroup(self.general, tuple((value, units[rows]) for value, units in self.own))

    def column(self) -> NDArray[Any]:
        """Return one value per unit."""
        return np.select([units for _value, units in self.own], [value for value, _units in self.own], self.general)

    def held_against(self, compare: np.ufunc, column: NDArray[Any]) -> NDArray[np.bool_]:
        """Return how a column compares with the value of each unit."""
        found: NDArray[np.bool_] = compare(column, self.general)
        for value, units in self.own:
            differing = found ^ compare(column, value)
            differing &= units
            found ^= differing
        return found


@define(eq=False)
class Figures:
    """What an expression comes to: one value per row, or one for all rows.

    `known` says where there is a value: everywhere (True), nowhere (False), or row by row. Of what is true or false,
    `values` is false where nothing is known; other values are anything there.
    """

    values: Values
    known: Known = True
    _bounds: Bounds | None = field(default=None, alias="bounds")

    @property
    def bounds(self) -> Bounds:
        """The least and the greatest value that may be there."""
        if self._bounds is None:
            if isinstance(self.values, np.ndarray):
                if not len(self.values):
                    self._bounds = (0, 0)
                else:
                    self._bounds = (self.values.min().item(), self.values.max().item())
            else:
                self._bounds = (self.values, self.values)
        return self._bounds

    @property
    def is_truth(self) -> bool:
        """Whether it is true or false."""
        return self.values.dtype == np.bool_ if isinstance(self.values, np.ndarray) else isinstance(self.values, bool)

    @property
    def is_whole(self) -> bool:
        """Whether it is a whole number."""
        if isinstance(self.values, np.ndarray):
            return self.values.dtype.kind in "iu"
        return isinstance(self.values, int) and not isinstance(self.values, bool)

    def columns(self, size: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return one value per row, and whether it is known."""
        values, known = self.values, self.known
        return (
            values if isinstance(values, np.ndarray) else np.full(size, values),
            known if isinstance(known, np.ndarray) else np.full(size, known),
        )

    def __getitem__(self, rows: slice) -> Figures:
        """Return the same for some of the rows."""
        return Figures(_rows(self.values, rows), _rows(self.known, rows))


def _rows(each: Any, rows: slice) -> Any:  # noqa: ANN401 (values or where they are known)
    return each[rows] if isinstance(each, np.ndarray) else each


def figures(column: Any) -> Figures:  # noqa: ANN401 (whatever a span has for a column)
    """Return a column as figures: an array without nulls, a parameter that differs between groups, or figures."""
    if isinstance(column, Figures):
        return column
    values = column.column() if isinstance(column, PerGroup) else column
    narrow = isinstance(values, np.ndarray) and values.dtype.kind in "iu" and values.dtype != np.int64
    return Figures(values.astype(np.int64) if narrow else values)


def joined(parts: Sequence[Figures], sizes: Sequence[int]) -> Figures:
    """Return what an expression comes to for so many rows after each other."""
    if len(parts) == 1:
        return parts[0]
    columns = [part.columns(size) for part, size in zip(parts, sizes, strict=True)]
    everywhere = all(part.known is True for part in parts)
    return Figures(
        np.concatenate([values for values, _there in columns]),
        everywhere or np.concatenate([there for _values, there in columns]),
    )
