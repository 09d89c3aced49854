"""What is kept of a month's pay as deposits: what holds, other years and guards leave, rule by rule."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.pipeline.deposits import collected_from_pay
from kpi_rules.pipeline.pay import LINES
from kpi_rules.workspace.schemas import SCHEMAS
from tests.pipeline.test_deposits import desk

MONTH = date(2012, 3, 31)
PERSONS = ("P1", "P2", "P3")
BASES = ("total_pay", "component")

amounts = st.one_of(st.none(), st.integers(0, 3000))


@st.composite
def months(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the pay of persons of one unit, what is gone of it, and rules that collect."""
    rule = st.tuples(st.sampled_from(BASES), st.one_of(st.none(), st.integers(-100, 2000)))
    return {
        "component": [draw(st.integers(0, 2000)) for _person in PERSONS],
        "total_pay": [draw(amounts) for _person in PERSONS],
        "held": [draw(st.integers(0, 800)) for _person in PERSONS],
        "elsewhere": [draw(st.integers(0, 300)) for _person in PERSONS],
        "rules": draw(st.dictionaries(st.sampled_from("abc"), rule, min_size=1)),
    }


def collected(month: dict[str, Any], rules: list[str]) -> dict[tuple[str, str], int]:
    """Return what is kept by rule and person."""
    made = {name: [kr.Collect(pl.lit(fen, pl.Int64), base=base)] for name, (base, fen) in month["rules"].items()}
    payroll = desk([], made, [], [], units=["east"]).payroll
    staff = pl.DataFrame(
        {
            "person": PERSONS,
            "unit": ["east"] * 3,
            "grade": ["staff"] * 3,
            "component": month["component"],
            "total_pay": month["total_pay"],
        },
        schema_overrides={"component": pl.Int64, "total_pay": pl.Int64},
    )
    empty = SCHEMAS["staff"].empty()
    staff = pl.concat([empty, staff], how="diagonal").with_columns(group=pl.lit(None, pl.String))
    gone = pl.DataFrame({"person": PERSONS, "month": [MONTH] * 3, "amount": month["elsewhere"]})
    payroll = evolve(payroll, staff=staff, withheld=gone)
    lines = pl.concat(
        [
            pl.DataFrame(schema=LINES),
            pl.DataFrame({"person": PERSONS, "month": [MONTH] * 3, "withheld": month["held"]}),
        ],
        how="diagonal",
    )
    measures = pl.DataFrame({"unit": ["east"], "measure": ["m"], "started": [MONTH]})
    wanted = [
        (
            kr.Rule(name, kind="x", subject="staff", when=pl.lit(value=True), reason="", plugin="p"),
            made[name][0],
            measures,
        )
        for name in rules
    ]
    found = collected_from_pay(payroll, MONTH, wanted, lines)
    assert (found["amount"] > 0).all()
    return {(rule, person): fen for rule, person, fen in found.select("rule", "person", "amount").rows()}


@settings(max_examples=60)
@given(months())
def test_what_is_left_is_kept_rule_by_rule(month: dict[str, Any]) -> None:
    expected: dict[tuple[str, str], int] = {}
    for place, person in enumerate(PERSONS):
        gone = month["held"][place] + month["elsewhere"][place]
        taken = dict.fromkeys(BASES, 0)
        for name in sorted(month["rules"]):
            base, fen = month["rules"][name]
            pay = month[base][place]
            if pay is None:
                continue
            before = sum(taken.values()) if base == "total_pay" else taken["component"]
            kept = min(max(fen or 0, 0), max(pay - gone - before, 0))
            taken[base] += kept
            if kept:
                expected[f"p.{name}", person] = kept
    assert collected(month, sorted(month["rules"])) == expected
