"""The indicators of policies in an explanation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import kpi_rules as kr
from tests.pipeline.making import workspace

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """
@hookimpl
def kpi_indicators():
    tier = pl.when(unit.completion < 0.5).then(2.5).otherwise(7.0)
    return [
        Indicator("mills", "money", pl.col("credited"), table="projects", label="Mills"),
        Indicator("points", "ratio", tier, rows={"1": unit.completion < 0.5, "2": unit.completion >= 0.5}),
        Indicator("of_the_best", "ratio", unit.funds / unit.best, label="Against the best"),
        Indicator("best", "money", unit.funds, within="most"),
        Indicator("nothing", "ratio", unit.signed / unit.started),
        Indicator("late", "flag", unit.pace_gap > 0.1),
    ]
"""


def test_each_says_what_it_was_made_of(tmp_path: Path) -> None:
    found = kr.assess(workspace(tmp_path, policies={"card.py": POLICY})).explain("finance")
    lines = found.to_text().splitlines()
    at = lines.index("  indicators of policies")
    assert lines[at + 1 :] == [
        "    best: 300.00; from funds 300.00",
        "    late: yes; from pace_gap 70.00%",
        "    mills (Mills): 300.00",
        "    of_the_best (Against the best): 1; from funds 300.00, best 300.00",
        "    points: 2.5; from completion 30.00%; row 1",
    ]
    assert [each.name for each in found.added] == ["best", "late", "mills", "of_the_best", "points"]
    points = found.added[-1].to_dict()
    assert points["value"] == 2.5
    assert points["row"] == "1"
    assert points["plugin"] == "card"
    assert found.to_dict()["added"] == [each.to_dict() for each in found.added]


def test_an_indicator_of_money_that_is_primary_is_written_as_money(tmp_path: Path) -> None:
    found = workspace(
        tmp_path,
        policies={"card.py": POLICY},
        tables={"quotas": "unit,indicator,amount,effective\nfinance,mills,1000.00,2011-01-01\n"},
    )
    assert found.config is not None
    toml = (tmp_path / "kpi.toml").read_text(encoding="utf-8").replace('primary = "funds"', 'primary = "mills"')
    (tmp_path / "kpi.toml").write_text(toml, encoding="utf-8")
    text = kr.assess(kr.load(tmp_path)).explain("finance").to_text()
    assert text.splitlines()[1] == "  mills 300.00, quota 1000.00, completion 30.00%, expected 100.00%"
