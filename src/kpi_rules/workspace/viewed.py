"""What checks and indicators read of the tables of field duty beside a table's own columns (M6 to M10).

What a row means shows only beside other rows: whether a squad came home with a result stands in `projects`, a gap in a
roster lies between two of its rows. These columns say it, row by row; `pipeline.viewed` computes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

VIEWED: Final[Mapping[str, Mapping[str, type[pl.DataType]]]] = {
    "postings": {
        "as_of": pl.Date,
        "left_on": pl.Date,
        "counted_from": pl.Date,
        "overlaps": pl.String,
        "overlap_to": pl.Date,
        "unit_head": pl.String,
        "results": pl.Int64,
        "result": pl.String,
        "result_on": pl.Date,
        "requested_on": pl.Date,
        "circumstance": pl.String,
        "accepted_on": pl.Date,
    },
    "returns": {
        "as_of": pl.Date,
        "unit": pl.String,
        "person": pl.String,
        "role": pl.String,
        "squad": pl.String,
        "from_on": pl.Date,
        "to_on": pl.Date,
        "results": pl.Int64,
        "result": pl.String,
        "result_on": pl.Date,
    },
    "roster": {
        "gap_from": pl.Date,
        "gap_to": pl.Date,
        "clash_with": pl.String,
        "clash_to": pl.Date,
        "busy_unit": pl.String,
        "busy_role": pl.String,
        "busy_to": pl.Date,
    },
    "handovers": {"as_of": pl.Date, "unit_head": pl.String},
}
"""By table, the columns and their types.

`postings`: `as_of`, the day it is looked at; `left_on`, the last day of the posting, null while it lasts;
`counted_from`, the first day that no earlier posting of this person in this role counts already, null where they count
all of it, and for a posting as head of somebody else than the unit's head; `overlaps`, the earlier posting of this
person that shares its days, up to `overlap_to`; `unit_head`, who headed the unit on its first day; `results`, how many
projects of the unit, or introduced by the squad, were recognised within the posting, `result` and `result_on` the first
of them; `requested_on`, `circumstance` and `accepted_on` of the first request to return that was accepted, else of the
first.

`returns`: of its posting `unit`, `person`, `role`, `squad`, `from_on`, `to_on`, and the results by the day of the
return, or as of the day it is looked at.

`roster`: `gap_from` and `gap_to`, the days right before the row on which nobody of the unit has its role; `clash_with`,
the person of an earlier row who has the role of the unit too, until `clash_to`; `busy_unit` and `busy_role`, what the
person already does when the row begins, until `busy_to`.

`handovers`: `as_of`, and `unit_head`, who headed the unit on its first day.
"""
