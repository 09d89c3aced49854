"""Rows for the table `quotas`, as its reader reads them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    import kpi_rules as kr

COLUMNS: Final = ("unit", "indicator", "amount", "effective", "note")
"""Columns that are written even where they are empty, if they are there."""


def is_count(workspace: kr.Workspace, indicator: str | None) -> bool:
    """Say whether an indicator, by default the primary one, is a count and no money."""
    from kpi_rules.model.columns import count_indicators

    if indicator is None:
        indicator = workspace.config.primary if workspace.config is not None else "funds"
    return indicator in count_indicators(workspace.plugins.indicators)


def written(*, counted: bool) -> Callable[[int], str]:
    """Return what writes an amount as people do."""
    from kpi_rules.model.money import format_amount

    return str if counted else format_amount


def to_csv(workspace: kr.Workspace, parts: pl.DataFrame) -> bytes:
    """Return rows as CSV: amounts as people write them, empty columns left out."""
    import polars as pl

    from kpi_rules.cli import output

    write = written(counted=any(is_count(workspace, name) for name in parts["indicator"].unique()))
    amounts = [
        pl.Series(name, [None if value is None else write(value) for value in parts[name]], dtype=pl.String)
        for name in ("amount", "stretch")
        if name in parts.columns
    ]
    shown = parts.with_columns(amounts)
    kept = [name for name in shown.columns if name in COLUMNS or shown[name].null_count() < shown.height]
    return output.to_csv(shown.select(kept))
