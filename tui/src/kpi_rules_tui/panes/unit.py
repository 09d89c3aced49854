"""A unit's page: how the year went, why the measures, where the credit comes from, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import evolve
from textual.containers import Container

from kpi_rules_tui.amounts import EXACT, percent, whole
from kpi_rules_tui.called import named
from kpi_rules_tui.panes import why
from kpi_rules_tui.panes.holder import FilterLine
from kpi_rules_tui.panes.page import Page
from kpi_rules_tui.panes.pane import WIDE
from kpi_rules_tui.texts import _, label_of, plain, shown
from kpi_rules_tui.widgets.bars import bar
from kpi_rules_tui.widgets.lines import Keys, StatusLine, TitleLine
from kpi_rules_tui.widgets.table import Column, Table, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from textual.app import ComposeResult

    import kpi_rules as kr


NARROWEST: Final = 20
"""Cells below which no line is broken."""


class UnitScreen(Page):
    """The page of one unit out of those of the overview."""

    AUTO_FOCUS = "#unit-timeline"

    DEFAULT_CSS = """
    /* In 24 lines: what holds, why, and the heading of what is below it. */
    UnitScreen #unit-parts { layout: vertical; height: 1fr; overflow-y: auto; }
    UnitScreen #part-timeline { height: 40%; min-height: 7; }
    UnitScreen #part-why { height: 57%; min-height: 8; }
    UnitScreen #part-waterfall, UnitScreen #part-ledger { height: 14; }
    UnitScreen.-wide #unit-parts {
        layout: grid; grid-size: 2; grid-rows: 1fr 1fr; grid-columns: 1fr 1fr; overflow-y: hidden;
    }
    UnitScreen.-wide #unit-parts > .panel { height: 1fr; min-height: 0; }
    """

    def __init__(self, unit: str) -> None:
        """Take whose page it is."""
        super().__init__(unit)
        self._lines: list[why.Line] = []
        self._turned: set[str] = set()
        self._money = ""

    def compose(self) -> ComposeResult:
        """Lay out the four parts: below each other, or two by two where there is room."""
        yield TitleLine()
        with Container(id="unit-parts"):
            for part, key in (("timeline", "tick"), ("why", "line"), ("waterfall", "project"), ("ledger", "")):
                with Container(id=f"part-{part}", classes="panel"):
                    yield Table(key, id=f"unit-{part}")
        yield FilterLine()
        yield StatusLine()
        yield Keys()

    def on_mount(self) -> None:
        """Show the unit; where the timeline is short, its last tick: that is how the unit stands."""
        self.fill()
        if self.app.size.width < WIDE:
            self.query_one("#unit-timeline", Table).action_last()

    def fill(self) -> None:
        """Show the unit as it stands with what is not saved."""
        assessment = self.office.assessment
        if assessment is None:
            self._gone(_("the workspace has errors; they are listed under Evidence (5)"))
            return
        if self.unit not in assessment.workspace.tables.units["unit"]:
            self._gone(_("the unit is no longer there"))
            return
        titles = {
            "timeline": _("Timeline"),
            "why": _("Why"),
            "waterfall": _("Credit"),
            "ledger": _("Ledger"),
        }
        for part, title in titles.items():
            self.query_one(f"#part-{part}").border_title = shown(title).markup
        title = self.headline(assessment.workspace)
        self.query_one(TitleLine).tell(title, [(_("as of {day}").format(day=assessment.as_of), "")])
        self._timeline(assessment)
        self._ledger(assessment)
        self._explain(assessment)

    def _gone(self, why: str) -> None:
        for table in self.query(Table):
            table.nothing(why)
        self._money = ""
        self.tell()

    def _timeline(self, assessment: kr.Assessment) -> None:
        import polars as pl

        config = assessment.workspace.config
        primary = config.primary if config is not None else "funds"
        scale = self.office.scale
        rows = assessment.units.filter(pl.col("unit") == self.unit).select(
            "tick", pl.col(primary).alias("credited"), "completion", "expected", "lag"
        )
        happened = [self._happened(assessment, tick.on) for tick in assessment.ticks if tick.on in set(rows["tick"])]
        reviews = [
            ", ".join(_moment(name) for name in sorted(tick.moments) if name != "at_month_end")
            for tick in assessment.ticks
            if tick.on in set(rows["tick"])
        ]
        frame = rows.with_columns(
            happened=pl.Series(happened, dtype=pl.String), review=pl.Series(reviews, dtype=pl.String)
        )
        self.query_one("#unit-timeline", Table).show(
            frame,
            [
                Column("tick", _("tick")),
                Column("completion", _("completion"), _bar, whole=True),
                Column("happened", _("measures"), tone=lambda value: "bad" if value else "", most=44),
                Column("lag", _("lag"), whole, right=True),
                Column("expected", _("expected"), percent, lambda _value: "dim", right=True),
                Column("review", _("review"), tone=lambda _value: "mark", most=40),
                Column("credited", _("credited") + scale.beside, scale.show, right=True),
            ],
        )

    def _happened(self, assessment: kr.Assessment, on: Any) -> str:  # noqa: ANN401 (a date)
        import polars as pl

        found = assessment.events.filter((pl.col("unit") == self.unit) & (pl.col("tick") == on))
        rules = assessment.rulebook.rules
        return "; ".join(
            f"{label_of(rules[rule])} {why.happened(event)}"
            for rule, event in found.select("rule", "event").iter_rows()
        )

    def _ledger(self, assessment: kr.Assessment) -> None:
        import polars as pl

        rows = assessment.ledger.filter(pl.col("unit") == self.unit)
        rules = assessment.rulebook.rules
        frame = rows.with_columns(
            called=pl.Series([label_of(rules[rule]) for rule in rows["rule"]], dtype=pl.String),
            left=pl.when(pl.col("released_on").is_null() & pl.col("reversed_on").is_null())
            .then(pl.col("withheld"))
            .otherwise(0),
        )
        table = self.query_one("#unit-ledger", Table)
        table.empty = _("no pay is withheld")
        table.show(
            frame,
            [
                Column("person", _("person")),
                Column("month", _("month")),
                Column("withheld", _("withheld") + EXACT.beside, EXACT.show, right=True),
                Column("released_on", _("released on")),
                Column("left", _("outstanding") + EXACT.beside, EXACT.show, _outstanding, right=True),
                Column("called", _("measure"), most=30),
            ],
        )
        withheld, left = int(frame["withheld"].sum()), int(frame["left"].sum())
        self._money = _("withheld {withheld} = given back {back} + outstanding {left} ({unit})").format(
            withheld=EXACT.show(withheld), back=EXACT.show(withheld - left), left=EXACT.show(left), unit=EXACT.unit
        )
        self.tell()

    def more(self) -> Sequence[str]:
        """Say that no money is lost: what was withheld is given back or outstanding."""
        return [self._money] if self._money else []

    def _explain(self, assessment: kr.Assessment) -> None:
        explanation = assessment.explain(self.unit)
        self._waterfall(explanation.waterfall, assessment.workspace)
        lines = why.lines(explanation, assessment, self.office.scale)
        self._lines = lines
        self._outline()
        self.call_after_refresh(self._outline)  # once its width is known

    def _open(self, line: why.Line) -> bool:
        """Say whether the rule of a line is opened: those that have done something are, unless they were turned."""
        return line.concerns != (line.rule in self._turned)

    def _wrapped(self, line: why.Line) -> list[why.Line]:
        """Break a long line where the part is narrower; what follows is indented as it is."""
        from rich.text import Text

        width = self.query_one("#unit-why", Table).size.width - 8
        text = plain(line.text)
        indent = text[: len(text) - len(text.lstrip())]
        if line.head or width < NARROWEST:
            return [line]
        parts = Text(text.strip()).wrap(self.app.console, width - len(indent))
        return [evolve(line, id=f"{line.id}/{number}", text=indent + part.plain) for number, part in enumerate(parts)]

    def on_resize(self) -> None:
        """Break lines anew."""
        self._outline()

    def _sign(self, line: why.Line) -> str:
        if not line.head:
            return "  "
        return "▾ " if self._open(line) else "▸ "

    def _outline(self) -> None:
        """Show the explanation: each rule opened or closed."""
        import polars as pl

        shown_ = [part for line in self._lines if line.head or self._open(line) for part in self._wrapped(line)]
        frame = pl.DataFrame(
            {
                "line": [line.id for line in shown_],
                "text": [self._sign(line) + line.text for line in shown_],
                "tone": [line.tone for line in shown_],
                "rule": [line.rule for line in shown_],
            },
            schema=dict.fromkeys(("line", "text", "tone", "rule"), pl.String),
        )
        columns = [
            Column(
                "text",
                _("enter opens and closes"),
                lambda row: row["text"],
                lambda row: row["tone"],
                whole=True,
                most=200,
            )
        ]
        self.query_one("#unit-why", Table).show(frame, columns)

    def _waterfall(self, frame: pl.DataFrame, workspace: kr.Workspace) -> None:
        import polars as pl

        scale = self.office.scale
        stages = [name for name in frame.columns if name not in {"project", "unit", "tick", "recognised"}]
        titles = stages_called()
        tables = workspace.tables
        projects = named(tables.projects, "project", frame["project"])
        units = named(tables.units, "unit", frame["unit"])
        frame = frame.with_columns(
            project_called=pl.col("project").replace(projects), unit_called=pl.col("unit").replace(units)
        )
        table = self.query_one("#unit-waterfall", Table)
        table.empty = _("no projects")
        table.show(
            frame,
            [
                Column("project_called", _("project"), most=24),
                Column("unit_called", _("unit"), most=24),
                *(
                    Column(name, titles.get(name, name) + ("" if number else scale.beside), scale.show, right=True)
                    for number, name in enumerate(stages)  # the others have the unit of the first, and more room
                ),
                Column("recognised", _("recognised"), _yes, lambda value: "" if value else "warn"),
            ],
        )

    # -- what can be done ------------------------------------------------------------------------------------------

    def units(self) -> Sequence[str]:
        """Return the units of the overview in the order shown there."""
        return self.office.units_shown()

    def same(self) -> list[str]:
        """Return the command that explains the unit."""
        desk = self.office.desk
        return [desk.command("explain", self.unit, *desk.day())]

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """Open or close a rule."""
        event.stop()
        if event.table.id == "unit-why":
            self._turned ^= {event.row["rule"]}
            self._outline()


def stages_called() -> dict[str, str]:
    """Return what the stages of the waterfall are called; those of adjustments go by their own names."""
    return {
        "contracted": _("contracted"),
        "vouchers": _("vouchers"),
        "confirmed": _("confirmed"),
        "adjusted": _("adjusted"),
        "shared": _("shared"),
    }


def _bar(row: dict[str, Any]) -> str:
    return bar(row["completion"], row["expected"], 10) + percent(row["completion"]).rjust(7)


def _outstanding(fen: int) -> Tone:
    return "bad" if fen else "dim"


def _yes(value: bool | None) -> str:  # noqa: FBT001 (a cell's value)
    return _("yes") if value else _("no")


def _moment(name: str) -> str:
    words = {
        "at_campaign_end": _("campaign ends"),
        "at_mid_year": _("mid-year"),
        "at_year_end": _("year ends"),
        "at_review": _("review"),
    }
    return words.get(name, plain(name))
