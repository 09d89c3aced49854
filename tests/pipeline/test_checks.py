"""The shipped checks one by one: what each finds, with its figures, what it leaves alone, and what excluding does."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest
from attrs import field, frozen

import kpi_rules as kr
from tests.pipeline.making import workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROJECTS = "project,name,unit,sector,contracted,investor,declared,registered_on,signed_on,declared_on,recognised_on\n"
ARRIVALS = "voucher,project,amount,arrived_on,payer,year\n"
MILL = "J01,Mill,finance,industry,5000.00,,,,2011-01-02,2011-01-03,2011-01-04\n"
DAM = "J02,Dam,water,energy,4000.00,,,,2011-01-02,2011-01-03,2011-01-04\n"
CLAIMS = "project,unit,share,recorded_on\n"


@frozen
class Case:
    """What a check finds in some tables: `key` and message of each finding, and the funds once it excludes."""

    tables: Mapping[str, str]
    found: list[tuple[str, str]]
    funds: Mapping[str, int]
    toml: str = ""
    severity: str = "warning"
    table: str = field(default="arrivals")


def vouchers(*rows: str) -> dict[str, str]:
    return {"projects": PROJECTS + MILL + DAM, "arrivals": ARRIVALS + "".join(f"{row}\n" for row in rows)}


def projects(*rows: str, arrivals: str = "V1,J01,300.00,2011-03-01,,\n", **more: str) -> dict[str, str]:
    return {"projects": PROJECTS + "".join(rows), "arrivals": ARRIVALS + arrivals, **more}


CASES = {
    "voucher_of_two_projects": Case(
        vouchers(
            "V1,J01,300.00,2011-03-01,Acme,",
            "V2,J02,300.00,2011-03-01,Acme,",
            "V3,J02,300.00,2011-03-01,Bolt,",
            "V4,J02,300.00,2011-03-02,Acme,",
            "V5,J01,100.00,2011-04-01,,",
            "V6,J02,100.00,2011-04-01,,",
        ),
        [
            (
                "V2",
                "voucher V2 of project J02 has payer, amount 300.00 and day 2011-03-01 of a voucher of another project",
            )
        ],
        {"finance": 40_000, "water": 70_000},
    ),
    "nearly_repeated_voucher": Case(
        vouchers(
            "V1,J01,300.00,2011-03-01,宏达有限公司,",
            "V2,J01,300.00,2011-03-03, 宏达（有限责任公司）,",
            "V3,J01,300.00,2011-03-07,宏达有限公司,",  # four days after: none
            "V4,J02,500.00,2011-05-01,ACME Co.  Ltd,",
            "V5,J02,500.00,2011-05-04,ａｃｍｅ,",  # three days, the bound itself
            "V6,J02,700.00,2011-05-01,Bolt,",
            "V7,J01,700.00,2011-05-01,Bolt,",  # the same in all: a voucher of two projects
            "V8,J01,700.00,2011-05-02,Bolt & Sons,",
        ),
        [
            (
                "V2",
                "voucher V2, 300.00 from 宏达（有限责任公司） on 2011-03-03, is like another of at most 3 days before",
            ),
            ("V5", "voucher V5, 500.00 from ａｃｍｅ on 2011-05-04, is like another of at most 3 days before"),
        ],
        {"finance": 60_000 + 140_000, "water": 50_000 + 70_000},
        severity="note",
    ),
    "arrived_before_registration": Case(
        projects(
            "J01,Mill,finance,industry,5000.00,,,2011-03-01,,,2011-01-04\n",
            arrivals="V1,J01,300.00,2011-02-28,,\nV2,J01,400.00,2011-03-01,,\n",
        ),
        [("V1", "voucher V1 arrived on 2011-02-28, before project J01 was registered on 2011-03-01")],
        {"finance": 40_000, "water": 0},
    ),
    "arrived_outside_year": Case(
        vouchers("V1,J01,300.00,2010-12-31,,2011", "V2,J01,400.00,2010-12-31,,2010", "V3,J01,500.00,2011-01-01,,2011"),
        [("V1", "voucher V1 is booked to 2011 but arrived on 2010-12-31, before the year")],
        {"finance": 50_000, "water": 0},
    ),
    "declared_above_confirmed": Case(
        projects(
            "J01,Mill,finance,industry,,,330.00,,,,2011-01-04\n",
            "J02,Dam,water,energy,,,330.01,,,,2011-01-04\n",
            "J03,Pond,water,energy,,,990.00,,,,\n",
            "J04,Lake,water,energy,,,,,,,2011-01-04\n",
            arrivals="V1,J01,300.00,2011-03-01,,\nV2,J02,300.00,2011-03-01,,\nV3,J04,1.00,2011-03-01,,\n",
        ),
        [("J02", "project J02 was declared with 330.01, of which 300.00 are confirmed")],
        {"finance": 30_000, "water": 100},
        toml="[verification]\ndeclared_tolerance = 0.1",
        table="projects",
    ),
    "project_of_two_names": Case(
        projects(
            "J01,Mill,finance,industry,5000.00,Acme Ltd,,,,,2011-01-04\n",
            "J02,Works,finance,industry,5000.00,ACME,,,,,2011-01-04\n",
            "J03,Mill,water,industry,5000.00,Acme,,,,,2011-01-04\n",
            "J04,Mill,finance,industry,5000.00,Acme,,,,,2011-01-04\n",
            "J05,Works,finance,industry,5000.01,Acme,,,,,2011-01-04\n",
            "J06,Works,finance,industry,5000.00,,,,,,2011-01-04\n",
            arrivals="V1,J01,300.00,2011-03-01,,\nV2,J02,300.00,2011-03-02,,\nV3,J03,300.00,2011-03-03,,\n",
        ),
        [
            (
                "J02",
                (
                    "project J02 of unit finance has investor ACME and contract 5000.00 of a project under another "
                    "name or unit"
                ),
            ),
            (
                "J03",
                (
                    "project J03 of unit water has investor Acme and contract 5000.00 of a project under another name "
                    "or unit"
                ),
            ),
        ],
        {"finance": 30_000, "water": 0},
        table="projects",
    ),
    "recognised_before_registered": Case(
        projects(
            "J01,Mill,finance,industry,,,,2011-01-05,,,2011-01-04\n",
            "J02,Dam,water,energy,,,,2011-01-04,,,2011-01-04\n",
        ),
        [("J01", "project J01 was recognised on 2011-01-04, before it was registered on 2011-01-05")],
        {"finance": 0, "water": 0},
        table="projects",
    ),
    "producing_before_started": Case(
        {
            "projects": "project,unit,recognised_on,started_on,producing_on\n"
            "J01,finance,2011-01-04,2011-05-02,2011-05-01\nJ02,water,2011-01-04,2011-05-02,2011-05-02\n",
            "arrivals": "voucher,project,amount,arrived_on\nV1,J01,300.00,2011-03-01\n",
        },
        [("J01", "project J01 produces since 2011-05-01, before it started on 2011-05-02")],
        {"finance": 0, "water": 0},
        severity="note",
        table="projects",
    ),
    "carried_over_too_long": Case(
        projects(
            "J01,Mill,finance,industry,,,,,2009-12-31,2010-01-01,2010-02-01\n",  # two years: 2010 and 2011
            "J02,Dam,water,energy,,,,,2009-01-01,,2010-02-01\n",
            "J03,Pond,water,energy,,,,,2010-01-01,2008-12-31,2010-02-01\n",
            "J04,Lake,water,energy,,,,,2001-01-01,2001-01-01,\n",
            arrivals="V1,J01,300.00,2011-03-01,,\nV2,J02,300.00,2011-03-02,,\nV3,J03,200.00,2011-03-02,,\n",
        ),
        [
            (
                "J03",
                "project J03, signed on 2010-01-01 and declared on 2008-12-31, is carried over for more than 2 years",
            )
        ],
        {"finance": 30_000, "water": 30_000},
        table="projects",
    ),
    "below_minimum_size": Case(
        projects(
            "J01,Mill,finance,industry,999.99,,,,,,2011-01-04\n",
            "J02,Dam,water,energy,500.00,,,,,,2011-01-04\n",
            "J03,Pond,water,fish,99.99,,,,,,2011-01-04\n",
            "J04,Lake,water,,,,,,,,2011-01-04\n",
            eligibility="sector,least,effective\nindustry,10.00,\nindustry,1000.00,2011-02-01\nenergy,500.00,\n"
            "energy,900.00,2012-01-01\n",
        ),
        [
            ("J01", "the contract of project J01, 999.99, is below the least of its sector"),
            ("J03", "the contract of project J03, 99.99, is below the least of its sector"),
        ],
        {"finance": 0, "water": 0},
        toml='[verification]\nminimum_size = "100"',
        table="projects",
    ),
    "on_exclusion_list": Case(
        projects(
            "J01,Mill,finance,industry,,Acme Ltd,,,,,2011-01-04\n",
            "J02,Dam,water,energy,,ACME,,,,,2011-01-04\n",
            "J03,Pond,water,fish,,,,,,,2011-01-04\n",
            arrivals="V1,J01,300.00,2011-03-01,,\nV2,J02,300.00,2011-03-02,,\nV3,J03,200.00,2011-03-02,,\n",
            exclusions="project,investor,sector,reason,recorded_on\n,Acme,industry,dirty works,\n,,fish,no fish,\n"
            "J03,,,second reason,\n,ACME,,not yet known,2012-01-01\n",
        ),
        [
            ("J01", "project J01 is on an exclusion list: dirty works"),
            ("J03", "project J03 is on an exclusion list: no fish"),
        ],
        {"finance": 0, "water": 30_000},
        table="projects",
    ),
    "share_below_minimum": Case(
        projects(
            MILL,
            DAM,
            arrivals="V1,J01,300.00,2011-03-01,,\nV2,J02,300.00,2011-03-02,,\n",
            claims=CLAIMS + "J01,finance,0.7,\nJ01,water,0.299999999,\nJ02,water,0.9,\nJ02,finance,0.1,\n",
            eligibility="sector,least_share\nenergy,0.1\n",
        ),
        [("J01", "unit water has 29.9999999% of project J01, below the least share")],
        {"finance": 21_000 + 3_000, "water": 27_000},
        toml="[verification]\nminimum_share = 0.3",
        table="claims",
    ),
    "too_many_units": Case(
        projects(
            MILL,
            DAM,
            arrivals="V1,J01,300.00,2011-03-01,,\nV2,J02,300.00,2011-03-02,,\n",
            claims=CLAIMS + "J01,city,0.2,\nJ01,finance,0.5,\nJ01,water,0.2,\nJ02,water,0.5,\nJ02,finance,0.5,\n",
            eligibility="sector,most_units\nenergy,1\n",
        ),
        [
            ("J01", "project J01 is claimed by more units than may share it; unit water is beyond them"),
            ("J02", "project J02 is claimed by more units than may share it; unit water is beyond them"),
        ],
        {"finance": 15_000 + 15_000, "water": 0},
        toml="[verification]\nmost_units = 2",
        table="claims",
    ),
}


def assessed(place: Path, case: Case, code: str, effect: str) -> kr.Assessment:
    loaded = workspace(place, tables=case.tables, toml=f'{case.toml}\n[checks]\n{code} = "{effect}"')
    assert loaded.errors == []
    assert len(loaded.quarantine) == 0
    return kr.assess(loaded)


@pytest.mark.parametrize("code", CASES)
def test_a_check_finds_what_it_should_with_its_figures_and_nothing_else(tmp_path: Path, code: str) -> None:
    case = CASES[code]
    found = assessed(tmp_path, case, code, "flag").findings.filter(pl.col("code") == code)
    assert found.select("key", "message").rows() == case.found
    assert set(found.select("severity", "effect", "table").rows()) == {(case.severity, "flag", case.table)}


@pytest.mark.parametrize("code", CASES)
def test_what_an_excluding_check_leaves(tmp_path: Path, code: str) -> None:
    case = CASES[code]
    found = assessed(tmp_path, case, code, "exclude")
    last = found.units.filter(pl.col("tick") == date(2011, 12, 31), pl.col("unit").is_in(["finance", "water"]))
    assert dict(last.select("unit", "funds").rows()) == case.funds


@pytest.mark.parametrize("code", CASES)
def test_a_check_that_is_off_finds_nothing(tmp_path: Path, code: str) -> None:
    found = assessed(tmp_path, CASES[code], code, "off").findings
    assert code not in set(found["code"])


def test_a_threshold_is_the_one_in_force_for_the_projects_group(tmp_path: Path) -> None:
    toml = (
        '[verification]\nminimum_size = [{ value = "1" }, { value = "2", group = "economic" }, '
        '{ value = "4500", group = "economic", from = 2011-07-01 }]\n'
        'most_units = [{ value = 2 }, { value = 1, group = "social" }]'
    )
    rows = MILL.replace("5000.00", "4000.00") + DAM
    tables = projects(
        rows,
        claims=CLAIMS + "J01,finance,0.5,\nJ01,water,0.5,\nJ02,water,0.5,\nJ02,finance,0.5,\n",
    )
    loaded = workspace(tmp_path, tables=tables, toml=toml)
    early, late = (kr.assess(loaded, as_of=day).findings for day in (date(2011, 6, 30), date(2011, 7, 31)))
    assert late.filter(pl.col("code") == "below_minimum_size")["key"].to_list() == ["J01"]
    assert "below_minimum_size" not in set(early["code"])
    # A claim has the group of its own unit: water is of the group social.
    assert late.filter(pl.col("code") == "too_many_units").select("key").rows() == [("J01",), ("J02",)]


def test_findings_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    case = CASES["nearly_repeated_voucher"]
    header, *rows = case.tables["arrivals"].splitlines()
    turned = {**case.tables, "arrivals": "\n".join([header, *reversed(rows)]) + "\n"}
    first = kr.assess(workspace(tmp_path / "a", tables=case.tables)).findings
    second = kr.assess(workspace(tmp_path / "b", tables=turned)).findings
    assert first.equals(second)
