"""Scans for people: jumps and perverse stretches of a unit, outcomes of a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import kpi_rules as kr
from kpi_rules.cli import estimates
from kpi_rules.cli.quotas import is_count, written
from kpi_rules.cli.screen import Page
from kpi_rules.cli.simulated import assumptions, names, rest
from kpi_rules.cli.summary import MOST
from kpi_rules.locale import _
from kpi_rules.pipeline.labels import rule_label

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def page(found: kr.Sweep | kr.Grid, output: Path | None) -> Page:
    """Return the page that shows a scan."""
    page = Page(output)
    page.title(found.workspace.name)
    if isinstance(found, kr.Grid):
        _grid(page, found)
    else:
        _sweep(page, found)
    return page


def _sweep(page: Page, sweep: kr.Sweep) -> None:
    page.title(" ".join(filter(None, (sweep.unit, names(sweep.workspace).get(sweep.unit)))))
    write = written(counted=is_count(sweep.workspace, None))
    message = _("review on {on}, counted to {until}, known on {as_of}; quota {quota}")
    page.line(message.format(on=sweep.on, until=sweep.until, as_of=sweep.as_of, quota=write(sweep.quota)))
    page.line()
    page.title(_("Jumps"))
    if sweep.jumps.is_empty():
        page.line(_("none"))
    else:
        columns = [_("completion"), _("below"), _("from"), _("begins"), _("ends"), _("begins later"), _("ends later")]
        columns += [_("months"), _("held at the end"), _("rewards"), _("yuan gained")]
        page.table(
            columns,
            (
                (
                    estimates.percent(row["completion_above"]),
                    write(row["below"]),
                    write(row["above"]),
                    *(_labels(sweep, row[name]) for name in ("gained", "lost", "gained_later", "lost_later")),
                    _whole(row["months"]),
                    estimates.signed_amount(row["outstanding"]),
                    estimates.signed_amount(row["rewarded"]),
                    estimates.signed_amount(row["per_yuan"]),
                )
                for row in sweep.jumps.head(MOST).iter_rows(named=True)
            ),
            [*columns[:3], *columns[7:]],
        )
        rest(page, sweep.jumps, "jumps")
    page.line()
    page.title(_("Where more credit makes it worse"))
    if sweep.perverse.is_empty():
        page.line(_("nowhere"))
        return
    aspects = {"measures": _("measures"), "favours": _("favours"), "months": _("months"), "fen": _("money")}
    columns = [_("in"), _("from"), _("to"), _("than with"), _("measures there"), _("measures with less")]
    page.table(
        columns,
        (
            (
                aspects.get(row["aspect"], row["aspect"]),
                write(row["from"]),
                write(row["to"]),
                write(row["than"]),
                _labels(sweep, row["measures"]),
                _labels(sweep, row["measures_than"]),
            )
            for row in sweep.perverse.head(MOST).iter_rows(named=True)
        ),
        columns[1:4],
    )
    rest(page, sweep.perverse, "perverse")


def _labels(sweep: kr.Sweep, rules: Iterable[str]) -> str:
    return ", ".join(rule_label(sweep.rules, rule) for rule in rules)


def _whole(value: int) -> str:
    return f"{value:+}" if value else estimates.NOTHING


def _grid(page: Page, grid: kr.Grid) -> None:
    page.line(
        _("as of {as_of}: {draws} draws of each point, seed {seed}").format(
            as_of=grid.as_of, draws=grid.draws, seed=grid.seed
        )
    )
    page.line()
    page.title(_("The whole, mean"))
    words, parameters = estimates.totals_called(), list(grid.parameters)
    shown = [name for name in grid.outcomes.columns if name in words]
    page.table(
        [*parameters, *(words[name] for name in shown)],
        (
            (
                *(row[name] for name in parameters),
                *(estimates.number(row[name]) if name == "met" else estimates.amount(row[name]) for name in shown),
            )
            for row in grid.outcomes.head(MOST).iter_rows(named=True)
        ),
        [*parameters, *(words[name] for name in shown)],
    )
    rest(page, grid.outcomes, "outcomes")
    page.line(_("measures of each point: --table outcomes"))
    assumptions(page, grid.assumptions)
