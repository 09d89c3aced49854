"""An assessment under edits: what `assess` gives for the workspace with them, whatever was not gone through again."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.pipeline import preview
from tests.workspace.editing import EXAMPLE, EXAMPLES, JULY, edits_of

WS = kr.load(EXAMPLE)
DAY = date(2012, 3, 31)
BEFORE = kr.assess(WS, DAY)
BELOW = "field_duty.off_post_below"


def agree(found: kr.Assessment, other: kr.Assessment) -> None:
    for name in ("measures", "events", "ledger", "entries", "findings", "not_assessable"):
        assert getattr(found, name).equals(getattr(other, name)), name


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_what_if_is_an_assessment_of_the_workspace_with_edits(data: st.DataObject) -> None:
    edits = data.draw(edits_of(WS))
    after = WS.with_edits(edits)
    if after.errors:
        with pytest.raises(kr.AssessmentError):
            BEFORE.what_if(edits)
        return
    agree(BEFORE.what_if(edits), kr.assess(after, DAY))


@pytest.mark.parametrize(
    ("edit", "kept"),
    [
        (kr.ParameterEdit(BELOW, Decimal("0.45"), JULY), True),
        (kr.QuotaEdit("water", 900_000_000, effective=JULY), True),
        (kr.SwitchEdit("supervision.talk", on=False), True),
        (kr.SwitchEdit("supervision", on=False), False),
        (kr.ParameterEdit("verification.near_days", 9), False),
        (kr.ParameterEdit("adjustment.unit_cap", "10万"), False),
    ],
)
def test_the_evidence_is_gone_through_again_only_where_it_may_come_out_otherwise(
    edit: kr.ParameterEdit,
    kept: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[object] = []

    def assess(*given: Any, **more: Any) -> kr.Assessment:  # noqa: ANN401 (whatever it is called with)
        calls.append(given)
        return kr.assess(*given, **more)

    monkeypatch.setattr(preview, "assess", assess)
    found = BEFORE.what_if([edit])
    assert bool(calls) is not bool(kept)
    agree(found, kr.assess(WS.with_edits([edit]), DAY))


def test_a_rule_that_was_off_may_read_what_was_not_summed() -> None:
    off = WS.with_edits([kr.SwitchEdit(rule, on=False) for rule in WS.plugins.rules if rule != "supervision.talk"])
    few = kr.assess(off, DAY, indicators=["completion"])
    on = [kr.SwitchEdit(rule, on=True) for rule in off.plugins.off]
    agree(few.what_if(on), BEFORE)


def test_values_by_parameter_do_as_with_parameters() -> None:
    agree(BEFORE.what_if({BELOW: 0.4}), kr.assess(WS.with_parameters({BELOW: 0.4}), DAY))
    with pytest.raises(ValueError, match="no parameter"):
        BEFORE.what_if({"x.y": 1})
    assert BEFORE.what_if([]).what_if([]).events.equals(BEFORE.events)


def test_decisions_stay() -> None:
    measure = BEFORE.measures["id"][0]
    decisions = pl.DataFrame({"measure": [measure], "decision": ["rejected"], "on": [date(2011, 12, 31)]})
    decided = kr.assess(WS, DAY, decisions=decisions)
    edits = [kr.QuotaEdit("trade", 1000, effective=date(2011, 12, 1))]
    agree(decided.what_if(edits), kr.assess(WS.with_edits(edits), DAY, decisions=decisions))


def test_adjustments_that_read_quotas_are_made_again() -> None:
    stages = EXAMPLES / "real-cases"
    written = sorted(path for path in stages.rglob("kpi.toml") if "[adjustment]" in path.read_text(encoding="utf-8"))
    ws = kr.load(written[0])
    assert ws.config is not None
    unit, indicator = ws.tables.quotas.select("unit", "indicator").row(0)
    edits = [kr.QuotaEdit(unit, 123, indicator)]
    agree(kr.assess(ws).what_if(edits), kr.assess(ws.with_edits(edits)))
