"""What quotas mean together: parts that do not add up to the whole (M4), and the four fixings of each line (M5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kpi_rules.locale import N_, _
from kpi_rules.model.money import BILLION, format_amount
from kpi_rules.model.problems import Place, error, nearest, note, warning
from kpi_rules.workspace.config_schema import shown
from kpi_rules.workspace.wording import MANY, ROWS_SHOWN, rows_named

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from kpi_rules.model.calendar import Year
    from kpi_rules.model.problems import Problem

FIXINGS: Final = {
    "deadline": N_("a deadline"),
    "requirement": N_("a requirement"),
    "quality": N_("a quality"),
    "responsible": N_("a responsible person"),
}
"""The four fixings (M5) and what they are for people."""

_KEY = ("parent", "indicator")


def split_problems(
    quotas: pl.DataFrame, units: pl.DataFrame, counts: Collection[str] = (), file: str = ""
) -> Iterator[Problem]:
    """Compare each unit's own quota with those of the units directly below it, where all of them have one (M4).

    Args:
        quotas: the clean table.
        units: the clean table, as a whole.
        counts: the indicators whose quotas are numbers and not money.
        file: the file of the quotas, for the places of problems.

    Returns:
        For each unit and indicator the first date from which the two differ: a warning where a part of the quota is
        nobody's, a note where the units below carry more than the whole.
    """
    lines = quotas.select("unit", "indicator", "amount", "effective", "row")
    parents = units.select(pl.col("parent").alias("unit")).drop_nulls().unique()
    own = lines.join(parents, on="unit", how="semi").rename({"unit": "parent"})
    if own.is_empty():  # as usual: the units that others are part of have no quota of their own
        return
    below = units.select("unit", "parent").drop_nulls("parent").unique("unit", keep="first", maintain_order=True)
    sizes = below.group_by("parent").agg(pl.len().cast(pl.Int64).alias("size"))
    parts = lines.join(below, on="unit")
    complete = (
        parts.unique(["unit", "indicator"])
        .group_by(_KEY)
        .agg(pl.len().cast(pl.Int64).alias("having"))
        .join(sizes, on="parent")
        .filter(pl.col("having") == pl.col("size"))
        .join(own, on=_KEY, how="semi")
    )
    if complete.is_empty():
        return
    wholes = _changes(own, "parent").select(*_KEY, "effective", own="change", owns="first", parts=0, having=0)
    pieces = _changes(parts, "unit").select(*_KEY, "effective", own=0, owns=0, parts="change", having="first")
    totals = (
        pl.concat([wholes, pieces], how="vertical_relaxed")
        .join(complete.select(*_KEY, "size"), on=_KEY)
        .group_by(*_KEY, "size", "effective")
        .agg(pl.col("own", "owns", "parts", "having").sum())
        .sort(*_KEY, "effective")
        .with_columns(_running(name) for name in ("own", "owns", "parts", "having"))
        .filter(pl.col("owns") > 0, pl.col("having") == pl.col("size"), pl.col("own") != pl.col("parts"))
        .unique(_KEY, keep="first", maintain_order=True)
    )
    at = totals.sort("effective").join_asof(
        own.sort("effective").select(*_KEY, "effective", "row"), on="effective", by=list(_KEY), check_sortedness=False
    )
    for each in at.sort("row").iter_rows(named=True):
        show = str if each["indicator"] in counts else format_amount
        make = warning if each["parts"] < each["own"] else note
        yield make(
            "quota-split-differs",
            Place(file, "quotas", each["row"], "amount"),
            found=_("{unit}, {indicator}: {own} of its own and {parts} of the units below it, from {day} on").format(
                unit=each["parent"],
                indicator=each["indicator"],
                own=show(each["own"]),
                parts=show(each["parts"]),
                day=each["effective"],
            ),
            expected=_("quotas of the units below that add up to its own"),
        )


def _changes(lines: pl.DataFrame, by: str) -> pl.DataFrame:
    """Return what each revision changes: the amount above the one before it, and 1 where it is the first."""
    ordered = lines.unique([by, "indicator", "effective"], keep="first", maintain_order=True).sort(
        by, "indicator", "effective"
    )
    follows = (pl.col(by) == pl.col(by).shift(1)) & (pl.col("indicator") == pl.col("indicator").shift(1))
    follows = follows.fill_null(value=False)
    return ordered.with_columns(
        change=pl.when(follows).then(pl.col("amount") - pl.col("amount").shift(1)).otherwise(pl.col("amount")),
        first=(~follows).cast(pl.Int64),
    )


def _running(column: str) -> pl.Expr:
    """Sum up from the start of each unit's indicator in one pass; the rows are sorted."""
    total = pl.col(column).cum_sum()
    is_first = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in _KEY)
    return total - pl.when(is_first).then(total - pl.col(column)).forward_fill()


def fixing_problems(
    quotas: pl.DataFrame,
    units: pl.DataFrame,
    staff: pl.DataFrame,
    year: Year,
    counts: Collection[str] = (),
    file: str = "",
) -> Iterator[Problem]:
    """Check the four fixings of quotas and their stretch targets (M5).

    Args:
        quotas: the clean table.
        units: the clean table, for the heads.
        staff: the clean table; where it has no rows, nobody is looked for in it.
        year: the assessment year, in which deadlines lie.
        counts: the indicators whose quotas are numbers and not money.
        file: the file of the quotas, for the places of problems.
    """
    yield from _stretch_below(quotas, counts, file)
    yield from _deadlines(quotas, year, file)
    yield from _qualities(quotas, file)
    if staff.height:
        yield from _strangers(quotas, units, staff, file)
    yield from _uneven(quotas, file)


def _stretch_below(quotas: pl.DataFrame, counts: Collection[str], file: str) -> Iterator[Problem]:
    for each in quotas.filter(pl.col("stretch") < pl.col("amount")).iter_rows(named=True):
        show = str if each["indicator"] in counts else format_amount
        yield error(
            "stretch-below-quota",
            Place(file, "quotas", each["row"], "stretch"),
            found=_("a stretch target of {stretch}, below the quota of {amount}").format(
                stretch=show(each["stretch"]), amount=show(each["amount"])
            ),
            expected=_("a stretch target at or above the quota, or none"),
        )


def _deadlines(quotas: pl.DataFrame, year: Year, file: str) -> Iterator[Problem]:
    early = quotas.filter(pl.col("deadline") < pl.col("effective"))
    if early.height:
        found = _("a deadline before the quota is effective in {rows}").format(rows=rows_named(early["row"].to_list()))
        place = Place(file, "quotas", early["row"][0], "deadline")
        yield error("deadline-before-effective", place, found=found, expected=_("a deadline on that day or later"))
    outside = quotas.filter(~pl.col("deadline").is_between(year.start, year.end))
    if outside.height:
        days = outside["deadline"].cast(pl.String).unique(maintain_order=True).head(ROWS_SHOWN)
        found = _("deadlines on {dates} in {rows}").format(
            dates=", ".join(days), rows=rows_named(outside["row"].to_list())
        )
        expected = _("dates from {start} to {end}, the assessment year").format(start=year.start, end=year.end)
        place = Place(file, "quotas", outside["row"][0], "deadline")
        yield warning("deadline-outside-year", place, found=found, expected=expected)


def _qualities(quotas: pl.DataFrame, file: str) -> Iterator[Problem]:
    above = quotas.filter(pl.col("quality") > BILLION)
    if above.height:
        found = _("a quality above 1 in {rows}").format(rows=rows_named(above["row"].to_list()))
        place = Place(file, "quotas", above["row"][0], "quality")
        yield error("quality-above-whole", place, found=found, expected=_("a decimal from 0 to 1, or none"))


def _strangers(quotas: pl.DataFrame, units: pl.DataFrame, staff: pl.DataFrame, file: str) -> Iterator[Problem]:
    """Name the responsible persons who are neither on staff nor the head of the unit."""
    named = quotas.select("unit", pl.col("responsible").alias("person"), "row").drop_nulls("person")
    heads = units.select("unit", pl.col("head").alias("person")).drop_nulls()
    strange = named.join(staff.select("person"), on="person", how="anti", maintain_order="left").join(
        heads, on=["unit", "person"], how="anti", maintain_order="left"
    )
    by_person = strange.group_by("person", maintain_order=True).agg("row")
    for person, rows in by_person.iter_rows():
        found = _("the responsible person {name} in {rows}, who is not on staff").format(
            name=shown(person), rows=rows_named(rows)
        )
        near = nearest(person, staff["person"].unique().to_list()) if staff.height <= MANY else None
        expected = _("a person of the table staff, or the unit's head")
        place = Place(file, "quotas", rows[0], "responsible")
        yield warning("responsible-not-on-staff", place, found=found, expected=expected, nearest=near)


def _uneven(quotas: pl.DataFrame, file: str) -> Iterator[Problem]:
    """Warn of fixings that some lines have and others lack: what is missing cannot be held against anybody."""
    for column, name in FIXINGS.items():
        bare = quotas.filter(pl.col(column).is_null())
        if 0 < bare.height < quotas.height:
            rows = bare["row"].to_list()
            found = _("{fixing} in other rows and none in {rows}").format(fixing=_(name), rows=rows_named(rows))
            place = Place(file, "quotas", rows[0], column)
            yield warning("missing-fixing", place, found=found, expected=_("all quotas with one, or none"))
