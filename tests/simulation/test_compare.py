"""Compare: nothing against itself, the opposite the other way round, and draw by draw what both simulations say."""

from __future__ import annotations

from datetime import date
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.simulation.intervals import Z
from tests.pipeline.making import TABLES, workspace
from tests.simulation.test_simulate import CAMPAIGN, POLICIES, refused

if TYPE_CHECKING:
    from pathlib import Path

MID, LATER = date(2011, 6, 30), date(2012, 2, 29)
DRAWS = 40
INTERVALS = (("units", "tick"), ("rules", "rule"), ("money", "kind"))


def simulated(found: kr.Workspace, draws: int = DRAWS) -> kr.Simulation:
    assert found.errors == []
    return kr.simulate(found, MID, draws=draws, until=LATER)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compared")


@pytest.fixture(scope="module")
def base(place: Path) -> kr.Workspace:
    return workspace(place / "base", enabled=POLICIES, toml=CAMPAIGN)


@pytest.fixture(scope="module")
def a(base: kr.Workspace) -> kr.Simulation:
    return simulated(base)


@pytest.fixture(scope="module")
def b(base: kr.Workspace) -> kr.Simulation:
    values = {"pay_withholding.section_below": 0.9, "field_duty.station_gap": 0.01, "rewards.bonus_rate": 0.5}
    return simulated(base.with_parameters(values))


def test_nothing_differs_from_itself(base: kr.Workspace, a: kr.Simulation) -> None:
    for other in (a, simulated(base)):
        found = kr.compare(a, other)
        for name, _about in (*INTERVALS, ("totals", "what")):
            frame = getattr(found, name)
            assert len(frame)
            assert set(frame.select("difference", "low", "high").rows()) == {(0.0, 0.0, 0.0)}
        months = found.rules.drop_nulls("months").select("months", "months_low", "months_high")
        assert set(months.rows()) == {(0.0, 0.0, 0.0)}
        assert found.changed.is_empty()
        assert found.only_a == found.only_b == []


def test_the_other_way_round_is_the_opposite(a: kr.Simulation, b: kr.Simulation) -> None:
    forth, back = kr.compare(a, b), kr.compare(b, a)
    assert not forth.changed.is_empty()
    for name, about in INTERVALS:
        one, other = getattr(forth, name), getattr(back, name)
        assert one.select("unit", about).equals(other.select("unit", about))
        assert one["difference"].to_list() == (-other["difference"]).to_list()
        assert one["low"].to_list() == (-other["high"]).to_list()
        assert one["high"].to_list() == (-other["low"]).to_list()
    assert forth.changed["a_only"].to_list() == back.changed["b_only"].to_list()
    assert (forth.totals["difference"] != 0).any()
    assert forth.totals["difference"].to_list() == (-back.totals["difference"]).to_list()


def test_differences_are_those_of_the_draws(a: kr.Simulation, b: kr.Simulation) -> None:
    found, of_a, of_b = kr.compare(a, b), a.job.run(0, DRAWS), b.job.run(0, DRAWS)
    units = a.past.units["unit"].to_list()
    assert units == b.past.units["unit"].to_list()
    days = [tick.on for tick in a.ticks]
    for row in found.units.rows(named=True):
        here, place = days.index(row["tick"]), units.index(row["unit"])
        in_a, in_b = of_a.met(here)[place], of_b.met(here)[place]
        assert (row["chance_a"], row["chance_b"]) == (in_a.mean(), in_b.mean())
        assert row["difference"] == pytest.approx(in_b.mean() - in_a.mean(), abs=1e-15)
    for row in found.rules.rows(named=True):
        place = units.index(row["unit"])
        in_a, in_b = of_a.hit[row["rule"]][place], of_b.hit[row["rule"]][place]
        assert (row["chance_a"], row["chance_b"]) == (in_a.mean(), in_b.mean())
        differing = in_b.astype(int) - in_a
        assert row["high"] - row["low"] == pytest.approx(2 * Z * differing.std() / sqrt(DRAWS))
        if row["months"] is not None:
            lasting = of_b.months[row["rule"]][place].astype(int) - of_a.months[row["rule"]][place]
            assert row["months"] == pytest.approx(lasting.mean(), abs=1e-15)
            assert row["months_high"] - row["months_low"] == pytest.approx(2 * Z * lasting.std() / sqrt(DRAWS))
    for row in found.money.rows(named=True):
        moved = of_b.money[row["kind"]][units.index(row["unit"])] - of_a.money[row["kind"]][units.index(row["unit"])]
        assert row["difference"] == pytest.approx(moved.mean())
        assert row["high"] - row["low"] == pytest.approx(2 * Z * moved.std() / sqrt(DRAWS))
    for row in found.totals.rows(named=True):
        values = b.per_draw(row["what"]) - a.per_draw(row["what"])
        assert row["difference"] == pytest.approx(values.mean())
        assert row["q50"] == np.sort(values)[-(-50 * DRAWS // 100) - 1]
    for row in found.changed.filter(pl.col("what") != "").rows(named=True):
        place = units.index(row["unit"])
        in_a, in_b = of_a.hit[row["what"]][place], of_b.hit[row["what"]][place]
        assert (row["a_only"], row["b_only"]) == ((in_a & ~in_b).mean(), (in_b & ~in_a).mean())


@pytest.mark.parametrize("rows", [29, 10**6])
def test_chunks_change_nothing(a: kr.Simulation, b: kr.Simulation, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = kr.compare(a, b)
    monkeypatch.setattr("kpi_rules.simulation.run.ROWS", rows)
    parts = kr.compare(a, b)
    for name in ("units", "rules", "money", "totals", "changed"):
        assert getattr(parts, name).equals(getattr(whole, name))


def test_other_quotas_meet_the_same_futures(place: Path, a: kr.Simulation) -> None:
    quotas = {"quotas": TABLES["quotas"].replace("1000.00", "1500.00")}
    harder = simulated(workspace(place / "quotas", enabled=POLICIES, toml=CAMPAIGN, tables=quotas))
    found = kr.compare(a, harder)
    assert (found.units["difference"] <= 0).all()
    assert (found.units["difference"] < 0).any()
    assert a.tally.last[0].tolist() == harder.tally.last[0].tolist()


def test_a_campaign_more_is_compared_at_the_ticks_of_both(place: Path, a: kr.Simulation) -> None:
    more = CAMPAIGN + '\n[[campaign]]\nid = "d"\nname = "Winter"\nstart = 2011-12-01\nend = 2011-12-20\nshare = 0.1\n'
    found = kr.compare(a, simulated(workspace(place / "campaign", enabled=POLICIES, toml=more)))
    assert set(found.units["tick"]) == {tick.on for tick in a.ticks}


def test_policies_on_and_off(place: Path, a: kr.Simulation) -> None:
    without = simulated(workspace(place / "policies", enabled=("pay_withholding",), toml=CAMPAIGN))
    found = kr.compare(a, without)
    assert (found.units["difference"] == 0).all()
    gone = found.rules.filter(pl.col("rule").str.starts_with("field_duty"))
    assert len(gone)
    assert (gone["chance_b"] == 0).all()
    assert gone["difference"].to_list() == (-gone["chance_a"]).to_list()
    held = found.money.filter(kind="withheld")
    assert len(held)
    assert (held["difference"] == 0).all()


def test_units_of_one_alone_are_listed(place: Path, a: kr.Simulation) -> None:
    tables = {
        "units": TABLES["units"].replace("books,Bookkeeping", "desk,Desk"),
        "staff": TABLES["staff"].replace("books", "desk"),
    }
    other = simulated(workspace(place / "units", enabled=POLICIES, toml=CAMPAIGN, tables=tables))
    found = kr.compare(a, other)
    assert set(found.units["unit"]) <= {"finance", "water", "city"}
    kept_a, kept_b = set(a.past.units["unit"]), set(other.past.units["unit"])
    assert (found.only_a, found.only_b) == (sorted(kept_a - kept_b), sorted(kept_b - kept_a))
    assert "books" in found.only_a or "books" not in kept_a


def test_what_cannot_be_compared_is_refused(place: Path, base: kr.Workspace, a: kr.Simulation) -> None:
    other = kr.simulate(base, date(2011, 7, 31), draws=DRAWS + 1, seed=2, until=LATER)
    assert refused(lambda: kr.compare(a, other)) == [
        "seed: found 1 | 2; expected the same in both",
        f"draws: found {DRAWS} | {DRAWS + 1}; expected the same in both",
        "as_of: found 2011-06-30 | 2011-07-31; expected the same in both",
    ]
    names = {"finance": "f", "books": "b", "water": "w", "city": "c"}
    tables = dict(TABLES)
    for old, new in names.items():
        tables = {
            name: text.replace(f"{old},", f"{new},").replace(f",{old}", f",{new}") for name, text in tables.items()
        }
    strangers = simulated(workspace(place / "strangers", enabled=POLICIES, toml=CAMPAIGN, tables=tables))
    assert refused(lambda: kr.compare(a, strangers)) == [
        "units: found no unit in both; expected at least one unit that both simulate"
    ]
