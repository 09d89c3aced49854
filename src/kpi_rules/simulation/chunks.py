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
    from kpi_rules.simulation.confirming import Confirming
    from kpi_rules.simulation.samplers import Sampler
    from kpi_rules.simulation.tree import Tree

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
    """

    name: str
    kind: Kind
    blocks: tuple[tuple[str, Block], ...]
    confirming: Confirming | None
    waiting: Whole


@define(frozen=True, eq=False, slots=False)
class Futures:
    """What is drawn from: arrays, numbers and texts alone, so that it can be sent to workers.

    Attributes:
        seed: what all draws depend on.
        units: ids of the units.
        ticks: number of ticks to come.
        last: by name the whole numbers of each unit as of the last day known, rolled up.
        series: the whole numbers that go on; the others stay at their last value.
        arrivals: names that count what arrives of `funds`, whether or not it is credited.
        within: counts of recognised projects: never more than those, where `recognised` goes on too.
        tree: who is above whom.
        assumptions: what all of it assumes.
    """

    seed: int
    units: tuple[str, ...]
    ticks: int
    last: Mapping[str, Whole]
    series: tuple[Series, ...]
    arrivals: tuple[str, ...]
    within: tuple[str, ...]
    tree: Tree
    assumptions: tuple[Assumption, ...]

    def chunk(self, low: int, high: int) -> Chunk:
        """Return draws `low` to before `high`; the same draw is the same in any chunk."""
        return Chunk(self, low, high)

    @cached_property
    def samplers(self) -> tuple[tuple[Sampler, ...], ...]:
        """The samplers of each series; made where they are used, as they are larger than what they are made of."""
        return tuple(
            tuple(sampler_of(block, self.seed, stream, self.units) for stream, block in series.blocks)
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
        tree, last = futures.tree, futures.last
        self._going = [
            _Going(
                series,
                samplers,
                (low, high),
                np.zeros((futures.ticks, len(futures.units), high - low), dtype=np.int64),
                tree.own(last[series.name]),
            )
            for series, samplers in zip(futures.series, futures.samplers, strict=True)
        ]
        self._arrived = {name: _of_draws(tree.own(last[name]), high - low) for name in futures.arrivals}
        going = {*futures.arrivals, *(each.name for each in futures.series)}
        self._still = {name: _of_draws(each, high - low) for name, each in last.items() if name not in going}

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
        for going in self._going:
            brought = going.advance(here, effort)
            if going.series.name == "funds":
                for name in self._arrived:
                    self._arrived[name] += brought
                    found[name] = self._of.tree.add_up(self._arrived[name].copy())
            found[going.series.name] = self._of.tree.add_up(going.credited_by(here))
        if "recognised" in found:
            for name in found.keys() & set(self._of.within):
                most = np.maximum(found["recognised"], self._of.last[name][:, None])
                np.minimum(found[name], most, out=found[name])
        return {**found, **self._still}


class _Going:
    """One series of a chunk as it goes on: what each unit itself brought since the last day known."""

    def __init__(
        self,
        series: Series,
        samplers: tuple[Sampler, ...],
        draws: tuple[int, int],
        periods: Whole,
        own: Whole,
    ) -> None:
        self.series = series
        for sampler in samplers:
            sampler.add(*draws, periods)
        self._periods = periods
        size = periods.shape[1:]
        self.credited = _of_draws(own, size[1])
        self._thousandths: Whole | None = None
        self._visits = None
        if series.confirming is not None:
            self._visits = Visits(series.confirming, draw_words(*draws))
            self._waiting = _of_draws(series.waiting, size[1])

    def advance(self, here: int, effort: Whole | None) -> Whole:
        """Go on to tick number `here`; return what arrived."""
        brought: Whole = self._periods[here]
        if effort is not None:
            brought = self._with_effort(brought, effort)
        if self._visits is None:
            self.credited += brought
            return brought
        self._visits.begin(here)
        for rows, columns in blocks(np.ones(len(brought)), brought.shape[1]):
            waiting = self._waiting[rows, columns]
            waiting += brought[rows, columns]
            credited = self.credited[rows, columns]
            credited += self._visits.confirm(here, rows, columns, waiting)
        return brought

    def credited_by(self, here: int) -> Whole:
        """Return what is credited at tick number `here`, written over what was brought there: it was used, and memory
        that is there already costs less than more of it.
        """
        found: Whole = self._periods[here]
        np.copyto(found, self.credited)
        return found

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
