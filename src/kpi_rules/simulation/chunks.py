"""Futures: what units may bring in the rest of the year, in as many draws as are wanted, tick by tick."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define

from kpi_rules.simulation.confirming import Visits
from kpi_rules.simulation.keys import draw_words
from kpi_rules.simulation.samplers import sampler_of
from kpi_rules.simulation.sampling import blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from kpi_rules.model.forecasts import Assumption, Block, Kind
    from kpi_rules.simulation.basis import Layout
    from kpi_rules.simulation.confirming import Confirming
    from kpi_rules.simulation.members import Parts
    from kpi_rules.simulation.samplers import Sampler

    Whole = NDArray[np.int64]

THOUSANDTHS = 1000
"""What effort is whole parts of: 1100 brings ten percent more."""


@define(frozen=True, eq=False)
class Series:
    """One whole number of the units as it goes on.

    Attributes:
        name: its name.
        kind: what it holds.
        blocks: what is drawn and summed, each with the name of its stream.
        confirming: how what arrives is credited; None where it is at once.
        waiting: of each unit what arrived and is not yet credited; 0 where it is at once.
        parts: the same of simulated units that are part of forecast ones; None where there are none.
    """

    name: str
    kind: Kind
    blocks: tuple[tuple[str, Block], ...]
    confirming: Confirming | None
    waiting: Whole
    parts: Parts | None = None


@define(frozen=True, eq=False, slots=False)
class Futures:
    """What is drawn from: arrays, numbers and texts alone, so that it can be sent to workers.

    Attributes:
        seed: what all draws depend on.
        units: ids of the units that are forecast.
        ticks: number of ticks to come.
        last: by name the whole numbers of each simulated unit as of the last day known, rolled up.
        begun: the same of the rows of the layout, each its own.
        series: the whole numbers that go on; the others stay at their last value.
        arrivals: names that count what arrives of `funds`, whether or not it is credited.
        within: counts of recognised projects: never more than those, where `recognised` goes on too.
        layout: how what is drawn becomes what the simulated units have.
        assumptions: what all of it assumes.
    """

    seed: int
    units: tuple[str, ...]
    ticks: int
    last: Mapping[str, Whole]
    begun: Mapping[str, Whole]
    series: tuple[Series, ...]
    arrivals: tuple[str, ...]
    within: tuple[str, ...]
    layout: Layout
    assumptions: tuple[Assumption, ...]

    def chunk(self, low: int, high: int) -> Chunk:
        """Return draws `low` to before `high`; the same draw is the same in any chunk."""
        return Chunk(self, low, high)

    @cached_property
    def samplers(self) -> tuple[tuple[tuple[Sampler, ...], tuple[Sampler, ...]], ...]:
        """The samplers of each series and of its parts; made where they are used, as they are larger than what they are
        made of.
        """
        return tuple(
            (
                tuple(sampler_of(block, self.seed, stream, self.units) for stream, block in series.blocks),
                ()
                if series.parts is None
                else tuple(
                    sampler_of(block, self.seed, stream, series.parts.units, series.parts.ranges)
                    for stream, block in series.parts.blocks
                ),
            )
            for series in self.series
        )

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is made where it is used."""
        return {name: value for name, value in vars(self).items() if name != "samplers"}


class Chunk:
    """Some draws of the futures, to be asked for tick by tick in order."""

    def __init__(self, futures: Futures, low: int, high: int) -> None:
        """Draw what arrives."""
        self._of = futures
        self._going = [
            _Going(series, samplers, futures, (low, high))
            for series, samplers in zip(futures.series, futures.samplers, strict=True)
        ]
        self._arrived = {
            name: (_of_draws(futures.begun[name], high - low), _nothing(futures.layout, high - low))
            for name in futures.arrivals
        }
        going = {*futures.arrivals, *(each.name for each in futures.series)}
        self._still = {name: _of_draws(each, high - low) for name, each in futures.last.items() if name not in going}

    def step(self, here: int, effort: Whole | None = None) -> dict[str, Whole]:
        """Return the whole numbers of all units at future tick number `here`; called once for each, in order.

        Args:
            here: number of the tick, from 0.
            effort: units x draws, in thousandths of what a unit would bring by itself in the period that ends here.

        Returns:
            By name units x draws, Int64 and contiguous, cumulated since the start of the year and rolled up; arrays
            that nothing changes later. What does not go on is the same one at every tick.
        """
        found: dict[str, Whole] = {}
        layout = self._of.layout
        for going in self._going:
            brought, of_members = going.advance(here, effort)
            if going.series.name == "funds":
                for name, (own, within) in self._arrived.items():
                    own[: len(brought)] += brought
                    np.add(within, of_members, out=within)
                    found[name] = _shown(layout, own, within)
            found[going.series.name] = _shown(layout, going.credited, going.of_members, brought)
        if "recognised" in found:
            for name in found.keys() & set(self._of.within):
                most = np.maximum(found["recognised"], self._of.last[name][:, None])
                np.minimum(found[name], most, out=found[name])
        return {**found, **self._still}


class _Going:
    """One series of a chunk as it goes on: what each forecast unit itself brought since the last day known, and what of
    that the members did.
    """

    def __init__(
        self,
        series: Series,
        samplers: tuple[tuple[Sampler, ...], tuple[Sampler, ...]],
        futures: Futures,
        draws: tuple[int, int],
    ) -> None:
        self.series = series
        self._layout = layout = futures.layout
        size = draws[1] - draws[0]
        self._periods = _drawn(samplers[0], futures.ticks, len(futures.units), draws)
        self.credited = _of_draws(futures.begun[series.name], size)
        self.of_members = _nothing(layout, size)
        self._periods_of_members = _drawn(samplers[1], futures.ticks, len(self.of_members), draws)
        self._thousandths: Whole | None = None
        self._visits = self._visits_of_members = None
        words = draw_words(*draws)
        if series.confirming is not None:
            self._visits = Visits(series.confirming, words)
            self._waiting = _of_draws(series.waiting, size)
        if series.parts is not None and series.parts.confirming is not None:
            self._visits_of_members = Visits(series.parts.confirming, words)
            self._waiting_of_members = _of_draws(series.parts.waiting, size)

    def advance(self, here: int, effort: Whole | None) -> tuple[Whole, Whole]:
        """Go on to tick number `here`; return what arrived of forecast units, and what of that of members."""
        brought, of_members = self._periods[here], self._periods_of_members[here]
        if effort is not None:
            brought, of_members = self._under(effort, brought, of_members)
        if self._visits is None:
            self.credited[: len(brought)] += brought
            self.of_members += of_members
            return brought, of_members
        _confirm(self._visits, here, brought, self._waiting, self.credited)
        if self._visits_of_members is not None:
            _confirm(self._visits_of_members, here, of_members, self._waiting_of_members, self.of_members)
        return brought, of_members

    def _under(self, effort: Whole, brought: Whole, of_members: Whole) -> tuple[Whole, Whole]:
        """Return what is brought under efforts: of members it is their own, of the rest that of the unit simulated."""
        layout, members, units = self._layout, self._layout.members, len(brought)
        plain = np.full((1, brought.shape[1]), THOUSANDTHS)
        efforts = np.concatenate([effort, plain])  # -1, of nobody simulated, is the last row
        if members is None:
            return self._with_effort(brought, efforts[layout.follows]), of_members
        own = members.tree.own(np.concatenate([brought, of_members]))
        more = self._with_effort(own, efforts[np.concatenate([layout.follows, members.follows])])
        whole = members.tree.add_up(more.copy())
        return whole[:units], whole[units:]

    def _with_effort(self, brought: Whole, effort: Whole) -> Whole:
        """Return what is brought with that effort: exact, and of counts the parts of one are kept for later."""
        if self.series.kind == "money":
            whole, rest = np.divmod(brought, THOUSANDTHS)
            more: Whole = whole * effort + rest * effort // THOUSANDTHS
            return more
        if self._thousandths is None:
            self._thousandths = np.zeros_like(brought)
        self._thousandths += brought * effort
        counted: Whole = self._thousandths // THOUSANDTHS
        self._thousandths -= counted * THOUSANDTHS
        return counted


def _of_draws(values: Whole, draws: int) -> Whole:
    """Return values of units as those of each draw, in an array of their own."""
    return np.repeat(values, draws).reshape(-1, draws)


def _drawn(samplers: tuple[Sampler, ...], ticks: int, units: int, draws: tuple[int, int]) -> Whole:
    """Return ticks x units x draws of what arrives."""
    found = np.zeros((ticks, units, draws[1] - draws[0]), dtype=np.int64)
    for sampler in samplers:
        sampler.add(*draws, found)
    return found


def _nothing(layout: Layout, draws: int) -> Whole:
    """Return members x draws of nothing."""
    return np.zeros((0 if layout.members is None else len(layout.members.rows), draws), dtype=np.int64)


def _confirm(visits: Visits, here: int, brought: Whole, waiting: Whole, credited: Whole) -> None:
    """Credit what visits confirm of what waits, in place."""
    visits.begin(here)
    for rows, columns in blocks(np.ones(len(brought)), brought.shape[1]):
        left = waiting[rows, columns]
        left += brought[rows, columns]
        found = credited[rows, columns]
        found += visits.confirm(here, rows, columns, left)


def _shown(layout: Layout, own: Whole, of_members: Whole, room: Whole | None = None) -> Whole:
    """Return what each simulated unit has, from what rows have of their own and members since the last day known; in
    `room`, if that has the shape of `own`.
    """
    if room is None or room.shape != own.shape:
        room = np.empty_like(own)
    np.copyto(room, own)
    found = layout.tree.add_up(room)
    if layout.members is not None:
        found[layout.members.rows] += of_members
    return found if layout.shown is None else found[layout.shown]
