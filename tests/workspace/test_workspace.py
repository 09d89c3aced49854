"""The workspace as a whole: names, errors, frames in memory, other parameters."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

import kpi_rules as kr

EXAMPLE = Path(__file__).parents[2] / "examples" / "worked-example"
WS = kr.load(EXAMPLE)
BELOW = "field_duty.off_post_below"
CONFIG: dict[str, object] = {
    "workspace": {"currency": "CNY", "primary": "funds"},
    "year": {"start": date(2011, 1, 1), "end": date(2011, 12, 31)},
    "pace": {"curve": "months", "tolerance": Decimal("0.1")},
    "pay": {"component": "pay"},
    "plugins": {"enabled": ["rewards"]},
}
FRAMES = {
    "units": pl.DataFrame({"unit": ["a"], "name": ["A"]}),
    "quotas": pl.DataFrame({"unit": ["a"], "indicator": ["funds"], "amount": ["10"], "effective": ["2011-01-01"]}),
}


def test_a_folder_and_its_kpi_toml_are_the_same_workspace() -> None:
    other = kr.load(EXAMPLE / "kpi.toml")
    assert WS.folder == other.folder == EXAMPLE
    assert WS.name == "Worked example: five departments, one year"
    assert other.tables.arrivals.equals(WS.tables.arrivals)
    assert WS.errors == []


def test_loading_never_raises(tmp_path: Path) -> None:
    for place in (tmp_path / "none", tmp_path, Path(__file__)):
        found = kr.load(place)
        assert found.config is None
        assert found.name == place.name
        assert [problem.severity for problem in found.errors] == ["error"]
        assert found.quarantine.is_empty()
        with pytest.raises(kr.AssessmentError):
            kr.assess(found)


def test_without_a_usable_year_all_else_is_read_and_nothing_is_assessed() -> None:
    found = kr.Workspace({"plugins": {"enabled": ["field_duty", "reward"]}}, FRAMES)
    assert [problem.code for problem in found.errors] == ["unknown-plugin", "missing-section"]
    assert (found.config, found.origin) == (None, None)
    assert found.tables.units.height == FRAMES["units"].height
    assert "field_duty.station_gap" in found.parameters.declared
    with pytest.raises(kr.AssessmentError):
        kr.assess(found)
    with pytest.raises(ValueError, match="no section"):
        found.with_edits([kr.ParameterEdit("field_duty.station_gap", Decimal("0.3"))])


def test_a_workspace_in_memory() -> None:
    found = kr.Workspace(CONFIG, FRAMES)
    assert found.problems == []
    assert (found.folder, found.name) == (None, "")
    assert kr.assess(found).units["funds_quota"].unique().to_list() == [1000]
    broken = kr.Workspace(CONFIG, {**FRAMES, "unit": FRAMES["units"]})
    assert [(problem.code, problem.nearest) for problem in broken.problems] == [("unknown-table", "units")]
    lazy = kr.Workspace(CONFIG, {name: frame.lazy() for name, frame in FRAMES.items()})
    assert lazy.problems == []
    assert lazy.tables.quotas.equals(found.tables.quotas)


def test_other_parameters_leave_the_workspace_as_it_is() -> None:
    other = WS.with_parameters({BELOW: 0.4, "rewards.bonus_rate": Decimal("0.5")})
    day = date(2011, 11, 8)
    assert other.parameters.at(BELOW, day, None).value == Decimal("0.4")
    assert other.parameters.at("rewards.bonus_rate", day, None).value == Decimal("0.5")
    assert WS.parameters.at(BELOW, day, None).value == Decimal("0.5")
    assert other.parameters.at("field_duty.station_gap", day, None) == WS.parameters.at(
        "field_duty.station_gap", day, None
    )


def test_other_parameters_may_be_dated_and_for_groups() -> None:
    other = WS.with_parameters(
        {BELOW: [{"value": 0.3}, {"value": 0.2, "from": date(2011, 7, 1)}, {"value": 0.1, "group": "social"}]}
    )
    found = [
        other.parameters.at(BELOW, day, group).value
        for day, group in (
            (date(2011, 6, 30), None),
            (date(2011, 7, 1), None),
            (date(2011, 7, 1), "economic"),
            (date(2011, 7, 1), "social"),
        )
    ]
    assert found == [Decimal(value) for value in ("0.3", "0.2", "0.2", "0.1")]


def test_other_parameters_change_what_is_decided() -> None:
    def off_post(ws: kr.Workspace) -> set[str]:
        found = kr.assess(ws, as_of=date(2011, 11, 8)).events
        return set(found.filter(pl.col("rule") == "field_duty.off_post")["unit"])

    assert off_post(WS.with_parameters({BELOW: 0})) == set()
    everyone = off_post(WS.with_parameters({BELOW: 10}))
    assert off_post(WS) < everyone
    assert everyone == set(WS.tables.quotas["unit"]) - {
        unit
        for unit, completion in kr.assess(WS, as_of=date(2011, 11, 8))
        .units.filter(pl.col("tick") == date(2011, 11, 8))
        .select("unit", "completion")
        .rows()
        if completion is not None and completion >= 1
    }


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"field_duty.off_post_belo": 0.4}, rf"no parameter field_duty.off_post_belo \(nearest: {BELOW}\)"),
        ({BELOW: 11}, "from 0 to 10, both inclusive"),
        ({BELOW: -0.1}, "from 0 to 10, both inclusive"),
        ({BELOW: "half"}, "a decimal of at most nine places"),
        ({BELOW: 0.1234567891}, "a decimal of at most nine places"),
        ({BELOW: [{"value": 0.5, "group": "econommic"}]}, "nearest: economic"),
        ({BELOW: [{"value": 0.5}, {"value": 0.6}]}, "expected one value for each date and group"),
        ({BELOW: [{"from": date(2011, 7, 1)}]}, "found no key value"),
        ({BELOW: []}, r"found \[\]; expected a decimal of at most nine places"),
    ],
)
def test_values_that_are_not_valid_say_what_would_be(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        WS.with_parameters(values)
    assert "field_duty.off_post_belo" in str(raised.value)
