"""Sweep: each point is what an assessment says of evidence with that credit; jumps are real and none is missing."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kpi_rules as kr
from tests.simulation.sweeping import DEPOSITS, END, START, UNITS, town

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DAY = timedelta(days=1)
QUOTA = 200
MID, AUTUMN = date(2011, 6, 30), date(2011, 11, 8)
REVIEWS = [date(2011, 3, 31), MID, date(2011, 9, 20), AUTUMN, END]
NUMBERS = ("months", "withheld", "released", "outstanding", "rewarded", "forfeited")

RANKED = [
    {
        "name": "first",
        "kind": "prize",
        "subject": "unit",
        "when": "at_year_end AND rank = 1",
        "amount": "CASE WHEN completion >= 1.3 THEN 5000 WHEN completion >= 1.1 THEN 2000 ELSE 300 END",
        "reason": "first",
    },
    {
        "name": "odd",
        "kind": "talk",
        "subject": "head",
        "when": "at_month_end AND funds = 57",
        "reason": "57",
    },
    {
        "name": "band",
        "kind": "notice",
        "subject": "unit",
        "when": "(at_campaign_end OR at_review) AND completion BETWEEN 0.75 AND 0.76",
        "reason": "in the band",
    },
    {
        "name": "campaign",
        "kind": "notice",
        "subject": "unit",
        "when": "at_campaign_end AND campaign_completion < 0.5",
        "reason": "little in the campaign",
    },
]


def assessed(workspace: kr.Workspace, unit: str, on: date, until: date) -> dict[str, Any]:
    """Say by a plain assessment what a sweep says of a point."""
    found = kr.assess(workspace, until)
    events = found.events.filter(pl.col("unit") == unit)
    at = events.filter(pl.col("tick") <= on).sort("tick")
    measures: set[str] = set()
    for row in at.filter(pl.col("event") != "issued").sort("tick", pl.col("event") == "started").iter_rows(named=True):
        (measures.add if row["event"] == "started" else measures.discard)(row["rule"])
    measures |= set(at.filter(pl.col("event") == "issued", pl.col("tick") == on)["rule"])
    after = events.filter(pl.col("event").is_in(["started", "issued"]), pl.col("tick") > on)
    ledger = found.ledger.filter(pl.col("unit") == unit)
    here = ledger.filter(pl.col("month") >= on)
    deposits = found.deposits.filter(pl.col("unit") == unit)
    return {
        "measures": sorted(measures),
        "later": sorted(set(after["rule"]) - measures),
        "months": here["month"].n_unique(),
        "withheld": here["withheld"].sum(),
        "released": ledger.filter(pl.col("released_on") >= on)["withheld"].sum(),
        "outstanding": ledger.filter(pl.col("released_on").is_null())["withheld"].sum(),
        "rewarded": events.filter(pl.col("event") == "issued", pl.col("tick") >= on)["amount"].sum(),
        "forfeited": deposits.select(pl.col("forfeited") - pl.col("refunded")).to_series().sum(),
    }


def paths() -> st.SearchStrategy[dict[str, list[tuple[date, int]]]]:
    """Draw what each unit is credited, from each day of the year on."""
    days = st.integers(0, 360).map(lambda day: START + timedelta(day))
    path = st.lists(st.tuples(days, st.integers(0, 2 * QUOTA)), max_size=4, unique_by=lambda each: each[0])
    return st.fixed_dictionaries(dict.fromkeys(UNITS, path.map(sorted)))


def until_of(on: date) -> date:
    return END if on < END else date(2012, 1, 31)


def known_by(credits: Mapping[str, Sequence[tuple[date, int]]], day: date) -> dict[str, list[tuple[date, int]]]:  # noqa: A002 (the field's word)
    return {unit: [each for each in path if each[0] <= day] for unit, path in credits.items()}


@settings(max_examples=6)
@given(
    paths(), st.sampled_from(REVIEWS), st.integers(1, 100), st.booleans(), st.sampled_from([None, *DEPOSITS]), st.data()
)
def test_every_point_is_what_an_assessment_says(
    credits: dict[str, list[tuple[date, int]]],  # noqa: A002 (the field's word)
    on: date,
    before: int,
    ranked: bool,  # noqa: FBT001 (drawn)
    deposits: str | None,
    data: st.DataObject,
) -> None:
    as_of = max(on - timedelta(before), START)
    credits = known_by(credits, as_of)  # noqa: A001 (as above)
    quotas = {"a": QUOTA, "b": QUOTA + 30, "c": 170}
    rules = RANKED if ranked else []
    workspace = town(credits, quotas=quotas, rules=rules, deposits=deposits)
    sweep = kr.sweep(workspace, "a", on=on, as_of=as_of, steps=20)
    for row in data.draw(st.lists(st.sampled_from(sweep.profile.to_dicts()), min_size=3, max_size=3)):
        standing = {**credits, "a": [*credits["a"], (on, row["credited"])]}
        expected = assessed(town(standing, quotas=quotas, rules=rules, deposits=deposits), "a", on, until_of(on))
        assert {name: row[name] for name in expected} == expected
        assert row["completion"] == row["credited"] / QUOTA


@settings(max_examples=5)
@given(paths(), st.sampled_from(REVIEWS), st.integers(2, 12), st.booleans())
def test_jumps_are_all_the_jumps_of_a_scan_of_every_fen(
    credits: dict[str, list[tuple[date, int]]],  # noqa: A002 (the field's word)
    on: date,
    steps: int,
    ranked: bool,  # noqa: FBT001 (drawn)
) -> None:
    quota = 8 * QUOTA  # of which the search looks at every fourth fen
    scaled = {unit: [(day, 8 * fen) for day, fen in path] for unit, path in credits.items()}
    workspace = town(scaled, quotas={"a": quota, "b": quota + 30, "c": 1700}, rules=RANKED if ranked else [])
    sweep = kr.sweep(workspace, "a", on=on, steps=steps)
    whole = kr.sweep(workspace, "a", on=on, steps=quota * 3 // 2)
    assert whole.profile["credited"].to_list() == list(range(quota * 3 // 2 + 1))
    assert len(sweep.profile) < len(whole.profile) // 4
    rows = whole.profile.drop("credited", "completion").rows(named=True)
    expected = []
    for below, (one, other) in enumerate(pairwise(rows)):
        if any(one[name] != other[name] for name in one if name != "rewarded") or (
            abs(one["rewarded"] - other["rewarded"]) > 1
        ):
            expected.append(below)
    assert sweep.jumps["below"].to_list() == expected == whole.jumps["below"].to_list()
    assert (sweep.jumps["above"] - sweep.jumps["below"] == 1).all()


def test_narrow_steps_between_two_points_of_the_raster_are_found() -> None:
    workspace = town({}, quotas={"a": 10_000_000_000}, rules=RANKED)
    jumps = kr.sweep(workspace, "a", on=AUTUMN, steps=3).jumps
    below = set(jumps["below"].to_list())
    assert {56, 57} <= below  # exactly 57 fen
    assert {7_499_999_999, 7_600_000_000} <= below
    assert {10_999_999_999, 12_999_999_999} <= below  # tiers of the amount


def test_what_jumps_is_named_with_its_price() -> None:
    workspace = town({"a": [(START, 90)]}, quotas={"a": QUOTA})
    jump = kr.sweep(workspace, "a").jumps.filter(pl.col("above") == QUOTA).row(0, named=True)
    assert jump["lost"] == ["field_duty.off_post", "pay_withholding.all_staff"]
    # From July on the section's pay is held, and in January all staff's.
    held = 6 * (10_007 + 5_003) + (10_007 + 5_003 + 3_001)
    assert jump["outstanding"] == -held
    assert jump["per_yuan"] == held
    assert jump["completion_above"] == 1
    assert jump["months"] == -2


def test_a_perverse_stretch_says_from_where_to_where_and_in_what() -> None:
    rules = [
        {
            "name": "share",
            "kind": "bonus",
            "subject": "unit",
            "when": "at_year_end AND completion < 0.5",
            "amount": "share_of(1, funds)",
            "reason": "little by little",
        },
        {
            "name": "more",
            "kind": "prize",
            "subject": "unit",
            "when": "at_year_end AND completion >= 0.5",
            "amount": "share_of(0.5, funds)",
            "reason": "and then less",
        },
    ]
    config: dict[str, Any] = {"plugins": {"enabled": []}}
    workspace = town({}, quotas={"a": QUOTA}, rules=rules, config=config)
    perverse = kr.sweep(workspace, "a", steps=7).perverse
    fen = perverse.filter(aspect="fen").row(0, named=True)
    assert (fen["from"], fen["to"], fen["than"]) == (100, 197, 99)
    assert fen["cost"] == 99 - 50
    assert not fen["better_in"]
    assert perverse.filter(pl.col("aspect").is_in(["measures", "months"])).is_empty()


def test_a_milder_step_counts_for_nothing_beside_the_severer_one_that_replaces_it() -> None:
    duty: dict[str, Any] = {"kind": "duty", "subject": "head", "until": "completion >= 2", "reason": "duty"}
    rules = [
        {**duty, "name": "mild", "when": "at_year_end AND completion < 0.4"},
        {
            **duty,
            "name": "middle",
            "when": "at_year_end AND completion BETWEEN 0.6 AND 0.7",
            "supersedes": ["local.mild"],
        },
        {
            **duty,
            "name": "severe",
            "when": "at_year_end AND completion BETWEEN 0.2 AND 0.3",
            "supersedes": ["local.middle"],
        },
        {**duty, "name": "other", "when": "at_year_end AND completion BETWEEN 0.9 AND 1"},
    ]
    workspace = town({}, quotas={"a": QUOTA}, rules=rules, config={"plugins": {"enabled": []}})
    perverse = kr.sweep(workspace, "a", steps=9).perverse
    found = [(row["from"], row["to"], row["than"]) for row in perverse.iter_rows(named=True)]
    # Severe is worse than mild, which it supersedes by way of middle; middle and other are worse than nothing.
    assert found == [(40, 60, 39), (120, 140, 119), (180, 200, 179)]


@pytest.mark.parametrize("example", ["examples/hundred-days", "examples/worked-example"])
def test_shipped_rules_have_no_perverse_stretch(example: str) -> None:
    workspace = kr.load(example)
    units = workspace.tables.quotas["unit"]
    # Pricing: behind half of its task at the campaign's end the head is off post at once, else first stationed.
    for unit, on in [(units[0], MID), ("pricing" if "pricing" in units else units[1], AUTUMN), (units[2], END)]:
        if on != AUTUMN or "hundred" in example:
            assert kr.sweep(workspace, unit, on=on, steps=30).perverse.is_empty()


def test_by_default_it_is_the_next_review() -> None:
    workspace = town({}, quotas={"a": QUOTA})

    def asked(as_of: date) -> tuple[date, date]:
        sweep = kr.sweep(workspace, "a", as_of=as_of, steps=2)
        return sweep.on, sweep.until

    assert asked(date(2011, 4, 1)) == (MID, END)
    assert asked(MID) == (date(2011, 9, 20), END)
    assert asked(date(2011, 10, 1)) == (AUTUMN, END)
    assert asked(AUTUMN) == (END, date(2012, 1, 31))
    assert asked(END) == (date(2012, 1, 31), date(2012, 2, 29))
    assert kr.sweep(workspace, "a", steps=2).as_of == END - DAY


@pytest.mark.parametrize(
    ("asked", "code", "nearest", "expected"),
    [
        ({"unit": "bb"}, "unknown-unit", "b", "the id of a unit"),
        ({"unit": "c"}, "no-quota", None, "a unit with a quota on 2011-12-31"),
        ({"on": date(2011, 7, 4)}, "bad-date", None, "a tick after the last day known: one of 2011-01-31, "),
        ({"on": MID, "as_of": AUTUMN}, "bad-date", None, "one of 2011-11-30"),
        ({"on": AUTUMN, "until": MID}, "bad-date", None, "a day not before the review on 2011-11-08"),
        ({"low": 1, "high": 1}, "bad-number", None, "from 0 to 10"),
        ({"low": -1}, "bad-number", None, "from 0 to 10"),
        ({"high": "much"}, "bad-number", None, "from 0 to 10"),
        ({"steps": 0}, "bad-number", None, "a whole number from 1 to 10000"),
    ],
)
def test_what_cannot_be_asked_is_a_problem(
    asked: dict[str, Any], code: str, nearest: str | None, expected: str
) -> None:
    workspace = town({}, quotas={"a": QUOTA, "b": QUOTA})
    with pytest.raises(kr.AssessmentError) as caught:
        kr.sweep(workspace, **{"unit": "a", **asked})
    (problem,) = caught.value.problems
    assert (problem.code, problem.nearest) == (code, nearest)
    assert expected in problem.expected


def test_bounds_are_shares_of_the_quota() -> None:
    sweep = kr.sweep(town({}, quotas={"a": QUOTA}), "a", low=0.5, high=Decimal("0.6"), steps=4)
    assert sweep.profile["credited"].to_list() == [100, 105, 110, 115, 120]
    assert "'a' at 2011-12-31 until 2012-01-31: 0 jumps" in repr(sweep)
