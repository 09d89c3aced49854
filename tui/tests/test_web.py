"""The terminal UI served to browsers: who gets in, what is given, and how it starts."""

from __future__ import annotations

import re
import socket
import sys
from typing import TYPE_CHECKING

import click
import pytest

from kpi_rules_tui import web as served
from kpi_rules_tui.web.door import GOOD, IDLE, Door
from kpi_rules_tui.web.server import Address, WebServer
from tui.tests.served import EXAMPLE, links, run, site

if TYPE_CHECKING:
    from pathlib import Path

# -- the door ----------------------------------------------------------------------------------------------------------


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_token_is_good_once_and_for_a_time() -> None:
    clock = Clock()
    door = Door(2, clock)
    assert door.stale
    assert door.enter("") is None
    token = door.issue()
    assert door.enter(token[:-1]) is None
    assert door.enter("市" + token) is None
    visitor = door.enter(token)
    assert visitor is not None
    assert door.known(visitor.key) is visitor
    assert door.known("") is None
    assert door.enter(token) is None
    late = door.issue()
    clock.now += GOOD
    assert door.stale
    assert door.enter(late) is None


def test_a_later_token_replaces_the_one_before() -> None:
    door = Door(2)
    first, second = door.issue(), door.issue()
    assert door.enter(first) is None
    assert door.enter(second) is not None


def test_who_is_away_longest_makes_room_and_who_has_a_tab_open_does_not() -> None:
    clock = Clock()
    door = Door(2, clock)
    keys = []
    for _ in range(2):
        clock.now += 1
        visitor = door.enter(door.issue())
        assert visitor is not None
        keys.append(visitor.key)
    first = door.known(keys[0])
    assert first is not None
    first.tabs = 1
    assert door.enter(door.issue()) is not None
    assert [door.known(key) is not None for key in keys] == [True, False]


def test_a_visitor_who_is_idle_too_long_is_forgotten() -> None:
    clock = Clock()
    door = Door(1, clock)
    visitor = door.enter(door.issue())
    assert visitor is not None
    visitor.tabs = 1
    clock.now += IDLE
    assert door.known(visitor.key) is visitor
    visitor.tabs = 0
    clock.now += IDLE
    assert door.known(visitor.key) is None


# -- requests ----------------------------------------------------------------------------------------------------------


def test_a_link_becomes_a_cookie_and_lets_in_once(capsys: pytest.CaptureFixture[str]) -> None:
    async def test() -> None:
        async with site() as it:
            (link,) = links(capsys.readouterr().err)
            path = link.removeprefix(it.base)
            status, headers, text = await it.ask(path)
            assert (status, headers["Location"], text) == (303, "/", "")
            cookie, *marks = headers["Set-Cookie"].split("; ")
            assert sorted(marks) == ["HttpOnly", "Path=/", "SameSite=Strict"]
            assert (await it.ask(path))[0] == 403
            (other,) = links(capsys.readouterr().err)
            assert other != link
            it.cookie = cookie
            status, headers, text = await it.ask()
            assert status == 200
            assert "<title>&lt;b&gt;Budget&lt;/b&gt;</title>" in text
            assert '<html lang="en">' in text
            assert (await it.ask(other.removeprefix(it.base)))[0] == 303
            assert not links(capsys.readouterr().err), "who is in already does not use up a link"
            it.cookie = ""
            assert (await it.ask(other.removeprefix(it.base)))[0] == 303

    run(test)


def test_a_link_followed_from_a_page_elsewhere_goes_on_from_a_page_of_ours() -> None:
    async def test() -> None:
        async with site() as it:
            path = f"/?token={it.server.door.issue()}"
            status, headers, _text = await it.ask(path, Sec_Fetch_Site="cross-site")
            assert (status, headers["Refresh"]) == (200, "0; url=/")
            assert "SameSite=Strict" in headers["Set-Cookie"]

    run(test)


def test_without_a_cookie_nothing_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    async def test() -> None:
        async with site() as it:
            capsys.readouterr()
            for path in ("/", "/static/textual.js", "/ws", "/download/x", "/nowhere"):
                for cookie in ("", f"{it.server.cookie}=guess", f"{it.server.cookie}=市"):
                    it.cookie = cookie
                    status, headers, text = await it.ask(path, Origin=it.base)
                    assert status == 403
                    assert headers["Content-Type"] == "text/plain; charset=utf-8"
                    assert "open the link that kpi-rules printed last" in text
            assert await it.refused() == 403
            assert not capsys.readouterr().err
            it.server.door._until = 0
            await it.ask()
            await it.ask()
            assert len(links(capsys.readouterr().err)) == 1, "a link too old is replaced, once"

    run(test)


def test_requests_that_name_another_host_or_come_from_another_page_are_refused() -> None:
    async def test() -> None:
        async with site() as it:
            await it.enter()
            port = it.base.rpartition(":")[2]
            for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.2:{port}", "127.0.0.1:1", "@"):
                assert (await it.ask(Host=host))[0] == 403
            assert (await it.ask(Host=f"LOCALHOST:{port}"))[0] == 200
            assert await it.refused("") == 403
            foreign = ("http://evil.example", "null", f"https://127.0.0.1:{port}", "http://127.0.0.1:1", it.base + ".x")
            for origin in (*foreign, f"http://localhost:{port}"):
                assert await it.refused(origin) == 403
                assert (await it.ask(Origin=origin))[0] == 403
            assert (await it.ask(method="POST"))[0] == 403
            assert (await it.ask(method="POST", Origin=it.base))[0] == 405
            assert not it.server.tabs

    run(test)


def test_every_answer_says_what_a_page_may_do() -> None:
    async def test() -> None:
        async with site() as it:
            refused = await it.ask()
            await it.enter()
            for _status, headers, _text in (
                refused,
                await it.ask(),
                await it.ask("/nowhere"),
                await it.ask("/static/x"),
            ):
                policy = headers["Content-Security-Policy"]
                assert policy.startswith("default-src 'none'; script-src 'self'; ")
                assert f"connect-src 'self' ws{it.base.removeprefix('http')};" in policy
                assert "frame-ancestors 'none'; base-uri 'none'; form-action 'none'" in policy
                assert headers["X-Content-Type-Options"] == "nosniff"
                assert headers["Referrer-Policy"] == "no-referrer"
                assert headers["Cache-Control"] == "no-store"
                assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
                assert headers["X-Frame-Options"] == "DENY"
                assert headers["Server"] == "kpi-rules"

    run(test)


def test_only_the_files_that_the_page_needs_are_given() -> None:
    async def test() -> None:
        async with site() as it:
            await it.enter()
            _status, _headers, page = await it.ask()
            wanted = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page))
            assert wanted == {"/static/xterm.css", "/static/page.css", "/static/textual.js", "/static/page.js"}
            for path in wanted:
                assert (await it.ask(path))[0] == 200
            for path in ("/static/", "/static/../server.py", "/static/%2e%2e/server.py", "/static/page.html"):
                assert (await it.ask(path))[0] == 404
            assert "http" not in page.replace(f"ws{it.base.removeprefix('http')}", "")
            assert not re.search(r"<script>|<style|\son\w+=", page)

    run(test)


def test_behind_a_reverse_proxy_its_name_counts_and_the_cookie_is_for_tls_alone() -> None:
    async def test() -> None:
        async with site(public="https://kpi.example") as it:
            _status, headers, _text = await it.ask(f"/?token={it.server.door.issue()}", Host="kpi.example")
            assert headers["Set-Cookie"].endswith("; Secure")
            it.cookie = headers["Set-Cookie"].partition(";")[0]
            _status, headers, page = await it.ask(Host="kpi.example")
            assert 'data-session-websocket-url="wss://kpi.example/ws"' in page
            assert "connect-src 'self' wss://kpi.example;" in headers["Content-Security-Policy"]
            assert (await it.ask(Host="kpi.example", Origin=it.base))[0] == 403
            assert it.server.address.link == "https://kpi.example"

    run(test)


# -- how it starts -----------------------------------------------------------------------------------------------------


def start(host: str = "127.0.0.1", port: int = 0, origin: str | None = None) -> None:
    served.serve(EXAMPLE, host=host, port=port, sessions=1, readonly=False, as_of=None, origin=origin)


def test_a_port_in_use_and_a_host_that_is_none_are_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(click.UsageError, match="in use") as caught:
        start(port=taken.getsockname()[1])
    assert caught.value.exit_code == 2
    with pytest.raises(click.UsageError, match="cannot serve on 999"):
        start(host="999.999.999.999.invalid")


def test_what_to_install_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve", None)
    with pytest.raises(click.UsageError, match=re.escape("pip install 'kpi-rules-tui[web]'")):
        start()


@pytest.mark.parametrize("origin", ["kpi.example", "ftp://x", "https://x/sub", "https://u@x", "https://", "https://[x"])
def test_an_origin_is_a_scheme_and_a_name(origin: str) -> None:
    with pytest.raises(click.UsageError, match="--origin"):
        start(origin=origin)


def test_an_origin_is_written_as_browsers_do() -> None:
    assert served._public("https://KPI.example:443/") == "https://kpi.example"
    assert served._public("http://kpi.example:8080") == "http://kpi.example:8080"


def test_an_address_that_others_reach_is_warned_of_and_has_a_name_in_the_link(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(WebServer, "listen", lambda *_: None)
    start(host="0.0.0.0")  # noqa: S104 (that is what is warned of)
    assert "nothing here is encrypted" in capsys.readouterr().err
    start()
    assert not capsys.readouterr().err
    assert Address("::", 80).link == f"http://{socket.gethostname()}"
    assert Address("::1", 8474).link == "http://[::1]:8474"


def test_a_workspace_is_called_what_it_calls_itself(tmp_path: Path) -> None:
    assert served._name(EXAMPLE) == "Worked example: five departments, one year"
    for text in ("", "workspace = 3", "[workspace]\nname = 3", "[[", "[workspace]\nname = ''"):
        (tmp_path / "kpi.toml").write_text(text)
        assert served._name(tmp_path) == tmp_path.name
