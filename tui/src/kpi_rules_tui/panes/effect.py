"""What edits change, as a table of rules: how many units each hits before and after, and which begin and end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
        table.nothing(_("nothing was assessed"))
        return
    rules = {**before.rulebook.rules, **after.rulebook.rules}
    rows = moved(before, after) if before is not after else moved(before, before).clear()
    rows = rows.filter(
        (pl.col("begins").list.len() > 0)
        | (pl.col("ends").list.len() > 0)
        | (pl.col("measures_before") != pl.col("measures_after"))
    )
    names = dict(after.workspace.tables.units.select("unit", pl.coalesce("name", "unit").alias("name")).iter_rows())

    def named(units: list[str]) -> str:
        return ", ".join(names.get(unit, unit) for unit in units)

    frame = rows.with_columns(
        label=pl.Series([label_of(rules[rule]) for rule in rows["rule"]], dtype=pl.String),
        who_begins=pl.Series([named(units) for units in rows["begins"]], dtype=pl.String),
        who_ends=pl.Series([named(units) for units in rows["ends"]], dtype=pl.String),
    )
    table.show(
        frame,
        [
            Column("label", _("rule"), most=24),
            Column(
                "after", _("units"), lambda row: change(row["before"], row["after"]), _units, whole=True, right=True
            ),
            Column("measures_after", _("measures"), _measures, _more, whole=True, right=True),
            Column("who_begins", _("begins for"), tone=lambda text: "bad" if text else "", most=60),
            Column("who_ends", _("ends for"), tone=lambda text: "good" if text else "", most=60),
        ],
    )


def change(before: int, after: int) -> str:
    """Write two counts: one where they are equal, else both and the difference with its sign."""
    return f"{before} → {after} ({after - before:+})" if before != after else str(after)


def _measures(row: dict[str, Any]) -> str:
    return change(row["measures_before"], row["measures_after"])


def _units(row: dict[str, Any]) -> Tone:
    return worse(row["after"] - row["before"])


def _more(row: dict[str, Any]) -> Tone:
    return worse(row["measures_after"] - row["measures_before"])


def worse(number: int | None) -> Tone:
    """Colour a difference of units hit."""
    if not number:
        return "dim"
    return "bad" if number > 0 else "good"
