"""What edits change, as lines of old and new: units, parameters and rules by their names."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import kpi_rules as kr
from kpi_rules_tui import called
from kpi_rules_tui.texts import _, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl
    from textual.content import Content


def lines(changes: pl.DataFrame, workspaces: Sequence[kr.Workspace]) -> list[Content]:
    """Write changes, as `kr.changes` returns them.

    Args:
        changes: what the edits change.
        workspaces: that they are of; what a later one no longer has is called as an earlier one has it.
    """
    labels = called.labels([*_switched_on(changes, workspaces), *workspaces])
    quotas = changes.filter(changes["what"] == "quota")
    units = called.named(workspaces[-1].tables.units, "unit", quotas["name"]) if workspaces else {}
    found = []
    for row in changes.iter_rows(named=True):
        names = units if row["what"] == "quota" else labels
        name = names.get(row["name"], row["name"])
        about = " ".join(str(part) for part in (name, row["group"] or row["indicator"], row["from"]) if part)
        old, new = row["old"] or _("none"), row["new"] or _("none")
        change = shown(old).stylize("$text-error") + " → " + shown(new).stylize("$text-success")
        found.append(shown(about).stylize("bold") + "  " + change)
    return found


def _switched_on(changes: pl.DataFrame, workspaces: Sequence[kr.Workspace]) -> Iterator[kr.Workspace]:
    """Give the workspace in which the rules of changes are on: one that is off has no label."""
    known = {name for each in workspaces for name in each.plugins.rules}
    names = changes.filter(changes["what"] == "switch")["name"]
    off = [kr.SwitchEdit(name, on=True) for name in names if "." in name and name not in known]
    if off and workspaces:
        with suppress(ValueError):  # its policy is off as a whole, or no longer there
            yield workspaces[-1].with_edits(off)
