"""Quotas that do not add up, and fixings that do not fit."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.model.calendar import Year
from kpi_rules.workspace.quota_checks import fixing_problems, split_problems
from kpi_rules.workspace.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kpi_rules.model.problems import Problem

YEAR = Year(date(2011, 1, 1), date(2011, 12, 31))
JANUARY, APRIL, JULY = date(2011, 1, 1), date(2011, 4, 1), date(2011, 7, 1)
TREE = {"city": None, "a": "city", "b": "city", "section": "a"}
Line = tuple[str, str, int, date]


def table(name: str, rows: Iterable[Mapping[str, object]]) -> pl.DataFrame:
    """Make a clean table; rows are numbered from 2, as in a file."""
    dtypes = SCHEMAS[name].dtypes
    numbered = [{"row": number, **row} for number, row in enumerate(rows, start=2)]
    return pl.DataFrame([{column: row.get(column) for column in dtypes} for row in numbered], schema=dtypes)


UNITS = table(
    "units", [{"unit": unit, "name": unit, "parent": parent, "head": f"H-{unit}"} for unit, parent in TREE.items()]
)


def quotas(*lines: Line) -> pl.DataFrame:
    return table(
        "quotas", [dict(zip(("unit", "indicator", "amount", "effective"), line, strict=True)) for line in lines]
    )


def said(problems: Iterable[Problem]) -> list[tuple[str, str, int | None, str]]:
    return [(each.severity, each.code, each.place.row, each.found) for each in problems]


def test_parts_that_add_up() -> None:
    lines = quotas(("city", "funds", 700, JANUARY), ("a", "funds", 300, JANUARY), ("b", "funds", 400, JANUARY))
    assert said(split_problems(lines, UNITS)) == []


def test_parts_below_the_whole_are_a_warning() -> None:
    lines = quotas(("a", "funds", 300, JANUARY), ("city", "funds", 70_000, JANUARY), ("b", "funds", 400, JANUARY))
    assert said(split_problems(lines, UNITS)) == [
        (
            "warning",
            "quota-split-differs",
            3,
            "city, funds: 700.00 of its own and 7.00 of the units below it, from 2011-01-01 on",
        )
    ]


def test_parts_above_the_whole_are_a_note() -> None:
    lines = quotas(("a", "signed", 3, JANUARY), ("city", "signed", 6, JANUARY), ("b", "signed", 4, JANUARY))
    assert said(split_problems(lines, UNITS, counts=["signed"])) == [
        ("note", "quota-split-differs", 3, "city, signed: 6 of its own and 7 of the units below it, from 2011-01-01 on")
    ]


def test_only_where_all_units_below_have_a_quota() -> None:
    lines = [("city", "funds", 700, JANUARY), ("a", "funds", 300, JANUARY)]
    assert said(split_problems(quotas(*lines), UNITS)) == []
    assert said(split_problems(quotas(*lines, ("b", "signed", 400, JANUARY)), UNITS)) == []
    assert len(said(split_problems(quotas(*lines, ("section", "funds", 1, JANUARY)), UNITS))) == 1  # below a
    later = quotas(*lines, ("b", "funds", 399, JULY))
    assert [each[3] for each in said(split_problems(later, UNITS))] == [
        "city, funds: 7.00 of its own and 6.99 of the units below it, from 2011-07-01 on"
    ]


def test_a_revision_that_is_not_passed_on() -> None:
    lines = quotas(
        ("city", "funds", 700, JANUARY),
        ("a", "funds", 300, JANUARY),
        ("b", "funds", 400, JANUARY),
        ("city", "funds", 900, APRIL),
        ("b", "funds", 600, JULY),
    )
    assert said(split_problems(lines, UNITS)) == [
        (
            "warning",
            "quota-split-differs",
            5,
            "city, funds: 9.00 of its own and 7.00 of the units below it, from 2011-04-01 on",
        )
    ]


LINES = st.lists(
    st.tuples(
        st.sampled_from(["city", "a", "b", "section"]),
        st.sampled_from(["funds", "signed"]),
        st.integers(1, 4),
        st.sampled_from([JANUARY, APRIL, JULY]),
    ),
    max_size=12,
    unique_by=lambda line: (line[0], line[1], line[3]),
)


@given(LINES)
def test_the_same_by_hand(lines: list[Line]) -> None:
    found = {tuple(each.found.split(":")[0].split(", ")): each for each in split_problems(quotas(*lines), UNITS)}
    for parent, children in (("city", ["a", "b"]), ("a", ["section"])):
        for indicator in ("funds", "signed"):
            differing = []
            for day in (JANUARY, APRIL, JULY):
                own, *parts = [in_force(lines, unit, indicator, day) for unit in (parent, *children)]
                if own is not None and None not in parts and own != sum(filter(None, parts)):
                    differing.append((day, own, sum(filter(None, parts))))
            problem = found.pop((parent, indicator), None)
            assert (problem is None) == (not differing)
            if problem is not None:
                day, own, below = differing[0]
                assert problem.found.endswith(f"from {day} on")
                assert problem.severity == ("warning" if below < own else "note")
    assert found == {}


def in_force(lines: list[Line], unit: str, indicator: str, day: date) -> int | None:
    past = [line for line in lines if line[:2] == (unit, indicator) and line[3] <= day]
    return max(past, key=lambda line: line[3])[2] if past else None


@given(LINES, st.randoms(use_true_random=False))
def test_the_order_of_lines_never_matters(lines: list[Line], random: object) -> None:
    shuffled = list(lines)
    getattr(random, "shuffle")(shuffled)  # noqa: B009 (Hypothesis's own type is private)
    texts = [sorted(each.found for each in split_problems(quotas(*each_way), UNITS)) for each_way in (lines, shuffled)]
    assert all(first == second for first, second in pairwise(texts))


def lines(*fixings: Mapping[str, object]) -> pl.DataFrame:
    base = {"unit": "a", "indicator": "funds", "amount": 300, "effective": APRIL}
    return table("quotas", [{**base, **fixing} for fixing in fixings])


FITTING = {
    "stretch": 300,
    "deadline": date(2011, 12, 31),
    "requirement": "contracts registered",
    "quality": 800_000_000,
    "responsible": "P1",
}
STAFF = table("staff", [{"person": "P1", "unit": "b", "grade": "head", "component": 1}])


def test_fixings_that_fit() -> None:
    fitting = lines(FITTING, {**FITTING, "deadline": APRIL, "responsible": "H-a"})
    assert said(fixing_problems(fitting, UNITS, STAFF, YEAR)) == []
    assert said(fixing_problems(lines({}, {}), UNITS, STAFF, YEAR)) == []


@pytest.mark.parametrize(
    ("wrong", "severity", "code", "found"),
    [
        ({"stretch": 299}, "error", "stretch-below-quota", "a stretch target of 2.99, below the quota of 3.00"),
        (
            {"deadline": date(2011, 3, 31)},
            "error",
            "deadline-before-effective",
            "a deadline before the quota is effective in row 3",
        ),
        (
            {"deadline": date(2012, 1, 1)},
            "warning",
            "deadline-outside-year",
            "deadlines on 2012-01-01 in row 3",
        ),
        ({"quality": 1_000_000_001}, "error", "quality-above-whole", "a quality above 1 in row 3"),
        (
            {"responsible": "P2"},
            "warning",
            "responsible-not-on-staff",
            'the responsible person "P2" in row 3, who is not on staff',
        ),
        (
            {"responsible": "H-b"},  # a head, but of another unit
            "warning",
            "responsible-not-on-staff",
            'the responsible person "H-b" in row 3, who is not on staff',
        ),
        ({"deadline": None}, "warning", "missing-fixing", "a deadline in other rows and none in row 3"),
        ({"requirement": None}, "warning", "missing-fixing", "a requirement in other rows and none in row 3"),
        ({"quality": None}, "warning", "missing-fixing", "a quality in other rows and none in row 3"),
        ({"responsible": None}, "warning", "missing-fixing", "a responsible person in other rows and none in row 3"),
    ],
)
def test_a_fixing_that_does_not_fit(wrong: Mapping[str, object], severity: str, code: str, found: str) -> None:
    problems = fixing_problems(lines(FITTING, {**FITTING, **wrong}, FITTING), UNITS, STAFF, YEAR)
    assert said(problems) == [(severity, code, 3, found)]


def test_stretch_targets_are_no_fixing_that_all_lines_need() -> None:
    assert said(fixing_problems(lines(FITTING, {**FITTING, "stretch": None}), UNITS, STAFF, YEAR)) == []


def test_without_staff_nobody_is_looked_for_in_it() -> None:
    strange = lines({**FITTING, "responsible": "nobody"})
    assert said(fixing_problems(strange, UNITS, STAFF.clear(), YEAR)) == []


def test_counts_are_written_as_numbers() -> None:
    (problem,) = fixing_problems(lines({"stretch": 299}), UNITS, STAFF, YEAR, counts=["funds"])
    assert problem.found == "a stretch target of 299, below the quota of 300"
