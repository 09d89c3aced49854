"""The web server: textual-serve's, with a door, a count of places, and a page that loads nothing from elsewhere."""

from __future__ import annotations

import html
import socket
from ipaddress import ip_address
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Final

import click
from aiohttp import WSCloseCode, web
from attrs import frozen
from textual_serve.server import Server, to_int

import kpi_rules as kr
from kpi_rules_tui.command import _
from kpi_rules_tui.web.door import GOOD, Door, Visitor
from kpi_rules_tui.web.tab import PATIENCE, Tab, sized

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

HERE: Final = Path(__file__).parent

VISITOR: Final = web.RequestKey("visitor", Visitor)

RETRY: Final = 3
"""Seconds after which a browser that found no place tries again."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; "  # xterm writes the sizes of its cells into style elements
    "img-src 'self' data:; font-src 'self'; connect-src 'self' {socket}; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), clipboard-read=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Server": "kpi-rules",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@frozen
class Address:
    """Where the server is: what it was told to listen on, the port, and what a reverse proxy before it is called."""

    host: str
    port: int
    public: str | None = None

    @property
    def link(self) -> str:
        """The origin to print: a name that a browser can use where the address means every one of the machine."""
        if self.public is not None:
            return self.public
        return f"http://{self._with_port(socket.gethostname() if self.host in {'', '0.0.0.0', '::'} else self.host)}"  # noqa: S104 (compared, not bound)

    def origin(self, request: web.Request) -> str | None:
        """Return our origin as a request's `Host` names it; None where that is none of our names.

        A page elsewhere may have its own name point to this machine; the browser then sends that name. An address
        in digits cannot be made to do so, but has to be the one that the connection came in on.
        """
        named = request.headers.get("Host", "").lower()
        if self.public is not None and named == self.public.partition("://")[2]:
            return self.public
        local = request.transport.get_extra_info("sockname")[0] if request.transport is not None else ""
        names = {self.host.lower(), socket.gethostname().lower(), local.partition("%")[0]}
        if local and ip_address(local.partition("%")[0]).is_loopback:
            names.add("localhost")
        return f"http://{named}" if named in {self._with_port(name) for name in names if name} else None

    def _with_port(self, name: str) -> str:
        """Write a name as it stands in an address: browsers leave port 80 away."""
        bracketed = f"[{name}]" if ":" in name else name
        return bracketed if self.port == 80 else f"{bracketed}:{self.port}"  # noqa: PLR2004 (as said)


class WebServer(Server):
    """Serves one workspace to those who were given a link."""

    def __init__(self, words: Sequence[str], address: Address, *, name: str, sessions: int) -> None:
        """Take the words after `kpi-rules` that start a process, and the number of places."""
        super().__init__("kpi-rules", address.host, address.port, title=name, public_url=address.link)
        self.words, self.address, self.sessions = words, address, sessions
        self.door = Door(sessions)
        self.tabs: set[web.WebSocketResponse] = set()
        self.page = Template((HERE / "page.html").read_text(encoding="utf-8"))
        theirs = self.statics_path
        self.files = {
            "page.css": ((HERE / "page.css").read_bytes(), "text/css"),
            "page.js": ((HERE / "page.js").read_bytes(), "text/javascript"),
            "roboto-mono.ttf": ((theirs / "fonts/RobotoMono-VariableFont_wght.ttf").read_bytes(), "font/ttf"),
            "textual.js": ((theirs / "js/textual.js").read_bytes(), "text/javascript"),
            "xterm.css": ((theirs / "css/xterm.css").read_bytes(), "text/css"),
        }

    # -- life ------------------------------------------------------------------------------------------------------

    def listen(self, listening: socket.socket) -> None:
        """Serve until Ctrl+C or SIGTERM."""
        web.run_app(self._make_app(), sock=listening, print=None, access_log=None, shutdown_timeout=2 * PATIENCE)

    async def _make_app(self) -> web.Application:
        """Make the application: the page, its files, the line to a process; no downloads."""
        app = web.Application(middlewares=[self.guard], client_max_size=1)
        app.add_routes(
            [
                web.get("/", self.index, allow_head=False),
                web.get("/ws", self.handle_websocket, allow_head=False),
                web.get("/static/{name}", self.static, allow_head=False),
            ]
        )
        app.on_response_prepare.append(self.harden)
        app.on_startup.append(self.on_startup)
        app.on_shutdown.append(self.on_shutdown)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Say what is served, and print the first link."""
        del app
        said = _("{name}: serving up to {count} browser tabs at once; Ctrl+C ends it.")
        click.echo(said.format(name=kr.safe(self.title), count=self.sessions), err=True)
        self.invite()

    async def on_shutdown(self, app: web.Application) -> None:
        """Hang up; each tab then ends its process."""
        del app
        for tab in list(self.tabs):
            await tab.close(code=WSCloseCode.GOING_AWAY)

    def invite(self) -> None:
        """Print a new link, which is the only thing that lets anyone in."""
        link = f"{self.address.link}/?token={self.door.issue()}"
        said = _("Open this link, which is good once and for {minutes} minutes:")
        click.echo(f"{said.format(minutes=round(GOOD / 60))}\n  {link}", err=True)

    # -- every request ---------------------------------------------------------------------------------------------

    @web.middleware
    async def guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Let through what names us, comes from our own page, and has the cookie."""
        origin = self.address.origin(request)
        if origin is None:
            raise _refused(_("This server is not called so. Open the link that kpi-rules printed."))
        given = request.headers.get("Origin")
        if given != origin and (given is not None or request.method != "GET" or request.path == "/ws"):
            raise _refused(_("Another page asked for this. Open the link that kpi-rules printed."))
        visitor = self.door.known(request.cookies.get(self.cookie, ""))
        if request.path == "/" and "token" in request.query:
            return self.enter(request, visitor, origin)
        if visitor is None:
            raise self.stranger()
        request[VISITOR] = visitor
        return await handler(request)

    async def harden(self, request: web.Request, response: web.StreamResponse) -> None:
        """Say to the browser what our pages may do; every answer passes here, refusals too."""
        origin = self.address.origin(request) or self.address.link
        response.headers.update(HEADERS)
        response.headers["Content-Security-Policy"] = POLICY.format(socket=_socket(origin))

    @property
    def cookie(self) -> str:
        """The cookie's name: browsers do not keep ports apart, and two servers may run on one machine."""
        return f"kpi-rules-{self.address.port}"

    def enter(self, request: web.Request, visitor: Visitor | None, origin: str) -> web.Response:
        """Exchange a link's token for a cookie, and go on to a page without it in its address."""
        entered = visitor or self.door.enter(request.query["token"])
        if entered is None:
            raise self.stranger()
        # Where a page elsewhere, a mail reader say, led here, a redirect would still count as coming from there, and
        # the browser would keep the cookie back; going on from a page of our own does not.
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            response = web.Response(text=_("Opening…"), headers={"Refresh": "0; url=/"})
        else:
            response = web.Response(status=303, headers={"Location": "/"})
        if visitor is None:
            response.set_cookie(
                self.cookie, entered.key, httponly=True, samesite="Strict", path="/", secure=origin.startswith("https:")
            )
            self.invite()
        return response

    def stranger(self) -> web.HTTPForbidden:
        """Refuse a visitor, with a new link for whoever sees the server's terminal where the last one is too old."""
        if self.door.stale:
            self.invite()
        return _refused(
            _(
                "To get in, open the link that kpi-rules printed last in its terminal. A link is good once and for "
                "{minutes} minutes; when it is too old, coming here has just made another be printed."
            ).format(minutes=round(GOOD / 60))
        )

    def full(self) -> web.HTTPServiceUnavailable | None:
        """Refuse where every place is taken; the page tries again by itself."""
        if len(self.tabs) < self.sessions:
            return None
        said = _("All {count} places are taken. Close a tab; this page tries again every {seconds} seconds.")
        return web.HTTPServiceUnavailable(
            text=said.format(count=self.sessions, seconds=RETRY) + "\n",
            headers={"Refresh": str(RETRY), "Retry-After": str(RETRY)},
        )

    # -- what there is ---------------------------------------------------------------------------------------------

    async def index(self, request: web.Request) -> web.Response:
        """Give the page with the terminal."""
        if (refused := self.full()) is not None:
            raise refused
        texts = {
            "language": kr.language().replace("_", "-"),
            "name": kr.safe(self.title),
            "socket": f"{_socket(self.address.origin(request) or self.address.link)}/ws",
            "opening": _("Opening…"),
            "script": _("The terminal needs JavaScript."),
            "over": _("This session is over; the reason, where there is one, is in the terminal of the server."),
            "again": _("Open it again"),
        }
        page = self.page.substitute({key: html.escape(text) for key, text in texts.items()})
        return web.Response(text=page, content_type="text/html")

    async def static(self, request: web.Request) -> web.Response:
        """Give one of the few files that the page needs."""
        body, kind = self.files.get(request.match_info["name"], (None, ""))
        if body is None:
            raise web.HTTPNotFound
        return web.Response(body=body, content_type=kind, charset="utf-8" if kind.startswith("text/") else None)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Start a process for a tab; the place is free again once both have ended."""
        if (refused := self.full()) is not None:
            raise refused
        line, visitor = web.WebSocketResponse(timeout=1.0, heartbeat=15, max_msg_size=1 << 20), request[VISITOR]
        tab = Tab(self.words, line, self.download_manager)
        self.tabs.add(line)
        visitor.tabs += 1
        try:
            await line.prepare(request)
            await tab.start(*(sized(to_int(request.query.get(name, ""), 80)) for name in ("width", "height")))
            await tab.listen()
        finally:
            try:
                await tab.stop()
            finally:
                self.tabs.discard(line)
                visitor.tabs -= 1
                visitor.seen = self.door.clock()
        return line


def _refused(said: str) -> web.HTTPForbidden:
    return web.HTTPForbidden(text=f"{said}\n")


def _socket(origin: str) -> str:
    """Return the origin of a websocket to one of our pages."""
    return f"ws{origin.removeprefix('http')}"
