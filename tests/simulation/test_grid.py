"""Grid: every point is the simulation under its values, bit for bit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from shutil import copytree
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.simulation import batch
from kpi_rules.simulation.run import Running

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

AS_OF = date(2011, 8, 31)
DRAWS = 12
OFF, LEAVE, SECTION = "field_duty.off_post_below", "field_duty.leave_post_below", "pay_withholding.section_below"


@pytest.fixture(scope="module")
def workspace() -> kr.Workspace:
    return kr.load("examples/hundred-days")


def digests(workspace: kr.Workspace, parameters: Mapping[str, Sequence[Any]], **asked: Any) -> None:  # noqa: ANN401 (of `simulate`)
    """Hold every point of a grid against its simulation."""
    grid = kr.grid(workspace, AS_OF, parameters, draws=DRAWS, **asked)
    names = list(parameters)
    points = [
        dict(zip(names, values, strict=True))
        for values in ([(a,) for a in parameters[names[0]]] if len(names) == 1 else _pairs(parameters, names))
    ]
    simulated = [kr.simulate(workspace.with_parameters(point), AS_OF, draws=DRAWS, **asked) for point in points]
    expected = [each.digest for each in simulated]
    assert grid.digests["digest"].to_list() == expected
    assert len(set(expected)) > 1
    last = grid.simulation(points[-1])
    assert last.digest == expected[-1]
    assert last.rules.equals(simulated[-1].rules)
    assert last.units.equals(simulated[-1].units)


def _pairs(parameters: Mapping[str, Sequence[Any]], names: Sequence[str]) -> list[tuple[Any, Any]]:
    return [(a, b) for a in parameters[names[0]] for b in parameters[names[1]]]


@pytest.mark.parametrize(
    "parameters",
    [
        {OFF: [0.1, 0.45, 0.9], LEAVE: [0.2, 0.6]},
        {OFF: [0.9, 0.1], SECTION: [0.8, 0.1]},
        {SECTION: [0.1, 0.3, 0.5, 0.7]},
        {"pay_withholding.share": [0.5, 1], SECTION: [0.3, 0.7]},
        {"pay_withholding.section_grades": [["head"], ["head", "section"]]},
        {"rewards.bonus_rate": [0, 0.0015], "supervision.talk_after": [1, 3]},
        {"rewards.outstanding": [1, 1.5], "field_duty.station_gap": [0.05, 0.3]},
        {"adjustment.project_cap": ["300万", "5000万"], OFF: [0.1, 0.9]},
    ],
)
def test_every_point_is_what_a_simulation_gives(workspace: kr.Workspace, parameters: dict[str, list[Any]]) -> None:
    digests(workspace, parameters)


@pytest.mark.parametrize("as_of", [date(2011, 1, 15), date(2011, 12, 30)])
def test_it_is_so_from_the_first_days_to_the_last(workspace: kr.Workspace, as_of: date) -> None:
    grid = kr.grid(workspace, as_of, {SECTION: [0.2, 0.6], OFF: [0.3, 0.8]}, draws=5)
    for section, off, digest in grid.digests.iter_rows():
        changed = workspace.with_parameters({SECTION: section, OFF: off})
        assert digest == kr.simulate(changed, as_of, draws=5).digest


def test_with_effects_and_with_decisions_every_point_is_simulated_by_itself(workspace: kr.Workspace) -> None:
    digests(workspace, {OFF: [0.1, 0.9]}, effects=[kr.Effect("field_duty.station_head", "0.1", "0.3")])
    measures = kr.assess(workspace, AS_OF).measures.filter(rule="pay_withholding.section")["id"]
    decisions = pl.DataFrame({"measure": measures[:3], "decision": "approved", "on": date(2011, 7, 5)})
    grid = kr.grid(workspace, AS_OF, {"rewards.bonus_rate": [0.001, 0.002]}, draws=5, decisions=decisions)
    for rate, digest in grid.digests.iter_rows():
        changed = workspace.with_parameters({"rewards.bonus_rate": rate})
        assert digest == kr.simulate(changed, AS_OF, draws=5, decisions=decisions).digest


def test_chunks_workers_and_what_is_kept_change_no_bit(
    workspace: kr.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = {OFF: [0.1, 0.45, 0.9], LEAVE: [0.2, 0.6]}
    expected = kr.grid(workspace, AS_OF, parameters, draws=DRAWS).digests
    # One process: that the work can be sent is the point here, tests of `run` hold how chunks are shared out.
    assert kr.grid(workspace, AS_OF, parameters, draws=DRAWS, workers=1).digests.equals(expected)
    monkeypatch.setattr("kpi_rules.simulation.batch.CELLS", 700)
    monkeypatch.setattr("kpi_rules.simulation.run.ROWS", 2000)
    assert kr.grid(workspace, AS_OF, parameters, draws=DRAWS).digests.equals(expected)
    monkeypatch.setattr("kpi_rules.simulation.grid.MOST_KEPT", 0)
    assert kr.grid(workspace, AS_OF, parameters, draws=DRAWS).digests.equals(expected)


def test_what_is_held_is_the_same_by_a_ledger_and_unit_by_unit(
    workspace: kr.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = {SECTION: [0.1, 0.3, 0.5, 0.7]}
    seen = []
    by_ledgers = batch._by_ledgers

    def noted(*given: Any) -> dict[str, Any]:  # noqa: ANN401 (handed on)
        seen.append(given)
        return by_ledgers(*given)

    monkeypatch.setattr(batch, "_by_ledgers", noted)
    unit_by_unit = kr.grid(workspace, AS_OF, parameters, draws=DRAWS).digests
    assert not seen
    monkeypatch.setattr(batch, "_apart", lambda *_given: False)
    assert kr.grid(workspace, AS_OF, parameters, draws=DRAWS).digests.equals(unit_by_unit)
    assert len(seen) == 1


def test_points_with_other_units_are_left_to_a_simulation_of_their_own(
    workspace: kr.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = kr.simulate(workspace.with_parameters({SECTION: 0.1}), AS_OF, draws=5)
    points = [{SECTION: Decimal("0.1")}, {SECTION: Decimal("0.9")}]
    assert batch.count(simulation, simulation.job.futures, points, Running()).keys() == {0, 1}
    monkeypatch.setattr(batch, "_same_certain", lambda *_given: np.array([True, False]))
    assert batch.count(simulation, simulation.job.futures, points, Running()).keys() == {0}
    digests(workspace, {SECTION: [0.1, 0.9]})


def test_ranks_are_among_the_units_of_a_draw_and_a_point(tmp_path: Path) -> None:
    parameter = '[[parameter]]\nname = "last"\nkind = "count"\nvalue = 3\nlabel = "last"\n'
    rule = (
        '[[rule]]\nname = "late"\nkind = "talk"\nsubject = "head"\nreason = "late"\n'
        'when = "at_month_end AND rank > local.last"\nuntil = "completion >= 1"\n'
    )
    copytree("examples/hundred-days", tmp_path / "ranked")
    with (tmp_path / "ranked" / "kpi.toml").open("a", encoding="utf-8") as config:
        config.write(parameter + rule)
    digests(kr.load(tmp_path / "ranked"), {"local.last": [1, 5, 12]})


def test_outcomes_are_means_over_draws(workspace: kr.Workspace) -> None:
    grid = kr.grid(workspace, AS_OF, {SECTION: [0.2, 0.7]}, draws=DRAWS)
    assert grid.parameters == {SECTION: [Decimal("0.2"), Decimal("0.7")]}
    for row in grid.outcomes.iter_rows(named=True):
        one = grid.simulation({SECTION: row[SECTION]})
        assert row["met"] == one.per_draw("met").mean()
        assert row["withheld"] == one.per_draw("withheld").mean()
        chances = one.rules.filter(rule="pay_withholding.section")["chance"]
        assert row["pay_withholding.section"] == pytest.approx(chances.sum())
    few = kr.grid(workspace, AS_OF, {SECTION: [0.2]}, draws=2, outcomes=["met", "rewards.bonus"])
    assert few.outcomes.columns == [SECTION, "met", "rewards.bonus"]
    assert "1 of pay_withholding.section_below" in repr(few)


def test_it_says_how_far_it_is_and_can_be_cancelled(workspace: kr.Workspace) -> None:
    seen: list[kr.Progress] = []
    kr.grid(workspace, AS_OF, {OFF: [0.1, 0.2, 0.3]}, draws=2, progress=seen.append)
    assert (seen[-1].done, seen[-1].draws) == (3, 3)
    with pytest.raises(kr.CancelledError):
        kr.grid(workspace, AS_OF, {OFF: [0.1, 0.2, 0.3]}, draws=2, cancelled=lambda: True)


@pytest.mark.parametrize(
    ("parameters", "code", "nearest", "expected"),
    [
        ({}, "too-many-parameters", None, "one or two parameters"),
        ({OFF: [0.1], LEAVE: [0.1], SECTION: [0.1]}, "too-many-parameters", None, "one or two parameters"),
        ({"field_duty.off_post_belo": [0.1]}, "unknown-parameter", OFF, "the name of a parameter"),
        ({OFF: [0.1, 11]}, "bad-value", None, "from 0 to 10, both inclusive"),
        ({OFF: ["much"]}, "bad-value", None, "a decimal of at most nine places"),
        ({OFF: []}, "bad-value", None, "a list of values, none of them twice"),
        ({OFF: [0.5, 0.50]}, "bad-value", None, "a list of values, none of them twice"),
        ({OFF: "0.5"}, "bad-value", None, "a list of values, none of them twice"),
    ],
)
def test_what_cannot_be_asked_is_a_problem(
    workspace: kr.Workspace, parameters: dict[str, Any], code: str, nearest: str | None, expected: str
) -> None:
    with pytest.raises(kr.AssessmentError) as caught:
        kr.grid(workspace, AS_OF, parameters)
    (problem,) = caught.value.problems
    assert (problem.code, problem.nearest) == (code, nearest)
    assert expected in problem.expected


def test_an_unknown_outcome_or_point_names_the_choices(workspace: kr.Workspace) -> None:
    with pytest.raises(kr.AssessmentError, match=r"the unknown outcome rewards\.bonu; .*nearest: rewards\.bonus"):
        kr.grid(workspace, AS_OF, {OFF: [0.1]}, draws=2, outcomes=["rewards.bonu"])
    with pytest.raises(ValueError, match=r"off_post_below is 0\.2 at no point, but one of 0.1"):
        kr.grid(workspace, AS_OF, {OFF: [0.1]}, draws=2).simulation({OFF: 0.2})
