"""The pane Simulate while it runs: progress, cancelling, leaving."""

from __future__ import annotations

import asyncio
import os
import time

from kpi_rules_tui import trial as trials
from tui.tests.driver import dump, opened, press, run, until
from tui.tests.panes.simulating import EXAMPLE, MANY, begun, simulated


def test_progress_says_draws_time_and_seed_and_keys_do_not_wait() -> None:
    async def test() -> None:
        async with opened(EXAMPLE) as (office, pilot):
            pane = await begun(office, pilot)
            pane._head()
            screen = dump(office)
            assert "simulating A" in screen
            assert f"of {MANY:,} draws" in screen
            assert "s left" in screen
            assert "seed 3" in screen
            assert "^x Cancel" in screen
            waits = []
            for _beat in range(60):
                began = time.perf_counter()
                await asyncio.sleep(0.01)
                waits.append(time.perf_counter() - began - 0.01)
            assert pane.run is not None
            await press(pilot, "ctrl+x")
            await until(pilot, lambda: pane.run is None)
            waits.sort()
            assert waits[len(waits) // 2] < 0.1
            if os.getloadavg()[0] < 2 * (os.cpu_count() or 1):  # else it is others who are waited for
                assert waits[int(len(waits) * 0.95)] < 0.1
            assert len(pane._timers) == 0  # idle, nobody looks

    run(test())


def test_cancelling_takes_effect_within_a_second() -> None:
    async def test() -> None:
        async with opened(EXAMPLE) as (office, pilot):
            await simulated(office, pilot)
            before = office.desk.trial
            pane = await begun(office, pilot)
            assert "^x Cancel" in dump(office)
            began = time.monotonic()
            await pilot.press("ctrl+x")
            await until(pilot, lambda: pane.run is None)
            assert time.monotonic() - began < 1
            await until(pilot, lambda: not trials._ONE.locked())
            assert time.monotonic() - began < 10
            screen = dump(office)
            assert "cancelled; what is shown is from before" in screen
            assert "^r Run" in screen
            assert office.desk.trial is before
            await simulated(office, pilot)  # and it can run again
            assert "cancelled" not in dump(office)

    run(test())


def test_leaving_while_it_runs_gives_it_up() -> None:
    async def test() -> None:
        async with opened(EXAMPLE) as (office, pilot):
            pane = await begun(office, pilot)
            work = pane.run
            await office.house.speak()  # makes every pane anew
            assert work is not None
            await until(pilot, lambda: work.cancelled)

    began = time.monotonic()
    run(test())
    assert time.monotonic() - began < 30
