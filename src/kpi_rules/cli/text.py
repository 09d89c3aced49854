"""Text of unknown origin, made harmless: shown as what it is, never obeyed by a terminal or a spreadsheet."""

from __future__ import annotations

from typing import Final
from unicodedata import category

UNSHOWN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that a terminal obeys or hides: controls, bidirectional marks, surrogates, separators."""

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What begins a formula in some spreadsheet; the full-width forms do in Chinese and Japanese ones."""


def safe(text: str, *, lines: bool = False) -> str:
    r"""Return text with each unprintable character as its escape (`\x1b`, `\u202e`); with `lines`, line ends stay."""
    if text.isprintable():
        return text
    return "".join(
        _shown(char) if category(char) in UNSHOWN and not (lines and char == "\n") else char for char in text
    )


def _shown(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
