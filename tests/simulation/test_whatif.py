"""What if: quick, and bit for bit what a simulation under those parameters gives."""

from __future__ import annotations

from datetime import date

import pytest

import kpi_rules as kr
from kpi_rules.simulation import whatif
from kpi_rules.simulation.whatif import Kept

AS_OF = date(2011, 8, 31)
DRAWS = 40


@pytest.fixture(scope="module")
def workspace() -> kr.Workspace:
    return kr.load("examples/hundred-days")


@pytest.fixture(scope="module")
def simulation(workspace: kr.Workspace) -> kr.Simulation:
    return kr.simulate(workspace, AS_OF, draws=DRAWS)


@pytest.mark.parametrize(
    "values",
    [
        {"field_duty.off_post_below": 0.45},
        {"field_duty.station_gap": 0.1},
        {"pay_withholding.section_below": 0.7},
        {"pay_withholding.section_grades": ["head"]},
        {"pay_withholding.share": 0.5},
        {"rewards.bonus_rate": 0.002},
        {"rewards.outstanding": [{"value": 1.1}, {"value": 1.5, "group": "社会事业组"}]},
        {"supervision.talk_after": 1, "field_duty.leave_post_below": 0.6},
        {"field_duty.off_post_below": [{"value": 0.2}, {"value": 0.9, "from": date(2011, 12, 1)}]},
        {},
    ],
)
def test_it_is_what_a_simulation_gives(
    workspace: kr.Workspace, simulation: kr.Simulation, values: dict[str, object]
) -> None:
    expected = kr.simulate(workspace.with_parameters(values), AS_OF, draws=DRAWS)
    first, again = simulation.what_if(values), simulation.what_if(values)
    assert first.digest == again.digest == expected.digest
    assert first.rules.equals(expected.rules)
    assert first.money.equals(expected.money)


def test_it_can_be_asked_of_what_it_gave_and_back(simulation: kr.Simulation) -> None:
    other = simulation.what_if({"field_duty.off_post_below": 0.9})
    assert other.digest != simulation.digest
    assert other.what_if({"pay_withholding.section_below": 0.1}).digest not in {other.digest, simulation.digest}
    before = simulation.past.workspace.parameters.entries["field_duty.off_post_below"]
    dated = [
        {"value": each.value, **({"group": each.group} if each.group else {})}
        | ({"from": each.from_on} if each.from_on else {})
        for each in before
    ]
    assert other.what_if({"field_duty.off_post_below": dated}).digest == simulation.digest


@pytest.mark.parametrize(
    ("parameter", "rules", "kinds"),
    [
        ("field_duty.off_post_below", {"off_post", "leave_post", "station_head"}, ()),
        ("rewards.bonus_rate", {"bonus"}, ("rewarded",)),
        ("supervision.talk_after", {"talk"}, ()),
        ("pay_withholding.section_grades", {"section", "all_staff"}, ("withheld", "released", "outstanding")),
        ("verification.near_days", set(), ()),
    ],
)
def test_only_rules_that_may_come_out_otherwise_are_run(
    simulation: kr.Simulation, parameter: str, rules: set[str], kinds: tuple[str, ...]
) -> None:
    book = simulation.job.rulebook
    found = whatif.affected_by(simulation.past.workspace, book, {parameter})
    assert {name.partition(".")[2] for name in found} == rules
    assert whatif.kinds_of([book.rules[name] for name in found]) == kinds


def test_with_effects_everything_is_run_again(workspace: kr.Workspace) -> None:
    effects = [kr.Effect("field_duty.station_head", "0.1", "0.3")]
    simulation = kr.simulate(workspace, AS_OF, draws=10, effects=effects)
    values = {"field_duty.station_gap": 0.05}
    expected = kr.simulate(workspace.with_parameters(values), AS_OF, draws=10, effects=effects)
    assert simulation.what_if(values).digest == expected.digest


def test_parameters_that_credit_reads_are_simulated_anew(workspace: kr.Workspace) -> None:
    simulation = kr.simulate(workspace, AS_OF, draws=10)
    name, value = "adjustment.project_cap", "300万"
    changed = workspace.with_parameters({name: value})
    assert simulation.what_if({name: value}).digest == kr.simulate(changed, AS_OF, draws=10).digest


def test_a_misspelt_parameter_names_the_nearest(simulation: kr.Simulation) -> None:
    with pytest.raises(ValueError, match=r"no parameter field_duty\.off_post_belo \(nearest: field_duty"):
        simulation.what_if({"field_duty.off_post_belo": 0.4})


@pytest.mark.parametrize("overtaking", [False, True])
def test_chunks_asked_for_at_once_give_the_same(simulation: kr.Simulation, overtaking: bool) -> None:  # noqa: FBT001 (a parameter)
    futures, days = simulation.job.futures, range(len(simulation.job.days))
    plain = futures.chunk(0, 5)
    expected = [plain.step(here) for here in days]
    kept = Kept(futures)
    first, second = kept.chunk(0, 5), kept.chunk(0, 5)
    if overtaking:
        first.step(0)
        found = [[second.step(here) for here in days], [first.step(here) for here in days]]
    else:
        found = [list(both) for both in zip(*((first.step(here), second.step(here)) for here in days), strict=True)]
    for steps in (*found, [kept.chunk(0, 5).step(here) for here in days]):
        assert all((steps[here][name] == each).all() for here in days for name, each in expected[here].items())


def test_what_was_given_is_not_drawn_again(simulation: kr.Simulation) -> None:
    kept = Kept(simulation.job.futures)
    assert kept.chunk(0, 5).step(0) is kept.chunk(0, 5).step(0)
