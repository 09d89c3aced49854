"""click in the user's language: help texts, headings and the mistakes that click itself finds.

Texts are given in English, marked by `N_`, and translated when they are shown: `--lang` may come
after the command was made.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from kpi_rules.locale import N_, _

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADINGS: Final = (N_("Options"), N_("Commands"), N_("Commands of policies"))
"""The headings that click gives, so that the catalogues have them."""


class Formatter(click.HelpFormatter):
    """Writes help with translated headings."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the usage line."""
        super().write_usage(prog, args, _("Usage: ") if prefix is None else prefix)

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """Begin a section."""
        with super().section(_(name)):
            yield


class Context(click.Context):
    """A context whose help is written by `Formatter`."""

    formatter_class = Formatter


class Option(click.Option):
    """An option whose help is translated when it is shown."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return names and help."""
        english = self.help
        self.help = _(english) if english else english
        try:
            return super().get_help_record(ctx)
        finally:
            self.help = english


class Command(click.Command):
    """A command with all of this."""

    context_class = Context

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the option `--help`."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = _("Show this message and exit.")
        return option


def mistake(error: click.ClickException) -> str:
    """Return what click found wrong with the command line, in the user's language."""
    match error:
        case click.NoSuchOption(option_name=name, possibilities=others):
            hint = _(" (nearest: {nearest})").format(nearest=others[0]) if others else ""
            return _("no option {name}").format(name=name) + hint
        case click.MissingParameter(param=click.Parameter() as param):
            return _("{name} is missing").format(name=_name(param, error))
        case click.BadParameter(param=click.Parameter() as param):
            return _("{name}: {message}").format(name=_name(param, error), message=error.message)
        case _other:
            return error.format_message()


def _name(param: click.Parameter, error: click.UsageError) -> str:
    if isinstance(param, click.Option):
        return "/".join(param.opts)
    return param.make_metavar(error.ctx) if error.ctx is not None else (param.name or "")
