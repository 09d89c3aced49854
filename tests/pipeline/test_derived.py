"""Indicators of plugins: sums over tables, peers, counts from tick to tick, and what they read of each other."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.model.calendar import MOMENTS
from kpi_rules.pipeline.decide import decide
from kpi_rules.pipeline.derived import Derived, rank_in_group
from tests.pipeline.making import codes, messages, workspace

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

MONTHS = [f"2011-{month:02}" for month in range(1, 13)]

CLAIMED = {
    "claims": """\
        project,unit,share
        J01,finance,0.5
        J01,books,0.25
        J02,water,1
        """
}


def policy(*indicators: str, rules: str = "") -> dict[str, str]:
    listed = "".join(f"        {each},\n" for each in indicators)
    return {"card.py": f"@hookimpl\ndef kpi_indicators():\n    return [\n{listed}    ]\n{rules}"}


def monthly(found: kr.Assessment, unit: str, name: str) -> list[Any]:
    rows = found.units.filter(pl.col("unit") == unit).sort("tick")
    return rows[name].to_list()


def test_a_sum_over_projects_follows_claims_and_rolls_up(tmp_path: Path) -> None:
    industry = 'Indicator("industry", "money", pl.when(pl.col("name") == "Mill").then(pl.col("credited"))'
    found = kr.assess(
        workspace(
            tmp_path,
            policies=policy(
                industry + '.otherwise(0), table="projects")',
                'Indicator("mills", "count", pl.col("name") == "Mill", table="projects")',
            ),
            tables=CLAIMED,
        )
    )
    last = {row["unit"]: row for row in found.units.filter(pl.col("tick") == date(2011, 12, 31)).to_dicts()}
    assert {unit: row["industry"] for unit, row in last.items()} == {
        "city": 22_500,
        "finance": 22_500,
        "books": 7_500,
        "water": 0,
    }
    assert {unit: row["mills"] for unit, row in last.items()} == {"city": 1, "finance": 1, "books": 1, "water": 0}
    assert monthly(found, "finance", "industry")[:3] == [0, 0, 22_500]


def test_a_sum_that_is_not_known_is_null_up_the_tree(tmp_path: Path) -> None:
    contracts = {
        "projects": "project,unit,recognised_on,contracted\nJ01,books,2011-01-04,\nJ02,water,2011-01-04,5.00\n"
    }
    found = kr.assess(
        workspace(
            tmp_path,
            policies=policy('Indicator("volume", "money", pl.col("contracted"), table="projects")'),
            tables=contracts,
        )
    )
    last = found.units.filter(pl.col("tick") == date(2011, 12, 31))
    volumes = dict(zip(last["unit"], last["volume"], strict=True))
    assert volumes == {"city": None, "finance": None, "books": None, "water": 500}


def test_vouchers_count_from_the_day_they_arrived(tmp_path: Path) -> None:
    found = kr.assess(
        workspace(
            tmp_path,
            policies=policy('Indicator("late", "count", pl.col("arrived_on").dt.month() > 6, table="arrivals")'),
        )
    )
    assert monthly(found, "water", "late") == [0] * 8 + [1] * 4
    assert monthly(found, "city", "late") == [0] * 8 + [1] * 4


def test_a_voucher_counts_once_for_the_unit_above_all_who_claim_it(tmp_path: Path) -> None:
    rows = "V1,J01,5.00,2011-02-01\nV2,J01,5.00,2011-02-01\nV3,J02,7.00,2011-02-01\n"
    found = kr.assess(
        workspace(
            tmp_path,
            policies=policy(
                'Indicator("vouchers_seen", "count", pl.col("amount") > 0, table="arrivals")',
                'Indicator("arrived", "money", pl.col("amount"), table="arrivals")',
            ),
            tables={**CLAIMED, "arrivals": f"voucher,project,amount,arrived_on\n{rows}"},
        )
    )
    last = found.units.filter(pl.col("tick") == date(2011, 12, 31))
    assert {row["unit"]: (row["vouchers_seen"], row["arrived"]) for row in last.to_dicts()} == {
        "city": (3, 1_700),
        "finance": (2, 1_000),  # and the section below it, which claims a part of the same project
        "books": (2, 1_000),
        "water": (1, 700),
    }


def test_results_of_earlier_years_make_a_window(tmp_path: Path) -> None:
    window = 'pl.when(pl.col("on").dt.year() >= pl.col("tick").dt.year() - 2).then(pl.col("amount")).otherwise(0)'
    found = workspace(
        tmp_path,
        policies=policy(f'Indicator("three_years", "money", {window}, table="results")'),
        tables={
            "results": "unit,indicator,amount,on\nbooks,funds,1.00,2008-12-31\nbooks,funds,2.00,2009-12-31\n"
            "books,funds,4.00,2011-03-31\n",
            "quotas": "unit,indicator,amount,effective\nfinance,three_years,8.00,2011-01-01\n",
        },
        toml="",
    )
    assert not found.errors
    assessed = kr.assess(found)
    assert monthly(assessed, "finance", "three_years") == [200, 200] + [600] * 10
    assert monthly(assessed, "finance", "three_years_completion") == [0.25, 0.25] + [0.75] * 10
    assert monthly(assessed, "books", "three_years_quota") == [None] * 12


def test_a_quota_line_says_what_else_is_asked(tmp_path: Path) -> None:
    found = workspace(
        tmp_path,
        tables={
            "quotas": "unit,indicator,amount,effective,stretch,deadline,quality,requirement,responsible\n"
            "water,funds,1000.00,2011-01-01,2400.00,2011-08-15,0.6,first phase,P04\n"
            "finance,funds,1000.00,2011-01-01,,,,,\n"
        },
    )
    assert not found.errors
    assessed = kr.assess(found)
    assert monthly(assessed, "water", "funds_stretch_completion") == [0, *[0.375] * 7, *[0.5] * 4]
    assert monthly(assessed, "water", "funds_overdue") == [*[False] * 7, True, *[False] * 4]
    assert monthly(assessed, "water", "funds_quality") == [0.6] * 12
    assert monthly(assessed, "finance", "funds_overdue") == [None] * 12
    assert (
        not [name for name in assessed.units.columns if name.startswith("signed_stretch")]
        or monthly(assessed, "water", "signed_stretch") == [None] * 12
    )


def test_without_fixings_their_columns_are_not_shown(tmp_path: Path) -> None:
    columns = kr.assess(workspace(tmp_path)).units.columns
    assert not [name for name in columns if name.endswith(("_stretch", "_overdue", "_quality", "_stretch_completion"))]


UNITS = {
    "units": "unit,name,group\na,A,g\nb,B,g\nc,C,g\nd,D,h\ne,E,\n",
    "quotas": "unit,indicator,amount,effective\n"
    + "".join(f"{unit},funds,1000.00,2011-01-01\n" for unit in ("a", "b", "d", "e")),
    "projects": "project,unit,recognised_on\n" + "".join(f"J{unit},{unit},2011-01-04\n" for unit in "abcde"),
    "arrivals": "voucher,project,amount,arrived_on\nV1,Ja,300.00,2011-03-10\nV2,Jb,900.00,2011-02-10\n"
    "V3,Jd,10.00,2011-01-10\nV4,Je,20.00,2011-01-10\n",
    "staff": "person,name,unit,grade,component\nP1,A,a,head,1.00\n",
}


def test_peers_are_compared_without_those_who_have_no_value(tmp_path: Path) -> None:
    columns = ("least", "most", "mean", "sum", "rank", "size")
    kinds = dict.fromkeys(columns, "ratio") | {"rank": "count", "size": "count"}
    found = kr.assess(
        workspace(
            tmp_path,
            policies=policy(
                *(f'Indicator("p_{c}", "{kinds[c]}", unit.completion, within="{c}")' for c in columns),
                'Indicator("spread", "ratio", (unit.completion - unit.p_least) / (unit.p_most - unit.p_least))',
            ),
            tables=UNITS,
        )
    )
    last = {row["unit"]: row for row in found.units.filter(pl.col("tick") == date(2011, 12, 31)).to_dicts()}
    assert [last["a"][f"p_{c}"] for c in columns] == [0.3, 0.9, pytest.approx(0.6), pytest.approx(1.2), 2, 2]
    assert [last["b"][f"p_{c}"] for c in columns][-2:] == [1, 2]
    assert [last["c"][f"p_{c}"] for c in columns] == [0.3, 0.9, pytest.approx(0.6), pytest.approx(1.2), None, 2]
    assert [last["d"][f"p_{c}"] for c in columns] == [0.01, 0.01, 0.01, 0.01, 1, 1]
    assert [last["e"][f"p_{c}"] for c in columns] == [None] * 6
    assert [last[unit]["spread"] for unit in "ab"] == [0.0, 1.0]


def test_counts_go_from_tick_to_tick(tmp_path: Path) -> None:
    low = 'unit.funds < 30_000, at=at.quarter_end, counting="'
    found = kr.assess(
        workspace(
            tmp_path,
            policies=policy(
                f'Indicator("in_a_row", "count", {low}consecutive")',
                f'Indicator("in_all", "count", {low}total")',
                'Indicator("twice", "flag", unit.in_all >= 2)',
                rules="""
@hookimpl
def kpi_policy_rules():
    when = at.half_year_end & (unit.in_a_row >= 2)
    return [Rule("card", "card", "unit", when=when, reason="{in_a_row} quarters in a row", repeats=True)]
""",
            ),
            tables={**UNITS, "arrivals": UNITS["arrivals"].replace("2011-03-10", "2011-08-10")},
        )
    )
    assert monthly(found, "a", "in_a_row") == [0, 0, 1, 1, 1, 2, 2, 2, 0, 0, 0, 0]
    assert monthly(found, "a", "in_all") == [0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2]
    assert monthly(found, "a", "twice") == [False] * 5 + [True] * 7
    assert monthly(found, "d", "in_a_row") == [0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4]
    issued = found.events.filter(pl.col("unit").is_in(["a", "d"])).select("unit", "tick").rows()
    assert sorted(issued) == [("a", date(2011, 6, 30)), ("d", date(2011, 6, 30)), ("d", date(2011, 12, 31))]
    first = found.measures.filter(pl.col("unit") == "d").sort("started")["reason"].to_list()
    assert first == ["2 quarters in a row", "4 quarters in a row"]


def test_a_run_over_a_population_counts_the_same(tmp_path: Path) -> None:
    rule = """
@hookimpl
def kpi_policy_rules():
    when = at.half_year_end & (unit.in_a_row >= 2)
    return [Rule("card", "card", "unit", when=when, reason="{in_a_row}", repeats=True)]
"""
    low = 'Indicator("in_a_row", "count", unit.funds < 30_000, at=at.quarter_end, counting="consecutive")'
    found = workspace(tmp_path, policies=policy(low, rules=rule), tables=UNITS)
    assessed = kr.assess(found)
    ticks = assessed.units["tick"].unique().sort()
    units = found.tables.units.select("unit", "group").with_columns(
        funds_quota=pl.Series([100_000, 100_000, None, 100_000, 100_000])
    )
    funds = {tick: assessed.units.filter(pl.col("tick") == tick)["funds"] for tick in ticks}
    outcome = kr.rulebook(found).run(units, funds)
    assert outcome.events.select("tick", "unit", "event").equals(assessed.events.select("tick", "unit", "event"))


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([True, False, None])), max_size=20))
def test_counts_are_those_of_a_plain_loop(ticks: list[tuple[bool, bool | None]]) -> None:
    made = {
        name: kr.Indicator(name, "count", pl.col("low"), counting=name, at=pl.col("at_review"))
        for name in ("consecutive", "total")
    }
    derived = Derived(made)
    before: dict[str, pl.Series] = {}
    run = total = 0
    for looks, low in ticks:
        frame = pl.DataFrame({"low": [low]}, schema={"low": pl.Boolean})
        moments = frozenset({"at_review"} if looks else set())
        found = derived.add(frame, list(made), moments, before)
        before = {name: found[name] for name in made}
        if looks:
            run, total = (run + 1, total + 1) if low is True else (0, total)
        assert (found["consecutive"][0], found["total"][0]) == (run, total)


def test_a_distance_moves_a_unit_among_its_peers(tmp_path: Path) -> None:
    rule = """
@hookimpl
def kpi_policy_rules():
    return [Rule("last", "list", "unit", when=at.year_end & (unit.place == 2), until=unit.completion >= 5, reason="")]
"""
    found = kr.assess(
        workspace(
            tmp_path,
            policies=policy('Indicator("place", "count", unit.completion, within="rank")', rules=rule),
            tables=UNITS,
        )
    )
    (explained,) = found.explain("a", "card.last").rules
    assert explained.distance is not None
    assert explained.distance.amount == 60_000


@pytest.mark.parametrize("low", ["unit.funds < 30_000", "unit.lag >= 2"])
def test_blocks_know_all_the_peers(tmp_path: Path, low: str) -> None:
    rules = """
@hookimpl
def kpi_policy_rules():
    low = unit.place > 1
    return [
        Rule("last", "list", "unit", when=at.quarter_end & low, until=unit.place == 1, reason=""),
        Rule("seldom", "list", "unit", when=at.year_end & (unit.rarely >= 1), until=unit.completion >= 5, reason=""),
    ]
"""
    made = policy(
        'Indicator("place", "count", unit.completion, within="rank")',
        f'Indicator("low", "count", pl.when({low}).then(1).otherwise(0).cast(pl.Int64))',
        'Indicator("rarely", "count", unit.low, within="most")',
        rules=rules,
    )
    whole = kr.assess(workspace(tmp_path, policies=made, tables=UNITS))

    def told(block: int) -> list[tuple[Any, ...]]:
        found = decide(whole.panel, whole.rulebook, outputs=["place", "rarely"], block=block, every_tick=False)
        return sorted((each.tick, each.rule, each.kind, row) for each in found.events for row in each.rows.tolist())

    assert told(2) == told(len(whole.panel.units))
    assert {rule for _tick, rule, _kind, _row in told(2)} >= {"card.last", "card.seldom"}


@pytest.mark.parametrize(
    ("indicator", "code", "part"),
    [
        ('Indicator("x", "ratio", unit.y * 1.0), Indicator("y", "ratio", unit.x * 1.0)', "indicator-circle", "x, y"),
        ('Indicator("x", "count", pl.col("nmae") == "a", table="projects")', "unknown-column", "nmae"),
        ('Indicator("x", "count", pl.col("name") == "a", table="project")', "unknown-table", "(nearest: projects)"),
        ('Indicator("x", "count", unit.completion < 1, counting="total", at=unit.lag > 3)', "unknown-column", "lag"),
        ('Indicator("x", "count", unit.funds, counting="consecutive", at=at.review)', "wrong-type", "funds"),
        ('Indicator("x", "ratio", unit.group, within="mean")', "wrong-type", "group"),
        ('Indicator("x", "ratio", unit.x + 1)', "indicator-circle", "reads itself: x"),
    ],
)
def test_a_broken_indicator_is_named(tmp_path: Path, indicator: str, code: str, part: str) -> None:
    found = workspace(tmp_path, policies=policy(indicator))
    assert codes(found) == [code]
    assert part in messages(found)[0]


@pytest.mark.parametrize(
    "given",
    [
        {"table": "projects", "within": "rank"},
        {"counting": "total"},
        {"at": pl.col("at_review")},
        {"kind": "ratio", "table": "projects"},
        {"kind": "money", "counting": "total", "at": pl.col("at_review")},
        {"within": "median"},
    ],
)
def test_what_cannot_go_together_is_the_authors_error(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="indicator"):
        kr.Indicator(**{"name": "x", "kind": "count", "value": pl.col("funds"), **given})


def test_a_sum_out_of_bounds_is_a_problem(tmp_path: Path) -> None:
    value = 'pl.col("amount") * 1_000_000_000'
    found = workspace(tmp_path, policies=policy(f'Indicator("x", "money", {value}, table="arrivals")'))
    with pytest.raises(kr.AssessmentError, match="indicator x: found"):
        kr.assess(found)


def test_moments_are_named_once() -> None:
    assert "at_half_year_end" in MOMENTS


PEERS_RATIOS = st.lists(
    st.one_of(st.none(), st.integers(0, 3000).map(lambda each: each / 700)), min_size=1, max_size=40
)


@given(PEERS_RATIOS, st.randoms(use_true_random=False))
def test_the_mean_and_the_sum_of_peers_are_exact_whatever_the_order(values: list[float | None], random: Random) -> None:
    made = {
        name: kr.Indicator(name, "ratio", pl.col("value"), within=name)  # both are
        for name in ("mean", "sum")
    }
    random.shuffle(values)
    frame = pl.DataFrame({"group": ["x"] * len(values), "value": pl.Series(values, dtype=pl.Float64)})
    found = Derived(made).add(frame, ["mean", "sum"], frozenset(), {})
    there = [Fraction(each) for each in values if each is not None]
    assert found["sum"][0] == (float(sum(there)) if there else None)
    assert found["mean"][0] == (float(sum(there) / len(there)) if there else None)


VALUES = st.sampled_from([-3.0, 0.0, 1.0, 2.0, 2.5, 1e-20, 1e300, float("inf"), None])


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), VALUES), min_size=1), st.booleans())
def test_a_rank_is_one_more_than_the_peers_above(rows: list[tuple[str | None, float | None]], whole: bool) -> None:  # noqa: FBT001 (drawn)
    if whole:
        rows = [(group, None if value is None else float(round(min(value, 9)))) for group, value in rows] * 9
    group, value = (
        pl.Series(column, dtype=dtype)
        for column, dtype in zip(zip(*rows, strict=True), (pl.String, pl.Float64), strict=True)
    )
    expected = [
        None if group is None or value is None else 1 + sum(g == group and v is not None and v > value for g, v in rows)
        for group, value in rows
    ]
    assert rank_in_group(group, value).to_list() == expected
