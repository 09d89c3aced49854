"""Simulate: one digest whoever runs it, draws that can be assessed as evidence, errors as values."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.simulation.result import QUANTILES
from kpi_rules.simulation.run import CancelledError
from tests.pipeline.making import workspace
from tests.simulation.oracle import decided, simulated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kpi_rules.simulation.job import Job
    from kpi_rules.simulation.past import Past

MID, END, LATER = date(2011, 6, 30), date(2011, 12, 31), date(2012, 3, 31)
CAMPAIGN = """
[[campaign]]
id = "c"
name = "Autumn"
start = 2011-08-01
end = 2011-11-08
share = 0.40

[[rule]]
name = "first"
kind = "bonus"
subject = "unit"
when = "at_month_end AND rank = 1 AND campaign_funds >= 0"
amount = "campaign_funds // 7 + 1"
repeats = true
reason = ""
"""
POLICIES = ("pay_withholding", "field_duty", "rewards", "supervision")
LOCAL = {
    "winter.py": """
@define
class Settings:
    most: int = money("50.00", label="Most")

p = parameters("winter", Settings)

@hookimpl
def kpi_settings():
    return Settings

@hookimpl
def kpi_policy_rules():
    return [Rule("late", kind="notice", subject="head", when=at.month_end & (unit.completion < 0.9), reason="",
                 until=unit.completion >= 1)]

@hookimpl
def kpi_guards():
    of_one = (pl.col("kind") == "notice") & (pl.col("person") == "P04")
    return [Guard("alone", about="measure", when=of_one, message="")]
"""
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("simulated")


@pytest.fixture(scope="module")
def found(places: Path) -> kr.Workspace:
    made = workspace(places / "found", enabled=POLICIES, policies=LOCAL, toml=CAMPAIGN)
    assert made.errors == []
    return made


@pytest.fixture(scope="module")
def simulation(found: kr.Workspace) -> kr.Simulation:
    return kr.simulate(found, MID, draws=24, seed=3, until=LATER)


# One digest


@pytest.mark.parametrize("rows", [1, 11, 10**6])
def test_bits_do_not_depend_on_chunks(
    found: kr.Workspace, simulation: kr.Simulation, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kpi_rules.simulation.run.ROWS", rows)
    told: list[int] = []
    again = kr.simulate(found, MID, draws=24, seed=3, until=LATER, progress=lambda each: told.append(each.done))
    assert again.digest == simulation.digest
    assert told[-1] == 24
    assert len(told) >= 24 // max(rows // len(again.past.units), 1)


def test_bits_do_not_depend_on_processes(found: kr.Workspace, simulation: kr.Simulation) -> None:
    assert kr.simulate(found, MID, draws=24, seed=3, until=LATER, workers=2).digest == simulation.digest


def test_bits_depend_on_seed_and_draws(found: kr.Workspace, simulation: kr.Simulation) -> None:
    others = [
        kr.simulate(found, MID, draws=24, seed=4, until=LATER),
        kr.simulate(found, MID, draws=25, seed=3, until=LATER),
        kr.simulate(found, MID, draws=24, seed=3),
    ]
    assert len({each.digest for each in (simulation, *others)}) == 4
    assert others[1].per_draw("withheld")[:24].tolist() == simulation.per_draw("withheld").tolist()


# A draw as evidence


def in_evidence(base: kr.Workspace, before: Past, job: Job, draw: int, place: Path) -> kr.Workspace:
    """Return a workspace in which what units bring in a draw has arrived, voucher by voucher."""
    chunk = job.futures.chunk(draw, draw + 1)
    funds = [chunk.step(here)["funds"][:, 0] for here in range(len(before.ticks))]
    credited = before.assessment.credited.units["funds"][-1][before.rows]
    units = before.units["unit"].to_list()
    below, above = before.below
    steps = np.diff(np.stack([credited, *funds]), axis=0)
    own = steps.copy()
    parents = dict(base.tables.units.select("unit", "parent").rows())
    for row, unit in enumerate(units):
        if parents[unit] in units:
            own[:, units.index(parents[unit])] -= steps[:, row]
    assert (own >= 0).all()
    assert len(below) == len(above)
    projects, arrivals = ["project,unit,recognised_on,contracted"], ["voucher,project,amount,arrived_on"]
    projects += [f"N{row},{unit},2011-01-04,1.00" for row, unit in enumerate(units)]
    for here, tick in enumerate(before.ticks):
        arrivals += [
            f"N{row}-{here},N{row},{amount // 100}.{amount % 100:02},{tick.on}" for row, amount in enumerate(own[here])
        ]
    known = {
        "projects": "\n".join([*projects, "J01,finance,2011-01-04,5000.00", "J02,water,2011-01-04,5000.00"]),
        "arrivals": "\n".join([*arrivals, "V01,J01,300.00,2011-03-10", "V02,J02,900.00,2011-02-10"]),
    }
    made = workspace(place, enabled=POLICIES, policies=LOCAL, toml=CAMPAIGN, tables=known)
    assert made.errors == []
    return made


@pytest.mark.parametrize("draw", [0, 1, 2])
def test_a_draw_is_what_would_be_decided_of_its_evidence(
    places: Path, found: kr.Workspace, simulation: kr.Simulation, draw: int
) -> None:
    before, job = simulation.past, simulation.job
    future = kr.assess(in_evidence(found, before, job, draw, places / f"draw{draw}"), LATER)
    assert simulated(before, job.run(0, 3), simulation.ticks, draw) == decided(future, MID)


# What the frames say


def test_frames_say_what_was_counted(simulation: kr.Simulation) -> None:
    traces, draws = simulation.job.run(0, 24), 24
    units = simulation.past.units["unit"].to_list()
    for row in simulation.units.rows(named=True):
        here = [tick.on for tick in simulation.ticks].index(row["tick"])
        place = units.index(row["unit"])
        amounts = sorted(traces.primary[here][place].tolist())
        assert row["chance"] == sum(amount >= row["quota"] for amount in amounts) / draws
        assert row["chance_low"] <= row["chance"] <= row["chance_high"]
        assert row["mean"] == pytest.approx(sum(amounts) / draws / row["quota"])
        for percent in QUANTILES:
            amount = amounts[max(-(-percent * draws // 100) - 1, 0)]
            exact, quantile = amount / row["quota"], row[f"q{percent:02}"]
            if row["quantiles_binned"]:
                assert quantile is None or exact <= quantile <= exact + 1 / 256
                assert (quantile is None) == (exact * 256 >= 511)
            else:
                assert quantile == exact
    assert set(simulation.units["quantiles_binned"]) == {False, True}
    for row in simulation.rules.rows(named=True):
        place = units.index(row["unit"])
        assert row["chance"] == traces.hit[row["rule"]][place].mean() > 0
        lasted = traces.months.get(row["rule"])
        assert row["months"] == (None if lasted is None else pytest.approx(lasted[place].mean()))
    for row in simulation.money.rows(named=True):
        place = units.index(row["unit"])
        assert all(row[kind] == int(each[place].sum()) // draws for kind, each in traces.money.items())
    totals = {row["what"]: row for row in simulation.totals.rows(named=True)}
    assert totals["withheld"]["mean"] == traces.money["withheld"].sum() / draws
    assert totals["met"]["mean"] == traces.met(len(simulation.ticks) - 1).sum() / draws


def test_a_policy_without_rules_has_frames_too(tmp_path: Path) -> None:
    none = kr.simulate(workspace(tmp_path), MID, draws=3)
    assert none.rules.columns == ["unit", "rule", "chance", "chance_low", "chance_high", "months"]
    assert none.rules.is_empty()
    assert none.money.is_empty()
    assert len(none.units) == 12
    compared = kr.compare(none, none)
    assert compared.rules.is_empty()
    assert "chance_a" in compared.rules.columns


def test_without_any_target_there_are_no_chances(tmp_path: Path) -> None:
    quotas = {"quotas": "unit,indicator,amount,effective\nwater,signed,3,2011-01-01\n"}
    toml = CAMPAIGN.partition("[[rule]]")[0] + '[[rule]]\nname = "x"\nkind = "notice"\nsubject = "unit"\nreason = ""\n'
    toml += 'when = "funds > 50000"\nuntil = "at_year_end"\n'
    none = kr.simulate(workspace(tmp_path, tables=quotas, toml=toml), MID, draws=3)
    assert none.units.is_empty()
    assert none.totals.row(0, named=True)["mean"] == 0
    assert "water" in set(none.rules["unit"])


# Errors as values


def refused(call: Callable[[], Any]) -> list[str]:
    with pytest.raises(kr.AssessmentError) as caught:
        call()
    return [each.message for each in caught.value.problems]


@pytest.mark.parametrize("draws", [0, -1, 1.5, "3", True, None])
@pytest.mark.parametrize("seed", [-1, 0.5, "x", False, None])
def test_draws_and_seed_are_whole_numbers(found: kr.Workspace, draws: Any, seed: Any) -> None:  # noqa: ANN401 (whatever is given)
    assert refused(lambda: kr.simulate(found, MID, draws=draws, seed=seed)) == [
        f"draws: found {draws!r}; expected a whole number from 1",
        f"seed: found {seed!r}; expected a whole number from 0",
    ]


@pytest.mark.parametrize(
    ("as_of", "until", "found_"),
    [
        (MID, MID, "2011-06-30 by 2011-06-30"),
        (MID, date(2011, 7, 30), "2011-06-30 by 2011-07-30"),
        (MID, date(2010, 1, 1), "2011-06-30 by 2010-01-01"),
        (END, None, "2011-12-31 by 2011-12-31"),
        (LATER, None, "2012-03-31 by 2011-12-31"),
    ],
)
def test_there_is_something_to_come(found: kr.Workspace, as_of: date, until: date | None, found_: str) -> None:
    expected = "a last day with a tick after the day that is known"
    assert refused(lambda: kr.simulate(found, as_of, draws=2, until=until)) == [
        f"until: found no tick after {found_}; expected {expected}"
    ]


@pytest.mark.parametrize(
    ("as_of", "until", "message"),
    [
        (date(2010, 12, 31), None, "as_of: found 2010-12-31; expected a day from 2011-01-01 to 2199-12-31"),
        (MID, date(2200, 1, 1), "until: found 2200-01-01; expected a day from 2011-01-01 to 2199-12-31"),
        (MID, date.max, "until: found 9999-12-31; expected a day from 2011-01-01 to 2199-12-31"),
        (MID, datetime(2011, 12, 31), f"until: found {datetime(2011, 12, 31)!r}; expected a date without a time"),  # noqa: DTZ001 (none is wanted)
        (MID, "2011-12-31", "until: found '2011-12-31'; expected a date without a time"),
    ],
)
def test_the_days_are_days_that_can_be(found: kr.Workspace, as_of: date, until: Any, message: str) -> None:  # noqa: ANN401 (whatever is given)
    assert refused(lambda: kr.simulate(found, as_of, draws=2, until=until)) == [message]


def test_a_workspace_with_errors_is_not_simulated(tmp_path: Path) -> None:
    wrong = workspace(tmp_path, toml="[forecats]\nmodel = 'x'")
    assert wrong.errors
    assert refused(lambda: kr.simulate(wrong, MID)) == [each.message for each in wrong.errors]


def test_after_the_year_end_holds_go_on(found: kr.Workspace) -> None:
    late = kr.simulate(found, END, draws=5, until=LATER)
    assert [tick.on for tick in late.ticks] == [date(2012, 1, 31), date(2012, 2, 29), LATER]
    future = kr.assess(found, LATER).ledger
    assert late.totals.filter(what="withheld")["q95"].item() <= future.filter(pl.col("month") > END)["withheld"].sum()


def test_a_draw_that_cannot_be_decided_stops_it(tmp_path: Path) -> None:
    toml = CAMPAIGN.replace("campaign_funds // 7 + 1", "0 - campaign_funds - 1")
    wrong = workspace(tmp_path, toml=toml)
    (here,) = refused(lambda: kr.simulate(wrong, MID, draws=4))
    assert here.startswith("rule local.first: found -")
    assert refused(lambda: kr.simulate(wrong, MID, draws=4, workers=1)) == [here]


def test_what_is_not_wanted_any_more_is_given_up(found: kr.Workspace) -> None:
    with pytest.raises(CancelledError):
        kr.simulate(found, MID, draws=100, cancelled=lambda: True)
