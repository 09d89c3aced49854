"""The application: one screen of panes, the unit's page, and what can be done everywhere."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import events, work
from textual.app import App, SystemCommand

import kpi_rules as kr
from kpi_rules_tui import changed, themes
from kpi_rules_tui.actions import OPENING, bindings
from kpi_rules_tui.amounts import Scale
from kpi_rules_tui.dialogs.confirm import Confirm
from kpi_rules_tui.dialogs.form import Field, Form
from kpi_rules_tui.dialogs.pick import Pick
from kpi_rules_tui.dialogs.reader import Reader
from kpi_rules_tui.finder import Finder
from kpi_rules_tui.house import House
from kpi_rules_tui.panes import checks
from kpi_rules_tui.panes.unit import UnitScreen
from kpi_rules_tui.remembered import Remembered, recall, remember
from kpi_rules_tui.seen import elsewhere, keep
from kpi_rules_tui.story import write_story
from kpi_rules_tui.texts import _, plain, safe, shown
from kpi_rules_tui.typeahead import Passed, Typeahead
from kpi_rules_tui.unsaved import KEPT, Unsaved

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl
    from textual.actions import ActionParseResult
    from textual.binding import BindingType
    from textual.content import Content
    from textual.dom import DOMNode
    from textual.notifications import SeverityLevel
    from textual.screen import Screen

    from kpi_rules_tui.beside import Beside
    from kpi_rules_tui.desk import Desk, Edit, Opened, Weighed
    from kpi_rules_tui.seen import Seen

LONGEST_TOLD: Final = 500
"""Characters of a notification; more would cover the screen."""

ENDING: Final = 8.0
"""Seconds after which a session whose tab was closed just before this one was opened has ended."""

LANGUAGES: Final = (("en", "English"), ("zh", "简体中文"))


class Office(App[int]):
    """The terminal UI of a workspace.

    `desk` is what is worked on; `remembered` what was chosen in earlier runs.
    """

    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[set[Any]] = {Finder}
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app")]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 (as Textual declares it)
    CSS_PATH = "office.tcss"

    def __init__(
        self,
        desk: Desk,
        *,
        remembered: Remembered | None = None,
        keymap: Mapping[str, str] | None = None,
        remarks: Sequence[str] = (),
        theme: str | None = None,
        seen: Seen | None = None,
        beside: Beside | None = None,
    ) -> None:
        """Take the desk, what was remembered, keys of a person's own and what was wrong with them, what was last seen
        of the workspace as it is, and a process that reads it already.
        """
        super().__init__()
        self.desk = desk
        desk.on_edits = self._edited
        self.unsaved = Unsaved(desk.folder)
        self.remembered = recall() if remembered is None else remembered
        self.animation_level = "none"  # nothing moves by itself: quiet over a slow line
        self._keymap_given, self._remarks = dict(keymap or {}), list(remarks)
        self.seen, self._beside = seen, beside
        self._awaited = ""
        self._fault: BaseException | None = None
        for each in themes.OURS:
            self.register_theme(each)
        wanted = theme or self.remembered.theme
        self.theme = wanted if wanted in themes.NAMES else "kpi-dark"
        self.scale = Scale[self.remembered.scale] if self.remembered.scale in Scale.__members__ else Scale.WAN
        self.reading = False
        self.typeahead = Typeahead(self, super().on_event)
        self._turn = asyncio.Lock()

    # -- keys --------------------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Hold keys back while what they are meant for is not there yet; take what is pasted with its control
        characters as escapes, since every field draws what stands in it.
        """
        if isinstance(event, events.Key) and not event.is_forwarded:
            await self.typeahead.take(event)
            return
        if isinstance(event, events.Paste):
            event.text = safe(event.text, lines=True)
        await super().on_event(event)

    async def on_passed(self, follower: Passed) -> None:
        """Let the next key go."""
        await self.typeahead.passed(follower)

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run an action; keys that follow one that opens something wait for it."""
        if isinstance(action, str) and action.rpartition(".")[2] in OPENING:
            self.typeahead.hold()
        return await super().run_action(action, default_namespace, namespaces)

    # -- life ------------------------------------------------------------------------------------------------------

    async def on_mount(self) -> None:
        """Show the panes, and then begin to read: the first frame waits for nothing."""
        self.set_keymap(self._keymap_given)
        await self.push_screen(House())
        self.call_after_refresh(self.read)
        self.call_after_refresh(self._remark)
        self.call_after_refresh(self._tell_earlier)
        self.set_timer(ENDING, self._tell_earlier)

    def on_unmount(self) -> None:
        """Let go of what was not saved: it is for the next session to tell of."""
        self.unsaved.close()

    def _remark(self) -> None:
        """Tell what was wrong with the keymap, once there is a screen to tell it on."""
        for remark in self._remarks:
            self.notify(remark, severity="warning", timeout=20)

    @property
    def house(self) -> House:
        """The screen of panes, which lies below all others."""
        return next(screen for screen in self.screen_stack if isinstance(screen, House))

    @work(exclusive=True, group="read")
    async def read(self) -> None:
        """Read the workspace in a thread; what is on the screen stays until it is there."""
        self.reading = True
        self.house.tell()
        try:
            opened = await self._open()
        finally:
            self.reading = False
        if opened is None:
            self.house.tell()
            return
        async with self._turn:
            weighed = None
            if self.desk.edits:  # weighed before anything is taken: rows and workspace on the screen belong together
                weighed = await self.off(self.desk.weigh, self.desk.edits, opened)
            self.desk.take(opened)
            if weighed is not None and weighed.refused:
                self.notify(weighed.refused, severity="error", timeout=10)
            elif weighed is not None:
                self.desk.weighed = weighed
            self.house.fill()
        awaited, self._awaited = self._awaited, ""
        if awaited:
            self.open_unit(awaited)

    async def _open(self) -> Opened | None:
        """Open the workspace; of one that another process reads, show the overview as soon as that is there."""
        other, self._beside = self._beside, None
        opening = asyncio.create_task(self.off(self.desk.open, other))
        try:
            if other is not None and self.seen is None:
                self.seen = await self.off(other.message, 0)
                self.house.glimpse()
            opened: Opened | None = await opening
            return opened
        finally:
            opening.cancel()

    async def off(self, call: Any, *arguments: Any) -> Any:  # noqa: ANN401 (whatever the call returns)
        """Run something in a thread; a failure is told, logged, and None comes back. The app stays usable."""
        try:
            return await asyncio.to_thread(call, *arguments)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 (a fault of ours must not end the work of an administrator)
            self.trouble(error)
            return None

    def trouble(self, error: BaseException) -> None:
        """Tell of a failure that was not foreseen, and where the whole story is."""
        path = write_story(error)
        said = _("this failed: {error}; the details are in {path}").format(error=error, path=path)
        self.notify(said, severity="error", markup=False, timeout=30)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Tell something; what is told has data in it, and is never parsed as markup."""
        del markup
        told = message if len(message) <= LONGEST_TOLD else message[:LONGEST_TOLD] + "…"
        super().notify(safe(told, lines=True), title=plain(title), severity=severity, timeout=timeout, markup=False)

    def _fatal_error(self) -> None:
        """End with the terminal as it was; the story goes to a file and not over the screen."""
        self._fault = sys.exc_info()[1] or self._exception
        if self._fault is not None and self.desk.changed:
            self._fault.add_note(self.desk.record())  # what was not saved is in the story
        self._close_messages_no_wait()

    @property
    def fault(self) -> BaseException | None:
        """What ended the application, where that was a failure."""
        return self._fault

    # -- what the panes ask for ------------------------------------------------------------------------------------

    @property
    def assessment(self) -> kr.Assessment | None:
        """The assessment that is shown: with what is not saved."""
        weighed = self.desk.weighed
        return weighed.assessment if weighed is not None else self.desk.assessment

    def open_unit(self, unit: str) -> None:
        """Show the page of a unit; of one that was opened as last seen, once the workspace has been read."""
        if self.assessment is not None:
            self.push_screen(UnitScreen(unit))
        elif self.reading:
            self._awaited = unit

    def open_profile(self, unit: str | None) -> None:
        """Show the profile of a unit, by default the first there is."""
        if self.desk.current is not None and self.assessment is not None:
            from kpi_rules_tui.panes.profile import ProfileScreen

            self.push_screen(ProfileScreen(self.units_shown(), unit))

    async def open_policy(self, name: str) -> None:
        """Show a policy, a rule or a parameter."""
        await self._pane("policies")
        self.house.find(name)

    def unit_under_cursor(self) -> str | None:
        """Return the unit that the cursor of the overview is on."""
        return self.house.unit_under_cursor()

    def units_shown(self) -> list[str]:
        """Return the units of the overview in the order shown there."""
        return self.house.units_shown()

    # -- edits -----------------------------------------------------------------------------------------------------

    def _edited(self) -> None:
        """Keep what is not saved in its file, and let a browser's page know whether there is any."""
        self.unsaved.keep(self.desk.record(), self.desk.title)
        tell_page = getattr(self._driver, "tell_unsaved", None)
        if tell_page is not None:
            tell_page(self.desk.changed)

    def _tell_earlier(self) -> None:
        """Tell what earlier sessions left unsaved; one whose tab was just closed ends within seconds."""
        for path in self.unsaved.found():
            said = _("an earlier session ended with unsaved changes: v shows them; for {days} days they are in {path}")
            self.notify(said.format(path=path, days=KEPT), severity="warning", timeout=30)

    @work(group="change")
    async def propose(self, edits: Sequence[Edit], drop: Sequence[Edit] = ()) -> None:
        """Make edits, once what they change has been worked out; nothing is written. Undo takes all of them back.

        Those not saved for the places of `drop` are made no more, and nothing takes their place.
        """
        async with self._turn:
            wanted = self.desk.made(edits, drop)
            self.house.tell(_("working out what it changes"))
            weighed = await self._weighed(wanted)
            if weighed is None:
                self.house.tell()
                return
            self.desk.keep(weighed)
            self.house.fill()

    async def _weighed(self, edits: tuple[Edit, ...]) -> Weighed | None:
        """Work out what edits change; None where they cannot be made, which is told."""
        weighed: Weighed | None = await self.off(self.desk.weigh, edits)
        if weighed is not None and weighed.refused:
            self.notify(weighed.refused, severity="error", timeout=10)
            return None
        return weighed

    @work(group="change")
    async def action_undo(self) -> None:
        """Take back the last change that is not saved; where there is none, ask whether to undo the last save."""
        async with self._turn:
            before = self.desk.undo()
            if before is not None:
                weighed = await self._weighed(before)
                if weighed is not None:
                    self.desk.back(weighed)
                    self.house.fill()
                    self.notify(_("taken back; not saved: {count}").format(count=len(self.desk.edits)))
                return
        if not self.desk.saved:
            self.notify(_("nothing to undo"))
        elif await self._confirmed(_("Undo what was saved last?"), _("Undo"), self.desk.saved):
            async with self._turn:
                weighed = await self._weighed(self.desk.saved)
                if weighed is not None:
                    self.desk.keep(weighed)
                    self.house.fill()
                    await self._write(_("undone: {files}"))

    @work(group="change")
    async def action_save(self) -> None:
        """Show old and new, ask, and write."""
        if not self.desk.changed:
            self.notify(_("nothing to save"))
        elif await self._confirmed(_("Save these changes?"), _("Save"), None):
            async with self._turn:
                await self._write(_("saved: {files}"))

    async def _confirmed(self, question: str, yes: str, edits: Sequence[Edit] | None) -> bool:
        """Show edits, by default those not saved, and ask; what cannot be made is told and not asked about."""
        try:
            lines = self.described(self.desk.changes(edits))
        except ValueError as error:
            self.notify(str(error), severity="error", timeout=10)
            return False
        confirmed: bool = await self.push_screen_wait(Confirm(question, lines, yes))
        return confirmed

    async def _write(self, done: str) -> None:
        saved: kr.Saved | str | None = await self.off(self.desk.save)
        if saved is None:
            return
        if isinstance(saved, str) or saved.problems:
            text = saved if isinstance(saved, str) else "\n".join(problem.message for problem in saved.problems)
            self.push_screen(Reader(_("Not saved; nothing was written"), text))
            return
        self.desk.written(saved)
        said = done.format(files=", ".join(str(file) for file in saved.written))
        if saved.merged:
            said += "; " + _("another's changes in the same file were kept")
        self.notify(said)
        self.house.tell()
        self.read()

    def changed_lines(self) -> list[Content]:
        """Write what is not saved as lines of old and new, or why it cannot be made any more."""
        try:
            return self.described(self.desk.changes())
        except ValueError as error:
            return [shown(str(error))]

    def described(self, changes: pl.DataFrame) -> list[Content]:
        """Write changes as lines of old and new."""
        return changed.lines(changes, self.desk.both, self.scale)

    def action_changes(self) -> None:
        """Show what is not saved, the command that would do it, and what earlier sessions left."""
        parts = self.unsaved.told()
        if self.desk.changed:
            lines = [line.plain for line in self.changed_lines()]
            parts.insert(0, "\n".join([*lines, "", self.desk.edit_command(save=True)]))
        if parts:
            self.push_screen(Reader(_("Not saved"), "\n\n".join(parts)))
        else:
            self.notify(_("nothing is changed"))

    # -- everywhere ------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse what changes something under `--readonly`."""
        if action in {"save", "undo"} and self.desk.readonly:
            return False
        return super().check_action(action, parameters)

    async def _pane(self, name: str) -> None:
        """Show a pane; from a unit's page the quotas open at that unit."""
        unit = self.screen.unit if isinstance(self.screen, UnitScreen) else None
        while not isinstance(self.screen, House):
            await self.pop_screen()
        await self.house.go(name)
        if unit is not None and name in {"overview", "quotas"}:
            self.house.find(unit)

    async def action_overview(self) -> None:
        """Show the overview."""
        await self._pane("overview")

    async def action_quotas(self) -> None:
        """Show the quotas."""
        await self._pane("quotas")

    async def action_policies(self) -> None:
        """Show the policies."""
        await self._pane("policies")

    async def action_simulate(self) -> None:
        """Show the simulation."""
        await self._pane("simulate")

    async def action_evidence(self) -> None:
        """Show the evidence."""
        await self._pane("evidence")

    def action_reload(self) -> None:
        """Read the workspace again; cursor, filter and what is not saved stay."""
        self.read()

    def action_help(self) -> None:
        """Show all keys that are valid now, and the commands that do the same."""
        from kpi_rules_tui.help import help_text

        text, content = help_text(self)
        self.push_screen(Reader(_("Help"), text, content))

    def action_same(self) -> None:
        """Show the commands that show, or do, the same."""
        lines = self.house.pane.same() if isinstance(self.screen, House) else getattr(self.screen, "same", list)()
        if self.desk.changed and (edit := self.desk.edit_command(save=True)) not in lines:
            lines = [*lines, edit]
        text = "\n".join(lines) or _("no command does this")
        self.push_screen(Reader(_("The same from the command line"), text))

    def action_scale(self) -> None:
        """Show amounts in the next unit."""
        self.scale = self.scale.next()
        self.house.fill()
        self.notify(_("amounts in {unit}").format(unit=self.scale.unit))

    @work
    async def action_as_of(self) -> None:
        """Ask for another as-of date."""
        config = self.desk.workspace.config if self.desk.workspace is not None else None
        if config is None:
            return

        now = str(self.desk.as_of or config.year.end)
        hint, check = checks.day_within(config.year.start, kr.LAST_DAY)
        hint += _("; the year ends on {end}").format(end=config.year.end)
        answer = await self.push_screen_wait(
            Form(_("As-of date"), [Field("day", _("What happened by this day counts"), now, hint, check)], _("Assess"))
        )
        if answer is not None:
            self.desk.as_of = checks.day(answer["day"])
            self.read()

    @work
    async def action_theme(self) -> None:
        """Ask for another theme."""
        options = [(name, _(label)) for name, label in themes.NAMES.items()]
        chosen = await self.push_screen_wait(Pick(_("Theme"), options, self.theme))
        if chosen is not None:
            self.theme = self.remembered.theme = chosen

    @work
    async def action_language(self) -> None:
        """Ask for another language; everything is shown in it at once."""
        now = "zh" if kr.language().startswith("zh") else "en"
        chosen = await self.push_screen_wait(Pick(_("Language"), LANGUAGES, now))
        if chosen is not None and chosen != now:
            kr.set_language(chosen)
            self.remembered.language = chosen
            await self.house.speak()

    @work
    async def action_quit(self) -> None:  # type: ignore[override]  # (a worker may wait for the answer)
        """Leave; ask only where something is not saved."""
        if self.desk.changed:
            question = Confirm(_("Leave without saving?"), self.changed_lines(), _("Leave"))
            if not await self.push_screen_wait(question):
                return
            self.unsaved.keep("")  # that was the answer
        self.keep()
        self.exit(0)

    def keep(self) -> None:
        """Remember what was chosen."""
        self.remembered.theme, self.remembered.scale = self.theme, self.scale.name
        key = str(self.desk.folder.resolve())
        self.remembered.workspaces.pop(key, None)
        self.remembered.workspaces[key] = self.house.kept()
        remember(self.remembered)
        seen = self.house.seen()
        workspace = self.desk.workspace
        if seen is not None and workspace is not None and not self.desk.edits and not elsewhere(workspace):
            keep(self.desk.folder, self.desk.made_of, seen)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give what our themes name and those of Textual do not: what is said in passing."""
        return {"muted": self.current_theme.foreground or "ansi_default"}

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Give none: the finder has ours."""
        del screen
        return ()
