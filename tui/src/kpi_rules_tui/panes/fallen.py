"""What falls with evidence that is withdrawn, as text: credit, assessment, measures and money, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kpi_rules_tui.amounts import EXACT, percent, signed_percent
from kpi_rules_tui.panes.unit import stages_called
from kpi_rules_tui.texts import _, label_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl

    import kpi_rules as kr
    from kpi_rules_tui.amounts import Scale

MOST: Final = 200
"""Lines of a part; what is left out is counted."""


def text(found: kr.Withdrawal, scale: Scale) -> str:
    """Write what falls; credit and assessment are those of the last tick, amounts are to the fen, pay in yuan."""
    head = _("without {key} of {table}, as of {day}; amounts in {unit}")
    parts = (
        (_("credit"), _credit(found, scale)),
        (_("assessment"), _assessment(found, scale)),
        (_("measures"), _measures(found, scale)),
        (_("pay ({unit})").format(unit=EXACT.unit), _money(found)),
        (_("findings"), _findings(found)),
    )
    lines = [head.format(key=found.key, table=found.table, day=found.before.as_of, unit=scale.unit)]
    for title, each in parts:
        lines += ["", title, *_cut(each)]
    return "\n".join(lines)


def _cut(lines: Iterable[str]) -> list[str]:
    every = [f"  {line}" for line in lines] or ["  " + _("nothing changes")]
    if len(every) <= MOST:
        return every
    return [*every[:MOST], "  " + _("and {count} more; the command shows all").format(count=len(every) - MOST)]


def change(old: int | None, new: int | None, scale: Scale) -> str:
    """Write an amount before and after, and the difference with its sign."""
    difference = scale.exactly_signed((new or 0) - (old or 0))
    return f"{scale.exact(old) or _('none')} → {scale.exact(new) or _('none')} ({difference})"


def _last(frame: pl.DataFrame, found: kr.Withdrawal) -> Iterator[dict[str, Any]]:
    import polars as pl

    return frame.filter(pl.col("tick") == found.before.ticks[-1].on).iter_rows(named=True)


def _figures(row: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Give the figures of a row that differ: name, before, after."""
    for name in (column.removesuffix("_before") for column in row if column.endswith("_before")):
        old, new = row[f"{name}_before"], row[f"{name}_after"]
        if old != new:
            yield name, old, new


def _credit(found: kr.Withdrawal, scale: Scale) -> Iterator[str]:
    called = stages_called()
    for row in _last(found.waterfall, found):
        changes = [
            _("no longer recognised") if name == "recognised" else f"{called.get(name, name)} {change(old, new, scale)}"
            for name, old, new in _figures(row)
        ]
        yield f"{row['project']} / {row['unit']}: {', '.join(changes)}"


def _assessment(found: kr.Withdrawal, scale: Scale) -> Iterator[str]:
    called = {"completion": _("completion"), "funds": _("credited"), "rank": _("rank"), "lag": _("lag")}
    for row in _last(found.units, found):
        changes = []
        for name, old, new in _figures(row):
            if name == "completion":
                signed = signed_percent((new or 0) - (old or 0))
                said = f"{percent(old) or _('none')} → {percent(new) or _('none')} ({signed})"
            elif name == "funds":
                said = change(old, new, scale)
            else:
                said = f"{_or_none(old)} → {_or_none(new)}"
            changes.append(f"{called.get(name, name)} {said}")
        yield f"{row['unit']}: {', '.join(changes)}"


def _or_none(value: object) -> str:
    return _("none") if value is None else str(value)


def _measures(found: kr.Withdrawal, scale: Scale) -> Iterator[str]:
    rules = found.before.rulebook.rules
    for row in found.measures.iter_rows(named=True):
        if row["started_after"] is None:
            said = _("falls; it began on {day}").format(day=row["started_before"])
        elif row["started_before"] is None:
            said = _("arises on {day}").format(day=row["started_after"])
        else:
            said = "; ".join(_measure(row, scale))
        yield f"{label_of(rules[row['rule']])}, {row['unit']}: {said}"


def _measure(row: dict[str, Any], scale: Scale) -> Iterator[str]:
    """Say how a measure that stays is changed."""
    for name, old, new in _figures(row):
        if name == "amount":
            yield change(old, new, scale)
        elif name in {"started", "ended"}:
            word = _("begins") if name == "started" else _("ends")
            yield f"{word} {_or_none(old)} → {_or_none(new)}"


def _money(found: kr.Withdrawal) -> Iterator[str]:
    import polars as pl

    if found.ledger.is_empty():
        return
    sides = (found.before.ledger, found.after.ledger)
    open_ones = [side.filter(pl.col("released_on").is_null() & pl.col("reversed_on").is_null()) for side in sides]
    for word, (before, after) in ((_("withheld"), sides), (_("outstanding"), open_ones)):
        yield f"{word}: {change(int(before['withheld'].sum()), int(after['withheld'].sum()), EXACT)}"
    of_each = (
        found.ledger.group_by("person")
        .agg(pl.col("withheld_before", "withheld_after").fill_null(0).sum())
        .filter(pl.col("withheld_before") != pl.col("withheld_after"))
        .sort("person")
    )
    for person, old, new in of_each.iter_rows():
        yield f"{person}: {change(old, new, EXACT)}"


def _findings(found: kr.Withdrawal) -> Iterator[str]:
    for row in found.findings.iter_rows(named=True):
        word = _("no longer found") if row["effect_after"] is None else _("found")
        yield f"{row['code']} {row['key']}: {word}"
