"""Policies: a form drawn from the settings of any policy, its rules in words, and whom they hit before and after."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

import kpi_rules as kr
from kpi_rules_tui.actions import bindings
from kpi_rules_tui.dialogs.form import Field, Form
from kpi_rules_tui.dialogs.pick import Pick
from kpi_rules_tui.dialogs.reader import Reader
from kpi_rules_tui.panes import checks
from kpi_rules_tui.panes.editing import EditingPane, Row
from kpi_rules_tui.panes.effect import worse
from kpi_rules_tui.panes.pane import FilterLine
from kpi_rules_tui.policies import about, expected, rows
from kpi_rules_tui.texts import _, shown
from kpi_rules_tui.widgets.lines import StatusLine
from kpi_rules_tui.widgets.table import Column, Table, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from kpi_rules_tui.desk import Edit


class PoliciesPane(EditingPane):
    """Policies, parameters and rules; enter changes a value, o switches on and off, f shows the profile."""

    tables: ClassVar[tuple[str, ...]] = ("policies-table", "policies-effect")
    named: ClassVar[str] = "name"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("policies")]

    DEFAULT_CSS = """
    PoliciesPane #policies-parts { height: 1fr; layout: vertical; }
    PoliciesPane #policies-side { height: 11; }
    PoliciesPane #policies-about { height: 5; padding: 0 1; background: $surface; }
    PoliciesPane #policies-changes { height: 1fr; }
    """

    def compose(self) -> ComposeResult:
        """Lay out the form, what there is to say about the row, and what the edits change."""
        with Container(id="policies-parts"):
            yield Table("row", id="policies-table")
            with Vertical(id="policies-side"):
                with VerticalScroll(id="policies-about", can_focus=False):
                    yield Static(id="policies-told")
                with Vertical(id="policies-changes", classes="panel"):
                    yield Table("rule", id="policies-effect")
        yield FilterLine()
        yield StatusLine()

    def fill(self) -> None:
        """Show the policies with what is not saved."""
        current, saved = self.desk.current, self.desk.workspace
        if current is None or saved is None:
            return
        self.query_one("#policies-changes").border_title = shown(_("What the changes do")).markup
        self.edited.empty = _("no policies")
        self.edited.show(rows(current, saved, self.desk.assessment, self.office.assessment), self.columns())
        self.show_effect()
        self._tell_about()
        self.tell()

    def columns(self) -> list[Column]:
        """Return the columns that there is room for."""
        return [
            Column("label", _("policy, parameter, rule"), _indented, _headed, whole=True, most=36 if self.wide else 30),
            Column("value", _("value"), self._value, _switched, whole=True, least=10, most=18),
            Column("after", _("hits"), _hits, _more_hits, whole=True, right=True),
            Column("state", _("state"), _state, _changed),
            Column("from_on", _("from")),
            Column("group", _("group"), most=16),
            Column("name", _("name"), tone=lambda _value: "dim", most=40),
        ]

    def _value(self, row: Row) -> str:
        return str(row["value"]) if row["fen"] is None else self.office.scale.said(row["fen"])

    def more(self) -> Sequence[str]:
        """Say what is not for the rows selected, and how the hits are counted."""
        alone = _("Enter and n change the cursor's row alone")
        hits = _("hits: units that a rule concerns at any time of the year, saved → then")
        is_told = bool(self.edited.selected) and not self.desk.readonly
        return [*([alone] if is_told else []), *([hits] if self.wide else [])]

    def same(self) -> list[str]:
        """Return the commands that list the policies, and make the edits."""
        return [self.desk.command("plugins"), *([self.desk.edit_command(save=True)] if self.desk.changed else [])]

    def on_table_moved(self, event: Table.Moved) -> None:
        """Say what there is to say about the row."""
        event.stop()
        if event.table is self.edited:
            self._tell_about()

    def _tell_about(self) -> None:
        current, saved = self.desk.current, self.desk.workspace
        row = self.row
        if row is None or current is None or saved is None:
            return
        lines = [
            (shown(f"{title}: ").stylize("$accent") if title else Content("")) + shown(text)
            for title, text in about(row, current, saved, self.office.scale)
        ]
        self.query_one("#policies-told", Static).update(Content("\n").join(lines))

    # -- what can be done ------------------------------------------------------------------------------------------

    def _setting(self, row: Row) -> kr.Setting | None:
        current = self.desk.current
        return current.parameters.declared.get(row["name"]) if current is not None else None

    def action_edit(self) -> None:
        """Change the parameter under the cursor: a text in place, one of a few from a list, on and off by itself.

        A policy or a rule is shown instead: what switches it has a key of its own.
        """
        row = self.row
        if row is None:
            return
        if row["kind"] != "parameter":
            self.action_read()
            return
        setting = self._setting(row)
        if setting is None:
            return
        if setting.choices and setting.kind == "choice":
            self._choose(row, setting)
        elif setting.kind == "flag":
            self.office.propose([self._edit(row, row["value"] != "true")])
        else:
            self.edit_cell(
                "value",
                row["value"],
                lambda text: _wrong(setting, text),
                lambda text: [self._edit(row, setting.typed(text))],
            )

    @work(exclusive=True)
    async def _choose(self, row: Row, setting: kr.Setting) -> None:
        options = [(each, each) for each in setting.choices]
        chosen = await self.office.push_screen_wait(Pick(row["label"], options, row["value"]))
        if chosen is not None:
            self.office.propose([self._edit(row, chosen)])

    def _edit(self, row: Row, value: object) -> Edit:
        return kr.ParameterEdit(row["name"], value, row["from_on"], row["group"])

    @work
    async def action_add(self) -> None:
        """Ask for another value of the parameter: from a date on, for a group, or both."""
        row, current = self.row, self.desk.current
        if row is None or current is None or current.config is None:
            return
        if row["kind"] != "parameter":
            self.tell(_("only a parameter has values"))
            return
        setting = current.parameters.declared[row["name"]]
        groups = sorted(current.tables.units["group"].drop_nulls().unique().to_list())
        year = current.config.year

        def group(text: str) -> str:
            return "" if not text or text in groups else _("expected one of {groups}").format(groups=", ".join(groups))

        hint, check = checks.day_within(year.start, year.end)
        fields = [
            Field("value", _("Value"), row["value"], expected(setting), lambda text: _wrong(setting, text)),
            Field("from", _("From"), "", hint + _("; empty: from the start"), lambda text: check(text) if text else ""),
            Field("group", _("Group"), row["group"] or "", _("empty: all groups"), group),
        ]
        answer = await self.office.push_screen_wait(Form(row["label"], fields, _("Take")))
        if answer is not None:
            on = date.fromisoformat(answer["from"]) if answer["from"] else None
            value = setting.typed(answer["value"])
            self.office.propose([kr.ParameterEdit(row["name"], value, on, answer["group"] or None)])

    def action_remove(self) -> None:
        """Remove the values; others, or the default, apply then. A selection is asked about."""
        rows, left = self.hit(_no_value)
        edits, drop = self.parted(rows, lambda row: self._edit(row, None))
        if self.edited.selected:
            self.ask(_("Remove values"), edits, drop, left)
        elif rows:
            self.office.propose(edits, drop)
        else:
            self.tell_left(left)

    def action_switch(self) -> None:
        """Switch policies and rules off, or on where all are off. A selection is asked about."""
        on = not any(_is_on(row) for row in self.edited.chosen if row["kind"] != "parameter")
        going = {row["name"] for row in self.edited.chosen if row["kind"] == "policy" and not on}
        rows, left = self.hit(lambda row: _unswitched(row, going, on=on))
        edits = [_switched_to(row, on=on) for row in rows]
        if self.edited.selected:
            self.ask(_("Switch on") if on else _("Switch off"), edits, left=left)
        elif rows:
            self.office.propose(edits)
        else:
            self.tell_left(left)

    def action_profile(self) -> None:
        """Show the consequences of a unit over its completion, with its cliffs."""
        self.office.open_profile(self.office.unit_under_cursor())

    def action_read(self) -> None:
        """Show all there is to say about the row."""
        row, current, saved = self.row, self.desk.current, self.desk.workspace
        if row is not None and current is not None and saved is not None:
            told = about(row, current, saved, self.office.scale)
            lines = [f"{title}: {text}" if title else text for title, text in told]
            self.office.push_screen(Reader(row["label"], "\n".join(lines)))


def _wrong(setting: kr.Setting, text: str) -> str:
    """Say what is wrong with a text for a setting."""
    if setting.read(setting.typed(text)) is not None:
        return ""
    return _("expected {what}").format(what=expected(setting))


def _indented(row: Row) -> str:
    if row["kind"] == "policy":
        return str(row["label"])
    when = " ".join(str(each) for each in (row["from_on"], row["group"]) if each)
    return f"    ↳ {when}" if when else "  " + str(row["label"])


def _headed(row: Row) -> Tone:
    return {"policy": "mark", "rule": "", "parameter": ""}[row["kind"]]


def _is_on(row: Row) -> bool:
    return bool(row["value"] == _("on"))


def _switched_to(row: Row, *, on: bool) -> Edit:
    return kr.SwitchEdit(row["name"], on)


def _unswitched(row: Row, going: set[str], *, on: bool) -> str:
    """Say why a row is not switched: `going` are the policies that go off, and their rules with them."""
    if row["kind"] == "parameter":
        return _("no policy and no rule")
    if row["kind"] == "rule" and row["name"].partition(".")[0] in going:
        return _("the policy is switched off as a whole")
    if _is_on(row) == on:
        return _("on already") if on else _("off already")
    return ""


def _no_value(row: Row) -> str:
    """Say why there is no value to remove in a row."""
    if row["kind"] != "parameter":
        return _("no value of a parameter")
    return {"default": _("the default applies already"), "removed": _("removed already")}.get(row["state"], "")


def _switched(row: Row) -> Tone:
    return {_("on"): "good", _("off"): "dim"}.get(row["value"] or "", "")


def _state(state: str | None) -> str:
    words = {"changed": _("changed"), "new": _("new"), "removed": _("removed"), "default": _("default")}
    return words.get(state or "", "")


def _changed(state: str | None) -> Tone:
    return "dim" if state == "default" else "warn"


def _hits(row: Row) -> str:
    if row["before"] is None:
        return ""
    return str(row["after"]) if row["before"] == row["after"] else f"{row['before']} → {row['after']}"


def _more_hits(row: Row) -> Tone:
    return worse((row["after"] or 0) - (row["before"] or 0)) if row["before"] != row["after"] else ""
