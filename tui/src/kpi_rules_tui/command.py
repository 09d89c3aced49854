"""The command `kpi-rules tui`: where it may run, and how it ends."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

import kpi_rules as kr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpi_rules_tui.app import Office
    from kpi_rules_tui.beside import Beside
    from kpi_rules_tui.remembered import Remembered

DOMAIN: Final = "kpi_rules_tui"
THEMES: Final = ("kpi-dark", "kpi-light", "kpi-contrast", "kpi-terminal")
DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
PORTS: Final = click.IntRange(0, 65_535)
MOST: Final = click.IntRange(1, 100)


def _(message: str) -> str:
    """Translate; `texts` would bring in Textual before it is known that it is wanted."""
    return kr.translate(message, DOMAIN)


def _day(ctx: click.Context, param: click.Parameter, text: str | None) -> date | None:
    """Read a date in its one form."""
    if text is None:
        return None
    with suppress(ValueError):
        if DAY.fullmatch(text):
            return date.fromisoformat(text)
    raise click.BadParameter(_("'{value}' is no date such as 2011-06-30").format(value=text), ctx, param)


def _option(*names: str, help: str, **more: Any) -> click.Option:  # noqa: ANN401 (click's own)
    """Make an option."""
    return click.Option(names, help=help, **more)


def command() -> click.Command:
    """Make the command in the language chosen by now."""
    return click.Command(
        "tui",
        callback=run,
        help=_("Work on WORKSPACE in the terminal: units, quotas, policies, simulation, evidence."),
        params=[
            click.Argument(["workspace"], type=click.Path(path_type=Path)),
            _option("--as-of", callback=_day, help=_("Count what happened by this day; by default the year's end.")),
            _option("--readonly", is_flag=True, help=_("Refuse every change.")),
            _option("--theme", type=click.Choice(THEMES), help=_("The look; by default that of the last run.")),
            _option("--no-mouse", is_flag=True, help=_("Leave the mouse to the terminal.")),
            _option("--keys", type=click.Path(path_type=Path), metavar="FILE", help=_("Keys of your own, as TOML.")),
            _option("--web", is_flag=True, help=_("Serve it to browsers instead, on this machine alone.")),
            _option("--host", default="127.0.0.1", show_default=True, help=_("With --web: the address to serve on.")),
            _option("--port", type=PORTS, default=8474, show_default=True, help=_("With --web: the port.")),
            _option("--sessions", type=MOST, default=4, show_default=True, help=_("With --web: how many at once.")),
            _option("--origin", metavar="URL", help=_("With --web: the address browsers use, behind a reverse proxy.")),
        ],
    )


def run(  # noqa: PLR0913 (one for each option)
    *,
    workspace: Path,
    as_of: date | None,
    readonly: bool,
    theme: str | None,
    no_mouse: bool,
    keys: Path | None,
    web: bool,
    host: str,
    port: int,
    sessions: int,
    origin: str | None,
) -> int:
    """Open the workspace, here or in browsers."""
    folder = workspace.parent if workspace.name == "kpi.toml" else workspace
    if not folder.is_dir():
        raise click.UsageError(_("there is no folder {path}").format(path=kr.safe(str(workspace))))
    if web:
        from kpi_rules_tui.web import serve

        return serve(
            folder,
            host=host,
            port=port,
            sessions=sessions,
            readonly=readonly,
            as_of=as_of,
            theme=theme,
            mouse=not no_mouse,
            keys=keys,
            origin=origin,
        )
    if not (sys.stdin.isatty() and sys.stdout.isatty()) and "TEXTUAL_DRIVER" not in os.environ:
        raise click.UsageError(
            _(
                "this is no terminal; use kpi-rules assess, explain, edit or simulate instead, or --web to work in a "
                "browser"
            )
        )
    return start(folder, as_of=as_of, readonly=readonly, theme=theme, mouse=not no_mouse, keys=keys)


def start(
    folder: Path, *, as_of: date | None, readonly: bool, theme: str | None, mouse: bool, keys: Path | None
) -> int:
    """Run the application in this terminal; a failure is raised once the terminal is as it was.

    What takes long is begun before anything is imported that it does not need.
    """
    from kpi_rules_tui import beside, splash
    from kpi_rules_tui.remembered import recall

    remembered = recall()
    if remembered.language and "KPI_RULES_LANG" not in os.environ and not spoken():
        kr.set_language(remembered.language)
    splash.draw(folder)
    other = beside.begin(folder, partial(_read, folder, as_of))
    try:
        office = _office(folder, as_of, other, readonly=readonly, remembered=remembered, theme=theme, keys=keys)
    except BaseException:
        splash.clear()
        raise
    else:
        office.run(mouse=mouse)
    finally:
        if other is not None:
            other.end()
    if office.fault is not None:
        raise office.fault
    return int(office.return_code or 0)


def _read(folder: Path, as_of: date | None) -> Iterator[object]:
    """Give first what the overview shows, and then all that was read."""
    from kpi_rules_tui.desk import read
    from kpi_rules_tui.standing import glimpse

    opened = read(folder, as_of)
    yield glimpse(opened)
    yield opened


def _office(
    folder: Path,
    as_of: date | None,
    other: Beside | None,
    *,
    readonly: bool,
    remembered: Remembered,
    theme: str | None,
    keys: Path | None,
) -> Office:
    """Make the application, while the workspace is being read; unless what was last seen is shown first."""
    from kpi_rules_tui import seen
    from kpi_rules_tui.desk import Desk

    desk = Desk(folder, as_of=as_of, readonly=readonly)
    known = seen.recall(folder, as_of)
    if known is None and other is None:  # else what is known, or comes, is shown first: reading would hold it up
        desk.begin()
    from kpi_rules_tui.app import Office
    from kpi_rules_tui.keymap import keymap_file, read_keymap

    keymap, remarks = read_keymap(keymap_file() if keys is None else keys)
    return Office(desk, remembered=remembered, keymap=keymap, remarks=remarks, theme=theme, seen=known, beside=other)


def spoken() -> bool:
    """Say whether `--lang` chose a language, which is stronger than what was remembered."""
    return any(word == "--lang" or word.startswith("--lang=") for word in sys.argv[1:])
