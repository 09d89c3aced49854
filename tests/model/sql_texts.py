"""Random conditions, amounts and ratios, each as text and as the same polars expression, and frames to try them on."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import polars as pl
from attrs import define
from hypothesis import strategies as st

from kpi_rules.model import rounding

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Mapping[str, type[pl.DataType]] = {
    "lag": pl.Int64,
    "funds": pl.Int64,
    "completion": pl.Float64,
    "local.below": pl.Float64,
    "at_year_end": pl.Boolean,
    "group": pl.String,
}

VALUES = {
    "lag": st.none() | st.integers(-3, 3),
    "funds": st.none() | st.integers(0, 2 * 10**13),
    "completion": st.none() | st.sampled_from([0.0, 0.3, 0.5, 1 / 3, 1.0, 1.2]),
    "local.below": st.none() | st.sampled_from([0.0, 0.3, 0.5]),
    "at_year_end": st.none() | st.booleans(),
    "group": st.none() | st.sampled_from(["", "a", "b", "ab"]),
}

FRAMES = st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=6).map(
    lambda rows: pl.DataFrame(rows, schema=dict(COLUMNS))
)


@define(frozen=True, eq=False)
class Pair:
    """A text and the expression that Python has for it."""

    text: str
    expression: pl.Expr
    type: type[pl.DataType]


_COMPARED = {
    "<": pl.Expr.lt,
    "<=": pl.Expr.le,
    ">": pl.Expr.gt,
    ">=": pl.Expr.ge,
    "=": pl.Expr.eq,
    "<>": pl.Expr.ne,
}
_COMPUTED = {"+": pl.Expr.add, "-": pl.Expr.sub, "*": pl.Expr.mul}


def _column(name: str) -> Pair:
    return Pair(name, pl.col(name), COLUMNS[name])


def _number(value: int) -> Pair:
    return Pair(str(value), pl.lit(value, pl.Int64), pl.Int64)


def _decimal(hundredths: int) -> Pair:
    return Pair(f"{hundredths / 100:.2f}", pl.lit(hundredths / 100), pl.Float64)


def _computed(parts: tuple[Pair, str, Pair]) -> Pair:
    left, operator, right = parts
    text = f"({left.text} {operator} {right.text})"
    return Pair(text, _COMPUTED[operator](left.expression, right.expression), left.type)


def _divided(parts: tuple[Pair, str, Pair]) -> Pair:
    left, operator, right = parts
    divide = {"/": pl.Expr.truediv, "//": pl.Expr.floordiv, "%": pl.Expr.mod}[operator]
    found = divide(left.expression, right.expression)
    type_ = pl.Float64 if operator == "/" else pl.Int64
    if operator != "/":
        found = pl.when(right.expression != 0).then(found).otherwise(None)
    return Pair(f"({left.text} {operator} {right.text})", found, type_)


def _called(parts: tuple[str, Pair]) -> Pair:
    name, of = parts
    call = {"abs": pl.Expr.abs, "floor": rounding.floor, "ceil": rounding.ceil}[name]
    return Pair(f"{name}({of.text})", call(of.expression), of.type)


def _rounded(parts: tuple[Pair, int]) -> Pair:
    of, digits = parts
    return Pair(f"round({of.text}, {digits})", rounding.rounded(of.expression, digits), of.type)


def _most(parts: tuple[Pair, Pair]) -> Pair:
    left, right = parts
    return Pair(f"greatest({left.text}, {right.text})", pl.max_horizontal(left.expression, right.expression), left.type)


def _chosen(parts: tuple[Pair, Pair, Pair]) -> Pair:
    when, then, otherwise = parts
    text = f"CASE WHEN {when.text} THEN {then.text} ELSE {otherwise.text} END"
    chosen = pl.when(when.expression).then(then.expression).otherwise(otherwise.expression)
    return Pair(text, chosen, then.type)


def _small() -> st.SearchStrategy[Pair]:
    return st.just(_column("lag")) | st.integers(0, 5).map(_number)


@cache
def amounts(depth: int = 1) -> st.SearchStrategy[Pair]:
    """Return whole numbers; products are of small ones, so that none leaves 64 bits."""
    leaf = st.sampled_from([_column("lag"), _column("funds")]) | st.integers(0, 9).map(_number)
    # At least one side is no literal: a text's literals are folded, which is exact but another expression.
    whole = st.sampled_from([_column("lag"), _column("funds")])
    if depth == 0:
        return whole
    deeper = st.deferred(lambda: amounts(depth - 1))
    return st.one_of(
        whole,
        st.tuples(deeper, st.sampled_from("+-"), leaf).map(_computed),
        st.tuples(st.just(_column("lag")), st.just("*"), _small()).map(_computed),
        st.tuples(deeper, st.sampled_from(["//", "%"]), st.just(_column("lag"))).map(_divided),
        st.tuples(st.just("abs"), deeper).map(_called),
        st.tuples(deeper, deeper).map(_most),
        st.deferred(lambda: st.tuples(conditions(depth - 1), deeper, deeper).map(_chosen)),
    )


@cache
def ratios(depth: int = 1) -> st.SearchStrategy[Pair]:
    """Return ratios: columns, decimals with columns, one division of whole numbers."""
    leaf = st.sampled_from([_column("completion"), _column("local.below")])
    if depth == 0:
        return leaf
    deeper = st.deferred(lambda: ratios(depth - 1))
    return st.one_of(
        leaf,
        st.tuples(deeper, st.sampled_from("+-*"), leaf | st.integers(0, 200).map(_decimal)).map(_computed),
        st.tuples(amounts(0), st.just("/"), amounts(0)).map(_divided),
        st.tuples(st.sampled_from(["abs", "floor", "ceil"]), deeper).map(_called),
        st.tuples(deeper, st.integers(0, 3)).map(_rounded),
    )


def _compared(parts: tuple[Pair, str, Pair]) -> Pair:
    left, operator, right = parts
    text = f"{left.text} {operator} {right.text}"
    return Pair(text, _COMPARED[operator](left.expression, right.expression), pl.Boolean)


def _joined(parts: tuple[Pair, str, Pair]) -> Pair:
    left, word, right = parts
    join = {"AND": left.expression & right.expression, "OR": left.expression | right.expression}
    return Pair(f"({left.text} {word} {right.text})", join[word], pl.Boolean)


def _negated(of: Pair) -> Pair:
    return Pair(f"NOT ({of.text})", ~of.expression, pl.Boolean)


def _known(of: Pair) -> Pair:
    return Pair(f"{of.text} IS NOT NULL", of.expression.is_not_null(), pl.Boolean)


def _between(parts: tuple[Pair, int, int]) -> Pair:
    of, low, high = parts
    text = f"{of.text} BETWEEN {low} AND {high}"
    return Pair(text, of.expression.is_between(low, high, closed="both"), pl.Boolean)


def _listed(values: list[str]) -> Pair:
    written = ", ".join(f"'{value}'" for value in values)
    return Pair(f"group IN ({written})", pl.col("group").is_in(values), pl.Boolean)


@cache
def conditions(depth: int = 1) -> st.SearchStrategy[Pair]:
    """Return conditions of every kind that a text may hold."""
    compared = st.sampled_from(sorted(_COMPARED))
    leaf = st.one_of(
        st.tuples(amounts(depth), compared, amounts(0) | st.integers(0, 9).map(_number)).map(_compared),
        st.tuples(ratios(depth), compared, ratios(0) | st.integers(0, 200).map(_decimal)).map(_compared),
        st.just(_column("at_year_end")),
        st.just(_column("group")).map(_known),
        st.tuples(amounts(0), st.integers(-3, 0), st.integers(0, 3)).map(_between),
        st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map(_listed),
    )
    if depth == 0:
        return leaf
    deeper = st.deferred(lambda: conditions(depth - 1))
    return st.one_of(
        leaf,
        st.tuples(deeper, st.sampled_from(["AND", "OR"]), deeper).map(_joined),
        deeper.map(_negated),
    )
