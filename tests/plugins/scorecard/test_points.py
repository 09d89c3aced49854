"""Points of items: the published results, and every shape against fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, get_args

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kpi_scorecard import exact
from kpi_scorecard.config import Item, Minmax, Rounding, Step, Track
from kpi_scorecard.exact import PARTS
from tests.plugins.scorecard.making import evaluated, points_of, rounded, sound

if TYPE_CHECKING:
    from typing import Literal

D = Decimal
TRACK = Track("t", "leave")
LARGEST = 2 * 10**13
"""2000亿 yuan in fen."""


def item(**keys: object) -> Item:
    return Item(**{"name": "funds", "indicator": "funds", "below": "zero", "above": "full", **keys})  # type: ignore[arg-type]


COUNTY_A = item(
    points=D(100),
    below="steps",
    above="steps",
    bonus=(Step(D(1), D("0.1"), "whole", D(20)),),
    malus=(Step(D(1), D("0.01"), "whole"),),
)
COUNTY_B = item(points=D(60), above="steps", bonus=(Step(D("0.5"), D("0.1"), "whole", D(10)),))
COUNTY_C = item(
    points=D(0),
    below="steps",
    above="steps",
    bonus=(Step(D(1), D("0.1"), "whole"),),
    malus=(Step(D(1), D("0.05"), "whole"),),
)
CITY_E = item(points=D(50), below="proportional", above="stretch", stretch_points=D(10), digits=2)
CITY_F = item(
    points=D(40),
    below="proportional",
    above="steps",
    target="phased",
    digits=2,
    bonus=(Step(D("0.5"), D("0.1"), "whole", D(2)),),
)


def score(one: Item, funds: int | None, quota: int | None, **more: int | None) -> float | None:
    frame = {"funds": [funds], "funds_quota": [quota], **{name: [value] for name, value in more.items()}}
    columns = {name: pl.Series(name, values, dtype=pl.Int64) for name, values in frame.items()}
    found = evaluated(sound(track=[TRACK], item=[one]), columns)
    assert found["score_t"].to_list() == found["score_t_funds"].to_list()
    value: float | None = found["score_t_funds"][0]
    return value


@pytest.mark.parametrize(
    ("county", "funds", "expected"),
    [
        (COUNTY_A, 1200, 102.0),
        (COUNTY_A, 3200, 120.0),
        (COUNTY_A, 880, 88.0),
        (COUNTY_A, 1199, 101.0),
        (COUNTY_A, 881, 89.0),
        (COUNTY_A, 1000, 100.0),
        (COUNTY_B, 999, 0.0),
        (COUNTY_B, 1000, 60.0),
        (COUNTY_B, 1300, 61.5),
        (COUNTY_B, 3000, 70.0),
        (COUNTY_C, 1200, 2.0),
        (COUNTY_C, 900, -2.0),
    ],
)
@pytest.mark.parametrize("unit", [1, 7, 100_000])
def test_the_published_results_of_the_counties(county: Item, funds: int, expected: float, unit: int) -> None:
    assert score(county, funds * unit, 1000 * unit) == expected


@pytest.mark.parametrize(
    ("funds", "stretch", "expected"),
    [
        (999, 1500, 49.95),
        (1000, 1500, 50.0),
        (1250, 1500, 55.0),
        (1500, 1500, 60.0),
        (9000, 1500, 60.0),
        (1250, None, 50.0),
    ],
)
def test_base_and_stretch_targets(funds: int, stretch: int | None, expected: float) -> None:
    assert score(CITY_E, funds, 1000, funds_stretch=stretch) == expected


@pytest.mark.parametrize(
    ("funds", "share", "expected"),
    [(750, (9, 12), 40.0), (749, (9, 12), 39.95), (600, (1, 2), 41.0), (900, (1, 12), 42.0), (83, (1, 12), 39.84)],
)
def test_a_time_phased_target(funds: int, share: tuple[int, int], expected: float) -> None:
    """City F: the denominator is the time-phased target; met is full, else proportional; a bonus with a cap."""
    parts = {"expected_numerator": share[0], "expected_denominator": share[1]}
    assert score(CITY_F, funds, 1000, **parts) == expected


def test_without_a_target_there_are_no_points() -> None:
    assert score(COUNTY_A, 1200, None) is None
    assert score(COUNTY_A, None, 1000) is None


def test_the_kind_of_a_unit_chooses_its_step() -> None:
    steps = (
        Step(D(1), D("0.1"), "whole", when=("kind = 部门",)),
        Step(D(2), D("0.1"), "whole", when=("kind != 部门",)),
    )
    one = sound(track=[TRACK], item=[item(points=D(0), above="steps", bonus=steps)])
    found = evaluated(one, {"funds": [150] * 3, "funds_quota": [100] * 3, "kind": ["部门", "乡镇", None]})
    assert found["score_t_funds"].to_list() == [5.0, 10.0, None]
    assert found["without_t_funds"].to_list() == [False] * 3
    assert found["score_t"].to_list() == [5.0, 10.0, None]


WAYS: tuple[Rounding, ...] = get_args(Rounding)
decimals = st.decimals(0, 200, places=2, allow_nan=False)
amounts = st.one_of(st.integers(0, 5000), st.integers(0, LARGEST), st.integers(0, 40).map(lambda n: n * 125))


@st.composite
def items(draw: st.DrawFn) -> Item:
    digits, way = draw(st.integers(0, 9)), draw(st.sampled_from(WAYS))
    whole = st.integers(0, 100).map(D)
    steps = st.builds(
        Step,
        points=st.decimals("0.01", 20, places=2, allow_nan=False),
        per=st.decimals("0.001", 2, places=3, allow_nan=False),
        count=st.sampled_from(["whole", "started", "pro_rata"]),
        most=st.one_of(st.none(), whole),
    )
    below: Literal["proportional", "zero", "steps", "full"] = draw(
        st.sampled_from(["proportional", "zero", "steps", "full"])
    )
    above: Literal["full", "proportional", "steps"] = draw(st.sampled_from(["full", "proportional", "steps"]))
    proportional = "proportional" in {below, above}
    return item(
        points=draw(whole),
        below=below,
        above=above,
        bonus=(draw(steps),) if above == "steps" else (),
        malus=(draw(steps),) if below == "steps" else (),
        better="more" if proportional else draw(st.sampled_from(["more", "less"])),
        ratio_digits=draw(st.one_of(st.none(), st.integers(0, 4))),
        digits=digits,
        rounding=way,
        least=draw(st.one_of(st.none(), st.integers(-50, 20).map(D))),
        most=draw(st.one_of(st.none(), st.integers(20, 500).map(D))),
    )


@given(one=items(), value=amounts, quota=amounts.filter(bool))
@example(one=COUNTY_A, value=120, quota=100).via("120% gives exactly 102")
@example(one=COUNTY_B, value=13 * 10**11 - 1, quota=10**12).via("a fen short of a step")
@settings(max_examples=100, deadline=None)
def test_points_are_those_of_exact_fractions(one: Item, value: int, quota: int) -> None:
    expected = points_of(one, Fraction(value), Fraction(quota))
    found = score(one, value, quota)
    if abs(expected) > exact.GREATEST or Fraction(value, quota) > exact.GREATEST_RATIO:
        assert found is None or abs(Fraction(found) - expected) < 1
        return
    assert found == float(expected)


@given(one=items(), low=amounts, high=amounts, quota=amounts.filter(bool))
@settings(max_examples=80, deadline=None)
def test_who_does_better_never_gets_less(one: Item, low: int, high: int, quota: int) -> None:
    """Whatever is configured, as long as the target itself is worth no less than what is short of it."""
    worse, better = sorted((low, high)) if one.better == "more" else sorted((low, high), reverse=True)
    points = [score(one, value, quota) for value in (worse, better)]
    if None not in points:
        assert points[0] <= points[1]  # type: ignore[operator]  # neither is None


@given(value=amounts, quota=st.integers(1, 5000), more=st.integers(1, 5000), digits=st.integers(0, 9))
@settings(deadline=None)
def test_points_up_to_a_stretch_target_are_exact(value: int, quota: int, more: int, digits: int) -> None:
    one = item(points=D(50), above="stretch", stretch_points=D("7.5"), digits=max(digits, 1))
    expected = points_of(one, Fraction(value), Fraction(quota), Fraction(quota + more))
    assert score(one, value, quota, funds_stretch=quota + more) == float(expected)


@given(value=amounts, quota=amounts.filter(bool), digits=st.integers(0, 9), way=st.sampled_from(WAYS))
@example(value=877871, quota=200, digits=2, way="half_up").via("a tie")
@example(value=806060, quota=1000, digits=2, way="down").via("a decimal that a reciprocal would miss")
def test_a_ratio_is_rounded_as_its_fraction_is(value: int, quota: int, digits: int, way: Rounding) -> None:
    ratio = Fraction(value, quota)
    frame = pl.DataFrame({"ratio": [value / quota, -value / quota]})
    found = frame.select(exact.rounded(pl.col("ratio"), digits, way)).to_series().to_list()
    if ratio > exact.GREATEST_RATIO:
        assert found == [None, None]
        return
    nearest_tie = abs(ratio * 10**digits * 2 - round(ratio * 10**digits * 2))
    if nearest_tie and nearest_tie < Fraction(1, 10**5):
        return  # closer to a bound than a float tells apart
    expected = int(rounded(ratio, digits, way) * 10**digits)
    assert found == [expected, -expected]


@given(st.one_of(st.integers(-(10**6), 10**6), st.integers(-(10**15), 10**15)), st.integers(0, 9))
def test_points_come_back_as_the_decimals_they_are(parts: int, digits: int) -> None:
    frame = pl.DataFrame({"parts": [parts]})
    whole = pl.col("parts")
    value = frame.select(exact.points(whole.cast(pl.Int128), digits, whole)).to_series()[0]
    if abs(parts) > exact.GREATEST * 10**digits:
        assert value is None
        return
    assert value == float(Fraction(parts, 10**digits))
    back = pl.DataFrame({"points": [value]}).select(exact.billionths(pl.col("points"))).to_series()[0]
    assert back == parts * PARTS // 10**digits


@pytest.mark.parametrize(
    ("indicator", "values", "equal", "expected"),
    [
        ("signed", [1, 4, 8, None], "full", [0.0, 30.0, 70.0, None]),
        ("arrival_rate", [0.1, 0.4, 0.7, None], "full", [0.0, 35.0, 70.0, None]),
        ("signed", [3, 3, 3, 3], "full", [70.0] * 4),
        ("signed", [3, 3, 3, 3], "least", [0.0] * 4),
        ("signed", [3, 3, 3, 3], "na", [None] * 4),
        ("funds", [10**13, 2 * 10**13, 0, 1], "full", [35.0, 70.0, 0.0, 0.0]),
    ],
)
def test_points_by_place_in_the_group(
    indicator: str, values: list[float | None], equal: Literal["full", "least", "na"], expected: list[float | None]
) -> None:
    one = sound(track=[TRACK], minmax=[Minmax("place", indicator, D(70), equal, digits=1)])
    assert evaluated(one, {indicator: values})["score_t_place"].to_list() == expected


def test_less_may_be_better() -> None:
    one = sound(track=[TRACK], minmax=[Minmax("place", "lag", D(10), "full", better="less", least=D(2))])
    assert evaluated(one, {"lag": [0, 1, 4]})["score_t_place"].to_list() == [10.0, 8.0, 2.0]
