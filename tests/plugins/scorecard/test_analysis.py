"""The analysis of tables against brute force: every value near every bound, alone and together."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_scorecard import analysis
from kpi_scorecard.analysis import MOST_CELLS, Analysis, TooManyCellsError, analyse, axes_of, cliffs
from kpi_scorecard.conditions import Example, Term, all_of, read
from tests.plugins.scorecard.making import rounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

F = Fraction
STEPS = {"lag": F(1), "signed": F(1), "funds": F(1)}


def terms_of(rows: Sequence[Sequence[str]]) -> list[tuple[Term, ...]]:
    return [tuple(term for text in row for term in read(text)) for row in rows]


def analysed(
    rows: Sequence[Sequence[str]],
    results: Sequence[object],
    *,
    domain: Sequence[str] = (),
    steps: Mapping[str, Fraction] = STEPS,
    first: bool = False,
) -> Analysis:
    terms, limits = terms_of(rows), [term for text in domain for term in read(text)]
    columns = {term.column for row in terms for term in row}
    floors = {each.name: F(0) for each in columns if each.numeric and not each.signed}
    return analyse(axes_of(terms, limits, steps, floors), terms, results, first=first)


def told(found: Analysis) -> list[tuple[str, int | None, int | None, str, dict[str, str]]]:
    return [
        (each.kind, each.row, each.other, each.region, {name: str(value) for name, value in each.example.items()})
        for each in found.findings
    ]


def test_a_sound_table_gives_nothing() -> None:
    rows = [["completion < 50%"], ["50% <= completion < 0.8"], ["completion >= 0.8"]]
    assert told(analysed(rows, [0, 10, 20])) == []


def test_a_bound_left_out_and_what_lies_below_the_first() -> None:
    rows = [["0.5 <= completion < 0.8"], ["completion > 0.8"]]
    assert told(analysed(rows, [10, 20])) == [
        ("gap", None, None, "0 <= completion < 0.5", {"completion": "0"}),
        ("gap", None, None, "completion = 0.8", {"completion": "4/5"}),
    ]


def test_a_bound_in_two_rows() -> None:
    rows = [["completion <= 0.8"], ["completion >= 0.8"]]
    assert told(analysed(rows, [10, 20])) == [("overlap", 1, 0, "completion = 0.8", {"completion": "4/5"})]
    assert told(analysed(rows, [10, 10])) == []
    assert told(analysed(rows, [10, 20], first=True)) == []


def test_a_row_that_nothing_reaches() -> None:
    rows = [["completion < 0.9"], ["completion >= 0.9"], ["0.2 < completion < 0.4"]]
    for results, first in (([10, 20, 10], False), ([10, 20, 30], True)):
        assert told(analysed(rows, results, first=first)) == [
            ("unreachable", 2, 0, "0.2 < completion < 0.4", {"completion": "3/10"})
        ]


def test_conditions_that_contradict_each_other() -> None:
    rows = [["completion > 0.6", "completion < 0.5"], ["completion >= 0"]]
    assert told(analysed(rows, [10, 20])) == [("impossible", 0, None, "completion", {})]


def test_between_two_whole_numbers_there_is_nothing() -> None:
    rows = [["lag <= 2"], ["lag >= 3"]]
    assert told(analysed(rows, [0, 10])) == []
    assert told(analysed(rows, [0, 10], steps={})) == [("gap", None, None, "2 < lag < 3", {"lag": "5/2"})]
    assert told(analysed([["lag <= 2"], ["lag >= 4"]], [0, 10])) == [("gap", None, None, "2 < lag < 4", {"lag": "3"})]


def test_between_two_rounded_ratios_there_is_nothing() -> None:
    rows = [["completion <= 0.79"], ["completion >= 0.8"]]
    assert told(analysed(rows, [0, 10], steps={"completion": F(1, 100)})) == []
    assert told(analysed(rows, [0, 10], steps={"completion": F(1, 1000)})) == [
        ("gap", None, None, "0.79 < completion < 0.8", {"completion": "791/1000"})
    ]


def test_amounts_are_told_as_people_write_them() -> None:
    rows = [["funds < 500万"], ["funds > 500万"]]
    assert told(analysed(rows, [0, 10])) == [("gap", None, None, "funds = 5000000元", {"funds": "500000000"})]


def test_joint_conditions_are_seen_together() -> None:
    rows = [["completion >= 1", "kind = 部门"], ["completion >= 1", "kind in (乡镇, 街道)"], ["completion < 1"]]
    gap = ("gap", None, None, "completion >= 1, kind = any other", {"completion": "1", "kind": "None"})
    assert told(analysed(rows, [20, 10, 0])) == [gap]
    domain = ["kind in (部门, 乡镇, 街道)"]
    assert told(analysed(rows, [20, 10, 0], domain=domain)) == []


def test_two_columns_that_overlap_in_a_corner() -> None:
    rows = [
        ["completion >= 0.8", "arrival_rate < 0.5"],
        ["completion < 0.9"],
        ["completion >= 0.9", "arrival_rate >= 0.5"],
    ]
    (overlap,) = told(analysed(rows, [1, 2, 3]))
    assert overlap[:4] == ("overlap", 1, 0, "0.8 <= completion < 0.9, 0 <= arrival_rate < 0.5")
    assert overlap[4] == {"completion": "4/5", "arrival_rate": "0"}


def test_flags_and_rows_without_conditions() -> None:
    assert told(analysed([["funds_overdue = true"]], [0])) == [
        ("gap", None, None, "funds_overdue = false", {"funds_overdue": "False"})
    ]
    assert told(analysed([[], ["lag > 1"]], [0, 1], first=True))[0][:3] == ("unreachable", 1, 0)


def test_cliffs_are_told_from_both_sides() -> None:
    found = analysed([["completion < 0.5"], ["0.5 <= completion <= 0.8"], ["completion > 0.8"]], [0, 20, 25])
    assert [each.region for each in cliffs(found, [F(0), F(20), F(25)], F(5))] == [
        "0 points at completion = 0.499999999; 20 points at completion = 0.5"
    ]
    assert [each.region for each in cliffs(found, [F(0), F(20), F(25)], F(4))][1] == (
        "20 points at completion = 0.8; 25 points at completion = 0.800000001"
    )


def test_a_cliff_of_one_column_where_another_says_so() -> None:
    rows = [["lag < 3"], ["lag >= 3", "kind = a"], ["lag >= 3", "kind != a"]]
    (cliff,) = cliffs(analysed(rows, [10, 9, 0]), [F(10), F(9), F(0)], F(5))
    assert cliff.region == "10 points at lag = 2; 0 points at lag = 3, kind = any other"


def test_a_table_of_too_many_cases_is_not_begun() -> None:
    rows = [[f"{name} < {bound}" for name in ("lag", "rank", "signed", "started")] for bound in range(1, 40)]
    with pytest.raises(TooManyCellsError):
        analysed(rows, list(range(39)))
    assert MOST_CELLS < 79**4


# Random tables, brute force.

NUMBERS = ["completion", "pace_gap", "lag"]
WORDS = ["a", "b", "c"]
bounds = st.integers(-4, 8).map(lambda n: F(n, 4))


def number(value: Fraction) -> str:
    return str(float(value))


@st.composite
def texts(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from([*NUMBERS, "kind"]))
    if name == "kind":
        words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=2, unique=True))
        sign = draw(st.sampled_from(["in", "not in"]))
        return f"kind {sign} ({', '.join(words)})"
    one, two = draw(bounds), draw(bounds)
    sign = draw(st.sampled_from(["<", "<=", ">", ">=", "="]))
    if draw(st.booleans()):
        return f"{name} {sign} {number(one)}"
    low, high = sorted((one, two))
    return (
        f"{number(low)} {draw(st.sampled_from(['<', '<=']))} {name} {draw(st.sampled_from(['<', '<=']))} {number(high)}"
    )


tables = st.lists(st.lists(texts(), max_size=3), min_size=1, max_size=5)


def near(terms: Sequence[Sequence[Term]], name: str) -> list[Example]:
    """Give the values of a column that could tell: each bound, a little to each side, far out, and the middles."""
    values = sorted({t.value for row in terms for t in row if t.column.name == name and isinstance(t.value, Fraction)})
    little = F(1, 1000)
    found = {v + d for v in values for d in (-little, F(0), little)} | {F(-100), F(100)}
    found |= {(one + two) / 2 for one, two in pairwise(values)}
    if name == "lag":
        found = {F(v) for value in found for v in (int(value) - 1, int(value), int(value) + 1)}
    return [value for value in sorted(found) if name == "pace_gap" or value >= 0]


def points(terms: Sequence[Sequence[Term]]) -> list[dict[str, Example]]:
    names = list(dict.fromkeys(t.column.name for row in terms for t in row))
    values: list[list[Example]] = [[*WORDS, None] if name == "kind" else near(terms, name) for name in names]
    return [dict(zip(names, each, strict=True)) for each in product(*values)]


def holds(row: Sequence[Term], point: Mapping[str, Example]) -> bool:
    return all(term.holds(point[term.column.name]) for term in row)


@given(rows=tables, results=st.lists(st.integers(0, 2), min_size=5, max_size=5), first=st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_analysis_says_what_brute_force_says(rows: list[list[str]], results: list[int], *, first: bool) -> None:
    terms = terms_of(rows)
    worth = results[: len(rows)]
    found = analysed(rows, worth, first=first)
    tried = points(terms)
    matched = {index: [holds(row, point) for row in terms] for index, point in enumerate(tried)}

    gap = any(not any(held) for held in matched.values())
    assert gap is any(each.kind == "gap" for each in found.findings)
    impossible = {number for number in range(len(terms)) if not any(held[number] for held in matched.values())}
    assert impossible == {each.row for each in found.findings if each.kind == "impossible"}

    def counted(held: list[bool]) -> int | None:
        return next((number for number, is_held in enumerate(held) if is_held), None)

    contradicted = {
        number
        for held in matched.values()
        for number, is_held in enumerate(held)
        if is_held and (other := counted(held)) is not None and worth[other] != worth[number]
    }
    overlaps = {each.row for each in found.findings if each.kind == "overlap"}
    assert overlaps == (set() if first else contradicted)
    reached = {counted(held) for held in matched.values()}
    unreached = set(range(len(terms))) - reached - impossible - overlaps
    assert unreached == {each.row for each in found.findings if each.kind == "unreachable"}


@given(rows=tables, first=st.booleans())
@settings(max_examples=100, deadline=None)
def test_every_example_shows_what_is_said(rows: list[list[str]], *, first: bool) -> None:
    terms = terms_of(rows)
    for each in analysed(rows, range(len(rows)), first=first).findings:
        held = [holds(row, each.example) for row in terms] if each.example or each.kind != "impossible" else []
        match each.kind:
            case "gap":
                assert not any(held)
            case "overlap" | "unreachable":
                assert each.row is not None
                assert each.other is not None
                assert held[each.row]
                assert held[each.other]


@given(rows=tables)
@settings(max_examples=80, deadline=None)
def test_the_regions_without_a_row_are_all_of_them_once(rows: list[list[str]]) -> None:
    found = analysed(rows, [0] * len(rows))
    seen = np.zeros(found.winner.shape, dtype=int)
    for box in analysis.boxes(found.winner == 0):
        seen[tuple(slice(low, high + 1) for low, high in box.spans)] += 1
    assert (seen == (found.winner == 0)).all()


@given(rows=tables)
@settings(max_examples=80, deadline=None)
def test_what_is_evaluated_is_what_was_analysed(rows: list[list[str]]) -> None:
    terms = terms_of(rows)
    found = analysed(rows, [0] * len(rows), first=True)
    cases = list(analysis.cases_of(found))
    schema = {"completion": pl.Float64, "pace_gap": pl.Float64, "lag": pl.Int64, "kind": pl.String}
    frame = pl.DataFrame(
        {name: [_as(dtype, case.get(name, F(0))) for case, _row in cases] for name, dtype in schema.items()},
        schema=schema,
    )
    place = pl.lit(0)
    for order, row in reversed(list(enumerate(terms, start=1))):
        place = pl.when(all_of(row)).then(pl.lit(order)).otherwise(place)
    assert frame.select(place=place + pl.col("lag") * 0)["place"].to_list() == [row for _case, row in cases]


def _as(dtype: type[pl.DataType], value: Example) -> object:
    if dtype == pl.String:
        return value if isinstance(value, str) else "another"
    assert isinstance(value, Fraction)
    return int(value) if dtype == pl.Int64 else float(value)


@given(
    value=st.integers(0, 3000),
    quota=st.integers(1, 2000),
    bound=st.integers(0, 2000).map(lambda n: F(n, 1000)),
    digits=st.integers(0, 3),
    sign=st.sampled_from(["<", "<=", ">", ">=", "="]),
)
def test_a_rounded_ratio_is_compared_as_its_fraction_is(
    value: int, quota: int, bound: Fraction, digits: int, sign: str
) -> None:
    (term,) = read(f"completion {sign} {number(bound)}")
    frame = pl.DataFrame({"completion": [value / quota]})
    found = frame.select(term.expression(digits, "half_up")).to_series()[0]
    assert found is term.holds(rounded(F(value, quota), digits, "half_up"))
