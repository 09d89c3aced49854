"""What the parts of a condition written as text are, and what does not go together, in the text's own words.

`expressions.check` refuses the same and more; here an administrator's text is told of in its own words, and money never
meets a ratio: `funds >= 0.07 * funds_quota` would be decided by the last digit of a product that is rounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import polars as pl

from kpi_rules.locale import _
from kpi_rules.model import expressions
from kpi_rules.model.expressions import Refusal
from kpi_rules.model.problems import nearest
from kpi_rules.model.rounding import step
from kpi_rules.model.wording import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_rules.model.expressions import Node, Schema

Type = Literal["whole", "ratio", "number", "decimal", "condition", "text", "date", "unknown"]
"""`number` is a whole number as written, which goes with amounts and ratios; `decimal` one with a point."""

_NUMERIC: Final = frozenset({"whole", "ratio", "number", "decimal"})
_COARSE: Final = frozenset({"ratio", "decimal"})


def _names() -> Mapping[Type, str]:
    return {
        "whole": _("a whole number"),
        "ratio": _("a ratio"),
        "number": _("a whole number"),
        "decimal": _("a ratio"),
        "condition": _("a condition"),
        "text": _("a text"),
        "date": _("a date"),
        "unknown": _("nothing"),
    }


def refusals(expression: pl.Expr, schema: Schema, expected: type[pl.DataType]) -> list[Refusal]:
    """Return what is wrong with an expression that `sql.read` gave, held against the columns it may read.

    Args:
        expression: a condition, an amount or an indicator.
        schema: the columns and their types.
        expected: the type the whole must have: Boolean, Int64, Float64 or String.
    """
    typing = _Typing(schema)
    found = typing.of(expressions.tree(expression))
    if not typing.refusals and found != "unknown" and found not in _ALLOWED[expected]:
        named = _names()
        said = _("{text}, which is {type}").format(text=text_of(expressions.tree(expression)), type=named[found])
        typing.refusals.append(Refusal("wrong-type", said, _expectation(expected)))
    return list(dict.fromkeys(typing.refusals))


def check(expression: pl.Expr, schema: Schema, expected: type[pl.DataType]) -> list[Refusal]:
    """Return what is wrong with such an expression in any way: by its types, or else by `expressions.check`."""
    return refusals(expression, schema, expected) or expressions.check(expression, schema, expected)


def inexact(expression: pl.Expr, schema: Schema) -> list[Refusal]:
    """Return the comparisons of a sound expression that the last digit of a computed ratio may decide.

    1.2 - 1 is a little less than 0.2, so that `completion - 1 >= 0.2` is false at 120%.
    """
    typing = _Typing(schema)
    expected = _("the figure itself on one side, or round(..., 6) around what is computed from it")
    return [
        Refusal("inexact-comparison", text_of(node), expected)
        for node in expressions.walk(expressions.tree(expression))
        if expressions.comparison(node) is not None and any(map(typing.is_computed, expressions.children(node)))
    ]


_ALLOWED: Final[Mapping[type[pl.DataType], frozenset[str]]] = {
    pl.Boolean: frozenset({"condition"}),
    pl.Int64: frozenset({"whole", "number"}),
    pl.Float64: _NUMERIC,
    pl.String: frozenset({"text"}),
    pl.Date: frozenset({"date"}),
}


def _expectation(expected: type[pl.DataType]) -> str:
    if expected == pl.Int64:
        return _("a whole number, money in fen; share_of(rate, amount) gives a share of an amount exactly")
    if expected == pl.Boolean:
        return _("a condition, true or false")
    return _("a text") if expected == pl.String else _("a number")


class _Typing:
    """One walk over a tree, from the leaves up."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.refusals: list[Refusal] = []

    def of(self, node: Node) -> Type:
        stepped = step(node)
        if stepped is not None:
            self._expect(stepped.of, self.of(stepped.of), _NUMERIC, _("numbers"))
            return "ratio"
        kind, held = expressions.kind_of(node)
        match kind:
            case "Column":
                return self._column(str(held))
            case "Literal":
                return _literal(held)
            case "Cast":
                return self._cast(held)
            case "Ternary":
                return self._choice(node, held)
            case "BinaryExpr":
                return self._binary(node, held)
        return self._function(node, held)

    def is_computed(self, node: Node) -> bool:
        """Whether a value is computed from ratios; one division of whole numbers is not, nor is what is rounded."""
        kind, held = expressions.kind_of(node)
        if step(node) is not None or self.of(node) != "ratio" or not _has_column(node):
            return False
        if kind != "BinaryExpr":
            return any(map(self.is_computed, expressions.children(node)))
        sides = {self.of(held["left"]), self.of(held["right"])}
        return held["op"] != "TrueDivide" or not sides <= {"whole", "number"}

    def _column(self, name: str) -> Type:
        if name not in self.schema:
            expected = _("a column a rule can read")
            self.refusals.append(Refusal("unknown-column", name, expected, nearest(name, self.schema)))
            return "unknown"
        dtype = self.schema[name]
        if dtype.is_integer():
            return "whole"
        if dtype.is_numeric():
            return "ratio"
        if dtype == pl.Boolean:
            return "condition"
        return "date" if dtype == pl.Date else "text"

    def _cast(self, held: Mapping[str, Any]) -> Type:
        """Casts are ours alone: of a part of a date to Int64, of an indicator that is a ratio to Float64."""
        found = self.of(held["expr"])
        self._expect(held["expr"], found, _NUMERIC, _("a number"))
        return "whole" if held["dtype"] == {"Literal": "Int64"} else "ratio"

    def _binary(self, node: Node, held: Mapping[str, Any]) -> Type:
        left, right = self.of(held["left"]), self.of(held["right"])
        if expressions.connective(node) is not None:
            for side, type_ in (("left", left), ("right", right)):
                self._expect(held[side], type_, {"condition"}, _("a condition on both sides of AND and OR"))
            return "condition"
        if held["op"] in expressions.COMPARISONS:
            self._compare(node, left, right)
            return "condition"
        return self._compute(node, held, left, right)

    def _compare(self, node: Node, left: Type, right: Type) -> None:
        if _alike(left, right):
            return
        names = _names()
        if {left, right} == {"whole", "ratio"}:
            expected = _("one division on one side, which is exact, such as funds / funds_quota >= 0.5")
        else:
            expected = _("both sides of one type, not {left} against {right}").format(
                left=names[left], right=names[right]
            )
        self.refusals.append(Refusal("types-differ", text_of(node), expected))

    def _compute(self, node: Node, held: Mapping[str, Any], left: Type, right: Type) -> Type:
        for side, type_ in (("left", left), ("right", right)):
            self._expect(held[side], type_, _NUMERIC, _("numbers"))
        if held["op"] in {"Plus", "Minus"} and {left, right} == {"whole", "ratio"}:
            expected = _("whole numbers on both sides, or ratios: a rounded figure in an exact one decides by chance")
            self.refusals.append(Refusal("types-differ", text_of(node), expected))
        if held["op"] == "TrueDivide" or {left, right} & _COARSE:
            return "ratio"
        return "number" if left == right == "number" else "whole"

    def _choice(self, node: Node, held: Mapping[str, Any]) -> Type:
        self._expect(held["predicate"], self.of(held["predicate"]), {"condition"}, _("a condition after WHEN"))
        then, otherwise = self.of(held["truthy"]), self.of(held["falsy"])
        if not _alike(then, otherwise):
            names = _names()
            expected = _("both sides of one type, not {left} against {right}")
            said = expected.format(left=names[then], right=names[otherwise])
            self.refusals.append(Refusal("types-differ", text_of(node), said))
        return _together([then, otherwise])

    def _function(self, node: Node, held: Mapping[str, Any]) -> Type:
        name = expressions.function_of(held)
        types = [self.of(each) for each in held["input"][: 1 if name == "Boolean.IsIn" else None]]
        of = held["input"][0]
        if name == "Boolean.Not":
            self._expect(of, types[0], {"condition"}, _("a condition after NOT"))
        elif name == "Boolean.IsIn":
            self._listed(node, held, types[0])
        elif name.startswith("StringExpr."):
            for each, type_ in zip(held["input"], types, strict=True):
                self._expect(each, type_, {"text"}, _("a text"))
        elif name.startswith("TemporalExpr."):
            self._expect(of, types[0], {"date"}, _("a date"))
            return "whole"
        elif not name.startswith("Boolean."):
            for each, type_ in zip(held["input"], types, strict=True):
                self._expect(each, type_, _NUMERIC, _("numbers"))
            return _together([each for each in types if each in _NUMERIC])
        return "condition"

    def _listed(self, node: Node, held: Mapping[str, Any], of: Type) -> None:
        within = {_value(value) for value in expressions.listed(held["input"][1])}
        if any(type_ == "unknown" or not _alike(of, type_) for type_ in within):
            names = _names()
            expected = _("values of one type with the one before IN, {type}").format(type=names[of])
            self.refusals.append(Refusal("types-differ", text_of(node), expected))

    def _expect(self, node: Node, found: Type, allowed: frozenset[str] | set[str], expected: str) -> None:
        if found == "unknown" or found in allowed:
            return
        said = _("{text}, which is {type}").format(text=text_of(node), type=_names()[found])
        self.refusals.append(Refusal("wrong-types", said, expected))


def _has_column(node: Node) -> bool:
    return any(expressions.kind_of(each)[0] == "Column" for each in expressions.walk(node))


def _alike(left: Type, right: Type) -> bool:
    if left == right or "unknown" in {left, right}:
        return True
    return {left, right} <= _NUMERIC and {left, right} != {"whole", "ratio"}


def _together(types: list[Type]) -> Type:
    """Return what several values are together, as CASE and least() have them."""
    known = [each for each in types if each != "unknown"]
    if not known:
        return "unknown"
    if not set(known) <= _NUMERIC:
        return known[0]
    if set(known) & _COARSE:
        return "ratio"
    return "number" if set(known) == {"number"} else "whole"


def _literal(held: Any) -> Type:  # noqa: ANN401 (what a literal's node holds)
    if "Dyn" in held:
        return "number" if "Int" in held["Dyn"] else "decimal"
    kinds: Mapping[str, Type] = {"Int64": "number", "Float64": "decimal", "Boolean": "condition", "String": "text"}
    kinds = {**kinds, "Date": "date"}
    return next((kinds[name] for name in held.get("Scalar", {}) if name in kinds), "unknown")


def _value(value: object) -> Type:
    if isinstance(value, bool):
        return "condition"
    if isinstance(value, (int, float)):
        return "number" if isinstance(value, int) else "decimal"
    return "text" if isinstance(value, str) else ("unknown" if value is None else "date")
