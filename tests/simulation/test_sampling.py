"""What is drawn, against theory, and that chunks, other units and their order change no bit of it."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_rules.forecasts.sizes import deviation_steps, lognormal, lognormal_tables
from kpi_rules.model.forecasts import Block, Compound, Curves, Levels
from kpi_rules.simulation.samplers import sampler_of
from kpi_rules.simulation.sampling import WORKING, blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DRAWS = 40_000
TICKS = 4


def compound(units: int, *, mean: float = 4.0, shape: float = 2.0, sized: bool = True) -> Compound:
    """Make a block in which units differ in everything."""
    tables, tails, rows = lognormal_tables(deviation_steps(np.linspace(0.5, 2.0, units)))
    factors, _tails, common = lognormal_tables(deviation_steps(np.linspace(0.0, 0.1, units)))
    return Compound(
        shape=np.linspace(shape, shape + 1, units),
        mean=np.linspace(mean, mean * 1.5, units),
        seasons=np.array([[1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0, 1.0]]),
        season=np.arange(units) % 2,
        scale=np.linspace(1e8, 3e8, units) if sized else np.ones(units),
        sizes=tables if sized else None,
        tails=tails if sized else None,
        size=rows,
        common=common,
        factors=factors if sized else None,
    )


def curves(units: int) -> Curves:
    """Make remaining amounts of two projects a unit, one of them shared with the next unit."""
    shares = np.sort(np.arange(3 * 8 * TICKS).reshape(3, 8, TICKS) * 2_000 % 65_537, axis=2)
    unit = np.repeat(np.arange(units), 2)
    project = tuple(f"J{number}" for number in (unit + np.tile([0, 1], units)).tolist())
    remaining = np.arange(1, 2 * units + 1) * 12_345_678
    return Curves(unit, project, remaining, shares, np.arange(2 * units) % 3)


def levels(units: int) -> Levels:
    """Make levels of units that differ."""
    level = np.outer(np.linspace(1e8, 2e8, units), [1.0, 2.0, 1.0, 1.0])
    yearly = np.stack([lognormal(4)[0], lognormal(8)[0]])
    return Levels(level, yearly, np.arange(units) % 2, np.array([[0.0, 0.5, 1.0, 2.5]]), np.zeros(units))


def drawn(block: Block, units: int, low: int, high: int, *, names: list[str] | None = None) -> np.ndarray:
    """Return ticks x units x draws."""
    out = np.zeros((TICKS, units, high - low), dtype=np.int64)
    ids = names or [f"unit {number}" for number in range(units)]
    sampler_of(block, 7, "stream", ids).add(low, high, out)
    return out


BLOCKS: Mapping[str, Callable[[int], Block]] = {"compound": compound, "curves": curves, "levels": levels}


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("size", [1, 7, 250, 997])
def test_chunks_change_no_bit(kind: str, size: int) -> None:
    block = BLOCKS[kind](9)
    whole = drawn(block, 9, 0, 1_000)
    parts = [drawn(block, 9, low, min(1_000, low + size)) for low in range(0, 1_000 if size > 1 else 20, size)]
    joined = np.concatenate(parts, axis=2)
    assert whole.any()
    assert (joined == whole[:, :, : joined.shape[2]]).all()


@pytest.mark.parametrize("working", [257, 4_096, 10**9])
def test_the_size_of_blocks_changes_no_bit(working: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {kind: drawn(make(6), 6, 0, 500) for kind, make in BLOCKS.items()}
    monkeypatch.setattr("kpi_rules.simulation.sampling.WORKING", working)
    for kind, make in BLOCKS.items():
        assert (drawn(make(6), 6, 0, 500) == whole[kind]).all()


def test_other_units_and_their_order_change_no_bit() -> None:
    block = compound(6)
    whole = drawn(block, 6, 0, 300)
    order = np.array([4, 0, 5])
    of_units = ("shape", "mean", "season", "scale", "size", "common")
    fewer = Compound(
        **{name: getattr(block, name)[order] for name in of_units},
        **{name: getattr(block, name) for name in ("seasons", "sizes", "tails", "factors")},
    )
    found = drawn(fewer, 3, 0, 300, names=[f"unit {number}" for number in order])
    assert (found == whole[:, order]).all()


def test_a_project_has_one_donor_whoever_has_a_part_in_it() -> None:
    block = curves(4)
    one = Curves(block.unit[2:3], block.project[2:3], block.remaining[2:3], block.shares, block.age[2:3])
    other = Curves(np.array([3]), one.project, one.remaining, one.shares, one.age)
    assert (drawn(one, 4, 0, 200)[:, 1] == drawn(other, 4, 0, 200)[:, 3]).all()


def test_a_higher_rate_keeps_every_arrival() -> None:
    base = compound(5, shape=1.5)
    more = Compound(
        **{
            name: getattr(base, name)
            for name in ("shape", "seasons", "season", "scale", "sizes", "tails", "size", "common", "factors")
        },
        mean=base.mean * 1.1,
    )
    one, other = drawn(base, 5, 0, 20_000), drawn(more, 5, 0, 20_000)
    assert (other >= one).all()
    assert 0.05 < (other.sum() - one.sum()) / one.sum() < 0.15
    totals = one.sum(axis=0), other.sum(axis=0)
    assert all(np.corrcoef(totals[0][unit], totals[1][unit])[0, 1] > 0.95 for unit in range(5))


def test_counts_are_negative_binomial_and_fall_by_the_season() -> None:
    block = compound(3, sized=False)
    found = drawn(block, 3, 0, DRAWS)
    total = found.sum(axis=0)
    mean, variance = block.mean, block.mean + block.mean**2 / block.shape
    assert (np.abs(total.mean(axis=1) - mean) < 6 * np.sqrt(variance / DRAWS)).all()
    assert (np.abs(total.var(axis=1) / variance - 1) < 0.06).all()
    none = (block.shape / (block.shape + block.mean)) ** block.shape
    assert (np.abs((total == 0).mean(axis=1) - none) < 6 * np.sqrt(none / DRAWS)).all()
    weights = block.seasons / block.seasons.sum(axis=1, keepdims=True)
    share = found.sum(axis=2) / total.sum(axis=1)
    assert np.abs(share - weights[block.season].T).max() < 6 * 0.5 / np.sqrt(total.sum(axis=1).min()) + 1 / 4096
    # Given the rate, months are independent: one frailty of the year is in all of them.
    covariance = np.cov(found[0, 1], found[1, 1])[0, 1]
    expected = block.mean[1] ** 2 / block.shape[1] * weights[1, 0] * weights[1, 1]
    assert abs(covariance / expected - 1) < 0.25


def test_amounts_have_the_mean_and_variance_of_a_compound() -> None:
    block = compound(3)
    assert block.sizes is not None
    assert block.tails is not None
    assert block.size is not None
    total = drawn(block, 3, 0, DRAWS).sum(axis=0).astype(float)
    count_variance = block.mean + block.mean**2 / block.shape
    cells = block.sizes.copy()
    cells[:, -1] = 0
    square = ((cells**2).sum(axis=1) + (block.tails**2).mean(axis=1)) / cells.shape[1]
    size_variance = square[block.size] - 1
    assert block.factors is not None
    assert block.common is not None
    factor = (block.factors[block.common] ** 2).mean(axis=1)
    mean = block.mean * block.scale
    given = (block.mean * size_variance + count_variance) * block.scale**2
    variance = factor * (given + mean**2) - mean**2
    assert (np.abs(total.mean(axis=1) - mean) < 6 * np.sqrt(variance / DRAWS)).all()
    assert (np.abs(total.var(axis=1) / variance - 1) < 0.15).all()


def test_sizes_have_their_quantiles() -> None:
    table, tail = lognormal(16)
    one = Compound([1e9], [4e-3], np.ones((1, TICKS)), [0], [1e6], table[None], tail[None], [0])
    found = drawn(one, 1, 0, 1_000_000).sum(axis=0)[0]
    alone = np.sort(found[found > 0])
    for chance in (0.1, 0.5, 0.9):
        expected = table[int(chance * len(table))] * 1e6
        below = (alone <= expected).mean()
        assert abs(below - chance) < 6 * 0.5 / len(alone) ** 0.5 + 1e-3


def test_curves_bring_no_more_than_remains_and_the_mean_of_their_donors() -> None:
    block = curves(3)
    found = drawn(block, 3, 0, DRAWS)
    assert found.min() >= 0
    remaining = np.bincount(block.unit, block.remaining)
    assert (found.sum(axis=0) <= remaining[:, None]).all()
    share = block.shares[block.age].mean(axis=1) / 65_536
    expected = np.array([np.bincount(block.unit, block.remaining * share[:, tick]) for tick in range(TICKS)])
    error = np.abs(found.cumsum(axis=0).mean(axis=2) - expected)
    assert (error < 6 * remaining * 0.5 / DRAWS**0.5).all()


def test_levels_have_their_means() -> None:
    block = levels(4)
    found = drawn(block, 4, 0, DRAWS)
    assert (np.abs(found.mean(axis=2) / block.level.T - 1) < 0.06).all()
    zero = (found == 0).mean()
    assert abs(zero - 0.25) < 0.01


def test_the_bits_are_those_of_any_machine() -> None:
    digest = sha256()
    for make in BLOCKS.values():
        digest.update(drawn(make(5), 5, 10, 60).astype("<i8").tobytes())
    assert digest.hexdigest() == "23a9ca3836d581cc912c51d9480c2c9ee37e5a039b50fc075454bf37c9d7e696"


def test_what_cannot_be_computed_in_64_bits_is_not_drawn() -> None:
    block = Compound([5.0], [3.0], np.ones((1, TICKS)), [0], [1e30])
    assert 0 < drawn(block, 1, 0, 100).max() <= 100 * 2**40


@settings(max_examples=60)
@given(st.lists(st.floats(1, 700), min_size=1, max_size=40), st.integers(1, 200_000))
def test_blocks_cover_every_cell_once(costs: list[float], draws: int) -> None:
    covered = np.zeros((len(costs), draws), dtype=np.int8)
    for rows, columns in blocks(np.array(costs), draws):
        covered[rows, columns] += 1
        assert sum(costs[rows]) * (columns.stop - columns.start) <= 2 * WORKING + max(costs) * draws * (
            rows.stop - rows.start == 1
        )
    assert (covered == 1).all()
