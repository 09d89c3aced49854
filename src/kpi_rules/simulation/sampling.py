"""Sampling a `Compound`: how many arrivals, when, and how large, in blocks that stay in the processor's cache.

Nothing is computed for a unit, a draw or an arrival by itself, and no memory is asked for that could be used again: an
arrival costs some twenty nanoseconds, of which fresh memory would be as much again.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from attrs import define

from kpi_rules.simulation.keys import BUFFERS, SLOT_STEP, bases, draw_words, mix, of_rows, slot_words, stream_keys
from kpi_rules.simulation.members import PART_BITS
from kpi_rules.simulation.tables import CELLS, COUNT_BITS, CountTables, as_cells, count_tables, period_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from kpi_rules.model.forecasts import Compound

    Real = NDArray[np.float64]
    Rows = NDArray[np.int64]
    Whole = NDArray[np.int64]
    Words = NDArray[np.uint64]

WORKING: Final = 196_608
"""Cells and arrivals of a block: what is worked on at once should stay in the processor's cache; and two threads wait
for the interpreter's lock between operations, so that those should be few.
"""

MOST_AT_ONCE: Final = 2.0**40
"""The greatest amount of one arrival, fen, 110亿 yuan: it keeps what is computed within 64 bits."""

_LAST: Final = CELLS - 1


@define(frozen=True, eq=False)
class CompoundSampler:
    """A `Compound` with its tables and keys.

    Of the word of slot 0 the first bits say how many arrive, bits 12 to 23 choose the common factor; arrival j, from 1
    on, has the word of slot j, whose last bits say which part of its unit it is of. With `ranges` only those arrivals
    of each row are drawn whose last bits are from the first value to before the second.
    """

    counts: CountTables
    mean: Real
    periods: Rows
    season: Rows
    scale: Real
    sizes: Real | None
    tails: Real | None
    size: Rows
    factors: Real | None
    common: Rows
    keys: Words
    ranges: tuple[Rows, Rows] | None = None

    @classmethod
    def of(
        cls, block: Compound, seed: int, stream: str, ids: Sequence[str], ranges: tuple[Rows, Rows] | None = None
    ) -> CompoundSampler:
        """Make the tables and keys of a block."""
        counts = count_tables(block.shape, block.mean)
        none = np.zeros(len(ids), dtype=np.int64)
        tails = block.tails if block.tails is not None or block.sizes is None else block.sizes[:, -1:]
        return cls(
            counts,
            block.mean,
            period_table(block.seasons),
            block.season,
            block.scale * counts.bundle,
            None if block.sizes is None else as_cells(block.sizes),
            None if tails is None else as_cells(tails),
            none if block.size is None else block.size,
            None if block.factors is None else as_cells(block.factors),
            none if block.common is None else block.common,
            stream_keys(seed, stream, ids),
            ranges,
        )

    def add(self, low: int, high: int, out: Whole) -> None:
        """Add what arrives in draws `low` to before `high` to `out`: ticks x units x draws, contiguous."""
        draws = draw_words(low, high)
        for rows, columns in blocks(1.0 + self.mean, high - low):
            _Block(self, rows, columns, draws[columns]).add(out)


class _Block:
    """Some units and draws, at whose arrivals is looked at once; buffers are the thread's own."""

    def __init__(self, sampler: CompoundSampler, rows: slice, columns: slice, draws: Words) -> None:
        self.of, self.rows, self.columns = sampler, rows, columns
        self.size = (rows.stop - rows.start, columns.stop - columns.start)
        self.words: Words = BUFFERS.get("words", self.size, np.uint64)
        self.scratch: Words = BUFFERS.get("scratch", self.size, np.uint64)
        self.based: Words = bases(sampler.keys[rows], draws, BUFFERS.get("based", self.size, np.uint64), self.scratch)

    def add(self, out: Whole) -> None:
        """Add what arrives to ticks x units x draws."""
        counts = self._counts()
        flat = counts.reshape(-1)
        first = np.cumsum(flat, out=BUFFERS.get("first", flat.shape, np.int64))
        total = int(first[-1])
        if not total:
            return
        first -= flat
        cell = np.repeat(np.arange(flat.size), flat)
        words = self._arrivals(first, cell, total)
        if self.of.ranges is not None:
            words, cell = self._within(self.of.ranges, words, cell)
        _plane, units, draws = out.shape
        starts = np.arange(self.rows.start, self.rows.stop) * draws
        amounts = self._amounts(words, cell)
        places = self._spread(starts, "places")
        places += np.arange(self.columns.start, self.columns.stop)
        target = self._periods(words, cell, units * draws)
        target += _taken(places.reshape(-1), cell, "spare")
        np.add.at(out.reshape(-1), target, amounts)

    def _counts(self) -> Whole:
        """Return the number of arrivals of each cell: thresholds of the unit not above the cell's word."""
        tables = self.of.counts
        slot_words(self.based, 0, self.words, self.scratch)
        factor = BUFFERS.get("factor", self.size, np.int64)
        np.right_shift(self.words, np.uint64(12), out=factor.view(np.uint64))
        factor &= _LAST
        word = np.right_shift(self.words, np.uint64(64 - COUNT_BITS), out=self.words).view(np.int64)
        bucket = np.right_shift(word, COUNT_BITS - tables.guide_bits, out=self.scratch.view(np.int64))
        bucket += self._of_rows(np.arange(self.rows.start, self.rows.stop) << tables.guide_bits)
        places = _taken(tables.guide.reshape(-1), bucket, "counts")
        place, word = places.reshape(-1), word.reshape(-1)
        reached = np.take(tables.thresholds, place, out=self.scratch.view(np.int64).reshape(-1), mode="clip")
        going = np.flatnonzero(reached <= word)
        while len(going):
            there = place[going] + 1
            place[going] = there
            going = going[tables.thresholds[there] <= word[going]]
        counts: Whole = np.subtract(places, self._of_rows(tables.start[self.rows]), out=places)
        return counts

    def _arrivals(self, first: Whole, cell: Whole, total: int) -> Words:
        """Return the word of each arrival; `first` is the number of each cell's first among all of the block."""
        # Arrival j of a cell has the word of slot j: as if counting had begun where the cell's first one stands.
        before = np.multiply(first.view(np.uint64), SLOT_STEP, out=self.scratch.reshape(-1))
        based = np.subtract(self.based.reshape(-1), before, out=self.based.reshape(-1))
        words: Words = _taken(based, cell, "arrivals")
        words += _steps(total)
        return mix(words, BUFFERS.get("spare", (total,), np.uint64))

    def _within(self, ranges: tuple[Rows, Rows], words: Words, cell: Whole) -> tuple[Words, Whole]:
        """Return the arrivals whose last bits are in the range of their row."""
        row = cell // self.size[1] + self.rows.start
        part = (words & np.uint64(2**PART_BITS - 1)).astype(np.int64)
        kept = (part >= ranges[0][row]) & (part < ranges[1][row])
        return words[kept], cell[kept]

    def _periods(self, words: Words, cell: Whole, plane: int) -> Whole:
        """Return where the plane of each arrival's period begins: the first twelve bits say which."""
        chosen = np.right_shift(words, np.uint64(52), out=BUFFERS.get("chosen", words.shape, np.uint64)).view(np.int64)
        table = self._own(self.of.season, chosen, cell)
        found: Whole = _taken((self.of.periods[table] * plane).reshape(-1), chosen, "target")
        return found

    def _amounts(self, words: Words, cell: Whole) -> Whole:
        """Return the size of each arrival: its unit's scale, times what the next bits choose from a table."""
        amounts: Real = _taken(self._scales(), cell, "amounts")
        if self.of.sizes is not None and self.of.tails is not None:
            chosen = np.right_shift(words, np.uint64(40), out=BUFFERS.get("chosen", words.shape, np.uint64))
            of_size = np.bitwise_and(chosen, np.uint64(_LAST), out=chosen).view(np.int64)
            last = np.flatnonzero(of_size == _LAST)
            table = self._own(self.of.size, of_size, cell)
            ratio: Real = _taken(self.of.sizes[table].reshape(-1), of_size, "ratio")
            deep = (words[last] >> np.uint64(28)).view(np.int64) & _LAST
            ratio[last] = self.of.tails[table].reshape(-1)[of_size[last] - _LAST + deep]
            amounts *= ratio
        amounts += 0.5
        np.minimum(amounts, MOST_AT_ONCE, out=amounts)
        whole: Whole = BUFFERS.get("whole", amounts.shape, np.int64)
        np.copyto(whole, np.floor(amounts, out=amounts), casting="unsafe")
        return whole

    def _scales(self) -> Real:
        """Return the expected size of an arrival of each cell, with the factor common to its unit and draw."""
        scales: Real = self._spread(self.of.scale[self.rows], "scales")
        if self.of.factors is not None:
            chosen: Whole = BUFFERS.get("factor", self.size, np.int64)
            chosen += self._of_rows(self.of.common[self.rows] * CELLS)
            scales *= np.take(self.of.factors.reshape(-1), chosen, out=self.scratch.view(np.float64), mode="clip")
        return scales.reshape(-1)

    def _of_rows(self, values: Rows) -> Rows:
        return of_rows(values, self.size[1])

    def _spread(self, values: NDArray[Any], buffer: str) -> NDArray[Any]:
        """Return values of units as those of their cells, in a buffer."""
        spread = BUFFERS.get(buffer, self.size, values.dtype)
        np.copyto(spread, of_rows(values, self.size[1]))
        return spread

    def _own(self, table: Rows, chosen: Whole, cell: Whole) -> slice:
        """Move cells chosen, in place, to the table of each arrival's unit; return the tables they are counted in."""
        rows = table[self.rows]
        least, most = int(rows.min()), int(rows.max())
        if most > least:
            offsets = self._spread((rows - least) * CELLS, "offsets")
            chosen += _taken(offsets.reshape(-1), cell, "spare")
        return slice(least, most + 1)


def _taken(of: NDArray[Any], at: Whole, buffer: str) -> NDArray[Any]:
    """Return what stands at places, all of them valid, in a buffer of that name."""
    return np.take(of, at, out=BUFFERS.get(buffer, at.shape, of.dtype), mode="clip")


def _steps(total: int) -> Words:
    """Return 2, 3, ... times the step of slots: those of slots 1, 2, ..."""
    held: Words = BUFFERS.get("steps", (total,), np.uint64)
    if int(held[0]) != 2 * int(SLOT_STEP) % 2**64 or int(held[-1]) != (total + 1) * int(SLOT_STEP) % 2**64:
        np.multiply(np.arange(2, total + 2, dtype=np.uint64), SLOT_STEP, out=held)
    return held


def blocks(costs: Real, draws: int) -> Iterator[tuple[slice, slice]]:
    """Cut units x draws into blocks of about `WORKING` in cost; a unit's cost is for each draw."""
    most = float(costs.max(initial=1.0))
    columns = max(1, min(draws, int(WORKING / most)))
    for begin in range(0, draws, columns):
        end = min(draws, begin + columns)
        cut = np.floor(np.cumsum(costs) * (end - begin) / WORKING)
        edges = [0, *(np.flatnonzero(np.diff(cut)) + 1).tolist(), len(costs)]
        for first, last in pairwise(edges):
            yield slice(first, last), slice(begin, end)
