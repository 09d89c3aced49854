"""`kpi-rules plan`: quotas for the year to come, from history."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

from kpi_rules.cli import params
from kpi_rules.cli.words import Command, Option
from kpi_rules.locale import N_, _

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal
    from pathlib import Path

    import kpi_rules as kr
    from kpi_rules.cli.screen import Page
    from kpi_rules.simulation.plan import By, Of

TABLES: Final = ("quotas", "units", "unplanned", "assumptions")
"""The result tables, in the order in which they are written."""


def command() -> click.Command:
    """Make the command in the language chosen by now."""
    return Command(
        "plan",
        callback=run,
        help=_(
            "Lay a total on WORKSPACE's units as their quotas for the year to come, from history, each with the chance "
            "to meet it. --table quotas --format csv writes them as the table quotas has them."
        ),
        params=[
            params.workspace(),
            Option(
                ["--total"], metavar="AMOUNT", help=N_("What the quotas add up to, such as 15亿; a number for counts.")
            ),
            Option(
                ["--rate"],
                type=params.Share(),
                help=N_("Instead of a total what is common to all: growth, the chance, or the share above capacity."),
            ),
            Option(
                ["--by"],
                type=click.Choice(("growth", "chance", "capacity")),
                default="growth",
                help=N_("By one growth for all, an equal chance for all, or capacity. By default growth."),
            ),
            Option(
                ["--of"],
                type=click.Choice(("staff", "pipeline")),
                help=N_("What capacity is counted in; by default staff where there is any."),
            ),
            Option(["--indicator"], metavar="NAME", help=N_("Whose quotas; by default of the primary indicator.")),
            Option(
                ["--unit"], metavar="UNIT", help=N_("Whose quota the total is; by default the one above all others.")
            ),
            Option(["--as-of"], type=params.Day(), help=N_("The last day known; by default the year's end.")),
            Option(
                ["--known-at"],
                type=params.Day(),
                help=N_("Count what was recorded by this day; by default the as-of date."),
            ),
            *params.sampled(),
            params.chart(),
            params.result_tables(*TABLES),
            *params.output("table", "json", "csv", "parquet", "xlsx"),
        ],
    )


def run(  # noqa: PLR0913 (one for each option)
    *,
    workspace: Path,
    total: str | None,
    rate: Decimal | None,
    by: By,
    of: Of | None,
    indicator: str | None,
    unit: str | None,
    as_of: date | None,
    known_at: date | None,
    draws: int,
    seed: int,
    chart: Path | None,
    tables: tuple[str, ...],
    format: str,
    output: Path | None,
) -> None:
    """Plan and write."""
    import kpi_rules as kr
    from kpi_rules.cli import output as out
    from kpi_rules.cli import results, simulating, work
    from kpi_rules.cli.quotas import to_csv
    from kpi_rules.cli.screen import Page, working

    results.check(format, tables, output)
    simulating.check_chart(chart)
    loaded = work.load_valid(workspace)
    with simulating.refused(), working(_("planning for {name}").format(name=loaded.name)):
        found = kr.plan(
            loaded,
            None if total is None else _total(loaded, total, indicator),
            by=by,
            rate=rate,
            of=of,
            indicator=indicator,
            unit=unit,
            as_of=as_of,
            known_at=known_at,
            draws=draws,
            seed=seed,
        )
    simulating.write_chart(chart, lambda: kr.chart(found))
    if format == "table" and not tables:
        page = Page(output)
        _show(page, found)
        page.write()
    elif format == "csv" and set(tables) == {"quotas"}:
        target = output / "quotas.csv" if output is not None and output.is_dir() else output
        out.write(to_csv(loaded, found.quotas), target)
    else:
        results.write({name: getattr(found, name) for name in dict.fromkeys(tables or TABLES)}, format, output)


def _total(workspace: kr.Workspace, text: str, indicator: str | None) -> int:
    """Read a total: fen of an amount, or a count.

    Raises:
        RefusedError: it is neither.
    """
    from kpi_rules.cli.failures import RefusedError
    from kpi_rules.cli.quotas import is_count
    from kpi_rules.model.money import parse_amount

    counted = is_count(workspace, indicator)
    whole = re.fullmatch(r"\d{1,12}", text, re.ASCII)
    found = parse_amount(text) if not counted else int(text) if whole else None
    if found is None:
        expected = _("a whole number") if counted else _("an amount such as 15亿")
        raise RefusedError(_("--total: found '{text}'; expected {expected}").format(text=text, expected=expected))
    return found


def _show(page: Page, plan: kr.Plan) -> None:
    from kpi_rules.cli import estimates
    from kpi_rules.cli.quotas import is_count, written
    from kpi_rules.cli.simulated import assumptions, names, rest
    from kpi_rules.cli.summary import MOST

    counted = is_count(plan.workspace, plan.indicator)
    exact = written(counted=counted)
    about = estimates.number if counted else estimates.amount
    page.title(plan.workspace.name)
    line = _("quotas of {indicator} from {start}: {total}, laid by {by}; {draws} draws, seed {seed}")
    way = plan.by if plan.of is None else f"{plan.by} ({plan.of})"
    page.line(
        line.format(
            indicator=plan.indicator,
            start=plan.start,
            total=exact(plan.total),
            by=way,
            draws=plan.draws,
            seed=plan.seed,
        )
    )
    if plan.rate is not None:
        page.line(_("common to all: {rate}").format(rate=estimates.percent(plan.rate)))
    page.line()
    named = names(plan.workspace)
    columns = [_("unit"), _("name"), _("last year"), _("quota"), _("growth"), _("chance"), _("95% interval")]
    columns += [_("sampled, median"), _("80% band")]
    page.table(
        columns,
        (
            (
                row["unit"],
                named.get(row["unit"]),
                about(row["last"]),
                about(row["quota"]),
                "" if row["growth"] is None else f"{row['growth']:+.1%}",
                estimates.percent(row["chance"]),
                estimates.span(row["chance_low"], row["chance_high"], estimates.percent),
                about(row["q50"]),
                estimates.span(row["q10"], row["q90"], about),
            )
            for row in plan.units.sort("quota", "unit", descending=[True, False]).head(MOST).iter_rows(named=True)
        ),
        columns[2:],
    )
    rest(page, plan.units, "units")
    if not plan.unplanned.is_empty():
        page.line()
        page.title(_("Without a quota"))
        page.table([_("unit"), _("reason")], plan.unplanned.head(MOST).iter_rows())
        rest(page, plan.unplanned, "unplanned")
    assumptions(page, plan.assumptions)
