"""Tables of a policy's own in `kpi.toml`."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import kpi_rules as kr

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """
    from decimal import Decimal
    from typing import Literal

    import polars as pl
    from attrs import define

    import kpi_rules as kr


    @define(frozen=True)
    class Row:
        points: Decimal
        from_: Decimal | None = None
        count: int = 1
        on: bool = True


    @define(frozen=True)
    class Item:
        name: str
        shape: Literal["step", "tier"] = "step"
        row: tuple[Row, ...] = ()


    @define
    class Settings:
        item: tuple[Item, ...] = kr.tables(Item, label="Items")
        least: Decimal = kr.ratio("0.5", label="Least")


    @kr.hookimpl
    def kpi_settings():
        return Settings


    @kr.hookimpl
    def kpi_configured(tables):
        items = tables["item"]
        return kr.Configured(
            indicators=[kr.Indicator(f"score_{item.name}", "count", pl.lit(len(item.row), pl.Int64)) for item in items],
            problems=[
                kr.Trouble(("item", place, "row", len(item.row) - 1), "a last row", "no last row", severity="warning")
                for place, item in enumerate(items)
                if item.row
            ],
        )
"""

CONFIG = """
    [year]
    start = 2011-01-01
    end = 2011-12-31
    [tables]
    units = "units.csv"
    [plugins]
    local = ["card.py"]
    [card]
    least = 0.3
"""


def workspace(folder: Path, *sections: str) -> kr.Workspace:
    (folder / "card.py").write_text(dedent(POLICY), encoding="utf-8")
    (folder / "units.csv").write_text("unit,name\na,A\n", encoding="utf-8")
    (folder / "kpi.toml").write_text("".join(map(dedent, (CONFIG, *sections))), encoding="utf-8")
    return kr.load(folder)


def test_items_become_what_the_policy_makes_of_them(tmp_path: Path) -> None:
    found = workspace(tmp_path, '[[card.item]]\nname = "one"\n[[card.item.row]]\nfrom = 0.1\npoints = 3\n')
    assert [problem.message for problem in found.problems] == [
        "kpi.toml, line 13, card.item[1].row[1]: found a last row; expected no last row"
    ]
    units = kr.assess(found).units
    assert units["score_one"].unique().to_list() == [1]


def test_without_items_the_policy_gets_none(tmp_path: Path) -> None:
    found = workspace(tmp_path)
    assert not found.problems
    assert not [name for name in kr.assess(found).units.columns if name.startswith("score_")]


def test_every_problem_has_its_line_and_nothing_is_half_applied(tmp_path: Path) -> None:
    found = workspace(
        tmp_path,
        '[[card.item]]\nname = 3\nshape = "stp"\nrows = 1\n',
        '[[card.item]]\nname = "two"\n[[card.item.row]]\nfrom = 1.1\npoints = 2\n',
        '[[card.item]]\nname = "three"\n[[card.item.row]]\nfrom = "x"\ncount = 1.5\non = 1\n',
    )
    assert [problem.message.removeprefix("kpi.toml, ") for problem in found.problems] == [
        "line 12, card.item[1].name: found 3; expected a text in quotes",
        'line 13, card.item[1].shape: found "stp"; expected one of "step", "tier" (nearest: step)',
        "line 14, card.item[1].rows: found the unknown key rows; expected one of name, shape, row (nearest: row)",
        "line 22, card.item[3].row[1].points: found no key points; expected a value for it, as it has no default",
        'line 23, card.item[3].row[1].from: found "x"; expected a decimal of at most 9 places and 1000000000 at most',
        "line 24, card.item[3].row[1].count: found 1.5; expected a whole number",
        "line 25, card.item[3].row[1].on: found 1; expected true or false",
        "line 17, card.item[2].row[1]: found a last row; expected no last row",
    ]


def test_a_single_table_wants_double_brackets(tmp_path: Path) -> None:
    (problem,) = workspace(tmp_path, '[card.item]\nname = "one"\n').problems
    assert problem.message == (
        "kpi.toml, line 11, card.item: found a table of keys; expected [[card.item]] in double brackets for each"
    )


def test_a_misspelt_key_is_near_a_table(tmp_path: Path) -> None:
    (problem,) = workspace(tmp_path, '[[card.items]]\nname = "one"\n').problems
    assert problem.code == "unknown-key"
    assert problem.nearest == "item"
