"""Deposits once more, one at a time, in plain whole numbers: what is paid, forfeited, refunded, returned, held."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

ORDER = ("forfeit", "refund", "return")


@dataclass(frozen=True)
class Act:
    """What a rule does to each deposit of the unit: `amount` gives fen from the deposit; None means all there is."""

    does: str
    amount: Callable[[Account], int | None] | None = None


@dataclass
class Account:
    """One deposit."""

    deposit: str
    person: str
    unit: str
    role: str | None
    paid_on: date
    paid: int
    forfeited: int = 0
    refunded: int = 0
    returned: int = 0
    closed: bool = False
    by_measure: dict[str, int] = field(default_factory=dict)

    @property
    def held(self) -> int:
        """What is left of it."""
        return self.paid - self.forfeited + self.refunded - self.returned

    @property
    def lost(self) -> int:
        """What is forfeited and was not refunded."""
        return self.forfeited - self.refunded


@dataclass(frozen=True)
class Effective:
    """A measure that takes effect on a day, or one that is reversed."""

    on: date
    rule: str
    unit: str
    measure: str


Entry = tuple["date", str, str | None, str, str, int]
"""`on`, what happened, the measure, person, unit, fen."""


def settle(
    accounts: Sequence[Account],
    days: Sequence[date],
    rules: Mapping[str, Sequence[Act]],
    effective: Sequence[Effective],
    reversed_: Sequence[Effective],
) -> list[Entry]:
    """Go through the days, change the accounts, and return the entries."""
    entries: list[Entry] = [
        (each.paid_on, "paid", None, each.person, each.unit, each.paid) for each in accounts if each.paid
    ]
    for on in days:
        there = [each for each in accounts if each.paid_on <= on]
        for undone in (each for each in reversed_ if each.on == on):
            for account in accounts:
                back = min(account.by_measure.pop(undone.measure, 0), account.lost)
                entries += _refund(account, on, undone.measure, back)
        for does in ORDER:
            for begun in sorted((each for each in effective if each.on == on), key=lambda each: each.rule):
                for act in rules[begun.rule]:
                    if act.does == does:
                        for account in there:
                            if account.unit == begun.unit:
                                entries += _do(account, act, begun)
    return sorted(entries, key=lambda entry: tuple(map(str, entry)))


def _do(account: Account, act: Act, begun: Effective) -> list[Entry]:
    left = account.lost if act.does == "refund" else account.held
    asked = left if act.amount is None else act.amount(account)
    fen = min(max(asked or 0, 0), left)
    if act.does == "forfeit":
        account.forfeited += fen
        account.by_measure[begun.measure] = account.by_measure.get(begun.measure, 0) + fen
        return _entry(account, begun.on, "forfeited", begun.measure, fen)
    if act.does == "refund":
        return _refund(account, begun.on, begun.measure, fen)
    account.returned += fen
    account.closed |= act.amount is None
    return _entry(account, begun.on, "returned", begun.measure, fen)


def _refund(account: Account, on: date, measure: str, fen: int) -> list[Entry]:
    account.refunded += fen
    entries = _entry(account, on, "refunded", measure, fen)
    if account.closed:
        account.returned += fen
        entries += _entry(account, on, "returned", measure, fen)
    return entries


def _entry(account: Account, on: date, what: str, measure: str, fen: int) -> list[Entry]:
    return [(on, what, measure, account.person, account.unit, fen)] if fen else []
