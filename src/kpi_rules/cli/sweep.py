"""`kpi-rules sweep`: a unit's consequences over its completion, or the outcomes of a grid of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from kpi_rules.cli import params
from kpi_rules.cli.words import Command, Option
from kpi_rules.locale import N_, _

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal
    from pathlib import Path
    from typing import Unpack

    from kpi_rules.cli.simulating import How

PROFILE: Final = ("jumps", "perverse", "profile")
GRID: Final = ("outcomes", "digests", "assumptions")
"""The result tables of either, in the order in which they are written."""


def command() -> click.Command:
    """Make the command in the language chosen by now."""
    return Command(
        "sweep",
        callback=run,
        help=_(
            "Scan what becomes of UNIT in WORKSPACE by how much of its task it has met at a review: where that jumps, "
            "to the fen, and where more credit makes it worse. With --grid instead of UNIT, simulate the rest of the "
            "year under every combination of values of one or two parameters."
        ),
        params=[
            params.workspace(),
            click.Argument(["unit"], required=False),
            Option(["--on"], type=params.Day(), help=N_("The review; by default the next.")),
            Option(
                ["--low"], type=params.Share(), default="0", help=N_("The least completion looked at; by default 0.")
            ),
            Option(["--high"], type=params.Share(), default="1.5", help=N_("The greatest; by default 1.5.")),
            Option(["--steps"], type=params.Whole(1), default=300, help=N_("Points of the profile; by default 300.")),
            Option(
                ["--grid"],
                multiple=True,
                metavar="PARAMETER=VALUES",
                help=N_("Values of a parameter: v1,v2,... or low:high:steps; once or twice."),
            ),
            *params.simulating(required=False),
            params.chart(),
            params.result_tables(*PROFILE, *GRID),
            *params.output("table", "json", "csv", "parquet", "xlsx"),
        ],
    )


def run(  # noqa: PLR0913 (one for each option)
    *,
    workspace: Path,
    unit: str | None,
    on: date | None,
    low: Decimal,
    high: Decimal,
    steps: int,
    grid: tuple[str, ...],
    workers: int | None,
    cluster: str | None,
    chart: Path | None,
    tables: tuple[str, ...],
    format: str,
    output: Path | None,
    **how: Unpack[How],
) -> None:
    """Scan and write."""
    import kpi_rules as kr
    from kpi_rules.cli import results, scanned, simulating, work
    from kpi_rules.cli.screen import counting, working

    all_tables = GRID if grid else PROFILE
    _check(unit, grid, how, tables, all_tables)
    results.check(format, tables, output)
    simulating.check_chart(chart)
    loaded = work.load_valid(workspace)
    found: kr.Grid | kr.Sweep
    if grid:
        values = simulating.read_grid(grid)
        given = simulating.arguments(how)
        who: simulating.Who = {"workers": workers, "cluster": cluster}
        counted = counting(_("simulating {name}").format(name=loaded.name))
        with simulating.runners(who) as runner, counted as progress:
            found = kr.grid(loaded, parameters=values, progress=progress, **given, **runner)
    else:
        with simulating.refused(), working(_("scanning {unit}").format(unit=unit)):
            found = kr.sweep(
                loaded,
                unit or "",
                on=on,
                as_of=how["as_of"],
                until=how["until"],
                known_at=how["known_at"],
                low=low,
                high=high,
                steps=steps,
            )
    simulating.write_chart(chart, lambda: kr.chart(found))
    if format == "table" and not tables:
        scanned.page(found, output).write()
        return
    results.write({name: getattr(found, name) for name in dict.fromkeys(tables or all_tables)}, format, output)


def _check(unit: str | None, grid: Sequence[str], how: How, tables: Sequence[str], all_tables: Sequence[str]) -> None:
    """Refuse a unit with a grid, and neither; a grid without a day; tables of the other."""
    from kpi_rules.cli.failures import RefusedError

    if bool(grid) == (unit is not None):
        raise RefusedError(_("expected either UNIT or --grid PARAMETER=VALUES"))
    if grid and how["as_of"] is None:
        raise RefusedError(_("--as-of is missing"))
    wrong = [name for name in tables if name not in all_tables]
    if wrong:
        message = _("--table: no table {name} here; expected one of {names}")
        raise RefusedError(message.format(name=wrong[0], names=", ".join(all_tables)))
