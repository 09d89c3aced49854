"""Fitting: from the past to the futures, through the forecasts that the workspace names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kpi_rules.forecasts import compound
from kpi_rules.simulation.chunks import Chunk, Futures, Series
from kpi_rules.simulation.confirming import PARTS, Confirming
from kpi_rules.simulation.keys import stream_keys
from kpi_rules.simulation.known import Known
from kpi_rules.simulation.tables import CELLS
from kpi_rules.simulation.tree import Tree

if TYPE_CHECKING:
    from kpi_rules.simulation.past import Past

__all__ = ["Chunk", "Futures", "futures"]


def futures(past: Past, seed: int) -> Futures:
    """Return the futures of a past."""
    known = Known(past)
    history = known.history("funds")
    fitted = compound.fit(history)
    units = tuple(past.units["unit"].to_list())
    # The smallest thing that works: shares spread evenly from nothing to all.
    confirming = Confirming(
        shares=(np.arange(CELLS) * PARTS // CELLS).reshape(1, 1, CELLS),
        length=np.zeros(len(past.ticks), dtype=np.int64),
        mean=np.zeros(len(units), dtype=np.int64),
        slot=np.array([t.on.year * 12 + t.on.month if t.is_month_end else t.on.toordinal() for t in past.ticks]),
        monthly=np.array([t.is_month_end for t in past.ticks]),
        keys=(stream_keys(seed, "visits month", units), stream_keys(seed, "visits day", units)),
    )
    series = Series(
        "funds", "money", tuple(("compound funds", block) for block in fitted.blocks), confirming, known.waiting
    )
    last = {
        name: values[-1][past.rows]
        for name, values in past.assessment.credited.units.items()
        if name == "funds" or name in past.needed
    }
    return Futures(
        seed,
        units,
        len(past.ticks),
        last,
        (series,),
        tuple({"vouchers"} & last.keys()),
        Tree.of(len(units), past.below),
        fitted.assumptions,
    )
