"""Confirmation by site visit: of what arrived and is not credited yet, a drawn share is confirmed at each tick (M14).

C(t) = C(t-1) + floor(phi (V(t) - C(t-1))) in whole fen, phi in whole 65536ths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import define, evolve

from kpi_rules.simulation.keys import BUFFERS, bases, of_rows, slot_words
from kpi_rules.simulation.sampling import blocks
from kpi_rules.simulation.tables import CELLS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kpi_rules.simulation.rounds import Rounds

    Rows = NDArray[np.int64]
    Whole = NDArray[np.int64]
    Words = NDArray[np.uint64]

PARTS: Final = 65_536
"""What a share is whole parts of."""

LANES: Final = 4
"""Months that one word serves, with sixteen bits each."""


@define(frozen=True, eq=False)
class Confirming:
    """The shares of what waits that are confirmed at each tick.

    Attributes:
        shares: lengths x means x cells: shares in 65536ths, ascending, of equally likely cells. Half as wide as other
            whole numbers, as every row and draw looks one up.
        length: of each tick the row of `shares` for the time since the one before.
        mean: of each kind of month and unit the row of its mean share.
        kind: of each tick the kind of its month.
        slot: of each tick its slot: of a month-end the number of its month, of others that of the day.
        monthly: of each tick whether it is a month-end.
        keys: of each unit in the stream of month-ends, and of other ticks.
        rounds: how rounds of visits are drawn, which choose the mean share instead of `mean`; None without rounds.
    """

    shares: NDArray[np.int32]
    length: Rows
    mean: Rows
    kind: Rows
    slot: Rows
    monthly: NDArray[np.bool_]
    keys: tuple[Words, Words]
    rounds: Rounds | None = None

    def of(self, units: Rows) -> Confirming:
        """Return the same of some units, any of them any number of times."""
        rounds = None if self.rounds is None else self.rounds.of(units)
        keys = self.keys[0][units], self.keys[1][units]
        return evolve(self, mean=self.mean[:, units], keys=keys, rounds=rounds)


class _Slots:
    """The words of some keys and draws, slot by slot: those of a slot serve until another is asked for."""

    def __init__(self, keys: Words, draws: Words) -> None:
        """Make what the words of all slots begin with."""
        self._held = -1
        self._bases, self._words = np.empty((2, len(keys), len(draws)), dtype=np.uint64)
        self._blocks = list(blocks(np.ones(len(keys)), len(draws)))
        for rows, columns in self._blocks:
            based = self._bases[rows, columns]
            bases(keys[rows], draws[columns], based, BUFFERS.get("visits", based.shape, np.uint64))

    def at(self, slot: int) -> Words:
        """Return the words of a slot, 0 or more, keys x draws."""
        if slot != self._held:
            for place in self._blocks:
                words = self._words[place]
                slot_words(self._bases[place], slot, words, BUFFERS.get("visits", words.shape, np.uint64))
            self._held = slot
        return self._words


class Visits:
    """The visits of some draws, tick by tick."""

    def __init__(self, confirming: Confirming, draws: Words) -> None:
        """Start before the first tick."""
        self._of = confirming
        self._draws = draws
        self._slots: dict[bool, _Slots] = {}
        self._words: Words = np.empty((0, 0), dtype=np.uint64)
        self._offsets = [of_rows(mean * CELLS, len(draws)) for mean in confirming.mean]
        rounds = confirming.rounds
        self._levels = None if rounds is None else rounds.levels(draws)
        self._of_ease: Rows | None = None

    def begin(self, here: int) -> None:
        """Make the words of tick number `here`."""
        rounds = self._of.rounds
        if rounds is not None and self._levels is not None:
            self._of_ease = rounds.steps[:, self._levels[rounds.month[here]]] * CELLS
        monthly, slot = bool(self._of.monthly[here]), int(self._of.slot[here])
        if monthly not in self._slots:
            self._slots[monthly] = _Slots(self._of.keys[0 if monthly else 1], self._draws)
        self._words = self._slots[monthly].at(slot // LANES if monthly else slot)

    def confirm(self, here: int, rows: slice, columns: slice, waiting: Whole) -> Whole:
        """Take what is confirmed at tick number `here` of some units and draws out of `waiting`; return it.

        What is returned is in a buffer.
        """
        slot = int(self._of.slot[here])
        lane = slot % LANES if self._of.monthly[here] else 0
        chosen: Whole = BUFFERS.get("chosen", waiting.shape, np.int64)
        np.right_shift(self._words[rows, columns], np.uint64(16 * lane + 4), out=chosen.view(np.uint64))
        chosen &= CELLS - 1
        chosen += self._offsets_of(here, rows, columns, waiting.shape)
        table = self._of.shares[self._of.length[here]].reshape(-1)
        share = np.take(table, chosen, out=BUFFERS.get("narrow", waiting.shape, np.int32), mode="clip")
        found: Whole = np.multiply(share, waiting, out=BUFFERS.get("share", waiting.shape, np.int64))
        found >>= 16
        waiting -= found
        return found

    def _offsets_of(self, here: int, rows: slice, columns: slice, shape: tuple[int, ...]) -> Whole:
        """Return where the table of each unit and draw begins, or of each unit alone."""
        rounds = self._of.rounds
        if rounds is None or self._of_ease is None:
            offsets: Whole = self._offsets[self._of.kind[here]]
            own: Whole = offsets[rows] if offsets.shape[1] == 1 else offsets[rows, columns]
            return own
        of_ease: Whole = self._of_ease[:, columns]
        if len(of_ease) == 1:
            return of_ease
        found: Whole = np.take(
            of_ease, rounds.ease[rows], axis=0, out=BUFFERS.get("ease", shape, np.int64), mode="clip"
        )
        return found
