"""Credit in every way it can come about: the engine against the plain evaluator, and laws that hold of all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from hypothesis import given

from tests.reference.compare import hold_against
from tests.reference.credit import claims, parts
from tests.reference.crediting import crediting_questions
from tests.reference.strategies import examples

if TYPE_CHECKING:
    from datetime import date

    import kpi_rules as kr
    from tests.reference.case import Case
    from tests.reference.strategies import Question

STAGES = ("claim_cap", "unit_cap", "whole_task")


@examples(14)
@given(crediting_questions())
def test_same_figures_events_and_ledger_and_every_law_of_credit(question: Question) -> None:
    """One property: to draw and to assess such a case costs far more than to hold it against all of this."""
    assessment, _outcome = hold_against(question)
    case, known_at = question.case, question.known_at or question.as_of
    parts_are_those_of_the_reference(assessment, case, known_at)
    shares_conserve_and_caps_only_cut(assessment)
    shares_of_a_project_are_never_more_than_the_whole(assessment, case, known_at)


def parts_are_those_of_the_reference(assessment: kr.Assessment, case: Case, known_at: date) -> None:
    for tick in assessment.ticks:
        wanted = parts(case, tick.on, known_at)[0]
        found = assessment.waterfall.filter(pl.col("tick") == tick.on, pl.col("recognised"))
        shared = {(row["project"], row["unit"]): row["shared"] for row in found.iter_rows(named=True)}
        assert {key: part for key, part in shared.items() if part} == {
            key: part for key, part in wanted.items() if part
        }


def shares_conserve_and_caps_only_cut(assessment: kr.Assessment) -> None:
    waterfall = assessment.waterfall
    last = [name for name in STAGES if name in waterfall.columns]
    split = "split" if last else "shared"
    claimed = waterfall.group_by("project", "tick").agg(pl.col(split).sum(), pl.col("adjusted").first())
    left = claimed.join(assessment.unclaimed, on=["project", "tick"], how="left").with_columns(
        pl.col("amount").fill_null(0)
    )
    assert left.filter(pl.col(split) + pl.col("amount") != pl.col("adjusted")).is_empty()
    for before, after in zip((split, *last), last, strict=False):
        worse = waterfall.filter(
            pl.col(after) > pl.col(before) if after != "whole_task" else pl.col(after) < pl.col(before)
        )
        assert worse.is_empty()
    assert waterfall.filter(pl.min_horizontal("shared", "adjusted", "confirmed", split) < 0).is_empty()


def shares_of_a_project_are_never_more_than_the_whole(assessment: kr.Assessment, case: Case, known_at: date) -> None:
    credited = assessment.credited
    names = credited.projects["project"]
    totals: dict[str, int] = {}
    for project, share in zip(credited.claims.project.tolist(), credited.claims.share.tolist(), strict=True):
        totals[names[project]] = totals.get(names[project], 0) + share
    assert all(total <= 10**9 for total in totals.values())
    for project in case.projects:
        assert sum(claims(case, project, known_at).values()) <= 1
