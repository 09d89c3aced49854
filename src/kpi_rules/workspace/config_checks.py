"""What the sections of `kpi.toml` mean together: the year, the campaigns in it, the reviews and the pace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Generic, TypeVar

from attrs import define

from kpi_rules.locale import _
from kpi_rules.model.calendar import Campaign, Year, month_end
from kpi_rules.workspace.amounts import FIRST_DAY, LAST_DAY
from kpi_rules.workspace.config_schema import (
    UNNAMED,
    CampaignSection,
    CreditSection,
    ForecastSection,
    Issue,
    PaceSection,
    PointSection,
    YearSection,
    shown,
)

MONTHS_AT_MOST = 12


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from fractions import Fraction

T = TypeVar("T")


@define(frozen=True)
class Numbered(Generic[T]):
    """A campaign or a point of a pace curve as written, with its place in the list, counted from 0."""

    number: int
    section: T


def year_issues(section: YearSection) -> Iterator[Issue]:
    """Check that a year lies where dates do, starts and ends at months' edges and has at most twelve months."""
    for key, day in (("start", section.start), ("end", section.end)):
        if not FIRST_DAY <= day <= LAST_DAY:
            yield Issue(("year", key), "year-out-of-range", shown(day), _("a date from 1900 to 2199"))
    if section.start.day != 1:
        yield Issue(("year", "start"), "year-not-at-month-edge", shown(section.start), _("the first day of a month"))
    if section.end != month_end(section.end):
        yield Issue(("year", "end"), "year-not-at-month-edge", shown(section.end), _("the last day of a month"))
    if section.end <= section.start:
        yield Issue(("year", "end"), "end-before-start", shown(section.end), _after_start(section.start))
    elif _months(section) > MONTHS_AT_MOST:
        yield Issue(
            ("year", "end"),
            "year-too-long",
            _("a year of {months} months").format(months=_months(section)),
            _("at most {months} months").format(months=MONTHS_AT_MOST),
        )


def _months(section: YearSection) -> int:
    start, end = section.start, section.end
    return (end.year - start.year) * 12 + end.month - start.month + 1


def _after_start(start: date) -> str:
    return _("a date after the start, {start}").format(start=start)


def review_issues(year: Year, raw: object) -> Iterator[Issue]:
    """Check that reviews fall into the year: all that are dates, also where others are not."""
    for number, on in enumerate(raw if isinstance(raw, list) else ()):
        if isinstance(on, date) and not isinstance(on, datetime):
            yield from outside(year, on, ("year", "reviews", number))


def outside(year: Year, on: date, path: tuple[str | int, ...]) -> Iterator[Issue]:
    """Check that one date falls into the year."""
    if not year.start <= on <= year.end:
        yield Issue(path, "outside-year", shown(on), _within(year))


def _within(year: Year) -> str:
    return _("a date from {start} to {end}, the assessment year").format(start=year.start, end=year.end)


def campaign_issues(campaigns: Sequence[Numbered[CampaignSection]], year: Year | None) -> Iterator[Issue]:
    """Check campaigns each by itself, against the year, and against each other."""
    for each in campaigns:
        yield from _one_campaign(each, year)
    for first, second in combinations(campaigns, 2):
        if first.section.id == second.section.id != UNNAMED:
            yield Issue(
                ("campaign", second.number, "id"),
                "duplicate-campaign",
                _("a second campaign {id}").format(id=shown(second.section.id)),
                _("an id of its own for each campaign, as each has its own results"),
            )
    yield from _overlaps([each for each in campaigns if each.section.start <= each.section.end])


def _one_campaign(each: Numbered[CampaignSection], year: Year | None) -> Iterator[Issue]:
    path, section = ("campaign", each.number), each.section
    if not section.id.strip():
        yield Issue(
            (*path, "id"), "empty-text", shown(section.id), _("a short name for the campaign, such as hundred_days")
        )
    if section.end < section.start:
        expected = _("the start, {start}, or a date after it").format(start=section.start)
        yield Issue((*path, "end"), "end-before-start", shown(section.end), expected)
    if not 0 < section.share <= 1:
        yield Issue(
            (*path, "share"), "out-of-bounds", _decimal(section.share), _("a share of the quota above 0 and at most 1")
        )
    if year is not None:
        yield from outside(year, section.start, (*path, "start"))
        yield from outside(year, section.end, (*path, "end"))


def _overlaps(campaigns: Sequence[Numbered[CampaignSection]]) -> Iterator[Issue]:
    """Name every pair of campaigns that share a day, at the one that starts later."""
    for pair in combinations(campaigns, 2):
        first, second = sorted(pair, key=lambda each: (each.section.start, each.number))
        if second.section.start <= first.section.end:
            yield Issue(
                ("campaign", second.number, "start"),
                "overlapping-campaigns",
                _("campaign {id} starting {on}, while {other} lasts until {end}").format(
                    id=shown(second.section.id),
                    on=second.section.start,
                    other=shown(first.section.id),
                    end=first.section.end,
                ),
                _("campaigns that share no day"),
            )


def pace_issues(section: PaceSection, points: Sequence[Numbered[PointSection]], year: Year | None) -> Iterator[Issue]:
    """Check the points of a custom pace curve."""
    if section.curve == "table" and not section.point:
        found = _("the curve table without points")
        yield Issue(("pace", "curve"), "no-pace-points", found, _("[[pace.point]] with on and share"))
    if section.curve != "table" and section.point:
        yield Issue(
            ("pace", "point"),
            "unused-pace-points",
            _("points beside the curve {curve}").format(curve=shown(section.curve)),
            _('curve = "table", which alone reads them'),
            severity="warning",
        )
    for each in points:
        path, point = ("pace", "point", each.number), each.section
        if not 0 <= point.share <= 1:
            yield Issue((*path, "share"), "out-of-bounds", _decimal(point.share), _("a share of the task from 0 to 1"))
        if year is not None:
            yield from outside(year, point.on, (*path, "on"))
    yield from _pace_order(points)


def _pace_order(points: Sequence[Numbered[PointSection]]) -> Iterator[Issue]:
    """Check that there is one point a date, and that the plan never falls."""
    in_order = sorted(points, key=lambda each: (each.section.on, each.number))
    for before, after in pairwise(in_order):
        path = ("pace", "point", after.number)
        on = before.section.on
        if on == after.section.on:
            found = _("a second point on {on}").format(on=on)
            yield Issue((*path, "on"), "duplicate-pace-point", found, _("one point for each date"))
        elif after.section.share < before.section.share:
            found = _("a share below that of {on}").format(on=on)
            yield Issue((*path, "share"), "falling-pace", found, _("a plan that never falls"), severity="warning")


def _decimal(share: Fraction) -> str:
    return f"{Decimal(share.numerator) / share.denominator:f}"


def credit_issues(section: CreditSection, raw: object) -> Iterator[Issue]:
    """Check the order of evidence: something of it, nothing twice, and one way to say it."""
    written = raw if isinstance(raw, Mapping) else {}
    path = ("credit", "evidence")
    if written.get("evidence") in ([], ()):
        found, expected = _("an empty list"), _("what bears an amount out, such as visits")
        yield Issue(path, "no-evidence", found, expected)
    for number, name in enumerate(section.evidence):
        if name in section.evidence[:number]:
            yield Issue(
                (*path, number),
                "duplicate-evidence",
                shown(name),
                _("each evidence once, the first that is there counts"),
            )
    if section.evidence and "unvisited" in written:
        found = _("unvisited beside evidence, which is read instead")
        expected = _("one of the two")
        yield Issue(("credit", "unvisited"), "unused-unvisited", found, expected, severity="warning")


def forecast_issues(section: ForecastSection) -> Iterator[Issue]:
    """Check that there is a forecast, and none twice: their sum is drawn from."""
    path = ("forecast", "models")
    if not section.models:
        found, expected = _("an empty list"), _("what a simulation goes on by, such as compound")
        yield Issue(path, "no-forecast", found, expected)
    for number, name in enumerate(section.models):
        if name in section.models[:number]:
            yield Issue((*path, number), "duplicate-forecast", shown(name), _("each forecast once, they are summed"))


def campaign_of(section: CampaignSection) -> Campaign:
    """Return a campaign as the model has it; without a name it is called by its id."""
    return Campaign(section.id, section.name or section.id, section.start, section.end, section.share)
