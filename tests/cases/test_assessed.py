"""Cases of a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cases.making import report, told

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 'source = "letter 40"\n[[case]]\nname = "march"\nas_of = 2011-03-31\nnote = "a misprint"\n'


def test_what_holds(tmp_path: Path) -> None:
    text = (
        HEAD
        + """
[[case.expect]]
frame = "units"
where = { unit = "finance", tick = 2011-03-31 }
equals = { funds = "300万", completion = "38%", expected = 0.25, pace_gap = "12.5 points ahead", lag = 0 }
differs = { completion = "37.4%" }

[[case.expect]]
frame = "units"
where = { unit = "culture" }
rows = 3
empty = ["completion", "rank"]

[[case.expect]]
frame = "waterfall"
where = { project = "P1", recognised = true }
sums = { shared = "300万" }

[[case.expect]]
frame = "ledger"
rows = 0
"""
    )
    assert told(report(tmp_path, text)) == []


def test_what_does_not(tmp_path: Path) -> None:
    text = (
        HEAD
        + """
[[case.expect]]
frame = "units"
where = { unit = "finance", tick = 2011-03-31 }
equals = { funds = "300.01万", completion = "37.4%", pace_gap = "12.5 points behind", lag = 1, rank = 1 }
differs = { completion = "37.5%" }
empty = ["funds_quota"]

[[case.expect]]
frame = "units"
where = { unit = "finance" }
equals = { funds = "300万" }

[[case.expect]]
frame = "waterfall"
where = { project = "P1" }
sums = { shared = "0" }
"""
    )
    where = "units[unit=finance, tick=2011-03-31]"
    assert told(report(tmp_path, text)) == [
        f"march: 10: {where}: funds: 300.01万 | 300万",
        f"march: 10: {where}: completion: 37.4% | 37.5%",
        f"march: 10: {where}: pace_gap: 12.5 points behind | -12.5 points behind",
        f"march: 10: {where}: lag: 1 | 0",
        f"march: 11: {where}: completion: not 37.5% | 37.5%",
        f"march: 12: {where}: funds_quota: nothing | 800万",
        "march: 16: units[unit=finance]: rows: 1 | 3",
        "march: 22: waterfall[project=P1]: sum of shared: 0 | 300万",
    ]


def test_what_was_known_and_decided(tmp_path: Path) -> None:
    text = """source = "letter 40"
[[case]]
name = "as known at mid-year nothing more had come"
as_of = 2011-12-31
expect = [
    { frame = "units", where = { unit = "finance", tick = 2011-12-31 }, equals = { funds = "1001万" } },
    { frame = "measures", where = { rule = "rewards.bonus" }, equals = { amount = "2010" } },
]

[[case]]
name = "a bonus that was refused"
as_of = 2011-12-31
decisions = [{ measure = "2011/rewards.bonus/finance/2011-12-31", decision = "rejected", on = 2011-12-31 }]
expect = [{ frame = "events", where = { rule = "rewards.bonus" }, rows = 0 }]
"""
    assert told(report(tmp_path, text)) == []


def test_coverage_of_a_workspace_counts_every_tick(tmp_path: Path) -> None:
    text = HEAD.replace("2011-03-31", "2011-12-31") + 'expect = [{ frame = "ledger", rows = 0 }]\n'
    found = report(tmp_path, text)
    bonus = next(seen for seen in found.rules if seen.rule == "rewards.bonus")
    (bound,) = bonus.bounds
    assert bonus.events["issued"] >= 1
    assert bound.text == "funds > funds_quota"
    assert (bound.yes >= 3, bound.no >= 9) == (True, True)


def test_what_several_cases_look_at_is_counted_once(tmp_path: Path) -> None:
    one = HEAD.replace("2011-03-31", "2011-12-31") + 'expect = [{ frame = "ledger", rows = 0 }]\n'
    again = one + '[[case]]\nname = "again"\nas_of = 2011-12-31\nexpect = [{ frame = "ledger", rows = 0 }]\n'
    first, second = (report(tmp_path / name, text) for name, text in (("one", one), ("again", again)))
    assert len(second.results) == len(first.results) + 1
    assert second.rules == first.rules
