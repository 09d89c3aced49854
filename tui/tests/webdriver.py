"""A browser for tests: headless Chromium, driven over WebDriver's own HTTP, which needs no package."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.request
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE: Final = 90.0
"""Seconds: a browser on a busy machine with two cores is slow."""

QUIET: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,800",
)

MISSING: Final = (
    "" if shutil.which("chromium") and shutil.which("chromedriver") else "chromium or chromedriver is not installed"
)
"""Why there can be no browser."""


class Browser:
    """One browser with one tab, in a profile of its own."""

    def __init__(self, profile: Path, *flags: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.base = f"http://127.0.0.1:{port}"
        options = {"binary": shutil.which("chromium"), "args": [*QUIET, f"--user-data-dir={profile}", *flags]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"}}
        try:
            wait_for(self._listens)
            made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        except BaseException:
            self._end()
            raise
        self.base += f"/session/{made['sessionId']}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._ask("DELETE", "")
        finally:
            self._end()

    def _end(self) -> None:
        self.driver.terminate()
        self.driver.wait(30)

    def _listens(self) -> bool:
        try:
            return bool(self._ask("GET", "/status")["ready"])
        except OSError:
            return False

    def _ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 (what JSON gives)
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(  # noqa: S310 (our own driver)
            self.base + path, data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 (same)
            return json.load(answer)["value"]

    def go(self, address: str) -> None:
        """Open a page."""
        self._ask("POST", "/url", {"url": address})

    def script(self, text: str) -> Any:  # noqa: ANN401 (whatever the script returns)
        """Run a script in the page."""
        return self._ask("POST", "/execute/sync", {"script": text, "args": []})

    def press(self, key: str, held: str = "") -> None:
        """Press a key, wherever the focus is, with another held; nothing is clicked."""
        keys = [each for each in (held, key) if each]
        actions = [{"type": "keyDown", "value": each} for each in keys]
        actions += [{"type": "keyUp", "value": each} for each in reversed(keys)]
        self._ask("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def click(self, selector: str) -> None:
        """Click an element as a person does."""
        found = self._ask("POST", "/element", {"using": "css selector", "value": selector})
        (name,) = found.values()
        self._ask("POST", f"/element/{name}/click")

    def picture(self) -> bytes:
        """Return the page as PNG."""
        return base64.b64decode(self._ask("GET", "/screenshot"))

    def complaints(self) -> list[str]:
        """Return what the console complained of: blocked by a policy, not found, failed."""
        return [
            each["message"] for each in self._ask("POST", "/se/log", {"type": "browser"}) if each["level"] == "SEVERE"
        ]

    def requested(self) -> set[str]:
        """Return the addresses that pages asked for since the last call, websockets too."""
        found = set()
        for event in self._events():
            if event["method"] == "Network.requestWillBeSent":
                found.add(event["params"]["request"]["url"])
            elif event["method"] == "Network.webSocketCreated":
                found.add(event["params"]["url"])
        return {address for address in found if address.startswith(("http", "ws"))}

    def questions(self) -> list[str]:
        """Return the kinds of dialogs that opened since the last call; WebDriver says yes before a test sees one."""
        opening = "Page.javascriptDialogOpening"
        return [event["params"]["type"] for event in self._events() if event["method"] == opening]

    def _events(self) -> list[dict[str, Any]]:
        log = self._ask("POST", "/se/log", {"type": "performance"})
        return [json.loads(entry["message"])["message"] for entry in log]


def wait_for(true: Callable[[], object]) -> None:
    """Wait until something is so; fail where it takes too long."""
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, true
        time.sleep(0.1)
