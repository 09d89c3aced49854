"""Indicators that plugins derive from others: row by row, within the peer group, and counted from tick to tick."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from graphlib import TopologicalSorter
from math import fsum, isfinite
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from kpi_rules.model.calendar import MOMENTS
from kpi_rules.model.expressions import correctly_rounded
from kpi_rules.pipeline.evaluating import evaluating, exactly, multiplies
from kpi_rules.pipeline.formulas import formula
from kpi_rules.pipeline.groups import numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from kpi_rules.model.contributions import Indicator
    from kpi_rules.pipeline.formulas import Formula

PEERS: Final = "peers"
"""A column that, where a frame has it, says who is compared with whom instead of `group`."""

EXACT: Final = 2**53
"""Whole numbers below this one are exact as floats."""

SPREAD: Final = 2**16
"""The most whole numbers between the least and the greatest of values that are counted to be ranked."""

_WITHIN: Final[Mapping[str, Callable[[pl.Expr], pl.Expr]]] = {
    "least": pl.Expr.min,
    "most": pl.Expr.max,
    "size": pl.Expr.count,
}


class Derived:
    """The indicators of plugins that are made from other columns; those over tables come with the whole numbers."""

    def __init__(self, indicators: Mapping[str, Indicator]) -> None:
        """Put them into an order in which each comes after those it reads."""
        self._all = {name: each for name, each in indicators.items() if not each.table}
        self._reads = {name: set(each.value.meta.root_names()) for name, each in self._all.items()}
        graph = {name: reads & self._all.keys() for name, reads in self._reads.items()}
        self._made_by: dict[str, Callable[[pl.DataFrame], pl.Expr | pl.Series]] = {}
        self._order = tuple(TopologicalSorter(graph).static_order())
        self._at = {name: each.at for name, each in self._all.items() if each.at is not None}
        self._counts: dict[tuple[str, frozenset[str]], bool] = {}

    def closure(self, needed: Collection[str]) -> set[str]:
        """Return the named columns with all that they are made from."""
        wanted = set(needed)
        for name in reversed(self._order):
            if name in wanted:
                wanted |= self._reads[name]
        return wanted

    def wanted(self, names: Collection[str]) -> list[str]:
        """Return those of the named columns that are made here, in order."""
        return [name for name in self._order if name in names]

    def within(self, names: Collection[str]) -> set[str]:
        """Return those of the named columns that compare a unit with its peers."""
        return {name for name in self._order if name in names and self._all[name].within}

    def ranks(self, name: str) -> bool:
        """Say whether an indicator is the rank of its value."""
        return name in self._all and self._all[name].within == "rank"

    @property
    def counting(self) -> tuple[str, ...]:
        """The indicators that count ticks."""
        return tuple(self._at)

    def formula(self, name: str) -> Formula | None:
        """Return the value of an indicator as a formula, before it is compared; None of one that counts, and where it
        takes more.
        """
        indicator = self._all.get(name)
        return None if indicator is None or indicator.counting else formula(indicator.value)

    def counted(self, moments: frozenset[str], among: Collection[str]) -> set[str]:
        """Return the indicators among those named that count a tick with these moments."""
        return {name for name in self._at.keys() & set(among) if self._counts_at(name, moments)}

    def add(
        self, frame: pl.DataFrame, names: Sequence[str], moments: frozenset[str], before: Mapping[str, pl.Series]
    ) -> pl.DataFrame:
        """Return the frame with the named indicators.

        Args:
            frame: all that they read, but for each other.
            names: in order.
            moments: those of the tick.
            before: the counts at the tick before; 0 where they are left out.
        """
        for name in names:
            indicator = self._all[name]
            with evaluating("indicator", name):
                frame = frame.with_columns(self._value(name)(frame).alias(name))
            if indicator.within:
                frame = frame.with_columns(_compared(frame, name, indicator.within))
            elif indicator.counting:
                earlier = before.get(name)
                earlier = pl.repeat(0, len(frame), dtype=pl.Int64, eager=True) if earlier is None else earlier
                column = earlier
                if self._counts_at(name, moments):
                    column = _counted(earlier, frame[name], consecutive=indicator.counting == "consecutive")
                frame = frame.with_columns(column.alias(name))
        return frame

    def _value(self, name: str) -> Callable[[pl.DataFrame], pl.Expr | pl.Series]:
        """Return what makes the value of an indicator; prepared when it is first asked for."""
        if name not in self._made_by:
            value = correctly_rounded(self._all[name].value)
            self._made_by[name] = partial(exactly if multiplies(value) else _as_it_is, expression=value)
        return self._made_by[name]

    def _counts_at(self, name: str, moments: frozenset[str]) -> bool:
        """Say whether an indicator counts a tick with these moments."""
        key = name, moments
        if key not in self._counts:
            one = pl.DataFrame({moment: [moment in moments] for moment in MOMENTS})
            self._counts[key] = one.select(self._at[name]).item() is True
        return self._counts[key]


def _as_it_is(_frame: pl.DataFrame, expression: pl.Expr) -> pl.Expr:
    return expression


def _counted(before: pl.Series, holds: pl.Series, *, consecutive: bool) -> pl.Series:
    if holds.dtype != pl.Boolean:  # an amount at each tick, summed
        return before + holds.fill_null(0).cast(pl.Int64)
    true = holds.fill_null(value=False)
    more = before + true.cast(pl.Int64)
    return more * true.cast(pl.Int64) if consecutive else more


def _compared(frame: pl.DataFrame, name: str, within: str) -> pl.Series:
    """Return what becomes of a column inside the peer group."""
    group = PEERS if PEERS in frame.columns else "group"
    if within == "rank":
        return rank_in_group(frame[group], frame[name].cast(pl.Float64)).rename(name)
    if within in {"sum", "mean"}:
        return _summed(frame[group], frame[name], within).rename(name)
    peers = _WITHIN[within](pl.col(name)).over(group)
    found = frame.select(pl.when(pl.col(group).is_not_null()).then(peers).alias(name)).to_series()
    return found.cast(pl.Int64) if within == "size" else found


def _summed(group: pl.Series, value: pl.Series, within: str) -> pl.Series:
    """Return the sum or the mean of a column in each unit's peer group, null in one without any value.

    Ratios are added exactly and rounded once: added one by one, what they come to would go by the order of the units,
    and a unit at the mean would lie above or below it by the last digit.
    """
    present = pl.DataFrame({"group": group, "value": value}).drop_nulls()
    peers = present.group_by("group", maintain_order=True).agg("value")
    total = _mean if within == "mean" else _total
    dtype = pl.Float64 if within == "mean" else value.dtype
    found = peers.select("group", found=pl.Series([total(each) for each in peers["value"].to_list()], dtype=dtype))
    return pl.DataFrame({"group": group}).join(found, on="group", how="left", maintain_order="left")["found"]


def _exact(values: Sequence[float]) -> Fraction | None:
    """Return the sum of numbers, None where one of them is infinite or not a number."""
    if isinstance(values[0], int):
        return Fraction(sum(values))
    if not all(map(isfinite, values)):
        return None
    total = fsum(values)
    return Fraction(total) + Fraction(fsum([*values, -total]))


def _mean(values: Sequence[float]) -> float:
    exact = _exact(values) if len(values) > 1 else None
    return sum(values) / len(values) if exact is None else float(exact / len(values))


def _total(values: Sequence[float]) -> float:
    exact = _exact(values) if len(values) > 1 else None
    if exact is None:
        return sum(values)
    return int(exact) if isinstance(values[0], int) else float(exact)


def rank_in_group(group: pl.Series, completion: pl.Series) -> pl.Series:
    """Return each unit's rank in its peer group: 1 + the units of the group with strictly higher completion.

    Null without a group or without completion. All groups are ranked at once: far cheaper than a window per group.
    """
    codes, there = numbered(group)
    there = there & completion.is_not_null().to_numpy() if completion.null_count() else there
    return _null_without(there, ranks(codes, completion.to_numpy(), there))


def ranks(codes: NDArray[Any], values: NDArray[np.float64], there: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return ranks in the groups of those who are there, anything for the others."""
    rows = slice(None) if there.all() else np.flatnonzero(there)
    found = np.zeros(len(codes), dtype=np.int64)
    if len(codes[rows]):
        counted = _ranks_by_counting(codes[rows], values[rows])
        found[rows] = _ranks_by_sorting(codes[rows], values[rows]) if counted is None else counted
    return found


def _ranks_by_counting(codes: NDArray[Any], values: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """Return ranks in the groups of values that are whole numbers close together, as points are; None for others.

    How many there are of each group and value says how many are above it: no sort.
    """
    most, least = values.max(), values.min()
    if not (-EXACT < least <= most < EXACT and most - least < SPREAD):  # nor where one is not a number
        return None
    if not np.array_equal(np.rint(values), values):
        return None
    below = (most - values).astype(np.int64)
    width = int(most - least) + 1
    groups = int(codes.max()) + 1
    if groups * width > len(values):
        return None
    below += codes * np.int64(width)
    counts = np.bincount(below, minlength=groups * width).reshape(groups, width)
    ranks: NDArray[np.int64] = (counts.cumsum(axis=1) - counts + 1).ravel()[below]
    return ranks


def _ranks_by_sorting(codes: NDArray[Any], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return ranks in the groups: one sort by value and one by group do for all."""
    by_value = np.argsort(-values)
    order = by_value[np.argsort(codes[by_value], kind="stable")]  # a radix sort, as codes are small numbers
    code, value = codes[order], values[order]
    changes = code[1:] != code[:-1]
    ranks = np.empty(len(codes), dtype=np.int64)
    ranks[order] = _runs(changes | (value[1:] != value[:-1])) - _runs(changes) + 1
    return ranks


def group_sizes(group: pl.Series, completion: pl.Series) -> pl.Series:
    """Return the number of units of each unit's peer group that have a completion; null without a group."""
    codes, grouped = numbered(group)
    there = grouped & completion.is_not_null().to_numpy() if completion.null_count() else grouped
    sizes = np.bincount(codes[there], minlength=int(codes.max(initial=0)) + 1)[codes]
    return _null_without(grouped, sizes.astype(np.int64))


def _null_without(there: NDArray[np.bool_], numbers: NDArray[np.int64]) -> pl.Series:
    """Return numbers, null where they say nothing; `zip_with` is far cheaper over few rows than `set`."""
    found = pl.Series(numbers)
    return found if there.all() else found.zip_with(pl.Series(there), pl.Series([None], dtype=pl.Int64))


def _runs(changes: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each place the one at which its run begins, given where the next differs from it."""
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    return np.repeat(starts, np.diff(np.append(starts, len(changes) + 1)))
