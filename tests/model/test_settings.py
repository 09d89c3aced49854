"""Settings as policies declare them, and the values in force on a date for a group."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules import choice, count, flag, money, parameters, ratio, texts
from kpi_rules.model.problems import Place
from kpi_rules.model.settings import Entry, Parameters, declared_settings


@define
class Settings:
    below: Decimal = ratio("0.5", label="Below", minimum="0.1", maximum="0.9")
    cap: int = money("1500万", label="Cap", maximum="2亿")
    months: int = count(3, label="Months", minimum=1, maximum=12)
    strict: bool = flag(True, label="Strict")  # noqa: FBT003 (a default)
    grades: tuple[str, ...] = texts(("head",), label="Grades", choices=("head", "section"))
    tone: str = choice("mild", label="Tone", choices=("mild", "firm"))


DECLARED = declared_settings("winter", Settings)


def read(name: str, raw: object) -> object:
    return DECLARED[f"winter.{name}"].read(raw)


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("below", 0.1, Decimal("0.1")),
        ("below", Decimal("0.9"), Decimal("0.9")),
        ("below", 0.123456789, Decimal("0.123456789")),
        ("cap", "2亿", 20_000_000_000),
        ("cap", 30000.5, None),  # money is text, a whole number or a Decimal: a float may not be what was written
        ("cap", Decimal("30000.50"), 3_000_050),
        ("cap", 5, 500),
        ("months", 1, 1),
        ("months", 12, 12),
        ("strict", False, False),
        ("grades", ["section", "head"], ("section", "head")),
        ("tone", "firm", "firm"),
    ],
)
def test_values_within_the_bounds_are_taken_the_bounds_included(name: str, raw: object, value: object) -> None:
    assert read(name, raw) == value


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("below", 0.0999),
        ("below", 0.9000000001),
        ("below", 0.90001),
        ("below", "0.5"),
        ("below", True),
        ("below", float("nan")),
        ("below", float("inf")),
        ("cap", "200000001.00"),
        ("cap", "-1"),
        ("cap", "0.001"),
        ("cap", True),
        ("months", 0),
        ("months", 13),
        ("months", 2.0),
        ("months", True),
        ("strict", 1),
        ("grades", ["head", "driver"]),
        ("grades", "head"),
        ("grades", [1]),
        ("tone", "loud"),
        ("tone", None),
    ],
)
def test_other_values_are_none(name: str, raw: object) -> None:
    assert read(name, raw) is None


def test_what_is_expected_names_bounds_and_choices() -> None:
    assert DECLARED["winter.below"].expected == "a decimal of at most nine places from 0.1 to 0.9, both inclusive"
    assert DECLARED["winter.cap"].expected == "an amount such as 1500万 or 30000.50 from 0.00 to 2亿, both inclusive"
    assert DECLARED["winter.grades"].expected == "a list of texts out of head, section"


def test_every_number_has_bounds_so_that_no_product_wraps() -> None:
    @define
    class Open:
        share: Decimal = ratio("1", label="Share", minimum=None)
        pay: int = money("1", label="Pay")
        months: int = count(1, label="Months")

    share, pay, months = declared_settings("open", Open).values()
    assert (share.minimum, share.maximum) == (Decimal(-100_000), Decimal(100_000))
    assert (pay.read("2000亿"), pay.read("2000.01亿")) == (2 * 10**13, None)
    assert (months.read(10**9), months.read(10**19)) == (10**9, None)


def test_settings_read_back_as_they_are_shown() -> None:
    assert [setting.show(setting.default) for setting in DECLARED.values()] == [
        "0.5",
        "1500万",
        "3",
        "true",
        "[head]",
        "mild",
    ]


def test_a_field_that_is_no_setting_is_the_authors_error() -> None:
    @define
    class Broken:
        size: int = 5

    with pytest.raises(TypeError, match=r"Broken.size of winter is no setting; make it with one of ratio, money"):
        declared_settings("winter", Broken)


def test_a_misspelt_parameter_names_the_nearest() -> None:
    p = parameters("winter", Settings)
    assert p.below.meta.root_names() == ["winter.below"]
    with pytest.raises(AttributeError, match=r"winter has no setting 'bellow'; nearest: below"):
        _ = p.bellow


@pytest.mark.parametrize(
    "declare",
    [
        lambda: money("much", label="m"),
        lambda: money("1", label="m", minimum="little"),
        lambda: money("1", label="m", maximum="much"),
        lambda: money("5", label="m", maximum="4"),
        lambda: ratio("0.5", label="r", maximum="0.4"),
        lambda: ratio("0.1234567891", label="r"),
        lambda: count(0, label="c", minimum=1),
        lambda: choice("a", label="c", choices=("b",)),
        lambda: texts(("a",), label="t", choices=("b",)),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused_at_import(declare: Any) -> None:  # noqa: ANN401 (a call)
    with pytest.raises(ValueError, match=r"is no|not "):
        declare()


# In force


def entry(value: str, since: date | None = None, group: str | None = None) -> Entry:
    return Entry(Decimal(value), since, group, Place("kpi.toml"))


JULY = date(2011, 7, 1)
ENTRIES = (
    entry("0.5"),
    entry("0.4", JULY),
    entry("0.6", JULY, "economic"),
    entry("0.7", date(2011, 9, 1)),
    entry("0.2", None, "social"),
)
BOOK = Parameters(DECLARED, {"winter.below": ENTRIES})


@pytest.mark.parametrize(
    ("on", "group", "value"),
    [
        (date(2011, 1, 1), None, "0.5"),
        (date(2011, 6, 30), "economic", "0.5"),
        (JULY, None, "0.4"),
        (JULY, "economic", "0.6"),
        (date(2011, 8, 31), "other", "0.4"),
        (date(2011, 9, 1), "other", "0.7"),
        (date(2011, 9, 1), "economic", "0.6"),  # its own group wins over a later one for all
        (date(2011, 12, 31), "social", "0.2"),
    ],
)
def test_the_groups_own_entry_then_the_latest_from(on: date, group: str | None, value: str) -> None:
    assert BOOK.at("winter.below", on, group).value == Decimal(value)


def test_without_an_entry_in_force_the_default_holds_and_has_no_origin() -> None:
    late = Parameters(DECLARED, {"winter.below": (entry("0.4", JULY),)})
    assert late.at("winter.below", date(2011, 6, 30), None) == Entry(Decimal("0.5"))
    assert late.at("winter.below", JULY, None).origin == Place("kpi.toml")
    assert late.at("winter.months", JULY, "economic") == Entry(3)


def test_replacing_leaves_the_others() -> None:
    other = BOOK.replace({"winter.months": [Entry(5)]})
    assert other.at("winter.months", JULY, None).value == 5
    assert BOOK.at("winter.months", JULY, None).value == 3
    assert other.at("winter.below", JULY, None).value == Decimal("0.4")
    assert BOOK.groups_named("winter.below") == ["economic", "social"]


DAYS = st.dates(date(2011, 1, 1), date(2011, 12, 31))
GROUPS = st.sampled_from([None, "a", "b"])


@given(
    st.lists(
        st.builds(Entry, st.integers(0, 9), st.none() | DAYS, GROUPS), unique_by=lambda each: (each.from_on, each.group)
    ),
    DAYS,
    GROUPS,
)
def test_order_of_entries_does_not_matter_and_none_is_in_force_early(
    entries: list[Entry], on: date, group: str | None
) -> None:
    found = Parameters(DECLARED, {"winter.months": tuple(entries)}).at("winter.months", on, group)
    assert found == Parameters(DECLARED, {"winter.months": tuple(reversed(entries))}).at("winter.months", on, group)
    in_force = [each for each in entries if (each.from_on or on) <= on and each.group in (None, group)]
    if not in_force:
        assert found == Entry(3)
        return
    assert found in in_force
    own = [each for each in in_force if each.group == group] if group is not None else []
    rivals = own or [each for each in in_force if each.group is None]
    assert found in rivals
    assert all((each.from_on or date.min) <= (found.from_on or date.min) for each in rivals)


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "below": st.decimals(Decimal("0.1"), Decimal("0.9"), places=9),
    "cap": st.integers(0, 2_0000_0000_00),
    "months": st.integers(1, 12),
    "strict": st.booleans(),
    "grades": st.lists(st.sampled_from(["head", "section"])).map(tuple),
    "tone": st.sampled_from(["mild", "firm"]),
}


@pytest.mark.parametrize("name", VALUES)
@given(data=st.data())
def test_what_is_shown_is_read_when_it_is_typed(data: st.DataObject, name: str) -> None:
    setting, value = DECLARED[f"winter.{name}"], data.draw(VALUES[name])
    assert setting.read(setting.typed(setting.show(value))) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [("below", "1e-1"), ("below", "NaN"), ("below", ""), ("below", "0.1_0"), ("grades", "head,,section")],
)
def test_what_is_typed_and_is_none_of_the_kind_stays_a_text(name: str, text: str) -> None:
    setting = DECLARED[f"winter.{name}"]
    assert setting.typed(text) == text
    assert setting.read(setting.typed(text)) is None
