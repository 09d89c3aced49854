"""Rules over cells: some units in some scenarios of a year that is past, each with what it has more or less than was
recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from attrs import define, field

from kpi_rules.model.calendar import DAY
from kpi_rules.pipeline.decide import decide
from kpi_rules.pipeline.derived import PEERS
from kpi_rules.pipeline.guards import Blocking
from kpi_rules.pipeline.panel import Panel
from kpi_rules.pipeline.state import State
from kpi_rules.simulation.rows import BlockingDraws
from kpi_rules.simulation.traces import Account
from kpi_rules.simulation.withholding import Withholding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.model.contributions import Rule
    from kpi_rules.pipeline.decided import Decided
    from kpi_rules.pipeline.result import Assessment
    from kpi_rules.simulation.recredit import Changes

    Rows = NDArray[np.int64]
    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]

EXACT = ("contracts_unknown",)
"""Whole numbers that are no column by themselves: how many contracts of a sum are not known."""


@define(frozen=True, eq=False)
class Outcome:
    """What rules decided, one row for each cell.

    Attributes:
        cell: scenario x units + unit, ascending.
        hit: by rule whether its measure started or was issued.
        events: by rule, tick and kind which rows it happened to; an amount is no event, but money.
        fen: withheld and issued.
    """

    cell: Rows
    hit: Mapping[str, Flags]
    events: Mapping[str, Mapping[tuple[int, str], Flags]]
    fen: tuple[Whole, Whole]

    def differs(self, rule: str, other: Outcome, rows: Rows) -> Flags:
        """Say which cells came out otherwise under a rule than the given rows of another outcome."""
        mine, theirs = self.events[rule], other.events[rule]
        found = np.zeros(len(self.cell), dtype=np.bool_)
        for key in mine.keys() | theirs.keys():
            here = mine.get(key, _NEVER)
            there = theirs[key][rows] if key in theirs else _NEVER
            found |= here != there
        return found

    def row(self, cell: Rows, units: int) -> Rows:
        """Return the row of cells; where there is none the record's, which is scenario 0 and there for all units."""
        place = np.minimum(np.searchsorted(self.cell, cell), len(self.cell) - 1)
        return np.where(self.cell[place] == cell, place, cell % units)


_NEVER = np.zeros(1, dtype=np.bool_)


@define(frozen=True, eq=False)
class Cells:
    """The rules of an assessment, ready for other amounts."""

    assessment: Assessment
    withholding: Withholding = field(init=False)
    compares: bool = field(init=False)

    @withholding.default
    def _of_the_rules(self) -> Withholding:
        book = self.assessment.rulebook
        holds = {name: rule for name, rule in book.rules.items() if rule.hold is not None}
        return Withholding(self.assessment.payroll, holds, self.assessment.panel.units["unit"])

    @compares.default
    def _with_peers(self) -> bool:
        return bool(self.assessment.panel.compared(self.assessment.rulebook.columns))

    @property
    def units(self) -> int:
        """How many units there are."""
        return len(self.assessment.panel.units)

    def of(self, changes: Changes) -> Outcome:
        """Return what rules decide on the record, scenario 0, and in others where units have more or less than that."""
        cell, more = self._moved(changes)
        nothing = np.zeros((len(self.assessment.credited.dates), self.units), dtype=np.int64)
        with_record = {name: np.concatenate([nothing, each], axis=1) for name, each in more.items()}
        return self.decided(np.concatenate([np.arange(self.units), cell]), with_record)

    def upon(self, changes: Changes, under: Changes, parent: Rows) -> Outcome:
        """Return what rules decide where units have more or less than in another scenario, the scenario's `parent`,
        whose own changes are in `under`.
        """
        cell, more = self._moved(changes)
        scenario, unit = np.divmod(cell, self.units)
        before = parent[scenario] * self.units + unit
        place = np.minimum(np.searchsorted(under.cell, before), max(len(under.cell) - 1, 0))
        there = np.flatnonzero(under.cell[place] == before) if len(under.cell) else place[:0]
        for name, each in under.amounts.items():
            more[name][:, there] += each[:, place[there]]
        return self.decided(cell, more)

    def _moved(self, changes: Changes) -> tuple[Rows, dict[str, Whole]]:
        """Return the cells in which something changes, and what; all of a scenario where peers are compared."""
        moved = np.zeros(len(changes.cell), dtype=np.bool_)
        for each in changes.amounts.values():
            moved |= each.any(axis=0)
        cell = changes.cell[moved]
        if not self.compares:
            return cell, {name: each[:, moved] for name, each in changes.amounts.items()}
        scenarios = np.unique(cell // self.units)
        every = (scenarios[:, None] * self.units + np.arange(self.units)).reshape(-1)
        place = np.searchsorted(every, cell)
        found = {}
        for name, each in changes.amounts.items():
            found[name] = np.zeros((len(each), len(every)), dtype=np.int64)
            found[name][:, place] = each[:, moved]
        return every, found

    def decided(self, cell: Rows, more: Mapping[str, Whole]) -> Outcome:
        """Run the rules over cells."""
        panel, book = self.assessment.panel, self.assessment.rulebook
        source = _CellSource(self.assessment, cell, more, self.compares)
        scene = self.assessment.scene
        blocks = Blocking.of(scene) is not None
        decided = decide(
            Panel(source, panel.ticks, panel.terms),
            book,
            outputs=None,
            block=max(len(cell), 1),
            blocking=BlockingDraws(Blocking(scene), panel.units["unit"]) if blocks else None,
        )
        return self._outcome(cell, decided)

    def _outcome(self, cell: Rows, decided: Decided) -> Outcome:
        rules = self.assessment.rulebook.rules
        events: dict[str, dict[tuple[int, str], Flags]] = {name: {} for name in rules}
        hit = {name: np.zeros(len(cell), dtype=np.bool_) for name in rules}
        for each in decided.events:
            marks = events[each.rule].setdefault((each.tick, each.kind), np.zeros(len(cell), dtype=np.bool_))
            marks[each.rows] = True
            if each.kind in {"started", "issued"}:
                hit[each.rule][each.rows] = True
        withholding = _OfCells(self.withholding, cell % self.units)
        owed = {name: np.zeros(len(cell), dtype=np.int64) for name in withholding.rules}
        ticks = self.assessment.panel.ticks
        account = Account(rules, ticks, State.fresh(rules, len(cell)), withholding, owed)
        account.tell(decided, range(len(ticks)))
        money = account.money()
        return Outcome(cell, hit, events, (money["withheld"].reshape(-1), money["rewarded"].reshape(-1)))


@define(frozen=True, eq=False)
class _OfCells:
    """Stands in for `Withholding`: the pay of the unit of each cell."""

    of: Withholding
    unit: Rows

    @property
    def rules(self) -> Mapping[str, Rule]:
        """The rules that hold pay."""
        return self.of.rules

    @property
    def units(self) -> Rows:
        """The unit of each cell."""
        return self.unit

    def month(self, month: date, holding: tuple[str, ...]) -> dict[str, Whole]:
        """Return by rule the fen that it withholds of each cell's unit in a month."""
        return {name: fen[self.unit] for name, fen in self.of.month(month, holding).items()}


@define(eq=False)
class _CellSource:
    """The panel's whole numbers: what was recorded, and what each cell has more; see `pipeline.panel.Source`."""

    assessment: Assessment
    cell: Rows
    more: Mapping[str, Whole]
    compares: bool
    units: pl.DataFrame = field(init=False)

    @units.default
    def _of_the_cells(self) -> pl.DataFrame:
        of_all = self.assessment.panel.units
        scenario, unit = np.divmod(self.cell, max(len(of_all), 1))
        found = of_all[unit]
        if self.compares:
            groups = of_all["group"].rank("dense").cast(pl.Int64)
            found = found.with_columns((groups.gather(unit) + pl.Series(scenario) * (len(of_all) + 1)).alias(PEERS))
        return found

    def at(self, here: int) -> pl.DataFrame:
        """Return the whole numbers of every cell at tick number `here`."""
        source, credited = self.assessment.evidence.source, self.assessment.credited
        on = source.ticks[here].on
        unit = self.cell % max(len(source.units), 1)
        found = source.at(here).drop("unit", "group", "kind")[unit]
        row = credited.dates.index(on)
        changed = [self._column(name, name, row, unit) for name in self.more if name not in EXACT]
        campaign = next((each for each in source.campaigns if each.start <= on <= each.end), None)
        if campaign is not None:
            before = credited.dates.index(campaign.start - DAY)
            names = [name for name in self.more if f"{name}_before_campaign" in found.columns]
            changed += [self._column(f"{name}_before_campaign", name, before, unit) for name in names]
        return self.units.hstack(found.with_columns(changed).get_columns())

    def _column(self, column: str, name: str, row: int, unit: Rows) -> pl.Series:
        """Return a whole number at a date; contracts are not known where one of them is not."""
        of_units = self.assessment.credited.units
        values = pl.Series(column, of_units[name][row][unit] + self.more[name][row])
        if name != "contracted":
            return values
        unknown = of_units["contracts_unknown"][row][unit] + self.more["contracts_unknown"][row]
        return values.set(pl.Series(unknown > 0), None)
