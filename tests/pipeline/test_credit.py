"""Verify and credit: the shipped checks, and what policies add: credits, indicators."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest

import kpi_rules as kr
from tests.pipeline.making import workspace
from tests.pipeline.test_checks import CASES

if TYPE_CHECKING:
    from pathlib import Path

ARRIVALS = """
    voucher,project,amount,arrived_on
    V01,J01,300.00,2011-03-10
    V02,J01,300.00,2011-03-10
    V03,J01,200.00,2011-03-11
    V04,J02,900.00,2011-01-01
    V05,J02,5200.00,2011-09-10
    """
PROJECTS = """
    project,name,unit,sector,contracted,signed_on,declared_on,recognised_on
    J01,Mill,finance,industry,5000.00,2011-01-02,2011-01-10,2011-01-04
    J02,Dam,water,energy,5000.00,2011-01-02,2011-01-03,2011-01-04
    J03,Dam,water,energy,5000.00,2011-01-02,2011-01-03,2011-01-04
    J04,,water,energy,5000.00,2011-01-02,2011-01-03,2011-01-04
    J05,,water,energy,5000.00,2011-01-02,2011-01-03,2011-01-04
    """
VISITS = """
    visit,project,visited_on,assessed_amount
    S01,J01,2011-03-20,900.00
    S02,J02,2011-10-10,6000.00
    """
TABLES = {"arrivals": ARRIVALS, "projects": PROJECTS, "visits": VISITS}
FOUND = {
    "repeated_voucher": ("arrivals", "V02", "voucher V02 repeats amount and day of another voucher of project J01"),
    "arrived_before_signing": (
        "arrivals",
        "V04",
        "voucher V04 arrived on 2011-01-01, before project J02 was signed on 2011-01-02",
    ),
    "above_contract": (
        "projects",
        "J02",
        "the vouchers of project J02, 6100.00, come to more than its contract, 5000.00",
    ),
    "above_evaluation": (
        "projects",
        "J02",
        "the vouchers of project J02, 6100.00, come to more than its last site evaluation, 6000.00",
    ),
    "project_declared_twice": ("projects", "J03", "project J03 has name, sector and contract of another project"),
    "recognised_before_declared": (
        "projects",
        "J01",
        "project J01 was recognised on 2011-01-04, before it was declared on 2011-01-10",
    ),
}
FUNDS = {"finance": 80_000, "water": 600_000}
WITHOUT = {
    "repeated_voucher": {"finance": 50_000},
    "arrived_before_signing": {"water": 520_000},
    "above_contract": {"water": 0},
    "above_evaluation": {"water": 0},
    "project_declared_twice": {},
    "recognised_before_declared": {"finance": 0},
}


def funds(found: kr.Assessment) -> dict[str, int]:
    last = found.units.filter(pl.col("tick") == found.ticks[-1].on)
    return {unit: amount for unit, amount in last.select("unit", "funds").rows() if unit in FUNDS}


def test_every_check_that_is_shipped_is_tested(tmp_path: Path) -> None:
    assert workspace(tmp_path).plugins.checks.keys() == FOUND.keys() | CASES.keys()
    assert FOUND.keys() == WITHOUT.keys()


@pytest.mark.parametrize("code", FOUND)
@pytest.mark.parametrize("effect", ["flag", "exclude", "off"])
def test_a_check_finds_its_row_and_does_what_the_workspace_says(tmp_path: Path, code: str, effect: str) -> None:
    off = "\n".join(f'{name} = "{effect if name == code else "off"}"' for name in FOUND)
    found = kr.assess(workspace(tmp_path, tables=TABLES, toml=f"[checks]\n{off}"))
    table, key, message = FOUND[code]
    severity = "note" if code == "above_evaluation" else "warning"
    wanted = [] if effect == "off" else [(code, severity, effect, table, key, message)]
    assert found.findings.rows() == wanted
    visited = FUNDS | (WITHOUT[code] if effect == "exclude" else {})
    assert funds(found) == visited


def test_checks_flag_unless_told_otherwise(tmp_path: Path) -> None:
    found = kr.assess(workspace(tmp_path, tables=TABLES))
    assert sorted(found.findings.select("code", "effect").rows()) == sorted((code, "flag") for code in FOUND)
    assert funds(found) == FUNDS


def test_excluding_is_by_id_where_two_files_share_row_numbers(tmp_path: Path) -> None:
    place = tmp_path / "w"
    workspace(place, tables=TABLES, toml='[checks]\nrepeated_voucher = "exclude"')
    (place / "more.csv").write_text(
        "voucher,project,amount,arrived_on\nV11,J01,1.00,2011-04-01\nV12,J01,2.00,2011-04-01\n", encoding="utf-8"
    )
    text = (place / "kpi.toml").read_text(encoding="utf-8")
    text = text.replace('arrivals = "arrivals.csv"', 'arrivals = ["arrivals.csv", "more.csv"]')
    (place / "kpi.toml").write_text(text, encoding="utf-8")
    found = kr.assess(kr.load(place))
    assert found.findings.filter(pl.col("effect") == "exclude")["key"].to_list() == ["V02"]
    assert funds(found)["finance"] == 50_000 + 300


def test_a_policys_own_check(tmp_path: Path) -> None:
    text = """
    @hookimpl
    def kpi_checks():
        return [Check("of_energy", table="arrivals", when=pl.col("project_sector") == "energy",
                      message="{voucher} of {project_name}", severity="error")]
    """
    found = kr.assess(
        workspace(tmp_path, policies={"winter.py": text}, tables=TABLES, toml='[checks]\nof_energy = "exclude"')
    )
    own = found.findings.filter(pl.col("code") == "of_energy")
    assert own.select("severity", "effect", "key", "message").rows() == [
        ("error", "exclude", "V04", "V04 of Dam"),
        ("error", "exclude", "V05", "V05 of Dam"),
    ]
    assert funds(found) == {"finance": 80_000, "water": 0}


def test_what_an_excluded_claim_asked_for_stays_unclaimed(tmp_path: Path) -> None:
    text = """
    @hookimpl
    def kpi_checks():
        return [Check("not_theirs", table="claims", when=pl.col("unit") == "water", message="{unit}")]
    """
    tables = {**TABLES, "claims": "project,unit,share\nJ01,water,1\n"}
    excluded = '[checks]\nnot_theirs = "exclude"'
    found = kr.assess(workspace(tmp_path, policies={"winter.py": text}, tables=tables, toml=excluded))
    assert funds(found)["finance"] == 0
    assert "J01" in found.unclaimed["project"].to_list()


CREDITS = """
@define
class Settings:
    weight: Decimal = ratio("0.5", label="Weight", maximum="2")
    cap: int = money("450", label="Cap")

p = parameters("winter", Settings)

@hookimpl
def kpi_settings():
    return Settings

@hookimpl
def kpi_credits():
    return [
        Credit("b_cap", amount=pl.min_horizontal("credited", p.cap)),
        Credit("a_weight", amount=pl.when(pl.col("sector") == "industry")
               .then(share_of(p.weight, pl.col("credited"))).otherwise(pl.col("credited"))),
    ]
"""


def test_adjustments_apply_in_the_order_of_their_names_and_are_shown(tmp_path: Path) -> None:
    found = kr.assess(workspace(tmp_path, policies={"winter.py": CREDITS}, tables=TABLES))
    assert found.waterfall.columns == [
        *("project", "unit", "tick", "contracted", "vouchers", "confirmed"),
        *("a_weight", "b_cap", "adjusted", "shared", "recognised"),
    ]
    last = found.waterfall.filter(pl.col("tick") == date(2011, 12, 31), pl.col("project").is_in(["J01", "J02"]))
    assert last.select("confirmed", "a_weight", "b_cap", "adjusted", "shared").rows() == [
        (80_000, 40_000, 40_000, 40_000, 40_000),
        (600_000, 600_000, 45_000, 45_000, 45_000),
    ]
    assert funds(found) == {"finance": 40_000, "water": 45_000}


def test_adjustments_read_parameters_of_the_date_and_of_the_projects_group(tmp_path: Path) -> None:
    toml = '[winter]\nweight = [{value = 0.5}, {value = 0.25, group = "economic", from = 2011-07-01}]'
    found = kr.assess(workspace(tmp_path, policies={"winter.py": CREDITS}, tables=TABLES, toml=toml))
    of_mill = found.waterfall.filter(pl.col("project") == "J01").select("tick", "a_weight").rows()
    assert dict(of_mill)[date(2011, 6, 30)] == 40_000
    assert dict(of_mill)[date(2011, 7, 31)] == 20_000


INDICATOR = """
@define
class Settings:
    at_least: int = money("900", label="At least")

p = parameters("winter", Settings)

@hookimpl
def kpi_settings():
    return Settings

@hookimpl
def kpi_indicators():
    return [
        Indicator("missing", kind="money", value=unit.funds_quota - unit.funds),
        Indicator("rich", kind="flag", value=unit.funds >= p.at_least),
        Indicator("closing", kind="flag", value=at.year_end & (unit.rank == 1)),
    ]

@hookimpl
def kpi_policy_rules():
    return [Rule("short", kind="talk", subject="head", when=at.year_end & (unit.missing > 5000) & ~unit.rich,
                 amount=unit.missing // 10, reason="{missing} fen are missing, {closing}")]
"""


def test_an_indicator_is_shown_and_a_rule_may_read_it(tmp_path: Path) -> None:
    found = kr.assess(workspace(tmp_path, policies={"winter.py": INDICATOR}))
    last = found.units.filter(pl.col("tick") == date(2011, 12, 31), pl.col("unit").is_in(["finance", "water"]))
    assert last.select("unit", "missing", "rich", "closing").rows() == [
        ("finance", 70_000, False, True),
        ("water", -20_000, True, True),
    ]
    assert not found.units.filter(pl.col("tick") < date(2011, 12, 31))["closing"].any()
    assert found.measures.select("unit", "amount", "reason").rows() == [
        ("finance", 7_000, "70000 fen are missing, True")
    ]
    few = kr.assess(found.workspace, indicators=["funds"])
    assert few.units.columns == ["unit", "tick", "funds"]
    assert few.measures.equals(found.measures)
