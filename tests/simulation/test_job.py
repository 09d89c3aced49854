"""A simulated future is what would be decided: draw by draw against assessments of the very same evidence."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.simulation.job import job_of
from kpi_rules.simulation.past import past
from tests.pipeline.making import workspace as files
from tests.reference.build import config, frames, to_decisions
from tests.reference.calendar import ticks
from tests.reference.strategies import Calendar, Question, examples, limited, questions
from tests.reference.strategies import decided as decided_cases
from tests.simulation.oracle import Said, decided, declared, given_by, simulated, variants

if TYPE_CHECKING:
    from pathlib import Path

    from kpi_rules.simulation.past import Past
    from tests.reference.case import Case


def workspace(case: Case, more: dict[str, object]) -> kr.Workspace:
    found = kr.Workspace(config(case) | more, frames(case))
    assert [each.message for each in found.errors] == []
    return found


def with_evidence_of(base: kr.Workspace, case: Case) -> kr.Workspace:
    """Return a workspace with the tables of another case, without reading its rules once more, which takes long."""
    other = copy(base)
    other.tables = kr.Workspace(config(case) | {"plugins": {"enabled": []}}, frames(case)).tables
    return other


def hold_against(question: Question, as_of: date, data: st.DataObject, decisions: pl.DataFrame | None = None) -> None:
    """Assert that a simulation of the futures of a case says of each what is decided of it."""
    case, until = question.case, question.as_of
    # What becomes known or unknown of a contract is not simulated.
    case = replace(case, projects=tuple(replace(row, contracted=row.contracted or 5000) for row in case.projects))
    base = workspace(case, data.draw(declared(case)))
    # Of what is decided of a future only what is known by the last day known may be read of the past.
    known_at = question.known_at or (until if decisions is None else as_of)
    try:
        before = past(base, as_of, until, known_at, decisions)
    except kr.AssessmentError as problem:
        assume([each.code for each in problem.problems] != ["nothing-to-come"])
        raise
    assume(not before.assessment.decided.pending)
    rulings = None if decisions is None else approving(decisions, before)
    drawn = [case, data.draw(variants(case, as_of))]
    futures = [kr.assess(with_evidence_of(base, each), until, known_at, rulings) for each in drawn]
    job = job_of(before, given_by(before, futures))
    traces = job.run(0, len(futures))
    left_out = set(base.tables.units["unit"]) - set(before.units["unit"])
    for draw, future in enumerate(futures):
        found, wanted = simulated(before, traces, job.ahead.ticks, draw), decided(future, as_of)
        for name in wanted | found:
            assert found.get(name, {}) == wanted.get(name, {}), name
            event(name, payload=bool(wanted.get(name)))
    event("units left out", payload=bool(left_out))


def day_in(question: Question, data: st.DataObject) -> date:
    case = question.case
    edges = Calendar(case.start, case.end, case.campaigns, case.reviews).edges
    days = [day for day in edges if case.start <= day < question.as_of]
    assume(days)  # a question as of the first day of its year has nothing before it
    return data.draw(st.sampled_from(days))


@examples(6)
@given(questions(), st.data())
def test_a_simulated_future_is_what_would_be_decided(question: Question, data: st.DataObject) -> None:
    as_of = day_in(question, data)
    hold_against(question, as_of, data)


@examples(6)
@given(limited(), st.data())
def test_so_it_is_under_legal_limits(question: Question, data: st.DataObject) -> None:
    question = replace(question, case=replace(question.case, decisions=None))
    hold_against(question, day_in(question, data), data)


def approving(decisions: pl.DataFrame, before: Past) -> pl.DataFrame:
    """Return decisions with an approval of every measure that may yet be proposed."""
    assessment = before.assessment
    coming = [
        (f"{assessment.year}/{rule}/{unit}/{tick.on}", "approved", before.as_of)
        for rule in assessment.rulebook.rules
        for unit in before.workspace.tables.units["unit"]
        for tick in before.ticks
        if not tick.interim
    ]
    return pl.concat([decisions, pl.DataFrame(coming, schema=decisions.schema, orient="row")])


@examples(4)
@given(decided_cases(), st.data())
def test_what_was_decided_by_then_goes_on(question: Question, data: st.DataObject) -> None:
    days = [tick.on for tick in ticks(question.case, question.as_of)][:-1]
    assume(days)
    as_of = data.draw(st.sampled_from(days))
    question = replace(question, known_at=None)
    decisions = to_decisions(question.case)
    assert decisions is not None
    proposed = pl.col("measure").str.tail(10).str.to_date()
    decisions = decisions.filter((pl.col("on") <= as_of) & (proposed <= as_of))
    hold_against(question, as_of, data, decisions)


# What Hypothesis meets too rarely


def held_against(place: Path, as_of: date, until: date, toml: str = "", **more: Any) -> Said:  # noqa: ANN401 (as `files` takes it)
    """Let what is in some files come in, assert that it is simulated as it is decided, and return what is said."""
    base = files(place, toml=toml, **more)
    before = past(base, as_of, until)
    future = kr.assess(base, until)
    job = job_of(before, given_by(before, [future]))
    found = simulated(before, job.run(0, 1), job.ahead.ticks, 0)
    assert found == decided(future, as_of)
    return found


HOLD = """
[[rule]]
name = "{name}"
kind = "pay_hold"
subject = "staff"
when = "{when} AND unit = 'finance'"
until = "{until}"
hold = {{ share = {share} }}
reason = ""
"""
MID, END, LATER = date(2011, 6, 30), date(2011, 12, 31), date(2012, 3, 31)


def hold(name: str, when: str, until: str, share: float) -> str:
    return HOLD.format(name=name, when=when, until=until, share=share)


@pytest.mark.parametrize("as_of", [date(2011, 1, 31), date(2011, 4, 15), MID, date(2011, 8, 31), date(2011, 9, 30)])
@pytest.mark.parametrize("until", ["at_month_end AND funds >= 40000", "at_half_year_end AND funds >= 50000"])
def test_of_two_holds_on_one_person_the_first_takes_first(tmp_path: Path, as_of: date, until: str) -> None:
    toml = hold("b", "at_quarter_end", until, 0.8) + hold("a", "at_half_year_end", "completion >= 1", 0.7)
    arrivals = "voucher,project,amount,arrived_on\nV1,J01,300.00,2011-03-10\nV2,J01,200.00,2011-10-10\n"
    found = held_against(tmp_path, as_of, LATER, toml, tables={"arrivals": arrivals})
    assert found["withheld"]["finance",] > 0
    assert found["outstanding"]["finance",] > 0


@pytest.mark.parametrize("table", ["", 'table = "projects"'])
def test_a_sum_that_is_not_known_stays_so(tmp_path: Path, table: str) -> None:
    value = "contracted" if table else "arrival_rate * 100"
    kind = "money" if table else "ratio"
    toml = f"""
        [[indicator]]
        name = "volume"
        kind = "{kind}"
        value = "{value}"
        {table}
        [[rule]]
        name = "large"
        kind = "notice"
        subject = "unit"
        when = "at_month_end AND volume >= 0"
        until = "completion >= 1"
        reason = ""
        [[rule]]
        name = "unclear"
        kind = "notice"
        subject = "unit"
        when = "at_month_end AND volume IS NULL"
        until = "completion >= 1"
        reason = ""
        """
    projects = """\
        project,unit,recognised_on,contracted
        J01,finance,2011-01-04,
        J02,water,2011-01-04,5.00
        J03,finance,2011-01-04,1.00
        """
    found = held_against(tmp_path, MID, END, toml, tables={"projects": projects})
    assert {key for key in found["hit"] if key[0] != "city"} == {
        ("finance", "local.unclear"),
        ("water", "local.large"),
        *({("books", "local.unclear")} if not table else {("books", "local.large")}),
    }


GRANT = """
@hookimpl
def kpi_policy_rules():
    return [
        Rule("grant", kind="bonus", subject="unit", when=at.month_end & (unit.funds > 0), reason="",
             amount=unit.funds // 7, repeats=True),
        Rule("late", kind="notice", subject="head", when=at.month_end & (unit.completion < 0.9), reason="",
             until=unit.completion >= 1),
    ]

@hookimpl
def kpi_guards():
    return [
        Guard("large", about="measure", when=(pl.col("kind") == "bonus") & (pl.col("amount") > 5000), message=""),
        Guard("alone", about="measure", when=(pl.col("kind") == "notice") & (pl.col("person") == "P04"), message=""),
    ]
"""


@pytest.mark.parametrize("as_of", [date(2011, 1, 31), MID])
def test_measures_are_blocked_by_their_amount_and_by_whom_they_fall_on(tmp_path: Path, as_of: date) -> None:
    found = held_against(tmp_path, as_of, END, policies={"winter.py": GRANT})
    paid = {unit: amount for (unit,), amount in found["rewarded"].items()}
    months = 11 if as_of.month == 1 else 6
    # From March on 30000 // 7, under 5000; water has 90000 from February on, the city all of it.
    assert paid == {"finance": 4285 * min(months, 10)}
    assert {unit for unit, rule in found["hit"] if rule == "winter.late"} == {"finance"}


DECIDED = [
    ("2011/local.b/finance/2011-03-31", "approved", date(2011, 3, 31)),
    ("2011/local.b/finance/2011-03-31", "lifted", date(2011, 6, 10)),
]


@pytest.mark.parametrize(
    ("as_of", "months"), [(date(2011, 5, 31), 7), (date(2011, 6, 9), 7), (date(2011, 6, 15), 0), (MID, 0)]
)
def test_what_was_lifted_since_the_last_tick_is_not_in_force_any_more(tmp_path: Path, as_of: date, months: int) -> None:
    toml = hold("b", "at_quarter_end AND lag < 3", "completion >= 1", 0.8)
    base = files(tmp_path, toml=toml)
    decisions = pl.DataFrame(DECIDED, schema={"measure": pl.String, "decision": pl.String, "on": pl.Date}, orient="row")
    before = past(base, as_of, END, None, decisions)
    job = job_of(before, given_by(before, [kr.assess(base, END)]))
    found = simulated(before, job.run(0, 1), job.ahead.ticks, 0)
    # A month's pay of the two is 180.01 yuan, four fifths of each rounded down.
    lasted = found["months"].get(("finance", "local.b"), 0)
    assert found["withheld"].get(("finance",), 0) == (8000 + 6400) * lasted
    assert lasted == months
    held_before = sum(tick.is_month_end and tick.on > date(2011, 3, 31) for tick in before.assessment.ticks)
    lifted_at = int(as_of >= MID)  # the last day of June ends the measure and withholds nothing
    assert found["outstanding"]["finance",] == (8000 + 6400) * (lasted + held_before - lifted_at)


@pytest.mark.parametrize("word", [None, "rejected"])
def test_what_awaits_a_decision_is_proposed_anew(tmp_path: Path, word: str | None) -> None:
    toml = hold("b", "at_quarter_end", "completion >= 1", 0.8)
    base = files(tmp_path, toml=toml)
    rows = [] if word is None else [("2011/local.b/finance/2011-06-30", word, MID)]
    decisions = pl.DataFrame(rows, schema={"measure": pl.String, "decision": pl.String, "on": pl.Date}, orient="row")
    before = past(base, MID, END, None, decisions)
    job = job_of(before, given_by(before, [kr.assess(base, END)]))
    found = simulated(before, job.run(0, 1), job.ahead.ticks, 0)
    assert found["months"]["finance", "local.b"] == 3  # October to December, from the end of September on
