"""Strategies for what changes credit: evidence in any order, claims without shares, factors, sizes, samples, caps, and
the project that counts as the whole task; on top of the cases of `strategies`.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.reference.case import Entry, Factor, Sample, Size
from tests.reference.strategies import Calendar, Question, cases, claim_tables, decimals, lives, questions

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

    from tests.reference.case import Case, Project, Value

EVIDENCE = (
    ("visits", "vouchers"),
    ("visits", "vouchers", "declared"),
    ("declared", "visits"),
    ("evaluations", "vouchers"),
    ("vouchers",),
    ("declared",),
    (),
)
SHARING = ("equal", "host_half", "first_introducer", "agreed")
WORDS = {"sector": ("industry", "energy", None), "kind": ("new", None), "origin": ("abroad", "home", None)}
FACTORS = ("0.8", "1.5", "0.333333333", "0", "1", "2.000000001")


@st.composite
def declared(draw: DrawFn, project: Project, units: list[str], calendar: Calendar, scale: int) -> Project:
    """Draw what a project says of itself beside its dates."""
    maybe_unit = st.sampled_from([*units, None, None])
    return replace(
        project,
        sector=draw(st.sampled_from(WORDS["sector"])),
        kind=draw(st.sampled_from(WORDS["kind"])),
        origin=draw(st.sampled_from(WORDS["origin"])),
        host=draw(maybe_unit),
        introducer=draw(maybe_unit),
        declared=draw(st.none() | st.integers(0, 4000).map(lambda amount: amount * scale)),
        declared_on=draw(st.none() | calendar.days()),
    )


@st.composite
def factors(draw: DrawFn, calendar: Calendar) -> tuple[Factor, ...]:
    """Draw conversion factors, for some of what a project may be."""
    row = st.builds(
        Factor,
        *(st.sampled_from(words) for words in WORDS.values()),
        decimals(*FACTORS),
        st.none() | calendar.early(),
    )
    unique = st.lists(row, max_size=6, unique_by=lambda row: (row.sector, row.kind, row.origin, row.effective))
    return tuple(draw(unique))


@st.composite
def adjustments(draw: DrawFn, case: Case, calendar: Calendar) -> dict[str, tuple[Entry, ...]]:
    """Draw parameters of `[adjustment]`: amounts about those that there are, for all or for a group, from the start or
    a date.
    """
    amounts = [row.amount // part for row in case.arrivals for part in (2, 3, 10, 1)] or [1000]
    money = st.sampled_from(amounts).map(lambda fen: Decimal(min(fen, 10**13)) / 100)
    values: dict[str, st.SearchStrategy[Value]] = {
        "samples": st.sampled_from(("all", "declared", "off")),
        "eligibility": st.booleans(),
        **dict.fromkeys(("project_cap", "claim_cap", "unit_cap"), money),
        "whole_task_from": money | st.just(Decimal("0.01")),
    }
    groups = sorted({unit.group for unit in case.units if unit.group is not None})
    found = {}
    for name in sorted(values):
        if draw(st.sampled_from((True, False))):
            continue
        row = st.builds(Entry, values[name], st.sampled_from([None, *groups]), st.none() | calendar.early())
        rows = st.lists(row, min_size=1, max_size=3, unique_by=lambda entry: (entry.group, entry.since))
        found[f"adjustment.{name}"] = tuple(draw(rows))
    return found


@st.composite
def crediting_cases(draw: DrawFn) -> Case:
    """Draw a case in which credit comes about in every way it can."""
    case = draw(cases())
    calendar = Calendar(case.start, case.end, case.campaigns, case.reviews)
    units = [unit.unit for unit in case.units]
    scale = draw(st.sampled_from((1, 10**6)))
    silent = {project.project for project in case.projects if draw(st.sampled_from((True, True, False)))}
    sharing = draw(st.sampled_from(SHARING))
    claims = tuple(
        replace(claim, share=None) if claim.project in silent and sharing != "agreed" else claim
        for claim in case.claims or draw(claim_tables([each.project for each in case.projects], units, calendar))
    )
    amount = st.integers(0, 3000).map(lambda fen: fen * scale)
    samples = tuple(
        Sample(
            f"A{n}",
            draw(st.sampled_from([*units, None, None])),
            draw(amount),
            draw(amount),
            draw(calendar.early()),
            *draw(lives(calendar)),
        )
        for n in range(draw(st.integers(0, 3)))
    )
    sizes = st.builds(Size, st.sampled_from(WORDS["sector"]), amount, st.none() | calendar.early())
    return replace(
        case,
        projects=tuple(draw(declared(project, units, calendar, scale)) for project in case.projects),
        claims=claims,
        sharing=sharing,
        evidence=draw(st.sampled_from(EVIDENCE)),
        factors=draw(factors(calendar)),
        samples=samples,
        eligibility=tuple(draw(st.lists(sizes, max_size=3, unique_by=lambda row: (row.sector, row.effective)))),
        parameters={**case.parameters, **draw(adjustments(case, calendar))},
    )


def crediting_questions() -> st.SearchStrategy[Question]:
    """Draw such a case and dates to assess it at."""
    return questions(crediting_cases())
