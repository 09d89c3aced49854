"""`kpi-rules split`: a unit's quota over the units below it, as rows for the table `quotas`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kpi_rules.cli.params import Day, Folder, output, workspace
from kpi_rules.cli.words import Command, Option
from kpi_rules.locale import N_, _

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from kpi_rules.workspace.split import By


def command() -> click.Command:
    """Make the command in the language chosen by now."""
    return Command(
        "split",
        callback=run,
        help=_(
            "Split the quota of UNIT in WORKSPACE over the units directly below it, and write the parts as rows for "
            "the table quotas. They add up to the quota; nothing in the workspace changes."
        ),
        params=[
            workspace(),
            click.Argument(["unit"]),
            Option(["--indicator"], default="funds", metavar="NAME", help=N_("Whose quota; by default of funds.")),
            Option(
                ["--by"],
                type=click.Choice(("equal", "weight", "history")),
                default="equal",
                help=N_("Equally, by weights, or by the results of the workspaces of --history."),
            ),
            Option(
                ["--weights"],
                type=click.Path(path_type=Path),
                metavar="FILE.csv",
                help=N_("Weights of the units below, columns unit, weight; else the column weight of units."),
            ),
            Option(
                ["--history"],
                type=Folder(),
                metavar="WORKSPACE",
                multiple=True,
                help=N_("The workspace of an earlier year; may be given several times."),
            ),
            Option(["--effective"], type=Day(), help=N_("From when the parts hold; by default the quota's own day.")),
            *output("csv", "json"),
        ],
    )


def run(  # noqa: PLR0913 (one for each option)
    *,
    workspace: Path,
    unit: str,
    indicator: str,
    by: By,
    weights: Path | None,
    history: Sequence[Path],
    effective: date | None,
    format: str,
    output: Path | None,
) -> None:
    """Split and write."""
    import kpi_rules as kr
    from kpi_rules.cli import work
    from kpi_rules.cli.failures import RefusedError
    from kpi_rules.cli.output import check_target, to_json, write
    from kpi_rules.cli.quotas import to_csv

    _check_options(by, weights, history)
    if output is not None:
        check_target(output)
        if output.exists():
            raise RefusedError(_("{path} is there already; nothing was changed").format(path=output))
    loaded = work.load_valid(workspace)
    try:
        parts = kr.split_quota(
            loaded,
            unit,
            indicator,
            by=by,
            weights=_read_weights(weights) if weights is not None else None,
            history=[work.assess(work.load_valid(year), None, None, None).units for year in history],
            effective=effective,
        )
    except ValueError as error:  # the message says what is missing or unknown
        raise RefusedError(str(error)) from error
    write(to_json({"quotas": parts}) if format == "json" else to_csv(loaded, parts), output)


def _check_options(by: By, weights: Path | None, history: Sequence[Path]) -> None:
    """Refuse options that do not go with the way to split: one of them is a slip."""
    from kpi_rules.cli.failures import RefusedError

    for way, option, given in (("weight", "--weights", weights is not None), ("history", "--history", bool(history))):
        if by == way == "history" and not given:
            raise RefusedError(_("--by {way} needs {option}").format(way=way, option=option))
        if by != way and given:
            raise RefusedError(
                _("{option} goes with --by {way}, not with --by {by}").format(option=option, way=way, by=by)
            )


def _read_weights(path: Path) -> dict[str, Decimal]:
    """Read the weights of units.

    Raises:
        RefusedError: the file cannot be read, a column is missing, a unit is there twice or a weight is no decimal; all
            rows that are wrong are listed.
    """
    from kpi_rules.cli.failures import RefusedError
    from kpi_rules.cli.work import read_rows
    from kpi_rules.model.problems import Place

    found: dict[str, Decimal] = {}
    again = _("{place}: found the unit '{value}' again; expected each unit once")
    wrong = []
    for number, row in read_rows(path, ("unit", "weight")):
        unit, weight = row["unit"].strip(), _weight(row["weight"].strip())
        if weight is None:
            place = Place(file=str(path), row=number, column="weight")
            expected = _("{place}: found '{value}'; expected a decimal of 0 or more, at most nine places")
            wrong.append(expected.format(place=place, value=row["weight"]))
        elif unit in found:
            place = Place(file=str(path), row=number, column="unit")
            wrong.append(again.format(place=place, value=unit))
        else:
            found[unit] = weight
    if wrong:
        raise RefusedError("\n".join(wrong))
    return found


def _weight(text: str) -> Decimal | None:
    import re
    from decimal import Decimal

    return Decimal(text) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII) else None
