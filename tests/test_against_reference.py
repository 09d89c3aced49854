"""The engine against the plain evaluator of `tests/reference`, on cases made by Hypothesis and on the example."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

import kpi_rules as kr
from tests.reference.build import to_folder, to_workspace
from tests.reference.case import Arrival, Case, Claim, Project, Unit
from tests.reference.compare import expected, hold_against, panel_of, said
from tests.reference.evaluator import evaluate
from tests.reference.read import read
from tests.reference.strategies import cases, decided, examples, limited, questions

if TYPE_CHECKING:
    from tests.reference.strategies import Question

EXAMPLE = Path(__file__).parents[1] / "examples" / "worked-example"


@examples(25)
@given(questions())
def test_same_figures_events_and_ledger(question: Question) -> None:
    hold_against(question)


@examples(15)
@given(decided())
def test_same_with_decisions(question: Question) -> None:
    hold_against(question)


@examples(15)
@given(limited())
def test_same_under_legal_limits(question: Question) -> None:
    hold_against(question)


@examples(5)
@given(cases())
def test_a_folder_reads_like_frames(tmp_path_factory: pytest.TempPathFactory, case: Case) -> None:
    from_folder = kr.load(to_folder(case, tmp_path_factory.mktemp("case")))
    in_memory = to_workspace(case)
    assert from_folder.errors == in_memory.errors == []
    first, second = kr.assess(from_folder), kr.assess(in_memory)
    assert first.units.equals(second.units, null_equal=True)
    assert said(first) == said(second)


@examples(5)
@given(cases())
def test_a_folder_reads_back_as_the_case(tmp_path_factory: pytest.TempPathFactory, case: Case) -> None:
    assert read(to_folder(case, tmp_path_factory.mktemp("case"))) == case


@pytest.mark.parametrize(
    ("as_of", "known_at"),
    [
        (date(2012, 3, 31), None),
        (date(2011, 12, 31), None),
        (date(2011, 10, 20), None),
        (date(2012, 3, 31), date(2011, 7, 1)),
    ],
)
def test_worked_example(as_of: date, known_at: date | None) -> None:
    case = read(EXAMPLE)
    assessment = kr.assess(kr.load(EXAMPLE), as_of=as_of, known_at=known_at)
    outcome = evaluate(case, as_of, known_at)
    found = panel_of(assessment)
    assert len(found) == len(outcome.panel) * len(case.units)
    for tick, units in outcome.panel.items():
        for unit, figures in units.items():
            for name, figure in figures.items():
                wanted = figure if figure is None or isinstance(figure, int) else float(figure)
                assert found[tick, unit][name] == wanted, (tick, unit, name)
    assert said(assessment) == expected(case, outcome)


@pytest.mark.parametrize(
    ("claims", "funds", "unclaimed"),
    [
        ((), {"a": 1000, "b": 0}, []),
        ((Claim("J", "nowhere", Decimal("0.5")),), {"a": 0, "b": 0}, [1000]),
        ((Claim("J", "nowhere", Decimal("0.5")), Claim("J", "b", Decimal("0.3"))), {"a": 0, "b": 300}, [700]),
        ((Claim("J", "b", Decimal("0.3"), revoked_on=date(2011, 1, 2)),), {"a": 1000, "b": 0}, []),
    ],
)
def test_a_claim_in_quarantine_leaves_its_share_unclaimed(
    claims: tuple[Claim, ...], funds: dict[str, int], unclaimed: list[int]
) -> None:
    case = Case(
        date(2011, 1, 1),
        date(2011, 12, 31),
        (Unit("a"), Unit("b")),
        projects=(Project("J", "a", recognised_on=date(2011, 1, 1)),),
        claims=claims,
        arrivals=(Arrival("V", "J", 1000, date(2011, 1, 5)),),
        unvisited="vouchers",
    )
    assessment = kr.assess(to_workspace(case), as_of=date(2011, 1, 31))
    assert dict(assessment.units.select("unit", "funds").rows()) == funds
    assert assessment.unclaimed["amount"].to_list() == unclaimed
