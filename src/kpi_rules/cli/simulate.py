"""`kpi-rules simulate`: the rest of the year on sampled futures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kpi_rules.cli import params
from kpi_rules.cli.words import Command, Option
from kpi_rules.locale import N_, _

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Unpack

    import click
    import polars as pl

    import kpi_rules as kr
    from kpi_rules.cli.simulating import How

TABLES: Final = ("run", "totals", "units", "rules", "money", "assumptions")
"""The result tables, in the order in which they are written."""


def command() -> click.Command:
    """Make the command in the language chosen by now."""
    return Command(
        "simulate",
        callback=run,
        help=_(
            "Simulate the rest of WORKSPACE's year on sampled futures: who meets the task, whom which measure hits, "
            "what it costs, each with its interval. Without --format and --table it shows a summary."
        ),
        params=[
            params.workspace(),
            *params.simulating(),
            Option(["--unit"], metavar="UNIT", help=N_("Show, write and draw one unit alone, in detail.")),
            params.chart(),
            params.result_tables(*TABLES),
            *params.output("table", "json", "csv", "parquet", "xlsx"),
        ],
    )


def run(  # noqa: PLR0913 (one for each option)
    *,
    workspace: Path,
    unit: str | None,
    workers: int | None,
    cluster: str | None,
    chart: Path | None,
    tables: tuple[str, ...],
    format: str,
    output: Path | None,
    **how: Unpack[How],
) -> None:
    """Simulate and write."""
    import kpi_rules as kr
    from kpi_rules.cli import results, simulated, simulating, work

    results.check(format, tables, output)
    simulating.check_chart(chart)
    loaded = work.load_valid(workspace)
    with simulating.runners({"workers": workers, "cluster": cluster}) as runner:
        simulation = simulating.simulate(loaded, how, runner)
        simulating.check_unit(simulation, unit)
        simulating.write_chart(chart, lambda: kr.chart(simulation, unit))
        if format == "table" and not tables:
            simulated.page(simulation, unit, output).write()
            return
        frames = {name: _frame(simulation, name, unit) for name in dict.fromkeys(tables or TABLES)}
        results.write(frames, format, output)


def _frame(simulation: kr.Simulation, name: str, unit: str | None) -> pl.DataFrame:
    """Return a result table by name, of one unit if it is asked for."""
    import polars as pl

    from kpi_rules.cli import simulating

    found: pl.DataFrame = pl.DataFrame([simulating.asked(simulation)]) if name == "run" else getattr(simulation, name)
    return found if unit is None or "unit" not in found.columns else found.filter(pl.col("unit") == unit)
