"""Scorecards: points, grades, ranks, prizes and lists (M11, M16, M19), configured in `kpi.toml` without Python.

What the tables may say is in `config`; `build` makes indicators and rules of them, `scoring` and `tracks` the
expressions, `analysis` finds what is wrong with a table, `exact` says how points stay exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define

import kpi_rules as kr
from kpi_rules import N_
from kpi_scorecard.config import BlackList, Deduction, Item, Minmax, Prize, RedList, Table, Track, Veto
from kpi_scorecard.ranking import listed, ranking

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import click

__all__ = ["Settings", "listed", "ranking"]


@define(frozen=True)
class Settings:
    """What an administrator may write, as `[[scorecard.<table>]]`."""

    track: tuple[Track, ...] = kr.tables(
        Track, label=N_("Tracks"), help=N_("A scorecard by name: what is done with missing targets, rounding, grades")
    )
    item: tuple[Item, ...] = kr.tables(
        Item, label=N_("Items"), help=N_("Points for an indicator against a target, with bonus and malus")
    )
    table: tuple[Table, ...] = kr.tables(
        Table, label=N_("Tier tables"), help=N_("Points by rows of conditions on one or several columns")
    )
    deduction: tuple[Deduction, ...] = kr.tables(
        Deduction, label=N_("Deductions"), help=N_("Points off for each of something counted, down to a floor")
    )
    minmax: tuple[Minmax, ...] = kr.tables(
        Minmax, label=N_("Places in the group"), help=N_("Points between the least and the most of the peer group")
    )
    veto: tuple[Veto, ...] = kr.tables(
        Veto, label=N_("Vetoes"), help=N_("What shuts a unit out of ranking and prizes, or sets its total to 0")
    )
    prize: tuple[Prize, ...] = kr.tables(Prize, label=N_("Prizes"), help=N_("Prizes for the first of a peer group"))
    red_list: tuple[RedList, ...] = kr.tables(RedList, label=N_("Red lists"), help=N_("Units that do well"))
    black_list: tuple[BlackList, ...] = kr.tables(BlackList, label=N_("Black lists"), help=N_("Units that do badly"))


@kr.hookimpl
def kpi_settings() -> type:
    """Give the settings of this policy."""
    return Settings


@kr.hookimpl
def kpi_configured(tables: Mapping[str, tuple[Any, ...]]) -> kr.Configured:
    """Give the indicators and rules that the tables say, or what is wrong with them."""
    from kpi_scorecard.build import Building

    return Building(tables).build()


@kr.hookimpl
def kpi_commands() -> Sequence[click.Command]:
    """Give `kpi-rules scorecard`."""
    from kpi_scorecard.commands import SCORECARD

    return [SCORECARD]
