"""An assessment under edits: what its rules would give, on the evidence that was gathered for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import evolve

from kpi_rules.model.columns import quota_indicators
from kpi_rules.pipeline.assess import assess, evidence_parameters, on_evidence, rulebook
from kpi_rules.pipeline.derived import Derived
from kpi_rules.pipeline.panel import QuotaBook
from kpi_rules.pipeline.source import AGAINST_QUOTA, whole_numbers
from kpi_rules.pipeline.task import stages_asked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kpi_rules.pipeline.assess import Evidence
    from kpi_rules.pipeline.result import Assessment
    from kpi_rules.workspace.edits import Edit
    from kpi_rules.workspace.workspace import Workspace


def what_if(assessment: Assessment, edits: Iterable[Edit] | Mapping[str, object]) -> Assessment:
    """Return what an assessment would be under edits; see `Assessment.what_if`."""
    before = assessment.workspace
    after = before.with_parameters(edits) if isinstance(edits, Mapping) else before.with_edits(edits)
    evidence = _kept(assessment, after)
    if evidence is not None:
        return on_evidence(evidence, after)
    as_of, known_at = assessment.as_of, assessment.known_at
    return assess(after, as_of, known_at, assessment.decisions, indicators=(), whole_panel=False)


def _kept(assessment: Assessment, after: Workspace) -> Evidence | None:
    """Return the evidence as it is under edits; None where they may change what is credited or found in it."""
    before, evidence = assessment.workspace, evolve(assessment.evidence, indicators=(), whole_panel=False)
    if after.errors or not _same_policies(before, after):
        return None
    old, new = before.parameters.entries, after.parameters.entries
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    if changed & evidence_parameters(after) or not _is_credited(evidence, after):
        return None
    quotas = after.tables.quotas
    if quotas.drop("row").equals(before.tables.quotas.drop("row")):
        return evidence
    plugins = after.plugins
    checked = any(check.table == "quotas" for check in plugins.checks.values())
    summed = any(each.table == "quotas" for each in plugins.indicators.values())
    if checked or summed or stages_asked(after.parameters):
        return None
    tables = evolve(evidence.tables, quotas=quotas)
    book = QuotaBook(quotas, tables.units["unit"], quota_indicators(plugins.indicators))
    return evolve(evidence, tables=tables, source=evolve(evidence.source, quotas=book))


def _same_policies(before: Workspace, after: Workspace) -> bool:
    """Say whether two workspaces differ at most in rules switched off, parameters, and quotas."""
    return (
        before.config is not None
        and after.config is not None
        and evolve(before.config, off=()) == evolve(after.config, off=())
    )


def _is_credited(evidence: Evidence, after: Workspace) -> bool:
    """Say whether all that the rules read was summed up: a rule that was off may read more."""
    config, indicators = after.config, after.plugins.indicators
    if config is None:
        return False
    needed = Derived(indicators).closure({*rulebook(after).columns, config.primary})
    sums = {
        name
        for name, each in indicators.items()
        if each.table and needed & {name, f"campaign_{name}", *(f"{name}_{column}" for column in AGAINST_QUOTA)}
    }
    return evidence.source.credited.units.keys() >= whole_numbers(needed, config.primary) | sums
