"""Where outcomes change: every change is found to the fen, between the points of a raster and within them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kpi_rules.simulation.outcome import Outcome
    from kpi_rules.simulation.standing import Standing

PARTS: Final = 16
"""An interval that holds a change is cut into so many at once: to the fen takes eight or nine looks."""

MARGIN: Final = 1
"""By how much rewards may change from one fen of credit to the next more than just before or after: rounding."""


@define(eq=False)
class Search:
    """The outcomes of a unit by credit, of all credits looked at so far.

    `raster` is where changes are looked for between; `asked` those credits of it that were asked for.
    """

    standing: Standing
    raster: list[int]
    asked: list[int]
    outcomes: dict[int, Outcome] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        """Look at the raster."""
        self._see(self.raster)

    def changes(self) -> list[tuple[int, int]]:
        """Return every pair of credits, one apart, between which something changes: an event, a month, or how a
        comparison stands. What changes twice between two points of the raster, and back, is not seen.
        """
        found: list[tuple[int, int]] = []
        open_: list[tuple[int, int]] = list(pairwise(self.raster))
        while open_:
            open_ = [(low, high) for low, high in open_ if self.outcomes[low].moves(self.outcomes[high])]
            found += [each for each in open_ if each[1] - each[0] == 1]
            open_ = [each for each in open_ if each[1] - each[0] > 1]
            cuts = [_cuts(low, high) for low, high in open_]
            self._see(credit for cut in cuts for credit in cut)
            open_ = [pair for cut in cuts for pair in pairwise(cut)]
        return sorted(found)

    def jumps(self, changes: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return those changes that are jumps: of anything but rewards, or of rewards by more than a fen more than they
        change from the fen before and to the fen after.
        """
        self._see(credit for low, high in changes for credit in (low - 1, high + 1) if self._within(credit))
        return [pair for pair in changes if self._jumps(*pair)]

    def first(self, low: int, high: int, cost: int, *, above: bool) -> int:
        """Return the least credit above `low` up to `high` at which the unit is out of more than `cost` fen (`above`)
        or no longer is, as at `high`; between the two that changes once.
        """
        while high - low > 1:
            cut = _cuts(low, high)
            self._see(cut)
            high = next(credit for credit in cut[1:] if (self.outcomes[credit].cost > cost) is above)
            low = cut[cut.index(high) - 1]
        return high

    def _jumps(self, low: int, high: int) -> bool:
        below, above = self.outcomes[low], self.outcomes[high]
        if below.stepwise() != above.stepwise():
            return True
        step = above.rewarded - below.rewarded
        others = [self.outcomes[a].rewarded - self.outcomes[b].rewarded for a, b in self._beside(low, high)]
        return bool(step) and all(abs(step - other) > MARGIN for other in others or [0])

    def _beside(self, low: int, high: int) -> list[tuple[int, int]]:
        """Return the pairs of credits just below and just above a pair."""
        return [(a, b) for a, b in ((low, low - 1), (high + 1, high)) if self._within(a) and self._within(b)]

    def _within(self, credit: int) -> bool:
        return self.raster[0] <= credit <= self.raster[-1]

    def _see(self, credits: Iterable[int]) -> None:  # noqa: A002 (the field's word)
        """Look at the credits that were not looked at yet."""
        new = sorted(set(credits) - self.outcomes.keys())
        if new:
            found = self.standing.look(np.array(new, dtype=np.int64))
            self.outcomes |= {outcome.credited: outcome for outcome in found}


def _cuts(low: int, high: int) -> list[int]:
    """Return both ends of an interval and points that cut it into equal parts."""
    return sorted({low + (high - low) * part // PARTS for part in range(PARTS + 1)})
