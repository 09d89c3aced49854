"""What edits change, as a table: of each rule that does something else whom it hits before and after, and each sum that
differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kpi_rules as kr
from kpi_rules_tui.texts import _, label_of
from kpi_rules_tui.widgets.table import Column, Table, Tone

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from kpi_rules_tui.amounts import Scale

UNITS = ("begins", "ceases", "otherwise")


def show_effect(table: Table, before: kr.Assessment | None, after: kr.Assessment | None, scale: Scale) -> None:
    """Show what changes between two assessments; rules that do the same, and sums that stay, are left out."""
    import polars as pl

    table.empty = _("nothing changes")
    if before is None or after is None:
        table.nothing(_("nothing was assessed"))
        return
    rules = {**before.rulebook.rules, **after.rulebook.rules}
    found = kr.difference(before, after)
    names = dict(after.workspace.tables.units.select("unit", pl.coalesce("name", "unit").alias("name")).iter_rows())
    moved = pl.any_horizontal(pl.col(UNITS).list.len() > 0) | (pl.col("measures_before") != pl.col("measures_after"))
    rows = _named(found.rules.filter(moved), names).with_columns(
        label=pl.Series([label_of(rules[rule]) for rule in found.rules.filter(moved)["rule"]], dtype=pl.String)
    )
    sums = found.money.filter(pl.col("before") != pl.col("after"))
    labels = [_sum(row, rules, scale) for row in sums.iter_rows(named=True)]
    frame = pl.concat([rows, sums.with_columns(label=pl.Series(labels, dtype=pl.String))], how="diagonal")

    def units(row: dict[str, Any]) -> str:
        if row["what"] is None:
            return change(row["before"], row["after"])
        old, new = (scale.exact(row[name]) for name in ("before", "after"))
        return f"{old} → {new} ({scale.exactly_signed(row['after'] - row['before'])})"

    table.show(
        frame,
        [
            Column("label", _("rule, sum"), most=26),
            Column("after", _("units, amount"), units, _units, whole=True, right=True),
            Column("measures_after", _("measures"), _measures, _more, whole=True, right=True),
            Column("begins", _("begins for"), tone=lambda text: "bad" if text else "", most=60),
            Column("ceases", _("ends for"), tone=lambda text: "good" if text else "", most=60),
            Column("otherwise", _("on other days or otherwise for"), most=60),
        ],
    )


def _named(rows: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Name the units of each list."""
    import polars as pl

    def named(units: list[str]) -> str:
        return ", ".join(names.get(unit, unit) for unit in units)

    columns = {column: [named(units) for units in rows[column]] for column in UNITS}
    return rows.with_columns(pl.Series(column, texts, dtype=pl.String) for column, texts in columns.items())


def _sum(row: dict[str, Any], rules: Mapping[str, kr.Rule], scale: Scale) -> str:
    words = {
        "withheld": _("Pay withheld"),
        "released": _("Pay released"),
        "reversed": _("Pay reversed"),
        "outstanding": _("Pay outstanding"),
    }
    name = words[row["what"]] if row["rule"] is None else label_of(rules[row["rule"]])
    return _("{name}, {unit}").format(name=name, unit=scale.unit)


def change(before: int, after: int) -> str:
    """Write two counts: one where they are equal, else both and the difference with its sign."""
    return f"{before} → {after} ({after - before:+})" if before != after else str(after)


def _measures(row: dict[str, Any]) -> str:
    if row["what"] is not None:
        return ""
    return change(row["measures_before"], row["measures_after"])


def _units(row: dict[str, Any]) -> Tone:
    if row["what"] is not None:
        return ""
    return worse(row["after"] - row["before"])


def _more(row: dict[str, Any]) -> Tone:
    if row["what"] is not None:
        return ""
    return worse(row["measures_after"] - row["measures_before"])


def worse(number: int | None) -> Tone:
    """Colour a difference of units hit."""
    if not number:
        return "dim"
    return "bad" if number > 0 else "good"
