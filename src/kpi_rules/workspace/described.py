"""What edits change, for people; edits that give back what was there; edits for a whole group or from a split."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kpi_rules.locale import _
from kpi_rules.model.columns import count_indicators
from kpi_rules.model.money import format_amount
from kpi_rules.model.problems import nearest
from kpi_rules.workspace.config_edits import entry_of
from kpi_rules.workspace.editing import groups_of, is_on, path_of
from kpi_rules.workspace.edits import ParameterEdit, QuotaEdit, SwitchEdit
from kpi_rules.workspace.quota_edits import QuotaPlan, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    from kpi_rules.workspace.edits import Edit
    from kpi_rules.workspace.quota_text import Key
    from kpi_rules.workspace.workspace import Workspace

CHANGES: Final = {
    "what": pl.String,
    "name": pl.String,
    "group": pl.String,
    "indicator": pl.String,
    "from": pl.Date,
    "old": pl.String,
    "new": pl.String,
}
"""The columns of `changes`."""


def changes(workspace: Workspace, edits: Iterable[Edit]) -> pl.DataFrame:
    """Return what edits change, old to new, as people write it.

    Args:
        workspace: without the edits.
        edits: as `Workspace.with_edits` takes them.

    Returns:
        A row for each value, quota and switch that some edit is of: `what` (`parameter`, `quota`, `switch`), `name` (of
        the parameter, the unit, the policy or rule), `group` of a parameter, `indicator` of a quota, `from`, and `old`
        and `new`, what holds there before and after; null where nothing does.

    Raises:
        ValueError: as `Workspace.with_edits` has it.
    """
    edits = list(edits)
    after = workspace.with_edits(edits)
    rows: dict[tuple[object, ...], tuple[str | None, str | None]] = {}
    for edit in edits:
        if isinstance(edit, ParameterEdit):
            shown = _parameter(workspace, edit), _parameter(after, edit)
            rows["parameter", edit.name, edit.group, None, edit.from_on] = shown
        elif isinstance(edit, SwitchEdit):
            rows["switch", edit.name, None, None, None] = _switch(workspace, edit), _switch(after, edit)
    places = quota_places(workspace, edits)
    before, then = _amounts(workspace, places), _amounts(after, places)
    for unit, indicator, day in places:
        key = unit, indicator, day
        rows["quota", unit, None, indicator, day] = before.get(key), then.get(key)
    return pl.DataFrame([(*key, *shown) for key, shown in rows.items()], schema=CHANGES, orient="row")


def quota_places(workspace: Workspace, edits: Sequence[Edit]) -> Mapping[Key, QuotaEdit]:
    """Return the edits of quotas by the quota that each is of; of a policy that is switched on, those of its
    indicators too.
    """
    quotas = [edit for edit in edits if isinstance(edit, QuotaEdit)]
    switches = [edit for edit in edits if isinstance(edit, SwitchEdit)]
    return QuotaPlan.of(workspace.with_edits(switches) if quotas and switches else workspace, quotas).edits


def _parameter(workspace: Workspace, edit: ParameterEdit) -> str | None:
    setting, config = workspace.parameters.declared.get(edit.name), workspace.config
    if setting is None or config is None:
        return None
    on = edit.from_on or config.year.start
    return setting.show(workspace.parameters.at(edit.name, on, edit.group).value)


def _switch(workspace: Workspace, edit: SwitchEdit) -> str:
    return _("on") if is_on(workspace, edit.name) else _("off")


def _amounts(workspace: Workspace, places: Iterable[Key]) -> dict[Key, str]:
    """Return the quotas in force at places, as people write them."""
    counts = count_indicators(workspace.plugins.indicators)
    revisions: dict[tuple[str, str], list[tuple[date, int]]] = {}
    for row in _rows(workspace, places):
        revisions.setdefault((row["unit"], row["indicator"]), []).append((row["effective"], row["amount"]))
    found = {}
    for unit, indicator, day in places:
        in_force = max((each for each in revisions.get((unit, indicator), []) if each[0] <= day), default=None)
        if in_force is not None:
            found[unit, indicator, day] = str(in_force[1]) if indicator in counts else format_amount(in_force[1])
    return found


def _rows(workspace: Workspace, places: Iterable[Key]) -> Iterator[dict[str, Any]]:
    units = list({unit for unit, _indicator, _day in places})
    yield from workspace.tables.quotas.filter(pl.col("unit").is_in(units)).iter_rows(named=True)


def undone(workspace: Workspace, edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """Return the edits that give back, to a workspace with edits, what was there before them."""
    assert workspace.origin is not None  # noqa: S101 (it was edited)
    raw = workspace.origin.read.raw
    found: dict[tuple[object, ...], Edit] = {}
    for edit in edits:
        if isinstance(edit, ParameterEdit):
            value = entry_of(raw, path_of(workspace, raw, edit.name), edit)
            back = ParameterEdit(edit.name, value, edit.from_on, edit.group)
            if value is not None or edit.value is not None:
                found.setdefault(("parameter", edit.name, edit.from_on, edit.group), back)
        elif isinstance(edit, SwitchEdit):
            found.setdefault(("switch", edit.name), SwitchEdit(edit.name, on=is_on(workspace, edit.name)))
    places = quota_places(workspace, edits)
    rows = {(row["unit"], row["indicator"], row["effective"]): row for row in _rows(workspace, places)}
    texts = texts_of(workspace, places)
    for key, given in places.items():
        unit, indicator, day = key
        row = rows.get(key)
        if row is None and given.amount is None:
            continue
        amount = row["amount"] if row is not None else None
        note = None if row is None or given.note is None else str(row["note"] or "")
        found[("quota", *key)] = QuotaEdit(unit, amount, indicator, day, note, texts.get(key, {}))
    return tuple(found.values())


def scale_quotas(
    workspace: Workspace,
    group: str,
    factor: Decimal,
    *,
    indicator: str = "funds",
    effective: date | None = None,
    note: str | None = None,
) -> list[QuotaEdit]:
    """Return the edits that multiply the quotas of a peer group by a factor.

    Args:
        workspace: where the units and their quotas are.
        group: the peer group; its units without such a quota have none then either.
        factor: above 0, exact.
        indicator: which quotas.
        effective: the day from which they hold, whose quotas are multiplied; None multiplies the last revisions where
            they stand.
        note: why.

    Returns:
        An edit for each unit, by unit id. A product is rounded to whole fen, or to a whole number of what is counted,
        half of one up.

    Raises:
        ValueError: there is no such group, nobody in it has such a quota, or the factor is none.
    """
    groups = groups_of(workspace)
    if group not in groups:
        raise ValueError(_("no group {name}").format(name=group) + _hint(group, groups))
    if not (factor.is_finite() and factor > 0):
        raise ValueError(_("a factor is a decimal above 0, not {value}").format(value=factor))
    members = workspace.tables.units.filter(pl.col("group") == group)["unit"]
    own = workspace.tables.quotas.filter(pl.col("unit").is_in(members.implode()), pl.col("indicator") == indicator)
    if effective is not None:
        own = own.filter(pl.col("effective") <= effective)
    last = own.sort("unit", "effective").unique("unit", keep="last", maintain_order=True)
    if last.is_empty():
        message = _("no unit of {group} has a quota of {indicator}")
        indicators = workspace.tables.quotas["indicator"].unique().to_list()
        raise ValueError(message.format(group=group, indicator=indicator) + _hint(indicator, indicators))
    return [
        QuotaEdit(unit, _half_up(amount * Fraction(factor)), indicator, effective or day, note)
        for unit, amount, day in last.select("unit", "amount", "effective").iter_rows()
    ]


def _half_up(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def edits_of_split(workspace: Workspace, parts: pl.DataFrame) -> list[QuotaEdit]:
    """Return the edits that set the quotas that `split_quota` gives: amounts, notes and fixings.

    Args:
        workspace: that was split in.
        parts: the rows that `split_quota` returns.
    """
    counts = count_indicators(workspace.plugins.indicators)
    fixings = ("stretch", "deadline", "requirement", "quality", "responsible")
    found = []
    for row in parts.iter_rows(named=True):
        show = str if row["indicator"] in counts else format_amount
        texts = {name: show(row[name]) if name == "stretch" else str(row[name]) for name in fixings if row[name]}
        found.append(QuotaEdit(row["unit"], row["amount"], row["indicator"], row["effective"], row["note"], texts))
    return found


def _hint(name: str, choices: Iterable[str]) -> str:
    near = nearest(name, choices)
    return _(" (nearest: {nearest})").format(nearest=near) if near else ""
