"""`kpi-rules withdraw`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.running import Run

EXAMPLE = Path(__file__).parents[2] / "examples" / "worked-example"


def test_it_shows_what_falls(run: Run) -> None:
    done = run("withdraw", EXAMPLE, "arrivals", "V011", "--as-of", "2012-03-31")
    assert done.exit_code == 0
    assert "J06 / archives: vouchers 58万 -> 0.00" in done.stdout
    assert done.stdout.startswith("without V011 of arrivals, as of 2012-03-31\n")


def test_as_json_it_is_the_frames(run: Run) -> None:
    done = run("withdraw", EXAMPLE, "projects", "J01", "--on", "2011-08-01", "--format", "json")
    found = json.loads(done.stdout)
    assert list(found) == ["waterfall", "units", "measures", "events", "ledger", "findings"]
    assert {row["project"] for row in found["waterfall"]} == {"J01"}
    assert min(row["tick"] for row in found["units"]) == "2011-08-31"


def test_a_row_that_is_not_there_is_refused_with_the_nearest(run: Run) -> None:
    done = run("withdraw", EXAMPLE, "arrivals", "V0111")
    assert done.exit_code == 2
    assert "nearest: V011" in done.stderr
    done = run("withdraw", EXAMPLE, "arrival", "V011")
    assert done.exit_code == 2
    assert "nearest: arrivals" in done.stderr
