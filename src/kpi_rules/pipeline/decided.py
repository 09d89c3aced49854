"""What the rules decided: what happened to which measures at which tick, and the state after the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import polars as pl
from attrs import define, field
from numpy.typing import NDArray

from kpi_rules.pipeline.state import State, joined

if TYPE_CHECKING:
    from kpi_rules.pipeline.masks import Mask

EventKind = Literal["started", "ended", "superseded", "issued"]
Rows = NDArray[np.uint32]
Since = NDArray[np.int16]

HAPPENINGS = ("events", "bookings", "releases", "proposals", "closed", "pending", "unassessable", "blocked")
"""The lists of `Decided`."""


@define(frozen=True, eq=False)
class Happening:
    """Something that happened to the measures of one rule at one tick.

    `rows` are row numbers of units; `since` the number of the tick at which each measure was proposed; `amounts` fen.
    """

    tick: int
    rule: str
    kind: str
    rows: Rows
    since: Since
    amounts: pl.Series | None = None


@define(eq=False)
class Decided:
    """What the rules decided.

    `events` started, ended, superseded, issued; `bookings` months withheld; `releases` ticks at which everything held
    is released; `proposals` every proposal, where rulings are given, `closed` those that went without taking effect,
    and `pending` those still without a decision at the end; `unassessable` rules whose condition was null; `blocked`
    what guards kept from being proposed, tick by tick. `frames` holds the panel of each tick, or of the last alone,
    block by block. `states` are those after the last tick, block by block.
    """

    events: list[Happening] = field(factory=list)
    bookings: list[Happening] = field(factory=list)
    releases: list[Happening] = field(factory=list)
    proposals: list[Happening] = field(factory=list)
    closed: list[Happening] = field(factory=list)
    pending: list[Happening] = field(factory=list)
    unassessable: list[Happening] = field(factory=list)
    blocked: list[Happening] = field(factory=list)
    frames: dict[int, list[pl.DataFrame]] = field(factory=dict)
    states: list[State] = field(factory=list)

    @property
    def active(self) -> dict[str, pl.Series]:
        """Which measures are in force at the end, by rule."""
        state = self.state
        return {name: pl.Series(mask.column(state.size)) for name, mask in state.active.items()}

    @property
    def state(self) -> State:
        """The state after the last tick, over all units."""
        return joined(self.states)

    def frame(self, here: int) -> pl.DataFrame:
        """Return the panel of a tick over all units."""
        return pl.concat(self.frames[here])


class Witness(Protocol):
    """Who is told what happens, while it does, instead of its being kept in the lists of `Decided`."""

    def saw(self, kind: str, here: int, rule: str, mask: Mask, amounts: pl.Series | None) -> None:
        """Take note of what happened to the units of a mask, of which there are some.

        Args:
            kind: that of a `Happening`, or `lasting` for a measure in force for the whole of a month.
            here: number of the tick.
            rule: its id.
            mask: the units; nobody changes it.
            amounts: fen, one for each of them; None without.
        """
        ...
