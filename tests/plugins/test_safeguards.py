"""The safeguards: every id, both sides of it, and the money they leave."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

import attrs
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kpi_rules as kr
import kpi_safeguards
from kpi_rules.hooks.manager import load_plugins
from kpi_rules.model.problems import Place
from kpi_rules.model.settings import Entry, Parameters
from kpi_rules.pipeline.pay import Payroll
from kpi_rules.workspace.guards import GuardSection, guards_in_force
from kpi_rules.workspace.schemas import SCHEMAS
from tests.pipeline.making import workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kpi_rules.hooks.manager import Plugins
    from kpi_rules.model.settings import Setting

IDS = {
    "G1": "Civil Servants Law (2018 revision) art. 80",
    "G2": "Civil Servants Law (2018 revision) art. 84",
    "G4": "Civil Servants Law (2018 revision) art. 95(7)",
    "G5": "Civil Servants Law (2018 revision) art. 72",
    "G7": "Civil Servants Law (2018 revision) arts. 62-64",
    "G8": "Civil Servants Law (2018 revision) arts. 51, 53-56",
    "G9": "Administrative Sanctions on Public Officials art. 35(1)",
    "G11": "Labour Law art. 50",
    "G12": "Interim Provisions on Wage Payment (1994/489) arts. 15, 16",
    "G14": "Public Institutions Personnel Regulation (2014) arts. 22, 32",
    "G15": "Fair Competition Review Regulation (2024) arts. 8-12, 18",
    "G17": "Statistics Law (2024) arts. 7, 8, 40",
    "G19": "Budget Law arts. 56, 93",
    "G20": "practice in several local rules",
}
"""Every id of the table of legal limits, with its source."""

BLOCKING = {"G1", "G2", "G12", "G14", "G19"}
LOWERED = {"effect": "warn", "basis": "labour contract, article 5"}
JANUARY = date(2012, 1, 31)
STAFF = ("person", "unit", "grade", "category", "component", "performance", "total_pay")


def made(
    staff: list[tuple[object, ...]],
    *,
    guards: Mapping[str, object] | None = None,
    wage: str = "0",
    enabled: tuple[str, ...] = ("pay_withholding", "rewards", "supervision", "safeguards"),
    deposit: Mapping[str, object] | None = None,
    kinds: Mapping[str, str] | None = None,
    **tables: pl.DataFrame,
) -> kr.Workspace:
    """Make a workspace: `a` and `b` have done nothing, `c` twice its task; each row of staff is as `STAFF`."""
    units = {"unit": ["a", "b", "c"], "name": ["A", "B", "C"]}
    config = {
        "year": {"start": date(2011, 1, 1), "end": date(2011, 12, 31)},
        "pay": {"component": "pay"},
        "credit": {"unvisited": "vouchers"},
        "plugins": {"enabled": list(enabled)},
        "guards": dict(guards or {}),
    }
    if "safeguards" in enabled:
        config["safeguards"] = {"minimum_wage": wage}
    if deposit is not None:
        config["pay_withholding"] = {"deposit": [dict(deposit)]}
    start = [date(2011, 1, 1)] * 3
    frames = {
        "units": pl.DataFrame({**units, "kind": [(kinds or {}).get(unit) for unit in units["unit"]]}),
        "quotas": pl.DataFrame(
            {"unit": units["unit"], "indicator": ["funds"] * 3, "amount": ["1000"] * 3, "effective": start}
        ),
        "projects": pl.DataFrame({"project": ["J"], "unit": ["c"], "recognised_on": [date(2011, 2, 1)]}),
        "arrivals": arrivals(),
        "staff": pl.DataFrame(staff, schema=dict.fromkeys(STAFF, pl.String), orient="row"),
    }
    found = kr.Workspace(config, frames | tables)
    assert found.problems == []
    return found


def arrivals(**more: object) -> pl.DataFrame:
    row = {"voucher": "V", "project": "J", "amount": "2000", "arrived_on": date(2011, 3, 1), **more}
    return pl.DataFrame({name: [value] for name, value in row.items()})


def person(name: str, category: str | None, unit: str = "a", **more: str | None) -> tuple[object, ...]:
    row = {"grade": "staff", "component": "3000", "performance": None, "total_pay": "5000", **more}
    return tuple({"person": name, "unit": unit, "category": category, **row}[column] for column in STAFF)


def withheld(found: kr.Workspace, as_of: date = JANUARY) -> dict[str, int]:
    ledger = kr.assess(found, as_of).ledger
    return {name: amount // 100 for name, amount in ledger.group_by("person").agg(pl.col("withheld").sum()).rows()}


def said(found: kr.Assessment, code: str) -> list[tuple[str, str, str]]:
    rows = found.findings.filter(pl.col("code") == code).select("severity", "effect", "key").rows()
    return [(str(severity), str(effect), str(key)) for severity, effect, key in rows]


def test_every_id_is_there_with_its_source() -> None:
    guards = {guard.name: guard for guard in kpi_safeguards.kpi_guards()}
    assert {name: "; ".join(guard.sources) for name, guard in guards.items()} == IDS
    assert {name for name, guard in guards.items() if guard.effect == "block"} == BLOCKING
    assert all(guard.label and guard.message for guard in guards.values())


@pytest.mark.parametrize("name", ["G1", "G2"])
def test_nothing_is_withheld_from_a_civil_servant(name: str) -> None:
    staff = [person("P1", "civil_servant"), person("P2", "institution", performance="3000")]
    found = made(staff)
    assert withheld(found) == {"P2": 3000}
    assert said(kr.assess(found, JANUARY), name) == [("block", "blocked", "P1")]
    assert said(kr.assess(made(staff[1:]), JANUARY), name) == []


def test_both_articles_need_a_basis_before_a_civil_servant_loses_pay() -> None:
    staff = [person("P1", "civil_servant")]
    assert withheld(made(staff, guards={"G1": LOWERED})) == {}
    assert withheld(made(staff, guards={"G1": LOWERED, "G2": LOWERED})) == {"P1": 3000}


@pytest.mark.parametrize(
    ("pay", "wage", "most"),
    [
        ("5000", "2200", 1000),
        ("2500", "2200", 300),
        ("2750", "2200", 550),  # both limits alike
        ("2200", "2200", 0),
        ("2000", "2200", 0),
        ("20000", "2200", 3000),  # a fifth is above the component
    ],
)
def test_the_wage_of_a_contract(pay: str, wage: str, most: int) -> None:
    staff = [person("P1", "contract", total_pay=pay), person("P2", "institution", performance="1")]
    assert withheld(made(staff, wage=wage)) == {"P2": 1}
    found = made(staff, wage=wage, guards={"G12": LOWERED})
    assert withheld(found) == {"P2": 1} | ({"P1": most} if most else {})
    of_staff = [each for each in said(kr.assess(found, JANUARY), "G12") if each[2] == "P1"]
    assert of_staff == ([] if most == 3000 else [("warn", "reduced" if most else "blocked", "P1")])


def test_a_warning_lies_on_every_measure_that_withholds_from_wages() -> None:
    staff = [person("P1", "contract"), person("P2", "institution", performance="1")]
    assessed = kr.assess(made(staff, wage="2200", guards={"G12": LOWERED}), JANUARY)
    measure = "2011/pay_withholding.all_staff/a/2011-12-31"
    for name in ("G11", "G12"):
        assert ("warn", "warned", measure) in said(assessed, name)
    row = assessed.measures.filter(pl.col("id") == measure).row(0, named=True)
    assert row["guards"] == ["G4 note", "G11 warn", "G12 warn"]
    assert "legal basis: labour contract, article 5" in row["remarks"][2]
    nobody = kr.assess(made(staff[1:]), JANUARY)
    assert said(nobody, "G11") == said(nobody, "G12") == []


@pytest.mark.parametrize(("performance", "most"), [("700", 700), ("3000", 3000), ("9000", 3000), ("0", 0)])
def test_in_an_institution_the_performance_component_alone(performance: str, most: int) -> None:
    staff = [person("P1", "institution", performance=performance), person("P2", "institution", performance="1")]
    found = made(staff)
    assert withheld(found) == {"P2": 1} | ({"P1": most} if most else {})
    told = [each for each in said(kr.assess(found, JANUARY), "G14") if each[2] == "P1"]
    assert told == ([] if most == 3000 else [("block", "reduced" if most else "blocked", "P1")])
    assert withheld(made(staff, guards={"G14": LOWERED})) == {"P1": 3000, "P2": 3000}


@pytest.mark.parametrize(
    ("row", "guards", "wage", "code", "what"),
    [
        (person("P1", None), {}, "2200", "G1", "category"),
        (person("P1", "civil"), {}, "2200", "G1", "category civil"),  # none that the laws know
        (person("P1", "institution"), {}, "2200", "G14", "performance"),
        (person("P1", "contract", total_pay=None), {"G12": LOWERED}, "2200", "G12", "total_pay"),
        (person("P1", "contract"), {"G12": LOWERED}, "0", "G12", "safeguards.minimum_wage"),
    ],
)
def test_what_is_missing_is_named_and_nothing_withheld(
    row: tuple[object, ...], guards: Mapping[str, object], wage: str, code: str, what: str
) -> None:
    other = person("P2", "institution", performance="1")
    found = made([row, other], guards=guards, wage=wage)
    assert withheld(found) == {"P2": 1}
    rows = kr.assess(found, JANUARY).findings.filter(pl.col("code") == code, pl.col("key") == "P1")
    assert rows["effect"].to_list() == ["blocked"]
    message = rows["message"][0].removesuffix("; legal basis: labour contract, article 5")
    assert message.endswith(f"not known: {what}")


def test_the_minimum_wage_goes_by_date_and_group() -> None:
    wage = [{"value": "2200"}, {"value": "4700", "from": date(2012, 2, 1)}]
    found = made([person("P1", "contract")], guards={"G12": LOWERED}).with_parameters({"safeguards.minimum_wage": wage})
    ledger = kr.assess(found, date(2012, 2, 29)).ledger
    assert ledger.select("month", "withheld").rows() == [(JANUARY, 100_000), (date(2012, 2, 29), 30_000)]


CATEGORIES = st.sampled_from(["civil_servant", "contract", "institution", "civil", None])
MONEY = st.none() | st.integers(0, 2_000_000)


def allowed(category: str | None, performance: int | None, total: int | None, wage: int, *, lowered: bool) -> int:
    """Return what may be withheld from one person in a month, by the table of legal limits, in fen."""
    if category == "institution":
        return performance or 0
    if category != "contract" or not lowered or total is None or not wage:
        return 0
    return max(min(total * 20 // 100, total - wage), 0)


def hold(name: str, share: str) -> kr.Rule:
    always = pl.lit(value=True)
    kept = kr.Hold(share=f"test.{share}")
    return kr.Rule(name, kind="pay_hold", subject="staff", when=always, until=always, hold=kept, reason="", plugin="x")


@settings(max_examples=150, deadline=None)
@given(
    people=st.lists(st.tuples(CATEGORIES, st.integers(0, 2_000_000), MONEY, MONEY), min_size=1, max_size=6),
    wage=st.sampled_from([0, 220_000, 500_000]),
    lowered=st.booleans(),
    other_year=st.integers(0, 300_000),
    share=st.sampled_from(["0.3", "0.75", "1"]),
)
def test_all_measures_together_never_take_more_than_the_law_leaves(
    *,
    people: list[tuple[str | None, int, int | None, int | None]],
    wage: int,
    lowered: bool,
    other_year: int,
    share: str,
) -> None:
    plugins = loaded()
    entries = {"safeguards.minimum_wage": (Entry(wage, origin=Place()),)}
    declared = {**plugins.settings, **shares(share)}
    names = [f"P{number}" for number in range(len(people))]
    staff = pl.DataFrame(
        {
            "person": names,
            "unit": ["a"] * len(people),
            "grade": ["staff"] * len(people),
            "category": pl.Series([each[0] for each in people], dtype=pl.String),
            "component": [each[1] for each in people],
            "performance": pl.Series([each[2] for each in people], dtype=pl.Int64),
            "total_pay": pl.Series([each[3] for each in people], dtype=pl.Int64),
            "from_on": pl.Series([None] * len(people), dtype=pl.Date),
            "to_on": pl.Series([None] * len(people), dtype=pl.Date),
            "group": pl.Series([None] * len(people), dtype=pl.String),
        }
    )
    earlier = pl.DataFrame({"person": ["P0"], "month": [JANUARY], "amount": [other_year]})
    payroll = Payroll(
        staff=staff,
        withheld=earlier,
        guards=guards_in_force(plugins, {"G12": GuardSection("warn", "a contract")} if lowered else {}),
        parameters=Parameters(declared, entries),
        component="pay",
        year=2011,
        groups=pl.DataFrame({"unit": ["a"], "group": pl.Series([None], dtype=pl.String)}),
        subtree=pl.DataFrame({"unit": ["a"], "above": ["a"]}),
        deposits=SCHEMAS["deposits"].empty(),
    )
    units = pl.DataFrame({"unit": ["a"], "proposed": [date(2011, 6, 30)], "started": [date(2011, 6, 30)]})
    lines = payroll.month(JANUARY, [(hold("first", "some"), units), (hold("second", "rest"), units)])
    taken = dict(lines.group_by("person").agg(pl.col("withheld").sum()).rows()) if len(lines) else {}
    for name, (category, component, performance, total) in zip(names, people, strict=True):
        most = min(component, allowed(category, performance, total, wage, lowered=lowered))
        before = other_year if name == "P0" else 0
        assert taken.get(name, 0) == max(most - before, 0)  # the second hold takes whatever the first leaves


@cache
def loaded() -> Plugins:
    plugins, problems = load_plugins(["pay_withholding", "safeguards"], [], None)
    assert problems == []
    return plugins


def shares(share: str) -> dict[str, Setting]:
    setting = loaded().settings["pay_withholding.share"]
    return {
        "test.some": attrs.evolve(setting, name="test.some", default=Decimal(share)),
        "test.rest": attrs.evolve(setting, name="test.rest", default=Decimal(1)),
    }


def test_a_measure_that_would_take_from_nobody_is_not_proposed_and_supersedes_nothing() -> None:
    staff = [
        person("P1", "institution", grade="head", performance="1"),
        person("P2", "civil_servant", "b", grade="head"),
    ]
    assessed = kr.assess(made(staff), JANUARY)
    events = assessed.events.filter(pl.col("rule").str.starts_with("pay_")).select("rule", "unit", "event").rows()
    section, everybody = "pay_withholding.section", "pay_withholding.all_staff"
    assert events == [(section, "a", "started"), (everybody, "a", "started"), (section, "a", "superseded")]
    assert said(assessed, "G1") == [
        ("block", "blocked", "2011/pay_withholding.all_staff/b/2011-12-31"),
        ("block", "blocked", "2011/pay_withholding.section/b/2011-06-30"),
    ]
    # Of a unit without staff nothing is known to be blocked.
    without_staff = kr.assess(made([]), JANUARY)
    assert (everybody, "b", "started") in without_staff.events.select("rule", "unit", "event").rows()


def test_review_and_appeal_with_their_days() -> None:
    assessed = kr.assess(made([person("P1", "institution", "c", grade="head", performance="1")]), JANUARY)
    remarks = dict(assessed.measures.select("rule", "remarks").rows())
    assert remarks["supervision.talk"] == [
        (
            "G4: whom this concerns may ask for a review, then appeal, or appeal directly; review by 2011-04-30; "
            "appeal within 15 days after the decision of the review; direct appeal by 2011-04-30"
        )
    ]
    assert remarks["rewards.commendation"] == []


POLICY = """
@hookimpl
def kpi_policy_rules():
    def rule(name, kind, **more):
        return Rule(name, kind=kind, subject=more.pop("subject", "unit"), when=at.year_end & (unit.funds >= 0),
                    reason="it is so", **more)
    return [{rules}]

@hookimpl
def kpi_indicators():
    return [{indicators}]
"""


def tried(place: Path, rules: str = "", indicators: str = "", toml: str = "", **tables: str) -> kr.Assessment:
    policies = {"winter.py": POLICY.format(rules=rules, indicators=indicators)}
    found = workspace(place, enabled=("safeguards",), policies=policies, tables=tables, toml=toml)
    assert found.errors == []
    return kr.assess(found)


def codes(found: kr.Assessment) -> set[tuple[str, str]]:
    """Return the guards that found something, with the unit and rule, or the key."""
    rows = found.findings.select("code", "key").rows()
    return {(code, key.split("/")[1] if key.count("/") > 1 else key) for code, key in rows}


def test_a_duty_without_end(tmp_path: Path) -> None:
    found = tried(
        tmp_path,
        "rule('away', 'duty', subject='head'), rule('home', 'duty', subject='head', until=unit.completion >= 1)",
    )
    assert codes(found) == {("G5", "winter.away")}
    assert set(found.measures["rule"]) == {"winter.away", "winter.home"}


@pytest.mark.parametrize(
    ("months", "fixed"), [(6, True), (12, True), (18, True), (24, True), (7, False), (None, False)]
)
def test_the_fixed_periods(tmp_path: Path, months: int | None, fixed: bool) -> None:  # noqa: FBT001 (a parameter)
    found = tried(tmp_path, f"rule('freeze', 'promotion_freeze', subject='head', months={months})")
    assert codes(found) == (set() if fixed else {("G7", "winter.freeze")})
    assert len(found.measures)


STAFF_CSV = """\
person,unit,grade,category,component
P01,finance,head,{category},100.00
P04,water,head,contract,100.00
"""


@pytest.mark.parametrize(
    ("category", "amount", "warned"),
    [
        ("civil_servant", "unit.funds // 100", True),
        ("civil_servant", "unit.missing", True),
        ("civil_servant", "unit.recognised * 100", False),
        ("contract", "unit.funds // 100", False),
        ("", "unit.funds // 100", True),
    ],
)
def test_a_bonus_out_of_project_value(tmp_path: Path, category: str, amount: str, warned: bool) -> None:  # noqa: FBT001
    indicator = "Indicator('missing', kind='money', value=unit.funds_quota * 2 - unit.funds)"
    staff = STAFF_CSV.format(category=category)
    found = tried(tmp_path, f"rule('extra', 'bonus', amount={amount})", indicator, staff=staff)
    units = set(found.findings.filter(pl.col("code") == "G9")["key"].str.split("/").list.get(2))
    # The city and its bookkeeping have no staff: of nobody is it known that they are no civil servants.
    assert units - {"city", "books"} == ({"finance"} if warned else set())


@pytest.mark.parametrize(
    ("into", "blocked"), [("into='treasury',", False), ("into='investment fund',", True), ("", True)]
)
def test_forfeited_deposits_go_to_the_treasury(tmp_path: Path, into: str, blocked: bool) -> None:  # noqa: FBT001
    rules = f"rule('lost', 'deposit_forfeit', {into} deposit=Forfeit()), rule('other', 'notice')"
    found = tried(tmp_path, rules)
    assert set(found.measures["rule"]) == {"winter.other"} | (set() if blocked else {"winter.lost"})
    assert codes(found) == ({("G19", "winter.lost")} if blocked else set())
    if blocked:
        assert set(found.findings["effect"]) == {"blocked"}
        lowered = f'[guards]\nG19 = {{ effect = "warn", basis = "{LOWERED["basis"]}" }}'
        allowed_now = tried(tmp_path / "lowered", rules, toml=lowered)
        assert set(allowed_now.measures["rule"]) == {"winter.other", "winter.lost"}
        assert all(LOWERED["basis"] in each for each in allowed_now.findings["message"])


@pytest.mark.parametrize(("into", "forfeited"), [("treasury", 360_000), ("pool", 0)])
def test_deposits_kept_from_pay_stay_within_the_limits(into: str, forfeited: int) -> None:
    # A tenth of all pay, 500 yuan a month; of the person in an institution the 300 of performance pay, twelve times.
    staff = [person("P1", "civil_servant"), person("P2", "institution", performance="300")]
    deposit = {"role": "staff", "of_pay": Decimal("0.1"), "unmet": "forfeited", "into": into}
    assessed = kr.assess(made(staff, deposit=deposit), date(2011, 12, 31))
    amounts = assessed.entries.filter(pl.col("component") == "deposit").group_by("entry", "person")
    found = {(entry, name): amount for entry, name, amount in amounts.agg(pl.col("amount").sum()).rows()}
    assert found == {("paid", "P2"): 360_000} | ({("forfeited", "P2"): forfeited} if forfeited else {})
    close = {key for key in assessed.findings.filter(pl.col("code") == "G19")["key"] if "/a/" in key}
    assert close == (set() if forfeited else {"2011/pay_withholding.deposit_close/a/2011-12-31"})
    assert ("block", "reduced", "P2") in said(assessed, "G14")


@pytest.mark.parametrize(
    ("indicator", "warned"),
    [
        ("'tax_refund', kind='money', value=unit.funds", True),
        ("'promoted', kind='money', value=unit.funds, label='土地优惠兑现额'", True),
        ("'promoted', kind='money', value=unit.funds, sources=['Notice on Subsidies']", True),
        ("'syntax', kind='money', value=unit.funds", False),
        ("'missing', kind='money', value=unit.funds_quota - unit.funds", False),
    ],
)
def test_indicators_tied_to_favours(tmp_path: Path, indicator: str, warned: bool) -> None:  # noqa: FBT001
    found = tried(tmp_path, indicators=f"Indicator({indicator})")
    name = indicator.split("'")[1]
    assert codes(found) == ({("G15", name)} if warned else set())


@pytest.mark.parametrize(
    ("more", "warned"),
    [
        ({}, False),
        ({"revoked_on": date(2011, 12, 1)}, True),
        ({"revoked_on": date(2011, 12, 1), "revoked_by": "U7"}, True),
        ({"revoked_on": date(2011, 12, 1), "revoked_by": "U7", "revoked_for": "not the invoice"}, False),
        ({"revoked_on": date(2012, 12, 1)}, False),  # not yet known
    ],
)
def test_evidence_that_is_withdrawn_says_who_and_why(more: dict[str, object], warned: bool) -> None:  # noqa: FBT001
    found = kr.assess(made([], arrivals=arrivals(**more)))
    assert said(found, "G17") == ([("warn", "warned", "V")] if warned else [])


def test_a_quota_for_an_exempt_unit() -> None:
    assert said(kr.assess(made([], kinds={"b": "exempt", "a": "department"})), "G20") == [("warn", "warned", "b")]
    assert said(kr.assess(made([])), "G20") == []


WITHDRAWN = {"revoked_on": date(2012, 3, 15), "revoked_by": "U7", "revoked_for": "false invoice"}
BONUS, COMMENDATION = "2011/rewards.bonus/c/2011-12-31", "2011/rewards.commendation/c/2011-12-31"


def revoked(found: kr.Workspace, known_at: date, decisions: pl.DataFrame | None = None) -> dict[str, str]:
    rows = kr.assess(found, JANUARY, known_at, decisions).findings.filter(pl.col("code") == "G8")
    assert set(rows["effect"]) <= {"revoke"}
    return dict(rows.select("key", "message").rows())


def test_a_reward_whose_evidence_is_withdrawn() -> None:
    found = made([], arrivals=arrivals(**WITHDRAWN))
    assert revoked(found, date(2012, 3, 14)) == {}
    text = "of the evidence of this reward arrivals V was withdrawn since; its revocation is proposed"
    # Twice the task of 1000 yuan: a bonus of 0.1% of 1000 yuan.
    assert revoked(found, date(2012, 3, 15)) == {BONUS: f"{text}; to revoke: 1.00", COMMENDATION: text}


def test_the_part_of_a_reward_that_is_no_longer_due() -> None:
    rows = pl.concat(
        [
            arrivals(**WITHDRAWN, voucher="V1", amount="500"),
            arrivals(revoked_on=None, revoked_by=None, revoked_for=None, voucher="V2", amount="1500"),
        ],
        how="vertical_relaxed",
    )
    # A bonus of 0.1% of 1000 yuan was given, one of 500 yuan is due; 150% of the task is still commended.
    assert {key: text[-4:] for key, text in revoked(made([], arrivals=rows), date(2012, 4, 30)).items()} == {
        BONUS: "0.50"
    }


def test_evidence_that_was_withdrawn_before_the_reward_or_matters_not() -> None:
    early = {**WITHDRAWN, "revoked_on": date(2011, 11, 1)}
    assert revoked(made([], arrivals=arrivals(**early)), date(2012, 4, 30)) == {}
    late = {**WITHDRAWN, "recorded_on": date(2012, 1, 5)}  # not known when the reward was issued
    assert revoked(made([], arrivals=arrivals(**late)), date(2012, 4, 30)) == {}


def test_only_rewards_that_were_approved_and_stand_are_taken_back() -> None:
    found = made([], arrivals=arrivals(**WITHDRAWN))
    known = date(2012, 4, 30)

    def ruled(*rows: tuple[str, str, date]) -> pl.DataFrame:
        return pl.DataFrame(rows, schema=["measure", "decision", "on"], orient="row")

    approved = (BONUS, "approved", date(2011, 12, 31))
    assert set(revoked(found, known, ruled(approved))) == {BONUS}
    taken = (BONUS, "reversed", date(2012, 1, 20))
    assert revoked(found, known, ruled(approved, taken)) == {}


def test_a_workspace_without_the_policy_has_none_of_it() -> None:
    found = made([person("P1", "civil_servant")], enabled=("pay_withholding",))
    assert withheld(found) == {"P1": 3000}
    assert kr.assess(found, JANUARY).findings.is_empty()
