"""Shares tilted to a mean: the quick way is, bit for bit, halving in Python from the steepest tilts on."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.simulation.visiting import BINS, _cells, _confirmed, _tilted

BASES = st.lists(st.integers(0, 400), min_size=BINS + 1, max_size=BINS + 1).map(
    lambda counts: [count + 2.0 / (BINS + 1) for count in counts]
)
MEANS = st.lists(st.integers(0, BINS), min_size=1, max_size=4).map(lambda steps: [step / BINS for step in steps])


def plainly(base: list[float], mean: float) -> list[float]:
    low, high = -400.0, 400.0
    weights = list(base)
    for _round in range(60):
        tilt = (low + high) / 2
        weights = [weight * exp(tilt * at / BINS - max(tilt, 0.0)) for at, weight in enumerate(base)]
        found = sum(weight * at for at, weight in enumerate(weights)) / BINS / sum(weights)
        low, high = (tilt, high) if found < mean else (low, tilt)
    return weights


@given(BASES, MEANS)
def test_quickly_is_plainly(base: list[float], means: list[float]) -> None:
    assert _tilted(base, means, exactly=False) == [plainly(base, mean) for mean in means]


@given(BASES)
def test_nothing_and_all_are_exact(base: list[float]) -> None:
    nothing, half, everything = _tilted(base, [0.0, 0.5, 1.0], exactly=True)
    assert half == plainly(base, 0.5)
    assert (nothing, everything) == ([1.0] + [0.0] * BINS, [0.0] * BINS + [1.0])


@pytest.mark.parametrize("months", [0.25, 1.0, 1.75])
def test_cells_hold_each_share_as_often_as_it_weighs(months: float) -> None:
    weights = [float(at == 0) + 3.0 * float(at == BINS) for at in range(BINS + 1)]
    values, counts = np.unique(_cells(weights, _confirmed(months)), return_counts=True)
    assert (values.tolist(), counts.tolist()) == ([0, 65_536], [1024, 3072])
