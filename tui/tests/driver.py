"""Drives the terminal UI in tests: opens a folder, presses keys, and reads the screen as text."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len
from textual import events
from textual.keys import _character_to_key

from kpi_rules_tui.app import Office
from kpi_rules_tui.desk import Desk
from kpi_rules_tui.dialogs.reader import Reader
from kpi_rules_tui.texts import safe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from textual.app import App
    from textual.pilot import Pilot

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "examples"

PATIENCE = 60.0
"""Seconds after which something that was waited for is not coming."""


def copied(name: str, folder: Path) -> Path:
    """Copy an example to a folder that a test may change."""
    shutil.copytree(EXAMPLES / name, folder)
    return folder


def change(file: Path, old: str, new: str) -> None:
    """Change a text in a file."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def lines(app: App[Any]) -> list[str]:
    """Return the screen as text, line by line."""
    strips = app.screen._compositor.render_strips(app.size)
    return ["".join(segment.text for segment in strip) for strip in strips]


def dump(app: App[Any]) -> str:
    """Return the screen as text."""
    return "\n".join(line.rstrip() for line in lines(app))


def check_drawn(app: App[Any]) -> None:
    """Hold the screen to what every screen is: no character that a terminal obeys, every line of the same width."""
    for line in lines(app):
        assert safe(line) == line, ascii(line)
        assert cell_len(line) == app.size.width, ascii(line)


@asynccontextmanager
async def opened(
    folder: Path, size: tuple[int, int] = (80, 24), *, readonly: bool = False, desk: Desk | None = None
) -> AsyncIterator[tuple[Office, Pilot[int]]]:
    """Open a workspace and wait until it was read."""
    office = Office(desk or Desk(folder, readonly=readonly))
    async with office.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        yield office, pilot


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until nothing is read or worked out any more."""
    app: Any = pilot.app
    await pilot.pause()
    await until(
        pilot, lambda: app.desk.workspace is not None and not app.reading and app.house.pane.has_class("-filled")
    )
    await pilot.pause()


async def until(pilot: Pilot[Any], come: Callable[[], bool]) -> None:
    """Wait for something that is on its way."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not come():
        assert loop.time() < end, f"did not come; the screen:\n{dump(pilot.app)}"
        await pilot.pause(0.02)
    await pilot.pause()


def at_once(office: App[Any], *keys: str) -> None:
    """Send keys without waiting between them, as they come from who types fast."""
    for key in keys:
        single = len(key) == 1
        office.post_message(events.Key(_character_to_key(key) if single else key, key if single else None))


async def press(pilot: Pilot[Any], *keys: str) -> str:
    """Press keys, a text in it as fast as it comes and the screen settled after all others; return the screen."""
    app: Any = pilot.app
    typeahead = getattr(app, "typeahead", None)
    for text, some in groupby(keys, lambda key: len(key) == 1 or key == "backspace"):
        for part in [list(some)] if text and typeahead is not None else [[key] for key in some]:
            if text:
                at_once(app, *part)
            else:
                await pilot.press(*part)
            await pilot.pause()
            if typeahead is not None and typeahead.waiting:
                await until(pilot, lambda: not typeahead.waiting or app.return_code is not None)
    return dump(pilot.app)


def edit(office: Office, *edits: Any) -> None:  # noqa: ANN401 (edits of any kind)
    """Make edits as a pane would."""
    weighed = office.desk.weigh(edits)
    assert not weighed.refused
    office.desk.keep(weighed)
    office.house.fill()


async def go(pilot: Pilot[Any], view: str) -> None:
    """Show a view of the evidence."""
    office: Any = pilot.app
    await press(pilot, "5")
    await until(pilot, lambda: office.house.pane.has_class("-filled"))
    office.house.find(view)
    await pilot.pause()


async def read(pilot: Pilot[Any], *keys: str) -> str:
    """Press keys, and return the text of the reader that opens."""
    await press(pilot, *keys)
    await until(pilot, lambda: isinstance(pilot.app.screen, Reader))
    screen: Any = pilot.app.screen
    return str(screen._text)


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test that drives the app."""
    asyncio.run(test)
