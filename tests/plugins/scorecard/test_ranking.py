"""The ranking of each track as a table, whom prizes and lists name, and the commands that show both."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Any

import polars as pl
from click.testing import CliRunner

import kpi_rules as kr
from kpi_rules.cli import main
from kpi_rules.cli.output import to_xlsx
from kpi_scorecard import listed, ranking

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

YEAR_END = date(2011, 12, 31)
CARD: dict[str, Any] = {
    "track": [
        {
            "name": "main",
            "missing": "leave",
            "grade": [{"name": "A", "when": ["score >= 90"]}, {"name": "B", "when": ["score < 90"]}],
        },
        {"name": "side", "missing": "leave"},
    ],
    "item": [
        {
            "track": "main",
            "name": "funds",
            "indicator": "funds",
            "points": 60,
            "below": "proportional",
            "above": "full",
        },
        {"track": "main", "name": "rank", "indicator": "signed", "points": 40, "below": "zero", "above": "full"},
    ],
    "table": [
        {
            "track": "side",
            "name": "speed",
            "domain": ["funds_completion >= 0.5"],
            "row": [
                {"points": 10, "when": ["funds_completion >= 1"]},
                {"points": 5, "when": ["0.5 <= funds_completion < 1"]},
            ],
        }
    ],
    "veto": [{"track": "main", "name": "out", "when": ["kind = exempt"], "effect": "exclude"}],
    "prize": [{"track": "main", "name": "first", "label": "First prize", "top": 1, "amount": "5万"}],
    "black_list": [{"track": "main", "name": "behind", "last": 1}],
}


def workspace(card: dict[str, Any] = CARD, plugins: tuple[str, ...] = ("scorecard",)) -> kr.Workspace:
    """Five units: three of a group, one of them vetoed, one without a task, one without a group."""
    units = pl.DataFrame(
        {
            "unit": ["a", "b", "c", "d", "e"],
            "name": ["Alder", "Birch", "Cedar", "Dogwood", "Elm"],
            "group": ["trees", "trees", "trees", "trees", None],
            "kind": [None, None, "exempt", None, None],
        }
    )
    tasks = ["a", "b", "c", "e"]
    quotas = pl.DataFrame(
        {
            "unit": [*tasks, "b"],
            "indicator": ["funds"] * 4 + ["signed"],
            "amount": ["100万"] * 4 + ["1"],
            "effective": ["2011-01-01"] * 5,
        }
    )
    projects = pl.DataFrame(
        {"project": [f"J{unit}" for unit in tasks], "unit": tasks, "recognised_on": ["2011-02-01"] * 4}
    ).with_columns(signed_on=pl.lit("2011-02-01"))
    arrivals = pl.DataFrame(
        {
            "voucher": [f"V{unit}" for unit in tasks],
            "project": [f"J{unit}" for unit in tasks],
            "amount": ["20万", "50万", "100万", "100万"],
            "arrived_on": ["2011-03-01"] * 4,
        }
    )
    config: dict[str, object] = {
        "year": {"start": date(2011, 1, 1), "end": YEAR_END},
        "credit": {"unvisited": "vouchers"},
        "plugins": {"enabled": list(plugins)},
    }
    if "scorecard" in plugins:
        config["scorecard"] = card
    found = kr.Workspace(config, {"units": units, "quotas": quotas, "projects": projects, "arrivals": arrivals})
    assert found.errors == [], [problem.message for problem in found.errors]
    return found


def test_a_track_is_the_table_an_office_publishes() -> None:
    found = ranking(kr.assess(workspace()))
    assert list(found) == ["main", "side"]
    assert found["main"].columns == [
        *("group", "rank", "unit", "name", "funds", "score_main_rank", "score", "grade", "veto", "last", "remark")
    ]
    assert found["main"].rows() == [
        ("trees", 1, "b", "Birch", 30.0, 40.0, 70.0, "B", False, 3, ""),
        ("trees", 2, "a", "Alder", 12.0, None, 12.0, "B", False, 1, "no target: score_main_rank"),
        ("trees", None, "c", "Cedar", 60.0, None, 60.0, "B", True, 2, "no target: score_main_rank"),
        (None, None, "e", "Elm", 60.0, None, 60.0, "B", False, None, "no target: score_main_rank"),
    ]


def test_what_nothing_covers_is_said_and_has_no_rank() -> None:
    side = ranking(kr.assess(workspace()))["side"]
    rows = {row["unit"]: row for row in side.to_dicts()}
    assert (rows["a"]["rank"], rows["a"]["score"], rows["a"]["remark"]) == (None, None, "not covered: speed")
    assert (rows["c"]["rank"], rows["c"]["score"], rows["c"]["remark"]) == (1, 10.0, "")
    assert (rows["c"]["grade"], rows["c"]["veto"]) == (None, None)
    assert "d" not in rows  # without any target there is nothing to rank


def test_the_last_tick_is_shown() -> None:
    before = ranking(kr.assess(workspace(), as_of=date(2011, 2, 28)))["main"]
    assert set(before.filter(pl.col("unit") == "b")["funds"]) == {0.0}


def test_a_workspace_without_tracks_has_no_ranking() -> None:
    a = kr.assess(workspace({}))
    assert ranking(a) == {}
    assert listed(a).rows() == []


def test_lists_name_units_with_their_labels() -> None:
    found = listed(kr.assess(workspace()))
    assert found.select("kind", "label", "unit", "name", "started", "status", "amount").rows() == [
        ("prize", "First prize", "b", "Birch", YEAR_END, "issued", 5_000_000),
        ("black_list", "behind", "a", "Alder", YEAR_END, "issued", None),
    ]


def test_other_measures_are_on_no_list() -> None:
    a = kr.assess(workspace(plugins=("supervision",)))
    assert a.measures.height
    assert listed(a).rows() == []


def test_items_named_like_tracks_stay_apart() -> None:
    item = {"indicator": "funds", "points": Decimal(1), "below": "zero", "above": "full"}
    card = {
        "track": [{"name": "a", "missing": "leave"}, {"name": "a_b", "missing": "leave"}],
        "item": [{**item, "track": "a", "name": "x"}, {**item, "track": "a_b", "name": "y"}],
    }
    found = ranking(kr.assess(workspace(card)))
    assert "x" in found["a"].columns
    assert "b_y" not in found["a"].columns
    assert "y" in found["a_b"].columns


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_commands_show_both(tmp_path: Path) -> None:
    folder = tmp_path / "card"
    assert run("init", folder).exit_code == 0
    text = (folder / "kpi.toml").read_text(encoding="utf-8")
    card = """
[[scorecard.track]]
name = "year"
missing = "leave"

[[scorecard.item]]
name = "funds"
indicator = "funds"
points = 100
below = "proportional"
above = "full"

[[scorecard.red_list]]
name = "done"
when = ["funds_completion >= 1"]
"""
    (folder / "kpi.toml").write_text(text + card, encoding="utf-8")
    done = run("scorecard", "ranking", folder, "--format", "json")
    assert done.exit_code == 0, done.stderr
    assert [row["score"] for row in json.loads(done.stdout)["year"]] == [100.0, 37.5]
    done = run("scorecard", "ranking", folder)
    assert done.stdout.split()[:4] == ["group", "rank", "unit", "name"]
    done = run("scorecard", "lists", folder)
    assert "red_list" in done.stdout
    assert run("scorecard", "ranking", "examples/worked-example").exit_code == 2


def test_a_workbook_takes_any_name_of_a_track() -> None:
    item = {"indicator": "funds", "points": Decimal(1), "below": "zero", "above": "full"}
    names = ["history", "Main", "main", "县" * 40, "县" * 41]
    card = {
        "track": [{"name": name, "missing": "leave"} for name in names],
        "item": [{**item, "track": name, "name": "x"} for name in names],
    }
    tables = ranking(kr.assess(workspace(card)))
    assert sorted(tables) == sorted(names)
    sheets = pl.read_excel(BytesIO(to_xlsx(tables)), sheet_id=0)
    assert list(sheets) == ["Main", "history_2", "main_2", "县" * 31, "县" * 29 + "_2"]
    assert all("x" in sheet.columns for sheet in sheets.values())
