"""What all panes have: a desk, what is remembered of their tables, the same command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.containers import Vertical

from kpi_rules_tui.actions import CHANGING
from kpi_rules_tui.panes.holder import FilterLine, Holder
from kpi_rules_tui.widgets.table import Table

if TYPE_CHECKING:
    from kpi_rules_tui.desk import Desk

__all__ = ["FilterLine", "Pane", "kept_of", "take_up"]

WIDE: Final = 120
"""From so many columns on there is room for more than the essentials."""


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


class Pane(Holder, Vertical):
    """A pane. Its data is shown by `fill`, which is called when it is first shown and whenever the desk has changed."""

    tables: ClassVar[tuple[str, ...]] = ()
    """The ids of its tables; filter, order and cursor of the first are remembered."""

    DEFAULT_CSS = """
    Pane { height: 1fr; }
    """

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

    def focus_first(self) -> None:
        """Give the focus to the first table."""
        self.screen.set_focus(self.query_one(f"#{self.tables[0]}", Table))  # at once: the next key is meant for it

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
