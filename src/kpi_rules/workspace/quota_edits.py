"""Edits of quotas: which row each is of, and the table with them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl
from attrs import define, evolve, field

from kpi_rules.locale import _
from kpi_rules.model.columns import count_indicators, quota_indicators
from kpi_rules.model.money import format_amount
from kpi_rules.model.problems import Place, Problem, error, nearest
from kpi_rules.workspace.config_schema import one_of, shown
from kpi_rules.workspace.quota_text import CARRIED, QuotaText
from kpi_rules.workspace.schemas import BOUNDS
from kpi_rules.workspace.sources import EDITED
from kpi_rules.workspace.wording import MANY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kpi_rules.workspace.edits import QuotaEdit
    from kpi_rules.workspace.quota_text import Key
    from kpi_rules.workspace.tables import ReadTables
    from kpi_rules.workspace.workspace import Workspace


@define
class QuotaPlan:
    """Edits by the quota that each is of, the last of several counting, and what is wrong with any."""

    edits: dict[Key, QuotaEdit] = field(factory=dict)
    problems: list[Problem] = field(factory=list)

    @classmethod
    def of(cls, workspace: Workspace, edits: Iterable[QuotaEdit]) -> QuotaPlan:
        """Find the row of each edit: by its day, or else the last revision's."""
        plan, edits = cls(), list(edits)
        days = _days(workspace, [edit.unit for edit in edits])
        assert workspace.config is not None  # noqa: S101 (without one nothing is edited)
        start, checking = workspace.config.year.start, _Checking(workspace)
        for edit in edits:
            wrong = checking.problem(edit)
            if wrong is not None:
                plan.problems.append(wrong)
                continue
            own = days.setdefault((edit.unit, edit.indicator), set())
            day = edit.effective or max(own, default=start)
            if edit.amount is None and day not in own:
                plan.problems.append(_not_there(edit, day, own))
                continue
            (own.discard if edit.amount is None else own.add)(day)
            key = (edit.unit, edit.indicator, day)
            before = plan.edits.get(key)
            note = before.note if edit.note is None and before is not None else edit.note
            plan.edits[key] = evolve(edit, note=note)
        return plan


def _days(workspace: Workspace, units: Sequence[str]) -> dict[tuple[str, str], set[date]]:
    """Return the days on which the quotas of units are set, by unit and indicator."""
    own = workspace.tables.quotas.filter(pl.col("unit").is_in(units)).group_by("unit", "indicator").agg("effective")
    return {(unit, indicator): set(days) for unit, indicator, days in own.iter_rows()}


def _not_there(edit: QuotaEdit, day: date, own: Iterable[date]) -> Problem:
    found = _("no quota of {indicator} of {unit}, effective from {day}, to take away").format(
        indicator=edit.indicator, unit=edit.unit, day=day
    )
    days = ", ".join(map(str, sorted(own)))
    expected = _("one of {choices}").format(choices=days) if days else _("a quota that there is")
    return error("no-such-entry", Place(table=EDITED), found=found, expected=expected)


class _Checking:
    """What edits of quotas are held against."""

    def __init__(self, workspace: Workspace) -> None:
        indicators = workspace.plugins.indicators
        self.units = workspace.tables.units["unit"]
        self.known = set(self.units)
        self.indicators = quota_indicators(indicators)
        self.counts = count_indicators(indicators)

    def problem(self, edit: QuotaEdit) -> Problem | None:
        """Return what is wrong with an edit by itself."""
        place = Place(table=EDITED)
        if edit.unit not in self.known:
            found, few = _("the unknown unit {name}").format(name=shown(edit.unit)), len(self.units) <= MANY
            near = nearest(edit.unit, self.units.to_list()) if few else None
            return error("unknown-unit", place, found=found, expected=_("a unit of the table units"), nearest=near)
        if edit.indicator not in self.indicators:
            found, near = (
                _("the unknown indicator {name}").format(name=shown(edit.indicator)),
                nearest(edit.indicator, self.indicators),
            )
            return error("unknown-indicator", place, found=found, expected=one_of(self.indicators), nearest=near)
        if edit.effective is not None and type(edit.effective) is not date:  # a datetime is a date to Python
            return error("wrong-kind", place, found=repr(edit.effective), expected=_("a date without a time"))
        is_count = edit.indicator in self.counts
        greatest = BOUNDS["count" if is_count else "money"][1]
        is_whole = type(edit.amount) is int
        if edit.amount is not None and not (is_whole and 0 < edit.amount <= greatest):
            show = str if is_count or not is_whole else format_amount
            expected = _("a whole number above 0 and at most {most}, money in fen").format(
                most=greatest if is_count else format_amount(greatest)
            )
            return error("out-of-bounds", place, found=show(edit.amount), expected=expected)
        return None


def with_quotas(workspace: Workspace, plan: QuotaPlan) -> ReadTables | list[Problem]:
    """Return the tables with edits: read again from the edited text of files, or, where some source of quotas is no
    text file, with the clean rows edited.
    """
    origin, config = workspace.origin, workspace.config
    assert origin is not None  # noqa: S101 (as above)
    assert config is not None  # noqa: S101 (as above)
    tables = origin.tables
    contents = list(tables.contents)
    if not is_text(workspace):
        return tables.with_quotas(_edited(tables.tables.quotas, plan.edits))
    counts = count_indicators(workspace.plugins.indicators)
    texts = _texts(workspace)
    problems = [text for text in texts if isinstance(text, Problem)]
    files = [text for text in texts if isinstance(text, QuotaText)]
    if problems:
        return problems
    missing = [file for file in files if not {"unit", "indicator", "amount", "effective"} <= file.columns.keys()]
    if missing:
        found, expected = _("a file of quotas that lacks a column"), _("a table without errors in its header")
        return [error("edit-by-hand", missing[0].place, found=found, expected=expected)]
    by_file: dict[int, dict[Key, QuotaEdit]] = {}
    for key, edit in plan.edits.items():
        by_file.setdefault(_home(files, key), {})[key] = edit
    for number, edits in by_file.items():
        done = files[number].edited(edits, counts=counts)
        if isinstance(done, list):
            problems += done
        else:
            contents[number] = done
    if problems:
        return problems
    return tables.with_contents(
        contents, config.tables, currency=config.currency, count_indicators=counts, year_start=config.year.start
    )


def _texts(workspace: Workspace) -> list[QuotaText | Problem]:
    """Return the text files of quotas; none where some source is no text file."""
    if workspace.origin is None or workspace.config is None or not is_text(workspace):
        return []
    sources = [source for source in workspace.config.tables if source.table == EDITED]
    contents = [content or b"" for content in workspace.origin.tables.contents]
    return [QuotaText.of(content, source) for content, source in zip(contents, sources, strict=True)]


def is_text(workspace: Workspace) -> bool:
    """Say whether all quotas come from text files, which can be edited."""
    contents = () if workspace.origin is None else workspace.origin.tables.contents
    return bool(contents) and None not in contents


def texts_of(workspace: Workspace, keys: Iterable[Key]) -> dict[Key, dict[str, str]]:
    """Return the rows of quotas as they are written, texts by heading; of those that are in text files."""
    files = [text for text in _texts(workspace) if isinstance(text, QuotaText)]
    found = {key: next((cells for file in files if (cells := file.cells(key))), {}) for key in keys}
    return {key: cells for key, cells in found.items() if cells}


def _home(files: Sequence[QuotaText], key: Key) -> int:
    """Return the file that a quota stands in, or belongs into: the last with one of the unit's, or else the last."""
    standing = [number for number, file in enumerate(files) if key in file.keys]
    related = [number for number, file in enumerate(files) if key[:2] in file.revisions]
    return standing[0] if standing else related[-1] if related else len(files) - 1


def _edited(quotas: pl.DataFrame, edits: Mapping[Key, QuotaEdit]) -> pl.DataFrame:
    """Return clean rows with edits; a row that is new stands where it would in a file."""
    rows = list(quotas.iter_rows(named=True))
    for (unit, indicator, day), edit in sorted(edits.items()):
        own = [number for number, row in enumerate(rows) if (row["unit"], row["indicator"]) == (unit, indicator)]
        here = [number for number in own if rows[number]["effective"] == day]
        if edit.amount is None:
            rows = [row for number, row in enumerate(rows) if number not in here]
        elif here:
            changed = {"amount": edit.amount} | ({} if edit.note is None else {"note": edit.note or None})
            rows[here[0]] = {**rows[here[0]], **changed}
        else:
            before = [number for number in own if rows[number]["effective"] < day]
            model = rows[before[-1]] if before else {}
            new = dict.fromkeys(quotas.columns) | {name: model.get(name) for name in (*CARRIED, "row")}
            new |= {"unit": unit, "indicator": indicator, "amount": edit.amount, "effective": day}
            new |= {"note": edit.note or None}
            rows.insert(before[-1] + 1 if before else own[0] if own else len(rows), new)
    return pl.DataFrame(rows, schema=quotas.schema)
