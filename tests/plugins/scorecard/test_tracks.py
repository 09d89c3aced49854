"""Totals, grades, vetoes, ranks, and who is named."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, get_args

import polars as pl
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_rules.model.expressions import correctly_rounded
from kpi_scorecard.config import (
    BlackList,
    Deduction,
    Grade,
    Item,
    Prize,
    RedList,
    Rounding,
    Row,
    Table,
    Track,
    Veto,
)
from tests.plugins.scorecard.making import built, evaluated, rounded, sound

if TYPE_CHECKING:
    from typing import Literal

D = Decimal


def item(name: str, indicator: str, points: str) -> Item:
    return Item(name, indicator, D(points), "proportional", "full")


@pytest.mark.parametrize(("missing", "expected"), [("rescale", [55.0, 100.0, None]), ("leave", [55.0, 70.0, None])])
def test_what_is_without_a_target_leaves_the_weight(
    missing: Literal["rescale", "leave"], expected: list[float | None]
) -> None:
    one = sound(track=[Track("t", missing)], item=[item("funds", "funds", "70"), item("signed", "signed", "30")])
    figures = {"funds": [5, 10, 1], "funds_quota": [10, 10, None], "signed": [2, 2, 2], "signed_quota": [3, None, None]}
    found = evaluated(one, figures)
    assert found["score_t"].to_list() == expected
    assert found["without_t_signed"].to_list() == [False, True, True]


@given(
    worth=st.lists(st.tuples(st.integers(1, 99), st.integers(0, 9999), st.booleans()), min_size=1, max_size=6),
    missing=st.sampled_from(["rescale", "leave"]),
    digits=st.integers(0, 9),
    way=st.sampled_from(get_args(Rounding)),
)
@settings(max_examples=80, deadline=None)
def test_totals_are_those_of_exact_fractions(
    worth: list[tuple[int, int, bool]], missing: Literal["rescale", "leave"], digits: int, way: Rounding
) -> None:
    items = [item(f"i{n}", f"x{n}", str(points)) for n, (points, _value, _absent) in enumerate(worth)]
    one = sound(track=[Track("t", missing, digits=digits, rounding=way)], item=items)
    figures: dict[str, list[int | None]] = {f"x{n}": [value] for n, (_points, value, _absent) in enumerate(worth)}
    figures |= {f"x{n}_quota": [None if absent else 7000] for n, (*_, absent) in enumerate(worth)}
    columns = {name: pl.Series(values, dtype=pl.Int64) for name, values in figures.items()}
    found = evaluated(one, columns)["score_t"][0]
    present = [(points, value) for points, value, absent in worth if not absent]
    if not present:
        assert found is None
        return
    shares = [points * min(Fraction(1), Fraction(value, 7000)) for points, value in present]
    got = sum((rounded(share, 9, "half_up") for share in shares), Fraction(0))
    if missing == "rescale":
        got *= Fraction(sum(points for points, *_ in worth), sum(points for points, _value in present))
    assert found == float(rounded(got, digits, way))


def test_what_no_row_covers_takes_the_total_with_it() -> None:
    table = Table("speed", (Row(D(20), ("completion >= 1", "kind = a")), Row(D(5), ("completion < 1",))))
    one = built(track=[Track("t", "rescale")], table=[table], item=[item("funds", "funds", "80")])
    assert [problem.code for problem in one.problems] == ["table-gap"]
    figures = {
        "completion": [1.0, 1.0, 1.0, 0.5, None],
        "kind": ["a", "b", None, "b", "a"],
        "funds": [10] * 5,
        "funds_quota": [10] * 5,
    }
    found = evaluated(one, figures)
    assert found["row_t_speed"].to_list() == [1, 0, 0, 2, None]
    assert found["score_t"].to_list() == [100.0, None, None, 85.0, 100.0]
    (rule,) = (each for each in one.rules if each.name == "uncovered_t_speed")
    asked = found.with_columns(at_year_end=pl.lit(value=True)).select(rule.when).to_series().to_list()
    assert asked == [False, True, True, False, False]
    assert rule.reason.endswith("nothing says what completion {completion}, kind {kind} is worth")


def test_every_row_says_when_it_applies() -> None:
    table = Table("speed", (Row(D(20), ("completion >= 1",)), Row(D(5))), match="first")
    one = sound(track=[Track("t", "leave")], table=[table])
    (score,) = (each for each in one.indicators if each.name == "score_t_speed")
    frame = pl.DataFrame({"completion": [1.0, 0.5]})
    held = {name: frame.select(pl.col("completion").is_not_null() & here) for name, here in score.rows.items()}
    assert {name: found.to_series().to_list() for name, found in held.items()} == {
        "row 1": [True, False],
        "row 2": [True, True],
    }


def test_deductions_stop_at_their_floor() -> None:
    one = sound(
        track=[Track("t", "leave")],
        deduction=[
            Deduction("late", "lag", D(20), D("3.5"), D(5), free=1),
            Deduction("days", "days", D(0), D(1), D(-3)),
        ],
    )
    found = evaluated(one, {"lag": [0, 1, 2, 5, 9, None], "days": [0.0, 1.5, 2.0, 3.0, 4.0, None]})
    assert found["score_t_late"].to_list() == [20.0, 20.0, 16.5, 6.0, 5.0, None]
    assert found["score_t_days"].to_list() == [0.0, -1.5, -2.0, -3.0, -3.0, None]


GRADES = (Grade("A", ("score >= 90",)), Grade("B", ("60 <= score < 90",)), Grade("C", ("score < 60",)))


def test_grades_compare_what_is_rounded() -> None:
    one = sound(track=[Track("t", "leave", digits=1, grade=GRADES)], item=[item("funds", "funds", "100")])
    found = evaluated(one, {"funds": [89950, 89949, 60000, 59949, None], "funds_quota": [100000] * 5})
    assert found["score_t"].to_list() == [90.0, 89.9, 60.0, 59.9, None]
    assert found["grade_t"].to_list() == ["A", "B", "B", "C", None]


def test_grades_between_two_roundings_leave_no_gap() -> None:
    grades = (Grade("A", ("score >= 60",)), Grade("B", ("score <= 59.9",)))
    items = [item("funds", "funds", "100")]
    assert built(track=[Track("t", "leave", digits=1, grade=grades)], item=items).problems == ()
    (gap,) = built(track=[Track("t", "leave", digits=2, grade=grades)], item=items).problems
    assert gap.found == "no row for 59.9 < score < 60, for example score = 59.91"


def test_a_veto_shuts_out_of_ranking_and_prizes_and_not_of_the_black_list() -> None:
    one = sound(
        track=[Track("t", "leave")],
        item=[item("funds", "funds", "100")],
        veto=[Veto("talks", ("lag >= 3",), "exclude")],
        prize=[Prize("first", top=1)],
        red_list=[RedList("good", when=("score >= 50",))],
        black_list=[BlackList("last", last=1, when=("funds_completion < 1",))],
    )
    figures = {"funds": [100, 90, 10, 5], "funds_quota": [100] * 4, "lag": [3, 0, 0, None]}
    frame = evaluated(one, figures).with_columns(
        at_year_end=pl.lit(value=True), funds_completion=pl.col("funds") / pl.col("funds_quota")
    )
    assert frame["veto_t"].to_list() == [True, False, False, False]
    assert frame["score_t"].to_list() == [100.0, 90.0, 10.0, 5.0]
    named = {rule.name: frame.select(rule.when).to_series().to_list() for rule in one.rules}
    assert named["prize_first"] == [False, True, False, False]
    assert named["red_list_good"] == [False, True, False, False]
    assert named["black_list_last"] == [False, False, False, True]


def test_a_veto_may_set_the_total_to_nothing() -> None:
    one = sound(
        track=[Track("t", "leave")],
        item=[item("funds", "funds", "100")],
        veto=[Veto("talks", ("lag >= 3",), "zero")],
    )
    found = evaluated(one, {"funds": [100, 90, 80], "funds_quota": [100, 100, None], "lag": [3, 0, 3]})
    assert found["score_t"].to_list() == [0.0, 90.0, None]


def test_ties_share_a_rank_from_both_ends() -> None:
    one = sound(track=[Track("t", "leave")], item=[item("funds", "funds", "100")])
    figures = {"funds": [9, 5, 9, 1, 3], "funds_quota": [10] * 5, "group": ["a", "a", "a", "a", "b"]}
    found = evaluated(one, figures)
    assert found["rank_t"].to_list() == [1, 3, 1, 4, 1]
    assert found["last_t"].to_list() == [3, 2, 3, 1, 1]


def test_a_list_may_be_a_state_and_look_when_it_says() -> None:
    one = sound(
        track=[Track("t", "leave", grade=GRADES)],
        item=[item("funds", "funds", "100")],
        black_list=[BlackList("weak", grades=("C",), until=("score >= 60",), at="quarter_end")],
        prize=[Prize("good", grades=("A", "B"), amount="5万")],
    )
    rules = {rule.name: rule for rule in one.rules}
    frame = evaluated(one, {"funds": [5, 7], "funds_quota": [10, 10]}).with_columns(
        at_year_end=pl.lit(value=False), at_quarter_end=pl.lit(value=True)
    )
    weak, good = rules["black_list_weak"], rules["prize_good"]
    assert frame.select(weak.when).to_series().to_list() == [True, False]
    assert weak.until is not None
    assert frame.select(weak.until).to_series().to_list() == [False, True]
    assert frame.select(good.when).to_series().to_list() == [False, False]
    assert good.amount is not None
    assert frame.select(good.amount).to_series().to_list() == [5_000_000]


def test_two_tracks_are_apart() -> None:
    one = sound(
        track=[Track("projects", "leave"), Track("money", "leave")],
        item=[
            Item("signed", "signed", D(50), "proportional", "full", track="projects"),
            Item("funds", "funds", D(50), "proportional", "full", track="money"),
        ],
        red_list=[RedList("p", track="projects", top=1), RedList("m", track="money", top=1)],
    )
    figures = {"signed": [4, 1], "signed_quota": [4, 4], "funds": [1, 4], "funds_quota": [4, 4]}
    frame = evaluated(one, figures).with_columns(at_year_end=pl.lit(value=True))
    named = {rule.name: frame.select(rule.when).to_series().to_list() for rule in one.rules}
    assert named["red_list_p"] == [True, False]
    assert named["red_list_m"] == [False, True]


def test_a_track_of_many_items_and_a_table_of_many_rows_can_be_read() -> None:
    rows = tuple(Row(D(n), (f"{n / 1000:.3f} <= completion < {(n + 1) / 1000:.3f}",)) for n in range(60))
    one = built(
        track=[Track("t", "rescale"), Track("many", "leave")],
        table=[Table("tiers", rows, "t", ratio_digits=3)],
        item=[Item(f"i{n}", "funds", D(1), "proportional", "full", "many") for n in range(70)],
    )
    assert [problem.code for problem in one.problems] == ["table-gap"]
    one = evolve(one, indicators=[evolve(each, value=correctly_rounded(each.value)) for each in one.indicators])
    ratios = [n / 1000 for n in range(0, 65, 7)]
    size = len(ratios)
    found = evaluated(one, {"completion": ratios, "funds": [1] * size, "funds_quota": [2] * size})
    worth = [n if n < 60 else None for n in range(0, 65, 7)]
    assert found["score_t_tiers"].to_list() == worth
    assert found["row_t_tiers"].to_list() == [0 if each is None else each + 1 for each in worth]
    assert found["score_many"].to_list() == [35.0] * size
