"""The terminal UI served to browsers, for tests: in this process with a client, or as the command itself."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import pytest
from aiohttp import ClientSession, ClientTimeout, ClientWebSocketResponse, DummyCookieJar, WSServerHandshakeError, web

from kpi_rules_tui.web.server import Address, WebServer
from tui.tests.webdriver import PATIENCE, wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

EXAMPLE: Final = Path(__file__).parents[2] / "examples" / "worked-example"
PROGRAM: Final = Path(sys.executable).with_name("kpi-rules")
LINUX: Final = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def run(test: Callable[[], Coroutine[None, None, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(2 * PATIENCE):
            await test()

    asyncio.run(bounded())


class Site:
    """A server in this process and a client that keeps no cookies by itself."""

    def __init__(self, server: WebServer, client: ClientSession, port: int) -> None:
        self.server, self.client, self.base, self.cookie = server, client, f"http://127.0.0.1:{port}", ""

    async def ask(self, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
        sent = {name.replace("_", "-"): value for name, value in ({"Cookie": self.cookie} | headers).items() if value}
        async with self.client.request(method, self.base + path, headers=sent, allow_redirects=False) as answer:
            return answer.status, dict(answer.headers), await answer.text()

    async def enter(self) -> None:
        _status, headers, _text = await self.ask(f"/?token={self.server.door.issue()}")
        self.cookie = headers["Set-Cookie"].partition(";")[0]

    async def tab(self, origin: str | None = None, path: str = "/ws?width=100&height=30") -> ClientWebSocketResponse:
        headers = {"Cookie": self.cookie, "Origin": self.base if origin is None else origin}
        return await self.client.ws_connect(self.base + path, headers={k: v for k, v in headers.items() if v})

    async def refused(self, origin: str | None = None) -> int:
        with pytest.raises(WSServerHandshakeError) as caught:
            await self.tab(origin)
        return caught.value.status


@asynccontextmanager
async def site(sessions: int = 2, public: str | None = None, folder: Path = EXAMPLE) -> AsyncIterator[Site]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        address = Address("127.0.0.1", port, public)
        server = WebServer(["tui", "--", str(folder)], address, name="<b>Budget</b>", sessions=sessions)
        runner = web.AppRunner(await server._make_app(), access_log=None, shutdown_timeout=5)
        await runner.setup()
        try:
            await web.SockSite(runner, listening).start()
            async with ClientSession(cookie_jar=DummyCookieJar(), timeout=ClientTimeout(PATIENCE)) as client:
                yield Site(server, client, port)
        finally:
            await runner.cleanup()


def links(text: str) -> list[str]:
    return re.findall(r"http\S+/\?token=\S+", text)


def children(pid: int | str = "self") -> list[int]:
    """Return the processes that a process started and that have not ended."""
    texts = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(child) for text in texts for child in text.split() if alive(int(child))]


def alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def tabs_of(pid: int | str = "self") -> list[int]:
    return [
        child for child in children(pid) if b"kpi_rules_tui.web.child" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


async def until(true: Callable[[], object]) -> None:
    await asyncio.to_thread(wait_for, true)


async def drawn(tab: ClientWebSocketResponse, words: str) -> None:
    seen = ""
    while words not in seen:
        seen += (await tab.receive_bytes(timeout=PATIENCE)).decode("utf-8", "replace")


class Served:
    """The command itself, in a process."""

    def __init__(self, tmp: Path, folder: Path, *options: str) -> None:
        state = {"XDG_STATE_HOME": str(tmp / "state"), "XDG_CONFIG_HOME": str(tmp / "config"), "KPI_RULES_LANG": "en"}
        self.log = tmp / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "tui", folder, "--web", "--port=0", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | state,
                cwd=tmp,
            )
        wait_for(lambda: links(self.log.read_text()) or self.process.poll() is not None)
        self.link = links(self.log.read_text())[0]
        self.base = self.link.partition("/?")[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self, by: signal.Signals = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(by)
        return self.process.wait(PATIENCE)
