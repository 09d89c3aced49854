"""Arguments and options that several commands share."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from kpi_rules.cli.words import Option
from kpi_rules.locale import N_, _

if TYPE_CHECKING:
    from collections.abc import Callable

Format = Literal["table", "json", "csv", "parquet", "xlsx"]

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class Day(click.ParamType[date]):
    """A date such as 2011-06-30."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read a date, in the one form that cannot be misread."""
        if isinstance(value, date):
            return value
        day = _day(str(value))
        if day is None:
            self.fail(_("'{value}' is no date such as 2011-06-30").format(value=value), param, ctx)
        return day


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


class Folder(click.ParamType[Path]):
    """A workspace: a folder, or the `kpi.toml` in it."""

    name = "folder"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Take a path that is there; what is in it is for `load` to say."""
        path = Path(str(value))
        try:
            if path.is_dir() or (path.name == "kpi.toml" and path.is_file()):
                return path
            there = path.exists()
        except (OSError, ValueError):  # no name for a file at all: too long, a null byte
            there = False
        if there:
            self.fail(_("{path} is a file; a workspace is a folder with kpi.toml").format(path=path), param, ctx)
        raise click.BadParameter(_("there is no folder {path}").format(path=path), ctx, param)


def workspace(*, required: bool = True) -> click.Argument:
    """Return the argument WORKSPACE."""
    return click.Argument(["workspace"], type=Folder(), required=required)


def axes() -> list[click.Parameter]:
    """Return the options of the two time axes, and of decisions."""
    return [
        Option(["--as-of"], type=Day(), help=N_("Count what happened by this day; by default the year's end.")),
        Option(["--known-at"], type=Day(), help=N_("Count what was recorded by this day; by default the as-of date.")),
        Option(
            ["--decisions"],
            type=click.Path(path_type=Path),
            metavar="FILE.csv",
            help=N_("Decisions on proposals: columns measure, decision, on. Without it all count as approved."),
        ),
    ]


def output(*formats: str) -> list[click.Parameter]:
    """Return `--format` and `-o`; the first format is the default."""
    return [
        Option(
            ["--format"],
            type=click.Choice(formats),
            help=N_("Format of the output; by default that of the ending of PATH, else the first."),
            callback=_by_ending(formats),
        ),
        Option(
            ["-o", "--output"],
            type=click.Path(path_type=Path),
            metavar="PATH",
            is_eager=True,
            callback=_no_dash,
            help=N_("Write to a file, or one file per table into a folder, instead of standard output."),
        ),
    ]


def _no_dash(_ctx: click.Context, _param: click.Parameter, value: Path | None) -> Path | None:
    return None if value == Path("-") else value  # the usual name of standard output


def _by_ending(formats: tuple[str, ...]) -> Callable[[click.Context, click.Parameter, str | None], str]:
    def choose(ctx: click.Context, _param: click.Parameter, value: str | None) -> str:
        path: Path | None = ctx.params.get("output")
        ending = path.suffix[1:].lower() if path is not None else ""
        return value or (ending if ending in formats else formats[0])

    return choose
