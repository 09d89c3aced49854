"""What only rows held against each other show: repeated ids, references to nothing, totals."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date
from typing import TYPE_CHECKING, Final

import polars as pl

from kpi_rules.locale import _, ngettext
from kpi_rules.model.money import BILLION, LIMIT, format_amount
from kpi_rules.model.plans import run
from kpi_rules.model.problems import Place, Problem, error, nearest, warning
from kpi_rules.workspace.cleaning import NONE_FAILED, Cleaned, failed
from kpi_rules.workspace.wording import rows_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kpi_rules.workspace.schemas import Schema

MAX_CHOICES: Final = 1_000
"""Names that a misspelt one is compared with, and misspelt ones that are compared: each pair costs microseconds."""

TOTALS: Final = (("projects", "contracted"), ("arrivals", "amount"))
"""Columns whose sum must stay below the limit, because indicators add them up."""


def check_rows(
    schema: Schema,
    frame: pl.DataFrame,
    parts: Sequence[Cleaned],
    done: Mapping[str, pl.DataFrame],
    broken: Mapping[str, pl.Series],
    unread: set[str],
) -> pl.DataFrame:
    """Return all failures of a table (`FAILED`), positions counted over its sources.

    `frame` has the rows of all sources, one after the other, and `parts` what each source gave. `done` are the clean
    tables so far, `broken` the ids among their rows that were left out, and `unread` the tables that could not be read:
    nothing is held against those, because one problem is enough.
    """
    failures = _joined_failures(parts)
    found = [failures]
    if schema.key and not schema.settings:
        found += _repeated(schema, frame, failures, parts)
    for column, table in schema.references.items():
        if table not in unread:
            found += _unknown(frame[column], table, done[table], broken.get(table))
    return pl.concat(found) if len(found) > 1 else failures


def _joined_failures(parts: Sequence[Cleaned]) -> pl.DataFrame:
    offset = 0
    shifted = []
    for part in parts:
        shifted.append(part.failures.with_columns(pl.col("at") + pl.lit(offset, pl.UInt32)))
        offset += part.frame.height
    return pl.concat(shifted)


def _repeated(
    schema: Schema, frame: pl.DataFrame, failures: pl.DataFrame, parts: Sequence[Cleaned]
) -> list[pl.DataFrame]:
    """Find rows that agree in the key: of identical ones the first counts, of different ones none.

    A row that is broken anyway differs from one that is not, and is not reported again. Versions of one row, known one
    after the other, do not repeat each other.
    """
    key = list(schema.key)
    hashes = frame[key[0]].hash() if len(key) == 1 else frame.select(key).hash_rows()
    if hashes.n_unique() == frame.height:
        return []
    rows = run(
        frame.lazy()
        .with_row_index("at")
        .filter(pl.lit(hashes).is_duplicated())
        .drop_nulls(key)
        .with_columns(broken=pl.col("at").is_in(failures["at"].implode()))
    )
    if schema.versions:
        rows = rows.filter((pl.col("recorded_on") < pl.col("revoked_on")).fill_null(value=True))  # known on some day
        rows = rows.with_columns(version=_versions(rows, key))
        key.append("version")
    content = [name for name in rows.columns if name not in ("at", "row")]
    rows = run(
        rows.lazy()
        .with_columns(first=pl.col("at").min().over(content), others=pl.len().over(key), same=pl.len().over(content))
        .filter(~pl.col("broken"))
    )
    column = ", ".join(schema.key)
    conflicts = rows.filter((pl.col("others") != pl.col("same")) & (not schema.repeats))
    copies = rows.filter((pl.col("at") != pl.col("first")) & ((pl.col("others") == pl.col("same")) | schema.repeats))
    return [
        failed(conflicts["at"], column, "conflicting-id", conflicts["others"].cast(pl.String)),
        failed(copies["at"], column, "duplicate-row", _row_names(copies["first"], frame["row"], parts)),
    ]


def _versions(rows: pl.DataFrame, key: Sequence[str]) -> pl.Series:
    """Number the versions of the rows that agree in the key, in the order of `rows`.

    A row is known from `recorded_on` until the day before `revoked_on`. Rows known on one same day are one version;
    the next begins where all before it are revoked.
    """
    start = pl.col("recorded_on").fill_null(date.min)
    revoked = pl.col("revoked_on").fill_null(date.max).to_physical().cum_max().shift(1).over(key)
    numbered = rows.sort(*key, start, "at").with_columns(new=(start.to_physical() >= revoked).fill_null(value=False))
    return numbered.with_columns(version=pl.col("new").cum_sum().over(key)).sort("at")["version"]


def _row_names(at: pl.Series, rows: pl.Series, parts: Sequence[Cleaned]) -> pl.Series:
    """Name rows as a person finds them: by number, and by file where the table has several."""
    numbers = rows.gather(at).cast(pl.String)
    if len(parts) == 1:
        return numbers
    files = pl.concat([pl.repeat(part.file, part.frame.height, dtype=pl.String, eager=True) for part in parts])
    named = [
        _("{row} of {file}").format(row=row, file=file) for row, file in zip(numbers, files.gather(at), strict=True)
    ]
    return pl.Series(named, dtype=pl.String)


def _unknown(named: pl.Series, table: str, known: pl.DataFrame, broken: pl.Series | None) -> list[pl.DataFrame]:
    """Find rows that name something the referred table does not have, or has in quarantine only."""
    ids = known[known.columns[1]]
    strange = pl.col("name").is_not_null() & ~pl.col("name").is_in(pl.lit(ids).implode())
    frame = run(pl.LazyFrame({"name": named}).with_row_index("at").filter(strange))
    if frame.is_empty():
        return []
    if broken is not None and len(broken):
        is_held = pl.col("name").is_in(pl.lit(broken).drop_nulls().implode())
        held, frame = frame.filter(is_held), frame.filter(~is_held)
    else:
        held = frame.clear()
    unknown = failed(frame["at"], named.name, f"unknown-{table.removesuffix('s')}", _nearest_names(frame["name"], ids))
    if table == "units":  # a broken row of `units` is an error already; what names it says nothing new
        return [unknown]
    return [failed(held["at"], named.name, f"{table.removesuffix('s')}-quarantined"), unknown]


def _nearest_names(names: pl.Series, ids: pl.Series) -> pl.Series:
    """Return the nearest id of each name, looked up once per distinct name."""
    choices = sorted(ids.to_list())
    found = {name: nearest(name, _likely(name, choices)) for name in names.unique().sort()[:MAX_CHOICES].to_list()}
    return names.replace_strict(found, default=None, return_dtype=pl.String)


def _likely(name: str, choices: Sequence[str]) -> Sequence[str]:
    """Return the ids worth comparing with a name: all, or, of many, those that differ in the last two letters only."""
    if len(choices) <= MAX_CHOICES:
        return choices
    prefix = name[: max(1, len(name) - 2)]
    first = bisect_left(choices, prefix)
    last = bisect_right(choices, prefix, lo=first, key=lambda choice: choice[: len(prefix)])
    return choices[first : min(last, first + MAX_CHOICES)]


def convert_amounts(
    frame: pl.DataFrame, failures: pl.DataFrame, rates: pl.DataFrame, currency: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Convert vouchers in another currency at the latest rate not after their arrival, half a fen up.

    Returns:
        the vouchers with amounts in the workspace's currency, and the failures `no-rate` and `amount-too-large`.
    """
    if frame["currency"].null_count() == frame.height or (foreign := frame["currency"] != currency).sum() == 0:
        return frame, failures.clear()
    rows = (
        frame.with_row_index("at")
        .filter(foreign)
        .filter(~pl.col("at").is_in(failures["at"].implode()))
        .select("at", "amount", "currency", on="arrived_on")
        .sort("on")
    )
    quoted = rates.select("currency", "on", "rate").sort("on")
    rated = rows.join_asof(quoted, on="on", by="currency", strategy="backward", check_sortedness=False)
    product = pl.col("amount").cast(pl.Int128) * pl.col("rate").cast(pl.Int128)
    converted = rated.with_columns(product=(product + BILLION // 2) // BILLION).with_columns(
        large=pl.col("product") > LIMIT
    )
    good = converted.filter(~pl.col("large"))
    amounts = frame["amount"].scatter(good["at"], good["product"].cast(pl.Int64))
    more = [
        failed(converted.filter(pl.col("rate").is_null())["at"], "currency", "no-rate"),
        failed(converted.filter(pl.col("large"))["at"], "amount", "amount-too-large"),
    ]
    return frame.with_columns(amounts.alias("amount")), pl.concat([NONE_FAILED, *more])


def dated_before(
    schema: Schema, frame: pl.DataFrame, failures: pl.DataFrame, parts: Sequence[Cleaned], year_start: date
) -> Iterable[Problem]:
    """Warn, once per file, of evidence dated before the year starts: it counts for nothing.

    `frame` has the rows of all `parts`, one after the other; those that are in `failures` are told there.
    """
    if schema.dated is None or not (early := frame[schema.dated] < year_start).any():
        return
    sound = early.fill_null(value=False)
    if failures.height:
        sound = sound.scatter(failures["at"], values=False)
    first = 0
    for part in parts:
        rows = part.frame["row"].filter(sound[first : first + part.frame.height]).to_list()
        first += part.frame.height
        if rows:
            yield warning(
                "before-year-start",
                Place(part.file, schema.name, rows[0], schema.dated),
                found=ngettext(
                    "{count} row dated before {start}: {rows}", "{count} rows dated before {start}: {rows}", len(rows)
                ).format(count=len(rows), start=year_start.isoformat(), rows=rows_named(rows)),
                expected=_("dates of the assessment year or after it; earlier evidence does not count"),
            )


def too_large_totals(done: Mapping[str, pl.DataFrame], by_table: Mapping[str, list[Cleaned]]) -> Iterable[Problem]:
    """Name the tables whose amounts add up to more than the limit, beyond which ratios would not be exact.

    Visits are cumulative, so of each project the greatest counts.
    """
    totals = {(table, column): _total(done[table][column]) for table, column in TOTALS}
    assessed = done["visits"].group_by("project").agg(pl.col("assessed_amount").max())
    totals["visits", "assessed_amount"] = _total(assessed["assessed_amount"])
    for (table, column), total in totals.items():
        if total > LIMIT:
            yield error(
                "total-too-large",
                Place(file=_files(by_table[table]), table=table, column=column),
                found=_("{amount} in all").format(amount=format_amount(total)),
                expected=_("at most {limit}").format(limit=format_amount(LIMIT)),
            )


def _total(amounts: pl.Series) -> int:
    return int(amounts.cast(pl.Int128).sum())


def _files(parts: Sequence[Cleaned]) -> str:
    return ", ".join(part.file for part in parts)
