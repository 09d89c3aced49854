"""The nearest choice: that of `difflib`, found by measuring fewer choices."""

from __future__ import annotations

from difflib import SequenceMatcher, get_close_matches
from itertools import zip_longest

from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.model.problems import nearest

NAMES = st.text("abO0_", max_size=7)


def slow(name: str, choices: list[str]) -> str | None:
    """Measure every choice."""
    found = get_close_matches(name, choices, n=5, cutoff=0.6)

    def distance(choice: str) -> tuple[float, int, bool, str]:
        differing = sum(first != second for first, second in zip_longest(name, choice))
        return -SequenceMatcher(None, choice, name).ratio(), differing, sorted(choice) != sorted(name), choice

    return min(found, key=distance, default=None)


@given(NAMES, st.lists(NAMES, max_size=30))
def test_the_nearest_choice_is_the_one_found_by_measuring_all(name: str, choices: list[str]) -> None:
    assert nearest(name, choices) == slow(name, choices)
