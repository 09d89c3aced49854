"""What falls with a piece of evidence: the same as if its row had been revoked, and nothing is changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.model.problems import AssessmentError
from kpi_rules.pipeline.withdraw import WITHDRAWABLE
from tests.reference.build import to_workspace
from tests.reference.credit import converted
from tests.reference.strategies import Question, examples, questions

EXAMPLE = Path(__file__).parents[2] / "examples" / "worked-example"


@pytest.fixture(scope="module")
def example() -> kr.Workspace:
    return kr.load(EXAMPLE)


def test_a_voucher_takes_credit_measures_and_money_with_it(example: kr.Workspace) -> None:
    found = kr.withdraw(example, "projects", "J01", date(2011, 8, 1), as_of=date(2012, 3, 31))
    units = found.units.filter(pl.col("tick") == date(2011, 12, 31), pl.col("unit") == "finance")
    assert units.select("funds_before", "funds_after", "completion_before", "completion_after").rows() == [
        (2_450_000_000, 0, 2450 / 3000, 0.0)
    ]
    falls = found.measures.filter(pl.col("started_after").is_null())["id"].to_list()
    arises = found.measures.filter(pl.col("started_before").is_null())["id"].to_list()
    assert "2011/rewards.bonus/water/2011-12-31" in falls
    assert "2011/field_duty.leave_post/finance/2011-12-31" in arises
    assert found.waterfall["tick"].min() == date(2011, 8, 31)  # the ticks before the revocation stay
    assert found.before.ledger["withheld"].sum() < found.after.ledger["withheld"].sum()


def test_the_text_names_what_changes_and_nothing_else(example: kr.Workspace) -> None:
    texts = [
        kr.withdraw(example, "projects", name, as_of=date(2012, 3, 31)).to_text() for name in ("J01", "J02", "J03")
    ]
    assert not any("none -> none" in text for text in texts)
    assert not any("of 1 persons" in text for text in texts)
    assert any(" ends " in text for text in texts)


def test_the_workspace_is_as_it_was(example: kr.Workspace) -> None:
    tables = example.tables
    before = {name: getattr(tables, name).clone() for name in WITHDRAWABLE}
    kr.withdraw(example, "arrivals", "V011")
    assert example.tables is tables
    assert all(getattr(example.tables, name).equals(frame) for name, frame in before.items())


def test_what_changes_nothing_says_so(example: kr.Workspace) -> None:
    found = kr.withdraw(example, "arrivals", "V011", as_of=date(2011, 1, 31))
    assert all(frame.is_empty() for frame in found.tables().values())
    assert found.to_text().splitlines() == [
        "without V011 of arrivals, as of 2011-01-31",
        *(
            line
            for title in ("credit", "assessment", "measures", "money", "findings")
            for line in (title, "  nothing changes")
        ),
    ]


def test_the_text_and_the_data_say_the_same(example: kr.Workspace) -> None:
    found = kr.withdraw(example, "arrivals", "V011", as_of=date(2012, 3, 31))
    assert found.to_text().splitlines()[:5] == [
        "without V011 of arrivals, as of 2012-03-31",
        "credit",
        "  J06 / archives: vouchers 58万 -> 0.00, confirmed 40万 -> 0.00, adjusted 40万 -> 0.00, shared 40万 -> 0.00",
        "assessment",
        "  archives: funds 40万 -> 0.00, completion 10.00% -> 0.00%",
    ]
    plain = found.to_dict()
    assert (plain["table"], plain["key"], plain["as_of"]) == ("arrivals", "V011", date(2012, 3, 31))
    assert plain["findings"] == [
        {
            "code": "above_evaluation",
            "table": "projects",
            "key": "J06",
            "message": found.before.findings.filter(pl.col("key") == "J06")["message"][0],
            "effect_before": "flag",
            "effect_after": None,
        }
    ]


def test_a_claim_is_named_by_project_and_unit(example: kr.Workspace) -> None:
    found = kr.withdraw(example, "claims", "J01/water")
    assert found.rows.select("project", "unit").rows() == [("J01", "water")]
    assert set(found.waterfall["project"]) == {"J01"}


@pytest.mark.parametrize(
    ("table", "key", "code", "near"),
    [
        ("arrival", "V011", "unknown-table", "arrivals"),
        ("quotas", "finance", "unknown-table", None),
        ("arrivals", "V0111", "unknown-row", "V011"),
        ("claims", "J01/watr", "unknown-row", "J01/water"),
    ],
)
def test_what_is_not_there_is_said_with_the_nearest(
    example: kr.Workspace, table: str, key: str, code: str, near: str | None
) -> None:
    with pytest.raises(AssessmentError) as raised:
        kr.withdraw(example, table, key)
    (problem,) = raised.value.problems
    assert (problem.code, problem.nearest) == (code, near)


@examples(8)
@given(questions(), st.data())
def test_it_is_what_a_workspace_without_the_row_says(question: Question, data: st.DataObject) -> None:
    case = question.case
    project = data.draw(st.sampled_from(case.projects))
    rows = {
        ("projects", project.project): replace(
            case,
            projects=tuple(
                replace(each, revoked_on=date(1900, 1, 1)) if each is project else each for each in case.projects
            ),
        ),
        **{
            ("arrivals", row.voucher): replace(case, arrivals=tuple(each for each in case.arrivals if each is not row))
            for row in case.arrivals
            if converted(case, row) is not None
        },
        **{
            ("claims", f"{row.project}/{row.unit}"): replace(
                case, claims=tuple(each for each in case.claims if each is not row)
            )
            for row in case.claims
        },
    }
    table, key = data.draw(st.sampled_from(list(rows)))
    found = kr.withdraw(to_workspace(case), table, key, as_of=question.as_of, known_at=question.known_at)
    wanted = kr.assess(to_workspace(rows[table, key]), question.as_of, question.known_at)
    for name in ("units", "events", "ledger", "findings"):
        assert getattr(found.after, name).equals(getattr(wanted, name), null_equal=True), name
    before, after = (set(side.events.drop("measure").rows()) for side in (found.before, found.after))
    assert (before != after) == (len(found.events) > 0)
