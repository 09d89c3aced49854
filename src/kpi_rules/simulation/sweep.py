"""Sweep: what becomes of one unit, by how much of its task it has met at a review; where that jumps, and where more
credit makes it worse.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import polars as pl

from kpi_rules.locale import _
from kpi_rules.model.calendar import DAY, month_end, ticks
from kpi_rules.model.money import LIMIT
from kpi_rules.model.problems import AssessmentError, Place, error, nearest
from kpi_rules.pipeline.assess import rulebook
from kpi_rules.simulation.outcome import Severity
from kpi_rules.simulation.past import past
from kpi_rules.simulation.perverse import stretches
from kpi_rules.simulation.search import Search
from kpi_rules.simulation.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kpi_rules.model.calendar import Tick
    from kpi_rules.model.problems import Problem
    from kpi_rules.pipeline.panel import Terms
    from kpi_rules.simulation.outcome import Outcome
    from kpi_rules.workspace.workspace import Workspace

STEPS: Final = 300
"""How many parts a profile has where nothing else is asked for: half a per cent of the task each."""

MOST_STEPS: Final = 10_000
HIGHEST: Final = 10
"""The highest completion that can be asked for."""

REVIEWS: Final = frozenset({"at_mid_year", "at_campaign_end", "at_review", "at_year_end"})
"""The moments of a tick that make it a review."""

Columns: TypeAlias = dict[str, pl.DataType | type[pl.DataType]]

_NAMES: Final = pl.List(pl.String)
_PROFILE: Final[Columns] = {
    "credited": pl.Int64,
    "completion": pl.Float64,
    "measures": _NAMES,
    "later": _NAMES,
    "months": pl.Int64,
    "withheld": pl.Int64,
    "released": pl.Int64,
    "outstanding": pl.Int64,
    "rewarded": pl.Int64,
    "forfeited": pl.Int64,
}
_JUMPS: Final[Columns] = {
    "below": pl.Int64,
    "above": pl.Int64,
    "completion_below": pl.Float64,
    "completion_above": pl.Float64,
    "gained": _NAMES,
    "lost": _NAMES,
    "gained_later": _NAMES,
    "lost_later": _NAMES,
    "months": pl.Int64,
    "withheld": pl.Int64,
    "released": pl.Int64,
    "outstanding": pl.Int64,
    "rewarded": pl.Int64,
    "forfeited": pl.Int64,
    "per_yuan": pl.Int64,
}
_PERVERSE: Final[Columns] = {
    "aspect": pl.String,
    "from": pl.Int64,
    "to": pl.Int64,
    "completion_from": pl.Float64,
    "completion_to": pl.Float64,
    "than": pl.Int64,
    "measures": _NAMES,
    "measures_than": _NAMES,
    "months": pl.Int64,
    "cost": pl.Int64,
    "better_in": _NAMES,
}


class Sweep:
    """The profile of one unit's consequences over its credit at a review; every attribute is a polars frame made at its
    first use. Money is fen; credit is fen, or a whole number where the primary indicator counts.

    `unit`, `on` (the review), `as_of` (the last day known), `until` (the last day counted), `quota` and `workspace` say
    what was asked; `rules` are the rules that ran, by id.
    """

    def __init__(self, search: Search, on: date) -> None:
        """Keep what was looked at; `kpi_rules.sweep` is the way to make one."""
        self._search, self.on = search, on
        standing = search.standing
        self.unit: str = standing.past.units["unit"][standing.own]
        self.as_of, self.until = standing.past.as_of, standing.past.ticks[-1].on
        self.quota, self.workspace = standing.quota, standing.past.workspace
        self.rules = standing.job.rulebook.rules
        self._severity = Severity(standing.job.rulebook.rules)
        changes = search.changes()
        self._jumping = search.jumps(changes)
        self._points = sorted({*search.raster, *(credit for pair in changes for credit in pair)})

    def __repr__(self) -> str:
        """Name the unit and the review, on one line."""
        return f"<Sweep of {self.unit!r} at {self.on} until {self.until}: {len(self._jumping)} jumps>"

    @cached_property
    def profile(self) -> pl.DataFrame:
        """`credited, completion, measures, later, months, withheld, released, outstanding, rewarded, forfeited`: one
        row for each point of the raster and for both sides of each jump, by rising credit.

        `measures` are the rules whose measures are in force after the review or issued at it, `later` those of the
        others that start or are issued by `until` if nothing more comes. `months`, `withheld`, `released` and
        `rewarded` count from the review on, the review included; `outstanding` and `forfeited` are what is held and
        forfeited at the end, whenever that was.
        """
        shown = sorted({*self._search.asked, *(credit for pair in self._jumping for credit in pair)})
        rows = [self._row(self._search.outcomes[credit]) for credit in shown]
        return pl.DataFrame(rows, schema=_PROFILE)

    @cached_property
    def jumps(self) -> pl.DataFrame:
        """`below, above, completion_below, completion_above, gained, lost, gained_later, lost_later, months, withheld,
        released, outstanding, rewarded, forfeited, per_yuan`: one row for each jump, by rising credit.

        `below` and `above` are the credits either side, one fen apart; what follows is what is there above and not
        below, or the number above less that below. `per_yuan` is what one yuan of credit changes there, in yuan that
        the unit gains (pay held and deposits forfeited, less rewards); null where the primary indicator is no money.
        """
        outcomes = self._search.outcomes
        rows = [self._jump(outcomes[low], outcomes[high]) for low, high in self._jumping]
        return pl.DataFrame(rows, schema=_JUMPS)

    @cached_property
    def perverse(self) -> pl.DataFrame:
        """`aspect, from, to, completion_from, completion_to, than, measures, measures_than, months, cost, better_in`:
        the stretches of credit at which the unit is worse off than with less credit.

        `aspect` is in what: `measures`, `favours`, `months`, `fen` (`simulation.outcome.Severity` has the order);
        `than` is the greatest lesser credit at which it is better off. `measures` and `measures_than` hit it at `from`
        and at `than`, at the review or later; `months` and `cost` are the numbers at `from` less those at `than`, and
        `better_in` the aspects in which `from` is better all the same.
        """
        found = stretches(self._search, self._points, self._severity)
        rows = []
        for aspect, first, last, than in found:
            here, there = (self._search.outcomes[credit] for credit in (first, than))
            values = (
                aspect,
                first,
                last,
                first / self.quota,
                last / self.quota,
                than,
                sorted(here.every),
                sorted(there.every),
                here.months - there.months,
                here.cost - there.cost,
                self._severity.better_somewhere(here, there),
            )
            rows.append(dict(zip(_PERVERSE, values, strict=True)))
        return pl.DataFrame(rows, schema=_PERVERSE)

    def _row(self, outcome: Outcome) -> dict[str, Any]:
        own = {name: getattr(outcome, name) for name in _PROFILE if name != "completion"}
        return {**own, "completion": outcome.credited / self.quota}

    def _jump(self, below: Outcome, above: Outcome) -> dict[str, Any]:
        numbers = ("months", "withheld", "released", "outstanding", "rewarded", "forfeited")
        is_money = self._search.standing.is_money
        return {
            "below": below.credited,
            "above": above.credited,
            "completion_below": below.credited / self.quota,
            "completion_above": above.credited / self.quota,
            "gained": _only(above.measures, below.measures),
            "lost": _only(below.measures, above.measures),
            "gained_later": _only(above.later, below.later),
            "lost_later": _only(below.later, above.later),
            **{name: getattr(above, name) - getattr(below, name) for name in numbers},
            "per_yuan": below.cost - above.cost if is_money else None,
        }


def _only(these: Iterable[str], not_those: Iterable[str]) -> list[str]:
    return sorted(set(these) - set(not_those))


def sweep(  # noqa: PLR0913 (what is asked; all but two by name)
    workspace: Workspace,
    unit: str,
    *,
    on: date | None = None,
    as_of: date | None = None,
    until: date | None = None,
    known_at: date | None = None,
    low: Decimal | float = 0,
    high: Decimal | float = Decimal("1.5"),
    steps: int = STEPS,
) -> Sweep:
    """Scan one unit's consequences over its completion at a review, everything else as it stands (M19).

    What the evidence says by `as_of` is assessed as `assess` does it. From then on nothing comes, but that at the
    review the unit has the credit looked at, and keeps it. Others, against whom it is ranked, stay as they are, and so
    do its other figures. At every point the rules run from `as_of` on to `until`, by the engine that decides; every
    proposal counts as approved on its tick, and what is held of somebody is that of the unit taken by itself.

    Args:
        workspace: without errors.
        unit: its id; it has a quota of the primary indicator at the review.
        on: the review, any tick after `as_of`; by default the next mid-year, campaign end, announced review or year
            end.
        as_of: the last day known; by default the day before the review, and the review the year end.
        until: the last day counted; by default the year end, and for a review at or after it the next month-end.
        known_at: as in `assess`.
        low: the least completion, 0 or more.
        high: the greatest, above `low`, at most 10.
        steps: in how many parts the profile cuts what is between them, from 1 to 10,000. Jumps are found to the fen
            whatever it is: only a condition that changes and changes back within one of these parts, and within one of
            300, can be missed, which none does whose sides rise, fall or stay as credit rises.

    Returns:
        The sweep: profile, jumps and perverse stretches.

    Raises:
        AssessmentError: as `assess` has it; there is no such unit, it has no quota, `on` is no tick to come, or a
            number is out of bounds.
    """
    if workspace.errors:
        raise AssessmentError(workspace.errors)
    terms = rulebook(workspace).terms
    _check_numbers(low, high, steps)
    row = _unit(workspace, unit)
    on = _review(terms, on, as_of)
    as_of = on - DAY if as_of is None else as_of
    if until is None:
        until = terms.year.end if on < terms.year.end else month_end(on + DAY)
    if until < on:
        _refuse("until", str(until), _("a day not before the review on {day}").format(day=on))
    standing = Standing.of(past(workspace, as_of, until, known_at), row, on)
    if standing.quota <= 0:
        found = _("unit {unit} without a quota of {indicator}").format(unit=unit, indicator=terms.primary)
        _refuse("unit", found, _("a unit with a quota on {day}").format(day=on), code="no-quota")
    ends = int(standing.quota * Decimal(str(low))), int(standing.quota * Decimal(str(high)))
    asked = _raster(*ends, steps)
    return Sweep(Search(standing, sorted({*asked, *_raster(*ends, STEPS)}), asked), on)


def _raster(low: int, high: int, steps: int) -> list[int]:
    """Return the credits of a raster, whole numbers none of which is above what any total may be."""
    return sorted({min(low + (high - low) * step // steps, LIMIT) for step in range(steps + 1)})


def _check_numbers(low: object, high: object, steps: object) -> None:
    problems = []
    numbers = [each for each in (low, high) if isinstance(each, (int, float, Decimal)) and not isinstance(each, bool)]
    if len(numbers) < len((low, high)) or not 0 <= numbers[0] < numbers[1] <= HIGHEST:
        expected = _("a least and a greatest completion, from 0 to {most}").format(most=HIGHEST)
        problems.append(_problem("low, high", f"{low!r}, {high!r}", expected, "bad-number"))
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MOST_STEPS:
        expected = _("a whole number from {least} to {most}").format(least=1, most=MOST_STEPS)
        problems.append(_problem("steps", repr(steps), expected, "bad-number"))
    if problems:
        raise AssessmentError(problems)


def _unit(workspace: Workspace, unit: str) -> int:
    """Return the row of a unit."""
    ids = workspace.tables.units["unit"].to_list()
    if unit not in ids:
        found, hint = _("the unknown unit {unit}").format(unit=unit), nearest(str(unit), ids)
        _refuse("unit", found, _("the id of a unit"), hint, code="unknown-unit")
    return ids.index(unit)


def _review(terms: Terms, on: date | None, as_of: date | None) -> date:
    """Return the day of the review."""
    year = terms.year
    if on is None and as_of is None:
        return year.end
    last = max(year.end, *(day for day in (on, as_of) if type(day) is date))
    coming = [each for each in ticks(year, terms.campaigns, month_end(last + DAY)) if not each.interim]
    coming = [each for each in coming if as_of is None or each.on > as_of]
    if on is None:
        return next((each.on for each in coming if each.moments & REVIEWS), coming[0].on)
    if on not in [each.on for each in coming]:
        _refuse("on", str(on), _("a tick after the last day known: one of {choices}").format(choices=_days(coming)))
    return on


def _days(coming: Sequence[Tick]) -> str:
    return ", ".join(str(tick.on) for tick in coming)


def _problem(key: str, found: str, expected: str, code: str, hint: str | None = None) -> Problem:
    return error(code, Place(key=key), found=found, expected=expected, nearest=hint)


def _refuse(key: str, found: str, expected: str, hint: str | None = None, code: str = "bad-date") -> None:
    raise AssessmentError([_problem(key, found, expected, code, hint)])
