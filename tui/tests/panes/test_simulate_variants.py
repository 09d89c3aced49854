"""The pane Simulate with what is not saved: A and B beside each other."""

from __future__ import annotations

from decimal import Decimal

import pytest

import kpi_rules as kr
from tui.tests.driver import check_drawn, dump, edit, opened, press, run, until
from tui.tests.panes.simulating import DAY, EXAMPLE, MILDER, pane_of, simulated


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
def test_a_and_b_stand_beside_each_other_with_signed_differences(size: tuple[int, int]) -> None:
    async def test() -> None:
        async with opened(EXAMPLE, size) as (office, pilot):
            await press(pilot, "4")
            edit(office, MILDER)
            screen = await simulated(office, pilot)
            check_drawn(office)
            trial = office.desk.trial
            assert trial is not None
            assert trial.b is not None
            expected = kr.simulate(kr.load(EXAMPLE).with_edits([MILDER]), DAY, draws=2_000, seed=1)
            assert trial.b.digest == expected.digest
            assert "A: as saved; B: with what is not (1)" in screen
            assert "B less A" in screen
            assert "0 to 0" in screen  # no rule changes whether the task is met
            screen = await press(pilot, "t", "t")
            assert "[Measures]" in screen
            await press(pilot, "slash", *"Section", "enter")
            screen = dump(office)
            finance = next(line for line in screen.splitlines() if "市财政局" in line)
            assert "-100.0" in finance
            assert "100%" in finance
            screen = await press(pilot, "escape", "t", "t")
            assert "[Who changes]" in screen
            assert "in A alone" in screen
            assert "市财政局" in screen

    run(test())


def test_totals_of_b_less_a_have_their_interval() -> None:
    async def test() -> None:
        async with opened(EXAMPLE, (160, 45)) as (office, pilot):
            edit(office, MILDER)
            await simulated(office, pilot)
            screen = await press(pilot, "t", "t", "t")
            trial = office.desk.trial
            assert trial is not None
            assert trial.comparison is not None
            withheld = next(row for row in trial.comparison.totals.iter_rows(named=True) if row["what"] == "withheld")
            lines = [line for line in screen.splitlines() if "pay withheld" in line]
            assert len(lines) == 3
            low, high = (f"{withheld[end] / 10**6:.2f}" for end in ("low", "high"))
            assert f"{withheld['difference'] / 10**6:+.2f}" in lines[2]
            assert f"{low} to {high}" in lines[2]

    run(test())


def test_a_second_run_of_parameters_goes_on_with_the_same_futures(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with opened(EXAMPLE, (160, 45)) as (office, pilot):
            edit(office, MILDER)
            await simulated(office, pilot)
            first = office.desk.trial
            edit(office, kr.ParameterEdit("pay_withholding.section_below", Decimal("0.3")))
            assert "B has changed since; Ctrl+R runs again" in dump(office)
            simulate = kr.simulate

            def anew(*_given: object, **_more: object) -> kr.Simulation:
                pytest.fail("simulated anew")

            monkeypatch.setattr(kr, "simulate", anew)
            screen = await simulated(office, pilot)
            trial = office.desk.trial
            assert first is not None
            assert trial is not None
            assert trial.b is not None
            assert trial.a is first.a
            milder = kr.load(EXAMPLE).with_parameters({"pay_withholding.section_below": 0.3})
            assert trial.b.digest == simulate(milder, DAY, draws=2_000, seed=1).digest
            assert "B has changed since" not in screen

    run(test())


def test_quotas_are_simulated_anew_and_their_band_shows_both() -> None:
    quota = kr.QuotaEdit("finance", 300_000_000)

    async def test() -> None:
        async with opened(EXAMPLE, (160, 45)) as (office, pilot):
            await simulated(office, pilot)
            edit(office, quota)
            assert "B has changed since" in dump(office)
            await simulated(office, pilot)
            trial = office.desk.trial
            assert trial is not None
            assert trial.b is not None
            expected = kr.simulate(kr.load(EXAMPLE).with_edits([quota]), DAY, draws=2_000, seed=1)
            assert trial.b.digest == expected.digest
            pane = pane_of(office)
            pane.table.go_to("finance")
            await pilot.pause()
            screen = dump(office)
            assert "median of B" in screen
            finance = next(line for line in screen.splitlines() if "市财政局" in line)
            assert "+" in finance

    run(test())


def test_what_was_found_stays_and_says_that_it_is_overtaken() -> None:
    async def test() -> None:
        async with opened(EXAMPLE) as (office, pilot):
            await simulated(office, pilot)
            edit(office, MILDER)
            screen = dump(office)
            assert "B has changed since; Ctrl+R runs again" in screen
            assert "市商务局" in screen
            office.read()
            await until(pilot, lambda: not office.reading)
            await pilot.pause()
            assert "the workspace was read again since; Ctrl+R runs again" in dump(office)

    run(test())


def test_another_language_keeps_what_was_found() -> None:
    async def test() -> None:
        async with opened(EXAMPLE) as (office, pilot):
            await simulated(office, pilot)
            await press(pilot, "t")
            await office.house.speak()
            await until(pilot, lambda: "units hit, mean" in dump(office))
            assert "[Rules]" in dump(office)

    run(test())
