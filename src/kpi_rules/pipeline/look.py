"""What the units of a tick are looked at by: its rules bound to its moments, its whole numbers, its parameters."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from kpi_rules.locale import _
from kpi_rules.model.contributions import SCALED
from kpi_rules.model.problems import AssessmentError, Place, error
from kpi_rules.pipeline.evaluating import exactly, multiplies
from kpi_rules.pipeline.panel import values_by_group
from kpi_rules.pipeline.spans import amount, condition

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.model.settings import Parameters
    from kpi_rules.pipeline.panel import Panel
    from kpi_rules.pipeline.rulebook import Rulebook
    from kpi_rules.pipeline.spans import Amount, Condition

_ROOMS, _WIDTH = 8, 8  # columns at once, bytes of a number


WORKERS: Final = 4
"""The most threads: what each does between two columns needs the interpreter's lock."""


class ParameterColumns:
    """Parameters that differ between peer groups, for the units of a block; gathered once per effective period."""

    def __init__(self, parameters: Parameters, group: pl.Series) -> None:
        self._parameters = parameters
        self._groups = sorted({group for name in parameters.declared for group in parameters.groups_named(name)})
        self._codes = _codes(self._groups, group)
        self._columns: dict[tuple[object, ...], pl.Series] = {}
        self._rooms: list[NDArray[Any]] = []

    def at(self, on: date, names: Collection[str]) -> list[pl.Series]:
        """Return the named columns that are parameters, for all units of the block."""
        declared = self._parameters.declared
        return [self._column(name, on) for name in sorted(names) if name.removesuffix(SCALED) in declared]

    def _column(self, name: str, on: date) -> pl.Series:
        general, by_group = values_by_group(self._parameters, name, on)
        values = tuple(by_group.get(group, general) for group in self._groups)
        if (name, *values, general) not in self._columns:
            table = np.array([*values, general])
            column = self._room(table.dtype)
            table.take(self._codes, mode="clip", out=column)  # twice as fast as polars
            self._columns[name, *values, general] = pl.Series(name, column)
        return self._columns[name, *values, general]

    def _room(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return room for a column; rooms are made several at once, as the system gives large pieces far cheaper."""
        if dtype.itemsize != _WIDTH or dtype.hasobject:
            return np.empty(len(self._codes), dtype=dtype)
        if not self._rooms:
            self._rooms = list(np.empty((_ROOMS, len(self._codes))))
        return self._rooms.pop().view(dtype)


def _codes(groups: Sequence[str], group: pl.Series) -> NDArray[np.intp]:
    """Return the place of each unit's group among those that parameters name; past the end for any other."""
    place = pl.lit(len(groups), pl.Int64)
    for here, name in enumerate(groups):  # few: a comparison each is far cheaper than a look-up of texts
        place = pl.when(pl.col("group") == name).then(pl.lit(here, pl.Int64)).otherwise(place)
    codes = pl.DataFrame({"group": group}).select(place=place).to_series()
    return (codes if len(codes) == len(group) else codes.new_from_index(0, len(group))).to_numpy()


class Look:
    """What all blocks share of one tick: its rules and its whole numbers."""

    def __init__(self, panel: Panel, rulebook: Rulebook, here: int) -> None:
        self.here, self.tick = here, panel.ticks[here]
        self.bound = rulebook.bound(self.tick.moments, self.tick.on)
        self.base = panel.source.at(here)
        self.pace = panel.terms.pace(self.tick.on)
        self._compared: dict[frozenset[str], pl.DataFrame] = {}
        self._one = Lock()
        self._simple: dict[str, Condition | None] = {}
        self._whole: dict[str, Amount | None] = {}
        self._products: dict[str, bool] = {}

    def compared(self, panel: Panel, needed: Collection[str], low: int, size: int) -> list[pl.Series]:
        """Return the needed columns that compare units with their peers, and what they are made of, for the units of a
        block; made once.
        """
        names = panel.compared(needed)
        if not names:
            return []
        with self._one:
            if names not in self._compared:
                frame = panel.derive(self._row_by_row(panel, names, size), self.here, {}, names)
                made = panel.with_dependencies(names).intersection(frame.columns).difference(self.base.columns)
                self._compared[names] = frame.select(sorted(made))
        return self._compared[names].slice(low, size).get_columns()

    def _row_by_row(self, panel: Panel, names: Collection[str], size: int) -> pl.DataFrame:
        """Return the whole numbers of all units with what is compared between them, made block by block at once."""
        inputs = [each for each in panel.with_dependencies(names) if not panel.compared({each})]
        blocks = (self.base.slice(low, size) for low in range(0, len(self.base), size))
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            frames = list(pool.map(lambda block: panel.derive(block, self.here, {}, inputs), blocks))
        return pl.concat(frames)

    def whole(self, name: str) -> Amount | None:
        """Return an amount as a function of arrays, None where it takes more."""
        if name not in self._whole:
            self._whole[name] = amount(self.bound.expressions[name])
        return self._whole[name]

    def multiplies(self, name: str) -> bool:
        """Say whether an expression multiplies columns with each other."""
        if name not in self._products:
            self._products[name] = multiplies(self.bound.expressions[name])
        return self._products[name]

    def simple(self, wanted: Collection[str]) -> dict[str, Condition] | None:
        """Return the wanted expressions as functions of arrays, None where one is more than comparisons."""
        for name in wanted:
            if name not in self._simple:
                self._simple[name] = condition(self.bound.expressions[name])
        found = {name: holds for name in wanted if (holds := self._simple[name]) is not None}
        return found if len(found) == len(wanted) else None


def failed(look: Look, wanted: Sequence[str], frame: pl.DataFrame, problem: Exception) -> AssessmentError:
    """Name the rules whose expressions fail on the data, such as a whole number made of an infinity."""
    broken = {name for name in wanted if not _evaluates(frame, look.bound.expressions[name])}
    rules = [each.rule.id for each in look.bound.rules if broken & {each.when, each.until, each.amount}]
    found = _("on {day}: {why}").format(day=look.tick.on, why=str(problem).splitlines()[0])
    expected = _("an expression that has a value, or null, for every unit")
    return AssessmentError(
        [error("expression-failed", Place(key=f"rule {rule}"), found=found, expected=expected) for rule in rules]
    )


def _evaluates(frame: pl.DataFrame, expression: pl.Expr) -> bool:
    try:
        exactly(frame, expression)
    except pl.exceptions.PolarsError:
        return False
    return True
