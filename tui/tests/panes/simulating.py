"""Drives the pane Simulate in tests."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import kpi_rules as kr
from kpi_rules_tui.trial import Asked
from tui.tests.driver import EXAMPLES, dump, press, until

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from kpi_rules_tui.app import Office
    from kpi_rules_tui.panes.simulate import SimulatePane

EXAMPLE = EXAMPLES / "worked-example"
MILDER = kr.ParameterEdit("pay_withholding.section_below", Decimal("0.4"))
DAY = date(2011, 9, 30)
MANY = 1_000_000
"""Draws that take far longer than a test waits for them."""


def pane_of(office: Office) -> SimulatePane:
    pane: Any = office.house.pane
    return pane  # type: ignore[no-any-return]  # (4 was pressed)


async def simulated(office: Office, pilot: Pilot[int], asked: Asked | None = None) -> str:
    """Run what the pane would, or something else, and return the screen."""
    await press(pilot, "4")
    pane = pane_of(office)
    if asked is None:
        await press(pilot, "ctrl+r")
    else:
        pane._begin(asked)
    await until(pilot, lambda: pane.run is None)
    return dump(office)


async def begun(office: Office, pilot: Pilot[int]) -> SimulatePane:
    """Begin a long run, and wait until draws are done."""
    await press(pilot, "4")
    pane = pane_of(office)
    pane._begin(Asked(DAY, MANY, 3))
    await until(pilot, lambda: pane.run is not None and pane.run.progress is not None)
    return pane


def figures(found: kr.Simulation) -> tuple[str, int, int]:
    return found.digest, found.draws, found.seed
