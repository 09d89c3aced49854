"""After sharing: caps on what a unit is credited with, and the project that counts as the whole task (M14).

Each is a stage of the waterfall of its own, after `split` and before `shared`, and is there only where `[adjustment]`
asks for it. What a cap cuts is credited to nobody. A whole task lifts a unit's credit to its quota, and no further.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import define

from kpi_rules.pipeline.panel import with_parameters
from kpi_rules.pipeline.sharing import code_point_order
from kpi_rules.workspace.checks import AFTER_SHARING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import date

    import polars as pl
    from numpy.typing import NDArray

    from kpi_rules.model.settings import Parameters
    from kpi_rules.pipeline.sharing import Claims, Money, Rows

SECTION: Final = "adjustment"
STAGES: Final = AFTER_SHARING[1:]
"""The stages in order; the parameter of the last is `whole_task_from`."""

COUNTED: Final = ("signed", "started", "producing")
"""The counts that a whole task lifts too, where the project counts in them."""


@define(frozen=True, eq=False, slots=False)
class Task:
    """What the stages after sharing go by.

    Attributes:
        parameters: the workspace's.
        units: `unit`, `group`, one row for each unit.
        quotas: a function of a date giving `<indicator>_quota` of each unit.
        unit, above: every (unit, ancestor or itself), by row number.
    """

    parameters: Parameters
    units: pl.DataFrame
    quotas: Callable[[date], pl.DataFrame]
    unit: Rows
    above: Rows

    def amounts(self, name: str, on: date) -> Money:
        """Return a stage's parameter in force on a date for each unit, fen."""
        parameter = _parameter(name)
        return with_parameters(self.units, self.parameters, on, [parameter])[parameter].to_numpy()

    def quota(self, indicator: str, on: date) -> Money:
        """Return the quota of each unit in force on a date, -1 without one."""
        return self.quotas(on)[f"{indicator}_quota"].fill_null(-1).to_numpy()

    @cached_property
    def line(self) -> Mapping[int, Sequence[int]]:
        """The row numbers of each unit and of all above it."""
        found: dict[int, list[int]] = {}
        for unit, above in zip(self.unit.tolist(), self.above.tolist(), strict=True):
            found.setdefault(unit, []).append(above)
        return found


def stages_asked(parameters: Parameters) -> list[str]:
    """Return the stages that are asked for: those whose parameter is written."""
    return [name for name in STAGES if parameters.entries.get(_parameter(name))]


def _parameter(stage: str) -> str:
    return f"{SECTION}.{'whole_task_from' if stage == 'whole_task' else stage}"


@define(frozen=True, eq=False)
class AfterSharing:
    """What is left of each claim's part: dates x claims in fen, each stage, and which claims are a whole task."""

    credited: Money
    stages: Mapping[str, Money]
    whole: NDArray[np.bool_]


def after_sharing(split: Money, claims: Claims, dates: Sequence[date], task: Task | None) -> AfterSharing:
    """Apply the stages after sharing that are asked for."""
    stages: dict[str, Money] = {}
    whole = np.zeros(split.shape, dtype=np.bool_)
    if task is None:
        return AfterSharing(split, stages, whole)
    credited = split
    for name in stages_asked(task.parameters):
        before, credited = credited, credited.copy()
        for here, on in enumerate(dates):
            bound = task.amounts(name, on)
            if name == "claim_cap":
                credited[here] = np.minimum(before[here], bound[claims.unit])
            elif name == "unit_cap":
                credited[here] = cut(before[here], claims.unit, bound)
            else:
                whole[here] = (before[here] >= bound[claims.unit]) & (before[here] > 0)
                lift_claims(credited[here], whole[here], claims, task, task.quota("funds", on))
        stages[name] = credited
    return AfterSharing(credited, {"split": split, **stages}, whole)


def cut(amounts: Money, unit: Rows, cap: Money) -> Money:
    """Return the amounts of claims with those of a unit above its cap cut in proportion, by largest remainder.

    Ties go by project id, in whose order the claims are.
    """
    totals = np.bincount(unit, amounts, minlength=len(cap)).astype(np.int64)
    found = amounts.copy()
    by_unit = np.argsort(unit, kind="stable")
    ends = np.cumsum(np.bincount(unit, minlength=len(cap)))
    for over in np.flatnonzero(totals > cap).tolist():
        own = by_unit[ends[over - 1] if over else 0 : ends[over]]
        total, most = int(totals[over]), int(cap[over])
        exact = [divmod(int(amount) * most, total) for amount in amounts[own]]
        parts = [part for part, _remainder in exact]
        by_remainder = sorted(range(len(own)), key=lambda each, exact=exact: -exact[each][1])  # type: ignore[misc]  # stable
        for each in by_remainder[: most - sum(parts)]:
            parts[each] += 1
        found[own] = parts
    return found


def lift_claims(amounts: Money, whole: NDArray[np.bool_], claims: Claims, task: Task, quota: Money) -> None:
    """Lift, in place, the first whole task of each unit so that the unit and its descendants come to its quota."""
    if not whole.any():
        return
    totals = np.zeros(len(task.units), dtype=np.int64)
    np.add.at(totals, task.above, np.bincount(claims.unit, amounts, minlength=len(totals)).astype(np.int64)[task.unit])
    first: dict[int, int] = {}
    for claim in np.flatnonzero(whole).tolist():
        first.setdefault(int(claims.unit[claim]), claim)
    for unit, missing in _lifted(first, totals, quota, task):
        amounts[first[unit]] += missing


def lift_counts(counts: Money, whole: NDArray[np.bool_], claims: Claims, task: Task, quota: Money) -> None:
    """Lift, in place, the count of each unit with a whole task that counts to its quota, and those above with it."""
    _lifted(set(claims.unit[whole].tolist()), counts, quota, task)


def _lifted(units: Collection[int], totals: Money, quota: Money, task: Task) -> Sequence[tuple[int, int]]:
    """Lift, in place, the totals of units to their quotas, the lowest first, and of all above them by as much; return
    what each lacked.
    """
    order = code_point_order(task.units)
    found = []
    for unit in sorted(units, key=lambda each: (-len(task.line[each]), order[each])):
        missing = int(quota[unit] - totals[unit])
        if missing > 0:
            totals[list(task.line[unit])] += missing
            found.append((unit, missing))
    return found
