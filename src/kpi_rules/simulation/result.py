"""The result of a simulation: frames, each made from whole numbers when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from attrs import asdict

from kpi_rules.locale import _
from kpi_rules.model.problems import nearest
from kpi_rules.simulation.bins import BINS, PER_WHOLE
from kpi_rules.simulation.intervals import wilson
from kpi_rules.simulation.tally import EXACT_DRAWS, TOTALS
from kpi_rules.simulation.traces import MONEY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.model.calendar import Tick
    from kpi_rules.simulation.job import Job
    from kpi_rules.simulation.past import Past
    from kpi_rules.simulation.tally import Tally
    from kpi_rules.simulation.whatif import Session

QUANTILES: Final = (5, 10, 25, 50, 75, 90, 95)
"""In percent: the bands of 80% and 90%, and the quartiles."""

RULES: Final = {
    "unit": pl.String,
    "rule": pl.String,
    **dict.fromkeys(("chance", "chance_low", "chance_high", "months"), pl.Float64),
}
"""The columns of `Simulation.rules`."""


class Simulation:
    """What a simulation found; every attribute is a polars frame made at its first use, money is fen.

    `seed`, `draws`, `as_of` and `workspace` say what was simulated, `digest` is one text for all that was found: the
    same on any machine and for any number of workers.
    """

    def __init__(self, past: Past, job: Job, tally: Tally, seed: int, draws: int, kept: Session | None = None) -> None:
        """Keep what was counted; `kpi_rules.simulate` is the way to make one. `kept` is for what-ifs."""
        self.past, self.job, self.tally = past, job, tally
        self.seed, self.draws, self.kept = seed, draws, kept

    def __repr__(self) -> str:
        """Name the workspace and what was simulated, on one line."""
        units, ticks = len(self.past.units), len(self.ticks)
        what = f"{self.past.workspace.name!r} as of {self.as_of}"
        return f"<Simulation of {what}: {self.draws} draws, seed {self.seed}, {units} units, {ticks} ticks>"

    def what_if(self, values: Mapping[str, object]) -> Simulation:
        """Return this simulation under other parameters: what `kpi_rules.simulate` gives for them, bit for bit, but
        from the second time on in a fraction of the time.

        Args:
            values: as in `Workspace.with_parameters`.

        Raises:
            ValueError: a name or a value is not valid; the message says what would be.
        """
        from kpi_rules.simulation.whatif import what_if

        return what_if(self, values)

    @property
    def as_of(self) -> date:
        """The last day that was known."""
        return self.past.as_of

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """The ticks simulated, in order."""
        return self.job.ahead.ticks

    @property
    def digest(self) -> str:
        """SHA-256 of everything counted."""
        return self.tally.digest()

    @cached_property
    def assumptions(self) -> pl.DataFrame:
        """`model, indicator, what, about, value, basis, little`: what the forecasts assume of each whole number that is
        simulated, its `indicator`, and the effects that were declared, which are of all; `little` says that there was
        too little to rely on, so that a forecast was widened.
        """
        effort = self.job.effort
        declared = [] if effort is None else [each.assumption for each in effort.effects]
        rows = [asdict(each) for each in (*self.job.futures.assumptions, *declared)]
        names = ("model", "indicator", "what", "about", "value", "basis")
        return pl.DataFrame(rows, schema={**dict.fromkeys(names, pl.String), "little": pl.Boolean})

    @cached_property
    def units(self) -> pl.DataFrame:
        """`unit, tick, quota, chance, chance_low, chance_high, mean, q05 ... q95`: the chance to have met the task at
        each tick, with its 95% interval, and the mean and quantiles of completion.

        Units and ticks without a quota are left out. Quantiles are those of the draws at the last tick of up to 10,000
        draws, else upper edges of bins of 1/256 of the task (`quantiles_binned`), up to 511/256, null above; of large
        populations they are there at the last tick alone.
        """
        primary = self.job.rulebook.terms.primary
        frames = []
        for here, tick in enumerate(self.ticks):
            quota = self.job.ahead.quota(here, primary)
            aimed = np.flatnonzero(quota > 0)
            share, low, high = wilson(self.tally.met[here][aimed], self.draws)
            quantiles, binned = self._quantiles(here, aimed, quota[aimed])
            frames.append(
                pl.DataFrame(
                    {
                        "unit": self.past.units["unit"].gather(aimed),
                        "tick": pl.Series([tick.on], dtype=pl.Date).new_from_index(0, len(aimed)),
                        "quota": quota[aimed],
                        "chance": share,
                        "chance_low": low,
                        "chance_high": high,
                        "mean": self.tally.amounts[here][aimed] / self.draws / quota[aimed],
                        **{f"q{percent:02}": quantiles[place] for place, percent in enumerate(QUANTILES)},
                        "quantiles_binned": pl.repeat(binned, len(aimed), eager=True),
                    }
                )
            )
        return pl.concat(frames).sort("unit", "tick", maintain_order=True)

    def _quantiles(self, here: int, aimed: NDArray[np.int64], quota: NDArray[np.int64]) -> tuple[list[pl.Series], bool]:
        """Return the quantiles of completion at a tick for some units, and whether they are those of bins."""
        if here == len(self.ticks) - 1 and self.tally.last:
            completion = np.sort(self.tally.last[0][aimed], axis=1)
            places = [_place(percent, self.draws) for percent in QUANTILES]
            return [pl.Series(completion[:, place] / quota) for place in places], False
        offset = len(self.ticks) - len(self.tally.bins)
        if here < offset:
            return [pl.repeat(None, len(aimed), dtype=pl.Float64, eager=True) for _percent in QUANTILES], True
        counted = self.tally.bins[here - offset][aimed].cumsum(axis=1)
        found = []
        for percent in QUANTILES:
            place = (counted > _place(percent, self.draws)).argmax(axis=1)
            edge = pl.Series((place + 1) / PER_WHOLE)
            found.append(edge.set(pl.Series(place == BINS - 1), None))
        return found, True

    @cached_property
    def rules(self) -> pl.DataFrame:
        """`unit, rule, chance, chance_low, chance_high, months`: the chance that the rule's measure is in force or
        issued at any time simulated, and the whole months it is expected to last (null for a one-off).

        Pairs of unit and rule that no draw hits are left out.
        """
        frames = []
        for rule, hits in self.tally.hit.items():
            rows = np.flatnonzero(hits)
            share, low, high = wilson(hits[rows], self.draws)
            lasting = self.tally.months.get(rule)
            months = None if lasting is None else lasting[rows] @ np.arange(lasting.shape[1]) / self.draws
            frames.append(
                pl.DataFrame(
                    {
                        "unit": self.past.units["unit"].gather(rows),
                        "rule": pl.Series([rule], dtype=pl.String).new_from_index(0, len(rows)),
                        "chance": share,
                        "chance_low": low,
                        "chance_high": high,
                        "months": pl.Series(months, dtype=pl.Float64)
                        if months is not None
                        else pl.repeat(None, len(rows), dtype=pl.Float64, eager=True),
                    }
                )
            )
        return pl.concat([pl.DataFrame(schema=RULES), *frames]).sort("unit", "rule")

    @cached_property
    def money(self) -> pl.DataFrame:
        """`unit, withheld, released, outstanding, rewarded`: the fen expected per unit, rounded down; of the ticks
        simulated, but that what is outstanding at the end includes what was held before them.
        """
        columns = {kind: self.tally.money[kind] // self.draws for kind in MONEY}
        frame = pl.DataFrame({"unit": self.past.units["unit"], **columns})
        return frame.filter(pl.any_horizontal(pl.col(*MONEY) > 0))

    @cached_property
    def totals(self) -> pl.DataFrame:
        """`what, mean, q05 ... q95`: over all units, how many meet the task at the last tick (`met`), and the fen
        withheld, released, outstanding, rewarded.
        """
        rows = []
        for name in TOTALS:
            values = np.sort(self.per_draw(name))
            quantiles = {f"q{percent:02}": float(values[_place(percent, self.draws)]) for percent in QUANTILES}
            rows.append({"what": name, "mean": int(values.sum()) / self.draws, **quantiles})
        return pl.DataFrame(rows)

    def of_unit(self, unit: str) -> pl.DataFrame:
        """Return a unit's rows of `units`.

        Raises:
            ValueError: it has none; the message names the nearest that has.
        """
        found = self.units.filter(pl.col("unit") == unit)
        if found.is_empty():
            hint = nearest(unit, self.units["unit"].unique())
            message = _("no unit {unit} with a quota in what is simulated").format(unit=unit)
            raise ValueError(message + (_(" (nearest: {nearest})").format(nearest=hint) if hint is not None else ""))
        return found

    def per_draw(self, what: str) -> NDArray[np.int64]:
        """Return one of the `totals` as one number a draw, in the order of draws."""
        return self.tally.totals[what][0]

    @property
    def exact(self) -> bool:
        """Whether quantiles at the last tick are those of the draws themselves and not of bins."""
        return bool(self.tally.last) and self.draws <= EXACT_DRAWS


def _place(percent: int, draws: int) -> int:
    """Return the place of a quantile among sorted draws: the least value that so many per cent do not exceed."""
    return max(-(-percent * draws // 100) - 1, 0)


def quantiles(values: NDArray[np.int64], percents: Sequence[int] = QUANTILES) -> list[int]:
    """Return quantiles of whole numbers, each of them one of the numbers."""
    ordered = np.sort(values)
    return [int(ordered[_place(percent, len(ordered))]) for percent in percents]
