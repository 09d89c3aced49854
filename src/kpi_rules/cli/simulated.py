"""A simulation for people: the whole first, then units by chance, rules, money, and what is assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_rules.cli import estimates
from kpi_rules.cli.screen import Page
from kpi_rules.cli.summary import MOST
from kpi_rules.locale import _, ngettext
from kpi_rules.pipeline.labels import rule_label

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl

    import kpi_rules as kr


def page(simulation: kr.Simulation, unit: str | None, output: Path | None) -> Page:
    """Return the page that shows a simulation, or one unit of it."""
    page = Page(output)
    page.title(simulation.past.workspace.name)
    page.line(about(simulation))
    if unit is None:
        _whole(page, simulation)
        _units(page, simulation)
        _rules(page, simulation)
    else:
        _unit(page, simulation, unit)
    assumptions(page, simulation.assumptions)
    _foot(page, simulation, unit)
    return page


def about(simulation: kr.Simulation) -> str:
    """Say what was simulated."""
    message = ngettext(
        "as of {as_of}, simulated to {until}: {draws} draw, seed {seed}",
        "as of {as_of}, simulated to {until}: {draws} draws, seed {seed}",
        simulation.draws,
    )
    until = simulation.ticks[-1].on
    return message.format(as_of=simulation.as_of, until=until, draws=simulation.draws, seed=simulation.seed)


def names(workspace: kr.Workspace) -> Mapping[str, str | None]:
    """Return the names of units by id."""
    return dict(workspace.tables.units.select("unit", "name").iter_rows())


def _whole(page: Page, simulation: kr.Simulation) -> None:
    page.line()
    page.title(_("The whole"))
    words, rows = estimates.totals_called(), []
    for row in simulation.totals.iter_rows(named=True):
        counted = row["what"] == "met"
        write = estimates.amount if not counted else _count
        mean = estimates.number(row["mean"]) if counted else estimates.amount(row["mean"])
        band = estimates.span(row["q10"], row["q90"], write)
        rows.append((words[row["what"]], write(row["q50"]), band, mean))
    columns = [_("what"), _("median"), _("80% band"), _("mean")]
    page.table(columns, rows, columns[1:])


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _units(page: Page, simulation: kr.Simulation) -> None:
    last = simulation.ticks[-1].on
    import polars as pl

    found = simulation.units.filter(pl.col("tick") == last).sort("chance", "unit", descending=[True, False])
    named = names(simulation.past.workspace)
    page.line()
    page.title(_("Units by their chance to meet the task by {day}").format(day=last))
    columns = [_("unit"), _("name"), _("quota"), _("chance"), _("95% interval"), _("completion, median"), _("80% band")]
    rows = (
        (
            row["unit"],
            named.get(row["unit"]),
            _quota(simulation, row["quota"]),
            *_chance(row),
            estimates.percent(row["q50"]),
            estimates.span(row["q10"], row["q90"], estimates.percent),
        )
        for row in found.head(MOST).iter_rows(named=True)
    )
    page.table(columns, rows, columns[2:])
    rest(page, found, "units")


def _quota(simulation: kr.Simulation, quota: int) -> str:
    return estimates.amount(quota) if simulation.job.rulebook.terms.primary == "funds" else str(quota)


def _chance(row: Mapping[str, float]) -> tuple[str, str]:
    interval = estimates.span(row["chance_low"], row["chance_high"], estimates.percent)
    return estimates.percent(row["chance"]), interval


def _rules(page: Page, simulation: kr.Simulation) -> None:
    """Show each rule over all units; what it is for one unit is in `--unit` and `--table rules`."""
    import polars as pl

    page.line()
    page.title(_("Measures in what is simulated, over all units"))
    if simulation.rules.is_empty():
        page.line(_("none"))
        return
    found = simulation.rules.group_by("rule").agg(
        units=pl.col("chance").sum(),
        sure=(pl.col("chance") == 1).sum(),
        possible=pl.len(),
        months=pl.when(pl.col("months").is_not_null().any()).then(pl.col("months").sum()),
    )
    columns = [_("measure"), _("units hit, mean"), _("surely"), _("possibly"), _("months, mean")]
    rules = simulation.past.assessment.rulebook.rules
    rows = (
        (rule_label(rules, rule), estimates.number(units), sure, possible, estimates.number(months))
        for rule, units, sure, possible, months in found.sort("units", "rule", descending=[True, False]).iter_rows()
    )
    page.table(columns, rows, columns[1:])
    page.line(_("for each unit: --unit UNIT, or --table rules"))


def _unit(page: Page, simulation: kr.Simulation, unit: str) -> None:
    import polars as pl

    page.line()
    page.title(" ".join(filter(None, (unit, names(simulation.past.workspace).get(unit)))))
    columns = [_("day"), _("quota"), _("chance"), _("95% interval"), _("completion, median"), _("80% band"), _("mean")]
    rows = (
        (
            row["tick"],
            _quota(simulation, row["quota"]),
            *_chance(row),
            estimates.percent(row["q50"]),
            estimates.span(row["q10"], row["q90"], estimates.percent),
            estimates.percent(row["mean"]),
        )
        for row in simulation.of_unit(unit).iter_rows(named=True)
    )
    page.table(columns, rows, columns[1:])
    page.line()
    page.title(_("Measures"))
    found = simulation.rules if simulation.rules.is_empty() else simulation.rules.filter(pl.col("unit") == unit)
    rules = simulation.past.assessment.rulebook.rules
    if found.is_empty():
        page.line(_("none"))
    else:
        columns = [_("measure"), _("chance"), _("95% interval"), _("months, mean")]
        ordered = found.sort("chance", "rule", descending=[True, False]).iter_rows(named=True)
        hits = ((rule_label(rules, row["rule"]), *_chance(row), estimates.number(row["months"])) for row in ordered)
        page.table(columns, hits, columns[1:])
    money = simulation.money.filter(pl.col("unit") == unit).drop("unit")
    if not money.is_empty():
        words = estimates.totals_called()
        page.line()
        page.title(_("Money, mean"))
        row = money.row(0, named=True)
        page.table([_("what"), _("mean")], ((words[kind], estimates.amount(row[kind])) for kind in row), [_("mean")])


def assumptions(page: Page, assumed: pl.DataFrame) -> None:
    """Show what a result assumes: it is never shown without."""
    page.line()
    page.title(_("Assumed"))
    rows = [
        (
            row["model"],
            row["indicator"] or _("all"),
            row["what"],
            row["about"] or _("all"),
            row["value"],
            row["basis"] + (_(" (too little to rely on: widened)") if row["little"] else ""),
        )
        for row in assumed.head(MOST).iter_rows(named=True)
    ]
    page.table(
        [_("forecast"), _("indicator"), _("what"), _("about"), _("value"), _("rests on")],
        rows,
        firm=[_("forecast"), _("indicator")],
    )
    rest(page, assumed, "assumptions")


def _foot(page: Page, simulation: kr.Simulation, unit: str | None) -> None:
    page.line()
    if not simulation.exact:
        page.line(_("completion: medians and bands are upper edges of bins of 1/256 of the task"))
    elif unit is not None:
        page.line(_("completion: before the last day, medians and bands are upper edges of bins of 1/256 of the task"))
    page.line(_("intervals are of the chances, at 95%: more draws narrow them; bands are of what comes: they do not"))
    page.line(_("digest {digest}").format(digest=simulation.digest))


def rest(page: Page, rows: pl.DataFrame, table: str) -> None:
    """Say how many rows are not shown, and how to see them."""
    if len(rows) > MOST:
        page.line(_("and {count} more: --table {table}").format(count=len(rows) - MOST, table=table))
