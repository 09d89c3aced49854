"""What cases have shown of each rule and of each table: which events, both sides of each bound, which rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from kpi_rules.model import expressions
from kpi_rules.model.calendar import MOMENTS
from kpi_rules.model.wording import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import polars as pl

    from kpi_rules.cases.ground import Ground
    from kpi_rules.model.contributions import Rule

LASTING = ("started", "ended")
ONCE = ("issued",)


@define
class Bound:
    """One comparison (or flag) of a rule's `when` or `until`, and how often it was seen true and false."""

    rule: str
    part: str
    text: str
    yes: int = 0
    no: int = 0


@define
class RuleSeen:
    """A rule: how often each of its events was seen. `superseded` is counted and not asked for."""

    rule: str
    expected: tuple[str, ...]
    events: dict[str, int] = field(factory=dict)
    bounds: list[Bound] = field(factory=list)

    @property
    def never(self) -> list[str]:
        """The events that the rule can have and no case has shown."""
        return [event for event in self.expected if not self.events.get(event)]

    @property
    def one_sided(self) -> list[Bound]:
        """The bounds of which only one side was seen, or none."""
        return [bound for bound in self.bounds if not (bound.yes and bound.no)]


@define
class RowSeen:
    """A row of a policy's table, and how often a case has hit it."""

    indicator: str
    row: str
    hits: int = 0


class Coverage:
    """What was seen, added up over cases and workspaces by the ids of rules and the labels of rows."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.rules: dict[str, RuleSeen] = {}
        self.rows: dict[tuple[str, str], RowSeen] = {}

    def expect(self, ground: Ground, policies: Iterable[str] | None = None) -> None:
        """Name the rules and rows that cases should show; of all policies, or of those named."""
        wanted = None if policies is None else set(policies)
        for rule in ground.book.rules.values():
            if (wanted is None or rule.plugin in wanted) and rule.id not in self.rules:
                bounds = [Bound(rule.id, part, text_of(node)) for part, node in _leaves(rule)]
                self.rules[rule.id] = RuleSeen(rule.id, ONCE if rule.one_off else LASTING, bounds=bounds)
        owners = ground.workspace.plugins.owners
        for name, indicator in ground.indicators.items():
            if wanted is None or owners.get(f"indicator:{name}") in wanted:
                for row in indicator.rows:
                    self.rows.setdefault((name, row), RowSeen(name, row))

    def add_event(self, rule: str, event: str) -> None:
        """Count an event."""
        seen = self.rules.get(rule)
        if seen is not None:
            seen.events[event] = seen.events.get(event, 0) + 1

    def add_rows(self, ground: Ground, frame: pl.DataFrame) -> None:
        """Count the sides of all bounds, and the rows of tables, on a frame that has their columns where known."""
        asked: list[tuple[Bound | RowSeen, pl.Expr]] = []
        for seen in self.rules.values():
            rule = ground.book.rules.get(seen.rule)
            if rule is not None:
                leaves = (expressions.expression_of(node) for _part, node in _leaves(rule))
                asked += zip(seen.bounds, leaves, strict=False)
        asked += [
            (self.rows[name, row], condition)
            for name, indicator in ground.indicators.items()
            for row, condition in indicator.rows.items()
            if (name, row) in self.rows
        ]
        there = set(frame.columns)
        asked = [(counted, each) for counted, each in asked if there.issuperset(each.meta.root_names())]
        if not asked:
            return
        found = frame.select(**{str(place): each for place, (_counted, each) in enumerate(asked)})
        for (counted, _each), column in zip(asked, found.get_columns(), strict=True):
            _count(counted, column)


def _count(counted: Bound | RowSeen, column: pl.Series) -> None:
    yes = int(column.sum() or 0)
    if isinstance(counted, RowSeen):
        counted.hits += yes
    else:
        counted.yes += yes
        counted.no += len(column) - column.null_count() - yes


def columns_read(ground: Ground) -> set[str]:
    """Return every column that bounds and rows of tables read."""
    rules = {
        root
        for rule in ground.book.rules.values()
        for _part, node in _leaves(rule)
        for root in expressions.expression_of(node).meta.root_names()
    }
    rows = {
        root
        for indicator in ground.indicators.values()
        for condition in indicator.rows.values()
        for root in condition.meta.root_names()
    }
    return rules | rows


def _leaves(rule: Rule) -> Iterator[tuple[str, Any]]:
    """Yield the comparisons and flags of a rule's conditions, moments left out, each once."""
    for part, condition in (("when", rule.when), ("until", rule.until)):
        if condition is not None:
            found: Mapping[str, Any] = {text_of(node): node for node in _below(expressions.tree(condition))}
            yield from ((part, node) for node in found.values())


def _below(node: Any) -> Iterator[Any]:  # noqa: ANN401 (a node of polars' JSON)
    if expressions.connective(node) is not None:
        for child in expressions.children(node):
            yield from _below(child)
        return
    kind, held = expressions.kind_of(node)
    is_moment = kind == "Column" and held in MOMENTS
    if not is_moment and expressions.truth(node) is None:
        yield node
