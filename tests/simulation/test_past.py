"""What a simulation starts from, and whom it carries on: leaving silent units out changes nothing."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.simulation import past as of_past
from kpi_rules.simulation.basis import parents_of, tree_of
from kpi_rules.simulation.futures import futures
from kpi_rules.simulation.job import job_of
from kpi_rules.simulation.past import past
from tests.pipeline.making import workspace
from tests.simulation.oracle import Given

if TYPE_CHECKING:
    from pathlib import Path

    from kpi_rules.simulation.past import Past

AS_OF = date(2011, 6, 30)
DRAWS = 30
RULE = """
[[rule]]
name = "{name}"
kind = "notice"
subject = "unit"
when = "{when}"
until = "{until}"
reason = ""
"""
TREE = {
    "units": """\
        unit,name,parent,group,head
        city,City,,,
        west,West,city,,
        finance,Finance,west,economic,P01
        books,Bookkeeping,finance,social,
        desk,Desk,books,,
        water,Water,city,social,P04
        """
}


def rule(when: str, until: str = "completion >= 1", name: str = "x") -> str:
    return RULE.format(name=name, when=when, until=until)


def kept(place: Path, toml: str, as_of: date = AS_OF, **more: str) -> Past:
    found = workspace(place, toml=toml, tables={**TREE, **more})
    assert found.errors == []
    return past(found, as_of)


@pytest.mark.parametrize(
    ("when", "units"),
    [
        ("at_month_end AND completion < 0.5", "finance water"),
        ("at_month_end AND rank > 1", "finance water"),
        ("at_month_end AND group_size > rank", "finance water"),
        ("at_year_end AND completion IS NULL AND \\\"group\\\" = 'social'", "books finance water"),
        ('at_year_end AND lag = 0 AND \\"group\\" IS NULL', "city desk finance water west"),
        ("at_month_end AND lag >= 1", "finance water"),
        ("at_month_end AND funds > 100", "books city desk finance water west"),
        ("at_month_end AND campaign_funds > 100", "books city desk finance water west"),
        ("at_month_end AND campaign_completion < 0.5", "finance water"),
        ("at_month_end AND campaign_rank > 1", "books city desk finance water west"),
        ("at_month_end AND expected > 0.5", "books city desk finance water west"),
        ("completion < 1 OR signed > 2", "books city desk finance water west"),
    ],
)
def test_units_without_a_target_are_carried_where_a_rule_may_concern_them(
    tmp_path: Path, when: str, units: str
) -> None:
    assert sorted(kept(tmp_path, rule(when)).units["unit"]) == units.split()


def test_a_unit_without_a_target_is_carried_while_a_measure_of_it_lasts(tmp_path: Path) -> None:
    toml = rule("at_quarter_end AND completion IS NULL AND unit = 'books'", "at_year_end")
    assert sorted(kept(tmp_path, toml, AS_OF).units["unit"]) == ["books", "finance", "water"]
    # Nothing can fire after the third quarter, but what is in force goes on.
    last = toml.replace("at_quarter_end", "at_mid_year")
    assert sorted(kept(tmp_path / "last", last, date(2011, 9, 30)).units["unit"]) == ["books", "finance", "water"]
    ended = last.replace("at_year_end", "at_quarter_end")
    assert sorted(kept(tmp_path / "ended", ended, date(2011, 9, 30)).units["unit"]) == ["finance", "water"]


def test_a_target_that_is_set_later_is_one(tmp_path: Path) -> None:
    quotas = "unit,indicator,amount,effective\nwater,funds,1000.00,2011-01-01\nbooks,funds,9.00,2011-11-01\n"
    found = kept(tmp_path, rule("completion < 1"), quotas=quotas)
    assert sorted(found.units["unit"]) == ["books", "water"]
    counts = quotas + "finance,signed,3,2011-01-01\n"
    other = kept(tmp_path / "other", rule("completion < 1"), quotas=counts)
    assert sorted(other.units["unit"]) == ["books", "water"]


def test_homes_and_what_is_rolled_up(tmp_path: Path) -> None:
    found = kept(tmp_path, rule("completion < 1"))
    names = ["city", "west", "finance", "books", "desk", "water"]
    kept_names = found.units["unit"].to_list()
    home = dict(zip(names, [kept_names[row] if row >= 0 else "" for row in found.basis.home], strict=True))
    assert home == {
        "city": "",
        "west": "",
        "finance": "finance",
        "books": "finance",
        "desk": "finance",
        "water": "water",
    }
    below, above = found.below
    assert {(kept_names[a], kept_names[b]) for a, b in zip(below, above, strict=True)} == {
        ("finance", "finance"),
        ("water", "water"),
    }
    whole = kept(tmp_path / "whole", rule("funds > 0"))
    below, above = whole.below
    pairs = [(names[a], names[b]) for a, b in zip(below, above, strict=True)]
    assert sorted(pairs) == sorted(
        [(name, name) for name in names]
        + [(name, "city") for name in names[1:]]
        + [("finance", "west"), ("books", "west"), ("desk", "west"), ("books", "finance"), ("desk", "finance")]
        + [("desk", "books")]
    )


CONDITIONS = (
    "at_month_end AND completion < 0.6",
    "at_month_end AND completion IS NULL AND \\\"group\\\" = 'social'",
    "at_quarter_end AND pace_gap > 0.1",
    "at_month_end AND lag = 0 AND \\\"group\\\" = 'social'",
    "at_year_end AND rank <= 1",
    "at_month_end AND NOT (completion >= 0.5)",
    "at_year_end AND (completion IS NULL AND unit = 'books' OR completion < 1)",
    "at_month_end AND lag >= 2",
)


@pytest.mark.parametrize("number", range(4))
def test_leaving_units_out_changes_nothing(tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = CONDITIONS[2 * number : 2 * number + 2]
    toml = rule(first, "at_year_end", "x") + rule(second, "completion >= 0.9", "y")
    found = workspace(tmp_path, enabled=("pay_withholding", "rewards"), toml=toml, tables=TREE)
    assert found.errors == []
    until = date(2012, 2, 29)
    fewer = past(found, AS_OF, until)
    monkeypatch.setattr(of_past, "fires_without", lambda *_given: "perhaps")
    every = past(found, AS_OF, until)
    assert len(every.units) == 6
    assert len(fewer.units) < 6
    # What units bring in is the same; of whose own it is forecast is another matter.
    chunk = futures(every, 1).chunk(0, DRAWS)
    days = tuple(chunk.step(here) for here in range(len(every.ticks)))
    names = {"funds", *fewer.needed}
    fewer_days = tuple({name: each[fewer.rows] for name, each in day.items() if name in names} for day in days)
    less, more = job_of(fewer, Given(fewer_days)).run(0, DRAWS), job_of(every, Given(days)).run(0, DRAWS)
    left_out = sorted(set(range(6)) - set(fewer.rows.tolist()))
    for of_less, of_more in ((less.hit, more.hit), (less.months, more.months), (less.money, more.money)):
        for name, each in of_more.items():
            assert of_less[name].tolist() == each[fewer.rows].tolist(), name
            assert not each[left_out].any(), name


@given(st.integers(1, 12), st.integers(0, 2**32))
def test_any_tree_is_rolled_up_to_every_ancestor(size: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    parents = [int(random.integers(-1, row)) if row else -1 for row in range(size)]
    units = pl.DataFrame(
        {
            "unit": [f"u{row}" for row in range(size)],
            "parent": [None if parent < 0 else f"u{parent}" for parent in parents],
        },
        schema={"unit": pl.String, "parent": pl.String},
    )
    rows = np.flatnonzero(random.random(size) < 0.7)
    home, (below, above) = tree_of(parents_of(units), rows)
    place = {int(row): number for number, row in enumerate(rows)}

    def line(row: int) -> list[int]:
        return [] if row < 0 else [row, *line(parents[row])]

    assert home.tolist() == [next((place[up] for up in line(row) if up in place), -1) for row in range(size)]
    wanted = [(place[row], place[up]) for row in place for up in line(row) if up in place]
    assert sorted(zip(below.tolist(), above.tolist(), strict=True)) == sorted(wanted)
