"""Charts of scans: a unit's consequences over its completion, and outcomes over parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kpi_rules.locale import _, ngettext
from kpi_rules.model.text import safe
from kpi_rules.pipeline.labels import rule_label
from kpi_rules.simulation.panels import BAR, FEN, INK, LESS, LIGHT, WIDTH, labels, page

if TYPE_CHECKING:
    from collections.abc import Iterable

    import altair as alt
    import polars as pl

    from kpi_rules.simulation.grid import Grid
    from kpi_rules.simulation.panels import Chart
    from kpi_rules.simulation.sweep import Sweep

MONEY: Final = ("withheld", "outstanding", "rewarded", "forfeited")
SQUARE: Final = 260
"""Width of one of several panels."""


def sweep_chart(sweep: Sweep) -> Chart:
    """Draw over completion which measures hit the unit, at the review or later, and the money; jumps are dashed."""
    import altair as alt

    profile, jumps = sweep.profile, sweep.jumps
    x = alt.X("from:Q", title=_("completion at the review"), axis=alt.Axis(format="%"))
    words = {"measures": _("at the review"), "later": _("later")}
    rows = [
        {"measure": safe(rule_label(sweep.rules, rule)), "when": words[when], "from": low, "to": high}
        for when in words
        for rule, low, high in stretches(profile, when)
    ]
    cliffs = alt.Chart(alt.InlineData(values=[{"from": each} for each in jumps["completion_above"]]))
    dashes = cliffs.mark_rule(color=LESS, strokeDash=[5, 3]).encode(x=x)
    color = alt.Color("when:N", title=None, scale=alt.Scale(domain=list(words.values()), range=[INK, LIGHT]))
    hits = alt.Chart(alt.InlineData(values=rows)).mark_bar(height=BAR / 2)
    y = alt.Y("measure:N", title=None, axis=alt.Axis(labelLimit=240))
    measures = alt.LayerChart(layer=[hits.encode(x=x, x2="to:Q", y=y, color=color), dashes]).properties(
        width=WIDTH, height=BAR * 1.6 * max(len({row["measure"] for row in rows}), 2), title=_("measures")
    )
    kinds = {
        "withheld": _("pay withheld"),
        "outstanding": _("pay still held at the end"),
        "rewarded": _("rewards"),
        "forfeited": _("deposits forfeited"),
    }
    amounts = [
        {"from": row["completion"], "kind": kinds[kind], "money": row[kind] / FEN}
        for row in profile.iter_rows(named=True)
        for kind in MONEY
        if profile[kind].sum()
    ]
    lines = alt.Chart(alt.InlineData(values=amounts)).mark_line()
    lines = lines.encode(x=x, y=alt.Y("money:Q", title=_("10,000 yuan")), color=alt.Color("kind:N", title=None))
    money = alt.LayerChart(layer=[lines, dashes]).properties(width=WIDTH, height=200, title=_("money"))
    name = labels(sweep.workspace, [sweep.unit])[sweep.unit]
    how = _("review on {on}, counted to {until}, known on {as_of}; dashed: where it jumps")
    panels = alt.vconcat(measures, money).resolve_scale(color="independent")
    return page(panels, name, [how.format(on=sweep.on, until=sweep.until, as_of=sweep.as_of)])


def stretches(profile: pl.DataFrame, column: str) -> Iterable[tuple[str, float, float]]:
    """Return by rule the stretches of completion at which it is in a column of a profile, from and to."""
    found: dict[str, list[list[float]]] = {}
    before: set[str] = set()
    for rules, completion in profile.select(column, "completion").iter_rows():
        for rule in rules:
            if rule in before:
                found[rule][-1][1] = completion
            else:
                found.setdefault(rule, []).append([completion, completion])
        before = set(rules)
    return [(rule, low, high) for rule in sorted(found) for low, high in found[rule]]


def grid_chart(grid: Grid) -> Chart:
    """Draw each outcome that differs between points: a heat map over two parameters, a line over one."""
    import altair as alt

    names = list(grid.parameters)
    frame = grid.outcomes
    panels = []
    for outcome in [name for name in frame.columns if name not in names]:
        if frame[outcome].n_unique() == 1 and len(frame) > 1:
            continue
        money = outcome in {"withheld", "released", "outstanding", "rewarded"}
        panels.append(_outcome(grid, frame, outcome, FEN if money else 1))
    shown = alt.vconcat(*panels) if panels else alt.vconcat(_outcome(grid, frame, "met", 1))
    counted = ngettext("{count} draw, seed {seed}", "{count} draws, seed {seed}", grid.draws)
    how = counted.format(count=grid.draws, seed=grid.seed)
    return page(
        shown.resolve_scale(color="independent"),
        grid.workspace.name,
        [_("as of {as_of}").format(as_of=grid.as_of) + ", " + how],
    )


def _outcome(grid: Grid, frame: pl.DataFrame, outcome: str, scale: int) -> alt.Chart:
    import altair as alt

    names = list(grid.parameters)
    rows: list[dict[str, Any]] = [
        {**{axis: _text(row[name]) for axis, name in zip("xy", names, strict=False)}, "value": row[outcome] / scale}
        for row in frame.iter_rows(named=True)
    ]
    words = {
        "met": _("units that meet the task, mean"),
        "withheld": _("pay withheld, mean, 10,000 yuan"),
        "released": _("pay released, mean, 10,000 yuan"),
        "outstanding": _("pay still held at the end, mean, 10,000 yuan"),
        "rewarded": _("rewards, mean, 10,000 yuan"),
    }
    hit = _("{measure}: units hit, mean").format(measure=safe(rule_label(grid.rules, outcome)))
    title = words.get(outcome, hit)
    x = alt.X("x:O", title=names[0], sort=None)
    base = alt.Chart(alt.InlineData(values=rows)).properties(width=SQUARE, height=SQUARE, title=title)
    if len(names) == 1:
        y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False))
        line: alt.Chart = base.mark_line(point=True).encode(x=x, y=y)
        return line
    color = alt.Color("value:Q", title=None)
    squares: alt.Chart = base.mark_rect().encode(x=x, y=alt.Y("y:O", title=names[1], sort=None), color=color)
    return squares


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else safe(str(value))
