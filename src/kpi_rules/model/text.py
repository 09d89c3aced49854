"""Texts with data in them: messages whose fields are columns or parameters (`{completion:.2%}`,
`{field_duty.off_post_below:.0%}`), and texts of unknown origin, shown as what they are and never obeyed by a terminal.
"""

from __future__ import annotations

from decimal import Decimal
from string import Formatter
from typing import TYPE_CHECKING, Any, Final
from unicodedata import category

from kpi_rules.locale import _
from kpi_rules.model.money import BILLION, format_amount

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNSHOWN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that a terminal obeys or hides: controls, bidirectional marks, surrogates, separators."""


class _ByName(Formatter):
    """Takes a whole field, dots and all, as one name, and writes a missing value as a word."""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        del args
        return kwargs[field_name], field_name

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401 (Formatter's own signature)
        if value is None:
            return _("none")
        if format_spec in {"yuan", "share"}:
            if not isinstance(value, int):
                raise ValueError(_("no whole number to write as {format}").format(format=format_spec))
            if format_spec == "yuan":
                return format_amount(value)
            return f"{(Decimal(value) * 100 / BILLION).normalize():f}%"
        return str(super().format_field(value, format_spec))


def render(message: str, values: Mapping[str, Any]) -> str:
    """Fill the fields of a message; a value that is None reads as a word, data is never parsed as a format.

    Besides Python's formats there are `yuan` for an amount in fen and `share` for billionths.

    Raises:
        KeyError: the message names a field that is not there; `fields` finds those beforehand.
    """
    return _ByName().vformat(message, (), values)


def fields(message: str) -> list[str]:
    """Return the names of the fields of a message, in order.

    Raises:
        ValueError: the message is no format string.
    """
    return [name for _text, name, _spec, _conversion in Formatter().parse(message) if name is not None]


def safe(text: str, *, lines: bool = False) -> str:
    r"""Return text with each unprintable character as its escape (`\x1b`, `\u202e`); with `lines`, line ends stay."""
    if text.isprintable():
        return text
    return "".join(
        _shown(char) if category(char) in UNSHOWN and not (lines and char == "\n") else char for char in text
    )


def _shown(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
