"""Formulas over arrays give what polars gives, or say that they are not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.model.expressions import correctly_rounded
from kpi_rules.pipeline.columns import Figures, PerGroup, joined
from kpi_rules.pipeline.evaluating import exactly
from kpi_rules.pipeline.formulas import UnfitError, formula

if TYPE_CHECKING:
    from collections.abc import Mapping

C = pl.col
SCHEMA = {"a": pl.Int64, "b": pl.Int64, "r": pl.Float64, "t": pl.Boolean, "u": pl.Boolean}
"""Whole numbers, a ratio, and what is true or false."""

ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-50, 50) | st.integers(-(10**13), 10**13),
        st.none() | st.integers(-3, 3) | st.integers(1, 10**13),
        st.none() | st.integers(-400, 400).map(lambda value: value / 100),
        st.none() | st.booleans(),
        st.none() | st.booleans(),
    ),
    min_size=1,
    max_size=12,
)

COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")

CONSTANTS = st.integers(-3, 200).map(lambda value: pl.lit(value, pl.Int64))
NONE = st.just(pl.lit(None))


def conditional(value: st.SearchStrategy[pl.Expr]) -> st.SearchStrategy[pl.Expr]:
    """Return one of two values by a condition, one of them perhaps null."""
    pairs = st.one_of(st.tuples(value, value), st.tuples(value, NONE), st.tuples(NONE, value))
    return st.tuples(TRUTHS, pairs).map(lambda of: pl.when(of[0]).then(of[1][0]).otherwise(of[1][1]))


WHOLES: st.SearchStrategy[pl.Expr] = st.deferred(
    lambda: st.one_of(
        st.sampled_from([C("a"), C("b")]),
        CONSTANTS,
        st.tuples(WHOLES, WHOLES).map(lambda two: two[0] + two[1]),
        st.tuples(WHOLES, WHOLES).map(lambda two: two[0] - two[1]),
        st.tuples(WHOLES, CONSTANTS).map(lambda two: two[0] * two[1]),
        st.tuples(WHOLES, WHOLES).map(lambda two: two[0] // two[1]),
        st.tuples(WHOLES, st.integers(1, 9)).map(lambda two: two[0] % two[1]),
        WHOLES.map(lambda one: one.abs()),
        WHOLES.map(lambda one: one.cast(pl.Int128).cast(pl.Int64, strict=False)),
        st.tuples(WHOLES, st.integers(-5, 50)).map(lambda two: two[0].clip(upper_bound=pl.lit(two[1], pl.Int64))),
        TRUTHS.map(lambda one: one.cast(pl.Int64)),
        conditional(WHOLES),
    )
)

RATIOS: st.SearchStrategy[pl.Expr] = st.deferred(
    lambda: st.one_of(
        st.just(C("r")),
        st.tuples(WHOLES, WHOLES).map(lambda two: two[0] / two[1]),
        st.tuples(RATIOS, RATIOS).map(lambda two: two[0] + two[1]),
        st.tuples(RATIOS, CONSTANTS).map(lambda two: two[0] * two[1]),
        RATIOS.map(lambda one: one.round(0)),
        RATIOS.map(lambda one: one.abs()),
        conditional(RATIOS),
    )
)

TRUTHS: st.SearchStrategy[pl.Expr] = st.deferred(
    lambda: st.one_of(
        st.sampled_from([C("t"), C("u"), C("a") < C("b"), C("r") >= 1]),
        st.tuples(TRUTHS, TRUTHS).map(lambda two: two[0] & two[1]),
        st.tuples(TRUTHS, TRUTHS).map(lambda two: two[0] | two[1]),
        st.lists(TRUTHS, min_size=1, max_size=3).map(pl.all_horizontal),
        st.lists(TRUTHS, min_size=1, max_size=3).map(pl.any_horizontal),
        TRUTHS.map(lambda one: ~one),
        WHOLES.map(lambda one: one.is_null()),
        RATIOS.map(lambda one: one.is_not_null()),
        st.tuples(WHOLES, WHOLES, st.sampled_from(COMPARISONS)).map(lambda of: getattr(of[0], of[2])(of[1])),
        st.tuples(RATIOS, RATIOS, st.sampled_from(COMPARISONS)).map(lambda of: getattr(of[0], of[2])(of[1])),
        conditional(TRUTHS),
    )
)


def columns(frame: pl.DataFrame) -> Mapping[str, Figures]:
    """Return a frame's columns as figures; what is true or false is false where it is not known."""
    return {
        each.name: Figures(
            each.fill_null(strategy="zero").to_numpy()
            if each.dtype != pl.Boolean
            else each.fill_null(value=False).to_numpy(),
            True if not each.null_count() else each.is_not_null().to_numpy(),
        )
        for each in frame.get_columns()
    }


def values(found: Figures, rows: int) -> list[object]:
    """Return what a formula gave as polars shows it."""
    given, known = found.columns(rows)
    return [value if there else None for value, there in zip(given.tolist(), known.tolist(), strict=True)]


def same(expression: pl.Expr, frame: pl.DataFrame) -> bool:
    """Hold a formula against polars; say whether it was fit."""
    made = formula(expression)
    assert made is not None, str(expression)
    try:
        found = made.of(columns(frame))
    except UnfitError:
        return False
    expected = exactly(frame, correctly_rounded(expression))
    assert values(found, len(frame)) == expected.to_list(), str(expression)
    if found.is_truth:
        given, known = found.columns(len(frame))
        assert not (given & ~known).any()
    least, most = found.bounds
    assert all(least <= value <= most for value in expected.drop_nulls().to_list())
    return True


@given(ROWS, st.one_of(TRUTHS, WHOLES, RATIOS))
def test_a_formula_gives_what_polars_gives(rows: list[tuple[object, ...]], expression: pl.Expr) -> None:
    same(expression, pl.DataFrame(rows, schema=SCHEMA, orient="row"))


@pytest.mark.parametrize(
    "expression",
    [
        C("a") / C("b"),
        (C("a") - C("b")) * 10 // C("c"),
        pl.when(C("a") >= C("b")).then(C("a") - C("b")),
        pl.when(C("t")).then(1.5).otherwise(C("a")),
        (C("r") * 1_000_000_000).round().cast(pl.Int64, strict=False) / 1_000_000_000,
        ~(C("t") & (C("r") < 2)),
        pl.any_horizontal(C("a").is_null(), C("t")),
        C("a").clip(lower_bound=0, upper_bound=20) + 1,
        C("t").is_null().cast(pl.Int64) * 3,
        pl.lit(3) > pl.lit(2),
    ],
)
def test_these_are_fit(expression: pl.Expr) -> None:
    rows = [(5, 3, 0.5, True, 7), (None, 0, 2.5, None, 1), (-4, None, None, False, 2), (1, 1, 3.5, None, 3)]
    frame = pl.DataFrame(rows, schema=["a", "b", "r", "t", "c"], orient="row")
    assert same(expression, frame)


@pytest.mark.parametrize(
    "expression", [C("a") * C("b"), C("a") * 10**6 * 10**6 * 10**6, C("a") // C("b"), C("r") / C("r")]
)
def test_what_may_leave_64_bits_or_be_no_number_is_not_fit(expression: pl.Expr) -> None:
    frame = pl.DataFrame({"a": [2**40], "b": [-(2**40)], "r": [0.5]})
    assert not same(expression, frame)


@pytest.mark.parametrize(
    "expression", [C("a").sum(), C("name") == "x", C("a").sqrt(), C("r").round(2), C("a").max().over("b")]
)
def test_more_than_there_are_steps_for_is_no_formula(expression: pl.Expr) -> None:
    assert formula(expression) is None


def test_a_formula_says_what_it_reads() -> None:
    made = formula(pl.when(C("t")).then(C("a") + C("a")).otherwise(3))
    assert made is not None
    assert made.reads == {"t", "a"}


def test_narrow_numbers_and_parameters_of_groups_are_columns() -> None:
    limit = PerGroup(2, ((3, np.array([False, True, False])),))
    made = formula(C("lag") * 1_000 >= C("limit") * 1_000)
    assert made is not None
    found = made.of({"lag": np.array([2, 2, 255], dtype=np.uint8), "limit": limit})
    assert values(found, 3) == [True, False, True]


def test_indicators_that_read_each_other_too_deep_are_not_fit() -> None:
    made = formula(C("next") + 1)
    assert made is not None

    class Endless(dict[str, Figures]):
        def __missing__(self, name: str) -> Figures:
            assert made is not None
            return made.of(self)

    with pytest.raises(UnfitError):
        made.of(Endless())


def test_parts_are_joined() -> None:
    known = np.array([True, False])
    found = joined([Figures(1), Figures(np.array([2, 3]), known), Figures(0, known=False)], [2, 2, 1])
    assert values(found, 5) == [1, 1, 2, None, None]
    assert joined([Figures(1), Figures(2)], [1, 1]).known is True


@given(st.lists(st.tuples(st.integers(-(10**15), 10**15), st.integers(0, 10**9)), min_size=1), st.integers(1, 10**9))
def test_an_amount_is_exact_or_left_to_others(pairs: list[tuple[int, int]], divisor: int) -> None:
    one, other = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    exact = formula((C("one") - 3) * C("other") // divisor + C("one") % divisor + C("one") * 0)
    assert exact is not None
    found = exact.whole({"one": one, "other": other}, len(pairs))
    expected = [(first - 3) * second // divisor + first % divisor for first, second in pairs]
    assert found is None or found.tolist() == expected
    if max(abs(first - 3) for first, _second in pairs) * max(second for _first, second in pairs) < 2**62:
        assert found is not None
    wide = exact.whole({"one": one + 10**16, "other": other + 10**9}, len(pairs))
    assert wide is None


def test_an_amount_is_a_whole_number_that_is_known() -> None:
    for expression in (C("a") / 2, C("a") > 1, pl.when(C("a") > 1).then(C("a"))):
        made = formula(expression)
        assert made is not None
        assert made.whole({"a": np.array([1, 2])}, 2) is None
    made = formula(pl.lit(7, pl.Int64))
    assert made is not None
    found = made.whole({}, 2)
    assert found is not None
    assert found.tolist() == [7, 7]
