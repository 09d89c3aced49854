"""What a simulation starts from: the assessment of what has happened, and whom and what it has to carry on."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl
from attrs import define, evolve

from kpi_rules.locale import _
from kpi_rules.model.calendar import DAY, Tick, following, ticks
from kpi_rules.model.columns import FIXINGS, rule_schema
from kpi_rules.model.problems import AssessmentError, Place, error
from kpi_rules.pipeline.assess import assess, reassess, rulebook
from kpi_rules.pipeline.credit import HAPPENINGS
from kpi_rules.pipeline.derived import Derived
from kpi_rules.pipeline.panel import with_parameters
from kpi_rules.pipeline.source import whole_numbers
from kpi_rules.simulation.basis import Basis
from kpi_rules.simulation.silent import fires_without
from kpi_rules.workspace.amounts import LAST_DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from collections.abc import Set as AbstractSet

    from numpy.typing import NDArray

    from kpi_rules.model.calendar import Year
    from kpi_rules.pipeline.result import Assessment
    from kpi_rules.pipeline.rulebook import Rulebook
    from kpi_rules.pipeline.state import State
    from kpi_rules.workspace.workspace import Workspace

    Rows = NDArray[np.int64]
    Flags = NDArray[np.bool_]


@define(frozen=True, eq=False)
class Past:
    """The assessment of what has happened by `as_of`, and what goes on from there.

    Attributes:
        workspace: as it is assessed.
        as_of: only what happened by this day is known; `known_at` says the same of what was recorded.
        assess: gives the assessment of the past, which is made when it is first asked for.
        ticks: every day after `as_of` at which amounts are needed, in order; those that are no ticks of the
            assessment are interim.
        units: `unit, group, kind` of the units that are simulated, one row each.
        rows: for each of them its row among the workspace's units.
        below: pairs of rows, a simulated unit and an ancestor of it or itself: what is rolled up to what.
        needed: the whole numbers that something reads besides the primary indicator.
        certain: of each unit of the workspace whether it is simulated whatever is in force.
        basis: the units that are forecast, which no rule chooses.
    """

    workspace: Workspace
    as_of: date
    known_at: date
    assess: Callable[[], Assessment]
    ticks: tuple[Tick, ...]
    units: pl.DataFrame
    rows: Rows
    below: tuple[Rows, Rows]
    needed: frozenset[str]
    certain: Flags
    basis: Basis

    @cached_property
    def assessment(self) -> Assessment:
        """What has happened."""
        return self.assess()


def past(
    workspace: Workspace,
    as_of: date,
    until: date | None = None,
    known_at: date | None = None,
    decisions: pl.DataFrame | None = None,
) -> Past:
    """Assess what has happened, and find out what has to be simulated.

    Args:
        workspace: without errors.
        as_of: the last day that is known.
        until: the last day simulated; the year end by default.
        known_at: as in `kpi_rules.assess`.
        decisions: as in `kpi_rules.assess`; of the past. What still awaits a decision is proposed anew at its rule's
            next moment, and every proposal of the future counts as approved on its tick.

    Raises:
        AssessmentError: as `kpi_rules.assess` has it, or there is no tick to come by `until`, or that is no day.
    """
    # The figures of the past are needed at its last day alone; what rules read is computed anyway.
    assessment = assess(workspace, as_of, known_at, decisions, indicators=_shown(workspace), whole_panel=False)
    return _ahead_of(assessment, _last_day(assessment.rulebook.terms.year, until))


def _shown(workspace: Workspace) -> list[str]:
    """Return the indicators to assess besides those that rules read: what is counted of recognised projects goes by how
    many there are.
    """
    if workspace.errors or workspace.config is None:
        return ["completion"]
    book = rulebook(workspace)
    read = Derived(book.terms.indicators).closure({*book.columns, book.terms.primary})
    return ["completion", *({"recognised"} & _needed(read, book.terms.primary, ()))]


def _last_day(year: Year, until: object) -> date:
    """Return the last day simulated, where it is a day that can be."""
    if until is None:
        return year.end
    if type(until) is not date:  # a datetime is a date to Python, and is before and after none
        expected = _("a date without a time")
        raise AssessmentError([error("wrong-kind", Place(key="until"), found=repr(until), expected=expected)])
    if until > LAST_DAY:
        expected = _("a day from {start} to {last}").format(start=year.start, last=LAST_DAY)
        raise AssessmentError([error("until-too-late", Place(key="until"), found=str(until), expected=expected)])
    return until


def under(past: Past, workspace: Workspace) -> Past:
    """Return a past under other parameters of rules, on the very same evidence; see `pipeline.assess.reassess`."""
    return _ahead_of(reassess(past.assessment, workspace), past.ticks[-1].on)


def year_ahead(workspace: Workspace, as_of: date | None, known_at: date | None, indicator: str) -> Past:
    """Assess what has happened, for what the year after may bring: the ticks go to its end, and units are those with a
    quota of the indicator at the end of this one.

    Raises:
        AssessmentError: as `kpi_rules.assess` has it, or `as_of` is after the year end.
    """
    needed = {indicator} | ({"recognised"} & _needed({indicator}, indicator, ()))
    assessment = assess(
        workspace, as_of, known_at, indicators=["completion", "arrival_rate", *sorted(needed)], whole_panel=False
    )
    year = assessment.rulebook.terms.year
    if assessment.as_of > year.end:
        found, expected = str(assessment.as_of), _("a day up to {end}, the year end").format(end=year.end)
        raise AssessmentError([error("as-of-too-late", Place(key="as_of"), found=found, expected=expected)])
    whole = _ahead_of(assessment, following(year).end)
    rows = np.flatnonzero(assessment.quotas_on(year.end)[f"{indicator}_quota"].is_not_null().to_numpy())
    units = workspace.tables.units
    aimed = np.zeros(len(units), dtype=np.bool_)
    aimed[rows] = True
    basis = Basis.of(units, aimed, assessment.credited)
    below = basis.pairs(rows)
    own = units.select("unit", "group", "kind")[rows]
    return evolve(whole, units=own, rows=rows, below=below, needed=frozenset(needed), basis=basis)


def _ahead_of(assessment: Assessment, until: date) -> Past:
    """Find out what has to be simulated after an assessment."""
    workspace, as_of, terms = assessment.workspace, assessment.as_of, assessment.rulebook.terms
    coming = tuple(tick for tick in ticks(terms.year, terms.campaigns, until) if tick.on > as_of and not tick.interim)
    if not coming:
        found = _("no tick after {as_of} by {until}").format(as_of=as_of, until=until)
        expected = _("a last day with a tick after the day that is known")
        raise AssessmentError([error("nothing-to-come", Place(key="until"), found=found, expected=expected)])
    read = Derived(terms.indicators).closure({*assessment.rulebook.columns, terms.primary})
    # Whether or not a rule reads what campaigns bring: no rule changes a draw.
    days = {tick.on for tick in coming}
    eves = {campaign.start - DAY for campaign in terms.campaigns if as_of < campaign.start - DAY < until}
    coming = tuple(sorted([*coming, *(Tick(on, interim=True) for on in eves - days)], key=lambda tick: tick.on))
    aimed = _aimed(assessment, coming)
    certain = _certain(assessment, coming, read, aimed)
    rows = np.flatnonzero(certain | in_force(assessment.decided.state))
    units = workspace.tables.units
    basis = Basis.of(units, aimed, assessment.credited)
    below = basis.pairs(rows)
    return Past(
        workspace,
        assessment.as_of,
        assessment.known_at,
        lambda: assessment,
        coming,
        units.select("unit", "group", "kind")[rows],
        rows,
        below,
        _needed(read, terms.primary, terms.indicators),
        certain,
        basis,
    )


def in_force(state: State) -> Flags:
    """Say of each row whether a measure is in force or pay is held."""
    found = np.zeros(state.size, dtype=np.bool_)
    for kind in (state.active, state.held):
        for mask in kind.values():
            found |= mask.column(state.size)
    return found


def _needed(read: AbstractSet[str], primary: str, indicators: Collection[str]) -> frozenset[str]:
    """Return the whole numbers behind the named columns besides the primary: counts, sums of money and of plugins.

    Counts of recognised projects are never more than those: these are needed with them, whatever else reads them.
    """
    sums = {name for name in indicators if name in read}
    found = whole_numbers(read, primary) | sums | {"funds"}.intersection(read)
    if found & HAPPENINGS.keys():
        found.add("recognised")
    return frozenset(found - {primary})


def _aimed(assessment: Assessment, coming: tuple[Tick, ...]) -> Flags:
    """Say which units have a target of the primary indicator at some tick to come."""
    aimed = np.zeros(len(assessment.panel.units), dtype=np.bool_)
    for tick in coming:
        aimed |= assessment.quotas_on(tick.on)[f"{assessment.panel.terms.primary}_quota"].is_not_null().to_numpy()
    return aimed


def _certain(assessment: Assessment, coming: tuple[Tick, ...], read: AbstractSet[str], aimed: Flags) -> Flags:
    """Say which units have to be simulated whatever is in force: those with a target, and those that a rule may concern
    without one.

    Of a unit without a target nothing that is held against it is known, so that few rules can fire. Whether one does
    is the same in every future where it reads nothing but the calendar and what is not known; then one look says it.
    """
    panel, book = assessment.panel, assessment.rulebook
    if aimed.all() or panel.compared(read) - {"rank", "group_size"}:
        return np.ones(len(panel.units), dtype=np.bool_)
    fires = firing(book)
    if "perhaps" in fires.values():
        return np.ones(len(panel.units), dtype=np.bool_)
    known = {name for name, whether in fires.items() if whether == "known"}
    return aimed | fires_by_itself(panel.units, book, coming, known)


def firing(book: Rulebook) -> dict[str, Literal["never", "known", "perhaps"]]:
    """Say by rule whether it can fire for a unit without a target; see `fires_without`."""
    unknown = _unknown(book)
    silent = frozenset({"lag", "unit", "group", "kind"}) | book.parameters.declared.keys()
    return {name: fires_without(rule.when, unknown, silent) for name, rule in book.rules.items()}


def _unknown(book: Rulebook) -> frozenset[str]:
    """Return the columns that rules read and that are null for a unit without a target of the primary indicator."""
    primary = book.terms.primary
    read = Derived(book.terms.indicators).closure({*book.columns, primary})
    names = {"completion", "pace_gap", "rank", "campaign_quota", "campaign_completion", "campaign_rank"}
    names |= {f"{primary}_{suffix}" for suffix in ("quota", "quota_original", "completion", *FIXINGS)}
    return frozenset(names & read)


def fires_by_itself(units: pl.DataFrame, book: Rulebook, coming: tuple[Tick, ...], rules: Collection[str]) -> Flags:
    """Say for which units some of the rules, which go by what is known (`firing`), fire without a target, at any tick
    to come; `units` has parameters that vary row by row as columns.
    """
    schema = rule_schema(book.terms.indicators, {})
    nothing = {name: pl.lit(None, schema[name]) for name in _unknown(book)}
    frame = units.with_columns(lag=pl.lit(0, pl.Int64), **nothing)
    found = np.zeros(len(frame), dtype=np.bool_)
    for tick in coming:
        if tick.interim:
            continue
        bound = book.bound(tick.moments, tick.on)
        for name in {each.when for each in bound.rules if each.rule.id in rules and each.when is not None}:
            when = bound.expressions[name]
            filled = with_parameters(frame, book.parameters, tick.on, when.meta.root_names())
            found |= (
                filled.select(pl.repeat(value=False, n=len(frame)) | when.fill_null(value=False)).to_series().to_numpy()
            )
    return found
