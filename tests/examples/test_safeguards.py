"""The example of legal limits: ledger, measures and findings as worked out by hand in its README."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

import kpi_rules as kr

EXAMPLE = Path(__file__).parents[2] / "examples" / "safeguards"
EXPECTED: dict[str, Any] = json.loads((EXAMPLE / "expected.json").read_text(encoding="utf-8"))


def test_ledger_measures_and_findings() -> None:
    found = kr.load(EXAMPLE)
    assert found.problems == []
    assessed = kr.assess(found, date.fromisoformat(EXPECTED["as_of"]))
    day = [pl.col(name).dt.to_string("%Y-%m-%d") for name in ("month", "released_on")]
    ledger = assessed.ledger.select(day[0], "person", "withheld", day[1]).sort("month", "person")
    assert [list(row) for row in ledger.rows()] == EXPECTED["ledger"]
    assert dict(assessed.measures.select("id", "guards").rows()) == EXPECTED["measures"]
    findings = assessed.findings.select("code", "effect", "key").rows()
    assert sorted(findings) == sorted(tuple(row) for row in EXPECTED["findings"])


def test_each_lowered_block_names_its_basis() -> None:
    assessed = kr.assess(kr.load(EXAMPLE), date.fromisoformat(EXPECTED["as_of"]))
    basis = "legal basis: labour contracts of 2024, article 5: compensation for a loss caused"
    for remarks in assessed.measures["remarks"]:
        assert [basis in remark for remark in remarks] == [False, False, True]
    lowered = assessed.findings.filter(pl.col("code") == "G12")
    assert lowered["message"].str.contains(basis, literal=True).all()


def test_the_bonus_as_it_was_known() -> None:
    before = EXPECTED["before_the_withdrawal"]
    assessed = kr.assess(kr.load(EXAMPLE), date.fromisoformat(before["known_at"]))
    bonus = assessed.measures.filter(pl.col("kind") == "bonus").select("rule", "guards", "amount")
    rule, guards, amount = before["finance"]
    assert bonus.rows() == [(rule, [guards], amount)]
