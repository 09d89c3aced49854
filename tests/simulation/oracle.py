"""What a simulation must say of a future: what is decided of the very same evidence, once it has come in."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from attrs import define
from hypothesis import strategies as st

from kpi_rules.simulation.traces import MONEY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from hypothesis.strategies import DrawFn
    from numpy.typing import NDArray

    import kpi_rules as kr
    from kpi_rules.model.calendar import Tick
    from kpi_rules.model.forecasts import Assumption
    from kpi_rules.simulation.past import Past
    from kpi_rules.simulation.traces import Traces
    from tests.reference.case import Arrival, Case, Visit

    Whole = NDArray[np.int64]

Said = dict[str, dict[tuple[str, ...], int]]
"""What is said of one draw, by what it is about: the day, unit, rule, and the number."""

RULES: tuple[dict[str, Any], ...] = (
    {
        "name": "last",
        "subject": "unit",
        "when": "at_month_end AND rank >= local.last_from AND group_size > 1",
        "until": "rank < local.last_from",
    },
    {
        "name": "wave",
        "subject": "staff",
        "when": "at_campaign_end AND campaign_completion < local.wave_below",
        "until": "completion >= 1 OR at_review AND rank = 1",
        "hold": {"share": "local.wave_share"},
    },
    {
        "name": "heads",
        "subject": "staff",
        "when": "at_quarter_end AND completion < local.wave_below",
        "until": "completion >= local.wave_below",
        "hold": {"share": "local.wave_share", "grades": ["head"]},
    },
    {
        "name": "winner",
        "subject": "unit",
        "when": "at_campaign_end AND campaign_rank = 1 AND campaign_funds >= 0",
        "amount": "campaign_funds // 10 + 7 * campaign_signed",
        "repeats": True,
    },
    {
        "name": "often",
        "subject": "head",
        "when": "behind >= 2",
        "until": "in_a_row = 0",
        "supersedes": ["local.last"],
    },
    {
        "name": "above",
        "subject": "unit",
        "when": "at_month_end AND completion > mean_of_group AND started >= 1",
        "until": "completion <= mean_of_group",
    },
    {
        "name": "idle",
        "subject": "head",
        "when": "at_month_end AND arrival_rate < 0.5 AND start_rate < 1",
        "until": "at_quarter_end",
        "repeats": True,
    },
    {"name": "sum", "subject": "unit", "when": "at_year_end AND brought > 0", "amount": "brought * 100"},
)
INDICATORS = (
    {"name": "behind", "kind": "count", "value": "pace_gap > 0.1", "counting": "total", "at": "month_end"},
    {"name": "in_a_row", "kind": "count", "value": "pace_gap > 0", "counting": "consecutive", "at": "month_end"},
    {"name": "brought", "kind": "count", "value": "started + 2", "counting": "total", "at": "quarter_end"},
    {"name": "mean_of_group", "kind": "ratio", "value": "completion", "within": "mean"},
)


@st.composite
def declared(draw: DrawFn, case: Case) -> dict[str, object]:
    """Draw rules without Python for a case: ranks, campaigns, counts, holds that overlap, parameters of all kinds."""
    groups = sorted({unit.group for unit in case.units if unit.group is not None})

    def entries(values: Sequence[object]) -> object:
        by_group = [{"value": draw(st.sampled_from(values)), "group": group} for group in groups]
        middle = case.start.replace(day=1) + (case.end - case.start) / 2
        return [
            {"value": draw(st.sampled_from(values))},
            *draw(st.sampled_from(([], by_group))),
            *draw(st.sampled_from(([], [{"value": draw(st.sampled_from(values)), "from": middle}]))),
        ]

    shares = [0.25, 0.5, 0.75, 1.0]
    parameters = [
        {"name": "last_from", "kind": "count", "value": entries([1, 2, 3])},
        {"name": "wave_below", "kind": "ratio", "value": entries(shares)},
        {"name": "wave_share", "kind": "ratio", "value": entries(shares)},
    ]
    chosen = draw(st.lists(st.sampled_from(RULES), unique_by=lambda rule: rule["name"], min_size=1))
    names = {rule["name"] for rule in chosen}
    rules = [
        {"kind": "notice", "reason": "", **rule}
        | ({"supersedes": []} if {*rule.get("supersedes", ())} - {f"local.{name}" for name in names} else {})
        for rule in chosen
    ]
    return {"parameter": parameters, "indicator": list(INDICATORS), "rule": rules}


@st.composite
def variants(draw: DrawFn, case: Case, as_of: date) -> Case:
    """Draw another future of a case: what happens after a day is worth more or less, later, or not at all."""
    factors = st.sampled_from((0, 1, 1, 2, 5))

    def arrival(row: Arrival) -> Arrival:
        return replace(row, amount=row.amount * draw(factors)) if row.arrived_on > as_of else row

    def visit(row: Visit) -> Visit:
        return replace(row, assessed_amount=row.assessed_amount * draw(factors)) if row.visited_on > as_of else row

    later = [row.arrived_on for row in case.arrivals if row.arrived_on > as_of]

    def maybe(day: date | None) -> date | None:
        return draw(st.sampled_from([day, *later, None])) if day is not None and day > as_of else day

    return replace(
        case,
        arrivals=tuple(map(arrival, case.arrivals)),
        visits=tuple(map(visit, case.visits)),
        projects=tuple(
            replace(
                row,
                recognised_on=maybe(row.recognised_on),
                started_on=maybe(row.started_on),
                producing_on=maybe(row.producing_on),
            )
            for row in case.projects
        ),
    )


@define(frozen=True, eq=False)
class Given:
    """Futures whose amounts are given: by number of the day and name, units x draws."""

    days: tuple[Mapping[str, Whole], ...]
    assumptions: tuple[Assumption, ...] = ()

    def chunk(self, low: int, high: int) -> GivenChunk:
        """Return some of the draws."""
        return GivenChunk(self.days, low, high)


@dataclass(frozen=True)
class GivenChunk:
    """Some draws of what is given."""

    days: tuple[Mapping[str, Whole], ...]
    low: int
    high: int

    def step(self, here: int, effort: Whole | None = None) -> dict[str, Whole]:
        """Return the whole numbers of a day; what units bring is given, whatever their effort."""
        del effort
        return {name: np.ascontiguousarray(each[:, self.low : self.high]) for name, each in self.days[here].items()}


def given_by(past: Past, futures: Sequence[kr.Assessment]) -> Given:
    """Return the futures in which the very evidence of some assessments comes in, one a draw."""
    names = {past.assessment.rulebook.terms.primary, *past.needed}

    def numbers(name: str, on: date) -> Whole:
        rows = [each.credited.units[name][each.credited.dates.index(on)][past.rows] for each in futures]
        return np.stack(rows, axis=1)

    known = futures[0].credited.units.keys()
    return Given(tuple({name: numbers(name, day.on) for name in names & known} for day in past.ticks))


def simulated(past: Past, traces: Traces, ticks: Sequence[Tick], draw: int) -> Said:
    """Return what the traces of a simulation say of one draw; what is 0 is left out."""
    units = past.units["unit"].to_list()
    found: Said = defaultdict(dict)
    for here, tick in enumerate(ticks):
        found["met"] |= {(str(tick.on), unit): int(traces.met(here)[row, draw]) for row, unit in enumerate(units)}
    for name in ("hit", "months"):
        for rule, each in getattr(traces, name).items():
            found[name] |= {(unit, rule): int(each[row, draw]) for row, unit in enumerate(units)}
    for kind in MONEY:
        found[kind] = {(unit,): int(traces.money[kind][row, draw]) for row, unit in enumerate(units)}
    return _counted(found)


def decided(future: kr.Assessment, as_of: date) -> Said:
    """Return what an assessment says of what happened after a day; what is 0 is left out."""
    found: Said = defaultdict(dict)
    days = [tick.on for tick in future.ticks if not tick.interim and tick.on > as_of]
    rows = future.units.filter(pl.col("tick").is_in(days)).select("tick", "unit", "completion").rows()
    found["met"] = {(str(tick), unit): int(share is not None and share >= 1) for tick, unit, share in rows}
    found["hit"], found["months"] = _lasting(future, as_of)
    ledger = future.ledger.filter(pl.col("reversed_on").is_null())
    released = pl.col("released_on").is_not_null()
    lines = {
        "withheld": ledger.filter(pl.col("month") > as_of),
        "released": ledger.filter(released & (pl.col("released_on") > as_of)),
        "outstanding": ledger.filter(~released),
    }
    found |= {kind: _sums(each, "withheld") for kind, each in lines.items()}
    issued = future.events.filter((pl.col("event") == "issued") & (pl.col("tick") > as_of))
    found["rewarded"] = _sums(issued.filter(pl.col("amount").is_not_null()), "amount")
    return _counted(found)


def _lasting(future: kr.Assessment, as_of: date) -> tuple[dict[tuple[str, ...], int], dict[tuple[str, ...], int]]:
    """Return who was hit after a day, and for how many months: those that a measure saw from before until their end."""
    month_ends = [tick.on for tick in future.ticks if tick.is_month_end and tick.on > as_of]
    hit: dict[tuple[str, ...], int] = {}
    months: dict[tuple[str, ...], int] = defaultdict(int)
    since: dict[tuple[str, ...], date] = {}

    def lasted(key: tuple[str, ...], last: date) -> None:
        hit[key] = 1
        months[key] += sum(since[key] < month <= last for month in month_ends)

    for row in future.events.sort("tick").rows(named=True):
        key: tuple[str, ...] = (row["unit"], row["rule"])
        tick, event = row["tick"], row["event"]
        if event == "started":
            since[key] = tick
        elif event == "issued":
            hit[key] = max(hit.get(key, 0), int(tick > as_of))
        else:
            # One that ends with its month does not withhold it any more; one that is superseded then still does.
            last = max((month for month in month_ends if month < tick), default=as_of) if event == "ended" else tick
            if tick > as_of:
                lasted(key, last)
            del since[key]
    for going_on in list(since):
        lasted(going_on, future.ticks[-1].on)
    return hit, months


def _sums(frame: pl.DataFrame, column: str) -> dict[tuple[str, ...], int]:
    return {(unit,): amount for unit, amount in frame.group_by("unit").agg(pl.col(column).sum()).rows()}


def _counted(said: Said) -> Said:
    return {name: {key: number for key, number in each.items() if number} for name, each in said.items()}
