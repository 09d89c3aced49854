"""The tables of field duty as checks and indicators see them: each row with what other rows and tables say of it.

The columns are those of `workspace.viewed`. Tables of field duty have some rows per unit; everything is done on whole
columns all the same.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import polars as pl

from kpi_rules.pipeline.credit import ancestors
from kpi_rules.workspace.schemas import SCHEMAS
from kpi_rules.workspace.viewed import VIEWED

if TYPE_CHECKING:
    from kpi_rules.workspace.tables import Tables

FAR: Final = date.max
"""The end of what is open."""

_DAY: Final = pl.duration(days=1)


def viewed(tables: Tables, name: str, on: date) -> pl.DataFrame:
    """Return a table's rows with the columns of `VIEWED`; of a table without such columns the rows as they are.

    Args:
        tables: as they were known at a day.
        name: of a table.
        on: the day they are looked at; what happens after it has not happened.
    """
    rows: pl.DataFrame = getattr(tables, name)
    if name not in VIEWED:
        return rows
    if not rows.height:
        return pl.DataFrame(schema={**SCHEMAS[name].dtypes, **VIEWED[name]})
    found = {"postings": _postings, "returns": _returns, "roster": _roster, "handovers": _handovers}[name](tables, on)
    return found.select(*SCHEMAS[name].dtypes, *VIEWED[name])


def _by(column: str, on: date) -> pl.Expr:
    """Return a date if it has come by a day."""
    return pl.when(pl.col(column) <= on).then(pl.col(column))


def _before(end: str, over: tuple[str, ...]) -> pl.Expr:
    """Return the latest end among the rows above, of those that agree in some columns; rows are sorted by start."""
    return pl.col(end).cum_max().shift(1).over(over)


def _postings(tables: Tables, on: date) -> pl.DataFrame:
    lasting = _lasting(tables, on)
    requests = (
        tables.returns.filter(pl.col("requested_on") <= on)
        .select("posting", "requested_on", "circumstance", "request", accepted_on=_by("accepted_on", on))
        .sort("posting", "accepted_on", "requested_on", "request", nulls_last=True)
        .unique("posting", keep="first", maintain_order=True)
        .drop("request")
    )
    last = pl.min_horizontal(pl.col("left_on"), pl.lit(on))
    return (
        _counted(lasting.join(_heads(tables, lasting), on=("unit", "from_on"), how="left", maintain_order="left"))
        .join(_overlapped(lasting), on="posting", how="left", maintain_order="left")
        .join(_results(tables, lasting.with_columns(last=last)), on="posting", how="left", maintain_order="left")
        .join(requests, on="posting", how="left", maintain_order="left")
        .with_columns(as_of=pl.lit(on), results=pl.col("results").fill_null(0))
        .sort("place_in_file")
    )


def _lasting(tables: Tables, on: date) -> pl.DataFrame:
    """Return the postings that have begun, in order of their start, with the day each was left."""
    returned = (
        tables.returns.select("posting", returned_on=_by("returned_on", on))
        .group_by("posting")
        .agg(pl.col("returned_on").min())
    )
    return (
        tables.postings.with_row_index("place_in_file")
        .filter(pl.col("from_on") <= on)
        .join(returned, on="posting", how="left", maintain_order="left")
        .with_columns(left_on=pl.coalesce(_by("to_on", on), "returned_on"))
        .with_columns(left_on=pl.max_horizontal("left_on", pl.when(pl.col("left_on").is_not_null()).then("from_on")))
        .with_columns(end=pl.col("left_on").fill_null(FAR))
        .sort("from_on", "posting")
    )


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the day from which each posting counts by itself: no day of a person in a role counts twice, and that of
    somebody else than the head counts for no head.
    """
    is_head = pl.col("unit_head").is_null() | (pl.col("unit_head") == pl.col("person"))
    counts = (pl.col("role") != "head") | is_head
    rows = rows.with_columns(counts=counts, counted_end=pl.when(counts).then("end").otherwise(pl.lit(date.min)))
    before = _before("counted_end", ("person", "role"))
    return rows.with_columns(
        counted_from=pl.when(pl.col("counts")).then(
            pl.when(before.is_null() | (pl.col("from_on") > before))
            .then("from_on")
            .when(pl.col("end") > before)
            .then(before + _DAY)
        )
    )


def _overlapped(rows: pl.DataFrame) -> pl.DataFrame:
    """Return, for each posting that shares days with an earlier one of its person, that one and their last day."""
    rows = rows.with_row_index("order")
    late = rows.filter(pl.col("from_on") <= _before("end", ("person",))).select(
        "order", "posting", "person", "from_on", "end"
    )
    earlier = rows.select("person", "end", "order", overlaps="posting")
    return (
        late.join(earlier, on="person", suffix="_earlier")
        .filter(pl.col("order_earlier") < pl.col("order"), pl.col("end_earlier") >= pl.col("from_on"))
        .sort("order_earlier")
        .unique("posting", keep="first", maintain_order=True)
        .select("posting", "overlaps", overlap_to=pl.min_horizontal("end", "end_earlier").replace(FAR, None))
    )


def _results(tables: Tables, postings: pl.DataFrame) -> pl.DataFrame:
    """Return the results of postings: `posting`, `results`, `result`, `result_on` (M8).

    `postings` has `posting`, `unit`, `squad`, `from_on` and `last`, the day by which a result counts. A project counts
    for the squad that introduced it; one that names no squad for those of its unit, of the units that claim it, and of
    all units above them. It was recognised within the posting, and neither refused nor revoked by the last day.
    """
    projects = tables.projects.filter(pl.col("recognised_on").is_not_null()).select(
        "project", "unit", "squad", "recognised_on", over=pl.min_horizontal("refused_on", "revoked_on")
    )
    wanted = postings.select("posting", "unit", "from_on", "last", "squad")
    by_squad = wanted.drop("unit").join(projects.drop("unit"), on="squad")
    owners = pl.concat(
        [
            projects.select("project", "unit"),
            tables.claims.filter(pl.col("share") > 0).select("project", "unit"),
        ]
    ).unique()
    below, above = ancestors(tables.units)
    ids = tables.units["unit"]
    upward = pl.DataFrame({"unit": ids.gather(below), "above": ids.gather(above)})
    of_unit = (
        projects.filter(pl.col("squad").is_null())
        .drop("unit", "squad")
        .join(owners, on="project")
        .join(upward, on="unit")
        .select("project", "recognised_on", "over", unit="above")
        .unique()
    )
    by_unit = wanted.drop("squad").join(of_unit, on="unit").drop("unit")
    names = ["posting", "project", "from_on", "last", "recognised_on", "over"]
    return (
        pl.concat([by_squad.select(names), by_unit.select(names)])
        .filter(
            pl.col("recognised_on").is_between("from_on", "last"),
            pl.col("over").is_null() | (pl.col("over") > pl.col("last")),
        )
        .sort("recognised_on", "project")
        .group_by("posting", maintain_order=True)
        .agg(
            results=pl.len().cast(pl.Int64),
            result=pl.col("project").first(),
            result_on=pl.col("recognised_on").first(),
        )
    )


def _heads(tables: Tables, rows: pl.DataFrame) -> pl.DataFrame:
    """Return who headed a unit on a day, `unit`, `from_on`, `unit_head`: the one head among its staff then, else the
    unit's own entry.
    """
    days = rows.select("unit", "from_on").unique()
    staff = tables.staff.filter(pl.col("grade") == "head").select("unit", "person", since="from_on", until="to_on")
    on_staff = (
        days.join(staff, on="unit")
        .filter(
            pl.col("since").is_null() | (pl.col("since") <= pl.col("from_on")),
            pl.col("until").is_null() | (pl.col("until") >= pl.col("from_on")),
        )
        .group_by("unit", "from_on")
        .agg(pl.col("person").first(), heads=pl.len())
        .filter(pl.col("heads") == 1)
    )
    return (
        days.join(on_staff, on=("unit", "from_on"), how="left")
        .join(tables.units.select("unit", "head"), on="unit", how="left")
        .select("unit", "from_on", unit_head=pl.coalesce("person", "head"))
    )


def _returns(tables: Tables, on: date) -> pl.DataFrame:
    postings = _lasting(tables, on).select("posting", "unit", "person", "role", "squad", "from_on", to_on="left_on")
    rows = (
        tables.returns.with_row_index("place_in_file")
        .filter(pl.col("requested_on") <= on)
        .with_columns(returned_on=_by("returned_on", on), accepted_on=_by("accepted_on", on))
        .join(postings, on="posting", how="inner", maintain_order="left")
    )
    last = pl.min_horizontal("returned_on", "to_on", pl.lit(on))
    asked = rows.select("unit", "squad", "from_on", posting="request", last=last)
    return (
        rows.join(_results(tables, asked), left_on="request", right_on="posting", how="left", maintain_order="left")
        .with_columns(as_of=pl.lit(on), results=pl.col("results").fill_null(0))
        .sort("place_in_file")
    )


def _roster(tables: Tables, _on: date) -> pl.DataFrame:
    rows = (
        tables.roster.with_row_index("place_in_file")
        .with_columns(end=pl.col("to_on").fill_null(FAR))
        .sort("from_on", "unit", "role", "person")
    )
    before = _before("end", ("unit", "role"))
    is_gap = pl.col("from_on") > before + _DAY
    rows = rows.with_columns(
        gap_from=pl.when(before < FAR).then(pl.when(is_gap).then(before + _DAY)),
        gap_to=pl.when(is_gap).then(pl.col("from_on") - _DAY),
    )
    same_role = _meeting(rows, ("unit", "role")).select(
        "place_in_file", clash_with="person_earlier", clash_to="meeting_to"
    )
    same_person = _meeting(rows, ("person",)).select(
        "place_in_file", busy_unit="unit_earlier", busy_role="role_earlier", busy_to="meeting_to"
    )
    return (
        rows.join(same_role, on="place_in_file", how="left")
        .join(same_person, on="place_in_file", how="left")
        .sort("place_in_file")
    )


def _meeting(rows: pl.DataFrame, over: tuple[str, ...]) -> pl.DataFrame:
    """Return each row that begins while an earlier one lasts, of those that agree in some columns, with that one."""
    late = rows.filter(pl.col("from_on") <= _before("end", over)).select("place_in_file", *over, "from_on", "end")
    columns = ("place_in_file", "unit", "role", "person", "from_on", "end")
    earlier = rows.with_row_index("order").select("order", *(pl.col(name).alias(f"{name}_earlier") for name in columns))
    orders = rows.with_row_index("order_late").select("place_in_file", "order_late")
    return (
        late.join(earlier, left_on=over, right_on=[f"{name}_earlier" for name in over], coalesce=False)
        .join(orders, on="place_in_file")
        .filter(pl.col("order") < pl.col("order_late"), pl.col("end_earlier") >= pl.col("from_on"))
        .sort("order")
        .unique("place_in_file", keep="first", maintain_order=True)
        .with_columns(meeting_to=pl.min_horizontal("end", "end_earlier").replace(FAR, None))
    )


def _handovers(tables: Tables, on: date) -> pl.DataFrame:
    rows = tables.handovers.filter(pl.col("from_on") <= on)
    return rows.join(_heads(tables, rows), on=("unit", "from_on"), how="left", maintain_order="left").with_columns(
        as_of=pl.lit(on)
    )
