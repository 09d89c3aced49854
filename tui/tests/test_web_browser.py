"""The terminal UI in a real browser: what is drawn, what keys do, and what the page asks for."""

from __future__ import annotations

import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

import pytest

from tui.tests.served import EXAMPLE, LINUX, Served, links, tabs_of
from tui.tests.webdriver import MISSING, Browser, wait_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [LINUX, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

ENTER: Final = "\ue007"

ROWS: Final = "return document.querySelector('.xterm-rows')?.textContent ?? ''"
"""Without WebGL the terminal is made of text, which can be read."""

COLOURS: Final = """
    const layer = document.querySelector("canvas.xterm-text-layer");
    if (layer === null) return 0;
    const pixels = new Uint32Array(layer.getContext("2d").getImageData(0, 0, layer.width, layer.height).data.buffer);
    return new Set(pixels).size;
"""


class Elsewhere(ThreadingHTTPServer):
    """A page of somebody else."""

    block_on_close = False  # browsers open connections beforehand, on which nothing comes

    def __init__(self, page: str) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Page, page))
        self.thread = threading.Thread(target=self.serve_forever)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class _Page(BaseHTTPRequestHandler):
    def __init__(self, page: str, *given: object) -> None:
        self.page = page
        super().__init__(*given)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.page.encode())

    def log_message(self, *_: object) -> None:
        pass


def shows(browser: Browser, words: str) -> None:
    wait_for(lambda: words in browser.script(ROWS).replace("\xa0", " "))


def test_the_overview_is_drawn_and_keys_work_without_a_click_and_nothing_is_asked_elsewhere(tmp_path: Path) -> None:
    with Served(tmp_path, EXAMPLE) as server, Browser(tmp_path / "profile", "--disable-3d-apis") as browser:
        browser.go(server.link)
        shows(browser, "市财政局")
        assert browser.script("return [location.href, document.title, document.documentElement.lang]") == [
            f"{server.base}/",
            "Worked example: five departments, one year",
            "en",
        ]
        shows(browser, "Sort by column")  # what the footer says once the table has the focus
        browser.press("?")
        shows(browser, "╭──")
        hosts = {urlsplit(address).netloc for address in browser.requested()}
        assert hosts == {urlsplit(server.base).netloc}
        assert not browser.complaints()
        assert browser.script("return document.cookie") == ""
        browser.press("\ue00c")  # Escape
        wait_for(lambda: "╭──" not in browser.script(ROWS))
        browser.press("q", held="\ue009")  # Control
        wait_for(lambda: browser.script("return document.activeElement.textContent") == "Open it again")
        browser.press(ENTER)
        shows(browser, "市财政局")


ASKS: Final = """
    const closing = new Event("beforeunload", { cancelable: true });
    window.dispatchEvent(closing);
    return closing.defaultPrevented;
"""
"""Whether the page wants the browser to ask before it is closed."""


def test_the_browser_asks_before_the_page_is_closed_while_something_is_not_saved(tmp_path: Path) -> None:
    with Served(tmp_path, EXAMPLE) as server, Browser(tmp_path / "profile", "--disable-3d-apis") as browser:
        browser.go(server.link)
        shows(browser, "met:")
        assert browser.script(ASKS) is False
        for key in ("2", ENTER, *"3500", ENTER):
            browser.press(key)
        shows(browser, "not saved: 1")
        wait_for(lambda: browser.script(ASKS))
        browser.press("z", held="\ue009")  # Control
        wait_for(lambda: not browser.script(ASKS))
        for key in ("2", ENTER, *"3500", ENTER):
            browser.press(key)
        wait_for(lambda: browser.script(ASKS))
        assert not browser.complaints()
        assert browser.questions() == []
        browser.go("about:blank")
        assert browser.questions() == ["beforeunload"]
        browser.go(server.base)
        shows(browser, "an earlier")
        shows(browser, "met:")
        for key in ("2", ENTER, *"3500", ENTER):
            browser.press(key)
        wait_for(lambda: browser.script(ASKS))
        server.end()
        wait_for(lambda: browser.script("return document.body.classList.contains('-closed')"))
        assert browser.script(ASKS) is False, "nothing can be saved any more, and it is kept"
        assert list(tmp_path.rglob("unsaved-*"))


def test_a_page_elsewhere_can_lead_here_but_not_drive_it(tmp_path: Path) -> None:
    with Served(tmp_path, EXAMPLE) as server, Browser(tmp_path / "profile", "--disable-3d-apis") as browser:
        with Elsewhere(f'<a href="{server.link}">in</a>') as page:
            browser.go(f"http://localhost:{page.server_port}/")  # another site, as a mail reader is
            browser.click("a")
            shows(browser, "市财政局")
            assert browser.script("return location.href") == f"{server.base}/"
        socket = f"ws{server.base.removeprefix('http')}/ws?width=80&height=24"
        attack = f"""
            <script>
                const line = new WebSocket("{socket}");
                line.onopen = () => document.title = "open";
                line.onerror = () => document.title = "refused";
            </script>
            <script src="{server.base}/static/page.js" onload="window.got = 1" onerror="window.got = 0"></script>
            <iframe src="{server.base}/"></iframe>"""
        with Elsewhere(attack) as page:
            # The same address with another port is the same site: the cookie goes along, and the origin tells.
            browser.go(f"http://127.0.0.1:{page.server_port}/")
            wait_for(lambda: browser.script("return document.title") != "")
            assert browser.script("return document.title") == "refused"
            wait_for(lambda: browser.script("return window.got === undefined ? '' : String(window.got)") != "")
            assert browser.script("return window.got") == 0
        wait_for(lambda: not tabs_of(server.process.pid))
        assert len(links(server.log.read_text())) == 2


def test_where_the_graphics_are_good_the_terminal_is_painted(tmp_path: Path) -> None:
    with Served(tmp_path, EXAMPLE) as server, Browser(tmp_path / "profile") as browser:
        browser.go(server.link)
        wait_for(lambda: browser.script(COLOURS) > 20)
        assert not browser.complaints()
        assert len(browser.picture()) > 10_000
