"""What became of every unit in every draw of a chunk, noted while the engine decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from attrs import define

from kpi_rules.pipeline.masks import Mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
    from datetime import date

    import polars as pl
    from numpy.typing import NDArray

    from kpi_rules.model.calendar import Tick
    from kpi_rules.model.contributions import Rule
    from kpi_rules.pipeline.decided import Decided
    from kpi_rules.pipeline.state import State

    Fen = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Days = NDArray[np.int32]
    Months = NDArray[np.unsignedinteger[Any]]

MONEY = ("withheld", "released", "outstanding", "rewarded")
"""What is summed of money: of the ticks simulated, but that what is outstanding at the end includes what was held
before them.
"""


@define(frozen=True, eq=False)
class Traces:
    """Arrays of units x draws; `low` is the number of the first draw.

    Attributes:
        primary: whole numbers of the primary indicator by tick.
        quota: its quota by tick, one number per unit; 0 where there is none.
        hit: by rule whether its measure was in force or issued at any time simulated.
        months: by rule with a state the month-ends by which its measure was in force for the whole month.
        money: fen by kind (`MONEY`).
    """

    low: int
    primary: tuple[Fen, ...]
    quota: tuple[Fen, ...]
    hit: Mapping[str, Flags]
    months: Mapping[str, Months]
    money: Mapping[str, Fen]

    @property
    def shape(self) -> tuple[int, int]:
        """Units and draws."""
        units, draws = self.primary[0].shape
        return units, draws

    @property
    def draws(self) -> tuple[int, int]:
        """The numbers of the draws: the first, and the one after the last."""
        return self.low, self.low + self.shape[1]

    def met(self, here: int) -> Flags:
        """Say whether the task is met at a tick; a unit without a quota has none to meet."""
        quota = self.quota[here][:, None]
        met: Flags = (self.primary[here] >= quota) & (quota > 0)
        return met


class Paying(Protocol):
    """What a month of held pay comes to, unit by unit; see `Withholding`."""

    @property
    def rules(self) -> Mapping[str, Rule]:
        """The rules that hold pay."""
        ...

    @property
    def units(self) -> Sized:
        """The units."""
        ...

    def month(self, month: date, holding: tuple[str, ...]) -> dict[str, Fen]:
        """Return by rule the fen that it withholds per unit in a month, in the order of their start."""
        ...


class Account:
    """What becomes of every unit and draw of a chunk, noted while the engine decides: its `Witness`.

    Every row is a unit in a draw, unit by unit. A month counts as pay is withheld: where the measure started before its
    last day and had not ended by it; one that is superseded on that day still has it.
    """

    def __init__(
        self,
        rules: Mapping[str, Rule],
        ticks: Sequence[Tick],
        start: State,
        till: Paying,
        owed: Mapping[str, Fen],
        began: Mapping[str, Days] | None = None,
    ) -> None:
        """Begin with what is in force at the start; `owed` is by rule what each row's hold has held before, `began` a
        number below 0 for the day it started, all on one day if it is not given.
        """
        units = len(till.units)
        draws = start.size // units
        self._till, self._ticks, self._shape = till, ticks, (units, draws)
        self.hit = {name: start.active[name].column(start.size).copy() for name in rules}
        number = np.min_scalar_type(sum(tick.is_month_end for tick in ticks))
        self.months = {name: np.zeros(start.size, dtype=number) for name, rule in rules.items() if not rule.one_off}
        self._held = {name: owed[name].copy() for name in till.rules}
        self._before = [owed[name] for name in till.rules]
        self._released = np.zeros(start.size, dtype=np.int64)
        self._rewarded = np.zeros(start.size, dtype=np.int64)
        self._booked: dict[str, Mask] = {}
        self._began: dict[str, Days] = {}
        if len(till.rules) > 1:  # else it does not matter which hold was first
            before = np.full(start.size, -1, dtype=np.int32)
            self._began = {name: (before if began is None else began[name]).copy() for name in till.rules}
        self._tick = 0
        self.first = 0
        """Number of the tick that the engine begins with."""

    def saw(self, kind: str, here: int, rule: str, mask: Mask, amounts: pl.Series | None) -> None:
        """Take note of what happened."""
        if self.first + here != self._tick:
            self._book()
            self._tick = self.first + here
        if kind == "lasting" and rule in self.months:
            self.months[rule] += mask.column(len(self._released))
        elif kind in {"started", "issued"}:
            self.hit[rule] |= mask.column(len(self._released))
            if rule in self._began:
                self._began[rule][mask.places] = self._tick
            if amounts is not None:
                self._rewarded[mask.places] += amounts.to_numpy()
        elif kind == "released":
            held = self._held[rule]
            self._released[mask.places] += held[mask.places]
            held[mask.places] = 0
        elif kind == "withheld":
            self._booked[rule] = mask

    def tell(self, decided: Decided, ticks: range) -> None:
        """Take note of what a run without a witness kept, of some ticks; months that measures last are not among it."""
        kept = (each for each in (*decided.releases, *decided.bookings, *decided.events) if each.tick in ticks)
        for each in sorted(kept, key=lambda each: each.tick):
            flags = np.zeros(len(self._released), dtype=np.bool_)
            flags[each.rows] = True
            self.saw(each.kind, each.tick, each.rule, Mask.of(flags), each.amounts)

    def _book(self) -> None:
        """Book what the last tick has withheld of the month that ends with it, all holds together."""
        month = self._ticks[self._tick].on
        for holding, flags in self._in_order(_together(self._booked, self._shape)):
            for rule, fen in self._till.month(month, holding).items():
                held = self._held[rule].reshape(self._shape)
                held += flags * fen[:, None]
        self._booked = {}

    def _in_order(self, together: Iterable[tuple[frozenset[str], Flags]]) -> Iterator[tuple[tuple[str, ...], Flags]]:
        """Part who is held by the same rules by the order in which those started; of one tick, in that of their ids."""
        for holding, flags in together:
            rules = tuple(sorted(holding))
            if len(rules) == 1:
                yield rules, flags
                continue
            began = np.stack([self._began[rule].reshape(self._shape)[flags] for rule in rules])
            orders, which = np.unique(np.argsort(began, axis=0, kind="stable"), axis=1, return_inverse=True)
            for number, places in enumerate(orders.T.tolist()):
                some = flags.copy()
                some[flags] = which.reshape(-1) == number
                yield tuple(rules[place] for place in places), some

    def carried(self) -> tuple[dict[str, Fen], dict[str, Days]]:
        """Return by rule the fen held of each row, and where several rules hold pay the number of the tick at which its
        hold started.
        """
        self._book()
        return self._held, self._began

    def money(self) -> dict[str, Fen]:
        """Return fen by kind (`MONEY`), units x draws."""
        self._book()
        outstanding = np.zeros_like(self._released)
        for each in self._held.values():
            outstanding += each
        # What is withheld is either given back or still held, but for what was held before.
        withheld = self._released + outstanding if self._held else outstanding
        for each in self._before:
            withheld -= each
        found = dict(zip(MONEY, (withheld, self._released, outstanding, self._rewarded), strict=True))
        return {kind: each.reshape(self._shape) for kind, each in found.items()}


def _together(booked: Mapping[str, Mask], shape: tuple[int, int]) -> list[tuple[frozenset[str], Flags]]:
    """Return who is held by the very same rules (units x draws), by those rules."""
    rows = {rule: mask.rows.reshape(shape) for rule, mask in booked.items() if mask.rows is not None}
    if len(rows) < 2:  # noqa: PLR2004 (one, or none)
        return [(frozenset({rule}), flags) for rule, flags in rows.items()]
    sets = np.zeros(shape, dtype=np.int64)
    for place, flags in enumerate(rows.values()):
        sets += flags * np.int64(1 << place)
    return [
        (frozenset(rule for place, rule in enumerate(rows) if bits >> place & 1), sets == bits)
        for bits in np.unique(sets).tolist()
        if bits
    ]
