"""What cases run against: a workspace, its rulebook, and the columns that a row may have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from kpi_rules.model.calendar import MOMENTS
from kpi_rules.model.columns import rule_schema
from kpi_rules.model.contributions import SCALED
from kpi_rules.model.expressions import correctly_rounded
from kpi_rules.pipeline.assess import rulebook
from kpi_rules.pipeline.panel import with_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from kpi_rules.model.contributions import Indicator
    from kpi_rules.pipeline.rulebook import Rulebook
    from kpi_rules.workspace.workspace import Workspace

MONEY = frozenset({"funds", "contracted", "vouchers", "campaign_funds"})
"""Indicators of the library that hold fen; what is made of them (`funds_quota`) is money too."""

OF_QUOTA = ("_quota", "_quota_original", "_stretch")


class Ground:
    """A workspace without errors, ready for cases; `columns` are those of a row, with their types."""

    def __init__(self, workspace: Workspace) -> None:
        """Bind the rules once for all cases."""
        self.workspace = workspace
        self.book: Rulebook = rulebook(workspace)
        self.indicators: Mapping[str, Indicator] = workspace.plugins.indicators
        schema = rule_schema(self.indicators, {})
        self.columns = {name: dtype for name, dtype in schema.items() if name != "group"}
        config = workspace.config
        self._primary = config.primary if config is not None else "funds"

    def is_money(self, name: str) -> bool | None:
        """Say whether a column of whole numbers holds fen; None for a column of no indicator."""
        base = self._primary if name == "campaign_quota" else name
        for ending in OF_QUOTA:
            base = base.removesuffix(ending)
        if base in self.indicators:
            return self.indicators[base].kind == "money" and self.indicators[base].within not in {"rank", "size"}
        return base in MONEY if base in self.columns or name in self.columns else None

    def row(self, given: Mapping[str, Any], group: str | None, on: date) -> pl.DataFrame:
        """Return one row: what is given, moments that are not given as not now, row-wise indicators of policies
        computed from it, parameters in force, and everything else not known.
        """
        known = dict.fromkeys(MOMENTS, False) | dict(given)
        columns = [pl.Series(name, [known.get(name)], dtype=dtype) for name, dtype in self.columns.items()]
        frame = pl.DataFrame([*columns, pl.Series("group", [group], dtype=pl.String)])
        frame = with_parameters(frame, self.workspace.parameters, on, self._parameters())
        for name in self._order(given):
            value = correctly_rounded(self.indicators[name].value)
            frame = frame.with_columns(value.cast(self.columns[name]).alias(name))
        return frame

    def _parameters(self) -> list[str]:
        """Return every parameter that a column can hold."""
        declared = self.workspace.parameters.declared
        plain = [name for name, setting in declared.items() if setting.kind != "texts"]
        return plain + [name + SCALED for name in plain if declared[name].kind == "ratio"]

    def _order(self, given: Mapping[str, Any]) -> list[str]:
        """Return the row-wise indicators that were not given, those that others read first."""
        left = {
            name: {root for root in each.value.meta.root_names() if root in self.indicators}
            for name, each in self.indicators.items()
            if name not in given and not (each.table or each.within or each.counting)
        }
        order: list[str] = []
        while left:
            ready = sorted(name for name, needs in left.items() if not needs & left.keys())
            if not ready:  # a circle, which the workspace's own check has named
                break
            order += ready
            for name in ready:
                del left[name]
        return order
