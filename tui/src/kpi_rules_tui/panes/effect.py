"""What edits change, as a table of rules: how many units each hits before and after, and which begin and end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_rules_tui.desk import moved
from kpi_rules_tui.texts import _, label_of
from kpi_rules_tui.widgets.table import Column, Table, Tone

if TYPE_CHECKING:
    import kpi_rules as kr


def show_effect(table: Table, before: kr.Assessment | None, after: kr.Assessment | None) -> None:
    """Show what changes between two assessments; rules that hit as many, and the same, are left out."""
    import polars as pl

    table.empty = _("nothing changes")
    if before is None or after is None:
        return
    rules = {**before.rulebook.rules, **after.rulebook.rules}
    rows = moved(before, after) if before is not after else moved(before, before).clear()
    rows = rows.filter((pl.col("begins").list.len() > 0) | (pl.col("ends").list.len() > 0))
    names = dict(after.workspace.tables.units.select("unit", pl.coalesce("name", "unit").alias("name")).iter_rows())

    def named(units: list[str]) -> str:
        return ", ".join(names.get(unit, unit) for unit in units)

    frame = rows.with_columns(
        label=pl.Series([label_of(rules[rule]) for rule in rows["rule"]], dtype=pl.String),
        change=pl.col("after") - pl.col("before"),
        who_begins=pl.Series([named(units) for units in rows["begins"]], dtype=pl.String),
        who_ends=pl.Series([named(units) for units in rows["ends"]], dtype=pl.String),
    )
    table.show(
        frame,
        [
            Column("label", _("units hit by"), most=24),
            Column("before", _("now"), right=True),
            Column("after", _("then"), right=True),
            Column("change", _("change"), signed, worse, right=True),
            Column("who_begins", _("begins for"), tone=lambda text: "bad" if text else "", most=60),
            Column("who_ends", _("ends for"), tone=lambda text: "good" if text else "", most=60),
        ],
    )


def signed(number: int | None) -> str:
    """Write a difference of counts with its sign."""
    return f"{number:+,}" if number else "0"


def worse(number: int | None) -> Tone:
    """Colour a difference of units hit."""
    if not number:
        return "dim"
    return "bad" if number > 0 else "good"
