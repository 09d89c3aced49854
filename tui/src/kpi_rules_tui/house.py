"""The screen of panes: title, tabs, the pane that was chosen, the keys."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from textual.containers import Vertical
from textual.screen import Screen

from kpi_rules_tui.desk import units
from kpi_rules_tui.texts import N_, _
from kpi_rules_tui.widgets.lines import Keys, TabsLine, TitleLine

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from kpi_rules_tui.app import Office
    from kpi_rules_tui.panes.pane import Pane
    from kpi_rules_tui.seen import Seen

PANES: Final = {
    "overview": ("1", N_("Overview"), "OverviewPane"),
    "quotas": ("2", N_("Quotas"), "QuotasPane"),
    "policies": ("3", N_("Policies"), "PoliciesPane"),
    "simulate": ("4", N_("Simulate"), "SimulatePane"),
    "evidence": ("5", N_("Evidence"), "EvidencePane"),
}
"""The panes: key, name, and the class in `kpi_rules_tui.panes.<id>`, imported when it is first shown."""


class House(Screen[None]):
    """The panes; each is made when it is first shown."""

    AUTO_FOCUS = ""

    DEFAULT_CSS = """
    House > #panes { height: 1fr; }
    """

    def __init__(self) -> None:
        """Begin with no pane."""
        super().__init__()
        self._made: dict[str, Pane] = {}
        self._filled: set[str] = set()
        self._active = ""
        self._first = True

    def compose(self) -> ComposeResult:
        """Lay out the lines around the panes."""
        yield TitleLine()
        yield TabsLine()
        yield Vertical(id="panes")
        yield Keys()

    @property
    def office(self) -> Office:
        """The application."""
        app: Any = self.app
        return app  # type: ignore[no-any-return]  # (there is no other)

    @property
    def pane(self) -> Pane:
        """The pane that is shown."""
        return self._made[self._active]

    async def on_mount(self) -> None:
        """Show the pane of the last run."""
        kept = self._remembered()
        active = kept.get("pane")
        await self.go(active if isinstance(active, str) and active in PANES else "overview")

    def _remembered(self) -> dict[str, Any]:
        key = str(self.office.desk.folder.resolve())
        return self.office.remembered.workspaces.get(key, {})

    async def go(self, name: str) -> None:
        """Show a pane."""
        if name not in self._made:
            pane: Pane = getattr(import_module(f"kpi_rules_tui.panes.{name}"), PANES[name][2])(id=f"pane-{name}")
            self._made[name] = pane
            await self.query_one("#panes").mount(pane)
        self._active = name
        self._show()

    def _show(self) -> None:
        """Show the active pane alone, with what is on the desk."""
        for name, pane in self._made.items():
            pane.display = name == self._active
        self.tell()
        if self._active not in self._filled:
            self._fill(self._active)
        if self.app.screen is self:
            self.pane.focus_first()

    def _fill(self, name: str) -> None:
        """Fill a pane, and take up what was remembered of it the first time."""
        pane: Any = self._made[name]
        if not pane.is_mounted:
            return
        first = not pane.has_class("-filled") and not pane.has_class("-recalled")
        kept = self._remembered().get(name)
        if self.office.desk.workspace is None:
            if self.office.seen is not None and first and name == "overview":
                pane.add_class("-recalled")
                pane.restore(kept if isinstance(kept, dict) else {})
                if not self.office.seen.now or not (pane.table.needle or pane.table.order):  # they need the frame
                    pane.recall(self.office.seen)
            return
        pane.fill()
        pane.add_class("-filled")
        self._filled.add(name)
        if first:
            pane.restore(kept if isinstance(kept, dict) else {})

    def fill(self) -> None:
        """Show anew what is on the desk; panes that are not shown follow when they are.

        A workspace that has errors when it is first read shows them at once.
        """
        self._filled = set()
        first, self._first = self._first, False
        if first and self.office.assessment is None:
            self.call_next(self.go, "evidence")
        else:
            self._fill(self._active)
        self.tell()
        for screen in self.app.screen_stack:
            again = getattr(screen, "fill", None)
            if screen is not self and again is not None and screen.is_mounted:
                again()

    def glimpse(self) -> None:
        """Show what the overview is going to show, before all is there."""
        if self._active == "overview":
            self._fill("overview")
        self.tell()

    def tell(self, said: str = "") -> None:
        """Write the title and the tabs anew."""
        desk, office = self.office.desk, self.office
        parts: list[tuple[str, str]] = []
        if office.reading:
            parts.append((_("reading"), "$warning"))
        elif said:
            parts.append((said, "$warning"))
        if desk.workspace is None and office.seen is not None and self._active == "overview":
            as_of = _("as of {day}") if office.seen.now else _("as last seen, as of {day}")
            parts.append((as_of.format(day=office.seen.day), ""))
        elif desk.assessment is not None:
            parts.append((_("as of {day}").format(day=desk.assessment.as_of), ""))
        elif desk.workspace is not None:
            count = len(desk.workspace.errors) + len(desk.problems)
            parts.append((_("errors: {count}; see Evidence").format(count=count), "$error"))
        if desk.changed:
            parts.append((_("not saved: {count}").format(count=len(desk.edits)), "$warning bold"))
        if desk.readonly:
            parts.append((_("read-only"), "$accent"))
        title = desk.title if desk.workspace is not None or office.seen is None else office.seen.title
        self.query_one(TitleLine).tell(title, parts)
        tabs = [(key, name, title) for name, (key, title, _made) in PANES.items()]
        self.query_one(TabsLine).tell(tabs, self._active)

    async def on_tabs_line_picked(self, event: TabsLine.Picked) -> None:
        """Show the pane that was clicked."""
        await self.go(event.name)

    async def speak(self) -> None:
        """Make everything anew, in the language chosen by now."""
        kept, active = self.kept(), self._active
        for pane in self._made.values():
            await pane.remove()
        self._made, self._filled = {}, set()
        key = str(self.office.desk.folder.resolve())
        self.office.remembered.workspaces[key] = kept
        await self.go(active)
        for screen in self.app.screen_stack:
            again = getattr(screen, "fill", None)
            if screen is not self and again is not None and screen.is_mounted:
                again()
            for keys in screen.query(Keys):
                keys.tell()

    def on_screen_resume(self) -> None:
        """Give the focus to the pane where nothing has it."""
        if self.focused is None and self._active in self._made:
            self.pane.focus_first()

    def find(self, name: str) -> None:
        """Have the pane show something that was found by its name."""
        self.pane.find(name)

    def unit_under_cursor(self) -> str | None:
        """Return the unit that the cursor of the overview is on."""
        overview = self._made.get("overview")
        row = overview.table.current if overview is not None else None
        return None if row is None else str(row["unit"])

    def units_shown(self) -> list[str]:
        """Return the units of the overview in the order shown there."""
        overview = self._made.get("overview")
        rows = overview.table.shown_rows if overview is not None else None
        if rows is not None:
            return [str(unit) for unit in rows["unit"]]
        assessment = self.office.assessment
        return [] if assessment is None else units(assessment).drop_nulls("completion")["unit"].to_list()

    def seen(self) -> Seen | None:
        """Return what the overview shows, for the next run; None where it was not looked at."""
        overview: Any = self._made.get("overview")
        assessment = self.office.desk.assessment
        if overview is None or assessment is None or "overview" not in self._filled:
            return None
        found: Seen | None = overview.seen(self.office.desk.title, str(assessment.as_of))
        return found

    def kept(self) -> dict[str, Any]:
        """Return what is to be remembered: the pane shown, and of each pane what it keeps."""
        known = {name: pane.kept() for name, pane in self._made.items() if pane.has_class("-filled")}
        return {**self._remembered(), **known, "pane": self._active}
