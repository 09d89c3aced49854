"""From a past to futures: what goes on, what is assumed, and the laws that every future keeps."""

from __future__ import annotations

import pickle
from copy import copy
from datetime import date
from typing import TYPE_CHECKING

import attrs
import numpy as np
import pytest

import kpi_rules as kr
from kpi_rules.simulation.futures import futures
from kpi_rules.simulation.past import past
from tests.pipeline.making import folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kpi_rules.simulation.chunks import Futures
    from kpi_rules.simulation.past import Past

AS_OF = date(2011, 6, 30)
EVERYTHING = frozenset(
    {"vouchers", "recognised", "contracted", "signed", "started", "producing", "started_ever", "producing_ever"}
)
MODELS = [("compound",), ("pipeline",), ("seasonal",), ("pipeline", "compound"), ("pipeline", "seasonal")]


@pytest.fixture(scope="module")
def workspace() -> kr.Workspace:
    return kr.load("examples/hundred-days")


def before(workspace: kr.Workspace, models: Sequence[str] = ("compound",), as_of: date = AS_OF) -> Past:
    """Return the past of a workspace with these forecasts, in which everything is needed."""
    other = copy(workspace)
    assert workspace.config is not None
    other.config = attrs.evolve(workspace.config, forecasts=tuple(models))
    found = past(other, as_of)
    assessment = kr.assess(other, as_of)
    return attrs.evolve(found, assess=lambda: assessment, needed=EVERYTHING)


def stepped(
    of: Futures, low: int, high: int, ticks: int, effort: np.ndarray | None = None
) -> list[dict[str, np.ndarray]]:
    chunk = of.chunk(low, high)
    return [chunk.step(here, effort) for here in range(ticks)]


@pytest.mark.parametrize("models", MODELS, ids="+".join)
def test_every_future_keeps_the_laws(workspace: kr.Workspace, models: tuple[str, ...]) -> None:
    start = before(workspace, models)
    of = futures(start, 7)
    steps = stepped(of, 0, 80, len(start.ticks))
    last = {name: start.assessment.credited.units[name][-1][start.rows] for name in ("funds", *EVERYTHING)}
    previous = {name: np.repeat(values[:, None], 80, axis=1) for name, values in last.items()}
    for step in steps:
        assert set(step) == {"funds", *EVERYTHING}
        for name, values in step.items():
            assert values.dtype == np.int64
            assert values.flags.c_contiguous
            assert values.shape == (len(start.units), 80)
            assert (values >= previous[name]).all(), name
        for name in ("signed", "started", "producing", "started_ever", "producing_ever"):
            assert (step[name] <= step["recognised"]).all()
        previous = step
    # Of the year's arrivals no more is ever credited than has come in: visits confirm, they bring nothing.
    assert (steps[-1]["funds"] <= steps[-1]["vouchers"]).all()
    assert steps[-1]["funds"].sum() > 80 * last["funds"].sum()


def test_what_a_unit_has_is_its_own_and_what_those_below_have(workspace: kr.Workspace) -> None:
    start = before(workspace)
    of = futures(start, 7)
    last = stepped(of, 0, 20, len(start.ticks))[-1]["funds"]
    gained = last - start.assessment.credited.units["funds"][-1][start.rows][:, None]
    unit, above = start.below
    own = of.layout.tree.own(gained)
    rolled = np.zeros_like(own)
    np.add.at(rolled, above, own[unit])
    assert (own >= 0).all()
    assert (rolled == gained).all()


@pytest.mark.parametrize("models", MODELS, ids="+".join)
def test_chunks_and_workers_change_no_bit(workspace: kr.Workspace, models: tuple[str, ...]) -> None:
    start = before(workspace, models)
    of = futures(start, 7)
    whole = stepped(of, 0, 90, len(start.ticks))
    sent: Futures = pickle.loads(pickle.dumps(of))  # noqa: S301 (made here)
    parts = [stepped(sent, low, min(90, low + 41), len(start.ticks)) for low in range(0, 90, 41)]
    for here, step in enumerate(whole):
        for name, values in step.items():
            assert (np.concatenate([part[here][name] for part in parts], axis=1) == values).all(), name


def test_what_was_given_is_not_changed_later(workspace: kr.Workspace) -> None:
    start = before(workspace)
    chunk = futures(start, 7).chunk(0, 10)
    first = chunk.step(0)
    kept = {name: values.copy() for name, values in first.items()}
    chunk.step(1)
    assert all((first[name] == values).all() for name, values in kept.items())


def test_effort_multiplies_what_a_unit_itself_brings(workspace: kr.Workspace) -> None:
    start = before(workspace)
    of = futures(start, 7)
    ticks = len(start.ticks)
    size = (len(start.units), 30)
    plain = stepped(of, 0, 30, ticks)
    same = stepped(of, 0, 30, ticks, np.full(size, 1_000))
    double = stepped(of, 0, 30, ticks, np.full(size, 2_000))
    none = stepped(of, 0, 30, ticks, np.zeros(size, dtype=np.int64))
    for here in range(ticks):
        assert all((plain[here][name] == same[here][name]).all() for name in plain[here])
    last = start.assessment.credited.units["vouchers"][-1][start.rows][:, None]
    assert (double[-1]["vouchers"] - last == 2 * (plain[-1]["vouchers"] - last)).all()
    assert (none[-1]["vouchers"] == last).all()
    assert (double[-1]["funds"] >= plain[-1]["funds"]).all()


def test_counts_keep_the_parts_of_one_for_later(workspace: kr.Workspace) -> None:
    start = before(workspace)
    of = futures(start, 7)
    size = (len(start.units), 200)
    last = start.assessment.credited.units["signed"][-1][start.rows].sum() * 200
    plain = stepped(of, 0, 200, len(start.ticks))[-1]["signed"].sum() - last
    more = stepped(of, 0, 200, len(start.ticks), np.full(size, 1_500))[-1]["signed"].sum() - last
    assert 1.2 * plain < more <= 1.5 * plain


def test_a_sum_with_pipeline_counts_nothing_twice(workspace: kr.Workspace) -> None:
    def arriving(*models: str) -> float:
        start = before(workspace, models)
        last = start.assessment.credited.units["vouchers"][-1][start.rows][0]
        return float(stepped(futures(start, 7), 0, 200, len(start.ticks))[-1]["vouchers"][0].mean() - last)

    both, alone, curves = arriving("pipeline", "compound"), arriving("compound"), arriving("pipeline")
    assert curves < both < alone + curves
    names = {each.what for each in futures(before(workspace, ("pipeline", "compound")), 7).assumptions}
    assert "of projects not recognised yet" in names


def test_other_streams_change_no_draw(workspace: kr.Workspace) -> None:
    start = before(workspace)
    everything = stepped(futures(start, 7), 0, 40, len(start.ticks))
    funds = stepped(futures(attrs.evolve(start, needed=frozenset()), 7), 0, 40, len(start.ticks))
    assert set(funds[0]) == {"funds"}
    assert all((one["funds"] == other["funds"]).all() for one, other in zip(everything, funds, strict=True))


def test_another_seed_gives_other_futures(workspace: kr.Workspace) -> None:
    start = before(workspace)
    one, other = (stepped(futures(start, seed), 0, 5, len(start.ticks))[-1]["funds"] for seed in (7, 8))
    assert (one != other).mean() > 0.5


QUOTAS = """\
unit,indicator,amount,effective
finance,signed,3,2011-01-01
water,signed,3,2011-01-01
"""


def test_little_history_says_so_and_is_wide(tmp_path: Path) -> None:
    workspace = kr.load(folder(tmp_path))
    start = past(workspace, AS_OF)
    of = futures(start, 7)
    little = {each.what for each in of.assumptions if each.little}
    assert {"arrivals a year of a unit", "size of an arrival", "season"} <= little
    last = stepped(of, 0, 4_000, len(start.ticks))[-1]["funds"]
    unit = start.units["unit"].to_list().index("finance")
    gained = last[unit] - start.assessment.credited.units["funds"][-1][start.rows[unit]]
    low, high = np.quantile(gained, [0.1, 0.9])
    assert low == 0
    assert high > 3 * np.median(gained[gained > 0]) / 2


def test_no_history_is_a_problem(tmp_path: Path) -> None:
    workspace = kr.load(folder(tmp_path))
    with pytest.raises(kr.AssessmentError) as refused:
        futures(past(workspace, date(2011, 1, 31)), 7)
    (problem,) = refused.value.problems
    assert (problem.code, problem.found) == (
        "no-history",
        "no funds by 2011-01-31 that a forecast could rest on",
    )


def test_where_vouchers_bear_amounts_out_they_are_credited_at_once(tmp_path: Path) -> None:
    workspace = kr.load(folder(tmp_path))
    assert workspace.config is not None
    workspace.config = attrs.evolve(workspace.config, evidence=("vouchers",))
    start = attrs.evolve(
        past(workspace, AS_OF), assess=lambda: kr.assess(workspace, AS_OF), needed=frozenset({"vouchers"})
    )
    for step in stepped(futures(start, 7), 0, 100, len(start.ticks)):
        assert (step["funds"] == step["vouchers"]).all()


def test_where_declarations_do_credit_itself_is_forecast(tmp_path: Path) -> None:
    workspace = kr.load(folder(tmp_path))
    assert workspace.config is not None
    workspace.config = attrs.evolve(workspace.config, evidence=("visits", "vouchers", "declared"))
    start = past(workspace, AS_OF)
    of = futures(start, 7)
    assert all(each.confirming is None for each in of.series)
    assert stepped(of, 0, 100, len(start.ticks))[-1]["funds"].sum() > 0


def test_a_count_can_be_the_primary(tmp_path: Path) -> None:
    workspace = kr.load(folder(tmp_path, tables={"quotas": QUOTAS}))
    assert workspace.config is not None
    workspace.config = attrs.evolve(workspace.config, primary="signed")
    start = past(workspace, AS_OF)
    signed = stepped(futures(start, 7), 0, 500, len(start.ticks))[-1]["signed"]
    assert signed.min() >= 0
    assert 0 < signed.max() < 100


FORECAST = """\
import numpy as np

def fit(history):
    {body}

@hookimpl
def kpi_forecasts():
    return [Forecast("own", fit)]
"""


@pytest.mark.parametrize(
    ("body", "code", "found"),
    [
        ("return 1 / 0", "plugin-failed", "forecast own failed on funds: ZeroDivisionError: division by zero"),
        ("return None", "forecast-unfit", "None"),
        ("return Fitted([3])", "forecast-unfit", "3"),
        (
            "return Fitted([Levels([[1.0]], [[1.0]], [0], [[1.0]], [0])])",
            "forecast-unfit",
            "level of a Levels of shape (1, 1) instead of (2, 6)",
        ),
        (
            "return Fitted([Compound([1.0, 1.0], [-1.0, 0.0], np.ones((1, 6)), [0, 0], [1, 1])])",
            "forecast-unfit",
            "mean of a Compound with a value out of its bounds",
        ),
    ],
)
def test_a_forecast_that_does_not_fit_is_named(tmp_path: Path, body: str, code: str, found: str) -> None:
    policies = {"own.py": FORECAST.format(body=body)}
    workspace = kr.load(folder(tmp_path, policies=policies, toml='[forecast]\nmodels = ["own"]\n'))
    assert workspace.errors == []
    with pytest.raises(kr.AssessmentError) as refused:
        futures(past(workspace, AS_OF), 7)
    (problem,) = refused.value.problems
    assert (problem.code, problem.place.key, problem.found) == (code, "forecast own", found)
