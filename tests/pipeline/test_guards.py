"""Guards in the pipeline: what they block, what they leave of pay, what they say, whatever the way it is computed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.locale import set_language
from kpi_rules.pipeline.decide import decide
from kpi_rules.pipeline.guarded import named
from kpi_rules.pipeline.guards import Blocking
from tests.pipeline.making import workspace

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """
@define
class Settings:
    share: Decimal = ratio("1", label="Share", maximum="1")
    most: int = money("50.00", label="Most")
    grades: tuple[str, ...] = texts(("head",), label="Grades")

p = parameters("winter", Settings)

@hookimpl
def kpi_settings():
    return Settings

BEHIND = unit.completion < 0.5

def rule(name, when, **more):
    more = {{"kind": "notice", "subject": "head", "reason": "late", "until": unit.completion >= 1, **more}}
    return Rule(name, when=when & BEHIND, **more)

@hookimpl
def kpi_policy_rules():
    return [{rules}]

@hookimpl
def kpi_guards():
    return [{guards}]
"""
MILD = "rule('mild', at.quarter_end)"
HARD = "rule('hard', at.month_end & (unit.lag >= 4), supersedes=['winter.mild'])"
ALONE = HARD.replace(", supersedes=['winter.mild']", "")
NO_HARD = "Guard('no_hard', about='measure', when=(pl.col('rule') == 'winter.hard') & (pl.col('unit') == 'finance'))"


def made(place: Path, rules: str, guards: str = "", toml: str = "", **tables: str) -> kr.Workspace:
    policies = {"winter.py": POLICY.format(rules=rules, guards=guards)}
    found = workspace(place, policies=policies, tables=tables, toml=toml)
    assert found.errors == []
    return found


def events(found: kr.Assessment, unit: str = "finance") -> list[tuple[date, str, str]]:
    rows = found.events.filter(pl.col("unit") == unit).select("tick", "rule", "event").rows()
    return [(tick, rule.removeprefix("winter."), event) for tick, rule, event in rows]


def test_what_is_blocked_is_as_if_refused(tmp_path: Path) -> None:
    free = kr.assess(made(tmp_path / "free", f"{MILD}, {HARD}"), date(2011, 9, 30))
    assert {(rule, event) for _tick, rule, event in events(free)} == {
        ("mild", "started"),
        ("hard", "started"),
        ("mild", "superseded"),
    }
    blocked = kr.assess(made(tmp_path / "blocked", f"{MILD}, {HARD}", NO_HARD), date(2011, 9, 30))
    proposals = free.events.filter(pl.col("event") == "started").select("measure", on="tick")
    is_hard = pl.col("measure").str.contains("winter.hard/finance", literal=True)
    rulings = proposals.with_columns(decision=pl.when(is_hard).then(pl.lit("rejected")).otherwise(pl.lit("approved")))
    every_month = [
        {"measure": f"2011/winter.hard/finance/{tick.on}", "on": tick.on, "decision": "rejected"} for tick in free.ticks
    ]
    rulings = pl.concat([rulings, pl.DataFrame(every_month).select(rulings.columns)]).unique("measure")
    refused = kr.assess(made(tmp_path / "refused", f"{MILD}, {HARD}"), date(2011, 9, 30), decisions=rulings)
    assert events(blocked) == events(refused) == [(date(2011, 3, 31), "mild", "started")]
    assert set(blocked.measures.filter(pl.col("unit") == "finance")["rule"]) == {"winter.mild"}


def test_a_block_is_told_once_on_its_first_day(tmp_path: Path) -> None:
    found = kr.assess(made(tmp_path, ALONE, NO_HARD), date(2011, 9, 30))
    first = next(each for each in found.decided.blocked if each.rule == "winter.hard")
    assert len(found.decided.blocked) > 1
    key = f"2011/winter.hard/finance/{found.ticks[first.tick].on}"
    assert found.findings.select("code", "severity", "effect", "key").rows() == [("no_hard", "block", "blocked", key)]


def test_proposals_that_await_a_decision_are_blocked_too(tmp_path: Path) -> None:
    nothing = pl.DataFrame(schema={"measure": pl.String, "decision": pl.String, "on": pl.Date})
    found = kr.assess(made(tmp_path, f"{MILD}, {HARD}", NO_HARD), date(2011, 9, 30), decisions=nothing)
    waiting = found.measures.filter(pl.col("unit") == "finance")
    assert waiting.select("rule", "status").rows() == [("winter.mild", "proposed")]


AMOUNT = "rule('grant', at.year_end, until=None, amount=unit.funds_quota - unit.funds)"
LARGE = "Guard('large', about='measure', when=pl.col('amount') > 50000, message='{amount} fen')"


@pytest.mark.parametrize("with_decisions", [False, True])
def test_a_block_may_go_by_the_amount(tmp_path: Path, with_decisions: bool) -> None:  # noqa: FBT001 (a parameter)
    arrivals = "voucher,project,amount,arrived_on\nV1,J01,499.99,2011-03-01\nV2,J02,499.00,2011-03-01\n"
    decisions = None
    if with_decisions:
        ids = [f"2011/winter.grant/{unit}/2011-12-31" for unit in ("finance", "water")]
        decisions = pl.DataFrame({"measure": ids, "decision": ["approved"] * 2, "on": [date(2011, 12, 31)] * 2})
    rules = AMOUNT.replace("at.year_end", "at.year_end & (unit.funds > 0)")
    found = kr.assess(made(tmp_path, rules, LARGE, arrivals=arrivals), decisions=decisions)
    assert found.measures.is_empty()
    blocked = found.findings.filter(pl.col("code") == "large").select("key", "message").rows()
    assert [(key.split("/")[2], text.partition(": ")[2]) for key, text in blocked] == [
        ("finance", "50001 fen"),
        ("water", "50100 fen"),
    ]
    less = kr.assess(made(tmp_path / "less", rules, LARGE.replace("50000", "50001"), arrivals=arrivals))
    assert less.measures.select("unit", "amount").rows() == [("finance", 50_001)]


def test_blocks_of_units_and_threads_change_nothing(tmp_path: Path) -> None:
    found = kr.assess(made(tmp_path, f"{MILD}, {HARD}", NO_HARD), date(2011, 9, 30))
    blocking = Blocking.of(found.scene)
    one = decide(found.panel, found.rulebook, block=1, blocking=blocking)
    whole = decide(found.panel, found.rulebook, blocking=blocking)
    for kind in ("events", "blocked"):
        happened = [
            {(each.tick, each.rule, each.kind, int(row)) for each in getattr(decided, kind) for row in each.rows}
            for decided in (one, whole)
        ]
        assert happened[0] == happened[1] != set()


def test_nothing_is_asked_where_no_guard_blocks(tmp_path: Path) -> None:
    warning = NO_HARD.replace("about=", "effect='warn', about=")
    found = kr.assess(made(tmp_path, ALONE, warning), date(2011, 9, 30))
    assert Blocking.of(found.scene) is None
    assert found.measures.filter(pl.col("unit") == "finance")["guards"].to_list() == [["no_hard warn"]]


HOLD = "rule('hold', at.quarter_end, kind='pay_hold', subject='staff', hold=Hold(share=p.share{more}))"
APRIL = date(2011, 4, 30)


def held(found: kr.Assessment) -> dict[str, int]:
    return dict(found.ledger.filter(pl.col("month") == APRIL).select("person", "withheld").rows())


def test_a_limit_reads_parameters_of_the_persons_own_group(tmp_path: Path) -> None:
    most = "Guard('most', withholdable=p.most)"
    toml = '[winter]\nmost = [{ value = "50.00" }, { value = "70.00", group = "economic" }]'
    hold = HOLD.format(more=", subtree=True")
    found = kr.assess(made(tmp_path, hold, most, toml=toml), APRIL)
    # Bookkeeping, below finance, has no group of its own.
    assert held(found) == {"P01": 7_000, "P02": 7_000, "P03": 5_000}


@pytest.mark.parametrize(("concerned", "starts"), [("pl.lit(True)", False), ("pl.col('person') == 'P01'", True)])
def test_a_hold_of_which_nothing_is_left_is_not_proposed(tmp_path: Path, concerned: str, starts: bool) -> None:  # noqa: FBT001
    guard = f"Guard('nobody', when={concerned})"
    found = kr.assess(made(tmp_path, HOLD.format(more=""), guard), APRIL)
    assert bool(events(found)) is starts
    assert held(found) == ({"P02": 8_001} if starts else {})


def test_the_scope_of_a_hold_decides_whether_anything_is_left(tmp_path: Path) -> None:
    guard = "Guard('heads', when=pl.col('grade') == 'head')"
    of_all = kr.assess(made(tmp_path / "all", HOLD.format(more=""), guard), APRIL)
    assert held(of_all) == {"P02": 8_001}
    of_heads = kr.assess(made(tmp_path / "heads", HOLD.format(more=", grades=p.grades"), guard), APRIL)
    assert events(of_heads) == []
    assert of_heads.findings.filter(pl.col("key").str.contains("finance"))["effect"].to_list() == ["blocked"]


def test_a_null_condition_concerns_and_a_null_limit_leaves_nothing(tmp_path: Path) -> None:
    staff = """
    person,unit,grade,category,component,total_pay
    P01,finance,head,,100.00,300.00
    P02,finance,staff,guest,80.00,
    P03,finance,staff,guest,80.00,200.00
    P04,finance,staff,other,80.00,
    """
    guard = (
        "Guard('guests', when=pl.col('category') == 'guest', withholdable=pl.col('total_pay') // 4, message='guests')"
    )
    found = kr.assess(made(tmp_path, HOLD.format(more=""), guard, staff=staff), APRIL)
    assert held(found) == {"P01": 7_500, "P03": 5_000, "P04": 8_000}
    said = {key: (effect, text) for key, effect, text in found.findings.select("key", "effect", "message").rows()}
    assert {key: effect for key, (effect, _text) in said.items()} == {
        "P01": "reduced",
        "P02": "blocked",
        "P03": "reduced",
    }
    assert said["P01"][1].endswith("; not known: category")
    assert said["P02"][1].endswith("; not known: total_pay")
    assert "not known" not in said["P03"][1]
    assert "of 80.00 a month at most 50.00 is withheld from P03" in said["P03"][1]


def test_deadlines_wait_for_a_proposal_to_take_effect(tmp_path: Path) -> None:
    guard = (
        "Guard('appeal', about='measure', effect='note', message='open', "
        "deadlines=[Deadline('review', 30), Deadline('appeal', 15, after='the review')])"
    )
    where = made(tmp_path, MILD, guard)
    nothing = pl.DataFrame(schema={"measure": pl.String, "decision": pl.String, "on": pl.Date})
    waiting = kr.assess(where, APRIL, decisions=nothing).measures
    told = waiting.filter(pl.col("unit") == "finance")["remarks"].to_list()
    assert told == [
        ["appeal: open; review within 30 days after it takes effect; appeal within 15 days after the review"]
    ]
    measure = waiting.filter(pl.col("unit") == "finance")["id"]
    approved = pl.DataFrame({"measure": measure, "decision": ["approved"], "on": [APRIL]})
    begun = kr.assess(where, APRIL, decisions=approved).measures.filter(pl.col("unit") == "finance")
    assert begun["remarks"].to_list() == [
        ["appeal: open; review by 2011-05-30; appeal within 15 days after the review"]
    ]


def test_many_persons_are_counted() -> None:
    assert named(["a", None, "b", "a"]) == "a, b"
    assert named(list("abcdefg")) == "a, b, c, d, e and 2 more"


def test_explanations_say_why_nothing_is_proposed(tmp_path: Path) -> None:
    found = kr.assess(made(tmp_path, f"{MILD}, {HARD}", NO_HARD), date(2011, 9, 30))
    finance = {each.rule: each for each in found.explain("finance").rules}
    assert finance["winter.mild"].guards == ()
    (why,) = finance["winter.hard"].guards
    assert why.startswith("no_hard: winter.hard is not proposed")
    before = {each.rule: each for each in found.explain("finance", on=date(2011, 1, 31)).rules}
    assert before["winter.hard"].guards == ()
    assert "\n  guards\n    no_hard: " in found.explain("finance").to_text()
    assert found.explain("finance").to_dict()["rules"][0]["guards"] == list(finance["winter.hard"].guards)  # type: ignore[index]  # plain data


def test_an_explanation_judges_by_the_amount_that_was_blocked(tmp_path: Path) -> None:
    huge = LARGE.replace("large", "huge").replace("50000", "5000000")
    found = kr.assess(made(tmp_path, AMOUNT, f"{LARGE}, {huge}"))
    told = {}
    for unit in ("finance", "water"):
        (grant,) = (each for each in found.explain(unit).rules if each.rule == "winter.grant")
        told[unit] = [text.partition(": ")[0] for text in grant.guards]
    blocked = found.findings.filter(pl.col("effect") == "blocked").select("code", "key").rows()
    assert {unit for unit, codes in told.items() if codes}
    for unit, codes in told.items():
        assert codes == [code for code, key in blocked if key.split("/")[2] == unit]


@pytest.mark.parametrize("language", ["en", "zh_Hans"])
def test_an_explanation_tells_of_limits_in_every_language(tmp_path: Path, language: str) -> None:
    set_language(language)
    found = kr.assess(made(tmp_path, HOLD.format(more=""), "Guard('most', withholdable=p.most)"), APRIL)
    limits = found.findings.filter(pl.col("code") == "most", pl.col("message").str.contains("finance"))
    (hold,) = (each for each in found.explain("finance").rules if each.rule == "winter.hold")
    assert len(limits) == 2
    assert sorted(hold.guards) == sorted(f"most: {message}" for message in limits["message"])


def test_of_a_reward_that_repeats_each_is_held_against_its_own_day(tmp_path: Path) -> None:
    when = "at.quarter_end & (unit.funds > 0)"
    rule = f"Rule('grant', 'bonus', 'unit', {when}, '', amount=unit.funds // 10, repeats=True)"
    back = "Guard('back', about='reward', effect='warn', when=pl.col('amount') >= 0, message='withdrawn')"
    arrivals = (
        "voucher,project,amount,arrived_on,recorded_on,revoked_on\n"
        "V1,J02,900.00,2011-02-10,2011-02-10,\nV2,J02,500.00,2011-02-11,2011-02-11,2011-10-15\n"
    )
    found = kr.assess(made(tmp_path, rule, back, arrivals=arrivals)).findings
    rows = found.filter(pl.col("code") == "back", pl.col("key").str.contains("/water/")).select("key", "message").rows()
    assert [(key[-10:], text) for key, text in rows] == [
        (f"2011-{day}", "withdrawn; to revoke: 50.00") for day in ("03-31", "06-30", "09-30")
    ]


def test_a_guard_divides_to_the_nearest_ratio(tmp_path: Path) -> None:
    rule = "rule('grant', at.year_end & (unit.funds > 0), until=None, amount=unit.funds)"
    more = "Guard('more', about='measure', when=pl.col('amount') / 10 > 0.3, message='x')"
    arrivals = "voucher,project,amount,arrived_on\nV1,J01,0.03,2011-03-01\nV2,J02,0.04,2011-03-01\n"
    found = kr.assess(made(tmp_path, rule, more, arrivals=arrivals))
    assert found.measures.select("unit", "amount").rows() == [("finance", 3)]
