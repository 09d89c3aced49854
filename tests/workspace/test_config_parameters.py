"""The sections of policies against the settings they declare."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from attrs import define

from kpi_rules.model.calendar import Year
from kpi_rules.model.settings import (
    Parameters,
    choice,
    count,
    declared_settings,
    flag,
    money,
    ratio,
    texts,
)
from kpi_rules.workspace.config import read_config, read_parameters

if TYPE_CHECKING:
    from kpi_rules.model.problems import Problem

YEAR = Year(date(2011, 1, 1), date(2011, 12, 31))
GROUPS = ("economic", "social")


@define(frozen=True)
class Settings:
    below: Decimal = ratio("0.5", label="Below", maximum="2")  # noqa: RUF009 (makes a field)
    prize: int = money("5万", label="Prize", maximum="10万")
    talks: int = count(3, label="Talks", minimum=1)
    strict: bool = flag(default=False, label="Strict")
    grades: tuple[str, ...] = texts(("head",), label="Grades", choices=("head", "section", "staff"))
    rounding: str = choice("down", label="Rounding", choices=("down", "half_up"))


DECLARED = declared_settings("duty", Settings)


def read(text: str, groups: tuple[str, ...] = GROUPS) -> tuple[Parameters, list[Problem]]:
    document = read_config("[year]\nstart = 2011-01-01\nend = 2011-12-31\n" + text)
    assert document.problems == []
    return read_parameters(
        document.sections,
        DECLARED,
        groups=groups,
        plugins=("duty", "rewards", "bare"),
        enabled=("duty", "bare"),
        year=YEAR,
        file=document.file,
        text=document.lines,
    )


def test_plain_values_of_every_kind() -> None:
    parameters, problems = read(
        '[duty]\nbelow = 1\nprize = "3.5万"\ntalks = 2\nstrict = true\n'
        'grades = ["head", "staff"]\nrounding = "half_up"\n'
    )
    assert problems == []
    found = {name: parameters.at(name, YEAR.start, None).value for name in DECLARED}
    assert found == {
        "duty.below": Decimal(1),
        "duty.prize": 3_500_000,
        "duty.talks": 2,
        "duty.strict": True,
        "duty.grades": ("head", "staff"),
        "duty.rounding": "half_up",
    }


def test_an_entry_knows_its_place_and_a_default_has_none() -> None:
    parameters, _ = read("[duty]\nbelow = [\n  {value = 0.4},\n  {value = 0.6, from = 2011-07-01},\n]\n")
    first, second = parameters.entries["duty.below"]
    assert str(first.origin) == "kpi.toml, line 6, duty.below[1]"
    assert str(second.origin) == "kpi.toml, line 7, duty.below[2]"
    assert parameters.at("duty.talks", YEAR.start, None).origin is None


def test_dated_and_per_group() -> None:
    parameters, problems = read(
        "[duty]\nbelow = [{value = 0.5}, {value = 0.4, from = 2011-07-01}, "
        '{value = 0.6, group = "economic", from = 2011-07-01}, {value = 0.7, from = 2012-03-01}]\n'
    )
    assert problems == []
    found = [
        parameters.at("duty.below", on, group).value
        for on in (date(2011, 6, 30), date(2011, 7, 1), date(2012, 3, 31))
        for group in (None, "economic", "social")
    ]
    assert found == [Decimal(value) / 10 for value in (5, 5, 5, 4, 6, 4, 7, 6, 7)]


def test_a_list_of_texts_is_a_value_and_a_list_of_tables_is_dated() -> None:
    parameters, problems = read('[duty]\ngrades = [{value = ["staff"], from = 2011-02-01}]\n')
    assert problems == []
    assert parameters.at("duty.grades", date(2011, 2, 1), None).value == ("staff",)
    parameters, problems = read("[duty]\ngrades = []\n")
    assert problems == []
    assert parameters.at("duty.grades", YEAR.start, None).value == ()


@pytest.mark.parametrize(
    ("line", "code", "key", "near"),
    [
        ("below = 2.5", "parameter-out-of-bounds", "below", None),
        ('below = "0.5"', "wrong-kind", "below", None),
        ("below = 0.1234567891", "wrong-kind", "below", None),
        ("below = inf", "wrong-kind", "below", None),
        ("below = 1e999999999", "wrong-kind", "below", None),
        ("below = {value = 0.5}", "wrong-kind", "below", None),
        ("below = []", "wrong-kind", "below", None),
        ("prize = 100000.01", "parameter-out-of-bounds", "prize", None),
        ("prize = 1.234", "wrong-kind", "prize", None),
        ("talks = 1.5", "wrong-kind", "talks", None),
        ("talks = 0", "parameter-out-of-bounds", "talks", None),
        ("talks = true", "wrong-kind", "talks", None),
        ("strict = 1", "wrong-kind", "strict", None),
        ('grades = ["head", "secton"]', "parameter-out-of-bounds", "grades", "section"),
        ('grades = "head"', "wrong-kind", "grades", None),
        ('rounding = "halfup"', "parameter-out-of-bounds", "rounding", "half_up"),
        ("bellow = 0.5", "unknown-key", "bellow", "below"),
        ('below = [{value = 0.5, group = "econmic"}]', "unknown-group", "below[1].group", "economic"),
        ("below = [{value = 0.5, form = 2011-03-01}, {value = 0.4}]", "unknown-key", "below[1].form", "from"),
        ("below = [{from = 2011-03-01}]", "missing-key", "below[1].value", None),
        ("below = [{value = 0.5}, 0.4]", "wrong-kind", "below[2]", None),
        ('below = [{value = 0.5, from = "2011-03-01"}]', "wrong-kind", "below[1].from", None),
        ("below = [{value = 0.5}, {value = 0.4}]", "duplicate-entry", "below[2]", None),
    ],
)
def test_slips(line: str, code: str, key: str, near: str | None) -> None:
    _, problems = read(f"[duty]\n{line}\n")
    found = [(problem.code, problem.place.key, problem.place.line, problem.nearest) for problem in problems]
    assert found == [(code, f"duty.{key}", 5, near)]


def test_a_value_from_before_the_year_is_only_a_warning() -> None:
    parameters, problems = read("[duty]\nbelow = [{value = 0.4, from = 2010-07-01}]\n")
    assert [(problem.code, problem.severity) for problem in problems] == [("parameter-before-year", "warning")]
    assert parameters.at("duty.below", YEAR.start, None).value == Decimal("0.4")


def test_no_groups_at_all() -> None:
    _, problems = read('[duty]\nbelow = [{value = 0.4, group = "x"}]\n', groups=())
    assert [problem.expected for problem in problems] == ["no group, as the table units names none"]


def test_a_broken_value_leaves_the_other_entries() -> None:
    parameters, problems = read("[duty]\nbelow = [{value = 9}, {value = 0.4, from = 2011-02-01}]\ntalks = 7\n")
    assert [problem.place.key for problem in problems] == ["duty.below[1].value"]
    assert [entry.value for entry in parameters.entries["duty.below"]] == [Decimal("0.4")]
    assert parameters.at("duty.talks", YEAR.start, None).value == 7


def test_sections_that_belong_to_nobody() -> None:
    _, problems = read("[dutty]\nbelow = 0.5\n[rewards]\noutstanding = 1.2\n[bare]\nx = 1\n[[ruling]]\nid = 1\n")
    assert [(problem.code, problem.place.key, problem.place.line, problem.nearest) for problem in problems] == [
        ("unknown-section", "dutty", 4, "duty"),
        ("plugin-not-enabled", "rewards", 6, None),
        ("unknown-key", "bare.x", 9, None),
        ("unknown-section", "ruling", 10, "rule"),
    ]


def test_keys_outside_of_any_section() -> None:
    document = read_config("tolerance = 0.1\n[year]\nstart = 2011-01-01\nend = 2011-12-31\n")
    _, problems = read_parameters(document.sections, {}, groups=(), plugins=(), file=document.file, text=document.lines)
    assert [(problem.code, problem.place.line, problem.nearest) for problem in problems] == [
        ("unknown-key", 1, "pace.tolerance")
    ]


def test_the_text_serves_as_well_as_its_lines() -> None:
    text = "[duty]\nbelow = 9\n"
    for given in (text, text.encode()):
        _, problems = read_parameters({"duty": {"below": 9}}, DECLARED, groups=(), plugins=(), text=given)
        assert [problem.place.line for problem in problems] == [2]
