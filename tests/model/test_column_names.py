"""What columns are called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.model.column_names import columns_called
from kpi_rules.model.columns import rule_schema
from kpi_rules.model.contributions import Indicator

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _chinese() -> Iterator[None]:
    kr.set_language("zh")
    yield
    kr.set_language("en")


ADDED = {
    "jobs": Indicator("jobs", "count", pl.col("contracted") > 0, table="projects", label="新增岗位"),
    "shops": Indicator("shops", "count", pl.lit(1)),
    "lagging": Indicator("lagging", "flag", pl.lit(value=True), label="Lagging"),
}


def test_every_column_of_the_library_that_a_rule_may_read_has_a_chinese_name() -> None:
    called = columns_called({})
    assert called.keys() == rule_schema({}, {}).keys()
    assert all(re.search("[\u4e00-\u9fff]", text) and not re.search("[a-z_]", text) for text in called.values())
    assert len(set(called.values())) == len(called)


def test_indicators_of_policies_go_by_their_own_labels_where_they_have_any() -> None:
    called = columns_called(ADDED)
    assert called["jobs"] == "新增岗位"
    assert called["jobs_completion"] == "新增岗位的完成率"
    assert called["lagging"] == "Lagging"
    assert "shops" not in called
    assert called.keys() <= rule_schema(ADDED, {}).keys()


def test_in_english_names_are_what_is_written_in_conditions() -> None:
    kr.set_language("en")
    assert columns_called(ADDED) == {}
