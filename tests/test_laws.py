"""Properties that hold of every assessment, on cases made by Hypothesis. No reference: the engine against itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.model.money import BILLION, split
from tests.reference.build import config, frames, to_workspace
from tests.reference.calendar import ticks
from tests.reference.case import Arrival
from tests.reference.compare import ENTRIES, EVENTS, LEDGER, assess, panel_of, rows_of
from tests.reference.evaluator import evaluate
from tests.reference.rules import BY_ID
from tests.reference.strategies import AMOUNTS, UNITS, Calendar, Question, decided, examples, questions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from tests.reference.case import Case
    from tests.reference.compare import Rows


SEVERITY = {
    "field_duty.station_head": ("duty", 1),
    "field_duty.off_post": ("duty", 2),
    "field_duty.leave_post": ("duty", 3),
    "pay_withholding.section": ("pay", 1),
    "pay_withholding.all_staff": ("pay", 2),
}


def result(assessment: kr.Assessment) -> dict[str, Rows]:
    """Return all that an assessment says, row order aside."""
    return {
        "units": rows_of(assessment.units, tuple(sorted(assessment.units.columns))),
        "events": rows_of(assessment.events, EVENTS),
        "ledger": rows_of(assessment.ledger, LEDGER),
        "entries": rows_of(assessment.entries, ENTRIES),
        "measures": rows_of(
            assessment.measures.drop("sources"), tuple(sorted(set(assessment.measures.columns) - {"sources"}))
        ),
        "waterfall": rows_of(assessment.waterfall, tuple(sorted(assessment.waterfall.columns))),
        "not_assessable": rows_of(assessment.not_assessable, ("unit", "rule", "tick")),
    }


# More credit is never harsher


def with_more_credit(case: Case, project: str, amount: int, day: date) -> Case:
    """Let a project's vouchers and visits be worth `amount` more from `day` on."""
    visits = [
        replace(visit, assessed_amount=visit.assessed_amount + amount)
        if visit.project == project and visit.visited_on >= day
        else visit
        for visit in case.visits
    ]
    more = Arrival("more", project, amount, day)
    return replace(case, arrivals=(*case.arrivals, more), visits=tuple(visits))


def severities(assessment: kr.Assessment) -> dict[tuple[date, str, str], int]:
    """Return how severe the severest measure in force is, by tick, unit and kind."""
    active: dict[tuple[str, str], int] = {}
    found = {}
    events = assessment.events.filter(pl.col("rule").is_in(list(SEVERITY)))
    for tick in assessment.ticks:
        for event in events.filter(pl.col("tick") == tick.on).rows(named=True):
            key = (event["unit"], event["rule"])
            if event["event"] == "started":
                active[key] = SEVERITY[event["rule"]][1]
            else:
                del active[key]
        for unit in assessment.units["unit"].unique():
            for kind in ("duty", "pay"):
                severest = [level for (of, rule), level in active.items() if of == unit and SEVERITY[rule][0] == kind]
                found[tick.on, unit, kind] = max(severest, default=0)
    return found


def held(assessment: kr.Assessment) -> Counter[tuple[str, date]]:
    """Return the fen withheld from each person for each month."""
    found: Counter[tuple[str, date]] = Counter()
    for line in assessment.ledger.rows(named=True):
        found[line["person"], line["month"]] += line["withheld"]
    return found


@examples(8)
@given(st.data(), questions(), AMOUNTS)
def test_more_credit_is_never_harsher(data: st.DataObject, question: Question, amount: int) -> None:
    case = question.case
    unshared = [p.project for p in case.projects if p.project not in {claim.project for claim in case.claims}]
    assume(unshared)
    calendar = Calendar(case.start, case.end, case.campaigns, case.reviews)
    project = data.draw(st.sampled_from(unshared))
    factor = data.draw(st.sampled_from([1, 10, 10**6]))
    richer = with_more_credit(case, project, amount * factor, data.draw(calendar.days()))
    before, after = assess(question), assess(replace(question, case=richer))
    first, second = panel_of(before), panel_of(after)
    for key, figures in first.items():
        assert second[key]["funds"] >= figures["funds"]  # type: ignore[operator]
    milder, harsher = severities(after), severities(before)
    assert all(milder[key] <= harsher[key] for key in harsher)
    less, more = held(after), held(before)
    assert all(less[key] <= more[key] for key in less)
    outstanding = [a.ledger.filter(pl.col("released_on").is_null())["withheld"].sum() for a in (after, before)]
    assert outstanding[0] <= outstanding[1]
    talks = [set(a.events.filter(pl.col("rule") == "supervision.talk")["unit"]) for a in (after, before)]
    assert talks[0] <= talks[1]
    rewards = [
        rows_of(a.events.filter(pl.col("rule").str.starts_with("rewards.")), ("rule", "unit")) for a in (after, before)
    ]
    assert set(rewards[0]) >= set(rewards[1])


# Order does not matter


def shuffled(workspace_tables: Mapping[str, pl.DataFrame], seed: int) -> dict[str, pl.DataFrame]:
    """Put the rows of every table, and the tables, into another order."""
    names = sorted(workspace_tables, reverse=seed % 2 == 0)
    return {name: workspace_tables[name].sample(fraction=1, shuffle=True, seed=seed) for name in names}


@examples(8)
@given(questions(), st.integers(0, 1000), st.permutations(["pay_withholding", "field_duty", "rewards", "supervision"]))
def test_order_of_rows_units_and_plugins_does_not_matter(question: Question, seed: int, plugins: list[str]) -> None:
    said = config(question.case) | {"plugins": {"enabled": plugins}}
    other = kr.Workspace(said, shuffled(frames(question.case), seed))
    assert other.errors == []
    assessed = kr.assess(other, as_of=question.as_of, known_at=question.known_at)
    assert result(assessed) == result(assess(question))


@examples(8)
@given(questions(), st.randoms(use_true_random=False), st.integers(0, 100))
def test_a_voucher_split_in_two_changes_nothing(question: Question, random: object, percent: int) -> None:
    case = question.case
    own = [arrival for arrival in case.arrivals if arrival.currency in (None, case.currency)]
    assume(own)
    whole = random.choice(own)  # type: ignore[attr-defined]
    part = whole.amount * percent // 100
    halves = (replace(whole, voucher="Va", amount=part), replace(whole, voucher="Vb", amount=whole.amount - part))
    arrivals = tuple(arrival for arrival in case.arrivals if arrival is not whole)
    both = replace(question, case=replace(case, arrivals=(*halves, *arrivals)))
    assert result(assess(both)) == result(assess(question))


# Tick by tick equals at once


@examples(6)
@given(questions())
def test_tick_by_tick_equals_at_once(question: Question) -> None:
    known_at = question.known_at or question.as_of
    workspace = to_workspace(question.case)
    whole = kr.assess(workspace, as_of=question.as_of, known_at=known_at)
    for tick in whole.ticks:
        part = kr.assess(workspace, as_of=tick.on, known_at=known_at)
        by_then = whole.units.filter(pl.col("tick") <= tick.on)
        assert rows_of(part.units, tuple(part.units.columns)) == rows_of(by_then, tuple(part.units.columns))
        assert rows_of(part.events, EVENTS) == rows_of(whole.events.filter(pl.col("tick") <= tick.on), EVENTS)
        assert rows_of(part.entries, ENTRIES) == rows_of(whole.entries.filter(pl.col("on") <= tick.on), ENTRIES)
        released = pl.when(pl.col("released_on") <= tick.on).then(pl.col("released_on"))
        lines = whole.ledger.filter(pl.col("month") <= tick.on).with_columns(released_on=released)
        assert rows_of(part.ledger, LEDGER) == rows_of(lines, LEDGER)


@examples(8)
@given(questions())
def test_the_last_tick_alone_and_approvals_change_nothing_else(question: Question) -> None:
    """Two ways to say the same of one assessment."""
    workspace = to_workspace(question.case)
    whole = kr.assess(workspace, as_of=question.as_of, known_at=question.known_at)
    keeping_the_last_tick_alone_changes_nothing_else(workspace, question, whole)
    approving_every_proposal_equals_no_decisions(workspace, question, whole)


def keeping_the_last_tick_alone_changes_nothing_else(
    workspace: kr.Workspace, question: Question, whole: kr.Assessment
) -> None:
    """Where a tick's panel is not kept, its conditions are evaluated another way: span by span."""
    last = kr.assess(workspace, as_of=question.as_of, known_at=question.known_at, indicators=[], whole_panel=False)
    assert set(last.units["tick"]) <= {whole.ticks[-1].on}
    assert rows_of(last.events, EVENTS) == rows_of(whole.events, EVENTS)
    assert rows_of(last.entries, ENTRIES) == rows_of(whole.entries, ENTRIES)


def approving_every_proposal_equals_no_decisions(
    workspace: kr.Workspace, question: Question, plain: kr.Assessment
) -> None:
    proposed = plain.events.filter(pl.col("event").is_in(["started", "issued"]))
    # A decision made after the day of knowledge would not be known; one made before its proposal waits for it.
    on = pl.min_horizontal("tick", pl.lit(question.known_at or question.as_of))
    approved = proposed.select("measure", decision=pl.lit("approved"), on=on)
    decided_ = kr.assess(workspace, as_of=question.as_of, known_at=question.known_at, decisions=approved)
    for name, columns in (("events", EVENTS), ("ledger", LEDGER), ("entries", ENTRIES)):
        assert rows_of(getattr(decided_, name), columns) == rows_of(getattr(plain, name), columns)


# Money is conserved


@examples(20)
@given(st.one_of(questions(), decided()))
def test_money_and_credit_are_conserved(question: Question) -> None:
    """One property: to draw and to assess a case costs far more than to ask these laws of it."""
    assessment = assess(question)
    the_ledger_balances(assessment)
    never_more_than_the_component_is_withheld(assessment, question.case)
    credit_is_conserved_from_project_to_the_top(assessment, question.case)


def the_ledger_balances(assessment: kr.Assessment) -> None:
    entries = assessment.entries
    sums = {kind: int(entries.filter(pl.col("entry") == kind)["amount"].sum()) for kind in ("withheld", "released")}
    outstanding = assessment.ledger.filter(pl.col("released_on").is_null())["withheld"].sum()
    assert sums["withheld"] == assessment.ledger["withheld"].sum()
    assert sums["withheld"] == sums["released"] + int(outstanding)
    assert set(entries["entry"]) <= {"withheld", "released"}
    assert (entries["amount"] > 0).all()
    assert assessment.ledger.filter(pl.col("released_on") < pl.col("month")).is_empty()


def never_more_than_the_component_is_withheld(assessment: kr.Assessment, case: Case) -> None:
    for (person, month), amount in held(assessment).items():
        (pay,) = (
            row.component
            for row in case.staff
            if row.person == person
            and (row.from_on is None or row.from_on <= month)
            and (row.to_on is None or month <= row.to_on)
        )
        assert amount + sum(row.amount for row in case.withheld if (row.person, row.month) == (person, month)) <= pay


def credit_is_conserved_from_project_to_the_top(assessment: kr.Assessment, case: Case) -> None:
    tops = [unit.unit for unit in case.units if unit.parent is None]
    for tick in assessment.ticks:
        fall = assessment.waterfall.filter(pl.col("tick") == tick.on)
        projects = fall.unique("project")
        assert (fall["adjusted"] == fall["confirmed"]).all()
        assert (fall["confirmed"] <= fall["vouchers"]).all()
        unclaimed = assessment.unclaimed.filter(pl.col("tick") == tick.on)["amount"].sum()
        assert projects["adjusted"].sum() == int(fall["shared"].sum()) + int(unclaimed)
        at_top = assessment.units.filter((pl.col("tick") == tick.on) & pl.col("unit").is_in(tops))
        assert at_top["funds"].sum() == fall["shared"].sum()


@given(
    st.integers(0, 10**15), st.dictionaries(st.sampled_from(UNITS), st.integers(1, BILLION // len(UNITS)), min_size=1)
)
def test_a_split_conserves(amount: int, shares: dict[str, int]) -> None:
    parts = split(amount, shares)
    claimed = sum(shares.values())
    assert parts.keys() == shares.keys()
    assert sum(parts.values()) <= amount
    assert abs(sum(parts.values()) * BILLION - amount * claimed) < BILLION
    for unit, part in parts.items():
        assert abs(part * BILLION - amount * shares[unit]) < BILLION
    if claimed == BILLION:
        assert sum(parts.values()) == amount


def test_these_laws_meet_money_withheld_and_released() -> None:
    """Laws about nothing prove nothing: the strategies must reach what the laws are about."""
    met: Counter[str] = Counter()

    @settings(examples(200), derandomize=True, database=None)
    @given(questions())
    def look(question: Question) -> None:
        outcome = evaluate(question.case, question.as_of, question.known_at)
        met["withheld"] += bool(outcome.ledger)
        met["released"] += any(line.released_on is not None for line in outcome.ledger)
        met["shared"] += any(claim.share is not None and claim.share < 1 for claim in question.case.claims)
        met["campaign"] += bool(question.case.campaigns)
        met["interim"] += any(tick.interim for tick in ticks(question.case, question.as_of))
        met.update({event.event for event in outcome.events})
        met.update({event.rule for event in outcome.events})

    look()
    wanted = {"withheld", "released", "shared", "campaign", "interim", "started", "ended", "superseded", "issued"}
    assert {name: met[name] for name in wanted | BY_ID.keys() if met[name] < 10} == {}
