"""Names that expressions are written with: the moments as `at.<name>`, the indicators as `unit.<name>`.

The library's own are listed, so that editors complete them; those of policies are found by their names all the same.
"""

from __future__ import annotations

import polars as pl

from kpi_rules.model.calendar import MOMENTS


class Moments:
    """The moments as expressions: `at.campaign_end` is the Boolean column `at_campaign_end`."""

    month_end: pl.Expr
    mid_year: pl.Expr
    quarter_end: pl.Expr
    half_year_end: pl.Expr
    campaign_end: pl.Expr
    review: pl.Expr
    year_end: pl.Expr

    def __init__(self) -> None:
        for moment in MOMENTS:
            setattr(self, moment.removeprefix("at_"), pl.col(moment))


class UnitColumns:
    """The indicators of a unit as expressions: `unit.completion` is the column `completion`, checked when rules are
    loaded.
    """

    unit: pl.Expr
    group: pl.Expr
    kind: pl.Expr
    funds: pl.Expr
    funds_quota: pl.Expr
    funds_quota_original: pl.Expr
    funds_completion: pl.Expr
    funds_stretch: pl.Expr
    funds_stretch_completion: pl.Expr
    funds_quality: pl.Expr
    funds_overdue: pl.Expr
    signed: pl.Expr
    signed_quota: pl.Expr
    signed_quota_original: pl.Expr
    signed_completion: pl.Expr
    signed_stretch: pl.Expr
    signed_stretch_completion: pl.Expr
    signed_quality: pl.Expr
    signed_overdue: pl.Expr
    started: pl.Expr
    started_quota: pl.Expr
    started_quota_original: pl.Expr
    started_completion: pl.Expr
    started_stretch: pl.Expr
    started_stretch_completion: pl.Expr
    started_quality: pl.Expr
    started_overdue: pl.Expr
    producing: pl.Expr
    producing_quota: pl.Expr
    producing_quota_original: pl.Expr
    producing_completion: pl.Expr
    producing_stretch: pl.Expr
    producing_stretch_completion: pl.Expr
    producing_quality: pl.Expr
    producing_overdue: pl.Expr
    completion: pl.Expr
    expected: pl.Expr
    pace_gap: pl.Expr
    lag: pl.Expr
    expected_numerator: pl.Expr
    expected_denominator: pl.Expr
    rank: pl.Expr
    group_size: pl.Expr
    contracted: pl.Expr
    vouchers: pl.Expr
    recognised: pl.Expr
    arrival_rate: pl.Expr
    start_rate: pl.Expr
    production_rate: pl.Expr
    campaign_funds: pl.Expr
    campaign_signed: pl.Expr
    campaign_started: pl.Expr
    campaign_producing: pl.Expr
    campaign_quota: pl.Expr
    campaign_completion: pl.Expr
    campaign_rank: pl.Expr

    def __getattr__(self, name: str) -> pl.Expr:
        if name.startswith("__"):  # what Python itself looks for, such as `__deepcopy__`
            raise AttributeError(name)
        return pl.col(name)

    def __dir__(self) -> list[str]:
        return sorted(self.__annotations__)


at = Moments()
unit = UnitColumns()
