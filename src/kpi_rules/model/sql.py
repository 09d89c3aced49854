"""Conditions and amounts as text, for rules without Python: `completion < local.late_below AND at_month_end`.

polars reads the text (`pl.sql_expr`); this module stands before and behind it. Before: only words, numbers, operators
and functions that a rule may use pass, and every name is handed over in quotes, so that `plugin.parameter` and `group`
are columns and no clock is one. Behind: polars' own tree is written anew with the nodes that the same condition has in
Python, so that both are checked, decided, explained by the same code. Whatever is not known here is refused.

What differs from SQL is on purpose: a decimal is the nearest ratio (`3/10 >= 0.3` holds), `/` divides to the nearest
ratio, a division by 0 is null, `//` rounds down, `floor`, `ceil` and `round` are those of `rounding`, `1500万` is money
in fen, and `share_of(rate, amount)` is `kpi_rules.share_of`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from attrs import define

from kpi_rules.locale import _
from kpi_rules.model import expressions, rounding
from kpi_rules.model.contributions import SCALED, exact_share
from kpi_rules.model.money import LIMIT, billionths
from kpi_rules.model.sql_tokens import NOT_TEXT, lexed, refused_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kpi_rules.model.expressions import Node, Refusal
    from kpi_rules.model.sql_tokens import Token

_OPERATORS: Final[Mapping[str, str]] = {
    "Plus": "Plus",
    "Minus": "Minus",
    "Mul": "Multiply",
    "Div": "TrueDivide",
    "IntDiv": "FloorDivide",
    "Rem": "Modulus",
    **{name: name for name in ("Eq", "Lt", "LtEq", "Gt", "GtEq")},
}
"""polars' operators of SQL, and those of Python that take their place."""

_PLAIN: Final = frozenset({"Abs", "MinHorizontal", "MaxHorizontal"})
_TESTS: Final = frozenset({"Boolean.IsNull", "Boolean.IsNotNull", "StringExpr.StartsWith", "StringExpr.EndsWith"})
_DATES: Final = frozenset({"TemporalExpr.Year", "TemporalExpr.Month", "TemporalExpr.Day", "TemporalExpr.Quarter"})
_DIVISIONS: Final = frozenset({"FloorDivide", "Modulus"})
"""Divisions that are made null here where they are by 0; `/` is, wherever it is evaluated."""

_FOLDED: Final = {"Plus": int.__add__, "Minus": int.__sub__, "Multiply": int.__mul__}

_SHOWN: Final = 80  # letters of a text too deep to be read

_NOTHING: Final[Node] = {"Literal": {"Scalar": {"Null": "Null"}}}


@define(frozen=True, eq=False)
class Read:
    """What a text says: the expression, or every reason why it is refused."""

    expression: pl.Expr | None = None
    refusals: tuple[Refusal, ...] = ()


class RefusedError(Exception):
    """A part of a text that is refused."""

    def __init__(self, code: str, found: str, expected: str, nearest: str | None = None) -> None:
        """Keep why."""
        super().__init__(found)
        self.refusal = expressions.Refusal(code, found, expected, nearest)


def read(text: str) -> Read:
    """Read the text of a condition, an amount or an indicator.

    Columns and types are not checked here, since who reads the text knows them later; see `sql_types.refusals`.
    """
    tokens, refusals = lexed(text)
    refusals = refusals or refused_words(tokens)
    if refusals:
        return Read(refusals=tuple(dict.fromkeys(refusals)))
    try:
        return Read(expressions.as_written(_wide(_Reading(tokens).node())))
    except RefusedError as refused:
        return Read(refusals=(refused.refusal,))
    except (pl.exceptions.ComputeError, RecursionError):
        expected = _("an SQL condition or amount such as completion < 0.5 AND lag >= 3")
        return Read(refusals=(expressions.Refusal("too-deep", f"{text[:_SHOWN]}…", expected),))


def expression(text: str) -> pl.Expr:
    """Return the text of a condition or an amount as an expression.

    Raises:
        ValueError: the text is refused; the message says what was found, where, and what was expected.
    """
    found = read(text)
    if found.expression is None:
        raise ValueError("; ".join(_said(refusal) for refusal in found.refusals))
    return found.expression


def _said(refusal: Refusal) -> str:
    text = _("found {found}; expected {expected}").format(found=refusal.node, expected=refusal.expected)
    return text + (_(" (nearest: {nearest})").format(nearest=refusal.nearest) if refusal.nearest else "")


class _Reading:
    """One reading of the tokens of a text."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.names = {token.written.strip('"') for token in tokens if token.kind == "name"}
        self.shares: dict[str, Node] = {}

    def node(self) -> Node:
        return self._node(0, len(self.tokens))

    def _node(self, first: int, last: int) -> Node:
        """Return the node of the tokens from `first` up to `last`, exclusive."""
        written: list[str] = []
        places: dict[int, Token] = {}
        width = 0
        here = first
        while here < last:
            token = self.tokens[here]
            places[width] = token
            text, here = self._written(here)
            written.append(text)
            width += len(text) + 1
        text = " ".join(written)
        try:
            root = expressions.tree(pl.sql_expr(text))
        except pl.exceptions.PolarsError:
            raise _misfit(text, places) from None
        return self._translated(root)

    def _written(self, here: int) -> tuple[str, int]:
        """Return what polars is handed for the token at `here`, and the place after it."""
        token = self.tokens[here]
        if token.kind != "function" or token.text.casefold() != "share_of":
            return token.written, here + 1
        opening = here + 1
        closing = self.tokens[opening].closing
        comma = next(
            place
            for place in range(opening, closing)
            if self.tokens[place].text == "," and self.tokens[place].closing == opening
        )
        name = f"#{len(self.shares)}"
        self.shares[name] = {}  # keeps the name from shares within this one
        self.shares[name] = self._share(opening, comma, closing)
        return f'"{name}"', closing + 1

    def _share(self, opening: int, comma: int, closing: int) -> Node:
        rate = self._node(opening + 1, comma)
        amount = expressions.as_written(self._node(comma + 1, closing))
        kind, held = expressions.kind_of(rate)
        if kind == "Column":
            return expressions.tree(exact_share(pl.col(str(held) + SCALED), amount))
        exact = billionths(Decimal(number)) if (number := _written_number(rate)) is not None else None
        if exact is not None:
            return expressions.tree(exact_share(pl.lit(exact, pl.Int64), amount))
        token = self.tokens[opening + 1]
        raise RefusedError(
            "bad-expression",
            _("the share {text} at character {place}").format(text=token.text, place=token.start + 1),
            _("a parameter or a number by itself, which has an exact value"),
        )

    def _translated(self, node: Node) -> Node:
        kind, held = expressions.kind_of(node)
        match kind:
            case "Column":
                return self._column(held)
            case "Literal":
                return _literal(held)
            case "BinaryExpr":
                return _binary(held["op"], *(self._translated(held[side]) for side in ("left", "right")))
            case "Ternary":
                return {"Ternary": {part: self._translated(child) for part, child in held.items()}}
            case "Function":
                return self._function(held)
            case "Alias":
                raise _unexpected(held[1])
        raise _unexpected(kind)

    def _column(self, name: str) -> Node:
        """Return a column, or the share that stands in its place; a keyword out of its place is no column."""
        if name in self.shares:
            return self.shares[name]
        if name not in self.names:
            raise _unexpected(name)
        return {"Column": name}

    def _function(self, held: Mapping[str, Any]) -> Node:
        name = expressions.function_of(held)
        if name == "Boolean.Not":
            return self._opposite(held["input"][0])
        if name == "Sql.IsIn":
            return self._is_in(*held["input"])
        inputs = [self._translated(child) for child in held["input"]]
        if name == "Sql.Binary" and (operator := _OPERATORS.get(held["function"]["Sql"]["Binary"])):
            return _binary(operator, *inputs)
        if name in {"Floor", "Ceil", "Sql.Round"}:
            of = expressions.as_written(inputs[0])
            if name == "Sql.Round":
                return expressions.tree(rounding.rounded(of, held["function"]["Sql"]["Round"]["decimals"]))
            return expressions.tree(rounding.floor(of) if name == "Floor" else rounding.ceil(of))
        if name in _DATES:  # as wide as every other whole number, so that sums of them are
            found: Node = {"Function": {**held, "input": inputs}}
            return expressions.tree(expressions.as_written(found).cast(pl.Int64))
        if name in _PLAIN | _TESTS or _is_literal_search(held):
            return {"Function": {**held, "input": inputs}}
        raise _unexpected(name)

    def _opposite(self, node: Node) -> Node:
        kind, held = expressions.kind_of(node)
        if kind == "Cast":  # polars' own, of what NOT stands before
            return {"Function": {"input": [self._translated(held["expr"])], "function": {"Boolean": "Not"}}}
        inner = self._translated(node)
        if expressions.comparison(inner) == "Eq":  # a <> b
            return {"BinaryExpr": {**inner["BinaryExpr"], "op": "NotEq"}}
        return {"Function": {"input": [inner], "function": {"Boolean": "Not"}}}

    def _is_in(self, of: Node, choices: Node) -> Node:
        values = [float(each) if isinstance(each, Decimal) else each for each in expressions.listed(choices)]
        return expressions.tree(expressions.as_written(self._translated(of)).is_in(values))


def _misfit(text: str, places: Mapping[int, Token]) -> RefusedError:
    """Say which token does not fit; only the parser of whole statements tells."""
    expected = _("an SQL condition or amount such as completion < 0.5 AND lag >= 3")
    try:
        pl.SQLContext().execute(f"SELECT {text}")
    except pl.exceptions.PolarsError as failure:
        place = NOT_TEXT.search(str(failure))
        column = int(place[1]) - len("SELECT ") - 1 if place and place[1] else len(text)
        token = next((places[start] for start in sorted(places, reverse=True) if start <= column), None)
        if token is None or column >= len(text):
            return RefusedError("bad-expression", _("a text that ends too early"), expected)
        return _misplaced(token)
    return RefusedError("bad-expression", _("a text that is no expression"), expected)


def _misplaced(token: Token) -> RefusedError:
    found = _("{text} at character {place}, where it does not fit").format(text=token.text, place=token.start + 1)
    return RefusedError("bad-expression", found, _("an SQL condition or amount such as completion < 0.5 AND lag >= 3"))


def _unexpected(what: str) -> RefusedError:
    """Refuse what passed the words and is still none of a rule's own: a polars that reads a text in a new way."""
    return RefusedError("bad-expression", what, _("an SQL condition or amount such as completion < 0.5 AND lag >= 3"))


def _literal(held: Any) -> Node:  # noqa: ANN401 (what a literal's node holds)
    """Return a literal: a whole number as it is, a decimal as the nearest ratio."""
    scalar = held.get("Scalar", {})
    if "Decimal" in scalar:
        value, _precision, scale = scalar["Decimal"]
        return expressions.tree(pl.lit(float(Decimal(value).scaleb(-scale))))
    if "Dyn" in held or not {"String", "Boolean", "Null", "Date"}.isdisjoint(scalar):
        return {"Literal": held}
    raise _unexpected(str(next(iter(scalar or held))))


def _binary(operator: str, left: Node, right: Node) -> Node:
    whole = [_whole(side) for side in (left, right)]
    if operator in _FOLDED and whole[0] is not None and whole[1] is not None:
        value = _FOLDED[operator](whole[0], whole[1])
        if abs(value) > LIMIT:
            raise _unexpected(str(value))
        return {"Literal": {"Dyn": {"Int": value}}}
    if operator not in expressions.COMPARISONS:
        left, right = (_wide(side) for side in (left, right))
    node: Node = {"BinaryExpr": {"left": left, "op": operator, "right": right}}
    if operator not in _DIVISIONS or _number(right):
        return node
    nothing: Node = {"BinaryExpr": {"left": right, "op": "NotEq", "right": {"Literal": {"Dyn": {"Int": 0}}}}}
    return {"Ternary": {"predicate": nothing, "truthy": node, "falsy": _NOTHING}}


def _wide(node: Node) -> Node:
    """Return whole numbers as wide as amounts: polars' own choice is narrower, and a product of two would wrap."""
    value = _whole(node)
    if value is not None:
        return expressions.literal(value)
    kind, held = expressions.kind_of(node)
    if kind == "Ternary":
        return {"Ternary": {**held, "truthy": _wide(held["truthy"]), "falsy": _wide(held["falsy"])}}
    if kind == "Function" and expressions.function_of(held) in _PLAIN:
        return {"Function": {**held, "input": [_wide(each) for each in held["input"]]}}
    return node


def _whole(node: Node) -> int | None:
    kind, held = expressions.kind_of(node)
    value = held["Dyn"].get("Int") if kind == "Literal" and "Dyn" in held else None
    return value if isinstance(value, int) else None


def _number(node: Node) -> float | None:
    """Return the number of a literal, None for any other node."""
    kind, held = expressions.kind_of(node)
    if kind != "Literal":
        return None
    named = held.get("Dyn") or held.get("Scalar") or {}
    return next((named[name] for name in ("Int", "Float", "Int64", "Float64") if name in named), None)


def _written_number(node: Node) -> str | None:
    number = _number(node)
    return None if number is None else repr(number)


def _is_literal_search(held: Mapping[str, Any]) -> bool:
    """Whether this is a search for a plain text, as LIKE '%text%' gives; a pattern of its own is not."""
    function = held["function"]
    return (
        isinstance(function, dict)
        and isinstance(family := function.get("StringExpr"), dict)
        and bool(family.get("Contains", {}).get("literal"))
    )
