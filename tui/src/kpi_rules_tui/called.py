"""What units, projects, parameters and rules are called on a screen: by name, with the id where names are alike."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kpi_rules_tui.texts import label_of, setting_label

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    import kpi_rules as kr


def named(table: pl.DataFrame, key: str, ids: pl.Series) -> dict[str, str]:
    """Return what rows of a table with a column `name` are called, by their id in the column `key`.

    Of a million rows only those are looked at that are asked for, or called like one of them.
    """
    import polars as pl

    alike = pl.col("name").str.normalize("NFKC").str.to_lowercase()
    every = table.select(key, "name", alike=alike)
    those = every.filter(pl.col(key).is_in(ids.implode()))
    same = Counter(every.filter(pl.col("alike").is_in(those["alike"].implode()))["alike"])
    return {each: _told_apart(name or each, each, same[like]) for each, name, like in those.iter_rows()}


def labels(workspaces: Iterable[kr.Workspace]) -> dict[str, str]:
    """Return what parameters and rules are called, by id; a policy is called by its id everywhere.

    What a later workspace no longer has is called as an earlier one has it.
    """
    called: dict[str, str] = {}
    for each in workspaces:
        called |= {name: setting_label(setting, each) for name, setting in each.parameters.declared.items()}
        called |= {name: label_of(rule) for name, rule in each.plugins.rules.items()}
    alike = Counter(map(_alike, called.values()))
    return {name: _told_apart(label, name, alike[_alike(label)]) for name, label in called.items()}


def _alike(name: str) -> str:
    """Return what is left of a name without what the eye passes over: case, and the width of letters."""
    import unicodedata

    return unicodedata.normalize("NFKC", name).lower()


def _told_apart(name: str, each: str, count: int) -> str:
    """Return a name, with the id beside it where `count` things are called alike."""
    return f"{name} ({each})" if count > 1 and name != each else name
