"""From the history of confirmed against arrived to the shares that site visits confirm (M14).

At each past month-end a unit has credited a share of what had arrived and was not credited yet. Those shares, of all
units together, have a distribution; each unit has a mean for months that end a quarter, before which there are visits
for the reviews, and one for others, shrunk to its group and that to all; a unit's shares are drawn from the
distribution tilted exponentially to its mean (Efron 1981), and over half a month 1 - (1 - share)**(1/2).
"""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING, Final

import numpy as np

from kpi_rules.forecasts.credibility import LITTLE, Groups
from kpi_rules.locale import _, ngettext
from kpi_rules.model.forecasts import Assumption
from kpi_rules.simulation.confirming import PARTS, Confirming
from kpi_rules.simulation.keys import stream_keys
from kpi_rules.simulation.rounds import ENOUGH, LEVELS, in_rounds, rounds_of
from kpi_rules.simulation.tables import CELLS
from kpi_rules.simulation.visited import ends_quarter, visited

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kpi_rules.model.forecasts import History
    from kpi_rules.simulation.known import Known
    from kpi_rules.simulation.rounds import Rounds

    Real = NDArray[np.float64]
    Rows = NDArray[np.int64]

BINS: Final = 64
"""Shares, and means of shares, are told apart in as many steps."""

KINDS: Final = 2
"""Kinds of month: those that end no quarter, and those that do."""

_MONTH: Final = 30.4375
_QUARTERS: Final = 4  # lengths are rounded to whole quarters of a month
_WORTH: Final = 4.0  # months that a group's mean is worth beside a unit's own, and all beside a group's
_VAGUE: Final = 2.0  # months of which every share is alike, beside those seen
_STEEPEST: Final = 400.0
_ROUNDS: Final = 60  # halvings of the tilts between the steepest
_CLEARLY: Final = 1e-13  # means that differ by more than this do so however sums of 65 weights are rounded


def confirming(known: Known, history: History, seed: int) -> tuple[Confirming, list[Assumption]]:
    """Fit the shares to the past months of the units."""
    seen = visited(known, history)
    groups, units = Groups.make(history.group, len(history.groups)), len(history.units)
    start, ticks = known.config.year.start, known.past.ticks
    kinds = [int(ends_quarter(tick.on, start)) for tick in ticks]
    rounds = None
    telling = np.ones(len(seen.share), dtype=np.bool_)
    if in_rounds(seen):
        rounds = rounds_of(seen, groups, units, [tick.on for tick in ticks], kinds, seed)
        means = np.arange(LEVELS + 1) / LEVELS
        rows: Rows = np.zeros((1, units), dtype=np.int64)
        assumed = _of_rounds(rounds)
        # What a month without visits says of shares is said by the month: that there was no round.
        telling = (np.bincount(seen.month, seen.share) > 0)[seen.month]
        kinds = [0] * len(kinds)
    else:
        by_kind = _means(seen.unit, seen.kinds, seen.share, groups, units)
        steps, numbers = np.unique(np.rint(by_kind * BINS).astype(np.int64), return_inverse=True)
        means, rows = steps / BINS, numbers.reshape(by_kind.shape)
        assumed = _assumptions(by_kind, seen.kinds)
    lengths, length = np.unique(np.maximum(1, np.rint(history.spans / _MONTH * _QUARTERS)), return_inverse=True)
    base = np.bincount(np.rint(seen.share[telling] * BINS).astype(np.int64), minlength=BINS + 1) + _VAGUE / (BINS + 1)
    tables = _tilted(base.tolist(), means.tolist(), exactly=rounds is not None)
    confirmed = [_confirmed(each) for each in (lengths / _QUARTERS).tolist()]
    found = Confirming(
        shares=np.array([[_cells(table, each) for table in tables] for each in confirmed], np.int32),
        length=length,
        mean=rows,
        kind=np.array(kinds, dtype=np.int64),
        slot=np.array(
            [tick.on.year * 12 + tick.on.month if tick.is_month_end else tick.on.toordinal() for tick in ticks]
        ),
        monthly=np.array([tick.is_month_end for tick in ticks]),
        keys=(
            stream_keys(seed, "visits of a month", history.units),
            stream_keys(seed, "visits between", history.units),
        ),
        rounds=rounds,
    )
    return found, assumed


def _of_rounds(rounds: Rounds) -> list[Assumption]:
    """Say how much of what waits rounds confirm, and on how many months that rests."""
    found = []
    for kind, months in enumerate((_("other months"), _("months that end a quarter"))):
        number = len(rounds.seen[kind])
        seen = ngettext("{count} month", "{count} months", number).format(count=number)
        basis = _("{seen} and a made-up one: half no visits, half any share alike").format(seen=seen)
        what = _("visits come in rounds; of what waits, all units together, they confirm in {months}")
        value = _("{share:.0%} a month on average, drawn for all units at once").format(share=rounds.expected(kind))
        found.append(Assumption("visits", what.format(months=months), "", value, basis, little=number < ENOUGH))
    return found


def _assumptions(mean: Real, kind: Rows) -> list[Assumption]:
    """Say what visits confirm, in months that end a quarter and in others."""
    found = []
    for at, months in enumerate((_("other months"), _("months that end a quarter"))):
        number = int((kind == at).sum())
        basis = ngettext("{count} month of a unit", "{count} months of units", number).format(count=number)
        what = _("of what has arrived and is not credited yet, visits confirm in {months}").format(months=months)
        value = _("{share:.0%} a month").format(share=float(mean[at].mean()))
        found.append(Assumption("visits", what, "", value, basis, little=number < LITTLE))
    return found


def _means(unit: Rows, kind: Rows, share: Real, groups: Groups, units: int) -> Real:
    """Return kinds of month x units: the mean share."""
    overall = (float(share.sum()) + 0.5) / (len(share) + 1.0)
    found = []
    for each in range(KINDS):
        of_kind = kind == each
        number = np.bincount(unit[of_kind], minlength=units).astype(np.float64)
        total = np.bincount(unit[of_kind], share[of_kind], minlength=units).astype(np.float64)
        of_all = (float(total.sum()) + _WORTH * overall) / (float(number.sum()) + _WORTH)
        of_group = (groups.sums(total) + _WORTH * of_all) / (groups.sums(number) + _WORTH)
        found.append((total + _WORTH * of_group[groups.of]) / (number + _WORTH))
    return np.stack(found)


def _tilted(base: Sequence[float], means: Sequence[float], *, exactly: bool) -> list[list[float]]:
    """Return by mean weights of the shares 0, 1/64, ..., 1 that are the base's, tilted so that their mean is as given;
    where that is nothing or all, `exactly` that.
    """
    brackets = _brackets(np.array(base), np.array(means))
    return [
        [float(at == mean * BINS) for at in range(BINS + 1)]
        if exactly and mean in {0.0, 1.0}
        else _tilted_within(base, mean, *bracket)
        for mean, bracket in zip(means, brackets, strict=True)
    ]


def _brackets(base: Real, means: Real) -> list[tuple[float, float, int]]:
    """Return by mean between which tilts halving has come, and in how many rounds, for as long as rounding cannot have
    decided: NumPy's exponentials differ in the last place, and from machine to machine.
    """
    low, high = np.full(len(means), -_STEEPEST), np.full(len(means), _STEEPEST)
    clear, rounds = np.ones(len(means), dtype=np.bool_), np.zeros(len(means), dtype=np.int64)
    shares = np.arange(BINS + 1) / BINS
    for _round in range(_ROUNDS):
        tilt = (low + high) / 2
        weights = base * np.exp(tilt[:, None] * shares - np.maximum(tilt, 0.0)[:, None])
        above = (weights * shares).sum(axis=1) / weights.sum(axis=1) - means
        clear &= np.abs(above) > _CLEARLY
        if not clear.any():
            break
        rounds += clear
        low, high = np.where(clear & (above < 0), tilt, low), np.where(clear & (above > 0), tilt, high)
    return list(zip(low.tolist(), high.tolist(), rounds.tolist(), strict=True))


def _tilted_within(base: Sequence[float], mean: float, low: float, high: float, done: int) -> list[float]:
    """Return the weights tilted to a mean, the same on every machine, from where halving has come to."""
    weights = list(base)
    for _round in range(min(done, _ROUNDS - 1), _ROUNDS):
        tilt = (low + high) / 2
        most = max(tilt, 0.0)
        weights = [weight * exp(tilt * at / BINS - most) for at, weight in enumerate(base)]
        found = sum(weight * at for at, weight in enumerate(weights)) / BINS / sum(weights)
        low, high = (tilt, high) if found < mean else (low, tilt)
    return weights


def _confirmed(months: float) -> Rows:
    """Return in whole 65536ths what each share of a month confirms in a time of so many months."""
    return np.array([round((1.0 - (1.0 - at / BINS) ** months) * PARTS) for at in range(BINS + 1)], dtype=np.int64)


def _cells(weights: Sequence[float], confirmed: Rows) -> Rows:
    """Return shares in whole 65536ths, of equally likely cells; `confirmed` is by share of a month."""
    sums = np.cumsum([0.0, *weights])
    edges = np.floor(sums / sums[-1] * CELLS + 0.5).astype(np.int64)
    return np.repeat(confirmed, np.diff(edges))
