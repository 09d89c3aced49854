"""Plugins: found, asked once, named when they fail."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import kpi_rules as kr
from kpi_rules.hooks import specs
from kpi_rules.hooks.manager import installed, load_plugins
from tests.pipeline.making import codes, folder, messages, workspace

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = ("field_duty", "pay_withholding", "rewards", "supervision")

NAMES = ", ".join(name for name in vars(specs) if name.startswith("kpi_"))

GOOD = """
@hookimpl
def kpi_policy_rules():
    return [Rule("talk", kind="talk", subject="head", when=at.year_end & (unit.completion < 1), reason="late")]
"""


def policy(place: Path, text: str, *, also: str = GOOD) -> kr.Workspace:
    return workspace(place, policies={"policies/winter.py": text, "policies/spring.py": also})


def only(found: kr.Workspace) -> str:
    (message,) = messages(found)
    assert "spring.talk" in found.plugins.rules, "the others are kept"
    return message


def test_names_are_listed_without_importing_a_policy() -> None:
    code = (
        "import sys; from kpi_rules.hooks.manager import installed; print(sorted(installed())); "
        "print([name for name in sys.modules if name.startswith('kpi_') and not name.startswith('kpi_rules')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names, imported = done.stdout.splitlines()
    assert names == str(sorted((*SHIPPED, "safeguards", "scorecard")))
    assert imported == "[]"


def test_provenance_names_plugin_and_version(tmp_path: Path) -> None:
    found = workspace(tmp_path, enabled=SHIPPED, policies={"policies/spring.py": GOOD})
    rewards = found.plugins.provenance("rule", "rewards.bonus")
    assert rewards is not None
    assert (rewards.origin, rewards.distribution, rewards.version) == ("installed", "kpi-rules-rewards", "0.1.0")
    local = found.plugins.provenance("rule", "spring.talk")
    assert local is not None
    assert (local.origin, local.distribution, len(local.version)) == ("local", "policies/spring.py", 12)
    check = found.plugins.provenance("check", "above_contract")
    assert check is not None
    assert (check.name, check.origin) == ("verification", "built in")
    assert found.plugins.provenance("rule", "spring.none") is None
    assert kr.assess(found).provenance["spring.talk"] == local


def test_the_version_of_a_local_policy_follows_its_text(tmp_path: Path) -> None:
    first, second, third = (
        next(
            each for each in workspace(tmp_path / name, policies={"p.py": text}).plugins.plugins if each.name == "p"
        ).version
        for name, text in (("a", GOOD), ("b", GOOD), ("c", GOOD + "\n"))
    )
    assert first == second != third


def line_of(place: Path, text: str, file: str = "policies/winter.py") -> int:
    """Return the first line of a policy that holds a text."""
    lines = (place / file).read_text(encoding="utf-8").split("\n")
    return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.mark.parametrize("mark", ["@hookimpl\n", ""])
def test_a_misspelt_hook_is_named_with_the_nearest(tmp_path: Path, mark: str) -> None:
    found = policy(tmp_path, f"{mark}def kpi_policy_rule():\n    return []\n")
    assert only(found) == (
        f"policies/winter.py, line {line_of(tmp_path, 'def kpi')}: found the unknown hook kpi_policy_rule in "
        f"policy winter; expected one of the hooks {NAMES} (nearest: kpi_policy_rules)"
    )
    assert codes(found) == ["unknown-hook"]


def test_a_hook_without_its_mark_is_named(tmp_path: Path) -> None:
    found = policy(tmp_path, "def kpi_policy_rules():\n    return []\n")
    assert only(found) == (
        f"policies/winter.py, line {line_of(tmp_path, 'def kpi')}: found hook kpi_policy_rules in policy winter, "
        "without a mark; expected the mark @hookimpl above it"
    )


def test_a_hook_with_arguments_is_named(tmp_path: Path) -> None:
    found = policy(tmp_path, "@hookimpl\ndef kpi_policy_rules(units):\n    return []\n")
    message = only(found)
    assert message.startswith("policies/winter.py: found policy winter failed in its registration: ")
    assert "Argument(s) {'units'} are declared in the hookimpl" in message
    assert str(tmp_path) not in message


# Commands are asked when one is called, without a workspace: tests/cli/test_policies.py.
HOOKS = [name for name in vars(specs) if name.startswith("kpi_") and name != "kpi_commands"]
ARGUMENTS = {"kpi_configured": "tables"}


@pytest.mark.parametrize("hook", HOOKS)
def test_a_raising_plugin_is_named_and_the_others_kept(tmp_path: Path, hook: str) -> None:
    found = policy(tmp_path, f"@hookimpl\ndef {hook}({ARGUMENTS.get(hook, '')}):\n    raise RuntimeError('no snow')\n")
    assert only(found) == (
        f"policies/winter.py, line {line_of(tmp_path, 'no snow')}: found policy winter failed in {hook}: "
        "RuntimeError: no snow; expected a policy that loads"
    )
    with pytest.raises(kr.AssessmentError, match="no snow"):
        kr.assess(found)


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("given", ["None", "5", "['a']"])
def test_a_hook_that_returns_something_else_is_named(tmp_path: Path, hook: str, given: str) -> None:
    message = only(policy(tmp_path, f"@hookimpl\ndef {hook}({ARGUMENTS.get(hook, '')}):\n    return {given}\n"))
    assert f"policy winter failed in {hook}: TypeError: " in message
    assert " expected, not " in message


@pytest.mark.parametrize("field", ["rules", "indicators", "credits", "checks", "guards", "problems"])
def test_tables_that_give_something_else_are_named(tmp_path: Path, field: str) -> None:
    message = only(policy(tmp_path, f"@hookimpl\ndef kpi_configured(tables):\n    return Configured({field}=['a'])\n"))
    assert "policy winter failed in kpi_configured: TypeError: a list of " in message


def test_a_generator_that_raises_is_named(tmp_path: Path) -> None:
    message = only(policy(tmp_path, "@hookimpl\ndef kpi_policy_rules():\n    yield 1 / 0\n"))
    assert "policy winter failed in kpi_policy_rules: ZeroDivisionError: division by zero" in message


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def broken(:", "SyntaxError: "),
    ],
)
def test_a_policy_that_fails_at_import_is_named(tmp_path: Path, text: str, why: str) -> None:
    message = only(policy(tmp_path, text))
    where = f"policies/winter.py, line {line_of(tmp_path, text)}"
    assert message.startswith(f"{where}: found policy winter failed in its import: {why}")


SETTINGS = """
@define(frozen=True)
class Settings:
    below: Decimal = ratio("{default}", label="below", maximum="1"{more})


@hookimpl
def kpi_settings():
    return Settings


@hookimpl
def kpi_policy_rules():
    return [Rule("ask", kind="talk", subject="head", when=unit.completion < pl.col("winter.below"), reason="late")]
"""

VALUES = "[winter]\nbelow = 0.4\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("def broken(:\n", "def broken"),
        (SETTINGS.format(default="0.5", more=", smallest=1"), "below:"),
        (SETTINGS.format(default="3", more=""), "below:"),
        (SETTINGS.format(default="0.5", more="").replace("return Settings", "return Setings"), "return Setings"),
        (SETTINGS.format(default="0.5", more="").replace("def kpi_settings", "def kpi_setings"), "def kpi_setings"),
        (
            SETTINGS.format(default="0.5", more="").replace("\n@hookimpl\ndef kpi_set", "\ndef kpi_set"),
            "def kpi_settings",
        ),
    ],
)
def test_a_policy_that_fails_gives_one_problem_in_its_own_file(tmp_path: Path, text: str, line: str) -> None:
    """Neither its section of kpi.toml is unknown nor its keys, nor what only it would give a name to."""
    toml = VALUES + '[checks]\nwintry = "flag"\n[forecast]\nmodels = ["slow"]\n'
    policies = {"policies/winter.py": text, "policies/spring.py": GOOD}
    found = workspace(tmp_path, policies=policies, toml='off = ["winter.other"]\n' + toml)
    (problem,) = found.errors
    assert (problem.place.file, problem.place.line) == ("policies/winter.py", line_of(tmp_path, line))
    assert found.plugins.broken == {"winter"}
    assert str(tmp_path) not in problem.message


def test_a_section_is_read_where_only_the_rules_of_its_policy_fail(tmp_path: Path) -> None:
    text = SETTINGS.format(default="0.5", more="").replace("return [Rule", "return 1 / 0, [Rule")
    found = workspace(tmp_path, policies={"policies/winter.py": text}, toml="[winter]\nbelow = 7\nbelo = 1\n")
    assert sorted(codes(found)) == ["parameter-out-of-bounds", "plugin-failed", "unknown-key"]


def test_a_section_of_no_policy_is_unknown_beside_one_that_fails(tmp_path: Path) -> None:
    found = workspace(tmp_path, policies={"policies/winter.py": "1 / 0"}, toml=VALUES.replace("winter", "summer"))
    assert sorted(codes(found)) == ["plugin-failed", "unknown-section"]


def test_a_missing_local_policy_is_told_without_its_section(tmp_path: Path) -> None:
    place = folder(tmp_path, policies={"policies/winter.py": GOOD}, toml=VALUES)
    (place / "policies/winter.py").unlink()
    assert codes(kr.load(place)) == ["local-policy-missing"]


def test_the_line_is_found_in_a_workspace_named_by_a_relative_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(tmp_path, policies={"policies/winter.py": "def broken(:"})
    monkeypatch.chdir(tmp_path)
    (problem,) = kr.load(".").errors
    assert problem.place.line == line_of(tmp_path, "def broken")


def test_a_missing_local_policy_names_the_nearest(tmp_path: Path) -> None:
    place = folder(tmp_path, policies={"policies/winter.py": GOOD})
    text = (place / "kpi.toml").read_text(encoding="utf-8").replace("policies/winter.py", "policies/wimter.py")
    (place / "kpi.toml").write_text(text, encoding="utf-8")
    (problem,) = kr.load(place).errors
    assert (problem.code, problem.nearest) == ("local-policy-missing", "policies/winter.py")


def test_a_clash_names_both_owners(tmp_path: Path) -> None:
    curve = """
    @hookimpl
    def kpi_pace_curves():
        return [PaceCurve("months", lambda year, on, points: 1)]
    """
    (message,) = messages(workspace(tmp_path, policies={"winter.py": curve}))
    assert message == (
        "kpi.toml, plugins: found pace_curve months from both kpi_rules and winter; expected one owner for each name"
    )


def test_two_policies_of_one_name_clash_by_their_files(tmp_path: Path) -> None:
    files = {"a/winter.py": GOOD, "b/winter.py": GOOD, "field_duty.py": GOOD}
    found = messages(workspace(tmp_path, policies=files, enabled=("field_duty",)))
    assert [message.partition("found ")[2].partition(";")[0] for message in found] == [
        "plugin field_duty from both kpi-rules-field-duty (installed) and field_duty.py (local)",
        "plugin winter from both a/winter.py (local) and b/winter.py (local)",
    ]


def test_a_rule_given_twice_clashes(tmp_path: Path) -> None:
    twice = GOOD.replace("return [", "return 2 * [")
    (message,) = messages(workspace(tmp_path, policies={"winter.py": twice}))
    assert "found rule winter.talk from both winter and winter" in message


def test_two_workspaces_with_policies_of_one_file_name_do_not_share_them(tmp_path: Path) -> None:
    first = workspace(tmp_path / "a", policies={"policies/winter.py": GOOD})
    second = workspace(tmp_path / "b", policies={"policies/winter.py": GOOD.replace('"talk", kind', '"walk", kind')})
    again = workspace(tmp_path / "a", policies={"policies/winter.py": GOOD})
    assert [list(each.plugins.rules) for each in (first, second, again)] == [
        ["winter.talk"],
        ["winter.walk"],
        ["winter.talk"],
    ]


def test_the_order_of_plugins_does_not_matter(tmp_path: Path) -> None:
    one, other = load_plugins(SHIPPED, [], tmp_path)[0], load_plugins(SHIPPED[::-1], [], tmp_path)[0]
    assert one.plugins == other.plugins
    for kind in ("settings", "rules", "checks", "pace_curves"):
        assert list(getattr(one, kind)) == list(getattr(other, kind))
    assert one.owners == other.owners


def test_an_unknown_policy_names_the_nearest() -> None:
    found, (problem,) = load_plugins(["field_dutty"], [], None)
    assert (problem.code, problem.nearest) == ("unknown-plugin", "field_duty")
    assert list(found.rules) == []
    assert set(installed()) >= set(SHIPPED)


def test_a_workspace_in_memory_has_no_local_policies() -> None:
    _found, (problem,) = load_plugins([], ["winter.py"], None)
    assert (problem.code, problem.nearest) == ("local-policy-missing", None)
