"""Decide: what every rule proposes, unit by unit and tick by tick. Order of rules, units and plugins never matters.

State is a few Boolean columns per rule, carried from tick to tick. Units go through in blocks of rows that stay in the
processor's cache; no block knows of another.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from kpi_rules.locale import _
from kpi_rules.model.money import LIMIT
from kpi_rules.model.plans import run
from kpi_rules.model.problems import AssessmentError, Place, error
from kpi_rules.pipeline.advance import superseded, unblocked
from kpi_rules.pipeline.columns import Figures
from kpi_rules.pipeline.decided import HAPPENINGS, Decided, Happening
from kpi_rules.pipeline.evaluating import exactly
from kpi_rules.pipeline.formulas import UnfitError
from kpi_rules.pipeline.look import Look, ParameterColumns, failed, thread_count
from kpi_rules.pipeline.masks import NOBODY, Mask, Said
from kpi_rules.pipeline.spans import DERIVED, RATIOS, Amounts, Spans
from kpi_rules.pipeline.state import State

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.pipeline.decided import Witness
    from kpi_rules.pipeline.decisions import Rulings, TickRulings
    from kpi_rules.pipeline.guards import Blocker
    from kpi_rules.pipeline.panel import Panel
    from kpi_rules.pipeline.rulebook import BoundRule, BoundRules, Rulebook

BLOCKS = (32_768, 262_144)
"""The least and the most units decided at once where no rank is read: a block costs some milliseconds of its own,
whoever is in it, and its state should stay near the core from tick to tick.
"""


def decide(  # noqa: PLR0913 (what is decided by; all but two by name)
    panel: Panel,
    rulebook: Rulebook,
    *,
    rulings: Rulings | None = None,
    outputs: Collection[str] | None = (),
    every_tick: bool = True,
    block: int | None = None,
    blocking: Blocker | None = None,
    start: State | None = None,
    witness: Witness | None = None,
) -> Decided:
    """Run all rules over all ticks.

    Args:
        panel: indicators per unit and tick.
        rulebook: the rules and their parameters.
        rulings: the leadership's decisions; None counts every proposal as approved on its tick.
        outputs: indicators to compute although no rule reads them; None where no panel is wanted.
        every_tick: whether to keep the panel of every tick or of the last alone.
        block: units decided at once, by default as suits their number and the machine. Ranks are made for all units
            at once, and all of them are decided at once where a rank goes by lag or counts.
        blocking: the guards that keep measures from being proposed.
        start: the state of all units before the first tick; None where nothing is in force.
        witness: who is told of all units at once what happens; without one, it is kept.
    """
    units = len(panel.units)
    whole = panel.goes_on(panel.compared(rulebook.columns | set(outputs or ())))
    threads = thread_count()
    size = max(units, 1) if whole or witness is not None else block or _block(units, threads)
    looks = [Look(panel, rulebook, here) for here in range(len(panel.ticks))]

    def run(low: int) -> Decided:
        varying = {name: each[low : low + size] for name, each in rulebook.varying.items()}
        places = partial(panel.places, low=low, size=size)
        columns = ParameterColumns(rulebook.parameters, places, varying)
        block = _Block(panel, rulebook, rulings, columns, looks, low, min(size, units - low), blocking, start, witness)
        return block.run(outputs, every_tick=every_tick)

    lows = range(0, max(units, 1), size)
    if len(lows) == 1:
        return run(0)
    # polars and NumPy let go of the interpreter's lock, so threads are enough; results keep the blocks' order.
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return _joined(list(pool.map(run, lows)))


def _block(units: int, threads: int) -> int:
    """Return the size of blocks that are equal and keep all threads busy to the end."""
    least, most = BLOCKS
    turns = math.ceil(units / (threads * most))
    return max(math.ceil(units / max(threads * turns, 1)), least)


def _joined(blocks: Sequence[Decided]) -> Decided:
    """Join what blocks decided, in their order."""
    first, *others = blocks
    for other in others:
        for name in (*HAPPENINGS, "states"):
            getattr(first, name).extend(getattr(other, name))
        for here, frames in other.frames.items():
            first.frames[here].extend(frames)
    return first


def _out_of_bounds(rule: str, on: date, amounts: pl.Series) -> AssessmentError:
    """Name a rule whose amount is none: below 0, or above what any total may be."""
    worst = amounts.filter(~amounts.is_between(0, LIMIT)).first()
    found = _("{amount} fen on {day}").format(amount=worst, day=on)
    expected = _("whole fen from 0 to {most}").format(most=LIMIT)
    return AssessmentError([error("amount-out-of-bounds", Place(key=f"rule {rule}"), found=found, expected=expected)])


class _Block:
    """The units of one block through all ticks."""

    def __init__(  # noqa: PLR0913, PLR0917 (what all blocks share, and which units this one has)
        self,
        panel: Panel,
        rulebook: Rulebook,
        rulings: Rulings | None,
        columns: ParameterColumns,
        looks: Sequence[Look],
        low: int,
        size: int,
        blocking: Blocker | None = None,
        start: State | None = None,
        witness: Witness | None = None,
    ) -> None:
        self.blocking, self.witness = blocking, witness
        self.panel, self.rulebook, self.rulings, self.columns, self.looks = panel, rulebook, rulings, columns, looks
        self.decided = Decided()
        self.low, self.size = low, size
        self.state = State.fresh(rulebook.rules, size) if start is None else start.part(low, size)
        self.state.make_room_for(len(looks))
        self.given: pl.DataFrame | dict[str, NDArray[Any]] = {}
        self.spans = Spans(float(panel.terms.tolerance), size)
        self.read = panel.with_dependencies(rulebook.columns)

    def run(self, outputs: Collection[str] | None, *, every_tick: bool) -> Decided:
        last = len(self.looks) - 1
        self.read |= self.panel.with_dependencies(outputs or ())
        for here, look in enumerate(self.looks):
            wanted = self._conditions(look.bound) if not look.tick.interim else frozenset()
            kept = outputs if every_tick or here == last else None
            said = self._in_spans(look, wanted, kept) or self._in_a_frame(look, wanted, kept)
            if not look.tick.interim:
                self._advance(here, look.bound, said)
        for name, pending in self.state.pending.items():
            self._record("pending", last, name, pending)
        self.decided.states.append(self.state)
        return self.decided

    def _keep(self, here: int, columns: Sequence[pl.Series]) -> None:
        """Keep the panel of a tick."""
        self.decided.frames.setdefault(here, []).append(pl.DataFrame(columns))

    def _in_spans(self, look: Look, wanted: frozenset[str], kept: Collection[str] | None) -> Said | None:
        """Say what holds without the frame of indicators, and keep the named ones; None where it takes more."""
        bound, terms = look.bound, self.panel.terms
        shown = () if kept is None else kept
        amounts = bound.amounts & wanted
        if look.tick.interim or (amounts and self.rulings is not None) or self.panel.counted(look.here, self.read):
            return None
        whole = {terms.primary, f"{terms.primary}_quota"}.union(shown) - DERIVED
        if not whole <= look.whole.keys() | self.state.counts.keys():
            return None
        read = look.read(bound.columns(wanted).union(whole), DERIVED)
        columns = {name: each.to_numpy() for name, each in self.state.counts.items()}
        columns |= {name: look.whole[name][self.low : self.low + self.size] for name in read & look.whole.keys()}
        parameters = self.columns.held_against(look.tick.on, read - columns.keys())
        peers = look.peers(read, bound.columns(wanted), self._columns_of_all)
        plain = {name for name, each in parameters.items() if not isinstance(each, Figures)} | columns.keys() | DERIVED
        conditions = bound.conditions(wanted - amounts, plain)
        if conditions is None or peers is None:
            return None
        if not columns.keys() | parameters.keys() >= bound.columns(amounts):
            return None
        rows = slice(self.low, self.low + self.size)
        others = columns | parameters | {name: each[rows] for name, each in peers.items()}
        if any(name not in others and name not in DERIVED and look.formula(name) is None for name in read):
            return None
        value, quota = columns[terms.primary], columns[f"{terms.primary}_quota"]
        carried = look.tick.is_month_end and "lag" in self.read
        given = Amounts(value, quota, look.pace, self.state.lag, carried, others, look.formula)
        try:
            found, ratios = self.spans.evaluate(given, conditions, [name for name in RATIOS if name in shown])
        except UnfitError:
            return None
        if amounts:
            needed = {name: each for name, each in columns.items() if name in whole | bound.columns(amounts)}
            self.given = needed | self.columns.at(look.tick.on, bound.columns(amounts))
        if kept is not None:
            made = columns | ratios | {"lag": self.state.lag.astype(np.int64)}
            self._keep(look.here, [pl.Series(name, made[name]) for name in kept])
        holds = {name: each.columns(self.size) for name, each in found.items()}
        return Said(
            {name: Mask.of(true) for name, (true, _known) in holds.items()},
            {name: Mask.of(~known) for name, (_true, known) in holds.items() if found[name].known is not True},
        )

    def _columns_of_all(self) -> ParameterColumns:
        places = partial(self.panel.places, low=0, size=len(self.panel.units))
        return ParameterColumns(self.rulebook.parameters, places, self.rulebook.varying)

    def _in_a_frame(self, look: Look, wanted: frozenset[str], kept: Collection[str] | None) -> Said:
        """Say what holds by the frame of indicators, and keep the named ones."""
        counted = self.panel.counted(look.here, self.read)
        needed = look.bound.columns(wanted).union(counted, kept or (), {"lag"} & self.read)
        before = {"lag": pl.Series(self.state.lag.astype(np.int64)), **self.state.counts}
        base = look.base.slice(self.low, self.size)
        if self.size < len(look.base):
            base = base.hstack(look.compared(needed, self.low, self.size))
        frame = self.panel.derive(base, look.here, before, needed)
        self.state.counts |= {name: frame[name] for name in counted}
        if "lag" in frame.columns:
            self.state.lag = frame["lag"].to_numpy().astype(self.state.lag.dtype)
        if kept is not None:
            self._keep(look.here, [frame[name] for name in kept if name in frame.columns])
        return self._evaluate(look, frame, sorted(wanted))

    def _evaluate(self, look: Look, frame: pl.DataFrame, wanted: Sequence[str]) -> Said:
        """Say for every unit what the wanted expressions come to.

        Amounts wait until it is known whose they are, unless decisions may come later.
        """
        self.given = {}
        if not wanted:
            return Said({})
        read = look.bound.columns(frozenset(wanted))
        parameters = self.columns.at(look.tick.on, read)
        frame = frame.hstack([pl.Series(name, each) for name, each in parameters.items() if name not in frame.columns])
        self.given = frame
        if self.rulings is None:
            wanted = [name for name in wanted if name not in look.bound.amounts]
        named = {str(place): name for place, name in enumerate(wanted)}
        conditions = {place: name for place, name in named.items() if name not in look.bound.amounts}
        known = [pl.col(place).fill_null(value=False) for place in conditions]
        unknown = [pl.col(place).is_null().name.suffix("?") for place in conditions]
        try:
            made = [self._made(look, frame, name).alias(place) for place, name in named.items()]
            found = run(frame.lazy().select(made).with_columns(*known, *unknown))
        except pl.exceptions.PolarsError as problem:
            raise failed(look, wanted, frame, problem) from problem
        values = {column.name: self._full(column) for column in found}
        return Said(
            {name: Mask.of(values[place].to_numpy()) for place, name in conditions.items()},
            {name: Mask.of(values[f"{place}?"].to_numpy()) for place, name in conditions.items()},
            {name: values[place] for place, name in named.items() if place not in conditions},
        )

    @staticmethod
    def _made(look: Look, frame: pl.DataFrame, name: str) -> pl.Expr:
        """Return what makes the value of an expression; a product is made here, with whole numbers of 128 bits."""
        expression = look.bound.expressions[name]
        return pl.lit(exactly(frame, expression)) if look.bound.multiplies(name) else expression

    def _conditions(self, bound: BoundRules) -> frozenset[str]:
        """Return the expressions worth evaluating: a condition that can fire, an end where something is in force."""
        wanted: set[str] = set()
        for rule in bound.rules:
            name = rule.id
            if rule.when is not None:
                wanted.add(rule.when)
                wanted |= {rule.amount} if rule.amount else set()
            if rule.until is not None and (
                rule.when is not None or self.state.active[name] or self.state.held[name] or self.state.pending[name]
            ):
                wanted.add(rule.until)
        return frozenset(wanted)

    def _full(self, column: pl.Series) -> pl.Series:
        """Stretch a literal over all units."""
        return column if len(column) == self.size else column.new_from_index(0, self.size)

    def _advance(self, here: int, bound: BoundRules, said: Said) -> None:
        """Steps 1 to 3 of `semantics.md`, for every rule at once."""
        until = {rule.id: said.holds.get(rule.until or "", NOBODY) for rule in bound.rules}
        rulings = self.rulings.at(here, self.low, self.size) if self.rulings is not None else None
        candidate: dict[str, Mask] = {}
        remaining: dict[str, Mask] = {}
        for rule in bound.rules:
            name = rule.id
            # One that is issued is not in force: lifting it keeps no other from being issued.
            lifted = NOBODY
            if not rule.rule.one_off:
                lifted = self._ruled(rulings, "lifted", name) | self.state.lifted.pop(name, NOBODY)
            over = until[name] | lifted
            self._record("ended", here, name, self.state.active[name] & over)
            remaining[name] = self.state.active[name].without(over)
            out = (over, remaining[name], self.state.pending[name], self.state.issued[name])
            candidate[name] = self._unguarded(here, rule, said, self._candidates(here, rule, said, out))
        if rulings is None:
            starting = unblocked(candidate, remaining, self.rulebook.superseding, Mask.without)
            for name, mask in starting.items():
                if self.witness is None and not self.rulebook.rules[name].one_off:
                    self._since(here, name, mask)
        else:
            starting = self._rule_on(here, rulings, bound, said, until, remaining, candidate)
        self._settle(here, bound, until, remaining, starting)

    def _ruled(self, rulings: TickRulings | None, decision: str, name: str) -> Mask:
        """Return whose measure of a rule, as proposed by now, a decision of a kind is about."""
        return NOBODY if rulings is None else Mask.of(rulings.mask(decision, name, self.state.since[name]))

    def _candidates(self, here: int, rule: BoundRule, said: Said, out: Sequence[Mask]) -> Mask:
        """Return for whom the condition of a rule is true, but for those who are out of it."""
        if rule.when is None:
            return NOBODY
        self._record("unassessable", here, rule.id, said.unknown.get(rule.when, NOBODY))
        return reduce(Mask.without, out, said.holds[rule.when])

    def _unguarded(self, here: int, rule: BoundRule, said: Said, mask: Mask) -> Mask:
        """Return the candidates that no guard blocks; the others neither start nor keep anything from starting."""
        if self.blocking is None or mask.rows is None:
            return mask
        name, amounts = rule.id, None
        if rule.amount is not None and self.blocking.reads_amount():
            known = said.amounts.get(rule.amount)
            amounts = self._amount(here, rule, mask) if known is None else known.gather(mask.places)
        on, units = self.panel.ticks[here].on, self.panel.units["unit"].gather(mask.places + self.low)
        blocked = self.blocking.blocked(name, units, on, amounts)
        barred = np.zeros(self.size, dtype=np.bool_)
        barred[mask.places] = blocked
        stopped = Mask.of(barred)
        if amounts is not None:
            amounts = amounts.filter(blocked)
        self._record("blocked", here, name, stopped, amounts)
        return mask.without(stopped)

    def _since(self, here: int, name: str, mask: Mask) -> None:
        """Note that measures are proposed at this tick."""
        if mask:
            self.state.since[name][mask.places] = here

    def _rule_on(
        self,
        here: int,
        rulings: TickRulings,
        bound: BoundRules,
        said: Said,
        until: Mapping[str, Mask],
        remaining: Mapping[str, Mask],
        candidate: Mapping[str, Mask],
    ) -> dict[str, Mask]:
        """Propose the candidates and return what the decisions start.

        A proposal that awaits its decision keeps new ones that it supersedes from being proposed. It goes when it is
        rejected, when its end condition is true, and when a rule that supersedes it starts; what goes is not proposed
        anew at this tick.
        """
        superseding = self.rulebook.superseding
        waiting, due, refused = {}, {}, {}
        for name, mask in candidate.items():
            self._since(here, name, mask)
            gone = self._ruled(rulings, "rejected", name) | self._ruled(rulings, "lifted", name)
            waiting[name] = self.state.pending[name].without(until[name] | gone)
            due[name], refused[name] = mask.without(gone), mask & gone
        fresh = unblocked(due, {name: remaining[name] | waiting[name] for name in due}, superseding, Mask.without)
        for rule in bound.rules:
            name = rule.id
            if rule.amount is not None and rule.amount in said.amounts:
                amounts = said.amounts[rule.amount]
                earlier = self.state.amounts.get(name, amounts)
                self.state.amounts[name] = amounts.zip_with(pl.Series(fresh[name].column(self.size)), earlier)
            proposed, known = fresh[name] | refused[name], self.state.amounts.get(name)
            amounts_of = None if known is None else known.gather(proposed.places)
            self._record("proposed", here, name, proposed, amounts_of)
        there = {name: fresh[name] | waiting[name] for name in fresh}
        approved = {name: mask & self._ruled(rulings, "approved", name) for name, mask in there.items()}
        starting = unblocked(approved, dict.fromkeys(approved, NOBODY), superseding, Mask.without)
        replaced = superseded(starting, there, superseding)
        pending = {name: mask.without(approved[name] | replaced.get(name, NOBODY)) for name, mask in there.items()}
        for name, mask in pending.items():
            proposed = self.state.pending[name] | fresh[name] | refused[name]
            self._record("closed", here, name, proposed.without(mask | starting[name]))
        self.state.pending = pending
        return starting

    def _settle(
        self,
        here: int,
        bound: BoundRules,
        until: Mapping[str, Mask],
        remaining: Mapping[str, Mask],
        starting: Mapping[str, Mask],
    ) -> None:
        """Book the month, release what is due, and carry the state on."""
        month_end = self.panel.ticks[here].is_month_end
        for rule in bound.rules:
            name = rule.id
            if month_end and self.witness is not None:
                self._record("lasting", here, name, remaining[name])
            if rule.rule.hold is not None:
                self._record("released", here, name, self.state.held[name] & until[name])
                self.state.held[name] = self.state.held[name].without(until[name])
                if month_end:
                    self._record("withheld", here, name, remaining[name])
                    self.state.held[name] |= remaining[name]
        replaced = superseded(starting, remaining, self.rulebook.superseding)
        for rule in bound.rules:
            name = rule.id
            if rule.rule.one_off:
                self._record("issued", here, name, starting[name], self._amount(here, rule, starting[name]))
                if not rule.rule.repeats:
                    self.state.issued[name] |= starting[name]
                continue
            gone = replaced.get(name, NOBODY)
            self._record("superseded", here, name, gone)
            self._record("started", here, name, starting[name])
            self.state.active[name] = remaining[name].without(gone) | starting[name]

    def _amount(self, here: int, rule: BoundRule, issued: Mask) -> pl.Series | None:
        """Return the amounts of the units a one-off is issued to, None for one without."""
        if issued.rows is None:
            return None
        if self.rulings is not None:  # issued as proposed, however long the decision took
            amounts = self.state.amounts.get(rule.id)
            return amounts if amounts is None else amounts.gather(issued.places)
        if rule.amount is None:
            return None
        look = self.looks[here]
        read = sorted(look.bound.columns(frozenset({rule.amount})))
        formula, columns = look.bound.formula(rule.amount), self._whole(read)
        if formula is not None and columns is not None:
            given = {name: each[issued.places] for name, each in columns.items()}
            fen = formula.whole(given, len(issued.places))
            if fen is not None:
                return pl.Series(fen)
        of_all = pl.DataFrame(self.given) if isinstance(self.given, dict) else self.given
        frame = of_all.select(read or of_all.columns[:1]).filter(issued.column(self.size))
        try:
            return exactly(frame, look.bound.expressions[rule.amount])
        except pl.exceptions.PolarsError as problem:
            raise failed(look, [rule.amount], frame, problem) from problem

    def _whole(self, names: Sequence[str]) -> dict[str, NDArray[Any]] | None:
        """Return columns that amounts are made of, if they are whole numbers without nulls."""
        if isinstance(self.given, dict):
            columns = {name: self.given[name] for name in names}
            return columns if all(each.dtype == np.int64 for each in columns.values()) else None
        frame = self.given.select(names)
        whole = not any(each.null_count() or each.dtype != pl.Int64 for each in frame)
        return {each.name: each.to_numpy() for each in frame} if whole else None

    def _record(self, kind: str, here: int, name: str, mask: Mask, amounts: pl.Series | None = None) -> None:
        """Note what happened to the units of a mask; `amounts` has one for each of them."""
        if mask.rows is None:
            return
        if amounts is not None and kind == "issued" and not amounts.is_between(0, LIMIT).all():
            raise _out_of_bounds(name, self.panel.ticks[here].on, amounts)
        if self.witness is not None:
            self.witness.saw(kind, here, name, mask, amounts)
            return
        rows = mask.places.astype(np.uint32)
        rows += np.uint32(self.low)
        if kind in {"started", "issued"} and self.rulings is None:  # as proposed at this tick
            since = np.broadcast_to(np.int16(here), len(rows))
        else:
            since = self.state.since[name][mask.places]
        happening = Happening(here, name, kind, rows, since, amounts)
        {
            "withheld": self.decided.bookings,
            "released": self.decided.releases,
            "proposed": self.decided.proposals,
            "closed": self.decided.closed,
            "pending": self.decided.pending,
            "unassessable": self.decided.unassessable,
            "blocked": self.decided.blocked,
        }.get(kind, self.decided.events).append(happening)
