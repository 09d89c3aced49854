"""Samplers of the other building blocks: `Curves` and `Levels`, and the one that fits a block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from attrs import define

from kpi_rules.model.forecasts import Compound, Curves
from kpi_rules.simulation.keys import BUFFERS, bases, draw_words, of_rows, slot_words, stream_keys
from kpi_rules.simulation.sampling import MOST_AT_ONCE, CompoundSampler, blocks
from kpi_rules.simulation.tables import CELLS, as_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kpi_rules.model.forecasts import Block, Levels

    Real = NDArray[np.float64]
    Rows = NDArray[np.int64]
    Whole = NDArray[np.int64]
    Words = NDArray[np.uint64]


class Sampler(Protocol):
    """Draws what a building block says."""

    def add(self, low: int, high: int, out: Whole) -> None:
        """Add what arrives in draws `low` to before `high` to `out`: ticks x units x draws, contiguous."""
        ...


def sampler_of(
    block: Block, seed: int, stream: str, units: Sequence[str], ranges: tuple[Rows, Rows] | None = None
) -> Sampler:
    """Return the sampler of a block of the units with these ids; with `ranges`, of the arrivals of them whose last bits
    are in each row's range.
    """
    if isinstance(block, Compound):
        return CompoundSampler.of(block, seed, stream, units, ranges)
    if isinstance(block, Curves):
        return CurvesSampler.of(block, seed, stream)
    return LevelsSampler.of(block, seed, stream, units)


@define(frozen=True, eq=False)
class CurvesSampler:
    """A `Curves` by unit, with the keys of its projects: the word of slot 0 chooses the donor."""

    unit: Rows
    remaining: Whole
    first: Rows
    shares: Whole
    keys: Words

    @classmethod
    def of(cls, block: Curves, seed: int, stream: str) -> CurvesSampler:
        """Sort the parts by unit, and turn the shares so that those of a tick stand together."""
        order = np.argsort(block.unit, kind="stable")
        keys = stream_keys(seed, stream, block.project)
        by_tick = np.ascontiguousarray(np.moveaxis(block.shares, 2, 0))
        return cls(block.unit[order], block.remaining[order], block.age[order], by_tick, keys[order])

    def add(self, low: int, high: int, out: Whole) -> None:
        """Add what arrives: the share of what remains that the donor of each part has reached, less that before."""
        draws = draw_words(low, high)
        if not len(self.unit):
            return
        for rows, columns in blocks(np.ones(len(self.unit)), high - low):
            self._block(rows, columns, draws[columns], out)

    def _block(self, rows: slice, columns: slice, draws: Words, out: Whole) -> None:
        ticks, _ages, donors = self.shares.shape
        size = (rows.stop - rows.start, len(draws))
        words, scratch = BUFFERS.get("words", size, np.uint64), BUFFERS.get("scratch", size, np.uint64)
        slot_words(bases(self.keys[rows], draws, words, scratch), 0, words, scratch)
        chosen = np.right_shift(words, np.uint64(32), out=words).view(np.int64)
        chosen *= donors
        chosen >>= 32
        chosen += of_rows(self.first[rows] * donors, size[1])
        remaining = of_rows(self.remaining[rows], size[1])
        starts = np.flatnonzero(np.diff(self.unit[rows], prepend=-1))
        units = self.unit[rows][starts]
        before: Whole = np.zeros((len(starts), size[1]), dtype=np.int64)
        for here in range(ticks):
            amounts: Whole = BUFFERS.get("amount of part", size, np.int64)
            np.take(self.shares[here].reshape(-1), chosen, out=amounts, mode="clip")
            amounts *= remaining
            amounts >>= 16
            reached = np.add.reduceat(amounts, starts, axis=0)
            out[here, units, columns] += reached - before
            before = reached


@define(frozen=True, eq=False)
class LevelsSampler:
    """A `Levels` with its keys: the word of slot 0 chooses the factor of the draw, that of each tick its own."""

    level: Real
    yearly: Real
    of_year: Rows
    monthly: Real
    of_month: Rows
    keys: Words

    @classmethod
    def of(cls, block: Levels, seed: int, stream: str, units: Sequence[str]) -> LevelsSampler:
        """Make the tables and keys of a block."""
        tables = (as_cells(block.yearly), block.of_year, as_cells(block.monthly), block.of_month)
        return cls(block.level, *tables, stream_keys(seed, stream, units))

    def add(self, low: int, high: int, out: Whole) -> None:
        """Add what arrives: the level of each period times both factors, to the nearest fen."""
        draws = draw_words(low, high)
        for rows, columns in blocks(np.ones(len(self.level)), high - low):
            self._block(rows, columns, draws[columns], out)

    def _block(self, rows: slice, columns: slice, draws: Words, out: Whole) -> None:
        size = (rows.stop - rows.start, len(draws))
        words, scratch = BUFFERS.get("words", size, np.uint64), BUFFERS.get("scratch", size, np.uint64)
        based = bases(self.keys[rows], draws, BUFFERS.get("based", size, np.uint64), scratch)
        of_draw = self._factor(self.yearly, self.of_year[rows], slot_words(based, 0, words, scratch)).copy()
        for here in range(len(out)):
            amounts = self._factor(self.monthly, self.of_month[rows], slot_words(based, here + 1, words, scratch))
            amounts *= of_draw
            amounts *= of_rows(self.level[rows, here], size[1])
            amounts += 0.5
            np.minimum(amounts, MOST_AT_ONCE, out=amounts)
            out[here, rows, columns] += np.floor(amounts, out=amounts).astype(np.int64)

    @staticmethod
    def _factor(tables: Real, table: Rows, words: Words) -> Real:
        """Return what the first twelve bits of words choose from the tables of their units."""
        chosen = np.right_shift(words, np.uint64(52), out=words).view(np.int64)
        chosen += of_rows(table * CELLS, words.shape[1])
        return np.take(
            tables.reshape(-1), chosen, out=BUFFERS.get("factor of level", words.shape, np.float64), mode="clip"
        )
