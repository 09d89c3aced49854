"""The indicators of policies in an explanation: what each is, what it was made of, and which row of its table held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import asdict, define

from kpi_rules.locale import _, translate
from kpi_rules.model.columns import quota_indicators
from kpi_rules.model.expressions import correctly_rounded
from kpi_rules.model.money import format_amount

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import polars as pl

    from kpi_rules.hooks.manager import Plugins
    from kpi_rules.model.contributions import Indicator

RATIOS: Final = frozenset({"expected", "pace_gap"})
"""The library's ratios that are written in percent besides completions and rates."""

Figure = bool | int | float | str | None


@define(frozen=True)
class IndicatorExplanation:
    """An indicator of a policy for one unit at one tick.

    Attributes:
        name, label, kind, plugin: of the indicator.
        value: what it is; money in fen.
        text: the value as people write it.
        reads: the columns it was made of, with their values; of a sum over a table only the table is known.
        row: the row of a tier table that held, as the policy names it; None where there is no table or no such row.
        sources: what it implements.
    """

    name: str
    label: str
    kind: str
    plugin: str
    value: Figure
    text: str
    reads: Mapping[str, str]
    row: str | None
    sources: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return it as plain data."""
        return {**asdict(self), "reads": dict(self.reads), "sources": list(self.sources)}

    def line(self) -> str:
        """Return it as one line in the user's language."""
        name = f"{self.name} ({self.label})" if self.label else self.name
        parts = [f"{name}: {self.text}"]
        if self.reads:
            read = ", ".join(f"{column} {value}" for column, value in self.reads.items())
            parts.append(_("from {columns}").format(columns=read))
        if self.row is not None and self.row != self.text:
            parts.append(_("row {row}").format(row=self.row) if self.row.isdigit() else self.row)
        return "; ".join(parts)


def explained(
    plugins: Plugins, row: pl.DataFrame, wanted: Collection[str] | None = None
) -> tuple[IndicatorExplanation, ...]:
    """Explain every indicator of policies that has a value, in the order of their names.

    Args:
        plugins: whose indicators.
        row: one unit at one tick, with the indicators and, as far as they are there, the columns they are made of.
        wanted: the indicators to explain; by default all.
    """
    money = money_columns(plugins.indicators)
    return tuple(
        _explained(name, indicator, plugins, row, money)
        for name, indicator in sorted(plugins.indicators.items())
        if name in row.columns and row[name][0] is not None and (wanted is None or name in wanted)
    )


def money_columns(indicators: Mapping[str, Indicator]) -> set[str]:
    """Return the columns of a panel that hold fen."""
    own = {"contracted", "vouchers", "campaign_funds", "campaign_quota"}
    sums = [name for name in quota_indicators(indicators) if name == "funds" or _is_money(indicators.get(name))]
    of_quotas = {f"{name}{suffix}" for name in sums for suffix in ("", "_quota", "_quota_original", "_stretch")}
    return own | of_quotas | {name for name, each in indicators.items() if _is_money(each)}


def _is_money(indicator: Indicator | None) -> bool:
    return indicator is not None and indicator.kind == "money" and indicator.within not in {"rank", "size"}


def _explained(
    name: str, indicator: Indicator, plugins: Plugins, row: pl.DataFrame, money: set[str]
) -> IndicatorExplanation:
    plugin = plugins.provenance("indicator", name)
    reads = {each: row[each][0] for each in read_by(indicator) if each in row.columns}
    held = None
    for label, condition in indicator.rows.items():
        if set(condition.meta.root_names()) <= set(row.columns) and row.select(correctly_rounded(condition)).item():
            held = label
            break
    return IndicatorExplanation(
        name,
        translate(indicator.label, indicator.domain) if indicator.label else "",
        indicator.kind,
        plugin.name if plugin is not None else "",
        row[name][0],
        written(name, row[name][0], money),
        {each: written(each, value, money) for each, value in reads.items()},
        held,
        indicator.sources,
    )


def read_by(indicator: Indicator) -> list[str]:
    """Return the columns that an indicator and the rows of its table read; none of a sum over a table."""
    if indicator.table:
        return []
    both = (indicator.value, *indicator.rows.values())
    return list(dict.fromkeys(name for each in both for name in each.meta.root_names()))


def written(name: str, value: Any, money: set[str]) -> str:  # noqa: ANN401 (whatever a column holds)
    """Write a figure: money as amounts, completions in percent, other ratios with up to four places."""
    if value is None:
        return _("none")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name in money and isinstance(value, int):
        return format_amount(value)
    if isinstance(value, float):
        in_percent = name.endswith(("completion", "_rate")) or name in RATIOS
        return f"{value:.2%}" if in_percent else f"{value:.4f}".rstrip("0").rstrip(".")
    return str(value)
