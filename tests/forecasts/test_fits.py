"""What forecasts make of histories that were drawn from their own model, and of none."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import attrs
import numpy as np
import pytest

from kpi_rules.forecasts import compound, pipeline, seasonal
from kpi_rules.forecasts.credibility import LITTLE, Groups, dispersion, rates, sizes
from kpi_rules.forecasts.season import season_of
from kpi_rules.forecasts.sizes import CELLS, deviation_steps, lognormal
from kpi_rules.model.forecasts import Compound, Contracts, Curves, Events, Fitted, History, Levels
from kpi_rules.simulation.samplers import sampler_of
from kpi_rules.simulation.thinning import kept_shares, thinned

START = date(2011, 1, 1)
AS_OF = date(2011, 6, 30)
TICKS = (
    date(2011, 7, 31),
    date(2011, 8, 31),
    date(2011, 9, 30),
    date(2011, 10, 31),
    date(2011, 11, 30),
    date(2011, 12, 31),
)
NONE = np.zeros(0, dtype=np.int64)
NOTHING = Events(NONE, NONE, NONE, NONE, NONE)


def history(units: int, events: Events, **given: Any) -> History:  # noqa: ANN401 (any attribute)
    """Return a history of units in two peer groups."""
    made = History(
        name="funds",
        kind="money",
        units=tuple(f"unit {number}" for number in range(units)),
        group=np.arange(units) % 2,
        groups=("east", "west"),
        active=np.ones(units, dtype=np.bool_),
        start=START,
        as_of=AS_OF,
        ticks=TICKS,
        events=events,
        earlier=NOTHING,
        contracts=Contracts(NONE, NONE, NONE, NONE, NONE),
        projects=(),
    )
    return attrs.evolve(made, **given)


def year(seed: int, units: int, rate: float, shape: float) -> tuple[Events, np.ndarray]:
    """Return the events of half a year of units with gamma rates, and what each brought in the other half."""
    random = np.random.default_rng(seed)
    of_unit = random.gamma(shape, rate / shape, units)
    number = random.poisson(of_unit * 181 / 365)
    unit = np.repeat(np.arange(units), number)
    amount = np.rint(random.lognormal(18.0, 0.8, len(unit))).astype(np.int64)
    day = START.toordinal() + random.integers(0, 181, len(unit))
    later = random.poisson(of_unit * 184 / 365)
    rest = np.array([np.rint(random.lognormal(18.0, 0.8, each)).sum() for each in later])
    nothing = np.full(len(unit), -1)
    return Events(unit, day, amount, nothing, nothing), rest


def the_block(fitted: Fitted) -> Any:  # noqa: ANN401 (a block of any kind)
    (block,) = fitted.blocks
    return block


@pytest.mark.parametrize("fit", [compound.fit, seasonal.fit, pipeline.fit])
def test_nothing_gives_no_block(fit: Any) -> None:  # noqa: ANN401 (a function of a forecast)
    assert fit(history(3, NOTHING)).blocks == ()


def test_bands_cover_what_the_model_itself_makes() -> None:
    inside = []
    for seed in range(4):
        events, rest = year(seed, 250, 14.0, 2.0)
        block = the_block(compound.fit(history(250, events)))
        out = np.zeros((len(TICKS), 250, 400), dtype=np.int64)
        sampler_of(block, 7, "s", [f"unit {number}" for number in range(250)]).add(0, 400, out)
        low, high = np.quantile(out.sum(axis=0), [0.1, 0.9], axis=1)
        inside.append(((rest >= low) & (rest <= high)).mean())
    assert 0.75 <= np.mean(inside) <= 0.85


def test_units_are_shrunk_to_their_group_and_the_more_so_the_less_is_known() -> None:
    events, _rest = year(3, 200, 14.0, 2.0)
    block = the_block(compound.fit(history(200, events)))
    number = np.bincount(events.unit, minlength=200)
    expected = number / 181 * 184
    group = np.array([expected[of::2].mean() for of in (0, 1)])[np.arange(200) % 2]
    between = (block.mean - group) * (expected - group)
    assert (between[np.abs(expected - group) > 2] > 0).all()
    assert (
        np.abs(block.mean - group)[np.abs(expected - group) > 2]
        < np.abs(expected - group)[np.abs(expected - group) > 2]
    ).all()
    assert abs(block.mean.sum() / expected.sum() - 1) < 0.05


def test_a_unit_without_anything_of_its_own_brings_nothing() -> None:
    events, _rest = year(3, 20, 14.0, 2.0)
    own = events.unit != 4
    kept = Events(*(getattr(events, name)[own] for name in ("unit", "day", "amount", "project", "age")))
    active = np.arange(20) != 4
    assert the_block(compound.fit(history(20, kept, active=active))).mean[4] == 0
    assert (the_block(seasonal.fit(history(20, kept, active=active))).level[4] == 0).all()


def test_clusters_widen_the_count() -> None:
    even, _rest = year(5, 100, 12.0, 50.0)
    lumps = attrs.evolve(even, day=START.toordinal() + (even.unit % 6) * 30)
    one, other = (the_block(compound.fit(history(100, events))) for events in (even, lumps))
    assert np.allclose(one.mean.sum(), other.mean.sum(), rtol=0.05)
    variance = [(block.mean + block.mean**2 / block.shape).sum() for block in (one, other)]
    assert variance[1] > 2 * variance[0]


def test_little_is_flagged_and_wide() -> None:
    few = Events([0, 1], [START.toordinal() + 9, START.toordinal() + 60], [10**9, 10**8], [-1, -1], [-1, -1])
    many, _rest = year(3, 200, 14.0, 2.0)
    vague, sure = compound.fit(history(2, few)), compound.fit(history(200, many))
    assert all(each.little for each in vague.assumptions if each.about)
    assert not any(each.little for each in sure.assumptions if each.about)
    assert the_block(vague).shape.max() < np.median(the_block(sure).shape)


def test_rates_of_equal_units_are_the_groups() -> None:
    groups = Groups.make(np.zeros(400, dtype=np.int64), 1)
    random = np.random.default_rng(1)
    active = np.ones(400, dtype=np.bool_)
    equal = rates(random.poisson(6.0, 400).astype(float), 0.5, groups, active, 1.0)
    differing = rates(random.poisson(random.gamma(2.0, 3.0, 400)).astype(float), 0.5, groups, active, 1.0)
    assert abs(equal.mean.mean() - 12) < 1
    assert equal.mean.std() < 1
    assert differing.mean.std() > 5


def test_dispersion_is_one_for_chance_and_more_for_clusters() -> None:
    random = np.random.default_rng(2)
    shares = np.full(6, 1 / 6)
    chance = random.multinomial(12, shares, size=300).astype(float)
    assert abs(dispersion(chance, shares) - 1) < 0.1
    assert dispersion(3 * chance, shares) == pytest.approx(3, rel=0.1)
    assert dispersion(np.zeros((3, 6)), shares) == 1.5


def test_mean_sizes_are_between_a_units_own_and_its_groups() -> None:
    groups = Groups.make(np.zeros(50, dtype=np.int64), 1)
    number = np.full(50, 8.0)
    own = np.linspace(1e8, 3e8, 50)
    found, variation = sizes(own * number, own**2 * number * 1.5, number, groups)
    assert ((found.mean - own) * (own - found.group[0]) <= 0).all()
    assert ((found.mean - found.group[0]) * (own - found.group[0]) >= 0).all()
    assert 0.3 < variation[0] < 1.5


def test_sizes_are_lognormal_with_mean_one() -> None:
    for step in (0, 8, 16, 40):
        table, tail = lognormal(step)
        assert (np.diff(table) >= 0).all()
        assert (np.diff(tail) >= 0).all()
        assert (table[:-1].sum() + tail.mean()) / CELLS == pytest.approx(1, abs=1e-6)
        assert np.log(table[3 * CELLS // 4] / table[CELLS // 2]) == pytest.approx(0.6745 * step / 16, abs=0.01)
    assert deviation_steps(np.array([0.0, math.e - 1])).tolist() == [0, 16]


def test_whole_earlier_years_give_the_months_their_weights() -> None:
    random = np.random.default_rng(4)
    months = random.choice(12, 2_000, p=[*([0.05] * 10), 0.2, 0.3])
    day = np.array([date(2010, month + 1, 15).toordinal() for month in months])
    nothing = np.full(2_000, -1)
    earlier = Events(random.integers(0, 4, 2_000), day, np.ones(2_000), nothing, nothing)
    season = season_of(history(4, NOTHING, earlier=earlier))
    assert season.years == 1
    assert season.ahead[-1] == pytest.approx(0.3, abs=0.04)
    assert season.past + season.rest == pytest.approx(1.0, abs=1e-3)
    recent = attrs.evolve(earlier, day=np.full(2_000, date(2010, 11, 15).toordinal()))
    assert season_of(history(4, NOTHING, earlier=recent)).years == 0


def projects(count: int, monthly: float) -> History:
    """Return projects of all ages that bring a share of what remains each half-month, until as of."""
    rows = []
    contracts = []
    for number in range(count):
        age = 15 * (1 + number % 24)
        left = 10**10
        for step in range(age // 15):
            amount = int(left * monthly)
            left -= amount
            rows.append((0, AS_OF.toordinal() - age + 15 * step + 5, amount, number, 15 * step + 5))
        contracts.append((0, number, 10**10, 10**10 - left, age))
    return history(
        1,
        Events(*np.array(rows).T),
        contracts=Contracts(*np.array(contracts).T),
        projects=tuple(f"J{number}" for number in range(count)),
    )


def test_curves_are_those_of_projects_as_old() -> None:
    block = the_block(pipeline.fit(projects(48, 0.1)))
    assert isinstance(block, Curves)
    spans = np.cumsum(projects(48, 0.1).spans) / 15
    expected = 1 - 0.9**spans
    found = block.shares[block.age].mean(axis=(0, 1)) / 65_536
    assert np.abs(found - expected).max() < 0.02
    assert (np.diff(block.shares, axis=2) >= 0).all()
    assert (block.shares <= 65_536).all()


def test_few_donors_are_flagged_and_joined_by_made_up_ones() -> None:
    fitted = pipeline.fit(projects(LITTLE - 5, 0.1))
    assert fitted.assumptions[0].little
    last = the_block(fitted).shares[4, :, -1] / 65_536
    assert last.min() == 0
    assert last.max() > 0.9


def test_projects_without_known_contracts_are_left_out_and_said_so() -> None:
    made = projects(24, 0.1)
    unknown = attrs.evolve(made.contracts, contracted=np.where(np.arange(24) < 3, -1, 10**10))
    fitted = pipeline.fit(attrs.evolve(made, contracts=unknown))
    assert not {"J0", "J1", "J2"} & set(the_block(fitted).project)
    assert fitted.assumptions[1].value == "3 parts are left out"
    assert pipeline.fit(attrs.evolve(made, contracts=attrs.evolve(unknown, contracted=np.full(24, -1)))).blocks == ()


def test_what_is_kept_beside_curves_is_of_projects_recognised_since() -> None:
    age = np.array([0, 10, 40, 100, 300])
    events = Events([0] * 5, [AS_OF.toordinal()] * 5, [100, 200, 300, 400, 1000], [0] * 5, age)
    contracts = Contracts([0], [0], [10**6], [2_000], [300])
    made = history(1, events, contracts=contracts, projects=("J0",))
    lead = np.cumsum(made.spans) - made.spans / 2
    expected = [((age < days).sum() + 0.5) / 6 for days in lead]
    assert kept_shares(made, by_amount=False) == pytest.approx(expected)
    assert kept_shares(made, by_amount=True)[-1] == pytest.approx((1_000 / 400 + 0.5) / 6)
    followed = attrs.evolve(made, contracts=attrs.evolve(contracts, contracted=np.array([-1])))
    assert kept_shares(followed, by_amount=False) == pytest.approx([5.5 / 6] * 6)


def test_blocks_are_thinned_by_what_is_kept() -> None:
    events, _rest = year(3, 10, 14.0, 2.0)
    made = attrs.evolve(
        history(10, attrs.evolve(events, project=np.zeros(len(events)), age=np.arange(len(events)))),
        contracts=Contracts([0], [0], [10**6], [0], [300]),
        projects=("J0",),
    )
    kept = kept_shares(made, by_amount=False)
    block = the_block(compound.fit(made))
    less = thinned(block, made)
    assert isinstance(less, Compound)
    periods = [each.mean[0] * each.seasons[0] / each.seasons[0].sum() for each in (block, less)]
    assert periods[1] == pytest.approx(periods[0] * kept)
    levels = the_block(seasonal.fit(made))
    fewer = thinned(levels, made)
    assert isinstance(fewer, Levels)
    assert fewer.level == pytest.approx(levels.level * kept_shares(made, by_amount=True))
    curves = the_block(pipeline.fit(made))
    assert thinned(curves, made) is curves


def test_levels_go_on_as_before() -> None:
    events, _rest = year(6, 150, 30.0, 4.0)
    block = the_block(seasonal.fit(history(150, events)))
    assert isinstance(block, Levels)
    assert block.level.sum() == pytest.approx(events.amount.sum() / 181 * 184, rel=0.05)
    assert block.monthly.mean() == pytest.approx(1.0)
    assert block.monthly.std() > 0.3
