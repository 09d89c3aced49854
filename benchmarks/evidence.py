"""Scenario 3: a million vouchers from CSV to credited amounts, ours against a bare read of the same file.

Measured, ours: `kr.load` of a workspace of 60 units with its arrivals and projects, and `kr.assess` to credited
amounts per unit and month-end: exact parsing of amounts and dates, quarantine of broken rows, duplicates,
recognition, month-end credit, and everything else an assessment does. The bare read: `polars.read_csv` with dates,
amounts as floats, and a sum per project and month; it checks nothing, is not exact, and does not know projects or
units. A second line has amounts as people write them (`2.5万`, `23,174.98`); its ratio is against the bare read of the
plain file, as floats cannot hold them. Files are in the page cache. The sums are asserted to the fen.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from benchmarks import ours, workspaces
from benchmarks.harness import DisagreementError, Target, compared, interleave
from benchmarks.year import TICKS

if TYPE_CHECKING:
    from benchmarks.harness import Line, Size

OURS: Final = "kpi-rules, load and assess"
OURS_MIXED: Final = "kpi-rules, amounts as people write them"
BARE: Final = "polars, bare read and group-by"
WITHIN: Final = Target(1 / 6)


def bare(arrivals: Path) -> pl.DataFrame:
    """Read arrivals and add up per project and month, checking nothing; broken amounts become null."""
    schema = {"amount": pl.Float64, "project": pl.String, "arrived_on": pl.Date}
    frame = pl.read_csv(arrivals, schema_overrides=schema, ignore_errors=True)
    return frame.group_by("project", pl.col("arrived_on").dt.month()).agg(pl.col("amount").sum())


def check(name: str, made: workspaces.Vouchers) -> None:
    """Hold our credited amounts against those known from making the file.

    Raises:
        DisagreementError: an amount differs, or rows went to quarantine that should not, or the other way round.
    """
    frame = ours.credited(made.folder).filter(pl.col("tick").is_in(TICKS)).sort("unit", "tick")
    found = frame["funds"].to_numpy().reshape(made.funds.shape)
    if not np.array_equal(found, made.funds):
        raise DisagreementError(f"{name}: {int((found != made.funds).sum())} amounts differ")
    quarantined = ours.quarantined(made.folder)
    if quarantined != made.quarantined:
        raise DisagreementError(f"{name}: {quarantined} rows in quarantine, not {made.quarantined}")


def measure(size: Size) -> list[Line]:
    """Run the scenario."""
    with tempfile.TemporaryDirectory() as folder:
        made = {
            name: workspaces.vouchers(Path(folder) / str(mixed), size.vouchers, size.projects, mixed=mixed)
            for name, mixed in ((OURS, False), (OURS_MIXED, True))
        }
        for name, workspace in made.items():
            check(name, workspace)
        seconds = interleave(
            {
                **{name: partial(ours.credited, workspace.folder) for name, workspace in made.items()},
                BARE: partial(bare, made[OURS].arrivals),
            },
            size.rounds,
        )
    plain = {name: seconds[name] for name in (OURS, BARE)}
    mixed = {name: seconds[name] for name in (OURS_MIXED, BARE)}
    scenario = f"evidence, {size.vouchers:,} vouchers"
    return [
        *compared(scenario, plain, OURS, {BARE: WITHIN}),
        *compared(f"{scenario}, mixed amounts", mixed, OURS_MIXED, {}),
    ]
