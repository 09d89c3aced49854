"""Simulate: the year before it happens, as saved (A) and with what is not saved (B), on one scale."""

from __future__ import annotations

import asyncio
import shlex
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeGuard

from textual import work
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Static

import kpi_rules as kr
from kpi_rules_tui.actions import bindings
from kpi_rules_tui.dialogs.form import Field, Form
from kpi_rules_tui.panes import checks
from kpi_rules_tui.panes.outcomes import VIEWS, fan_words, number
from kpi_rules_tui.panes.pane import FilterLine, Pane
from kpi_rules_tui.texts import _, plain, shown
from kpi_rules_tui.trial import (
    MOST_DRAWS,
    MOST_SEED,
    Asked,
    Refused,
    Run,
    Trial,
    changed_values,
    default_day,
    only_parameters,
    toml,
)
from kpi_rules_tui.widgets.bars import bar
from kpi_rules_tui.widgets.charts import Band, Bar, Bars, Fan, Histogram, points
from kpi_rules_tui.widgets.lines import StatusLine
from kpi_rules_tui.widgets.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.timer import Timer

    from kpi_rules_tui.widgets.table import Column

OFTEN: Final = 0.2
"""Seconds between two looks at how far a run is; nobody looks while none is at work."""

CHARTS: Final = ("row", "whole", "none")
"""What is drawn where there is no room for both charts: that of the row, that of the whole, none."""


class SimulatePane(Pane):
    """What may come: chances, measures, money, who changes; enter opens a unit's page."""

    tables: ClassVar[tuple[str, ...]] = tuple(f"simulate-{name}" for name in VIEWS)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("simulate")]

    DEFAULT_CSS = """
    SimulatePane {
        #simulate-asked, #simulate-state, #simulate-views {
            height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis;
        }
        #simulate-body { height: 1fr; layout: vertical; }
        #simulate-tables { height: 1fr; }
        #simulate-charts { height: 10; padding: 0 1; layout: vertical; }
        #simulate-charts > Chart { display: none; }
        #simulate-charts > Chart.-drawn { display: block; }
        &.-wide #simulate-body { layout: horizontal; }
        &.-wide #simulate-tables { width: 3fr; }
        &.-wide #simulate-charts { width: 2fr; height: 1fr; }
        &.-wide #simulate-charts > Chart { margin-bottom: 1; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        """Begin with the first view and nothing run."""
        super().__init__(id=id)
        self.view = next(iter(VIEWS))
        self.charts = CHARTS[0]
        self.asked: Asked | None = None
        self.run: Run | None = None
        self._left: asyncio.Event | None = None
        self._said = ""
        self._kept: dict[str, Any] = {}
        self._made: Trial | None = None
        self._frames: dict[str, pl.DataFrame] = {}

    def compose(self) -> ComposeResult:
        """Lay out what is asked, how it stands, the views, a table for each, and the charts."""
        yield Static(id="simulate-asked")
        yield Static(id="simulate-state")
        yield Static(id="simulate-views")
        with Container(id="simulate-body"):
            with Vertical(id="simulate-tables"):
                for name, view in VIEWS.items():
                    yield Table(view.key, id=f"simulate-{name}")
            with Vertical(id="simulate-charts"):
                yield Histogram(id="simulate-whole")
                yield Band(id="simulate-fan")
                yield Bars(id="simulate-bars")
        yield FilterLine()
        yield StatusLine()

    # -- what is shown ---------------------------------------------------------------------------------------------

    @property
    def trial(self) -> Trial | None:
        """What was found last."""
        return self.desk.trial

    @property
    def table(self) -> Table:
        """The table of the view that is shown."""
        return self.query_one(f"#simulate-{self.view}", Table)

    def focus_first(self) -> None:
        """Give the focus to the table that is shown."""
        self.screen.set_focus(self.table)  # at once: the next key is meant for it

    def fill(self) -> None:
        """Show what was found, in the view chosen, and how it stands to what is on the desk."""
        day = default_day(self.desk)
        if self.trial is not None:
            self.asked = self.asked or self.trial.asked
        elif self.run is None and not self._said and day is not None:
            draws, seed = self._kept.get("draws"), self._kept.get("seed")
            self.asked = Asked(day)
            if _sound(draws, 1, MOST_DRAWS) and _sound(seed, 0, MOST_SEED):
                self.asked = Asked(day, draws, seed)
        self._show()

    def on_resize(self, event: events.Resize) -> None:
        """Show what there is room for."""
        del event
        self._show()

    def in_full(self, table: Table) -> Sequence[Column]:
        """Return all columns of the view."""
        view, scale = VIEWS[self.view], self.office.scale
        return table.columns if self.trial is None else view.columns(self.trial, scale, True)  # noqa: FBT003 (one shape)

    def _show(self) -> None:
        """Show the view that was chosen alone."""
        self.set_class(self.wide, "-wide")
        for name in VIEWS:
            self.query_one(f"#simulate-{name}", Table).display = name == self.view
        table, view, trial = self.table, VIEWS[self.view], self.trial
        if trial is None:
            table.empty = self._reason()
            table.show(_nothing(), ())
        else:
            table.empty = _(view.empty)
            if self._made is not trial:
                self._made, self._frames = trial, {}
            if self.view not in self._frames:
                self._frames[self.view] = view.frame(trial)
            table.show(self._frames[self.view], view.columns(trial, self.office.scale, self.wide))
            self._restore(self.view)
        self._draw()
        self._head()
        self.tell()

    def _reason(self) -> str:
        """Say why nothing is shown."""
        if self.desk.workspace is not None and self.desk.assessment is None:
            return _("the workspace has errors; they are listed under Evidence (5)")
        if self.run is not None:
            return _("nothing yet")
        return _("nothing is simulated yet; Ctrl+R runs it, n chooses day, draws and seed")

    def _head(self) -> None:
        """Write what is asked, how it stands, and which views there are."""
        asked, trial = self.asked, self.trial
        if trial is not None and self.run is None:
            asked = trial.asked
        line = Content("")
        if asked is not None:
            about = _("as of {day}: {draws} draws, seed {seed}").format(
                day=asked.as_of, draws=f"{asked.draws:,}", seed=asked.seed
            )
            line = shown(about).stylize("bold")
            if trial is not None and trial.b is None:
                line = line + shown("  │  " + _("A: as saved"))
            elif trial is not None or self.desk.changed:
                count = len(trial.edits) if trial is not None else len(self.desk.edits)
                line = line + shown("  │  " + _("A: as saved; B: with what is not ({count})").format(count=count))
        self.query_one("#simulate-asked", Static).update(line)
        state, tone = self._state()
        self.query_one("#simulate-state", Static).update(shown(state).stylize(tone) if tone else shown(state))
        views = Content("")
        for name, view in VIEWS.items():
            title = _(view.title)
            chosen = name == self.view
            style = "bold $block-cursor-foreground on $block-cursor-background" if chosen else "$text-muted"
            views = views + shown(f"[{title}]" if chosen else f" {title} ").stylize(style) + Content(" ")
        self.query_one("#simulate-views", Static).update(views)
        self.refresh_bindings()

    def _state(self) -> tuple[str, str]:
        """Say in words how it stands: at work, refused, overtaken, as it is."""
        if self.run is not None:
            return _at_work(self.run), "$accent"
        trial = self.trial
        parts = [self._said] if self._said else []
        if trial is not None and trial.saved is not self.desk.workspace:
            parts.append(_("the workspace was read again since; Ctrl+R runs again"))
        elif trial is not None and trial.edits != self.desk.edits:
            parts.append(_("B has changed since; Ctrl+R runs again"))
        if parts or trial is None:
            return "  │  ".join(parts), "$warning"
        said = _("to {until}; 95% intervals are of the chances, bands are of what comes")
        return said.format(until=trial.until), "$text-muted"

    # -- charts ----------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        """Draw what belongs to the view and to the row under the cursor."""
        trial, row = self.trial, self.table.current
        whole = self.query_one("#simulate-whole", Histogram)
        fan, bars = self.query_one("#simulate-fan", Band), self.query_one("#simulate-bars", Bars)
        drawn: list[Histogram | Band | Bars] = []
        if trial is not None:
            self._count(whole, trial, row)
            drawn.append(whole)
            if self.view == "rules" and row is not None:
                self._bars(bars, trial, row)
                drawn.append(bars)
            elif row is not None and "unit" in row and self._fan(fan, trial, row["unit"], row):
                drawn.append(fan)
        if self.charts == "none":
            drawn = []
        elif not self.wide:
            drawn = drawn[-1:] if self.charts == "row" else drawn[:1]
        for chart in (whole, fan, bars):
            chart.set_class(chart in drawn, "-drawn")
        self.query_one("#simulate-charts").display = bool(drawn)

    def _count(self, chart: Histogram, trial: Trial, row: dict[str, Any] | None) -> None:
        """Count the draws by how many units meet the task, or by a total of money under the cursor."""
        what = row["what"] if self.view == "money" and row is not None else "met"
        scale = self.office.scale
        counted = what == "met"
        title = kr.totals_called()[what] if counted else f"{kr.totals_called()[what]} ({scale.unit})"
        series = zip("AB", trial.counts[what], strict=False)
        about = _("{what}: share of draws").format(what=title)
        chart.count(about, list(series), str if counted else scale.show)

    def _fan(self, chart: Band, trial: Trial, unit: str, row: dict[str, Any]) -> bool:
        """Draw a unit's year; false where it has no task to come."""
        import polars as pl

        mine = pl.col("unit") == unit
        coming = trial.a.units.filter(mine)
        if coming.is_empty():
            return False
        known = trial.known.filter(mine).select("tick", "completion").rows()
        now = [(day, share) for day, share in known if share is not None][-1:]
        lines = {
            name: points([*now, *coming.select("tick", quantile).rows()])
            for name, quantile in (("low", "q10"), ("median", "q50"), ("high", "q90"))
        }
        other: list[tuple[int, float]] = []
        if trial.b is not None:
            second = trial.b.units.filter(mine)
            if not second.is_empty() and not second["q50"].equals(coming["q50"]):
                other = points(second.select("tick", "q50").rows())
        pace = points(trial.pace.filter(mine).select("tick", "expected").rows())
        drawn = Fan(points(known), pace, lines["low"], lines["median"], lines["high"], other)
        days = sorted({day for day, _share in drawn.every})
        labels = [(day, f"{date.fromordinal(day):%m-%d}") for day in days]
        name = row.get("shown") or unit
        last = coming.row(-1, named=True)
        chart.show(_("{unit}: completion").format(unit=name), fan_words(last, last["tick"]), drawn, labels)
        return True

    def _bars(self, chart: Bars, trial: Trial, row: dict[str, Any]) -> None:
        """Draw how many units each rule hits on average."""
        del row
        rows = self.table.shown_rows
        letters = [letter for letter, _simulation in trial.variants]
        bars = []
        for each in rows.iter_rows(named=True) if rows is not None else ():
            values = [each[f"units_{letter}"] for letter in letters]
            bars.append(Bar(each["called"], values, [number(value) for value in values]))
        chart.show(_("units hit, mean"), letters, bars)

    def on_table_moved(self, event: Table.Moved) -> None:
        """Draw the row that the cursor is on."""
        if event.table is self.table:
            self._draw()

    # -- what can be done ------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow to run what is not at work, and to cancel what is."""
        if action == "cancel":
            return self.run is not None
        if action in {"run", "draws"}:
            return self.run is None and self.desk.assessment is not None
        return super().check_action(action, parameters)

    def action_run(self) -> None:
        """Run A, and B where something is not saved."""
        if self.run is None and self.asked is not None:
            self._begin(self.asked)

    def action_cancel(self) -> None:
        """Give the run up: the screen goes on at once, the thread after the draws that it is at."""
        if self.run is not None and self._left is not None:
            self.run.cancelled = True
            self._left.set()

    @work
    async def action_draws(self) -> None:
        """Ask for day, draws and seed, and run."""
        config = self.desk.workspace.config if self.desk.workspace is not None else None
        if config is None or self.asked is None:
            return
        last = date.fromordinal(config.year.end.toordinal() - 1)

        def whole(least: int, most: int) -> tuple[str, Any]:
            said = _("a whole number from {least} to {most}").format(least=f"{least:,}", most=f"{most:,}")
            return said, lambda text: "" if _in(text, least, most) else _("expected {what}").format(what=said)

        draws, seed = whole(1, MOST_DRAWS), whole(0, MOST_SEED)
        fields = [
            Field(
                "day",
                _("The last day that is known"),
                str(self.asked.as_of),
                *checks.day_within(config.year.start, last),
            ),
            Field("draws", _("Draws: more make the intervals narrower"), str(self.asked.draws), *draws),
            Field("seed", _("Seed: the same seed gives the same result"), str(self.asked.seed), *seed),
        ]
        answer = await self.app.push_screen_wait(Form(_("Simulate"), fields, _("Run")))
        day = checks.day(answer["day"]) if answer is not None else None
        if answer is not None and day is not None and self.run is None:
            self._begin(Asked(day, int(answer["draws"]), int(answer["seed"])))

    def action_show(self) -> None:
        """Show the next table; that of who changes only where there are two variants."""
        names = [name for name in VIEWS if name != "changed" or self.trial is None or self.trial.b is not None]
        place = names.index(self.view) if self.view in names else -1
        self.view = names[(place + 1) % len(names)]
        self._show()
        self.table.focus()

    def action_chart(self) -> None:
        """Show the other chart, or none; where there is room for both, both or none."""
        choices = ("row", "none") if self.wide else CHARTS
        place = choices.index(self.charts) if self.charts in choices else 0
        self.charts = choices[(place + 1) % len(choices)]
        self._draw()

    async def on_table_chosen(self, event: Table.Chosen) -> None:
        """Open the unit, or the rule, of the row."""
        event.stop()
        if "unit" in event.row:
            self.office.open_unit(event.row["unit"])
        elif "rule" in event.row:
            await self.office.open_policy(event.row["rule"])

    # -- running ---------------------------------------------------------------------------------------------------

    def _begin(self, asked: Asked) -> None:
        run = Run.of(self.desk, asked)
        if run is None:
            return
        self.asked, self.run, self._said = asked, run, ""
        self._work(run)

    @work(exclusive=True, group="simulate")
    async def _work(self, run: Run) -> None:
        """Run it in a thread, and look now and then how far it is; keys never wait for it."""
        self._left = left = asyncio.Event()
        self._show()
        looking: Timer = self.set_interval(OFTEN, self._head)
        thread = asyncio.ensure_future(self.office.off(run))
        gone = asyncio.ensure_future(left.wait())
        try:
            await asyncio.wait({thread, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            run.cancelled = run.cancelled or not thread.done()  # the pane is gone, or the application ends
            gone.cancel()
            looking.stop()
        self.run = None
        found = thread.result() if thread.done() else None
        if isinstance(found, Trial):
            self.desk.trial = found
        elif isinstance(found, Refused):
            self._said = _("cannot be simulated: {why}").format(why=found.why)
        elif run.cancelled:
            self._said = _("cancelled; what is shown is from before") if self.trial is not None else _("cancelled")
        self._show()

    # -- what is remembered ----------------------------------------------------------------------------------------

    def kept(self) -> dict[str, Any]:
        """Return the view, the draws and the seed, and of each table that was filled what it keeps."""
        found = {**self._kept, "view": self.view, "charts": self.charts}
        if self.asked is not None:
            found |= {"draws": self.asked.draws, "seed": self.asked.seed}
        for name, entry in super().kept().items():
            if self.query_one(f"#{name}", Table).columns:
                found[name] = entry
        return found

    def restore(self, kept: dict[str, Any]) -> None:
        """Take up what was remembered; of a table when it is first filled."""
        self._kept = dict(kept)
        if kept.get("view") in VIEWS:
            self.view = kept["view"]
        if kept.get("charts") in CHARTS:
            self.charts = kept["charts"]
        self.fill()

    def _restore(self, view: str) -> None:
        """Take up what was remembered of the table that is shown, once."""
        name = f"simulate-{view}"
        if name in self._kept:
            entry = self._kept.pop(name)
            self._restoring({name: entry})

    def _restoring(self, kept: dict[str, Any]) -> None:
        super().restore(kept)

    # -- the same from the command line ----------------------------------------------------------------------------

    def same(self) -> list[str]:
        """Return the commands that simulate A, and that compare A and B."""
        asked = self.asked
        if asked is None:
            return []
        found = [self.desk.command("simulate", *asked.words())]
        saved, other = self.desk.workspace, self.desk.current
        if saved is None or other is None or not self.desk.changed:
            return found
        values = changed_values(saved, other) if only_parameters(self.desk.edits) else None
        if values is not None:
            settings = [word for name, value in values.items() for word in ("--set", f"{name}={toml(value)}")]
            return [*found, self.desk.command("compare", *settings, *asked.words())]
        # `compare` sets parameters alone: anything else is changed in a copy, and that is compared.
        beside = f"{self.desk.folder}-b"
        return [
            *found,
            shlex.join(["cp", "-r", str(self.desk.folder), beside]),
            shlex.join(kr.edit_command(beside, self.desk.edits)),
            self.desk.command("compare", beside, *asked.words()),
        ]

    def more(self) -> Sequence[str]:
        """Say which draws they are."""
        trial = self.trial
        return [] if trial is None else [_("digest {digest}").format(digest=trial.a.digest[:12])]


def _at_work(run: Run) -> str:
    """Say how far a run is."""
    parts = [_(run.stage) or _("assessing what is known")]
    progress = run.progress
    if progress is not None:
        share = progress.done / progress.draws
        done = _("{done} of {draws} draws").format(done=f"{progress.done:,}", draws=f"{progress.draws:,}")
        parts += [f"{bar(share, width=10).rstrip()} {done}"]
    remaining = run.remaining
    if remaining is not None:
        parts.append(_("{seconds} s left").format(seconds=max(round(remaining), 1)))
    else:
        parts.append(_("{seconds} s so far").format(seconds=int(run.seconds)))
    parts.append(_("seed {seed}").format(seed=run.asked.seed))
    return plain("  ".join(parts))


def _nothing() -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame()


def _in(text: str, least: int, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most


def _sound(number: object, least: int, most: int) -> TypeGuard[int]:
    """Say whether a number that was remembered may be used."""
    return type(number) is int and least <= number <= most
