"""Names that mean the same although they are written differently: of payers, investors (M15)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

NEITHER_LETTER_NOR_DIGIT: Final = r"[^\p{L}\p{N}]"
LEGAL_FORM: Final = r"(?:(?:股份)?有限(?:责任)?公司|(?:co)?(?:ltd|limited|inc|llc|plc))$"
"""What a name ends with, once only letters and digits are left of it, and what is often written one way or another."""


def alike(name: pl.Expr) -> pl.Expr:
    """Return what is left of a name without case, width, spaces, punctuation and legal form.

    `ＡＣＭＥ Co., Ltd.` and `Acme ltd` are alike, and so are `宏达有限公司` and `宏达有限责任公司`. A null stays null.
    """
    plain = name.str.normalize("NFKC").str.to_lowercase().str.replace_all(NEITHER_LETTER_NOR_DIGIT, "")
    return plain.str.replace(LEGAL_FORM, "")
