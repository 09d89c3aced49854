"""Scenario 2: the rules alone, on indicators of the caller's own: ours against Zen, one case and many at once.

Measured: from a dict (or, for many, a frame of ours and a list of dicts for Zen) with moments, indicators and what is
in force already, at one tick, to what happens: ended, started, superseded, issued with its amount. Parameters are
equal for all units. Zen has no batch that is faster than a loop, so it loops. Not measured: loading the policy on
either side. Equal answers are asserted for every case.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from benchmarks import ours, workspaces
from benchmarks.harness import DisagreementError, Target, compared, interleave
from benchmarks.peers import zen_peer
from benchmarks.year import CAMPAIGN_END, GROUPS, MID_YEAR, MONTHS, TOLERANCE, UNIFORM, YEAR_END, population

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.harness import Line, Size

RULES: Final = tuple(zen_peer.WHEN)
OURS: Final = "kpi-rules"
LOADED: Final = "Zen, engine with loader"
CREATED: Final = "Zen, decision object"
ONE: Final = {LOADED: Target(1 / 1.5), CREATED: Target(1 / 1.5)}
MANY: Final = {LOADED: Target(50.0), CREATED: Target(50.0)}


def cases(count: int, seed: int = 7) -> list[dict[str, Any]]:
    """Return cases of all twelve month-ends in turn: moments, indicators and what is in force, as a caller has them."""
    people = population(count, seed)
    rng = np.random.default_rng(seed)
    lags = [0] * count
    found = []
    for month in range(1, MONTHS + 1):
        for place in range(count):
            funds, quota = int(people.credited[month - 1][place]), int(people.quota[place])
            gap = (month * quota - MONTHS * funds) / (MONTHS * quota)
            lags[place] = lags[place] + 1 if gap > TOLERANCE else 0
            if place % MONTHS == month - 1:
                figures = {"funds": funds, "funds_quota": quota, "completion": funds / quota, "pace_gap": gap}
                state = {rule: bool(rng.random() < 0.3) for rule in RULES}
                group, lag = GROUPS[people.group[place]], lags[place]
                found.append({"group": group, **figures, "lag": lag, **moments(month), **state})
    return found


def moments(month: int) -> dict[str, bool]:
    """Return the moments of a month-end."""
    return {
        "at_month_end": True,
        "at_mid_year": month == MID_YEAR,
        "at_campaign_end": month == CAMPAIGN_END,
        "at_year_end": month == YEAR_END,
    }


def measure(size: Size) -> list[Line]:
    """Run the scenario."""
    many = cases(size.cases)
    frame = pl.DataFrame(many)
    loaded, created = zen_peer.Loaded(), zen_peer.Created()
    with tempfile.TemporaryDirectory() as folder:
        rules = ours.Rules(workspaces.policy(Path(folder), UNIFORM))
    theirs = [zen_peer.nested(case) for case in many]
    same_answers(rules, loaded, many, frame)
    one, their_one = many[-1], theirs[-1]
    loops = {OURS: size.single_loops * 5, LOADED: size.single_loops * 5, CREATED: size.single_loops}
    single = interleave(
        {
            OURS: lambda: rules.decide(one),
            LOADED: lambda: loaded.decide(their_one),
            CREATED: lambda: created.decide(their_one),
        },
        size.rounds,
        loops=loops,
    )
    batch = interleave(
        {
            OURS: lambda: rules.decide_all(frame),
            LOADED: lambda: [loaded.decide(case) for case in theirs],
            CREATED: lambda: [created.decide(case) for case in theirs],
        },
        size.rounds,
        loops={OURS: size.single_loops},
    )
    return [
        *compared("rules alone, one case", single, OURS, ONE),
        *compared(f"rules alone, {size.cases:,} cases", batch, OURS, MANY),
    ]


def same_answers(rules: ours.Rules, zen: zen_peer.Loaded, many: Sequence[dict[str, Any]], frame: pl.DataFrame) -> None:
    """Hold every answer of ours, case by case and at once, against Zen's.

    Raises:
        DisagreementError: naming the first case that differs.
    """
    at_once: dict[int, set[tuple[str, str, int | None]]] = {}
    for row, *event in rules.decide_all(frame).select("row", "rule", "event", "amount").iter_rows():
        at_once.setdefault(row, set()).add((event[0], event[1], event[2]))
    for place, case in enumerate(many):
        expected = zen_peer.events(zen.decide(zen_peer.nested(case)))
        alone = {(each["rule"], each["event"], each["amount"]) for each in rules.decide(case)}
        for answer in (alone, at_once.get(place, set())):
            if answer != expected:
                raise DisagreementError(f"{case}: {answer} against Zen's {expected}")
