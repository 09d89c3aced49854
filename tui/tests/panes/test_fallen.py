"""What falls with a row of the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import kpi_rules as kr
from tui.tests.driver import check_drawn, dump, go, opened, press, read, run

if TYPE_CHECKING:
    from pathlib import Path


def test_what_falls_with_a_voucher(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (140, 40)) as (office, pilot):
            await go(pilot, "arrivals")
            text = await read(pilot, "w")
            assert "without V001 of arrivals, as of 2011-12-31; amounts in 万 yuan" in text
            assert "J01 / finance: vouchers 3,600.005 → 2,700.005 (-900.00)" in text
            assert "completion 81.7% → 63.0% (-18.7)" in text
            assert "pay (yuan)" in text
            assert "withheld: 23,850.60 → 31,095.00 (+7,244.40)" in text
            assert "above_evaluation J01: no longer found" in text
            check_drawn(office)
            assert kr.load(example).tables.arrivals.height == 15
            await press(pilot, "escape", "m", "m")
            text = await read(pilot, "w")
            assert "as of 2011-12-31; amounts in yuan" in text
            assert "withheld: 23,850.60 → 31,095.00 (+7,244.40)" in text

    run(test())


def test_what_falls_with_claims_visits_projects_and_a_finding(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (140, 40)) as (_office, pilot):
            for view, said in (
                ("claims", "without J01/finance of claims"),
                ("visits", "without S01 of visits"),
                ("projects", "no longer recognised"),
                ("findings", "without J01 of projects"),
            ):
                await go(pilot, view)
                assert said in await read(pilot, "w"), view
                await press(pilot, "escape")

    run(test())


def test_several_rows_are_counted_and_worked_out_one_after_another(example: Path) -> None:
    async def test() -> None:
        async with opened(example, (140, 40)) as (office, pilot):
            await go(pilot, "arrivals")
            text = await read(pilot, "space", "space", "w")
            assert "What falls if withdrawn: 2" in dump(office)
            assert "rows: 2; each is withdrawn by itself" in text
            assert "without V001 of arrivals" in text
            assert "without V002 of arrivals" in text

    run(test())


def test_what_cannot_be_withdrawn_is_not_offered(example: Path) -> None:
    async def test() -> None:
        async with opened(example) as (office, pilot):
            for view in ("units", "quotas", "staff", "problems", "quarantine"):
                await go(pilot, view)
                assert "w What" not in dump(office)
                await press(pilot, "w")
                assert office.screen is office.house

    run(test())
