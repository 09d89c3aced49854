"""What has tables: panes and the page of a unit. Filter, status, export, a row in full, what was just done."""

from __future__ import annotations

from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import work
from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import Input

import kpi_rules as kr
from kpi_rules_tui.dialogs.form import Field, Form
from kpi_rules_tui.dialogs.reader import Reader
from kpi_rules_tui.texts import _, safe
from kpi_rules_tui.widgets.columns import read, written
from kpi_rules_tui.widgets.lines import StatusLine
from kpi_rules_tui.widgets.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from textual.binding import BindingType

    from kpi_rules_tui.app import Office
    from kpi_rules_tui.widgets.columns import Column

ENDINGS: Final = (".csv", ".json", ".parquet", ".xlsx")
"""What an export may end in."""


def as_shown(columns: Sequence[Column], rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows as texts, as a table shows them, under its titles; of two alike the second is numbered."""
    import polars as pl

    titles: list[str] = []
    for column in columns:
        name, number = column.title, 1
        while name in titles:
            number += 1
            name = f"{column.title} {number}"
        titles.append(name)
    return pl.DataFrame(written(columns, rows), schema=dict.fromkeys(titles, pl.String), orient="row")


class FilterLine(Input):
    """Where the text to filter by is typed; enter keeps it, escape clears it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "show_all", show=False),  # bindings and not keys: escape means more around it
        Binding("enter,down", "go_on", show=False),  # at once, so that the next key is the table's
    ]

    DEFAULT_CSS = """
    FilterLine { height: 1; border: none; padding: 0 1; display: none; background: $surface; }
    FilterLine.-open { display: block; }
    """

    def __init__(self) -> None:
        """Make a closed line."""
        super().__init__(compact=True)
        self.cursor_blink = False
        self.table: Table | None = None

    def open(self, table: Table) -> None:
        """Begin to filter a table."""
        self.table = table
        self.placeholder = _("filter: what rows must contain")
        self.value = safe(table.needle)
        self.add_class("-open")
        self.screen.set_focus(self)

    def close(self) -> None:
        """End, and go back to the table."""
        self.remove_class("-open")
        if self.table is not None:
            self.screen.set_focus(self.table)

    def action_show_all(self) -> None:
        """Show all rows again."""
        if self.table is not None:
            self.table.narrow("")
        self.value = ""
        self.close()

    def action_go_on(self) -> None:
        """Go on in the table with what is found."""
        self.close()


class Holder(Widget):
    """Has tables, a `FilterLine` and a `StatusLine`."""

    @property
    def office(self) -> Office:
        """The application."""
        app: Any = self.app
        return app  # type: ignore[no-any-return]  # (there is no other)

    @property
    def table(self) -> Table:
        """The table that is filtered, that has the focus, or else the first."""
        line, focused = self.query_one(FilterLine), self.screen.focused
        if line.table is not None and line.has_class("-open"):
            return line.table
        return focused if isinstance(focused, Table) and focused in self.query(Table) else self.query(Table).first()

    def tell(self, text: str = "") -> None:
        """Say what is shown, or what was just done."""
        line = self.query_one(StatusLine)
        table = self.table
        parts = []
        if table.busy:
            parts.append(_("filtering…") if table.needle else _("sorting…"))
        elif table.needle:
            count, total = f"{table.count:,}", f"{table.total:,}"
            parts.append(_("{count} of {total} match '{text}'").format(count=count, total=total, text=table.needle))
        else:
            parts.append(_("rows: {count}").format(count=f"{table.total:,}"))
        if table.selected:
            parts.append(_("selected: {count}").format(count=len(table.selected)))
        line.tell("  │  ".join([*([text] if text else []), *parts, *self.more()]))

    def more(self) -> Sequence[str]:
        """Return what else the status says."""
        return ()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter at every key."""
        if isinstance(event.input, FilterLine) and event.input.table is not None:
            event.input.table.narrow(event.value)
            self.tell()

    def on_table_asked(self, event: Table.Asked) -> None:
        """Filter, export or read a table."""
        event.stop()
        if event.what == "filter":
            self.query_one(FilterLine).open(event.table)
        elif event.what == "export":
            self._export(event.table)
        elif event.what == "read":
            self.read_row(event.table)
        elif event.what == "copied":
            self.tell(_("copied: {count}").format(count=len(event.table.chosen)))
        elif event.what == "too many":
            self.tell(_("too many rows to copy; e exports them"))
        else:
            self.tell()

    def in_full(self, table: Table) -> Sequence[Column]:
        """Return the columns of a row in full; those for which there is no room are among them."""
        return table.columns

    def read_row(self, table: Table) -> None:
        """Show the row under the cursor in full: what its columns say, then what else is known by name, such as ids.

        A number that no column writes is left out: fen would be taken for yuan.
        """
        row = table.current
        if row is None:
            return
        columns = self.in_full(table)
        lines = [f"{column.title}: {read(column, row)}" for column in columns]
        shown_ = {column.name for column in columns}
        for name, value in row.items():
            if name not in shown_ and value not in (None, "") and (type(value) is bool or not isinstance(value, Real)):
                lines.append(f"{name}: {value}")
        self.app.push_screen(Reader(_("Row"), "\n".join(lines)))

    def _export(self, table: Table) -> None:
        rows = table.shown_rows
        if rows is None:
            return

        def done(values: dict[str, str] | None) -> None:
            if values is not None:
                self._write(table, rows, Path(values["file"]).expanduser())

        hint = _("rows as shown: {count}; {endings}").format(count=f"{rows.height:,}", endings=", ".join(ENDINGS))
        self.app.push_screen(Form(_("Export"), [Field("file", _("File"), "", hint, _target)], _("Write")), done)

    @work
    async def _write(self, table: Table, rows: pl.DataFrame, path: Path) -> None:
        """Write rows in a thread, as a table shows them: a million take a while."""
        self.tell(_("writing {path}").format(path=path))
        columns = table.columns

        def write() -> str:
            try:
                kr.write_table(as_shown(columns, rows), path)
            except ValueError as error:
                return str(error)
            return ""

        wrong = await self.office.off(write)
        if wrong:
            self.notify(wrong, severity="error")
        self.tell(_("written: {path}").format(path=path) if wrong == "" else "")


def _target(text: str) -> str:
    """Say what is wrong with a file to write to, while it is typed."""
    try:
        path = Path(text).expanduser()
        if path.suffix.lower() not in ENDINGS:
            return _("expected a file that ends in {endings}").format(endings=", ".join(ENDINGS))
        if path.exists():
            return _("{path} is there already").format(path=path)
        if not path.parent.is_dir():
            return _("there is no folder {path}").format(path=path.parent)
    except (OSError, RuntimeError, ValueError) as error:  # too long a name, no such user, a null byte
        return str(error)
    return ""
