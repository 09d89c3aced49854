"""How the conditions of all rules stand, comparison by comparison: what tells where something may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from attrs import define, field

from kpi_rules.model import expressions
from kpi_rules.model.calendar import MOMENTS
from kpi_rules.model.expressions import expression_of, function_of, kind_of
from kpi_rules.pipeline.derived import Derived
from kpi_rules.pipeline.panel import with_parameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from kpi_rules.pipeline.panel import Panel
    from kpi_rules.pipeline.rulebook import Rulebook

MOST_STEPS: Final = 1000
"""The most steps of a rounded number, over all credits looked at, that are told apart."""

_TAKES_ONE: Final = frozenset({"MinHorizontal", "MaxHorizontal", "Clip"})
_UNKNOWN: Final = 2


@define(frozen=True, eq=False)
class Conditions:
    """The comparisons that rules, their amounts and the indicators they read are made of.

    Each says of a row whether its left side is below, at or above its right side; a number that is rounded says to
    what. As more credit moves most sides one way only, most of them change at most once or twice.
    """

    panel: Panel
    rulebook: Rulebook
    columns: list[str] = field(init=False)
    _nodes: list[list[tuple[str, pl.Expr]]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Find the comparisons of every tick."""
        indicators = self.panel.terms.indicators
        read = self.panel.with_dependencies(self.rulebook.columns)
        object.__setattr__(self, "columns", sorted(read | {"group"}))
        derived = [expressions.tree(indicators[name].value) for name in Derived(indicators).wanted(read)]
        found = []
        for tick in self.panel.ticks:
            bound = self.rulebook.bound(tick.moments, tick.on)
            roots = [*(expressions.tree(each) for each in bound.expressions.values()), *derived]
            told = {name: expr for root in roots for name, expr in _told(root)}
            found.append(sorted(told.items(), key=lambda each: each[0]))
        object.__setattr__(self, "_nodes", found)

    def look(self, frames: Sequence[pl.DataFrame]) -> NDArray[np.float64]:
        """Return for each row how everything stands, one number for each comparison and tick; equal where it is equal.

        A number that is rounded is counted in steps of its rounding.

        Args:
            frames: the panel of each tick.
        """
        found = [np.zeros((len(frames[0]), 1))]
        for tick, nodes, frame in zip(self.panel.ticks, self._nodes, frames, strict=True):
            names = {root for _name, each in nodes for root in each.meta.root_names()}
            here = frame.with_columns(pl.lit(name in tick.moments).alias(name) for name in names.intersection(MOMENTS))
            here = with_parameters(here, self.panel.terms.parameters, tick.on, names)
            found += [_standing(here, each)[:, None] for _name, each in nodes]
        return np.concatenate(found, axis=1)


def few(standing: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which columns of what `look` gives for rising credits change seldom enough for each change to be found: the
    others are amounts rounded to the fen, and rise as good as steadily.
    """
    seldom: NDArray[np.bool_] = np.abs(np.diff(standing, axis=0)).sum(axis=0) <= MOST_STEPS
    return seldom


def _standing(frame: pl.DataFrame, expression: pl.Expr) -> NDArray[np.float64]:
    """Return what an expression is on every row, the same number for everything where it cannot be said."""
    try:
        found = frame.select(pl.repeat(0.0, pl.len()) + expression.cast(pl.Float64)).to_series()
    except pl.exceptions.PolarsError:  # texts that are no numbers: they do not go by credit
        return np.zeros(len(frame))
    values: NDArray[np.float64] = found.fill_null(_UNKNOWN).fill_nan(_UNKNOWN).to_numpy()
    return values


def _told(root: expressions.Node) -> Iterator[tuple[str, pl.Expr]]:
    """Yield what tells where an expression may change, by name."""
    for node in expressions.walk(root):
        for each in _of_node(node):
            if each.meta.root_names():
                yield str(each), each


def _of_node(node: expressions.Node) -> Iterator[pl.Expr]:
    kind, held = kind_of(node)
    below = expressions.children(node)
    if expressions.comparison(node) is not None:
        yield _sign(*below)
    elif kind == "Ternary":
        yield expression_of(held["predicate"])
    elif kind == "Cast" or (kind == "BinaryExpr" and held["op"] == "FloorDivide"):
        if not _goes_round(node):
            yield expression_of(node).floor()
    elif kind == "Function":
        yield from _of_function(node, function_of(held), below)


def _goes_round(node: expressions.Node) -> bool:
    """Say whether a remainder is in a node: the last part of an exact share, which is rounded to the fen."""
    return any(
        kind_of(each)[0] == "BinaryExpr" and kind_of(each)[1]["op"] == "Modulus" for each in expressions.walk(node)
    )


def _of_function(node: expressions.Node, name: str, below: Sequence[expressions.Node]) -> Iterator[pl.Expr]:
    if name == "Boolean.IsBetween" or name in _TAKES_ONE:
        yield from (_sign(below[0], bound) for bound in below[1:])
    elif name == "Boolean.IsIn":
        yield from (_sign(below[0], expressions.literal(value)) for value in expressions.listed(below[1]))
    elif name == "Abs":
        yield _sign(below[0], expressions.literal(0))
    elif name in {"Floor", "Ceil"}:
        yield expression_of(node)
    elif name == "Round":
        _kind, held = kind_of(node)
        yield expression_of(node) * 10 ** int(held["function"]["Round"]["decimals"])


def _sign(left: expressions.Node, right: expressions.Node) -> pl.Expr:
    """Return -1 where the left side is below the right, 0 where it equals it, 1 where it is above; null if unknown."""
    one, other = expression_of(left), expression_of(right)
    return (one > other).cast(pl.Int8) - (one < other).cast(pl.Int8)
