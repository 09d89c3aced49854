"""Sensitivity: what hangs on an item is what falls with it when it is withdrawn, and draws are held to assessments."""

from __future__ import annotations

from copy import copy
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import polars as pl
import pytest

import kpi_rules as kr
from kpi_rules.simulation import run
from kpi_rules.simulation.doubts import Errors
from kpi_rules.simulation.recredit import PARTS, TABLES, Recredit

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXAMPLES = Path(__file__).parents[2] / "examples"
AS_OF = date(2012, 3, 31)
LONG_AGO = date(1990, 1, 1)
KEYS = {"arrivals": "voucher", "visits": "visit", "projects": "project"}


@pytest.fixture(
    scope="module", params=["worked-example", "without-python", "field-duty", "guichi", "real-cases/town-d"]
)
def example(request: pytest.FixtureRequest) -> kr.Workspace:
    found = kr.load(EXAMPLES / request.param)
    assert not found.errors
    return found


def last_day(workspace: kr.Workspace) -> date:
    assert workspace.config is not None
    return workspace.config.year.end


def turned_off(workspace: kr.Workspace, wrong: dict[str, set[str]]) -> kr.Workspace:
    """Revoke rows before anything happened, as `kr.withdraw` does."""
    changes: dict[str, Any] = {}
    for table, keys in wrong.items():
        frame: pl.DataFrame = getattr(workspace.tables, table)
        gone = pl.col(KEYS[table]).is_in(list(keys))
        changes[table] = frame.with_columns(
            revoked_on=pl.when(gone).then(pl.lit(LONG_AGO)).otherwise(pl.col("revoked_on"))
        )
    other = copy(workspace)
    other.tables = attrs.evolve(workspace.tables, **changes)
    return other


def events(assessment: kr.Assessment) -> dict[tuple[str, str], set[tuple[date, str]]]:
    found: dict[tuple[str, str], set[tuple[date, str]]] = {}
    for rule, unit, tick, event in assessment.events.select("rule", "unit", "tick", "event").iter_rows():
        found.setdefault((rule, unit), set()).add((tick, event))
    return found


def test_what_hangs_on_an_item_alone_is_what_is_otherwise_without_it(example: kr.Workspace) -> None:
    found = kr.sensitivity(example, last_day(example), error_rate=0.1, draws=1, turned=1)
    recorded = events(kr.assess(example, last_day(example)))
    items = found.items.sort("table", "key")
    if "quarter_projects" in found.kept:  # a sum over projects, which a project takes with it
        items = items.filter(pl.col("table") != "projects")
    assert items["alone"].sum() > 0 or not recorded
    # An assessment each: of those on which something hangs every other one, of the rest every fifth.
    hangs = pl.col("alone") > 0
    items = pl.concat([items.filter(hangs).gather_every(2), items.filter(~hangs).gather_every(5)])
    for table, key, alone in items.select("table", "key", "alone").iter_rows():
        without = events(kr.assess(turned_off(example, {table: {key}}), last_day(example)))
        changed = [pair for pair in recorded.keys() | without.keys() if recorded.get(pair) != without.get(pair)]
        assert alone == len(changed), (table, key)


def test_a_draw_is_the_assessment_of_what_is_left(example: kr.Workspace) -> None:
    day, draws = last_day(example), 6
    assessment = kr.assess(example, day)
    recredit = Recredit(assessment)
    rates = {**dict.fromkeys(TABLES, 0.2), "projects": 0.0 if example.name == "Town D" else 0.2}
    errors = Errors.of(recredit, 3, rates, (PARTS, PARTS))
    wrong, _parts = errors.drawn(0, draws)
    found = kr.sensitivity(example, day, error_rate=rates, draws=draws, turned=1, seed=3)
    recorded = events(assessment)
    expected = {"proposed": 0, "spared": 0, "moved": 0}
    withheld = 0
    for of_draw in wrong:
        left = kr.assess(turned_off(example, by_table(recredit, of_draw)), day)
        truth = events(left)
        for pair in recorded.keys() | truth.keys():
            sides = recorded.get(pair), truth.get(pair)
            if sides[0] == sides[1]:
                continue
            expected["moved" if all(sides) else "proposed" if sides[0] else "spared"] += 1
        withheld += int(left.ledger["withheld"].sum()) - int(assessment.ledger["withheld"].sum())
    totals = dict(found.totals.select("what", "mean").iter_rows())
    assert {kind: totals[kind] * draws for kind in expected} == pytest.approx(expected)
    assert (totals["withholding_spared"] - totals["withheld"]) * draws == pytest.approx(withheld)


def by_table(recredit: Recredit, wrong: NDArray[np.bool_]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {table: set() for table in TABLES}
    for at in np.flatnonzero(wrong).tolist():
        found[TABLES[recredit.items.kind[at]]].add(recredit.items.key[at])
    return found


def test_the_order_of_projects_changes_nothing() -> None:
    example = kr.load(EXAMPLES / "worked-example")
    other = copy(example)
    other.tables = attrs.evolve(example.tables, projects=example.tables.projects.reverse())
    one, turned = (kr.sensitivity(each, AS_OF, error_rate=0.2, draws=9, turned=3) for each in (example, other))
    for name in ("rules", "totals", "measures", "items"):
        assert getattr(one, name).equals(getattr(turned, name)), name


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    example = kr.load(EXAMPLES / "worked-example")
    asked: dict[str, Any] = {"error_rate": 0.1, "draws": 23, "turned": 9, "size": (0.2, 0.9)}
    whole = kr.sensitivity(example, AS_OF, **asked)
    monkeypatch.setattr(run, "ROWS", 100)
    parts = kr.sensitivity(example, AS_OF, **asked)
    for name in ("rules", "totals", "measures", "items"):
        assert getattr(parts, name).equals(getattr(whole, name)), name


def test_no_errors_change_nothing_and_all_take_everything() -> None:
    example = kr.load(EXAMPLES / "worked-example")
    none = kr.sensitivity(example, AS_OF, error_rate=0, draws=5, turned=2)
    assert none.totals["mean"].sum() == 0
    assert none.measures.is_empty()
    assert none.items["measures"].sum() == 0
    every = kr.sensitivity(example, AS_OF, error_rate={"projects": 1}, draws=3, turned=1)
    gone = turned_off(example, {"projects": set(example.tables.projects["project"])})
    recorded, truth = events(kr.assess(example, AS_OF)), events(kr.assess(gone, AS_OF))
    totals = dict(every.totals.select("what", "mean").iter_rows())
    assert totals["proposed"] == len(recorded.keys() - truth.keys())
    assert totals["spared"] == len(truth.keys() - recorded.keys())


def test_an_overstatement_does_less_than_what_does_not_count() -> None:
    example = kr.load(EXAMPLES / "worked-example")
    whole, half, little = (
        kr.sensitivity(example, AS_OF, error_rate={"arrivals": 0.3}, size=size, draws=60, turned=1).totals
        for size in (1, Decimal("0.5"), 0.001)
    )
    fen = [each.filter(pl.col("what") == "issued")["mean"][0] for each in (whole, half, little)]
    assert fen[0] >= fen[1] >= fen[2] >= 0
    assert fen[0] > fen[2]


def test_a_voucher_that_arrived_twice_as_often_wrong_is_first() -> None:
    example = kr.load(EXAMPLES / "worked-example")
    found = kr.sensitivity(example, AS_OF, error_rate={"arrivals": 0.1}, draws=20, turned=20)
    items = found.items
    assert items.equals(items.sort("measures", "fen", "alone", descending=True, maintain_order=True))
    assert items.filter(pl.col("table") != "arrivals")["measures"].sum() == 0  # they are never wrong
    assert (items["chance"] <= 0.1).all()
    assert ((items["chance_low"] <= items["chance"]) & (items["chance"] <= items["chance_high"])).all()
    assert items["measures"].max() > 0  # type: ignore[operator]  # a column of floats


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"error_rate": 1.5}, "a share from 0 to 1"),
        ({"error_rate": {"arrival": 0.1}}, "arrivals, visits, projects"),
        ({"error_rate": 0.1, "size": 0}, "a share above 0"),
        ({"error_rate": 0.1, "size": (0.5, 0.1)}, "the lower share first"),
        ({"error_rate": 0.1, "draws": 0}, "a whole number from 1"),
        ({"error_rate": float("nan")}, "a share from 0 to 1"),
    ],
)
def test_what_is_no_rate_is_said(given: dict[str, Any], message: str) -> None:
    with pytest.raises(kr.AssessmentError, match=message):
        kr.sensitivity(kr.load(EXAMPLES / "worked-example"), AS_OF, **given)


def test_it_can_be_given_up() -> None:
    with pytest.raises(kr.CancelledError):
        kr.sensitivity(
            kr.load(EXAMPLES / "worked-example"), AS_OF, error_rate=0.1, draws=10, turned=1, cancelled=lambda: True
        )
