"""What a measure does to deposits: collect them from pay, forfeit, refund, return them. All of it is data.

A deposit is money that a person has left with the assessment office for the task of a unit. What becomes of it is one
balance, to the cent: `paid = forfeited - refunded + returned + held`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import polars as pl
from attrs import define, field

if TYPE_CHECKING:
    from attrs import Attribute

Base = Literal["total_pay", "component"]
"""The pay that a deposit is collected from: all of a month's pay, or the component that holds withhold."""


def _is_amount(of: object, attribute: Attribute[Any], value: Any) -> None:  # noqa: ANN401 (whatever an author gives)
    if value is not None and not isinstance(value, pl.Expr):
        raise TypeError(f"{attribute.name} of {type(of).__name__} is a polars expression in fen, not {value!r}")


def _is_base(of: object, attribute: Attribute[Any], value: Any) -> None:  # noqa: ANN401 (as above)
    if value not in ("total_pay", "component"):
        raise ValueError(f"{attribute.name} of {type(of).__name__} is total_pay or component, not {value!r}")


@define(frozen=True, eq=False)
class Collect:
    """Keep part of each month's pay as a deposit, from the month at whose end the measure starts until it ends.

    The month at whose end it ends by its `until` is the last one; one at whose end it was lifted or undone is not
    collected. Only months of the assessment year are. It takes what holds and guards leave, never more than `base`.

    Attributes:
        amount: row-wise Int64 expression in fen over a row of `staff`, with `group` (the unit's peer group) and
            parameters; null or less than 0 collects nothing.
        base: the pay it is taken from, a column of `staff`; where that is empty, nothing is taken.
        subtree: whether also from the staff of the unit's descendants.
    """

    amount: pl.Expr = field(validator=_is_amount)
    base: Base = field(default="total_pay", validator=_is_base)
    subtree: bool = False

    def __attrs_post_init__(self) -> None:
        """Refuse to collect nobody knows how much."""
        if self.amount is None:
            raise TypeError("amount of Collect is a polars expression in fen")


@define(frozen=True, eq=False)
class Forfeit:
    """Forfeit deposits of the unit when the measure takes effect: `amount` of each, never more than is held of it.

    `amount` is a row-wise Int64 expression in fen over a row of `deposits` that was paid by then, with `held`,
    `forfeited` (net of refunds), `group` and parameters. Null or less than 0 forfeits nothing; no amount forfeits all.
    """

    amount: pl.Expr | None = field(default=None, validator=_is_amount)


@define(frozen=True, eq=False)
class Refund:
    """Give forfeited deposits of the unit back into the deposits: `amount` of each, never more than is forfeited.

    `amount` is as in `Forfeit`; none means all that is forfeited.
    """

    amount: pl.Expr | None = field(default=None, validator=_is_amount)


@define(frozen=True, eq=False)
class Return:
    """Pay deposits of the unit back to the persons: `amount` of each, never more than is held of it.

    `amount` is as in `Forfeit`; none means all that is held, and what is refunded to such a deposit later is paid back
    at once.
    """

    amount: pl.Expr | None = field(default=None, validator=_is_amount)


DepositEffect: TypeAlias = Collect | Forfeit | Refund | Return
"""What a rule's measure does to deposits."""

STEPS: Final = (Collect, Forfeit, Refund, Return)
"""The order of effects at one tick, whatever the order of rules: what is forfeited at the tick that finds the task met
is refunded there."""


def effects(given: Any) -> tuple[DepositEffect, ...]:  # noqa: ANN401 (whatever an author gives)
    """Return the effects of a rule as a tuple; a single one needs no brackets.

    Raises:
        TypeError: one is none of `Collect`, `Forfeit`, `Refund`, `Return`.
    """
    several = () if given is None else (given,) if isinstance(given, STEPS) else tuple(given)
    for each in several:
        if not isinstance(each, STEPS):
            names = ", ".join(step.__name__ for step in STEPS)
            raise TypeError(f"deposit of a rule is one of {names}, not {each!r}")
    return several
