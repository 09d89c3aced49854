"""Effects: off by default, exact, one share a draw for all units, tick by tick."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.simulation.effects import Effort

if TYPE_CHECKING:
    from collections.abc import Sequence

AS_OF = date(2011, 6, 30)
DRAWS = 60
STATION = "field_duty.station_head"


@pytest.fixture(scope="module")
def workspace() -> kr.Workspace:
    return kr.load("examples/hundred-days")


def test_an_effect_of_nothing_changes_no_bit(workspace: kr.Workspace) -> None:
    without = kr.simulate(workspace, AS_OF, draws=DRAWS)
    nothing = kr.simulate(workspace, AS_OF, draws=DRAWS, effects=[kr.Effect(STATION, 0, 0)])
    assert nothing.digest == without.digest


def test_more_effort_brings_no_unit_less(workspace: kr.Workspace) -> None:
    without = kr.simulate(workspace, AS_OF, draws=DRAWS)
    more = kr.simulate(workspace, AS_OF, draws=DRAWS, effects=[kr.Effect(STATION, "0.1", "0.3")])
    gained = more.tally.last[0] - without.tally.last[0]
    assert gained.min() >= 0
    assert gained.max() > 0
    stationed = set(more.rules.filter(rule=STATION)["unit"])
    gaining = set(more.past.units["unit"].gather(np.flatnonzero(gained.max(axis=1))))
    # Those above a stationed unit gain with it; nobody else does.
    assert gaining <= stationed | {"city"} | set(workspace.tables.units["parent"].drop_nulls())


def test_bits_do_not_depend_on_chunks(workspace: kr.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    effects = [kr.Effect(STATION, "0.05", "0.15"), kr.Effect("field_duty.off_post", "-0.1", "0.2")]
    whole = kr.simulate(workspace, AS_OF, draws=DRAWS, effects=effects).digest
    monkeypatch.setattr("kpi_rules.simulation.run.ROWS", 97 * 7)
    assert kr.simulate(workspace, AS_OF, draws=DRAWS, effects=effects).digest == whole


def test_what_is_assumed_is_named(workspace: kr.Workspace) -> None:
    found = kr.simulate(workspace, AS_OF, draws=2, effects=[kr.Effect(STATION, "0.05", "0.15")]).assumptions
    about = found.filter(model="effect")
    assert about["about"].to_list() == [STATION]
    assert about["value"].to_list() == ["between +5.0% and +15.0% of what a unit brings in"]


@given(st.integers(0, 2**40), st.integers(-1000, 10_000), st.integers(0, 3000), st.integers(0, 500))
@settings(max_examples=60)
def test_shares_lie_between_their_ends_whatever_the_chunk(seed: int, least: int, span: int, low: int) -> None:
    most = min(least + span, 10_000)
    effect = kr.Effect(STATION, Decimal(least) / 1000, Decimal(most) / 1000)
    shares = Effort(seed, (effect,)).shares(low, low + 200)[STATION]
    assert shares.min() >= least
    assert shares.max() <= most
    part = Effort(seed, (effect,)).shares(low + 50, low + 60)[STATION]
    assert part.tolist() == shares[50:60].tolist()


def test_shares_are_spread_evenly() -> None:
    shares = Effort(3, (kr.Effect(STATION, 0, "0.009"),)).shares(0, 100_000)[STATION]
    counts = np.bincount(shares, minlength=10)
    # Ten values of 10,000 expected each; a standard deviation is 95.
    assert len(counts) == 10
    assert abs(counts - 10_000).max() < 600


@pytest.mark.parametrize(
    ("effects", "text"),
    [
        (
            [kr.Effect("field_duty.station_hed", 0, 0)],
            ["effects[0]: found field_duty.station_hed; expected the id of a rule (nearest: field_duty.station_head)"],
        ),
        (
            [kr.Effect("supervision.talk", 0, "0.1"), kr.Effect(STATION, "0.2", "0.1")],
            [
                "effects[0]: found supervision.talk; expected a rule whose measure is in force for a time",
                "effects[1]: found 0.2 | 0.1; expected a least and a most from -1 to 10, both in thousandths",
            ],
        ),
        (
            [kr.Effect(STATION, "0.0001", 1), kr.Effect(STATION, "much", 1), kr.Effect(STATION, None, 11)],
            [
                "effects[0]: found 0.0001 | 1; expected a least and a most from -1 to 10, both in thousandths",
                f"effects[1]: found {STATION}; expected one effect of each rule",
                "effects[1]: found much | 1; expected a least and a most from -1 to 10, both in thousandths",
                f"effects[2]: found {STATION}; expected one effect of each rule",
                "effects[2]: found None | 11; expected a least and a most from -1 to 10, both in thousandths",
            ],
        ),
    ],
)
def test_what_cannot_be_is_refused_all_at_once(
    workspace: kr.Workspace, effects: Sequence[kr.Effect], text: list[str]
) -> None:
    with pytest.raises(kr.AssessmentError) as refused:
        kr.simulate(workspace, AS_OF, draws=2, effects=effects)
    assert str(refused.value).splitlines() == text
