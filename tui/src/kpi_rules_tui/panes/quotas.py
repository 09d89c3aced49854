"""Quotas: the tree of units with every revision; edit in place, re-baseline, split, scale, and see what it changes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.containers import Vertical

import kpi_rules as kr
from kpi_rules_tui.actions import bindings
from kpi_rules_tui.amounts import percent, whole
from kpi_rules_tui.desk import quotas
from kpi_rules_tui.dialogs.confirm import Confirm
from kpi_rules_tui.dialogs.form import Field, Form
from kpi_rules_tui.dialogs.pick import Pick
from kpi_rules_tui.panes import checks
from kpi_rules_tui.panes.editing import EditingPane
from kpi_rules_tui.panes.pane import FilterLine
from kpi_rules_tui.texts import _, shown
from kpi_rules_tui.widgets.lines import StatusLine
from kpi_rules_tui.widgets.table import Column, Table, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from kpi_rules_tui.desk import Edit


class QuotasPane(EditingPane):
    """The quotas of one indicator; `i` chooses which."""

    tables: ClassVar[tuple[str, ...]] = ("quotas-table", "quotas-effect")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("quotas")]

    DEFAULT_CSS = """
    QuotasPane #quotas-changes { height: 8; border-title-color: $primary; }
    """

    indicator = ""

    def compose(self) -> ComposeResult:
        """Lay out the quotas, and below them what the edits change."""
        yield Table("row", id="quotas-table")
        with Vertical(id="quotas-changes", classes="panel"):
            yield Table("rule", id="quotas-effect")
        yield FilterLine()
        yield StatusLine()

    def fill(self) -> None:
        """Show the quotas with what is not saved."""
        current = self.desk.current
        if current is None:
            return
        self.query_one("#quotas-changes").border_title = shown(_("What the changes do")).markup
        if not self.indicator:
            self.indicator = current.config.primary if current.config is not None else "funds"
        table = self.query_one("#quotas-table", Table)
        table.empty = _("no units")
        frame = quotas(current, self.desk.workspace, self.indicator, self.office.assessment)
        table.show(frame, self._columns())
        self.show_effect()
        self.tell()

    def on_resize(self) -> None:
        """Show what there is room for."""
        table = self.query_one("#quotas-table", Table)
        if table.frame is not None:
            table.show(table.frame, self._columns())

    def _columns(self) -> list[Column]:
        unit = f" ({self.office.scale.unit})" if self.is_money else ""
        return [
            Column("name", _("unit"), _indented, whole=True, most=32 if self.wide else 24),
            Column("effective", _("from"), least=10),
            Column("amount", _("quota") + unit, self.show, right=True, least=12),
            Column("was", _("saved"), self._was, _changed, whole=True, right=True),
            *([Column("below", _("sum below"), self.show, self._against, right=True)] if self.wide else []),
            Column("completion", _("completion"), percent, right=True),
            *([Column("group", _("group"), most=16)] if self.wide else []),
            Column("note", _("reason"), most=40),
        ]

    @property
    def is_money(self) -> bool:
        """Whether the indicator is money, and no count."""
        current = self.desk.current
        return current is None or not kr.is_count(current, self.indicator)

    def show(self, amount: int | None) -> str:
        """Write an amount or a count."""
        return self.office.scale.show(amount) if self.is_money else whole(amount)

    def _was(self, row: dict[str, Any]) -> str:
        if row["state"] == "new":
            return _("new")
        if row["state"] == "changed":
            return self.show(row["was"])
        return _("removed") if row["state"] == "removed" else ""

    def _against(self, _amount: int | None) -> Tone:
        return "dim"

    def more(self) -> Sequence[str]:
        """Say which indicator, and what else there is."""
        return [_("quotas of {indicator}; i for another").format(indicator=self.indicator)]

    def same(self) -> list[str]:
        """Return the commands that show the quotas, and make the edits."""
        shows = self.desk.command("assess", *self.desk.day(), "--table", "units")
        return [shows, *([self.desk.edit_command(save=True)] if self.desk.changed else [])]

    def find(self, name: str) -> None:
        """Put the cursor on the first row of a unit."""
        table = self.query_one("#quotas-table", Table)
        if table.frame is None:
            return
        for row, unit in table.frame.select("row", "unit").iter_rows():
            if unit == name:
                table.go_to(row)
                return

    # -- what can be done ------------------------------------------------------------------------------------------

    def _row(self) -> dict[str, Any] | None:
        return self.query_one("#quotas-table", Table).current

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """Edit the quota in place."""
        event.stop()
        if event.table.id == "quotas-table" and not self.desk.readonly:
            self.action_edit()

    def action_edit(self) -> None:
        """Edit the quota under the cursor."""
        row = self._row()
        if row is None:
            return
        table = self.query_one("#quotas-table", Table)
        before = self.write(row["amount"]) if row["amount"] is not None else ""
        self.edit_cell(table, "amount", before, self.check_amount, lambda text: [self._edit(row, text)])

    def write(self, amount: int) -> str:
        """Write an amount as it is typed."""
        return kr.format_amount(amount) if self.is_money else str(amount)

    def read(self, text: str) -> int | None:
        """Read an amount, or a count, as it is typed."""
        return kr.parse_amount(text) if self.is_money else checks.count(text)

    def check_amount(self, text: str) -> str:
        """Say what is wrong with an amount."""
        return checks.amount(text) if self.is_money else checks.whole_number(text)

    def _edit(self, row: dict[str, Any], text: str) -> Edit:
        return kr.QuotaEdit(row["unit"], self.read(text), self.indicator, row["effective"] or self._start)

    @property
    def _start(self) -> date | None:
        """The day from which a quota holds that is the unit's first."""
        current = self.desk.current
        return current.config.year.start if current is not None and current.config is not None else None

    @work
    async def action_rebase(self) -> None:
        """Ask for a new revision of the quota: from when, how much, why."""
        row = self._row()
        config = self.desk.workspace.config if self.desk.workspace is not None else None
        if row is None or config is None:
            return
        fields = [
            Field("effective", _("From"), "", *checks.day_within(config.year.start, config.year.end)),
            Field(
                "amount",
                _("Quota"),
                self.write(row["amount"]) if row["amount"] else "",
                self._hint(),
                self.check_amount,
            ),
            Field("note", _("Reason"), "", _("kept with the revision"), checks.given),
        ]
        title = _("New revision of {unit}").format(unit=row["name"] or row["unit"])
        answer = await self.office.push_screen_wait(Form(title, fields, _("Take")))
        if answer is not None:
            on = date.fromisoformat(answer["effective"])
            amount = self.read(answer["amount"])
            self.office.propose([kr.QuotaEdit(row["unit"], amount, self.indicator, on, answer["note"])])

    def _hint(self) -> str:
        return _("an amount such as 1500万 or 2亿, yuan without a unit") if self.is_money else _("a whole number")

    @work
    async def action_split(self) -> None:
        """Split the quota over the units below: equally or by weight."""
        row, current = self._row(), self.desk.current
        if row is None or current is None:
            return
        ways = [("equal", _("equally")), ("weight", _("by the weights of the units"))]
        title = _("Split the quota of {unit} over the units below").format(unit=row["name"] or row["unit"])
        way = await self.office.push_screen_wait(Pick(title, ways))
        if way is None:
            return
        by: Any = way
        try:
            parts = kr.split_quota(current, row["unit"], self.indicator, by=by, effective=row["effective"])
            edits = kr.edits_of_split(current, parts)
        except ValueError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        await self._bulk(title, edits)

    @work
    async def action_scale_group(self) -> None:
        """Multiply the quotas of the selected rows' units, or of the whole group of the one under the cursor."""
        table, current = self.query_one("#quotas-table", Table), self.desk.current
        row = self._row()
        if row is None or current is None:
            return
        rows = table.chosen if table.selected else []
        groups = {each["group"] for each in rows} if rows else {row["group"]}
        units = {each["unit"] for each in rows}
        if None in groups:
            self.notify(
                _("{unit} is in no group").format(unit=row["name"] or row["unit"]), severity="error", markup=False
            )
            return
        title = (
            _("Scale the quotas of the selected units: {count}").format(count=len(units))
            if units
            else _("Scale the quotas of the group {group}").format(group=row["group"])
        )
        fields = [
            Field("factor", _("Factor"), "1.10", _("above 0, at most 100"), checks.factor),
            Field("note", _("Reason"), "", _("kept with the quotas"), checks.given),
        ]
        answer = await self.office.push_screen_wait(Form(title, fields, _("Go on")))
        if answer is None:
            return
        factor, note = Decimal(answer["factor"]), answer["note"]
        edits: list[Edit] = []
        try:
            for group in sorted(groups):
                edits += kr.scale_quotas(current, group, factor, indicator=self.indicator, note=note)
        except ValueError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        wanted = [each for each in edits if not units or (isinstance(each, kr.QuotaEdit) and each.unit in units)]
        await self._bulk(title, wanted)

    async def _bulk(self, title: str, edits: Sequence[Edit]) -> None:
        """Show old and new of several edits, say how many, and make them where that is wanted."""
        current = self.desk.current
        if current is None:
            return
        try:
            lines = self.office.described(kr.changes(current, edits))
        except ValueError as error:
            self.notify(str(error), severity="error")
            return
        question = Confirm(f"{title}: {len(edits)}", lines, _("Take {count}").format(count=len(edits)))
        wanted = bool(edits) and await self.office.push_screen_wait(question)
        if wanted:
            self.office.propose(edits)

    @work
    async def action_remove(self) -> None:
        """Ask, and remove the row under the cursor."""
        row = self._row()
        if row is None or row["amount"] is None:
            return
        edit = kr.QuotaEdit(row["unit"], None, self.indicator, row["effective"])
        if row["state"] == "new":
            self.office.propose([edit], drop=True)
            return
        await self._bulk(_("Remove the quota row"), [edit])

    @work
    async def action_indicator(self) -> None:
        """Choose the indicator whose quotas are shown."""
        current = self.desk.current
        if current is None:
            return
        known = sorted({self.indicator, *current.tables.quotas["indicator"].unique().to_list()})
        chosen = await self.office.push_screen_wait(
            Pick(_("Quotas of"), [(name, name) for name in known], self.indicator)
        )
        if chosen is not None:
            self.indicator = chosen
            self.fill()


def _indented(row: dict[str, Any]) -> str:
    indent = "  " * int(row["depth"])
    return indent + ("  ↳" if row["again"] else str(row["name"] or row["unit"]))


def _changed(row: dict[str, Any]) -> Tone:
    return "warn" if row["state"] else ""
