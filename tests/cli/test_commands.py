"""`init`, `check`, `explain`, `plugins`, and the group."""

from __future__ import annotations

import csv
import json
import shutil
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tomli

import kpi_rules as kr
from kpi_rules.cli import check as check_command
from kpi_rules.cli import main
from kpi_rules.cli.init import TEMPLATE
from kpi_rules.locale import set_language
from kpi_rules.workspace.config_schema import CORE, SECTIONS, CampaignSection, PointSection, keys_of
from kpi_rules.workspace.schemas import SCHEMAS

if TYPE_CHECKING:
    from tests.cli.running import Run


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_init_makes_a_workspace_that_is_assessed_at_once(run: Run, tmp_path: Path, lang: str) -> None:
    folder = tmp_path / "mine"
    done = run("--lang", lang, "init", folder)
    assert (done.exit_code, done.stdout) == (0, "")
    workspace = kr.load(folder)
    assert workspace.problems == []
    assert len(workspace.quarantine) == 0
    assessment = kr.assess(workspace)
    assert len(assessment.measures)
    assert len(assessment.ledger)
    assert {plugin.name for plugin in workspace.plugins.plugins} >= {"supervision", "field_duty"}
    declared = tomli.loads((folder / "kpi.toml").read_text(encoding="utf-8"))
    assert set(declared["field_duty"]) == {
        setting.partition(".")[2] for setting in workspace.parameters.declared if setting.startswith("field_duty.")
    }


@pytest.mark.parametrize("lang", ["en", "zh_Hans"])
def test_the_template_has_every_key_and_every_column(lang: str) -> None:
    text = (TEMPLATE / lang / "kpi.toml").read_text(encoding="utf-8")
    for section, declared in SECTIONS.items():
        if section != "plugins":  # written by `init`, which knows the policies
            assert f"[{section}]" in text
            assert [key for key in keys_of(declared) if f"{key} = " not in text and key != "point"] == []
    assert all(f"{key} = " in text for key in (*keys_of(CampaignSection), *keys_of(PointSection)))
    of_policies = {"plugins", "guards"}  # written by `init`, which knows the policies
    assert [section for section in CORE if section not in of_policies and f"[{section}]" not in text] == []
    tables = tomli.loads(text)["tables"]
    assert set(tables) == set(SCHEMAS)
    for name, file in tables.items():
        header = (TEMPLATE / lang / file).read_text(encoding="utf-8").splitlines()[0].split(",")
        assert header == [column.name for column in SCHEMAS[name].columns], name


def test_init_changes_nothing_that_is_there(run: Run, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("keep", encoding="utf-8")
    done = run("init", tmp_path)
    assert (done.exit_code, done.stderr) == (2, f"{tmp_path} is not empty; nothing was changed\n")
    done = run("init", tmp_path / "note.txt")
    assert (done.exit_code, done.stderr) == (2, f"{tmp_path / 'note.txt'} is a file; nothing was changed\n")
    done = run("init", tmp_path / "no" / "such")
    assert (done.exit_code, done.stderr) == (2, f"there is no folder {tmp_path / 'no'}; make it first\n")
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]
    (tmp_path / "empty").mkdir()
    assert run("init", tmp_path / "empty").exit_code == 0


def broken(folder: Path) -> Path:
    """Make a workspace with two errors, a warning and a row in quarantine."""
    folder.mkdir()
    (folder / "kpi.toml").write_text(
        '[workspace]\nnaem = "x"\n[year]\nstart = 2011-01-01\nend = 2011-12-31\n'
        '[tables]\nunits = "units.csv"\nquotas = "quotas.csv"\nprojects = "projects.csv"\n',
        encoding="utf-8",
    )
    (folder / "units.csv").write_text("unit,name,colour\nfinance,=F\n", encoding="utf-8")
    (folder / "units.csv").write_text("unit,name,colour\nfinance,F,red\n", encoding="utf-8")
    (folder / "quotas.csv").write_text("unit,indicator,amount,effective\nfinanc,funds,1,2011-01-01\n", encoding="utf-8")
    (folder / "projects.csv").write_text("project,unit\nJ1,nobody\n", encoding="utf-8")
    return folder


def test_check_lists_everything(run: Run, tmp_path: Path) -> None:
    folder = broken(tmp_path / "w")
    done = run("check", folder)
    assert done.exit_code == 3
    assert done.stderr == ""
    assert "2 errors, 1 warning, 0 notes, 1 row in quarantine" in done.stdout
    for word in ("unknown-key", "name", "unknown-unit", "finance", "unknown-column", "nobody"):
        assert word in done.stdout
    tables = json.loads(run("check", folder, "--format", "json").stdout)
    assert [row["severity"] for row in tables["problems"]] == ["error", "error", "warning"]
    assert tables["problems"][0]["nearest"] == "name"
    assert tables["quarantine"][0]["value"] == "nobody"
    target = tmp_path / "check.csv"
    done = run("check", folder, "-o", target)
    assert (done.exit_code, done.stdout) == (3, "")
    rows = list(csv.DictReader(StringIO(target.read_text(encoding="utf-8"))))
    assert [row["severity"] for row in rows] == ["error", "error", "warning", "quarantine"]
    assert (rows[3]["row"], rows[3]["found"]) == ("2", "nobody")


def test_check_of_a_sound_workspace(run: Run, example: Path) -> None:
    done = run("check", example)
    assert done.exit_code == 0
    assert "0 errors, 0 warnings, 0 notes, 0 rows in quarantine" in done.stdout


@pytest.mark.parametrize("command", [("assess",), ("explain", "finance")])
def test_errors_stop_the_work_and_are_all_listed(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    folder = broken(tmp_path / "w")
    done = run(command[0], folder, *command[1:])
    assert (done.exit_code, done.stdout) == (3, "")
    lines = done.stderr.splitlines()
    assert [line.split(":")[0] for line in lines[:2]] == ["error unknown-key", "error unknown-unit"]
    assert "kpi.toml, line 2" in lines[0]
    assert lines[0].endswith("(nearest: name)")
    assert lines[2:] == ["2 errors stop the work"]


@pytest.mark.parametrize("command", [("check",), ("assess",), ("explain", "x"), ("plugins",)])
def test_folders_that_are_none(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    file = tmp_path / "file.txt"
    file.write_text("x", encoding="utf-8")
    for path, said in (
        (tmp_path / "missing", f"there is no folder {tmp_path / 'missing'}"),
        (file, f"{file} is a file; a workspace is a folder with kpi.toml"),
    ):
        done = run(command[0], path, *command[1:])
        assert done.exit_code == 2
        assert said in done.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    for content in (None, b"", b"\x00\xff\xfe", b"[year\n"):
        if content is not None:
            (empty / "kpi.toml").write_bytes(content)
        done = run(command[0], empty, *command[1:])
        assert done.exit_code == 3
        assert "kpi.toml" in done.stdout + done.stderr


def test_a_workspace_may_be_named_by_its_file(run: Run, example: Path) -> None:
    assert run("check", example / "kpi.toml").exit_code == 0


def test_explain_as_text_and_json(run: Run, example: Path) -> None:
    arguments = ("explain", example, "culture", "--on", "2011-11-08", "--rule", "field_duty.off_post")
    done = run(*arguments)
    assert done.exit_code == 0
    assert "completion 0.45 < field_duty.off_post_below 0.5: yes" in done.stdout
    assert "leave_post" not in done.stdout
    found = json.loads(run(*arguments, "--format", "json").stdout)
    assert (found["unit"], found["tick"]) == ("culture", "2011-11-08")
    assert [rule["event"] for rule in found["rules"]] == ["started"]
    assert found["rules"][0]["distance"]["amount"] == 50_000_000


def test_explain_a_day_after_the_year(run: Run, example: Path) -> None:
    done = run("explain", example, "culture", "--on", "2012-01-31", "--format", "json")
    assert json.loads(done.stdout)["tick"] == "2012-01-31"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("finanse",), "no unit finanse (nearest: finance)\n"),
        (("finance", "--rule", "field_duty.of_post"), "no rule field_duty.of_post (nearest: field_duty.off_post)\n"),
        (("finance", "--on", "2011-01-02"), "no tick by 2011-01-02; the first is 2011-01-31\n"),
    ],
)
def test_explain_names_the_nearest(run: Run, example: Path, arguments: tuple[str, ...], said: str) -> None:
    done = run("explain", example, *arguments, "--as-of", "2011-12-31")
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", said)


def test_plugins(run: Run, example: Path) -> None:
    installed = json.loads(run("plugins", "--format", "json").stdout)
    assert {"plugin": "supervision", "distribution": "kpi-rules-supervision", "version": "0.1.0"} in installed
    rows = {row["plugin"]: row for row in json.loads(run("plugins", example, "--format", "json").stdout)}
    assert rows["supervision"]["origin"] == "installed"
    assert rows["supervision"]["contributes"] == {
        "rule": ["supervision.talk"],
        "setting": [
            "supervision.bulletin_behind",
            "supervision.cards_for_talk",
            "supervision.talk_after",
            "supervision.veto_below",
        ],
    }
    assert rows["kpi_rules"]["origin"] == "built in"
    assert "supervision.talk_after" in run("plugins", example).stdout


def test_plugins_marks_rules_that_are_switched_off(run: Run, example: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(example, tmp_path / "off")
    text = (folder / "kpi.toml").read_text(encoding="utf-8")
    text = text.replace("[plugins]\n", '[plugins]\noff = ["rewards.bonus"]\n')
    (folder / "kpi.toml").write_text(text, encoding="utf-8")
    lines = run("plugins", folder).stdout.splitlines()
    at = lines.index("rewards, installed, kpi-rules-rewards 0.1.0")
    assert lines[at + 1] == "  rules: rewards.bonus (switched off), rewards.commendation"
    rows = {row["plugin"]: row["off"] for row in json.loads(run("plugins", folder, "--format", "json").stdout)}
    assert {name: off for name, off in rows.items() if off} == {"rewards": ["rewards.bonus"]}


def test_plugins_of_a_local_policy_that_fails(run: Run, tmp_path: Path) -> None:
    folder = broken(tmp_path / "w")
    assert run("plugins", folder).exit_code == 0  # what is wrong with its tables does not matter here
    with (folder / "kpi.toml").open("a", encoding="utf-8") as file:
        file.write('[plugins]\nlocal = ["bad.py"]\n')
    (folder / "bad.py").write_text("raise ValueError('[red]\\x1b')\n", encoding="utf-8")
    done = run("plugins", folder)
    assert done.exit_code == 3
    assert r"ValueError: [red]\x1b" in done.stderr


def test_plugins_without_a_usable_year(run: Run) -> None:
    done = run("plugins", Path(__file__).parents[1] / "bad" / "misspelt-year")
    assert done.exit_code == 3
    assert "pay_withholding, installed" in done.stdout
    assert "(nearest: pay_withholding)" in done.stderr
    assert "quotas.csv" not in done.stderr


@pytest.mark.parametrize("command", [(), ("assess",), ("check",), ("explain",), ("init",), ("plugins",)])
def test_help_in_both_languages(run: Run, command: tuple[str, ...]) -> None:
    english = run("--lang", "en", *command, "--help")
    assert english.exit_code == 0
    assert "Show this message and exit." in english.stdout
    set_language("en")
    chinese = run("--lang", "zh", *command, "--help")
    assert chinese.exit_code == 0
    assert any("\u4e00" <= char <= "\u9fff" for char in chinese.stdout)


def test_messages_in_chinese(run: Run, example: Path) -> None:
    done = run("--lang", "zh", "assess", example, "--as-of", "2012-03-31")
    assert "完成率" in done.stdout
    assert "完成率 10.00%" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("asses",), "error: no command asses (nearest: assess)"),
        (("assess",), "error: WORKSPACE is missing"),
        (("assess", "--fromat", "json"), "error: no option --fromat (nearest: --format)"),
        (("check", ".", "--format", "xlsx"), "error: --format: 'xlsx' is not one of"),
    ],
)
def test_wrong_usage(run: Run, arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.startswith("Usage: kpi-rules")


def test_version_and_no_arguments(run: Run) -> None:
    assert run("--version").stdout == "kpi-rules 0.1.0\n"
    done = run()
    assert done.exit_code == 2
    assert "assess" in done.stderr


def test_nobody_sees_a_traceback(run: Run, example: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(**_options: object) -> None:
        raise ZeroDivisionError("the [red] cause\nand more")

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(check_command, "run", fail)
    done = run("check", example)
    assert done.exit_code == 70
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("unexpected failure, ZeroDivisionError: the [red] cause; the details are in ")
    [log] = tmp_path.iterdir()
    assert str(log) in done.stderr
    assert "Traceback" in log.read_text(encoding="utf-8")
    assert log.stat().st_mode & 0o077 == 0


def test_every_command_of_the_list_can_be_made() -> None:
    import click

    context = click.Context(main)
    assert [main.get_command(context, name).name for name in main.list_commands(context)] == [  # type: ignore[union-attr]  # each is there
        "init",
        "check",
        "split",
        "edit",
        "assess",
        "explain",
        "simulate",
        "compare",
        "sweep",
        "backtest",
        "sensitivity",
        "plan",
        "withdraw",
        "test",
        "plugins",
        "new-policy",
        "field-duty",  # of the policy field_duty
        "scorecard",
        "tui",
    ]


def test_a_new_workspace_has_the_safeguards_on(run: Run, tmp_path: Path) -> None:
    assert run("init", tmp_path / "new").exit_code == 0
    text = (tmp_path / "new" / "kpi.toml").read_text(encoding="utf-8")
    assert "safeguards" in tomli.loads(text)["plugins"]["enabled"]
    assert "guards" not in tomli.loads(text)  # listed as remarks: what stands there is what differs
    listed = [line for line in text.splitlines() if line.startswith(("# G1 ", "# G20 ", "# G4 "))]
    assert [line.partition("  ")[0] for line in listed] == ['# G1 = "block"', '# G20 = "warn"']
    assert kr.load(tmp_path / "new").problems == []
