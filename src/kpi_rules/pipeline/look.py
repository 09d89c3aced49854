"""What the units of a tick are looked at by: its rules bound to its moments, its whole numbers, its parameters."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from math import lcm
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from kpi_rules.locale import _
from kpi_rules.model.contributions import SCALED
from kpi_rules.model.money import LIMIT
from kpi_rules.model.problems import AssessmentError, Place, error
from kpi_rules.pipeline.columns import Figures, PerGroup, figures, joined
from kpi_rules.pipeline.derived import EXACT
from kpi_rules.pipeline.evaluating import exactly
from kpi_rules.pipeline.formulas import Columns, Formula, UnfitError
from kpi_rules.pipeline.panel import SPAN, values_by_group
from kpi_rules.pipeline.spans import DERIVED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.model.settings import Parameters
    from kpi_rules.pipeline.groups import Places
    from kpi_rules.pipeline.panel import ColumnValue, Panel
    from kpi_rules.pipeline.rulebook import Rulebook

FEW: Final = 3
"""The most values of a parameter besides the general one that a column is held against one after the other."""

WORKERS: Final = 4
"""The most threads: what each does between two columns needs the interpreter's lock."""


def thread_count() -> int:
    """Return how many threads there may be."""
    return min(os.cpu_count() or 1, WORKERS)


class ParameterColumns:
    """Parameters that differ between peer groups, for the units of a block, made once per effective period; and those
    that are `varying` row by row, by column.
    """

    def __init__(
        self,
        parameters: Parameters,
        places: Callable[[Sequence[str]], Places],
        varying: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        """Take the place of each unit's group among those that have values of their own."""
        self._parameters = parameters
        self._varying = varying or {}
        self._groups = sorted({group for name in parameters.declared for group in parameters.groups_named(name)})
        self._codes = places(self._groups)
        self._columns: dict[tuple[ColumnValue, ...], NDArray[Any]] = {}
        self._chosen: dict[tuple[str, date], NDArray[Any] | PerGroup | Figures] = {}

    def at(self, on: date, names: Collection[str]) -> dict[str, NDArray[Any]]:
        """Return the named columns that are parameters, for all units of the block."""
        return {name: self._column(self._values(name, on)) for name in self._among(names)} | self._rows(names)

    def held_against(self, on: date, names: Collection[str]) -> dict[str, NDArray[Any] | PerGroup | Figures]:
        """Return the same as conditions have them: the values themselves where there are few, or one alone."""
        for name in self._among(names):
            if (name, on) not in self._chosen:
                self._chosen[name, on] = self._choice(self._values(name, on))
        return {name: self._chosen[name, on] for name in self._among(names)} | self._rows(names)

    def _rows(self, names: Collection[str]) -> dict[str, NDArray[Any]]:
        return {name: self._varying[name] for name in names if name in self._varying}

    def _among(self, names: Collection[str]) -> list[str]:
        declared = self._parameters.declared
        return [name for name in names if name.removesuffix(SCALED) in declared and name not in self._varying]

    def _values(self, name: str, on: date) -> tuple[ColumnValue, ...]:
        """Return a parameter's value for each group, and at last for any other."""
        general, by_group = values_by_group(self._parameters, name, on)
        return (*(by_group.get(group, general) for group in self._groups), general)

    def _column(self, values: tuple[ColumnValue, ...]) -> NDArray[Any]:
        if values not in self._columns:
            self._columns[values] = np.array(values).take(self._codes, mode="clip")
        return self._columns[values]

    def _choice(self, values: tuple[ColumnValue, ...]) -> NDArray[Any] | PerGroup | Figures:
        if len(set(values)) == 1 and not isinstance(values[0], str):
            return Figures(values[0])
        numbers = [value for value in values if isinstance(value, (int, float))]
        others = set(numbers) - {numbers[-1]} if len(numbers) == len(values) else set()
        if not 0 < len(others) <= FEW:
            return self._column(values)
        places = {value: [place for place, each in enumerate(numbers) if each == value] for value in others}
        own = {value: reduce(np.logical_or, [self._codes == place for place in each]) for value, each in places.items()}
        return PerGroup(numbers[-1], tuple(own.items()))


def _pace(panel: Panel, on: date) -> tuple[int, int]:
    """Return the share expected on a day as two whole numbers, the second the same at all ticks where that is exact."""
    share = panel.terms.pace(on)
    common = lcm(*(panel.terms.pace(tick.on).denominator for tick in panel.ticks))
    if common * LIMIT >= EXACT:
        return share.numerator, share.denominator
    return share.numerator * (common // share.denominator), common


class Look:
    """What all blocks share of one tick: its rules and its whole numbers."""

    def __init__(self, panel: Panel, rulebook: Rulebook, here: int) -> None:
        self.here, self.tick = here, panel.ticks[here]
        self.bound = rulebook.bound(self.tick.moments, self.tick.on)
        self.base = panel.source.at(here)
        whole = [each for each in self.base.get_columns() if each.dtype == pl.Int64 and not each.null_count()]
        self.whole = {each.name: each.to_numpy() for each in whole}
        self.pace = _pace(panel, self.tick.on)
        self._compared: dict[frozenset[str], pl.DataFrame] = {}
        self._panel = panel
        self._formulas: dict[str, Formula | None] = {}
        self._peers: dict[frozenset[str], Mapping[str, Figures] | None] = {}
        self._one = Lock()

    def formula(self, name: str) -> Formula | None:
        """Return what makes a column of what is there of the same unit; None where it takes more."""
        if name not in self._formulas:
            compared = self._panel.compared({name})
            self._formulas[name] = None if name in compared else self._panel.formula(name, self.base, self.here)
        return self._formulas[name]

    def read(self, names: Collection[str], there: Collection[str] = ()) -> frozenset[str]:
        """Return the named columns with all that the formulas of those read that are not `there`."""
        found: set[str] = set()
        ahead = list(names)
        while ahead:
            name = ahead.pop()
            if name in found:
                continue
            found.add(name)
            made = None if name in self.whole or name in there else self.formula(name)
            ahead += made.reads if made is not None else ()
        return frozenset(found)

    def peers(
        self, read: Collection[str], kept: Collection[str], columns: Callable[[], ParameterColumns]
    ) -> Mapping[str, Figures] | None:
        """Return the columns that compare units with their peers, for all units; None where formulas do not make them.

        Args:
            read: the columns that are read.
            kept: those of them that conditions read: they are returned too where they are made on the way.
            columns: makes the parameters of all units.
        """
        compared = self._panel.compared(read)
        if not compared:
            return {}
        with self._one:
            if compared not in self._peers:
                self._peers[compared] = self._among_peers(compared, set(kept) - DERIVED, columns)
        return self._peers[compared]

    def _among_peers(
        self, compared: Collection[str], kept: Collection[str], columns: Callable[[], ParameterColumns]
    ) -> dict[str, Figures] | None:
        panel = self._panel
        by = {name: held for name in compared if (held := panel.ranked(name)) is not None}
        made = {name: panel.formula(held, self.base, self.here) for name, held in by.items()}
        formulas = {name: each for name, each in made.items() if each is not None}
        read = self.read([root for each in formulas.values() for root in each.reads])
        if len(formulas) < len(compared):
            return None
        others: dict[str, Any] = {name: each for name, each in self.whole.items() if name in read}
        if read - others.keys():
            others |= columns().held_against(self.tick.on, read - others.keys())
        if any(name not in others and self.formula(name) is None for name in read):
            return None
        kept = set(kept).difference(self.whole, compared)
        lows = range(0, max(len(self.base), 1), SPAN)

        def part(low: int) -> dict[str, Figures]:
            made = Columns(others, self.formula, slice(low, low + SPAN))
            found = {name: each.of(made) for name, each in formulas.items()}
            return found | {name: figures(made[name]) for name in kept & made.keys()}

        try:
            with ThreadPoolExecutor(max_workers=thread_count()) as pool:
                parts = list(pool.map(part, lows))
        except UnfitError:
            return None
        sizes = [min(SPAN, len(self.base) - low) for low in lows]
        everywhere = set.intersection(*(set(each) for each in parts))  # what a condition decides may not ask for all
        found = {name: joined([each[name] for each in parts], sizes) for name in everywhere}
        return found | {name: panel.ranks(found[name], self.base) for name in compared}

    def compared(self, needed: Collection[str], low: int, size: int) -> list[pl.Series]:
        """Return the needed columns that compare units with their peers, and what they are made of, for the units of a
        block; made once.
        """
        panel = self._panel
        names = panel.compared(needed)
        if not names:
            return []
        with self._one:
            if names not in self._compared:
                frame = panel.derive(self._row_by_row(names, size), self.here, {}, names)
                made = panel.with_dependencies(names).intersection(frame.columns).difference(self.base.columns)
                self._compared[names] = frame.select(sorted(made))
        return self._compared[names].slice(low, size).get_columns()

    def _row_by_row(self, names: Collection[str], size: int) -> pl.DataFrame:
        """Return the whole numbers of all units with what is compared between them, made block by block at once."""
        panel = self._panel
        inputs = [each for each in panel.with_dependencies(names) if not panel.compared({each})]
        blocks = (self.base.slice(low, size) for low in range(0, len(self.base), size))
        with ThreadPoolExecutor(max_workers=thread_count()) as pool:
            frames = list(pool.map(lambda block: panel.derive(block, self.here, {}, inputs), blocks))
        return pl.concat(frames)


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
