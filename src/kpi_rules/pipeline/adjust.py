"""Which adjustments apply, and what they read of each project on a day: parameters, factors, sizes, samples (M14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_rules.model.contributions import SCALED
from kpi_rules.pipeline.lookups import eligibility_of, factor_of, sample_of
from kpi_rules.pipeline.panel import with_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    import polars as pl

    from kpi_rules.model.contributions import Credit
    from kpi_rules.model.settings import Parameters
    from kpi_rules.workspace.tables import Tables


def applied(credits: Mapping[str, Credit], parameters: Parameters, tables: Tables) -> dict[str, Credit]:  # noqa: A002 (the field's word)
    """Return the adjustments that apply: those that need nothing, or what is there: a written parameter, a table
    with rows.
    """

    def is_there(need: str) -> bool:
        return bool(parameters.entries.get(need)) if "." in need else len(getattr(tables, need)) > 0

    return {name: each for name, each in credits.items() if not each.needs or any(map(is_there, each.needs))}


def project_columns(
    credits: Mapping[str, Credit],  # noqa: A002 (the field's word)
    parameters: Parameters,
    tables: Tables,
) -> Callable[[date], pl.DataFrame]:
    """Return a function of a date giving what the adjustments read besides the project's row: `group`, the parameters
    in force for the group of its own unit, and what the tables of rules say of it.
    """
    names = {root for each in credits.values() for root in each.amount.meta.root_names()}
    projects = tables.projects
    groups = projects.select("unit").join(
        tables.units.select("unit", "group"), on="unit", how="left", maintain_order="left"
    )

    def columns(on: date) -> pl.DataFrame:
        found = with_parameters(groups.select("group"), parameters, on, names)
        if f"factor{SCALED}" in names:
            found = found.with_columns(factor_of(projects, tables.factors, on).alias(f"factor{SCALED}"))
        if "least" in names:
            found = found.with_columns(eligibility_of(projects, tables.eligibility, on)["least"])
        if names & {"sample_reported", "sample_confirmed"}:
            found = found.hstack(sample_of(projects, tables.samples, on))
        return found

    return columns
