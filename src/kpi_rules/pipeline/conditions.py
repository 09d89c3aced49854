"""Conditions as people read them: the tree of an expression with the value of every node on one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from attrs import define

from kpi_rules.locale import _
from kpi_rules.model import expressions
from kpi_rules.model.money import format_amount
from kpi_rules.model.wording import Value, renamed, shown, text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import polars as pl


@define(frozen=True)
class Condition:
    """One node of a condition: what it says, what it is on this row, and what it is made of.

    `text` has columns by their names, `said` as they are called in the user's language. `kind` is `and`, `or`, `not`,
    `comparison` or `value`; `value` is the node's value, None where it is not known; the `parts` of a comparison are
    its two sides; `is_money` says that these are fen, shown as people write amounts.
    """

    kind: Literal["and", "or", "not", "comparison", "value"]
    text: str
    said: str
    value: Value
    parts: tuple[Condition, ...] = ()
    is_money: bool = False

    def to_dict(self) -> dict[str, object]:
        """Return the node and all below it as plain data."""
        return {
            "kind": self.kind,
            "text": self.text,
            "value": self.value,
            "parts": [part.to_dict() for part in self.parts],
        }

    def lines(self, depth: int = 0) -> list[str]:
        """Return the tree as indented lines, each with its value in words."""
        if self.kind in {"comparison", "value"}:
            return ["  " * depth + self._leaf()]
        heads = {"and": _("all of these"), "or": _("at least one of these"), "not": _("the opposite of this")}
        head = f"{heads[self.kind]}: {shown(self.value)}"
        return ["  " * depth + head, *(line for part in self.parts for line in part.lines(depth + 1))]

    def _leaf(self) -> str:
        if self.kind == "value":
            return f"{self.said}: {shown(self.value)}"
        figures = [
            f"{part.said} {self._side(part)}" if part.said != shown(part.value) else self._side(part)
            for part in self.parts
        ]
        symbol = (
            self.said.removeprefix(self.parts[0].said).removesuffix(self.parts[1].said) if len(self.parts) > 1 else ""
        )
        return f"{symbol.join(figures)}: {shown(self.value)}"

    def _side(self, part: Condition) -> str:
        return format_amount(part.value) if self.is_money and isinstance(part.value, int) else shown(part.value)


def condition(
    expression: pl.Expr, row: pl.DataFrame, money: Collection[str] = (), called: Mapping[str, str] | None = None
) -> Condition:
    """Return the tree of a condition with the values it has on a frame of one row that holds every column it reads.

    Args:
        expression: the condition.
        row: one row.
        money: columns that hold fen.
        called: what columns are called; any other goes by its name.
    """
    root = expressions.tree(expression)
    nodes = list(_shown_nodes(root))
    found = row.select(**{str(place): expressions.expression_of(node) for place, node in enumerate(nodes)}).row(0)
    return _build(root, dict(zip(map(_key, nodes), found, strict=True)), money, called or {})


def _key(node: Any) -> str:  # noqa: ANN401 (a node of polars' JSON)
    return str(node)


def _shown_nodes(node: Any) -> list[Any]:  # noqa: ANN401 (as above)
    below = expressions.children(node) if _kind(node) != "value" else []
    return [node, *(found for child in below for found in _shown_nodes(child))]


def _kind(node: Any) -> Literal["and", "or", "not", "comparison", "value"]:  # noqa: ANN401 (as above)
    joined = expressions.connective(node)
    if joined is not None:
        return joined
    return "comparison" if expressions.comparison(node) is not None else "value"


def _build(
    node: Any,  # noqa: ANN401 (as above)
    values: Mapping[str, Value],
    money: Collection[str],
    called: Mapping[str, str],
) -> Condition:
    kind = _kind(node)
    parts = [_build(child, values, money, called) for child in expressions.children(node)] if kind != "value" else []
    if kind in {"and", "or"}:
        parts = [inner for part in parts for inner in (part.parts if part.kind == kind else (part,))]
    is_money = kind == "comparison" and all(_of_money(child, money) for child in expressions.children(node))
    text = text_of(node)
    said = text_of(renamed(node, called)) if called else text
    return Condition(kind, text, said, values[_key(node)], tuple(parts), is_money and _reads(node))


def _of_money(node: Any, money: Collection[str]) -> bool:  # noqa: ANN401 (as above)
    """Say whether a side is an amount, or a number beside one: sums and multiples of amounts are, quotients are not."""
    roots = expressions.expression_of(node).meta.root_names()
    return all(name in money for name in roots) and "/" not in text_of(node)


def _reads(node: Any) -> bool:  # noqa: ANN401 (as above)
    return bool(expressions.expression_of(node).meta.root_names())
