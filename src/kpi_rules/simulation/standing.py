"""One unit at a review, everything else as it stands: the rest of the year, for many credits of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from attrs import define, evolve, field

from kpi_rules.pipeline.decide import decide
from kpi_rules.pipeline.decided import HAPPENINGS, Decided, Happening
from kpi_rules.pipeline.deposits import Desk, keep
from kpi_rules.pipeline.panel import Panel
from kpi_rules.pipeline.pay import ledger
from kpi_rules.simulation.conditions import Conditions, few
from kpi_rules.simulation.job import job_of
from kpi_rules.simulation.outcome import Outcome
from kpi_rules.simulation.rows import DrawnSource
from kpi_rules.simulation.traces import Account

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.model.forecasts import Assumption
    from kpi_rules.pipeline.state import State
    from kpi_rules.simulation.job import Job
    from kpi_rules.simulation.past import Past

    Amounts = NDArray[np.int64]

Signature = frozenset[tuple[int, str, str]]
"""What happens to the unit's measures: the number of the tick, the rule, and what it is."""


@define(frozen=True, eq=False)
class Standstill:
    """Futures in which nothing comes, but that one unit has another credit from the review on; a draw for each credit.

    `known` has the whole numbers of every unit by the last day known.
    """

    known: pl.DataFrame
    names: tuple[str, ...]
    days: tuple[date, ...]
    own: int
    review: date
    primary: str
    credits: Amounts

    @property
    def assumptions(self) -> Sequence[Assumption]:
        """Nothing is forecast."""
        return ()

    def chunk(self, low: int, high: int) -> Still:
        """Return the credits from number `low`, inclusive, to `high`, exclusive."""
        return Still(self, self.credits[low:high])


@define(frozen=True, eq=False)
class Still:
    """Some of the credits, tick by tick."""

    of: Standstill
    credits: Amounts

    def step(self, here: int, effort: Amounts | None = None) -> dict[str, Amounts]:
        """Return by name the whole numbers of every unit and credit at day number `here`."""
        assert effort is None  # noqa: S101 (nothing comes that effort could add to)
        found = {
            name: np.repeat(self.of.known[name].fill_null(0).to_numpy()[:, None], len(self.credits), axis=1)
            for name in self.of.names
        }
        if self.of.days[here] >= self.of.review:
            found[self.of.primary][self.of.own] = self.credits
        return found


@define(frozen=True, eq=False)
class KnownInPart:
    """A panel's source in which some whole numbers of some units are not known."""

    source: DrawnSource
    unknown: Mapping[str, pl.Series]

    @property
    def units(self) -> pl.DataFrame:
        """`unit`, `group`, `kind`."""
        return self.source.units

    def at(self, here: int) -> pl.DataFrame:
        """Return the whole numbers of every row at tick number `here`."""
        frame = self.source.at(here)
        return frame.with_columns(frame[name].set(rows, None) for name, rows in self.unknown.items())


@define(eq=False)
class Standing:
    """What becomes of one unit, by its credit at the review.

    `own` is its row among the job's units, which are all that it is compared with; `review` the number of the tick
    among those to come.
    """

    past: Past
    job: Job
    own: int
    review: int
    conditions: Conditions
    _forfeited: dict[Signature, int] = field(factory=dict, init=False)
    _told: NDArray[np.bool_] | None = field(default=None, init=False)

    @classmethod
    def of(cls, past: Past, unit: int, on: date) -> Standing:
        """Let a unit, by its row in the workspace, stand as it does until a review.

        Where something compares it with its peers, they stand beside it as they do.
        """
        panel, book = past.assessment.panel, past.assessment.rulebook
        group = panel.units["group"]
        rows = np.array([unit])
        if panel.compared(book.columns) and group[unit] is not None:
            rows = np.flatnonzero((group == group[unit]).fill_null(value=False).to_numpy())
        known = panel.source.at(len(panel.ticks) - 1)[rows]
        own, primary = int(np.flatnonzero(rows == unit)[0]), book.terms.primary
        names = tuple(sorted(name for name in {primary, *past.needed} if name in known.columns))
        days = tuple(tick.on for tick in past.ticks)
        still = Standstill(known, names, days, own, on, primary, np.zeros(0, dtype=np.int64))
        here = evolve(past, rows=rows, units=past.workspace.tables.units.select("unit", "group", "kind")[rows])
        job = job_of(here, still)
        ticks = job.ahead.ticks
        review = [tick.on for tick in ticks].index(on)
        return cls(here, job, own, review, Conditions(Panel(panel.source, ticks, book.terms), job.rulebook))

    @property
    def quota(self) -> int:
        """The quota of the unit at the review."""
        return int(self.job.ahead.quota(self.review, self.job.rulebook.terms.primary)[self.own])

    @property
    def is_money(self) -> bool:
        """Whether credit is fen."""
        terms = self.job.rulebook.terms
        own = terms.indicators.get(terms.primary)
        return terms.primary == "funds" if own is None else own.kind == "money"

    def look(self, credits: Amounts) -> list[Outcome]:  # noqa: A002 (the field's word)
        """Run the rules from the last day known on, and say what becomes of the unit with each credit.

        The first credits asked for are those of the whole profile, in order.
        """
        points = len(credits)
        ticks = self.job.ahead.ticks
        decided, start = self._decided(credits)
        own = np.arange(self.own * points, (self.own + 1) * points)
        frames = [decided.frame(here)[own] for here in range(len(ticks))]
        money = self._money(decided, start, own)
        happened = self._happened(decided, points)
        active = {name for name, mask in self.job.start.active.items() if mask and mask.column(start.size)[self.own]}
        stands = self.conditions.look(frames)
        if self._told is None:
            self._told = few(stands)
        keys = np.ascontiguousarray(stands[:, self._told])
        return [
            self._outcome(int(credits[place]), happened[place], active, money, place).keyed(keys[place].tobytes())
            for place in range(points)
        ]

    def _decided(self, credits: Amounts) -> tuple[Decided, State]:  # noqa: A002 (the field's word)
        job, points = self.job, len(credits)
        assert isinstance(job.futures, Standstill)  # noqa: S101 (see `of`)
        chunk = evolve(job.futures, credits=credits).chunk(0, points)
        amounts = {day.on: chunk.step(here) for here, day in enumerate(job.days)}
        known = job.futures.known
        unknown = {
            name: pl.Series(np.repeat(known[name].is_null().to_numpy(), points))
            for name in job.futures.names
            if known[name].null_count()
        }
        source = KnownInPart(DrawnSource(job.ahead, amounts, points), unknown)
        panel = Panel(source, job.ahead.ticks, job.rulebook.terms)
        start = job.start.gathered(np.repeat(np.arange(job.units), points))
        # Measures of the past were proposed before the first tick to come.
        earlier = len(self.past.assessment.ticks)
        start = evolve(start, since={name: each - earlier for name, each in start.since.items()})
        outputs = self.conditions.columns
        decided = decide(panel, job.rulebook, outputs=outputs, block=start.size, blocking=job.blocking, start=start)
        return decided, start

    def _money(self, decided: Decided, start: State, own: NDArray[np.intp]) -> dict[str, Amounts]:
        """Return fen by kind, of the review and what follows it; what is outstanding at the end is all of it."""
        owed = {name: np.repeat(each, len(own)) for name, each in self.job.owed.items()}
        account = Account(self.job.rulebook.rules, self.job.ahead.ticks, start, self.job.withholding, owed)
        account.tell(decided, range(self.review))
        earlier = {kind: fen.reshape(-1)[own] for kind, fen in account.money().items()}
        account.tell(decided, range(self.review, len(self.job.ahead.ticks)))
        return {
            kind: fen.reshape(-1)[own] - (0 if kind == "outstanding" else earlier[kind])
            for kind, fen in account.money().items()
        }

    def _happened(self, decided: Decided, points: int) -> list[set[tuple[int, str, str]]]:
        """Return for each credit what happens to the unit's measures."""
        found: list[set[tuple[int, str, str]]] = [set() for _ in range(points)]
        low, high = self.own * points, (self.own + 1) * points
        for each in (*decided.events, *decided.bookings, *decided.releases, *decided.blocked):
            for row in each.rows[(each.rows >= low) & (each.rows < high)].tolist():
                found[row - low].add((each.tick, each.rule, each.kind))
        return found

    def _outcome(
        self,
        credited: int,
        happened: set[tuple[int, str, str]],
        active: set[str],
        money: Mapping[str, Amounts],
        place: int,
    ) -> Outcome:
        in_force, issued, later, months = set(active), set[str](), set[str](), set[int]()
        for tick, rule, kind in sorted(happened, key=lambda each: (each[0], each[2] == "started", each[1])):
            if kind in {"ended", "superseded"} and tick <= self.review:
                in_force.discard(rule)
            elif kind == "started" and tick <= self.review:
                in_force.add(rule)
            elif kind == "issued" and tick == self.review:
                issued.add(rule)
            elif kind in {"started", "issued"} and tick > self.review:
                later.add(rule)
            elif kind == "withheld" and tick >= self.review:
                months.add(tick)
        measures = in_force | issued
        return Outcome(
            credited,
            tuple(sorted(measures)),
            tuple(sorted(later - measures)),
            len(months),
            withheld=int(money["withheld"][place]),
            released=int(money["released"][place]),
            outstanding=int(money["outstanding"][place]),
            rewarded=int(money["rewarded"][place]),
            forfeited=self._deposits(frozenset(happened)),
            happened=frozenset(happened),
        )

    def _deposits(self, happened: Signature) -> int:
        """Return the fen of the unit's deposits that are forfeited at the end; they go by what happens alone."""
        payroll, rules = self.past.assessment.payroll, self.job.rulebook.rules
        if payroll.deposits.is_empty() and not any(rule.deposit for rule in rules.values()):
            return 0
        if happened not in self._forfeited:
            self._forfeited[happened] = self._desk(happened)
        return self._forfeited[happened]

    def _desk(self, happened: Signature) -> int:
        assessment = self.past.assessment
        name = self.past.units["unit"][self.own]
        units, ticks = pl.Series([name]), (*assessment.ticks, *self.job.ahead.ticks)
        whole = self._whole(happened, int(self.past.rows[self.own]))
        rules, payroll = self.job.rulebook.rules, assessment.payroll
        lines = ledger(whole, ticks, units, rules, payroll)
        year_end = self.job.rulebook.terms.year.end
        found = keep(Desk(whole, ticks, units, rules, payroll, lines, None, year_end)).lines
        of_unit = found.filter(pl.col("unit") == name)
        return int(of_unit.select(pl.col("forfeited") - pl.col("refunded")).to_series().sum())

    def _whole(self, happened: Signature, row: int) -> Decided:
        """Return what the rules decide of the unit in all of the year, as of a population of its own."""
        whole, earlier = Decided(), len(self.past.assessment.ticks)
        for name in HAPPENINGS:
            kept = getattr(whole, name)
            for each in getattr(self.past.assessment.decided, name):
                at = each.rows == row
                if at.any():
                    amounts = each.amounts if each.amounts is None else each.amounts.filter(pl.Series(at))
                    kept.append(evolve(each, rows=np.zeros(1, dtype=np.uint32), since=each.since[at], amounts=amounts))
        since = {each.rule: int(each.since[0]) for each in whole.events if each.kind == "started"}
        for tick, rule, kind in sorted(happened, key=lambda each: (each[0], each[2] == "started", each[1])):
            here = tick + earlier
            if kind in {"started", "issued"}:
                since[rule] = here
            to = {"withheld": whole.bookings, "released": whole.releases, "blocked": whole.blocked}
            at = np.array([since.get(rule, here)], dtype=np.int16)
            to.get(kind, whole.events).append(Happening(here, rule, kind, np.zeros(1, dtype=np.uint32), at))
        return whole
