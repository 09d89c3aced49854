"""Whom a scorecard puts where: each track as the table that an office publishes, and whom prizes and lists name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl
from attrs import define

from kpi_scorecard.texts import _

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import kpi_rules as kr

FIRST: Final = ("group", "rank", "unit", "name")
"""The columns of a ranking before its items."""

LAST: Final = ("score", "grade", "veto", "last", "remark")
"""The columns after them."""

KINDS: Final = ("prize", "red_list", "black_list")

LISTED: Final[Mapping[str, type[pl.DataType]]] = {
    "kind": pl.String,
    "label": pl.String,
    "unit": pl.String,
    "name": pl.String,
    "started": pl.Date,
    "ended": pl.Date,
    "status": pl.String,
    "amount": pl.Int64,
    "reason": pl.String,
}


@define(frozen=True)
class _Ranked:
    """A track by the indicators that it has; `items` are names of indicators by the column that shows them."""

    name: str
    items: Mapping[str, str]


def ranking(assessment: kr.Assessment) -> dict[str, pl.DataFrame]:
    """Return a table for each track, by its name, at the last tick of an assessment.

    One row per unit that is assessed in the track: peer group, rank in it, unit and name, the points of each item, the
    score, the grade, whether a veto applies, the rank from the last, and a remark: which items have no target and which
    of them nothing covers. Grade and veto are null where the track has none. Groups are in the order of their names,
    units in that of their ranks; who has none comes last.
    """
    indicators = assessment.workspace.plugins.indicators
    last = assessment.units.filter(pl.col("tick") == pl.col("tick").max())
    names = assessment.workspace.tables.units.select("unit", "name", "group")
    here = last.join(names, on="unit", how="left", maintain_order="left")
    return {track.name: _table(track, here) for track in _tracks(indicators)}


def _tracks(indicators: Mapping[str, kr.Indicator]) -> list[_Ranked]:
    """Return the tracks among the indicators of a workspace: what has a total and both ranks by it."""
    found = []
    for name in indicators:
        kind, _sign, track = name.partition("_")
        total = indicators.get(f"score_{track}")
        if kind != "rank" or not track or total is None or f"last_{track}" not in indicators:
            continue
        prefix = f"score_{track}_"
        items = [each for each in dict.fromkeys(total.value.meta.root_names()) if each.startswith(prefix)]
        taken = (*FIRST, *LAST)
        columns = {short if (short := each.removeprefix(prefix)) not in taken else each: each for each in items}
        found.append(_Ranked(track, columns))
    return found


def _table(track: _Ranked, here: pl.DataFrame) -> pl.DataFrame:
    score = f"score_{track.name}"
    absent = {short: pl.col(f"without_{full.removeprefix('score_')}") for short, full in track.items.items()}
    remarks = []
    for short, full in track.items.items():
        without = pl.lit(_("no target: {item}").format(item=short))
        uncovered = pl.lit(_("not covered: {item}").format(item=short))
        remarks.append(pl.when(absent[short]).then(without).when(pl.col(full).is_null()).then(uncovered))
    own = {"grade": pl.String, "veto": pl.Boolean}
    optional = [
        (pl.col(f"{each}_{track.name}") if f"{each}_{track.name}" in here.columns else pl.lit(None, dtype)).alias(each)
        for each, dtype in own.items()
    ]
    assessed = pl.any_horizontal([pl.col(score).is_not_null(), *(~each for each in absent.values())])
    return (
        here.filter(assessed)
        .select(
            "group",
            pl.col(f"rank_{track.name}").cast(pl.Int64).alias("rank"),
            "unit",
            "name",
            *(pl.when(~absent[short]).then(pl.col(full)).alias(short) for short, full in track.items.items()),
            pl.col(score).alias("score"),
            *optional,
            pl.col(f"last_{track.name}").cast(pl.Int64).alias("last"),
            pl.concat_str(remarks, separator="; ", ignore_nulls=True).alias("remark"),
        )
        .sort("group", "rank", "score", "unit", descending=[False, False, True, False], nulls_last=True)
    )


def listed(assessment: kr.Assessment) -> pl.DataFrame:
    """Return whom prizes, red lists and black lists of an assessment name (`LISTED`), in this order; amounts in fen."""
    rules = assessment.workspace.plugins.rules
    ours = [name for name, rule in rules.items() if name.startswith("scorecard.") and rule.kind in KINDS]
    names = assessment.workspace.tables.units.select("unit", "name")
    labels = pl.DataFrame(
        {"rule": ours, "label": [rules[name].label for name in ours]}, {"rule": pl.String, "label": pl.String}
    )
    return (
        assessment.measures.join(labels, on="rule", how="inner")
        .join(names, on="unit", how="left")
        .with_columns(order=pl.col("kind").replace_strict(_order(KINDS)))
        .sort("order", "label", "started", "unit")
        .select(*LISTED)
    )


def _order(names: Sequence[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}
