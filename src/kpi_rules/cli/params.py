"""Arguments and options that several commands share."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from kpi_rules.cli.words import Option
from kpi_rules.locale import N_, _

if TYPE_CHECKING:
    from collections.abc import Callable

Format = Literal["table", "json", "csv", "parquet", "xlsx"]

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")

_SHARE: Final = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?", re.ASCII)

_DIGITS: Final = re.compile(r"\d{1,12}", re.ASCII)


class Day(click.ParamType[date]):
    """A date such as 2011-06-30."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read a date, in the one form that cannot be misread."""
        if isinstance(value, date):
            return value
        day = read_day(str(value))
        if day is None:
            self.fail(_("'{value}' is no date such as 2011-06-30").format(value=value), param, ctx)
        return day


def read_day(text: str) -> date | None:
    """Read a date such as 2011-06-30; None where it is none."""
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


class Whole(click.ParamType[int]):
    """A whole number, no less than some other."""

    name = "number"

    def __init__(self, least: int) -> None:
        """Take the least number that is valid."""
        self.least = least

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a number in plain digits, such as a few thousand."""
        text = str(value)
        number = int(text) if _DIGITS.fullmatch(text) else -1
        if number < self.least:
            message = _("'{value}' is no whole number from {least}, of 12 digits at most")
            self.fail(message.format(value=value, least=self.least), param, ctx)
        return number


class Share(click.ParamType[Decimal]):
    """A share such as 0.15, also below 0."""

    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Read a decimal in plain digits."""
        share = read_share(str(value))
        if share is None:
            self.fail(_("'{value}' is no decimal such as 0.15").format(value=value), param, ctx)
        return share


def read_share(text: str) -> Decimal | None:
    """Read a decimal in plain digits; None where it is none."""
    return Decimal(text) if _SHARE.fullmatch(text) else None


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


def simulating(*, required: bool = True) -> list[click.Parameter]:
    """Return the options of what is simulated, and of who runs it."""
    return [
        Option(
            ["--as-of"],
            type=Day(),
            required=required,
            help=N_("The last day that is known; from the next on the year is simulated."),
        ),
        *sampled(),
        Option(["--until"], type=Day(), help=N_("The last day simulated; by default the year's end.")),
        *axes()[1:],
        Option(
            ["--effect", "effects"],
            multiple=True,
            metavar="RULE=LEAST..MOST",
            help=N_(
                "Assume that a measure changes what its unit brings in while it is in force, by a share such as "
                "0.05..0.15; may be given several times. By default none does."
            ),
        ),
        *workers(),
    ]


def sampled(draws: int = 10_000) -> list[click.Parameter]:
    """Return `--draws`, by default `draws`, and `--seed`."""
    return [
        Option(
            ["--draws"],
            type=Whole(1),
            default=draws,
            show_default=True,
            help=N_("How many futures, or years, are drawn."),
        ),
        Option(
            ["--seed"],
            type=Whole(0),
            default=1,
            show_default=True,
            help=N_("Chooses the draws; the same seed, the same."),
        ),
    ]


def workers() -> list[click.Parameter]:
    """Return the options of who runs a simulation."""
    return [
        Option(["--workers"], type=Whole(1), help=N_("Run on so many processes; by default on threads of one.")),
        Option(
            ["--cluster"],
            metavar="ADDRESS",
            help=N_("Run on the Dask cluster with this scheduler, such as tcp://10.0.0.1:8786."),
        ),
    ]


def chart() -> click.Parameter:
    """Return `--chart`."""
    return Option(
        ["--chart"],
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=N_("Draw a chart as well, into a file that ends in .svg or .png."),
    )


def result_tables(*names: str) -> click.Parameter:
    """Return `--table`."""
    return Option(
        ["--table", "tables"],
        type=click.Choice(names),
        multiple=True,
        help=N_("A result table to write, in full; may be given several times. By default all."),
    )


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
