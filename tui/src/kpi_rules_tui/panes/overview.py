"""The overview: every unit with its completion, the pace, the lag and the measures in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from kpi_rules_tui import standing
from kpi_rules_tui.actions import bindings
from kpi_rules_tui.amounts import percent, whole
from kpi_rules_tui.panes.pane import FilterLine, Pane
from kpi_rules_tui.texts import _, plain
from kpi_rules_tui.widgets.bars import bar
from kpi_rules_tui.widgets.lines import StatusLine
from kpi_rules_tui.widgets.table import Column, Table, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from kpi_rules_tui.seen import Seen


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
        table.empty = _("no unit has a quota")
        table.show(standing.rows(assessment), self._columns())
        self.tell()

    def recall(self, seen: Seen) -> None:
        """Show the units as they stood when they were last seen, or stand by what is being read."""
        self._seen = seen
        self.query_one(Table).recall(seen.rows, self._columns())
        self.tell()

    def seen(self, title: str, day: str) -> Seen | None:
        """Return what is shown, for the next run; None where there are too many rows."""
        rows = self.query_one(Table).shown_rows
        return None if rows is None else standing.seen(title, day, rows, self.more())

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
        return standing.counts(frame)

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


def _standing(row: dict[str, Any]) -> Tone:
    if row["completion"] >= 1:
        return "good"
    return "bad" if row["lag"] else ""


def _standing_word(word: str) -> Tone:
    return {_("met"): "good", _("behind"): "bad", _("not met"): "bad"}.get(word, "")


def _bar(row: dict[str, Any]) -> str:
    return bar(row["completion"], row["expected"]) + percent(row["completion"]).rjust(7)


def _rank(row: dict[str, Any]) -> str:
    return plain(_("{rank} of {size}").format(rank=row["rank"], size=row["group_size"])) if row["rank"] else ""
