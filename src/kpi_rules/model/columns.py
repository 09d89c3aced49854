"""The columns that a rule may read: the indicators of `semantics.md`, the moments, and the parameters as named
inputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kpi_rules.model.calendar import MOMENTS
from kpi_rules.model.contributions import SCALED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_rules.model.contributions import Indicator
    from kpi_rules.model.settings import Setting

QUOTA_INDICATORS: Final = ("funds", "signed", "started", "producing")
"""The library's own indicators that a quota can be set for; `funds` is money, the others count recognised projects."""

FIXINGS: Final[Mapping[str, type[pl.DataType]]] = {
    "stretch": pl.Int64,
    "stretch_completion": pl.Float64,
    "quality": pl.Float64,
    "overdue": pl.Boolean,
}
"""What else a quota line says of an indicator, `<name>_stretch` and so on (M5): a higher target and how much of it is
done, the least quality asked for, and whether its deadline is past and the quota not met.
"""

BEFORE_ADJUSTMENTS: Final = ("project", "unit", "tick", "contracted", "vouchers", "confirmed")
AFTER_ADJUSTMENTS: Final = ("adjusted", "shared", "recognised")
"""The columns of the waterfall; between them each adjustment has one of its own name."""

TAKEN: Final = frozenset(
    ["tick", "started_ever", "producing_ever", *(f"{name}_before_campaign" for name in QUOTA_INDICATORS)]
)
"""Columns of a panel that no rule reads and no indicator may be called."""

_KINDS: Final[Mapping[str, type[pl.DataType]]] = {
    "money": pl.Int64,
    "count": pl.Int64,
    "ratio": pl.Float64,
    "flag": pl.Boolean,
    "choice": pl.String,
    "text": pl.String,
}


def quota_indicators(indicators: Mapping[str, Indicator]) -> tuple[str, ...]:
    """Return the indicators that a quota can be set for: the library's own, then those of plugins by name."""
    return (*QUOTA_INDICATORS, *sorted(name for name, each in indicators.items() if each.has_quota))


def count_indicators(indicators: Mapping[str, Indicator]) -> tuple[str, ...]:
    """Return those of the indicators with quotas that are numbers and not money."""
    counts = sorted(name for name, each in indicators.items() if each.has_quota and each.kind == "count")
    return (*QUOTA_INDICATORS[1:], *counts)


def fixing_columns(indicators: Mapping[str, Indicator]) -> dict[str, type[pl.DataType]]:
    """Return the columns that further columns of the quotas table give (M5)."""
    names = quota_indicators(indicators)
    return {f"{name}_{column}": dtype for name in names for column, dtype in FIXINGS.items()}


def indicator_schema(indicators: Mapping[str, Indicator]) -> dict[str, type[pl.DataType]]:
    """Return the indicators per unit and tick, in the order in which `units` shows them; `indicators` is what
    plugins add.
    """
    schema: dict[str, type[pl.DataType]] = {}
    for name in quota_indicators(indicators):
        schema |= {
            name: pl.Int64,
            f"{name}_quota": pl.Int64,
            f"{name}_quota_original": pl.Int64,
            f"{name}_completion": pl.Float64,
            **{f"{name}_{column}": dtype for column, dtype in FIXINGS.items()},
        }
    schema |= {"completion": pl.Float64, "expected": pl.Float64, "pace_gap": pl.Float64, "lag": pl.Int64}
    schema |= {"expected_numerator": pl.Int64, "expected_denominator": pl.Int64}
    schema |= {"rank": pl.Int64, "group_size": pl.Int64}
    schema |= {"contracted": pl.Int64, "vouchers": pl.Int64, "recognised": pl.Int64}
    schema |= {"arrival_rate": pl.Float64, "start_rate": pl.Float64, "production_rate": pl.Float64}
    schema |= {f"campaign_{name}": pl.Int64 for name in QUOTA_INDICATORS}
    schema |= {"campaign_quota": pl.Int64, "campaign_completion": pl.Float64, "campaign_rank": pl.Int64}
    others = {name: _value_type(each) for name, each in sorted(indicators.items()) if not each.has_quota}
    return schema | others


def _value_type(indicator: Indicator) -> type[pl.DataType]:
    """Return the type of an indicator's column; the peer group's size and ranks are counts whatever is ranked."""
    if indicator.within in {"rank", "size"}:
        return pl.Int64
    return pl.Float64 if indicator.within == "mean" else _KINDS[indicator.kind]


def parameter_schema(settings: Mapping[str, Setting]) -> dict[str, type[pl.DataType]]:
    """Return the parameters as columns: `plugin.name`, and for a ratio also its exact value in billionths.

    A list of texts is no column: it names the scope of a hold.
    """
    schema: dict[str, type[pl.DataType]] = {}
    for name, setting in sorted(settings.items()):
        if setting.kind in _KINDS:
            schema[name] = _KINDS[setting.kind]
        if setting.kind == "ratio":
            schema[name + SCALED] = pl.Int64
    return schema


def rule_schema(indicators: Mapping[str, Indicator], settings: Mapping[str, Setting]) -> dict[str, type[pl.DataType]]:
    """Return every column that a rule may read, with its type."""
    return (
        {"unit": pl.String, "group": pl.String, "kind": pl.String}
        | dict.fromkeys(MOMENTS, pl.Boolean)
        | indicator_schema(indicators)
        | parameter_schema(settings)
    )
