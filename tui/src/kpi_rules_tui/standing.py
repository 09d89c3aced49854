"""How units stand, as the overview shows it: rows and what is said of them, without a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kpi_rules_tui.desk import units
from kpi_rules_tui.seen import MOST_ROWS, Seen
from kpi_rules_tui.texts import _, label_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    import kpi_rules as kr
    from kpi_rules_tui.desk import Opened

KEPT: Final = (
    "unit",
    "shown",
    "completion",
    "expected",
    "lag",
    "standing",
    "in_force",
    "credited",
    "quota",
    "rank",
    "group_size",
    "group",
)
"""What is kept of each unit for the next run: all that a column reads."""


def rows(assessment: kr.Assessment) -> pl.DataFrame:
    """Return the units that have a task, as `desk.units` does, with, in the user's language, the name that is shown,
    the standing, and the labels of the measures in force.
    """
    import polars as pl

    found = units(assessment).filter(pl.col("completion").is_not_null())
    rules = assessment.rulebook.rules
    labels = {rule: label_of(rules[rule]) for rule in found["measures"].explode().drop_nulls()}
    in_force = ["; ".join(labels[rule] for rule in measures) for measures in found["measures"].to_list()]
    config = assessment.workspace.config
    over = config is not None and assessment.as_of >= config.year.end
    standing = [_standing_of(row, over=over) for row in found.iter_rows(named=True)]
    return found.with_columns(
        shown=pl.coalesce("name", "unit"),
        in_force=pl.Series(in_force, dtype=pl.String),
        standing=pl.Series(standing, dtype=pl.String),
    )


def counts(frame: pl.DataFrame) -> list[str]:
    """Say how many meet the task, are behind, and are hit."""
    met = int((frame["completion"] >= 1).sum())
    behind = int((frame["standing"] == _("behind")).sum())
    missed = int((frame["standing"] == _("not met")).sum())
    hit = int((frame["in_force"] != "").sum())
    return [
        _("met: {count}").format(count=met),
        _("not met: {count}").format(count=missed) if missed else _("behind: {count}").format(count=behind),
        _("with measures: {count}").format(count=hit),
    ]


def seen(title: str, day: str, frame: pl.DataFrame, more: Sequence[str], *, now: bool = False) -> Seen | None:
    """Return rows that are shown as another run or process takes them; None where there are too many."""
    if frame.height > MOST_ROWS:
        return None
    return Seen(title, day, tuple(frame.select(KEPT).to_dicts()), tuple(more), now)


def glimpse(opened: Opened) -> Seen | None:
    """Return what the overview shows first of a workspace that was read; None where it has errors."""
    assessment = opened.assessment
    if assessment is None:
        return None
    frame = rows(assessment)
    return seen(opened.workspace.name, str(assessment.as_of), frame, counts(frame), now=True)


def _standing_of(row: dict[str, Any], *, over: bool) -> str:
    """Say in a word how a unit stands against its pace, or where the year is over against its task."""
    if row["completion"] >= 1:
        return _("met")
    if over:
        return _("not met")
    if row["lag"]:
        return _("behind")
    return _("on pace")
