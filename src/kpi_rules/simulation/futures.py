"""From a past to its futures: the forecasts that the workspace names, fitted, summed and ready to be drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import define, field

from kpi_rules.locale import _
from kpi_rules.model.forecasts import Assumption
from kpi_rules.model.problems import AssessmentError, Place, error
from kpi_rules.pipeline.credit import HAPPENINGS
from kpi_rules.simulation.chunks import Chunk, Futures, Series
from kpi_rules.simulation.fitted import fitted
from kpi_rules.simulation.histories import Histories
from kpi_rules.simulation.known import Known
from kpi_rules.simulation.thinning import thinned, thinning_assumption
from kpi_rules.simulation.tree import Tree
from kpi_rules.simulation.visiting import confirming

if TYPE_CHECKING:
    from kpi_rules.model.forecasts import Block, History
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
    tree: Tree = field(init=False)
    histories: Histories = field(init=False)
    assumptions: list[Assumption] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.known = Known(self.past)
        self.tree = Tree.of(len(self.past.units), self.past.below)
        self.histories = Histories(self.known, self.tree)

    def futures(self) -> Futures:
        past, primary = self.past, self.known.config.primary
        units = past.assessment.credited.units
        names = {"funds", primary, *(name for name in past.needed if name in units)}
        last = {name: units[name][-1][past.rows] for name in sorted(names)}
        arrivals = ("vouchers",) if "vouchers" in names and self.known.by_vouchers else ()
        going_on = (self._series(name) for name in sorted(names - set(arrivals)))
        series = [each for each in going_on if each is not None]
        found = Futures(
            self.seed,
            tuple(past.units["unit"].to_list()),
            len(past.ticks),
            last,
            tuple(series),
            arrivals,
            tuple(sorted(names & HAPPENINGS.keys())),
            self.tree,
            tuple(self.assumptions),
        )
        _ = found.samplers  # made once here, for all threads
        return found

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
            self.assumptions.append(Assumption(OTHERS, what, "", "", basis, little=True))
            return None
        waiting = np.zeros(len(history.units), dtype=np.int64)
        if name != "funds" or not self.known.by_vouchers or config.evidence[0] == "vouchers":
            return Series(name, history.kind, tuple(blocks), None, waiting)
        visits, assumed = confirming(self.known, history, self.seed)
        self.assumptions += assumed
        waiting = np.maximum(self.known.arrived([-1]) - self.known.confirmed([-1]), 0)[0]
        return Series(name, history.kind, tuple(blocks), visits, waiting)

    def _blocks(self, history: History, models: tuple[str, ...]) -> list[tuple[str, Block]]:
        """Return what the forecasts make of a history, each with the name of its stream."""
        forecasts = self.past.workspace.plugins.forecasts
        made = {model: fitted(forecasts[model], history) for model in models}
        found: list[tuple[str, Block]] = []
        leaving_out = any(each.counts_known for each in made.values())
        for model, each in made.items():
            self.assumptions += each.assumptions
            blocks = each.blocks
            if leaving_out and not each.counts_known and blocks:
                blocks = tuple(thinned(block, history) for block in blocks)
                self.assumptions.append(thinning_assumption(model, history))
            found += [(f"{model} {history.name} {number}", block) for number, block in enumerate(blocks)]
        return found


def _nothing(name: str, past: Past) -> AssessmentError:
    found = _("no {name} by {as_of} that a forecast could rest on").format(name=name, as_of=past.as_of)
    expected = _("a day by which something has arrived, or the evidence of earlier years")
    return AssessmentError([error("no-history", Place(key="as_of"), found=found, expected=expected)])
