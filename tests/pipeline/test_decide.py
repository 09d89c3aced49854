"""Deciding: blocks of units know nothing of each other; decisions of the leadership feed back."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.pipeline.decide import decide
from kpi_rules.pipeline.decisions import read_decisions
from kpi_rules.pipeline.measures import event_frame
from tests.pipeline.making import workspace

if TYPE_CHECKING:
    from kpi_rules.pipeline.decided import Decided
    from kpi_rules.pipeline.explain import RuleExplanation
    from kpi_rules.pipeline.result import Assessment

EXAMPLE = Path(__file__).parents[2] / "examples" / "worked-example"
WS = kr.load(EXAMPLE).with_parameters(
    {"field_duty.off_post_at_year_end": [{"value": 0.8}, {"value": 0.4, "group": "economic"}]}
)
LATE = date(2012, 3, 31)
SECTION = "pay_withholding.section"
DECISIONS = {"measure": pl.String, "decision": pl.String, "on": pl.Date}


def decisions(*rows: tuple[str, str, date]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=DECISIONS, orient="row")


def told(decided: Decided, assessment: Assessment) -> dict[str, object]:
    units = assessment.panel.units["unit"]
    kinds = ("events", "bookings", "releases", "proposals", "closed", "pending", "unassessable")
    told: dict[str, object] = {
        kind: event_frame(getattr(decided, kind), assessment.ticks, units, 2011).rows() for kind in kinds
    }
    return told | {"last": decided.frame(len(assessment.ticks) - 1).rows()}


@pytest.mark.parametrize("block", [1, 2, 5, 7])
@pytest.mark.parametrize("with_decisions", [False, True])
def test_the_size_of_blocks_does_not_matter(block: int, with_decisions: bool) -> None:  # noqa: FBT001 (a parameter)
    whole = kr.assess(WS, as_of=LATE)
    rulings = None
    if with_decisions:
        rows = [(each, "approved", date(2011, 8, 15)) for each in whole.measures["id"][::2]]
        rulings, problems = read_decisions(
            decisions(*rows), whole.ticks, whole.panel.units["unit"], whole.rulebook.rules, 2011, made_by=LATE
        )
        assert problems == []
    outputs = ("funds", "completion", "lag", "pace_gap")
    at_once = decide(whole.panel, whole.rulebook, rulings=rulings, outputs=outputs)
    in_blocks = decide(whole.panel, whole.rulebook, rulings=rulings, outputs=outputs, block=block)
    assert at_once.events
    assert at_once.bookings
    assert told(in_blocks, whole) == told(at_once, whole)


def test_a_rank_sees_all_units_whatever_the_block(tmp_path: Path) -> None:
    text = """
    @hookimpl
    def kpi_policy_rules():
        return [Rule("last", kind="talk", subject="head", when=at.year_end & (unit.rank > 1), reason="rank {rank}")]
    """
    tables = {
        "units": "unit,name,parent,group,head\nfinance,F,,x,\nwater,W,,x,\n",
        "staff": "person,name,unit,grade,category,component\n",
    }
    whole = kr.assess(workspace(tmp_path, policies={"p.py": text}, tables=tables))
    assert whole.events["unit"].to_list() == ["finance"]
    assert whole.measures["reason"].to_list() == ["rank 2"]
    assert told(decide(whole.panel, whole.rulebook, block=1), whole)["events"] == told(whole.decided, whole)["events"]


# Decisions


def behind(place: Path) -> kr.Workspace:
    """Make a workspace in which finance is behind all year: held from mid-year, more so at the year end."""
    return workspace(place, enabled=("pay_withholding",))


ID = f"2011/{SECTION}/finance/2011-06-30"
ALL = "2011/pay_withholding.all_staff/finance/2011-12-31"


def events(assessment: Assessment) -> list[tuple[date, str, str]]:
    rows = assessment.events.select("tick", "measure", "event").rows()
    return [(tick, measure, event) for tick, measure, event in rows]


def test_without_a_decision_a_proposal_starts_nothing(tmp_path: Path) -> None:
    found = kr.assess(behind(tmp_path), as_of=date(2011, 11, 30), decisions=decisions())
    assert events(found) == []
    assert found.ledger.is_empty()
    assert found.measures.select("id", "status", "started", "active").rows() == [(ID, "proposed", None, False)]


def one(found: kr.Assessment, on: date | None = None, rule: str = SECTION) -> RuleExplanation:
    (explained,) = found.explain("finance", rule=rule, on=on).rules
    return explained


def test_a_proposal_without_a_decision_is_explained_as_one(tmp_path: Path) -> None:
    found = kr.assess(behind(tmp_path), as_of=date(2011, 11, 30), decisions=decisions())
    for on in (date(2011, 6, 30), date(2011, 9, 15), None):
        explained = one(found, on)
        assert (explained.state, explained.event, explained.measure) == ("proposed", None, ID)
        assert (explained.proposed_on, explained.in_force_since) == (date(2011, 6, 30), None)
        assert explained.reason == "completion 30.00% is below 50.00%"
        assert explained.to_text().splitlines()[1:3] == [
            "  proposed since 2011-06-30, awaiting a decision",
            "  reason: completion 30.00% is below 50.00%",
        ]
        plain = explained.to_dict()
        assert (plain["state"], plain["measure"], plain["proposed_on"]) == ("proposed", ID, date(2011, 6, 30))
    before = one(found, date(2011, 5, 31))
    assert (before.state, before.measure, before.proposed_on, before.reason) == ("not in force", None, None, None)
    first, later = one(found, date(2011, 6, 30)).distance, one(found).distance
    assert first is not None
    assert later is not None
    assert (first.effect, first.amount, first.by) == ("avoids", 20_000, date(2011, 6, 30))
    assert (later.effect, later.amount, later.by) == ("ends", 70_000, date(2011, 12, 31))


def test_a_proposal_is_one_until_it_is_decided_or_falls_away(tmp_path: Path) -> None:
    given = decisions((ID, "approved", date(2011, 8, 15)))
    found = kr.assess(behind(tmp_path), as_of=date(2011, 11, 30), decisions=given)
    assert one(found, date(2011, 7, 31)).state == "proposed"
    begins = one(found, date(2011, 8, 31))
    assert (begins.state, begins.event, begins.proposed_on) == ("begins", "started", date(2011, 6, 30))
    assert one(found, date(2011, 9, 30)).state == "in force"
    given = decisions((ID, "rejected", date(2011, 8, 15)))
    found = kr.assess(behind(tmp_path), as_of=date(2011, 11, 30), decisions=given)
    assert one(found, date(2011, 7, 31)).state == "proposed"
    gone = one(found, date(2011, 8, 31))
    assert (gone.state, gone.measure, gone.reason) == ("not in force", None, None)


def test_a_proposal_falls_away_where_its_end_comes_first_or_another_takes_its_place(tmp_path: Path) -> None:
    met = {"arrivals": "voucher,project,amount,arrived_on\nV01,J01,300.00,2011-03-10\nV02,J01,900.00,2011-09-10\n"}
    found = kr.assess(workspace(tmp_path / "a", enabled=("pay_withholding",), tables=met), decisions=decisions())
    assert one(found, date(2011, 8, 31)).state == "proposed"
    assert one(found, date(2011, 9, 30)).state == "not in force"
    found = kr.assess(behind(tmp_path / "b"), decisions=decisions((ALL, "approved", date(2011, 12, 31))))
    assert one(found, date(2011, 11, 30)).state == "proposed"
    assert one(found).state == "not in force"
    assert one(found, rule="pay_withholding.all_staff").state == "begins"


def test_approved_later_starts_at_the_first_tick_from_then(tmp_path: Path) -> None:
    found = kr.assess(
        behind(tmp_path), as_of=date(2011, 11, 30), decisions=decisions((ID, "approved", date(2011, 8, 15)))
    )
    assert events(found) == [(date(2011, 8, 31), ID, "started")]
    assert sorted(found.ledger["month"].unique()) == [date(2011, 9, 30), date(2011, 10, 31), date(2011, 11, 30)]
    assert set(found.ledger["measure"]) == {ID}
    assert found.measures.select("id", "status", "started", "active").rows() == [
        (ID, "in force", date(2011, 8, 31), True)
    ]
    (explained,) = found.explain("finance", rule=SECTION).rules
    assert (explained.in_force_since, explained.measure) == (date(2011, 8, 31), ID)


def test_approved_beforehand_starts_at_its_own_tick(tmp_path: Path) -> None:
    found = kr.assess(
        behind(tmp_path), as_of=date(2011, 7, 31), decisions=decisions((ID, "approved", date(2011, 2, 1)))
    )
    assert events(found) == [(date(2011, 6, 30), ID, "started")]


def test_a_decision_not_yet_made_is_not_known(tmp_path: Path) -> None:
    later = decisions((ID, "approved", date(2011, 8, 15)), (ALL, "approved", date(2011, 12, 31)))
    found = kr.assess(behind(tmp_path), as_of=date(2011, 8, 14), decisions=later)
    assert events(found) == []
    found = kr.assess(behind(tmp_path), as_of=date(2011, 8, 31), decisions=later)
    assert events(found) == [(date(2011, 8, 31), ID, "started")]


def test_a_decision_made_after_the_day_of_knowledge_is_not_known(tmp_path: Path) -> None:
    astray = f"2011/{SECTION}/water/2011-06-30"  # never proposed
    given = decisions((ID, "approved", date(2011, 8, 15)), (astray, "approved", date(2011, 8, 16)))
    as_of = date(2011, 11, 30)
    before = kr.assess(behind(tmp_path), as_of, date(2011, 8, 14), given)
    assert events(before) == []
    assert before.measures["status"].to_list() == ["proposed"]
    assert before.findings.is_empty()
    then = kr.assess(behind(tmp_path), as_of, date(2011, 8, 15), given)
    assert events(then) == [(date(2011, 8, 31), ID, "started")]
    assert then.findings.is_empty()
    after = kr.assess(behind(tmp_path), as_of, date(2011, 8, 16), given)
    assert after.findings["key"].to_list() == [astray]
    later = kr.assess(behind(tmp_path), date(2011, 8, 14), as_of, given)
    assert events(later) == []


def test_rejected_is_gone_and_blocks_nothing(tmp_path: Path) -> None:
    found = kr.assess(
        behind(tmp_path),
        decisions=decisions((ID, "rejected", date(2011, 7, 10)), (ALL, "approved", date(2011, 12, 31))),
    )
    assert events(found) == [(date(2011, 12, 31), ALL, "started")]
    status = dict(found.measures.select("id", "status").rows())
    assert status == {ID: "closed", ALL: "in force"}


def test_lifted_ends_without_a_release(tmp_path: Path) -> None:
    found = kr.assess(
        behind(tmp_path),
        as_of=date(2011, 11, 30),
        decisions=decisions((ID, "approved", date(2011, 6, 30)), (ID, "lifted", date(2011, 9, 1))),
    )
    assert events(found) == [(date(2011, 6, 30), ID, "started"), (date(2011, 9, 30), ID, "ended")]
    assert sorted(found.ledger["month"].unique()) == [date(2011, 7, 31), date(2011, 8, 31)]
    assert found.ledger["released_on"].null_count() == len(found.ledger)


def refused(place: Path, frame: pl.DataFrame) -> list[str]:
    with pytest.raises(kr.AssessmentError) as raised:
        kr.assess(behind(place), decisions=frame)
    assert str(raised.value).splitlines() == [problem.message for problem in raised.value.problems]
    return [problem.message for problem in raised.value.problems]


def test_every_row_that_names_nothing_is_listed(tmp_path: Path) -> None:
    day = date(2011, 8, 1)
    frame = decisions(
        (ID.replace("finance", "finances"), "approved", day),
        (ID.replace("06-30", "06-29"), "approved", day),
        (ID.replace("section", "sections"), "approved", day),
        (ID, "aproved", day),
        ("2010/anything", "approved", day),
    )
    expected = "expected the id of a measure: year/rule/unit/day of proposal"
    assert refused(tmp_path, frame) == [
        f"decisions, row 1: found 2011/{SECTION}/finances/2011-06-30; {expected}",
        f"decisions, row 2: found 2011/{SECTION}/finance/2011-06-29; {expected}",
        f"decisions, row 3: found 2011/{SECTION}s/finance/2011-06-30; {expected}",
        "decisions, row 4: found aproved; expected approved, rejected, lifted, reversed (nearest: approved)",
    ]


def test_decisions_of_the_wrong_shape_are_named(tmp_path: Path) -> None:
    assert refused(tmp_path / "a", decisions((ID, "approved", date(2011, 8, 1))).drop("on")) == [
        "decisions, column on: found no such column; expected columns measure, decision, on"
    ]
    text = pl.DataFrame({"measure": [ID], "decision": ["approved"], "on": ["2011-08-01"]})
    assert refused(tmp_path / "b", text) == ["decisions, column on: found String; expected dates"]
    nothing = pl.DataFrame([(ID, "approved", None)], schema=DECISIONS, orient="row")
    assert refused(tmp_path / "c", nothing) == [
        "decisions, row 1, column on: found nothing; expected the day it was made"
    ]


def test_an_as_of_before_the_year_is_refused(tmp_path: Path) -> None:
    with pytest.raises(kr.AssessmentError, match="found 2010-12-31; expected a day from 2011-01-01 to 2199-12-31"):
        kr.assess(behind(tmp_path), as_of=date(2010, 12, 31))


def test_an_amount_that_is_a_column_is_the_same_whatever_is_kept_of_the_panel(tmp_path: Path) -> None:
    policy = """
        @hookimpl
        def kpi_policy_rules():
            when = at.month_end & (unit.completion >= 0.1)
            return [Rule("paid", "bonus", "unit", when, "", amount=unit.funds, repeats=True)]
        """
    quotas = "unit,indicator,amount,effective\n" + "".join(
        f"{unit},funds,1000.00,2011-01-01\n" for unit in ("city", "finance", "books", "water")
    )
    found = workspace(tmp_path, policies={"paid.py": policy}, tables={"quotas": quotas})
    assert not found.errors
    whole = kr.assess(found, whole_panel=True)
    last = kr.assess(found, whole_panel=False, indicators=["funds"])
    assert whole.events["amount"].n_unique() > 1
    assert last.events.equals(whole.events)
