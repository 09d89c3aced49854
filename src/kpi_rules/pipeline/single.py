"""Expressions over a single case, without a frame: for callers who decide one case at a time and cannot wait for one.

A node becomes a Python function of the case. Its meaning is polars' own, three-valued logic included; a node that
has no function here makes the whole expression `None`, and the caller falls back to a frame of one row.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kpi_rules.model import expressions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Case = Mapping[str, Any]
    Function = Callable[[Case], Any]

_OPERATORS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Lt": operator.lt,
    "LtEq": operator.le,
    "Gt": operator.gt,
    "GtEq": operator.ge,
    "Plus": operator.add,
    "Minus": operator.sub,
    "Multiply": operator.mul,
}


def function(expression: pl.Expr) -> Function | None:
    """Return the expression as a function of a case, or None where some node has none."""
    return _function(expressions.tree(expression))


def _function(node: Any) -> Function | None:  # noqa: ANN401 (a node of polars' JSON)
    kind, held = expressions.kind_of(node)
    if kind == "Column":
        return operator.itemgetter(held)
    if kind == "Literal":
        value = pl.select(expressions.expression_of(node)).item()
        return lambda _case: value
    parts = [_function(child) for child in expressions.children(node)]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    joined = expressions.connective(node)
    if kind == "BinaryExpr" and joined is not None:
        return _both(*known) if joined == "and" else _either(*known)
    if joined == "not" and kind == "Function":
        return _opposite(known[0])
    if kind == "BinaryExpr" and held["op"] in _OPERATORS:
        return _strict(_OPERATORS[held["op"]], *known)
    if kind == "BinaryExpr" and held["op"] in {"FloorDivide", "Modulus"}:
        return _whole(held["op"] == "FloorDivide", *known)
    return None


def _both(left: Function, right: Function) -> Function:
    def both(case: Case) -> bool | None:
        first = left(case)
        if first is False:
            return False
        second = right(case)
        return False if second is False else (None if first is None or second is None else True)

    return both


def _either(left: Function, right: Function) -> Function:
    def either(case: Case) -> bool | None:
        first = left(case)
        if first is True:
            return True
        second = right(case)
        return True if second is True else (None if first is None or second is None else False)

    return either


def _opposite(part: Function) -> Function:
    def opposite(case: Case) -> bool | None:
        value = part(case)
        return None if value is None else not value

    return opposite


def _strict(of: Callable[[Any, Any], Any], left: Function, right: Function) -> Function:
    def strict(case: Case) -> Any:  # noqa: ANN401 (a bool or a number, as the operator has it)
        first, second = left(case), right(case)
        return None if first is None or second is None else of(first, second)

    return strict


def _whole(floor: bool, left: Function, right: Function) -> Function:  # noqa: FBT001 (one of two operators)
    def whole(case: Case) -> int | None:
        first, second = left(case), right(case)
        if first is None or second is None or second == 0:
            return None
        found: int = first // second if floor else first % second
        return found

    return whole
