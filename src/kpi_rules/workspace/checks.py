"""The columns that checks of the evidence and adjustments of the credit read, by table, and their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kpi_rules.workspace.schemas import SCHEMAS
from kpi_rules.workspace.viewed import VIEWED

if TYPE_CHECKING:
    from collections.abc import Mapping

    Types = dict[str, pl.DataType | type[pl.DataType]]

CHECKED: Final = tuple(SCHEMAS)
"""The tables a check can test: all of them."""

TOTALS: Final[Mapping[str, type[pl.DataType]]] = {
    "vouchers": pl.Int64,
    "assessed": pl.Int64,
    "confirmed": pl.Int64,
    "least": pl.Int64,
    "least_share": pl.Int64,
    "most_units": pl.Int64,
    "exclusion": pl.String,
}
"""What is known of a project on a day besides its row: what its vouchers come to, what its last visit found, what is
confirmed by others than itself, what the table eligibility says of its sector, and why it is on an exclusion list."""

CONSTANTS: Final[Mapping[str, type[pl.DataType]]] = {
    "on": pl.Date,
    "year_start": pl.Date,
    "year_end": pl.Date,
    "year_label": pl.Int64,
}
"""The same for all rows: the day up to which evidence counts, and the assessment year."""

LOOKED_UP: Final[Mapping[str, type[pl.DataType]]] = {
    "factor:billionths": pl.Int64,
    "least": pl.Int64,
    "sample_reported": pl.Int64,
    "sample_confirmed": pl.Int64,
}
"""What the tables of rules say of a project on a day, for adjustments."""


AFTER_SHARING: Final = ("split", "claim_cap", "unit_cap", "whole_task")
"""The stages of the waterfall after sharing: each unit's part, and what `[adjustment]` makes of it."""


def has_project(table: str) -> bool:
    """Whether the rows of a table are of a project each."""
    return SCHEMAS[table].references.get("project") == "projects"


def check_schema(table: str) -> Types:
    """Return the columns a check of a table reads, parameters left aside."""
    found: Types = dict(SCHEMAS[table].dtypes)
    if table == "projects":
        found |= TOTALS
    elif has_project(table):
        of_project: Types = {**SCHEMAS["projects"].dtypes, **TOTALS}
        found |= {f"project_{name}": dtype for name, dtype in of_project.items() if name != "project"}
    if table == "claims":
        found["part"] = pl.Int64
    return {**found, **CONSTANTS, **VIEWED.get(table, {})}


def credit_schema() -> Types:
    """Return the columns an adjustment reads, parameters left aside."""
    own: Types = {name: dtype for name, dtype in SCHEMAS["projects"].dtypes.items() if name != "row"}
    own |= dict.fromkeys(("vouchers", "confirmed", "credited"), pl.Int64)
    return own | {"on": pl.Date, "group": pl.String, "evidence": pl.String, **LOOKED_UP}


def key_of(table: str, row: Mapping[str, object]) -> str:
    """Return what names a row in a finding: its id, the ids of a key of several, or else its row number.

    A claim is found with its project.
    """
    columns = SCHEMAS[table].key[:1] if table == "claims" else key_columns(table)
    return "/".join(str(row[name]) for name in columns)


def key_columns(table: str) -> tuple[str, ...]:
    """Return the columns that tell the rows of a table apart."""
    return SCHEMAS[table].key or ("row",)
