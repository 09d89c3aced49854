"""Deposits of pay-withholding: Town D, Funan county, County A; what lines of `kpi.toml` may say."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kpi_rules as kr
from tests.pipeline.making import workspace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

JANUARY, YEAR_END = date(2012, 1, 5), date(2012, 12, 31)
TOWN_D = [
    {"role": "head", "amount": "6000", "forfeit": "1500"},
    {"role": "middle", "amount": "4000", "forfeit": "1000"},
    {"role": "staff", "amount": "2000", "forfeit": "500"},
]
FORFEIT, REFUND, CLOSE = (f"pay_withholding.deposit_{name}" for name in ("forfeit", "refund", "close"))
COLLECT = "pay_withholding.deposit_collect"


def made(
    lines: Sequence[Mapping[str, Any]],
    projects: Sequence[date] = (),
    deposits: Sequence[tuple[str, str, str | None, str]] = (("D1", "P1", "middle", "4000"),),
    *,
    task: int = 3,
    staff: pl.DataFrame | None = None,
    **more: Any,  # noqa: ANN401 (settings of the policy)
) -> kr.Workspace:
    tables = {
        "units": pl.DataFrame({"unit": ["town", "other"], "name": ["Town", "Other"], "group": ["east", None]}),
        "quotas": pl.DataFrame(
            {"unit": ["town"], "indicator": ["signed"], "amount": [str(task)], "effective": [date(2012, 1, 1)]}
        ),
        "projects": pl.DataFrame(
            {
                "project": [f"J{place}" for place in range(len(projects))],
                "unit": ["town"] * len(projects),
                "signed_on": list(projects),
                "recognised_on": list(projects),
            },
            schema={"project": pl.String, "unit": pl.String, "signed_on": pl.Date, "recognised_on": pl.Date},
        ),
        "deposits": pl.DataFrame(
            [(name, who, "town", role, amount, JANUARY) for name, who, role, amount in deposits],
            schema=dict.fromkeys(("deposit", "person", "unit", "role", "amount"), pl.String) | {"paid_on": pl.Date},
            orient="row",
        ),
    }
    if staff is not None:
        tables["staff"] = staff
    config = {
        "workspace": {"primary": "signed"},
        "year": {"start": date(2012, 1, 1), "end": YEAR_END},
        "pay": {"component": "standard pay"},
        "plugins": {"enabled": ["pay_withholding"]},
        "pay_withholding": {"section_below": 0, "deposit": list(lines), **more},
    }
    return kr.Workspace(config, tables)


def balance(found: kr.Assessment, deposit: str = "D1") -> tuple[Any, ...]:
    line = found.deposits.filter(pl.col("deposit") == deposit)
    return line.select("paid", "forfeited", "refunded", "returned", "held").row(0)


def entries(found: kr.Assessment, *rules: str) -> list[tuple[Any, ...]]:
    kept = found.entries.filter(pl.col("component") == "deposit")
    kept = kept.filter(pl.col("rule").is_in(rules)) if rules else kept
    return kept.select("on", "entry", "person", "amount").rows()


def test_town_d() -> None:
    # Two quarters without a project, then the task of 3 met: forfeited 2000, refunded 2000, the group gets 50,000.
    projects = [date(2012, 7, 1), date(2012, 8, 1), date(2012, 11, 1)]
    ws = made(TOWN_D, projects, deposit_reward="50000")
    assert ws.problems == []
    found = kr.assess(ws, YEAR_END)
    assert balance(found) == (400_000, 200_000, 200_000, 400_000, 0)
    assert entries(found) == [
        (JANUARY, "paid", "P1", 400_000),
        (date(2012, 3, 31), "forfeited", "P1", 100_000),
        (date(2012, 6, 30), "forfeited", "P1", 100_000),
        (YEAR_END, "refunded", "P1", 200_000),
        (YEAR_END, "returned", "P1", 400_000),
    ]
    bonus = found.events.filter(pl.col("rule") == "pay_withholding.deposit_reward")
    assert bonus.select("tick", "unit", "amount").rows() == [(YEAR_END, "town", 5_000_000)]
    at_mid_year = kr.assess(ws, date(2012, 6, 30))
    assert balance(at_mid_year) == (400_000, 200_000, 0, 0, 200_000)


def test_each_role_forfeits_its_own_and_never_more_than_is_left() -> None:
    deposits = [("D1", "P1", "head", "6000"), ("D2", "P2", "middle", "2500"), ("D3", "P3", "staff", "2000")]
    found = kr.assess(made(TOWN_D, (), deposits), date(2012, 9, 30))
    assert [balance(found, name)[1] for name in ("D1", "D2", "D3")] == [450_000, 250_000, 150_000]


@pytest.mark.parametrize(
    ("unmet", "forfeited", "returned"), [("returned", 300_000, 100_000), ("forfeited", 400_000, 0)]
)
def test_the_rest_where_the_task_is_not_met(unmet: str, forfeited: int, returned: int) -> None:
    # Of four quarters one has a project; the task is 3.
    lines = [{**line, "unmet": unmet} for line in TOWN_D]
    found = kr.assess(made(lines, [date(2012, 5, 2)], deposit_reward="50000"), YEAR_END)
    assert balance(found) == (400_000, forfeited, 0, returned, 0)
    assert found.events.filter(pl.col("rule") == "pay_withholding.deposit_reward").is_empty()


def test_a_quarter_may_need_more_projects_and_a_task_met_in_march_is_refunded_at_the_year_end() -> None:
    early = [date(2012, 1, 10), date(2012, 1, 11), date(2012, 3, 31)]
    assert balance(kr.assess(made(TOWN_D, early, deposit_projects=4), date(2012, 3, 31)))[1] == 100_000
    assert balance(kr.assess(made(TOWN_D, early, deposit_projects=3), date(2012, 3, 31)))[1] == 0
    assert balance(kr.assess(made(TOWN_D, early), YEAR_END)) == (400_000, 300_000, 300_000, 400_000, 0)


def test_the_line_that_names_more_holds() -> None:
    lines = [
        {"amount": "4000", "forfeit": "10"},
        {"group": "east", "amount": "4000", "forfeit": "20"},
        {"role": "middle", "amount": "4000", "forfeit": "30"},
        {"role": "middle", "group": "east", "amount": "4000", "forfeit": "40"},
        {"role": "head", "group": "west", "amount": "4000", "forfeit": "50"},
    ]
    deposits = [("D1", "P1", "middle", "4000"), ("D2", "P2", "head", "4000"), ("D3", "P3", None, "4000")]

    def forfeited(of: Sequence[Mapping[str, Any]]) -> list[int]:
        found = kr.assess(made(of, (), deposits), date(2012, 3, 31))
        return [balance(found, name)[1] for name in ("D1", "D2", "D3")]

    assert forfeited(lines) == [4_000, 2_000, 2_000]
    assert forfeited(lines[::-1]) == [4_000, 2_000, 2_000]
    assert forfeited([lines[0], lines[2]]) == [3_000, 1_000, 1_000]
    assert forfeited([lines[2]]) == [3_000, 0, 0]


def test_roles_without_a_line_and_deposits_that_are_short_are_findings() -> None:
    deposits = [("D1", "P1", "guest", "4000"), ("D2", "P2", None, "4000"), ("D3", "P3", "middle", "3999.99")]
    deposits += [("D4", "P4", "middle", "1000"), ("D5", "P4", "middle", "3000")]
    found = kr.assess(made(TOWN_D, (), deposits), date(2012, 3, 31)).findings
    assert set(found.select("code", "key").rows()) == {
        ("deposit_role", "D1"),
        ("deposit_role", "D2"),
        ("deposit_short", "D3"),
    }
    assert set(found["message"]) == {
        "deposit D1 of P1: role guest has no line in [[pay_withholding.deposit]]",
        "deposit D2 of P2: role none has no line in [[pay_withholding.deposit]]",
        "deposit D3 of P3: less was paid in than role middle owes",
    }


def staff(*rows: tuple[str, str, str, str | None, date | None]) -> pl.DataFrame:
    names = ("person", "grade", "component", "total_pay")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String) | {"from_on": pl.Date}, orient="row")
    return frame.with_columns(unit=pl.lit("town"))


FUNAN = [{"of_pay": 0.1, "unmet": "forfeited"}]
THREE = [date(2012, 7, 1), date(2012, 8, 1), date(2012, 12, 1)]


def test_funan_a_tenth_of_all_pay_is_kept_and_returned_where_the_task_is_met() -> None:
    people = staff(("P1", "head", "800", "1234.56", None), ("P2", "clerk", "500", "1000", date(2012, 6, 15)))
    found = kr.assess(made(FUNAN, THREE, (), staff=people), date(2013, 3, 31))
    deposits = [f"2012/{COLLECT}/town/2012-01-31/{who}" for who in ("P1", "P2")]
    assert found.deposits["deposit"].to_list() == deposits
    assert found.deposits.select("person", "role", "paid_on").rows() == [
        ("P1", "head", date(2012, 1, 31)),
        ("P2", "clerk", date(2012, 6, 30)),
    ]
    assert balance(found, deposits[0]) == (12 * 12_345, 0, 0, 12 * 12_345, 0)
    assert balance(found, deposits[1]) == (7 * 10_000, 0, 0, 7 * 10_000, 0)
    months = found.entries.filter(pl.col("entry") == "paid", pl.col("person") == "P1")["month"]
    assert months.to_list() == [
        date(2012, month, 1).replace(day=day)
        for month, day in enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), start=1)
    ]


def test_funan_forfeited_where_the_task_is_not_met() -> None:
    people = staff(("P1", "head", "800", "1000", None))
    found = kr.assess(made(FUNAN, THREE[:2], (), staff=people), date(2013, 3, 31))
    assert balance(found, f"2012/{COLLECT}/town/2012-01-31/P1") == (120_000, 120_000, 0, 0, 0)


def test_county_a_sixty_yuan_a_month_of_the_heads_component() -> None:
    lines = [{"role": "head", "monthly": "60", "base": "component"}]
    people = staff(
        ("P1", "head", "800", None, None), ("P2", "clerk", "800", None, None), ("P3", "head", "45.5", "900", None)
    )
    found = kr.assess(made(lines, (), (), staff=people), date(2012, 5, 31))
    assert found.deposits.select("person", "paid").rows() == [("P1", 5 * 6_000), ("P3", 5 * 4_550)]


def test_what_holds_withhold_is_not_collected_again() -> None:
    # From July on the whole component of 800 is withheld; of all pay 50 is left, less than a tenth.
    lines = [{"of_pay": 0.1}]
    people = staff(("P1", "head", "800", "850", None), ("P2", "clerk", "800", None, None))
    ws = made(lines, (), (), staff=people, section_below=0.5)
    found = kr.assess(ws, date(2012, 8, 31))
    paid = found.entries.filter(pl.col("entry") == "paid").select("month", "amount").rows()
    assert [amount for _month, amount in paid] == [8_500] * 6 + [5_000] * 2
    assert set(found.ledger["withheld"]) == {80_000}
    assert found.deposits["person"].to_list() == ["P1"]  # whose pay is not known gives nothing


def test_units_without_a_task_are_left_alone() -> None:
    found = kr.assess(made([*TOWN_D, {"of_pay": 0.1}], (), ()), YEAR_END)
    assert set(found.events["unit"]) == {"town"}
    without = kr.assess(made(TOWN_D, (), ()), YEAR_END)
    assert set(without.events["rule"]) == {"pay_withholding.all_staff"}  # no deposits, nothing about them
    ws = made(TOWN_D)
    tables = {"units": ws.tables.units.drop("row"), "deposits": ws.tables.deposits.drop("row")}
    settings_ = {"pay_withholding": {"deposit": TOWN_D}, "plugins": {"enabled": ["pay_withholding"]}}
    taskless = kr.Workspace({"year": {"start": date(2012, 1, 1), "end": YEAR_END}, **settings_}, tables)
    assert balance(kr.assess(taskless, YEAR_END)) == (400_000, 0, 0, 0, 400_000)


def decided(*rows: tuple[str, str, date, str | None]) -> pl.DataFrame:
    columns = {"measure": pl.String, "decision": pl.String, "on": pl.Date, "reason": pl.String}
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(by=pl.lit("the county"))


def test_a_forfeiture_that_is_reversed_comes_back_with_the_reason_on_record() -> None:
    measure = f"2012/{FORFEIT}/town/2012-03-31"
    second = f"2012/{FORFEIT}/town/2012-06-30"
    decisions = decided(
        (measure, "approved", date(2012, 3, 31), None),
        (measure, "reversed", date(2012, 6, 10), "a project was overlooked"),
        (second, "approved", date(2012, 6, 30), None),
    )
    found = kr.assess(made(TOWN_D), date(2012, 7, 31), decisions=decisions)
    assert entries(found, FORFEIT) == [
        (date(2012, 3, 31), "forfeited", "P1", 100_000),
        (date(2012, 6, 30), "forfeited", "P1", 100_000),
        (date(2012, 6, 30), "refunded", "P1", 100_000),
    ]
    measures = found.measures.filter(pl.col("rule") == FORFEIT)
    columns = ("status", "decision", "decided_on", "decided_by", "decision_reason")
    assert measures.select(columns).rows() == [
        ("reversed", "reversed", date(2012, 6, 10), "the county", "a project was overlooked"),
        ("issued", "approved", date(2012, 6, 30), "the county", None),
    ]
    before = kr.assess(found.workspace, date(2012, 6, 9), decisions=decisions)
    assert balance(before) == (400_000, 100_000, 0, 0, 300_000)
    assert before.measures["decision"].to_list() == ["approved"]


def test_what_is_not_approved_forfeits_nothing() -> None:
    nothing = decided().clear()
    found = kr.assess(made(TOWN_D), YEAR_END, decisions=nothing)
    assert balance(found) == (400_000, 0, 0, 0, 400_000)


def test_collecting_that_is_lifted_stops_and_one_that_is_reversed_is_paid_back() -> None:
    people = staff(("P1", "head", "800", "1000", None))
    ws = made(FUNAN, (), (), staff=people)
    measure = f"2012/{COLLECT}/town/2012-01-31"
    deposit = f"{measure}/P1"
    start = (measure, "approved", date(2012, 1, 31), None)

    def after(decision: str) -> tuple[Any, ...]:
        decisions = decided(start, (measure, decision, date(2012, 4, 30), "appeal upheld"))
        return balance(kr.assess(ws, date(2012, 4, 30), decisions=decisions), deposit)

    assert after("lifted") == (30_000, 0, 0, 0, 30_000)
    assert after("reversed") == (30_000, 0, 0, 30_000, 0)


GUARD = """
@hookimpl
def kpi_guards():
    return [Guard("twentieth", withholdable=pl.col("total_pay") // 20)]
"""


def test_guards_bind_what_is_kept_from_pay(tmp_path: Path) -> None:
    toml = "[[pay_withholding.deposit]]\nof_pay = 0.1\n"
    ws = workspace(tmp_path, enabled=("pay_withholding",), policies={"limits.py": GUARD}, toml=toml)
    assert ws.errors == []
    found = kr.assess(ws, date(2011, 1, 31))
    assert found.deposits.select("person", "paid").rows() == [("P01", 1_500), ("P02", 1_000), ("P04", 1_250)]


def test_what_was_paid_is_as_it_is_known() -> None:
    ws = made(TOWN_D)
    deposits = pl.DataFrame(
        {
            "deposit": ["D1", "D1"],
            "person": ["P1", "P1"],
            "unit": ["town", "town"],
            "role": ["middle", "middle"],
            "amount": ["4000", "3000"],
            "paid_on": [JANUARY, JANUARY],
            "recorded_on": [JANUARY, date(2012, 5, 1)],
            "revoked_on": [date(2012, 5, 1), None],
        }
    )
    units, quotas = ws.tables.units.drop("row"), ws.tables.quotas.select("unit", "indicator", "amount", "effective")
    config = {
        "workspace": {"primary": "signed"},
        "year": {"start": date(2012, 1, 1), "end": YEAR_END},
        "plugins": {"enabled": ["pay_withholding"]},
        "pay_withholding": {"deposit": TOWN_D},
    }
    quotas = quotas.with_columns(amount=pl.lit("3"))
    corrected = kr.Workspace(config, {"units": units, "quotas": quotas, "deposits": deposits})
    assert balance(kr.assess(corrected, date(2012, 4, 30)))[0] == 400_000
    assert balance(kr.assess(corrected, date(2012, 4, 30), known_at=date(2012, 5, 1)))[0] == 300_000


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"role": "a"}, "deposit: found a line without a deposit; expected amount, monthly or of_pay above 0"),
        ({"amount": "4k"}, "deposit.amount: found 4k; expected an amount such as 4000 or 1.5万"),
        (
            {"amount": "4000", "forfeit": "0.001"},
            "deposit.forfeit: found 0.001; expected an amount such as 4000 or 1.5万",
        ),
        (
            {"of_pay": 1.1},
            "deposit.of_pay: found 1.1; expected a share from 0 to 1, both inclusive, of at most nine decimals",
        ),
        (
            {"of_pay": 0.1, "monthly": "60"},
            "deposit.monthly: found both a share and an amount of each month; expected one of the two",
        ),
        ({"amount": "1", "forfeit": "2"}, "deposit.forfeit: found 2; expected at most the deposit itself, 1"),
    ],
)
def test_lines_that_say_nothing_or_too_much(line: dict[str, Any], message: str) -> None:
    problems = made([line]).problems
    assert [each.message.replace("[0]", "").replace("[1]", "") for each in problems] == [f"pay_withholding.{message}"]


def test_forfeited_money_is_booked_to_one_account() -> None:
    rules = kr.rulebook(made(TOWN_D)).rules
    assert {name: rules[name].into for name in (FORFEIT, CLOSE, REFUND)} == {FORFEIT: "treasury", CLOSE: "", REFUND: ""}
    elsewhere = [{**line, "into": "fund", "unmet": "forfeited"} for line in TOWN_D]
    assert {kr.rulebook(made(elsewhere)).rules[name].into for name in (FORFEIT, CLOSE)} == {"fund"}
    problems = made([elsewhere[0], *TOWN_D[1:2]]).problems
    assert [each.message for each in problems] == [
        "pay_withholding.deposit[2].into: found treasury; expected one account for all lines, such as fund"
    ]


def test_a_role_named_twice() -> None:
    problems = made([TOWN_D[0], TOWN_D[0]]).problems
    assert [each.code for each in problems] == ["bad-deposit"]


@settings(max_examples=15)
@given(
    st.lists(st.dates(date(2012, 1, 1), YEAR_END), max_size=5),
    st.lists(st.tuples(st.sampled_from(("head", "middle", "staff")), st.integers(0, 700_000)), min_size=1, max_size=4),
)
def test_town_d_by_hand(projects: list[date], paid: list[tuple[str, int]]) -> None:
    """A quarter counts its recognised projects; the year end refunds everything or returns the rest."""
    quarters = [sum((day.month - 1) // 3 == quarter for day in projects) for quarter in range(4)]
    parts = {"head": 150_000, "middle": 100_000, "staff": 50_000}
    deposits = [(f"D{place}", f"P{place}", role, f"{fen / 100:.2f}") for place, (role, fen) in enumerate(paid)]
    found = kr.assess(made(TOWN_D, projects, deposits), YEAR_END)
    met = len(projects) >= 3
    for place, (role, fen) in enumerate(paid):
        lost = min(fen, parts[role] * sum(count == 0 for count in quarters))
        assert balance(found, f"D{place}") == (fen, lost, lost if met else 0, fen if met else fen - lost, 0)
