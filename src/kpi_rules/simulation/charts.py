"""Charts of what simulations found: each a function from a result to an Altair chart that holds its data."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import polars as pl

from kpi_rules.locale import _, ngettext
from kpi_rules.model.columns import count_indicators
from kpi_rules.model.text import safe
from kpi_rules.pipeline.labels import rule_label
from kpi_rules.simulation.bins import BINS, PER_WHOLE
from kpi_rules.simulation.panels import (
    BAR,
    FEN,
    INK,
    LESS,
    LIGHT,
    MOST,
    QUIET,
    WIDTH,
    bars,
    histogram,
    labels,
    page,
    signed,
)
from kpi_rules.simulation.scans import grid_chart, sweep_chart

if TYPE_CHECKING:
    from datetime import date

    from kpi_rules.simulation.backtest import Backtest
    from kpi_rules.simulation.compare import Comparison
    from kpi_rules.simulation.grid import Grid
    from kpi_rules.simulation.panels import Chart
    from kpi_rules.simulation.plan import Plan
    from kpi_rules.simulation.result import Simulation
    from kpi_rules.simulation.sensitivity import Sensitivity
    from kpi_rules.simulation.sweep import Sweep


def chart(
    result: Simulation | Comparison | Backtest | Plan | Sensitivity | Sweep | Grid, unit: str | None = None
) -> Chart:
    """Draw a result as an Altair chart that holds its data: `.save("x.svg")`, or shown as it is in a notebook.

    Args:
        result: of `kpi_rules.simulate`, `compare`, `backtest`, `plan`, `sensitivity`,
            `sweep` or `grid`.
        unit: of a simulation, the unit whose completion is drawn over the year; all units by default.

    Raises:
        ValueError: the unit has no quota in what was simulated; the message names the nearest that has.
    """
    match type(result).__name__:  # by name: to draw one kind of result is no reason to load the others
        case "Comparison":
            return comparison_chart(cast("Comparison", result))
        case "Backtest":
            return backtest_chart(cast("Backtest", result))
        case "Plan":
            return plan_chart(cast("Plan", result))
        case "Sensitivity":
            return sensitivity_chart(cast("Sensitivity", result))
        case "Sweep":
            return sweep_chart(cast("Sweep", result))
        case "Grid":
            return grid_chart(cast("Grid", result))
    simulation = cast("Simulation", result)
    return simulation_chart(simulation) if unit is None else fan_chart(simulation, unit)


def simulation_chart(simulation: Simulation) -> Chart:
    """Draw how many units meet the task, over the draws, and each unit's chance with its 95% interval."""
    import altair as alt

    last = simulation.ticks[-1].on
    at_end = simulation.units.filter(pl.col("tick") == last)
    if len(at_end) > MOST:  # of many, those of whom it is least known are drawn
        at_end = at_end.sort((pl.col("chance") - 0.5).abs(), "unit").head(MOST)
    at_end = at_end.sort("chance", "unit", descending=[True, False])
    names = labels(simulation.past.workspace, at_end["unit"])
    rows = [
        {"unit": names[row["unit"]], "chance": row["chance"], "low": row["chance_low"], "high": row["chance_high"]}
        for row in at_end.iter_rows(named=True)
    ]
    return page(
        alt.vconcat(
            histogram(simulation.per_draw("met"), _("units that meet the task by {day}").format(day=last)),
            bars(rows, _("chance to meet the task by {day}, with its 95% interval").format(day=last)),
        ),
        simulation.past.workspace.name,
        about(simulation),
    )


def fan_chart(simulation: Simulation, unit: str) -> Chart:
    """Draw a unit's completion: what is known, and at each tick to come the median and the bands of 50%, 80%, 90%.

    Raises:
        ValueError: the unit has no quota to come; the message names the nearest that has.
    """
    import altair as alt

    rows = fan_rows(simulation, unit)
    x = alt.X("day:T", title=None, scale=alt.Scale(type="utc"), axis=alt.Axis(format="%Y-%m-%d", labelAngle=-40))
    percent = alt.Axis(format="%")
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x)
    bands = [
        base.mark_area(color=INK, opacity=opacity).encode(
            y=alt.Y(f"{low}:Q", title=_("completion"), axis=percent), y2=alt.Y2(f"{high}:Q")
        )
        for low, high, opacity in (("q05", "q95", 0.15), ("q10", "q90", 0.2), ("q25", "q75", 0.3))
    ]
    median = base.mark_line(color=INK, point=True).encode(y="q50:Q")
    task = alt.Chart(alt.InlineData(values=[{"task": 1}])).mark_rule(color=LESS, strokeDash=[5, 3]).encode(y="task:Q")
    name = labels(simulation.past.workspace, [unit])[unit]
    shown = alt.LayerChart(layer=[*bands, median, task]).properties(width=WIDTH, height=300)
    return page(shown, name, [*about(simulation), _("median, and the bands of 50%, 80% and 90%")])


def fan_rows(simulation: Simulation, unit: str) -> list[dict[str, object]]:
    """Return the days of a fan chart: the last that is known, of which all quantiles are one, and those to come."""
    found = simulation.of_unit(unit)
    names = [name for name in found.columns if name.startswith("q") and name[1:].isdigit()]
    top = (BINS - 1) / PER_WHOLE
    # Beyond the last bin a quantile is null: drawn at its edge. Where nothing was binned there is nothing to draw.
    drawn = found.filter(pl.col(names[0]).is_not_null() | (pl.col("mean") >= top))
    known = simulation.past.assessment.units.filter(
        (pl.col("unit") == unit) & (pl.col("tick") == simulation.as_of) & pl.col("completion").is_not_null()
    )
    before = [dict.fromkeys(names, value) | {"day": simulation.as_of.isoformat()} for value in known["completion"]]
    after = [
        {name: row[name] if row[name] is not None else top for name in names} | {"day": row["tick"].isoformat()}
        for row in drawn.iter_rows(named=True)
    ]
    return [*before, *after]


def comparison_chart(comparison: Comparison) -> Chart:
    """Draw what differs, B less A: units that meet the task, over the draws, and for each unit the chance of the task
    and of each measure, with its 95% interval. What differs in no draw is left out.
    """
    import altair as alt

    a = comparison.a
    rules = {**comparison.b.past.assessment.rulebook.rules, **a.past.assessment.rulebook.rules}
    names = labels(a.past.workspace, comparison.units["unit"].unique().to_list())
    panels = [histogram(comparison.per_draw("met"), _("difference in units that meet the task, B less A"))]
    for what, frame in differing(comparison).items():
        title = rule_label(rules, what) if what else _("chance to meet the task")
        rows = [
            {"unit": names[row["unit"]], "difference": row["difference"], "low": row["low"], "high": row["high"]}
            for row in frame.iter_rows(named=True)
        ]
        panels.append(signed(rows, _("{what}: difference in chance, B less A").format(what=safe(title))))
    one, other = a.past.workspace.name, comparison.b.past.workspace.name
    title = one if one == other else _("{a} against {b}").format(a=one, b=other)
    return page(alt.vconcat(*panels), title, about(a))


def differing(comparison: Comparison) -> dict[str, pl.DataFrame]:
    """Return by rule (the task is empty) the units whose chance differs, the greatest difference first."""
    columns = ("unit", "difference", "low", "high")
    units = comparison.units
    found = {} if units.is_empty() else {"": units.filter(pl.col("tick") == pl.col("tick").max()).select(columns)}
    if not comparison.rules.is_empty():
        for (rule,), frame in comparison.rules.sort("rule").group_by("rule", maintain_order=True):
            found[str(rule)] = frame.select(columns)
    order = (pl.col("difference").abs(), "unit")
    moved = {
        what: frame.filter((pl.col("low") != 0) | (pl.col("high") != 0)).sort(*order, descending=[True, False])
        for what, frame in found.items()
    }
    return {what: frame for what, frame in moved.items() if not frame.is_empty()}


def backtest_chart(backtest: Backtest) -> Chart:
    """Draw of single units what bands hold against what they should, and by months ahead the CRPS of each forecast and
    of the straight line.
    """
    import altair as alt

    covered = backtest.bands.filter((pl.col("of") == "units") & pl.col("horizon").is_null())
    rows = covered.select("model", pl.col("level") * 0.01, share="covered", low="covered_low", high="covered_high")
    held = alt.Chart(alt.InlineData(values=rows.to_dicts()))
    percent = alt.Axis(format="%")
    x = alt.X("level:Q", title=_("should hold"), axis=percent, scale=alt.Scale(domain=[0, 1]))
    y = alt.Y("share:Q", title=_("holds"), axis=percent, scale=alt.Scale(domain=[0, 1]))
    model = alt.Color("model:N", title=_("forecast"))
    ends = alt.InlineData(values=[{"level": 0, "share": 0}, {"level": 1, "share": 1}])
    ideal = alt.Chart(ends).mark_line(color=QUIET, strokeDash=[5, 3]).encode(x=x, y=y)
    marks = held.mark_line(point=True).encode(x=x, y=y, color=model)
    spread = held.mark_rule().encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=model)
    bands = alt.LayerChart(layer=[ideal, spread, marks]).properties(
        width=WIDTH, height=260, title=_("bands of single units: what they hold against what they should")
    )
    ahead = backtest.scores.filter((pl.col("of") == "units") & pl.col("horizon").is_not_null()).sort("model", "horizon")
    scored = [
        {"forecast": row["model"], "ahead": row["horizon"], "crps": row["crps"] / FEN}
        for row in ahead.iter_rows(named=True)
    ]
    straight = ahead.unique("horizon", maintain_order=True).iter_rows(named=True)
    line = [
        {"forecast": _("straight line"), "ahead": row["horizon"], "crps": row["straight"] / FEN} for row in straight
    ]
    scores = alt.Chart(alt.InlineData(values=[*scored, *line])).mark_line(point=True)
    scores = scores.encode(
        x=alt.X("ahead:Q", title=_("months ahead"), axis=alt.Axis(tickMinStep=1, format="d")),
        y=alt.Y("crps:Q", title=_("CRPS, 10,000 yuan")),
        color=alt.Color("forecast:N", title=_("forecast")),
    ).properties(width=WIDTH, height=220, title=_("mean error of the distribution (CRPS), single units"))
    panels = alt.vconcat(bands, scores).resolve_scale(color="independent")
    origins = backtest.cases["origin"]
    message = _("from {first} to {last} at month-ends: {draws} draws of each, seed {seed}")
    how = message.format(first=origins.min(), last=origins.max(), draws=backtest.draws, seed=backtest.seed)
    return page(panels, backtest.workspace.name, [how])


def plan_chart(plan: Plan) -> Chart:
    """Draw of each unit the quota against last year and the sampled year's 80% band, and the chance to meet it."""
    import altair as alt

    units = plan.units.sort("quota", "unit", descending=[True, False])
    names = labels(plan.workspace, units["unit"])
    counted = plan.indicator in count_indicators(plan.workspace.plugins.indicators)
    scale = 1 if counted else FEN
    kinds = {"quota": _("quota"), "last": _("last year"), "q50": _("sampled, median")}
    rows = [
        {"unit": names[row["unit"]], "low": row["q10"] / scale, "high": row["q90"] / scale}
        for row in units.head(MOST).iter_rows(named=True)
    ]
    dots = [
        {"unit": names[row["unit"]], "kind": word, "value": row[kind] / scale}
        for row in units.head(MOST).iter_rows(named=True)
        for kind, word in kinds.items()
    ]
    title = plan.indicator if counted else _("{indicator}, 10,000 yuan").format(indicator=plan.indicator)
    y = alt.Y("unit:N", sort=None, title=None, axis=alt.Axis(labelLimit=240))
    band = alt.Chart(alt.InlineData(values=rows)).mark_rule(color=LIGHT, size=5)
    marks = alt.Chart(alt.InlineData(values=dots)).mark_point(filled=True, size=45)
    quotas = alt.LayerChart(
        layer=[
            band.encode(y=y, x=alt.X("low:Q", title=safe(title)), x2="high:Q"),
            marks.encode(
                y=y,
                x="value:Q",
                color=alt.Color(
                    "kind:N", title=None, scale=alt.Scale(range=[LESS, QUIET, INK]), sort=list(kinds.values())
                ),
            ),
        ]
    ).properties(width=WIDTH, height=BAR * max(len(rows), 2), title=_("quotas, with the 80% band of the sampled year"))
    chances = [
        {"unit": names[row["unit"]], "chance": row["chance"], "low": row["chance_low"], "high": row["chance_high"]}
        for row in units.iter_rows(named=True)
    ]
    panels = alt.vconcat(quotas, bars(chances, _("chance to meet the quota, with its 95% interval")))
    counted_draws = ngettext("{count} draw, seed {seed}", "{count} draws, seed {seed}", plan.draws)
    return page(panels, plan.workspace.name, [counted_draws.format(count=plan.draws, seed=plan.seed)])


def sensitivity_chart(sensitivity: Sensitivity) -> Chart:
    """Draw the chance of each measure to be wrong, and on which evidence most measures hang."""
    import altair as alt

    rules = sensitivity.workspace.plugins.rules
    names = labels(sensitivity.workspace, sensitivity.measures["unit"].unique())
    doubted = [
        {
            "unit": f"{names[row['unit']]}: {safe(rule_label(rules, row['rule']))}",
            "chance": row["chance"],
            "low": row["chance_low"],
            "high": row["chance_high"],
        }
        for row in sensitivity.measures.iter_rows(named=True)
    ]
    hanging = [
        {"item": safe(f"{row['table']} {row['key']}"), "measures": row["measures"]}
        for row in sensitivity.items.filter(pl.col("measures") > 0).head(MOST).iter_rows(named=True)
    ]
    y = alt.Y("item:N", sort=None, title=None, axis=alt.Axis(labelLimit=240))
    items = (
        alt.Chart(alt.InlineData(values=hanging)).mark_bar(color=LIGHT).encode(x=alt.X("measures:Q", title=None), y=y)
    )
    title = _("measures that the item's error is expected to change")
    items = items.properties(width=WIDTH, height=BAR * max(len(hanging), 2), title=title)
    panels = alt.vconcat(bars(doubted, _("chance of a measure to be wrong, with its 95% interval")), items)
    rates = ", ".join(f"{table} {rate:g}" for table, rate in sensitivity.error_rate.items())
    message = _("as of {as_of}, error rates {rates}: {draws} draws, seed {seed}")
    how = message.format(as_of=sensitivity.as_of, rates=rates, draws=sensitivity.draws, seed=sensitivity.seed)
    return page(panels, sensitivity.workspace.name, [how])


def about(simulation: Simulation) -> list[str]:
    """Return what was simulated and what it assumes, a text a line."""
    counted = ngettext("{count} draw, seed {seed}", "{count} draws, seed {seed}", simulation.draws)
    until: date = simulation.ticks[-1].on
    lines = [
        _("as of {as_of}, simulated to {until}").format(as_of=simulation.as_of, until=until)
        + ", "
        + counted.format(count=simulation.draws, seed=simulation.seed)
    ]
    models = sorted({str(model) for model in simulation.assumptions["model"]})
    return [*lines, _("forecast: {models}").format(models=safe(", ".join(models)))]
