"""Edits in memory: what a workspace is with them, and what is said of those that are not valid."""

from __future__ import annotations

import pickle
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.workspace.quota_edits import QuotaPlan
from tests.workspace.editing import EXAMPLE, EXAMPLES, JULY, copied

if TYPE_CHECKING:
    from pathlib import Path

    from kpi_rules.workspace.edits import Edit

WS = kr.load(EXAMPLE)
CITY = kr.load(EXAMPLES / "hundred-days")
BELOW = "field_duty.off_post_below"
CONFIG: dict[str, object] = {
    "year": {"start": date(2011, 1, 1), "end": date(2011, 12, 31)},
    "plugins": {"enabled": ["rewards", "supervision"]},
    "rewards": {"outstanding": 1.2},
}
FRAMES = {
    "units": pl.DataFrame({"unit": ["a", "b"], "name": ["A", "B"], "group": ["g", None]}),
    "quotas": pl.DataFrame(
        {
            "unit": ["a", "b", "b"],
            "indicator": ["funds", "funds", "signed"],
            "amount": ["10", "20", "3"],
            "effective": ["2011-01-01"] * 3,
            "requirement": ["in the park", None, None],
        }
    ),
}


def value(workspace: kr.Workspace, name: str, on: date = date(2011, 12, 31), group: str | None = None) -> object:
    return workspace.parameters.at(name, on, group).value


def quotas(workspace: kr.Workspace, unit: str, indicator: str = "funds") -> list[tuple[date, int]]:
    own = workspace.tables.quotas.filter(pl.col("unit") == unit, pl.col("indicator") == indicator)
    return list(own.select("effective", "amount").iter_rows())


def test_a_value_is_set_where_it_stands() -> None:
    other = WS.with_edits([kr.ParameterEdit(BELOW, Decimal("0.4"))])
    assert value(other, BELOW) == Decimal("0.4")
    assert value(WS, BELOW) == Decimal("0.5")
    assert other.problems == WS.problems == []


def test_a_value_may_be_dated_and_for_a_group_and_goes_again() -> None:
    edits = [kr.ParameterEdit(BELOW, Decimal("0.4"), JULY), kr.ParameterEdit(BELOW, 0, JULY, "economic")]
    other = WS.with_edits(edits)
    assert value(other, BELOW, date(2011, 6, 30)) == Decimal("0.5")
    assert value(other, BELOW, JULY) == Decimal("0.4")
    assert value(other, BELOW, JULY, "economic") == 0
    back = other.with_edits([kr.ParameterEdit(BELOW, None, JULY), kr.ParameterEdit(BELOW, None, JULY, "economic")])
    assert back.parameters == WS.parameters
    default = WS.with_edits([kr.ParameterEdit(BELOW, None)])
    assert value(default, BELOW) == WS.parameters.declared[BELOW].default
    first = default.with_edits([kr.ParameterEdit(BELOW, Decimal("0.1"), JULY)])
    assert value(first, BELOW, date(2011, 6, 30)) == WS.parameters.declared[BELOW].default


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            kr.ParameterEdit("field_duty.of_post_below", 1),
            "no parameter .*nearest: field_duty.off_post_below",
        ),
        (kr.ParameterEdit(BELOW, "much"), f'{BELOW}: found "much"; expected a decimal'),
        (kr.ParameterEdit(BELOW, object()), "expected a decimal"),
        (kr.ParameterEdit(BELOW, Decimal(99)), "found 99; expected a decimal of at most nine places from 0 to"),
        (kr.ParameterEdit(BELOW, Decimal("0.4"), None, "economy"), 'found "economy"; .*nearest: economic'),
        (kr.ParameterEdit(BELOW, 0, datetime(2011, 7, 1)), "a date without quotes"),  # noqa: DTZ001 (a slip)
        (kr.ParameterEdit(BELOW, None, JULY), f"no value of {BELOW} to take away, from 2011-07-01 for all groups"),
        (kr.QuotaEdit("financ", 1), 'the unknown unit "financ"; .*nearest: finance'),
        (kr.QuotaEdit("finance", 1, "fund"), 'the unknown indicator "fund"; .*nearest: funds'),
        (kr.QuotaEdit("finance", 0), "found 0.00; expected a whole number above 0 and at most 2000亿"),
        (kr.QuotaEdit("finance", 10**9 + 1, "signed"), "found 1000000001; expected .* at most 1000000000"),
        (kr.QuotaEdit("finance", None, effective=JULY), "no quota of funds of finance, effective from 2011-07-01"),
        (kr.QuotaEdit("finance", None, "producing"), "expected a quota that there is"),
        (kr.QuotaEdit("finance", 1, effective=datetime(2011, 7, 1)), "a date without a time"),  # noqa: DTZ001 (same)
        (kr.SwitchEdit("reward", on=True), 'the unknown policy "reward"; .*nearest: rewards'),
        (kr.SwitchEdit("rewards.bonu", on=False), 'the unknown rule "rewards.bonu"; .*nearest: rewards.bonus'),
    ],
)
def test_what_is_not_valid_is_said(edit: kr.ParameterEdit, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WS.with_edits([edit])


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong: list[Edit] = [kr.QuotaEdit("x", 1), kr.ParameterEdit("x.y", 1), kr.SwitchEdit("z", on=True)]
    with pytest.raises(ValueError, match=r"policy \"z\".*parameter x\.y.*unit \"x\""):
        WS.with_edits(wrong)


def test_a_workspace_that_cannot_be_read_is_not_edited(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"kpi\.toml: found no such file"):
        kr.load(tmp_path).with_edits([kr.SwitchEdit("rewards", on=True)])


def test_a_quota_is_changed_set_anew_and_taken_away() -> None:
    before = quotas(WS, "water")
    assert quotas(WS.with_edits([kr.QuotaEdit("water", 7)]), "water") == [*before[:-1], (before[-1][0], 7)]
    day = date(2011, 9, 1)
    anew = WS.with_edits([kr.QuotaEdit("water", 7, effective=day, note="less")])
    assert quotas(anew, "water") == [*before, (day, 7)]
    assert anew.tables.quotas.filter(pl.col("effective") == day)["note"].to_list() == ["less"]
    assert quotas(anew.with_edits([kr.QuotaEdit("water", None)]), "water") == before
    first = WS.with_edits([kr.QuotaEdit("water", 7, "producing")])
    assert quotas(first, "water", "producing") == [(date(2011, 1, 1), 7)]


def test_of_two_edits_of_one_quota_the_later_counts() -> None:
    edits = [kr.QuotaEdit("water", 7, note="first"), kr.QuotaEdit("water", 8)]
    plan = QuotaPlan.of(WS, edits)
    assert [(edit.amount, edit.note) for edit in plan.edits.values()] == [(8, "first")]
    gone = [kr.QuotaEdit("water", 7, effective=JULY), kr.QuotaEdit("water", None, effective=JULY)]
    assert quotas(WS.with_edits(gone), "water") == [each for each in quotas(WS, "water") if each[0] != JULY]


def test_what_is_wrong_with_quotas_then_shows() -> None:
    found = WS.with_edits([kr.QuotaEdit("water", 1, effective=date(2010, 1, 1))])
    codes = {problem.code for problem in found.problems}
    assert codes == {"quota-before-year"}


def test_rules_are_switched_off_and_on() -> None:
    off = WS.with_edits([kr.SwitchEdit("field_duty.station_head", on=False)])
    assert off.problems == []
    assert list(off.plugins.off) == ["field_duty.station_head"]
    assert "field_duty.station_head" not in off.plugins.rules
    assert off.plugins.rules["field_duty.off_post"].supersedes == ("field_duty.station_head",)
    kr.assess(off)
    assert off.with_edits([kr.SwitchEdit("field_duty.station_head", on=True)]).config == WS.config
    assert WS.with_edits([kr.SwitchEdit("field_duty.station_head", on=True)]).config == WS.config


def test_what_is_wrong_with_a_rule_shows_while_it_is_on(tmp_path: Path) -> None:
    folder = copied(tmp_path / "worked")
    (folder / "summer.py").write_text(POLICY.replace("unit.funds", "unit.fund"), encoding="utf-8")
    text = (folder / "kpi.toml").read_text(encoding="utf-8")
    (folder / "kpi.toml").write_text(
        text.replace("[plugins]\n", '[plugins]\nlocal = ["summer.py"]\noff = ["summer.idle"]\n'), encoding="utf-8"
    )
    ws = kr.load(folder)
    assert ws.problems == []
    on = ws.with_edits([kr.SwitchEdit("summer.idle", on=True)])
    assert [problem.code for problem in on.errors] == ["unknown-column"]
    assert on.with_edits([kr.SwitchEdit("summer.idle", on=False)]).errors == []
    assert on.with_edits([kr.SwitchEdit("supervision.talk", on=False)]).errors == on.errors
    assert list(on.plugins.rules) == sorted(on.plugins.rules)


def test_policies_are_switched_off_and_find_their_values_when_they_are_on_again() -> None:
    off = WS.with_edits([kr.SwitchEdit("rewards", on=False), kr.SwitchEdit("supervision.talk", on=False)])
    assert off.errors == []
    assert {problem.code for problem in off.problems} == {"plugin-not-enabled"}
    on = off.with_edits([kr.SwitchEdit("rewards", on=True), kr.ParameterEdit("rewards.bonus_rate", Decimal("0.5"))])
    assert on.problems == []
    assert value(on, "rewards.outstanding") == value(WS, "rewards.outstanding")
    assert value(on, "rewards.bonus_rate") == Decimal("0.5")
    both: list[Edit] = [kr.SwitchEdit("rewards", on=False), kr.SwitchEdit("rewards.bonus", on=False)]
    assert WS.with_edits(both).errors == []


def test_what_with_parameters_gave_stays_until_it_is_edited() -> None:
    given = WS.with_parameters({BELOW: Decimal("0.3"), "rewards.bonus_rate": Decimal("0.1")})
    other = given.with_edits([kr.ParameterEdit("rewards.bonus_rate", Decimal("0.2"))])
    assert value(other, BELOW) == Decimal("0.3")
    assert value(other, "rewards.bonus_rate") == Decimal("0.2")


def test_a_workspace_in_memory_is_edited_too() -> None:
    ws = kr.Workspace(CONFIG, FRAMES)
    edits: list[Edit] = [
        kr.ParameterEdit("rewards.outstanding", Decimal("1.3"), JULY),
        kr.ParameterEdit("supervision.talk_after", 4),
        kr.QuotaEdit("a", 900, effective=JULY, note="less"),
        kr.QuotaEdit("a", 2000),
        kr.QuotaEdit("b", None, "signed"),
        kr.QuotaEdit("b", 5, effective=date(2010, 12, 1)),
        kr.SwitchEdit("rewards.bonus", on=False),
    ]
    other = ws.with_edits(edits)
    assert value(other, "rewards.outstanding", JULY) == Decimal("1.3")
    assert value(other, "rewards.outstanding", date(2011, 1, 1)) == Decimal("1.2")
    assert quotas(other, "a") == [(date(2011, 1, 1), 1000), (JULY, 2000)]
    assert other.tables.quotas["requirement"].to_list() == ["in the park", "in the park", None, None]
    assert quotas(other, "b") == [(date(2010, 12, 1), 5), (date(2011, 1, 1), 2000)]
    assert [problem.code for problem in other.problems if problem.severity == "error"] == []
    assert quotas(ws, "a") == [(date(2011, 1, 1), 1000)]
    assert kr.save(ws, edits).problems[0].code == "not-editable"


def test_rules_without_python_have_their_values_where_they_are_declared() -> None:
    ws = kr.load(EXAMPLES / "without-python")
    assert ws.errors == []
    name, setting = next((name, each) for name, each in ws.parameters.declared.items() if each.kind == "ratio")
    assert setting.plugin == "local"
    other = ws.with_edits([kr.ParameterEdit(name, Decimal("0.123"), JULY)])
    assert value(other, name, JULY) == Decimal("0.123")
    assert other.problems == ws.problems
    with pytest.raises(ValueError, match="there is no default"):
        ws.with_edits([kr.ParameterEdit(name, None)])


POLICY = '''"""Idle units."""
from kpi_rules import Rule, at, hookimpl, unit

@hookimpl
def kpi_policy_rules():
    when = at.mid_year & (unit.funds == 0)
    return [Rule("idle", kind="talk", subject="head", when=when, reason="nothing by mid-year")]
'''


def test_a_policy_of_one_file_is_switched_by_its_path_or_name(tmp_path: Path) -> None:
    folder = copied(tmp_path / "worked")
    (folder / "summer.py").write_text(POLICY, encoding="utf-8")
    ws = kr.load(folder)
    on = kr.save(ws, [kr.SwitchEdit("summer.py", on=True)]).workspace
    assert "summer.idle" in on.plugins.rules
    assert kr.changes(on, [kr.SwitchEdit("summer", on=False)]).rows() == [
        ("switch", "summer", None, None, None, "on", "off")
    ]
    for name in ("summer", "summer.py"):
        off = on.with_edits([kr.SwitchEdit(name, on=False)])
        assert "summer.idle" not in off.plugins.rules
        assert off.problems == []
    missing = ws.with_edits([kr.SwitchEdit("winter.py", on=True)])
    assert [problem.code for problem in missing.problems] == ["local-policy-missing"]
    assert [problem.code for problem in kr.save(ws, [kr.SwitchEdit("winter.py", on=True)]).problems] == [
        "local-policy-missing"
    ]


def test_sections_are_made_where_there_are_none(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "kpi.toml").write_text("[year]\nstart = 2011-01-01\nend = 2011-12-31\n", encoding="utf-8")
    ws = kr.load(folder)
    on = ws.with_edits([kr.SwitchEdit("rewards", on=True), kr.ParameterEdit("rewards.outstanding", 2, JULY)])
    assert on.origin is not None
    assert on.origin.content == (
        b"[year]\nstart = 2011-01-01\nend = 2011-12-31\n\n"
        b'[plugins]\nenabled = ["rewards"]\n\n[rewards]\noutstanding = [{ value = 2, from = 2011-07-01 }]\n'
    )
    assert [problem.code for problem in ws.errors] == [problem.code for problem in on.errors]


def test_a_workspace_goes_to_another_process_with_its_rules_without_python() -> None:
    ws = kr.load(EXAMPLES / "without-python")
    other = pickle.loads(pickle.dumps(ws))  # noqa: S301 (made on this line)
    assert other.plugins.rules.keys() == ws.plugins.rules.keys()


def test_what_is_written_in_no_way_that_is_known_is_left_to_hands(tmp_path: Path) -> None:
    text = (EXAMPLE / "kpi.toml").read_text(encoding="utf-8")
    folder = copied(tmp_path / "worked")
    rewards = text[text.index("[rewards]") : text.index("[supervision]")]
    (folder / "kpi.toml").write_text(
        "rewards.outstanding = 1.2\nrewards.bonus_rate = 0.001\n" + text.replace(rewards, ""), encoding="utf-8"
    )
    ws = kr.load(folder)
    assert ws.problems == []
    dotted = ws.with_edits([kr.ParameterEdit("rewards.outstanding", Decimal("1.3"))])
    assert value(dotted, "rewards.outstanding") == Decimal("1.3")
    assert ws.with_edits([kr.ParameterEdit("rewards.bonus_rate", None)]).problems == []
    twice = '[field_duty]\noff_post_below = [{ value = 0.5 }, { value = 0.4, group = "social" }, { value = 0.3 }]\n'
    start, end = text.index("[field_duty]"), text.index("[rewards]")
    (folder / "kpi.toml").write_text(text[:start] + twice + text[end:], encoding="utf-8")
    doubled = kr.load(folder)
    assert [problem.code for problem in doubled.errors] == ["duplicate-entry"]
    gone = doubled.with_edits([kr.ParameterEdit(BELOW, None)])
    assert gone.errors == []


def test_changes_are_for_people() -> None:
    edits: list[Edit] = [
        kr.ParameterEdit(BELOW, Decimal("0.45"), JULY),
        kr.ParameterEdit("rewards.outstanding", None),
        kr.QuotaEdit("water", 2_500_000_000, effective=date(2011, 10, 1)),
        kr.QuotaEdit("water", 3, "producing"),
        kr.SwitchEdit("rewards.bonus", on=False),
    ]
    assert kr.changes(WS, edits).drop("from").rows() == [
        ("parameter", BELOW, None, None, "0.50", "0.45"),
        ("parameter", "rewards.outstanding", None, None, "1.20", "1.20"),
        ("switch", "rewards.bonus", None, None, "on", "off"),
        ("quota", "water", None, "funds", "2000万", "2500万"),
        ("quota", "water", None, "producing", None, "3"),
    ]
    assert kr.changes(WS, []).is_empty()


def test_a_group_is_scaled_half_a_fen_up() -> None:
    ws = kr.Workspace(CONFIG, FRAMES)
    assert kr.scale_quotas(ws, "g", Decimal("1.0005")) == [kr.QuotaEdit("a", 1001, effective=date(2011, 1, 1))]
    assert kr.scale_quotas(ws, "g", Decimal("0.5"), effective=JULY, note="n") == [
        kr.QuotaEdit("a", 500, effective=JULY, note="n")
    ]
    for group, factor, indicator, message in (
        ("h", 1, "funds", "no group h .nearest: g|no group h"),
        ("g", 0, "funds", "a factor is a decimal above 0"),
        ("g", 1, "signed", "no unit of g has a quota of signed"),
    ):
        with pytest.raises(ValueError, match=message):
            kr.scale_quotas(ws, group, Decimal(factor), indicator=indicator)


def test_a_split_becomes_edits() -> None:
    parts = kr.split_quota(CITY, "city", effective=JULY)
    edits = kr.edits_of_split(CITY, parts)
    other = CITY.with_edits(edits)
    found = other.tables.quotas.filter(pl.col("effective") == JULY).join(parts, on=["unit", "indicator"], how="semi")
    assert found.select("unit", "amount", "note").sort("unit").rows() == parts.select("unit", "amount", "note").rows()
