"""The state of the rules between two ticks: what is carried from one to the next, for every unit of a block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import polars as pl
from attrs import define, evolve, field
from numpy.typing import NDArray

from kpi_rules.pipeline.masks import NOBODY, Mask

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

Since = NDArray[np.int16]
Column = TypeVar("Column", Mask, Since, pl.Series)


@define(eq=False)
class State:
    """Which measures are in force for whom, and what is counted.

    By rule `active`, `issued` (one-offs that do not repeat), `held` (months withheld and not released), `pending`
    (proposals without a decision), `since`, the number of the tick at which the measure was proposed, and `amounts`,
    as proposed. `lag` and `counts` are the indicators that go on from tick to tick.
    """

    size: int
    active: dict[str, Mask]
    issued: dict[str, Mask]
    held: dict[str, Mask]
    pending: dict[str, Mask]
    since: dict[str, Since]
    lag: NDArray[np.integer[Any]]
    amounts: dict[str, pl.Series] = field(factory=dict)
    counts: dict[str, pl.Series] = field(factory=dict)
    lifted: dict[str, Mask] = field(factory=dict)
    """Whose measures were lifted since the last tick: they end at the next."""

    @classmethod
    def fresh(cls, rules: Iterable[str], size: int) -> State:
        """Return the state before the first tick: nothing is in force."""
        nobody = dict.fromkeys(rules, NOBODY)
        since = {name: np.zeros(size, dtype=np.int16) for name in nobody}
        masks = (dict(nobody), dict(nobody), dict(nobody), dict(nobody))
        return cls(size, *masks, since, np.zeros(size, dtype=np.uint8))

    def make_room_for(self, ticks: int) -> None:
        """Keep the lag in numbers as narrow as so many more ticks allow: they are gone through again and again."""
        self.lag = self.lag.astype(np.min_scalar_type(int(self.lag.max(initial=0)) + ticks), copy=False)

    def part(self, low: int, size: int) -> State:
        """Return the state of the units from row `low` on, which may be written to."""
        rows = slice(low, low + size)
        return self._each(size, lambda each: each[rows], lambda each: each[rows].copy(), lambda each: each[rows])

    def gathered(self, rows: NDArray[np.int64]) -> State:
        """Return the state of the units in the given rows, in their order; a row may be there many times."""
        return self._each(len(rows), lambda each: each[rows], lambda each: each[rows], lambda each: each.gather(rows))

    def repeated(self, times: int) -> State:
        """Return the state with each unit so many times in a row."""
        rows = np.repeat(np.arange(self.size), times)
        return self._each(
            self.size * times,
            lambda each: np.repeat(each, times),  # some ten times as fast as gathering
            lambda each: np.repeat(each, times),
            lambda each: each.gather(rows),
        )

    def of(self, rules: Collection[str]) -> State:
        """Return the state of some rules alone."""
        return State(
            self.size,
            _of(self.active, rules),
            _of(self.issued, rules),
            _of(self.held, rules),
            _of(self.pending, rules),
            _of(self.since, rules),
            self.lag,
            _of(self.amounts, rules),
            self.counts,
            _of(self.lifted, rules),
        )

    def under(self, other: State) -> State:
        """Return the state with what another says of its rules, and of indicators that count; the lag is this one's."""
        return State(
            self.size,
            self.active | other.active,
            self.issued | other.issued,
            self.held | other.held,
            self.pending | other.pending,
            self.since | other.since,
            self.lag,
            self.amounts | other.amounts,
            self.counts | other.counts,
            self.lifted | other.lifted,
        )

    def settled(self) -> State:
        """Return the state with nothing left that awaits a decision."""
        return evolve(self, pending=dict.fromkeys(self.pending, NOBODY), amounts={})

    def _each(
        self,
        size: int,
        of_rows: Callable[[NDArray[np.bool_]], NDArray[np.bool_]],
        of_array: Callable[[NDArray[Any]], NDArray[Any]],
        of_column: Callable[[pl.Series], pl.Series],
    ) -> State:
        """Return another state, made of this one by functions of every mask's rows, every array and every column."""

        def masks(given: Mapping[str, Mask]) -> dict[str, Mask]:
            return {name: mask if mask.rows is None else Mask.of(of_rows(mask.rows)) for name, mask in given.items()}

        def columns(given: Mapping[str, pl.Series]) -> dict[str, pl.Series]:
            return {name: of_column(column) for name, column in given.items()}

        return State(
            size,
            masks(self.active),
            masks(self.issued),
            masks(self.held),
            masks(self.pending),
            {name: of_array(since) for name, since in self.since.items()},
            of_array(self.lag),
            columns(self.amounts),
            columns(self.counts),
            masks(self.lifted),
        )


def _of(named: Mapping[str, Column], rules: Collection[str]) -> dict[str, Column]:
    return {name: each for name, each in named.items() if name in rules}


def joined(states: Sequence[State]) -> State:
    """Join the states of blocks, in their order."""
    if len(states) == 1:
        return states[0]

    def masks(of: Callable[[State], Mapping[str, Mask]]) -> dict[str, Mask]:
        return {
            name: Mask.of(np.concatenate([of(each)[name].column(each.size) for each in states]))
            for name in of(states[0])
        }

    def columns(of: Callable[[State], Mapping[str, pl.Series]]) -> dict[str, pl.Series]:
        dtypes = {name: column.dtype for state in states for name, column in of(state).items()}
        return {
            name: pl.concat([_column(of(each), name, dtype, each.size) for each in states])
            for name, dtype in dtypes.items()
        }

    return State(
        sum(each.size for each in states),
        masks(lambda each: each.active),
        masks(lambda each: each.issued),
        masks(lambda each: each.held),
        masks(lambda each: each.pending),
        {name: np.concatenate([each.since[name] for each in states]) for name in states[0].since},
        np.concatenate([each.lag for each in states]),
        columns(lambda each: each.amounts),
        columns(lambda each: each.counts),
    )


def _column(columns: Mapping[str, pl.Series], name: str, dtype: pl.DataType, size: int) -> pl.Series:
    """Return a column of a block; nulls where it has none, as nobody in it was proposed for an amount."""
    return columns[name] if name in columns else pl.Series(name, [None], dtype=dtype).new_from_index(0, size)
