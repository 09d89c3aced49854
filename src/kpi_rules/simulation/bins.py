"""Completion counted in bins. Of a few draws of many units the bins would mostly be empty: those wait to be counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from attrs import define

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Counts = NDArray[np.int32]
    Places = NDArray[np.uint16]

BINS: Final = 512
PER_WHOLE: Final = 256
"""Completion is counted in bins of 1/256 of the task, the last of which holds all from 511/256 on."""

AT_ONCE: Final = 131_072
"""Numbers counted at once: what is made of them stays in the processor's cache, but operations are few."""

WAITING: Final = 2 * BINS
"""So many draws take as much room, two bytes each, as the counts of all bins."""


@define(eq=False)
class Bins:
    """How many draws of each unit fall into each bin, ticks x units x `BINS`; units without a quota fall into none."""

    _counts: Counts | None
    _waiting: list[Places]
    """Ticks x units x draws: the bin of each, `BINS` for none."""

    @classmethod
    def of(cls, amounts: Sequence[Whole], quotas: Sequence[Whole]) -> Bins:
        """Return the bins of amounts, units x draws for each tick, held against one quota a unit; 0 is none."""
        units, draws = amounts[0].shape
        if draws < WAITING:
            places = np.empty((len(amounts), units, draws), dtype=np.uint16)
            for here, (each, quota) in enumerate(zip(amounts, quotas, strict=True)):
                for rows in blocks(units, draws):
                    places[here, rows] = _places(each[rows], quota[rows])
            return cls(None, [places])
        counts = np.empty((len(amounts), units, BINS), dtype=np.int32)
        for here, (each, quota) in enumerate(zip(amounts, quotas, strict=True)):
            for rows in blocks(units, draws):
                counts[here, rows] = _in_bins(_places(each[rows], quota[rows]))
        return cls(counts, [])

    @property
    def counts(self) -> Counts:
        """The counts, made of all draws."""
        return self._count() if self._counts is None or self._waiting else self._counts

    def add(self, other: Self) -> None:
        """Take in other draws."""
        self._waiting += other._waiting
        if self._counts is None:
            self._counts = other._counts
        elif other._counts is not None:
            self._counts += other._counts
        if sum(each.shape[-1] for each in self._waiting) >= WAITING:
            self._count()

    def _count(self) -> Counts:
        ticks, units = self._waiting[0].shape[:2]
        draws = sum(each.shape[-1] for each in self._waiting)
        fresh = self._counts is None
        counts = np.empty((ticks, units, BINS), dtype=np.int32) if self._counts is None else self._counts
        for here in range(ticks):
            for rows in blocks(units, draws):
                found = _in_bins(np.concatenate([each[here, rows] for each in self._waiting], axis=1))
                if fresh:
                    counts[here, rows] = found
                else:
                    counts[here, rows] += found.astype(np.int32)
        self._counts, self._waiting = counts, []
        return counts


def _places(amounts: Whole, quota: Whole) -> NDArray[np.float64]:
    """Return the bin of each completion, and what is left of it; `BINS` without a quota.

    The quotient is one correctly rounded division, so that a completion falls into the same bin on every machine.
    """
    places = np.divide(amounts, np.maximum(quota, 1)[:, None] / np.float64(PER_WHOLE))
    np.clip(places, 0, BINS - 1, out=places)
    places[quota <= 0] = BINS
    return places


def _in_bins(places: NDArray[Any]) -> Whole:
    return counted(places.astype(np.intp), BINS + 1)[:, :BINS]


def counted(numbers: NDArray[np.intp], kinds: int) -> Whole:
    """Count in each row how many there are of each number from 0 to before `kinds`; the array is used up."""
    rows = len(numbers)
    numbers += np.arange(rows)[:, None] * kinds
    return np.bincount(numbers.reshape(-1), minlength=rows * kinds).reshape(rows, kinds)


def blocks(rows: int, draws: int) -> list[slice]:
    """Cut rows into blocks of some `AT_ONCE` numbers."""
    size = max(1, AT_ONCE // max(draws, 1))
    return [slice(begin, min(begin + size, rows)) for begin in range(0, rows, size)]
