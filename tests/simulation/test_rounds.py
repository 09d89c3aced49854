"""Rounds of visits: one level for everybody, an urn of the months seen, and none of it where visits spread evenly."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.forecasts.credibility import Groups
from kpi_rules.simulation.futures import futures
from kpi_rules.simulation.keys import draw_words
from kpi_rules.simulation.past import past
from kpi_rules.simulation.rounds import LEVELS, Rounds, in_rounds, rounds_of
from kpi_rules.simulation.visited import Visited
from tests.simulation.modelled import CONFIG, modelled

UNITS, PROJECTS = 20, 4
DRAWS = 40_000


def seen(months: list[list[float]], kinds: list[int] | None = None) -> Visited:
    """Make months seen: of each the share of each unit."""
    month = np.repeat(np.arange(len(months)), [len(each) for each in months])
    unit = np.concatenate([np.arange(len(each)) for each in months] or [np.zeros(0, dtype=np.int64)])
    share = np.array([share for each in months for share in each])
    return Visited(month, unit, share, np.array(kinds or [0] * len(months), dtype=np.int64))


def rounds(of: Visited, ticks: list[date], kinds: list[int] | None = None, seed: int = 1, units: int = 3) -> Rounds:
    groups = Groups.make(np.zeros(units, dtype=np.int64), 1)
    return rounds_of(of, groups, units, ticks, kinds or [0] * len(ticks), seed)


def month_ends(first: int, last: int, year: int = 2011) -> list[date]:
    return [date(year + month // 12, month % 12 + 1, 1) - timedelta(1) for month in range(first, last + 1)]


NOTHING = seen([])
EVEN = seen([[0.1, 0.9, 0.5, 0.3] * 10, [0.9, 0.2, 0.4, 0.3] * 10, [0.5, 0.7, 0.2, 0.4] * 10])
APART = seen([[0.0] * 20, [0.9, 0.5] * 10, [0.0] * 20, [0.7, 0.3] * 10])


def test_what_comes_in_rounds() -> None:
    assert in_rounds(APART)
    assert not in_rounds(EVEN)
    assert in_rounds(NOTHING)  # nothing says that it does not
    assert in_rounds(seen([[0.0] * 40] * 5))  # nor do months in which nobody was visited
    assert in_rounds(seen([[0.5, 0.4] * 10] * 2))


def test_a_month_is_like_one_seen_one_drawn_or_none_of_them() -> None:
    of = rounds(seen([[0.25] * 3, [0.75] * 3]), month_ends(7, 12))
    levels = of.levels(draw_words(0, DRAWS))
    assert of.seen[0].tolist() == [LEVELS // 4, 3 * LEVELS // 4]
    # Every month by itself: a third each, and of the last third a half is none.
    expected = {0: 1 / 6, LEVELS // 4: 1 / 3 + 1 / 6 / LEVELS, 3 * LEVELS // 4: 1 / 3 + 1 / 6 / LEVELS}
    for level, chance in expected.items():
        shares = (levels == level).mean(axis=1)
        assert np.abs(shares - chance).max() < 0.012, level
    assert np.abs(levels.mean(axis=1) / LEVELS - of.expected(0)).max() < 0.01
    # Months hang together: the chance that two are equal is above that of independent ones, 1/n of urns grows to it.
    together = (levels[0] == levels[5]).mean()
    alone = sum(chance**2 for chance in expected.values()) + (LEVELS - 2) * (1 / 6 / LEVELS) ** 2
    assert together > alone + 0.05


def test_without_anything_seen_the_sum_of_months_stays_open() -> None:
    of = rounds(NOTHING, month_ends(1, 12))
    levels = of.levels(draw_words(0, DRAWS))
    assert abs(float((levels == 0).mean()) - 0.5) < 0.01
    mean = levels.mean(axis=0) / LEVELS
    assert mean.std() > 2.5 * levels.std() / LEVELS / np.sqrt(12)
    assert (mean == 0).mean() > 0.1


def test_chunks_units_and_ticks_change_no_level() -> None:
    ticks = month_ends(7, 12)
    of = rounds(APART, ticks, [0, 0, 1, 0, 0, 1], units=20)
    whole = of.levels(draw_words(0, 200))
    parts = [of.levels(draw_words(low, min(200, low + 37))) for low in range(0, 200, 37)]
    assert (np.concatenate(parts, axis=1) == whole).all()
    assert (of.of(np.array([3, 3, 1])).levels(draw_words(0, 200)) == whole).all()
    between = sorted([*ticks, date(2011, 7, 8), date(2011, 9, 20)])
    more = rounds(APART, between, [0, 0, 0, 1, 1, 0, 0, 1], units=20)
    assert (more.levels(draw_words(0, 200)) == whole).all()
    assert more.month.tolist() == [0, 0, 1, 2, 2, 3, 4, 5]
    assert (rounds(APART, ticks, seed=2, units=20).levels(draw_words(0, 200)) != whole).any()


def test_units_differ_within_a_round() -> None:
    often = seen([[0.9] * 5 + [0.1] * 15] * 12)
    of = rounds(often, month_ends(7, 8), units=20)
    first, last = of.ease[0], of.ease[19]
    assert of.steps[first, LEVELS // 4] > LEVELS // 4 >= of.steps[last, LEVELS // 4]
    for row in of.steps:
        assert (np.diff(row) >= 0).all()
        assert (row[0], row[-1]) == (0, LEVELS)


def visited_in(months: list[int], years: tuple[int, ...] = (2011,)) -> kr.Workspace:
    """Make units whose projects bring 100 yuan each month, visited at the end of some months, all of them."""
    ids = [f"u{number:02}" for number in range(UNITS)]
    names = [(f"{unit}-{number}", unit) for unit in ids for number in range(PROJECTS)]
    arrivals, visits = [], []
    for year in years:
        ends = month_ends(1, 12, year)
        for name, _unit in names:
            for month, end in enumerate(ends, start=1):
                arrivals.append((f"{name}-{end}", name, 10_000, end - timedelta(20)))
                if month in months:
                    visits.append((f"{name}-{end}", name, 10_000 * month, end - timedelta(2)))
    return kr.Workspace(
        CONFIG | {"credit": {"unvisited": "none"}},
        {
            "units": pl.DataFrame({"unit": ids, "name": ids, "parent": None, "group": "all", "head": None}),
            "quotas": pl.DataFrame(
                {"unit": ids, "indicator": "funds", "amount": 400_000, "effective": date(2011, 1, 1)}
            ),
            "projects": pl.DataFrame(names, ["project", "unit"], orient="row").with_columns(
                recognised_on=date(min(years), 1, 1)
            ),
            "arrivals": pl.DataFrame(arrivals, ["voucher", "project", "amount", "arrived_on"], orient="row"),
            "visits": pl.DataFrame(visits, ["visit", "project", "assessed_amount", "visited_on"], orient="row"),
        },
    )


def credited(workspace: kr.Workspace, as_of: date, draws: int = 400) -> tuple[np.ndarray, list[tuple[str, str, bool]]]:
    """Return what all units are credited with at the year end in each draw, and what is assumed of visits."""
    assert workspace.errors == []
    start = past(workspace, as_of)
    of = futures(start, 3)
    chunk = of.chunk(0, draws)
    steps = [chunk.step(here)["funds"] for here in range(len(start.ticks))]
    said = [(each.value, each.basis, each.little) for each in of.assumptions if each.model == "visits"]
    return steps[-1].sum(axis=0), said


@pytest.mark.parametrize("as_of", [date(2011, 1, 31), date(2011, 2, 28)])
def test_before_any_visit_the_year_is_open_and_it_is_said(as_of: date) -> None:
    total, said = credited(visited_in([3, 6, 9, 12]), as_of)
    whole = 10_000 * 12 * UNITS * PROJECTS
    low, high = np.quantile(total, [0.1, 0.9])
    assert low < 0.2 * whole
    assert high > 0.6 * whole
    assert total.mean() > 0.2 * whole
    months = as_of.month
    assert said == [
        (
            f"{(LEVELS + 1) / LEVELS / 4 / (months + 1):.0%} a month on average, drawn for all units at once",
            f"{months} month{'s' * (months > 1)} and a made-up one: half no visits, half any share alike",
            True,
        ),
        (
            "26% a month on average, drawn for all units at once",
            "0 months and a made-up one: half no visits, half any share alike",
            True,
        ),
    ]


def test_rounds_of_earlier_years_are_used() -> None:
    alone, _said = credited(visited_in([3, 6, 9, 12]), date(2011, 1, 31))
    total, said = credited(visited_in([3, 6, 9, 12], (2009, 2010, 2011)), date(2011, 1, 31))
    assert [(basis.split()[0], little) for _value, basis, little in said] == [("17", False), ("8", False)]
    whole = 10_000 * 12 * UNITS * PROJECTS
    assert np.quantile(total, 0.1) > 0.6 * whole
    assert total.std() < alone.std() / 2


def test_a_round_confirms_for_all_units_at_once() -> None:
    """The band of all units together is as wide as that of one: what one waits for, all wait for."""
    workspace = visited_in([3, 5, 8])
    start = past(workspace, date(2011, 8, 31))
    chunk = futures(start, 3).chunk(0, 2_000)
    funds = chunk.step(0)["funds"] - start.assessment.credited.units["funds"][-1][start.rows][:, None]
    correlations = np.array(np.corrcoef(funds))[np.triu_indices(UNITS, 1)]
    assert correlations.mean() > 0.5
    even = modelled(3, units=12)
    start = past(even, date(2011, 8, 31))
    of = futures(start, 3)
    assert [series.confirming.rounds for series in of.series if series.confirming is not None] == [None]
    funds = of.chunk(0, 2_000).step(0)["funds"]
    correlations = np.array(np.corrcoef(funds))[np.triu_indices(12, 1)]
    assert abs(correlations.mean()) < 0.05
