"""Figures as administrators read them: amounts in yuan, ten thousand or a hundred million yuan, shares in per cent."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum
from typing import TYPE_CHECKING, Final

from kpi_rules_tui.texts import N_, _

if TYPE_CHECKING:
    from collections.abc import Callable

FEN: Final = 100


class Scale(Enum):
    """What amounts are shown in: fen to a unit, places after the point, the unit's name, and an amount in words."""

    YUAN = (FEN, 2, N_("yuan"), N_("{amount} yuan"))
    WAN = (10_000 * FEN, 2, N_("万 yuan"), N_("{amount}万 yuan"))
    YI = (10**8 * FEN, 4, N_("亿 yuan"), N_("{amount}亿 yuan"))

    @property
    def unit(self) -> str:
        """Return what the unit is called."""
        return _(self.value[2])

    def next(self) -> Scale:
        """Return the scale that follows, the first after the last."""
        every = list(Scale)
        return every[(every.index(self) + 1) % len(every)]

    @property
    def beside(self) -> str:
        """Return the unit as it stands behind the title of a column."""
        return f" ({self.unit})"

    def show(self, fen: int | None) -> str:
        """Write an amount, rounded half to even to the places shown; an empty text for None."""
        if fen is None:
            return ""
        return f"{(Decimal(fen) / self.value[0]).quantize(self._least, ROUND_HALF_EVEN):,f}"

    def exact(self, fen: int | None) -> str:
        """Write an amount to the fen, with as many more places as that takes; an empty text for None."""
        if fen is None:
            return ""
        amount = Decimal(fen) / self.value[0]
        return self.show(fen) if amount == amount.quantize(self._least) else f"{amount.normalize():,f}"

    @property
    def _least(self) -> Decimal:
        return Decimal(1).scaleb(-self.value[1])

    def said(self, fen: int) -> str:
        """Write an amount to the fen with its unit, as in a sentence."""
        return _(self.value[3]).format(amount=self.exact(fen))

    def signed(self, fen: int | None) -> str:
        """Write a difference: with its sign, `0` where there is none."""
        return _with_sign(fen, self.show)

    def exactly_signed(self, fen: int | None) -> str:
        """Write a difference to the fen: with its sign, `0` where there is none."""
        return _with_sign(fen, self.exact)


EXACT: Final = Scale.YUAN
"""What lines of pay and the two sides of a cliff are shown in, whatever is chosen: they count to the fen."""


def _with_sign(fen: int | None, write: Callable[[int], str]) -> str:
    if fen is None:
        return ""
    return ("+" if fen > 0 else "") + write(fen) if fen else "0"


def percent(ratio: float | None, places: int = 1) -> str:
    """Write a share in per cent; an empty text for None."""
    return "" if ratio is None else f"{ratio:.{places}%}"


def signed_percent(ratio: float | None, places: int = 1) -> str:
    """Write a difference of shares in percentage points with its sign; `0` where there is none."""
    if ratio is None:
        return ""
    return f"{ratio * 100:+.{places}f}" if ratio else "0"


def whole(number: int | None) -> str:
    """Write a count."""
    return "" if number is None else f"{number:,}"
