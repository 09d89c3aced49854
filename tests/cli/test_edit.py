"""`edit`: what would change and whom it meets, and the files written; edits as options, both ways."""

from __future__ import annotations

import json
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.cli import edit, edit_words

if TYPE_CHECKING:
    from kpi_rules.workspace.edits import Edit
    from tests.cli.running import Run

EXAMPLE = Path(__file__).parents[2] / "examples" / "worked-example"
WS = kr.load(EXAMPLE)
TALKED = ["archives", "culture", "finance", "water"]
BELOW = "field_duty.off_post_below"
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=9)
VALUES = st.one_of(
    st.booleans(),
    st.integers(0, 10**9),
    st.decimals(0, 100, places=4),
    TEXTS,
    st.sampled_from(("1500万", "true", "0.4", "2011-07-01", "[a]", "''", "a,from=b")),
    st.lists(TEXTS, max_size=3).map(tuple),
)
DAYS = st.none() | st.dates(date(1900, 1, 1), date(2199, 12, 31))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "worked"))


def test_it_shows_and_writes_nothing(run: Run, folder: Path) -> None:
    old = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = run(
        "edit", folder, "--set", f"{BELOW}=0.1", "--quota", "water=900万,effective=2011-07-01", "--off", "rewards"
    )
    assert (done.exit_code, done.stderr) == (0, "as of 2011-12-31, the year's end; --as-of chooses another day\n")
    assert done.stdout == (
        "Changes\n"
        "what        name                        of      from            old     new\n"
        "───────────────────────────────────────────────────────────────────────────\n"
        "switch      rewards                                              on     off\n"
        "parameter   field_duty.off_post_below                          0.50     0.1\n"
        "quota       water                       funds   2011-07-01   2000万   900万\n"
        "\n"
        "Units that measures meet\n"
        "measure                       before   after   newly   no longer      otherwise\n"
        "──────────────────────────────────────────────────────────────────────────────────────────────\n"
        "Head leaves the post               1       1\n"
        "Head off post                      3       2           archives       culture\n"
        "Head stationed in the field        4       4                          archives, culture, water\n"
        "Pay of all staff withheld          3       3\n"
        "Section-level pay withheld         3       3\n"
        "Bonus                              2       0           trade, water\n"
        "Commendation                       1       0           trade\n"
        "Talk with the head                 4       4\n"
        "\n"
        "Money (yuan)\n"
        "what                before      after   difference\n"
        "──────────────────────────────────────────────────\n"
        "pay withheld      23850.60   23850.60         0.00\n"
        "pay released          0.00       0.00         0.00\n"
        "pay reversed          0.00       0.00         0.00\n"
        "pay outstanding   23850.60   23850.60         0.00\n"
        "Bonus             16500.00       0.00    -16500.00\n"
    )
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == old


def test_it_writes_and_says_how_to_take_it_back(run: Run, folder: Path) -> None:
    done = run("edit", folder, "--set", f"{BELOW}=0.1,from=2011-07-01", "--as-of", "2011-12-31", "--save")
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "written: kpi.toml",
        f"to take it back: kpi-rules edit {folder} --unset {BELOW},from=2011-07-01 --save",
    ]
    assert kr.load(folder).parameters.at(BELOW, date(2011, 7, 1), None).value == Decimal("0.1")
    assert run("edit", folder, "--unset", f"{BELOW},from=2011-07-01", "--save").exit_code == 0
    assert (folder / "kpi.toml").read_bytes() == (EXAMPLE / "kpi.toml").read_bytes()


def test_as_data(run: Run, folder: Path) -> None:
    done = run("edit", folder, "--off", "supervision.talk", "--as-of", "2011-12-31", "--format", "json", "--save")
    found = json.loads(done.stdout)
    assert list(found) == ["changes", "written", "effect", "money"]
    assert found["written"] == [{"file": "kpi.toml"}]
    assert [row for row in found["effect"] if row["before"] != row["after"]] == [
        {
            "rule": "supervision.talk",
            "before": 4,
            "after": 0,
            "measures_before": 4,
            "measures_after": 0,
            "begins": [],
            "ceases": TALKED,
            "otherwise": [],
        }
    ]


def test_groups_are_scaled_and_quotas_split(run: Run, folder: Path) -> None:
    done = run("edit", folder, "--scale", "social=1.1,effective=2011-07-01", "--note", "n, m", "--save")
    assert done.exit_code == 0
    quotas = (folder / "quotas.csv").read_text(encoding="utf-8")
    assert 'culture,funds,1100万,2011-07-01,"n, m"\n' in quotas
    assert 'archives,funds,440万,2011-07-01,"n, m"\n' in quotas
    assert run("edit", folder, "--quota", "city=100万", "--save").exit_code == 0
    done = run("edit", folder, "--split", "city,effective=2011-08-01", "--format", "json", "--save")
    assert {row["new"] for row in json.loads(done.stdout)["changes"]} == {"20万"}
    assert "equally among 5" in (folder / "quotas.csv").read_text(encoding="utf-8")
    done = run("edit", folder, "--split", "city,effective=2011-08-01,by=weight")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (
        2,
        "no weight of archives, culture, finance, trade, water",
    )
    noted = run("edit", folder, "--split", "city,effective=2011-09-01", "--note", "why", "--save")
    assert noted.exit_code == 0
    assert (folder / "quotas.csv").read_text(encoding="utf-8").count("2011-09-01,why") == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "nothing to change; expected one of --set, --unset, --quota"),
        (("--set", BELOW), f"--set: found '{BELOW}'; expected NAME=VALUE[,from=DATE][,group=GROUP]"),
        (("--set", f"{BELOW}=0.4,till=2011-07-01"), "expected NAME=VALUE[,from=DATE]"),
        (("--set", f"{BELOW}=0.4,from=July"), "--set: 'July' is no date such as 2011-06-30"),
        (("--set", f"{BELOW}=much"), 'found "much"; expected a decimal'),
        (("--unset", f"{BELOW}=1"), "expected NAME[,from=DATE][,group=GROUP]"),
        (("--unset", f"{BELOW},group=social"), "no value of field_duty.off_post_below to take away"),
        (("--quota", "water"), "expected UNIT=AMOUNT"),
        (("--quota", "water=much"), "--quota: found 'much'; expected an amount such as 4500万"),
        (("--quota", "water=1.5,indicator=signed"), "--quota: found '1.5'; expected a whole number such as 12"),
        (("--quota", "wate=1万"), "(nearest: water)"),
        (("--scale", "social=much"), "--scale: found 'much'; expected a decimal such as 1.05"),
        (("--scale", "socia=1"), "no group socia (nearest: social)"),
        (("--split", "city,by=history"), "--split: found 'history'; expected equal or weight"),
        (("--split", "water"), "no units are below water"),
        (("--on", "reward"), "(nearest: rewards)"),
        (("--off", "rewards", "-o", "none/x"), "there is no folder none"),
        (("--off", "rewards", "--as-of", "1999-01-01"), "found 1999-01-01; expected a day from 2011-01-01"),
    ],
)
def test_what_does_not_fit_is_said(run: Run, folder: Path, options: tuple[str, ...], message: str) -> None:
    done = run("edit", folder, *options)
    assert done.exit_code == 2
    assert message in done.stderr


def test_errors_of_the_workspace_then_are_shown_and_not_written(run: Run, folder: Path) -> None:
    quotas = (folder / "quotas.csv").read_text(encoding="utf-8").splitlines()
    rows = [f"{quotas[0]},stretch", f"{quotas[1]},3100万", *(f"{row}," for row in quotas[2:])]
    (folder / "quotas.csv").write_text("\n".join(rows), encoding="utf-8")
    done = run("edit", folder, "--quota", "finance=4000万")
    assert done.exit_code == 3
    assert "quota" in done.stdout
    assert "error stretch-below-quota" in done.stderr
    done = run("edit", folder, "--quota", "finance=4000万", "--save")
    assert done.exit_code == 2
    assert "error stretch-below-quota" in done.stderr
    assert (folder / "quotas.csv").read_text(encoding="utf-8") == "\n".join(rows)


def test_a_file_that_cannot_be_read_is_said(run: Run, folder: Path) -> None:
    (folder / "kpi.toml").write_text("[", encoding="utf-8")
    done = run("edit", folder, "--off", "rewards")
    assert done.exit_code == 2
    assert "kpi.toml, line 1" in done.stderr


PARAMETERS = st.builds(kr.ParameterEdit, TEXTS, st.none() | VALUES, DAYS, st.none() | TEXTS)
QUOTAS = st.builds(
    kr.QuotaEdit, TEXTS, st.integers(1, 2 * 10**13), st.just("funds"), DAYS, st.none() | TEXTS
) | st.builds(kr.QuotaEdit, TEXTS, st.none() | st.integers(1, 10**9), st.just("signed"), DAYS)
SWITCHES = st.builds(kr.SwitchEdit, TEXTS.filter(lambda name: not name.startswith("-")), st.booleans())


@settings(deadline=None)
@given(st.lists(st.one_of(PARAMETERS, QUOTAS, SWITCHES), max_size=4), st.booleans())
def test_a_command_says_what_edits_do(edits: list[Edit], save: bool) -> None:  # noqa: FBT001 (drawn)
    program, name, *arguments = kr.edit_command("some folder", edits, save=save)
    assert (program, name) == ("kpi-rules", "edit")
    given_ = click.Command("edit", params=[click.Argument(["workspace"]), *edit.command().params[1:]])
    found = given_.make_context("edit", list(arguments)).params
    assert found["workspace"] == "some folder"
    assert found["save"] is save
    read = [
        *edit_words.read_switches(found["on"], found["off"]),
        *edit_words.read_parameters(found["sets"], found["unsets"]),
        *edit_words.read_quotas(WS, found["quotas"], None),
    ]
    assert sorted(map(repr, map(_plain, read))) == sorted(map(repr, map(_plain, edits)))


def _plain(edit: Edit) -> tuple[object, ...]:
    """Return an edit as values in which decimals that are equal look alike."""
    if not isinstance(edit, kr.ParameterEdit):
        return (edit,)
    value = edit.value
    is_number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
    return edit.name, Decimal(str(value)).normalize() if is_number else value, edit.from_on, edit.group


def test_commands_are_short_where_they_can_be() -> None:
    edits: list[Edit] = [
        kr.ParameterEdit(BELOW, Decimal("0.45"), date(2011, 7, 1), "经济管理组"),
        kr.ParameterEdit("local.a", "1500万"),
        kr.ParameterEdit("local.b", ("x", "y")),
        kr.QuotaEdit("water", 450_000_000, effective=date(2011, 7, 1)),
        kr.QuotaEdit("a,b", None),
    ]
    assert kr.edit_command("-w", edits, note="why")[2:] == [
        "./-w",
        "--set",
        f"{BELOW}=0.45,from=2011-07-01,group=经济管理组",
        "--set",
        "local.a=1500万",
        "--set",
        'local.b=["x", "y"]',
        "--quota",
        "water=450万,effective=2011-07-01",
        "--quota",
        '"a,b"=remove',
        "--note",
        "why",
        "--save",
    ]
    edits = [kr.QuotaEdit("water", 7, "other")]
    counted = kr.edit_command(EXAMPLE, edits, save=False)
    assert kr.edit_command("nowhere", edits, save=False, workspace=kr.load(EXAMPLE))[3:] == counted[3:]
    assert counted[-1] == "water=0.07,indicator=other"
