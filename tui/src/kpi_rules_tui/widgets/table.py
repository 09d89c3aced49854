"""A table over a polars frame of any length: only the lines on the screen are ever drawn.

Cells are data and never parsed. The cursor, the filter, the order and what is selected go by row and not by place, so
that they stay when the frame is made anew.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Final

import rich.cells
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kpi_rules_tui.actions import bindings
from kpi_rules_tui.texts import _, plain
from kpi_rules_tui.widgets.columns import WIDEST, Column, Tone, cell, fit, written
from kpi_rules_tui.widgets.rows import PAUSE, Shown, Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from textual import events
    from textual.binding import BindingType

__all__ = ["Column", "Table", "Tone"]

MEASURED: Final = 300
"""Rows that the width of a column is taken from; a longer cell below is cut."""

MOST_COPIED: Final = 2_000
"""Rows that are copied; terminals refuse a clipboard that is much longer. An export takes any number."""

MARK: Final = "● "


class Table(ScrollView, can_focus=True):
    """The table. `key` names the column that a row is known by."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("table")]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--head",
        "table--head-chosen",
        "table--cursor",
        "table--good",
        "table--bad",
        "table--warn",
        "table--dim",
        "table--mark",
    }

    DEFAULT_CSS = """
    Table {
        background: $background;
        color: $foreground;
        height: 1fr;
        scrollbar-size: 0 1;
        & > .table--head { background: $surface; color: $primary; text-style: bold; }
        & > .table--head-chosen { background: $surface; color: $accent; text-style: bold underline; }
        & > .table--cursor { background: $block-cursor-blurred-background; }
        & > .table--good { color: $text-success; }
        & > .table--bad { color: $text-error; text-style: bold; }
        & > .table--warn { color: $text-warning; }
        & > .table--dim { color: $muted; }
        & > .table--mark { color: $accent; text-style: bold; }
        &:focus > .table--cursor {
            background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
        }
    }
    """

    class Chosen(Message):
        """A row was opened."""

        def __init__(self, table: Table, row: dict[str, Any]) -> None:
            """Say which."""
            super().__init__()
            self.table, self.row = table, row

        @property
        def control(self) -> Table:
            """The table."""
            return self.table

    class Moved(Chosen):
        """The cursor is on another row."""

    class Asked(Message):
        """The table is to be filtered, exported or read in full: what is around it has the means to."""

        def __init__(self, table: Table, what: str) -> None:
            """Say what is asked for."""
            super().__init__()
            self.table, self.what = table, what

        @property
        def control(self) -> Table:
            """The table."""
            return self.table

    def __init__(self, key: str = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Textual's name)
        """Make an empty table."""
        super().__init__(id=id, classes=classes)
        self.key = key
        self.columns: tuple[Column, ...] = ()
        self.frame: pl.DataFrame | None = None
        self.place = 0
        self.column = 0
        self.order: tuple[str, bool] | None = None
        self.needle = ""
        self.selected: set[object] = set()
        self.empty = ""
        self.busy = False
        self._recalled: Sequence[dict[str, Any]] = ()
        self._wanted: Wanted | None = None
        self._before: dict[str, Any] | None = None
        self._shown = Shown()
        self._widths: list[int] = []

    # -- what is shown ---------------------------------------------------------------------------------------------

    def show(self, frame: pl.DataFrame, columns: Sequence[Column]) -> None:
        """Show a frame; cursor, filter, order and selection stay where their rows are still there."""
        if self.order is not None and self.order[0] not in frame.columns:
            self.order = None
        if self.key and self.selected:
            self.selected = set(frame.filter(self._is_selected(frame[self.key]))[self.key].to_list())
        self._arrange(frame, tuple(columns))

    def recall(self, rows: Sequence[dict[str, Any]], columns: Sequence[Column]) -> None:
        """Show rows of an earlier run until a frame comes: they can be gone over, selected and opened."""
        before = (self.current or self._before or {}).get(self.key)
        self._recalled, self.columns, self._shown = rows, tuple(columns), Shown(None, len(rows))
        self._measure()
        self.virtual_size = Size(self._width(), len(rows) + 1)
        self._move(next((place for place, row in enumerate(rows) if row.get(self.key) == before), 0))
        self.refresh()

    def nothing(self, why: str) -> None:
        """Show no rows but the reason; the cursor comes back to its row with the next frame that has it."""
        self._before = self.current or self._before
        self.empty, self.frame, self._shown, self._wanted, self._recalled = why, None, Shown(), None, ()
        self.virtual_size = Size(self._width(), 1)
        self.refresh()

    @property
    def count(self) -> int:
        """How many rows are shown."""
        return self._shown.count

    @property
    def total(self) -> int:
        """How many rows there are."""
        return len(self._recalled) if self.frame is None else self.frame.height

    @property
    def current(self) -> dict[str, Any] | None:
        """The row that the cursor is on, by column names."""
        return self._row_at(min(self.place, self._shown.count - 1)) if self._shown.count else None

    def _row_at(self, place: int) -> dict[str, Any]:
        """Return a row that is shown, by column names."""
        if self.frame is None:
            return self._recalled[place]
        return self.frame.row(self._shown.row(place), named=True)

    @property
    def at(self) -> object:
        """The key of the row that the cursor is on, or was on where no row is shown."""
        return (self.current or self._before or {}).get(self.key)

    @property
    def shown_rows(self) -> pl.DataFrame | None:
        """The rows shown, in the order shown, with all columns of the frame."""
        if self.frame is None or self._shown.rows is None:
            return self.frame
        return self.frame[self._shown.rows]

    @property
    def chosen(self) -> list[dict[str, Any]]:
        """The selected rows that are shown, or the one under the cursor where none is selected."""
        rows = self.shown_rows if self.selected and self.key else None
        found = [] if rows is None else rows.filter(self._is_selected(rows[self.key])).to_dicts()
        return found or ([self.current] if self.current is not None else [])

    def _is_selected(self, keys: pl.Series) -> pl.Series:
        import polars as pl

        return keys.is_in(pl.Series(list(self.selected), dtype=keys.dtype, strict=False).implode())

    def narrow(self, needle: str) -> None:
        """Show only rows in whose shown columns a text stands, in upper or lower case."""
        self.needle = needle
        if self.frame is not None:
            self._arrange(self.frame, self.columns)

    def sort_by(self, name: str | None, *, descending: bool) -> None:
        """Order the rows by a column, those without a value last; None leaves them as they came."""
        self.order = (name, descending) if name is not None else None
        if self.frame is not None:
            self._arrange(self.frame, self.columns)

    def take_up(self, needle: str, order: tuple[str, bool] | None, key: str | None) -> None:
        """Take up a filter, an order and the cursor's row, now or with the frame that comes."""
        self.needle, self.order, self._before = needle, order, {self.key: key}
        if self.frame is not None:
            self.go_to(key)
            self.show(self.frame, self.columns)

    def go_to(self, value: object) -> bool:
        """Put the cursor on the row with this key; false where it is not shown."""
        if self.frame is None or not self.key or value is None:
            return False
        keys, rows = self.frame[self.key], self._shown.rows
        keys = keys if rows is None else keys.gather(rows)
        found = (keys == value).arg_max()
        if found is None or keys[found] != value:
            return False
        self._move(found)
        return True

    def _arrange(self, frame: pl.DataFrame, columns: tuple[Column, ...]) -> None:
        """Show what is wanted: at once, or of a long frame when a thread has found it; till then nothing changes."""
        wanted = Wanted(frame, columns, self.needle, self.order)
        if wanted.quick:
            self._wanted = None
            self._settle(wanted, wanted.work_out())
            return
        self._wanted = wanted
        if not self.busy:
            self.busy = True
            self.run_worker(self._work_out())
        self.post_message(self.Asked(self, "tell"))

    async def _work_out(self) -> None:
        """Find rows in a thread, one search at a time; what is wanted by then is what the last key says."""
        try:
            while (wanted := self._wanted) is not None:
                await asyncio.sleep(PAUSE)
                if wanted is not self._wanted:
                    continue
                found = await asyncio.to_thread(wanted.work_out)
                if wanted is self._wanted:
                    self._wanted = None
                    self._settle(wanted, found)
        finally:
            self.busy = False
        self.post_message(self.Asked(self, "tell"))

    def _settle(self, wanted: Wanted, found: Shown) -> None:
        """Show what was found, and put the cursor where it was."""
        before = self.current or self._before
        anew = self.frame is not wanted.frame or self.columns is not wanted.columns
        self.frame, self.columns, self._shown, self._before = wanted.frame, tuple(wanted.columns), found, None
        self._recalled = ()
        if not found.count:
            self._before = before  # the cursor comes back to it
        if anew:
            self.column = min(self.column, max(len(self.columns) - 1, 0))
            self._measure()
        self.virtual_size = Size(self._width(), found.count + 1)
        if before is None or not self.go_to(before.get(self.key)):
            self._move(min(self.place, max(found.count - 1, 0)))
        self.refresh()

    def _measure(self) -> None:
        """Take the width of each column from its title and its first rows."""
        head = self._recalled if self.frame is None else self.frame.head(MEASURED).rows(named=True)
        self._widths = [
            min(
                max(
                    rich.cells.cell_len(plain(column.title)) + 2,  # room for the arrow of the order
                    column.least,
                    *(rich.cells.cell_len(cell(column, row)[0]) for row in head),
                ),
                column.most,
            )
            for column in self.columns
        ]

    def _width(self) -> int:
        return sum(self._widths) + 2 * len(self._widths) + len(MARK)

    # -- drawing ---------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen: the titles first, which stay."""
        base = self.rich_style
        scroll_x, scroll_y = self.scroll_offset
        width = self.size.width
        if y == 0:
            segments = self._head()
        elif (place := y - 1 + scroll_y) < self._shown.count:
            segments = self._row(place, base)
        elif not self._shown.count and y == 2:  # noqa: PLR2004 (one line below the titles)
            why = _("nothing matches; Esc shows all") if self.needle and self.total else self.empty
            segments = [Segment("  " + plain(why), base + self.get_component_rich_style("table--dim", partial=True))]
        else:
            return Strip.blank(width, base)
        return Strip(segments).crop_extend(
            scroll_x, scroll_x + width, base if y else self.get_component_rich_style("table--head")
        )

    def _head(self) -> list[Segment]:
        plain_style = self.get_component_rich_style("table--head")
        chosen = self.get_component_rich_style("table--head-chosen")
        segments = [Segment(" " * len(MARK), plain_style)]
        for number, (column, width) in enumerate(zip(self.columns, self._widths, strict=False)):
            title = plain(column.title)
            if self.order is not None and self.order[0] == column.name:
                title += " ▼" if self.order[1] else " ▲"
            style = chosen if number == self.column and self.has_focus else plain_style
            segments += [Segment(fit(title, width, right=column.right), style), Segment("  ", plain_style)]
        return segments

    def _row(self, place: int, base: Style) -> list[Segment]:
        row = self._row_at(place)
        here = place == self.place
        style = base + self.get_component_rich_style("table--cursor", partial=True) if here else base
        marked = bool(self.key) and row[self.key] in self.selected
        segments = [Segment(MARK if marked else " " * len(MARK), style + self._toned("mark") if marked else style)]
        for column, width in zip(self.columns, self._widths, strict=False):
            text, tone = cell(column, row)
            # Under the cursor of the focused table the colours are the cursor's: they are chosen to be readable.
            coloured = style if here and self.has_focus else style + self._toned(tone)
            segments += [Segment(fit(text, width, right=column.right), coloured), Segment("  ", style)]
        return segments

    def _toned(self, tone: Tone) -> Style:
        return self.get_component_rich_style(f"table--{tone}", partial=True) if tone else Style.null()

    def cell_region(self, name: str) -> Region:
        """Return where, in the table, the cell of the cursor's row and a column stands."""
        left = len(MARK)
        for column, width in zip(self.columns, self._widths, strict=False):
            if column.name == name:
                return Region(left - int(self.scroll_x), 1 + self.place - int(self.scroll_y), width, 1)
            left += width + 2
        return Region(len(MARK), 1 + self.place - int(self.scroll_y), WIDEST, 1)

    # -- moving ----------------------------------------------------------------------------------------------------

    def _move(self, place: int) -> None:
        place = max(0, min(place, self._shown.count - 1))
        changed = place != self.place
        self.place = place
        height = max(self.size.height - 1, 1)
        top = int(self.scroll_y)
        if place < top:
            self.scroll_to(y=place, animate=False, immediate=True)
        elif place >= top + height:
            self.scroll_to(y=place - height + 1, animate=False, immediate=True)
        if changed:
            self.refresh()
        if (row := self.current) is not None:
            self.post_message(self.Moved(self, row))

    def on_resize(self) -> None:
        """Keep the cursor on the screen."""
        self._move(self.place)

    def action_down(self) -> None:
        """Go down a row."""
        self._move(self.place + 1)

    def action_up(self) -> None:
        """Go up a row."""
        self._move(self.place - 1)

    def action_first(self) -> None:
        """Go to the first row."""
        self._move(0)

    def action_last(self) -> None:
        """Go to the last row."""
        self._move(self._shown.count - 1)

    def action_page_down(self) -> None:
        """Go down a screen."""
        self._move(self.place + max(self.size.height - 2, 1))

    def action_page_up(self) -> None:
        """Go up a screen."""
        self._move(self.place - max(self.size.height - 2, 1))

    def action_left(self) -> None:
        """Choose the column to the left."""
        self._choose(self.column - 1)

    def action_right(self) -> None:
        """Choose the column to the right."""
        self._choose(self.column + 1)

    def _choose(self, column: int) -> None:
        self.column = max(0, min(column, len(self.columns) - 1))
        left = sum(self._widths[: self.column]) + 2 * self.column
        width = self._widths[self.column] if self._widths else 0
        if left < self.scroll_x:
            self.scroll_to(x=left, animate=False, immediate=True)
        elif left + width + len(MARK) > self.scroll_x + self.size.width:
            self.scroll_to(x=left + width + len(MARK) - self.size.width + 2, animate=False, immediate=True)
        self.refresh()

    def action_open(self) -> None:
        """Open the row."""
        if (row := self.current) is not None:
            self.post_message(self.Chosen(self, row))

    def action_sort(self) -> None:
        """Order by the chosen column, then the other way round, then as the rows came."""
        if not self.columns:
            return
        name = self.columns[self.column].name
        if self.frame is None or name not in self.frame.columns:
            return
        first = self.columns[self.column].right  # figures begin with the greatest
        if self.order is None or self.order[0] != name:
            self.sort_by(name, descending=first)
        elif self.order[1] == first:
            self.sort_by(name, descending=not first)
        else:
            self.sort_by(None, descending=False)

    def action_select(self) -> None:
        """Select the row, or no longer, and go on."""
        row = self.current
        if row is None or not self.key:
            return
        self.selected ^= {row[self.key]}
        self._move(self.place + 1)
        self.refresh()
        self.post_message(self.Asked(self, "count"))

    def action_select_all(self) -> None:
        """Select all rows shown, or none where all are."""
        rows = self.shown_rows
        if rows is None or not self.key:
            return
        every = set(rows[self.key].to_list())
        self.selected = set() if every <= self.selected else self.selected | every
        self.refresh()
        self.post_message(self.Asked(self, "count"))

    def action_clear(self) -> None:
        """Clear the selection, then the filter."""
        if self.selected:
            self.selected = set()
            self.refresh()
        elif self.needle:
            self.narrow("")
        self.post_message(self.Asked(self, "clear"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Say whether an action is valid: escape means something else where there is nothing to clear."""
        del parameters
        return bool(self.selected or self.needle) if action == "clear" else True

    def action_filter(self) -> None:
        """Ask for a text to filter by."""
        self.post_message(self.Asked(self, "filter"))

    def action_copy(self) -> None:
        """Copy the rows chosen, as shown, with tabs between columns."""
        import polars as pl

        if len(self.selected) > MOST_COPIED:
            self.post_message(self.Asked(self, "too many"))
            return
        rows = self.chosen
        if rows and self.frame is not None:
            frame = pl.DataFrame(rows, schema=self.frame.schema)
            self.app.copy_to_clipboard("\n".join("\t".join(line) for line in written(self.columns, frame)))
            self.post_message(self.Asked(self, "copied"))

    def action_export(self) -> None:
        """Ask for a file to write what is shown to."""
        self.post_message(self.Asked(self, "export"))

    def action_read(self) -> None:
        """Ask for the row to be opened in the pager."""
        self.post_message(self.Asked(self, "read"))

    # -- the mouse -------------------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        """Choose a row; a click on a title sorts, a second one on a row opens it."""
        if event.y == 0:
            self._clicked_title(event.x + int(self.scroll_x))
            return
        place = event.y - 1 + int(self.scroll_y)
        if place < self._shown.count:
            self._move(place)
            if event.chain > 1:
                self.action_open()

    def _clicked_title(self, x: int) -> None:
        left = len(MARK)
        for number, width in enumerate(self._widths):
            if left <= x < left + width + 2:
                self.column = number
                self.action_sort()
                return
            left += width + 2
