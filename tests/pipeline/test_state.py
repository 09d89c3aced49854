"""The state between two ticks: going on from one gives what going through at once gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.pipeline.decide import decide
from kpi_rules.pipeline.source import EvidenceSource
from kpi_rules.pipeline.state import State, joined
from tests.reference.compare import assess
from tests.reference.strategies import Question, examples, questions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import kpi_rules as kr
    from kpi_rules.pipeline.decided import Decided

OUTPUTS = ("funds", "completion", "lag", "rank")


def over(assessment: kr.Assessment, low: int, high: int, start: State | None = None) -> Decided:
    """Run the rules over some of the ticks of an assessment."""
    panel = assessment.panel
    source = panel.source
    assert isinstance(source, EvidenceSource)
    ticks = panel.ticks[low:high]
    part = evolve(panel, source=evolve(source, ticks=ticks), ticks=ticks)
    return decide(part, assessment.rulebook, outputs=OUTPUTS, start=start)


def happenings(parts: Sequence[tuple[int, Decided]]) -> list[tuple[int, str, str, list[int]]]:
    """Return what happened in parts of the year, each with the number of its first tick."""
    return sorted(
        (first + each.tick, each.rule, each.kind, each.rows.tolist())
        for first, decided in parts
        for each in (*decided.events, *decided.bookings, *decided.releases)
    )


@examples(20)
@given(questions(), st.data())
def test_going_on_from_a_state_is_going_through_at_once(question: Question, data: st.DataObject) -> None:
    assessment = assess(question)
    ticks = len(assessment.panel.ticks)
    middle = data.draw(st.integers(1, max(ticks - 1, 1)))
    at_once, first = over(assessment, 0, ticks), over(assessment, 0, middle)
    second = over(assessment, middle, ticks, first.state) if middle < ticks else None
    parts = [(0, first), *([(middle, second)] if second is not None else [])]
    assert happenings(parts) == happenings([(0, at_once)])
    last = parts[-1][1]
    assert last.frame(max(last.frames)).equals(at_once.frame(ticks - 1))
    assert {name: each.to_list() for name, each in last.active.items()} == {
        name: each.to_list() for name, each in at_once.active.items()
    }


@examples(14)
@given(questions(), st.data())
def test_a_state_is_that_of_its_parts_and_a_gathered_one_has_each_unit_as_it_was(
    question: Question, data: st.DataObject
) -> None:
    state = assess(question).decided.state
    whole = columns(state)
    cut = data.draw(st.integers(0, state.size))
    parts = [state.part(0, cut), state.part(cut, state.size - cut)]
    assert columns(joined(parts)) == whole
    rows = np.array(data.draw(st.lists(st.integers(0, state.size - 1), min_size=1, max_size=9)), dtype=np.int64)
    assert columns(state.gathered(rows)) == {name: [column[row] for row in rows] for name, column in whole.items()}


def columns(state: State) -> dict[str, list[object]]:
    """Return everything of a state as lists."""
    masks = {
        f"{kind} {name}": mask.column(state.size)
        for kind in ("active", "issued", "held", "pending")
        for name, mask in getattr(state, kind).items()
    }
    arrays = masks | {f"since {name}": each for name, each in state.since.items()} | {"lag": state.lag}
    columns = {name: each.to_list() for name, each in (state.amounts | state.counts).items()}
    return columns | {name: each.tolist() for name, each in arrays.items()}
