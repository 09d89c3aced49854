"""A quota split over the units below: nothing is lost, and no order matters."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.model.money import LIMIT
from kpi_rules.workspace.split import apportion

if TYPE_CHECKING:
    from collections.abc import Mapping

JANUARY, JULY = date(2011, 1, 1), date(2011, 7, 1)
NAMES = st.text("abcde中", min_size=1, max_size=2)
WEIGHTS = st.dictionaries(NAMES, st.decimals(0, 1000, places=3), min_size=1).filter(lambda each: any(each.values()))
AMOUNTS = st.integers(0, LIMIT)


@given(AMOUNTS, WEIGHTS)
def test_the_parts_add_up(amount: int, weights: Mapping[str, Decimal]) -> None:
    parts = apportion(amount, weights)
    assert sum(parts.values()) == amount
    assert parts.keys() == weights.keys()


@given(AMOUNTS, WEIGHTS)
def test_each_part_is_its_share_to_less_than_one(amount: int, weights: Mapping[str, Decimal]) -> None:
    total = sum(map(Fraction, weights.values()))
    for unit, part in apportion(amount, weights).items():
        assert abs(part - amount * Fraction(weights[unit]) / total) < 1


@given(AMOUNTS, WEIGHTS, st.randoms(use_true_random=False))
def test_the_order_of_units_never_matters(amount: int, weights: Mapping[str, Decimal], random: Any) -> None:  # noqa: ANN401 (Hypothesis's own)
    units = list(weights)
    random.shuffle(units)
    assert apportion(amount, {unit: weights[unit] for unit in units}) == apportion(amount, weights)


@given(AMOUNTS, WEIGHTS, st.fractions(Fraction(1, 1000), 1000))
def test_only_the_proportion_of_weights_matters(amount: int, weights: Mapping[str, Decimal], factor: Fraction) -> None:
    scaled = {unit: Fraction(weight) * factor for unit, weight in weights.items()}
    assert apportion(amount, scaled) == apportion(amount, weights)


@given(AMOUNTS, WEIGHTS)
def test_more_weight_never_gives_less_than_a_lighter_unit_has(amount: int, weights: Mapping[str, Decimal]) -> None:
    parts = apportion(amount, weights)
    ranked = sorted(weights, key=lambda unit: weights[unit])
    for lighter, heavier in pairwise(ranked):
        assert parts[lighter] <= parts[heavier] + (weights[lighter] == weights[heavier])


def test_ties_go_by_code_points() -> None:
    assert apportion(5, {"b": 1, "中": 1, "a": 1}) == {"b": 2, "中": 1, "a": 2}


@pytest.mark.parametrize("weights", [{}, {"a": 0}, {"a": 1, "b": -1}])
def test_weights_must_weigh(weights: Mapping[str, int]) -> None:
    with pytest.raises(ValueError, match="weights are 0 or more, and at least one is above 0"):
        apportion(1, weights)


def workspace(quotas: Mapping[str, list[Any]], **more: pl.DataFrame) -> kr.Workspace:
    """Make a city with three departments, one of which has a section."""
    units = {
        "unit": ["city", "c", "a", "b", "section"],
        "name": ["City", "C", "A", "B", "Section"],
        "parent": [None, "city", "city", "city", "a"],
        "head": [None, "P3", "P1", "P2", None],
    }
    year = {"start": JANUARY, "end": date(2011, 12, 31)}
    found = kr.Workspace(
        {"year": year, "credit": {"unvisited": "vouchers"}},
        {"units": pl.DataFrame(units), "quotas": pl.DataFrame(quotas), **more},
    )
    assert found.problems == []
    return found


CITY: dict[str, list[Any]] = {"unit": ["city"], "indicator": ["funds"], "amount": ["100.00"], "effective": [JANUARY]}
WS = workspace(CITY)


def amounts(parts: pl.DataFrame) -> dict[str, int]:
    return dict(parts.select("unit", "amount").iter_rows())


def test_equally() -> None:
    parts = kr.split_quota(WS, "city")
    assert parts.select("unit", "indicator", "amount", "effective").rows() == [
        ("a", "funds", 3334, JANUARY),
        ("b", "funds", 3333, JANUARY),
        ("c", "funds", 3333, JANUARY),
    ]
    assert parts["note"].unique().to_list() == ["part of 100.00 of city, effective 2011-01-01; equally among 3"]


def test_by_weight() -> None:
    parts = kr.split_quota(WS, "city", by="weight", weights={"a": Decimal("0.5"), "b": 2, "c": 0})
    assert amounts(parts) == {"a": 2000, "b": 8000}  # c has no task
    assert parts["note"].to_list() == [
        "part of 100.00 of city, effective 2011-01-01; by weight, 0.5 of 2.5",
        "part of 100.00 of city, effective 2011-01-01; by weight, 2 of 2.5",
    ]


def test_by_the_weights_of_the_table() -> None:
    units = pl.DataFrame(
        {
            "unit": ["city", "a", "b", "section"],
            "name": ["City", "A", "B", "Section"],
            "parent": [None, "city", "city", "a"],
            "weight": [None, "1.5", "0.5", "7"],
        }
    )
    year = {"start": JANUARY, "end": date(2011, 12, 31)}
    weighted = kr.Workspace({"year": year}, {"units": units, "quotas": pl.DataFrame(CITY)})
    assert weighted.problems == []
    parts = kr.split_quota(weighted, "city", by="weight")
    assert amounts(parts) == {"a": 7500, "b": 2500}
    assert parts["note"][0] == "part of 100.00 of city, effective 2011-01-01; by weight, 1.5 of 2"
    other = kr.split_quota(weighted, "city", by="weight", weights={"a": 1, "b": 4})
    assert amounts(other) == {"a": 2000, "b": 8000}


def figures(**reached: int | None) -> pl.DataFrame:
    """Make the `units` frame of an earlier year: an earlier tick that does not count, and the last."""
    return pl.DataFrame(
        {
            "unit": [*reached, *reached],
            "tick": [date(2010, 6, 30)] * len(reached) + [date(2010, 12, 31)] * len(reached),
            "funds": [*([7] * len(reached)), *reached.values()],
        }
    )


def test_by_history() -> None:
    years = [figures(a=100, b=0, c=50, gone=9), figures(a=200, b=50, c=0)]
    parts = kr.split_quota(WS, "city", by="history", history=years)
    assert amounts(parts) == {"a": 7500, "b": 1250, "c": 1250}
    assert parts["note"][0] == (
        "part of 100.00 of city, effective 2011-01-01; by the results of 2 earlier years, 3.00 of 4.00"
    )
    (one,) = kr.split_quota(WS, "city", by="history", history=years[:1]).filter(pl.col("unit") == "c")["note"]
    assert one == "part of 100.00 of city, effective 2011-01-01; by the results of 1 earlier year, 0.50 of 1.50"


def test_the_revision_in_force_is_split() -> None:
    revised = workspace(
        {
            "unit": ["city", "city"],
            "indicator": ["signed", "signed"],
            "amount": [5, 7],
            "effective": [JANUARY, JULY],
        }
    )
    assert amounts(kr.split_quota(revised, "city", "signed")) == {"a": 3, "b": 2, "c": 2}
    before = kr.split_quota(revised, "city", "signed", effective=date(2011, 6, 30))
    assert amounts(before) == {"a": 2, "b": 2, "c": 1}
    assert before["effective"].unique().to_list() == [date(2011, 6, 30)]
    assert before["note"][0] == "part of 5 of city, effective 2011-01-01; equally among 3"


@settings(max_examples=25)
@given(AMOUNTS.filter(bool), WEIGHTS.map(lambda weights: [*weights.values(), *([Decimal(1)] * 3)][:3]))
def test_the_parts_are_quotas_that_roll_up_to_the_whole(amount: int, weights: list[Decimal]) -> None:
    whole = workspace({**CITY, "amount": [amount]})
    parts = kr.split_quota(whole, "city", by="weight", weights=dict(zip("abc", weights, strict=True)))
    assert sum(parts["amount"]) == amount
    table = pl.concat([whole.tables.quotas.select(parts.columns).cast(parts.schema), parts])
    assert workspace(table.to_dict(as_series=False)).tables.quotas.height == parts.height + 1


FIXED: dict[str, list[Any]] = CITY | {
    "stretch": ["120.01"],
    "deadline": [date(2011, 11, 30)],
    "requirement": ["contracts registered"],
    "quality": ["0.85"],
    "responsible": ["P9"],
}
STAFF = pl.DataFrame({"person": ["P9"], "unit": ["city"], "grade": ["head"], "component": ["1.00"]})


def test_the_fixings_go_with_the_parts() -> None:
    heads = STAFF.vstack(STAFF.with_columns(person=pl.lit("P1"))).vstack(STAFF.with_columns(person=pl.lit("P2")))
    fixed = workspace(FIXED, staff=heads.vstack(STAFF.with_columns(person=pl.lit("P3"))))
    parts = kr.split_quota(fixed, "city")
    assert parts.drop("note", "indicator", "effective").rows() == [
        ("a", 3334, 4001, date(2011, 11, 30), "contracts registered", "0.85", "P1"),
        ("b", 3333, 4000, date(2011, 11, 30), "contracts registered", "0.85", "P2"),
        ("c", 3333, 4000, date(2011, 11, 30), "contracts registered", "0.85", "P3"),
    ]


@settings(max_examples=25)
@given(st.integers(1, 10), st.integers(0, 10**3), WEIGHTS.map(lambda weights: [*weights.values(), *"111"][:3]))
def test_no_stretch_target_is_below_its_part(amount: int, more: int, weights: list[Decimal]) -> None:
    fixed = workspace({**CITY, "amount": [amount], "stretch": [amount + more]})
    given = {unit: Decimal(weight) for unit, weight in zip("abc", weights, strict=True)}
    parts = kr.split_quota(fixed, "city", by="weight", weights=given)
    assert sum(parts["stretch"]) == amount + more
    assert (parts["stretch"] >= parts["amount"]).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"unit": "citty"}, r"no unit citty \(nearest: city\)"),
        ({"unit": "section"}, "no units are below section"),
        ({"unit": "a"}, "a has no quota of funds"),
        ({"unit": "city", "indicator": "fund"}, r"city has no quota of fund \(nearest: funds\)"),
        (
            {"unit": "city", "effective": date(2010, 12, 31)},
            "the first quota of funds of city is effective from 2011-01-01, not yet on 2010-12-31",
        ),
        ({"unit": "city", "by": "weights"}, r"'weights' is none of equal, weight, history \(nearest: weight\)"),
        ({"unit": "city", "by": "weight"}, "no weight of a, b, c"),
        ({"unit": "city", "by": "weight", "weights": {"a": 1, "c": 2}}, "no weight of b"),
        (
            {"unit": "city", "by": "weight", "weights": {"a": 1, "b": 1, "c": 2, "section": 1}},
            "a weight of section, which is not directly below the unit",
        ),
        (
            {"unit": "city", "by": "weight", "weights": {"a": 1, "b": 1, "c": 0.5}},
            "weights are whole numbers or decimals, which are exact",
        ),
        ({"unit": "city", "by": "weight", "weights": {"a": 0, "b": 0, "c": 0}}, "at least one is above 0"),
        ({"unit": "city", "by": "history"}, "no earlier results of a, b, c"),
        ({"unit": "city", "by": "history", "history": [figures(a=1, b=None, c=1)]}, "no earlier results of b"),
    ],
)
def test_what_cannot_be_split_says_why(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kr.split_quota(WS, **given)


def test_another_indicator_than_the_years_have() -> None:
    signed = workspace({**CITY, "indicator": ["signed"], "amount": [3]})
    with pytest.raises(ValueError, match="'signed' is none of unit, tick, funds"):
        kr.split_quota(signed, "city", "signed", by="history", history=[figures(a=1, b=1, c=1)])
