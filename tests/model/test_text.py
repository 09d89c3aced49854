"""Text of unknown origin is shown as what it is."""

from __future__ import annotations

import pytest

from kpi_rules.model.text import safe


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("市财政局 [b]", "市财政局 [b]"),
        ("a\x1bb", r"a\x1bb"),
        ("a\nb", r"a\nb"),
        ("\u2066x\u2069", r"\u2066x\u2069"),
        ("\u200b", r"\u200b"),
        ("\udc80", r"\udc80"),
        ("\x9b1m", r"\x9b1m"),
        ("\u2028", r"\u2028"),
    ],
)
def test_unprintable_characters_are_escaped(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_line_ends_may_stay() -> None:
    assert safe("a\nb\rc", lines=True) == "a\nb\\rc"
