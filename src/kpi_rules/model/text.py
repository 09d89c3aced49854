"""Rendering of messages whose fields are columns or parameters: `{completion:.2%}`,
`{field_duty.off_post_below:.0%}`.
"""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING, Any

from kpi_rules.locale import _

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class _ByName(Formatter):
    """Takes a whole field, dots and all, as one name, and writes a missing value as a word."""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        del args
        return kwargs[field_name], field_name

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401 (Formatter's own signature)
        if value is None:
            return _("none")
        return str(super().format_field(value, format_spec))


def render(message: str, values: Mapping[str, Any]) -> str:
    """Fill the fields of a message; a value that is None reads as a word, data is never parsed as a format.

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
