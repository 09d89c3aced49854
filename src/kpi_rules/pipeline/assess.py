"""Assess: from a workspace through all stages of the pipeline to an assessment."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl
from attrs import define, evolve, field

from kpi_rules.hooks.manager import BUILT_INS
from kpi_rules.locale import _
from kpi_rules.model.calendar import ticks
from kpi_rules.model.columns import fixing_columns, indicator_schema, quota_indicators
from kpi_rules.model.contributions import SCALED
from kpi_rules.model.problems import AssessmentError, Place, error, nearest
from kpi_rules.pipeline.adjust import applied, project_columns
from kpi_rules.pipeline.credit import ancestors, credit, joined
from kpi_rules.pipeline.decide import decide
from kpi_rules.pipeline.decisions import read_decisions, without_proposal
from kpi_rules.pipeline.derived import Derived
from kpi_rules.pipeline.guards import Blocking, Scene
from kpi_rules.pipeline.panel import Panel, QuotaBook, Terms
from kpi_rules.pipeline.pay import Payroll
from kpi_rules.pipeline.result import Assessment
from kpi_rules.pipeline.rulebook import Rulebook
from kpi_rules.pipeline.source import AGAINST_QUOTA, EvidenceSource, credit_dates, whole_numbers
from kpi_rules.pipeline.tally import tallies
from kpi_rules.pipeline.task import Task, stages_asked
from kpi_rules.pipeline.verify import Circumstances, known, of_year, verify, without
from kpi_rules.pipeline.viewed import viewed
from kpi_rules.workspace.amounts import LAST_DAY
from kpi_rules.workspace.guards import guards_in_force

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from collections.abc import Set as AbstractSet

    from kpi_rules.model.contributions import PaceCurve
    from kpi_rules.pipeline.credit import Credited
    from kpi_rules.pipeline.verify import Excluded
    from kpi_rules.workspace.config import Config
    from kpi_rules.workspace.tables import Tables
    from kpi_rules.workspace.workspace import Workspace

LARGE = 100_000
"""Above this many units only the last tick's panel is shown, and only `SHOWN` and the indicators that rules read are
computed.
"""

SHOWN = frozenset({"funds", "funds_quota", "completion"})


def assess(
    workspace: Workspace,
    as_of: date | None = None,
    known_at: date | None = None,
    decisions: pl.DataFrame | None = None,
    *,
    indicators: Collection[str] | None = None,
    whole_panel: bool | None = None,
) -> Assessment:
    """Assess a workspace.

    Args:
        workspace: without errors.
        as_of: only what happened by this day counts; the year end by default. A day between ticks adds an interim tick.
        known_at: only what was recorded by this day and not revoked by it counts, and only decisions made by it;
            `as_of` by default.
        decisions: `measure`, `decision` (`approved`, `rejected`, `lifted`, `reversed`), `on`, the day it was made, and
            if wanted `by` and `reason`, which the measures show; without it every proposal counts as approved on its
            tick.
        indicators: the indicators to compute besides those that rules read; all by default, few for large populations.
        whole_panel: whether `units` has every tick's indicators; by default up to 100,000 units.

    Returns:
        The assessment: units, events, measures, ledger, findings and explanations.

    Raises:
        AssessmentError: the workspace has errors, `as_of` is before the year, there is no such indicator, a decision
            names nothing of this assessment, or an expression of a plugin fails on the data; `problems` has them all.
    """
    config = workspace.config
    if workspace.errors or config is None:
        raise AssessmentError(workspace.errors)
    as_of, known_at = _days(config, as_of, known_at)
    large = len(workspace.tables.units) > LARGE
    book = rulebook(workspace)
    indicators = _indicators(workspace, indicators, book.columns | SHOWN if large else None)
    all_ticks = tuple(ticks(config.year, config.campaigns, as_of))
    tables = known(workspace.tables, known_at)
    findings, _excluded = verify(
        of_year(tables, config.year, as_of),
        workspace.plugins.checks,
        config.checks,
        _under(workspace, config, tables, as_of),
    )
    quotas = QuotaBook(tables.quotas, tables.units["unit"], quota_indicators(workspace.plugins.indicators))
    needed = Derived(workspace.plugins.indicators).closure({*indicators, *book.columns, config.primary})
    credited = _credited(workspace, config, tables, quotas, credit_dates(all_ticks, config.campaigns), needed)
    units = tables.units.select("unit", "group", "kind")
    source = EvidenceSource(units, all_ticks, config.campaigns, credited, quotas)
    whole = not large if whole_panel is None else whole_panel
    evidence = Evidence(as_of, known_at, tables, findings, source, decisions, tuple(indicators), whole)
    return _assessed(workspace, config, book, evidence)


@define(frozen=True, eq=False)
class Evidence:
    """What an assessment goes by besides the rules: the evidence by a day, as it is known, and what is to be shown."""

    as_of: date
    known_at: date
    tables: Tables
    findings: pl.DataFrame
    source: EvidenceSource
    decisions: pl.DataFrame | None
    indicators: tuple[str, ...]
    whole_panel: bool

    @cached_property
    def staff(self) -> pl.DataFrame:
        """The staff with the group of their unit."""
        groups = self.tables.units.select("unit", "group")
        return self.tables.staff.join(groups, on="unit", how="left", maintain_order="left")

    @cached_property
    def subtree(self) -> pl.DataFrame:
        """Pairs of `unit` and its ancestor or itself `above`."""
        unit, above = ancestors(self.tables.units)
        ids = self.tables.units["unit"]
        return pl.DataFrame({"unit": ids.gather(unit), "above": ids.gather(above)})


def reassess(assessment: Assessment, workspace: Workspace) -> Assessment:
    """Assess the evidence of an assessment again, in its workspace with other parameters.

    Args:
        assessment: what was assessed.
        workspace: the same but for parameters, of which none is read where evidence is credited or checked
            (`evidence_parameters`).

    Raises:
        AssessmentError: as `assess` has it.
    """
    return on_evidence(assessment.evidence, workspace)


def on_evidence(evidence: Evidence, workspace: Workspace, rules: Collection[str] | None = None) -> Assessment:
    """Assess evidence that was gathered before, by all rules or by some; see `reassess`."""
    assert workspace.config is not None  # noqa: S101 (it was assessed)
    book = rulebook(workspace)
    if rules is not None:
        book = Rulebook({name: rule for name, rule in book.rules.items() if name in rules}, book.terms)
    return _assessed(workspace, workspace.config, book, evidence)


def evidence_parameters(workspace: Workspace) -> set[str]:
    """Return the parameters that are read where evidence is credited or checked, or may be."""
    plugins = workspace.plugins
    read = [each.amount for each in plugins.credits.values()]
    read += [each.when for each in plugins.checks.values()]
    read += [each.value for each in plugins.indicators.values() if each.table]
    roots = {root.removesuffix(SCALED) for each in read for root in each.meta.root_names()}
    own = {name for name in workspace.parameters.declared if name.partition(".")[0] in BUILT_INS}
    return own | (roots & workspace.parameters.declared.keys())


def _assessed(workspace: Workspace, config: Config, book: Rulebook, evidence: Evidence) -> Assessment:
    """Run the rules on evidence."""
    tables, source, as_of, known_at = evidence.tables, evidence.source, evidence.as_of, evidence.known_at
    decisions, findings, all_ticks, units = evidence.decisions, evidence.findings, source.ticks, source.units
    panel = Panel(source, all_ticks, book.terms)
    rulings = None
    if decisions is not None:
        rulings, problems = read_decisions(
            decisions, all_ticks, units["unit"], book.rules, config.year.label, made_by=known_at
        )
        if problems:
            raise AssessmentError(problems)
    payroll = _payroll(workspace, config, evidence)
    scene = Scene(
        payroll.guards,
        book.rules,
        workspace.plugins.indicators,
        tables.units.select("unit", "group", "kind", "head"),
        payroll,
        config.primary,
        viewed(tables, "handovers", as_of) if any(each.table == "handovers" for each in config.tables) else None,
    )
    decided = decide(
        panel,
        book,
        rulings=rulings,
        outputs=evidence.indicators,
        every_tick=False,  # the others are made where somebody asks: conditions need few of their columns
        blocking=Blocking.of(scene),
    )
    if decisions is not None:
        made_by = min(as_of, known_at)
        astray = without_proposal(decisions, decided.proposals, all_ticks, units["unit"], config.year.label, made_by)
        findings = pl.concat([findings, astray])
    return Assessment(workspace, evidence, panel, book, decided, payroll, findings, rulings, scene=scene)


def _days(config: Config, as_of: date | None, known_at: date | None) -> tuple[date, date]:
    """Return the two days an assessment goes by, where they are days that it can go by."""
    as_of = config.year.end if as_of is None else as_of
    known_at = as_of if known_at is None else known_at
    for key, day in (("as_of", as_of), ("known_at", known_at)):
        if type(day) is not date:  # a datetime is a date to Python, and is before and after none
            expected = _("a date without a time")
            raise AssessmentError([error("wrong-kind", Place(key=key), found=repr(day), expected=expected)])
    if not config.year.start <= as_of <= LAST_DAY:
        code = "as-of-before-year" if as_of < config.year.start else "as-of-too-late"
        expected = _("a day from {start} to {last}").format(start=config.year.start, last=LAST_DAY)
        raise AssessmentError([error(code, Place(key="as_of"), found=str(as_of), expected=expected)])
    return as_of, known_at


def _credited(
    workspace: Workspace,
    config: Config,
    tables: Tables,
    quotas: QuotaBook,
    dates: Sequence[date],
    needed: AbstractSet[str],
) -> Credited:
    """Return what is credited at each date, on the evidence that the checks leave by then.

    A check that excludes is asked date by date: what was in order in March is not undone in March by what came in
    November.
    """
    summed = {name: each for name, each in workspace.plugins.indicators.items() if each.table}
    summed = {
        name: each
        for name, each in summed.items()
        if needed & {name, f"campaign_{name}", *(f"{name}_{column}" for column in AGAINST_QUOTA)}
    }

    credits = applied(workspace.plugins.credits, workspace.parameters, tables)  # noqa: A001 (the field's word)
    task = None
    if stages_asked(workspace.parameters):
        task = Task(workspace.parameters, tables.units.select("unit", "group"), quotas.at, *ancestors(tables.units))

    def of(days: Sequence[date], excluded: Excluded) -> Credited:
        evidence = without(of_year(tables, config.year, days[-1]), excluded)
        found = credit(
            evidence,
            days,
            config.year.start,
            needed=whole_numbers(needed, config.primary),
            evidence=config.evidence,
            sharing=config.sharing,
            credits=credits,
            parameters=project_columns(credits, workspace.parameters, tables),
            task=task,
        )
        sums = tallies(summed, evidence, found, config.year, workspace.parameters)
        return evolve(found, units={**found.units, **sums})

    excluding = {
        name: check for name, check in workspace.plugins.checks.items() if config.checks.get(name) == "exclude"
    }
    if not excluding:
        return of(dates, {})
    spans: list[tuple[list[date], Excluded]] = []
    for on in dates:
        under = _under(workspace, config, tables, on)
        _findings, excluded = verify(of_year(tables, config.year, on), excluding, config.checks, under)
        if spans and _same(spans[-1][1], excluded):
            spans[-1][0].append(on)
        else:
            spans.append(([on], excluded))
    return joined([of(days, excluded) for days, excluded in spans])


def _under(workspace: Workspace, config: Config, tables: Tables, on: date) -> Circumstances:
    """Return what checks are made under on a day."""
    return Circumstances(config.year, on, workspace.parameters, config.sharing, tables)


def _same(one: Excluded, other: Excluded) -> bool:
    return one.keys() == other.keys() and all(rows.equals(other[name]) for name, rows in one.items())


def _indicators(
    workspace: Workspace, asked: Collection[str] | None, by_default: Collection[str] | None
) -> Collection[str]:
    """Return the indicators to compute: those asked for, those that are by default, or all."""
    every = indicator_schema(workspace.plugins.indicators)
    if asked is None:
        shown = every.keys() - _unsaid(workspace) - _unneeded(workspace)
        return [name for name in every if name in shown and (by_default is None or name in by_default)]
    for name in asked:
        if name not in every:
            found = _("the unknown indicator {name}").format(name=name)
            expected = _("one of {choices}").format(choices=", ".join(every))
            place = Place(key="indicators")
            raise AssessmentError(
                [error("unknown-indicator", place, found=found, expected=expected, nearest=nearest(name, every))]
            )
    return asked


def _unsaid(workspace: Workspace) -> set[str]:
    """Return the columns of the four fixings that the quotas table says nothing of."""
    quotas, fixings = workspace.tables.quotas, fixing_columns(workspace.plugins.indicators)
    said = {name for name in ("stretch", "quality", "deadline") if quotas[name].null_count() < len(quotas)}
    told = {"stretch": ("stretch", "stretch_completion"), "quality": ("quality",), "deadline": ("overdue",)}
    kept = tuple(f"_{column}" for name in said for column in told[name])
    return {name for name in fixings if not (kept and name.endswith(kept))}


def _unneeded(workspace: Workspace) -> set[str]:
    """Return the columns of indicators that nothing in the workspace asks for."""
    indicators, tables = workspace.plugins.indicators, workspace.tables
    with_quotas = set(tables.quotas["indicator"].unique())

    def is_there(need: str) -> bool:
        return bool(workspace.parameters.entries.get(need)) if "." in need else len(getattr(tables, need)) > 0

    left = [
        name
        for name, each in indicators.items()
        if each.needs and name not in with_quotas and not any(map(is_there, each.needs))
    ]
    every = indicator_schema(indicators)
    without = indicator_schema({name: each for name, each in indicators.items() if name not in left})
    return every.keys() - without.keys()


def rulebook(workspace: Workspace) -> Rulebook:
    """Return the rules of a workspace with their parameters, for callers with indicators of their own.

    Raises:
        AssessmentError: the workspace has errors.
    """
    if workspace.errors or workspace.config is None:
        raise AssessmentError(workspace.errors)
    return Rulebook(workspace.plugins.rules, _terms(workspace, workspace.config))


@define(frozen=True, eq=False)
class _Pace:
    """The share a workspace expects on a day; asked once per tick and block, so that each answer is kept.

    Not a function within another: an assessment can be pickled.
    """

    curve: PaceCurve
    config: Config
    _known: dict[date, Fraction] = field(factory=dict, init=False)

    def __call__(self, on: date) -> Fraction:
        """Return the share expected on a day."""
        if on not in self._known:
            year = self.config.year
            after = on > year.end
            self._known[on] = Fraction(1) if after else self.curve.expected(year, on, self.config.pace_points)
        return self._known[on]


def _terms(workspace: Workspace, config: Config) -> Terms:
    return Terms(
        year=config.year,
        campaigns=config.campaigns,
        pace=_Pace(workspace.plugins.pace_curves[config.pace_curve], config),
        primary=config.primary,
        tolerance=config.tolerance,
        indicators=workspace.plugins.indicators,
        parameters=workspace.parameters,
    )


def _payroll(workspace: Workspace, config: Config, evidence: Evidence) -> Payroll:
    tables = evidence.tables
    return Payroll(
        staff=evidence.staff,
        withheld=tables.withheld,
        guards=guards_in_force(workspace.plugins, config.guards),
        parameters=workspace.parameters,
        component=config.pay_component,
        year=config.year.label,
        groups=tables.units.select("unit", "group"),
        subtree=evidence.subtree,
        deposits=tables.deposits,
    )
