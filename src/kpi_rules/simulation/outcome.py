"""What becomes of a unit, and which of two outcomes is worse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from attrs import define, evolve, field

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from kpi_rules.model.contributions import Rule

Aspect = Literal["measures", "favours", "months", "fen"]

ASPECTS: Final[tuple[Aspect, ...]] = ("measures", "favours", "months", "fen")
"""In what one outcome can be worse than another; see `Severity`."""

FAVOURS: Final = frozenset({"commendation", "bonus", "reward", "prize", "red_list", "refund", "deposit_refund"})
"""Kinds of measures that benefit; every other is adverse."""


@define(frozen=True)
class Outcome:
    """What becomes of a unit whose credit at a review is `credited`.

    Attributes:
        credited: whole number of the primary indicator, fen for money.
        measures: ids of the rules whose measures are in force after the review or are issued at it.
        later: of the others, those whose measures start or are issued after it.
        months: month-ends from the review on at which pay is withheld.
        withheld: fen withheld at them.
        released: fen released at the review or after it.
        outstanding: fen still held at the end, whenever it was withheld.
        rewarded: fen of rewards issued at the review or after it.
        forfeited: fen of deposits forfeited and not refunded at the end, whenever that was.
        happened: every event, month withheld and release, by tick and rule.
        key: how every condition stands at every tick.
    """

    credited: int
    measures: tuple[str, ...]
    later: tuple[str, ...]
    months: int
    withheld: int
    released: int
    outstanding: int
    rewarded: int
    forfeited: int
    happened: frozenset[tuple[int, str, str]] = field(repr=False)
    key: bytes = field(default=b"", repr=False)

    def keyed(self, key: bytes) -> Outcome:
        """Return the same with how its conditions stand."""
        return evolve(self, key=key)

    @property
    def cost(self) -> int:
        """Fen that the unit is out of at the end: pay held and deposits forfeited, less rewards."""
        return self.outstanding + self.forfeited - self.rewarded

    @property
    def every(self) -> frozenset[str]:
        """The rules that hit the unit, at the review or later."""
        return frozenset((*self.measures, *self.later))

    def stepwise(self) -> tuple[object, ...]:
        """Return all of it but rewards, which may rise fen by fen."""
        return (
            self.measures,
            self.later,
            self.months,
            self.withheld,
            self.released,
            self.outstanding,
            self.forfeited,
        )

    def moves(self, other: Outcome) -> bool:
        """Say whether between this and another something else than rewards may change."""
        return self.happened != other.happened or self.key != other.key


@define(frozen=True, eq=False)
class Severity:
    """The order by which outcomes are compared, aspect by aspect; between aspects nothing is weighed.

    `measures`: one set of adverse measures is worse than another where each measure that only the other has is
    superseded, by its rule or through others, by one that only the first has: the milder step counts for nothing beside
    the severer one that replaces it. `favours`: a set of measures that benefit is worse than one with more in it.
    `months`: more month-ends at which pay is withheld are worse. `fen`: more pay held at the end and deposits
    forfeited, less rewards, is worse.
    """

    rules: Mapping[str, Rule]
    _below: dict[str, frozenset[str]] = field(factory=dict, init=False)

    def worse(self, aspect: Aspect, one: Outcome, other: Outcome) -> bool:
        """Say whether `one` is worse than `other` in an aspect."""
        if aspect == "months":
            return one.months > other.months
        if aspect == "fen":
            return one.cost > other.cost
        mine, theirs = (self._of(aspect, each) for each in (one, other))
        if aspect == "favours":
            return mine < theirs
        mine, theirs = self._severest(mine), self._severest(theirs)
        only_mine, only_theirs = mine - theirs, theirs - mine
        return bool(only_mine) and all(any(each in self._milder(rule) for rule in only_mine) for each in only_theirs)

    def better_somewhere(self, one: Outcome, other: Outcome) -> list[str]:
        """Return the aspects in which `one` is better than `other`."""
        return [aspect for aspect in ASPECTS if self.worse(aspect, other, one)]

    def _of(self, aspect: Aspect, outcome: Outcome) -> frozenset[str]:
        favours = aspect == "favours"
        return frozenset(name for name in outcome.every if (self.rules[name].kind in FAVOURS) is favours)

    def _severest(self, measures: frozenset[str]) -> frozenset[str]:
        """Return measures without those that others of them replace, sooner or later."""
        return measures - {milder for each in measures for milder in self._milder(each)}

    def _milder(self, rule: str) -> frozenset[str]:
        """Return the rules that a rule supersedes, and those that they do."""
        if rule not in self._below:
            found: set[str] = set()
            todo: Collection[str] = self.rules[rule].supersedes
            while todo:
                found |= set(todo)
                todo = {name for each in todo if each in self.rules for name in self.rules[each].supersedes} - found
            self._below[rule] = frozenset(found)
        return self._below[rule]
