"""The tabs of browsers and the processes behind them: how many, how they end, and what they leave."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, DummyCookieJar

from kpi_rules_tui.unsaved import left
from kpi_rules_tui.web.tab import sized
from tui.tests.served import EXAMPLE, LINUX, Served, alive, drawn, links, run, site, tabs_of, until
from tui.tests.webdriver import PATIENCE, wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def tab_of(server: Served) -> AsyncIterator[tuple[ClientWebSocketResponse, str]]:
    """Enter by the link of a server, and open a tab; its cookie is given with it."""
    async with ClientSession(cookie_jar=DummyCookieJar()) as client:
        async with client.get(server.link, allow_redirects=False) as answer:
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
        headers = {"Cookie": cookie, "Origin": server.base}
        async with client.ws_connect(f"{server.base}/ws?width=120&height=30", headers=headers) as tab:
            yield tab, cookie


@LINUX
def test_the_tab_above_the_cap_is_refused_and_a_closed_one_frees_its_place() -> None:
    async def test() -> None:
        async with site(sessions=1) as it:
            await it.enter()
            tab = await it.tab()
            await drawn(tab, "Overview")
            assert len(tabs_of()) == 1
            assert await it.refused() == 503
            status, headers, text = await it.ask()
            assert (status, headers["Refresh"]) == (503, "3")
            assert text.startswith("All 1 places are taken. Close a tab")
            assert len(tabs_of()) == 1
            await tab.close()
            await until(lambda: not it.server.tabs)
            assert not tabs_of()
            again = await it.tab()
            await drawn(again, "Overview")
            await again.send_json(["stdin", "\x11"])  # Ctrl+Q: the application leaves by itself, and that hangs up
            while not (await again.receive(PATIENCE)).type.name.startswith("CLOS"):
                pass
            await until(lambda: not it.server.tabs)
            assert not tabs_of()

    run(test)


@LINUX
def test_a_process_that_does_not_listen_is_ended_by_force_and_nonsense_ends_a_tab(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kpi_rules_tui.web.tab.PATIENCE", 0.2)

    async def test() -> None:
        async with site() as it:
            await it.enter()
            tab = await it.tab(path="/ws?width=999999999&height=x")
            await drawn(tab, "Overview")
            await tab.send_json(["unheard", {"of": 1}])
            await tab.send_json(["resize", {"width": 10**9, "height": -1}])
            await tab.send_json(["ping", "7"])
            while (message := await tab.receive(PATIENCE)).data != '["pong", "7"]':
                assert message.type.name == "BINARY"
            (pid,) = tabs_of()
            os.kill(pid, signal.SIGSTOP)
            await tab.send_str("{")
            await until(lambda: not it.server.tabs)
            assert not tabs_of()
            await tab.close()

    run(test)


TAKEN: Final = ["2", "\r", *"3500万", "\r"]
"""Keys that change the quota under the cursor."""


@LINUX
def test_a_page_hears_whether_something_is_not_saved_and_a_closed_tab_leaves_it_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    async def heard(tab: ClientWebSocketResponse) -> object:
        while (message := await tab.receive(PATIENCE)).type.name != "TEXT":
            assert message.type.name == "BINARY"
        return message.json()

    async def test() -> None:
        async with site() as it:
            await it.enter()
            tab = await it.tab()
            await drawn(tab, "met:")
            for key in TAKEN:
                await tab.send_json(["stdin", key])
            assert await heard(tab) == ["unsaved", True]
            await tab.send_json(["stdin", "\x1a"])  # Ctrl+Z
            assert await heard(tab) == ["unsaved", False]
            assert not left(EXAMPLE)
            for key in TAKEN:
                await tab.send_json(["stdin", key])
            assert await heard(tab) == ["unsaved", True]
            await tab.close()
            await until(lambda: not it.server.tabs)
            (kept,) = left(EXAMPLE)
            assert "=3500" in kept.read_text(encoding="utf-8")
            again = await it.tab()
            await drawn(again, "earlier")
            await again.close()

    run(test)


@LINUX
def test_what_is_not_saved_outlives_a_server_that_is_killed(tmp_path: Path) -> None:
    async def test(server: Served) -> None:
        async with tab_of(server) as (tab, _cookie):
            await drawn(tab, "met:")
            for key in TAKEN:
                await tab.send_json(["stdin", key])
            await until(lambda: any(file.stat().st_size for file in tmp_path.rglob("unsaved-*")))
            await asyncio.to_thread(server.end, signal.SIGKILL)

    with Served(tmp_path, EXAMPLE) as server:
        asyncio.run(asyncio.wait_for(test(server), 2 * PATIENCE))
    (kept,) = tmp_path.rglob("unsaved-*")
    assert "=3500" in kept.read_text(encoding="utf-8")


def test_sizes_of_a_terminal_are_kept_within_bounds() -> None:
    assert [sized(number) for number in (-5, 0, 80, 10**9)] == [1, 1, 80, 1_000]


@LINUX
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_the_server_ends_its_processes_end_and_a_folder_may_be_called_anything(
    tmp_path: Path, by: signal.Signals
) -> None:
    folder = tmp_path / "-a 'b' \"c\"; touch hit $(touch hit) & 市"
    shutil.copytree(EXAMPLE, folder)
    shutil.copyfile(EXAMPLE / "kpi.toml", tmp_path / "kpi.toml")
    (tmp_path / "polars.py").write_text("raise SystemExit(7)\n")  # the current folder is no place for modules

    async def test(server: Served) -> list[int]:
        async with tab_of(server) as (tab, cookie):
            await drawn(tab, "市财政局")
            started = tabs_of(server.process.pid)
            assert len(started) == 1
            code = await asyncio.to_thread(server.end, by)
            assert code == (-by if by is signal.SIGKILL else 0)
            assert cookie.partition("=")[2] not in server.log.read_text()
            return started

    with Served(tmp_path, folder, "--readonly", "--as-of=2011-12-31") as server:
        started = asyncio.run(asyncio.wait_for(test(server), 2 * PATIENCE))
        wait_for(lambda: not any(alive(pid) for pid in started))
        assert not (tmp_path / "hit").exists()
        assert "Traceback" not in server.log.read_text()
        assert len(links(server.log.read_text())) == 2
