"""A simulation of the eight shipped rules by hand in NumPy: the same model, sampler and counts, nothing general.

Whole arrays of units x draws, tick by tick, as a good engineer writes them: a rule is looked at only at its moments,
flags are Booleans, nothing is computed twice. It gets the sampler, the state the year begins with, quotas, parameters
per unit and tick, and what a month of held pay comes to per unit; it gives the very counts that the library's tally
has. It knows the rules, their moments and supersession by heart, that no two holds book one month together, and that
both end when the task is met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import frozen

from benchmarks.year import (
    ALL_STAFF,
    BONUS,
    COMMENDATION,
    LEAVE_POST,
    OFF_POST,
    SECTION,
    STATEFUL,
    STATION_HEAD,
    TALK,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kpi_rules.simulation.job import Futures

    Flags = NDArray[np.bool_]
    Whole = NDArray[np.int64]
    Column = NDArray[np.float64] | NDArray[np.int64]

BINS: Final = 512
PER_WHOLE: Final = 256
BILLION: Final = 10**9
SUPERSEDED_BY: Final = {SECTION: (ALL_STAFF,), OFF_POST: (LEAVE_POST,), STATION_HEAD: (OFF_POST, LEAVE_POST)}


@frozen(eq=False)
class Tick:
    """A tick to come: its moments, the pace as a fraction, and per unit (units x 1) the quota (0 for none), parameters
    by name, and the fen that a hold withholds in the month that ends here.
    """

    moments: frozenset[str]
    numerator: int
    denominator: int
    quota: Whole
    parameters: Mapping[str, Column]
    held: Mapping[str, Whole]


@frozen(eq=False)
class Year:
    """What is simulated: the days of the sampler that are ticks, the ticks, and the state before them, per unit."""

    futures: Futures
    days: Sequence[bool]
    ticks: Sequence[Tick]
    tolerance: float
    lag: Whole
    active: Mapping[str, Flags]
    talked: Flags
    owed: Mapping[str, Whole]


@frozen(eq=False)
class Counts:
    """What is counted of some draws, as `kpi_rules.simulation.tally.Tally` has it."""

    met: Whole
    amounts: Whole
    bins: Whole
    last: Whole
    hit: dict[str, Whole]
    months: dict[str, Whole]
    money: dict[str, Whole]
    totals: dict[str, Whole]


class State:
    """Units x draws in the course of the year."""

    def __init__(self, year: Year, draws: int) -> None:
        def wide(column: NDArray[np.generic]) -> NDArray[np.generic]:
            return np.repeat(column[:, None], draws, axis=1)

        shape = (len(year.lag), draws)
        self.lag = wide(year.lag).astype(np.uint8)
        self.active = {rule: wide(year.active[rule]).astype(np.bool_) for rule in STATEFUL}
        self.hit = {rule: flags.copy() for rule, flags in self.active.items()}
        self.talked = wide(year.talked).astype(np.bool_)
        for rule in (TALK, COMMENDATION, BONUS):
            self.hit[rule] = np.zeros(shape, dtype=np.bool_)
        self.months = {rule: np.zeros(shape, dtype=np.uint8) for rule in STATEFUL}
        self.held = wide(year.owed[SECTION] + year.owed[ALL_STAFF]).astype(np.int64)
        self.withheld = np.zeros(shape, dtype=np.int64)
        self.released = np.zeros(shape, dtype=np.int64)
        self.rewarded = np.zeros(shape, dtype=np.int64)


def run(year: Year, low: int, high: int) -> Counts:
    """Simulate draws `low` to before `high` and count what becomes of them."""
    draws = high - low
    chunk, state = year.futures.chunk(low, high), State(year, draws)
    sampled = [chunk.step(here)["funds"] for here in range(len(year.days))]
    funds = [amounts for amounts, is_tick in zip(sampled, year.days, strict=True) if is_tick]
    met_at = []
    for tick, amounts in zip(year.ticks, funds, strict=True):
        met = (amounts >= tick.quota) & (tick.quota > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            completion = amounts / tick.quota
            gap = (tick.quota * tick.numerator - amounts * tick.denominator) / (tick.quota * tick.denominator)
        month_end = "at_month_end" in tick.moments
        if month_end:
            state.lag = np.where(gap > year.tolerance, state.lag + np.uint8(1), np.uint8(0))
        end_and_book(state, tick, met, month_end=month_end)
        start(state, candidates(state, tick, completion, gap, met))
        if month_end:
            talk = (state.lag >= tick.parameters["supervision.talk_after"]) & ~state.talked
            state.talked |= talk
            state.hit[TALK] |= talk
        if "at_year_end" in tick.moments:
            reward(state, tick, amounts, completion, met)
        met_at.append(met)
    return counted(state, year, funds, met_at)


def end_and_book(state: State, tick: Tick, met: Flags, *, month_end: bool) -> None:
    """End what the task met ends, release what was held, and withhold the month of what goes on."""
    due = np.where(met, state.held, 0)
    state.released += due
    state.held -= due
    unmet = ~met
    for rule in STATEFUL:
        state.active[rule] &= unmet
        if month_end:
            state.months[rule] += state.active[rule]
    if month_end:
        for rule in (SECTION, ALL_STAFF):
            booked = state.active[rule] * tick.held[rule]
            state.withheld += booked
            state.held += booked


def candidates(state: State, tick: Tick, completion: Column, gap: Column, met: Flags) -> dict[str, Flags]:
    """Return the units that each rule whose moment it is would start for by itself."""
    found: dict[str, Flags] = {}
    of = tick.parameters
    if "at_month_end" in tick.moments:
        found[STATION_HEAD] = gap > of["field_duty.station_gap"]
    if tick.moments & {"at_mid_year", "at_campaign_end"}:
        found[SECTION] = completion < of["pay_withholding.section_below"]
    if "at_campaign_end" in tick.moments:
        found[OFF_POST] = completion < of["field_duty.off_post_below"]
    if "at_year_end" in tick.moments:
        at_end = completion < of["field_duty.off_post_at_year_end"]
        found[OFF_POST] = found[OFF_POST] | at_end if OFF_POST in found else at_end
        found[LEAVE_POST] = completion < of["field_duty.leave_post_below"]
        found[ALL_STAFF] = completion < 1
    return {rule: flags & ~met & ~state.active[rule] for rule, flags in found.items()}


def start(state: State, wanted: dict[str, Flags]) -> None:
    """Start the candidates that no harsher rule stands above, and end what they supersede."""
    starts = dict(wanted)
    for rule, harsher in SUPERSEDED_BY.items():
        if rule in starts:
            for other in harsher:
                above = state.active[other] | wanted[other] if other in wanted else state.active[other]
                starts[rule] = starts[rule] & ~above
    for rule, harsher in SUPERSEDED_BY.items():
        for other in harsher:
            if other in starts:
                state.active[rule] &= ~starts[other]
    for rule, flags in starts.items():
        state.active[rule] |= flags
        state.hit[rule] |= flags


def reward(state: State, tick: Tick, amounts: Whole, completion: Column, met: Flags) -> None:
    """Issue commendations and bonuses, in whole fen rounded down."""
    state.hit[COMMENDATION] |= met & (completion >= tick.parameters["rewards.outstanding"])
    above = (amounts > tick.quota) & (tick.quota > 0)
    state.hit[BONUS] |= above
    rate = np.rint(tick.parameters["rewards.bonus_rate"] * BILLION).astype(np.int64)
    over = np.where(above, amounts - tick.quota, 0)
    state.rewarded += over // BILLION * rate + over % BILLION * rate // BILLION


def counted(state: State, year: Year, funds: list[Whole], met: list[Flags]) -> Counts:
    """Count over draws."""
    money = {
        "withheld": state.withheld,
        "released": state.released,
        "outstanding": state.held,
        "rewarded": state.rewarded,
    }
    most = sum("at_month_end" in tick.moments for tick in year.ticks)
    return Counts(
        np.stack([each.sum(axis=1) for each in met]),
        np.stack([each.sum(axis=1) for each in funds]),
        np.stack([binned(amounts, tick.quota) for amounts, tick in zip(funds, year.ticks, strict=True)]),
        funds[-1],
        {rule: flags.sum(axis=1) for rule, flags in state.hit.items()},
        {rule: histogram(each.astype(np.int64), most + 1) for rule, each in state.months.items()},
        {name: each.sum(axis=1) for name, each in money.items()},
        {"met": met[-1].sum(axis=0)} | {name: each.sum(axis=0) for name, each in money.items()},
    )


def binned(amounts: Whole, quota: Whole) -> Whole:
    """Count completions in bins of 1/256 of the task."""
    with np.errstate(divide="ignore", invalid="ignore"):
        places = np.clip(amounts * float(PER_WHOLE) / quota, 0, BINS - 1)
    found = histogram(np.where(quota > 0, places, 0).astype(np.int64), BINS)
    return np.where(quota > 0, found, 0)


def histogram(values: Whole, size: int) -> Whole:
    """Count the values of each unit (row), 0 to before `size`."""
    units = len(values)
    cells = values + (np.arange(units) * size)[:, None]
    return np.bincount(cells.reshape(-1), minlength=units * size).reshape(units, size)
