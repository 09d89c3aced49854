"""Deposits: the balance, the order of effects, reversals, and what is kept from pay. All exact."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import starmap
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.model.calendar import Tick, Year
from kpi_rules.model.calendar import ticks as ticks_of
from kpi_rules.model.settings import Parameters
from kpi_rules.pipeline.decided import Decided, Happening
from kpi_rules.pipeline.decisions import Rulings
from kpi_rules.pipeline.deposits import DEPOSITS, Deposited, Desk, keep
from kpi_rules.pipeline.pay import ENTRIES, LINES, Payroll
from kpi_rules.workspace.schemas import SCHEMAS
from tests.pipeline.making import workspace
from tests.reference.deposits import Account, Act, Effective, settle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from random import Random

YEAR = Year(date(2012, 1, 1), date(2012, 12, 31))
TICKS = tuple(ticks_of(YEAR, (), date(2013, 2, 28)))
UNITS = ("east", "north", "west")
ROLES = ("head", "middle", None)
BY_ROLE = {"head": 1500, "middle": 1000}
HELD = pl.col("held")

ACTS: dict[str, list[tuple[Any, Any]]] = {
    "forfeit": [
        (kr.Forfeit(), None),
        (kr.Forfeit(pl.lit(700, pl.Int64)), lambda _a: 700),
        (kr.Forfeit(HELD // 3), lambda a: a.held // 3),
        (kr.Forfeit(pl.col("amount") - 2000), lambda a: a.paid - 2000),
        (
            kr.Forfeit(pl.when(pl.col("role") == "head").then(1500).when(pl.col("role") == "middle").then(1000)),
            lambda a: BY_ROLE.get(a.role or ""),
        ),
    ],
    "refund": [
        (kr.Refund(), None),
        (kr.Refund(pl.lit(500, pl.Int64)), lambda _a: 500),
        (kr.Refund(pl.col("forfeited") // 2), lambda a: a.lost // 2),
    ],
    "return": [(kr.Return(), None), (kr.Return(HELD // 4), lambda a: a.held // 4)],
}


def desk(
    deposits: Sequence[tuple[Any, ...]],
    rules: Mapping[str, Sequence[Any]],
    measures: Sequence[tuple[int, str, str]],
    undone: Sequence[tuple[int, tuple[int, str, str]]],
    *,
    units: Sequence[str] = UNITS,
    ticks: tuple[Tick, ...] = TICKS,
) -> Desk:
    """Return a desk at which measures `(tick, rule, unit)` take effect and some of them are reversed at a tick."""
    row = {unit: np.array([place]) for place, unit in enumerate(units)}
    when = pl.lit(value=True)
    made = {
        f"p.{name}": kr.Rule(name, kind="x", subject="unit", when=when, reason="", deposit=effects)
        for name, effects in rules.items()
    }
    given = [
        Happening(tick, f"p.{rule}", "issued", row[unit].astype(np.uint32), np.array([tick], dtype=np.int16))
        for tick, rule, unit in measures
    ]
    by_tick: dict[int, dict[tuple[str, str], list[tuple[int, int]]]] = {}
    for at, (tick, rule, unit) in undone:
        for kind in ("lifted", "reversed"):
            by_tick.setdefault(at, {}).setdefault((kind, f"p.{rule}"), []).append((int(row[unit][0]), tick))
    rulings = Rulings(
        {
            at: {key: tuple(np.array(each) for each in zip(*pairs, strict=True)) for key, pairs in found.items()}  # type: ignore[misc]  # rows and ticks
            for at, found in by_tick.items()
        }
    )
    schema = dict(list(SCHEMAS["deposits"].empty().schema.items())[:7])
    table = pl.DataFrame([(place, *each) for place, each in enumerate(deposits)], schema=schema, orient="row")
    payroll = Payroll(
        staff=SCHEMAS["staff"].empty().with_columns(group=pl.lit(None, pl.String)),
        withheld=SCHEMAS["withheld"].empty(),
        guards={},
        parameters=Parameters(),
        component="pay",
        year=2012,
        groups=pl.DataFrame(
            {"unit": units, "group": [None] * len(units)}, schema={"unit": pl.String, "group": pl.String}
        ),
        subtree=pl.DataFrame({"unit": units, "above": units}),
        deposits=table,
    )
    lines = pl.DataFrame(schema=LINES)
    return Desk(Decided(events=given), ticks, pl.Series(units), made, payroll, lines, rulings, YEAR.end)


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    """Draw deposits, rules with effects, measures of them, and reversals of some."""
    days = st.integers(-40, 420).map(lambda day: YEAR.start + timedelta(days=day))
    deposit = st.tuples(
        st.sampled_from(("P1", "P2", "P3")), st.sampled_from(UNITS), st.sampled_from(ROLES), st.integers(0, 6000), days
    )
    deposits = [(f"D{place}", *each) for place, each in enumerate(draw(st.lists(deposit, max_size=6)))]
    act = st.sampled_from(sorted(ACTS)).flatmap(
        lambda does: st.tuples(st.just(does), st.integers(0, len(ACTS[does]) - 1))
    )
    rules = draw(
        st.dictionaries(st.sampled_from("abcd"), st.lists(act, min_size=1, max_size=3), min_size=1, max_size=4)
    )
    one = st.tuples(st.integers(0, len(TICKS) - 1), st.sampled_from(sorted(rules)), st.sampled_from(UNITS))
    measures = draw(st.lists(one, max_size=12, unique=True))
    reversed_ = [measure for measure in measures if draw(st.booleans())]
    undone = [(draw(st.integers(measure[0] + 1, len(TICKS))), measure) for measure in reversed_]
    return {
        "deposits": deposits,
        "rules": rules,
        "measures": measures,
        "undone": [each for each in undone if each[0] < len(TICKS)],
    }


def kept(history: dict[str, Any]) -> Deposited:
    rules = {name: [ACTS[does][which][0] for does, which in acts] for name, acts in history["rules"].items()}
    return keep(desk(history["deposits"], rules, history["measures"], history["undone"]))


def rows(found: Deposited) -> list[tuple[Any, ...]]:
    columns = ("on", "entry", "measure", "person", "unit", "amount")
    return sorted(found.entries.select(*columns).rows(), key=lambda row: tuple(map(str, row)))


@given(histories())
def test_the_same_as_one_deposit_at_a_time(history: dict[str, Any]) -> None:
    def effective(on: int, rule: str, unit: str, since: int) -> Effective:
        measure = f"2012/p.{rule}/{unit}/{TICKS[since].on.isoformat()}"
        return Effective(TICKS[on].on, rule, unit, measure)

    accounts = list(
        starmap(
            Account,
            (
                (name, who, unit, role, on, fen)
                for name, who, unit, role, fen, on in history["deposits"]
                if on <= TICKS[-1].on
            ),
        )
    )
    rules = {name: [Act(does, ACTS[does][which][1]) for does, which in acts] for name, acts in history["rules"].items()}
    entries = settle(
        accounts,
        [tick.on for tick in TICKS],
        rules,
        [effective(tick, rule, unit, tick) for tick, rule, unit in history["measures"]],
        sorted(
            (effective(at, rule, unit, tick) for at, (tick, rule, unit) in history["undone"]), key=lambda e: e.measure
        ),
    )
    found = kept(history)
    assert rows(found) == entries
    columns = ("deposit", "paid", "forfeited", "refunded", "returned", "held")
    assert found.lines.select(columns).rows() == sorted(
        (each.deposit, each.paid, each.forfeited, each.refunded, each.returned, each.held) for each in accounts
    )


@given(histories())
def test_the_balance_holds_to_the_fen(history: dict[str, Any]) -> None:
    found = kept(history)
    lines = found.lines
    assert dict(lines.schema) == DEPOSITS
    assert dict(found.entries.schema) == ENTRIES
    balance = pl.col("forfeited") - pl.col("refunded") + pl.col("returned") + pl.col("held")
    assert lines.filter(pl.col("paid") != balance).is_empty()
    sums = ("paid", "forfeited", "refunded", "returned", "held")
    assert lines.filter(pl.min_horizontal(*sums) < 0).is_empty()
    assert lines.filter(pl.col("refunded") > pl.col("forfeited")).is_empty()
    assert lines.filter(pl.col("forfeited") - pl.col("refunded") > pl.col("paid")).is_empty()
    of_entries = dict(found.entries.group_by("entry").agg(pl.col("amount").sum()).rows())
    assert all(of_entries.get(name, 0) == lines[name].sum() for name in sums[:-1])
    assert (found.entries["amount"] > 0).all()
    running = found.entries.with_columns(
        sign=pl.col("entry").replace_strict({"paid": 1, "refunded": 1, "forfeited": -1, "returned": -1})
    )
    by_day = running.group_by("unit", "on").agg(change=(pl.col("amount") * pl.col("sign")).sum()).sort("on")
    assert by_day.with_columns(left=pl.col("change").cum_sum().over("unit")).filter(pl.col("left") < 0).is_empty()


@given(histories(), st.randoms(use_true_random=False))
def test_order_never_matters(history: dict[str, Any], random: Random) -> None:
    shuffled = {name: list(each) for name, each in history.items() if name != "rules"}
    for each in shuffled.values():
        random.shuffle(each)
    names = list(history["rules"])
    random.shuffle(names)
    shuffled_rules = {name: history["rules"][name] for name in names}
    units = list(UNITS)
    random.shuffle(units)
    rules = {name: [ACTS[does][which][0] for does, which in acts] for name, acts in shuffled_rules.items()}
    other = keep(desk(shuffled["deposits"], rules, shuffled["measures"], shuffled["undone"], units=units))
    found = kept(history)
    assert rows(other) == rows(found)
    assert other.lines.equals(found.lines)
    assert other.entries.drop("measure").equals(found.entries.drop("measure"))


def test_what_is_forfeited_at_the_tick_that_refunds_is_refunded() -> None:
    rules: dict[str, list[Any]] = {"z": [kr.Forfeit(pl.lit(1000, pl.Int64))], "a": [kr.Return(), kr.Refund()]}
    deposits = [("D1", "P1", "east", "middle", 4000, date(2012, 1, 5))]
    found = keep(desk(deposits, rules, [(11, "a", "east"), (11, "z", "east")], []))
    assert found.lines.select("paid", "forfeited", "refunded", "returned", "held").row(0) == (4000, 1000, 1000, 4000, 0)


def test_a_deposit_paid_after_the_measure_is_not_touched_by_it() -> None:
    deposits = [("D1", "P1", "east", None, 4000, date(2012, 4, 1)), ("D2", "P1", "east", None, 1, date(2014, 1, 1))]
    found = keep(desk(deposits, {"a": [kr.Forfeit()]}, [(2, "a", "east")], []))
    assert found.lines.select("deposit", "held").rows() == [("D1", 4000)]


def test_reversing_gives_back_what_that_measure_forfeited_and_no_more() -> None:
    rules: dict[str, list[Any]] = {"a": [kr.Forfeit(pl.lit(1000, pl.Int64))], "b": [kr.Return()]}
    deposits = [("D1", "P1", "east", None, 4000, date(2012, 1, 5))]
    measures = [(2, "a", "east"), (5, "a", "east"), (11, "b", "east")]
    found = keep(desk(deposits, rules, measures, [(8, measures[0]), (12, measures[1])]))
    assert rows(found) == [
        (date(2012, 1, 5), "paid", None, "P1", "east", 4000),
        (date(2012, 3, 31), "forfeited", "2012/p.a/east/2012-03-31", "P1", "east", 1000),
        (date(2012, 6, 30), "forfeited", "2012/p.a/east/2012-06-30", "P1", "east", 1000),
        (date(2012, 9, 30), "refunded", "2012/p.a/east/2012-03-31", "P1", "east", 1000),
        (date(2012, 12, 31), "returned", "2012/p.b/east/2012-12-31", "P1", "east", 3000),
        (date(2013, 1, 31), "refunded", "2012/p.a/east/2012-06-30", "P1", "east", 1000),
        (date(2013, 1, 31), "returned", "2012/p.a/east/2012-06-30", "P1", "east", 1000),
    ]


def test_without_deposits_and_rules_about_them_there_is_nothing() -> None:
    found = keep(desk([], {}, [], []))
    assert found.lines.is_empty()
    assert found.entries.is_empty()
    assert dict(found.lines.schema) == DEPOSITS


def test_a_rule_that_collects_of_two_kinds_of_pay_keeps_one_deposit(tmp_path: Path) -> None:
    policy = """
        @hookimpl
        def kpi_policy_rules():
            both = (Collect(pl.lit(1000, pl.Int64)), Collect(pl.lit(500, pl.Int64), base="component"))
            until = unit.completion >= 1
            when = at.month_end & (unit.completion < 1)
            return [Rule("kept", "deposit", "staff", when, "", until=until, deposit=both)]
        """
    found = kr.assess(workspace(tmp_path, policies={"kept.py": policy}))
    own = found.deposits.filter(pl.col("person") == "P01")
    entries = found.entries.filter(pl.col("person") == "P01", pl.col("entry") == "paid")
    assert own["paid"].to_list() == [12 * 1500]
    assert entries["amount"].sum() == 12 * 1500


def test_an_amount_divides_to_the_nearest_ratio() -> None:
    part = (HELD / 49).floor().cast(pl.Int64)
    deposits = [("D1", "P1", "east", None, 49, date(2012, 1, 5))]
    found = keep(desk(deposits, {"part": [kr.Forfeit(part)]}, [(2, "part", "east")], []))
    assert found.lines["forfeited"].to_list() == [1]
