"""The batch in cache-blocked, in-place NumPy on one thread: the honest limit of what hand-written array code reaches.

Units are taken in blocks whose whole state stays in the L2 cache while all twelve months pass over it; every
operation writes into a buffer made once (`out=`), states are bytes, and what the year does not need is not computed:
the task is met where `credited >= quota` (the same as `completion >= 1`, exactly, below 2**53), completion is divided
out only where a rule or the result reads it. The pace gap is one division of two exact integers in float64, as the
semantics ask, so results are equal bit for bit. The code knows all rules and their moments by heart and would have to
be rewritten for any other policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import evolve

from benchmarks.year import (
    ALL_STAFF,
    BONUS,
    BONUS_SCALE,
    CAMPAIGN_END,
    COMMENDATION,
    LEAVE_POST,
    MID_YEAR,
    MONTHS,
    OFF_POST,
    SECTION,
    STATEFUL,
    STATION_HEAD,
    TALK,
    TOLERANCE,
    YEAR_END,
    Key,
    Outcome,
    number,
    values_at,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.year import Population, Terms

    Flags = NDArray[np.bool_]
    Column = NDArray[np.float64] | NDArray[np.uint8]

BLOCK: Final = 32_768
"""Units per block: about 2 MB of buffers and columns in use. 16 k to 64 k are equally fast with 2 MB of L2."""


class Limits:
    """Parameters by name and month: a number where equal for all groups, else a column gathered per block."""

    def __init__(self, terms: Terms) -> None:
        self._by_month: dict[tuple[str, int], float | Column] = {}
        self._gathered: dict[tuple[str, ...], tuple[Column, Column]] = {}
        for name in terms:
            for month in range(1, MONTHS + 1):
                values = values_at(terms, name, month)
                if len(set(values)) == 1:
                    self._by_month[name, month] = number(values[0])
                    continue
                if values not in self._gathered:
                    table = np.array([number(value) for value in values])
                    table = table if table.dtype == np.float64 else table.astype(np.uint8)
                    self._gathered[values] = table, np.empty(BLOCK, dtype=table.dtype)
                self._by_month[name, month] = self._gathered[values][1]

    def load(self, group: NDArray[np.uint8]) -> None:
        """Gather the columns of a block."""
        for table, column in self._gathered.values():
            np.take(table, group, out=column[: len(group)], mode="clip")

    def at(self, name: str, month: int, size: int) -> float | Column:
        """Return a parameter at a month-end for the current block of `size` units."""
        found = self._by_month[name, month]
        return found[:size] if isinstance(found, np.ndarray) else found


class Block:
    """The buffers of one block, made once and used for all."""

    def __init__(self, population: Population, outcome: Outcome, terms: Terms) -> None:
        self.population = population
        self.outcome = outcome
        self.limits = Limits(terms)
        self.places: dict[Key, list[NDArray[np.uint32]]] = {}
        self.amounts: list[NDArray[np.int64]] = []
        self._yearly, self._expected, self._gap, self._ratio, self._quota, self._credited = np.empty((6, BLOCK))
        flags = np.empty((9, BLOCK), dtype=np.bool_)
        self._met, self._unmet, self._mask, self._wanted, self._other, self._leave = flags[:6]
        self._talked, self._none, self._lagging = flags[6:]
        self._none[:] = False

    def record(self, month: int, rule: str, event: str, flags: Flags) -> NDArray[np.intp]:
        """Note where in the population an event happened; return where in the block."""
        found = flags.nonzero()[0]
        if len(found):
            places = found.astype(np.uint32)
            places += np.uint32(self.start)
            self.places.setdefault((month, rule, event), []).append(places)
        return found

    def take(self, start: int, stop: int) -> None:
        """Pass the whole year over the units from `start` to `stop`."""
        self.start, size = start, stop - start
        here = slice(start, stop)
        self.limits.load(self.population.group[here])
        self.lag = self.outcome.lag[here]
        self.held = self.outcome.held[here]
        self.active = {rule: self.outcome.active[rule][here] for rule in STATEFUL}
        self.met, self.unmet, self.mask = self._met[:size], self._unmet[:size], self._mask[:size]
        self.wanted, self.other, self.leave = self._wanted[:size], self._other[:size], self._leave[:size]
        self.talked, self.lagging = self._talked[:size], self._lagging[:size]
        self.talked[:] = False
        self.yearly, self.expected = self._yearly[:size], self._expected[:size]
        self.gap, self.ratio = self._gap[:size], self._ratio[:size]
        self.quota, self.credited = self._quota[:size], self._credited[:size]  # whole fen below 2**53: exact in float64
        np.copyto(self.quota, self.population.quota[here])
        np.multiply(self.quota, MONTHS, out=self.yearly)
        self.expected[:] = 0
        for month, credited in enumerate(self.population.credited, start=1):
            self.month(month, credited[here], size)
        self.outcome.completion[here] = self.ratio
        self.outcome.pace_gap[here] = self.gap

    def month(self, month: int, credited: NDArray[np.int64], size: int) -> None:
        """Compute one month-end of the block."""
        gap = self.gap
        np.copyto(self.credited, credited)
        self.expected += self.quota
        np.multiply(self.credited, MONTHS, out=gap)
        np.subtract(self.expected, gap, out=gap)
        gap /= self.yearly
        np.greater(gap, TOLERANCE, out=self.lagging)
        self.lag += 1
        self.lag *= self.lagging.view(np.uint8)
        np.greater_equal(self.credited, self.quota, out=self.met)
        np.logical_not(self.met, out=self.unmet)
        if month in (MID_YEAR, CAMPAIGN_END, YEAR_END):
            np.divide(self.credited, self.quota, out=self.ratio)
        self.end_and_book(month)
        self.start_holds(month, size)
        self.talk(month, size)
        if month == YEAR_END:
            self.reward(size)

    def end_and_book(self, month: int) -> None:
        """End what the task met ends; withhold the month where pay is still held, release where the task is met."""
        if month > MID_YEAR:
            self.end(month, SECTION)
            self.record(month, SECTION, "withheld", self.active[SECTION])
            np.logical_and(self.held, self.met, out=self.mask)
            self.record(month, SECTION, "released", self.mask)
            np.greater(self.held, self.met, out=self.held)  # among flags: held and not met
            self.held |= self.active[SECTION]
        if month > CAMPAIGN_END:
            self.end(month, OFF_POST)
        self.end(month, STATION_HEAD)

    def end(self, month: int, rule: str) -> None:
        """End a rule where the task is met."""
        active = self.active[rule]
        np.logical_and(active, self.met, out=self.mask)
        self.record(month, rule, "ended", self.mask)
        active &= self.unmet

    def candidates(self, rule: str, name: str, month: int, size: int, out: Flags) -> None:
        """Find the units, not met and not active yet, whose completion is below the parameter of that name."""
        np.less(self.ratio, self.limits.at(name, month, size), out=out)
        out &= self.unmet
        np.greater(out, self.active[rule], out=out)  # among flags: out and not active

    def begin(self, month: int, rule: str, flags: Flags) -> None:
        """Start a rule where flagged."""
        self.record(month, rule, "started", flags)
        self.active[rule] |= flags

    def supersede(self, month: int, rule: str, flags: Flags) -> None:
        """End a rule where a harsher one that supersedes it starts."""
        active = self.active[rule]
        np.logical_and(active, flags, out=self.mask)
        self.record(month, rule, "superseded", self.mask)
        np.greater(active, flags, out=active)

    def start_holds(self, month: int, size: int) -> None:
        """Start the rules with a state at their moments, and end what they supersede."""
        wanted, other, leave, active = self.wanted, self.other, self.leave, self.active
        np.greater(self.gap, self.limits.at("field_duty.station_gap", month, size), out=wanted)
        wanted &= self.unmet
        np.greater(wanted, active[STATION_HEAD], out=wanted)
        if month in (MID_YEAR, CAMPAIGN_END):
            self.candidates(SECTION, "pay_withholding.section_below", month, size, other)
            self.begin(month, SECTION, other)
        if month == CAMPAIGN_END:
            self.candidates(OFF_POST, "field_duty.off_post_below", month, size, other)
            np.greater(wanted, other, out=wanted)
            self.supersede(month, STATION_HEAD, other)
            self.begin(month, OFF_POST, other)
        elif month > CAMPAIGN_END:
            np.greater(wanted, active[OFF_POST], out=wanted)
        if month == YEAR_END:
            self.begin(month, ALL_STAFF, self.unmet)
            self.supersede(month, SECTION, self.unmet)
            self.candidates(LEAVE_POST, "field_duty.leave_post_below", month, size, leave)
            self.candidates(OFF_POST, "field_duty.off_post_at_year_end", month, size, other)
            np.greater(wanted, other, out=wanted)
            np.greater(wanted, leave, out=wanted)
            self.supersede(month, OFF_POST, leave)
            np.greater(other, leave, out=other)
            self.begin(month, LEAVE_POST, leave)
            self.begin(month, OFF_POST, other)
            np.logical_or(leave, other, out=other)
            self.supersede(month, STATION_HEAD, other)
        self.begin(month, STATION_HEAD, wanted)

    def talk(self, month: int, size: int) -> None:
        """Issue admonition talks, once per year."""
        np.greater_equal(self.lag, self.limits.at("supervision.talk_after", month, size), out=self.mask)
        np.greater(self.mask, self.talked, out=self.mask)
        self.record(month, TALK, "issued", self.mask)
        self.talked |= self.mask

    def reward(self, size: int) -> None:
        """Issue commendations and bonuses; amounts in whole fen, rounded down. The buffer `expected` is free by now."""
        np.greater_equal(self.ratio, self.limits.at("rewards.outstanding", YEAR_END, size), out=self.mask)
        self.mask &= self.met
        self.record(YEAR_END, COMMENDATION, "issued", self.mask)
        np.greater(self.credited, self.quota, out=self.mask)
        found = self.record(YEAR_END, BONUS, "issued", self.mask)
        rate = np.rint(np.asarray(self.limits.at("rewards.bonus_rate", YEAR_END, size)) * BONUS_SCALE).astype(np.int64)
        np.subtract(self.credited, self.quota, out=self.expected)
        amounts = self.expected[found].astype(np.int64)
        amounts *= rate[found] if rate.ndim else rate
        amounts //= BONUS_SCALE
        self.amounts.append(amounts)


def run(population: Population, terms: Terms) -> Outcome:
    """Compute the batch block by block."""
    units = len(population)
    outcome = Outcome(
        {},
        np.zeros(0, dtype=np.int64),
        np.zeros(units, dtype=np.bool_),
        np.empty(units),
        np.empty(units),
        np.zeros(units, dtype=np.uint8),
        {rule: np.zeros(units, dtype=np.bool_) for rule in STATEFUL},
    )
    block = Block(population, outcome, terms)
    for start in range(0, units, BLOCK):
        block.take(start, min(start + BLOCK, units))
    return evolve(
        outcome,
        events={key: np.concatenate(parts) for key, parts in block.places.items()},
        bonus=np.concatenate(block.amounts),
    )
