"""The static check of the indicators that plugins add: where their columns come from, and that no circle joins them."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import polars as pl

from kpi_rules.locale import _
from kpi_rules.model import expressions, sql_types
from kpi_rules.model.calendar import MOMENTS
from kpi_rules.model.columns import TAKEN, parameter_schema, rule_schema
from kpi_rules.model.expressions import Refusal
from kpi_rules.model.problems import nearest
from kpi_rules.workspace.schemas import SCHEMAS
from kpi_rules.workspace.viewed import VIEWED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from kpi_rules.model.contributions import Indicator
    from kpi_rules.model.settings import Setting

    Check = Callable[[pl.Expr, expressions.Schema, type[pl.DataType]], list[Refusal]]


def tally_schema(table: str, settings: Mapping[str, Setting]) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Return the columns that an indicator over a table reads."""
    own = {name: dtype for name, dtype in SCHEMAS[table].dtypes.items() if name != "row"}
    dates = dict.fromkeys(("tick", "year_start", "year_end"), pl.Date)
    amounts = dict.fromkeys(("credited", "vouchers", "confirmed", "share") if table == "projects" else (), pl.Int64)
    viewed = VIEWED.get(table, {})
    return {**own, **viewed, **amounts, **dates, "unit": pl.String, "group": pl.String, **parameter_schema(settings)}


def indicator_refusals(
    indicators: Mapping[str, Indicator], settings: Mapping[str, Setting], texts: Collection[str] = ()
) -> Iterator[tuple[str, str, Refusal]]:
    """Yield what is wrong with each indicator: its name, the part of it, and why; `texts` are those written as text."""
    columns = rule_schema(indicators, settings)
    taken = TAKEN | rule_schema({}, settings).keys()
    for name, indicator in indicators.items():
        if name in taken:
            found = _("indicator {name}, which the library has").format(name=name)
            yield name, "", Refusal("plugin-clash", found, _("a name of its own"))
        check = sql_types.check if name in texts else expressions.check
        for part, refusal in _refusals(name, indicator, columns, settings, check):
            yield name, part, refusal
    circle = _circle(indicators)
    if circle:
        found = _("a circle of indicators that read each other: {names}").format(names=", ".join(circle))
        yield circle[0], "value", Refusal("indicator-circle", found, _("one that reads the other"))


def _refusals(
    name: str,
    indicator: Indicator,
    columns: Mapping[str, type[pl.DataType]],
    settings: Mapping[str, Setting],
    check: Check,
) -> Iterator[tuple[str, Refusal]]:
    if indicator.table:
        of_units = {name for name, each in SCHEMAS.items() if {"unit", "project"} & each.dtypes.keys()}
        with_units = sorted({*of_units, "returns"} - {"quotas"})
        if indicator.table not in with_units:
            hint = nearest(indicator.table, with_units)
            yield "table", Refusal("unknown-table", indicator.table, ", ".join(with_units), hint)
            return
        schema: Mapping[str, pl.DataType | type[pl.DataType]] = tally_schema(indicator.table, settings)
        as_number = check(indicator.value, schema, pl.Int64)
        as_condition = check(indicator.value, schema, pl.Boolean)
        for refusal in as_number if as_condition else ():
            yield "value", refusal
        return
    schema = {other: dtype for other, dtype in columns.items() if other != name}
    expected = columns[name]
    if indicator.counting:
        summed = indicator.counting == "total" and not check(indicator.value, schema, pl.Int64)
        expected = pl.Int64 if summed else pl.Boolean
    elif indicator.within in {"rank", "size", "mean"}:
        expected = _compared(indicator, schema, check)
    for refusal in check(indicator.value, schema, expected):
        if (refusal.code, refusal.node) == ("unknown-column", name):
            found = _("an indicator that reads itself: {name}").format(name=name)
            yield "value", Refusal("indicator-circle", found, _("one that reads others"))
        else:
            yield "value", refusal
    if indicator.at is not None:
        for refusal in check(indicator.at, dict.fromkeys(MOMENTS, pl.Boolean), pl.Boolean):
            yield "at", refusal


def _compared(
    indicator: Indicator, schema: Mapping[str, pl.DataType | type[pl.DataType]], check: Check
) -> type[pl.DataType]:
    """Return the type of what is ranked, counted or averaged among peers: a ratio where it is none of whole numbers."""
    whole = not check(indicator.value, schema, pl.Int64)
    return pl.Int64 if whole else pl.Float64


def _circle(indicators: Mapping[str, Indicator]) -> list[str]:
    own = {name: each for name, each in indicators.items() if not each.table}
    graph = {name: sorted(own.keys() & set(each.value.meta.root_names()) - {name}) for name, each in own.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        return sorted(set(circle.args[1]))
    return []
