"""Workspaces for the benchmarks: the policy of the batch, and a year with a million vouchers. All of it is invented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from attrs import frozen

from benchmarks.year import GROUPS, TICKS, UNIFORM, Entry

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmarks.year import Terms

HEAD: Final = """\
[workspace]
name = "Benchmark"
currency = "CNY"
primary = "funds"

[year]
start = 2011-01-01
end = 2011-12-31

[pace]
curve = "months"
tolerance = 0.10

[pay]
component = "provincial-standard pay"

[credit]
unvisited = "vouchers"

[[campaign]]
id = "hundred_days"
name = "Hundred-day campaign"
start = 2011-07-24
end = 2011-10-31
share = 0.40

[plugins]
enabled = ["pay_withholding", "field_duty", "rewards", "supervision"{more}]
"""

SIX: Final = """
[[supervision.step]]
name = "bulletin"

[[supervision.step]]
name = "veto"

[[scorecard.track]]
name = "year"
missing = "leave"

[[scorecard.item]]
track = "year"
name = "task"
indicator = "funds"
points = 100
below = "steps"
above = "steps"
bonus = [{ points = 1, per = 0.1, count = "whole", most = 20 }]
malus = [{ points = 1, per = 0.01, count = "whole" }]

[[scorecard.veto]]
name = "unmet"
when = ["completion < 1"]
effect = "exclude"

[[scorecard.prize]]
name = "best_three"
top = 3

[[scorecard.red_list]]
name = "red"
when = ["score >= 120"]
"""
"""What the batch with all six policies has besides the eight shipped rules."""

UNITS: Final = 60


def policy(folder: Path, terms: Terms, *, six: bool = False) -> Path:
    """Write a workspace of one unit per group, with these parameters and four policies or six; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = '\n[tables]\nunits = "units.csv"\nquotas = "quotas.csv"\n'
    head = HEAD.format(more=', "scorecard", "safeguards"' if six else "")
    text = head + tables + parameters(terms) + (SIX if six else "")
    folder.joinpath("kpi.toml").write_text(text, encoding="utf-8")
    rows = [f"{group},{group},{group}" for group in GROUPS]
    folder.joinpath("units.csv").write_text("unit,name,group\n" + "\n".join(rows) + "\n", encoding="utf-8")
    quotas = [f"{group},funds,100万,2011-01-01" for group in GROUPS]
    text = "unit,indicator,amount,effective\n" + "\n".join(quotas) + "\n"
    folder.joinpath("quotas.csv").write_text(text, encoding="utf-8")
    return folder


def parameters(terms: Terms) -> str:
    """Return the parameters as tables of `kpi.toml`."""
    tables: dict[str, list[str]] = {}
    for full_name, entries in terms.items():
        plugin, _, name = full_name.partition(".")
        values = ", ".join(map(entry, entries))
        tables.setdefault(plugin, []).append(f"{name} = [{values}]")
    return "".join(f"\n[{plugin}]\n" + "\n".join(lines) + "\n" for plugin, lines in tables.items())


def entry(given: Entry) -> str:
    """Return one entry of a parameter as an inline table."""
    parts = [f"value = {given.value}"]
    if given.month > 1:
        parts.append(f"from = 2011-{given.month:02}-01")
    if given.group is not None:
        parts.append(f'group = "{given.group}"')
    return "{" + ", ".join(parts) + "}"


@frozen(eq=False)
class Vouchers:
    """A workspace full of vouchers: its folder, its arrivals file, and what must come out.

    Attributes:
        funds: fen credited by unit (rows, in order of their ids) and month-end (columns).
        quarantined: rows of arrivals that must end in quarantine.
    """

    folder: Path
    arrivals: Path
    funds: NDArray[np.int64]
    quarantined: int


def vouchers(folder: Path, rows: int, projects: int, *, mixed: bool, seed: int = 2011) -> Vouchers:
    """Write a year of `rows` vouchers for `projects` projects of 60 units.

    Amounts are decimals of yuan (`12345.67`); if `mixed`, every fifth is written `1.234567万` and every hundredth has
    a thousands separator. Some rows are broken on purpose: amounts that are none, projects nobody knows, rows twice
    the same, two rows of one id that differ. No project was visited (`unvisited = "vouchers"`), each has one unit.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    recognised = rng.integers(1, 7, projects)
    unit = rng.integers(0, UNITS, projects)
    of = rng.integers(0, projects, rows)
    fen = rng.integers(100, 10_000_000, rows, dtype=np.int64)
    month = rng.integers(1, 13, rows)
    day = rng.integers(1, 29, rows)
    write_units(folder)
    names = pl.Series("project", np.arange(projects)).cast(pl.String).str.zfill(6)
    pl.DataFrame(
        {
            "project": names,
            "unit": pl.Series(unit).cast(pl.String).str.zfill(2),
            "recognised_on": pl.Series([f"2011-{m:02}-15" for m in range(1, 7)])[recognised - 1],
        }
    ).write_csv(folder / "projects.csv")
    frame = pl.DataFrame({"voucher": np.arange(rows), "project": of, "fen": fen, "month": month, "day": day}).select(
        ("V" + pl.col("voucher").cast(pl.String).str.zfill(7)).alias("voucher"),
        pl.col("project").cast(pl.String).str.zfill(6),
        amount(mixed=mixed),
        pl.format("2011-{}-{}", two("month"), two("day")).alias("arrived_on"),
    )
    bad = max(2, rows // 50_000)
    frame, good, quarantined = spoil(frame, bad)
    frame.write_csv(folder / "arrivals.csv")
    funds = np.zeros((UNITS, 12), dtype=np.int64)
    counts_from = np.maximum(month, recognised[of])[good] - 1
    np.add.at(funds, (unit[of[good]], counts_from), fen[good])
    return Vouchers(folder, folder / "arrivals.csv", funds.cumsum(axis=1), quarantined)


def population(folder: Path, units: int, *, seed: int = 2011) -> Path:
    """Write a workspace of so many units, each with a quota, a project and what arrived of it in January; return
    its folder.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    write_config(folder)
    unit = pl.Series("unit", np.arange(units)).cast(pl.String).str.zfill(6)
    group = pl.Series(GROUPS)[np.arange(units) % len(GROUPS)]
    pl.DataFrame({"unit": unit, "name": unit, "group": group}).write_csv(folder / "units.csv")
    pl.DataFrame({"unit": unit}).with_columns(
        indicator=pl.lit("funds"), amount=pl.lit("100万"), effective=pl.lit(str(TICKS[0].replace(day=1)))
    ).write_csv(folder / "quotas.csv")
    project = pl.Series("project", np.arange(units)).cast(pl.String).str.zfill(7)
    own = pl.DataFrame({"project": project, "unit": unit})
    own.with_columns(recognised_on=pl.lit("2011-01-05")).write_csv(folder / "projects.csv")
    pl.DataFrame(
        {
            "voucher": project,
            "project": project,
            "amount": pl.Series(rng.lognormal(10, 1, units).round(2)),
            "arrived_on": pl.Series([f"2011-01-{day:02}" for day in range(6, 31)])[rng.integers(0, 25, units)],
        }
    ).write_csv(folder / "arrivals.csv")
    return folder


def write_config(folder: Path) -> None:
    """Write `kpi.toml` of a workspace with evidence."""
    tables = (
        '\n[tables]\nunits = "units.csv"\nquotas = "quotas.csv"\nprojects = "projects.csv"\narrivals = "arrivals.csv"\n'
    )
    folder.joinpath("kpi.toml").write_text(HEAD.format(more="") + tables + parameters(UNIFORM), encoding="utf-8")


def write_units(folder: Path) -> None:
    """Write `kpi.toml` and the tables of units and quotas."""
    write_config(folder)
    units = [f"{place:02},unit {place},{GROUPS[place % len(GROUPS)]}" for place in range(UNITS)]
    folder.joinpath("units.csv").write_text("unit,name,group\n" + "\n".join(units) + "\n", encoding="utf-8")
    quotas = [f"{place:02},funds,8亿,{TICKS[0].replace(day=1)}" for place in range(UNITS)]
    text = "unit,indicator,amount,effective\n" + "\n".join(quotas) + "\n"
    folder.joinpath("quotas.csv").write_text(text, encoding="utf-8")


def two(column: str) -> pl.Expr:
    """Return a number as text of two digits."""
    return pl.col(column).cast(pl.String).str.zfill(2)


def amount(*, mixed: bool) -> pl.Expr:
    """Return the column `fen` as people write it."""
    fen = pl.col("fen")
    plain = pl.format("{}.{}", fen // 100, (fen % 100).cast(pl.String).str.zfill(2))
    if not mixed:
        return plain.alias("amount")
    myriads = pl.format("{}.{}万", fen // 1_000_000, (fen % 1_000_000).cast(pl.String).str.zfill(6))
    thousands = pl.format(
        "{},{}.{}",
        fen // 100_000,
        (fen // 100 % 1_000).cast(pl.String).str.zfill(3),
        (fen % 100).cast(pl.String).str.zfill(2),
    )
    place = pl.col("voucher")
    written = pl.when(place % 5 == 0).then(myriads).when((place % 100 == 1) & (fen >= 100_000)).then(thousands)
    return written.otherwise(plain).alias("amount")


def spoil(frame: pl.DataFrame, bad: int) -> tuple[pl.DataFrame, NDArray[np.int64], int]:
    """Break `bad` rows in each of four ways; return the frame, the places of rows that count, and how many must not.

    Rows 0 to bad-1 have an amount that is none, the next bad a project nobody knows, the next bad appear once more at
    the end, and the next bad appear once more with another amount.
    """
    place = pl.int_range(pl.len())  # the row
    amount = pl.when(place < bad).then(pl.lit("12.3x")).otherwise(pl.col("amount")).alias("amount")
    project = pl.when((place >= bad) & (place < 2 * bad)).then(pl.lit("nobody")).otherwise(pl.col("project"))
    frame = frame.with_columns(amount, project.alias("project"))
    twice = frame.slice(2 * bad, bad)
    differing = frame.slice(3 * bad, bad).with_columns(pl.lit("1.00").alias("amount"))
    kept = np.concatenate([np.arange(2 * bad, 3 * bad), np.arange(4 * bad, len(frame))])
    return pl.concat([frame, twice, differing]), kept, 5 * bad
