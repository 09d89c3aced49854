"""From a past to its futures: the forecasts that the workspace names, fitted, summed and ready to be drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from attrs import define, evolve, field

from kpi_rules.locale import _, ngettext
from kpi_rules.model.forecasts import Assumption
from kpi_rules.model.problems import AssessmentError, Place, error
from kpi_rules.pipeline.credit import HAPPENINGS
from kpi_rules.simulation.basis import Layout, tree_of
from kpi_rules.simulation.chunks import Chunk, Futures, Series
from kpi_rules.simulation.fitted import fitted
from kpi_rules.simulation.histories import Histories
from kpi_rules.simulation.known import Known
from kpi_rules.simulation.members import Parts, held_by, parts_of_block, ranges_of, rows_of_block, within_members
from kpi_rules.simulation.thinning import thinned, thinning_assumption
from kpi_rules.simulation.tree import Tree
from kpi_rules.simulation.visiting import confirming

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kpi_rules.model.forecasts import Block, History
    from kpi_rules.simulation.basis import Basis, Members
    from kpi_rules.simulation.past import Past

__all__ = ["Chunk", "Futures", "futures"]

OTHERS: Final = "compound"
"""The forecast of whole numbers that are not the primary one."""


def futures(past: Past, seed: int) -> Futures:
    """Fit the workspace's forecasts to a past.

    Args:
        past: what is known.
        seed: what all draws depend on: the same seed, the same futures.

    Raises:
        AssessmentError: nothing has happened yet that the primary indicator could be forecast from, or a forecast of a
            policy fails or gives what does not fit.
    """
    return _Fitting(past, seed).futures()


@define(eq=False)
class _Fitting:
    """One fitting, and what it comes to assume."""

    past: Past
    seed: int
    known: Known = field(init=False)
    drawn: Basis = field(init=False)
    layout: Layout = field(init=False)
    histories: Histories = field(init=False)
    assumptions: list[Assumption] = field(factory=list, init=False)
    _places: NDArray[np.int64] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.known = Known(self.past)
        # Fitted on all, drawn of those alone that somebody simulated is made of: nobody's draw is another's.
        self._places = self.past.basis.reaching(self.past.rows)
        self.drawn = self.past.basis.only(self._places)
        self.layout = Layout.of(self.drawn, self.past.rows)
        self.histories = Histories(self.known)

    def futures(self) -> Futures:
        past, primary = self.past, self.known.config.primary
        units = past.assessment.credited.units
        names = {"funds", primary, *(name for name in past.needed if name in units)}
        last = {name: units[name][-1] for name in sorted(names)}
        arrivals = ("vouchers",) if "vouchers" in names and self.known.by_vouchers else ()
        going_on = (self._series(name) for name in sorted(names - set(arrivals)))
        series = [each for each in going_on if each is not None]
        found = Futures(
            self.seed,
            tuple(self.drawn.units["unit"].to_list()),
            len(past.ticks),
            {name: whole[past.rows] for name, whole in last.items()},
            {name: self.layout.tree.own(whole[self.layout.rows]) for name, whole in last.items()},
            tuple(series),
            arrivals,
            tuple(sorted(names & HAPPENINGS.keys())),
            self.layout,
            tuple(self.assumptions),
        )
        _ = found.samplers  # made once here, for all threads
        return found

    def _assume(self, name: str, *assumed: Assumption) -> None:
        """Keep what is assumed of a whole number, by its name: every forecast says the same things of each."""
        self.assumptions += [evolve(each, indicator=name) for each in assumed]

    def _series(self, name: str) -> Series | None:
        """Return how a whole number goes on; None where it stays at its last value."""
        history = self.histories.of(name)
        config = self.known.config
        models = config.forecasts if name in {"funds", config.primary} else (OTHERS,)
        blocks = [] if history is None else self._blocks(history, models)
        if history is None or not blocks:
            if name == config.primary:
                raise _nothing(name, self.past)
            what = _("{name} stays at its last value").format(name=name)
            basis = _("nothing that it could be forecast from")
            self._assume(name, Assumption(OTHERS, what, "", "", basis, little=True))
            return None
        self._left_out(name)
        waiting = np.zeros(len(history.units), dtype=np.int64)
        if name != "funds" or not self.known.by_vouchers or config.evidence[0] == "vouchers":
            found = Series(name, history.kind, tuple(blocks), None, waiting)
        else:
            visits, assumed = confirming(self.known, history, self.seed)
            self._assume(name, *assumed)
            waiting = np.maximum(self.known.arrived([-1]) - self.known.confirmed([-1]), 0)[0]
            found = Series(name, history.kind, tuple(blocks), visits, waiting)
        found = self._of_drawn(found)
        members = self.layout.members
        return found if members is None else evolve(found, parts=self._parts(found, history, members))

    def _of_drawn(self, series: Series) -> Series:
        """Return a series of the units that are drawn alone."""
        units = len(self.past.basis.rows)
        if len(self._places) == units:
            return series
        return evolve(
            series,
            blocks=tuple((stream, rows_of_block(block, self._places, units)) for stream, block in series.blocks),
            confirming=None if series.confirming is None else series.confirming.of(self._places),
            waiting=series.waiting[self._places],
        )

    def _left_out(self, name: str) -> None:
        """Say of whom a policy's sum stays at its last value, though it goes on for others: they are not forecast."""
        if name not in self.past.workspace.plugins.indicators:
            return
        basis, layout = self.drawn, self.layout
        first = len(basis.rows)
        own = layout.tree.own(self.known.credited.units[name][-1][layout.rows])[first:]
        many = int(((own > 0) & (basis.home[layout.rows[first:]] < 0)).sum())
        if many:
            what = _("{name} stays at its last value").format(name=name)
            about = ngettext("{count} unit without a target", "{count} units without a target", many).format(count=many)
            basis_of = _("neither a target nor a claim that it could be forecast from")
            self._assume(name, Assumption(OTHERS, what, about, "", basis_of, little=True))

    def _parts(self, series: Series, history: History, members: Members) -> Parts:
        """Return what is drawn of a whole number for the simulated units within forecast ones."""
        basis, known = self.drawn, self.known
        evident = known.evident[basis.home[known.evident] >= 0]
        ranges = ranges_of(basis, members, self._brought(series.name), evident)
        within = within_members(basis, members, evident)
        home = members.home
        parts = known.parts.with_columns(unit=pl.Series(basis.home[known.parts["claimant"].to_numpy()]))
        blocks = tuple(
            (stream, parts_of_block(block, members, ranges, held_by(block, parts, within, history.projects)))
            for stream, block in series.blocks
        )
        visits, waiting = series.confirming, np.zeros(len(home), dtype=np.int64)
        if visits is not None:
            waiting = known.waiting_of(*within, len(home))
            visits = visits.of(home)
        names = basis.units["unit"].to_list()
        return Parts(tuple(names[at] for at in home.tolist()), blocks, ranges, visits, waiting)

    def _brought(self, name: str) -> NDArray[np.int64]:
        """Return what of a whole number each unit of the workspace has brought itself."""
        known, basis = self.known, self.past.basis
        if name == "funds":
            return known.brought
        every = np.arange(len(basis.parents))
        _home, below = tree_of(basis.parents, every)
        return Tree.of(len(every), below).own(known.credited.units[name][-1])

    def _blocks(self, history: History, models: tuple[str, ...]) -> list[tuple[str, Block]]:
        """Return what the forecasts make of a history, each with the name of its stream."""
        forecasts = self.past.workspace.plugins.forecasts
        made = {model: fitted(forecasts[model], history) for model in models}
        found: list[tuple[str, Block]] = []
        leaving_out = any(each.counts_known for each in made.values())
        for model, each in made.items():
            self._assume(history.name, *each.assumptions)
            blocks = each.blocks
            if leaving_out and not each.counts_known and blocks:
                blocks = tuple(thinned(block, history) for block in blocks)
                self._assume(history.name, thinning_assumption(model, history))
            found += [(f"{model} {history.name} {number}", block) for number, block in enumerate(blocks)]
        return found


def _nothing(name: str, past: Past) -> AssessmentError:
    found = _("no {name} by {as_of} that a forecast could rest on").format(name=name, as_of=past.as_of)
    expected = _("a day by which something has arrived, or the evidence of earlier years")
    return AssessmentError([error("no-history", Place(key="as_of"), found=found, expected=expected)])
