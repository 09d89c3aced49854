"""The adjustments of step 5 that the library has: off until `[adjustment]` or a table asks for them (M14).

They apply in order of their names, as everybody's do. The caps and the whole task that come after sharing are read from
the same section by `kpi_rules.pipeline.task`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from attrs import define

from kpi_rules.hooks.specs import hookimpl
from kpi_rules.locale import N_
from kpi_rules.model.contributions import Credit, parameters, share_of
from kpi_rules.model.settings import choice, flag, money

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "adjustment"
"""The section of `kpi.toml`."""

NONE = "2000亿"
"""No amount is above it, so that nothing is cut."""


@define(frozen=True)
class Settings:
    """What an administrator may choose, as `[adjustment]` in kpi.toml."""

    samples: str = choice(
        "off",
        choices=("off", "declared", "all"),
        label=N_("Audited samples"),
        help=N_("Whose amounts are multiplied by confirmed / reported of the table samples"),
    )
    eligibility: bool = flag(
        default=False,
        label=N_("Least sizes count"),
        help=N_("Whether a project below the least size of its sector is credited nothing"),
    )
    project_cap: int = money(NONE, label=N_("Cap per project"), help=N_("A project is credited at most this"))
    claim_cap: int = money(
        NONE, label=N_("Cap per claim"), help=N_("A unit is credited at most this of any one project")
    )
    unit_cap: int = money(
        NONE, label=N_("Cap per unit"), help=N_("A unit is credited at most this of all its own claims together")
    )
    whole_task_from: int = money(
        NONE,
        label=N_("Whole task from"),
        help=N_("A unit credited with at least this of one project has met its task"),
    )


p = parameters(NAME, Settings)


@hookimpl
def kpi_settings() -> type:
    """The section `[adjustment]`."""
    return Settings


@hookimpl
def kpi_credits() -> Sequence[Credit]:
    """Samples, factors, least sizes and the cap per project; each with a stage of its own where it is asked for."""
    credited, least = pl.col("credited"), pl.col("least")
    audited = (p.samples == "all") | ((p.samples == "declared") & (pl.col("evidence") == "declared"))
    scaled = credited.cast(pl.Int128) * pl.col("sample_confirmed") // pl.col("sample_reported")
    smallest = pl.when(least.is_null()).then(pl.col("verification.minimum_size")).otherwise(least)
    return [
        Credit(
            "audited_sample",
            amount=pl.when(audited & (pl.col("sample_reported") > 0))
            .then(scaled.cast(pl.Int64, strict=False))
            .otherwise(credited),
            needs=f"{NAME}.samples",
            label=N_("Audited sample"),
            sources=("M14", "M15"),
        ),
        Credit(
            "conversion",
            amount=pl.when(pl.col("factor:billionths").is_null())
            .then(credited)
            .otherwise(share_of(pl.col("factor"), credited)),
            needs="factors",
            label=N_("Conversion factor"),
            sources=("M14",),
        ),
        Credit(
            "eligibility",
            amount=pl.when(p.eligibility & (pl.col("contracted") < smallest)).then(0).otherwise(credited),
            needs=f"{NAME}.eligibility",
            label=N_("Least size"),
            sources=("M13",),
        ),
        Credit(
            "project_cap",
            amount=pl.min_horizontal(credited, p.project_cap),
            needs=f"{NAME}.project_cap",
            label=N_("Cap per project"),
            sources=("M14",),
        ),
    ]
