"""From what `kpi.toml` says to the expressions that give points. Exact: see `exact`."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, lcm
from typing import TYPE_CHECKING, Final

import polars as pl
from attrs import define

from kpi_scorecard.columns import column
from kpi_scorecard.conditions import Fault, Term, all_of, columns_of
from kpi_scorecard.conditions import number as written_number
from kpi_scorecard.exact import (
    GREATEST,
    GREATEST_RATIO,
    LIMITS,
    PARTS,
    PLACES,
    between,
    billionths,
    divided,
    known,
    points,
    whole,
)
from kpi_scorecard.exact import number as constant
from kpi_scorecard.texts import _

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from kpi_scorecard.config import Deduction, Item, Minmax, Step, Table
    from kpi_scorecard.exact import Width

GREATEST_AMOUNT: Final = 2 * 10**13
"""The greatest amount there is, 2000亿 yuan in fen."""

PACE_PARTS: Final = 400
"""The greatest denominator of the share expected by a day."""

CHAIN: Final = 20
"""The most rows of a table that are asked one after the other."""

_SUFFIXES: Final[Mapping[str, str]] = {
    "quota": "_quota",
    "phased": "_quota",
    "original": "_quota_original",
    "stretch": "_stretch",
}


@define(frozen=True, eq=False)
class Measured:
    """Two whole numbers in one unit, what is measured and its target, as expressions, and their bound."""

    value: pl.Expr
    target: pl.Expr
    inputs: tuple[str, ...]
    greatest: int
    unit: int = 1
    """How many of the numbers make one of the indicator's own unit."""


def missing(inputs: Sequence[str]) -> pl.Expr:
    """Return whether any of the named columns has no value."""
    return pl.any_horizontal([pl.col(name).is_null() for name in inputs])


def _whole_number(name: str, width: Width = pl.Int128, *, money: bool = False) -> tuple[pl.Expr, int, int]:
    """Return a column as a whole number, its bound, and how many make one of its unit."""
    sort = column(name).sort
    if money or sort in {"money", "whole"}:
        return whole(name, width), GREATEST_AMOUNT, 1
    exact = pl.col(name).cast(pl.Float64)
    return billionths(exact, width), GREATEST_RATIO * PARTS, PARTS


def measured(item: Item, width: Width) -> Measured:
    """Return what an item measures and its target as whole numbers of one unit.

    Raises:
        Fault: the fixed target is no number that suits the indicator.
    """
    if item.target == "fixed":
        here = column(item.indicator)
        fixed = written_number(here, item.fixed)
        in_money = here.sort == "number" and item.fixed.rstrip()[-1:] in "千万亿元"
        value, greatest, unit = _whole_number(item.indicator, width, money=in_money)
        goal = fixed * unit
        if goal.denominator != 1 or abs(goal) > greatest:
            raise Fault(item.fixed, _("a whole number for {name}").format(name=here.name))
        return Measured(value, constant(goal.numerator, width), (item.indicator,), greatest, unit)
    quota = item.indicator + _SUFFIXES[item.target]
    value, target = whole(item.indicator, width), whole(quota, width)
    if item.target != "phased":
        return Measured(value, target, (item.indicator, quota), GREATEST_AMOUNT)
    above, below = (whole(f"expected_{part}", width) for part in ("numerator", "denominator"))
    return Measured(value * below, target * above, (item.indicator, quota), GREATEST_AMOUNT * PACE_PARTS)


class TooWideError(Exception):
    """64 bits do not hold the numbers of an item."""


@define(frozen=True, eq=False)
class _Making:
    """The making of one item: what it measures, after a rounding of the ratio where one is asked for."""

    item: Item
    value: pl.Expr
    target: pl.Expr
    greatest: int
    unit: int
    width: Width

    def fits(self, bound: int, found: str) -> None:
        """Make sure that numbers up to a bound, and four times as great, fit into the width.

        Raises:
            TooWideError: 64 bits do not hold them.
            Fault: 128 bits do not.
        """
        if bound * 4 < LIMITS[self.width]:
            return
        if self.width is pl.Int64:
            raise TooWideError
        raise Fault(found, _("numbers of fewer decimal places"))

    def constant(self, value: int) -> pl.Expr:
        """Return a whole number of the item's width."""
        return constant(value, self.width)

    def between(self, value: pl.Expr, least: int | None, most: int | None) -> pl.Expr:
        """Return a whole number of the item's width within bounds."""
        return between(value, least, most, self.width)

    @property
    def surplus(self) -> pl.Expr:
        """How much better than the target, below 0 where it is worse."""
        return self.value - self.target if self.item.better == "more" else self.target - self.value

    def parts(self, above: pl.Expr, below: pl.Expr | None, scale: Fraction, bound: int) -> pl.Expr:
        """Return above / below x scale in whole parts, rounded; without `below` it is a plain number.

        Args:
            above: a whole number.
            below: a whole number above 0, or None for 1.
            scale: what the quotient is multiplied with.
            bound: beyond both numbers.

        Raises:
            Fault: the numbers could come to more than 128 bits hold.
        """
        factor = scale * 10**self.item.digits
        found = _("{digits} digits, with points and steps as fine as here").format(digits=self.item.digits)
        self.fits(bound * max(abs(factor.numerator), factor.denominator), found)
        if factor.numerator != 1:
            above = above * factor.numerator
        if below is None and factor.denominator == 1:
            return above
        under = self.constant(factor.denominator) if below is None else below * factor.denominator
        return divided(above, under, self.item.rounding)

    def proportional(self) -> pl.Expr:
        """The points of the target times the ratio to it."""
        return self.parts(self.value, self.target, Fraction(self.item.points), self.greatest)

    def stepped(self, step: Step, sign: int) -> pl.Expr:
        """The points of the target and those of the steps over it, or less those of the steps short of it."""
        full, each = Fraction(self.item.points), Fraction(step.points)
        cap = Fraction(step.most) if step.most is not None else None
        size = self.surplus if sign > 0 else 0 - self.surplus
        if step.count == "pro_rata":
            return self._pro_rata(size, step, sign, cap)
        if not each or cap == 0:
            return self.constant(_parts(full, self.item.digits))
        per, base = self._base(step)
        begun, unit = size * per.denominator, base * per.numerator
        self.fits(self.greatest * max(per.denominator, per.numerator), str(step.per))
        if step.count == "started":
            begun = begun + unit - 1
        # More steps than these are worth more than the cap, or more than there are points.
        most = ceil((cap if cap is not None else 2 * GREATEST + abs(full)) / each)
        steps = self.between(begun // unit, None, most)
        common = lcm(full.denominator, each.denominator)
        above = steps * int(each * common) * sign + int(full * common)
        bound = int((2 * (cap or 2 * GREATEST) + 2 * abs(full) + each) * common) + common
        return self._capped(self.parts(above, None, Fraction(1, common), bound), sign, cap)

    def _base(self, step: Step) -> tuple[Fraction, pl.Expr]:
        """Return the size of a step and what it is a part of: the target, or the indicator's own unit."""
        per = Fraction(step.per)
        if self.item.step_of == "share":
            return per, self.target
        # Of money a difference is in yuan, kept in fen.
        return per * (100 if column(self.item.indicator).sort == "money" else self.unit), self.constant(1)

    def _pro_rata(self, size: pl.Expr, step: Step, sign: int, cap: Fraction | None) -> pl.Expr:
        full = Fraction(self.item.points)
        per, base = self._base(step)
        rate = Fraction(step.points) / per * sign
        common = lcm(full.denominator, rate.denominator)
        above = base * int(full * common) + size * int(rate * common)
        bound = self.greatest * (abs(int(full * common)) + 2 * abs(int(rate * common)))
        below = None if self.item.step_of == "difference" else base
        return self._capped(self.parts(above, below, Fraction(1, common), bound), sign, cap)

    def _capped(self, parts: pl.Expr, sign: int, cap: Fraction | None) -> pl.Expr:
        if cap is None:
            return parts
        end = _parts(Fraction(self.item.points) + sign * cap, self.item.digits)
        return self.between(parts, None, end) if sign > 0 else self.between(parts, end, None)

    def stretched(self, extra: Fraction) -> pl.Expr:
        """The points of the target and evenly more up to the stretch target, in parts; without one, no more."""
        full = Fraction(self.item.points)
        stretch = whole(f"{self.item.indicator}_stretch", self.width)
        width = stretch - self.target
        common = lcm(full.denominator, extra.denominator)
        above = width * int(full * common) + self.surplus * int(extra * common)
        bound = self.greatest * (abs(int(full * common)) + int(extra * common))
        grown = self.parts(above, width, Fraction(1, common), bound)
        capped = self.between(grown, None, _parts(full + extra, self.item.digits))
        plain = self.constant(_parts(full, self.item.digits))
        return pl.when(stretch.is_null()).then(plain).when(stretch > self.target).then(capped)

    def side(self, way: str, steps: Sequence[tuple[Step, Sequence[Term]]], sign: int) -> pl.Expr:
        """Return the parts on one side of the target, in the way that is written for it."""
        match way:
            case "zero":
                return self.constant(0)
            case "proportional":
                return self.proportional()
            case "steps":
                return self.with_steps(steps, sign)
            case "stretch":
                return self.stretched(Fraction(self.item.stretch_points or 0))
        return self.constant(_parts(self.item.points, self.item.digits))

    def with_steps(self, steps: Sequence[tuple[Step, Sequence[Term]]], sign: int) -> pl.Expr:
        """Return the parts by the step that applies to the unit; null where none does."""
        result: pl.Expr = pl.lit(None, self.width)
        for step, terms in reversed(list(steps)):
            here = self.stepped(step, sign)
            result = pl.when(all_of(terms)).then(here).otherwise(result) if terms else here
        return result

    @property
    def bounded(self) -> bool:
        """Whether no value can lead beyond the greatest number of points."""
        item = self.item
        if item.above == "proportional":
            return False
        above = item.above != "steps" or item.most is not None or all(step.most is not None for step in item.bonus)
        below = item.below != "steps" or item.least is not None or all(step.most is not None for step in item.malus)
        return above and below


def _parts(value: Fraction | Decimal, digits: int) -> int:
    """Return a decimal as a whole number of parts; what has more places was refused before."""
    return int(Fraction(value) * 10**digits)


def item_points(item: Item, terms: Mapping[str, Sequence[Sequence[Term]]]) -> tuple[pl.Expr, tuple[str, ...]]:
    """Return the points of an item as a Float64 expression, and the columns without which it has none.

    Args:
        item: as written; checked before.
        terms: the conditions of its steps, under `bonus` and `malus`.

    Raises:
        Fault: the fixed target is no number, or the numbers are too fine to be exact.
    """
    try:
        return _item_points(item, terms, pl.Int64)
    except TooWideError:
        return _item_points(item, terms, pl.Int128)


def _item_points(
    item: Item, terms: Mapping[str, Sequence[Sequence[Term]]], width: Width
) -> tuple[pl.Expr, tuple[str, ...]]:
    here = measured(item, width)
    making = _Making(item, here.value, here.target, here.greatest, here.unit, width)
    like = pl.col(here.inputs[0])
    if item.ratio_digits is not None:
        scale = 10**item.ratio_digits
        making.fits(here.greatest * scale, str(item.ratio_digits))
        ratio = divided(here.value * scale, here.target, item.rounding)
        ratio = pl.when(ratio.abs() <= GREATEST_RATIO * scale).then(ratio)
        making = _Making(item, ratio, constant(scale, width), GREATEST_RATIO * scale, scale, width)
    above, below = (
        making.side(way, list(zip(steps, terms[key], strict=True)), sign)
        for way, steps, key, sign in ((item.above, item.bonus, "bonus", 1), (item.below, item.malus, "malus", -1))
    )
    # Not `otherwise`: what cannot be compared would be scored as if it fell short.
    parts = pl.when(making.surplus >= 0).then(above).when(making.surplus < 0).then(below)
    least, most = (None if each is None else _parts(each, item.digits) for each in (item.least, item.most))
    value = points(making.between(parts, least, most), item.digits, like, bounded=making.bounded)
    return known([pl.col(name) for name in here.inputs], value), here.inputs


def table_points(table: Table, rows: Sequence[Sequence[Term]]) -> tuple[pl.Expr, pl.Expr, dict[str, pl.Expr]]:
    """Return the points of a table, the number of the row that holds (0 for none), and the condition of each row.

    Points and number are null where a number that a row reads is missing; a missing word is a case no row covers.
    """
    numbers = [name for name in columns_of(rows) if _numeric(rows, name)]
    conditions = [all_of(terms, table.ratio_digits, table.rounding) for terms in rows]
    worth = _first(conditions, [pl.lit(float(row.points)) for row in table.row], pl.lit(None, pl.Float64))
    orders = [pl.lit(order, pl.Int64) for order in range(1, len(conditions) + 1)]
    place = _first(conditions, orders, pl.lit(0, pl.Int64))
    if numbers:
        worth, place = (known([pl.col(name) for name in numbers], each) for each in (worth, place))
    return worth, place, {f"row {order}": condition for order, condition in enumerate(conditions, start=1)}


def _first(conditions: Sequence[pl.Expr], values: Sequence[pl.Expr], otherwise: pl.Expr) -> pl.Expr:
    """Return the value of the first condition that holds.

    Of many, the half in which it lies is found first: polars reads no expression of more than some 60 levels.
    """
    if len(conditions) > CHAIN:
        middle = len(conditions) // 2
        return (
            pl.when(pl.any_horizontal(conditions[:middle]))
            .then(_first(conditions[:middle], values[:middle], otherwise))
            .otherwise(_first(conditions[middle:], values[middle:], otherwise))
        )
    found = otherwise
    for condition, value in reversed(list(zip(conditions, values, strict=True))):
        found = pl.when(condition).then(value).otherwise(found)
    return found


def _numeric(rows: Sequence[Sequence[Term]], name: str) -> bool:
    return any(term.column.numeric for terms in rows for term in terms if term.column.name == name)


def deduction_points(item: Deduction) -> tuple[pl.Expr, tuple[str, ...]]:
    """Return the points left after what is counted, a Float64, and the column without which there are none."""
    value, _greatest, unit = _whole_number(item.indicator)
    over = between(value - item.free * unit, 0, None)
    off = over * _parts(item.each, PLACES)
    off = off if unit == 1 else divided(off, constant(unit), "half_up")
    left = between(constant(_parts(item.points, PLACES)) - off, _parts(item.least, PLACES), None)
    like = pl.col(item.indicator)
    return known([like], points(left, PLACES, like, bounded=True)), (item.indicator,)


def minmax_points(item: Minmax, least: str, most: str) -> tuple[pl.Expr, pl.Expr]:
    """Return the points of a place between the least and the most of the peer group, and whether there are none.

    Args:
        item: as written.
        least: the indicator that holds the least of the unit's group, in the type of the item's own.
        most: the one that holds the most.
    """
    value, greatest, _unit = _whole_number(item.indicator)
    low, high = _same(item.indicator, least), _same(item.indicator, most)
    worth, lowest = Fraction(item.points), Fraction(item.least)
    width = high - low
    place = value - low if item.better == "more" else high - value
    common = lcm(worth.denominator, lowest.denominator)
    above = width * (lowest * common).numerator + place * ((worth - lowest) * common).numerator
    if (abs(worth) + abs(lowest)) * common * greatest * 2 * 10**item.digits >= LIMITS[pl.Int128]:
        raise Fault(f"{item.points}", _("numbers of fewer decimal places"))
    spread = divided(above * 10**item.digits, width * common, item.rounding)
    equal = {"full": worth, "least": lowest, "na": None}[item.equal]
    alike = pl.lit(None, pl.Int128) if equal is None else constant(_parts(equal, item.digits))
    parts = pl.when(width > 0).then(spread).otherwise(alike)
    absent = missing((item.indicator, least, most))
    if item.equal == "na":
        absent = absent | (pl.col(least) == pl.col(most))
    inputs = [pl.col(name) for name in (item.indicator, least, most)]
    return known(inputs, points(parts, item.digits, inputs[0], bounded=True)), absent


def _same(indicator: str, name: str) -> pl.Expr:
    """Return a column as a whole number as `_whole_number` does another, whose ends it holds."""
    return whole(name) if column(indicator).sort in {"money", "whole"} else billionths(pl.col(name))
