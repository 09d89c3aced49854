"""`pipeline`: what recognised projects have still to bring arrives by the curves of projects that were as old.

From age to age a project brings a share of what remains of its contract, as in the development factors of the chain
ladder (Mack, "Distribution-free calculation of the standard error of chain ladder reserve estimates", ASTIN Bulletin
1993); a future is one donor's shares, continued by another's where the donor is not yet older (hot deck).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from kpi_rules.forecasts.credibility import LITTLE
from kpi_rules.locale import _, ngettext
from kpi_rules.model.forecasts import Assumption, Curves, Fitted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kpi_rules.model.forecasts import History

    Real = NDArray[np.float64]
    Rows = NDArray[np.int64]

NAME: Final = "pipeline"
STEP: Final = 15
"""Days of a step of a project's age."""

AGES: Final = 72
"""Steps of age that are told apart."""

DONORS: Final = 64
"""Curves for each age."""

PARTS: Final = 65_536
"""What shares are whole parts of."""

_FINISHED: Final = 0.02  # of a contract; what remains below that says nothing of how the rest arrives
_VAGUE: Final = (0.0, 0.02, 0.05, 0.1, 0.25)  # shares of what remains a step, beside those of few donors


def fit(history: History) -> Fitted:
    """Fit curves to the recognised projects; a count, or projects without known contracts, give no block."""
    contracts = history.contracts
    known = contracts.contracted > 0
    remaining = contracts.contracted - contracts.arrived
    open_ = np.flatnonzero(known & (remaining > 0))
    if not known.any():
        return Fitted()
    steps, donors = _steps(history)
    shares = _shares(steps, np.cumsum(history.spans) / STEP)
    block = Curves(
        unit=contracts.unit[open_],
        project=tuple(history.projects[at] for at in contracts.project[open_].tolist()),
        remaining=remaining[open_],
        shares=shares,
        age=np.minimum(contracts.age[open_] // STEP, AGES - 1),
    )
    unknown = int((~known).sum())
    return Fitted((block,), _assumptions(len(open_), donors, shares, block.age, unknown), counts_known=True)


def _steps(history: History) -> tuple[Real, int]:
    """Return projects x ages: the share of what remained that arrived in each step, NaN where it is not known."""
    contracts = history.contracts
    projects = len(history.projects)
    contracted = np.bincount(contracts.project, np.maximum(contracts.contracted, 0), minlength=projects)
    oldest = np.full(projects, -1, dtype=np.int64)
    np.maximum.at(oldest, contracts.project, contracts.age)
    events = (history.earlier, history.events)
    project = np.concatenate([each.project for each in events])
    age = np.minimum(np.maximum(np.concatenate([each.age for each in events]), 0) // STEP, AGES - 1)
    amount = np.concatenate([each.amount for each in events]).astype(np.float64)
    of_project = project >= 0
    cells = project[of_project] * AGES + age[of_project]
    brought = np.bincount(cells, amount[of_project], minlength=projects * AGES).reshape(projects, AGES)
    donors = np.flatnonzero((contracted > 0) & (oldest >= STEP))
    brought, contracted = brought[donors], contracted[donors, None]
    left = np.maximum(contracted - np.cumsum(brought, axis=1) + brought, 0.0)
    seen = (np.arange(1, AGES + 1) * STEP <= oldest[donors, None]) & (left > _FINISHED * contracted)
    steps = np.where(seen, np.minimum(brought / np.maximum(left, 1.0), 1.0), np.nan)
    return steps, len(donors)


def _shares(steps: Real, reached: Real) -> Rows:
    """Return ages x donors x ticks: the share of what remains at an age that has arrived by each tick.

    `reached` is how many steps each tick is away.
    """
    vague = np.repeat(np.array(_VAGUE)[:, None], AGES, axis=1)
    telling = int((~np.isnan(steps)).any(axis=1).sum())
    steps = steps if telling >= LITTLE else np.concatenate([steps, vague])
    ahead = int(np.ceil(reached[-1])) + 1
    usable = ~np.isnan(steps)
    ages = _known_ages(usable)
    by_age = {int(at): np.flatnonzero(usable[:, at]) for at in np.unique(ages)}
    known = np.where(usable, steps, 0.0)
    found = np.empty((AGES, DONORS, len(reached)), dtype=np.int64)
    for age in range(AGES):
        left = np.ones((DONORS, ahead + 1))
        donor = np.full(DONORS, -1, dtype=np.int64)
        for step in range(ahead):
            at = int(ages[min(age + step, AGES - 1)])
            those = by_age[at]
            lost = (donor < 0) | ~usable[donor, at]
            # Spread evenly over all that are that old, a different one each time that one is lost.
            donor[lost] = those[(np.flatnonzero(lost) * len(those) // DONORS + step) % len(those)]
            left[:, step + 1] = left[:, step] * (1.0 - known[donor, at])
        whole = np.minimum(reached.astype(np.int64), ahead - 1)
        part = (reached - whole)[None, :]
        left_at = left[:, whole] * (1.0 - part) + left[:, whole + 1] * part
        found[age] = np.floor((1.0 - left_at) * PARTS + 0.5).astype(np.int64)
    return found


def _known_ages(usable: NDArray[np.bool_]) -> Rows:
    """Return for each age the nearest one below it at which some donor is known, or else the first of all."""
    there = usable.any(axis=0)
    before = np.maximum.accumulate(np.where(there, np.arange(AGES), -1))
    return np.where(before < 0, np.argmax(there), before)


def _assumptions(parts: int, donors: int, shares: Rows, age: Rows, unknown: int) -> list[Assumption]:
    by_end = float(shares[age, :, -1].mean()) / PARTS if parts else 0.0
    value = _("{share:.0%} by the last tick").format(share=by_end)
    basis = ngettext("the curve of {count} project", "the curves of {count} projects", donors).format(count=donors)
    found = [
        Assumption(
            NAME, _("what recognised projects have still to bring arrives"), "", value, basis, little=donors < LITTLE
        )
    ]
    if unknown:
        left_out = ngettext("{count} part is left out", "{count} parts are left out", unknown).format(count=unknown)
        found.append(Assumption(NAME, _("projects whose contract is not known"), "", left_out, "", little=True))
    return found
