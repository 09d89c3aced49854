"""The static check of an expression: only known columns, only row-wise and pure nodes, both sides of a comparison of
one type.

polars describes an expression as JSON. The walk below visits that description; a node kind that is not on the list
is refused, so a node that polars adds later is refused until somebody has looked at it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from io import StringIO
from typing import TYPE_CHECKING, Any, Final, Literal

import polars as pl
from attrs import define

from kpi_rules.locale import _
from kpi_rules.model.money import LIMIT
from kpi_rules.model.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema = Mapping[str, pl.DataType | type[pl.DataType]]
"""The columns an expression may read, with their types."""

Node = Any
"""A node of polars' JSON: a text such as `Len`, or an object with one key, the node's kind."""

COMPARISONS = frozenset({"Eq", "NotEq", "Lt", "LtEq", "Gt", "GtEq", "EqValidity", "NotEqValidity"})

_LOGIC = frozenset({"And", "Or", "Xor", "LogicalAnd", "LogicalOr"})
_DIVISIONS = frozenset({"Divide", "TrueDivide", "RustDivide"})
_ARITHMETIC = frozenset({"Plus", "Minus", "Multiply", "Divide", "TrueDivide", "RustDivide", "FloorDivide", "Modulus"})
_CONNECTIVES: Final[Mapping[str, Literal["and", "or", "not"]]] = {
    "And": "and",
    "LogicalAnd": "and",
    "Boolean.AllHorizontal": "and",
    "Or": "or",
    "LogicalOr": "or",
    "Boolean.AnyHorizontal": "or",
    "Boolean.Not": "not",
}
_FUNCTIONS = frozenset(
    [
        "Abs",
        "Ceil",
        "Floor",
        "Negate",
        "Round",
        "Clip",
        "MinHorizontal",
        "MaxHorizontal",
        "Boolean.Not",
        "Boolean.IsNull",
        "Boolean.IsNotNull",
        "Boolean.IsIn",
        "Boolean.IsBetween",
        "Boolean.AllHorizontal",
        "Boolean.AnyHorizontal",
        "StringExpr.StartsWith",
        "StringExpr.EndsWith",
        "StringExpr.Contains",
        "StringExpr.LenChars",
        "TemporalExpr.Year",
        "TemporalExpr.Month",
        "TemporalExpr.Day",
        "TemporalExpr.Quarter",
        "TemporalExpr.TotalDays",
        "Sql.Binary",
    ]
)
"""Row-wise, pure functions. `FillNull` and `Coalesce` are left out on purpose: a missing value stays missing."""


_CALLBACKS: Final = ("AnonymousFunction", "callback", "Map")
"""What holds a Python callback in a description. polars pickles those it can: named functions always, and any function
where cloudpickle is installed, which comes with the extra `cluster`."""


_TRIAL: Final[Mapping[object, list[object]]] = {
    pl.Int64: [None, 0, 1, LIMIT],
    pl.Float64: [None, 0.0, 1.0, 1e9],
    pl.String: [None, "", "a", "2000-02-29"],
    pl.Boolean: [None, False, True, True],
    pl.Date: [None, date(2000, 2, 29), date(2011, 12, 31), date(2199, 12, 31)],
}
"""Values on which every expression is tried: what fails on one of them would stop an assessment one day."""


_SHOWN: Final = 80  # letters of an expression too deep to be read


@define(frozen=True)
class Refusal:
    """Why an expression is refused: a code of `docs/errors.md`, the node as people read it, what was expected
    instead.
    """

    code: str
    node: str
    expected: str
    nearest: str | None = None


def tree(expression: pl.Expr) -> Node:
    """Return the description of an expression.

    Raises:
        pl.exceptions.ComputeError: the expression holds a Python callback that cannot be pickled.
    """
    return json.loads(expression.meta.serialize(format="json"))


def expression_of(node: Node) -> pl.Expr:
    """Return the expression of a node of a description, with every division as `correctly_rounded` has it."""
    return as_written(_rounded(node))


def correctly_rounded(expression: pl.Expr) -> pl.Expr:
    """Return the expression with every division correctly rounded, and null where it is by 0.

    polars multiplies by the reciprocal where a column is divided by a constant, so that 3 / 10 comes out above 0.3; a
    column of that constant is divided by as it should be. 0 / 0 is NaN to polars, which is greater than any number.
    """
    node = tree(expression)
    rounded = _rounded(node)
    return expression if rounded is node else as_written(rounded)


def as_written(node: Node) -> pl.Expr:
    """Return the expression of a node of a description, divisions as they stand there."""
    return pl.Expr.deserialize(StringIO(json.dumps(node)), format="json")


def _rounded(node: Node) -> Node:
    """Rewrite the divisions of a description; the very node where there are none."""
    below = children(node)
    rounded = [_rounded(child) for child in below]
    kind, held = kind_of(node)
    if any(new is not old for new, old in zip(rounded, below, strict=True)):
        node = _with_children(node, rounded)
        kind, held = kind_of(node)
    if kind != "BinaryExpr" or held["op"] not in _DIVISIONS:
        return node
    left, right = as_written(held["left"]), as_written(held["right"])
    if not is_constant(held["right"]):
        return tree(pl.when(right != 0).then(left / right))
    if is_constant(held["left"]):
        return node
    divisor = left.is_null().cast(pl.Float64) * 0.0 + right
    return tree(pl.when(right != 0).then(left / divisor))


def is_constant(node: Node) -> bool:
    """Say whether a node reads no column."""
    return not any(kind_of(each)[0] == "Column" for each in walk(node))


def _with_children(node: Node, below: list[Node]) -> Node:
    """Return a node with others right below it, in the order of `children`."""
    kind, held = kind_of(node)
    match kind:
        case "BinaryExpr":
            return {kind: {**held, "left": below[0], "right": below[1]}}
        case "Ternary":
            return {kind: dict(zip(("predicate", "truthy", "falsy"), below, strict=True))}
        case "Cast":
            return {kind: {**held, "expr": below[0]}}
    return {kind: {**held, "input": below}}


def kind_of(node: Node) -> tuple[str, Any]:
    """Return the kind of a node and what it holds."""
    if isinstance(node, str):
        return node, None
    (kind, held), *_rest = node.items()
    return kind, held


def function_of(held: Mapping[str, Any]) -> str:
    """Return the name of a function node, such as `Boolean.Not` or `Floor`."""
    function = held["function"]
    if isinstance(function, str):
        return function
    (family, member), *_rest = function.items()
    if family in {"Boolean", "StringExpr", "TemporalExpr", "Sql"}:
        return f"{family}.{member if isinstance(member, str) else next(iter(member))}"
    return str(family)


def children(node: Node) -> list[Node]:
    """Return the nodes right below a node."""
    kind, held = kind_of(node)
    match kind:
        case "BinaryExpr":
            return [held["left"], held["right"]]
        case "Ternary":
            return [held["predicate"], held["truthy"], held["falsy"]]
        case "Cast":
            return [held["expr"]]
        case "Function":
            return list(held["input"])
    return []


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def comparison(node: Node) -> str | None:
    """Return the operator of a comparison (`Lt`), None for any other node."""
    kind, held = kind_of(node)
    if kind == "BinaryExpr" and held["op"] in COMPARISONS:
        return str(held["op"])
    if kind == "Function" and function_of(held) == "Sql.Binary":
        op = held["function"]["Sql"]["Binary"]
        return str(op) if op in COMPARISONS else None
    return None


def connective(node: Node) -> Literal["and", "or", "not"] | None:
    """Return `and`, `or` or `not` for a node that joins conditions, None for any other."""
    kind, held = kind_of(node)
    if kind == "BinaryExpr" and held["op"] in _LOGIC:
        return _CONNECTIVES.get(held["op"])
    if kind == "Function":
        return _CONNECTIVES.get(function_of(held))
    return None


def check(expression: pl.Expr, schema: Schema, expected: type[pl.DataType], *, row_wise: bool = True) -> list[Refusal]:
    """Check an expression against the columns it may read.

    Args:
        expression: a condition or an amount.
        schema: the columns and their types.
        expected: the type the whole must have.
        row_wise: whether to refuse what is not row-wise; a check of evidence may look at other rows.

    Returns:
        Every reason to refuse it; empty when it may be evaluated.
    """
    try:
        root = tree(expression)
    except pl.exceptions.PolarsError:
        return [_callback()]
    except RecursionError:
        return [_too_deep(expression)]
    if any(_holds(root, key) for key in _CALLBACKS):
        return [_callback()]
    if not _can_be_written(root):
        return [_too_deep(expression)]
    refusals = (
        [refusal for node in walk(root) if (refusal := _refuse(node, schema)) is not None]
        if row_wise
        else [
            *_by_chance(root),
            *(_unknown(name, schema) for name in expression.meta.root_names() if name not in schema),
        ]
    )
    if refusals:
        return list(dict.fromkeys(refusals))
    read = schema if _holds(root, "Selector") else {name: schema[name] for name in expression.meta.root_names()}
    frame = pl.LazyFrame(schema=dict(read))  # of hundreds of columns it costs more than all else here
    refusals = [
        refusal
        for node in walk(root)
        for refusal in (_refuse_comparison(node, frame), _refuse_cast(node, frame))
        if refusal is not None
    ]
    try:
        dtype = frame.select(value=expression).collect_schema()["value"]
    except pl.exceptions.PolarsError as problem:
        return [*refusals, Refusal("wrong-types", str(expression), str(problem).splitlines()[0])]
    if dtype != expected:
        refusals.append(
            Refusal(
                "wrong-type",
                f"{expression} : {dtype}",
                _("an expression of type {type}").format(type=expected.__name__),
            )
        )
    if not refusals:
        refusals = _failures(expression, read or schema)
    return list(dict.fromkeys(refusals))


def _can_be_written(root: Node) -> bool:
    """Whether an expression can be made anew from its description: polars reads none of more than some 60 levels."""
    try:
        expression_of(root)
    except (pl.exceptions.ComputeError, RecursionError):
        return False
    return True


def _callback() -> Refusal:
    return Refusal(
        "python-callback",
        _("a Python callback"),
        _("a row-wise polars expression, which can be read and checked"),
    )


def _too_deep(expression: pl.Expr) -> Refusal:
    text = str(expression)
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return Refusal("too-deep", shown, _("a row-wise polars expression, which can be read and checked"))


def _failures(expression: pl.Expr, schema: Schema) -> list[Refusal]:
    """Try an expression on rows of unwelcome values: 0 by 0, nothing, the greatest amount, texts that are no dates."""
    rows = {name: pl.Series(name, _TRIAL[dtype], dtype=dtype) for name, dtype in schema.items() if dtype in _TRIAL}
    try:
        pl.DataFrame(rows).select(expression)
    except pl.exceptions.PolarsError as problem:
        why = str(problem).splitlines()[0]
        expected = _("an expression that no value stops, such as a cast with strict=False ({why})").format(why=why)
        return [Refusal("fails-on-data", str(expression), expected)]
    return []


def _holds(node: Any, key: str) -> bool:  # noqa: ANN401 (any part of a description)
    """Say whether there is a kind of node anywhere in an expression, also inside what `walk` does not visit."""
    if isinstance(node, list):
        return any(_holds(part, key) for part in node)
    return isinstance(node, dict) and (key in node or any(_holds(part, key) for part in node.values()))


def _by_chance(root: Node) -> list[Refusal]:
    """Refuse chance anywhere in an expression that is not row-wise."""
    if not _holds(root, "Random"):
        return []
    return [Refusal("node-not-allowed", "Random", _("the same finding every time: no chance, no clock"))]


def _unknown(name: str, schema: Schema) -> Refusal:
    return Refusal("unknown-column", name, _("a column a rule can read"), nearest(name, schema))


def _refuse(node: Node, schema: Schema) -> Refusal | None:
    kind, held = kind_of(node)
    match kind:
        case "Column":
            return None if held in schema else _unknown(str(held), schema)
        case "Literal":
            name, allowed = "Series", "Series" not in held  # values of its own, one a row: of which rows?
        case "Ternary" | "Cast":
            return None
        case "BinaryExpr":
            name = str(held["op"])
            allowed = name in COMPARISONS | _LOGIC | _ARITHMETIC
        case "Function":
            name = function_of(held)
            allowed = name in _FUNCTIONS
        case _:
            name, allowed = kind, False
    if allowed:
        return None
    return Refusal(
        "node-not-allowed",
        _named(node, name),
        _("row-wise nodes only: no aggregate, window, shift, default for a missing value, callback, chance or clock"),
    )


def _named(node: Node, name: str) -> str:
    """Write a node that is refused as the part of the expression it is, as its author wrote it.

    What stands for many columns or holds values of its own is written by name, as is what nobody would read.
    """
    try:
        written = " ".join(str(as_written(node)).split())
    except (pl.exceptions.PolarsError, RecursionError):
        return name
    return name if name in {"Series", "Selector"} or len(written) > _SHOWN else written


def _refuse_comparison(node: Node, frame: pl.LazyFrame) -> Refusal | None:
    if comparison(node) is None:
        return None
    left, right = (_type_class(side, frame) for side in children(node))
    if left == right or "null" in {left, right} or {left, right} in ({"number", "ratio"}, {"number", "whole"}):
        return None
    return Refusal(
        "types-differ",
        str(expression_of(node)),
        _("both sides of one type, not {left} against {right}").format(left=left, right=right),
    )


def _refuse_cast(node: Node, frame: pl.LazyFrame) -> Refusal | None:
    """Refuse to read numbers from texts: whether that works shows only in the data, and failing it stops everything."""
    kind, held = kind_of(node)
    if kind != "Cast" or _type_class(held["expr"], frame) in {"number", "whole", "ratio", "boolean", "null"}:
        return None
    return Refusal("node-not-allowed", str(expression_of(node)), _("numbers, or true and false, to be cast"))


def _type_class(node: Node, frame: pl.LazyFrame) -> str:
    kind, held = kind_of(node)
    if kind == "Literal" and ("Dyn" in held or "Decimal" in held.get("Scalar", {})):
        return "number"
    name, read = (held, frame) if kind == "Column" else ("value", frame.select(value=expression_of(node)))
    try:
        dtype = read.collect_schema()[name]
    except pl.exceptions.PolarsError:
        return "null"
    if dtype.is_integer():
        return "whole"
    if dtype.is_numeric():
        return "ratio"
    return str(dtype).lower()


def bind(node: Node, values: Mapping[str, object]) -> Node:
    """Return a condition with the named columns replaced by their values, and what follows from that left out.

    Three-valued logic allows it: false and anything is false, true or anything is true, even where the rest is null.
    What is left of a rule at a tick that is none of its moments is the literal false.
    """
    kind, held = kind_of(node)
    if kind == "Column":
        return literal(values[held]) if held in values else node
    below = [bind(child, values) for child in children(node)]
    joined = connective(node)
    if joined in {"and", "or"}:
        return _left_of(node, below, absorbing=joined == "or")
    if joined == "not" and truth(below[0]) is not None:
        return literal(not truth(below[0]))
    return _told(_with_children(node, below), below) if below else node


def _told(node: Node, below: list[Node]) -> Node:
    """Return the truth of a comparison of constants where it has one, any other node as it is."""
    if comparison(node) is None or not all(is_constant(each) for each in below):
        return node
    value = pl.select(expression_of(node)).item()
    return literal(value) if isinstance(value, bool) else node


def _left_of(node: Node, conditions: list[Node], *, absorbing: bool) -> Node:
    """Return what is left of joined conditions; one that is `absorbing` decides, the opposite says nothing."""
    if any(truth(each) is absorbing for each in conditions):
        return literal(absorbing)
    undecided = [each for each in conditions if truth(each) is None]
    if len(undecided) > 1:
        return _with_children(node, undecided)
    return undecided[0] if undecided else literal(not absorbing)


@lru_cache(maxsize=4096, typed=True)
def literal(value: object) -> Node:
    """Return the node of a plain value; a whole number is an Int64, as in a column.

    Left to itself polars takes a number for the narrowest type that holds it, and a product of two parameters wraps.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return {"Literal": {"Scalar": {"Int64": value}}}
    return tree(pl.lit(value))


def number(node: Node) -> int | float | None:
    """Return the number a literal stands for, None for any other node."""
    kind, held = kind_of(node)
    if kind != "Literal":
        return None
    named = held.get("Dyn") or held.get("Scalar") or {}
    values = [named[name] for name in ("Int", "Float", "Int64", "Int128", "Float64") if name in named]
    return values[0] if values else None


def listed(node: Node) -> list[Any]:
    """Return the values of a literal list, as `is_in` has one."""
    series = pl.select(expression_of(node)).to_series()
    while isinstance(series.dtype, pl.List):
        series = series.explode()
    return series.to_list()


def truth(node: Node) -> bool | None:
    """Return the value of a Boolean literal, None for any other node."""
    kind, held = kind_of(node)
    if kind == "Literal" and isinstance(held, dict):
        value = held.get("Scalar", {}).get("Boolean")
        return value if isinstance(value, bool) else None
    return None
