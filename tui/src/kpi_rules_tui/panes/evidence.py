"""The evidence: what is wrong, what was left out, what checks find, and every table; where a row stands, what hangs on
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import work
from textual.content import Content
from textual.widgets import Static

import kpi_rules as kr
from kpi_rules_tui import outside
from kpi_rules_tui.actions import bindings
from kpi_rules_tui.dialogs.pick import Pick
from kpi_rules_tui.dialogs.reader import Reader
from kpi_rules_tui.panes import fallen, views
from kpi_rules_tui.panes.pane import FilterLine, Pane, kept_of, take_up
from kpi_rules_tui.texts import _, shown
from kpi_rules_tui.widgets.lines import StatusLine
from kpi_rules_tui.widgets.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

TEXTS: Final = frozenset({".csv", ".tsv", ".txt", ".toml", ".py"})
"""Endings of files that an editor shows."""

MOST: Final = 20
"""Rows of which it is worked out at once what falls with each: every one takes an assessment."""


class EvidencePane(Pane):
    """One view at a time, each with a table of its own, which keeps its filter, order, cursor and selection."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("evidence")]

    DEFAULT_CSS = """
    EvidencePane > #evidence-views { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        """Begin with no view."""
        super().__init__(id=id)
        self._shown: dict[str, Table] = {}
        self._filled: set[str] = set()
        self._remembered: dict[str, Any] = {}
        self._view = ""
        self._back = ""
        self._wrong = False

    def compose(self) -> ComposeResult:
        """Lay out the names of the views; tables come when they are first chosen."""
        yield Static(id="evidence-views")
        yield FilterLine()
        yield StatusLine()

    # -- views -----------------------------------------------------------------------------------------------------

    @property
    def _problems(self) -> list[kr.Problem]:
        workspace = self.desk.workspace
        return [*(workspace.problems if workspace is not None else ()), *self.desk.problems]

    @property
    def _counts(self) -> dict[str, int]:
        """The views that can be chosen, with how many rows each has."""
        workspace, assessment = self.desk.current, self.office.assessment
        if workspace is None:
            return {}
        return {
            "problems": len(self._problems),
            "quarantine": workspace.quarantine.height,
            "findings": 0 if assessment is None else assessment.findings.height,
            **views.tables_of(workspace),
        }

    @property
    def table(self) -> Table:
        """The table of the view that is shown."""
        return self._shown[self._view]

    def focus_first(self) -> None:
        """Give the focus to the table."""
        if self._view in self._shown:
            self.screen.set_focus(self.table)  # at once: the next key is meant for it

    def fill(self) -> None:
        """Show the view anew; errors come first while there are any."""
        self._filled = set()
        wrong = self.office.assessment is None
        if wrong and not self._wrong:
            self._back, view = self._view, "problems"
        elif self._wrong and not wrong and self._view == "problems":
            view = self._back
        else:
            view = self._view
        self._wrong = wrong
        self._show(view or self._first())

    def _first(self) -> str:
        """Return the first view that has something; where none has, problems, which then says so."""
        return next((name for name, count in self._counts.items() if count), "problems")

    def _show(self, view: str) -> None:
        counts = self._counts
        if view not in counts and view not in self._shown:
            view = self._first()
        had_focus = self.has_focus_within or self.screen.focused is None
        self._view = view
        if view not in self._shown:
            self._shown[view] = Table(views.KEY, id=f"evidence-{view}")
            self.mount(self._shown[view], before=self.query_one(FilterLine))
        for name, table in self._shown.items():
            table.display = name == view
        if view not in self._filled:
            self._filled.add(view)
            self._load(view)
        if had_focus:
            self.table.focus()
        self.refresh_bindings()
        self.tell()

    def _load(self, name: str) -> None:
        """Put the rows of a view into its table, and take up what was remembered of it."""
        workspace, table = self.desk.current, self._shown[name]
        if workspace is None:
            return
        if name == "problems":
            view = views.problems(self._problems)
        elif name == "quarantine":
            view = views.quarantine(workspace)
        elif name == "findings":
            view = views.findings(self.office.assessment)
        else:
            view = views.table(workspace, name, self.office.scale)
        if view.columns:
            table.empty = view.empty
            table.show(view.frame, view.columns)
        else:
            table.nothing(view.empty)
        take_up(table, self._remembered.pop(name, None))

    def tell(self, text: str = "") -> None:
        """Say which view is shown and which others there are, then the rest."""
        counts = self._counts
        parts = [name for name in counts if name in views.SPECIAL]
        if self._view not in parts:
            parts.append(self._view)
        line = Content("  │  ").join(self._named(name, counts.get(name, 0)) for name in parts)
        others = len([name for name in counts if name not in parts])
        if others:
            line = line + shown("  │  " + _("tables: {count}").format(count=others)).stylize("$muted")
        self.query_one("#evidence-views", Static).update(line)
        if self._view in self._shown:
            super().tell(text)

    def _named(self, name: str, count: int) -> Content:
        style = "bold $accent" if name == self._view else "$muted"
        return shown(f"{views.title(name)} {count:,}").stylize(style)

    @work
    async def action_table(self) -> None:
        """Ask for another view."""
        counts = self._counts
        if not counts:
            return
        options = [(name, f"{views.title(name)}  {count:,}") for name, count in counts.items()]
        chosen = await self.app.push_screen_wait(Pick(_("What to show"), options, self._view))
        if chosen is not None:
            self._show(chosen)

    def find(self, name: str) -> None:
        """Show a view by its name."""
        if name in self._counts:
            self._show(name)

    # -- what is remembered ----------------------------------------------------------------------------------------

    def kept(self) -> dict[str, Any]:
        """Return the view, and of each view what is to be remembered."""
        known = {name: kept_of(table) for name, table in self._shown.items()}
        view = self._back or self._view if self._wrong else self._view
        return {"view": view, **self._remembered, **known}

    def restore(self, kept: dict[str, Any]) -> None:
        """Take up what was remembered; where the workspace has errors, the view comes back with the last of them."""
        self._remembered = {name: entry for name, entry in kept.items() if name != "view"}
        view = kept.get("view")
        if isinstance(view, str) and view:
            if self._wrong:
                self._back = view
            else:
                self._show(view)
        take_up(self.table, self._remembered.pop(self._view, None))
        self.tell()

    # -- a row -----------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Say what is valid: only evidence is withdrawn, and only what was assessed."""
        if action == "withdraw":
            able = self._view == "findings" or self._view in kr.WITHDRAWABLE
            return able and self.office.assessment is not None
        return super().check_action(action, parameters)

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """Show the row in full."""
        event.stop()
        self.read_row(event.table)

    def read_row(self, table: Table) -> None:
        """Show the row under the cursor in full: all its columns, with amounts as the table shows them."""
        row = table.current
        if row is None:
            return
        columns = {column.name: column for column in table.columns}
        lines = []
        for name, value in row.items():
            column = columns.get(name)
            if name in views.HIDDEN and column is None:
                continue
            if isinstance(value, str) or column is None:
                text = "" if value is None else str(value).replace("\n", "\n    ")
            else:
                text = column.text(row if column.whole else value)
            lines.append(f"{column.title if column is not None else name}: {text}")
        self.app.push_screen(Reader(views.title(self._view), "\n".join(lines)))

    @work
    async def action_editor(self) -> None:
        """Open the file of the row in the editor, there; then read the workspace again."""
        workspace, row = self.desk.current, self.table.current
        if workspace is None or row is None:
            self.notify(_("no row is chosen"))
            return
        files, line = views.place_of(workspace, self._view, row)
        file: str | None = files[0] if files else None
        if len(files) > 1:
            title = _("The row is row {row} of one of these").format(row=line)
            file = await self.app.push_screen_wait(Pick(title, [(each, each) for each in files]))
            if file is None:
                return
        if file is None:
            self.notify(_("this is no row of a file"))
            return
        self._edit(file, line)

    def _edit(self, file: str, row: int | None) -> None:
        path = (self.desk.folder / file).absolute()  # a name that begins with a dash is then no option of the editor
        if "://" in file or path.suffix.lower() not in TEXTS:
            place = _("{file}, row {row}").format(file=file, row=row) if row is not None else file
            self.notify(_("no text file; change it where it was made: {place}").format(place=place), timeout=20)
        elif not path.is_file():
            self.notify(_("there is no file {path}").format(path=path), severity="error")
        elif outside.edit(self.app, path, outside.line_of(path, row)):
            self.office.read()

    # -- what if it were withdrawn ---------------------------------------------------------------------------------

    def _hit(self) -> list[tuple[str, str]]:
        """Return the rows selected, or the one under the cursor, as table and key; each once."""
        found = [
            (row["table"] if self._view == "findings" else self._view, row["id"])
            for row in self.table.chosen
            if self._view != "findings" or row["table"] in kr.WITHDRAWABLE
        ]
        return list(dict.fromkeys(found))

    @work(exclusive=True, group="withdraw")
    async def action_withdraw(self) -> None:
        """Show what would fall with the rows; nothing is changed."""
        if len(self.table.selected) > MOST:
            self.notify(_("select at most {count} rows").format(count=MOST), severity="warning")
            return
        hit = self._hit()
        if not hit:
            self.notify(_("this is no row that can be withdrawn"))
            return
        texts = []
        for number, (table, key) in enumerate(hit, 1):
            said = _("working out what falls: {number} of {count}").format(number=number, count=len(hit))
            self.tell(said)
            text = await self.office.off(self._without, table, key)
            if text is None:
                self.tell()
                return
            texts.append(text)
        self.tell()
        if len(hit) > 1:
            note = _("rows: {count}; each is withdrawn by itself, with the others still there, and then the next")
            texts.insert(0, note.format(count=len(hit)))
        title = _("What falls if withdrawn: {count}").format(count=len(hit))
        self.app.push_screen(Reader(title, ("\n\n" + "─" * 40 + "\n\n").join(texts)))

    def _without(self, table: str, key: str) -> str:
        """Work out, in a thread, what falls with a row."""
        workspace = self.desk.current
        if workspace is None:
            return ""
        try:
            return fallen.text(kr.withdraw(workspace, table, key, as_of=self.desk.as_of), self.office.scale)
        except kr.AssessmentError as error:
            return "\n".join(problem.message for problem in error.problems)

    # -- the same --------------------------------------------------------------------------------------------------

    def same(self) -> list[str]:
        """Return the commands that show the view, and what falls with its rows."""
        desk = self.desk
        if self._view == "findings":
            lines = [desk.command("assess", *desk.day(), "--table", "findings")]
        else:
            lines = [desk.command("check")]
        if self.check_action("withdraw", ()):
            lines += [desk.command("withdraw", table, key, *desk.day()) for table, key in self._hit()[:MOST]]
        return lines

    def more(self) -> Sequence[str]:
        """Say of a problem what was found, in full as far as the line goes."""
        row = self.table.current if self._view in self._shown else None
        return [str(row["message"])] if row is not None and self._view == "problems" else []

    def on_table_moved(self, event: Table.Moved) -> None:
        """Follow the cursor."""
        event.stop()
        if self._view == "problems":
            self.tell()
