"""The batch case that all contenders compute: one year of twelve month-ends with the eight rules of the worked example.

The year is that of `cases/worked-example` except that its campaign ends on 31 October, a month-end, so that a peer
that knows months only (OpenFisca) can take part: 12 ticks, mid-year at the sixth, the campaign's end at the tenth,
the year end at the twelfth. Rules, bounds, supersession, one-offs and amounts are those of `semantics.md`. Ranks are
read by no rule and computed by nobody. Every contender gets the same arrays and keeps the same things (`Outcome`).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import frozen

from benchmarks.harness import DisagreementError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MONTHS: Final = 12
MID_YEAR: Final = 6
CAMPAIGN_END: Final = 10
YEAR_END: Final = 12
TOLERANCE: Final = 0.10
TICKS: Final = tuple(
    date(2011, month, day) for month, day in enumerate((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), start=1)
)
GROUPS: Final = ("agriculture", "economic", "party", "social")

SECTION: Final = "pay_withholding.section"
ALL_STAFF: Final = "pay_withholding.all_staff"
STATION_HEAD: Final = "field_duty.station_head"
OFF_POST: Final = "field_duty.off_post"
LEAVE_POST: Final = "field_duty.leave_post"
TALK: Final = "supervision.talk"
COMMENDATION: Final = "rewards.commendation"
BONUS: Final = "rewards.bonus"
BULLETIN: Final = "supervision.bulletin"
VETO: Final = "supervision.veto"
PRIZE: Final = "scorecard.prize_best_three"
RED_LIST: Final = "scorecard.red_list_red"
PRIZES: Final = 3
STATEFUL: Final = (SECTION, ALL_STAFF, STATION_HEAD, OFF_POST, LEAVE_POST)

BONUS_SCALE: Final = 1_000
"""Bonus rates of this case are whole thousandths, so that amounts are integer arithmetic for everybody."""


@frozen
class Entry:
    """One value of a parameter, as in `kpi.toml`: for a peer group or all, from a month (1 to 12, inclusive) on."""

    value: str
    month: int = 1
    group: str | None = None


Terms = dict[str, tuple[Entry, ...]]
"""The entries of every parameter by full name."""

UNIFORM: Final[Terms] = {
    "pay_withholding.section_below": (Entry("0.5"),),
    "field_duty.station_gap": (Entry("0.25"),),
    "field_duty.off_post_below": (Entry("0.5"),),
    "field_duty.off_post_at_year_end": (Entry("1.0"),),
    "field_duty.leave_post_below": (Entry("0.3"),),
    "supervision.talk_after": (Entry("3"),),
    "rewards.outstanding": (Entry("1.2"),),
    "rewards.bonus_rate": (Entry("0.001"),),
}
"""The parameters of the worked example: equal for all units all year."""

PER_GROUP: Final[Terms] = {
    "pay_withholding.section_below": (Entry("0.5"), Entry("0.4", group="party")),
    "field_duty.station_gap": (Entry("0.25"), Entry("0.3", group="social"), Entry("0.2", 7)),
    "field_duty.off_post_below": (Entry("0.5"), Entry("0.4", 7), Entry("0.6", 7, "economic")),
    "field_duty.off_post_at_year_end": (Entry("1.0"), Entry("0.9", group="agriculture")),
    "field_duty.leave_post_below": (Entry("0.3"), Entry("0.2", group="party")),
    "supervision.talk_after": (Entry("3"), Entry("4", group="economic")),
    "rewards.outstanding": (Entry("1.2"), Entry("1.25", group="social")),
    "rewards.bonus_rate": (Entry("0.001"), Entry("0.002", group="agriculture")),
}
"""Every parameter differs by peer group, two of them also change on 1 July."""


def values_at(terms: Terms, name: str, month: int) -> tuple[str, ...]:
    """Return a parameter's value for each of `GROUPS` at a month-end: the group's own entry first, then the latest."""
    found = []
    for group in GROUPS:
        entries = [e for e in terms[name] if e.month <= month and e.group in (None, group)]
        found.append(max(entries, key=lambda e: (e.group is not None, e.month)).value)
    return tuple(found)


def number(value: str) -> float:
    """Return a parameter's value as a number: an int where it is written as one (counts), else a float (ratios)."""
    return float(value) if "." in value else int(value)


@frozen(eq=False)
class Population:
    """The inputs: quotas, credited amounts (cumulative, one array per month-end), both in fen, and places in `GROUPS`.

    Every unit has a quota: the null of "no target" has no counterpart in the peers' arrays.
    """

    quota: NDArray[np.int64]
    group: NDArray[np.uint8]
    credited: tuple[NDArray[np.int64], ...]

    def __len__(self) -> int:
        return len(self.quota)


def population(units: int, seed: int = 2011) -> Population:
    """Make units whose year is plausible: uneven months, exact hits of the bounds, and now and then credit withdrawn.

    Quotas are whole yuan from 100万 to 5000万; the completion at the year end spreads around 100%. One unit-month in a
    hundred loses part of its credit, so that holds end and rules start again.
    """
    rng = np.random.default_rng(seed)
    quota = rng.integers(10_000, 500_000, units, dtype=np.int64) * 10_000
    group = rng.integers(0, len(GROUPS), units, dtype=np.uint8)
    level = rng.gamma(8.0, 1 / 8.0 / MONTHS, units)
    exact = rng.random(units) < 0.02
    done = np.zeros(units)
    credited = []
    for _month in range(MONTHS):
        done += level * rng.gamma(0.7, 1 / 0.7, units)
        done[rng.random(units) < 0.01] *= 0.8
        np.minimum(done, 5.0, out=done)
        amounts = (done * quota).astype(np.int64)
        amounts[exact] = quota[exact] // 20 * np.round(done[exact] * 20).astype(np.int64)
        credited.append(amounts)
    return Population(quota, group, tuple(credited))


Key = tuple[int, str, str]
"""Month (1 to 12), rule id and what happened: `started`, `ended`, `superseded`, `issued`, `withheld` or `released`."""


@frozen(eq=False)
class Outcome:
    """What everybody keeps of a batch.

    Attributes:
        events: the places of the units of every event, and of every month withheld (`withheld`) and every release of
            all that is still held (`released`) under `SECTION`; nothing can be withheld under `ALL_STAFF` within the
            year, as it starts at its end. Keys without units may be absent.
        bonus: fen of each bonus, in the order of its event's units.
        held: of the last tick, whether something withheld under `SECTION` is not yet released.
        completion, pace_gap, lag: of the last tick.
        active: of the last tick, by rule with a state.
    """

    events: Mapping[Key, NDArray[np.int64] | NDArray[np.uint32]]
    bonus: NDArray[np.int64]
    held: NDArray[np.bool_]
    completion: NDArray[np.float64]
    pace_gap: NDArray[np.float64]
    lag: NDArray[np.uint8]
    active: Mapping[str, NDArray[np.bool_]]


_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


def checksum(places: NDArray[np.int64] | NDArray[np.uint32]) -> int:
    """Return a checksum of places that does not depend on their order."""
    mixed = places.astype(np.uint64) * _MIX
    mixed ^= mixed >> np.uint64(29)
    return int((mixed * _MIX).sum(dtype=np.uint64))


def digest(outcome: Outcome) -> dict[str, object]:
    """Return what two outcomes must have in common: counts and checksums of events, and totals of the rest."""
    found: dict[str, object] = {
        f"{month:02} {rule} {event}": (len(places), checksum(places))
        for (month, rule, event), places in sorted(outcome.events.items())
        if len(places)
    }
    found["bonus"] = int(outcome.bonus.sum())
    found["held"] = checksum(np.flatnonzero(outcome.held))
    for name in ("completion", "pace_gap"):
        found[name] = checksum(np.ascontiguousarray(getattr(outcome, name)).view(np.int64))
    found["lag"] = int(outcome.lag.sum(dtype=np.int64))
    for rule in STATEFUL:
        found[f"active {rule}"] = checksum(np.flatnonzero(outcome.active[rule]))
    return found


def agree(name: str, found: Outcome, reference: str, expected: Outcome) -> None:
    """Hold one contender's outcome against another's.

    Raises:
        DisagreementError: naming every figure that differs.
    """
    ours, theirs = digest(found), digest(expected)
    differing = [key for key in sorted(ours.keys() | theirs.keys()) if ours.get(key) != theirs.get(key)]
    if differing:
        listed = "; ".join(f"{key}: {ours.get(key)} against {theirs.get(key)}" for key in differing[:10])
        raise DisagreementError(f"{name} differs from {reference} in {len(differing)} figures: {listed}")
