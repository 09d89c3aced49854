"""`kpi-rules scorecard`: rankings, prizes and lists of a workspace as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_rules import N_, command_group, table_command, translate
from kpi_scorecard.ranking import listed, ranking

if TYPE_CHECKING:
    import polars as pl

    from kpi_rules import Assessment


def _ranking(assessment: Assessment) -> dict[str, pl.DataFrame]:
    return ranking(assessment)


def _lists(assessment: Assessment) -> dict[str, pl.DataFrame]:
    return {"lists": listed(assessment)}


SCORECARD = command_group(
    "scorecard",
    [
        table_command(
            "ranking", _ranking, help=N_("Points, score, grade and rank of each unit, by track."), policy="scorecard"
        ),
        table_command("lists", _lists, help=N_("Whom prizes, red lists and black lists name."), policy="scorecard"),
    ],
    help=translate(N_("Scorecards: who has how many points, and what follows."), "kpi_scorecard"),
)
