"""Names for expressions: each of the library's is listed, and any other is a column all the same."""

from __future__ import annotations

from copy import deepcopy

from attrs import define

import kpi_rules as kr
from kpi_rules.model.calendar import MOMENTS
from kpi_rules.model.columns import rule_schema


@define(frozen=True)
class Settings:
    share: object = kr.ratio("0.5", label="Share")
    after: int = kr.count(3, label="After")


def test_every_parameter_is_listed() -> None:
    assert dir(kr.parameters("demo", Settings)) == ["after", "share"]


def test_every_moment_is_listed_and_is_its_column() -> None:
    assert [f"at_{name}" for name in type(kr.at).__annotations__] == list(MOMENTS)
    assert [getattr(kr.at, name).meta.output_name() for name in type(kr.at).__annotations__] == list(MOMENTS)


def test_every_indicator_is_listed_and_is_its_column() -> None:
    own = [name for name in rule_schema({}, {}) if name not in MOMENTS]
    assert dir(kr.unit) == sorted(own)
    assert [getattr(kr.unit, name).meta.output_name() for name in own] == own


def test_an_indicator_of_a_policy_is_a_column_too() -> None:
    assert kr.unit.missing_funds.meta.output_name() == "missing_funds"
    assert deepcopy(kr.unit).funds.meta.output_name() == "funds"
