"""Stretches of credit at which a unit is worse off than with less."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from kpi_rules.simulation.outcome import ASPECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kpi_rules.simulation.outcome import Aspect, Severity
    from kpi_rules.simulation.search import Search

Stretch = tuple[str, int, int, int]
"""The aspect, the first and the last credit, and the greatest lesser credit that is better."""


def stretches(search: Search, points: Sequence[int], severity: Severity) -> list[Stretch]:
    """Return the stretches, by aspect and rising credit.

    Args:
        search: what was looked at.
        points: credits in order; between two neighbours that are not one apart nothing changes but rewards, and those
            rise or fall steadily.
        severity: the order of outcomes.
    """
    found: list[Stretch] = []
    for aspect in ASPECTS:
        if aspect != "fen":
            found += _by_steps(search, points, severity, aspect)
    return [*found, *_by_fen(search, points)]


def _by_steps(search: Search, points: Sequence[int], severity: Severity, aspect: Aspect) -> Iterator[Stretch]:
    """Yield the stretches in an aspect that changes by steps."""
    outcomes = search.outcomes
    spans: list[tuple[int, int]] = []  # credits with one outcome in this aspect, first and last
    for credit in points:
        if spans and _same(outcomes[spans[-1][1]].every, outcomes[spans[-1][1]].months, search, credit):
            spans[-1] = (spans[-1][0], credit)
        else:
            spans.append((credit, credit))
    for place, (first, last) in enumerate(spans):
        better = [span for span in spans[:place] if severity.worse(aspect, outcomes[first], outcomes[span[1]])]
        if better:
            yield aspect, first, last, better[-1][1]


def _same(every: frozenset[str], months: int, search: Search, credit: int) -> bool:
    other = search.outcomes[credit]
    return every == other.every and months == other.months


def _by_fen(search: Search, points: Sequence[int]) -> Iterator[Stretch]:
    """Yield the stretches at which the unit is out of more fen than with less credit."""
    outcomes = search.outcomes
    best = points[0]  # the greatest credit so far at which it is out of the least
    began: int | None = None
    for low, high in pairwise(points):
        least, cost = outcomes[best].cost, outcomes[high].cost
        if cost > least:
            if began is None:  # at `low` it was the least still
                began = search.first(low, high, least, above=True)
                best = began - 1
            continue
        if began is not None:
            last = search.first(low, high, least, above=False) - 1
            yield "fen", began, last, best
            began = None
        best = high
    if began is not None:
        yield "fen", began, points[-1], best
