"""Scorecards built from classes, evaluated on frames of figures; and the same in fractions, slowly and plainly."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any

import polars as pl

from kpi_scorecard.build import Building

if TYPE_CHECKING:
    from collections.abc import Mapping

    import kpi_rules as kr
    from kpi_scorecard.config import Item, Rounding, Step

TABLES = ("track", "item", "table", "deduction", "minmax", "veto", "prize", "red_list", "black_list")


def built(**tables: tuple[Any, ...] | list[Any]) -> kr.Configured:
    """Build scorecards from items as they come from `kpi.toml`."""
    return Building({name: tuple(tables.get(name, ())) for name in TABLES}).build()


def sound(**tables: tuple[Any, ...] | list[Any]) -> kr.Configured:
    """Build scorecards that have no problem."""
    found = built(**tables)
    assert found.problems == ()
    return found


def evaluated(configured: kr.Configured, figures: Mapping[str, object]) -> pl.DataFrame:
    """Evaluate the indicators on figures, one list a column, with `group` where ranks are asked for."""
    frame = pl.DataFrame(figures)
    if "group" not in frame.columns:
        frame = frame.with_columns(group=pl.lit("g"))
    left = {each.name: each for each in configured.indicators}
    while left:
        ready = [name for name, each in left.items() if not left.keys() & set(each.value.meta.root_names())]
        assert ready, f"a circle among {sorted(left)}"
        for name in ready:
            frame = frame.with_columns(_value(left.pop(name)).alias(name))
    return frame


def _value(indicator: kr.Indicator) -> pl.Expr:
    value = indicator.value
    match indicator.within:
        case "least":
            return value.min().over("group")
        case "most":
            return value.max().over("group")
        case "rank":
            return value.rank("min", descending=True).over("group").cast(pl.Int64)
    return value


def rounded(value: Fraction, digits: int, rounding: Rounding) -> Fraction:
    """Round a fraction, as Python's `decimal` names the ways."""
    size = abs(value) * 10**digits
    down, rest = floor(size), size - floor(size)
    up = {
        "down": False,
        "up": rest > 0,
        "half_up": rest >= Fraction(1, 2),
        "half_even": rest > Fraction(1, 2) or (rest == Fraction(1, 2) and down % 2 == 1),
    }[rounding]
    return Fraction(down + up, 10**digits) * (-1 if value < 0 else 1)


def points_of(item: Item, value: Fraction, target: Fraction, stretch: Fraction | None = None) -> Fraction:
    """Return the points of an item by the words of its documentation, in fractions."""
    if item.ratio_digits is not None:
        value, target = rounded(value / target, item.ratio_digits, item.rounding), Fraction(1)
    surplus = value - target if item.better == "more" else target - value
    full = Fraction(item.points)
    if surplus >= 0:
        found = _side(item, item.above, item.bonus, surplus, value, target, 1)
        if item.above == "stretch":
            extra = Fraction(item.stretch_points or 0)
            reached = Fraction(0) if stretch is None else min(Fraction(1), surplus / (stretch - target))
            found = full + extra * reached
    else:
        found = _side(item, item.below, item.malus, -surplus, value, target, -1)
    found = rounded(found, item.digits, item.rounding)
    if item.least is not None:
        found = max(found, Fraction(item.least))
    return found if item.most is None else min(found, Fraction(item.most))


def _side(
    item: Item, way: str, steps: tuple[Step, ...], size: Fraction, value: Fraction, target: Fraction, sign: int
) -> Fraction:
    full = Fraction(item.points)
    if way == "zero":
        return Fraction(0)
    if way == "proportional":
        return full * value / target
    if way != "steps":
        return full
    (step,) = steps
    number = size / (Fraction(step.per) * (target if item.step_of == "share" else 1))
    if step.count != "pro_rata":
        number = Fraction(floor(number) if step.count == "whole" else ceil(number))
    gain = Fraction(step.points) * number
    return full + sign * (gain if step.most is None else min(gain, Fraction(step.most)))
