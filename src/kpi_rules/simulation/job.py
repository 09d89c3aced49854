"""A job: everything that a chunk of draws is computed from, as data that can be sent to another process."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl
from attrs import define, evolve

from kpi_rules.model.calendar import DAY
from kpi_rules.pipeline.decide import decide
from kpi_rules.pipeline.derived import Derived
from kpi_rules.pipeline.guards import Blocking
from kpi_rules.pipeline.masks import Mask
from kpi_rules.pipeline.panel import Panel
from kpi_rules.pipeline.rulebook import Rulebook
from kpi_rules.pipeline.tally import UNKNOWN
from kpi_rules.simulation.rows import Ahead, BlockingDraws, DrawnSource
from kpi_rules.simulation.traces import Account, Traces
from kpi_rules.simulation.withholding import Withholding, alone

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date
    from fractions import Fraction

    from numpy.typing import NDArray

    from kpi_rules.model.calendar import Tick
    from kpi_rules.model.forecasts import Assumption
    from kpi_rules.pipeline.result import Assessment
    from kpi_rules.pipeline.state import State
    from kpi_rules.simulation.effects import Effort
    from kpi_rules.simulation.past import Past

    Amounts = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Days = NDArray[np.int32]


class Chunk(Protocol):
    """The draws of a chunk, stepped through tick by tick; see `kpi_rules.simulation.futures`."""

    def step(self, here: int, effort: Amounts | None = None) -> dict[str, Amounts]:
        """Return by name the whole numbers of every unit and draw (units x draws) at day number `here`."""
        ...


class Futures(Protocol):
    """Where a job's draws come from."""

    @property
    def assumptions(self) -> Sequence[Assumption]:
        """What all draws assume."""
        ...

    def chunk(self, low: int, high: int) -> Chunk:
        """Return the draws from number `low`, inclusive, to `high`, exclusive."""
        ...


@define(frozen=True)
class Paces:
    """The pace on the days to come, as data: what a curve's function gave."""

    by_day: Mapping[date, Fraction]

    def __call__(self, on: date) -> Fraction:
        """Return the share expected on a day."""
        return self.by_day[on]


@define(frozen=True, eq=False)
class Job:
    """A simulation's past, rules and sampled futures; `days` are the past's ticks, those before campaigns included."""

    futures: Futures
    days: tuple[Tick, ...]
    ahead: Ahead
    rulebook: Rulebook
    start: State
    withholding: Withholding
    owed: Mapping[str, Amounts]
    began: Mapping[str, Days]
    blocking: BlockingDraws | None
    effort: Effort | None = None

    @property
    def units(self) -> int:
        """How many units are simulated."""
        return len(self.ahead.units)

    @property
    def month_ends(self) -> int:
        """How many month-ends are simulated."""
        return sum(tick.is_month_end for tick in self.ahead.ticks)

    def run(self, low: int, high: int) -> Traces:
        """Run the pipeline on draws from number `low`, inclusive, to `high`, exclusive."""
        chunk = self.futures.chunk(low, high)
        # Without decisions to come nothing asks when a measure was proposed: that need not be carried for every row.
        start = evolve(self.start, since={}).repeated(high - low)
        names = self.withholding.rules
        held = {name: np.repeat(self.owed[name], high - low) for name in names}
        since = {name: np.repeat(self.began[name], high - low) for name in names}
        account = Account(self.rulebook.rules, self.ahead.ticks, start, self.withholding, held, since)
        if self.effort is not None:
            amounts = self._step_by_step(chunk, self.effort.shares(low, high), start, account)
        else:
            amounts = {tick.on: chunk.step(here) for here, tick in enumerate(self.days)}
            self._decide(self.ahead, amounts, start, account)
        return self._traces(low, amounts, account)

    def given(
        self,
        low: int,
        amounts: Mapping[date, Mapping[str, Amounts]],
        start: State,
        held: Mapping[str, Amounts],
        since: Mapping[str, Days],
    ) -> Traces:
        """Run the rules on whole numbers that are there already, from a state of every row.

        Args:
            low: number of the first draw.
            amounts: by day and name, units x draws.
            start: the state before the first tick.
            held: by rule what was held of each row before, in fen.
            since: by rule a number below 0 for when the hold on each row started, the lowest for the first; it may be
                left out where one rule alone holds pay.
        """
        account = Account(self.rulebook.rules, self.ahead.ticks, start, self.withholding, held, since)
        self._decide(self.ahead, amounts, start, account)
        return self._traces(low, amounts, account)

    def _traces(self, low: int, amounts: Mapping[date, Mapping[str, Amounts]], account: Account) -> Traces:
        """Return what became of every unit and draw."""
        ticks, primary = self.ahead.ticks, self.rulebook.terms.primary
        of_primary = tuple(amounts[tick.on][primary] for tick in ticks)
        shape = of_primary[0].shape
        return Traces(
            low,
            of_primary,
            tuple(self.ahead.quota(here, primary) for here in range(len(ticks))),
            {name: each.reshape(shape) for name, each in account.hit.items()},
            {name: each.reshape(shape) for name, each in account.months.items()},
            account.money(),
        )

    def _decide(
        self, ahead: Ahead, amounts: Mapping[date, Mapping[str, Amounts]], start: State, account: Account
    ) -> State:
        """Run the rules over the ticks of `ahead` and return the state after them."""
        draws = start.size // self.units
        source = DrawnSource(ahead, amounts, draws)
        panel = Panel(source, ahead.ticks, self.rulebook.terms, partial(ahead.places, draws=draws))
        decided = decide(panel, self.rulebook, outputs=None, blocking=self.blocking, start=start, witness=account)
        return decided.state

    def _step_by_step(
        self, chunk: Chunk, shares: Mapping[str, Amounts], state: State, account: Account
    ) -> dict[date, Mapping[str, Amounts]]:
        """Run the rules tick by tick, as what units bring goes by the measures in force; return the whole numbers."""
        assert self.effort is not None  # noqa: S101 (asked only where there is one)
        amounts: dict[date, Mapping[str, Amounts]] = {}
        for here, day in enumerate(self.days):
            amounts[day.on] = chunk.step(here, self.effort.under(state, shares, self.units))
            if not day.interim:
                state = self._decide(self.ahead.alone(account.first), amounts, state, account)
                account.first += 1
        return amounts


def job_of(past: Past, futures: Futures, effort: Effort | None = None, *, paid_as: Job | None = None) -> Job:
    """Make the job that carries on from a past into sampled futures; with the holds of another job, where no rule that
    holds pay differs from those of `paid_as`.
    """
    assessment = past.assessment
    book = assessment.rulebook
    rules = {name: rule for name, rule in book.rules.items() if rule.hold is not None}
    ids = past.units["unit"]
    blocks = Blocking.of(assessment.scene) is not None
    scene = assessment.scene
    if blocks or paid_as is None:  # nobody's pay travels that nothing asks for
        scene = alone(scene, ids if blocks or rules else ids.clear())
    return Job(
        futures,
        past.ticks,
        _ahead(past),
        Rulebook(
            book.rules, evolve(book.terms, pace=Paces({tick.on: book.terms.pace(tick.on) for tick in past.ticks}))
        ),
        _start(past).gathered(past.rows),
        Withholding(scene.payroll, rules, ids) if paid_as is None else paid_as.withholding,
        owed(assessment.ledger, ids, list(rules)) if paid_as is None else paid_as.owed,
        began(assessment, ids, list(rules)) if paid_as is None else paid_as.began,
        BlockingDraws(Blocking(scene), ids) if blocks else None,
        effort,
    )


def _start(past: Past) -> State:
    """Return the state that all draws go on from: nothing awaits a decision any more, and what was lifted since the
    last tick ends at the next.
    """
    assessment = past.assessment
    state = assessment.decided.state.settled()
    if assessment.rulings is None:
        return state
    next_tick = sum(not tick.interim for tick in assessment.ticks)
    due = assessment.rulings.at(next_tick, 0, state.size)
    lifted = {name: Mask.of(due.mask("lifted", name, each)) for name, each in state.since.items()}
    return evolve(state, lifted={name: each & state.active[name] for name, each in lifted.items()})


def _ahead(past: Past) -> Ahead:
    """Return what all draws of a past's futures share."""
    assessment = past.assessment
    terms = assessment.rulebook.terms
    ticks = tuple(tick for tick in past.ticks if not tick.interim)
    read = Derived(terms.indicators).closure({*assessment.rulebook.columns, terms.primary})
    books: list[pl.DataFrame] = []
    whole: list[pl.DataFrame] = []
    quotas = []
    for tick in ticks:
        of_all = assessment.quotas_on(tick.on)  # the very frame of the tick before, unless quotas were revised
        if not whole or of_all is not whole[-1]:
            whole.append(of_all)
            books.append(of_all.select(_of_quotas(of_all.columns, read, terms.primary))[past.rows])
        quotas.append(len(books) - 1)
    names = sorted({terms.primary, *past.needed})
    credited = assessment.credited
    eves = [each.start - DAY for each in terms.campaigns if each.start - DAY <= past.as_of]
    before = {
        eve: {
            name: credited.units[name][credited.dates.index(eve)][past.rows] for name in names if name in credited.units
        }
        for eve in eves
    }
    compares = bool(assessment.panel.compared(assessment.rulebook.columns))
    unknown = _unknown(past, names)
    return Ahead(past.units, ticks, terms.campaigns, tuple(books), tuple(quotas), before, compares, unknown)


def _of_quotas(columns: Sequence[str], read: Collection[str], primary: str) -> list[str]:
    """Return the columns of quotas that something may read: every draw has a row of them.

    What is made of an indicator's quota is named after it, but for what is made of that of the primary one.
    """
    return [
        name
        for name in columns
        if name in read
        or name == f"{primary}_quota"
        or (not name.endswith("_original") and any(each.startswith(f"{name.rpartition('_')[0]}_") for each in read))
    ]


def _unknown(past: Past, names: Iterable[str]) -> dict[str, Flags]:
    """Return by name of which units a part of the whole number is not known, where that is so of any."""
    units = past.assessment.credited.units
    counted = {name: units.get("contracts_unknown" if name == "contracted" else name + UNKNOWN) for name in names}
    unknown = {name: each[-1][past.rows] > 0 for name, each in counted.items() if each is not None}
    return {name: each for name, each in unknown.items() if each.any()}


def owed(ledger: pl.DataFrame, units: pl.Series, rules: Sequence[str]) -> dict[str, Amounts]:
    """Return by rule what each unit's holds have withheld and not given back by the end of a ledger, in fen."""
    held = ledger.filter(pl.col("released_on").is_null() & pl.col("reversed_on").is_null())
    return _by_rule(held.group_by("unit", "rule").agg(number=pl.col("withheld").sum()), units, rules)


def began(assessment: Assessment, units: pl.Series, rules: Sequence[str]) -> dict[str, Days]:
    """Return by rule when its last measure on each unit started, in days back from the first day not known."""
    starts = assessment.events.filter((pl.col("event") == "started") & pl.col("rule").is_in(rules))
    back = (pl.col("tick").max() - assessment.as_of).dt.total_days() - 1
    found = _by_rule(starts.group_by("unit", "rule").agg(number=back), units, rules)
    return {rule: each.astype(np.int32) for rule, each in found.items()}


def _by_rule(numbers: pl.DataFrame, units: pl.Series, rules: Sequence[str]) -> dict[str, Amounts]:
    """Return by rule a number for each unit; 0 where `numbers` (`unit`, `rule`, `number`) have none."""
    found = {}
    for rule in rules:
        of_rule = numbers.filter(pl.col("rule") == rule).select("unit", "number")
        joined = pl.DataFrame({"unit": units}).join(of_rule, on="unit", how="left", maintain_order="left")
        found[rule] = joined["number"].fill_null(0).to_numpy()
    return found
