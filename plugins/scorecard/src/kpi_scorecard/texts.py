"""Messages of this policy in the user's language, by its own catalogue; and how numbers are shown in them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import kpi_rules as kr


def _(message: str) -> str:
    """Translate a message of this policy."""
    return kr.translate(message, "kpi_scorecard")


def shown(value: Fraction | Decimal | int) -> str:
    """Write a decimal without trailing noughts, `61.5`; what has no end as decimal is cut after twelve places."""
    exact = Fraction(value)
    scaled = exact * 10**12
    text = f"{Decimal(int(scaled)).scaleb(-12):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
