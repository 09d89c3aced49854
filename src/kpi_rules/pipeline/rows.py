"""The rows of a table as checks and indicators see them, for policies that show more than figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_rules.locale import _
from kpi_rules.model.problems import nearest
from kpi_rules.pipeline.verify import known
from kpi_rules.pipeline.viewed import FAR, viewed
from kpi_rules.workspace.schemas import SCHEMAS
from kpi_rules.workspace.workspace import Workspace

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from kpi_rules.pipeline.result import Assessment


def rows(of: Workspace | Assessment, table: str, on: date | None = None, known_at: date | None = None) -> pl.DataFrame:
    """Return a table's rows as checks and indicators see them, for policies and for whoever shows them.

    Args:
        of: a workspace without errors, or an assessment, which goes by its own two days.
        table: its name.
        on: what happens after it has not happened; by default the year's end.
        known_at: what was recorded after it, or revoked by it, is not there; by default `on`.

    Raises:
        ValueError: there is no such table.
    """
    if table not in SCHEMAS:
        hint = nearest(table, SCHEMAS)
        raise ValueError(_("no table {name}").format(name=table) + (f" (nearest: {hint})" if hint else ""))
    workspace = of if isinstance(of, Workspace) else of.workspace
    if not isinstance(of, Workspace):
        on, known_at = on or of.as_of, known_at or of.known_at
    elif on is None:
        on = workspace.config.year.end if workspace.config is not None else FAR
    return viewed(known(workspace.tables, known_at or on), table, on)
