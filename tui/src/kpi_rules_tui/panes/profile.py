"""The profile of a unit's consequences over its completion: where each rule applies, and the cliffs between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.containers import Container

import kpi_rules as kr
from kpi_rules_tui.amounts import EXACT
from kpi_rules_tui.panes.holder import FilterLine
from kpi_rules_tui.panes.page import Page
from kpi_rules_tui.texts import _, label_of, shown
from kpi_rules_tui.widgets.lines import Keys, StatusLine, TitleLine
from kpi_rules_tui.widgets.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from textual.app import ComposeResult


SPAN = 1.5
"""The greatest completion shown."""


class ProfileScreen(Page):
    """The profile of a unit, by default the first of those given."""

    AUTO_FOCUS = "#profile-bars"

    DEFAULT_CSS = """
    ProfileScreen #profile-parts { height: 1fr; }
    ProfileScreen .panel { height: 1fr; }
    """

    def __init__(self, units: Sequence[str], unit: str | None = None) -> None:
        """Take the units there are, and whose profile is shown first."""
        super().__init__(unit or next(iter(units), ""))
        self._units = units
        self._sweep_shown: kr.Sweep | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the key out that has brought one here."""
        return False if action == "profile" else super().check_action(action, parameters)

    def compose(self) -> ComposeResult:
        """Lay out the profile and its cliffs."""
        yield TitleLine()
        with Container(id="profile-parts"):
            with Container(classes="panel", id="profile-rules"):
                yield Table("what", id="profile-bars")
            with Container(classes="panel", id="profile-cliffs"):
                yield Table("", id="profile-jumps")
        yield FilterLine()
        yield StatusLine()
        yield Keys()

    def on_mount(self) -> None:
        """Work the profile out."""
        self.query_one("#profile-rules").border_title = shown(_("In force at a completion of 0% to 150%")).markup
        self.query_one("#profile-cliffs").border_title = shown(_("Cliffs")).markup
        self.fill()

    def on_resize(self) -> None:
        """Draw it as wide as there is room."""
        if self._sweep_shown is not None:
            self._bars(self._sweep_shown)

    def fill(self) -> None:
        """Work it out anew."""
        self._sweep()

    @work(exclusive=True)
    async def _sweep(self) -> None:
        workspace = self.office.desk.current
        if workspace is None or not self.unit:
            return
        title = self.headline(workspace)
        self.query_one(TitleLine).tell(title, [(_("working it out"), "$warning")])
        sweep = await self.office.off(_swept, workspace, self.unit)
        if not isinstance(sweep, kr.Sweep):
            self.query_one(TitleLine).tell(title, [])
            self.query_one(StatusLine).tell(sweep or "")
            return
        self._sweep_shown = sweep
        said = _("review on {day}; counted to {until}").format(day=sweep.on, until=sweep.until)
        self.query_one(TitleLine).tell(title, [(said, "")])
        self._bars(sweep)
        self._cliffs(sweep)

    def _bars(self, sweep: kr.Sweep) -> None:
        """Draw for each rule where it applies, and for money how much."""
        import polars as pl

        width = max(self.app.size.width - 54, 24)  # what is left beside the measure's name and where it applies
        profile = sweep.profile
        places = [min(int(share / SPAN * width), width - 1) for share in profile["completion"]]
        lines = []
        for rule in sweep.rules.values():
            here = [rule.id in found for found in profile["measures"].to_list()]
            later = [rule.id in found for found in profile["later"].to_list()]
            if any(here) or any(later):
                lines.append((label_of(rule), _drawn(places, here, later, width), _where(profile, here)))
        for name, title in (("outstanding", _("held at the end")), ("rewarded", _("rewarded"))):
            values = profile[name].to_list()
            if max(values, default=0) > 0:
                most = _("at most {amount}").format(amount=EXACT.said(max(values)))
                lines.append((title, _heights(places, values, width), most))
        frame = pl.DataFrame(lines, schema=dict.fromkeys(("what", "drawn", "where"), pl.String), orient="row")
        ruler = "".join(_mark(place, width) for place in range(width))
        table = self.query_one("#profile-bars", Table)
        table.empty = _("no rule applies at any completion")
        table.show(
            frame,
            [
                Column("what", _("measure"), most=22),
                Column("drawn", ruler, tone=lambda _text: "bad", most=width + 2),
                Column("where", _("where"), most=60),
            ],
        )

    def _cliffs(self, sweep: kr.Sweep) -> None:
        """List the jumps with the two inputs either side."""
        import polars as pl

        rules = sweep.rules

        def names(ids: Sequence[str]) -> str:
            return ", ".join(label_of(rules[each]) if each in rules else each for each in ids)

        jumps = sweep.jumps
        frame = jumps.with_columns(
            begins=pl.Series(
                [names([*a, *b]) for a, b in jumps.select("gained", "gained_later").iter_rows()], dtype=pl.String
            ),
            ends=pl.Series(
                [names([*a, *b]) for a, b in jumps.select("lost", "lost_later").iter_rows()], dtype=pl.String
            ),
        )
        table = self.query_one("#profile-jumps", Table)
        table.empty = _("no cliffs")
        table.show(
            frame,
            [
                Column("completion_above", _("at"), lambda share: f"{share:.2%}", right=True),
                Column("ends", _("ends"), tone=lambda text: "good" if text else "", most=40),
                Column("begins", _("begins"), tone=lambda text: "bad" if text else "", most=40),
                Column("below", _("below ({unit})").format(unit=EXACT.unit), EXACT.show, right=True),
                Column("above", _("from ({unit})").format(unit=EXACT.unit), EXACT.show, right=True),
                Column("outstanding", _("held ({unit})").format(unit=EXACT.unit), EXACT.signed, right=True),
                Column("per_yuan", _("gained by one yuan more") + EXACT.beside, EXACT.signed, right=True),
            ],
        )
        worse = sweep.perverse.height
        text = (
            _("more credit is nowhere worse")
            if not worse
            else _("stretches where more credit is worse: {count}").format(count=worse)
        )
        self.query_one(StatusLine).tell(text)

    def units(self) -> Sequence[str]:
        """Return the units given."""
        return self._units

    def same(self) -> list[str]:
        """Return the command that scans the unit."""
        return [self.office.desk.command("sweep", self.unit)]


def _swept(workspace: kr.Workspace, unit: str) -> kr.Sweep | str:
    """Scan, and make the frames: both take long. A text says why that cannot be."""
    try:
        found = kr.sweep(workspace, unit)
    except kr.AssessmentError as error:
        return "; ".join(problem.message for problem in error.problems)
    assert found.profile.height  # noqa: S101 (made here, in the thread)
    assert found.jumps.width  # noqa: S101 (as above)
    return found


def _drawn(places: Sequence[int], here: Sequence[bool], later: Sequence[bool], width: int) -> str:
    """Draw where a rule applies: at the review, or only later."""
    cells = [" "] * width
    for place, now, then in zip(places, here, later, strict=True):
        if now:
            cells[place] = "█"
        elif then and cells[place] == " ":
            cells[place] = "░"
    return "".join(cells)


def _heights(places: Sequence[int], values: Sequence[int], width: int) -> str:
    """Draw amounts as heights, the greatest as a full cell."""
    signs = " ▁▂▃▄▅▆▇█"
    most = max(values)
    cells = [0] * width
    for place, value in zip(places, values, strict=True):
        cells[place] = max(cells[place], -(-8 * value // most))
    return "".join(signs[cell] for cell in cells)


def _where(profile: pl.DataFrame, here: Sequence[bool]) -> str:
    """Say in words from and to which completion a rule applies."""
    shares = [share for share, on in zip(profile["completion"], here, strict=True) if on]
    if not shares:
        return _("only later")
    return _("{first} to {last}").format(first=f"{min(shares):.1%}", last=f"{max(shares):.1%}")


def _mark(place: int, width: int) -> str:
    """Mark 50%, 100% on the ruler."""
    for share, sign in ((0.5, "½"), (1.0, "1")):
        if place == int(share / SPAN * width):
            return sign
    return "·"
