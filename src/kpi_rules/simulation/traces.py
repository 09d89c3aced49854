"""What became of every unit in every draw of a chunk: read off the happenings that the engine reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kpi_rules.model.calendar import Tick
    from kpi_rules.pipeline.decide import Decided, Happening
    from kpi_rules.pipeline.masks import Mask
    from kpi_rules.pipeline.state import State
    from kpi_rules.simulation.withholding import Withholding

    Fen = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Rows = NDArray[np.uint32]

MONEY = ("withheld", "released", "outstanding", "rewarded")
"""What is summed of money: of the ticks simulated, but that what is outstanding at the end includes what was held
before them.
"""


@define(frozen=True, eq=False)
class Traces:
    """Arrays of units x draws; `low` is the number of the first draw.

    Attributes:
        primary: whole numbers of the primary indicator by tick.
        quota: its quota by tick, one number per unit; 0 where there is none.
        hit: by rule whether its measure was in force or issued at any time simulated.
        months: by rule with a state the month-ends by which its measure was in force for the whole month.
        money: fen by kind (`MONEY`).
    """

    low: int
    primary: tuple[Fen, ...]
    quota: tuple[Fen, ...]
    hit: Mapping[str, Flags]
    months: Mapping[str, NDArray[np.uint8]]
    money: Mapping[str, Fen]

    @property
    def shape(self) -> tuple[int, int]:
        """Units and draws."""
        units, draws = self.primary[0].shape
        return units, draws

    @property
    def draws(self) -> tuple[int, int]:
        """The numbers of the draws: the first, and the one after the last."""
        return self.low, self.low + self.shape[1]

    def met(self, here: int) -> Flags:
        """Say whether the task is met at a tick; a unit without a quota has none to meet."""
        quota = self.quota[here][:, None]
        met: Flags = (self.primary[here] >= quota) & (quota > 0)
        return met


def lasting(
    decided: Decided, ticks: Sequence[Tick], rules: Sequence[str], start: State
) -> dict[str, NDArray[np.uint8]]:
    """Return by rule for how many whole months its measure was in force, one number a row.

    A month counts as pay is withheld: where the measure started before its last day and had not ended by it; one that
    is superseded on that day still has it.
    """
    ends = np.cumsum([tick.is_month_end for tick in ticks])
    found = {name: np.zeros(start.size, dtype=np.uint8) for name in rules}
    for happening in decided.events:
        months = found.get(happening.rule)
        if months is None:
            continue
        by_now = int(ends[happening.tick])
        here = int(ticks[happening.tick].is_month_end)
        # Counted as if in force since before the first tick: a start takes back the months up to it, and an end, or the
        # last tick, adds those up to that. Bytes wrap around in between, and come out right.
        if happening.kind == "started":
            months[happening.rows] -= np.uint8(by_now)
        elif happening.kind == "ended":
            months[happening.rows] += np.uint8(by_now - here)
        else:
            months[happening.rows] += np.uint8(by_now)
    for name, mask in decided.state.active.items():
        if name in found and mask.rows is not None:
            found[name][mask.rows] += np.uint8(ends[-1])
    return found


def hits(decided: Decided, rules: Sequence[str], start: State) -> dict[str, Flags]:
    """Say by rule whether its measure was in force at the start, started or was issued, one Boolean a row."""
    found = {name: _flags(start.active[name], start.size) for name in rules}
    for happening in decided.events:
        if happening.kind in {"started", "issued"}:
            found[happening.rule][happening.rows] = True
    return found


def _flags(mask: Mask, size: int) -> Flags:
    return np.zeros(size, dtype=np.bool_) if mask.rows is None else mask.rows.copy()


@define(frozen=True, eq=False)
class Till:
    """The money of a chunk: what is withheld, released, still held, and paid as rewards, row by row.

    `owed` is by rule what each row's hold held before the first tick.
    """

    withholding: Withholding
    ticks: Sequence[Tick]
    owed: Mapping[str, Fen]
    draws: int

    def money(self, decided: Decided, start: State) -> dict[str, Fen]:
        """Return fen by kind (`MONEY`), one number a row."""
        held = {name: self.owed[name].copy() for name in self.withholding.rules}
        found = {kind: np.zeros(start.size, dtype=np.int64) for kind in MONEY}
        bookings, releases = _by_tick(decided.bookings), _by_tick(decided.releases)
        for here in sorted(bookings.keys() | releases.keys()):
            for happening in releases.get(here, ()):
                of_rule, rows = held[happening.rule], happening.rows
                found["released"][rows] += of_rule[rows]
                of_rule[rows] = 0
            for rule, rows, fen in self._booked(here, bookings.get(here, ())):
                held[rule][rows] += fen
        for name, each in held.items():
            found["outstanding"] += each
            found["withheld"] -= self.owed[name]
        # What is withheld is either given back or still held, but for what was held before.
        found["withheld"] += found["released"]
        found["withheld"] += found["outstanding"]
        for happening in decided.events:
            if happening.kind == "issued" and happening.amounts is not None:
                found["rewarded"][happening.rows] += happening.amounts.to_numpy()
        return found

    def _booked(self, here: int, bookings: Sequence[Happening]) -> list[tuple[str, Rows, Fen]]:
        """Return by rule the rows whose month it withholds, and the fen."""
        month = self.ticks[here].on
        if len(bookings) == 1:
            together = {frozenset({bookings[0].rule}): bookings[0].rows}
        else:
            together = _together(bookings) if bookings else {}
        found = []
        for holding, rows in together.items():
            of_rules = self.withholding.month(month, holding)
            found += [(rule, rows, self._per_row(of_rules[rule], rows)) for rule in sorted(holding)]
        return found

    def _per_row(self, of_units: Fen, rows: Rows) -> Fen:
        """Return what each unit has for the rows given, which are ascending."""
        edges = np.arange(len(of_units) + 1) * self.draws
        return np.repeat(of_units, np.diff(np.searchsorted(rows, edges)))


def _by_tick(happenings: Sequence[Happening]) -> dict[int, list[Happening]]:
    found: dict[int, list[Happening]] = {}
    for each in happenings:
        found.setdefault(each.tick, []).append(each)
    return found


def _together(bookings: Sequence[Happening]) -> dict[frozenset[str], Rows]:
    """Return the rows that are held by the very same rules, by those rules."""
    rows = np.concatenate([each.rows for each in bookings])
    bits = np.concatenate([np.full(len(each.rows), 1 << place) for place, each in enumerate(bookings)])
    distinct, place = np.unique(rows, return_inverse=True)
    sets = np.bincount(place, bits).astype(np.int64)  # sums of different powers of two
    return {
        frozenset(each.rule for number, each in enumerate(bookings) if bits >> number & 1): distinct[sets == bits]
        for bits in np.unique(sets).tolist()
    }
