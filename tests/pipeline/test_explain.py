"""Explanations: data first; distances to flip that are minimal, checked by assessing again with the money added."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.pipeline.conditions import condition
from kpi_rules.pipeline.distance import Distances
from tests.pipeline.making import TABLES, workspace

if TYPE_CHECKING:
    from kpi_rules.pipeline.explain import RuleExplanation

EXAMPLE = Path(__file__).parents[2] / "examples" / "worked-example"
OFF_POST, SECTION = "field_duty.off_post", "pay_withholding.section"
ENABLED = ("field_duty", "pay_withholding", "rewards", "supervision")
JUNE, YEAR_END = date(2011, 6, 30), date(2011, 12, 31)


def one(found: kr.Assessment, unit: str, rule: str, on: date | None = None) -> RuleExplanation:
    (explained,) = found.explain(unit, rule=rule, on=on).rules
    return explained


# Conditions


def test_a_condition_is_a_tree_with_the_value_of_every_node() -> None:
    expression = (pl.col("at_year_end") | (pl.col("lag") >= 3)) & ~(pl.col("completion") < pl.col("winter.below"))
    row = pl.DataFrame({"at_year_end": [False], "lag": [4], "completion": [None], "winter.below": [0.5]}).cast(
        {"completion": pl.Float64}
    )
    found = condition(expression, row)
    assert found.lines() == [
        "all of these: not known",
        "  at least one of these: yes",
        "    at_year_end: no",
        "    lag 4 ≥ 3: yes",
        "  the opposite of this: not known",
        "    completion not known < winter.below 0.5: not known",
    ]
    assert (found.kind, found.value) == ("and", None)
    either, opposite = found.parts
    assert [part.value for part in either.parts] == [False, True]
    assert either.parts[1].text == "lag ≥ 3"
    assert [part.value for part in opposite.parts[0].parts] == [None, 0.5]
    assert json.loads(json.dumps(found.to_dict()))["parts"][0]["kind"] == "or"


def test_nested_ands_are_one_list_and_arithmetic_is_a_value() -> None:
    row = pl.DataFrame({"a": [True], "b": [False], "x": [6], "y": [4]})
    expression = pl.col("a") & pl.col("b") & (pl.col("x") * 2 - pl.col("y") >= pl.col("y"))
    found = condition(expression, row)
    assert [part.kind for part in found.parts] == ["value", "value", "comparison"]
    assert found.parts[2].lines() == ["((x x 2) - y) 8 ≥ y 4: yes"]
    assert not found.value


def test_amounts_are_shown_as_people_write_them_and_stay_fen_in_data() -> None:
    row = pl.DataFrame(
        {"funds": [422_500_0000], "funds_quota": [300_000_0000], "lag": [3], "winter.least": [1_0000_00]}
    )
    money = {"funds", "funds_quota", "winter.least"}
    parts = [
        pl.col("funds") > pl.col("funds_quota"),
        pl.col("funds") - pl.col("funds_quota") >= pl.col("winter.least"),
        pl.col("funds") >= 2_000_000,
        (pl.col("funds") - pl.col("funds_quota")) * 10 // pl.col("funds_quota") >= 2,
        pl.col("lag") >= 3,
        pl.lit(1) < pl.lit(2),
    ]
    found = condition(pl.all_horizontal(parts), row, money)
    assert found.lines()[1:] == [
        "  funds 4225万 > funds_quota 3000万: yes",
        "  (funds - funds_quota) 1225万 ≥ winter.least 1万: yes",
        "  funds 4225万 ≥ 2万: yes",
        "  (((funds - funds_quota) x 10) // funds_quota) 4 ≥ 2: yes",
        "  lag 3 ≥ 3: yes",
        "  1 < 2: yes",
    ]
    assert found.parts[0].parts[0].to_dict()["value"] == 4_225_000_000


# Explanations


def test_an_explanation_is_data_that_json_can_hold() -> None:
    found = kr.assess(kr.load(EXAMPLE)).explain("water")
    plain = found.to_dict()
    again = json.loads(json.dumps(plain, default=str))
    assert again["unit"] == "water"
    assert again["tick"] == "2011-12-31"
    assert {rule["rule"] for rule in again["rules"]} == set(kr.load(EXAMPLE).plugins.rules)
    assert {row["project"] for row in again["waterfall"]} == {"J01", "J02", "J07"}
    assert all(rule["when"]["kind"] for rule in again["rules"])

    def leaves(value: object) -> list[object]:
        if isinstance(value, dict):
            return [leaf for item in value.values() for leaf in leaves(item)]
        if isinstance(value, list):
            return [leaf for item in value for leaf in leaves(item)]
        return [value]

    assert {type(leaf) for leaf in leaves(plain)} <= {str, int, float, bool, type(None), date}


def test_in_chinese_conditions_have_columns_as_they_are_called_and_data_as_they_are_named() -> None:
    kr.set_language("zh_Hans")
    explained = one(kr.assess(kr.load(EXAMPLE)), "culture", "field_duty.off_post")
    text = explained.to_text()
    assert "完成率 0.45 < field_duty.off_post_below 0.5: 是" in text
    assert "年末: 是" in text
    assert "at_year_end:" not in text
    assert "completion < field_duty.off_post_below" in str(explained.to_dict()["when"])


@pytest.mark.parametrize("on", [date(2011, 11, 8), date(2011, 10, 31), date(2011, 10, 20), YEAR_END, date(2012, 3, 31)])
def test_every_unit_is_explained_at_every_kind_of_tick(on: date) -> None:
    found = kr.assess(kr.load(EXAMPLE), as_of=on)
    for unit in found.panel.units["unit"]:
        explained = found.explain(unit)
        assert explained.tick == on
        assert explained.to_text().startswith(f"{unit} at {on}\n")
        row = found.units.filter(pl.col("unit") == unit, pl.col("tick") == on).row(0, named=True)
        assert {name: row[name] for name in explained.indicators} == explained.indicators


def test_the_parameters_say_from_when_for_whom_and_where_they_stand(tmp_path: Path) -> None:
    toml = """
    [field_duty]
    off_post_at_year_end = [{value = 0.9}, {value = 0.7, group = "economic", from = 2011-07-01}]
    """
    found = kr.assess(workspace(tmp_path, enabled=ENABLED, toml=toml))
    of_finance = {each.name: each for each in one(found, "finance", OFF_POST).parameters}
    assert of_finance.keys() == {"field_duty.off_post_at_year_end", "field_duty.off_post_below"}
    own = of_finance["field_duty.off_post_at_year_end"]
    assert (own.value, own.from_on, own.group) == ("0.7", date(2011, 7, 1), "economic")
    assert own.origin.startswith("kpi.toml, line ")
    default = of_finance["field_duty.off_post_below"]
    assert (default.value, default.from_on, default.group, default.origin) == (
        *("0.50", None, None),
        "default of field_duty",
    )
    (general, _below) = sorted(one(found, "water", OFF_POST).parameters, key=lambda each: each.name)
    assert (general.value, general.from_on, general.group) == ("0.9", None, None)
    (before, _below) = sorted(one(found, "finance", OFF_POST, JUNE).parameters, key=lambda each: each.name)
    assert (before.value, before.group) == ("0.9", None)
    pay = {each.name for each in one(found, "finance", SECTION).parameters}
    assert pay == {f"pay_withholding.{name}" for name in ("section_below", "section_grades", "share")}


def test_a_parameter_that_only_the_reason_reads_is_shown(tmp_path: Path) -> None:
    policy = """
    @define(frozen=True)
    class Settings:
        office: tuple[str, ...] = texts((), label="office")
        fee: int = money("300", label="fee")

    @hookimpl
    def kpi_settings():
        return Settings

    @hookimpl
    def kpi_policy_rules():
        when = at.year_end & (unit.completion < 1)
        return [Rule("talk", kind="talk", subject="head", when=when, reason="late, which costs {winter.fee}")]
    """
    found = kr.assess(workspace(tmp_path, policies={"winter.py": policy}, toml="[winter]\nfee = 500\n"))
    (used,) = one(found, "finance", "winter.talk").parameters
    assert (used.name, used.value) == ("winter.fee", "500.00")


def test_what_happened_and_since_when(tmp_path: Path) -> None:
    found = kr.assess(workspace(tmp_path, enabled=ENABLED), as_of=YEAR_END)
    begins = one(found, "finance", SECTION, JUNE)
    assert (begins.state, begins.event, begins.in_force_since) == ("begins", "started", JUNE)
    assert begins.reason == "completion 30.00% is below 50.00%"
    assert begins.measure == "2011/pay_withholding.section/finance/2011-06-30"
    later = one(found, "finance", SECTION, date(2011, 9, 15))
    assert (later.state, later.event, later.in_force_since) == ("in force", None, JUNE)
    assert later.reason == begins.reason
    over = one(found, "finance", SECTION, YEAR_END)
    assert (over.event, over.in_force_since) == ("superseded", None)
    assert over.superseded_by == ("pay_withholding.all_staff",)
    assert "is superseded at this tick by pay_withholding.all_staff" in over.to_text()
    assert begins.superseded_by == ()
    never = one(found, "water", SECTION)
    assert (never.state, never.event, never.measure, never.reason) == ("not in force", None, None, None)
    assert begins.plugin == "kpi-rules-pay-withholding 0.1.0"
    assert begins.sources == ("M17", "M18", "M19")


def test_data_cannot_write_lines_of_its_own(tmp_path: Path) -> None:
    text = """
    @hookimpl
    def kpi_policy_rules():
        return [Rule("talk", kind="talk", subject="head", when=at.year_end & (unit.kind == "a\\nb"), reason="{kind}")]
    """
    tables = {
        "units": 'unit,name,parent,group,head,kind\n"fin\nance \x1b[2J\u202e",F,,,,"a\nb"\n',
        "projects": 'project,unit,recognised_on\n"J\n01","fin\nance \x1b[2J\u202e",2011-01-02\n',
        "quotas": "unit,indicator,amount,effective\n",
        "arrivals": "voucher,project,amount,arrived_on\n",
        "staff": "person,name,unit,grade,category,component\n",
    }
    found = kr.assess(workspace(tmp_path, policies={"p.py": text}, tables=tables))
    shown = found.explain("fin\nance \x1b[2J\u202e").to_text()
    assert not set("\x1b\u202e") & set(shown)
    lines = shown.splitlines()
    assert lines[0] == r"fin\nance \x1b[2J\u202e at 2011-12-31"
    assert lines[3].startswith(r"    J\n01 / fin\nance \x1b[2J\u202e: contracted")
    assert [line for line in lines if line.startswith(("  ance", "01", "b"))] == []
    assert r"  reason: a\nb" in lines


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"unit": "finanse"}, r"^no unit finanse \(nearest: finance\)$"),
        (
            {"unit": "finance", "rule": "field_duty.of_post"},
            r"^no rule field_duty.of_post \(nearest: field_duty.off_post\)$",
        ),
        ({"unit": "finance", "on": date(2011, 1, 5)}, r"^no tick by 2011-01-05; the first is 2011-01-31$"),
    ],
)
def test_what_cannot_be_explained_says_why(asked: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kr.assess(kr.load(EXAMPLE)).explain(**asked)  # type: ignore[arg-type]  # as parametrised


# Distances


def with_more(place: Path, amount: int, day: date) -> kr.Workspace:
    """Add a voucher to the unshared project of finance, by that day; without visits vouchers count in full."""
    more = f"V99,J01,{amount / 100:.2f},{day}\n" if amount else ""
    arrivals = "\n".join(line.strip() for line in TABLES["arrivals"].splitlines()) + "\n" + more
    return workspace(place, enabled=ENABLED, tables={"arrivals": arrivals})


def happened(found: kr.Assessment, rule: str, event: str, on: date) -> bool:
    return bool(
        found.events.filter(
            pl.col("unit") == "finance", pl.col("rule") == rule, pl.col("event") == event, pl.col("tick") == on
        ).height
    )


@pytest.mark.parametrize(
    ("rule", "on", "effect", "amount", "by"),
    [
        (SECTION, JUNE, "avoids", 20_000, JUNE),
        (SECTION, date(2011, 7, 31), "ends", 70_000, date(2011, 8, 31)),
        (SECTION, date(2011, 3, 31), "avoids", 20_000, JUNE),
        ("field_duty.station_head", date(2011, 7, 31), "avoids", 3_334, date(2011, 7, 31)),
        (OFF_POST, date(2011, 10, 31), "avoids", 70_000, YEAR_END),
        ("field_duty.leave_post", date(2011, 10, 31), "avoids", None, None),
        ("supervision.talk", date(2011, 7, 31), "avoids", 0, None),
    ],
)
def test_the_distance_is_the_least_amount_that_flips(
    tmp_path: Path, rule: str, on: date, effect: str, amount: int | None, by: date | None
) -> None:
    found = kr.assess(with_more(tmp_path / "a", 0, on))
    distance = one(found, "finance", rule, on).distance
    if rule == "supervision.talk":
        # At the end of July it lags for the third time; whatever the amount, it is found by assessing again below.
        assert distance is not None
        amount, by = distance.amount, distance.by
    if amount is None:
        assert distance is None
        return
    assert distance is not None
    assert by is not None
    assert (distance.effect, distance.amount, distance.by) == (effect, amount, by)
    less = kr.assess(with_more(tmp_path / "b", amount - 1, by), as_of=by)
    enough = kr.assess(with_more(tmp_path / "c", amount, by), as_of=by)
    event = "ended" if effect == "ends" else ("issued" if rule == "supervision.talk" else "started")
    flips = effect == "ends"
    assert happened(less, rule, event, by) is not flips
    assert happened(enough, rule, event, by) is flips


def test_no_distance_where_no_amount_can(tmp_path: Path) -> None:
    text = """
    @hookimpl
    def kpi_policy_rules():
        return [
            Rule("always", kind="talk", subject="head", when=at.year_end, reason="x"),
            Rule("forever", kind="duty", subject="head", when=at.month_end, until=unit.signed > 100, reason="x"),
            Rule("relieved", kind="duty", subject="head", when=at.month_end, until=unit.completion >= 1, reason="x"),
        ]
    """
    found = kr.assess(workspace(tmp_path, policies={"winter.py": text}))
    on = date(2011, 10, 31)
    assert one(found, "finance", "winter.always", on).distance is None
    assert one(found, "finance", "winter.forever", on).distance is None
    assert one(found, "books", "winter.relieved", on).distance is None  # it has no quota
    relieved = one(found, "finance", "winter.relieved", date(2011, 1, 31)).distance
    assert relieved is not None
    # At its first tick the rule looks at nothing but the day: only its end, reached by then, avoids it.
    assert (relieved.effect, relieved.amount, relieved.by) == ("avoids", 100_000, date(2011, 1, 31))


def test_only_moments_are_set_in_the_search(tmp_path: Path) -> None:
    text = """
    @hookimpl
    def kpi_indicators():
        return [Indicator("at_work", "flag", unit.completion < 0.5)]
    @hookimpl
    def kpi_policy_rules():
        return [Rule("idle", kind="talk", subject="head", when=at.year_end & unit.at_work, reason="x")]
    """
    found = kr.assess(workspace(tmp_path, policies={"p.py": text}))
    distance = one(found, "finance", "p.idle").distance
    assert distance is not None
    assert (distance.effect, distance.amount, distance.by) == ("avoids", 20_000, YEAR_END)


def test_a_distance_counts_places_in_the_group(tmp_path: Path) -> None:
    text = """
    @hookimpl
    def kpi_policy_rules():
        return [Rule("last", kind="talk", subject="head", when=at.year_end & (unit.rank > 1), reason="rank {rank}")]
    """
    units = "unit,name,parent,group,head\nfinance,F,,x,\nwater,W,,x,\n"
    tables = {"units": units, "staff": "person,name,unit,grade,category,component\n"}
    found = kr.assess(workspace(tmp_path, policies={"p.py": text}, tables=tables))
    distance = one(found, "finance", "p.last").distance
    assert distance is not None
    assert (distance.amount, distance.by) == (90_000, YEAR_END)  # level with water is first as well


def test_a_unit_alone_in_its_group_is_not_compared_with_its_own_other_amounts(tmp_path: Path) -> None:
    policy = """
        @hookimpl
        def kpi_policy_rules():
            when = at.year_end & (unit.completion < 1) & (unit.group_size < 2)
            return [Rule("alone", "duty", "head", when, "", until=unit.completion >= 1)]
        """
    found = kr.assess(workspace(tmp_path, policies={"alone.py": policy}))
    assert found.events["unit"].to_list() == ["finance"]
    distance = found.explain("finance", "alone.alone").rules[0].distance
    assert distance is not None
    assert (distance.amount, distance.effect) == (70_000, "avoids")


def test_one_rule_is_explained_with_the_indicators_it_reads(tmp_path: Path) -> None:
    declared = """
        [[indicator]]
        name = "missing"
        kind = "money"
        value = "funds_quota - funds"
        [[indicator]]
        name = "far"
        kind = "flag"
        value = "missing > 1000"
        [[indicator]]
        name = "other"
        kind = "count"
        value = "lag + 1"
        [[rule]]
        name = "talk"
        kind = "talk"
        subject = "head"
        when = "at_year_end AND far"
        reason = "far"
    """
    a = kr.assess(workspace(tmp_path, toml=declared))
    unit = a.units["unit"][-1]
    assert {each.name for each in a.explain(unit).added} >= {"missing", "far", "other"}
    assert [each.name for each in a.explain(unit, rule="local.talk").added] == ["far", "missing"]


def test_stages_that_change_nothing_are_left_out(tmp_path: Path) -> None:
    caps = '[adjustment]\nproject_cap = "{most}"\nclaim_cap = "2000亿"\n'
    texts = {}
    for most in ("2000亿", "1元"):
        a = kr.assess(workspace(tmp_path / most, toml=caps.format(most=most)))
        row = a.waterfall.row(-1, named=True)
        assert row["confirmed"] > 100
        texts[most] = a.explain(row["unit"]).to_text()
    assert "project_cap" not in texts["2000亿"]
    assert "project_cap 1.00 -> " in texts["1元"]
    assert all(
        "claim_cap" not in text and "split" not in text and " -> adjusted" in text.lower() for text in texts.values()
    )


def test_a_distance_among_many_peers_tries_fewer_amounts_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = """
        @hookimpl
        def kpi_policy_rules():
            return [Rule("last", "talk", "head", at.year_end & (unit.rank > 1), "")]
        """
    units = "unit,name,parent,group,head\nfinance,F,,x,\nwater,W,,x,\n"
    tables = {"units": units, "staff": "person,name,unit,grade,category,component\n"}
    found = kr.assess(workspace(tmp_path, policies={"p.py": policy}, tables=tables))
    tried: list[int] = []
    whole = Distances._flips

    def flips(self: Distances, *asked: Any) -> object:  # noqa: ANN401 (as it is called)
        tried.append(len(asked[-1]))
        return whole(self, *asked)

    monkeypatch.setattr(Distances, "_flips", flips)
    monkeypatch.setattr("kpi_rules.pipeline.distance.ROWS", 32)
    distance = one(found, "finance", "p.last").distance
    assert distance is not None
    assert distance.amount == 90_000
    assert max(tried) == 1 + 32 // 2
