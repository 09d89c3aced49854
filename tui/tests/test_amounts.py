from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules_tui.amounts import Scale, percent, signed_percent, whole

fen = st.integers(-kr.LIMIT, kr.LIMIT)


def test_an_amount_in_each_unit() -> None:
    assert [scale.show(3_555_115_651) for scale in Scale] == ["35,551,156.51", "3,555.12", "0.3555"]
    assert [scale.show(None) for scale in Scale] == ["", "", ""]
    assert [scale.said(100_000_000) for scale in Scale] == ["1,000,000.00 yuan", "100.00万 yuan", "0.0100亿 yuan"]


def test_an_amount_to_the_fen_has_the_places_that_takes() -> None:
    assert [scale.exact(82_000) for scale in Scale] == ["820.00", "0.082", "0.0000082"]
    assert [scale.exact(3_500_000_000) for scale in Scale] == ["35,000,000.00", "3,500.00", "0.3500"]
    assert [scale.exact(None) for scale in Scale] == ["", "", ""]
    assert [Scale.WAN.exactly_signed(fen) for fen in (82_000, -82_000, 0, None)] == ["+0.082", "-0.082", "0", ""]
    assert Scale.WAN.said(82_000) == "0.082万 yuan"


def test_units_follow_each_other() -> None:
    assert Scale.YUAN.next().next().next() is Scale.YUAN


@given(fen)
def test_yuan_are_exact(amount: int) -> None:
    assert Decimal(Scale.YUAN.show(amount).replace(",", "")) * 100 == amount


@given(fen, st.sampled_from(list(Scale)))
def test_nothing_is_rounded_away_where_it_is_to_the_fen(amount: int, scale: Scale) -> None:
    assert Decimal(scale.exact(amount).replace(",", "")) * scale.value[0] == amount


@given(fen, st.sampled_from(list(Scale)))
def test_other_units_are_rounded_to_the_places_shown(amount: int, scale: Scale) -> None:
    size, places = scale.value[:2]
    shown = Decimal(scale.show(amount).replace(",", ""))
    assert abs(shown * size - amount) * 2 <= size / Decimal(10) ** places


@given(fen)
def test_a_difference_has_its_sign(amount: int) -> None:
    text = Scale.YUAN.signed(amount)
    assert text[0] == ("+" if amount > 0 else "-" if amount < 0 else "0")


def test_shares() -> None:
    assert [percent(0.84649), percent(None), percent(1.0, 0)] == ["84.6%", "", "100%"]
    assert [signed_percent(0.021), signed_percent(-0.5), signed_percent(0.0), signed_percent(None)] == [
        "+2.1",
        "-50.0",
        "0",
        "",
    ]
    assert [whole(1234567), whole(None)] == ["1,234,567", ""]
