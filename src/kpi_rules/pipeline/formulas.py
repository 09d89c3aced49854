"""Expressions as steps over arrays, for a large population: indicators and conditions without a frame being made.

A formula gives what polars gives, nulls, exact divisions and all, or says that it is not fit: where an expression is
more than the steps here, or a whole number on the way may leave 64 bits. Then the general way is gone.
"""

from __future__ import annotations

import json
import operator
from functools import lru_cache, partial, reduce
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kpi_rules.model import expressions
from kpi_rules.pipeline.columns import Bounds, Figures, Known, Values, figures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl
    from numpy.typing import NDArray

    Step = Callable[["_Row"], "Figures"]

WHOLE: Final = 2**63
"""Whole numbers of 64 bits lie below it."""

GREAT: Final = 1e200
"""No ratio on the way may come near infinity: what is infinite soon is no number."""


class UnfitError(Exception):
    """A formula does not fit these values; the general way does."""


class Formula:
    """An expression as steps; what stands in it twice is made once."""

    def __init__(self, last: Step, reads: frozenset[str]) -> None:
        """Keep the last step, which asks for those before it, and the columns that are read."""
        self._last = last
        self.reads = reads

    def of(self, columns: Mapping[str, Any]) -> Figures:
        """Return what the expression comes to, given the columns it reads.

        Raises:
            UnfitError: the steps do not fit these values.
        """
        try:
            return self._last(_Row(columns))
        except RecursionError:  # formulas of indicators that read each other, each of them deep
            raise UnfitError from None

    def whole(self, columns: Mapping[str, Any], rows: int) -> NDArray[np.int64] | None:
        """Return a whole number for every row; None where the steps do not fit, or come to anything else."""
        try:
            found = self.of(columns)
        except UnfitError:
            return None
        if found.known is not True or not found.is_whole:
            return None
        return found.columns(rows)[0].astype(np.int64, copy=False)


class Columns(dict[str, Any]):
    """Columns of some rows, each when it is first asked for: a part of what is there, or what a formula makes of it.

    Whoever asks has made sure that there is one or the other.
    """

    def __init__(self, others: Mapping[str, Any], formulas: Callable[[str], Formula | None], rows: slice) -> None:
        """Keep what is there, for all rows, and what makes the rest."""
        super().__init__()
        self._others, self._formulas, self._rows = others, formulas, rows

    def __missing__(self, name: str) -> Any:  # noqa: ANN401 (an array, `PerGroup` or `Figures`)
        found = self[name] = self._made(name)
        return found

    def _made(self, name: str) -> Any:  # noqa: ANN401 (as above)
        if name in self._others:
            return self._others[name][self._rows]
        made = self._formulas(name)
        if made is None:
            raise KeyError(name)
        return made.of(self)


class _Row:
    """What has been made of the columns so far."""

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self.columns = columns
        self.made: dict[str, Figures] = {}


def formula(expression: pl.Expr) -> Formula | None:
    """Return an expression as a formula, None where it takes more than there are steps for."""
    return _formula(expression.meta.serialize(format="json"))


@lru_cache(maxsize=4096)
def _formula(text: str) -> Formula | None:
    node = json.loads(text)
    last = _step(node)
    if last is None:
        return None
    named = (expressions.kind_of(each) for each in expressions.walk(node))
    return Formula(last, frozenset(str(held) for kind, held in named if kind == "Column"))


def _step(node: expressions.Node) -> Step | None:
    """Return the step of a node, which asks for those below it."""
    kind, held = expressions.kind_of(node)
    below = [_step(child) for child in expressions.children(node)]
    parts = [each for each in below if each is not None]
    if len(parts) < len(below):
        return None
    made: Step | None = None
    match kind:
        case "Column":
            return lambda row: figures(row.columns[held])
        case "Literal":
            constant = _literal(node)
            return None if constant is None else lambda _row: constant
        case "Ternary":
            predicate, truthy, falsy = parts
            made = partial(_chosen, predicate, truthy, falsy)
        case "BinaryExpr":
            made = _binary(held["op"], parts)
        case "Cast":
            made = _cast(held["dtype"], parts[0])
        case "Function":
            made = _function(held, parts)
    return None if made is None else _once(json.dumps(node), made)


def _once(text: str, made: Step) -> Step:
    def step(row: _Row) -> Figures:
        found = row.made.get(text)
        if found is None:
            found = row.made[text] = made(row)
        return found

    return step


def _literal(node: expressions.Node) -> Figures | None:
    _kind, held = expressions.kind_of(node)
    named = held.get("Scalar") or {}
    if "Null" in named:
        return Figures(0, known=False)
    if "Boolean" in named:
        return Figures(bool(named["Boolean"]))
    value = expressions.number(node)
    return None if value is None else Figures(value)


def _both(one: Known, other: Known) -> Known:
    """Return where two are known."""
    if isinstance(one, bool):
        return other if one else False
    if isinstance(other, bool):
        return one if other else False
    return one & other


def _opposite(known: Known) -> Known:
    return not known if isinstance(known, bool) else ~known


def _either(one: Known, other: Known) -> Known:
    """Return where one of two is known."""
    if isinstance(one, bool):
        return True if one else other
    if isinstance(other, bool):
        return True if other else one
    return one | other


def _truth(each: Figures) -> Known:
    values = each.values
    if isinstance(values, bool) or (isinstance(values, np.ndarray) and values.dtype == np.bool_):
        return values
    raise UnfitError


def _chosen(predicate: Step, truthy: Step, falsy: Step, row: _Row) -> Figures:
    """Return one of two, row by row; a predicate that is not known is not true."""
    asked = predicate(row)
    where = _both(_truth(asked), asked.known)
    if isinstance(where, bool):
        return truthy(row) if where else falsy(row)
    one, other = truthy(row), falsy(row)
    if one.known is False and other.known is False:
        return one
    if one.known is False or other.known is False:  # its value stands for nothing, of whatever type
        shown = other if one.known is False else one
        of_it = _opposite(where) if one.known is False else where
        there = _whole_truth(_both(of_it, shown.known))
        if shown.is_truth:
            return Figures(_both(_truth(shown), there), there)
        return Figures(shown.values, there, bounds=shown.bounds)
    if one.is_truth != other.is_truth:
        raise UnfitError
    everywhere = one.known is True and other.known is True
    known = True if everywhere else _whole_truth(np.where(where, one.known, other.known))
    if one.values is True and other.values is False:
        return Figures(_both(where, known), known)
    bounds = min(one.bounds[0], other.bounds[0]), max(one.bounds[1], other.bounds[1])
    if not one.is_truth:
        _within(bounds, whole=one.is_whole and other.is_whole)
    return Figures(np.where(where, one.values, other.values), known, bounds=bounds)


def _whole_truth(known: Known) -> Known:
    """Return True where everything is known: what follows is spared the looking."""
    return True if not isinstance(known, bool) and known.all() else known


def _binary(op: str, parts: list[Step]) -> Step | None:
    left, right = parts
    if op in COMPARISONS:
        compare = COMPARISONS[op]
        return lambda row: _compared(compare, left(row), right(row))
    if op in {"And", "LogicalAnd"}:
        return lambda row: _all(left(row), right(row))
    if op in {"Or", "LogicalOr"}:
        return lambda row: _any(left(row), right(row))
    if op in _ARITHMETIC:
        apply, within = _ARITHMETIC[op]
        return lambda row: _calculated(apply, within, left(row), right(row))
    if op == "TrueDivide":
        return lambda row: _divided(left(row), right(row))
    if op == "FloorDivide":
        return lambda row: _floored(left(row), right(row))
    if op == "Modulus":
        return lambda row: _remainder(left(row), right(row))
    return None


COMPARISONS: Final[Mapping[str, np.ufunc]] = {
    "Lt": np.less,
    "LtEq": np.less_equal,
    "Gt": np.greater,
    "GtEq": np.greater_equal,
    "Eq": np.equal,
    "NotEq": np.not_equal,
}
"""What each comparison of an expression is to arrays."""


def _plain(found: Any) -> Any:  # noqa: ANN401 (an array, or the number of NumPy that stands for all rows)
    return found if isinstance(found, np.ndarray) else found.item() if isinstance(found, np.generic) else found


def _compared(compare: np.ufunc, left: Figures, right: Figures) -> Figures:
    if left.is_truth != right.is_truth and left.known is not False and right.known is not False:
        raise UnfitError
    known = _both(left.known, right.known)
    if known is False:
        return Figures(values=False, known=False)
    found = _plain(compare(left.values, right.values))
    return Figures(found if known is True else _both(found, known), known)


def _all(left: Figures, right: Figures) -> Figures:
    """Return the `and` of three-valued logic: false is enough for false."""
    one, other = _truth(left), _truth(right)
    both = _both(one, other)
    if left.known is True and right.known is True:
        return Figures(both)
    false = _either(_both(left.known, _opposite(one)), _both(right.known, _opposite(other)))
    return Figures(both, _whole_truth(_either(_both(left.known, right.known), false)))


def _any(left: Figures, right: Figures) -> Figures:
    """Return the `or` of three-valued logic: true is enough for true."""
    either = _either(_truth(left), _truth(right))
    if left.known is True and right.known is True:
        return Figures(either)
    return Figures(either, _whole_truth(_either(_both(left.known, right.known), either)))


def _not(each: Figures) -> Figures:
    return Figures(_both(_opposite(_truth(each)), each.known), each.known)


def _products(one: Bounds, other: Bounds) -> Bounds:
    ends = [first * second for first in one for second in other]
    return min(ends), max(ends)


_ARITHMETIC: Final[Mapping[str, tuple[Callable[[Any, Any], Any], Callable[[Bounds, Bounds], Bounds]]]] = {
    "Plus": (operator.add, lambda one, other: (one[0] + other[0], one[1] + other[1])),
    "Minus": (operator.sub, lambda one, other: (one[0] - other[1], one[1] - other[0])),
    "Multiply": (operator.mul, _products),
}
"""What each operation does to arrays and numbers, and between which numbers its results lie."""

_NEUTRAL: Final[Mapping[Callable[[Any, Any], Any], int]] = {operator.add: 0, operator.mul: 1}
"""Whole numbers that change nothing, on either side."""


def _within(bounds: Bounds, *, whole: bool) -> Bounds:
    """Return bounds, given that no number between them is too great.

    Raises:
        UnfitError: one is.
    """
    most = WHOLE if whole else GREAT
    if not (-most <= bounds[0] and bounds[1] < most):
        raise UnfitError
    return bounds


def _calculated(
    apply: Callable[[Any, Any], Any], within: Callable[[Bounds, Bounds], Bounds], left: Figures, right: Figures
) -> Figures:
    known = _both(left.known, right.known)
    if known is False:
        return Figures(0, known=False)
    if left.is_truth or right.is_truth:
        raise UnfitError
    whole = left.is_whole and right.is_whole
    bounds = _within(within(left.bounds, right.bounds), whole=whole)
    for one, other in ((left, right), (right, left)):
        number = other.values if other.is_whole and not isinstance(other.values, np.ndarray) else None
        if number == 0 and apply is operator.mul and whole:
            return Figures(0, known)
        if number is not None and number == _NEUTRAL.get(apply):
            return Figures(one.values, known, bounds=bounds)
    return Figures(apply(left.values, right.values), known, bounds=bounds)


def _nonzero(divisor: Figures, known: Known) -> tuple[Values, Known]:
    """Return a divisor that is nowhere 0, and where the quotient is known."""
    least, most = divisor.bounds
    if least > 0 or most < 0:
        return divisor.values, known
    there = _plain(np.not_equal(divisor.values, 0))
    return np.where(there, divisor.values, 1), _whole_truth(_both(known, there))


def _divided(left: Figures, right: Figures) -> Figures:
    """Return a quotient, correctly rounded; nothing by 0, as `expressions.correctly_rounded` has it."""
    known = _both(left.known, right.known)
    if known is False:
        return Figures(0.0, known=False)
    if left.is_truth or not right.is_whole:  # by a fraction the bounds would not hold
        raise UnfitError
    if right.bounds == (0, 0):  # a constant by 0 is no number to polars
        raise UnfitError
    least, most = right.bounds
    divisors = (least, most) if least > 0 or most < 0 else (-1, 1)
    ends = [end / each for end in left.bounds for each in divisors]
    divisor, known = _nonzero(right, known)
    found = _plain(np.true_divide(left.values, divisor))
    return Figures(found, known, bounds=_within((min(ends), max(ends)), whole=False))


def _floored(left: Figures, right: Figures) -> Figures:
    known = _both(left.known, right.known)
    if known is False:
        return Figures(0, known=False)
    least, most = right.bounds
    if not (left.is_whole and right.is_whole and least > 0):
        raise UnfitError
    ends = [end // divisor for end in left.bounds for divisor in (least, most)]
    return Figures(left.values // right.values, known, bounds=(min(ends), max(ends)))


def _remainder(left: Figures, right: Figures) -> Figures:
    times = _floored(left, right)
    if isinstance(right.values, np.ndarray) or times.known is False:
        raise UnfitError
    # NumPy divides many at once, but takes remainders one by one.
    return Figures(left.values - times.values * right.values, times.known, bounds=(0, right.values - 1))


def _cast(given: Any, part: Step) -> Step | None:  # noqa: ANN401 (a type as polars' JSON has it)
    dtype = given.get("Literal") if isinstance(given, dict) else given
    if dtype in {"Int64", "Int128"}:
        return lambda row: _to_whole(part(row))
    if dtype == "Float64":
        return lambda row: _to_ratio(part(row))
    return None


def _to_whole(each: Figures) -> Figures:
    if each.known is False or each.is_whole:
        return each
    if each.is_truth:
        values = each.values
        return Figures(values.astype(np.int64) if isinstance(values, np.ndarray) else int(values), each.known)
    bounds = _within((int(each.bounds[0]), int(each.bounds[1])), whole=True)
    found = np.trunc(each.values).astype(np.int64)
    return Figures(_plain(found), each.known, bounds=bounds)


def _to_ratio(each: Figures) -> Figures:
    if each.known is False:
        return each
    if each.is_truth:
        raise UnfitError
    values = each.values
    return Figures(values.astype(np.float64) if isinstance(values, np.ndarray) else float(values), each.known)


def _function(held: Mapping[str, Any], parts: list[Step]) -> Step | None:
    function, name, first = held["function"], expressions.function_of(held), parts[0]
    if name in {"Boolean.AllHorizontal", "Boolean.AnyHorizontal"}:
        join = _all if name == "Boolean.AllHorizontal" else _any
        return lambda row: reduce(join, (part(row) for part in parts))
    if name == "Clip":
        ends = [end for end in ("min", "max") if function["Clip"][f"has_{end}"]]
        return lambda row: _clipped(first(row), {end: part(row) for end, part in zip(ends, parts[1:], strict=True)})
    if name == "Round" and function["Round"] != {"decimals": 0, "mode": "HalfToEven"}:
        return None
    of_one = _OF_ONE.get(name)
    return None if of_one is None else lambda row: of_one(first(row))


def _absolute(each: Figures) -> Figures:
    if each.is_truth:
        raise UnfitError
    least, most = each.bounds
    bounds = _within((0, max(abs(least), abs(most))), whole=each.is_whole)
    return Figures(_plain(np.abs(each.values)), each.known, bounds=bounds)


def _clipped(each: Figures, ends: Mapping[str, Figures]) -> Figures:
    """Return what is left between constant ends of the same type."""
    for end in ends.values():
        if isinstance(end.values, np.ndarray) or end.known is not True or end.is_whole != each.is_whole:
            raise UnfitError
    if each.is_truth:
        raise UnfitError
    values, (least, most) = each.values, each.bounds
    for name, end in ends.items():
        limit = end.bounds[0]
        apply, choose = (np.maximum, max) if name == "min" else (np.minimum, min)
        values, least, most = _plain(apply(values, limit)), choose(least, limit), choose(most, limit)
    return Figures(values, each.known, bounds=_within((least, most), whole=each.is_whole))


def _rounded(each: Figures) -> Figures:
    if each.is_truth:
        raise UnfitError
    if each.is_whole:
        return each
    bounds = round(each.bounds[0]), round(each.bounds[1])
    return Figures(_plain(np.rint(each.values)), each.known, bounds=bounds)


_OF_ONE: Final[Mapping[str, Callable[[Figures], Figures]]] = {
    "Abs": _absolute,
    "Boolean.IsNotNull": lambda each: Figures(each.known),
    "Boolean.IsNull": lambda each: Figures(_opposite(each.known)),
    "Boolean.Not": _not,
    "Round": _rounded,
}
"""Functions of one value."""
