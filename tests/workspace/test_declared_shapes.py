"""Shapes of published rules without Python: points, steps, tiers, peers, escalation, each with its published result."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

import kpi_rules as kr

YEAR_END = date(2011, 12, 31)


def assessed(tables: dict[str, object], completions: dict[str, float], groups: dict[str, str] | None = None) -> Any:  # noqa: ANN401 (a frame)
    """Assess units of one task of 100万 each, of which they bring in so much in December."""
    units = list(completions)
    config: dict[str, object] = {
        "year": {"start": date(2011, 1, 1), "end": YEAR_END},
        "credit": {"unvisited": "vouchers"},
        **tables,
    }
    amounts = [f"{round(completion * 10_000) * 100}" for completion in completions.values()]
    frames = {
        "units": pl.DataFrame({"unit": units, "name": units, "group": [(groups or {}).get(each) for each in units]}),
        "quotas": pl.DataFrame(
            {"unit": units, "indicator": ["funds"] * len(units), "amount": ["100万"] * len(units)}
        ).with_columns(effective=pl.lit("2011-01-01")),
        "projects": pl.DataFrame({"project": units, "unit": units}).with_columns(recognised_on=pl.lit("2011-01-02")),
        "arrivals": pl.DataFrame({"voucher": units, "project": units, "amount": amounts}).with_columns(
            arrived_on=pl.lit("2011-12-01")
        ),
    }
    workspace = kr.Workspace(config, frames)
    assert [problem.message for problem in workspace.problems] == []
    return kr.assess(workspace, as_of=YEAR_END)


def points(value: str, completions: dict[str, float], **more: object) -> dict[str, float | None]:
    """Return what an indicator is at the year end for units of these completions."""
    indicator = {"name": "points", "kind": "ratio", "value": value, **more}
    units = assessed({"indicator": [indicator]}, completions).units.filter(tick=YEAR_END)
    return dict(units.select("unit", "points").iter_rows())


def test_county_a_whole_steps_and_a_cap() -> None:
    """100 points for the task, 1 more per 10% over, 20 at most, 1 less per 1% short."""
    value = """
        CASE WHEN completion >= 1
        THEN 100 + least(20, floor((completion - 1) / 0.1))
        ELSE 100 - ceil((1 - completion) / 0.01) END
    """
    found = points(value, {"a": 1.2, "b": 3.2, "c": 0.88, "d": 1.0, "e": 0.8801})
    assert found == {"a": 102, "b": 120, "c": 88, "d": 100, "e": 88}


def test_county_b_nothing_below_the_task() -> None:
    """60 points for the task, 0.5 more per 10% over, 10 at most, nothing below it."""
    value = "CASE WHEN completion < 1 THEN 0 ELSE 60 + round(least(10, (completion - 1) / 0.1 * 0.5), 6) END"
    assert points(value, {"a": 0.999, "b": 1.0, "c": 1.3, "d": 3.0}) == {"a": 0, "b": 60, "c": 61.5, "d": 70}


def test_county_c_another_step_below() -> None:
    """1 point per 10% over, 1 less per 5% short."""
    value = "CASE WHEN completion >= 1 THEN floor((completion - 1) / 0.1) ELSE -ceil((1 - completion) / 0.05) END"
    assert points(value, {"a": 1.2, "b": 0.9, "c": 1.0}) == {"a": 2, "b": -2, "c": 0}


def test_a_tier_that_no_row_covers_is_null() -> None:
    value = "CASE WHEN completion >= 1 THEN 100 WHEN completion >= 0.8 AND signed >= 1 THEN 80 END"
    assert points(value, {"a": 1.0, "b": 0.9, "c": 0.5}) == {"a": 100, "b": None, "c": None}


def test_deductions_with_a_floor() -> None:
    value = "greatest(0, 10 - 2 * lag)"
    found = points(value, {"a": 1.0, "b": 0.0})
    assert found == {"a": 10, "b": 0}


def test_published_figures_are_rounded_half_up() -> None:
    """12.345% and 66.65%, to one decimal."""
    found = points("round(completion * 100, 1)", {"a": 0.1235, "b": 0.6665, "c": 1.2564})
    assert found == {"a": 12.4, "b": 66.7, "c": 125.6}


def test_min_max_scoring_among_peers() -> None:
    more = [
        {"name": "best", "kind": "ratio", "value": "completion", "within": "most"},
        {"name": "worst", "kind": "ratio", "value": "completion", "within": "least"},
        {"name": "points", "kind": "ratio", "value": "round(100 * (completion - worst) / (best - worst), 2)"},
    ]
    completions = {"a": 0.5, "b": 1.0, "c": 0.9, "d": 0.7}
    groups = dict.fromkeys("abc", "economic") | {"d": "social"}
    units = assessed({"indicator": more}, completions, groups).units.filter(tick=YEAR_END)
    assert dict(units.select("unit", "points").iter_rows()) == {"a": 0, "b": 100, "c": 80, "d": None}


def test_last_of_the_group_and_unmet() -> None:
    rule = {
        "name": "last",
        "kind": "talk",
        "subject": "unit",
        "when": "at_year_end AND rank = group_size AND completion < 1",
        "reason": "last of its group, {completion:.0%}",
    }
    groups = dict.fromkeys("ab", "economic") | dict.fromkeys("cd", "social")
    found = assessed({"rule": [rule]}, {"a": 0.5, "b": 0.6, "c": 1.1, "d": 1.2}, groups)
    assert found.events["unit"].to_list() == ["a"]
    assert found.measures["reason"].to_list() == ["last of its group, 50%"]


def test_escalation_by_quarters_without_anything() -> None:
    """A yellow card for a quarter without funds, a talk from the third in a row on."""
    tables: dict[str, object] = {
        "parameter": [{"name": "talk_after", "kind": "count", "value": 3, "minimum": 1}],
        "indicator": [
            {
                "name": "idle",
                "kind": "count",
                "value": "funds = 0 AND signed = 0",
                "counting": "consecutive",
                "at": "quarter_end",
            }
        ],
        "rule": [
            {
                "name": "card",
                "kind": "yellow_card",
                "subject": "head",
                "when": "at_quarter_end AND idle >= 1",
                "repeats": True,
                "reason": "{idle} quarters",
            },
            {
                "name": "talk",
                "kind": "talk",
                "subject": "head",
                "when": "at_quarter_end AND idle >= local.talk_after",
                "reason": "{idle} quarters",
            },
        ],
    }
    events = assessed(tables, {"a": 1.0, "b": 0.0}).events
    found = [(row["unit"], row["rule"], row["tick"].month) for row in events.sort("unit", "rule", "tick").to_dicts()]
    assert found == [
        *(("a", "local.card", month) for month in (3, 6, 9)),
        ("a", "local.talk", 9),
        *(("b", "local.card", month) for month in (3, 6, 9, 12)),
        ("b", "local.talk", 9),
    ]


@pytest.mark.parametrize(("completion", "veto"), [(0.99, True), (1.0, False)])
def test_veto(completion: float, veto: bool) -> None:  # noqa: FBT001 (a case)
    indicator = {"name": "veto", "kind": "flag", "value": "completion < 1"}
    units = assessed({"indicator": [indicator]}, {"a": completion}).units.filter(tick=YEAR_END)
    assert units["veto"].to_list() == [veto]
