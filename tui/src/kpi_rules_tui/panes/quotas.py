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
from kpi_rules_tui.dialogs.form import Field, Form
from kpi_rules_tui.dialogs.pick import Pick
from kpi_rules_tui.panes import checks
from kpi_rules_tui.panes.editing import EditingPane, Row
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
    named: ClassVar[str] = "unit"
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
        self.edited.empty = _("no units")
        frame = quotas(current, self.desk.workspace, self.indicator, self.office.assessment)
        self.edited.show(frame, self.columns())
        self.show_effect()
        self.tell()

    def columns(self) -> list[Column]:
        """Return the columns that there is room for."""
        return self._columns(wide=self.wide)

    def in_full(self, table: Table) -> Sequence[Column]:
        """Return all columns."""
        return self._columns(wide=True) if table is self.edited else table.columns

    def _columns(self, *, wide: bool) -> list[Column]:
        unit = self.office.scale.beside if self.is_money else ""
        return [
            Column("name", _("unit"), _indented, whole=True, most=32 if wide else 24),
            Column("effective", _("from"), least=10),
            Column("amount", _("quota") + unit, self.show, right=True, least=12),
            Column("was", _("saved") + (unit if wide else ""), self._was, _changed, whole=True, right=True),
            *([Column("below", _("sum below") + unit, self.show, lambda _amount: "dim", right=True)] if wide else []),
            Column("completion", _("completion"), percent, right=True),
            *([Column("group", _("group"), most=16)] if wide else []),
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

    def _was(self, row: Row) -> str:
        if row["state"] == "new":
            return _("new")
        if row["state"] == "changed":
            return self.show(row["was"])
        return _("removed") if row["state"] == "removed" else ""

    def more(self) -> Sequence[str]:
        """Say which indicator, and what else there is."""
        return [_("quotas of {indicator}; i for another").format(indicator=self._called(self.indicator))]

    def _called(self, indicator: str) -> str:
        current = self.desk.current
        return kr.columns_called(current.plugins.indicators).get(indicator, indicator) if current else indicator

    def same(self) -> list[str]:
        """Return the commands that show the quotas, and make the edits."""
        shows = self.desk.command("assess", *self.desk.day(), "--table", "units")
        return [shows, *([self.desk.edit_command(save=True)] if self.desk.changed else [])]

    # -- what can be done ------------------------------------------------------------------------------------------

    def action_edit(self) -> None:
        """Edit the quota under the cursor."""
        row = self.row
        if row is None:
            return
        before = self.write(row["amount"]) if row["amount"] is not None else ""
        self.edit_cell("amount", before, self.check_amount, lambda text: [self._edit(row, text)])

    def write(self, amount: int) -> str:
        """Write an amount as it is typed."""
        return kr.format_amount(amount) if self.is_money else str(amount)

    def read(self, text: str) -> int | None:
        """Read an amount, or a count, as it is typed."""
        return kr.parse_amount(text) if self.is_money else checks.count(text)

    def check_amount(self, text: str) -> str:
        """Say what is wrong with an amount."""
        return checks.amount(text) if self.is_money else checks.whole_number(text)

    def _edit(self, row: Row, text: str) -> Edit:
        return kr.QuotaEdit(row["unit"], self.read(text), self.indicator, row["effective"] or self._start)

    @property
    def _start(self) -> date | None:
        """The day from which a quota holds that is the unit's first."""
        current = self.desk.current
        return current.config.year.start if current is not None and current.config is not None else None

    @work
    async def action_rebase(self) -> None:
        """Ask for a new revision of the quotas: from when, how much for each, why."""
        config = self.desk.workspace.config if self.desk.workspace is not None else None
        rows, left = self.hit(lambda _row: "")
        if config is None or not rows:
            self.tell_left(left)
            return
        units = list(dict.fromkeys(row["unit"] for row in rows))
        amounts = {row["amount"] for row in rows}
        amount = amounts.pop() if len(amounts) == 1 else None
        fields = [
            Field("effective", _("From"), "", *checks.day_within(config.year.start, config.year.end)),
            Field("amount", _("Quota"), self.write(amount) if amount else "", self._hint(), self.check_amount),
            Field("note", _("Reason"), "", _("kept with the revision"), checks.given),
        ]
        title = (
            _("New revision of the selected units: {count}").format(count=len(units))
            if self.edited.selected
            else _("New revision of {unit}").format(unit=rows[0]["name"] or rows[0]["unit"])
        )
        answer = await self.office.push_screen_wait(Form(title, fields, _("Take")))
        if answer is None:
            return
        on, amount, note = date.fromisoformat(answer["effective"]), self.read(answer["amount"]), answer["note"]
        edits = [kr.QuotaEdit(unit, amount, self.indicator, on, note) for unit in units]
        if self.edited.selected:
            self.ask(_("New revision"), edits, left=left)
        else:
            self.office.propose(edits)

    def _hint(self) -> str:
        return _("an amount such as 1500万 or 2亿, yuan without a unit") if self.is_money else _("a whole number")

    @work
    async def action_split(self) -> None:
        """Split quotas over the units below: equally or by weight."""
        current = self.desk.current
        above = {row["unit"] for row in self.edited.chosen if not _no_quota(row)}
        rows, left = self.hit(lambda row: _no_quota(row) or _split_above(row, above))
        if current is None or not rows:
            self.tell_left(left)
            return
        ways = [("equal", _("equally")), ("weight", _("by the weights of the units"))]
        title = (
            _("Split the quotas of the selected rows over the units below")
            if self.edited.selected
            else _("Split the quota of {unit} over the units below").format(unit=rows[0]["name"] or rows[0]["unit"])
        )
        way = await self.office.push_screen_wait(Pick(title, ways))
        if way is None:
            return
        by: Any = way
        edits: list[Edit] = []
        for row in rows:
            try:
                parts = kr.split_quota(current, row["unit"], self.indicator, by=by, effective=row["effective"])
                edits += kr.edits_of_split(current, parts)
            except ValueError as error:
                left.add(str(error))
        self.ask(title, edits, left=left)

    @work
    async def action_scale_group(self) -> None:
        """Multiply the quotas of the selected rows' units, or of the whole group of the one under the cursor."""
        current = self.desk.current
        rows, left = self.hit(_unscaled if self.edited.selected else _no_group)
        if current is None or not rows:
            self.tell_left(left)
            return
        groups = {each["group"] for each in rows}
        units = {each["unit"] for each in rows} if self.edited.selected else set()
        title = (
            _("Scale the quotas of the selected units: {count}").format(count=len(units))
            if units
            else _("Scale the quotas of the group {group}").format(group=rows[0]["group"])
        )
        fields = [
            Field("factor", _("Factor"), "1.10", _("above 0, at most 100"), checks.factor),
            Field("note", _("Reason"), "", _("kept with the quotas"), checks.given),
        ]
        answer = await self.office.push_screen_wait(Form(title, fields, _("Take")))
        if answer is None:
            return
        factor, note = Decimal(answer["factor"]), answer["note"]
        edits: list[kr.QuotaEdit] = []
        try:
            for group in sorted(groups):
                edits += kr.scale_quotas(current, group, factor, indicator=self.indicator, note=note)
        except ValueError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self.ask(title, [each for each in edits if not units or each.unit in units], left=left)

    def action_remove(self) -> None:
        """Ask, and remove the quotas; one that is not saved, and alone, goes without asking."""
        rows, left = self.hit(_no_quota)
        edits, drop = self.parted(rows, lambda row: kr.QuotaEdit(row["unit"], None, self.indicator, row["effective"]))
        if drop and not edits and not self.edited.selected:
            self.office.propose(edits, drop)
        else:
            self.ask(_("Remove quota rows"), edits, drop, left)

    @work
    async def action_indicator(self) -> None:
        """Choose the indicator whose quotas are shown."""
        current = self.desk.current
        if current is None:
            return
        known = sorted({self.indicator, *current.tables.quotas["indicator"].unique().to_list()})
        chosen = await self.office.push_screen_wait(
            Pick(_("Quotas of"), [(name, self._called(name)) for name in known], self.indicator)
        )
        if chosen is not None:
            self.indicator = chosen
            self.fill()


def _indented(row: Row) -> str:
    indent = "  " * int(row["depth"])
    return indent + ("  ↳" if row["again"] else str(row["name"] or row["unit"]))


def _changed(row: Row) -> Tone:
    return "warn" if row["state"] else ""


def _no_quota(row: Row) -> str:
    if row["state"] == "removed":
        return _("removed already")
    return _("no quota") if row["amount"] is None else ""


def _split_above(row: Row, above: set[str]) -> str:
    """Say why a row is not split where the units `above` are: what it gets is known only then."""
    return _("the unit above is split too") if row["parent"] in above else ""


def _no_group(row: Row) -> str:
    return _("in no group") if row["group"] is None else ""


def _unscaled(row: Row) -> str:
    return _no_group(row) or _no_quota(row)
