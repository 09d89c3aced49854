"""Draws of what is wrong with the evidence, and what would have been decided: counted, in whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define, field

from kpi_rules.simulation.cells import Cells
from kpi_rules.simulation.keys import bases, draw_words, slot_words, stream_keys
from kpi_rules.simulation.recredit import PARTS, TABLES, Wrong

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kpi_rules.simulation.cells import Outcome
    from kpi_rules.simulation.recredit import Changes, Recredit

    Rows = NDArray[np.int64]
    Whole = NDArray[np.int64]
    Words = NDArray[np.uint64]

BITS = 53
"""Bits of a word by which it is drawn whether an item is wrong."""

KINDS = ("proposed", "spared", "moved")
"""How a measure on record can be wrong: it would not have been, one not on record would have been, or it would have
started or ended on another day.
"""

MONEY = ("withheld", "spared", "issued", "missed")
"""What fen are wrong: withheld and ought not to be, the reverse, and the same of what is issued."""


@define(frozen=True, eq=False)
class Errors:
    """What is wrong in each draw: an item by itself with the chance of its table, by a share between two."""

    keys: Words
    limit: Words
    low: int
    high: int

    @classmethod
    def of(cls, recredit: Recredit, seed: int, rates: Mapping[str, float], size: tuple[int, int]) -> Errors:
        """Make the keys of all items; shares are parts of `PARTS`."""
        items = recredit.items
        keys, limit = np.empty(len(items), dtype=np.uint64), np.empty(len(items), dtype=np.uint64)
        for kind, table in enumerate(TABLES):
            rows = np.flatnonzero(items.kind == kind)
            keys[rows] = stream_keys(seed, f"error of {table}", [items.key[row] for row in rows.tolist()])
            limit[rows] = round(rates[table] * 2**BITS)
        return cls(keys, limit, *size)

    def drawn(self, low: int, high: int) -> tuple[NDArray[np.bool_], Whole]:
        """Return of draws `low` to before `high` which items are wrong, and by what parts if so: draws x items."""
        based = np.empty((len(self.keys), high - low), dtype=np.uint64)
        scratch, words = np.empty_like(based), np.empty_like(based)
        bases(self.keys, draw_words(low, high), based, scratch)
        slot_words(based, 0, words, scratch)
        wrong = (words >> np.uint64(64 - BITS)) < self.limit[:, None]
        slot_words(based, 1, words, scratch)
        span = self.high - self.low + 1
        parts = self.low + ((words >> np.uint64(32)).astype(np.int64) * span >> 32)
        return np.ascontiguousarray(wrong.T), np.ascontiguousarray(parts.T)

    def whole(self, rows: NDArray[np.bool_], parts: Whole) -> Whole:
        """Return parts with those of the given items whole: a project counts or does not."""
        return np.where(rows, PARTS, parts)


@define(eq=False)
class Counted:
    """What is known of some draws.

    Attributes:
        draws: ranges that do not overlap.
        measures: by rule and kind (`KINDS`), how many measures are wrong: one number a draw, by range.
        money: by kind (`MONEY`) fen, one number a draw, by range.
        wrong: by rule, in how many draws the measure of each unit is.
        changed, moved, fen: of each item, over the draws it was turned in: in how many something changed, how many
            measures, and how many fen.
        alone: of each item how many measures change where it alone does not count at all; there with draw 0.
    """

    draws: list[tuple[int, int]]
    measures: dict[tuple[str, str], list[Whole]]
    money: dict[str, list[Whole]]
    wrong: dict[str, Whole]
    changed: Whole
    moved: Whole
    fen: Whole
    alone: Whole

    def add(self, other: Counted) -> None:
        """Take in other draws."""
        self.draws += other.draws
        for name, parts in other.measures.items():
            self.measures[name] += parts
        for name_of, more in other.money.items():
            self.money[name_of] += more
        for rule, counts in other.wrong.items():
            self.wrong[rule] += counts
        self.changed += other.changed
        self.moved += other.moved
        self.fen += other.fen
        self.alone += other.alone

    def in_order(self, parts: Sequence[Whole]) -> Whole:
        """Return numbers by range as one, in the order of draws."""
        order = sorted(range(len(self.draws)), key=self.draws.__getitem__)
        return np.concatenate([parts[place] for place in order])


@define(frozen=True, eq=False)
class Doubting:
    """Work for `run`: draw errors, and turn each item in the first draws."""

    recredit: Recredit
    errors: Errors
    turned: int
    cells: Cells = field(init=False)

    @cells.default
    def _of_the_assessment(self) -> Cells:
        return Cells(self.recredit.assessment)

    @property
    def units(self) -> int:
        """How much each draw has: units, or pieces of evidence."""
        return max(self.recredit.units, len(self.recredit.items))

    @property
    def rules(self) -> list[str]:
        """The ids of the rules."""
        return list(self.recredit.assessment.rulebook.rules)

    def run(self, low: int, high: int) -> Counted:
        """Count some draws."""
        items = self.recredit.items
        wrong, parts = self.errors.drawn(low, high)
        parts = self.errors.whole(items.kind == TABLES.index("projects"), parts)
        changes = self._changes(wrong, parts)
        outcome = self.cells.of(changes)
        found = self._counted(low, high, outcome)
        for draw in range(low, min(high, self.turned)):
            self._turn(draw - low + 1, wrong[draw - low], parts[draw - low], changes, outcome, found)
        if low == 0:
            found.alone += self._alone(changes, outcome)
        return found

    def _changes(self, wrong: NDArray[np.bool_], parts: Whole) -> Changes:
        """Return what the errors of draws take away; draw number i is scenario i + 1."""
        draw, item = np.nonzero(wrong)
        project = self.recredit.items.project[item]
        projects = len(self.recredit.tables.projects)
        variants, of = np.unique(draw * projects + project, return_inverse=True)
        return self.recredit.changes(variants // projects + 1, Wrong(variants % projects, of, item, parts[draw, item]))

    def _counted(self, low: int, high: int, outcome: Outcome) -> Counted:
        """Hold the draws' measures and money against the record's."""
        units, draws = self.recredit.units, high - low
        scenario, unit = np.divmod(outcome.cell, units)
        later = scenario > 0
        draw = scenario[later] - 1

        def per_draw(values: NDArray[np.bool_] | Whole) -> list[Whole]:
            sums = np.zeros(draws, dtype=np.int64)
            np.add.at(sums, draw, values[later])
            return [sums]

        measures: dict[tuple[str, str], list[Whole]] = {}
        wrong: dict[str, Whole] = {}
        for rule in self.rules:
            hit, recorded = outcome.hit[rule], outcome.hit[rule][unit]
            differs = outcome.differs(rule, outcome, unit)
            flags = (recorded & ~hit, hit & ~recorded, differs & hit & recorded)
            measures |= {(rule, kind): per_draw(each) for kind, each in zip(KINDS, flags, strict=True)}
            wrong[rule] = np.bincount(unit[differs], minlength=units)
        money: dict[str, list[Whole]] = {}
        for at, (more, less) in enumerate((MONEY[:2], MONEY[2:])):
            over = outcome.fen[at][unit] - outcome.fen[at]
            money |= {more: per_draw(np.maximum(over, 0)), less: per_draw(np.maximum(-over, 0))}
        nothing = (np.zeros(len(self.recredit.items), dtype=np.int64) for _ in range(4))
        return Counted([(low, high)], measures, money, wrong, *nothing)

    def _turn(
        self,
        scenario: int,
        wrong: NDArray[np.bool_],
        parts: Whole,
        changes: Changes,
        outcome: Outcome,
        found: Counted,
    ) -> None:
        """Turn each item in a draw from right to wrong or back, and count what that changes."""
        moved, fen = self._turned(scenario, wrong, parts, changes, outcome)
        found.changed += moved > 0
        found.moved += moved
        found.fen += fen

    def _alone(self, changes: Changes, outcome: Outcome) -> Whole:
        """Return of each item how many measures change where it alone is wrong as a whole."""
        many = len(self.recredit.items)
        none = np.zeros(many, dtype=np.bool_)
        moved, _fen = self._turned(0, none, np.full(many, PARTS), changes, outcome)
        return moved

    def _turned(
        self, scenario: int, wrong: NDArray[np.bool_], parts: Whole, changes: Changes, outcome: Outcome
    ) -> tuple[Whole, Whole]:
        """Return of each item how many measures, and fen, change where it is turned in a scenario."""
        project, units = self.recredit.items.project, self.recredit.units
        many = len(project)
        there = np.flatnonzero(wrong)
        there = there[np.argsort(project[there], kind="stable")]
        starts = np.searchsorted(project[there], np.arange(len(self.recredit.tables.projects) + 1))
        count = starts[project + 1] - starts[project]
        of = np.repeat(np.arange(many), count)
        within = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
        item = there[starts[project][of] + within]
        others = item != of
        on = np.flatnonzero(~wrong)
        as_it_was = Wrong(project, of, item, parts[item])
        turned = Wrong(
            project,
            np.concatenate([of[others], on]),
            np.concatenate([item[others], on]),
            np.concatenate([parts[item[others]], parts[on]]),
        )
        number = np.arange(many)
        more = self.recredit.changes(number, turned).less(self.recredit.changes(number, as_it_was))
        result = self.cells.upon(more, changes, np.full(many, scenario))
        turn, unit = np.divmod(result.cell, units)
        rows = outcome.row(scenario * units + unit, units)
        moved, fen = np.zeros(many, dtype=np.int64), np.zeros(many, dtype=np.int64)
        for rule in self.rules:
            moved += np.bincount(turn[result.differs(rule, outcome, rows)], minlength=many)
        for mine, theirs in zip(result.fen, outcome.fen, strict=True):
            np.add.at(fen, turn, np.abs(mine - theirs[rows]))
        return moved, fen
