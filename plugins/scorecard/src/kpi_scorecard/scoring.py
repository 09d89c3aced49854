"""From what `kpi.toml` says to the expressions that give points. Exact: see `exact`."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Final

import polars as pl
from attrs import define

from kpi_scorecard.columns import column
from kpi_scorecard.conditions import Fault, Term, all_of, columns_of
from kpi_scorecard.conditions import number as written_number
from kpi_scorecard.exact import (
    BITS,
    GREATEST_RATIO,
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

GREATEST_AMOUNT: Final = 2 * 10**13
"""The greatest amount there is, 2000亿 yuan in fen."""

PACE_PARTS: Final = 400
"""The greatest denominator of the share expected by a day."""

MOST_STEPS: Final = 10**12
"""More steps than this are not assessed; no figure of the real world comes near."""

_SUFFIXES: Final[Mapping[str, str]] = {
    "quota": "_quota",
    "phased": "_quota",
    "original": "_quota_original",
    "stretch": "_stretch",
}


@define(frozen=True, eq=False)
class Measured:
    """Two whole numbers in one unit, what is measured and its target, as expressions of 128 bits, and their bound."""

    value: pl.Expr
    target: pl.Expr
    inputs: tuple[str, ...]
    greatest: int
    unit: int = 1
    """How many of the numbers make one of the indicator's own unit."""


def missing(inputs: Sequence[str]) -> pl.Expr:
    """Return whether any of the named columns has no value."""
    return pl.any_horizontal([pl.col(name).is_null() for name in inputs])


def _whole_number(name: str, *, money: bool = False) -> tuple[pl.Expr, int, int]:
    """Return a column as a whole number, its bound, and how many make one of its unit."""
    sort = column(name).sort
    if money or sort in {"money", "whole"}:
        return whole(name), GREATEST_AMOUNT, 1
    exact = pl.col(name).cast(pl.Float64)
    return billionths(exact), GREATEST_RATIO * PARTS, PARTS


def measured(item: Item) -> Measured:
    """Return what an item measures and its target as whole numbers of one unit.

    Raises:
        Fault: the fixed target is no number that suits the indicator.
    """
    if item.target == "fixed":
        here = column(item.indicator)
        fixed = written_number(here, item.fixed)
        in_money = here.sort == "number" and item.fixed.rstrip()[-1:] in "千万亿元"
        value, greatest, unit = _whole_number(item.indicator, money=in_money)
        goal = fixed * unit
        if goal.denominator != 1 or abs(goal) > greatest:
            raise Fault(item.fixed, _("a whole number for {name}").format(name=here.name))
        return Measured(value, constant(goal.numerator), (item.indicator,), greatest, unit)
    quota = item.indicator + _SUFFIXES[item.target]
    value, target = whole(item.indicator), whole(quota)
    if item.target != "phased":
        return Measured(value, target, (item.indicator, quota), GREATEST_AMOUNT)
    above, below = whole("expected_numerator"), whole("expected_denominator")
    return Measured(value * below, target * above, (item.indicator, quota), GREATEST_AMOUNT * PACE_PARTS)


@define(frozen=True, eq=False)
class _Of:
    """Points as a fraction of whole numbers, still to be rounded; `bound` is beyond both numbers."""

    above: pl.Expr
    below: pl.Expr
    bound: int


@define(frozen=True, eq=False)
class _Making:
    """The making of one item: what it measures, after a rounding of the ratio where one is asked for."""

    item: Item
    value: pl.Expr
    target: pl.Expr
    greatest: int
    unit: int

    @property
    def surplus(self) -> pl.Expr:
        """How much better than the target, below 0 where it is worse."""
        over = self.value - self.target
        return over if self.item.better == "more" else self.target - self.value

    def proportional(self) -> _Of:
        """The points of the target times the ratio to it."""
        worth = Fraction(self.item.points)
        bound = max(abs(worth.numerator), worth.denominator) * self.greatest
        return _Of(self.value * worth.numerator, self.target * worth.denominator, bound)

    def stepped(self, step: Step, sign: int) -> _Of:
        """The points of the target and those of the steps over it, or less those of the steps short of it."""
        full, each, per = Fraction(self.item.points), Fraction(step.points) * sign, Fraction(step.per)
        size = self.surplus * sign
        base, reach = self.target, self.greatest
        if self.item.step_of == "difference":
            # Of money a difference is in yuan, kept in fen.
            per = per * (100 if column(self.item.indicator).sort == "money" else self.unit)
            base, reach = constant(1), 1
        if step.count == "pro_rata":
            rate = each / per
            common = lcm(full.denominator, rate.denominator)
            above = base * (full * common).numerator + size * (rate * common).numerator
            bound = common * reach + abs((full * common).numerator) * reach
            return _Of(above, base * common, bound + abs((rate * common).numerator) * 2 * self.greatest)
        begun = size * per.denominator
        unit = base * per.numerator
        steps = begun // unit
        if step.count == "started":
            steps = steps + (steps * unit < begun).cast(pl.Int64)
        steps = pl.when(steps <= MOST_STEPS).then(steps)
        common = lcm(full.denominator, each.denominator)
        above = steps * (each * common).numerator + (full * common).numerator
        bound = abs((each * common).numerator) * MOST_STEPS + abs((full * common).numerator) + common
        return _Of(above, constant(common), max(bound, 2 * self.greatest * per.denominator, reach * per.numerator))

    def stretched(self, extra: Fraction) -> pl.Expr:
        """The points of the target and evenly more up to the stretch target, in parts; without one, no more."""
        full = Fraction(self.item.points)
        stretch = whole(f"{self.item.indicator}_stretch")
        width = stretch - self.target
        common = lcm(full.denominator, extra.denominator)
        above = width * (full * common).numerator + self.surplus * (extra * common).numerator
        here = _Of(above, width * common, common * (abs(full) + extra).__ceil__() * self.greatest * 2)
        grown = between(self.parts(here), None, constant(_parts(full + extra, self.item.digits)))
        plain = constant(_parts(full, self.item.digits))
        return pl.when(stretch.is_null()).then(plain).when(width > 0).then(grown)

    def parts(self, of: _Of) -> pl.Expr:
        """Round points to whole parts.

        Raises:
            Fault: the numbers could come to more than 128 bits hold.
        """
        if of.bound * 10**self.item.digits * 2 >= BITS:
            found = _("{digits} digits, with points and steps as fine as here").format(digits=self.item.digits)
            raise Fault(found, _("numbers of fewer decimal places"))
        return divided(of.above * 10**self.item.digits, of.below, self.item.rounding)

    def side(self, way: str, steps: Sequence[tuple[Step, Sequence[Term]]], sign: int) -> pl.Expr:
        """Return the parts on one side of the target, in the way that is written for it."""
        match way:
            case "zero":
                return constant(0)
            case "proportional":
                return self.parts(self.proportional())
            case "steps":
                return self.with_steps(steps, sign)
            case "stretch":
                return self.stretched(Fraction(self.item.stretch_points or 0))
        return constant(_parts(self.item.points, self.item.digits))

    def with_steps(self, steps: Sequence[tuple[Step, Sequence[Term]]], sign: int) -> pl.Expr:
        """The parts by the step that applies to the unit, each within its cap; null where none does."""
        full = Fraction(self.item.points)
        result: pl.Expr = pl.lit(None, pl.Int128)
        for step, terms in reversed(list(steps)):
            here = self.parts(self.stepped(step, sign))
            if step.most is not None:
                cap = constant(_parts(full + sign * Fraction(step.most), self.item.digits))
                here = between(here, None, cap) if sign > 0 else between(here, cap, None)
            result = pl.when(all_of(terms)).then(here).otherwise(result) if terms else here
        return result


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
    here = measured(item)
    making = _Making(item, here.value, here.target, here.greatest, here.unit)
    if item.ratio_digits is not None:
        ratio = divided(here.value * 10**item.ratio_digits, here.target, item.rounding)
        ratio = pl.when(ratio.abs() <= GREATEST_RATIO * 10**item.ratio_digits).then(ratio)
        scale = 10**item.ratio_digits
        making = _Making(item, ratio, constant(scale), GREATEST_RATIO * scale, scale)
    above, below = (
        making.side(way, list(zip(steps, terms[key], strict=True)), sign)
        for way, steps, key, sign in ((item.above, item.bonus, "bonus", 1), (item.below, item.malus, "malus", -1))
    )
    parts = pl.when(making.surplus >= 0).then(above).otherwise(below)
    least, most = (None if each is None else constant(_parts(each, item.digits)) for each in (item.least, item.most))
    value = between(parts, least, most)
    return known([pl.col(name) for name in here.inputs], points(value, item.digits)), here.inputs


def table_points(table: Table, rows: Sequence[Sequence[Term]]) -> tuple[pl.Expr, pl.Expr, dict[str, pl.Expr]]:
    """Return the points of a table, the number of the row that holds (0 for none), and the condition of each row.

    Points and number are null where a number that a row reads is missing; a missing word is a case no row covers.
    """
    numbers = [name for name in columns_of(rows) if _numeric(rows, name)]
    conditions = [all_of(terms, table.ratio_digits, table.rounding) for terms in rows]
    worth: pl.Expr = pl.lit(None, pl.Float64)
    place: pl.Expr = pl.lit(0, pl.Int64)
    for order, (row, condition) in reversed(list(enumerate(zip(table.row, conditions, strict=True), start=1))):
        worth = pl.when(condition).then(pl.lit(float(row.points))).otherwise(worth)
        place = pl.when(condition).then(pl.lit(order, pl.Int64)).otherwise(place)
    if numbers:
        worth, place = (known([pl.col(name) for name in numbers], each) for each in (worth, place))
    return worth, place, {f"row {order}": condition for order, condition in enumerate(conditions, start=1)}


def _numeric(rows: Sequence[Sequence[Term]], name: str) -> bool:
    return any(term.column.numeric for terms in rows for term in terms if term.column.name == name)


def deduction_points(item: Deduction) -> tuple[pl.Expr, tuple[str, ...]]:
    """Return the points left after what is counted, a Float64, and the column without which there are none."""
    value, _greatest, unit = _whole_number(item.indicator)
    over = between(value - item.free * unit, constant(0), None)
    off = divided(over * _parts(item.each, PLACES), constant(unit), "half_up")
    left = between(constant(_parts(item.points, PLACES)) - off, constant(_parts(item.least, PLACES)), None)
    return known([pl.col(item.indicator)], points(left, PLACES)), (item.indicator,)


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
    if (abs(worth) + abs(lowest)) * common * greatest * 2 * 10**item.digits >= BITS:
        raise Fault(f"{item.points}", _("numbers of fewer decimal places"))
    spread = divided(above * 10**item.digits, width * common, item.rounding)
    equal = {"full": worth, "least": lowest, "na": None}[item.equal]
    alike = pl.lit(None, pl.Int128) if equal is None else constant(_parts(equal, item.digits))
    parts = pl.when(width > 0).then(spread).otherwise(alike)
    absent = missing((item.indicator, least, most))
    if item.equal == "na":
        absent = absent | (pl.col(least) == pl.col(most))
    return known([pl.col(name) for name in (item.indicator, least, most)], points(parts, item.digits)), absent


def _same(indicator: str, name: str) -> pl.Expr:
    """Return a column as a whole number as `_whole_number` does another, whose ends it holds."""
    return whole(name) if column(indicator).sort in {"money", "whole"} else billionths(pl.col(name))
