"""Problems between the tables: found, named, and quickly where tables are large."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.model.calendar import Year
from kpi_rules.model.problems import Place, Problem, error
from kpi_rules.workspace.config import config_from_dict
from kpi_rules.workspace.consistency import (
    claim_problems,
    consistency_problems,
    cycles_of,
    head_problems,
    quota_problems,
    quota_unit_problems,
    staff_problems,
    unit_problems,
)
from kpi_rules.workspace.schemas import SCHEMAS
from kpi_rules.workspace.tables import Tables

YEAR = Year(date(2011, 1, 1), date(2011, 12, 31))
INDICATORS = ("funds", "signed")
START, END = date(2011, 3, 1), date(2011, 9, 1)


def table(name: str, /, **columns: list[object]) -> pl.DataFrame:
    """Make a clean table; rows are numbered from 2, as in a file."""
    height = len(next(iter(columns.values())))
    given = {"row": list(range(2, height + 2)), **columns}
    return pl.DataFrame(
        {column: given.get(column, [None] * height) for column in SCHEMAS[name].dtypes}, schema=SCHEMAS[name].dtypes
    )


def units(**parents: str | None) -> pl.DataFrame:
    return table("units", unit=list(parents), name=list(parents), parent=list(parents.values()))


def summary(problems: object) -> list[tuple[str, str, int | None]]:
    assert hasattr(problems, "__iter__")
    return [(each.code, each.found, each.place.row) for each in problems]


def test_a_tree_is_fine() -> None:
    assert list(unit_problems(units(city=None, finance="city", budget="finance"))) == []


def test_no_units_at_all() -> None:
    assert summary(unit_problems(SCHEMAS["units"].empty())) == [("no-units", "no units at all", None)]
    assert list(unit_problems(SCHEMAS["units"].empty(), is_whole=False)) == []


def test_unknown_parents_once_each_with_the_nearest() -> None:
    problems = list(unit_problems(units(city=None, a="ctiy", b="ctiy", c="moon")))
    assert summary(problems) == [
        ("unknown-parent", 'the unknown parent "ctiy" in rows 3, 4', 3),
        ("unknown-parent", 'the unknown parent "moon"', 5),
    ]
    assert [each.nearest for each in problems] == ["city", None]


def test_cycles_are_named_whole() -> None:
    tree = units(root=None, c="a", a="b", b="c", leaf="a", me="me", leg="root")
    assert summary(unit_problems(tree)) == [
        ("cycle", "units above each other in a circle: a -> b -> c -> a", 4),
        ("cycle", "units above each other in a circle: me -> me", 7),
    ]


def test_a_unit_twice() -> None:
    twice = table("units", unit=["a", "b", "a"], name=["x", "y", "z"])
    assert summary(unit_problems(twice)) == [("duplicate-unit", 'the unit "a" in rows 2, 4', 4)]


@given(st.integers(1, 12).flatmap(lambda size: st.lists(st.integers(0, size), min_size=size, max_size=size)))
def test_cycles_of_any_graph(parents: list[int]) -> None:
    """Held against walking upwards from every node."""
    count = len(parents)
    on_cycle = set()
    for node in range(count):
        up = parents[node]
        for _step in range(count):
            if up in (count, node):
                break
            up = parents[up]
        on_cycle |= {node} if up == node else set()
    cycles = cycles_of(np.array(parents, dtype=np.int64))
    assert sorted(node for cycle in cycles for node in cycle) == sorted(on_cycle)
    for cycle in cycles:
        assert all(parents[node] == above for node, above in zip(cycle, [*cycle[1:], cycle[0]], strict=True))


def quotas(*rows: tuple[str, str, date]) -> pl.DataFrame:
    unit, indicator, effective = zip(*rows, strict=True)
    return table("quotas", unit=[*unit], indicator=[*indicator], amount=[100] * len(rows), effective=[*effective])


def test_quotas_in_order() -> None:
    fine = quotas(("a", "funds", YEAR.start), ("b", "funds", YEAR.start), ("a", "funds", date(2011, 7, 1)))
    assert list(quota_problems(fine, YEAR, INDICATORS)) == []
    assert list(quota_unit_problems(fine, units(a=None, b="a"))) == []


def test_quotas_of_nobody_and_of_nothing() -> None:
    strange = quotas(("finanec", "funds", YEAR.start), ("finance", "fund", YEAR.start))
    (unit,) = quota_unit_problems(strange, units(finance=None))
    assert (unit.code, unit.found, unit.nearest) == ("unknown-unit", 'the unknown unit "finanec"', "finance")
    (indicator,) = quota_problems(strange, YEAR, INDICATORS)
    assert (indicator.code, indicator.expected, indicator.nearest) == (
        "unknown-indicator",
        "one of funds, signed",
        "funds",
    )


def test_revisions() -> None:
    rows = quotas(
        ("a", "funds", date(2011, 7, 1)),
        ("a", "signed", YEAR.start),
        ("a", "funds", YEAR.start),
        ("b", "funds", YEAR.start),
        ("b", "funds", YEAR.start),
    )
    problems = list(quota_problems(rows, YEAR, INDICATORS))
    assert summary(problems) == [
        ("two-revisions-on-one-date", "b, funds: rows 5, 6 all effective from 2011-01-01", 6),
        ("revisions-out-of-order", "a, funds: 2011-01-01, below 2011-07-01 in row 2", 4),
    ]
    assert [each.severity for each in problems] == ["error", "warning"]


def test_quotas_outside_the_year_are_warnings_that_count() -> None:
    rows = quotas(*((f"u{n}", "funds", date(2010, 12, 1)) for n in range(7)), ("v", "funds", date(2012, 1, 1)))
    problems = list(quota_problems(rows, YEAR, INDICATORS))
    assert summary(problems) == [
        ("quota-before-year", "quotas effective on 2010-12-01 in rows 2, 3, 4, 5, 6 and 2 more", 2),
        ("quota-after-year", "quotas effective on 2012-01-01 in row 9", 9),
    ]
    assert {each.severity for each in problems} == {"warning"}


def claims(*rows: tuple[str, str, str, date | None, date | None]) -> pl.DataFrame:
    project, unit, share, recorded, revoked = zip(*rows, strict=True)
    return table(
        "claims",
        project=[*project],
        unit=[*unit],
        share=[int(Fraction(each) * 10**9) for each in share],
        recorded_on=[*recorded],
        revoked_on=[*revoked],
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("J1", "a", "0.7", None, None), ("J1", "b", "0.3", None, None)], None),
        (
            [("J1", "a", "0.7", None, None), ("J1", "b", "0.300000001", None, None), ("J2", "b", "1", None, None)],
            '100.0000001% of project "J1" claimed in rows 2, 3',
        ),
        # Handed over: never more than the whole at any one time.
        ([("J1", "a", "1", None, START), ("J1", "b", "1", START, None)], None),
        (
            [("J1", "a", "1", None, END), ("J1", "b", "1", START, None)],
            '200% of project "J1" claimed in rows 2, 3 from 2011-03-01 on',
        ),
        # Revoked before it was recorded: never known.
        ([("J1", "a", "1", None, None), ("J1", "b", "1", END, START)], None),
    ],
)
def test_claims(rows: list[tuple[str, str, str, date | None, date | None]], expected: str | None) -> None:
    assert [each.found for each in claim_problems(claims(*rows))] == ([] if expected is None else [expected])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["J1", "J2"]),
            st.just("u"),
            st.sampled_from(["0.5", "0.3", "1", "0.2"]),
            st.none() | st.dates(START, date(2011, 3, 5)),
            st.none() | st.dates(START, date(2011, 3, 5)),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_claims_against_every_day(rows: list[tuple[str, str, str, date | None, date | None]]) -> None:
    days = [date(2011, 2, 28), *(date(2011, 3, day) for day in range(1, 7))]
    too_much = {
        project
        for project in ("J1", "J2")
        for day in days
        if sum(
            Fraction(share)
            for name, _, share, recorded, revoked in rows
            if name == project and (recorded or date.min) <= day < (revoked or date.max)
        )
        > 1
    }
    found = [each.found.split('"')[1] for each in claim_problems(claims(*rows))]
    assert found == sorted(too_much)


def staff(*rows: tuple[str, date | None, date | None]) -> pl.DataFrame:
    person, start, end = zip(*rows, strict=True)
    return table(
        "staff",
        person=[*person],
        unit=["a"] * len(rows),
        grade=["staff"] * len(rows),
        component=[1] * len(rows),
        from_on=[*start],
        to_on=[*end],
    )


def test_staff_periods() -> None:
    rows = staff(
        ("moves", None, date(2011, 10, 15)),
        ("moves", date(2011, 10, 16), None),
        ("twice", None, None),
        ("long", date(2011, 1, 1), date(2011, 12, 31)),
        ("long", date(2011, 2, 1), date(2011, 2, 28)),
        ("long", date(2011, 12, 31), None),
        ("twice", START, END),
    )
    assert summary(staff_problems(rows)) == [
        (
            "overlapping-staff",
            'person "long" in row 5 (2011-01-01 to 2011-12-31) and in row 6 (2011-02-01 to 2011-02-28)',
            6,
        ),
        ("overlapping-staff", 'person "long" in row 5 (2011-01-01 to 2011-12-31) and in row 7 (2011-12-31 to open)', 7),
        ("overlapping-staff", 'person "twice" in row 4 (the start to open) and in row 8 (2011-03-01 to 2011-09-01)', 8),
    ]


def test_heads_on_staff() -> None:
    heads = table("units", unit=["a", "b", "c"], name=["x", "y", "z"], head=["P01", "P20", None])
    (problem,) = head_problems(heads, staff(("P01", None, None), ("P02", None, None)))
    assert (problem.code, problem.severity, problem.place.row, problem.nearest) == (
        "head-not-on-staff",
        "warning",
        3,
        "P02",
    )


def every(tables: Tables, found: list[Problem] | None = None) -> list[str]:
    config = config_from_dict({"year": {"start": YEAR.start, "end": YEAR.end}}).config
    assert config is not None
    return [each.code for each in consistency_problems(tables, config, INDICATORS, found=found or [])]


def test_everything_together_and_no_slip_twice() -> None:
    tables = Tables(
        units=table("units", unit=["a"], name=["x"], parent=["b"], head=["P1"]),
        quotas=quotas(("c", "funds", YEAR.start)),
    )
    assert every(tables) == ["unknown-parent", "unknown-unit"]
    broken = [error("missing-value", Place(table="units", row=3), found="", expected="")]
    assert every(tables, broken) == []
    assert every(Tables()) == ["no-units"]
    assert every(Tables(), broken) == []


def test_the_place_names_the_file_without_a_password() -> None:
    raw = {
        "year": {"start": YEAR.start, "end": YEAR.end},
        "tables": {
            "units": {"source": "postgresql://me:secret@host/db", "table": "units"},
            "claims": ["a.csv", "b.csv"],
        },
    }
    config = config_from_dict(raw).config
    assert config is not None
    tables = Tables(claims=claims(("J", "a", "0.6", None, None), ("J", "b", "0.6", None, None)))
    problems = consistency_problems(tables, config, INDICATORS)
    assert [each.place.file for each in problems] == ["postgresql://host/db", "a.csv, b.csv"]


def test_one_slip_among_many_rows() -> None:
    """Chains of a hundred thousand units, a million claims and staff; one name in a million is still found."""
    count = 1_000_000
    names = pl.select(pl.format("unit-{}", pl.int_range(count))).to_series()
    above = pl.select(
        pl.when(pl.int_range(count) % 100_000 > 0).then(pl.format("unit-{}", pl.int_range(count) - 1))
    ).to_series()
    many = (
        SCHEMAS["units"]
        .empty()
        .clear(count)
        .with_columns(row=pl.int_range(2, count + 2), unit=names, name=names, parent=above)
    )
    claimed = (
        SCHEMAS["claims"]
        .empty()
        .clear(count)
        .with_columns(
            row=pl.int_range(2, count + 2),
            project=names.str.replace("unit", "J"),
            unit=names,
            share=pl.lit(10**9, pl.Int64),
        )
    )
    people = (
        SCHEMAS["staff"].empty().clear(count).with_columns(row=pl.int_range(2, count + 2), person=names, unit=names)
    )
    tables = Tables(units=many, quotas=quotas(("unit-5O0", "funds", YEAR.start)), claims=claimed, staff=people)
    assert every(tables) == ["unknown-unit"]
