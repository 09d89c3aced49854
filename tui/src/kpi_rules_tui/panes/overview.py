"""The overview: every unit with its completion, the pace, the lag and the measures in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from kpi_rules_tui.actions import bindings
from kpi_rules_tui.amounts import percent, whole
from kpi_rules_tui.desk import units
from kpi_rules_tui.panes.pane import FilterLine, Pane
from kpi_rules_tui.seen import MOST_ROWS, Seen
from kpi_rules_tui.texts import _, label_of, plain
from kpi_rules_tui.widgets.bars import bar
from kpi_rules_tui.widgets.lines import StatusLine
from kpi_rules_tui.widgets.table import Column, Table, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from textual.app import ComposeResult
    from textual.binding import BindingType

    import kpi_rules as kr


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


class OverviewPane(Pane):
    """The units; enter opens a unit's page."""

    tables: ClassVar[tuple[str, ...]] = ("overview-units",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("overview")]
    _seen: Seen | None = None

    def compose(self) -> ComposeResult:
        """Lay out the table."""
        yield Table("unit", id="overview-units")
        yield FilterLine()
        yield StatusLine()

    def fill(self) -> None:
        """Show the units that have a task, as they stand with what is not saved."""
        assessment = self.office.assessment
        table = self.query_one(Table)
        if assessment is None:
            table.nothing(_("the workspace has errors; they are listed under Evidence (5)"))
            self.tell()
            return
        rows = units(assessment).filter(_has_task())
        table.empty = _("no unit has a quota")
        table.show(with_words(rows, assessment), self._columns())
        self.tell()

    def recall(self, seen: Seen) -> None:
        """Show the units as they stood when they were last seen."""
        self._seen = seen
        self.query_one(Table).recall(seen.rows, self._columns())
        self.tell()

    def seen(self, title: str, day: str) -> Seen | None:
        """Return what is shown, for the next run; None where there are too many rows."""
        rows = self.query_one(Table).shown_rows
        if rows is None or rows.height > MOST_ROWS:
            return None
        return Seen(title, day, tuple(rows.select(KEPT).to_dicts()), tuple(self.more()))

    def on_resize(self) -> None:
        """Show what there is room for."""
        table = self.query_one(Table)
        if table.frame is not None:
            table.show(table.frame, self._columns())
        elif self._seen is not None and table.total:
            table.recall(self._seen.rows, self._columns())

    def in_full(self, table: Table) -> Sequence[Column]:
        """Return all columns."""
        del table
        return self._columns(wide=True)

    def _columns(self, *, wide: bool | None = None) -> list[Column]:
        wide = self.wide if wide is None else wide
        amount = self.office.scale
        first = [
            Column("shown", _("unit"), most=26 if wide else 16),
            Column("completion", _("completion"), _bar, _standing, whole=True),
            *([Column("expected", _("expected"), percent, lambda _value: "dim", right=True)] if wide else []),
            Column("lag", _("lag"), whole, right=True),
            Column("standing", _("standing"), tone=_standing_word),
        ]
        last = [
            Column(
                "in_force",
                _("measures in force"),
                tone=lambda value: "bad" if value else "",
                most=30 if wide else 22,
            )
        ]
        more = [
            Column("credited", _("credited") + amount.beside, amount.show, right=True),
            Column("quota", _("quota") + amount.beside, amount.show, right=True),
            Column("rank", _("rank"), _rank, right=True, whole=True),
            Column("group", _("group"), most=16),
        ]
        return [*first, *last, *(more if wide else [])]

    def more(self) -> Sequence[str]:
        """Say how many meet the task, are behind, and are hit."""
        frame = self.query_one(Table).frame
        if frame is None:
            return self._seen.more if self._seen is not None and self.query_one(Table).total else ()
        met = int((frame["completion"] >= 1).sum())
        behind = int((frame["standing"] == _("behind")).sum())
        missed = int((frame["standing"] == _("not met")).sum())
        hit = int((frame["in_force"] != "").sum())
        return [
            _("met: {count}").format(count=met),
            _("not met: {count}").format(count=missed) if missed else _("behind: {count}").format(count=behind),
            _("with measures: {count}").format(count=hit),
        ]

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """Open the unit's page."""
        event.stop()
        self.office.open_unit(event.row["unit"])

    def action_profile(self) -> None:
        """Show the unit's consequences over its completion, with its cliffs."""
        self.office.open_profile(self.office.unit_under_cursor())

    def same(self) -> list[str]:
        """Return the command that shows the units."""
        return [self.desk.command("assess", *self.desk.day(), "--table", "units")]


def _has_task() -> pl.Expr:
    import polars as pl

    return pl.col("completion").is_not_null()


def with_words(rows: pl.DataFrame, assessment: kr.Assessment) -> pl.DataFrame:
    """Add, in the user's language, the name that is shown, the standing, and the labels of measures in force."""
    import polars as pl

    rules = assessment.rulebook.rules
    labels = {rule: label_of(rules[rule]) for rule in rows["measures"].explode().drop_nulls()}
    in_force = ["; ".join(labels[rule] for rule in found) for found in rows["measures"].to_list()]
    config = assessment.workspace.config
    over = config is not None and assessment.as_of >= config.year.end
    standing = [standing_of(row, over=over) for row in rows.iter_rows(named=True)]
    return rows.with_columns(
        shown=pl.coalesce("name", "unit"),
        in_force=pl.Series(in_force, dtype=pl.String),
        standing=pl.Series(standing, dtype=pl.String),
    )


def standing_of(row: dict[str, Any], *, over: bool) -> str:
    """Say in a word how a unit stands against its pace, or where the year is over against its task."""
    if row["completion"] is None:
        return _("no task")
    if row["completion"] >= 1:
        return _("met")
    if over:
        return _("not met")
    if row["lag"]:
        return _("behind")
    return _("on pace")


def _standing(row: dict[str, Any]) -> Tone:
    if row["completion"] is None:
        return "dim"
    if row["completion"] >= 1:
        return "good"
    return "bad" if row["lag"] else ""


def _standing_word(word: str) -> Tone:
    return {_("met"): "good", _("behind"): "bad", _("not met"): "bad"}.get(word, "")


def _bar(row: dict[str, Any]) -> str:
    return bar(row["completion"], row["expected"]) + percent(row["completion"]).rjust(7)


def _rank(row: dict[str, Any]) -> str:
    return plain(_("{rank} of {size}").format(rank=row["rank"], size=row["group_size"])) if row["rank"] else ""
