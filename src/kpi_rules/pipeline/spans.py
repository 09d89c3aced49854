"""Conditions over a large population, span by span: indicators are made, compared and forgotten in the cache.

Most conditions of most policies, once moments and parameters are filled in, compare one of a few indicators with a
number: `completion < 0.5`. For those, completion, pace gap and lag need not be written to memory at all, which is where
most of the time of a large population goes. Others are formulas, also over what formulas make of the columns. Whatever
else a condition says goes the general way, through polars; all give the same.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from attrs import define

from kpi_rules.model import expressions
from kpi_rules.pipeline.columns import Figures, PerGroup, joined
from kpi_rules.pipeline.formulas import COMPARISONS, Columns, Formula, UnfitError
from kpi_rules.pipeline.panel import SPAN

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    import polars as pl
    from numpy.typing import NDArray

    Given = Mapping[str, Any]  # arrays, `PerGroup`, or what formulas have besides
    Condition = Callable[[Given], NDArray[np.bool_]]

RATIOS: Final = ("completion", "pace_gap")
DERIVED: Final = frozenset({*RATIOS, "lag"})

SCALED_VALUE, SCALED_QUOTA = "value x denominator of the pace", "quota x denominator of the pace"
"""Columns of a span: exact as floats, with the same quotient as value and quota."""

QUOTIENTS: Final = {"completion": (SCALED_VALUE, SCALED_QUOTA)}


def condition(expression: pl.Expr, quotients: Mapping[str, tuple[str, str]] | None = None) -> Condition | None:
    """Return a condition over columns without nulls as a function of arrays, None where it is more than comparisons.

    A comparison has a column on its left and a column or a number on its right; `and`, `or` and `not` join them and
    columns that are conditions themselves.

    Args:
        expression: the condition.
        quotients: columns that are the quotient of two others, exact as floats. It rounds to 1 where both are equal
            and nowhere else, so that the two are compared where the quotient is held against 1.
    """
    return _condition(expressions.tree(expression), quotients or {})


def _condition(node: expressions.Node, quotients: Mapping[str, tuple[str, str]]) -> Condition | None:
    joined = expressions.connective(node)
    parts = expressions.children(node)
    if joined is not None:
        functions = [_condition(part, quotients) for part in parts]
        known = [function for function in functions if function is not None]
        if len(known) < len(functions):
            return None
        if joined == "not":
            return lambda columns: ~known[0](columns)
        join = np.logical_and if joined == "and" else np.logical_or
        return lambda columns: reduce(join, (function(columns) for function in known))
    kind, held = expressions.kind_of(node)
    if kind == "Column":  # a moment
        return lambda columns: _column(columns, held)
    if kind != "BinaryExpr" or held["op"] not in COMPARISONS:
        return None
    return _comparison(COMPARISONS[held["op"]], parts[0], parts[1], quotients)


def _comparison(
    compare: np.ufunc, left: expressions.Node, right: expressions.Node, quotients: Mapping[str, tuple[str, str]]
) -> Condition | None:
    kind, name = expressions.kind_of(left)
    if kind != "Column":
        return None
    kind, other = expressions.kind_of(right)
    if kind == "Column":
        return lambda columns: _compared(compare, _column(columns, name), columns[other])
    value = expressions.number(right)
    if value is None:
        return None
    if value == 1 and name in quotients:
        above, below = quotients[name]
        return lambda columns: compare(columns[above], columns[below])
    return lambda columns: compare(_column(columns, name), value)


def _column(columns: Given, name: str) -> NDArray[Any]:
    """Return a column also where it is a parameter that stands elsewhere than on the right of a comparison."""
    found = columns[name]
    return found.column() if isinstance(found, PerGroup) else found


def _compared(compare: np.ufunc, left: NDArray[Any], right: NDArray[Any] | PerGroup) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (
        right.held_against(compare, left) if isinstance(right, PerGroup) else compare(left, right)
    )
    return found


@define(frozen=True, eq=False)
class Amounts:
    """Whole numbers of the units of a block at a tick, without nulls, and what they are held against.

    `pace` is the share expected as two whole numbers whose products with any amount are exact as floats. `lag` is that
    of the tick before, and becomes that of this one where `month_end` says so. `others` are the other columns that are
    there, and `formulas` make those that are not.
    """

    value: NDArray[np.int64]
    quota: NDArray[np.int64]
    pace: tuple[int, int]
    lag: NDArray[np.integer[Any]]
    month_end: bool
    others: Given
    formulas: Callable[[str], Formula | None]


class Spans:
    """The units of a block, span by span, from tick to tick: what is made of their quotas, and room for the rest."""

    def __init__(self, tolerance: float, units: int) -> None:
        """Make room."""
        self.tolerance = tolerance
        self.rooms = dict(zip((SCALED_VALUE, *RATIOS), np.empty((3, min(SPAN, units))), strict=True))
        self.behind = np.empty(min(SPAN, units), dtype=np.bool_)
        self.quota, self.scaled = np.empty((2, units))
        self._made_of: tuple[int, int] | None = None

    def evaluate(
        self, amounts: Amounts, conditions: Mapping[str, Condition | Formula], kept: Collection[str]
    ) -> tuple[dict[str, Figures], dict[str, NDArray[np.float64]]]:
        """Return every condition for every unit, and the columns of `kept`, some of `RATIOS`; carry the lag on.

        Raises:
            UnfitError: a formula does not fit the amounts; the lag is as it was.
        """
        units = len(amounts.value)
        made_of = amounts.quota.ctypes.data, amounts.pace[1]  # a view of the very same column, most of the time
        if made_of != self._made_of:
            np.copyto(self.quota, amounts.quota)
            np.multiply(self.quota, amounts.pace[1], out=self.scaled)
            self._made_of = made_of
        parts: dict[str, list[Figures]] = {name: [] for name in conditions}
        ratios = {name: np.empty(units) for name in kept}
        unfit = any(isinstance(holds, Formula) for holds in conditions.values())
        before = amounts.lag.copy() if unfit else amounts.lag
        spans = [slice(low, min(low + SPAN, units)) for low in range(0, units, SPAN)]
        try:
            for rows in spans:
                columns = _Span(self, amounts, rows, ratios)
                for name, holds in conditions.items():
                    parts[name].append(holds.of(columns) if isinstance(holds, Formula) else Figures(holds(columns)))
                for name in (*kept, *(("lag",) if amounts.month_end else ())):
                    columns[name]
        except UnfitError:
            amounts.lag[:] = before
            raise
        sizes = [rows.stop - rows.start for rows in spans]
        return {name: joined(each, sizes) for name, each in parts.items()}, ratios


class _Span(Columns):
    """The columns of a span, those that units are held against their quotas by among them."""

    def __init__(self, spans: Spans, amounts: Amounts, rows: slice, ratios: Mapping[str, NDArray[np.float64]]) -> None:
        super().__init__(amounts.others, amounts.formulas, rows)
        self._spans, self._amounts, self._ratios = spans, amounts, ratios

    def _made(self, name: str) -> Any:  # noqa: ANN401 (as its base has it)
        expected, scale = map(float, self._amounts.pace)
        match name:
            case "value x denominator of the pace":
                np.multiply(self._amounts.value[self._rows], scale, out=self._room(name))
            case "quota x denominator of the pace":
                return self._spans.scaled[self._rows]
            case "completion":
                np.divide(self[SCALED_VALUE], self[SCALED_QUOTA], out=self._room(name))
            case "pace_gap":
                gap = self._room(name)
                np.multiply(self._spans.quota[self._rows], expected, out=gap)
                gap -= self[SCALED_VALUE]
                gap /= self[SCALED_QUOTA]
            case "lag":
                return self._lag()
            case _:
                return super()._made(name)
        return self._room(name)

    def _room(self, name: str) -> NDArray[np.float64]:
        """Return where a column goes: among those that are kept, or where that of the span before was."""
        kept: NDArray[np.float64] | None = self._ratios.get(name)
        return self._spans.rooms[name][: self._rows.stop - self._rows.start] if kept is None else kept[self._rows]

    def _lag(self) -> NDArray[np.integer[Any]]:
        lag = self._amounts.lag[self._rows]
        if self._amounts.month_end:
            behind = np.greater(self["pace_gap"], self._spans.tolerance, out=self._spans.behind[: len(lag)])
            lag += 1
            lag *= behind.view(np.uint8)
        return lag
