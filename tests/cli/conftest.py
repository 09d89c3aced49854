"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from kpi_rules.cli import main
from tests.cli.running import HOSTILE

if TYPE_CHECKING:
    from click.testing import Result

    from tests.cli.running import Run

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def run() -> Run:
    def invoke(*arguments: str | Path) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return invoke


@pytest.fixture
def example() -> Path:
    return EXAMPLES / "worked-example"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Make a workspace in which everything that is free text is hostile."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "kpi.toml").write_text(
        '[workspace]\nname = "[bold]=evil\\u001b[2J\\u202e"\n[year]\nstart = 2011-01-01\nend = 2011-12-31\n'
        '[tables]\nunits = "units.csv"\nquotas = "quotas.csv"\nprojects = "projects.csv"\n'
        '[plugins]\nenabled = ["supervision"]\n',
        encoding="utf-8",
    )
    quoted = {unit: name.replace('"', '""') for unit, name in HOSTILE.items()}
    ids = "".join(f'{unit},"{name}"\n' for unit, name in quoted.items())
    (folder / "units.csv").write_text(f"unit,name\n{ids}@SUM(1),[link=http://x]at\n", encoding="utf-8")
    quotas = "".join(f"{unit},funds,100万,2011-01-01\n" for unit in (*HOSTILE, "@SUM(1)"))
    (folder / "quotas.csv").write_text(f"unit,indicator,amount,effective\n{quotas}", encoding="utf-8")
    (folder / "projects.csv").write_text(
        'project,unit,signed_on\n-2+3,red,"=cmd|x[/red]\x1b]0;t\x07"\nP2,@nobody,2011-01-01\n', encoding="utf-8"
    )
    return folder
