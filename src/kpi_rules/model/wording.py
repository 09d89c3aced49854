"""Expressions as people read and write them: `completion < field_duty.off_post_below`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kpi_rules.locale import _
from kpi_rules.model import expressions
from kpi_rules.model.contributions import SCALED, exact_share
from kpi_rules.model.rounding import step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_rules.model.expressions import Node

Value = bool | int | float | str | None

_SYMBOLS: Final[Mapping[str, str]] = {
    "Eq": "=",
    "NotEq": "≠",
    "EqValidity": "=",
    "NotEqValidity": "≠",
    "Lt": "<",
    "LtEq": "≤",
    "Gt": ">",
    "GtEq": "≥",
    "Plus": "+",
    "Minus": "-",
    "Multiply": "x",
    "TrueDivide": "/",
    "Divide": "/",
    "FloorDivide": "//",
    "Modulus": "mod",
}

_CALLED: Final[Mapping[str, str]] = {
    "Abs": "abs",
    "Ceil": "ceil",
    "Floor": "floor",
    "Round": "round",
    "MinHorizontal": "least",
    "MaxHorizontal": "greatest",
    "StringExpr.StartsWith": "starts_with",
    "StringExpr.EndsWith": "ends_with",
    "TemporalExpr.Year": "year",
    "TemporalExpr.Month": "month",
    "TemporalExpr.Day": "day",
    "TemporalExpr.Quarter": "quarter",
}
"""Functions by the name that a condition written as text has for them."""


def shown(value: Value) -> str:
    """Write a value: a ratio with six significant places, anything else as it is."""
    if value is None:
        return _("not known")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def in_words(expression: pl.Expr, called: Mapping[str, str] | None = None) -> str:
    """Write an expression, such as the condition of a rule, as people write conditions.

    Args:
        expression: what is written.
        called: what columns are called, as `columns_called` has it; any other column goes by its name.
    """
    node = expressions.tree(expression)
    return text_of(renamed(node, called) if called else node)


def renamed(node: Node, called: Mapping[str, str]) -> Node:
    """Return a node with its columns renamed, wherever they stand."""
    if isinstance(node, list):
        return [renamed(each, called) for each in node]
    if not isinstance(node, dict):
        return node
    if node.keys() == {"Column"}:
        return {"Column": called.get(node["Column"], node["Column"])}
    return {key: renamed(each, called) for key, each in node.items()}


def text_of(node: Node) -> str:
    """Write a node as people write conditions: `completion < field_duty.off_post_below`."""
    stepped = step(node)
    if stepped is not None:
        digits = f", {stepped.digits}" if stepped.digits else ""
        return f"{stepped.name}({text_of(stepped.of)}{digits})"
    operator = expressions.comparison(node)
    if operator is not None:
        left, right = expressions.children(node)
        return f"{text_of(left)} {_SYMBOLS[operator]} {text_of(right)}"
    joined = expressions.connective(node)
    return _joined(node, joined) if joined is not None else _value(node)


def _value(node: Node) -> str:
    kind, held = expressions.kind_of(node)
    match kind:
        case "Column":
            return str(held).removesuffix(SCALED)
        case "BinaryExpr" if held["op"] in _SYMBOLS:
            return _share(node) or f"({text_of(held['left'])} {_SYMBOLS[held['op']]} {text_of(held['right'])})"
        case "Literal":
            value = pl.select(expressions.expression_of(node))
            return _literal(value.item()) if value.height == 1 else str(expressions.expression_of(node))
        case "Cast":
            return text_of(held["expr"])
        case "Ternary":
            return _choice(held)
        case "Function" if (called := _call(held)) is not None:
            return called
    return str(expressions.expression_of(node))


def _literal(value: Value) -> str:
    """Write a number as it was written: a bound is never rounded."""
    return f"{value:.15g}" if isinstance(value, float) else shown(value)


def _joined(node: Node, joined: str) -> str:
    inner = [text_of(child) for child in expressions.children(node)]
    if joined == "not":
        return _("not ({condition})").format(condition=inner[0])
    words = {"and": _(" and "), "or": _(" or ")}
    return "(" + words[joined].join(inner) + ")"


def _call(held: Mapping[str, Any]) -> str | None:
    """Write a function as the text of a condition has it; None where that has none."""
    name = expressions.function_of(held)
    if name in {"Boolean.IsNull", "Boolean.IsNotNull"}:
        known = _("{value} is null") if name == "Boolean.IsNull" else _("{value} is not null")
        return known.format(value=text_of(held["input"][0]))
    if name == "Boolean.IsIn":
        of_literals = expressions.kind_of(held["input"][1])[0] == "Literal"
        choices = [shown(each) for each in expressions.listed(held["input"][1])] if of_literals else []
        listed = ", ".join(choices) if of_literals else text_of(held["input"][1])
        return _("{value} in ({choices})").format(value=text_of(held["input"][0]), choices=listed)
    if name not in _CALLED:
        return None
    inputs = [text_of(child) for child in held["input"]]
    if name == "Round" and (digits := held["function"]["Round"]["decimals"]):
        inputs.append(str(digits))
    return f"{_CALLED[name]}({', '.join(inputs)})"


def _choice(held: Mapping[str, Any]) -> str:
    """Write CASE, and a division that is null where its divisor is 0 as the division alone."""
    kind, inner = expressions.kind_of(held["truthy"])
    falsy = _is_null(held["falsy"])
    if kind == "BinaryExpr" and falsy and held["predicate"] == _not_zero(inner["right"]):
        return text_of(held["truthy"])
    when, then = text_of(held["predicate"]), text_of(held["truthy"])
    if falsy:
        return _("case when {when} then {then} end").format(when=when, then=then)
    otherwise = text_of(held["falsy"])
    return _("case when {when} then {then} else {otherwise} end").format(when=when, then=then, otherwise=otherwise)


def _is_null(node: Node) -> bool:
    kind, held = expressions.kind_of(node)
    return kind == "Literal" and isinstance(held, dict) and "Null" in held.get("Scalar", {})


def _not_zero(divisor: Node) -> Node:
    return {"BinaryExpr": {"left": divisor, "op": "NotEq", "right": {"Literal": {"Dyn": {"Int": 0}}}}}


def _share(node: Node) -> str | None:
    """Write the exact product that `share_of` makes as the call it was; None for anything else."""
    try:
        product = node["BinaryExpr"]["left"]["BinaryExpr"]["left"]["BinaryExpr"]
        amount, exact = product["left"], product["right"]["BinaryExpr"]["left"]
    except (KeyError, TypeError):
        return None
    made = exact_share(expressions.as_written(exact), expressions.as_written(amount))
    if expressions.tree(made) != node:
        return None
    kind, held = expressions.kind_of(exact)
    rate = text_of(exact) if kind == "Column" else _billionths(held)
    return f"share_of({rate}, {text_of(amount)})"


def _billionths(held: Mapping[str, Any]) -> str:
    from decimal import Decimal

    return f"{(Decimal(held['Scalar']['Int64']) / 10**9).normalize():f}"
