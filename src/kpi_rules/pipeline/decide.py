"""Decide: what every rule proposes, unit by unit and tick by tick. Order of rules, units and plugins never matters.

State is a few Boolean columns per rule, carried from tick to tick. Units go through in blocks of rows that stay in the
processor's cache; no block knows of another.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl
from attrs import define, field
from numpy.typing import NDArray

from kpi_rules.model.contributions import SCALED
from kpi_rules.pipeline.advance import superseded, unblocked
from kpi_rules.pipeline.panel import RANKS, values_by_group

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from kpi_rules.pipeline.decisions import Rulings, TickRulings
    from kpi_rules.pipeline.panel import Panel
    from kpi_rules.pipeline.rulebook import BoundRules, Rulebook

EventKind = Literal["started", "ended", "superseded", "issued"]
Rows = NDArray[np.uint32]
Since = NDArray[np.int16]

BLOCK = 131072
"""Units decided at once where no rank is read."""


@define(frozen=True, eq=False)
class Happening:
    """Something that happened to the measures of one rule at one tick.

    `rows` are row numbers of units; `since` the number of the tick at which each measure was proposed; `amounts` fen.
    """

    tick: int
    rule: str
    kind: str
    rows: Rows
    since: Since
    amounts: pl.Series | None = None


@define(eq=False)
class Decided:
    """What the rules decided.

    `events` started, ended, superseded, issued; `bookings` months withheld; `releases` ticks at which everything
    held is released; `proposals` every proposal, where rulings are given, and `pending` those still without one at
    the end; `unassessable` rules whose condition was null. `frames` holds the panel of each tick, or of the last
    alone, block by block. `active` says which measures are in force at the end, by rule.
    """

    events: list[Happening] = field(factory=list)
    bookings: list[Happening] = field(factory=list)
    releases: list[Happening] = field(factory=list)
    proposals: list[Happening] = field(factory=list)
    pending: list[Happening] = field(factory=list)
    unassessable: list[Happening] = field(factory=list)
    frames: dict[int, list[pl.DataFrame]] = field(factory=dict)
    active: dict[str, list[pl.Series]] = field(factory=dict)

    def frame(self, here: int) -> pl.DataFrame:
        """Return the panel of a tick over all units."""
        return pl.concat(self.frames[here])


def decide(
    panel: Panel,
    rulebook: Rulebook,
    *,
    rulings: Rulings | None = None,
    outputs: Collection[str] = (),
    every_tick: bool = True,
    block: int = BLOCK,
) -> Decided:
    """Run all rules over all ticks.

    Args:
        panel: indicators per unit and tick.
        rulebook: the rules and their parameters.
        rulings: the leadership's decisions; None counts every proposal as approved on its tick.
        outputs: indicators to compute although no rule reads them.
        every_tick: whether to keep the panel of every tick or of the last alone.
        block: units decided at once; a rank needs all of them.
    """
    units = len(panel.units)
    whole = bool(set(RANKS) & (rulebook.columns | set(outputs) | _read_by_indicators(panel)))
    size = max(units, 1) if whole else block
    columns = _ParameterColumns(panel, rulebook)

    def run(low: int) -> Decided:
        return _Block(panel, rulebook, rulings, columns, low, min(size, units - low)).run(
            outputs, every_tick=every_tick
        )

    lows = range(0, max(units, 1), size)
    if len(lows) == 1:
        return run(0)
    # polars and NumPy let go of the interpreter's lock, so threads are enough; results keep the blocks' order.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return _joined(list(pool.map(run, lows)))


def _joined(blocks: Sequence[Decided]) -> Decided:
    """Join what blocks decided, in their order."""
    first, *others = blocks
    for other in others:
        for name in ("events", "bookings", "releases", "proposals", "pending", "unassessable"):
            getattr(first, name).extend(getattr(other, name))
        for here, frames in other.frames.items():
            first.frames[here].extend(frames)
        for rule, active in other.active.items():
            first.active[rule].extend(active)
    return first


def _read_by_indicators(panel: Panel) -> set[str]:
    return {root for indicator in panel.terms.indicators.values() for root in indicator.value.meta.root_names()}


class _ParameterColumns:
    """Parameters that differ between peer groups, one column per effective period, gathered once."""

    def __init__(self, panel: Panel, rulebook: Rulebook) -> None:
        self._rulebook = rulebook
        self._parameters = rulebook.parameters
        self._group = panel.units["group"]
        self._columns: dict[tuple[object, ...], pl.Series] = {}

    def at(self, on: date, names: Collection[str]) -> list[pl.Series]:
        """Return the named columns that are parameters, for all units."""
        declared = self._parameters.declared
        return [self._column(name, on) for name in sorted(names) if name.removesuffix(SCALED) in declared]

    def _column(self, name: str, on: date) -> pl.Series:
        general, by_group = values_by_group(self._parameters, name, on)
        key = (name, general, tuple(by_group.items()))
        if key not in self._columns:
            self._columns[key] = self._group.replace_strict(by_group, default=general).fill_null(general).rename(name)
        return self._columns[key]


class _Block:
    """The units of one block through all ticks."""

    def __init__(
        self,
        panel: Panel,
        rulebook: Rulebook,
        rulings: Rulings | None,
        columns: _ParameterColumns,
        low: int,
        size: int,
    ) -> None:
        self.panel, self.rulebook, self.rulings, self.columns = panel, rulebook, rulings, columns
        self.decided = Decided()
        self.places = pl.int_range(size, dtype=pl.UInt32, eager=True)
        self.low, self.size = low, size
        self.none = pl.repeat(value=False, n=size, dtype=pl.Boolean, eager=True)
        names = rulebook.rules
        self.active = dict.fromkeys(names, self.none)
        self.issued = dict.fromkeys(names, self.none)
        self.held = dict.fromkeys(names, self.none)
        self.pending = dict.fromkeys(names, self.none)
        self.since = {name: np.zeros(size, dtype=np.int16) for name in names}
        self.amounts: dict[str, pl.Series] = {}
        self.lag: pl.Series | None = None
        self.always = {"lag"} & (rulebook.columns | _read_by_indicators(panel))

    def run(self, outputs: Collection[str], *, every_tick: bool) -> Decided:
        last = len(self.panel.ticks) - 1
        for here, tick in enumerate(self.panel.ticks):
            bound = self.rulebook.bound(tick.moments, tick.on)
            wanted = self._conditions(bound) if not tick.interim else frozenset()
            keep = every_tick or here == last
            needed = set(bound.columns(wanted)) | self.always | (set(outputs) if keep else set())
            if "lag" in outputs:
                needed.add("lag")
            base = self.panel.source.at(here).slice(self.low, self.size)
            frame = self.panel.derive(base, here, self.lag, needed)
            if "lag" in frame.columns:
                self.lag = frame["lag"]
            if not tick.interim:
                self._decide(here, bound, frame, wanted)
            if keep:
                self.decided.frames.setdefault(here, []).append(
                    frame.select([name for name in outputs if name in frame.columns])
                )
        for name, active in self.active.items():
            self.decided.active.setdefault(name, []).append(active)
            self._record("pending", last, name, self.pending[name])
        return self.decided

    def _conditions(self, bound: BoundRules) -> frozenset[str]:
        """Return the expressions worth evaluating: a condition that can fire, an end where something is in force."""
        wanted: set[str] = set()
        for rule in bound.rules:
            name = rule.rule.id
            if rule.when is not None:
                wanted.add(rule.when)
                wanted |= {rule.amount} if rule.amount else set()
            if rule.until is not None and (
                rule.when is not None or self.active[name].any() or self.held[name].any() or self.pending[name].any()
            ):
                wanted.add(rule.until)
        return frozenset(wanted)

    def _decide(self, here: int, bound: BoundRules, frame: pl.DataFrame, wanted: frozenset[str]) -> None:
        read = bound.columns(wanted)
        parameters = [column.slice(self.low, self.size) for column in self.columns.at(self.panel.ticks[here].on, read)]
        if parameters:
            frame = frame.with_columns(parameters)
        ordered = sorted(wanted)
        found = (
            frame.select(**{str(place): bound.expressions[name] for place, name in enumerate(ordered)})
            if ordered
            else None
        )
        values = (
            {name: self._full(found.to_series(place)) for place, name in enumerate(ordered)}
            if found is not None
            else {}
        )
        self._advance(here, bound, values)

    def _full(self, column: pl.Series) -> pl.Series:
        """Stretch a literal over all units."""
        return column if len(column) == self.size else column.new_from_index(0, self.size)

    def _advance(self, here: int, bound: BoundRules, values: Mapping[str, pl.Series]) -> None:
        """Steps 1 to 3 of `semantics.md`, for every rule at once."""
        until: dict[str, pl.Series] = {}
        candidate: dict[str, pl.Series] = {}
        remaining: dict[str, pl.Series] = {}
        rulings = self.rulings.at(here, self.low, self.size) if self.rulings is not None else None
        for rule in bound.rules:
            name = rule.rule.id
            until[name] = _true(values[rule.until]) if rule.until is not None and rule.until in values else self.none
            over = until[name]
            if rulings is not None:
                over = over | rulings.mask("lifted", name, self.since[name])
            self._record("ended", here, name, self.active[name] & over)
            remaining[name] = self.active[name] & ~over
            candidate[name] = self._candidates(here, rule.when, values, name, until[name], remaining[name])
            if rulings is not None:
                lifted = rulings.mask("lifted", name, self.since[name])
                candidate[name] = candidate[name] & ~(lifted | self.pending[name])
        if rulings is None:
            starting = unblocked(candidate, remaining, self.rulebook.superseding, _and_not)
        else:
            starting = self._rule_on(here, rulings, bound, values, until, remaining, candidate)
        self._settle(here, bound, values, until, remaining, starting)

    def _candidates(
        self,
        here: int,
        when: str | None,
        values: Mapping[str, pl.Series],
        name: str,
        until: pl.Series,
        remaining: pl.Series,
    ) -> pl.Series:
        if when is None:
            return self.none
        fires = values[when]
        if fires.null_count():
            self._record("unassessable", here, name, fires.is_null())
            fires = fires.fill_null(value=False)
        return fires & ~(until | remaining | self.issued[name])

    def _rule_on(
        self,
        here: int,
        rulings: TickRulings,
        bound: BoundRules,
        values: Mapping[str, pl.Series],
        until: Mapping[str, pl.Series],
        remaining: Mapping[str, pl.Series],
        candidate: Mapping[str, pl.Series],
    ) -> dict[str, pl.Series]:
        """Propose the candidates and return what the decisions start.

        A proposal that awaits its decision keeps new ones that it supersedes from being proposed. It goes when it is
        rejected, when its end condition is true, and when a rule that supersedes it starts; what goes is not proposed
        anew at this tick.
        """
        superseding = self.rulebook.superseding
        waiting, due, refused = {}, {}, {}
        for name, mask in candidate.items():
            self.since[name][self._rows(mask)] = here
            gone = rulings.mask("rejected", name, self.since[name]) | rulings.mask("lifted", name, self.since[name])
            waiting[name] = self.pending[name] & ~(until[name] | gone)
            due[name], refused[name] = mask & ~gone, mask & gone
        fresh = unblocked(due, {name: remaining[name] | waiting[name] for name in due}, superseding, _and_not)
        for rule in bound.rules:
            name = rule.rule.id
            if rule.amount is not None and rule.amount in values:
                earlier = self.amounts.get(name, values[rule.amount])
                self.amounts[name] = values[rule.amount].zip_with(fresh[name], earlier)
            self._record("proposed", here, name, fresh[name] | refused[name], self.amounts.get(name))
        there = {name: fresh[name] | waiting[name] for name in fresh}
        approved = {name: mask & rulings.mask("approved", name, self.since[name]) for name, mask in there.items()}
        starting = unblocked(approved, dict.fromkeys(approved, self.none), superseding, _and_not)
        replaced = superseded(starting, there, superseding)
        self.pending = {name: mask & ~(approved[name] | replaced.get(name, self.none)) for name, mask in there.items()}
        return starting

    def _settle(
        self,
        here: int,
        bound: BoundRules,
        values: Mapping[str, pl.Series],
        until: Mapping[str, pl.Series],
        remaining: Mapping[str, pl.Series],
        starting: Mapping[str, pl.Series],
    ) -> None:
        """Book the month, release what is due, and carry the state on."""
        month_end = self.panel.ticks[here].is_month_end
        for rule in bound.rules:
            name = rule.rule.id
            if rule.rule.hold is not None:
                self._release(here, name, until[name])
                if month_end:
                    booked = self.active[name] & remaining[name]
                    self._record("withheld", here, name, booked)
                    self.held[name] = self.held[name] | booked
        replaced = superseded(starting, remaining, self.rulebook.superseding)
        for rule in bound.rules:
            name = rule.rule.id
            if rule.rule.one_off:
                amounts = values[rule.amount] if rule.amount is not None else None
                if self.rulings is not None:  # issued as proposed, however long the decision took
                    amounts = self.amounts.get(name)
                self._record("issued", here, name, starting[name], amounts)
                if not rule.rule.repeats:
                    self.issued[name] = self.issued[name] | starting[name]
                continue
            self._record("superseded", here, name, replaced.get(name, self.none))
            self._record("started", here, name, starting[name])
            self.active[name] = (remaining[name] & ~replaced.get(name, self.none)) | starting[name]

    def _release(self, here: int, name: str, until: pl.Series) -> None:
        due = self.held[name] & until
        self._record("released", here, name, due)
        self.held[name] = self.held[name] & ~until

    def _rows(self, mask: pl.Series) -> Rows:
        """Return the places in this block where a column without nulls is true."""
        return self.places.filter(mask).to_numpy()

    def _record(self, kind: str, here: int, name: str, mask: pl.Series, amounts: pl.Series | None = None) -> None:
        if not mask.any():
            return
        rows = self._rows(mask)
        if kind in {"started", "issued"} and self.rulings is None:
            self.since[name][rows] = here
        happening = Happening(
            here,
            name,
            kind,
            rows + np.uint32(self.low),
            self.since[name][rows],
            amounts.gather(rows) if amounts is not None else None,
        )
        {
            "withheld": self.decided.bookings,
            "released": self.decided.releases,
            "proposed": self.decided.proposals,
            "pending": self.decided.pending,
            "unassessable": self.decided.unassessable,
        }.get(kind, self.decided.events).append(happening)


def _and_not(mask: pl.Series, other: pl.Series) -> pl.Series:
    return mask & ~other


def _true(mask: pl.Series) -> pl.Series:
    """Return a condition with null taken as not true."""
    return mask.fill_null(value=False) if mask.null_count() else mask
