"""What if: a simulation under other parameters, again and again, quickly enough to follow a slider.

What is drawn is drawn once and kept. Rules that neither read what changes nor meet, by superseding or by the pay they
hold together, a rule that does, are as they were; so are tasks met and amounts, as no parameter of a rule changes them.
What comes out is bit for bit what `kpi_rules.simulate` gives under those parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import define, evolve, field

from kpi_rules.model.contributions import SCALED
from kpi_rules.pipeline.assess import evidence_parameters, on_evidence, reassess
from kpi_rules.pipeline.derived import Derived
from kpi_rules.pipeline.rulebook import Rulebook
from kpi_rules.simulation.job import began, job_of, owed
from kpi_rules.simulation.past import firing, in_force, under
from kpi_rules.simulation.result import Simulation
from kpi_rules.simulation.run import Running, run
from kpi_rules.simulation.simulate import simulate
from kpi_rules.simulation.tally import MOST_CELLS, RuleTally
from kpi_rules.simulation.withholding import Withholding

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from kpi_rules.model.contributions import Rule
    from kpi_rules.model.forecasts import Assumption
    from kpi_rules.pipeline.assess import Evidence
    from kpi_rules.simulation.job import Chunk, Futures, Job
    from kpi_rules.simulation.past import Past
    from kpi_rules.workspace.workspace import Workspace

    Amounts = NDArray[np.int64]

ROWS: Final = 600_000
"""Units x draws at once. Threads would wait for each other longer than these few rules take, and nothing is drawn."""

HELD = ("withheld", "released", "outstanding")
"""The kinds of money that rules which hold pay are all of; those with an amount are all of `rewarded`."""


@define(eq=False)
class Kept:
    """Futures that remember what they gave, chunk by chunk."""

    futures: Futures
    _given: dict[tuple[int, int], dict[int, dict[str, Amounts]]] = field(factory=dict, init=False)

    @property
    def assumptions(self) -> Sequence[Assumption]:
        """What all draws assume."""
        return self.futures.assumptions

    def chunk(self, low: int, high: int) -> KeptChunk:
        """Return the draws from number `low`, inclusive, to `high`, exclusive."""
        return KeptChunk(self.futures, (low, high), self._given.setdefault((low, high), {}))


@define(eq=False)
class KeptChunk:
    """A chunk that is drawn once, when it is first stepped through; again by a thread that overtakes the first."""

    futures: Futures
    draws: tuple[int, int]
    given: dict[int, dict[str, Amounts]]
    _drawn: Chunk | None = field(default=None, init=False)
    _next: int = field(default=0, init=False)

    def step(self, here: int, effort: Amounts | None = None) -> dict[str, Amounts]:
        """Return by name the whole numbers of every unit and draw at day number `here`."""
        assert effort is None  # noqa: S101 (with effects, what is drawn depends on the rules: nothing is kept)
        if here not in self.given:
            self._drawn = self._drawn or self.futures.chunk(*self.draws)
            for day in range(self._next, here + 1):
                self.given.setdefault(day, self._drawn.step(day))
            self._next = here + 1
        return self.given[here]


@define(frozen=True, eq=False)
class Part:
    """Work for `run`: count what becomes of some of the rules."""

    job: Job
    kinds: tuple[str, ...]

    @property
    def units(self) -> int:
        """How many units each draw has."""
        return self.job.units

    def run(self, low: int, high: int) -> RuleTally:
        """Count what becomes of some draws."""
        return RuleTally.of(self.job.run(low, high), self.job.month_ends, self.kinds)


def what_if(simulation: Simulation, values: Mapping[str, object]) -> Simulation:
    """Return what a simulation would be under other parameters; see `Simulation.what_if`."""
    past, job = simulation.past, simulation.job
    workspace = past.workspace.with_parameters(values)
    found = None
    if job.effort is None and not _changed(past.workspace, workspace) & evidence_parameters(workspace):
        found = _under(simulation, workspace)
    if found is not None:
        return found
    return simulate(
        workspace,
        past.as_of,
        draws=simulation.draws,
        seed=simulation.seed,
        until=past.ticks[-1].on,
        known_at=past.known_at,
        decisions=past.assessment.decisions,
        effects=() if job.effort is None else job.effort.effects,
    )


def _under(simulation: Simulation, workspace: Workspace) -> Simulation | None:
    """Carry on under other parameters into the same futures; None where others have to be simulated."""
    past, job = simulation.past, simulation.job
    kept = simulation.kept = simulation.kept or _keep(simulation)
    affected = affected_by(workspace, job.rulebook, _changed(past.workspace, workspace))
    kinds = kinds_of([job.rulebook.rules[name] for name in affected])
    carried = _quickly(simulation, kept, workspace, affected, holds=bool(set(kinds) & set(HELD)))
    if carried is None:
        other = under(past, workspace)
        if not np.array_equal(other.rows, past.rows) or other.needed != past.needed:
            return None
        carried = other, job_of(other, job.futures, paid_as=None if set(kinds) & set(HELD) else job)
    other, carried_job = carried
    tally = simulation.tally
    if affected:
        part = Part(evolve(narrowed(carried_job, affected), futures=kept.futures), kinds)
        tally = tally.replaced(run(part, simulation.draws, Running(), ROWS))
    return Simulation(other, carried_job, tally, simulation.seed, simulation.draws, kept)


@define(frozen=True, eq=False)
class Session:
    """What is kept from one what-if to the next: futures that remember what they gave, the evidence of the units that
    are simulated, and `fires`, by rule what `firing` says: no value of a parameter changes it.
    """

    futures: Futures
    evidence: Evidence
    fires: Mapping[str, str]


def _keep(simulation: Simulation) -> Session:
    evidence = simulation.past.assessment.evidence
    futures = simulation.job.futures
    return Session(
        Kept(futures) if job_cells(simulation) <= MOST_CELLS else futures,
        evolve(evidence, source=evidence.source.of(simulation.past.rows), indicators=(), whole_panel=False),
        firing(simulation.job.rulebook),
    )


def _quickly(
    simulation: Simulation, kept: Session, workspace: Workspace, affected: set[str], *, holds: bool
) -> tuple[Past, Job] | None:
    """Decide what is past for the units that are simulated and the affected rules alone; None where others may have to
    be, or decisions and guards see more of it than that.
    """
    past, job = simulation.past, simulation.job
    guarded = job.blocking is not None and (holds or len(affected) == len(kept.fires))
    if guarded or kept.evidence.decisions is not None or any(kept.fires[name] == "known" for name in affected):
        return None
    carried = on_evidence(kept.evidence, workspace, affected)
    start = job.start.under(carried.decided.state.settled())
    if not (past.certain[past.rows] | in_force(start)).all():
        return None
    base = past.assessment
    other = evolve(past, workspace=workspace, assess=lambda: reassess(base, workspace))
    terms = evolve(carried.rulebook.terms, pace=job.rulebook.terms.pace)
    book = Rulebook(job.rulebook.rules, terms)
    found = evolve(job, rulebook=book, start=start)
    if holds:
        found = evolve(
            found,
            withholding=job.withholding.under(workspace.parameters),
            owed=owed(carried.ledger, job.withholding.units, list(job.withholding.rules)),
            began=began(carried, job.withholding.units, list(job.withholding.rules)),
        )
    return other, found


def job_cells(simulation: Simulation) -> int:
    """Return how many whole numbers the futures of a simulation are, of one indicator."""
    return simulation.job.units * simulation.draws * len(simulation.job.days)


def _changed(before: Workspace, after: Workspace) -> set[str]:
    """Return the parameters whose entries differ."""
    old, new = before.parameters.entries, after.parameters.entries
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def affected_by(workspace: Workspace, book: Rulebook, changed: Collection[str]) -> set[str]:
    """Return the rules that may come out otherwise: those that read what changed, and all that meet one of them."""
    guards = workspace.plugins.guards.values()
    read = {root for each in guards for root in roots_of(each.when, each.withholdable, each.with_basis)}
    if read & {*changed, *(name + SCALED for name in changed)}:
        return set(book.rules)
    derived = Derived(book.terms.indicators)
    found: set[str] = set()
    more = {name for name, rule in book.rules.items() if _reads(rule, derived) & set(changed)}
    while more - found:
        found = more
        more = found | {name for name, rule in book.rules.items() if _meets(rule, found, book)}
    return found


def _reads(rule: Rule, derived: Derived) -> set[str]:
    """Return the parameters that a rule goes by, through indicators too."""
    columns = derived.closure(roots_of(rule.when, rule.until, rule.amount))
    held = set() if rule.hold is None else {rule.hold.share, rule.hold.grades}
    return {name.removesuffix(SCALED) for name in columns} | {name for name in held if name is not None}


def _meets(rule: Rule, others: Collection[str], book: Rulebook) -> bool:
    """Say whether a rule and one of some others go by each other: one supersedes the other, or both take pay, or both
    give rewards, whose sums are kept together.
    """
    if not set(others).isdisjoint((*rule.supersedes, *book.superseding[rule.id])):
        return True
    rules = [book.rules[name] for name in others]
    return (rule.hold is not None and any(each.hold is not None for each in rules)) or (
        rule.amount is not None and any(each.amount is not None for each in rules)
    )


def kinds_of(rules: Collection[Rule]) -> tuple[str, ...]:
    """Return the kinds of money that some rules are all of."""
    held = HELD if any(each.hold is not None for each in rules) else ()
    return (*held, *(("rewarded",) if any(each.amount is not None for each in rules) else ()))


def narrowed(job: Job, rules: Collection[str]) -> Job:
    """Return a job with some of its rules alone."""
    book = Rulebook({name: rule for name, rule in job.rulebook.rules.items() if name in rules}, job.rulebook.terms)
    holding = {name: rule for name, rule in job.withholding.rules.items() if name in rules}
    withholding = Withholding(job.withholding.payroll, holding, job.withholding.units)
    return evolve(job, rulebook=book, withholding=withholding, start=job.start.of(rules))


def roots_of(*expressions: pl.Expr | None) -> set[str]:
    """Return the columns that any of the expressions reads."""
    return {root for each in expressions if each is not None for root in each.meta.root_names()}
