"""Conditions over a large population, span by span: indicators are made, compared and forgotten in the cache.

Most conditions of most policies, once moments and parameters are filled in, compare one of a few indicators with a
number: `completion < 0.5`. For those, completion, pace gap and lag need not be written to memory at all, which is where
most of the time of a large population goes. Whatever else a condition says goes the general way, through polars; both
give the same.
"""

from __future__ import annotations

import operator
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from attrs import define

from kpi_rules.model import expressions
from kpi_rules.pipeline.panel import SPAN

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from fractions import Fraction

    import polars as pl
    from numpy.typing import NDArray

    Columns = Mapping[str, NDArray[Any]]
    Condition = Callable[[Columns], NDArray[np.bool_]]
    Amount = Callable[[Columns], NDArray[np.int64] | int]

DERIVED: Final = frozenset({"completion", "pace_gap", "lag"})

_COMPARISONS: Final[Mapping[str, np.ufunc]] = {
    "Lt": np.less,
    "LtEq": np.less_equal,
    "Gt": np.greater,
    "GtEq": np.greater_equal,
    "Eq": np.equal,
    "NotEq": np.not_equal,
}


_ARITHMETIC: Final[Mapping[str, np.ufunc]] = {
    "Plus": np.add,
    "Minus": np.subtract,
    "Multiply": np.multiply,
    "FloorDivide": np.floor_divide,
    "Modulus": np.remainder,
}


def condition(expression: pl.Expr) -> Condition | None:
    """Return a condition over columns without nulls as a function of arrays, None where it is more than comparisons.

    A comparison has a column on its left and a column or a number on its right; `and`, `or` and `not` join them and
    columns that are conditions themselves.
    """
    return _condition(expressions.tree(expression))


def _condition(node: expressions.Node) -> Condition | None:
    joined = expressions.connective(node)
    parts = expressions.children(node)
    if joined is not None:
        functions = [_condition(part) for part in parts]
        known = [function for function in functions if function is not None]
        if len(known) < len(functions):
            return None
        if joined == "not":
            return lambda columns: ~known[0](columns)
        join = np.logical_and if joined == "and" else np.logical_or
        return lambda columns: reduce(join, (function(columns) for function in known))
    kind, held = expressions.kind_of(node)
    if kind == "Column":  # a moment
        return operator.itemgetter(held)
    if kind != "BinaryExpr" or held["op"] not in _COMPARISONS:
        return None
    return _comparison(_COMPARISONS[held["op"]], *parts)


def _comparison(compare: np.ufunc, left: expressions.Node, right: expressions.Node) -> Condition | None:
    kind, name = expressions.kind_of(left)
    if kind != "Column":
        return None
    kind, other = expressions.kind_of(right)
    if kind == "Column":
        return lambda columns: compare(columns[name], columns[other])
    value = _number(right)
    if value is None:
        return None
    return lambda columns: compare(columns[name], value)


def amount(expression: pl.Expr) -> Amount | None:
    """Return an amount over Int64 columns without nulls as a function of arrays, None where it takes more.

    It is made of columns and whole numbers by `+`, `-`, `*`, and by `//` and `%` with a whole number above 0.
    """
    return _amount(expressions.tree(expression))


def _amount(node: expressions.Node) -> Amount | None:
    kind, held = expressions.kind_of(node)
    if kind == "Column":
        return operator.itemgetter(held)
    value = _number(node)
    if isinstance(value, int):
        return lambda _columns: value
    if kind != "BinaryExpr" or held["op"] not in _ARITHMETIC:
        return None
    left, right, divisor = _amount(held["left"]), _amount(held["right"]), _number(held["right"])
    if left is None or right is None or (held["op"] in {"FloorDivide", "Modulus"} and not (divisor and divisor > 0)):
        return None
    apply = _ARITHMETIC[held["op"]]
    return lambda columns: apply(left(columns), right(columns))


def _number(node: expressions.Node) -> int | float | None:
    """Return the number a literal stands for, None for any other node."""
    kind, held = expressions.kind_of(node)
    if kind != "Literal":
        return None
    named = held.get("Dyn") or held.get("Scalar") or {}
    values = [named[name] for name in ("Int", "Float", "Int64", "Float64") if name in named]
    return values[0] if values else None


@define(frozen=True, eq=False)
class Amounts:
    """Whole numbers of some units at a tick, without nulls, and what they are held against.

    `quota` is exact as a float, as every whole number of the engine is; `lag` is that of the tick before; `read` names
    what conditions read, and `others` has the columns of it that are not made here.
    """

    value: NDArray[np.int64]
    quota: NDArray[np.float64]
    lag: NDArray[np.int16]
    pace: Fraction
    tolerance: float
    month_end: bool
    read: Collection[str]
    others: Columns

    def evaluate(self, conditions: Mapping[str, Condition]) -> tuple[dict[str, NDArray[np.bool_]], NDArray[np.int16]]:
        """Return every condition for every unit, and the lag."""
        units = len(self.value)
        found = {name: np.empty(units, dtype=np.bool_) for name in conditions}
        lag = self.lag.copy()
        buffers = np.empty((3, min(SPAN, units)))
        behind_enough = np.empty(min(SPAN, units), dtype=np.bool_)
        for low in range(0, units, SPAN):
            rows = slice(low, min(low + SPAN, units))
            amount, completion, gap = buffers[:, : rows.stop - low]
            np.copyto(amount, self.value[rows])
            if "completion" in self.read:
                np.divide(amount, self.quota[rows], out=completion)
            if self.month_end or "pace_gap" in self.read:
                self._fall_behind(amount, self.quota[rows], gap)
            if self.month_end:
                lagging = np.greater(gap, self.tolerance, out=behind_enough[: rows.stop - low])
                lag[rows] += 1
                lag[rows] *= lagging
            columns = {name: column[rows] for name, column in self.others.items()}
            columns |= {"completion": completion, "pace_gap": gap, "lag": lag[rows]}
            for name, holds in conditions.items():
                found[name][rows] = holds(columns)
        return found, lag

    def _fall_behind(self, amount: NDArray[np.float64], quota: NDArray[np.float64], gap: NDArray[np.float64]) -> None:
        """Write the pace gap; `amount` is used up."""
        np.multiply(quota, float(self.pace.numerator), out=gap)
        amount *= float(self.pace.denominator)
        gap -= amount
        gap /= np.multiply(quota, float(self.pace.denominator), out=amount)
