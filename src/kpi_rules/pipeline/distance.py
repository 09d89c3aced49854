"""Distance to flip: the least additional credited amount, and by which tick, that ends or avoids a measure (M24)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl
from attrs import define

from kpi_rules.model.calendar import DAY, MOMENTS, month_end, ticks
from kpi_rules.model.expressions import correctly_rounded
from kpi_rules.model.money import LIMIT
from kpi_rules.pipeline.derived import PEERS
from kpi_rules.pipeline.panel import with_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.model.contributions import Rule
    from kpi_rules.pipeline.panel import Panel
    from kpi_rules.pipeline.result import Assessment

POINTS: Final = 512
"""Amounts tried at once; five rounds narrow any bracket below the limit to one fen."""

ROWS: Final = 1_000_000
"""The most rows at once, where each amount is tried among all peers; fewer amounts at once then take more rounds."""

_FEWEST: Final = 8


@define(frozen=True)
class Distance:
    """The least further credited amount (fen) that, credited by the tick `by` (inclusive), `ends` or `avoids` a
    measure.
    """

    amount: int
    by: date
    effect: Literal["ends", "avoids"]


def _begins(rule: Rule) -> pl.Expr:
    """Return the condition under which a rule is a candidate; null is not true."""
    when = rule.when.fill_null(value=False)
    return when if rule.until is None else when & ~rule.until.fill_null(value=False)


class Distances:
    """Searches distances for the units of one assessment, seen from one tick: nothing later is known there.

    Every amount is tried in the very panel and conditions that decide; the search takes the first amount that flips
    them, to the fen where more credit is never harsher, which is a law for rules.
    """

    def __init__(self, assessment: Assessment, here: int) -> None:
        """Prepare to look ahead from tick number `here`, to the year end or to the next tick where that is later."""
        config = assessment.workspace.config
        assert config is not None  # noqa: S101 (see Assessment)
        self.assessment, self.here = assessment, here
        seen = assessment.panel.ticks[: here + 1]
        after = month_end(seen[-1].on + DAY)
        ahead = [
            tick for tick in ticks(config.year, config.campaigns, max(config.year.end, after)) if tick.on > seen[-1].on
        ]
        self.panel: Panel = assessment.panel.looking_ahead((*seen, *(tick for tick in ahead if not tick.interim)))
        self._carried = [assessment.before(here)]

    def find(
        self, unit: int, rule: Rule, state: Literal["begins", "in force", "proposed", "not in force"]
    ) -> Distance | None:
        """Return the distance of one unit and rule; None where no amount can, or where nothing is ahead.

        Args:
            unit: row number.
            rule: the rule.
            state: whether its measure begins at this tick, has been in force or proposed before it, or neither.
        """
        if state == "begins":
            return self._search(unit, rule, self.here, "avoids")
        if state in {"in force", "proposed"}:
            return self._search(unit, rule, self.here + 1, "ends")
        for target in range(self.here + 1, len(self.panel.ticks)):
            if self._flips(unit, rule, target, "avoids", np.zeros(1, dtype=np.int64))[0]:
                continue
            return self._search(unit, rule, target, "avoids")
        return None

    def _search(self, unit: int, rule: Rule, target: int, effect: Literal["ends", "avoids"]) -> Distance | None:
        if target >= len(self.panel.ticks):
            return None
        expression = rule.until if effect == "ends" else _begins(rule)
        if expression is None:
            return None
        peers, _is_compared = self._among(unit, target, set(expression.meta.root_names()))
        points = max(min(POINTS, ROWS // len(peers)), _FEWEST)
        tried = np.unique(np.concatenate([[0], np.geomspace(1, LIMIT, points).astype(np.int64)]))
        while True:
            flips = np.flatnonzero(self._flips(unit, rule, target, effect, tried))
            if len(flips) == 0:
                return None
            first = int(flips[0])
            if first == 0 or tried[first] - tried[first - 1] == 1:
                return Distance(int(tried[first]), self.panel.ticks[target].on, effect)
            tried = np.unique(np.linspace(tried[first - 1], tried[first], points).astype(np.int64))

    def _flips(
        self, unit: int, rule: Rule, target: int, effect: Literal["ends", "avoids"], amounts: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Say for each further amount whether the measure would end, or not begin, at the target tick."""
        expression = rule.until if effect == "ends" else _begins(rule)
        if expression is None:
            return np.zeros(len(amounts), dtype=np.bool_)
        names = set(expression.meta.root_names())
        frame = self._at(unit, target, amounts, names)
        tick = self.panel.ticks[target]
        frame = frame.with_columns(**{name: pl.lit(name in tick.moments) for name in names.intersection(MOMENTS)})
        frame = with_parameters(frame, self.panel.terms.parameters, tick.on, names)
        found = frame.select(value=correctly_rounded(expression)).to_series()
        if len(found) < len(amounts):
            found = found.new_from_index(0, len(amounts))
        holds: NDArray[np.bool_] = found.fill_null(value=False).to_numpy()
        return holds if effect == "ends" else ~holds

    def _at(self, unit: int, target: int, amounts: NDArray[np.int64], names: set[str]) -> pl.DataFrame:
        """Return the unit's indicators at a target tick, one row per further amount, all of it credited by that
        tick.

        Where something is compared with the peers, each amount is tried among all of them as they stand.
        """
        whole = self._whole(target)
        among, is_compared = self._among(unit, target, names)
        rows = np.tile(among, len(amounts))
        own = rows == unit
        further = pl.Series(np.where(own, np.repeat(amounts, len(among)), 0))
        base = whole[rows].with_columns(funds=pl.min_horizontal(pl.col("funds") + further, pl.lit(LIMIT)))
        if is_compared:  # a unit alone in its group is not among its own other amounts
            base = base.with_columns(pl.Series(PEERS, np.repeat(np.arange(len(amounts)), len(among)).astype(str)))
        before = {name: column.gather(rows) for name, column in self._before(target).items()}
        frame = self.panel.derive(base, target, before, names | {"completion", "campaign_completion"})
        return frame.filter(pl.Series(own))

    def _among(self, unit: int, target: int, names: set[str]) -> tuple[NDArray[np.intp], bool]:
        """Return the units that the named columns of a unit go by, and whether they compare it with its peers."""
        whole = self._whole(target)
        mine = whole["group"][unit]
        if mine is None or not self.panel.compared(names):
            return np.array([unit]), False
        return np.flatnonzero((whole["group"] == mine).fill_null(value=False).to_numpy()), True

    def _before(self, target: int) -> Mapping[str, pl.Series]:
        """Return lag and counts of all units just before a target tick, nothing further credited until then."""
        while len(self._carried) <= target - self.here:
            here = self.here + len(self._carried) - 1
            self._carried.append(self.panel.carried(self._whole(here), here, self._carried[-1]))
        return self._carried[target - self.here]

    def _whole(self, target: int) -> pl.DataFrame:
        """Return the whole numbers of all units as far as they are known here, with the quotas in force at a target
        tick.
        """
        base = self.panel.source.at(self.here)
        if target == self.here:
            return base
        on = self.panel.ticks[target].on
        quotas = self.assessment.quotas_on(on)
        base = base.drop([name for name in base.columns if name.endswith("_before_campaign")]).with_columns(
            quotas.get_columns()
        )
        campaign = self.panel.campaign_at(on)
        if campaign is None:
            return base
        begun = campaign.start <= self.panel.ticks[self.here].on
        known = self.panel.source.at(self.here) if begun else base
        return base.with_columns(
            **{
                f"{name}_before_campaign": known[f"{name}_before_campaign" if begun else name]
                for name in self.panel.names
                if name in base.columns
            }
        )
