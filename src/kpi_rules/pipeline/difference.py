"""What differs between two assessments of the same year, such as one and the same under edits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl
from attrs import define

if TYPE_CHECKING:
    from kpi_rules.pipeline.result import Assessment

BEGINNING: Final = ("started", "issued")
"""The events with which a measure meets a unit."""

_COUNTS: Final = ("before", "after", "measures_before", "measures_after")
_UNITS: Final = ("begins", "ceases", "otherwise")


@define(frozen=True, eq=False)
class Difference:
    """Whom the rules meet, and what it costs, before and after.

    Attributes:
        rules: one row for each rule of either: how many units it meets at any tick (`before`, `after`), how many
            measures it takes (`measures_before`, `measures_after`), and the ids of the units that it newly meets
            (`begins`), meets no more (`ceases`), and meets as before but on other days or with another sum
            (`otherwise`).
        money: fen `before` and `after`, of pay `withheld`, of it `released`, `reversed` and `outstanding`, and of what
            measures give or take by themselves (`issued`, by `rule`).
    """

    rules: pl.DataFrame
    money: pl.DataFrame

    @property
    def none(self) -> bool:
        """Whether nothing differs."""
        counts = self.rules.select(pl.any_horizontal(pl.col(_UNITS).list.len() > 0).any()).item()
        measures = self.rules.select((pl.col("measures_before") != pl.col("measures_after")).any()).item()
        money = self.money.select((pl.col("before") != pl.col("after")).any()).item()
        return not (counts or measures or money)


def difference(before: Assessment, after: Assessment) -> Difference:
    """Return what differs between two assessments of the same year; counts and ids as `Difference` has them."""
    old, new = _met(before), _met(after)
    rows = []
    for rule in dict.fromkeys([*old, *new]):
        was, now = old.get(rule, {}), new.get(rule, {})
        both = was.keys() & now.keys()
        rows.append(
            {
                "rule": rule,
                "before": len(was),
                "after": len(now),
                "measures_before": _begun(was),
                "measures_after": _begun(now),
                "begins": sorted(now.keys() - was.keys()),
                "ceases": sorted(was.keys() - now.keys()),
                "otherwise": sorted(unit for unit in both if was[unit] != now[unit]),
            }
        )
    counts = dict.fromkeys(_COUNTS, pl.Int64)
    units = dict.fromkeys(_UNITS, pl.List(pl.String))
    rules = pl.DataFrame(rows, schema={"rule": pl.String, **counts, **units})
    return Difference(rules, _money(before, after))


def _met(assessment: Assessment) -> dict[str, dict[str, list[tuple[object, str, int | None]]]]:
    """Return, by rule and unit it meets, its events in order."""
    found: dict[str, dict[str, list[tuple[object, str, int | None]]]] = {rule: {} for rule in assessment.rulebook.rules}
    events = assessment.events.select("rule", "unit", "tick", "event", "amount").sort("rule", "unit", "tick", "event")
    for rule, unit, *event in events.iter_rows():
        found.setdefault(rule, {}).setdefault(unit, []).append((event[0], event[1], event[2]))
    return {
        rule: {unit: days for unit, days in units.items() if any(event in BEGINNING for _day, event, _sum in days)}
        for rule, units in found.items()
    }


def _begun(units: dict[str, list[tuple[object, str, int | None]]]) -> int:
    return sum(event in BEGINNING for days in units.values() for _day, event, _sum in days)


def _money(before: Assessment, after: Assessment) -> pl.DataFrame:
    schema = {"what": pl.String, "rule": pl.String, "fen": pl.Int64}
    old, new = (pl.DataFrame(_sums(each), schema=schema, orient="row") for each in (before, after))
    both = old.join(new, on=["what", "rule"], how="full", coalesce=True, nulls_equal=True, suffix="_after")
    return both.select("what", "rule", before=pl.col("fen").fill_null(0), after=pl.col("fen_after").fill_null(0)).sort(
        "rule", nulls_last=False, maintain_order=True
    )


def pay_sums(ledger: pl.DataFrame) -> dict[str, int]:
    """Return what a ledger holds in fen: `withheld`, and of it `released`, `reversed` and `outstanding`."""
    withheld = int(ledger["withheld"].sum())
    released = int(ledger.filter(pl.col("released_on").is_not_null())["withheld"].sum())
    back = int(ledger.filter(pl.col("reversed_on").is_not_null())["withheld"].sum())
    return {"withheld": withheld, "released": released, "reversed": back, "outstanding": withheld - released - back}


def _sums(assessment: Assessment) -> list[tuple[str, str | None, int]]:
    issued = assessment.events.filter(pl.col("amount").is_not_null()).group_by("rule").agg(pl.col("amount").sum())
    by_rule = ((rule, int(fen)) for rule, fen in issued.sort("rule").iter_rows())
    pay = pay_sums(assessment.ledger)
    return [*((name, None, fen) for name, fen in pay.items()), *(("issued", rule, fen) for rule, fen in by_rule)]
