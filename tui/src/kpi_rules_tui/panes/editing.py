"""What the panes that edit have in common: a cell edited in place, what an edit changes while it is typed, and actions
on several rows at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Final

from attrs import define, field
from textual import work

import kpi_rules as kr
from kpi_rules_tui.dialogs.confirm import Confirm
from kpi_rules_tui.panes.effect import show_effect
from kpi_rules_tui.panes.pane import Pane
from kpi_rules_tui.texts import _, plain, shown
from kpi_rules_tui.widgets.cell import CellInput
from kpi_rules_tui.widgets.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kpi_rules_tui.desk import Edit, Weighed
    from kpi_rules_tui.widgets.table import Column

PAUSE: Final = 0.06
"""Seconds without a key before what is typed is worked out."""

NAMED: Final = 3
"""Rows left as they are that are named for each reason; there may be thousands."""

Row = dict[str, Any]


@define
class Left:
    """What an action leaves as it is: how many rows, by the reason, and the first of what they are rows of."""

    counts: Counter[str] = field(factory=Counter)
    names: dict[str, dict[str, None]] = field(factory=dict)

    def add(self, why: str, name: str = "", count: int = 1) -> None:
        """Count rows that are left for a reason."""
        self.counts[why] += count
        if name:
            self.names.setdefault(why, {})[name] = None

    def told(self) -> list[str]:
        """Write how many rows are left as they are, a line for each reason."""
        return [self._line(why, count) for why, count in self.counts.items()]

    def _line(self, why: str, count: int) -> str:
        line = _("left as they are: {count} ({why})").format(count=f"{count:,}", why=why)
        names = [plain(name) for name in self.names.get(why, ())]
        more = [] if len(names) <= NAMED else ["…"]
        return f"{line}: {', '.join([*names[:NAMED], *more])}" if names else line


class EditingPane(Pane):
    """A pane with a table that is edited, the first, and one that shows what the edits change, the last."""

    named: ClassVar[str]
    """The column of the table with the name that `find` goes to."""

    DEFAULT_CSS = """
    EditingPane { layers: default above; }
    """

    _made: Callable[[str], Sequence[Edit]] | None = None

    # -- the table -------------------------------------------------------------------------------------------------

    @property
    def edited(self) -> Table:
        """The table that is edited."""
        return self.query_one(f"#{self.tables[0]}", Table)

    @property
    def effect(self) -> Table:
        """The table of what changes."""
        return self.query_one(f"#{self.tables[-1]}", Table)

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self.edited.current

    def columns(self) -> list[Column]:
        """Return the columns that there is room for."""
        raise NotImplementedError

    def on_resize(self) -> None:
        """Show what there is room for."""
        if self.edited.frame is not None:
            self.edited.show(self.edited.frame, self.columns())

    def find(self, name: str) -> None:
        """Put the cursor on the first row of what has a name."""
        table = self.edited
        if table.frame is None:
            return
        for key, each in table.frame.select(table.key, self.named).iter_rows():
            if each == name:
                table.go_to(key)
                return

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """Change what was opened."""
        event.stop()
        if event.table is self.edited and not self.desk.readonly:
            self.action_edit()

    def action_edit(self) -> None:
        """Change what is under the cursor."""
        raise NotImplementedError

    # -- one cell --------------------------------------------------------------------------------------------------

    def edit_cell(
        self, column: str, value: str, check: Callable[[str], str], made: Callable[[str], Sequence[Edit]]
    ) -> None:
        """Edit a cell of the cursor's row: `check` says what is wrong with a text, `made` the edits it stands for."""
        self._made = made
        self.mount(CellInput(self.edited, column, value, check))

    def on_cell_input_typed(self, event: CellInput.Typed) -> None:
        """Say what is wrong, or show what would change."""
        event.stop()
        if event.wrong:
            self.workers.cancel_group(self, "preview")  # of what stood there before: it would be told over this
            self.tell(event.wrong)
        elif self._made is not None and not isinstance(event, CellInput.Done):
            self._preview(self._made(event.text))

    def on_cell_input_done(self, event: CellInput.Done) -> None:
        """Make the edit."""
        event.stop()
        if self._made is not None:
            self.office.propose(self._made(event.text))

    def on_cell_input_left(self, event: CellInput.Left) -> None:
        """Show again what the edits that were made change."""
        event.stop()
        self.workers.cancel_group(self, "preview")
        self.show_effect()
        self.tell()

    @work(exclusive=True, group="preview")
    async def _preview(self, edits: Sequence[Edit]) -> None:
        """Show what edits would change, once no key has come for a moment."""
        await asyncio.sleep(PAUSE)
        weighed: Weighed | None = await self.office.off(self.desk.glance, self.desk.made(edits))
        if weighed is None or not self.query(CellInput):
            return
        if weighed.refused:
            self.tell(weighed.refused)
            return
        show_effect(self.effect, self.desk.assessment, weighed.assessment, self.office.scale)
        if self.edited.selected:
            self.tell(_("Enter takes it for this row alone, Esc leaves it as it was"))
        else:
            self.tell(_("Enter takes it, Esc leaves it as it was"))

    def show_effect(self) -> None:
        """Show what the edits that were made change."""
        show_effect(self.effect, self.desk.assessment, self.office.assessment, self.office.scale)

    # -- several rows ----------------------------------------------------------------------------------------------

    def hit(self, unfit: Callable[[Row], str]) -> tuple[list[Row], Left]:
        """Return the rows that an action is for: those selected, or without a selection that under the cursor.

        Args:
            unfit: says why the action cannot be for a row, or nothing.

        Returns:
            The rows, without those that are unfit, and what is left as it is. What is selected and not shown is left
            too: nobody sees that it would be hit.
        """
        table = self.edited
        rows = [row for row in table.chosen if not table.selected or row[table.key] in table.selected]
        left = Left()
        if hidden := len(table.selected) - len(rows) if table.selected else 0:
            left.add(_("not shown"), count=hidden)
        fit = []
        for row in rows:
            if why := unfit(row):
                left.add(why, str(row[self.named]))
            else:
                fit.append(row)
        return fit, left

    def ask(self, title: str, edits: Sequence[Edit], drop: Sequence[Edit] = (), left: Left | None = None) -> None:
        """Say how many edits are about to be made, show old and new, and make them where that is wanted.

        Those that the workspace would not have are left out, and told with the reason as are those `left` before.
        """
        self.office.typeahead.hold()  # the next key is meant for the question
        self._ask(title, edits, drop, left or Left())

    @work
    async def _ask(self, title: str, edits: Sequence[Edit], drop: Sequence[Edit], left: Left) -> None:
        current = self.desk.current
        if current is None:
            return
        every, dropped = [*edits, *drop], frozenset(drop)
        if self.desk.wrong(self.desk.made(edits, drop)):
            sifted: tuple[list[Edit], list[str]] | None = await self.office.off(self.desk.sift, every, dropped)
            if sifted is None:
                return
            every, whys = sifted
            for why in whys:
                left.add(why)
        if not every:
            self.tell_left(left)
            return
        lines = [shown(each).stylize("$text-warning") for each in left.told()]
        try:
            lines += self.office.described(kr.changes(current, every))
        except ValueError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        count = len(every)
        question = Confirm(f"{title}: {count}", lines, _("Take {count}").format(count=count))
        if await self.office.push_screen_wait(question):
            wanted = [each for each in every if each not in dropped]
            self.office.propose(wanted, [each for each in every if each in dropped])

    def tell_left(self, left: Left) -> None:
        """Tell that an action has hit nothing, and why."""
        if left.counts:
            self.notify("\n".join(left.told()), severity="warning", markup=False)

    def parted(self, rows: Sequence[Row], removal: Callable[[Row], Edit]) -> tuple[list[Edit], list[Edit]]:
        """Return the edits that take rows away, and those not saved to drop, where such a row comes from one."""
        drop = self.desk.own([removal(row) for row in rows if row["state"] == "new"])
        dropped = frozenset(drop)
        return [edit for edit in map(removal, rows) if edit not in dropped], drop
