"""Many cases at once: the rules over a caller's frame in one pass, by a plan made once for the columns it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from kpi_rules.model import expressions
from kpi_rules.model.calendar import MOMENTS
from kpi_rules.model.contributions import SCALED
from kpi_rules.model.money import BILLION
from kpi_rules.pipeline.advance import superseded, unblocked
from kpi_rules.pipeline.evaluating import exactly
from kpi_rules.pipeline.formulas import formula
from kpi_rules.pipeline.panel import values_by_group
from kpi_rules.pipeline.spans import condition

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.pipeline.rulebook import Rulebook

    Flags = NDArray[np.bool_]

EVALUATED: Final = {"row": pl.Int64, "rule": pl.String, "event": pl.String, "amount": pl.Int64}
PLAIN: Final = pl.QueryOptFlags.none()
"""A plan is small and evaluated often: its optimiser would cost more than it saves."""

UNKNOWN: Final = pl.Series([None], dtype=pl.Int64)
"""The amount of an event without one."""


def _literal(value: object) -> pl.Expr:
    """Return a parameter of the type its column has: polars' own choice is narrower, and a product of two wraps."""
    return expressions.expression_of(expressions.literal(value))


class ManyCases:
    """What the rules say about every row of a frame that has certain columns, with the parameters of a day.

    Raises:
        KeyError: a column that a rule reads is missing; the exception holds its name.
    """

    def __init__(self, rulebook: Rulebook, columns: Collection[str], day: date) -> None:
        """Make the plan: columns to add, and the distinct conditions and amounts to evaluate."""
        self.rules, self.superseding = rulebook.rules, rulebook.superseding
        values: dict[str, object] = {name: False for name in MOMENTS if name not in columns}
        self.added: list[pl.Expr] = [] if "group" in columns else [pl.lit(None, pl.String).alias("group")]
        for name in sorted(rulebook.columns.difference(columns, MOMENTS, ("group",))):
            plain = name.removesuffix(SCALED)
            if plain not in rulebook.parameters.declared:
                raise KeyError(name)
            if plain in columns:  # a ratio of the caller's own
                self.added.append((pl.col(plain) * BILLION).round(0).cast(pl.Int64).alias(name))
                continue
            general, by_group = values_by_group(rulebook.parameters, name, day)
            if not by_group or "group" not in columns:
                values[name] = general
                continue
            value = _literal(general)
            for group, own in by_group.items():
                value = pl.when(pl.col("group") == group).then(_literal(own)).otherwise(value)
            self.added.append(value.alias(name))
        self.bound = rulebook.bind(values)
        amounts = {bound.amount for bound in self.bound.rules}
        conditions = {text: each for text, each in self.bound.expressions.items() if text not in amounts}
        self.places = {text: place for place, text in enumerate(conditions)}
        self.selected = [
            each.fill_null(value=False).alias(str(place)) for place, each in enumerate(conditions.values())
        ]
        self.state = [name for name in self.rules if name in columns and not self.rules[name].repeats]
        self.selected += [pl.col(name).fill_null(value=False) for name in self.state]
        simple = [condition(each) for each in conditions.values()]
        known = [holds for holds in simple if holds is not None]
        self.simple = known if len(known) == len(simple) and not self.added else None
        read = [*(each for each in self.bound.expressions.values()), *self.added]
        self.base = sorted({root for each in read for root in each.meta.root_names()}.intersection(columns))
        self.read = sorted({*self.state, *(root for each in conditions.values() for root in each.meta.root_names())})
        lasting = [name for name, rule in self.rules.items() if not rule.one_off]
        self.labels = [(name, "ended") for name in lasting]
        self.labels += [(name, "superseded") for name, others in self.superseding.items() if others]
        self.labels += [(name, "started" if name in lasting else "issued") for name in self.rules]
        self.amounts = [
            (
                self.labels.index((bound.rule.id, "issued")),
                self.bound.expressions[bound.amount],
                None if self.added else formula(self.bound.expressions[bound.amount]),
            )
            for bound in self.bound.rules
            if bound.amount is not None and bound.rule.one_off
        ]
        self.table = pl.DataFrame(self.labels, schema=["rule", "event"], orient="row")

    def evaluate(self, cases: pl.DataFrame) -> pl.DataFrame:
        """Return the events of a frame's rows: `row`, `rule`, `event`, `amount`, ordered by row."""
        columns = self._compared(cases)
        if columns is None:
            columns = self._evaluated(cases)
        masks = self._masks(columns, np.zeros(len(cases), dtype=np.bool_))
        rows, labels = np.stack(masks, axis=1).nonzero()
        events = self.table[labels].get_columns()
        return pl.DataFrame([pl.Series("row", rows), *events, self._amounts(cases, rows, labels)])

    def _compared(self, cases: pl.DataFrame) -> list[Flags] | None:
        """Return conditions and state as arrays; None where conditions are more than comparisons of what is known."""
        if self.simple is None:
            return None
        columns = {}
        for name in self.read:
            column = cases[name]
            if column.null_count() or not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
                return None
            columns[name] = column.to_numpy()
            if column.dtype.is_float() and np.isnan(columns[name]).any():
                return None
        return [holds(columns) for holds in self.simple] + [columns[name] for name in self.state]

    def _evaluated(self, cases: pl.DataFrame) -> list[Flags]:
        """Return conditions and state as arrays, null taken as not true."""
        frame = self._frame(cases)
        found = frame.select(self.selected).collect(engine="in-memory", optimizations=PLAIN)
        columns = found.get_columns()
        if len(found) != len(cases):  # nothing but literals
            columns = [column.new_from_index(0, len(cases)) for column in columns]
        return [column.to_numpy() for column in columns]

    def _frame(self, cases: pl.DataFrame) -> pl.LazyFrame:
        """Return the cases with the columns that the caller left out."""
        frame = cases.lazy().with_columns(pl.col(pl.Float32, pl.Float64).fill_nan(None))  # no number, so not known
        return frame.with_columns(self.added) if self.added else frame

    def _amounts(self, cases: pl.DataFrame, rows: NDArray[np.int64], labels: NDArray[np.int64]) -> pl.Series:
        """Return the amount of each event, null where it has none."""
        amounts, known = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.bool_)
        for label, expression, steps in self.amounts:
            own = (labels == label).nonzero()[0]
            if not len(own):
                continue
            read = [cases[name] for name in steps.reads] if steps is not None else []
            if steps is not None and not any(each.null_count() or each.dtype != pl.Int64 for each in read):
                of_own = rows[own]
                fen = steps.whole({each.name: each.to_numpy()[of_own] for each in read}, len(own))
                if fen is not None:
                    amounts[own] = fen
                    known[own] = True
                    continue
            frame = self._frame(cases.select(self.base)[rows[own]])
            column = exactly(frame.collect(engine="in-memory", optimizations=PLAIN), expression)
            known[own] = column.is_not_null().to_numpy()
            amounts[own] = column.fill_null(0).to_numpy() if column.null_count() else column.to_numpy()
        return pl.Series("amount", amounts).zip_with(pl.Series(known), UNKNOWN)

    def _masks(self, columns: list[Flags], nobody: Flags) -> list[Flags]:
        """Return one mask per rule and event, in the order of `labels`."""
        given = dict(zip(self.state, columns[len(self.places) :], strict=True))
        ended, candidates, remaining = [], {}, {}
        for bound in self.bound.rules:
            name = bound.rule.id
            active = given.get(name, nobody)
            when = nobody if bound.when is None else columns[self.places[bound.when]]
            until = nobody if bound.until is None else columns[self.places[bound.until]]
            remaining[name] = nobody if bound.rule.one_off else active & ~until
            candidates[name] = when & ~(until | active)
            if not bound.rule.one_off:
                ended.append(active & until)
        starting = unblocked(candidates, remaining, self.superseding, lambda first, other: first & ~other)
        return [*ended, *superseded(starting, remaining, self.superseding).values(), *starting.values()]
