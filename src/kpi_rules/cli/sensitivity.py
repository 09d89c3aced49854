"""`kpi-rules sensitivity`: what errors of verification would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kpi_rules.cli import params
from kpi_rules.cli.words import Command, Option
from kpi_rules.locale import N_, _

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from decimal import Decimal
    from pathlib import Path

    import click

    import kpi_rules as kr
    from kpi_rules.cli.screen import Page

TABLES: Final = ("totals", "rules", "measures", "items")
"""The result tables, in the order in which they are written."""


def command() -> click.Command:
    """Make the command in the language chosen by now."""
    return Command(
        "sensitivity",
        callback=run,
        help=_(
            "Say how many measures of WORKSPACE would be wrong if vouchers, visits and projects were wrong at a rate, "
            "and which evidence to inspect again first."
        ),
        params=[
            params.workspace(),
            Option(
                ["--error-rate", "rates"],
                multiple=True,
                required=True,
                metavar="SHARE",
                help=N_("The chance of a piece of evidence to be wrong, such as 0.02; or TABLE=SHARE, several times."),
            ),
            Option(
                ["--size"],
                type=params.Share(),
                default="1",
                help=N_("By what share a wrong amount is overstated; by default 1: it does not count."),
            ),
            *params.axes()[:2],
            *params.sampled(1_000),
            params.chart(),
            params.result_tables(*TABLES),
            *params.output("table", "json", "csv", "parquet", "xlsx"),
        ],
    )


def run(  # noqa: PLR0913 (one for each option)
    *,
    workspace: Path,
    rates: tuple[str, ...],
    size: Decimal,
    as_of: date | None,
    known_at: date | None,
    draws: int,
    seed: int,
    chart: Path | None,
    tables: tuple[str, ...],
    format: str,
    output: Path | None,
) -> None:
    """Draw errors and write."""
    import kpi_rules as kr
    from kpi_rules.cli import results, simulating, work
    from kpi_rules.cli.screen import Page, counting

    results.check(format, tables, output)
    simulating.check_chart(chart)
    rate = read_rates(rates)
    loaded = work.load_valid(workspace)
    with simulating.refused(), counting(_("drawing errors in {name}").format(name=loaded.name)) as progress:
        found = kr.sensitivity(
            loaded, as_of, error_rate=rate, size=size, draws=draws, seed=seed, known_at=known_at, progress=progress
        )
    simulating.write_chart(chart, lambda: kr.chart(found))
    if format == "table" and not tables:
        page = Page(output)
        _show(page, found)
        page.write()
        return
    results.write({name: getattr(found, name) for name in dict.fromkeys(tables or TABLES)}, format, output)


def read_rates(texts: Sequence[str]) -> Decimal | Mapping[str, Decimal]:
    """Read error rates: one for all, or one for each table.

    Raises:
        RefusedError: both, several for all, a table twice, or one that is no decimal.
    """
    from kpi_rules.cli.failures import RefusedError

    split = [text.rpartition("=") for text in texts]
    rates: dict[str, Decimal] = {}
    for name, _sign, text in split:
        share = params.read_share(text)
        if share is None:
            raise RefusedError(_("--error-rate: '{value}' is no decimal such as 0.15").format(value=text))
        rates[name] = share
    if len(rates) != len(texts) or (len(texts) > 1 and "" in rates):
        raise RefusedError(_("--error-rate: expected one share for all, or TABLE=SHARE once for each table"))
    return rates.get("", rates)


def _show(page: Page, found: kr.Sensitivity) -> None:
    from kpi_rules.cli import estimates
    from kpi_rules.cli.simulated import names, rest
    from kpi_rules.cli.summary import MOST
    from kpi_rules.pipeline.labels import rule_label

    page.title(found.workspace.name)
    rates = ", ".join(f"{table} {rate:g}" for table, rate in found.error_rate.items())
    message = _("as of {as_of}, error rates {rates}: {draws} draws, seed {seed}")
    page.line(message.format(as_of=found.as_of, rates=rates, draws=found.draws, seed=found.seed))
    words = {
        "proposed": _("measures on record that would not have been"),
        "spared": _("measures not on record that would have been"),
        "moved": _("measures that would have started or ended on another day"),
        "withheld": _("pay withheld that ought not to be"),
        "withholding_spared": _("pay not withheld that ought to be"),
        "issued": _("rewards that ought not to be"),
        "issue_missed": _("rewards missed"),
    }
    page.line()
    page.title(_("Wrong in all"))
    columns = [_("what"), _("mean"), _("95% band")]
    rows = []
    for row in found.totals.iter_rows(named=True):
        write = estimates.number if row["what"] in {"proposed", "spared", "moved"} else estimates.amount
        rows.append((words[row["what"]], write(row["mean"]), estimates.span(row["low"], row["high"], write)))
    page.table(columns, rows, columns[1:])
    page.line()
    page.title(_("Measures by the chance that they are wrong"))
    named, rules = names(found.workspace), found.workspace.plugins.rules
    columns = [_("unit"), _("name"), _("measure"), _("on record"), _("chance"), _("95% interval")]
    page.table(
        columns,
        (
            (
                row["unit"],
                named.get(row["unit"]),
                rule_label(rules, row["rule"]),
                _("yes") if row["recorded"] else _("no"),
                estimates.percent(row["chance"]),
                estimates.span(row["chance_low"], row["chance_high"], estimates.percent),
            )
            for row in found.measures.head(MOST).iter_rows(named=True)
        ),
        columns[4:],
    )
    rest(page, found.measures, "measures")
    page.line()
    page.title(_("Evidence to inspect again first"))
    columns = [_("table"), _("key"), _("project"), _("amount"), _("measures, expected"), _("money"), _("by itself")]
    page.table(
        columns,
        (
            (
                row["table"],
                row["key"],
                row["project"],
                estimates.amount(row["amount"]),
                f"{row['measures']:.3f}",
                estimates.amount(row["fen"]),
                row["alone"],
            )
            for row in found.items.head(FIRST).iter_rows(named=True)
        ),
        columns[3:],
    )
    if len(found.items) > FIRST:
        page.line(_("and {count} more: --table {table}").format(count=len(found.items) - FIRST, table="items"))


FIRST: Final = 20
"""Pieces of evidence that are shown."""
