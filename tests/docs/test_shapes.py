"""The page of shapes: every snippet is loaded as a workspace without errors, every workspace it names has cases."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import tomli
from attrs import define

import kpi_rules as kr
from kpi_rules.hooks.manager import installed
from tests.cases.making import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = (ROOT / "docs" / "shapes.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| \[(?P<number>\d+)\. .*\]\(#(?P<anchor>[^)]*)\) \| (?P<free>yes|no) \| \[.*\]\(\.\./(?P<case>[^)]*)\) \|$",
    re.MULTILINE,
)


@define(frozen=True)
class Shape:
    """One section of the page: its number, its configuration and its tables."""

    number: int
    toml: str
    tables: Mapping[str, str]


def shapes() -> list[Shape]:
    """Read the sections of the page."""
    found = []
    for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        number = int(part.partition(".")[0])
        (toml,) = re.findall(r"^```toml\n(.*?)^```$", part, flags=re.MULTILINE | re.DOTALL)
        tables = re.findall(r"^```csv file=\S*?/(\w+)\.csv\n(.*?)^```$", part, flags=re.MULTILINE | re.DOTALL)
        found.append(Shape(number, toml, dict(tables)))
    return found


def test_all_24_are_there_and_at_least_18_without_python() -> None:
    rows = [match.groupdict() for match in ROW.finditer(PAGE)]
    assert [int(row["number"]) for row in rows] == list(range(1, 25))
    assert [shape.number for shape in shapes()] == list(range(1, 25))
    assert sum(row["free"] == "yes" for row in rows) >= 18


@pytest.mark.parametrize("match", list(ROW.finditer(PAGE)), ids=lambda match: match["number"])
def test_the_workspace_of_a_shape_has_cases(match: re.Match[str]) -> None:
    assert list((ROOT / match["case"] / "cases").glob("*.toml"))
    title = re.search(rf"^## {match['number']}\. (.*)$", PAGE, flags=re.MULTILINE)
    assert title is not None
    assert match["anchor"] == f"{match['number']}-" + re.sub(r"[^\w\- ]", "", title[1].lower()).replace(" ", "-")


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: str(shape.number))
def test_every_snippet_is_a_workspace_without_errors(shape: Shape) -> None:
    config: dict[str, Any] = tomli.loads(shape.toml, parse_float=Decimal)
    config.setdefault("year", {"start": date(2011, 1, 1), "end": date(2011, 12, 31)})
    config["plugins"] = {"enabled": sorted(set(config) & set(installed()))}
    units = pl.DataFrame({"unit": ["unit", "other"], "name": ["a unit", "another"], "group": ["industry", "trade"]})
    tables = {name: pl.read_csv(BytesIO(text.encode()), infer_schema=False) for name, text in shape.tables.items()}
    loaded = kr.Workspace(config, {"units": units, **tables})
    assert [problem.message for problem in loaded.problems] == []
    assert all(len(getattr(loaded.tables, name)) == len(frame) for name, frame in tables.items())
