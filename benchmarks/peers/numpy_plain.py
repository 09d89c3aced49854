"""The batch by hand in NumPy, as a good engineer writes it: whole columns, a rule looked at only at its moments.

One array per indicator and per state, month by month; each line is an operation over all units. Nothing is tuned
beyond that: no blocks, no `out=`. Parameters are floats where equal for all units, else one gather per effective
period.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.year import Population, Terms

    Column = NDArray[np.float64] | NDArray[np.uint8]
    More = Callable[["Year", int, NDArray[np.float64], NDArray[np.float64]], None]

SUPERSEDED_BY = {SECTION: (ALL_STAFF,), OFF_POST: (LEAVE_POST,), STATION_HEAD: (OFF_POST, LEAVE_POST)}


class Parameters:
    """Parameter values by name and month: a number where equal for all groups, else a column gathered once."""

    def __init__(self, terms: Terms, group: NDArray[np.uint8]) -> None:
        self._terms = terms
        self._group = group
        self._columns: dict[tuple[str, tuple[str, ...]], Column] = {}

    def __call__(self, name: str, month: int) -> float | Column:
        """Return a parameter at a month-end."""
        values = values_at(self._terms, name, month)
        if len(set(values)) == 1:
            return number(values[0])
        if (name, values) not in self._columns:
            table = np.array([number(value) for value in values])
            table = table if table.dtype == np.float64 else table.astype(np.uint8)
            self._columns[name, values] = table[self._group]
        return self._columns[name, values]


class Year:
    """The state of all units in the course of the year, and what has happened so far."""

    def __init__(self, units: int) -> None:
        self.events: dict[Key, NDArray[np.int64]] = {}
        self.active = {rule: np.zeros(units, dtype=np.bool_) for rule in STATEFUL}
        self.talked = np.zeros(units, dtype=np.bool_)
        self.lag = np.zeros(units, dtype=np.uint8)
        self.held = np.zeros(units, dtype=np.bool_)
        self.bonus = np.zeros(0, dtype=np.int64)

    def record(self, month: int, rule: str, event: str, flags: NDArray[np.bool_]) -> None:
        """Note where an event happened."""
        self.events[month, rule, event] = np.flatnonzero(flags)


def run(population: Population, terms: Terms, more: More | None = None) -> Outcome:
    """Compute the batch, and at every month what `more` adds."""
    quota = population.quota
    parameter = Parameters(terms, population.group)
    year = Year(len(population))
    completion = gap = np.zeros(0)
    for month, credited in enumerate(population.credited, start=1):
        completion = credited / quota
        gap = (month * quota - MONTHS * credited) / (MONTHS * quota)
        year.lag = np.where(gap > TOLERANCE, year.lag + np.uint8(1), np.uint8(0))
        met = completion >= 1
        end_and_book(year, month, met)
        start_holds(year, month, candidates(month, parameter, completion, gap, met, year.active))
        talk = (year.lag >= parameter("supervision.talk_after", month)) & ~year.talked
        year.record(month, TALK, "issued", talk)
        year.talked |= talk
        if month == YEAR_END:
            reward(year, parameter, credited, quota, completion, met)
        if more is not None:
            more(year, month, completion, gap)
    return Outcome(year.events, year.bonus, year.held, completion, gap, year.lag, year.active)


def end_and_book(year: Year, month: int, met: NDArray[np.bool_]) -> None:
    """End what the task met ends; withhold the month where pay is still held, release where it is met."""
    if month > MID_YEAR:
        booked = year.active[SECTION] & ~met
        year.record(month, SECTION, "withheld", booked)
        year.record(month, SECTION, "released", year.held & met)
        year.held = (year.held & ~met) | booked
    looked_at = [STATION_HEAD, *([SECTION] if month > MID_YEAR else []), *([OFF_POST] if month > CAMPAIGN_END else [])]
    for rule in looked_at:
        year.record(month, rule, "ended", year.active[rule] & met)
        year.active[rule] &= ~met


def candidates(
    month: int,
    parameter: Parameters,
    completion: NDArray[np.float64],
    gap: NDArray[np.float64],
    met: NDArray[np.bool_],
    active: dict[str, NDArray[np.bool_]],
) -> dict[str, NDArray[np.bool_]]:
    """Return, for every rule with a state whose moment it is, the units it would start for by itself."""
    found = {STATION_HEAD: gap > parameter("field_duty.station_gap", month)}
    if month in (MID_YEAR, CAMPAIGN_END):
        found[SECTION] = completion < parameter("pay_withholding.section_below", month)
    if month == CAMPAIGN_END:
        found[OFF_POST] = completion < parameter("field_duty.off_post_below", month)
    if month == YEAR_END:
        found[OFF_POST] = completion < parameter("field_duty.off_post_at_year_end", month)
        found[LEAVE_POST] = completion < parameter("field_duty.leave_post_below", month)
        found[ALL_STAFF] = completion < 1
    return {rule: flags & ~met & ~active[rule] for rule, flags in found.items()}


def start_holds(year: Year, month: int, wanted: dict[str, NDArray[np.bool_]]) -> None:
    """Start the candidates that no harsher rule stands above, and end what they supersede."""
    starts = dict(wanted)
    for rule, harsher in SUPERSEDED_BY.items():
        for other in harsher:
            if rule in starts and other in wanted:
                starts[rule] = starts[rule] & ~wanted[other]
            if rule in starts and other == OFF_POST and month > CAMPAIGN_END:  # the only harsher one that can be active
                starts[rule] = starts[rule] & ~year.active[other]
    for rule, harsher in SUPERSEDED_BY.items():
        by = [starts[other] for other in harsher if other in starts]
        if by:
            superseded = year.active[rule] & (by[0] if len(by) == 1 else by[0] | by[1])
            year.record(month, rule, "superseded", superseded)
            year.active[rule] &= ~superseded
    for rule, flags in starts.items():
        year.record(month, rule, "started", flags)
        year.active[rule] |= flags


def reward(
    year: Year,
    parameter: Parameters,
    credited: NDArray[np.int64],
    quota: NDArray[np.int64],
    completion: NDArray[np.float64],
    met: NDArray[np.bool_],
) -> None:
    """Issue commendations and bonuses at the year end; amounts in whole fen, rounded down."""
    commended = met & (completion >= parameter("rewards.outstanding", YEAR_END))
    year.record(YEAR_END, COMMENDATION, "issued", commended)
    year.record(YEAR_END, BONUS, "issued", credited > quota)
    above = year.events[YEAR_END, BONUS, "issued"]
    rate = np.rint(np.asarray(parameter("rewards.bonus_rate", YEAR_END)) * BONUS_SCALE).astype(np.int64)
    year.bonus = (credited[above] - quota[above]) * (rate[above] if rate.ndim else rate) // BONUS_SCALE
