"""Of whom is forecast: no rule changes a draw, and what simulated units within others bring is their part of it."""

from __future__ import annotations

import shutil
from datetime import date
from textwrap import dedent
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from attrs import evolve

import kpi_rules as kr
from kpi_rules.simulation.basis import Basis
from kpi_rules.simulation.futures import futures
from kpi_rules.simulation.past import past
from tests.pipeline.making import TABLES, workspace

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = date(2011, 6, 30)
DRAWS = 40
RULE = """
[[rule]]
name = "{name}"
kind = "notice"
subject = "unit"
when = "{when}"
until = "at_year_end"
reason = ""
"""
FUNDS = RULE.format(name="all", when="at_month_end AND funds > 100")
RULES = {
    "funds": FUNDS,
    "campaign": RULE.format(name="eve", when="at_campaign_end AND campaign_funds > 100"),
    "counts": RULE.format(name="many", when="at_month_end AND recognised > 3 AND signed > 2"),
    "sections": RULE.format(name="some", when="at_month_end AND lag = 0 AND kind = 'section' AND completion IS NULL"),
}
MODELS = ("compound", "pipeline", "seasonal")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("basis")


def hundred_days(place: Path, name: str, more: str = "", *, without: str = "", models: tuple[str, ...] = ()) -> Path:
    """Copy the example with other rules, without a policy, or with other forecasts."""
    copied = place / name
    if not copied.exists():
        shutil.copytree("examples/hundred-days", copied)
        toml = (copied / "kpi.toml").read_text(encoding="utf-8")
        if without:
            toml = toml.replace(f', "{without}"', "").partition(f"[{without}]")[0]
        chosen = f"[forecast]\nmodels = {list(models)}\n" if models else ""
        (copied / "kpi.toml").write_text(toml + chosen + more, encoding="utf-8")
    return copied


def drawn(found: kr.Workspace, as_of: date = AS_OF) -> dict[tuple[str, str, date], list[int]]:
    """Return what is drawn of each number, unit and day."""
    assert found.errors == []
    start = past(found, as_of)
    chunk, units = futures(start, 7).chunk(0, DRAWS), start.units["unit"].to_list()
    steps = [(tick.on, chunk.step(here)) for here, tick in enumerate(start.ticks)]
    return {
        (name, unit, on): row
        for on, step in steps
        for name, values in step.items()
        for unit, row in zip(units, values.tolist(), strict=True)
    }


def same(one: dict[tuple[str, str, date], list[int]], other: dict[tuple[str, str, date], list[int]]) -> int:
    both = one.keys() & other.keys()
    assert [key for key in both if one[key] != other[key]] == []
    return len({unit for _name, unit, _on in both})


@pytest.mark.parametrize("models", [("compound",), ("pipeline", "compound"), ("seasonal",)], ids="+".join)
def test_no_rule_changes_a_draw(place: Path, models: tuple[str, ...]) -> None:
    label = "+".join(models)
    plain = drawn(kr.load(hundred_days(place, f"plain {label}", models=models)))
    for name, rule in RULES.items():
        more = drawn(kr.load(hundred_days(place, f"{name} {label}", rule, models=models)))
        assert more.keys() > plain.keys()
        assert same(plain, more) == 97, name
    every = drawn(kr.load(hundred_days(place, f"every {label}", "".join(RULES.values()), models=models)))
    counts = drawn(kr.load(hundred_days(place, f"counts {label}", models=models)))
    assert same(every, counts) == 216


def test_a_policy_that_is_off_changes_no_trace(place: Path) -> None:
    loaded = [kr.load(hundred_days(place, "on", FUNDS)), kr.load(hundred_days(place, "off", without="supervision"))]
    a, b = (kr.simulate(each, AS_OF, draws=DRAWS, seed=3) for each in loaded)
    assert (len(a.past.units), len(b.past.units)) == (216, 97)
    places = [a.past.units["unit"].to_list().index(unit) for unit in b.past.units["unit"]]
    of_a, of_b = a.job.run(0, DRAWS), b.job.run(0, DRAWS)
    for one, other in zip(of_a.primary, of_b.primary, strict=True):
        assert (one[places] == other).all()
    found = kr.compare(a, b)
    assert found.units.select(pl.col("difference", "low", "high").abs().sum()).row(0) == (0.0, 0.0, 0.0)
    assert found.totals.filter(what="met")["difference"].to_list() == [0.0]


@pytest.mark.parametrize("model", MODELS)
def test_parts_never_bring_more_than_the_whole(place: Path, model: str) -> None:
    found = kr.load(hundred_days(place, f"funds {model}", FUNDS, models=(model,)))
    start = past(found, AS_OF)
    last = start.assessment.credited.units["funds"][-1]
    parents, own = start.basis.parents, set(start.basis.rows.tolist())
    chunk = futures(start, 7).chunk(0, DRAWS)
    steps = [chunk.step(here)["funds"] for here in range(len(start.ticks))]
    assert len(start.rows) == len(parents)
    parts = [row for row in range(len(parents)) if row not in own]
    assert parts
    gained = steps[-1] - last[:, None]
    assert (np.diff(np.stack([np.repeat(last[:, None], DRAWS, axis=1), *steps]), axis=0) >= 0).all()
    assert gained[parts].sum() > 0
    slack = len(parts) if model == "seasonal" else 0  # levels are rounded each by itself
    for step in steps:
        below = np.zeros_like(step)
        np.add.at(below, parents[parents >= 0], step[parents >= 0])
        assert (below <= step + slack * len(steps)).all()


def test_what_parts_bring_is_what_the_whole_brings(place: Path) -> None:
    """Where every unit that has evidence is looked at, nothing of a whole is of nobody."""
    found = kr.load(
        hundred_days(place, "funds vouchers", FUNDS.replace("funds >", "arrival_rate >"), models=("compound",))
    )
    start = past(found, AS_OF)
    chunk = futures(start, 7).chunk(0, DRAWS)
    arrived = [chunk.step(here)["vouchers"] for here in range(len(start.ticks))]
    gained = arrived[-1] - start.assessment.credited.units["vouchers"][-1][start.rows][:, None]
    parents = start.basis.parents
    below = np.zeros_like(gained)
    np.add.at(below, parents[parents >= 0], gained[parents >= 0])
    claims = start.assessment.credited.claims
    claiming = np.zeros(len(parents), dtype=np.bool_)
    claiming[claims.unit] = True
    departments = np.flatnonzero((start.units["kind"] == "department").to_numpy() & ~claiming & (below.sum(axis=1) > 0))
    assert len(departments)
    assert (gained[departments] == below[departments]).all()


def test_effort_of_a_part_is_in_the_whole(place: Path) -> None:
    found = kr.load(
        hundred_days(place, "funds effort", FUNDS.replace("funds >", "arrival_rate >"), models=("compound",))
    )
    start = past(found, AS_OF)
    of = futures(start, 7)
    members = of.layout.members
    assert members is not None
    one = of.chunk(0, DRAWS).step(0)["vouchers"]
    gained = one - start.assessment.credited.units["vouchers"][-1][start.rows][:, None]
    chosen = int(np.argmax(gained[members.follows].sum(axis=1)))
    part, home = int(members.follows[chosen]), int(start.basis.rows[members.home[chosen]])
    effort = np.full((len(start.rows), DRAWS), 1_000)
    effort[part] = 2_000
    other = of.chunk(0, DRAWS).step(0, effort)["vouchers"]
    more_of_part = (other - one)[part]
    assert (more_of_part > 0).any()
    assert ((other - one)[home] == more_of_part).all()


TREE = {
    "units": """\
        unit,name,parent,group,head
        city,City,,,
        finance,Finance,city,economic,P01
        books,Bookkeeping,finance,social,
        desk,Desk,books,,
        port,Port,city,social,
        quay,Quay,port,social,
        water,Water,city,social,P04
        """,
    "projects": TABLES["projects"]
    + "        J03,Quay,quay,industry,5000.00,2011-01-02,2011-01-03,2011-01-04\n"
    + "        J04,Desk,desk,industry,5000.00,2011-01-02,2011-01-03,2011-01-04\n"
    + "        J05,Hall,port,industry,5000.00,2011-01-02,2011-01-03,2011-12-04\n",
}


def test_the_units_that_are_forecast(tmp_path: Path) -> None:
    found = workspace(tmp_path, tables=TREE)
    start = past(found, AS_OF)
    assert start.basis.units["unit"].to_list() == ["finance", "quay", "water"]
    assert start.units["unit"].to_list() == ["finance", "water"]
    assert start.basis.home.tolist() == [-1, 0, 0, 0, -1, 1, 2]
    credited = evolve(start.assessment.credited, recognised=start.assessment.credited.recognised & False)
    nobody = Basis.of(found.tables.units, np.zeros(7, dtype=np.bool_), credited)
    assert nobody.units.is_empty()


@pytest.mark.parametrize("models", [("compound",), ("pipeline", "compound"), ("seasonal",)], ids="+".join)
def test_only_those_are_drawn_that_somebody_simulated_is_made_of(tmp_path: Path, models: tuple[str, ...]) -> None:
    arrivals = TABLES["arrivals"] + "        V04,J03,800.00,2011-04-10\n        V05,J04,70.00,2011-04-10\n"
    chosen = f"[forecast]\nmodels = {list(models)}\n"
    tables = {**TREE, "arrivals": arrivals}
    plain = workspace(tmp_path / "plain", tables=tables, toml=chosen)
    more = workspace(tmp_path / "more", tables=tables, toml=chosen + FUNDS)
    assert futures(past(plain, AS_OF), 7).units == ("finance", "water")
    of = futures(past(more, AS_OF), 7)
    assert of.units == ("finance", "quay", "water")
    assert of.layout.members is not None
    assert of.layout.members.units.tolist() == [2, 3]
    assert same(drawn(plain), drawn(more)) == 2


def test_whose_sum_is_not_forecast_is_said(tmp_path: Path) -> None:
    indicator = """
    [[indicator]]
    name = "beside"
    kind = "money"
    table = "results"
    value = "amount"
    """
    results = """\
        unit,indicator,amount,on
        finance,funds,200.00,2011-02-10
        finance,funds,300.00,2011-04-10
        port,funds,500.00,2011-03-10
        """
    tables = {**TREE, "results": results}
    toml = dedent(indicator) + RULE.format(name="all", when="at_month_end AND beside > 100")
    found = workspace(tmp_path, tables=tables, toml=toml)
    assert found.errors == []
    of = futures(past(found, AS_OF), 7)
    (said,) = (each for each in of.assumptions if each.what.startswith("beside"))
    assert (said.what, said.about, said.little) == ("beside stays at its last value", "1 unit without a target", True)
    units, steps = past(found, AS_OF).units["unit"].to_list(), of.chunk(0, 50)
    last = steps.step(0)["beside"]
    assert set(last[units.index("port")].tolist()) == {50_000}
    assert last[units.index("finance")].max() > 50_000
