"""The rules alone: one case, many cases, a population."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.model.calendar import MOMENTS
from tests.pipeline.making import workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLE = Path(__file__).parents[2] / "examples" / "worked-example"
GROUPS = {
    "field_duty.off_post_at_year_end": [{"value": 0.8}, {"value": 0.4, "group": "economic"}],
    "rewards.bonus_rate": [{"value": 0.001}, {"value": 0.002, "group": "social"}],
}
WS = kr.load(EXAMPLE).with_parameters(GROUPS)
BOOK = kr.rulebook(WS)
FIGURES = ("completion", "pace_gap", "lag", "funds", "funds_quota")
CASES = st.fixed_dictionaries(
    {
        "completion": st.none() | st.sampled_from([0.0, 0.2, 0.3, 0.45, 0.5, 0.9, 1.0, 1.2, 1.5]),
        "pace_gap": st.none() | st.sampled_from([-0.5, 0.1, 0.25, 0.3]),
        "lag": st.integers(0, 4),
        "funds": st.integers(0, 10**12),
        "funds_quota": st.none() | st.integers(1, 10**12),
        "group": st.sampled_from([None, "economic", "social"]),
    }
    | dict.fromkeys(MOMENTS, st.booleans())
    | dict.fromkeys(BOOK.rules, st.booleans())
)
TYPES: Mapping[str, type[pl.DataType]] = {
    "completion": pl.Float64,
    "pace_gap": pl.Float64,
    "lag": pl.Int64,
    "funds": pl.Int64,
    "funds_quota": pl.Int64,
    "group": pl.String,
    **dict.fromkeys((*MOMENTS, *BOOK.rules), pl.Boolean),
}


def of_frame(frame: pl.DataFrame, row: int = 0, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 (`on`)
    found = BOOK.evaluate(frame, **more)
    assert isinstance(found, pl.DataFrame)
    assert found.columns == ["row", "rule", "event", "amount"]
    return found.filter(pl.col("row") == row).drop("row").to_dicts()


@settings(max_examples=150)
@given(st.lists(CASES, min_size=1, max_size=5), st.sampled_from([date(2011, 6, 30), date(2011, 12, 31)]))
def test_a_case_is_a_row_of_a_frame(cases: list[dict[str, Any]], on: date) -> None:
    frame = pl.DataFrame(cases, schema=TYPES)
    for row, case in enumerate(cases):
        assert BOOK.evaluate(case, on=on) == of_frame(frame, row, on=on)


CASE: dict[str, Any] = {
    "at_year_end": True,
    "completion": 0.6,
    "pace_gap": 0.4,
    "lag": 0,
    "funds": 60,
    "funds_quota": 100,
}


def rules(case: Mapping[str, Any]) -> set[str]:
    found = BOOK.evaluate(case)
    assert found == of_frame(pl.DataFrame([dict(case)]))
    return {each["rule"] for each in found if isinstance(each, dict)}


def test_parameters_are_those_of_the_cases_group_null_is_no_group() -> None:
    off_post = "field_duty.off_post"
    assert off_post in rules({**CASE, "group": None})
    assert off_post in rules(CASE)
    assert off_post in rules({**CASE, "group": "social"})
    assert off_post not in rules({**CASE, "group": "economic"})
    assert off_post not in rules({**CASE, "group": None, "field_duty.off_post_at_year_end": 0.6})
    assert off_post in rules({**CASE, "group": "economic", "field_duty.off_post_at_year_end": 0.61})


def bonus(**more: object) -> int:
    case = {**CASE, "completion": 1.5, "funds": 1_500_000, "funds_quota": 1_000_000, **more}
    found = BOOK.evaluate(case)
    assert found == of_frame(pl.DataFrame([case]))
    (amount,) = (each["amount"] for each in found if isinstance(each, dict) and each["rule"] == "rewards.bonus")
    return int(amount)


def test_a_ratio_given_reaches_the_amount_exactly() -> None:
    assert bonus() == 500
    assert bonus(group="social") == 1000
    assert bonus(**{"rewards.bonus_rate": 0.000003}) == 1
    assert bonus(**{"rewards.bonus_rate": 0.29}) == 145_000


def test_state_says_what_ends_and_what_is_replaced() -> None:
    met = {**CASE, "completion": 1.0, "pay_withholding.section": True, "pay_withholding.all_staff": None}
    assert BOOK.evaluate(met) == [{"rule": "pay_withholding.section", "event": "ended", "amount": None}]
    late = {**CASE, "pay_withholding.section": True, "group": "economic", "pace_gap": 0.1}
    assert BOOK.evaluate(late) == [
        {"rule": "pay_withholding.section", "event": "superseded", "amount": None},
        {"rule": "pay_withholding.all_staff", "event": "started", "amount": None},
    ]


@pytest.mark.parametrize("name", FIGURES)
def test_a_missing_column_is_named_whether_or_not_this_case_would_read_it(name: str) -> None:
    case = {key: value for key, value in CASE.items() if key != name} | {"at_year_end": False, f"{name}s": 1}
    for cases in (case, pl.DataFrame([case])):
        with pytest.raises(ValueError, match=rf"^no column {name}, which a rule reads \(nearest: {name}s\)$"):
            BOOK.evaluate(cases)


@pytest.mark.parametrize("cases", [[CASE], None, pl.LazyFrame([CASE]), "completion"])
def test_cases_are_a_dictionary_or_a_frame(cases: Any) -> None:  # noqa: ANN401 (a slip)
    message = f"^cases are a dictionary or a polars DataFrame, not {type(cases).__name__}$"
    with pytest.raises(TypeError, match=message):
        BOOK.evaluate(cases)


def test_a_rule_that_repeats_is_issued_again(tmp_path: Path) -> None:
    text = """
    def talk(name, **more):
        return Rule(name, kind="talk", subject="head", when=unit.completion.abs() < 1, reason="late", **more)
    @hookimpl
    def kpi_policy_rules():
        return [talk("once"), talk("again", repeats=True)]
    """
    book = kr.rulebook(workspace(tmp_path, policies={"p.py": text}))
    case = {"completion": 0.5, "p.once": True, "p.again": True}
    assert book.evaluate(case) == [{"rule": "p.again", "event": "issued", "amount": None}]  # `abs`: by way of a frame


def test_a_workspace_with_errors_has_no_rulebook(tmp_path: Path) -> None:
    with pytest.raises(kr.AssessmentError, match="found no such file"):
        kr.rulebook(kr.load(tmp_path))


# A population


def test_a_run_over_credited_amounts_decides_as_the_assessment_does() -> None:
    as_of = date(2012, 3, 31)
    assessment = kr.assess(WS, as_of=as_of)
    units = assessment.units.filter(pl.col("tick") == as_of).select("unit", "funds_quota")
    units = units.with_columns(funds_quota=pl.when(pl.col("unit") != "trade").then("funds_quota"))
    groups = WS.tables.units.select("unit", "group")
    units = units.join(groups, on="unit", maintain_order="left")
    credited = {tick.on: assessment.units.filter(pl.col("tick") == tick.on)["funds"] for tick in assessment.ticks}
    outcome = BOOK.run(units, credited)
    wanted = assessment.events.filter(pl.col("unit") != "trade")  # its quota is revised within the year
    assert len(wanted) > 20
    assert outcome.events.sort(*wanted.columns).equals(wanted.sort(*wanted.columns))
    months = assessment.ledger.filter(pl.col("unit") != "trade").select("unit", "rule", "month").unique()
    booked = outcome.withheld.select("unit", "rule", "month").join(
        WS.tables.staff.select("unit"), on="unit", how="semi"
    )
    assert booked.sort("unit", "rule", "month").equals(months.sort("unit", "rule", "month"))
    in_force = assessment.measures.filter(pl.col("active") & (pl.col("unit") != "trade")).select("unit", "rule")
    active = outcome.active.unpivot(index="unit", variable_name="rule").filter("value").drop("value")
    assert active.sort("unit", "rule").equals(in_force.sort("unit", "rule"))


def test_a_run_wants_every_tick_and_one_amount_a_unit() -> None:
    units = pl.DataFrame({"unit": ["a"], "funds_quota": [100]})
    with pytest.raises(ValueError, match="no credited amounts at the ticks 2011-01-31"):
        BOOK.run(units, {date(2011, 2, 28): pl.Series([1])})
    with pytest.raises(ValueError, match="another number of amounts than of units at 2011-01-31"):
        BOOK.run(units, {date(2011, 1, 31): pl.Series([1, 2])})


@pytest.mark.parametrize("quota", [0, -1])
def test_a_quota_of_a_run_is_above_0_or_none(quota: int) -> None:
    units = pl.DataFrame({"unit": ["a", "b", "c"], "funds_quota": [100, quota, None]})
    amounts = {date(2011, 1, 31): pl.Series([1, 2, 3])}
    with pytest.raises(ValueError, match="not so of 1 units, the first is b"):
        BOOK.run(units, amounts)
