"""One browser tab and the process behind it."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from aiohttp import WSMsgType, web
from textual_serve.app_service import AppService

from kpi_rules_tui.web.door import IDLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual_serve.download_manager import DownloadManager

GREETING: Final = b"__GANGLION__\n"
"""What Textual's driver for browsers says first."""

PATIENCE: Final = 3.0
"""Seconds that a process has to end by itself."""

LARGEST: Final = 1_000
"""Columns or rows of a terminal; a browser may ask for more, and each is memory of the process."""


class Tab(AppService):
    """Starts the process without a shell, passes on what it draws, and sees that it ends.

    Of what Textual's driver may ask a browser to do, opening addresses and downloading files, nothing is passed on; the
    page hears what is drawn, and whether something is not saved.
    """

    def __init__(self, words: Sequence[str], socket: web.WebSocketResponse, downloads: DownloadManager) -> None:
        """Take the words after `kpi-rules` and the line to the browser."""
        super().__init__(
            "kpi-rules",
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=self.hang_up,
            download_manager=downloads,
        )
        self._words, self._socket = words, socket

    async def hang_up(self) -> None:
        """Close the line to the browser."""
        await self._socket.close()

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """Start the process. Ctrl+C in the server's terminal is for the server alone, which then ends this one."""
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", "kpi_rules_tui.web.child", *self._words),
            stdin=PIPE,
            stdout=PIPE,
            env=self._build_environment(width=width, height=height),
            start_new_session=True,
        )
        self._stdin = process.stdin
        return process

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        """Name our driver; the rest is textual-serve's."""
        return super()._build_environment(width, height) | {"TEXTUAL_DRIVER": "kpi_rules_tui.web.driver:BrowserDriver"}

    async def run(self) -> None:
        """Pass on what the process draws until it ends, and then hang up."""
        stdout = self._process.stdout if self._process is not None else None
        if stdout is None:
            return
        try:
            while await stdout.readline() != GREETING:
                if stdout.at_eof():  # it failed to start; why is on stderr, which it shares with the server
                    return
            while True:
                head = await stdout.readexactly(5)
                payload = await stdout.readexactly(int.from_bytes(head[1:], "big"))
                if head[:1] == b"D":
                    with suppress(ConnectionError):  # a closed tab: read on, or the process waits for ever
                        await self.remote_write_bytes(payload)
                elif head[:1] == b"M":
                    await self.on_meta(payload)
        except asyncio.IncompleteReadError:
            pass
        finally:
            await self.hang_up()

    async def on_meta(self, data: bytes) -> None:
        """Pass on whether something is not saved, and nothing else."""
        match json.loads(data):
            case {"type": "unsaved", "some": bool(some)}:
                with suppress(ConnectionError):
                    await self._socket.send_json(["unsaved", some])

    async def stop(self) -> None:
        """End the process: politely, and where it does not listen by force."""
        process, task = self._process, self._task
        if process is None or task is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.send_meta({"type": "quit"})
                await process.wait()
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        await asyncio.wait({task}, timeout=PATIENCE)  # it ends with the process, unless a program of that lives on
        task.cancel()

    async def listen(self) -> None:
        """Pass on keys and sizes until the tab is closed, or nobody has touched it for very long."""
        while True:
            try:
                message = await self._socket.receive(timeout=IDLE)
                said = message.json() if message.type is WSMsgType.TEXT else None
            except (TimeoutError, ValueError):
                return
            match said:
                case None:
                    return
                case ["stdin", str(data)]:
                    await self.send_bytes(data.encode("utf-8", "replace"))
                case ["resize", {"width": int(width), "height": int(height)}]:
                    await self.set_terminal_size(sized(width), sized(height))
                case ["ping", str(data)]:
                    await self._socket.send_json(["pong", data[:40]])
                case ["blur"]:
                    await self.blur()
                case ["focus"]:
                    await self.focus()


def sized(number: int) -> int:
    """Return a number of columns or rows within bounds."""
    return min(max(number, 1), LARGEST)
