"""The screens as text, small and wide, in both languages; `UPDATE_SNAPSHOTS=1` writes them anew, to be read before they
are kept.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import kpi_rules as kr
from tui.tests.driver import check_drawn, dump, opened, press, run, settled

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from kpi_rules_tui.app import Office

FOLDER = Path(__file__).with_name("snapshots")


async def overview(_office: Office, _pilot: Pilot[int]) -> None:
    """Stay."""


async def unit(_office: Office, pilot: Pilot[int]) -> None:
    await press(pilot, "1", "enter")


async def quotas(office: Office, pilot: Pilot[int]) -> None:
    await press(pilot, "escape", "2")
    office.house.find("finance")


async def policies(_office: Office, pilot: Pilot[int]) -> None:
    await press(pilot, "3", "j", "j")


async def simulate(_office: Office, pilot: Pilot[int]) -> None:
    await press(pilot, "4")


async def evidence(_office: Office, pilot: Pilot[int]) -> None:
    await press(pilot, "5")


async def help_(_office: Office, pilot: Pilot[int]) -> None:
    await press(pilot, "1", "question_mark")


SCREENS = {
    "overview": overview,
    "unit": unit,
    "quotas": quotas,
    "policies": policies,
    "simulate": simulate,
    "evidence": evidence,
    "help": help_,
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_screens_are_as_they_were(example: Path, size: tuple[int, int], language: str) -> None:
    kr.set_language(language)
    different = []

    async def test() -> None:
        async with opened(example, size) as (office, pilot):
            for name, go in SCREENS.items():
                await go(office, pilot)
                await settled(pilot)
                await pilot.pause(0.2)
                check_drawn(office)
                screen = dump(office).replace(str(example.parent), "…") + "\n"
                file = FOLDER / f"{name}-{size[0]}x{size[1]}-{language}.txt"
                if "UPDATE_SNAPSHOTS" in os.environ:
                    file.write_text(screen, encoding="utf-8")
                elif not file.exists() or file.read_text(encoding="utf-8") != screen:
                    different.append(f"{file.name}:\n{screen}")

    run(test())
    assert not different, "\n".join(different)
