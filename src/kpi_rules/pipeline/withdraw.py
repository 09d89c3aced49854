"""Withdraw: what falls with a piece of evidence, from its credit to the money withheld. A preview; nothing is changed
(M15, M24).
"""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import attrs
import polars as pl
from attrs import define

from kpi_rules.locale import _, ngettext
from kpi_rules.model.money import format_amount
from kpi_rules.model.problems import AssessmentError, Place, error, nearest
from kpi_rules.model.text import safe
from kpi_rules.pipeline.assess import assess
from kpi_rules.workspace.amounts import FIRST_DAY
from kpi_rules.workspace.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from kpi_rules.pipeline.result import Assessment
    from kpi_rules.workspace.workspace import Workspace

WITHDRAWABLE: Final = tuple(
    name
    for name, schema in SCHEMAS.items()
    if schema.key and {"recorded_on", "revoked_on"} <= {column.name for column in schema.columns}
)
"""The tables of evidence: their rows have an id and may be revoked."""

FIGURES: Final = ("funds", "completion", "rank", "lag")
"""What is shown of a unit, besides the primary indicator."""


@define(frozen=True, eq=False)
class Withdrawal:
    """What an assessment says with a piece of evidence and without it.

    Every frame has a column pair `<figure>_before`, `<figure>_after`; only what differs is listed. Money is Int64 fen.
    A row that is only on one side has nulls on the other.

    Attributes:
        table, key: what is withdrawn.
        on: from when; None from the start.
        rows: the rows withdrawn, as the clean table has them.
        before, after: the two assessments.
    """

    table: str
    key: str
    on: date | None
    rows: pl.DataFrame
    before: Assessment
    after: Assessment

    @cached_property
    def waterfall(self) -> pl.DataFrame:
        """The credit that changes: `project, unit, tick` and each stage."""
        return self._compared("waterfall", ("project", "unit", "tick"))

    @cached_property
    def units(self) -> pl.DataFrame:
        """The assessment that changes: `unit, tick`, the primary indicator, funds, completion, rank and lag."""
        figures = dict.fromkeys((self.before.panel.terms.primary, *FIGURES))
        shown = [name for name in figures if name in self.before.units.columns and name in self.after.units.columns]
        return self._compared("units", ("unit", "tick"), shown)

    @cached_property
    def measures(self) -> pl.DataFrame:
        """The measures that change: `id, year, rule, unit` and `started`, `ended`, `active`, `amount`; those that fall
        have no `started_after`, those that arise no `started_before`.
        """
        return self._compared("measures", ("id", "year", "rule", "unit"), ("started", "ended", "active", "amount"))

    @cached_property
    def events(self) -> pl.DataFrame:
        """The events that change: `year, tick, rule, unit, measure, event`, whether each is `there`, its `amount`."""
        keys = ("year", "tick", "rule", "unit", "measure", "event")
        there = pl.lit(value=True).alias("there")
        before, after = (side.events.select(*keys, there, "amount") for side in self._sides)
        return _differences(before, after, keys).with_columns(
            pl.col("there_before", "there_after").fill_null(value=False)
        )

    @cached_property
    def ledger(self) -> pl.DataFrame:
        """The money that changes: `measure, person, month` and `withheld`, `released_on`."""
        return self._compared("ledger", ("measure", "person", "month"), ("withheld", "released_on"))

    @cached_property
    def findings(self) -> pl.DataFrame:
        """The findings that change: `code, table, key, message`, and the effect."""
        return self._compared("findings", ("code", "table", "key", "message"), ("effect",))

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return all frames by name."""
        names = ("waterfall", "units", "measures", "events", "ledger", "findings")
        return {name: getattr(self, name) for name in names}

    def to_dict(self) -> dict[str, object]:
        """Return it as plain data; dates are dates, money is fen."""
        plain: dict[str, object] = {"table": self.table, "key": self.key, "on": self.on, "as_of": self.before.as_of}
        return plain | {name: frame.to_dicts() for name, frame in self.tables().items()}

    def to_text(self) -> str:
        """Return it as text in the user's language; control characters of the data are escaped.

        Credit and assessment are those of the last tick; measures and money are all.
        """
        head = _("without {key} of {table}, as of {day}").format(key=self.key, table=self.table, day=self.before.as_of)
        parts = [
            (_("credit"), [self._credit_line(row) for row in self._last(self.waterfall)]),
            (_("assessment"), [self._unit_line(row) for row in self._last(self.units)]),
            (_("measures"), [_measure_line(row) for row in self.measures.iter_rows(named=True)]),
            (_("money"), self._money_lines()),
            (_("findings"), [_finding_line(row) for row in self.findings.iter_rows(named=True)]),
        ]
        lines = [head]
        for title, found in parts:
            lines += [title, *(f"  {line}" for line in found or [_("nothing changes")])]
        return "\n".join(safe(line) for line in lines)

    @property
    def _sides(self) -> tuple[Assessment, Assessment]:
        return self.before, self.after

    def _compared(self, name: str, keys: Sequence[str], figures: Sequence[str] | None = None) -> pl.DataFrame:
        before, after = (getattr(side, name) for side in self._sides)
        if figures is None:
            figures = [column for column in before.columns if column not in keys and column in after.columns]
        return _differences(before.select(*keys, *figures), after.select(*keys, *figures), keys)

    def _last(self, frame: pl.DataFrame) -> list[dict[str, Any]]:
        return frame.filter(pl.col("tick") == self.before.ticks[-1].on).to_dicts()

    @staticmethod
    def _credit_line(row: dict[str, Any]) -> str:
        stages = [name.removesuffix("_before") for name in row if name.endswith("_before")]
        changes = [
            f"{stage} {_money(row[f'{stage}_before'])} -> {_money(row[f'{stage}_after'])}"
            for stage in stages
            if row[f"{stage}_before"] != row[f"{stage}_after"] and stage != "recognised"
        ]
        if row["recognised_before"] != row["recognised_after"]:
            changes.append(_("no longer recognised"))
        return f"{row['project']} / {row['unit']}: " + ", ".join(changes)

    def _unit_line(self, row: dict[str, Any]) -> str:
        primary = self.before.panel.terms.primary
        written = {"completion": _percent, **({primary: _money} if primary == "funds" else {}), "funds": _money}
        changes = []
        for name in (name.removesuffix("_before") for name in row if name.endswith("_before")):
            old, new = row[f"{name}_before"], row[f"{name}_after"]
            if old != new:
                write = written.get(name, _plain)
                changes.append(f"{name} {write(old)} -> {write(new)}")
        return f"{row['unit']}: " + ", ".join(changes)

    def _money_lines(self) -> list[str]:
        withheld = [int(side.ledger["withheld"].sum()) for side in self._sides]
        open_ones = [int(side.ledger.filter(pl.col("released_on").is_null())["withheld"].sum()) for side in self._sides]
        persons = self.ledger["person"].n_unique()
        if not len(self.ledger):
            return []
        return [
            ngettext(
                "withheld {before} -> {after}, of {persons} person",
                "withheld {before} -> {after}, of {persons} persons",
                persons,
            ).format(before=format_amount(withheld[0]), after=format_amount(withheld[1]), persons=persons),
            _("not released {before} -> {after}").format(
                before=format_amount(open_ones[0]), after=format_amount(open_ones[1])
            ),
        ]


def withdraw(
    workspace: Workspace,
    table: str,
    key: str,
    on: date | None = None,
    *,
    as_of: date | None = None,
    known_at: date | None = None,
    decisions: pl.DataFrame | None = None,
) -> Withdrawal:
    """Show what falls with a piece of evidence: assess with it and without it, and compare.

    Args:
        workspace: without errors; it is not changed.
        table: a table of evidence, such as `arrivals`, `visits`, `claims`, `projects`.
        key: the id of the row; of a key of several columns their texts, joined by `/` (`J01/finance`).
        on: the day it is revoked; by default it was never there. As everywhere, a project loses its recognition from
            that day on, and any other row is gone at all ticks once its revocation is known.
        as_of: as for `assess`.
        known_at: as for `assess`.
        decisions: as for `assess`.

    Raises:
        AssessmentError: the workspace has errors, or there is no such table or row; the nearest is named.
    """
    rows = _rows(workspace, table, key)
    before = assess(workspace, as_of, known_at, decisions)
    after = assess(_without(workspace, table, rows, on), as_of, known_at, decisions)
    return Withdrawal(table, key, on, rows, before, after)


def _rows(workspace: Workspace, table: str, key: str) -> pl.DataFrame:
    if table not in WITHDRAWABLE:
        expected = _("a table of evidence: {tables}").format(tables=", ".join(WITHDRAWABLE))
        hint = nearest(table, WITHDRAWABLE)
        raise AssessmentError(
            [error("unknown-table", Place(key="table"), found=table, expected=expected, nearest=hint)]
        )
    frame: pl.DataFrame = getattr(workspace.tables, table)
    names = frame.select(pl.concat_str(SCHEMAS[table].key, separator="/")).to_series()
    rows = frame.filter(names == key)
    if rows.is_empty():
        place, expected = Place(table=table), _("the id of a row that is not in quarantine")
        raise AssessmentError(
            [error("unknown-row", place, found=key, expected=expected, nearest=nearest(key, names.to_list()))]
        )
    return rows


def _without(workspace: Workspace, table: str, rows: pl.DataFrame, on: date | None) -> Workspace:
    """Return a copy of the workspace in which rows are revoked from a day on, or were never valid."""
    day = pl.lit(FIRST_DAY if on is None else on)
    frame: pl.DataFrame = getattr(workspace.tables, table)
    is_meant = pl.struct(SCHEMAS[table].key).is_in(rows.select(pl.struct(SCHEMAS[table].key)).to_series().implode())
    revoked = frame.with_columns(
        revoked_on=pl.when(is_meant).then(pl.min_horizontal("revoked_on", day)).otherwise(pl.col("revoked_on"))
    )
    other = copy(workspace)
    changes: dict[str, Any] = {table: revoked}
    other.tables = attrs.evolve(workspace.tables, **changes)
    return other


def _differences(before: pl.DataFrame, after: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return the rows that are not the same on both sides, by key, each figure twice."""
    figures = [name for name in before.columns if name not in keys]
    sides = [
        frame.rename({name: f"{name}_{side}" for name in figures})
        for frame, side in ((before, "before"), (after, "after"))
    ]
    joined = sides[0].join(sides[1], on=list(keys), how="full", coalesce=True, nulls_equal=True)
    differs = pl.any_horizontal(pl.col(f"{name}_before").ne_missing(pl.col(f"{name}_after")) for name in figures)
    pairs = [f"{name}_{side}" for name in figures for side in ("before", "after")]
    return joined.filter(differs).select(*keys, *pairs).sort(keys)


def _money(value: int | None) -> str:
    return _("none") if value is None else format_amount(value)


def _percent(value: float | None) -> str:
    return _("none") if value is None else f"{value:.2%}"


def _plain(value: object) -> str:
    return _("none") if value is None else str(value)


def _measure_line(row: dict[str, Any]) -> str:
    if row["started_after"] is None:
        change = _("falls")
    elif row["started_before"] is None:
        change = _("arises on {day}").format(day=row["started_after"])
    else:
        parts = (
            ("started", _("starts {before} -> {after}"), _plain),
            ("ended", _("ends {before} -> {after}"), _plain),
            ("amount", _("amount {before} -> {after}"), _money),
        )
        pairs = [(text, write, row[f"{name}_before"], row[f"{name}_after"]) for name, text, write in parts]
        changes = [text.format(before=write(old), after=write(new)) for text, write, old, new in pairs if old != new]
        change = ", ".join(changes) or _("changes")
    return f"{row['id']}: {change}"


def _finding_line(row: dict[str, Any]) -> str:
    change = _("no longer found") if row["effect_after"] is None else _("found")
    return f"{row['code']} {row['key']}: {change}"
