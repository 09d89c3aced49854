"""Rules without Python: they are rules like any other, and what is wrong with them has its line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.model.calendar import MOMENTS
from kpi_rules.workspace.declared_schema import IndicatorTable, ParameterTable, RuleTable
from tests.model.sql_texts import Pair, conditions
from tests.pipeline.making import codes, folder, messages, workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLES = Path(__file__).parents[2] / "examples"
WITHOUT = kr.load(EXAMPLES / "without-python")
YEAR_END = date(2011, 12, 31)

LATE = """
[[parameter]]
name = "late_below"
kind = "ratio"
value = [{ value = 0.5 }, { value = 0.8, from = 2011-07-01, group = "social" }]
label = "Late below"

[[rule]]
name = "late"
kind = "pay_hold"
subject = "staff"
when = "at_quarter_end AND completion < local.late_below"
until = "completion >= 1"
hold = { share = 0.2, grades = ["head"] }
label = "Late"
reason = "{completion:.0%} is below {local.late_below:.0%}"
sources = "Letter 40"
"""


def test_they_come_from_kpi_toml(tmp_path: Path) -> None:
    found = workspace(tmp_path, toml=LATE)
    assert messages(found) == []
    plugin = found.plugins.provenance("rule", "local.late")
    assert plugin is not None
    assert (plugin.name, plugin.origin, plugin.distribution) == ("local", "declared", "kpi.toml")
    assert set(found.plugins.rules) == {"local.late"}
    assert {
        name: found.plugins.settings[name].kind for name in found.plugins.settings if name.startswith("local.")
    } == {
        "local.late_below": "ratio",
        "local.late_share": "ratio",
        "local.late_grades": "texts",
    }


def test_their_version_is_that_of_what_is_declared(tmp_path: Path) -> None:
    def version(place: Path, toml: str) -> str:
        plugin = workspace(place, toml=toml).plugins.provenance("rule", "local.late")
        assert plugin is not None
        return plugin.version

    first = version(tmp_path / "first", LATE)
    assert version(tmp_path / "again", LATE + "\n# a comment\n") == first
    assert version(tmp_path / "other", LATE.replace("0.8", "0.7")) != first


def test_they_are_assessed_and_explained(tmp_path: Path) -> None:
    found = workspace(tmp_path, toml=LATE)
    assessed = kr.assess(found, as_of=YEAR_END)
    events = [(row["tick"].month, row["unit"], row["event"]) for row in assessed.events.to_dicts()]
    assert events == [(3, "finance", "started")]
    explained = assessed.explain("finance", rule="local.late", on=date(2011, 3, 31))
    (rule,) = explained.rules
    assert rule.when.text == "(at_quarter_end and completion < local.late_below)"
    assert rule.plugin.startswith("kpi.toml ")
    assert rule.sources == ("Letter 40",)
    used = {each.name: (each.value, each.origin) for each in rule.parameters}
    assert used["local.late_below"] == ("0.5", "kpi.toml, line 29, parameter[1].value[1]")
    assert used["local.late_share"] == ("0.2", "kpi.toml, line 38, rule[1].hold.share")
    assert used["local.late_grades"] == ("[head]", "kpi.toml, line 38, rule[1].hold.grades")
    assert "30% is below 50%" in explained.to_text()
    assert set(assessed.ledger["person"]) == {"P01"}


def test_parameters_are_dated_per_group_and_replaceable(tmp_path: Path) -> None:
    found = workspace(tmp_path, toml=LATE)
    values = {
        (day.month, group): found.parameters.at("local.late_below", day, group).value
        for day in (date(2011, 3, 31), YEAR_END)
        for group in ("economic", "social")
    }
    half, eighty = Decimal("0.5"), Decimal("0.8")
    assert values == {(3, "economic"): half, (3, "social"): half, (12, "economic"): half, (12, "social"): eighty}
    never = found.with_parameters({"local.late_below": 0})
    assert kr.assess(never, as_of=YEAR_END).events.is_empty()
    with pytest.raises(ValueError, match=r"nearest: local\.late_below"):
        found.with_parameters({"local.late_bellow": 0})


def test_a_section_sets_what_is_declared(tmp_path: Path) -> None:
    toml = LATE.replace(
        'value = [{ value = 0.5 }, { value = 0.8, from = 2011-07-01, group = "social" }]', "value = 0.5"
    )
    toml += '\n[local]\nlate_below = [{ value = 0.1, group = "economic" }]\nlate_share = 0.3\n'
    found = workspace(tmp_path, toml=toml)
    assert messages(found) == []
    at = found.parameters.at
    assert at("local.late_below", YEAR_END, "economic").value == Decimal("0.1")
    assert at("local.late_below", YEAR_END, "social").value == Decimal("0.5")
    assert at("local.late_share", YEAR_END, None).value == Decimal("0.3")


def test_the_same_from_memory() -> None:
    config: dict[str, object] = {
        "year": {"start": date(2011, 1, 1), "end": YEAR_END},
        "parameter": [{"name": "below", "kind": "ratio", "value": 0.5}],
        "indicator": [{"name": "missing", "kind": "money", "value": "funds_quota - funds"}],
        "rule": [
            {
                "name": "late",
                "kind": "fine",
                "subject": "unit",
                "when": "at_year_end AND completion < local.below",
                "amount": "share_of(0.01, missing)",
                "reason": "late",
            }
        ],
    }
    units = {"units": pl.DataFrame({"unit": ["a"], "name": ["A"]})}
    quotas = pl.DataFrame({"unit": ["a"], "indicator": ["funds"], "amount": ["1000"], "effective": ["2011-01-01"]})
    found = kr.Workspace(config, {**units, "quotas": quotas})
    assert found.problems == []
    assert kr.assess(found, as_of=YEAR_END).events["amount"].to_list() == [1000]
    broken = kr.Workspace({**config, "rule": [{"name": "late"}]}, {**units, "quotas": quotas})
    assert {problem.place.key for problem in broken.errors} == {
        f"rule[1].{key}" for key in ("kind", "subject", "when", "reason")
    }


def test_indicators_of_every_shape(tmp_path: Path) -> None:
    toml = """
        [[indicator]]
        name = "missing"
        kind = "money"
        value = "funds_quota - funds"

        [[indicator]]
        name = "done"
        kind = "ratio"
        value = "100 - lag"

        [[indicator]]
        name = "most_missing"
        kind = "money"
        value = "missing"
        within = "most"

        [[indicator]]
        name = "big_vouchers"
        kind = "count"
        table = "arrivals"
        value = "amount >= 300元"

        [[indicator]]
        name = "late_quarters"
        kind = "count"
        value = "completion < expected"
        counting = "consecutive"
        at = "quarter_end"

        [[indicator]]
        name = "late_reviews"
        kind = "count"
        value = "completion < expected"
        counting = "total"
        at = "at_quarter_end OR at_year_end"

        [[indicator]]
        name = "word"
        kind = "text"
        value = "CASE WHEN completion < 0.5 THEN 'late' ELSE 'fine' END"

        [[indicator]]
        name = "behind"
        kind = "flag"
        value = "NOT completion >= expected"
    """
    found = workspace(tmp_path, toml=toml)
    assert messages(found) == []
    assessed = kr.assess(found, as_of=YEAR_END)
    (row,) = assessed.units.filter((pl.col("unit") == "finance") & (pl.col("tick") == YEAR_END)).to_dicts()
    assert (row["missing"], row["most_missing"], row["big_vouchers"]) == (70_000, 70_000, 1)
    assert (row["late_quarters"], row["late_reviews"]) == (3, 3)
    assert (row["word"], row["behind"]) == ("late", True)
    assert assessed.units.schema["done"] == pl.Float64
    assert row["done"] == 100 - row["lag"]


def test_deposits_are_forfeited_without_python(tmp_path: Path) -> None:
    toml = """
        [[rule]]
        name = "quarter"
        kind = "deposit"
        subject = "staff"
        when = "at_quarter_end AND completion < expected"
        deposit = { effect = "forfeit", amount = "share_of(0.25, amount)" }
        repeats = true
        reason = "behind"
    """
    deposits = "deposit,person,unit,amount,paid_on\nD1,P01,finance,400.00,2011-01-05\n"
    found = workspace(tmp_path, toml=toml, tables={"deposits": deposits})
    assert messages(found) == []
    (effect,) = found.plugins.rules["local.quarter"].deposit
    assert isinstance(effect, kr.Forfeit)


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        (
            'rule = "late"',
            "kpi.toml, line 25, plugins.rule: found the unknown key rule; expected one of enabled, local, off",
        ),
        (
            '[rule]\nname = "late"',
            "kpi.toml, line 25, rule: found a table of keys; expected [[rule]] in double brackets for each",
        ),
        (
            LATE.replace('local.late_below"', 'local.late_bellow"'),
            (
                "kpi.toml, line 36, rule[1].when: found local.late_bellow; "
                "expected a column a rule can read (nearest: local.late_below)"
            ),
        ),
        (
            LATE.replace("completion < local", "completion < < local"),
            (
                "kpi.toml, line 36, rule[1].when: found < at character 33, where it does not fit; "
                "expected an SQL condition or amount such as completion < 0.5 AND lag >= 3"
            ),
        ),
        (
            LATE.replace("grades = [", "grade = ["),
            (
                "kpi.toml, line 38, rule[1].hold.grade: found the unknown key grade; "
                "expected one of share, grades, subtree (nearest: grades)"
            ),
        ),
        (
            LATE.replace('"late_below"', '"late_share"').replace("local.late_below", "local.late_share"),
            (
                "kpi.toml, line 38, rule[1].hold.share: found a value, for which the parameter late_share would be "
                "made; expected its name as a text, late_share"
            ),
        ),
        (
            LATE + LATE[LATE.index("[[rule]]") :],
            "kpi.toml, line 43, rule[2].name: found a second rule late; expected a name of its own for each",
        ),
    ],
)
def test_what_is_wrong_has_its_line(tmp_path: Path, toml: str, message: str) -> None:
    assert messages(workspace(tmp_path, toml=toml)) == [message]


def test_a_comparison_decided_by_chance_is_a_warning(tmp_path: Path) -> None:
    found = workspace(tmp_path, toml=LATE.replace("completion >= 1", "completion - 1 >= 0.2"))
    assert [(problem.severity, problem.code, problem.message) for problem in found.problems] == [
        (
            "warning",
            "inexact-comparison",
            (
                "kpi.toml, line 37, rule[1].until: found (completion - 1) ≥ 0.2; "
                "expected the figure itself on one side, or round(..., 6) around what is computed from it"
            ),
        )
    ]


def test_the_name_is_reserved(tmp_path: Path) -> None:
    found = workspace(tmp_path, policies={"local.py": ""})
    assert codes(found) == ["bad-name"]
    both = workspace(tmp_path / "both", policies={"local.py": ""}, toml=LATE)
    assert codes(both) == ["plugin-clash"]


def test_an_indicator_of_a_policy_has_one_owner(tmp_path: Path) -> None:
    policy = '@hookimpl\ndef kpi_indicators():\n    return [Indicator("missing", "money", unit.funds)]\n'
    toml = '[[indicator]]\nname = "missing"\nkind = "money"\nvalue = "funds"\n'
    found = workspace(tmp_path, policies={"winter.py": policy}, toml=toml)
    assert messages(found) == [
        "kpi.toml, plugins: found indicator missing from both local and winter; expected one owner for each name"
    ]


def test_python_and_kpi_toml_supersede_each_other(tmp_path: Path) -> None:
    policy = (
        '@hookimpl\ndef kpi_policy_rules():\n    return [Rule("worse", kind="talk", subject="head", '
        'when=at.year_end & (unit.completion < 0.5), until=unit.completion >= 1, reason="worse", '
        'supersedes=["local.late"])]\n'
    )
    found = workspace(tmp_path, policies={"winter.py": policy}, toml=LATE)
    assert messages(found) == []
    events = kr.assess(found, as_of=YEAR_END).events.filter(unit="finance")
    assert set(events.select("rule", "event").rows()) == {
        ("local.late", "started"),
        ("winter.worse", "started"),
        ("local.late", "superseded"),
    }


def test_nothing_is_declared_where_nothing_is_written(tmp_path: Path) -> None:
    found = workspace(tmp_path)
    assert "local" not in {plugin.name for plugin in found.plugins.plugins}


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["ratio", "unit", "funds", "at_year_end", "completion < 1", "TRUE", "local.late", "quarter_end"])
    | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "from", "share"]), inner),
    max_leaves=4,
)
SOUND: Mapping[str, dict[str, Any]] = {
    "parameter": {"name": "late", "kind": "ratio", "value": 0.5},
    "indicator": {"name": "missing", "kind": "money", "value": "funds_quota - funds"},
    "rule": {
        "name": "late",
        "kind": "talk",
        "subject": "unit",
        "when": "completion < local.late",
        "until": "completion >= 1",
        "hold": {"share": 0.5},
        "reason": "late",
    },
}
KEYS = {
    key: [attribute.name for attribute in attrs.fields(table)]
    for key, table in (("rule", RuleTable), ("indicator", IndicatorTable), ("parameter", ParameterTable))
}
UNITS = {"units": pl.DataFrame({"unit": ["a"], "name": ["A"]})}


def tables(key: str) -> st.SearchStrategy[object]:
    """Return lists of tables that are sound but for some of their keys, and what is no list at all."""
    spoilt = st.dictionaries(st.sampled_from([*KEYS[key], "wen"]), JUNK, max_size=2)
    return st.lists(spoilt.map(lambda keys: SOUND[key] | keys), max_size=2) | JUNK


@settings(max_examples=40, deadline=None)
@given(st.fixed_dictionaries({}, optional={key: tables(key) for key in SOUND}))
def test_no_table_raises(declared: dict[str, Any]) -> None:
    """Whatever the tables hold is told as problems with a key; and what has none can be assessed."""
    year: dict[str, object] = {"year": {"start": date(2011, 1, 1), "end": YEAR_END}}
    found = kr.Workspace(year | declared, UNITS)
    if found.errors:
        return
    kr.assess(found, as_of=date(2011, 6, 30))


# The shipped rules of four policies, and the same without Python, over any figures.

WITH = kr.load(EXAMPLES / "worked-example").with_parameters({"field_duty.station_gap": 0.25})
FIGURES: Mapping[str, Any] = {
    "completion": st.none() | st.sampled_from([0.0, 0.2, 0.3, 0.45, 0.5, 0.9, 1.0, 1.2, 1.5]),
    "pace_gap": st.none() | st.sampled_from([-0.5, 0.1, 0.25, 0.3]),
    "lag": st.integers(0, 4),
    "funds": st.integers(0, 10**12),
    "funds_quota": st.none() | st.integers(1, 10**12),
    "group": st.sampled_from([None, "economic", "social"]),
} | dict.fromkeys(MOMENTS, st.booleans())
TYPES = {
    "completion": pl.Float64,
    "pace_gap": pl.Float64,
    "lag": pl.Int64,
    "funds": pl.Int64,
    "funds_quota": pl.Int64,
    "group": pl.String,
} | dict.fromkeys(MOMENTS, pl.Boolean)
NAMES = {rule: rule.rpartition(".")[2] for rule in WITHOUT.plugins.rules}


def decided(found: kr.Workspace, cases: list[dict[str, Any]], active: list[dict[str, bool]]) -> set[tuple[Any, ...]]:
    """Return what the eight rules of a workspace would do, by their short names."""
    book = kr.rulebook(found)
    ids = {rule.rpartition(".")[2]: rule for rule in book.rules if rule.rpartition(".")[2] in NAMES.values()}
    rows = [case | {ids[name]: on for name, on in is_on.items()} for case, is_on in zip(cases, active, strict=True)]
    # Indicators and rules that came with the policies since are not given here.
    others = [name for name in book.columns if name not in TYPES and "." not in name]
    frame = pl.DataFrame(rows, schema={**TYPES, **dict.fromkeys(ids.values(), pl.Boolean)})
    frame = frame.with_columns(pl.lit(None, pl.Int64).alias(name) for name in others)
    events = book.evaluate(frame)
    assert isinstance(events, pl.DataFrame)
    return {
        (row["row"], row["rule"].rpartition(".")[2], row["event"], row["amount"])
        for row in events.to_dicts()
        if row["rule"] in ids.values()
    }


@settings(max_examples=100, deadline=None)
@given(st.data(), st.lists(st.fixed_dictionaries(FIGURES), min_size=1, max_size=4))
def test_they_decide_as_the_same_rules_in_python(data: st.DataObject, cases: list[dict[str, Any]]) -> None:
    on = st.fixed_dictionaries(dict.fromkeys(NAMES.values(), st.booleans()))
    active = data.draw(st.lists(on, min_size=len(cases), max_size=len(cases)))
    assert decided(WITHOUT, cases, active) == decided(WITH, cases, active)


@settings(max_examples=15, deadline=None)
@given(conditions())
def test_any_condition_decides_in_a_year_as_in_python(tmp_path_factory: pytest.TempPathFactory, pair: Pair) -> None:
    """A whole assessment with a random condition, as text and as an expression of a policy."""
    place = tmp_path_factory.mktemp("year")
    (place / "pair.bin").write_bytes(pair.expression.meta.serialize())
    policy = (
        "from pathlib import Path\n@hookimpl\ndef kpi_policy_rules():\n"
        "    when = pl.Expr.deserialize(Path(__file__).with_name('pair.bin').read_bytes())\n"
        "    return [Rule('pair', kind='talk', subject='head', when=when, repeats=True, reason='')]\n"
    )
    toml = (
        "[[parameter]]\nname = 'below'\nkind = 'ratio'\nvalue = 0.3\n"
        f"[[rule]]\nname = 'pair'\nkind = 'talk'\nsubject = 'head'\nrepeats = true\nreason = ''\n"
        f'when = """{pair.text}"""\n'
    )
    folder(place, policies={"winter.py": policy}, toml=toml)
    found = kr.load(place)
    assert messages(found) == []
    events = kr.assess(found, as_of=YEAR_END).events
    mine, theirs = (
        events.filter(rule=name).select("tick", "unit", "event").sort("tick", "unit")
        for name in ("local.pair", "winter.pair")
    )
    assert mine.equals(theirs)


@pytest.mark.parametrize("counting", ["", 'counting = "total"\nat = "month_end"\n'])
def test_an_indicator_that_reads_itself_is_a_circle(tmp_path: Path, counting: str) -> None:
    value = "alone > 1" if counting else "alone + 1"
    text = f'[[indicator]]\nname = "alone"\nkind = "count"\nvalue = "{value}"\n{counting}'
    (problem,) = workspace(tmp_path, toml=text).problems
    assert problem.code == "indicator-circle"
    assert problem.place.key == "indicator[1].value"
    assert problem.found == "an indicator that reads itself: alone"


def test_groups_are_not_judged_by_units_that_could_not_be_read(tmp_path: Path) -> None:
    place = folder(tmp_path, toml=LATE)
    (place / "units.csv").write_text("unit,nam\na,A\n", encoding="utf-8")
    unread = {problem.code for problem in kr.load(place).problems}
    assert "missing-column" in unread
    assert "unknown-group" not in unread
    (place / "units.csv").write_text("unit,name\na,A\n", encoding="utf-8")
    assert "unknown-group" in {problem.code for problem in kr.load(place).problems}
