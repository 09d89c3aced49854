"""`kpi-rules backtest`: how good the forecasts were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kpi_rules.cli import params
from kpi_rules.cli.words import Command, Option
from kpi_rules.locale import N_, _

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import click

    import kpi_rules as kr
    from kpi_rules.cli.screen import Page

TABLES: Final = ("scores", "bands", "cases")
"""The result tables, in the order in which they are written."""


def command() -> click.Command:
    """Make the command in the language chosen by now."""
    return Command(
        "backtest",
        callback=run,
        help=_(
            "Forecast the rest of WORKSPACE's year from each past month-end and compare with what came: how much the "
            "bands of 50%, 80% and 95% hold, and how much better than a straight line the forecasts were."
        ),
        params=[
            params.workspace(),
            Option(
                ["--model", "models"],
                multiple=True,
                metavar="NAME",
                help=N_("A forecast to test by itself; may be given several times. By default what [forecast] names."),
            ),
            *params.sampled(2_000),
            Option(
                ["--since"],
                type=params.Day(),
                help=N_("Forecast from this day on; by default from the first month-end."),
            ),
            Option(
                ["--until"],
                type=params.Day(),
                help=N_("The last day forecast; by default the last month with evidence."),
            ),
            Option(
                ["--known-at"], type=params.Day(), help=N_("What came as known on this day; by default all recorded.")
            ),
            params.chart(),
            params.result_tables(*TABLES),
            *params.output("table", "json", "csv", "parquet", "xlsx"),
        ],
    )


def run(  # noqa: PLR0913 (one for each option)
    *,
    workspace: Path,
    models: tuple[str, ...],
    draws: int,
    seed: int,
    since: date | None,
    until: date | None,
    known_at: date | None,
    chart: Path | None,
    tables: tuple[str, ...],
    format: str,
    output: Path | None,
) -> None:
    """Test and write."""
    import kpi_rules as kr
    from kpi_rules.cli import results, simulating, work
    from kpi_rules.cli.screen import Page, counting

    results.check(format, tables, output)
    simulating.check_chart(chart)
    loaded = work.load_valid(workspace)
    with simulating.refused(), counting(_("testing the forecasts of {name}").format(name=loaded.name)) as progress:
        found = kr.backtest(
            loaded,
            models=models or None,
            draws=draws,
            seed=seed,
            since=since,
            until=until,
            known_at=known_at,
            progress=progress,
        )
    simulating.write_chart(chart, lambda: kr.chart(found))
    if format == "table" and not tables:
        page = Page(output)
        _show(page, found)
        page.write()
        return
    results.write({name: getattr(found, name) for name in dict.fromkeys(tables or TABLES)}, format, output)


def _show(page: Page, found: kr.Backtest) -> None:
    import polars as pl

    from kpi_rules.cli import estimates

    page.title(found.workspace.name)
    origins = found.cases["origin"]
    message = _("from {first} to {last} at month-ends: {draws} draws of each, seed {seed}")
    page.line(message.format(first=origins.min(), last=origins.max(), draws=found.draws, seed=found.seed))
    bands = found.bands
    held = {
        (model, of, horizon, level): estimates.percent(covered)
        for model, of, horizon, level, covered in bands.select("model", "of", "horizon", "level", "covered").iter_rows()
    }
    levels = sorted(bands["level"].unique())
    kinds = {"units": _("single units"), "whole": _("all units together")}
    for (model, of), rows in found.scores.group_by("model", "of", maintain_order=True):
        page.line()
        page.title(f"{model}: {kinds[str(of)]}")
        columns = [_("months ahead"), _("cases"), *(_("in {level}% band").format(level=level) for level in levels)]
        columns += [_("CRPS, mean"), _("straight line"), _("better by"), _("bias")]
        ordered = rows.sort(pl.col("horizon"), nulls_last=False)
        page.table(
            columns,
            (
                (
                    _("all") if row["horizon"] is None else row["horizon"],
                    row["cases"],
                    *(held[model, of, row["horizon"], level] for level in levels),
                    estimates.amount(row["crps"]),
                    estimates.amount(row["straight"]),
                    _share(row["skill"]),
                    _share(row["bias_share"]),
                )
                for row in ordered.iter_rows(named=True)
            ),
            columns,
        )
    page.line()
    page.line(
        _("a band should hold its share of what came; fewer: surer than it may be; more: says less than it could")
    )


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:+.1%}"
