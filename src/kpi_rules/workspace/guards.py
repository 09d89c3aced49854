"""Guards in a workspace: the columns they may read, what `[guards]` of `kpi.toml` says, and the guards as they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, Literal

import polars as pl
from attrs import define

from kpi_rules.locale import _, translate
from kpi_rules.model.problems import nearest
from kpi_rules.workspace.config_schema import Issue, one_of, shown, structure
from kpi_rules.workspace.schemas import SCHEMAS

if TYPE_CHECKING:
    from kpi_rules.hooks.manager import Plugins
    from kpi_rules.model.contributions import Guard, GuardEffect
    from kpi_rules.model.expressions import Schema
    from kpi_rules.model.problems import Problem
    from kpi_rules.workspace.config_lines import Lines

Choice = Literal["block", "warn"]

MEASURE: Final[Mapping[str, type[pl.DataType]]] = {
    "rule": pl.String,
    "kind": pl.String,
    "subject": pl.String,
    "unit": pl.String,
    "group": pl.String,
    "unit_kind": pl.String,
    "started": pl.Date,
    "person": pl.String,
    "grade": pl.String,
    "category": pl.String,
    "amount": pl.Int64,
    "has_end": pl.Boolean,
    "withholds": pl.Boolean,
    "forfeits": pl.Boolean,
    "months": pl.Int64,
    "into": pl.String,
    "from_projects": pl.Boolean,
    "keeps_handovers": pl.Boolean,
    "deputy": pl.String,
    "handed_over_on": pl.Date,
}
"""A measure and one of the persons it falls on, as guards about measures and rewards read it.

`unit_kind` is the unit's kind; `person`, `grade`, `category` are null where nobody is there; `amount` is fen, null
without one; `has_end` says whether the rule has an end condition, `withholds` whether it withholds pay or collects
deposits from it, `forfeits` whether it forfeits deposits; `months` is its
fixed length and `into` the account its money is booked to, both null where it has none; `from_projects` says whether
its amount is computed from money that projects brought in. `keeps_handovers` says whether the workspace has a table of
hand-overs; `deputy` and `handed_over_on` are of the first of the unit's that lasts on the start or comes after it.
"""

INDICATOR: Final[Mapping[str, type[pl.DataType]]] = {
    "indicator": pl.String,
    "kind": pl.String,
    "label": pl.String,
    "reads": pl.String,
    "sources": pl.String,
}
"""An indicator that a policy or `kpi.toml` adds; `reads` names what it is computed from, separated by spaces."""

EVIDENCE: Final[Mapping[str, type[pl.DataType]]] = {
    "table": pl.String,
    "key": pl.String,
    **dict.fromkeys(("recorded_on", "revoked_on"), pl.Date),
    **dict.fromkeys(("recorded_by", "revoked_by", "revoked_for"), pl.String),
}
"""A row of any table with `recorded_on`: what it is, and who recorded and revoked it, when and why."""


def guard_schema(guard: Guard, settings: Schema) -> Schema:
    """Return the columns a guard may read: those of its frame, and parameters where rows have a peer group."""
    if guard.about == "indicator":
        return INDICATOR
    if guard.about == "evidence":
        return EVIDENCE
    if guard.about in {"measure", "reward"}:
        return {**MEASURE, **settings}
    table = "staff" if guard.about == "pay" else "quotas"
    own = {name: dtype for name, dtype in SCHEMAS[table].dtypes.items() if name != "row"}
    units = {} if table == "staff" else {"unit_name": pl.String, "unit_kind": pl.String}
    return {**own, **units, "group": pl.String, **settings}


def message_schema(guard: Guard, settings: Schema) -> Schema:
    """Return the columns a guard's message may name."""
    return {**guard_schema(guard, settings), **({"evidence": pl.String} if guard.about == "reward" else {})}


@define(frozen=True)
class GuardSection:
    """An entry of `[guards]`: what a guard does instead of its own effect, and the legal basis for lowering it."""

    effect: Choice
    basis: str = ""


def guard_sections(raw: object) -> tuple[Mapping[str, GuardSection], list[Issue]]:
    """Read `[guards]`: each entry a table with `effect` and `basis`, or the effect alone."""
    if not isinstance(raw, Mapping):
        return {}, [Issue(("guards",), "wrong-kind", shown(raw), _("a section [guards]"))]
    sections: dict[str, GuardSection] = {}
    issues: list[Issue] = []
    for name, entry in raw.items():
        written = {"effect": entry} if isinstance(entry, str) else entry
        section, wrong = structure(written, GuardSection)
        issues += [issue.under("guards", name) for issue in wrong]
        if section is not None:
            sections[name] = section
    return sections, issues


def guard_issues(sections: Mapping[str, GuardSection], guards: Mapping[str, Guard]) -> Iterator[Issue]:
    """Check `[guards]` against the guards there are, once the policies are loaded."""
    for name, section in sections.items():
        guard = guards.get(name)
        if guard is None:
            expected = one_of(guards) if guards else _("none, as there are none")
            found = _("the unknown guard {name}").format(name=shown(name))
            yield Issue(("guards", name), "unknown-guard", found, expected, nearest(name, guards))
        elif section.effect == "block" and guard.about not in {"pay", "measure"}:
            found = _('"block" for {name}, which looks at {about} and blocks nothing')
            found = found.format(name=name, about=guard.about)
            yield Issue(("guards", name, "effect"), "unknown-choice", found, one_of(('"warn"',)))
        elif section.effect == "warn" and guard.effect == "block" and not section.basis.strip():
            sources = ", ".join(guard.sources) or guard.name
            found = _("a block lowered to a warning without a legal basis ({sources})").format(sources=sources)
            expected = _('the provision that allows it, such as {name} = {{effect = "warn", basis = "..."}}')
            yield Issue(("guards", name, "basis"), "missing-basis", found, expected.format(name=name))


@define(frozen=True, eq=False)
class GuardInForce:
    """A guard as it holds in a workspace: its effect, and the legal basis by which a block became a warning.

    `domain` is the package whose catalogue translates its texts.
    """

    guard: Guard
    effect: GuardEffect
    basis: str = ""
    domain: str = ""

    @property
    def name(self) -> str:
        """The guard's id."""
        return self.guard.name

    @property
    def limit(self) -> pl.Expr | None:
        """What a guard about pay leaves to be withheld, in fen; None for no limit."""
        if self.effect == "block" and self.guard.effect == "block":
            return pl.lit(0, pl.Int64) if self.guard.withholdable is None else self.guard.withholdable
        if self.effect == "block":  # a warning that the workspace made a block
            return pl.lit(0, pl.Int64)
        return self.guard.with_basis

    def text(self, message: str = "") -> str:
        """Return the guard's message, or another of its texts, in the user's language."""
        return translate(message or self.guard.message, self.domain)


def guards_in_force(plugins: Plugins, sections: Mapping[str, GuardSection]) -> dict[str, GuardInForce]:
    """Return the guards of a workspace by id, each with the effect that `kpi.toml` or else it itself gives it."""
    found = {}
    for name, guard in plugins.guards.items():
        section = sections.get(name)
        domain = plugins.domains.get(plugins.owners.get(f"guard:{name}", ""), "")
        effect: GuardEffect = guard.effect if section is None else section.effect
        basis = section.basis.strip() if section is not None and effect != guard.effect else ""
        found[name] = GuardInForce(guard, effect, basis, domain)
    return found


def guard_problems(sections: Mapping[str, GuardSection], plugins: Plugins, file: str, lines: Lines) -> list[Problem]:
    """Return what is wrong with `[guards]`, each with its place."""
    return [issue.problem(file, lines) for issue in guard_issues(sections, plugins.guards)]
