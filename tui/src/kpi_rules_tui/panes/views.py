"""What can be looked at as evidence: problems, quarantine, findings, and the clean tables, each as a frame."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from attrs import define

import kpi_rules as kr
from kpi_rules_tui.amounts import Scale
from kpi_rules_tui.texts import N_, _, plain
from kpi_rules_tui.widgets.table import Column, Tone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

KEY: Final = "mark"
"""The column that a row of any view is known by; `id` is its id as `kpi-rules withdraw` takes it."""

HIDDEN: Final = frozenset({KEY, "id", "tone", "message"})
"""Columns that are not for reading."""

SPECIAL: Final = {"problems": N_("Problems"), "quarantine": N_("Quarantine"), "findings": N_("Findings")}

SEVERITIES: Final = {"error": N_("error"), "warning": N_("warning"), "note": N_("note")}
TONES: Final = {"error": "bad", "warning": "warn", "note": "dim"}

BILLION: Final = 10**9


@define(frozen=True, eq=False)
class View:
    """A frame, how it is shown, and what is said where it has no rows."""

    frame: pl.DataFrame
    columns: Sequence[Column]
    empty: str


def title(name: str) -> str:
    """Return what a view is called; a table is called what `kpi.toml` calls it."""
    return _(SPECIAL[name]) if name in SPECIAL else name


def tables_of(workspace: kr.Workspace) -> dict[str, int]:
    """Return the tables that have rows, with how many."""
    heights = {name: getattr(workspace.tables, name).height for name in kr.SCHEMAS}
    return {name: height for name, height in heights.items() if height}


# -- problems, quarantine, findings --------------------------------------------------------------------------------


def problems(found: Sequence[kr.Problem]) -> View:
    """Show what is wrong with the workspace."""
    import polars as pl

    rows = [
        {
            KEY: each.message,
            "severity": _(SEVERITIES[each.severity]),
            "tone": TONES[each.severity],
            "code": each.code,
            "place": str(each.place),
            "found": each.found,
            "expected": each.expected,
            "nearest": each.nearest,
            "file": each.place.file,
            "table": each.place.table,
            "row": each.place.row,
            "line": each.place.line,
            "message": each.message,
        }
        for each in found
    ]
    numbers = {"row", "line"}
    names = (KEY, "severity", "tone", "code", "place", "found", "expected", "nearest", "file", "table", "row", "line")
    schema = {name: pl.Int64 if name in numbers else pl.String for name in (*names, "message")}
    columns = [
        Column("severity", _("severity"), _severity, _tone, whole=True),
        Column("code", _("code"), most=32),
        Column("place", _("place"), most=40),
        Column("found", _("found"), most=60),
        Column("expected", _("expected"), most=60),
        Column("nearest", _("nearest"), most=24),
    ]
    return View(pl.DataFrame(rows, schema=schema), columns, _("nothing is wrong with the workspace"))


def quarantine(workspace: kr.Workspace) -> View:
    """Show the rows of evidence that were left out."""
    import polars as pl

    parts = [pl.col(name).cast(pl.String).fill_null("") for name in ("file", "table", "row", "column", "code")]
    frame = workspace.quarantine.with_columns(pl.concat_str(parts, separator="/").alias(KEY))
    columns = [
        Column("file", _("file"), most=28),
        Column("table", _("table"), most=12),
        Column("row", _("row"), right=True),
        Column("column", _("column"), most=20),
        Column("value", _("value"), tone=lambda _value: "bad", most=30),
        Column("reason", _("reason"), most=90),
        Column("code", _("code"), most=32),
    ]
    return View(frame, columns, _("no row is in quarantine"))


def findings(assessment: kr.Assessment | None) -> View:
    """Show what checks and guards find."""
    import polars as pl

    if assessment is None:
        return View(pl.DataFrame(), [], _("the workspace has errors, so nothing was assessed"))
    found = assessment.findings
    parts = [pl.col(name).fill_null("") for name in ("code", "table", "key", "message")]
    frame = found.with_columns(
        pl.concat_str(parts, separator="/").alias(KEY),
        pl.col("severity").replace_strict(TONES, default="").alias("tone"),
        pl.col("severity").replace({name: _(word) for name, word in SEVERITIES.items()}),
        pl.col("key").alias("id"),
    )
    columns = [
        Column("code", _("code"), most=32),
        Column("severity", _("severity"), _severity, _tone, whole=True),
        Column("effect", _("effect")),
        Column("table", _("table"), most=12),
        Column("key", _("key"), most=20),
        Column("message", _("message"), most=120),
    ]
    return View(frame, columns, _("no check or guard has found anything"))


def _severity(row: dict[str, Any]) -> str:
    return plain(row["severity"])


def _tone(row: dict[str, Any]) -> Tone:
    return str(row["tone"])


# -- tables --------------------------------------------------------------------------------------------------------


def table(workspace: kr.Workspace, name: str, scale: Scale) -> View:
    """Show a clean table: the columns in which something stands; amounts to the fen."""
    import polars as pl

    schema, frame = kr.SCHEMAS[name], getattr(workspace.tables, name)
    files = sources_of(workspace, name)
    if len(files) > 1:
        frame = frame.with_columns(_files(frame["row"], files))
    keys = [pl.col(key).cast(pl.String).fill_null("") for key in schema.key or ("row",)]
    frame = frame.with_columns(pl.concat_str(keys, separator="/").alias("id"))
    once = bool(schema.key) and not (schema.versions or schema.repeats)
    mark = pl.col("id") if once else pl.concat_str("id", "row", separator="/")
    frame = frame.with_columns(mark.alias(KEY))
    counts = counted(workspace)
    filled = [each for each in schema.columns if each.required or frame[each.name].null_count() < frame.height]
    columns = [Column("row", _("row"), right=True), *(_column(each.name, each.kind, counts, scale) for each in filled)]
    if len(files) > 1:
        columns.append(Column("file", _("file"), most=28))
    return View(frame, columns, _("the table {table} has no rows").format(table=name))


def counted(workspace: kr.Workspace) -> frozenset[str]:
    """Return the indicators whose quotas and results are numbers and not money."""
    added = {name for name, each in workspace.plugins.indicators.items() if each.kind == "count"}
    return frozenset(added | {"signed", "started", "producing"})


def _column(name: str, kind: str, counts: frozenset[str], scale: Scale) -> Column:
    """Return how a column of a table is shown, by what it holds."""
    if kind == "money":
        return Column(name, name + scale.beside, scale.exact, right=True)
    if kind == "quantity":
        return Column(name, name, _quantity(name, counts, scale), right=True, whole=True)
    if kind in {"share", "rate", "factor"}:
        return Column(name, name, _billionths, right=True)
    return Column(name, name, right=kind in {"count", "year"})


def _quantity(name: str, counts: frozenset[str], scale: Scale) -> Callable[[dict[str, Any]], str]:
    def text(row: dict[str, Any]) -> str:
        value = row[name]  # money or a number, by the row: the unit stands beside it
        return plain(value) if value is None or row["indicator"] in counts else scale.said(value)

    return text


def _billionths(value: int | None) -> str:
    return "" if value is None else f"{(Decimal(value) / BILLION).normalize():f}"


# -- where a row stands --------------------------------------------------------------------------------------------


def sources_of(workspace: kr.Workspace, name: str) -> list[str]:
    """Return the files, sheets or databases that a table is read from, in their order."""
    if workspace.config is None:
        return []
    return [each.source for each in workspace.config.tables if each.table == name]


def _files(rows: pl.Series, files: Sequence[str]) -> pl.Series:
    """Say for each row which of several files it stands in.

    Rows stand in the order of the files, and their numbers rise within each, so that a new file begins where they do
    not. Where fewer begin than there are, one has no rows left or follows on by chance: then it is not known.
    """
    import polars as pl

    begun = (rows.diff() <= 0).fill_null(value=False).cast(pl.Int64).cum_sum()
    if not len(rows) or begun[-1] != len(files) - 1:
        return pl.Series("file", [None] * len(rows), dtype=pl.String)
    return pl.Series("file", list(files), dtype=pl.String).gather(begun).alias("file")


def place_of(workspace: kr.Workspace, view: str, row: dict[str, Any]) -> tuple[list[str], int | None]:
    """Say where a row of a view stands: the file, or all it may stand in, and the row or line there."""
    import polars as pl

    if view in {"problems", "quarantine"}:
        return [row["file"]] if row["file"] else [], row.get("line") or row["row"]
    name = row["table"] if view == "findings" else view
    files = sources_of(workspace, name) if name in kr.SCHEMAS else []
    if view == "findings" and files:
        known = table(workspace, name, Scale.YUAN).frame
        found = known.filter(pl.col("id") == row["id"]).to_dicts()
        if not found:
            return [], None
        row = found[0]
    if row.get("file"):
        files = [row["file"]]
    return files, row["row"] if files else None
