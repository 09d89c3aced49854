"""Whether a rule can fire for a unit of which nothing is known that is held against a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kpi_rules.model import expressions
from kpi_rules.model.calendar import MOMENTS

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    import polars as pl

_GIVES_A_VALUE = frozenset(
    [
        "Boolean.AllHorizontal",
        "Boolean.AnyHorizontal",
        "Boolean.IsIn",
        "Boolean.IsNotNull",
        "Boolean.IsNull",
        "MaxHorizontal",
        "MinHorizontal",
    ]
)
"""Functions that may have a value although one of their inputs has none."""

_GOES_BY_THE_FIRST = frozenset(["Boolean.IsBetween", "Clip"])
"""Functions that have none where their first input has none; a bound that is missing is passed over or decides nothing.
"""


def fires_without(
    when: pl.Expr, unknown: AbstractSet[str], given: AbstractSet[str]
) -> Literal["never", "known", "perhaps"]:
    """Say whether a condition can be true where the `unknown` columns are null.

    Returns:
        `never`; `known` where it goes by moments and the `given` columns alone, which are the same in every future;
        `perhaps` in all other cases.
    """
    node = expressions.tree(when)
    if _never(node, unknown):
        return "never"
    return "known" if set(when.meta.root_names()) <= {*unknown, *given, *MOMENTS} else "perhaps"


def _never(node: expressions.Node, unknown: AbstractSet[str]) -> bool:
    """Say whether a condition is false or null whatever the other columns are."""
    joined, below = expressions.connective(node), expressions.children(node)
    if joined == "and":
        return any(_never(each, unknown) for each in below)
    if joined == "or":
        return all(_never(each, unknown) for each in below)
    return expressions.truth(node) is False or _null(node, unknown)


def _null(node: expressions.Node, unknown: AbstractSet[str]) -> bool:
    """Say whether a node is null whatever the other columns are."""
    kind, held = expressions.kind_of(node)
    if kind == "Column":
        return held in unknown
    below = expressions.children(node)
    if expressions.connective(node) in {"and", "or"}:  # null joined with what may be false or true need not be null
        return bool(below) and all(_null(each, unknown) for each in below)
    if kind == "Ternary" or (kind == "BinaryExpr" and held["op"] in {"Xor", "EqValidity", "NotEqValidity"}):
        return False
    function = expressions.function_of(held) if kind == "Function" else ""
    if function in _GIVES_A_VALUE:
        return False
    if function in _GOES_BY_THE_FIRST:
        return _null(below[0], unknown)
    return any(_null(each, unknown) for each in below)
