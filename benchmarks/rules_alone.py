"""Scenario 2: the rules alone, without state or evidence: ours against Zen, one case and many at once.

Measured: from a dict (or, for many, a frame of ours and a list of dicts for Zen) with moments and indicators of one
tick to `when` of all eight rules and `until` of the five with a state. Parameters are equal for all units. Zen has no
batch that is faster than a loop, so it loops. Not measured: loading the policy on either side. Equal answers are
asserted for every case.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from benchmarks import ours, workspaces
from benchmarks.harness import DisagreementError, Target, compared, interleave
from benchmarks.peers import zen_peer
from benchmarks.year import CAMPAIGN_END, GROUPS, MID_YEAR, MONTHS, TOLERANCE, UNIFORM, YEAR_END, population

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.harness import Line, Size

OURS: Final = "kpi-rules"
LOADED: Final = "Zen, engine with loader"
CREATED: Final = "Zen, decision object"
ONE: Final = {LOADED: Target(1 / 1.5), CREATED: Target(1 / 1.5)}
MANY: Final = {LOADED: Target(50.0), CREATED: Target(50.0)}


def cases(count: int, seed: int = 7) -> list[dict[str, Any]]:
    """Return cases of all twelve month-ends in turn: moments and indicators as a caller of his own would have them."""
    people = population(count, seed)
    lags = [0] * count
    found = []
    for month in range(1, MONTHS + 1):
        for place in range(count):
            funds, quota = int(people.credited[month - 1][place]), int(people.quota[place])
            gap = (month * quota - MONTHS * funds) / (MONTHS * quota)
            lags[place] = lags[place] + 1 if gap > TOLERANCE else 0
            if place % MONTHS == month - 1:
                found.append(case(month, funds, quota, gap, lags[place], GROUPS[people.group[place]]))
    return found


def case(month: int, funds: int, quota: int, gap: float, lag: int, group: str) -> dict[str, Any]:
    """Return one case."""
    return {
        "group": group,
        "funds": funds,
        "funds_quota": quota,
        "completion": funds / quota,
        "pace_gap": gap,
        "lag": lag,
        "at_month_end": True,
        "at_mid_year": month == MID_YEAR,
        "at_quarter_end": month % 3 == 0,
        "at_campaign_end": month == CAMPAIGN_END,
        "at_review": False,
        "at_year_end": month == YEAR_END,
    }


def measure(size: Size) -> list[Line]:
    """Run the scenario."""
    many = cases(size.cases)
    frame = pl.DataFrame(many)
    loaded, created = zen_peer.Loaded(), zen_peer.Created()
    with tempfile.TemporaryDirectory() as folder:
        rules = ours.Rules(workspaces.policy(Path(folder), UNIFORM))
    same_answers(rules, loaded, many, frame)
    one = many[-1]
    loops = {OURS: size.single_loops * 5, LOADED: size.single_loops * 5, CREATED: size.single_loops}
    single = interleave(
        {OURS: lambda: rules.decide(one), LOADED: lambda: loaded.decide(one), CREATED: lambda: created.decide(one)},
        size.rounds,
        loops=loops,
    )
    batch = interleave(
        {
            OURS: lambda: rules.decide_all(frame),
            LOADED: lambda: [loaded.decide(case) for case in many],
            CREATED: lambda: [created.decide(case) for case in many],
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
    rows = rules.decide_all(frame).to_dicts()
    for given, row in zip(many, rows, strict=True):
        expected = {name.replace("__", "."): value for name, value in zen.decide(given).items()}
        for answer in (dict(rules.decide(given)), row):
            if {name: answer[name] for name in expected} != expected:
                raise DisagreementError(f"{given}: {answer} against Zen's {expected}")
