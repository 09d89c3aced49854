"""What all panes have: a desk, tables that can be filtered, exported and read, a line of status, the same command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.containers import Vertical
from textual.widgets import Input

import kpi_rules as kr
from kpi_rules_tui.actions import CHANGING
from kpi_rules_tui.dialogs.form import Field, Form
from kpi_rules_tui.dialogs.reader import Reader
from kpi_rules_tui.texts import _
from kpi_rules_tui.widgets.lines import StatusLine
from kpi_rules_tui.widgets.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from kpi_rules_tui.app import Office
    from kpi_rules_tui.desk import Desk

WIDE: Final = 120
"""From so many columns on there is room for more than the essentials."""


ENDINGS: Final = (".csv", ".json", ".parquet", ".xlsx")
"""What an export may end in."""


def as_shown(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows as texts, as the table shows them, under its titles; of two alike the second is numbered."""
    import polars as pl

    titles: list[str] = []
    for column in table.columns:
        name, number = column.title, 1
        while name in titles:
            number += 1
            name = f"{column.title} {number}"
        titles.append(name)
    return pl.DataFrame(table.written(rows), schema=dict.fromkeys(titles, pl.String), orient="row")


def kept_of(table: Table) -> dict[str, Any]:
    """Return what is to be remembered of a table."""
    return {"filter": table.needle, "order": list(table.order) if table.order else None, "row": table.at}


def take_up(table: Table, entry: object) -> None:
    """Have a table filtered and ordered as was remembered; what does not fit any more is left."""
    match entry:
        case {"order": [str() as column, bool() as descending]}:
            order: tuple[str, bool] | None = (column, descending)
        case _:
            order = None
    match entry:
        case {"filter": str() as needle, "row": row}:
            table.take_up(needle, order, row if isinstance(row, str) else None)
        case _:
            pass


class FilterLine(Input):
    """Where the text to filter by is typed; enter keeps it, escape clears it."""

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
        self.value = table.needle
        self.add_class("-open")
        self.focus()

    def close(self) -> None:
        """End, and go back to the table."""
        self.remove_class("-open")
        if self.table is not None:
            self.table.focus()

    def key_escape(self) -> None:
        """Show all rows again."""
        if self.table is not None:
            self.table.narrow("")
        self.value = ""
        self.close()

    def key_down(self) -> None:
        """Go on in the table with what is found."""
        self.close()


class Pane(Vertical):
    """A pane. Its data is shown by `fill`, which is called when it is first shown and whenever the desk has changed."""

    tables: ClassVar[tuple[str, ...]] = ()
    """The ids of its tables; filter, order and cursor of the first are remembered."""

    DEFAULT_CSS = """
    Pane { height: 1fr; }
    """

    @property
    def office(self) -> Office:
        """The application."""
        app: Any = self.app
        return app  # type: ignore[no-any-return]  # (there is no other)

    @property
    def desk(self) -> Desk:
        """What is on the desk."""
        return self.office.desk

    @property
    def wide(self) -> bool:
        """Whether there is room for more than the essentials."""
        return self.app.size.width >= WIDE

    def fill(self) -> None:
        """Show what is on the desk."""
        raise NotImplementedError

    def find(self, name: str) -> None:
        """Put the cursor on what has a name."""
        self.table.go_to(name)

    def same(self) -> list[str]:
        """Return the commands that show what this pane shows."""
        return []

    @property
    def table(self) -> Table:
        """The table that has the focus, else the pane's first."""
        focused = self.screen.focused
        if isinstance(focused, Table) and focused in self.query(Table):
            return focused
        return self.query_one(f"#{self.tables[0]}", Table)

    def focus_first(self) -> None:
        """Give the focus to the first table."""
        self.query_one(f"#{self.tables[0]}", Table).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse what changes something where nothing may be changed."""
        del parameters
        return not (action in CHANGING and (self.desk.readonly or self.desk.workspace is None))

    # -- what is remembered ----------------------------------------------------------------------------------------

    def kept(self) -> dict[str, Any]:
        """Return what is to be remembered of this pane."""
        return {name: kept_of(self.query_one(f"#{name}", Table)) for name in self.tables}

    def restore(self, kept: dict[str, Any]) -> None:
        """Take up what was remembered; what does not fit any more is left."""
        for name in self.tables:
            take_up(self.query_one(f"#{name}", Table), kept.get(name))
        self.tell()

    # -- filter, status, export ------------------------------------------------------------------------------------

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

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter."""
        if isinstance(event.input, FilterLine):
            event.input.close()

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

    def read_row(self, table: Table) -> None:
        """Show the row under the cursor in full."""
        row = table.current
        if row is not None:
            lines = [f"{name}: {'' if value is None else value}" for name, value in row.items()]
            self.app.push_screen(Reader(_("Row"), "\n".join(lines)))

    def _export(self, table: Table) -> None:
        rows = table.shown_rows
        if rows is None:
            return

        def check(text: str) -> str:
            path = Path(text).expanduser()
            if path.suffix.lower() not in ENDINGS:
                return _("expected a file that ends in {endings}").format(endings=", ".join(ENDINGS))
            if path.exists():
                return _("{path} is there already").format(path=path)
            if not path.parent.is_dir():
                return _("there is no folder {path}").format(path=path.parent)
            return ""

        def done(values: dict[str, str] | None) -> None:
            if values is None:
                return
            path = Path(values["file"]).expanduser()
            try:
                kr.write_table(as_shown(table, rows), path)
            except ValueError as error:
                self.notify(str(error), severity="error", markup=False)
            else:
                self.tell(_("written: {path}").format(path=path))

        hint = _("rows as shown: {count}; {endings}").format(count=rows.height, endings=", ".join(ENDINGS))
        self.app.push_screen(Form(_("Export"), [Field("file", _("File"), "", hint, check)], _("Write")), done)
