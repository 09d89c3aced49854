"""The tables of a workspace: their columns, what each must hold, and how a file's header names them.

One declaration per column drives reading, cleaning, empty tables and the dataframely schemas.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

import polars as pl
from attrs import define, field

from kpi_rules.model.money import LIMIT, UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy

Kind = Literal["text", "money", "quantity", "date", "month_end", "share", "rate", "factor", "count", "year"]
"""What a column holds. `quantity` is fen or, for an indicator that counts, a number; `share`, `rate`, `factor` are
billionths."""

DTYPES: Final[Mapping[str, pl.DataType]] = {
    "text": pl.String(),
    "money": pl.Int64(),
    "quantity": pl.Int64(),
    "date": pl.Date(),
    "month_end": pl.Date(),
    "share": pl.Int64(),
    "rate": pl.Int64(),
    "factor": pl.Int64(),
    "count": pl.Int64(),
    "year": pl.Int64(),
}

AMOUNT_KINDS: Final = ("money", "quantity")
"""Kinds whose header may state a unit, and whose cells may."""


BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "money": (0, LIMIT),
    "count": (0, 10**9),
    "share": (0, 10**12),
    "rate": (1, 10**15),
    "factor": (0, 10**12),
    "year": (1900, 2199),
}
"""Least and greatest value by what a column holds, both inclusive.

A rate of at most a million keeps its product with any amount within 128 bits. A share above one passes: claims above
100% are an error of their project, and a row set aside for it would hand the project to others without a word.
"""


@define(frozen=True)
class Column:
    """A column of a table: `required` means that the column must be there and no cell of it empty.

    A text may be one out of `choices` alone.
    """

    name: str
    kind: Kind = "text"
    required: bool = False
    choices: tuple[str, ...] = ()

    @property
    def dtype(self) -> pl.DataType:
        """The column's type in a clean table."""
        return DTYPES[self.kind]


@define(frozen=True)
class Schema:
    """A table: its columns in order, its `key`, and what it refers to.

    Rows that agree in the key are the same thing said twice; `repeats` says that such rows may differ, as those of a
    person who moved do, and only identical ones are one too many; `versions` that they may follow each other, each
    recorded when the one before is revoked, or later. `references` maps a column to the table whose ids
    it names. Tables of `settings` describe the organisation: a row of theirs that breaks is an error, while a row of
    the others, which are evidence, goes to quarantine. `dated` is the column whose dates before the year start are
    worth a warning; `happens` the one from whose date on a row counts in an indicator.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    repeats: bool = False
    versions: bool = False
    references: Mapping[str, str] = field(factory=dict)
    settings: bool = False
    dated: str | None = None
    happens: str | None = None

    @property
    def dtypes(self) -> dict[str, pl.DataType]:
        """Names and types of a clean table's columns, in order, `row` first."""
        return {"row": pl.Int64(), **{column.name: column.dtype for column in self.columns}}

    def empty(self) -> pl.DataFrame:
        """Return the clean table without rows."""
        return pl.DataFrame(schema=self.dtypes)


def _text(*names: str, required: bool = False) -> tuple[Column, ...]:
    return tuple(Column(name, required=required) for name in names)


def _dates(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "date") for name in names)


_RECORDED: Final = (*_dates("recorded_on", "revoked_on"), *_text("recorded_by", "revoked_by", "revoked_for"))
"""From when a row is known and no longer valid, and who recorded and revoked it, and what for."""

SCHEMAS: Final[Mapping[str, Schema]] = {
    schema.name: schema
    for schema in (
        Schema(
            "units",
            (
                *_text("unit", "name", required=True),
                *_text("parent", "group", "head", "kind"),
                Column("weight", "factor"),
            ),
            settings=True,
        ),
        Schema(
            "quotas",
            (
                *_text("unit", "indicator", required=True),
                Column("amount", "quantity", required=True),
                Column("effective", "date", required=True),
                Column("stretch", "quantity"),
                *_dates("deadline"),
                *_text("requirement"),
                Column("quality", "share"),
                *_text("responsible", "note"),
            ),
            settings=True,
        ),
        Schema(
            "projects",
            (
                *_text("project", required=True),
                *_text("name"),
                *_text("unit", required=True),
                *_text("sector", "squad"),
                *_text("kind", "origin", "investor", "host", "introducer"),
                Column("contracted", "money"),
                Column("declared", "money"),
                *_dates("registered_on", "signed_on", "declared_on", "recognised_on", "refused_on"),
                *_text("refusal_reason"),
                *_dates("started_on", "producing_on"),
                *_RECORDED,
            ),
            key=("project",),
            references={"unit": "units", "host": "units", "introducer": "units"},
        ),
        Schema(
            "claims",
            (*_text("project", "unit", required=True), Column("share", "share", required=True), *_RECORDED),
            key=("project", "unit"),
            versions=True,
            references={"project": "projects", "unit": "units"},
        ),
        Schema(
            "arrivals",
            (
                *_text("voucher", "project", required=True),
                Column("amount", "money", required=True),
                Column("arrived_on", "date", required=True),
                *_text("currency"),
                Column("year", "year"),
                *_text("payer"),
                *_RECORDED,
            ),
            key=("voucher",),
            references={"project": "projects"},
            dated="arrived_on",
            happens="arrived_on",
        ),
        Schema(
            "visits",
            (
                *_text("visit", "project", required=True),
                Column("visited_on", "date", required=True),
                Column("assessed_amount", "money", required=True),
                *_RECORDED,
            ),
            key=("visit",),
            references={"project": "projects"},
            dated="visited_on",
            happens="visited_on",
        ),
        Schema(
            "staff",
            (
                *_text("person", required=True),
                *_text("name"),
                *_text("unit", "grade", required=True),
                *_text("category"),
                Column("component", "money", required=True),
                Column("performance", "money"),
                Column("total_pay", "money"),
                *_dates("from_on", "to_on"),
            ),
            key=("person",),
            repeats=True,
            references={"unit": "units"},
        ),
        Schema(
            "postings",
            (
                *_text("posting", "unit", "person", required=True),
                Column("role", required=True, choices=("head", "squad")),
                *_text("squad", "place"),
                Column("from_on", "date", required=True),
                *_dates("to_on", "due_on"),
                *_RECORDED,
            ),
            key=("posting",),
            versions=True,
            references={"unit": "units"},
        ),
        Schema(
            "returns",
            (
                *_text("request", "posting", required=True),
                Column("requested_on", "date", required=True),
                *_dates("returned_on"),
                *_text("circumstance"),
                *_dates("accepted_on"),
                *_RECORDED,
            ),
            key=("request",),
            versions=True,
            references={"posting": "postings"},
        ),
        Schema(
            "roster",
            (
                *_text("unit", "person", required=True),
                Column("role", required=True, choices=("daily", "lead")),
                Column("from_on", "date", required=True),
                *_dates("to_on"),
                *_text("place"),
                *_RECORDED,
            ),
            key=("unit", "person", "role", "from_on"),
            versions=True,
            references={"unit": "units"},
        ),
        Schema(
            "handovers",
            (
                *_text("unit", "head", "deputy", required=True),
                Column("from_on", "date", required=True),
                *_dates("to_on"),
                *_RECORDED,
            ),
            key=("unit", "head", "deputy", "from_on"),
            versions=True,
            references={"unit": "units"},
        ),
        Schema(
            "factors",
            (
                *_text("sector", "kind", "origin"),
                Column("factor", "factor", required=True),
                Column("effective", "date"),
                *_text("note"),
            ),
            settings=True,
        ),
        Schema(
            "eligibility",
            (
                *_text("sector"),
                Column("least", "money"),
                Column("least_share", "share"),
                Column("most_units", "count"),
                Column("effective", "date"),
                *_text("note"),
            ),
            settings=True,
        ),
        Schema(
            "exclusions",
            (*_text("project", "investor", "sector"), *_text("reason", required=True), *_RECORDED),
        ),
        Schema(
            "samples",
            (
                *_text("sample", required=True),
                *_text("unit"),
                Column("reported", "money", required=True),
                Column("confirmed", "money", required=True),
                Column("audited_on", "date", required=True),
                *_RECORDED,
            ),
            key=("sample",),
            references={"unit": "units"},
        ),
        Schema(
            "rates",
            (
                *_text("currency", required=True),
                Column("on", "date", required=True),
                Column("rate", "rate", required=True),
            ),
            key=("currency", "on"),
        ),
        Schema(
            "deposits",
            (
                *_text("deposit", "person", "unit", required=True),
                *_text("role"),
                Column("amount", "money", required=True),
                Column("paid_on", "date", required=True),
                *_RECORDED,
            ),
            key=("deposit",),
            versions=True,
            references={"unit": "units"},
            happens="paid_on",
        ),
        Schema(
            "results",
            (
                *_text("unit", "indicator", required=True),
                Column("amount", "quantity", required=True),
                Column("on", "date", required=True),
                *_text("note"),
                *_RECORDED,
            ),
            references={"unit": "units"},
            happens="on",
        ),
        Schema(
            "withheld",
            (
                *_text("person", required=True),
                Column("month", "month_end", required=True),
                Column("amount", "money", required=True),
            ),
        ),
    )
}
"""Every table of a workspace by name, in the order they are cleaned: what is referred to comes first."""


def frame_schema(table: str) -> type[dy.Schema]:
    """Return a clean table's dataframely schema, for whoever hands clean tables on or takes them over.

    Reading itself does not go through it: importing dataframely takes longer than reading a whole workspace of some
    thousand rows, and it names broken rules, not broken cells.
    """
    import dataframely as dy

    columns: dict[str, dy.Column] = {"row": dy.Int64(min=1)}
    for column in SCHEMAS[table].columns:
        if column.dtype == pl.Int64:
            least, greatest = BOUNDS.get(column.kind, (1, LIMIT))
            columns[column.name] = dy.Int64(nullable=not column.required, min=least, max=greatest)
        elif column.dtype == pl.Date:
            columns[column.name] = dy.Date(nullable=not column.required)
        else:
            columns[column.name] = dy.String(nullable=not column.required, min_length=1)
    return type(f"{table.capitalize()}Schema", (dy.Schema,), columns)


_UNITS: Final = "|".join(sorted(filter(None, UNITS), key=len, reverse=True))
_UNIT_SUFFIX: Final = re.compile(rf"(?P<base>.*?)\s*[(（]\s*(?:单位\s*[:：]\s*)?(?P<unit>{_UNITS})\s*[)）]")


@define(frozen=True)
class Header:
    """A header cell: its text and, where that states a unit of money, the unit and the text before it."""

    text: str
    base: str
    unit: str

    @classmethod
    def of(cls, text: str) -> Header:
        """Read a header cell such as `amount(万元)` or `到账金额（单位：万元）`."""
        bare = text.strip().strip("\ufeff")
        match = _UNIT_SUFFIX.fullmatch(bare)
        return cls(bare, match["base"], match["unit"]) if match else cls(bare, bare, "")

    def is_named(self, name: str) -> bool:
        """Whether `name`, from the schema or an alias, means this header: with the unit suffix or without it."""
        wanted = Header.of(name)
        texts = (wanted.base.casefold(), self.base.casefold())
        return texts[0] == texts[1] and wanted.unit in ("", self.unit)
