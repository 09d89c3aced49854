"""The hand-written contenders of the batch do the same, and what they do is what the rules say."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.harness import DisagreementError
from benchmarks.peers import numpy_blocked, numpy_plain
from benchmarks.year import (
    LEAVE_POST,
    MONTHS,
    OFF_POST,
    PER_GROUP,
    SECTION,
    STATION_HEAD,
    TALK,
    UNIFORM,
    Population,
    Terms,
    agree,
    population,
    values_at,
)

TERMS = pytest.mark.parametrize("terms", [UNIFORM, PER_GROUP], ids=["equal", "per group"])


@TERMS
@pytest.mark.parametrize("units", [1, numpy_blocked.BLOCK + 1])
def test_blocked_equals_plain(units: int, terms: Terms) -> None:
    people = population(units)
    agree("blocked", numpy_blocked.run(people, terms), "plain", numpy_plain.run(people, terms))


@TERMS
def test_openfisca_equals_plain(terms: Terms) -> None:
    peer = pytest.importorskip("benchmarks.peers.openfisca_peer", reason="openfisca-core is in the group bench")
    people = population(2_000)
    agree("OpenFisca", peer.run(people, peer.System(terms)), "plain", numpy_plain.run(people, terms))


def test_a_unit_that_never_gets_anything_goes_through_all_consequences() -> None:
    nothing = np.zeros(1, dtype=np.int64)
    people = Population(np.array([100]), np.zeros(1, dtype=np.uint8), (nothing,) * MONTHS)
    found = numpy_plain.run(people, UNIFORM)
    when = {(rule, event): month for (month, rule, event), places in found.events.items() if len(places)}
    assert when[TALK, "issued"] == 4
    assert when[STATION_HEAD, "started"] == 4
    assert when[SECTION, "started"] == 6
    assert when[OFF_POST, "started"] == 10
    assert when[STATION_HEAD, "superseded"] == 10
    assert when[LEAVE_POST, "started"] == when[OFF_POST, "superseded"] == when[SECTION, "superseded"] == 12
    assert [month for month, rule, event in found.events if event == "withheld"] == [7, 8, 9, 10, 11, 12]
    assert found.held.all()


def test_what_was_withheld_is_released_when_the_task_is_met() -> None:
    done = [np.array([100 if month >= 11 else 0]) for month in range(1, MONTHS + 1)]
    people = Population(np.array([100]), np.zeros(1, dtype=np.uint8), tuple(done))
    found = numpy_plain.run(people, UNIFORM)
    happened = [key for key, places in found.events.items() if len(places)]
    assert [month for month, _rule, event in happened if event == "withheld"] == [7, 8, 9, 10]
    assert [month for month, _rule, event in happened if event == "released"] == [11]
    assert not found.held.any()
    assert not any(active.any() for active in found.active.values())


def test_a_groups_own_entry_wins_over_a_later_one_for_all() -> None:
    assert values_at(PER_GROUP, "field_duty.station_gap", 6) == ("0.25", "0.25", "0.25", "0.3")
    assert values_at(PER_GROUP, "field_duty.station_gap", 7) == ("0.2", "0.2", "0.2", "0.3")


def test_a_difference_is_named() -> None:
    people = population(500)
    with pytest.raises(DisagreementError, match=r"b differs from a in \d+ figures: 04 field_duty"):
        agree("b", numpy_plain.run(people, PER_GROUP), "a", numpy_plain.run(people, UNIFORM))
