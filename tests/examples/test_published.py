"""Published results of real places: percentages and gaps against pace, to the decimals that were printed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import kpi_rules as kr

EXAMPLES = Path(__file__).parents[2] / "examples"
FEN_PER_WAN = 1_000_000


def results(name: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return what was published and, by unit, what the engine finds at that date."""
    published: dict[str, Any] = json.loads((EXAMPLES / name / "expected.json").read_text(encoding="utf-8"))
    workspace = kr.load(EXAMPLES / name)
    assert [problem.message for problem in workspace.problems] == []
    as_of = date.fromisoformat(published["as_of"])
    rows = kr.assess(workspace, as_of=as_of).units.to_dicts()
    return published, {row["unit"]: row for row in rows if row["tick"] == as_of}


def printed(share: float, like: str) -> str:
    """Write a share as percent or points with as many decimals as the published figure has."""
    return f"{100 * share:.{len(like.partition('.')[2])}f}"


@pytest.mark.parametrize("name", ["panzhihua-2006", "luxi", "guichi"])
def test_the_published_figures(name: str) -> None:
    published, found = results(name)
    for unit, figures in published["units"].items():
        row = found[unit]
        assert row["funds"] == figures["arrived_wan"] * FEN_PER_WAN
        assert printed(row["completion"], figures["percent"]) == figures["percent"]
        assert printed(row["expected"], published["pace"]) == published["pace"]
        if figures["points"] is not None:
            assert printed(-row["pace_gap"], figures["points"]) == figures["points"]


def test_panzhihua_adds_up() -> None:
    _, found = results("panzhihua-2006")
    parts = [row for unit, row in found.items() if unit != "panzhihua"]
    assert found["panzhihua"]["funds"] == sum(row["funds"] for row in parts)
    assert found["panzhihua"]["funds_quota"] == sum(row["funds_quota"] for row in parts)


def test_guichi_counts_projects() -> None:
    published, found = results("guichi")
    figures, row = published["units"]["guichi"], found["guichi"]
    assert row["signed"] == figures["signed"]
    assert printed(row["signed_completion"], figures["signed_percent"]) == figures["signed_percent"]


def test_luxi_was_misprinted() -> None:
    published, found = results("luxi")
    printed_wrongly = published["misprints"]["second"]["points"]
    assert printed(-found["second"]["pace_gap"], printed_wrongly) != printed_wrongly
