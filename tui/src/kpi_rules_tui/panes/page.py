"""The page of one unit, over the panes: from one unit to the next, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.screen import Screen

from kpi_rules_tui.actions import bindings
from kpi_rules_tui.panes.holder import Holder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

    import kpi_rules as kr


class Page(Holder, Screen[None]):
    """A page of one unit; escape goes back, n and b go to the next and the one before."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("unit")]

    def __init__(self, unit: str) -> None:
        """Take whose page it is."""
        super().__init__()
        self.unit = unit

    def units(self) -> Sequence[str]:
        """Return the units that there are pages of, in their order."""
        raise NotImplementedError

    def fill(self) -> None:
        """Show the unit as it stands with what is not saved."""
        raise NotImplementedError

    def headline(self, workspace: kr.Workspace) -> str:
        """Return the unit's name, where it has one, and its id."""
        names = dict(workspace.tables.units.select("unit", "name").iter_rows())
        return f"{names.get(self.unit) or ''} {self.unit}".strip()

    def action_next_part(self) -> None:
        """Go to the next table of the page, from the last one to the first."""
        self.focus_next()

    def action_profile(self) -> None:
        """Show the unit's consequences over its completion, with its cliffs."""
        self.office.open_profile(self.unit)

    def action_back(self) -> None:
        """Go back."""
        self.dismiss(None)

    def action_next_unit(self) -> None:
        """Go to the next unit, from the last one to the first."""
        self._step(1)

    def action_previous_unit(self) -> None:
        """Go to the unit before, from the first one to the last."""
        self._step(-1)

    def _step(self, by: int) -> None:
        units = self.units()
        if self.unit in units:
            self.unit = units[(units.index(self.unit) + by) % len(units)]
            self.fill()
