"""Conditions as people read them: the tree of an expression with the value of every node on one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from attrs import define

from kpi_rules.locale import _
from kpi_rules.model import expressions
from kpi_rules.model.wording import Value, shown, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl


@define(frozen=True)
class Condition:
    """One node of a condition: what it says, what it is on this row, and what it is made of.

    `kind` is `and`, `or`, `not`, `comparison` or `value`; `value` is the node's value, None where it is not known; the
    `parts` of a comparison are its two sides.
    """

    kind: Literal["and", "or", "not", "comparison", "value"]
    text: str
    value: Value
    parts: tuple[Condition, ...] = ()

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
            return f"{self.text}: {shown(self.value)}"
        figures = [
            f"{part.text} {shown(part.value)}" if part.text != shown(part.value) else part.text for part in self.parts
        ]
        symbol = (
            self.text.removeprefix(self.parts[0].text).removesuffix(self.parts[1].text) if len(self.parts) > 1 else ""
        )
        return f"{symbol.join(figures)}: {shown(self.value)}"


def condition(expression: pl.Expr, row: pl.DataFrame) -> Condition:
    """Return the tree of a condition with the values it has on a frame of one row that holds every column it reads."""
    root = expressions.tree(expression)
    nodes = list(_shown_nodes(root))
    found = row.select(**{str(place): expressions.expression_of(node) for place, node in enumerate(nodes)}).row(0)
    return _build(root, dict(zip(map(_key, nodes), found, strict=True)))


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


def _build(node: Any, values: Mapping[str, Value]) -> Condition:  # noqa: ANN401 (as above)
    kind = _kind(node)
    parts = [_build(child, values) for child in expressions.children(node)] if kind != "value" else []
    if kind in {"and", "or"}:
        parts = [inner for part in parts for inner in (part.parts if part.kind == kind else (part,))]
    return Condition(kind, text_of(node), values[_key(node)], tuple(parts))
