"""Steps of ratios: floor, ceil and round as the texts of rules have them.

A ratio is the nearest binary number, and what is computed from it is a little off: 1.2 - 1 is a little less than 0.2,
and two steps of 10% would be one. Here a number that lies within 4 * 10**-13 of itself (and a billionth at most) from
where it would step counts as there. A percentage, up to 200, of a quota of whole yuan up to 100亿 that is short by one
fen is further away than that; `//` is exact for whole numbers of any size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from attrs import define

from kpi_rules.model import expressions

if TYPE_CHECKING:
    import polars as pl

    from kpi_rules.model.expressions import Node

_PART: Final = 4e-13
_MOST: Final = 1e-9


def floor(of: pl.Expr) -> pl.Expr:
    """Return the greatest whole number at or below a ratio."""
    return (of + _slack(of).abs()).floor()


def ceil(of: pl.Expr) -> pl.Expr:
    """Return the least whole number at or above a ratio."""
    return (of - _slack(of).abs()).ceil()


def rounded(of: pl.Expr, digits: int) -> pl.Expr:
    """Return a ratio rounded to so many digits, halves away from 0."""
    if not digits:
        return (of + _slack(of)).round(0, mode="half_away_from_zero")
    scaled = of * 10.0**digits
    whole = (scaled + _slack(scaled)).round(0, mode="half_away_from_zero")
    return whole / int("1" + "0" * digits)


def _slack(of: pl.Expr) -> pl.Expr:
    return (of * _PART).clip(-_MOST, _MOST)


@define(frozen=True)
class Step:
    """A call that one of these functions made: its name, what it is applied to, and the digits of `round`."""

    name: Literal["floor", "ceil", "round"]
    of: Node
    digits: int = 0


def step(node: Node) -> Step | None:
    """Return the call that a node was made by, None for any other node."""
    kind, held = expressions.kind_of(node)
    if kind == "BinaryExpr" and held["op"] == "TrueDivide":
        return _rounded_step(node, held)
    if kind != "Function" or (name := expressions.function_of(held)) not in {"Floor", "Ceil", "Round"}:
        return None
    inner_kind, inner = expressions.kind_of(held["input"][0])
    if inner_kind != "BinaryExpr":
        return None
    of = inner["left"]
    made = {"Floor": floor, "Ceil": ceil}.get(name, _whole)(expressions.as_written(of))
    if expressions.tree(made) != node:
        return None
    names: dict[str, Literal["floor", "ceil", "round"]] = {"Floor": "floor", "Ceil": "ceil", "Round": "round"}
    return Step(names[name], of)


def _whole(of: pl.Expr) -> pl.Expr:
    return rounded(of, 0)


def _rounded_step(node: Node, held: dict[str, Node]) -> Step | None:
    whole = step(held["left"])
    if whole is None or whole.name != "round" or expressions.kind_of(whole.of)[0] != "BinaryExpr":
        return None
    of = whole.of["BinaryExpr"]["left"]
    scale = expressions.kind_of(held["right"])[1]
    digits = len(str(scale["Dyn"].get("Int", ""))) - 1 if "Dyn" in scale else 0
    if digits < 1 or expressions.tree(rounded(expressions.as_written(of), digits)) != node:
        return None
    return Step("round", of, digits)
