"""What edits change, as lines of old and new: units, parameters and rules by their names."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import kpi_rules as kr
from kpi_rules_tui.texts import _, label_of, setting_label, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import polars as pl
    from textual.content import Content


def lines(changes: pl.DataFrame, workspaces: Sequence[kr.Workspace]) -> list[Content]:
    """Write changes, as `kr.changes` returns them.

    Args:
        changes: what the edits change.
        workspaces: that they are of; what a later one no longer has is called as an earlier one has it.
    """
    labels = _labels([*_switched_on(changes, workspaces), *workspaces])
    units = _units(changes, workspaces[-1]) if workspaces else {}
    found = []
    for row in changes.iter_rows(named=True):
        names = units if row["what"] == "quota" else labels
        called = names.get(row["name"], row["name"])
        about = " ".join(str(part) for part in (called, row["group"] or row["indicator"], row["from"]) if part)
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


def _labels(workspaces: Iterable[kr.Workspace]) -> dict[str, str]:
    """Return what parameters and rules are called, by id; a policy is called by its id everywhere."""
    called: dict[str, str] = {}
    for each in workspaces:
        called |= {name: setting_label(setting, each) for name, setting in each.parameters.declared.items()}
        called |= {name: label_of(rule) for name, rule in each.plugins.rules.items()}
    alike = Counter(map(_alike, called.values()))
    return {name: _told_apart(label, name, alike[_alike(label)]) for name, label in called.items()}


def _units(changes: pl.DataFrame, workspace: kr.Workspace) -> dict[str, str]:
    """Return what the units of changes are called, by id; of a million only those are looked at that may be alike."""
    import polars as pl

    alike_ = pl.col("name").str.normalize("NFKC").str.to_lowercase()
    every = workspace.tables.units.select("unit", "name", alike=alike_)
    those = every.filter(pl.col("unit").is_in(changes["name"].implode()))
    same = every.filter(pl.col("alike").is_in(those["alike"].implode()))
    alike = Counter(same["alike"])
    return {unit: _told_apart(called, unit, alike[key]) for unit, called, key in those.iter_rows()}


def _alike(name: str) -> str:
    """Return what is left of a name without what the eye passes over: case, and the width of letters."""
    import unicodedata

    return unicodedata.normalize("NFKC", name).lower()


def _told_apart(called: str, name: str, count: int) -> str:
    """Return what something is called, with its id beside it where `count` things are called alike."""
    return f"{called} ({name})" if count > 1 and called != name else called
