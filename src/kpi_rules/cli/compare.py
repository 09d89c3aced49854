"""`kpi-rules compare`: two policies on the same futures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from kpi_rules.cli import params
from kpi_rules.cli.words import Command, Option
from kpi_rules.locale import N_, _

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Unpack

    import polars as pl

    import kpi_rules as kr
    from kpi_rules.cli.simulating import How

TABLES: Final = ("run", "totals", "units", "rules", "money", "changed", "assumptions")
"""The result tables, in the order in which they are written."""


def command() -> click.Command:
    """Make the command in the language chosen by now."""
    return Command(
        "compare",
        callback=run,
        help=_(
            "Compare WORKSPACE (A) with what it would be under other parameters, or with OTHER (B), on the same "
            "sampled futures: differences, B less A, with their intervals. Without --format and --table it shows a "
            "summary."
        ),
        params=[
            params.workspace(),
            click.Argument(["other"], type=params.Folder(), required=False),
            Option(
                ["--set", "settings"],
                multiple=True,
                metavar="PARAMETER=VALUE",
                help=N_("Set a parameter in B, the value as in kpi.toml; may be given several times."),
            ),
            *params.simulating(),
            params.chart(),
            params.result_tables(*TABLES),
            *params.output("table", "json", "csv", "parquet", "xlsx"),
        ],
    )


def run(  # noqa: PLR0913 (one for each option)
    *,
    workspace: Path,
    other: Path | None,
    settings: tuple[str, ...],
    workers: int | None,
    cluster: str | None,
    chart: Path | None,
    tables: tuple[str, ...],
    format: str,
    output: Path | None,
    **how: Unpack[How],
) -> None:
    """Simulate both, compare and write."""
    import kpi_rules as kr
    from kpi_rules.cli import compared, results, simulating, work
    from kpi_rules.cli.failures import RefusedError
    from kpi_rules.cli.screen import counting

    if other is None and not settings:
        raise RefusedError(_("nothing to compare with; expected another workspace or --set PARAMETER=VALUE"))
    results.check(format, tables, output)
    simulating.check_chart(chart)
    a = work.load_valid(workspace)
    b = simulating.with_settings(a if other is None else work.load_valid(other), settings)
    with simulating.runners({"workers": workers, "cluster": cluster}) as runner:
        first, second = (simulating.simulate(each, how, runner) for each in (a, b))
        with counting(_("comparing {a} with {b}").format(a=a.name, b=b.name)) as progress:
            comparison = kr.compare(first, second, progress=progress, **runner)
        simulating.write_chart(chart, lambda: kr.chart(comparison))
        if format == "table" and not tables:
            compared.page(comparison, settings, output).write()
            return
        results.write(
            {name: _frame(comparison, name, settings) for name in dict.fromkeys(tables or TABLES)}, format, output
        )


def _frame(comparison: kr.Comparison, name: str, settings: Sequence[str]) -> pl.DataFrame:
    """Return a result table by name; those of both variants say of which each row is."""
    import polars as pl

    from kpi_rules.cli import simulating

    both = {"A": comparison.a, "B": comparison.b}
    if name == "run":
        rows = [{"variant": variant, **simulating.asked(each)} for variant, each in both.items()]
        return pl.DataFrame(rows).with_columns(settings=pl.Series([[], list(settings)], dtype=pl.List(pl.String)))
    if name == "assumptions":
        return pl.concat(
            each.assumptions.select(pl.lit(variant).alias("variant"), pl.all()) for variant, each in both.items()
        )
    found: pl.DataFrame = getattr(comparison, name)
    return found
