"""Forecasts: what a history is, and the building blocks that a forecast makes of it. All of it is data.

A forecast is fitted once, in the main process; what it returns is arrays that the library draws from, so that draws are
keyed and nothing of a policy runs where futures are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from attrs import define, field
from attrs.converters import optional
from numpy.typing import NDArray  # noqa: TC002 (attrs and who writes a forecast read the annotations)

if TYPE_CHECKING:
    from datetime import date


Kind = Literal["money", "count"]


def _all(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(items)


def _whole(given: Any) -> NDArray[np.int64]:  # noqa: ANN401 (whatever an author gives)
    return np.ascontiguousarray(given, dtype=np.int64)


def _real(given: Any) -> NDArray[np.float64]:  # noqa: ANN401 (as above)
    return np.ascontiguousarray(given, dtype=np.float64)


@define(frozen=True, eq=False)
class Events:
    """What arrived or happened, one row for each: what one project brought a unit in one month.

    Attributes:
        unit: row of the unit in the history.
        day: day number, `date.toordinal`, from which it counts.
        amount: fen, or 1 for each that is counted.
        project: number of the project, -1 where it is of none.
        age: days since the project's recognition, -1 where it is of none.
    """

    unit: NDArray[np.int64] = field(converter=_whole)
    day: NDArray[np.int64] = field(converter=_whole)
    amount: NDArray[np.int64] = field(converter=_whole)
    project: NDArray[np.int64] = field(converter=_whole)
    age: NDArray[np.int64] = field(converter=_whole)

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.unit)


@define(frozen=True, eq=False)
class Contracts:
    """The recognised projects, one row for each unit that has a part in one.

    Attributes:
        unit: row of the unit in the history.
        project: number of the project in `History.projects`.
        contracted: the unit's part of the contract, fen; -1 where it is not known.
        arrived: the unit's part of all that arrived so far, of earlier years too, fen.
        age: days since its recognition.
    """

    unit: NDArray[np.int64] = field(converter=_whole)
    project: NDArray[np.int64] = field(converter=_whole)
    contracted: NDArray[np.int64] = field(converter=_whole)
    arrived: NDArray[np.int64] = field(converter=_whole)
    age: NDArray[np.int64] = field(converter=_whole)

    def __len__(self) -> int:
        """Return the number of parts."""
        return len(self.unit)


@define(frozen=True, eq=False)
class History:
    """What a forecast may look at: only what had happened by `as_of` and was known by then.

    Attributes:
        name: the whole number that is forecast, such as `funds` or `signed`.
        kind: what it holds: fen, or a count.
        units: ids of the units: those with a target, and those with evidence that none of these is above.
        group: of each unit the number of its peer group in `groups`, or -1.
        groups: the peer groups.
        active: of each unit whether it can bring something of its own: it has history, or none is below it.
        start: first day of the year.
        as_of: last day that is known.
        ticks: the days to come up to which is forecast, ascending.
        events: what arrived in the year so far.
        earlier: what arrived in earlier years, as far as the tables go back.
        contracts: the recognised projects; none for a count.
        projects: ids of the projects.
    """

    name: str
    kind: Kind
    units: tuple[str, ...]
    group: NDArray[np.int64]
    groups: tuple[str, ...]
    active: NDArray[np.bool_]
    start: date
    as_of: date
    ticks: tuple[date, ...]
    events: Events
    earlier: Events
    contracts: Contracts
    projects: tuple[str, ...]

    @property
    def days(self) -> int:
        """Days of the year so far."""
        return (self.as_of - self.start).days + 1

    @property
    def spans(self) -> NDArray[np.int64]:
        """Days from each tick, or `as_of`, to the next."""
        edges = [self.as_of.toordinal(), *(tick.toordinal() for tick in self.ticks)]
        found: NDArray[np.int64] = np.subtract(edges[1:], edges[:-1], dtype=np.int64)
        return found


@define(frozen=True, eq=False)
class Compound:
    """A random number of arrivals of random size for each unit: negative binomial counts.

    Attributes:
        shape: of each unit the shape of its number of arrivals to come; the smaller, the more it varies.
        mean: of each unit the expected number to come; 0 for none.
        seasons: tables x ticks: by what weight an arrival falls into the period that ends at each tick.
        season: of each unit the row of `seasons`.
        scale: of each unit the expected size, fen; 1 for a count.
        sizes: tables x cells: sizes as multiples of `scale`, ascending, of equally likely cells. None: all are `scale`.
        tails: tables x cells: the last cell of `sizes` once more in as many cells. None: it is not divided.
        size: of each unit the row of `sizes`.
        common: of each unit the row of `factors`, by which all its sizes are multiplied together, once a draw.
        factors: tables x cells: such factors, ascending, of equally likely cells. None: no common factor.
    """

    shape: NDArray[np.float64] = field(converter=_real)
    mean: NDArray[np.float64] = field(converter=_real)
    seasons: NDArray[np.float64] = field(converter=_real)
    season: NDArray[np.int64] = field(converter=_whole)
    scale: NDArray[np.float64] = field(converter=_real)
    sizes: NDArray[np.float64] | None = field(default=None, converter=optional(_real))
    tails: NDArray[np.float64] | None = field(default=None, converter=optional(_real))
    size: NDArray[np.int64] | None = field(default=None, converter=optional(_whole))
    common: NDArray[np.int64] | None = field(default=None, converter=optional(_whole))
    factors: NDArray[np.float64] | None = field(default=None, converter=optional(_real))


@define(frozen=True, eq=False)
class Curves:
    """Known remaining amounts that arrive by the curve of a donor, drawn anew for each project and draw.

    Attributes:
        unit: of each part the row of its unit.
        project: of each part the id of its project, by which a donor is drawn: one for all parts of a project.
        remaining: of each part what has not arrived yet, fen.
        shares: curves x ticks: the share of what remains that has arrived by each tick, in 65536ths, not falling; as
            many curves for each row of `age` as it has donors: ages x donors x ticks.
        age: of each part the row of `shares`.
    """

    unit: NDArray[np.int64] = field(converter=_whole)
    project: tuple[str, ...]
    remaining: NDArray[np.int64] = field(converter=_whole)
    shares: NDArray[np.int64] = field(converter=_whole)
    age: NDArray[np.int64] = field(converter=_whole)


@define(frozen=True, eq=False)
class Levels:
    """An expected amount for each unit and period, times a factor for the unit and one for the period.

    Attributes:
        level: units x ticks: the expected amount of the period that ends at each tick, fen.
        yearly: tables x cells: factors for all periods of a draw together, ascending, of equally likely cells.
        of_year: of each unit the row of `yearly`.
        monthly: tables x cells: factors for one period.
        of_month: of each unit the row of `monthly`.
    """

    level: NDArray[np.float64] = field(converter=_real)
    yearly: NDArray[np.float64] = field(converter=_real)
    of_year: NDArray[np.int64] = field(converter=_whole)
    monthly: NDArray[np.float64] = field(converter=_real)
    of_month: NDArray[np.int64] = field(converter=_whole)


Block: TypeAlias = Compound | Curves | Levels


@define(frozen=True)
class Assumption:
    """Something that a forecast assumes, in the words of people.

    Attributes:
        model: the forecast that assumes it, or what of the simulation does.
        what: what is assumed.
        about: the unit or peer group, or empty for all.
        value: the assumed value.
        basis: what it rests on: how many observations, and what was pooled.
        little: whether that is too little to rely on, so that the forecast was widened.
        indicator: the whole number that it is assumed of, such as `funds`, filled in by the engine: a forecast is asked
            for each. Empty where it is of all.
    """

    model: str
    what: str
    about: str
    value: str
    basis: str
    little: bool = False
    indicator: str = ""


@define(frozen=True, eq=False)
class Fitted:
    """What a forecast makes of a history.

    Attributes:
        blocks: what is drawn and summed; none where the forecast does not apply to this history.
        assumptions: what is assumed in that.
        counts_known: whether what recognised projects still bring is in the blocks. Forecasts summed with it then leave
            that out.
    """

    blocks: tuple[Block, ...] = field(default=(), converter=_all)
    assumptions: tuple[Assumption, ...] = field(default=(), converter=_all)
    counts_known: bool = False


Fit: TypeAlias = Callable[[History], Fitted]
