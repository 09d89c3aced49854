"""What plugins get wrong on the data only, and decisions that the evidence has overtaken: told, never raised raw."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest

import kpi_rules as kr
from tests.pipeline.making import codes, messages, workspace

if TYPE_CHECKING:
    from pathlib import Path

CREDIT = """
@hookimpl
def kpi_credits():
    return [Credit("trim", amount={amount})]
"""

RULE = """
@hookimpl
def kpi_policy_rules():
    return [Rule("late", kind="talk", subject={subject!r}, when={when}, reason="told at {{at_month_end}}")]
"""


def rule(
    name: str = "late", subject: str = "head", when: str = "at.year_end & (unit.completion < 1)"
) -> dict[str, str]:
    return {"p.py": RULE.format(name=name, subject=subject, when=when)}


@pytest.mark.parametrize(
    ("amount", "found"),
    [
        ("pl.col('credited') - 100000", "-100000 fen for project J01 on 2011-01-31"),
        ("pl.col('credited') * 1000000000", "30000000000000 fen for project J01 on 2011-03-31"),
        ("pl.col('credited') + pl.col('contracted')", "None fen for project J01 on 2011-01-31"),
    ],
)
def test_a_credit_out_of_bounds(tmp_path: Path, amount: str, found: str) -> None:
    tables = {
        "projects": """\
        project,name,unit,sector,contracted,signed_on,declared_on,recognised_on
        J01,Mill,finance,industry,,2011-01-02,2011-01-03,2011-01-04
        """,
        "arrivals": "voucher,project,amount,arrived_on\nV01,J01,300.00,2011-03-10\n",
    }
    policies = {"p.py": CREDIT.format(amount=amount)}
    loaded = workspace(tmp_path, policies=policies, tables=tables)
    assert messages(loaded) == []
    with pytest.raises(kr.AssessmentError) as raised:
        kr.assess(loaded)
    (problem,) = raised.value.problems
    assert (problem.code, problem.place.key) == ("amount-out-of-bounds", "credit trim")
    assert (problem.found, problem.expected) == (found, "whole fen from 0 to 20000000000000")


def test_an_expression_that_fails_on_the_data_names_its_rule(tmp_path: Path) -> None:
    infinite = "at.month_end & (pl.when(unit.funds == 30000).then(unit.funds * 1e15).otherwise(1.0).cast(pl.Int64) > 1)"
    loaded = workspace(tmp_path, policies=rule(when=infinite))
    assert messages(loaded) == []
    with pytest.raises(kr.AssessmentError) as raised:
        kr.assess(loaded)
    assert [(problem.code, problem.place.key) for problem in raised.value.problems] == [
        ("expression-failed", "rule p.late")
    ]


def test_a_subject_that_is_none(tmp_path: Path) -> None:
    loaded = workspace(tmp_path, policies=rule(subject="heads"))
    assert codes(loaded) == ["bad-subject"]
    assert loaded.errors[0].nearest == "head"


def test_a_moment_in_a_reason(tmp_path: Path) -> None:
    found = kr.assess(workspace(tmp_path, policies=rule()))
    assert set(found.measures["reason"]) == {"told at True"}


def test_a_decision_on_what_was_never_proposed(tmp_path: Path) -> None:
    loaded = workspace(tmp_path, policies=rule())
    decisions = pl.DataFrame(
        {
            "measure": ["2011/p.late/finance/2011-12-31", "2011/p.late/water/2011-12-31", "2010/p.late/x/2010-12-31"],
            "decision": ["approved", "approved", "approved"],
            "on": [date(2011, 12, 31)] * 3,
        }
    )
    found = kr.assess(loaded, decisions=decisions)
    astray = found.findings.filter(pl.col("code") == "decision_without_proposal")
    assert astray["key"].to_list() == ["2011/p.late/water/2011-12-31"]
    assert found.measures["unit"].to_list() == ["finance"]


SHARES = """
@define
class Settings:
    share: Decimal = ratio("1", maximum="1", label="share")

p = parameters("p", Settings)

@hookimpl
def kpi_settings():
    return Settings

@hookimpl
def kpi_policy_rules():
    return [Rule("hold", kind="pay_hold", subject="staff", when=at.mid_year & (unit.completion < 1),
                 until=unit.completion >= 1, hold=Hold(share=p.share, subtree=True), reason="behind")]
"""


def test_a_subtree_goes_by_the_unit_that_is_held(tmp_path: Path) -> None:
    toml = '[p]\nshare = [{value = 1.0}, {value = 0.5, group = "economic"}]'
    found = kr.assess(workspace(tmp_path, policies={"p.py": SHARES}, toml=toml), as_of=date(2011, 7, 31))
    lines = found.ledger.filter(pl.col("unit") == "finance").sort("person")
    assert lines.select("person", "withheld").rows() == [("P01", 5000), ("P02", 4000), ("P03", 3000)]


WAVE = """
[[campaign]]
id = "wave"
name = "Wave"
start = 2011-08-01
end = 2011-11-08
share = 0.40
"""


def test_a_population_in_a_campaign(tmp_path: Path) -> None:
    when = "at.campaign_end & (unit.campaign_completion < 0.5)"
    loaded = workspace(tmp_path, policies=rule(when=when), toml=WAVE)
    assert messages(loaded) == []
    book = kr.rulebook(loaded)
    units = pl.DataFrame({"unit": ["a", "b"], "funds_quota": [1000, 1000]})
    amounts = {tick.on: pl.Series([500, 500]) for tick in kr.assess(loaded).ticks}
    with pytest.raises(ValueError, match="no credited amounts at"):
        book.run(units, {day: series for day, series in amounts.items() if day != date(2011, 7, 31)})
    amounts[date(2011, 11, 8)] = pl.Series([500, 700])
    events = book.run(units, amounts).events
    assert events.select("tick", "unit", "event").rows() == [(date(2011, 11, 8), "a", "issued")]


AMOUNT = """
@hookimpl
def kpi_policy_rules():
    return [Rule("fee", kind="fee", subject="unit", when=at.year_end, amount={amount}, reason="a fee")]
"""


@pytest.mark.parametrize(
    ("amount", "found"),
    [
        ("unit.funds - 50000", "-20000 fen on 2011-12-31"),
        ("unit.funds * 1000000000", "150000000000000 fen on 2011-12-31"),
    ],
)
def test_an_amount_out_of_bounds(tmp_path: Path, amount: str, found: str) -> None:
    loaded = workspace(tmp_path, policies={"p.py": AMOUNT.format(amount=amount)})
    assert messages(loaded) == []
    with pytest.raises(kr.AssessmentError) as raised:
        kr.assess(loaded)
    assert [(each.code, each.place.key) for each in raised.value.problems] == [("amount-out-of-bounds", "rule p.fee")]
    assert raised.value.problems[0].found == found


PRODUCTS = """
@hookimpl
def kpi_indicators():
    return [Indicator("product", "money", {indicator})]

@hookimpl
def kpi_policy_rules():
    return [Rule("fee", kind="fee", subject="unit", when=at.year_end & {when}, amount={amount}, reason="a fee")]
"""
FAR = "unit.funds * unit.funds * unit.funds * unit.funds * unit.funds"


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        ({"indicator": FAR}, "indicator product"),
        ({"amount": FAR}, "rule p.fee"),
        ({"amount": f"({FAR}) // unit.funds"}, "rule p.fee"),
    ],
)
def test_a_product_beyond_64_bits_is_a_problem(tmp_path: Path, parts: dict[str, str], key: str) -> None:
    text = PRODUCTS.format(**{"indicator": "unit.funds", "when": "(unit.funds > 0)", "amount": "unit.funds", **parts})
    loaded = workspace(tmp_path, policies={"p.py": text})
    assert messages(loaded) == []
    with pytest.raises(kr.AssessmentError, match="`i128` to `i64` failed") as raised:
        kr.assess(loaded)
    assert [(each.code, each.place.key) for each in raised.value.problems] == [("expression-failed", key)]


def test_a_condition_on_a_product_beyond_64_bits_is_decided_by_what_it_is(tmp_path: Path) -> None:
    text = PRODUCTS.format(indicator="unit.funds", when=f"(({FAR}) > 0)", amount="unit.funds")
    issued = kr.assess(workspace(tmp_path, policies={"p.py": text})).events.filter(event="issued")
    assert issued["unit"].to_list() == ["city", "finance", "water"]
    case = {"at_year_end": True, "funds": 30_000, "group": None}
    book = kr.rulebook(workspace(tmp_path / "again", policies={"p.py": text}))
    assert book.evaluate(case) == [{"rule": "p.fee", "event": "issued", "amount": 30_000}]
