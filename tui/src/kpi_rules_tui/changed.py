"""What edits change, as lines of old and new: units, parameters and rules by their names."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import kpi_rules as kr
from kpi_rules_tui import called
from kpi_rules_tui.texts import _, plain, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import polars as pl
    from textual.content import Content

    from kpi_rules_tui.amounts import Scale


def lines(changes: pl.DataFrame, workspaces: Sequence[kr.Workspace], scale: Scale) -> list[Content]:
    """Write changes, as `kr.changes` returns them.

    Args:
        changes: what the edits change.
        workspaces: that they are of; what a later one no longer has is called as an earlier one has it.
        scale: what amounts are written in, to the fen.
    """
    every = [*_switched_on(changes, workspaces), *workspaces]
    labels = called.labels(every)
    columns = kr.columns_called({name: each for one in every for name, each in one.plugins.indicators.items()})
    quotas = changes.filter(changes["what"] == "quota")
    units = called.named(workspaces[-1].tables.units, "unit", quotas["name"]) if workspaces else {}
    found = []
    for row in changes.iter_rows(named=True):
        names = units if row["what"] == "quota" else labels
        name = names.get(row["name"], row["name"])
        of = row["group"] or columns.get(row["indicator"], row["indicator"])
        about = " ".join(str(part) for part in (name, of, row["from"]) if part)
        write = _amount(scale) if _is_money(row, every) else plain
        old, new = (write(row[side]) or _("none") for side in ("old", "new"))
        change = shown(old).stylize("$text-error") + " → " + shown(new).stylize("$text-success")
        found.append(shown(about).stylize("bold") + "  " + change)
    return found


def _is_money(row: dict[str, Any], workspaces: Sequence[kr.Workspace]) -> bool:
    """Say whether what is changed is an amount."""
    if row["what"] == "quota":
        return not any(kr.is_count(each, row["indicator"]) for each in workspaces)
    declared = [each.parameters.declared.get(row["name"]) for each in workspaces]
    return any(setting is not None and setting.kind == "money" for setting in declared)


def _amount(scale: Scale) -> Callable[[str | None], str]:
    def write(text: str | None) -> str:
        fen = kr.parse_amount(text or "")
        return plain(text) if fen is None else scale.said(fen)

    return write


def _switched_on(changes: pl.DataFrame, workspaces: Sequence[kr.Workspace]) -> Iterator[kr.Workspace]:
    """Give the workspace in which the rules of changes are on: one that is off has no label."""
    known = {name for each in workspaces for name in each.plugins.rules}
    names = changes.filter(changes["what"] == "switch")["name"]
    off = [kr.SwitchEdit(name, on=True) for name in names if "." in name and name not in known]
    if off and workspaces:
        with suppress(ValueError):  # its policy is off as a whole, or no longer there
            yield workspaces[-1].with_edits(off)
