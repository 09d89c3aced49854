"""The terminal UI in a browser: textual-serve behind a door of our own.

textual-serve by itself lets in whoever reaches the port, a foreign page in the same browser among them. Here a visitor
needs a link that is good once, requests must name this server and come from its own page, and places are counted.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
import tomli

import kpi_rules as kr
from kpi_rules_tui.command import _, spoken

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

__all__ = ["serve"]


def serve(  # noqa: PLR0913 (one for each option)
    folder: Path,
    *,
    host: str,
    port: int,
    sessions: int,
    readonly: bool,
    as_of: date | None,
    theme: str | None = None,
    mouse: bool = True,
    keys: Path | None = None,
    origin: str | None = None,
) -> int:
    """Serve a workspace to browsers until Ctrl+C; `sessions` at once, `origin` what a reverse proxy is called."""
    if importlib.util.find_spec("textual_serve") is None:
        raise click.UsageError(_("--web needs more: pip install 'kpi-rules-tui[web]'"))
    from kpi_rules_tui.web.server import Address, WebServer

    public = None if origin is None else _public(origin)
    words = ["tui"]
    words += [] if as_of is None else [f"--as-of={as_of.isoformat()}"]
    words += ["--readonly"] if readonly else []
    words += [] if theme is None else [f"--theme={theme}"]
    words += [] if mouse else ["--no-mouse"]
    words += [] if keys is None else [f"--keys={keys}"]
    words += ["--", str(folder)]
    if spoken():  # what follows the language of the last run is for each browser's process to find out
        os.environ["KPI_RULES_LANG"] = kr.language()
    listening = _listen(host, port)
    with listening:
        here = Address(host, listening.getsockname()[1], public)
        if not ipaddress.ip_address(listening.getsockname()[0].partition("%")[0]).is_loopback:
            _warn()
        WebServer(words, here, name=_name(folder), sessions=sessions).listen(listening)
    return 0


def _public(origin: str) -> str:
    """Return the scheme and authority of an address that browsers use."""
    with suppress(ValueError):
        parts = urlsplit(origin)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.path in {"", "/"} and "@" not in parts.netloc:
            plain = {"http": ":80", "https": ":443"}[parts.scheme]  # browsers leave the usual port away
            return f"{parts.scheme}://{parts.netloc.lower().removesuffix(plain)}"
    said = _("--origin: expected an address such as https://kpi.example, without a path, not '{value}'")
    raise click.UsageError(said.format(value=kr.safe(origin)))


def _listen(host: str, port: int) -> socket.socket:
    """Take the port at once, so that a port in use is told in words and port 0 becomes a number."""
    try:
        family, _kind, _protocol, _canonical, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        said = _("cannot serve on {host}, port {port}: {why}; choose another with --host and --port")
        raise click.UsageError(said.format(host=kr.safe(host), port=port, why=why)) from error


def _warn() -> None:
    said = _(
        "Warning: this address can be reached from other machines, and nothing here is encrypted (no TLS): put it "
        "behind a reverse proxy, or serve on 127.0.0.1."
    )
    click.echo(said, err=True)


def _name(folder: Path) -> str:
    """Return what the workspace is called; the folder's name where `kpi.toml` does not say or cannot be read."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        name = tomli.loads((folder / "kpi.toml").read_text(encoding="utf-8-sig"))["workspace"]["name"]
        if name and isinstance(name, str):
            return name
    return folder.resolve().name
