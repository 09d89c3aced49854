"""A whole year over a population: the rules alone, on amounts of the caller's own."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl
from attrs import define

from kpi_rules.locale import _
from kpi_rules.model.calendar import DAY, ticks
from kpi_rules.pipeline.decide import decide
from kpi_rules.pipeline.measures import EVENTS, event_frame
from kpi_rules.pipeline.memory import keep_memory
from kpi_rules.pipeline.panel import Panel
from kpi_rules.pipeline.rulebook import missing_column
from kpi_rules.pipeline.source import whole_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from kpi_rules.model.calendar import Tick
    from kpi_rules.pipeline.decided import Decided
    from kpi_rules.pipeline.rulebook import Rulebook


@define(frozen=True, eq=False)
class CallerSource:
    """Whole numbers per tick from a caller's frames."""

    population: pl.DataFrame
    credited: tuple[pl.Series, ...]
    before_campaign: Mapping[int, pl.Series]
    """By number of a tick in a campaign, what was credited by the day before the campaign."""

    @property
    def units(self) -> pl.DataFrame:
        """The columns that name a unit."""
        return self.population.select("unit", "group")

    def at(self, here: int) -> pl.DataFrame:
        """Return the whole numbers of every unit at tick number `here`."""
        before = self.before_campaign.get(here)
        return self.population.hstack([self.credited[here], *([before] if before is not None else [])])


class Outcome:
    """What the rules decided over a population; frames are made at their first use.

    `events` are those of `Assessment.events`; `withheld` the months withheld per unit and hold; `last` the
    indicators that rules read, at the last tick; `active` which measures are in force at the end, one Boolean column
    a rule.
    """

    def __init__(self, decided: Decided, panel_ticks: tuple[Tick, ...], units: pl.Series, year: int) -> None:
        """Keep what was decided."""
        self.decided = decided
        self.ticks = panel_ticks
        self._units = units
        self._year = year

    @cached_property
    def events(self) -> pl.DataFrame:
        """`year, tick, rule, unit, measure, event, amount`."""
        return event_frame(self.decided.events, self.ticks, self._units, self._year).select(*EVENTS)

    @cached_property
    def withheld(self) -> pl.DataFrame:
        """`unit`, `rule`, `month` (its last day), `measure`: every month that a hold withholds."""
        booked = event_frame(self.decided.bookings, self.ticks, self._units, self._year)
        return booked.select("unit", "rule", "tick", "measure").rename({"tick": "month"})

    @cached_property
    def last(self) -> pl.DataFrame:
        """`unit` and the indicators that rules read, at the last tick."""
        frame = self.decided.frame(len(self.ticks) - 1)
        return frame.select(pl.lit(self._units).alias("unit"), pl.all())

    @cached_property
    def active(self) -> pl.DataFrame:
        """`unit` and one Boolean column a rule: which measures are in force after the last tick."""
        return pl.DataFrame({"unit": self._units, **self.decided.active})


def run(rulebook: Rulebook, units: pl.DataFrame, credited: Mapping[date, pl.Series]) -> Outcome:
    """Run a whole year over a population; see `Rulebook.run`."""
    terms = rulebook.terms
    if "group" not in units.columns:
        units = units.with_columns(group=pl.lit(None, pl.String))
    all_ticks = tuple(tick for tick in ticks(terms.year, terms.campaigns, max(credited)) if not tick.interim)
    missing = [str(tick.on) for tick in all_ticks if tick.on not in credited]
    if missing:
        raise ValueError(_("no credited amounts at the ticks {days}").format(days=", ".join(missing)))
    short = [str(day) for day, amounts in credited.items() if len(amounts) != len(units)]
    if short:
        raise ValueError(_("another number of amounts than of units at {days}").format(days=", ".join(short)))
    absent = (whole_numbers(rulebook.columns, terms.primary) | {f"{terms.primary}_quota"}) - {"funds", *units.columns}
    if absent:
        raise missing_column(min(absent), units.columns)
    none = units.filter(pl.col(f"{terms.primary}_quota") <= 0)["unit"]
    if len(none):
        text = _("a quota is above 0, or null for no target; not so of {count} units, the first is {unit}")
        raise ValueError(text.format(count=len(none), unit=none[0]))
    columns = tuple(credited[tick.on].rename("funds") for tick in all_ticks)
    source = CallerSource(units, columns, _before_campaigns(rulebook, all_ticks, credited))
    panel = Panel(source, all_ticks, terms)
    keep_memory()
    outputs = [
        name
        for name in ("funds", "funds_quota", "completion", "pace_gap", "lag")
        if name in rulebook.columns or name == "funds"
    ]
    decided = decide(panel, rulebook, outputs=outputs, every_tick=False)
    return Outcome(decided, all_ticks, units["unit"], terms.year.label)


def _before_campaigns(
    rulebook: Rulebook, all_ticks: tuple[Tick, ...], credited: Mapping[date, pl.Series]
) -> dict[int, pl.Series]:
    """Return what was credited by the day before each campaign, where a rule reads a campaign's figures."""
    if not any(name.startswith("campaign_") for name in rulebook.columns):
        return {}
    terms = rulebook.terms
    found = {}
    for here, tick in enumerate(all_ticks):
        campaign = next((each for each in terms.campaigns if each.start <= tick.on <= each.end), None)
        if campaign is None:
            continue
        day = campaign.start - DAY
        if day >= terms.year.start and day not in credited:
            raise ValueError(_("no credited amounts at {day}, the day before a campaign").format(day=day))
        before = credited.get(day, credited[tick.on] * 0)
        found[here] = before.rename("funds_before_campaign")
    return found
