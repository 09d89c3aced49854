"""What a caller may ask of an assessment, and what the answer is where it asks for what there is not."""

from __future__ import annotations

import pickle
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import kpi_rules as kr
from tests.pipeline.making import workspace

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

ENABLED = ("field_duty", "rewards", "supervision")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"as_of": date(2010, 12, 31)}, "as_of: found 2010-12-31; expected a day from 2011-01-01 to 2199-12-31"),
        ({"as_of": date.max}, "as_of: found 9999-12-31; expected a day from 2011-01-01 to 2199-12-31"),
        ({"as_of": datetime(2011, 6, 30)}, "expected a date without a time"),  # noqa: DTZ001 (a slip)
        ({"known_at": "2011-06-30"}, "known_at: found '2011-06-30'; expected a date without a time"),
        ({"indicators": ["funds", "rang"]}, "(nearest: rank)"),
        (
            {"decisions": pl.DataFrame({"measure": [1], "decision": [None], "on": [None]})},
            "decisions, column measure: found Int64; expected texts",
        ),
    ],
)
def test_what_does_not_fit_is_a_problem(tmp_path: Path, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(kr.AssessmentError) as raised:
        kr.assess(workspace(tmp_path), **asked)
    assert message in str(raised.value)


def test_an_assessment_names_itself_on_one_line(tmp_path: Path) -> None:
    found = kr.assess(workspace(tmp_path), date(2011, 6, 15), date(2011, 7, 1))
    days = "as of 2011-06-15, known at 2011-07-01"
    assert repr(found) == f"<Assessment of 'Two departments' {days}: 4 units, 6 ticks>"


def test_decisions_without_rows_need_no_types(tmp_path: Path) -> None:
    found = kr.assess(
        workspace(tmp_path, enabled=ENABLED), decisions=pl.DataFrame({"measure": [], "decision": [], "on": []})
    )
    assert len(found.events) == 0
    assert len(found.measures) > 0


def test_an_explanation_has_its_figures_whatever_was_computed(tmp_path: Path) -> None:
    found = kr.assess(workspace(tmp_path), indicators=["rank"]).explain("finance")
    assert found.to_text().splitlines()[1] == "  credited 300.00, quota 1000.00, completion 30.00%, expected 100.00%"
    assert list(found.indicators) == ["funds", "funds_quota", "completion", "expected", "rank"]


def test_an_explanation_names_the_indicator_that_is_primary(tmp_path: Path) -> None:
    place = tmp_path / "w"
    workspace(place, tables={"quotas": "unit,indicator,amount,effective\nfinance,signed,2,2011-01-01\n"})
    text = (place / "kpi.toml").read_text(encoding="utf-8").replace('primary = "funds"', 'primary = "signed"')
    (place / "kpi.toml").write_text(text, encoding="utf-8")
    found = kr.assess(kr.load(place)).explain("finance")
    assert found.to_text().splitlines()[1] == "  signed 1, quota 2, completion 50.00%, expected 100.00%"


@pytest.mark.parametrize(
    ("hook", "given", "key"),
    [
        (
            "kpi_checks",
            "Check('far', 'arrivals', (pl.col('amount') / (pl.col('amount') - 30000)).cast(pl.Int64) > 1, 'x')",
            "check far",
        ),
        (
            "kpi_indicators",
            (
                "Indicator('far', 'count', "
                "pl.when(unit.funds == 30000).then(unit.funds * 1e15).otherwise(1.0).cast(pl.Int64))"
            ),
            "indicator far",
        ),
        (
            "kpi_guards",
            "Guard('far', (pl.col('component') / (pl.col('component') - 9000)).cast(pl.Int64))",
            "guard far",
        ),
    ],
)
def test_what_fails_on_the_data_only_is_named(tmp_path: Path, hook: str, given: str, key: str) -> None:
    policies = {"winter.py": f"@hookimpl\ndef {hook}():\n    return [{given}]\n"}
    loaded = workspace(tmp_path, policies=policies, enabled=("pay_withholding",))
    assert loaded.errors == []
    with pytest.raises(kr.AssessmentError, match=r"conversion from `f64` to `i64` failed") as raised:
        len(kr.assess(loaded, date(2012, 3, 31)).ledger)
    assert [(problem.code, problem.place.key) for problem in raised.value.problems] == [("expression-failed", key)]


WHOLE = """
@define
class Settings:
    first: int = count(1, label="First")
    second: int = count(1, label="Second")

p = parameters("winter", Settings)

@hookimpl
def kpi_settings():
    return Settings

@hookimpl
def kpi_policy_rules():
    return [Rule("paid", kind="bonus", subject="unit", when=at.year_end & (unit.completion >= 0),
                 amount=p.first * p.second, reason="paid")]
"""


def test_a_product_of_two_parameters_of_a_group_does_not_wrap(tmp_path: Path) -> None:
    toml = "[winter]\n" + "\n".join(
        f'{name} = [{{value = 60000}}, {{value = 70000, group = "economic"}}]' for name in ("first", "second")
    )
    loaded = workspace(tmp_path, policies={"winter.py": WHOLE}, toml=toml)
    product = 70_000 * 70_000
    case = {"completion": 0.5, "at_year_end": True, "group": "economic"}
    book = kr.rulebook(loaded)
    assert book.evaluate(case) == [{"rule": "winter.paid", "event": "issued", "amount": product}]
    many = book.evaluate(pl.DataFrame([case]))
    assert isinstance(many, pl.DataFrame)
    assert many["amount"].to_list() == [product]
    events = kr.assess(loaded).events
    assert events.filter(pl.col("unit") == "finance")["amount"].to_list() == [product]


def test_what_is_made_of_an_indicator_that_nothing_else_reads_is_there(tmp_path: Path) -> None:
    policy = """
        @hookimpl
        def kpi_indicators():
            return [Indicator("mills", "count", pl.col("name") == "Mill", table="projects")]

        @hookimpl
        def kpi_policy_rules():
            signed, mills = pl.col("signed_overdue"), pl.col("mills_stretch_completion") < 1
            late, few = at.year_end & signed, at.year_end & mills
            return [Rule("late", "talk", "head", late, ""), Rule("few", "talk", "head", few, "")]
        """
    quotas = """\
        unit,indicator,amount,effective,deadline,stretch
        finance,funds,1000.00,2011-01-01,,
        finance,signed,3,2011-01-01,2011-06-30,
        finance,mills,2,2011-01-01,,3
        """
    found = workspace(tmp_path, policies={"late.py": policy}, tables={"quotas": quotas})
    assert kr.assess(found, indicators=()).events["rule"].to_list() == ["late.few", "late.late"]


@pytest.mark.parametrize("as_of", [date(2011, 12, 31), date(2011, 8, 15)])
def test_the_figures_of_a_tick_are_those_of_all_ticks(tmp_path: Path, as_of: date) -> None:
    found = workspace(tmp_path, enabled=ENABLED)
    whole, last = kr.assess(found, as_of), kr.assess(found, as_of, whole_panel=False)
    ticks = [tick.on for tick in whole.ticks]
    assert whole.units["tick"].unique(maintain_order=True).to_list() == ticks
    for here, on in enumerate(ticks):
        assert whole.figures(here).equals(whole.units.filter(pl.col("tick") == on))
        assert last.figures(here).equals(whole.figures(here))
    assert last.units.equals(whole.figures(len(ticks) - 1))
    assert not whole.units.filter(pl.col("lag") > 1).is_empty()


def _assessed(name: str) -> kr.Assessment:
    return kr.assess(kr.load(EXAMPLES / name), date(2011, 9, 30))


def _check_in_force(found: kr.Assessment) -> None:
    standing = found.measures.filter(pl.col("active") | (pl.col("status") == "proposed"))
    assert not standing.is_empty()
    assert found.in_force.equals(standing.select(found.in_force.columns))


@pytest.mark.parametrize("name", ["hundred-days", "worked-example", "field-duty", "without-python"])
def test_the_measures_in_force_are_those_active_or_proposed(name: str) -> None:
    _check_in_force(_assessed(name))


def test_what_was_decided_says_which_measures_are_in_force() -> None:
    found = _assessed("worked-example")
    kept, undone = found.in_force["id"][:2]
    decisions = pl.DataFrame(
        {
            "measure": [kept, undone, undone],
            "decision": ["approved", "approved", "reversed"],
            "on": [date(2011, 9, 1), date(2011, 9, 1), date(2011, 9, 30)],
        }
    )
    then = kr.assess(found.workspace, found.as_of, decisions=decisions)
    _check_in_force(then)
    assert undone not in then.in_force["id"]
    assert {"proposed", "in force"} <= set(then.in_force["status"])


@pytest.mark.parametrize("name", ["hundred-days", "worked-example", "field-duty", "shapes/scoring", "without-python"])
def test_an_assessment_goes_to_another_process(name: str) -> None:
    found = _assessed(name)
    unit = found.measures["unit"][0]
    found.explain(unit)  # what was made for it goes too, or is made again
    other = pickle.loads(pickle.dumps(found))  # noqa: S301 (made on this line)
    for frame in ("units", "measures", "events", "ledger", "entries", "findings", "waterfall"):
        assert getattr(other, frame).equals(getattr(found, frame)), frame
    assert other.explain(unit).to_text() == found.explain(unit).to_text()
    off = [kr.SwitchEdit(found.measures["rule"][0], on=False)]
    assert other.what_if(off).measures.equals(found.what_if(off).measures)
