"""What a worker does of a simulation; a module of its own, as it loads half of what asking for one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from kpi_rules.simulation.tally import Extent, Tally

if TYPE_CHECKING:
    from kpi_rules.simulation.job import Job


@define(frozen=True, eq=False)
class Counting:
    """Work for `run`: count what becomes of draws."""

    job: Job
    extent: Extent

    @property
    def units(self) -> int:
        """How many units each draw has."""
        return self.job.units

    def run(self, low: int, high: int) -> Tally:
        """Count what becomes of some draws."""
        return Tally.of(self.job.run(low, high), self.job.month_ends, self.extent)
