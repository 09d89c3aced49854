"""The static check of what policies contribute names plugin, rule and node, before any data is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kpi_rules.hooks.manager import load_plugins
from kpi_rules.workspace.rules import contribution_problems
from tests.pipeline.making import messages, workspace

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
@define
class Settings:
    below: Decimal = ratio("0.5", label="Below")
    months: int = count(3, label="Months")
    grades: tuple[str, ...] = texts(("head",), label="Grades")

p = parameters("winter", Settings)

@hookimpl
def kpi_settings():
    return Settings

def rule(name="talk", *, when=at.year_end & (unit.completion < p.below), reason="late", **more):
    return Rule(name, kind="talk", subject="head", when=when, reason=reason, **more)
"""
ROW_WISE = "row-wise nodes only: no aggregate, window, shift, default for a missing value, callback, chance or clock"


def found(place: Path, hook: str, given: str) -> list[str]:
    text = f"{SETTINGS}\n@hookimpl\ndef {hook}():\n    return [{given}]\n"
    return messages(workspace(place, policies={"policies/winter.py": text}))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "rule(when=unit.completon < 1)",
            "rule winter.talk, when: found completon; expected a column a rule can read (nearest: completion)",
        ),
        ("rule(when=unit.rank.max() < 1)", f'rule winter.talk, when: found col("rank").max(); expected {ROW_WISE}'),
        (
            "rule(when=unit.lag.shift() < 1)",
            f'rule winter.talk, when: found col("lag").shift([dyn int: 1]); expected {ROW_WISE}',
        ),
        (
            "rule(until=unit.lag.map_elements(lambda v: v, pl.Int64) > 1)",
            (
                "rule winter.talk, until: found a Python callback; "
                "expected a row-wise polars expression, which can be read and checked"
            ),
        ),
        (
            "rule(when=unit.group < 0.5)",
            (
                'rule winter.talk, when: found [(col("group")) < (dyn float: 0.5)]; '
                "expected both sides of one type, not string against number"
            ),
        ),
        (
            "rule(amount=unit.completion * 2)",
            (
                'rule winter.talk, amount: found [(col("completion")) * (dyn int: 2)] : Float64; '
                "expected an expression of type Int64"
            ),
        ),
        (
            "rule(until=unit.completion >= 1, amount=unit.funds)",
            'rule winter.talk, amount: found col("funds"); expected no amount',
        ),
        (
            "rule(hold=Hold(share=p.below))",
            "rule winter.talk, until: found no condition that ends it; expected an end for every hold",
        ),
        (
            "rule(until=unit.completion >= 1, hold=Hold(share='winter.belov'))",
            "rule winter.talk, hold: found winter.belov; expected a name that is there (nearest: winter.below)",
        ),
        (
            "rule(until=unit.completion >= 1, hold=Hold(share=p.months))",
            "rule winter.talk, hold: found winter.months : count; expected a setting of kind ratio",
        ),
        (
            "rule(until=unit.completion >= 1, hold=Hold(share=p.below, grades=p.below))",
            "rule winter.talk, hold: found winter.below : ratio; expected a setting of kind texts",
        ),
        (
            "rule(reason='{complet:.0%}')",
            "rule winter.talk, reason: found complet; expected a name that is there (nearest: completion)",
        ),
        (
            "rule(reason='{completion')",
            (
                "rule winter.talk, reason: found {completion: expected '}' before end of string; "
                "expected a text with fields in braces"
            ),
        ),
        (
            "rule(reason='{unit:.2%}')",
            (
                "rule winter.talk, reason: found {unit:.2%}: Unknown format code '%' for object of type 'str'; "
                "expected a text with fields in braces"
            ),
        ),
        (
            "rule(supersedes=['winter.tulk'])",
            "rule winter.talk, supersedes: found winter.tulk; expected a name that is there (nearest: winter.talk)",
        ),
        (
            "rule(supersedes=['winter.talk'])",
            (
                "rule winter.talk, supersedes: found a circle of rules that supersede each other: winter.talk; "
                "expected one that supersedes the other"
            ),
        ),
        (
            "*(rule(a, supersedes=['winter.' + b]) for a, b in ('ab', 'bc', 'ca'))",
            (
                "rule winter.a, supersedes: found a circle of rules that supersede each other: winter.a, winter.b, "
                "winter.c; expected one that supersedes the other"
            ),
        ),
    ],
)
def test_rules(tmp_path: Path, given: str, message: str) -> None:
    assert found(tmp_path, "kpi_policy_rules", given) == [f"policies/winter.py, {message}"]


@pytest.mark.parametrize(
    ("hook", "given", "message"),
    [
        (
            "kpi_checks",
            "Check('big', table='arrivals', when=pl.col('amout') > 1, message='x')",
            "check big, when: found amout; expected a column a rule can read (nearest: amount)",
        ),
        (
            "kpi_checks",
            "Check('big', table='arrival', when=pl.col('amount') > 1, message='x')",
            "check big, table: found arrival; expected units, quotas, projects, claims, arrivals, visits",
        ),
        (
            "kpi_checks",
            "Check('big', table='visits', when=pl.col('assessed_amount') > 1, message='{voucher}')",
            "check big, message: found voucher; expected a name that is there",
        ),
        (
            "kpi_checks",
            "Check('big', table='visits', when=pl.col('assessed_amount'), message='x')",
            'check big, when: found col("assessed_amount") : Int64; expected an expression of type Boolean',
        ),
        (
            "kpi_credits",
            "Credit('half', amount=pl.col('credited') / 2)",
            (
                'credit half, amount: found [(col("credited")) / (dyn int: 2)] : Float64; '
                "expected an expression of type Int64"
            ),
        ),
        (
            "kpi_indicators",
            "Indicator('funds', kind='money', value=unit.vouchers)",
            "indicator funds: found indicator funds, which the library has; expected a name of its own",
        ),
        (
            "kpi_indicators",
            "Indicator('group', kind='ratio', value=unit.completion)",
            "indicator group: found indicator group, which the library has; expected a name of its own",
        ),
        (
            "kpi_indicators",
            "Indicator('started_ever', kind='ratio', value=unit.completion)",
            "indicator started_ever: found indicator started_ever, which the library has; expected a name of its own",
        ),
        (
            "kpi_credits",
            "Credit('shared', amount=pl.col('credited') // 2)",
            "credit shared: found stage shared, which the waterfall has; expected a name of its own",
        ),
        (
            "kpi_credits",
            "Credit('ratio', amount=(pl.col('credited') / pl.col('contracted')).cast(pl.Int64))",
            (
                'credit ratio, amount: found [(col("credited")) / (col("contracted"))].strict_cast(Int64); '
                "expected an expression that no value stops, such as a cast with strict=False (conversion from"
            ),
        ),
        (
            "kpi_checks",
            "Check('big', table='arrivals', when=pl.col('payer').str.to_date() > pl.col('arrived_on'), message='x')",
            (
                'check big, when: found [(col("payer").str.strptime(["raise"])) > (col("arrived_on"))]; '
                "expected an expression that no value stops"
            ),
        ),
        (
            "kpi_checks",
            "Check('big', table='arrivals', when=pl.col('amount').shuffle() > 1, message='x')",
            "check big, when: found Random; expected the same finding every time: no chance, no clock",
        ),
        (
            "kpi_guards",
            "Guard('floor', withholdable=pl.col('pay') - 1)",
            "guard floor, withholdable: found pay; expected a column a rule can read",
        ),
    ],
)
def test_other_contributions(tmp_path: Path, hook: str, given: str, message: str) -> None:
    assert found(tmp_path, hook, given)[0].startswith(f"policies/winter.py, {message}")


@pytest.mark.parametrize(
    "given",
    [
        "rule(reason='{completion:.0%} {winter.below:.2%} {lag} {group}')",
        "rule(supersedes=['rewards.bonus'])",  # a policy that is not enabled
        "rule(until=unit.completion >= 1, hold=Hold(share=p.below, grades=p.grades))",
        "rule('a', supersedes=['winter.b']), rule('b')",
        "rule(when=pl.sql_expr('at_year_end AND completion < 0.5'))",
    ],
)
def test_good_rules_have_no_problems(tmp_path: Path, given: str) -> None:
    text = f"{SETTINGS}\n@hookimpl\ndef kpi_policy_rules():\n    return [{given}]\n"
    assert workspace(tmp_path, policies={"policies/winter.py": text}).problems == []


@pytest.mark.parametrize(
    ("hook", "given", "why"),
    [
        ("kpi_policy_rules", "rule(when='completion < 1')", "TypeError: when of Rule talk is a polars expression"),
        ("kpi_policy_rules", "rule(None)", "ValueError: name is a word of letters, digits, _ and -, not None"),
        ("kpi_policy_rules", "rule(amount=share_of(p.below * 2, unit.funds))", "ValueError: a parameter by itself"),
        (
            "kpi_indicators",
            "Indicator('score', kind='points', value=unit.completion)",
            "ValueError: kind of indicator score is one of 'money', 'count', 'ratio', 'flag', 'text', not 'points'",
        ),
    ],
)
def test_what_is_no_contribution_at_all(tmp_path: Path, hook: str, given: str, why: str) -> None:
    (message,) = found(tmp_path, hook, given)
    assert f"found policy winter failed in {hook}: {why}" in message


@pytest.mark.parametrize("name", ["year", "a.b"])
def test_a_policy_that_no_section_could_be_for(tmp_path: Path, name: str) -> None:
    (message,) = messages(workspace(tmp_path, policies={f"policies/{name}.py": ""}))
    assert message == (
        f"policies/{name}.py: found policy {name}; expected a name without full stops that is no section of kpi.toml"
    )


@pytest.mark.parametrize(
    ("other", "near"),
    [("wintr.talk", "winter.talk"), ("reward.bonus", "rewards"), ("wintr.leave", "winter"), ("zzz.zzz", None)],
)
def test_a_superseded_rule_of_a_policy_that_is_nowhere_is_a_warning(
    tmp_path: Path, other: str, near: str | None
) -> None:
    text = f"{SETTINGS}\n@hookimpl\ndef kpi_policy_rules():\n    return [rule(supersedes=[{other!r}])]\n"
    loaded = workspace(tmp_path, policies={"policies/winter.py": text})
    (problem,) = loaded.problems
    assert (problem.severity, problem.code, problem.found, problem.nearest) == ("warning", "unknown-rule", other, near)
    assert problem.message.startswith("policies/winter.py, rule winter.talk, supersedes: found ")


def test_a_single_text_is_one_name(tmp_path: Path) -> None:
    given = "rule('a', supersedes='winter.b', sources='M9'), rule('b')"
    text = f"{SETTINGS}\n@hookimpl\ndef kpi_policy_rules():\n    return [{given}]\n"
    rules = workspace(tmp_path, policies={"policies/winter.py": text}).plugins.rules
    assert (rules["winter.a"].supersedes, rules["winter.a"].sources) == (("winter.b",), ("M9",))


def test_a_field_inside_a_format(tmp_path: Path) -> None:
    (message,) = found(tmp_path, "kpi_policy_rules", "rule(reason='{completion:{lag}}')")
    assert message.startswith("policies/winter.py, rule winter.talk, reason: found {completion:{lag}}: 'lag'")


def test_a_check_may_use_windows_and_its_projects_columns(tmp_path: Path) -> None:
    given = (
        "Check('first', table='arrivals', when=pl.col('amount') > pl.col('amount').min().over('project_unit'), "
        "message='{voucher} of {project_name} on {arrived_on:%d.%m.}')"
    )
    assert found(tmp_path, "kpi_checks", given) == []


def test_what_the_library_itself_contributes_has_no_problem() -> None:
    plugins, problems = load_plugins([], [], None)
    assert problems == []
    assert len(plugins.checks) > 10
    assert contribution_problems(evolve(plugins, owners={}), "kpi.toml") == []
