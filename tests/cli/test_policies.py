"""Commands of policies: named without importing any, loaded when called (M8, M24)."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kpi_rules.cli import policies
from kpi_rules.cli.failures import RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Run

ENTRIES = """\
[kpi_rules]
winter = kpi_winter

[kpi_rules.commands]
# the one command of this policy
winter-work = kpi_winter

[console_scripts]
other = other:main
"""

MODULE = """\
import click
from kpi_rules import hookimpl

@hookimpl
def kpi_commands():
    return [click.Command("{name}", help="Winter work.")]
"""


@pytest.fixture
def winter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder of installed packages with one policy that names a command."""
    place = tmp_path / "site"
    (place / "kpi_winter-1.0.dist-info").mkdir(parents=True)
    (place / "kpi_winter-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: kpi-winter\nVersion: 1.0\n"
    )
    (place / "kpi_winter-1.0.dist-info" / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.delitem(sys.modules, "kpi_winter", raising=False)
    return place


def test_names_are_read_without_importing(winter: Path) -> None:
    (winter / "kpi_winter.py").write_text("raise AssertionError")
    (winter / "broken-1.0.dist-info").mkdir()
    (winter / "broken-1.0.dist-info" / "entry_points.txt").write_bytes(b"\xff\xfe")
    assert policies.command_names() == ["field-duty", "scorecard", "tui", "winter-work"]


def test_a_command_is_loaded_when_called(winter: Path) -> None:
    (winter / "kpi_winter.py").write_text(MODULE.format(name="winter-work"))
    assert policies.load_command("winter-work").name == "winter-work"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nothing_of_this_name", "command winter-work cannot be loaded: ModuleNotFoundError: No module named"),
        (MODULE.format(name="winter"), "policy kpi_winter names the command winter-work and gives winter"),
        (
            "from kpi_rules import hookimpl\n@hookimpl\ndef kpi_commands():\n    return ['a']\n",
            "command winter-work cannot be loaded: TypeError: a list of Command is expected, not 'a'",
        ),
        ("", "policy kpi_winter names the command winter-work and gives none"),
    ],
)
def test_a_policy_that_does_not_give_its_command(winter: Path, text: str, said: str) -> None:
    (winter / "kpi_winter.py").write_text(text)
    with pytest.raises(RefusedError) as refused:
        policies.load_command("winter-work")
    assert refused.value.message.startswith(said)


def test_two_policies_of_one_command_are_named(winter: Path) -> None:
    other = winter / "kpi_other-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: kpi-other\nVersion: 1.0\n")
    (other / "entry_points.txt").write_text("[kpi_rules.commands]\nwinter-work = kpi_other\n")
    with pytest.raises(RefusedError, match="command winter-work is named by kpi-other, kpi-winter; expected one"):
        policies.load_command("winter-work")


def test_help_names_the_commands_of_policies_and_imports_none() -> None:
    code = (
        "import sys\nfrom kpi_rules.cli import main\ntry: main(['--help'])\n"
        "finally: print('kpi_field_duty' in sys.modules, 'polars' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert "field-duty" in done.stdout
    assert done.stderr == "False False\n"


def test_tables_of_a_policy_as_data(run: Run, example: Path) -> None:
    done = run("field-duty", "days", example, "--as-of", "2011-06-30", "--format", "json")
    assert done.exit_code == 0
    tables = json.loads(done.stdout)
    assert list(tables) == ["days", "stationed"]
    assert tables["days"] == []  # nobody owes any
    assert [row["measure"] for row in tables["stationed"]] == [
        "2011/field_duty.station_head/archives/2011-04-30",
        "2011/field_duty.station_head/culture/2011-04-30",
        "2011/field_duty.station_head/water/2011-05-31",
    ]


def test_a_workspace_without_the_policy(run: Run, hostile: Path) -> None:
    done = run("field-duty", "roster", hostile)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "does not enable the policy field_duty; expected it in [plugins] enabled of kpi.toml" in done.stderr


def test_a_misspelt_command_has_a_nearest(run: Run) -> None:
    done = run("field-dty")
    assert done.exit_code == 2
    assert "no command field-dty (nearest: field-duty)" in done.stderr


def test_a_group_without_a_command_shows_its_help(run: Run) -> None:
    done = run("field-duty", "--help")
    assert done.exit_code == 0
    assert all(name in done.stdout for name in ("days", "returns", "roster", "duties"))
