"""How claims that give no share divide a project, what bears an amount out, and the stages to the waterfall's end."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.pipeline.task import cut
from tests.pipeline.making import messages, workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LAST = date(2011, 12, 31)
UNITS = "unit,name,group\na,A,x\nb,B,x\nc,C,y\nd,D,y\n"
QUOTAS = (
    "unit,indicator,amount,effective\na,funds,1000.00,2011-01-01\nb,funds,100.00,2011-01-01\na,signed,3,2011-01-01\n"
)
PROJECTS = "project,unit,host,introducer,sector,kind,origin,contracted,declared,declared_on,signed_on,recognised_on\n"
ARRIVALS = "voucher,project,amount,arrived_on\n"


def assessed(place: Path, toml: str, **tables: str) -> kr.Assessment:
    loaded = kr_workspace(place, toml, tables)
    assert messages(loaded) == []
    assert len(loaded.quarantine) == 0
    return kr.assess(loaded)


def kr_workspace(place: Path, toml: str, tables: Mapping[str, str]) -> kr.Workspace:
    found = workspace(
        place, tables={"units": UNITS, "quotas": QUOTAS, "staff": "person,unit,grade,component\n", **tables}
    )
    text = (place / "kpi.toml").read_text(encoding="utf-8")
    credit, _line, rest = toml.partition("\n---\n")
    text = text.replace('unvisited = "vouchers"', credit) if credit else text
    (place / "kpi.toml").write_text(text + "\n" + rest, encoding="utf-8")
    return kr.load(found.folder or place)


def last(found: kr.Assessment, *columns: str) -> list[tuple[Any, ...]]:
    return found.waterfall.filter(pl.col("tick") == LAST).select(*columns).rows()


SHARED = {
    ("equal", "", "J,a\nJ,b\nJ,c\n"): {"a": 3_334, "b": 3_333, "c": 3_333},
    ("equal", "", ""): {"a": 10_000},
    ("host_half", "", "J,a\nJ,b\n"): {"a": 5_000, "b": 5_000},
    ("host_half", "d", "J,a\nJ,b\nJ,c\n"): {"a": 1_667, "b": 1_667, "c": 1_666, "d": 5_000},
    ("host_half", "b", "J,a\nJ,b\nJ,c\n"): {"a": 2_500, "b": 5_000, "c": 2_500},
    ("host_half", "b", "J,b\n"): {"b": 10_000},
    ("host_half", "b", ""): {"a": 5_000, "b": 5_000},
    ("first_introducer", "", "J,c\nJ,b\n"): {"b": 10_000, "c": 0},
    ("first_introducer", "c", "J,a\nJ,b\n"): {"a": 0, "b": 0, "c": 10_000},
    ("first_introducer", "c", ""): {"a": 0, "c": 10_000},
}


@pytest.mark.parametrize(("sharing", "named", "claims"), SHARED)
def test_claims_without_shares(tmp_path: Path, sharing: str, named: str, claims: str) -> None:
    found = assessed(
        tmp_path,
        f'unvisited = "vouchers"\nsharing = "{sharing}"',
        projects=PROJECTS + f"J,a,{named},{named},,,,,,,,2011-01-04\n",
        arrivals=ARRIVALS + "V,J,100.00,2011-03-01\n",
        claims="project,unit\n" + claims,
    )
    assert dict(last(found, "unit", "shared")) == SHARED[sharing, named, claims]
    assert found.unclaimed.is_empty()


def test_the_first_claim_is_the_one_recorded_first(tmp_path: Path) -> None:
    found = assessed(
        tmp_path,
        'unvisited = "vouchers"\nsharing = "first_introducer"',
        projects=PROJECTS + "J,a,,,,,,,,,,2011-01-04\n",
        arrivals=ARRIVALS + "V,J,100.00,2011-03-01\n",
        claims="project,unit,recorded_on\nJ,a,2011-02-02\nJ,b,2011-02-01\nJ,c,2011-03-01\n",
    )
    assert dict(last(found, "unit", "shared")) == {"a": 0, "b": 10_000, "c": 0}


def test_shares_that_are_given_hold_under_every_rule(tmp_path: Path) -> None:
    found = assessed(
        tmp_path,
        'unvisited = "vouchers"\nsharing = "equal"',
        projects=PROJECTS + "J,a,,,,,,,,,,2011-01-04\n",
        arrivals=ARRIVALS + "V,J,100.00,2011-03-01\n",
        claims="project,unit,share\nJ,a,0.7\nJ,b,0.2\n",
    )
    assert dict(last(found, "unit", "shared")) == {"a": 7_000, "b": 2_000}
    assert found.unclaimed.filter(pl.col("tick") == LAST)["amount"].to_list() == [1_000]


def test_a_claim_in_quarantine_keeps_its_part_from_the_others(tmp_path: Path) -> None:
    loaded = kr_workspace(
        tmp_path,
        'unvisited = "vouchers"\nsharing = "equal"',
        {
            "projects": PROJECTS + "J,a,,,,,,,,,,2011-01-04\n",
            "arrivals": ARRIVALS + "V,J,100.00,2011-03-01\n",
            "claims": "project,unit\nJ,a\nJ,bb\nJ,a\n",
        },
    )
    assert loaded.quarantine["code"].to_list() == ["unknown-unit", "duplicate-row"]
    found = kr.assess(loaded)
    assert dict(last(found, "unit", "shared")) == {"a": 5_000}
    assert found.unclaimed.filter(pl.col("tick") == LAST)["amount"].to_list() == [5_000]


def test_an_excluded_claim_keeps_its_part_from_the_others(tmp_path: Path) -> None:
    found = assessed(
        tmp_path,
        'unvisited = "vouchers"\nsharing = "equal"\n---\n[verification]\nmost_units = 2\n'
        '[checks]\ntoo_many_units = "exclude"',
        projects=PROJECTS + "J,a,,,,,,,,,,2011-01-04\n",
        arrivals=ARRIVALS + "V,J,90.00,2011-03-01\n",
        claims="project,unit\nJ,a\nJ,b\nJ,c\n",
    )
    assert dict(last(found, "unit", "shared")) == {"a": 3_000, "b": 3_000, "c": 0}


EVIDENCE = {
    '"visits"': (5_000, 0, 0, 0),
    '"visits", "vouchers"': (5_000, 20_000, 0, 0),
    '"visits", "vouchers", "declared"': (5_000, 20_000, 30_000, 0),
    '"evaluations", "declared"': (5_000, 40_000, 30_000, 8_000),
    '"declared", "visits"': (5_000, 40_000, 30_000, 0),
    '"vouchers"': (10_000, 20_000, 0, 0),
}


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_the_first_evidence_that_is_there_counts(tmp_path: Path, evidence: str) -> None:
    found = assessed(
        tmp_path,
        f"evidence = [{evidence}]",
        projects=PROJECTS
        + "J1,a,,,,,,,,,,2011-01-04\nJ2,a,,,,,,,400.00,,,2011-01-04\nJ3,a,,,,,,,300.00,2011-04-01,,2011-01-04\n"
        + "J4,a,,,,,,,,,,2011-01-04\n",
        arrivals=ARRIVALS + "V1,J1,100.00,2011-03-01\nV2,J2,200.00,2011-03-01\n",
        visits="visit,project,visited_on,assessed_amount\nS1,J1,2011-05-01,50.00\nS4,J4,2011-05-01,80.00\n",
    )
    assert tuple(amount for (amount,) in last(found, "confirmed")) == EVIDENCE[evidence]


def test_a_declaration_counts_from_its_day_on(tmp_path: Path) -> None:
    found = assessed(
        tmp_path,
        'evidence = ["declared"]',
        projects=PROJECTS + "J3,a,,,,,,,300.00,2011-04-01,,2011-01-04\n",
        arrivals=ARRIVALS,
    )
    by_day = dict(found.waterfall.select("tick", "confirmed").rows())
    assert (by_day[date(2011, 3, 31)], by_day[date(2011, 4, 30)]) == (0, 30_000)


ALL = """evidence = ["vouchers", "declared"]
---
[adjustment]
samples = "declared"
eligibility = true
project_cap = "500"
claim_cap = "300"
unit_cap = "400"
whole_task_from = "150"
"""


def test_every_step_is_a_stage(tmp_path: Path) -> None:
    found = assessed(
        tmp_path,
        ALL,
        projects=PROJECTS
        + "J1,a,,,industry,new,,5000.00,,,2011-02-01,2011-01-04\n"  # 1000 x 0.8, at most 500, at most 300 of each unit
        + "J2,a,,,industry,,,5000.00,900.00,,,2011-01-04\n"  # 900 x 1/3 x 0.9
        + "J3,a,,,energy,,,10.00,,,2011-02-01,2011-01-04\n"  # too small
        + "J4,b,,,energy,,,,,,2011-02-01,2011-01-04\n",  # a whole task for nobody: 90 are below 150
        arrivals=ARRIVALS + "V1,J1,1000.00,2011-03-01\nV3,J3,10.00,2011-03-01\nV4,J4,90.00,2011-03-01\n",
        claims="project,unit,share\nJ1,a,0.8\nJ1,c,0.2\n",
        factors="sector,kind,factor,effective\nindustry,,0.9,\nindustry,new,0.7,\nindustry,new,0.8,2011-02-01\n",
        samples="sample,unit,reported,confirmed,audited_on\nS1,a,200.00,50.00,2011-06-30\nS2,a,100.00,50.00,2011-07-31\n"
        "S3,,100.00,90.00,2011-06-30\n",
        eligibility="sector,least\nenergy,10.01\n",
    )
    columns = ("confirmed", "audited_sample", "conversion", "eligibility", "project_cap", "adjusted")
    assert found.waterfall.columns[6:-1] == [*columns[1:], "split", "claim_cap", "unit_cap", "whole_task", "shared"]
    assert last(found, "project", "unit", *columns) == [
        ("J1", "a", 100_000, 100_000, 80_000, 80_000, 50_000, 50_000),
        ("J1", "c", 100_000, 100_000, 80_000, 80_000, 50_000, 50_000),
        ("J2", "a", 90_000, 30_000, 27_000, 27_000, 27_000, 27_000),
        ("J3", "a", 1_000, 1_000, 1_000, 0, 0, 0),
        ("J4", "b", 9_000, 9_000, 9_000, 9_000, 9_000, 9_000),
    ]
    # 30000 and 27000 are cut to 40000 in proportion: 21052.63 and 18947.37. The first is lifted to the quota.
    assert last(found, "project", "unit", "split", "claim_cap", "unit_cap", "whole_task", "shared") == [
        ("J1", "a", 40_000, 30_000, 21_053, 100_000 - 18_947, 100_000 - 18_947),
        ("J1", "c", 10_000, 10_000, 10_000, 10_000, 10_000),
        ("J2", "a", 27_000, 27_000, 18_947, 18_947, 18_947),
        ("J3", "a", 0, 0, 0, 0, 0),
        ("J4", "b", 9_000, 9_000, 9_000, 9_000, 9_000),
    ]
    units = found.units.filter(pl.col("tick") == LAST)
    assert units.select("unit", "completion", "signed").rows() == [
        ("a", 1.0, 3),  # J1 was signed and is a whole task: the three to sign are met
        ("b", 0.9, 1),
        ("c", None, 1),
        ("d", None, 0),
    ]


def test_stages_that_nobody_asks_for_are_not_there(tmp_path: Path) -> None:
    found = assessed(tmp_path, "", projects=PROJECTS + "J,a,,,,,,,,,,2011-01-04\n", arrivals=ARRIVALS)
    assert found.waterfall.columns == [
        *("project", "unit", "tick", "contracted", "vouchers", "confirmed", "adjusted", "shared", "recognised")
    ]


def test_a_cap_may_be_dated_and_of_a_group(tmp_path: Path) -> None:
    found = assessed(
        tmp_path,
        '\n---\n[adjustment]\nclaim_cap = [{ value = "60", group = "y" }, { value = "50", from = 2011-07-01 }]',
        projects=PROJECTS + "J,a,,,,,,,,,,2011-01-04\n",
        arrivals=ARRIVALS + "V,J,200.00,2011-03-01\n",
        claims="project,unit,share\nJ,a,0.5\nJ,c,0.5\n",
    )
    by_tick = found.waterfall.select("tick", "unit", "shared").rows()
    assert [row for row in by_tick if row[0] in {date(2011, 6, 30), LAST}] == [
        (date(2011, 6, 30), "a", 10_000),
        (date(2011, 6, 30), "c", 6_000),
        (LAST, "a", 5_000),
        (LAST, "c", 6_000),
    ]


def test_a_whole_task_lifts_no_further_than_the_quota_with_all_below(tmp_path: Path) -> None:
    found = assessed(
        tmp_path,
        '\n---\n[adjustment]\nwhole_task_from = "100"',
        units="unit,name,parent\na,A,\nb,B,a\n",
        quotas="unit,indicator,amount,effective\na,funds,1000.00,2011-01-01\nb,funds,700.00,2011-01-01\n",
        projects=PROJECTS + "J1,a,,,,,,,,,,2011-01-04\nJ2,b,,,,,,,,,,2011-01-04\nJ3,b,,,,,,,,,,2011-01-04\n",
        arrivals=ARRIVALS + "V1,J1,100.00,2011-03-01\nV2,J2,100.00,2011-03-01\nV3,J3,99.99,2011-03-01\n",
    )
    assert last(found, "project", "shared") == [("J1", 30_000), ("J2", 70_000 - 9_999), ("J3", 9_999)]
    units = found.units.filter(pl.col("tick") == LAST)
    assert units.select("unit", "funds", "completion").rows() == [("a", 100_000, 1.0), ("b", 70_000, 1.0)]


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1000)), max_size=20),
    st.lists(st.integers(0, 900), min_size=5, max_size=5),
)
def test_a_cap_cuts_each_unit_by_itself_whatever_the_order_of_units(
    claims: list[tuple[int, int]], caps: list[int]
) -> None:
    units, amounts = (np.array([each[part] for each in claims], dtype=np.int64) for part in (0, 1))
    cap = np.array(caps)
    found = cut(amounts, units, cap)
    for unit in range(5):
        own = units == unit
        alone = cut(amounts[own], np.zeros(int(own.sum()), dtype=np.int64), cap[[unit]])
        assert found[own].tolist() == alone.tolist()
        assert found[own].sum() == min(amounts[own].sum(), caps[unit])
