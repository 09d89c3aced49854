"""Compare: policy A against policy B on the same futures, so that a difference is the policies' and not chance's."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from kpi_rules.locale import _
from kpi_rules.model.problems import AssessmentError, Place, error
from kpi_rules.simulation.intervals import moved, switched
from kpi_rules.simulation.pairs import Pairing
from kpi_rules.simulation.result import QUANTILES, quantiles
from kpi_rules.simulation.run import Progress, Running, run
from kpi_rules.simulation.tally import TOTALS
from kpi_rules.simulation.traces import MONEY

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from kpi_rules.simulation.pairs import Moved, PairTally
    from kpi_rules.simulation.result import Simulation

CHANCES: Final = ("chance_a", "chance_b", "difference", "low", "high")
MONTHS: Final = ("months", "months_low", "months_high")


class Comparison:
    """How two simulations differ, B less A; every attribute is a polars frame made at its first use.

    Intervals are at 95%, of the mean difference over draws paired with each other: where nothing differs in any draw
    they are exactly 0.
    """

    def __init__(self, a: Simulation, b: Simulation, tally: PairTally, pairing: Pairing) -> None:
        """Keep what was counted; `kpi_rules.compare` is the way to make one."""
        self.a, self.b, self._tally, self._pairing = a, b, tally, pairing
        self.draws = a.draws

    def __repr__(self) -> str:
        """Name the two, on one line."""
        return f"<Comparison of {self.a!r} with {self.b!r}: {len(self._ids)} units in both>"

    @cached_property
    def _ids(self) -> pl.Series:
        return self.a.past.units["unit"].gather(self._pairing.a_rows)

    @property
    def only_a(self) -> list[str]:
        """Units simulated in A alone, which are not compared."""
        return _missing(self.a, self.b)

    @property
    def only_b(self) -> list[str]:
        """Units simulated in B alone, which are not compared."""
        return _missing(self.b, self.a)

    @cached_property
    def units(self) -> pl.DataFrame:
        """`unit, tick, chance_a, chance_b, difference, low, high`: the chance to have met the task, at every tick that
        both have.
        """
        frames = []
        a_days = {tick.on: here for here, tick in enumerate(self.a.ticks)}
        b_days = {tick.on: here for here, tick in enumerate(self.b.ticks)}
        for day, each in self._tally.met.items():
            met_a = self.a.tally.met[a_days[day]][self._pairing.a_rows]
            met_b = self.b.tally.met[b_days[day]][self._pairing.b_rows]
            frames.append(
                pl.DataFrame(
                    {
                        "unit": self._ids,
                        "tick": pl.Series([day], dtype=pl.Date).new_from_index(0, len(self._ids)),
                        "chance_a": met_a / self.draws,
                        "chance_b": met_b / self.draws,
                        **_difference(switched(each.a_only, each.b_only, self.draws)),
                    }
                )
            )
        return pl.concat([_empty("tick", *CHANCES), *frames]).sort("unit", "tick")

    @cached_property
    def rules(self) -> pl.DataFrame:
        """`unit, rule, chance_a, chance_b, difference, low, high, months, months_low, months_high`: the chance that a
        measure is in force or issued, and by how many months it lasts longer in B; a rule that no draw of either hits
        is left out for a unit.
        """
        frames = []
        for rule, each in self._tally.hit.items():
            hits_a = _of_rule(self.a, rule, self._pairing.a_rows)
            hits_b = _of_rule(self.b, rule, self._pairing.b_rows)
            rows = np.flatnonzero(hits_a + hits_b)
            lasting = self._tally.months.get(rule)
            frames.append(
                pl.DataFrame(
                    {
                        "unit": self._ids.gather(rows),
                        "rule": pl.Series([rule], dtype=pl.String).new_from_index(0, len(rows)),
                        "chance_a": hits_a[rows] / self.draws,
                        "chance_b": hits_b[rows] / self.draws,
                        **_difference(switched(each.a_only[rows], each.b_only[rows], self.draws)),
                        **_months(lasting, rows, self.draws),
                    }
                )
            )
        return pl.concat([_empty("rule", *CHANCES, *MONTHS), *frames]).sort("unit", "rule")

    @cached_property
    def money(self) -> pl.DataFrame:
        """`unit, kind, a, b, difference, low, high`: the fen expected per unit, `kind` one of withheld, released,
        outstanding, rewarded; units without any are left out.
        """
        frames = []
        for kind in MONEY:
            sums_a = self.a.tally.money[kind][self._pairing.a_rows]
            sums_b = self.b.tally.money[kind][self._pairing.b_rows]
            each = self._tally.money[kind]
            rows = np.flatnonzero((sums_a != 0) | (sums_b != 0))
            frames.append(
                pl.DataFrame(
                    {
                        "unit": self._ids.gather(rows),
                        "kind": pl.Series([kind], dtype=pl.String).new_from_index(0, len(rows)),
                        "a": sums_a[rows] / self.draws,
                        "b": sums_b[rows] / self.draws,
                        **_difference(moved(each.sums[rows], each.squares[rows], self.draws)),
                    }
                )
            )
        return pl.concat(frames).sort("unit", "kind")

    @cached_property
    def totals(self) -> pl.DataFrame:
        """`what, a, b, difference, low, high, q05 ... q95`: over all units of each variant, how many meet the task at
        the last tick, and the fen; quantiles are those of the difference in a draw.
        """
        rows = []
        for name in TOTALS:
            values = self.per_draw(name)
            squares = np.array([sum(int(each) ** 2 for each in values)], dtype=object)
            difference, low, high = moved(np.array([values.sum()]), squares, self.draws)
            named = {f"q{percent:02}": each for percent, each in zip(QUANTILES, quantiles(values), strict=True)}
            rows.append(
                {
                    "what": name,
                    "a": int(self.a.per_draw(name).sum()) / self.draws,
                    "b": int(self.b.per_draw(name).sum()) / self.draws,
                    "difference": float(difference[0]),
                    "low": float(low[0]),
                    "high": float(high[0]),
                    **named,
                }
            )
        return pl.DataFrame(rows)

    def per_draw(self, what: str) -> NDArray[np.int64]:
        """Return the difference of one of the `totals` as one number a draw, in the order of draws."""
        return self._tally.total(what)

    @cached_property
    def changed(self) -> pl.DataFrame:
        """`unit, what, a_only, b_only`: who changes, as shares of the draws in which the task is met at the last tick
        (`what` is empty), or a rule's measure is in force or issued, under one of the two alone.
        """
        last = max(self._tally.met, default=None)
        kinds = [(rule, each) for rule, each in self._tally.hit.items()]
        if last is not None:
            kinds.insert(0, ("", self._tally.met[last]))
        frames = []
        for what, each in kinds:
            rows = np.flatnonzero(each.a_only + each.b_only)
            frames.append(
                pl.DataFrame(
                    {
                        "unit": self._ids.gather(rows),
                        "what": pl.Series([what], dtype=pl.String).new_from_index(0, len(rows)),
                        "a_only": each.a_only[rows] / self.draws,
                        "b_only": each.b_only[rows] / self.draws,
                    }
                )
            )
        return pl.concat([_empty("what", "a_only", "b_only"), *frames]).sort("unit", "what")


def compare(
    a: Simulation,
    b: Simulation,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Comparison:
    """Compare two simulations of the same draws, B less A: parameters, quotas, campaigns, policies or a whole other
    workspace may differ.

    Both are run again, chunk by chunk beside each other, so that memory does not grow with the draws; a draw of a unit
    is the same in both wherever what is forecast of it is.

    Args:
        a: the one that stands.
        b: what it is compared with; of the same seed, number of draws, and last day known.
        executor: as in `simulate`.
        workers: as in `simulate`.
        progress: as in `simulate`.
        cancelled: as in `simulate`.

    Raises:
        AssessmentError: seed, draws or last day known differ, or no unit is in both.
        CancelledError: `cancelled` said so.
    """
    problems = [
        error("not-comparable", Place(key=key), found=f"{of_a} | {of_b}", expected=_("the same in both"))
        for key, of_a, of_b in (("seed", a.seed, b.seed), ("draws", a.draws, b.draws), ("as_of", a.as_of, b.as_of))
        if of_a != of_b
    ]
    both = (
        a.past.units.select("unit").with_row_index("a").join(b.past.units.select("unit").with_row_index("b"), on="unit")
    )
    both = both.sort("a")
    if both.is_empty():
        expected = _("at least one unit that both simulate")
        problems.append(error("not-comparable", Place(key="units"), found=_("no unit in both"), expected=expected))
    if problems:
        raise AssessmentError(problems)
    pairing = Pairing(a.job, b.job, both["a"].cast(pl.Int64).to_numpy(), both["b"].cast(pl.Int64).to_numpy())
    tally = run(pairing, a.draws, Running(executor, workers, progress, cancelled))
    return Comparison(a, b, tally, pairing)


def _empty(about: str, *numbers: str) -> pl.DataFrame:
    """Return a frame without rows: of units, what is said about them, and numbers."""
    kind = pl.Date if about == "tick" else pl.String
    return pl.DataFrame(schema={"unit": pl.String, about: kind, **dict.fromkeys(numbers, pl.Float64)})


def _missing(of: Simulation, other: Simulation) -> list[str]:
    return sorted(set(of.past.units["unit"]) - set(other.past.units["unit"]))


def _of_rule(simulation: Simulation, rule: str, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    hits = simulation.tally.hit.get(rule)
    return np.zeros(len(rows), dtype=np.int64) if hits is None else hits[rows]


def _difference(found: tuple[NDArray[np.float64], ...]) -> dict[str, NDArray[np.float64]]:
    return dict(zip(("difference", "low", "high"), found, strict=True))


def _months(lasting: Moved | None, rows: NDArray[np.int64], draws: int) -> dict[str, pl.Series]:
    if lasting is None:
        return {name: pl.repeat(None, len(rows), dtype=pl.Float64, eager=True) for name in MONTHS}
    found = moved(lasting.sums[rows], lasting.squares[rows], draws)
    return {name: pl.Series(each) for name, each in zip(MONTHS, found, strict=True)}
